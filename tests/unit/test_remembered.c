#include "tests/support/loghouse.h"

#include <stdlib.h>
#include <string.h>

#include "audit/export.h"
#include "audit/verify.h"
#include "base/safefile.h"

/* Verification that goes on from an earlier one. */

static struct loghouse house;
static struct note_key *key;
static char export_folder[128];
static struct byte_buffer told;
static struct verify_result result;
static struct remembered before, after;
static const struct verify_progress no_progress = {.at = NULL};

static int set_up(void **state)
{
    (void)state;
    told = bytes_buffer((size_t)1 << 20);
    loghouse_make(&house, 99);
    snprintf(export_folder, sizeof export_folder, "%.60s/export", house.folder);
    assert_int_equal(remembered_init(&before), STATUS_OK);
    assert_int_equal(remembered_init(&after), STATUS_OK);
    return note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, house.key, &key) == STATUS_OK ? 0
                                                                                                          : 1;
}

static int tear_down(void **state)
{
    (void)state;
    remembered_free(&before);
    remembered_free(&after);
    bytes_buffer_free(&told);
    note_key_free(&key);
    loghouse_remove(&house);
    return 0;
}

/* So many entries, all of them signed. */
static void grow(struct loghouse *which, size_t size)
{
    while (which->size < size)
        assert_int_equal(loghouse_commit_row(which, which->size + 20 > size ? size - which->size : 20),
                         STATUS_OK);
    assert_int_equal(logbook_sign(which->logbook, LOGHOUSE_NOW + (int64_t)size, &which->reason), STATUS_OK);
}

static void note_problem(void *context, const char *text)
{
    bytes_append_string(context, text);
    bytes_append_string(context, "\n");
}

