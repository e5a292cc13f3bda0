#include "tests/support/support.h"

#include <string.h>

#include "policy/paper.h"

static struct byte_buffer out;

static const char *written(void)
{
    bytes_append_u8(&out, 0);
    assert_int_equal(out.status, STATUS_OK);
    return (const char *)out.data;
}

static void clear(void)
{
    bytes_buffer_free(&out);
    out = bytes_buffer(65536);
}

static void test_escapes(void **state)
{
    (void)state;
    clear();
    paper_escape(&out, "<a href=\"x\" b='y'>&amp;</a>");
    assert_string_equal(written(), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    clear();
    paper_quote(&out, "=1+1, \"two\"");
    bytes_append_string(&out, "|");
    paper_quote(&out, "plain");
    bytes_append_string(&out, "|");
    paper_quote(&out, "");
    assert_string_equal(written(), "\"'=1+1, \"\"two\"\"\"|\"plain\"|\"\"");
    clear();
}

/* The same document in each form. */
static const char *write(enum paper_form form)
{
    static const char *const heads[] = {"Who", "What", NULL};
    struct paper paper;

    clear();
    paper_start(&paper, form, "A <title>", &out);
    paper_heading(&paper, "Part %d", 1);
    paper_text(&paper, "%s", "a & b");
    paper_item(&paper, "%s", "one thing");
    paper_blank(&paper, "why");
    paper_table(&paper, heads);
    paper_cell(&paper, "police");
    paper_cell(&paper, "name");
    paper_add(&paper, ", %s", "<dob>");
    paper_cell(&paper, "prison");
    paper_cell(&paper, "all of a very long list that cannot stand on one line");
    paper_cell(&paper, "alone");
    paper_table_end(&paper);
    paper_sign(&paper, "HM Prison");
    paper_end(&paper);
    return written();
}

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(write(PAPER_TEXT), "A <title>\n"
                                           "=========\n"
                                           "\n"
                                           "Part 1\n"
                                           "------\n"
                                           "a & b\n"
                                           "- one thing\n"
                                           "[ To be filled in: why\n"
                                           "  ........................................................ ]\n"
                                           "\n"
                                           "Who     What\n"
                                           "------------------------------------\n"
                                           "police  name, <dob>\n"
                                           "prison  all of a very long list that\n"
                                           "        cannot stand on one line\n"
                                           "alone\n"
                                           "\n"
                                           "\n"
                                           "____________________________________________________________\n"
                                           "For HM Prison: name, position, signature, date\n");
    clear();
}

static void test_html(void **state)
{
    const char *text = write(PAPER_HTML);

    (void)state;
    assert_memory_equal(text, "<!DOCTYPE html>", 15);
    assert_non_null(strstr(text, "<title>A &lt;title&gt;</title>"));
    assert_non_null(strstr(text, "<h1>A &lt;title&gt;</h1>\n<h2>Part 1</h2>\n<p>a &amp; b</p>\n"));
    assert_non_null(strstr(text, "<tr><td>police</td><td>name, &lt;dob&gt;</td></tr>\n"));
    assert_non_null(strstr(text, "<tr><td>alone</td><td></td></tr>\n</tbody>"));
    assert_null(strstr(text, "http"));
    assert_null(strstr(text, "<script"));
    assert_string_equal(text + strlen(text) - 16, "</body>\n</html>\n");
    clear();
}

static void test_csv(void **state)
{
    (void)state;
    assert_string_equal(write(PAPER_CSV),
                        "\"Who\",\"What\"\r\n"
                        "\"police\",\"name, <dob>\"\r\n"
                        "\"prison\",\"all of a very long list that cannot stand on one line\"\r\n"
                        "\"alone\",\"\"\r\n");
    clear();
}

/* Words that are longer than a line are cut between characters; too much is an error, not an overrun. */
static void test_long(void **state)
{
    struct byte_buffer small = bytes_buffer(100);
    struct paper paper;

    (void)state;
    clear();
    paper_start(&paper, PAPER_TEXT, "t", &out);
    paper_text(&paper, "%s%s",
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
               "xxxxxxxxxxxxx\xc3\xa9zzz");
    paper_end(&paper);
    assert_non_null(strstr(written(), "xxx\n\xc3\xa9zzz\n"));
    clear();
    paper_start(&paper, PAPER_HTML, "t", &small);
    paper_end(&paper);
    assert_int_equal(small.status, STATUS_TOO_LARGE);
    bytes_buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_text), cmocka_unit_test(test_html),
        cmocka_unit_test(test_csv),     cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
