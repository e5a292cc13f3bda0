#include "tests/support/support.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

static struct yaml *parse_view(struct byte_view text)
{
    struct yaml *yaml = NULL;
    struct yaml_error error = {0};

    if (yaml_parse(text, &yaml, &error) != STATUS_OK)
        fail_msg("%u:%u: %s", error.line, error.column, error.reason);
    return yaml;
}

static struct yaml *parse(const char *text)
{
    return parse_view(bytes_of_string(text));
}

static void refuse_view(struct byte_view text, enum status expected, uint32_t line, uint32_t column,
                        const char *reason)
{
    struct yaml *yaml = NULL;
    struct yaml_error error = {0};

    enum status status = yaml_parse(text, &yaml, &error);
    if (status != expected || strstr(error.reason, reason) == NULL || error.line != line ||
        error.column != column)
        fail_msg("expected %u:%u: %s (%s), got %u:%u: %s (%s)", line, column, reason, status_text(expected),
                 error.line, error.column, error.reason, status_text(status));
    assert_null(yaml);
}

static void refuse(const char *text, uint32_t line, uint32_t column, const char *reason)
{
    refuse_view(bytes_of_string(text), STATUS_BAD_FORMAT, line, column, reason);
}

static void a_tree_keeps_order_place_and_text(void **state)
{
    (void)state;
    struct yaml *yaml = parse("# a comment\n"
                              "rule: arrest\n"
                              "items: [NO, 1e3, \"\\u00e9\"]\n"
                              "'to':\n"
                              "  - class: police\n"
                              "    when: 2026-12-01\n"
                              "  - {}\n"
                              "note: |\n"
                              "  two\n"
                              "  lines\n"
                              "last:\n");
    const struct yaml_node *root = yaml_root(yaml);

    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(yaml_count(root), 5);
    assert_true(root->line == 2 && root->column == 1 && root->key == NULL);
    assert_true(yaml_is(yaml_key(root, 0), "rule") && yaml_is(yaml_value(root, 0), "arrest"));
    assert_ptr_equal(yaml_value(root, 0)->key, yaml_key(root, 0));
    assert_null(yaml_key(root, 5));
    assert_null(yaml_value(root, 5));

    const struct yaml_node *items = yaml_get(root, "items");
    assert_int_equal(items->kind, YAML_LIST);
    assert_int_equal(yaml_count(items), 3);
    assert_true(yaml_is(yaml_at(items, 0), "NO") && !yaml_at(items, 0)->quoted);
    assert_true(yaml_is(yaml_at(items, 1), "1e3"));
    assert_true(yaml_is(yaml_at(items, 2), "\xc3\xa9") && yaml_at(items, 2)->quoted);
    assert_int_equal(yaml_at(items, 2)->size, 2);
    assert_null(yaml_at(items, 3));
    assert_true(yaml_at(items, 1)->line == 3 && yaml_at(items, 1)->column == 13);

    const struct yaml_node *to = yaml_get(root, "to");
    assert_true(to->key->quoted);
    assert_true(yaml_is(yaml_get(yaml_at(to, 0), "when"), "2026-12-01"));
    assert_int_equal(yaml_at(to, 1)->kind, YAML_MAP);
    assert_int_equal(yaml_count(yaml_at(to, 1)), 0);
    assert_true(yaml_is(yaml_get(root, "note"), "two\nlines\n") && yaml_get(root, "note")->quoted);
    assert_true(yaml_is(yaml_get(root, "last"), ""));
    yaml_destroy(&yaml);
    assert_null(yaml);
    yaml_destroy(&yaml);
}

static void what_is_not_there_is_null(void **state)
{
    (void)state;
    struct yaml *yaml = parse("a: [1]\n");
    const struct yaml_node *root = yaml_root(yaml);

    assert_null(yaml_get(root, "b"));
    assert_null(yaml_get(NULL, "b"));
    assert_null(yaml_get(yaml_get(root, "a"), "1"));
    assert_null(yaml_at(root, 0));
    assert_null(yaml_at(NULL, 0));
    assert_null(yaml_key(yaml_get(root, "a"), 0));
    assert_int_equal(yaml_count(NULL), 0);
    assert_int_equal(yaml_count(yaml_key(root, 0)), 0);
    assert_false(yaml_is(NULL, ""));
    assert_false(yaml_is(root, "a"));
    yaml_destroy(&yaml);
}

