#include "tests/support/support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/figures.h"
#include "audit/headcount.h"
#include "audit/table.h"

/* The parts that reports are made of: pages in four forms, counts, percentiles. */

static char page[65536];

static void assert_says(const char *part)
{
    if (strstr(page, part) == NULL)
        fail_msg("\"%s\" is not said in:\n%s", part, page);
}

static void assert_silent(const char *part)
{
    if (strstr(page, part) != NULL)
        fail_msg("\"%s\" is said in:\n%s", part, page);
}

/* ---- the page ---- */

static const struct table_column columns[] = {{"a", "First", 6, TABLE_TEXT},
                                              {"n", "Number", 6, TABLE_NUMBER}};
static const struct table_head head = {"t", "A table", "none", columns, 2};

static void write_page(enum table_form form, const char *cell)
{
    struct table_page *out = NULL;
    FILE *file = fmemopen(page, sizeof page, "w");

    assert_int_equal(table_begin(form, file, "name", "A <title>", &out), STATUS_OK);
    table_fact(out, "Made", "now");
    table_note(out, "It says \"%s\".", cell);
    table_open(out, &head);
    table_row(out, (const char *const[]){cell, "12"});
    table_row(out, (const char *const[]){NULL, "fewer than 5"});
    table_close(out);
    table_open(out, &head);
    table_end(&out);
    assert_null(out);
    fclose(file);
}

static void a_page_has_four_forms(void **state)
{
    (void)state;
    write_page(TABLE_AS_TEXT, "caf\xc3\xa9");
    assert_string_equal(
        page, "A <title>\nMade: now\n\nIt says \"caf\xc3\xa9\".\n\nA table\n"
              "  First   Number\n  caf\xc3\xa9        12\n  -       fewer than 5\n\nA table\n  none\n");
    write_page(TABLE_AS_JSON, "a\"\\\n</script>");
    json_t *json = json_loads(page, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    const json_t *rows = json_object_get(json_array_get(json_object_get(json, "content"), 1), "rows");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "a")), "a\"\\\n</script>");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "n")), 12);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "n")), "fewer than 5");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "a")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "facts"), "Made")), "now");
    json_decref(json);
    write_page(TABLE_AS_CSV, "=1+1");
    assert_string_equal(page, "a,n\r\n'=1+1,12\r\n,fewer than 5\r\n\r\na,n\r\n");
    write_page(TABLE_AS_HTML, "<b>&'\"");
    assert_says("<h1>A &lt;title&gt;</h1>");
    assert_says("<tr><td>&lt;b&gt;&amp;&#39;&quot;</td><td class=\"number\">12</td></tr>");
    assert_says("<p>none</p>\n</body>\n</html>\n");
    assert_silent("<b>");
}

/* ---- counting ---- */

static enum status check_sum(void *context, const char *const *texts, const uint64_t *numbers)
{
    char(*last)[16] = context;

    assert_true(strcmp(*last, texts[0]) < 0);
    (void)snprintf(*last, sizeof *last, "%s", texts[0]);
    assert_int_equal(numbers[0], strtoul(texts[0], NULL, 10) % 7);
    return STATUS_OK;
}

static void many_groups_are_kept_apart(void **state)
{
    (void)state;
    struct counts *counts = NULL;
    struct headcount *people = NULL;
    char last[16] = "";
    char text[80];

    assert_int_equal(counts_new(2, 1, &counts), STATUS_OK);
    assert_int_equal(headcount_new(&people), STATUS_OK);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof text, "%05u", i);
        for (unsigned k = 0; k < i % 7; k++)
            assert_int_equal(counts_add(counts, (const char *const[]){text, NULL}, 0, 1), STATUS_OK);
        assert_int_equal(counts_add(counts, (const char *const[]){text, NULL}, 0, 0), STATUS_OK);
        (void)snprintf(text, sizeof text, "1-%064x", i % 1234);
        assert_int_equal(headcount_add(people, text), STATUS_OK);
    }
    assert_int_equal(counts_groups(counts), 5000);
    assert_int_equal(counts_get(counts, (const char *const[]){"00013", ""}, 0), 6);
    assert_int_equal(counts_get(counts, (const char *const[]){"00013", "x"}, 0), 0);
    assert_int_equal(counts_each(counts, check_sum, &last), STATUS_OK);
    assert_int_equal(headcount_add(people, NULL), STATUS_OK);
    assert_int_equal(headcount_count(people), 1234);
    counts_free(&counts);
    headcount_free(&people);
    assert_null(counts);
}

/* 1 to 10 in one area, 100 in another: of ten, five are not above the fifth and nine not above the ninth. */
static void percentiles_are_of_the_nearest_rank(void **state)
{
    (void)state;
    struct figures *figures = NULL;
    struct table_page *out = NULL;
    FILE *file = fmemopen(page, sizeof page, "w");
    static const struct table_column six[] = {{"m", "m", 0, TABLE_TEXT}, {"a", "a", 0, TABLE_TEXT},
                                              {"c", "c", 0, TABLE_TEXT}, {"d", "d", 0, TABLE_TEXT},
                                              {"p", "p", 0, TABLE_TEXT}, {"u", "u", 0, TABLE_TEXT}};
    static const struct table_head six_head = {"x", "x", "x", six, 6};

    assert_int_equal(figures_new(true, &figures), STATUS_OK);
    for (int64_t i = 10; i > 0; i--)
        assert_int_equal(figures_add(figures, "stoke", 1, i), STATUS_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(figures_add(figures, "leek", 1, 100), STATUS_OK);
    assert_int_equal(table_begin(TABLE_AS_CSV, file, "x", "x", &out), STATUS_OK);
    table_open(out, &six_head);
    assert_int_equal(figures_write(figures, out, "m", "u", 5), STATUS_OK);
    table_end(&out);
    fclose(file);
    figures_free(&figures);
    assert_string_equal(page,
                        "m,a,c,d,p,u\r\nm,leek,10,100,100,u\r\nm,stoke,10,5,9,u\r\nm,all,20,10,100,u\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_four_forms),
        cmocka_unit_test(many_groups_are_kept_apart),
        cmocka_unit_test(percentiles_are_of_the_nearest_rank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