/* Number of problems; their text is in told, with a zero. */
static uint64_t verify_from(const struct remembered *since, struct remembered *remember)
{
    const struct verify_memory memory = {since, remember};
    struct problems problems = {.tell = note_problem, .context = &told};
    struct source_reason reason = {""};
    struct source *source = NULL;

    bytes_buffer_clear(&told);
    memset(&result, 0, sizeof result);
    enum status status = source_open(house.folder, &source, &reason);
    if (status != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(verify_broker_since(source, key, &no_progress, &memory, &problems, &result), STATUS_OK);
    source_close(&source);
    bytes_append_u8(&told, 0);
    return problems.count;
}

static void assert_told(const char *part)
{
    if (strstr((const char *)told.data, part) == NULL)
        fail_msg("\"%s\" is not told in:\n%s", part, (const char *)told.data);
}

/* Through the file's text, as the command does. */
static void remember_up_to(size_t size)
{
    struct byte_buffer text = bytes_buffer(REMEMBERED_MAX);

    grow(&house, size);
    assert_int_equal(verify_from(NULL, &after), 0);
    assert_int_equal(after.size, size);
    assert_int_equal(remembered_write(&after, &text), STATUS_OK);
    assert_int_equal(remembered_parse(bytes_buffer_view(&text), &before), STATUS_OK);
    bytes_buffer_free(&text);
    remembered_free(&after);
    assert_int_equal(remembered_init(&after), STATUS_OK);
}

/* Sizes at and off the edges of tiles, growing within a tile and beyond. */
static void verification_goes_on_where_it_ended(void **state)
{
    static const size_t sizes[][2] = {{1, 2}, {20, 20}, {255, 257}, {256, 300}, {500, 512}, {700, 1111}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(loghouse_open(&house), STATUS_OK);
        remember_up_to(sizes[i][0]);
        grow(&house, sizes[i][1]);
        assert_int_equal(verify_from(&before, &after), 0);
        assert_int_equal(result.entries, sizes[i][1]);
        assert_int_equal(after.size, sizes[i][1]);
        struct digest root = loghouse_naive_root(&house, sizes[i][1]);
        assert_memory_equal(&after.root, &root, sizeof root);
        tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

/* What goes wrong in the new entries is named as ever; counters go on from where they stood. */
static void what_is_new_is_checked(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    remember_up_to(300);
    house.from_counter += 3;
    grow(&house, 320);
    assert_true(verify_from(&before, &after) > 0);
    assert_told("entry 300: the counter of ");
    assert_int_equal(after.note.size > 0 && after.size > 0, 0); /* nothing to go on from */
}

static void a_log_that_is_no_extension_is_refused(void **state)
{
    (void)state;
    struct loghouse other;
    char command[512];

    assert_int_equal(loghouse_open(&house), STATUS_OK);
    remember_up_to(300);
    loghouse_close(&house);
    loghouse_make(&other, 100); /* the same key, other entries */
    assert_int_equal(loghouse_open(&other), STATUS_OK);
    grow(&other, 600);
    loghouse_close(&other);
    snprintf(command, sizeof command, "cp %.60s/*.db %.60s/", other.folder, house.folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify_from(NULL, NULL), 0); /* sound by itself */
    assert_true(verify_from(&before, &after) > 0);
    assert_told("the first 300 entries no longer give the root that was verified before");
    loghouse_remove(&other);
}

static void an_older_copy_and_another_note_are_refused(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    remember_up_to(300);
    before.size = 280;
    assert_true(verify_from(&before, NULL) > 0);
    assert_told("says another size or root than its checkpoint");
    before.size = 300;
    before.note.data[before.note.size - 6] ^= 1;
    assert_true(verify_from(&before, NULL) > 0);
    assert_told("what was remembered: its checkpoint is not this log's");
    before.note.data[before.note.size - 6] ^= 1;
    loghouse_close(&house);
    loghouse_remove(&house);
    loghouse_make(&house, 99);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    grow(&house, 280);
    assert_true(verify_from(&before, NULL) > 0);
    assert_told("is for 280 entries, fewer than the 300 that were verified before");
}

static enum status read_file(void *context, const char *path, size_t limit, struct byte_buffer *ret)
{
    char full[256];

    snprintf(full, sizeof full, "%s/%s", (const char *)context, path);
    return safefile_read(full, limit, ret);
}

static uint64_t verify_files(const struct remembered *since, struct remembered *remember)
{
    const struct verify_files files = {.read = read_file, .context = export_folder};
    const struct verify_memory memory = {since, remember};
    struct problems problems = {.tell = note_problem, .context = &told};
    struct source_reason reason = {""};
    struct source *source = NULL;
    char command[256];
    uint64_t entries = 0;

    snprintf(command, sizeof command, "rm -rf %s", export_folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(source_open(house.folder, &source, &reason), STATUS_OK);
    assert_int_equal(export_write(source, key, export_folder, &entries, &reason), STATUS_OK);
    source_close(&source);
    bytes_buffer_clear(&told);
    assert_int_equal(verify_export_since(&files, key, &no_progress, &memory, &problems, &result), STATUS_OK);
    bytes_append_u8(&told, 0);
    return problems.count;
}

static void an_export_goes_on_as_well(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    grow(&house, 300);
    assert_int_equal(verify_files(NULL, &before), 0);
    assert_int_equal(before.size, 300);
    assert_false(before.records);
    grow(&house, 1040);
    assert_int_equal(verify_files(&before, &after), 0);
    assert_int_equal(after.size, 1040);
    assert_int_equal(verify_files(&after, NULL), 0); /* nothing new */
    before.root.bytes[0] ^= 1;
    assert_true(verify_files(&before, NULL) > 0);
}

static void only_what_was_written_is_read(void **state)
{
    (void)state;
    static const char good[] = "concordat-audit/verified/v1\nsize 12\nroot "
                               "00000000000000000000000000000000000000000000000000000000000000ab\n"
                               "checked records\ncounter a.a 1 2\ncounter b.b 0 9\n\nnote\n";
    static const struct {
        const char *from;
        const char *to;
    } mistakes[] = {
        {"/v1", "/v2"},           {"size 12", "size 012"}, {"size 12", "size -1"}, {"size 12", "size"},
        {"00ab", "00AB"},         {"00ab", "00a"},         {"00ab", "00xy"},       {"records", "nothing"},
        {"records", "entries"},   {"b.b 0", "a.a 0"},      {"b.b 0", "b 0"},       {"b.b 0 9", "b.b 0"},
        {"counter b", "count b"}, {"\n\nnote\n", "\n\n"},  {"\n\nnote\n", "\n"},   {"b.b 0 9", "b.b 0 9 "}};
    struct byte_buffer text = bytes_buffer(4096);

    assert_int_equal(remembered_parse(bytes_of_string(good), &before), STATUS_OK);
    assert_int_equal(before.size, 12);
    assert_int_equal(remembered_write(&before, &text), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&text), bytes_of_string(good)));
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char bad[512];
        const char *at = strstr(good, mistakes[i].from);
        assert_non_null(at);
        snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - good), good, mistakes[i].to,
                 at + strlen(mistakes[i].from));
        remembered_free(&before);
        assert_int_equal(remembered_init(&before), STATUS_OK);
        if (remembered_parse(bytes_of_string(bad), &before) != STATUS_BAD_FORMAT)
            fail_msg("read: %s", bad);
    }
    bytes_buffer_free(&text);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(verification_goes_on_where_it_ended),
        TEST(what_is_new_is_checked),
        TEST(a_log_that_is_no_extension_is_refused),
        TEST(an_older_copy_and_another_note_are_refused),
        TEST(an_export_goes_on_as_well),
        TEST(only_what_was_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
