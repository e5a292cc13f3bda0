#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safefile.h"
#include "certs/archive.h"
#include "tests/support/partnership.h"

struct setting {
    struct partnership *partnership;
    char folder[128]; /* a member's */
    struct bundle *first;
    struct bundle *second;
};

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);
    struct keystore *broker = NULL;

    setting->partnership = partnership_new();
    broker = partnership_member(setting->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    keystore_free(&broker);
    snprintf(setting->folder, sizeof setting->folder, "%s/%s", setting->partnership->folder,
             PARTNERSHIP_BROKER);
    struct byte_buffer first = partnership_bundle(setting->partnership);
    struct byte_buffer second = partnership_bundle(setting->partnership);
    setting->first = partnership_first(setting->partnership, &first);
    setting->second = partnership_first(setting->partnership, &second);
    bytes_buffer_free(&first);
    bytes_buffer_free(&second);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;

    bundle_free(&setting->first);
    bundle_free(&setting->second);
    partnership_free(&setting->partnership);
    free(setting);
    return 0;
}

static void nothing_is_there_at_first(void **state)
{
    const struct setting *setting = *state;
    struct archive_floor floor;
    struct bundle *bundle = NULL;

    assert_int_equal(archive_floor_read(setting->folder, &floor), STATUS_NOT_FOUND);
    assert_int_equal(archive_newest(setting->folder, &bundle, NULL), STATUS_NOT_FOUND);
}

static void every_bundle_stays_and_the_floor_rises(void **state)
{
    const struct setting *setting = *state;
    struct archive_floor floor;
    struct bundle *bundle = NULL;

    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_OK);
    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_OK);
    assert_int_equal(archive_accept(setting->folder, setting->second, NULL), STATUS_OK);
    assert_int_equal(archive_floor_read(setting->folder, &floor), STATUS_OK);
    assert_int_equal(floor.serial, 2);
    assert_memory_equal(floor.head, bundle_head_digest(setting->second), DIGEST_SIZE);
    assert_memory_equal(floor.root, bundle_root_digest(setting->second), DIGEST_SIZE);
    assert_int_equal(archive_newest(setting->folder, &bundle, NULL), STATUS_OK);
    assert_true(bytes_equal(bundle_file(bundle), bundle_file(setting->second)));
    bundle_free(&bundle);
    assert_int_equal(archive_get(setting->folder, 1, &bundle, NULL), STATUS_OK);
    assert_int_equal(bundle_serial(bundle), 1);
    bundle_free(&bundle);
    assert_int_equal(archive_get(setting->folder, 3, &bundle, NULL), STATUS_NOT_FOUND);
}

static void the_floor_never_falls(void **state)
{
    const struct setting *setting = *state;
    struct bundle_reason reason = {{0}};

    assert_int_equal(archive_accept(setting->folder, setting->second, NULL), STATUS_OK);
    assert_int_equal(archive_accept(setting->folder, setting->first, &reason), STATUS_ROLLBACK);
    assert_string_equal(reason.text, "a newer bundle was accepted here before");
}

static void another_partnership_has_no_place_here(void **state)
{
    const struct setting *setting = *state;
    void *foreign_state = NULL;

    set_up(&foreign_state);
    const struct setting *foreign = foreign_state;
    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_OK);
    assert_int_equal(archive_accept(setting->folder, foreign->second, NULL), STATUS_BAD_CERTIFICATE);
    tear_down(&foreign_state);
}

static void a_second_head_of_one_serial_is_a_fork(void **state)
{
    const struct setting *setting = *state;
    char path[160];
    struct byte_buffer text = bytes_buffer(0);

    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/bundle.floor", setting->folder);
    assert_int_equal(safefile_read(path, 1024, &text), STATUS_OK);
    uint8_t *digit = (uint8_t *)strstr((char *)text.data, "head ") + 5;
    *digit = *digit == '0' ? '1' : '0';
    assert_int_equal(safefile_write(path, bytes_buffer_view(&text), 0600), STATUS_OK);
    bytes_buffer_free(&text);
    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_FORKED);
}

static void a_damaged_floor_is_not_guessed_at(void **state)
{
    const struct setting *setting = *state;
    char path[160];
    struct byte_buffer text = bytes_buffer(0);
    struct archive_floor floor;

    assert_int_equal(archive_accept(setting->folder, setting->first, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/bundle.floor", setting->folder);
    assert_int_equal(safefile_read(path, 1024, &text), STATUS_OK);
    for (size_t size = 0; size < text.size; size += 7) {
        assert_int_equal(safefile_write(path, bytes_view(text.data, size), 0600), STATUS_OK);
        assert_int_equal(archive_floor_read(setting->folder, &floor), STATUS_CORRUPT);
        assert_int_equal(archive_accept(setting->folder, setting->second, NULL), STATUS_CORRUPT);
    }
    bytes_append_u8(&text, '\n');
    assert_int_equal(safefile_write(path, bytes_buffer_view(&text), 0600), STATUS_OK);
    assert_int_equal(archive_floor_read(setting->folder, &floor), STATUS_CORRUPT);
    bytes_buffer_free(&text);
}

static void a_damaged_or_missing_bundle_is_found(void **state)
{
    const struct setting *setting = *state;
    char path[160];
    struct byte_buffer file = bytes_buffer(BUNDLE_LARGEST);
    struct bundle *bundle = NULL;

    assert_int_equal(archive_accept(setting->folder, setting->second, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/bundles/2.bundle", setting->folder);
    bytes_append_view(&file, bundle_file(setting->second));
    file.data[file.size / 2] ^= 1;
    assert_int_equal(safefile_write(path, bytes_buffer_view(&file), 0600), STATUS_OK);
    assert_int_equal(archive_newest(setting->folder, &bundle, NULL), STATUS_CORRUPT);
    assert_int_equal(safefile_write(path, bundle_file(setting->first), 0600), STATUS_OK);
    assert_int_equal(archive_newest(setting->folder, &bundle, NULL), STATUS_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(archive_newest(setting->folder, &bundle, NULL), STATUS_CORRUPT);
    bytes_buffer_free(&file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_there_at_first),
        TEST(every_bundle_stays_and_the_floor_rises),
        TEST(the_floor_never_falls),
        TEST(another_partnership_has_no_place_here),
        TEST(a_second_head_of_one_serial_is_a_fork),
        TEST(a_damaged_floor_is_not_guessed_at),
        TEST(a_damaged_or_missing_bundle_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