static void cleverness_is_refused_where_it_stands(void **state)
{
    (void)state;
    refuse("a: 1\nb: 2\na: 3\n", 3, 1, "'a' stands here a second time, first on line 1");
    refuse("x:\n  - {a: 1, \"a\": 2}\n", 2, 12, "'a' stands here a second time");
    refuse("a: &x 1\n", 1, 4, "anchors");
    refuse("a: &x [1]\n", 1, 4, "anchors");
    refuse("a: &x {b: 1}\n", 1, 4, "anchors");
    refuse("a: *x\n", 1, 4, "aliases");
    refuse("a: !!int 1\n", 1, 4, "tags");
    refuse("a: ! 1\n", 1, 4, "tags");
    refuse("a: !x [1]\n", 1, 4, "tags");
    refuse("a: !x {b: 1}\n", 1, 4, "tags");
    refuse("a: 1\n---\nb: 2\n", 2, 1, "second document");
    refuse("%YAML 1.1\n---\na: 1\n", 1, 1, "directives");
    refuse("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directives");
    refuse("[a]: 1\n", 1, 1, "a key must be text");
    refuse("? {a: 1}\n: 2\n", 1, 3, "a key must be text");
    refuse("?\n: 1\n", 1, 2, "a key is empty");
    refuse(": 1\n", 1, 1, "expected key");
    refuse("\"\": 1\n", 1, 1, "a key is empty");
    refuse("", 1, 1, "empty");
    refuse("# nothing\n", 1, 1, "empty");
    refuse_view(bytes_view(NULL, 0), STATUS_BAD_FORMAT, 1, 1, "empty");
}

static void what_yaml_itself_refuses_says_where(void **state)
{
    (void)state;
    refuse("a: 1\n  b: 2\n", 2, 4, "mapping values are not allowed");
    refuse("a:\n\t- b\n", 2, 1, "token");
    refuse("a: [1, 2\nb: 3\n", 2, 2, "expected ',' or ']'");
    refuse("a: 'x\n", 2, 1, "end of stream");
}

static void only_clean_utf8_is_read(void **state)
{
    (void)state;
    refuse("\xef\xbb\xbf"
           "a: 1\n",
           1, 1, "byte order mark");
    refuse_view(bytes_view("\xff\xfe"
                           "a\0",
                           4),
                STATUS_BAD_FORMAT, 1, 1, "UTF-16");
    refuse("a: 1\nb: x\xff\n", 2, 5, "not UTF-8");
    refuse("a: 1\r\nb: \xc3\xa9\xc3(\n", 2, 6, "not UTF-8");
    refuse("a: \xed\xa0\x80\n", 1, 4, "not UTF-8");
    refuse_view(bytes_view("a: 1\nb\0: 2\n", 11), STATUS_BAD_FORMAT, 2, 2, "control character");
    refuse("a: \x01\n", 1, 4, "control character");
    refuse("a: \x7f\n", 1, 4, "control character");
    refuse("a: 1 # \xe2\x80\xae\n", 1, 8, "control character");
    refuse("a: \xe2\x81\xa6\n", 1, 4, "control character");
    refuse("a: \"x\\0y\"\n", 1, 4, "an escape gives a control character");
    refuse("a: \"\\e\"\n", 1, 4, "an escape gives a control character");
    refuse("a: \"\\x85\"\n", 1, 4, "an escape gives a control character");
    refuse("a: \"\\u202E\"\n", 1, 4, "an escape gives a control character");
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[2 * (YAML_DEPTH_MAX + 1) + 1];

    for (size_t depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        if (depth > YAML_DEPTH_MAX) {
            refuse_view(bytes_view(text, 2 * depth), STATUS_TOO_LARGE, 1, YAML_DEPTH_MAX + 1, "levels");
        } else {
            struct yaml *yaml = parse_view(bytes_view(text, 2 * depth));
            yaml_destroy(&yaml);
        }
    }
}

