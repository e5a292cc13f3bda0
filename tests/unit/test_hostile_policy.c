#include "tests/support/support.h"

#include <string.h>

#include "base/yaml_errors.h"
#include "tests/support/policy.h"

/* Files that are meant to confuse: one clear error each, whichever of the two they pretend to be. */

struct hostile {
    const char *from; /* in both shipped files; NULL: the text is all of the file */
    const char *to;
    size_t size; /* of to, when it has zeros in it; otherwise 0 */
    const char *says;
};

static struct yaml_errors errors;

static void check_text(struct byte_view text, const struct catalogue *catalogue,
                       const struct hostile *hostile)
{
    struct catalogue *other = NULL;
    struct protocol *protocol = NULL;

    memset(&errors, 0, sizeof errors);
    assert_int_not_equal(catalogue == NULL ? catalogue_load(text, &errors, &other)
                                           : protocol_load(text, catalogue, &errors, &protocol),
                         STATUS_OK);
    assert_null(other);
    assert_null(protocol);
    if (errors.count != 1 || errors.list[0].line == 0 || strstr(errors.list[0].text, hostile->says) == NULL)
        fail_msg("'%.40s': %zu errors, the first: %s", hostile->to, errors.count, errors.list[0].text);
}

static void check_both(const struct hostile *hostile)
{
    static const char *const names[] = {"catalogue.yaml", "staffordshire-ppo.yaml"};
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct catalogue *catalogue = NULL;

    memset(&errors, 0, sizeof errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct policy_edit edits[] = {{hostile->from, hostile->to}, {NULL, NULL}};
        struct byte_buffer text = bytes_buffer((size_t)1 << 20);

        if (hostile->from == NULL)
            bytes_append(&text, hostile->to, hostile->size == 0 ? strlen(hostile->to) : hostile->size);
        else
            text = policy_file(names[i], edits);
        check_text(bytes_buffer_view(&text), i == 0 ? NULL : catalogue, hostile);
        bytes_buffer_free(&text);
    }
    catalogue_free(&catalogue);
    bytes_buffer_free(&good);
}

static void test_hostile(void **state)
{
    static const struct hostile rows[] = {
        {"version: ", "version: &x ", 0, "anchor"},
        {"version: ", "version: *x\nother: ", 0, "alias"},
        {"version: ", "version: !!str ", 0, "tag"},
        {"version: ", "version: 1\nversion: ", 0, "second time"},
        {"version: ", "version: {a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}\nother: ", 0,
         "inside one another"},
        {"version: ", "\tversion: ", 0, ""},
        {"version: ", "? [a]\n: b\nversion: ", 0, "key"},
        {"version: ", "version: \"\\0\"\nother: ", 0, "control"},
        {"version: ", "version: \xff\xfe\nother: ", 0, "UTF-8"},
        {"version: ", "version: \xe2\x80\xae\nother: ", 0, "control"},
        {"version: ", "--- \nversion: ", 0, "document"},
        {NULL, "\xef\xbb\xbfversion: 1\n", 0, "byte order mark"},
        {NULL, "\xff\xfev\0e\0r\0", 8, ""},
        {NULL, "%YAML 1.2\n---\na: b\n", 0, "directive"},
        {NULL, "a: b\0c: d\n", 10, ""},
        {NULL, "- a\n- b\n", 0, "mapping"},
        {NULL, "", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_both(&rows[i]);
}

/* Words that some readers of YAML take for something else are text here. */
static void test_words(void **state)
{
    static const struct policy_edit edits[] = {
        {"owner: Staffordshire Responsible Authorities Group", "owner: NO"}, {NULL, NULL}};
    static const struct policy_mistake mistakes[] = {
        {"    reserved: yes", "    reserved: @@NO", "yes or no"},
        {"    reserved: yes", "    reserved: @@true", "yes or no"},
        {"version: 2\n", "version: @@1e1\n", "version"},
        {"version: 2\n", "version: @@0x2\n", "version"},
    };
    struct policy_world world;

    (void)state;
    policy_open(&world, edits);
    assert_string_equal(world.protocol->owner, "NO");
    policy_close(&world);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake("staffordshire-ppo.yaml", &mistakes[i]);
}

/* Ten megabytes are refused before they are read, and many small nodes before they fill the memory. */
static void test_size(void **state)
{
    static const struct hostile large = {NULL, "ten megabytes", 0, "larger"};
    static const struct hostile many = {NULL, "many nodes", 0, ""};
    struct byte_buffer good = policy_file("catalogue.yaml", NULL), text = bytes_buffer((size_t)16 << 20);
    struct catalogue *catalogue = NULL;

    (void)state;
    memset(&errors, 0, sizeof errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    while (text.size < ((size_t)10 << 20))
        bytes_append_string(&text,
                            "# nothing but a comment that goes on and on and on and on and on and on\n");
    check_text(bytes_buffer_view(&text), catalogue, &large);
    check_text(bytes_buffer_view(&text), NULL, &large);
    bytes_buffer_clear(&text);
    bytes_append_string(&text, "a: [");
    for (size_t i = 0; i < 200000; i++)
        bytes_append_string(&text, "x,");
    bytes_append_string(&text, "x]\n");
    check_text(bytes_buffer_view(&text), catalogue, &many);
    check_text(bytes_buffer_view(&text), NULL, &many);
    bytes_buffer_free(&text);
    bytes_buffer_free(&good);
    catalogue_free(&catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
