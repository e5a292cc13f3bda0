#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/safefile.h"
#include "broker/backup_manifest.h"
#include "broker/journal.h"

static char folder[64];
static char path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-journal-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/%s", folder, JOURNAL_NAME);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

struct read {
    size_t count;
    struct journal_line lines[64];
};

static enum status keep(void *context, const struct journal_line *line)
{
    struct read *all = context;

    assert_true(all->count < 64);
    all->lines[all->count++] = *line;
    return STATUS_OK;
}

static struct read read_all(void)
{
    struct read all = {.count = 0};

    assert_int_equal(journal_read(folder, keep, &all), STATUS_OK);
    return all;
}

static struct journal_line line_of(uint64_t first)
{
    struct journal_line line = {
        .event = first % 2 == 1, .time = 1000 + (int64_t)first, .first = first, .count = 3};

    memset(line.hash.bytes, (int)first + 1, sizeof line.hash.bytes);
    return line;
}

static void append(uint64_t first)
{
    const struct journal_line line = line_of(first);

    assert_int_equal(journal_append(folder, &line, 1), STATUS_OK);
}

static void lines_come_back(void **state)
{
    (void)state;
    const struct journal_line three[] = {line_of(2), line_of(3), line_of(UINT32_MAX)};

    assert_int_equal(read_all().count, 0); /* there is none */
    append(0);
    append(1);
    assert_int_equal(journal_append(folder, three, 3), STATUS_OK);
    struct read all = read_all();
    assert_int_equal(all.count, 5);
    for (size_t i = 0; i < 4; i++) {
        const struct journal_line expected = line_of(i);
        assert_memory_equal(&all.lines[i].hash, &expected.hash, sizeof expected.hash);
        assert_int_equal(all.lines[i].event, expected.event);
        assert_int_equal(all.lines[i].time, expected.time);
        assert_int_equal(all.lines[i].first, expected.first);
        assert_int_equal(all.lines[i].count, expected.count);
    }
}

/* A crash may leave any part of the last line, or of the first. */
static void what_was_cut_off_is_written_over(void **state)
{
    (void)state;
    append(0);
    struct byte_buffer one = support_read_file(path);
    append(1);
    struct byte_buffer two = support_read_file(path);

    for (size_t end = 0; end < two.size; end++) {
        assert_int_equal(safefile_write(path, bytes_view(two.data, end), 0600), STATUS_OK);
        assert_int_equal(read_all().count, end < one.size ? 0 : 1);
        append(2);
        struct read all = read_all();
        assert_int_equal(all.count, end < one.size ? 1 : 2);
        assert_int_equal(all.lines[all.count - 1].first, 2);
    }
    bytes_buffer_free(&one);
    bytes_buffer_free(&two);
}

static void what_is_no_journal_is_told(void **state)
{
    (void)state;
    static const char *const bad[] = {"something else\n", "concordat/erasures/1\nparts 1 2\n",
                                      "concordat/erasures/2\n"};
    struct read all;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(safefile_write(path, bytes_of_string(bad[i]), 0600), STATUS_OK);
        assert_int_equal(journal_read(folder, keep, &all), STATUS_CORRUPT);
    }
}

/* What no backup can want any more goes when the file has grown. */
static void old_lines_go(void **state)
{
    (void)state;
    struct journal_line *many = calloc(60000, sizeof *many);
    struct journal_line young = line_of(6);

    assert_non_null(many);
    for (size_t i = 0; i < 60000; i++)
        many[i] = line_of(4);
    assert_int_equal(journal_append(folder, many, 60000), STATUS_OK);
    young.time = 1000 + 3 * BACKUP_MANIFEST_LIFE_MS;
    assert_int_equal(journal_append(folder, &young, 1), STATUS_OK);
    struct read all = read_all();
    assert_int_equal(all.count, 1);
    assert_int_equal(all.lines[0].first, 6);
    free(many);
}

static void lines_are_read_strictly(void **state)
{
    (void)state;
    static const char hash[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static const struct {
        const char *front;
        bool good;
    } cases[] = {
        {"parts 1 2 3 ", true},   {"event 1 2 255 ", true},  {"event 1 2 256 ", false},
        {"parts 1 2 0 ", false},  {"parts 01 2 3 ", false},  {"parts 1  3 ", false},
        {"parts -1 2 3 ", false}, {"other 1 2 3 ", false},   {"parts 1 9223372036854775807 1 ", false},
        {"parts 1 2 3", false},   {"parts 1 2 3 4 ", false}, {"parts 9223372036854775808 2 3 ", false}};
    struct journal_line line;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[160];
        snprintf(text, sizeof text, "%s%s", cases[i].front, hash);
        if ((journal_parse(bytes_of_string(text), &line) == STATUS_OK) != cases[i].good)
            fail_msg("%s", text);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines_come_back), TEST(what_was_cut_off_is_written_over), TEST(what_is_no_journal_is_told),
        TEST(old_lines_go),    TEST(lines_are_read_strictly),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