static void nodes_have_a_limit(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(YAML_SIZE_MAX);

    for (size_t i = 1; i < YAML_NODES_MAX; i++) /* the list itself is one more */
        bytes_append_string(&text, "- x\n");
    struct yaml *yaml = parse_view(bytes_buffer_view(&text));
    assert_int_equal(yaml_count(yaml_root(yaml)), YAML_NODES_MAX - 1);
    assert_true(yaml_is(yaml_at(yaml_root(yaml), YAML_NODES_MAX - 2), "x"));
    yaml_destroy(&yaml);
    bytes_append_string(&text, "- x\n");
    refuse_view(bytes_buffer_view(&text), STATUS_TOO_LARGE, YAML_NODES_MAX, 3, "more than 100000 values");
    bytes_buffer_free(&text);
}

static void size_has_a_limit(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(YAML_SIZE_MAX + 1);

    bytes_append_string(&text, "a: ");
    while (text.size < YAML_SIZE_MAX)
        bytes_append_u8(&text, 'x');
    struct yaml *yaml = parse_view(bytes_buffer_view(&text));
    assert_int_equal(yaml_get(yaml_root(yaml), "a")->size, YAML_SIZE_MAX - 3);
    yaml_destroy(&yaml);
    bytes_append_u8(&text, 'x');
    refuse_view(bytes_buffer_view(&text), STATUS_TOO_LARGE, 1, 1, "4 MiB");
    bytes_buffer_free(&text);
}

static void a_duplicate_is_found_among_many(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(YAML_SIZE_MAX);

    for (unsigned i = 0; i < 40000; i++)
        bytes_append_format(&text, "k%u: v\n", i * 7919u % 40000u);
    struct yaml *yaml = parse_view(bytes_buffer_view(&text));
    yaml_destroy(&yaml);
    bytes_append_string(&text, "k20000: v\n");
    refuse_view(bytes_buffer_view(&text), STATUS_BAD_FORMAT, 40001, 1, "'k20000' stands here a second time");
    bytes_buffer_free(&text);
}

static void quotes_are_cut_between_characters(void **state)
{
    (void)state;
    char out[YAML_QUOTE_SIZE], text[200] = "x";

    assert_string_equal(yaml_quote(out, "short\nand\tplain"), "'short and plain'");
    for (size_t i = 1; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    yaml_quote(out, text);
    size_t size = strlen(out);
    assert_true(size >= YAML_QUOTE_SIZE - 3 && size < YAML_QUOTE_SIZE);
    assert_string_equal(out + size - 6, "\xc3\xa9...'");
}

/* A symbol of ours that libyaml exports too would be called by libyaml itself. */
static void no_symbol_is_libyamls(void **state)
{
    (void)state;
    static const char *const ours[] = {"yaml_parse",       "yaml_destroy", "yaml_root",       "yaml_get",
                                       "yaml_count",       "yaml_at",      "yaml_key",        "yaml_value",
                                       "yaml_is",          "yaml_quote",   "yaml_errors_add", "yaml_read_map",
                                       "yaml_errors_write"};
    void *library = dlopen("libyaml-0.so.2", RTLD_LAZY | RTLD_NOLOAD);

    assert_non_null(library);
    assert_non_null(dlsym(library, "yaml_free"));
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_null(dlsym(library, ours[i]));
    dlclose(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_keeps_order_place_and_text),
        cmocka_unit_test(what_is_not_there_is_null),
        cmocka_unit_test(cleverness_is_refused_where_it_stands),
        cmocka_unit_test(what_yaml_itself_refuses_says_where),
        cmocka_unit_test(only_clean_utf8_is_read),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(nodes_have_a_limit),
        cmocka_unit_test(size_has_a_limit),
        cmocka_unit_test(a_duplicate_is_found_among_many),
        cmocka_unit_test(quotes_are_cut_between_characters),
        cmocka_unit_test(no_symbol_is_libyamls),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
