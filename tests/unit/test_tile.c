#include "tests/support/support.h"

#include <string.h>

#include "proto/merkle.h"
#include "proto/tile.h"

static struct byte_view text(const char *string)
{
    return bytes_of_string(string);
}

static void assert_path(bool entries, uint8_t level, uint64_t n, uint16_t width, const char *expected)
{
    struct tile_id id = {.entries = entries, .level = level, .n = n, .width = width};
    struct tile_id parsed = {0};
    char path[TILE_PATH_SIZE];

    tile_path(&id, path);
    assert_string_equal(path, expected);
    assert_int_equal(tile_parse_path(text(path), &parsed), STATUS_OK);
    assert_int_equal(parsed.entries, entries);
    assert_int_equal(parsed.level, level);
    assert_true(parsed.n == n);
    assert_int_equal(parsed.width, width);
}

static void paths_are_written_and_read(void **state)
{
    (void)state;
    assert_path(false, 0, 0, 256, "tile/0/000");
    assert_path(false, 1, 0, 1, "tile/1/000.p/1");
    assert_path(false, 0, 1234067, 256, "tile/0/x001/x234/067");
    assert_path(false, 2, 1000, 255, "tile/2/x001/000.p/255");
    assert_path(true, 0, 999, 44, "tile/entries/999.p/44");
    assert_path(true, 0, 123456789, 256, "tile/entries/x123/x456/789");
    assert_path(false, 0, ((uint64_t)1 << 56) - 1, 256, "tile/0/x072/x057/x594/x037/x927/935");
    assert_path(false, 7, 0, 255, "tile/7/000.p/255");
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/00/000",
                                      "tile/8/000",
                                      "tile/63/000",
                                      "tile/-1/000",
                                      "tile/0/x000/001",
                                      "tile/0/x000/x001/001",
                                      "tile/0/x001",
                                      "tile/0/x001/",
                                      "tile/0/001/000",
                                      "tile/0/x01/000",
                                      "tile/0/x001/x000",
                                      "tile/0/000.p",
                                      "tile/0/000.p/",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/1 ",
                                      "tile/0/000.p/1/",
                                      "tile/0/000/",
                                      "tile/0/ 00",
                                      "tile/0/+00",
                                      "/tile/0/000",
                                      "tile//000",
                                      "tile/entries/",
                                      "tile/entries",
                                      "tile/entries/x/000",
                                      "tile/1/entries/000",
                                      "tile/data/000",
                                      "Tile/0/000",
                                      "tile/0/000.P/1",
                                      "tile/0/x072/x057/x594/x037/x927/936",
                                      "tile/0/x999/x999/x999/x999/x999/x999/999",
                                      "tile/7/001",
                                      "tile/0/x100/x000/x000/x000/x000/x000/000",
                                      "tile/0/000.p/1000",
                                      "tile/0/x018/x446/x744/x073/x709/x551/621" /* 2^64 + 5 */,
                                      "tile/0/x018/x446/x744/x073/x709/x551/x621/001",
                                      "tile/0/0a0"};
    struct tile_id id = {.n = 77};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (tile_parse_path(text(bad[i]), &id) != STATUS_BAD_FORMAT)
            fail_msg("accepted %s", bad[i]);
        assert_int_equal(id.n, 77);
    }
    assert_int_equal(tile_parse_path(bytes_view("tile/0/000\0", 11), &id), STATUS_BAD_FORMAT);
}

/* The example of a tree of 70,000 leaves in the C2SP text, and one of 256. */
static void widths_follow_the_size(void **state)
{
    (void)state;
    assert_int_equal(tile_width(0, 272, 70000), 256);
    assert_int_equal(tile_width(0, 273, 70000), 112);
    assert_int_equal(tile_width(0, 274, 70000), 0);
    assert_int_equal(tile_width(1, 0, 70000), 256);
    assert_int_equal(tile_width(1, 1, 70000), 17);
    assert_int_equal(tile_width(2, 0, 70000), 1);
    assert_int_equal(tile_width(3, 0, 70000), 0);
    assert_int_equal(tile_width(0, 0, 256), 256);
    assert_int_equal(tile_width(0, 1, 256), 0);
    assert_int_equal(tile_width(1, 0, 256), 1);
    assert_int_equal(tile_width(7, 0, UINT64_MAX), 255);
    assert_int_equal(tile_width(0, 0, 0), 0);
}

static void assert_place(unsigned height, uint64_t index, unsigned level, uint64_t n, size_t first,
                         size_t count)
{
    struct tile_place place = tile_place(height, index);

    assert_int_equal(place.level, level);
    assert_true(place.n == n);
    assert_int_equal(place.first, first);
    assert_int_equal(place.count, count);
}

static void hashes_have_their_places(void **state)
{
    (void)state;
    assert_place(0, 300, 0, 1, 44, 1);
    assert_place(3, 37, 0, 1, 40, 8);
    assert_place(7, 3, 0, 1, 128, 128);
    assert_place(8, 255, 1, 0, 255, 1);
    assert_place(9, 128, 1, 1, 0, 2);
    assert_place(63, 1, 7, 0, 128, 128);
}

static void bundles_are_written_and_read(void **state)
{
    (void)state;
    struct byte_buffer bundle = bytes_buffer(TILE_BUNDLE_MAX);
    struct byte_view entries[TILE_WIDTH] = {0};
    static uint8_t large[TILE_ENTRY_MAX + 1];

    assert_int_equal(tile_append_entry(&bundle, text("abc")), STATUS_OK);
    assert_int_equal(tile_append_entry(&bundle, text("")), STATUS_OK);
    assert_int_equal(tile_append_entry(&bundle, bytes_view(large, TILE_ENTRY_MAX)), STATUS_OK);
    assert_int_equal(tile_append_entry(&bundle, bytes_view(large, sizeof large)), STATUS_TOO_LARGE);
    assert_int_equal(bundle.status, STATUS_OK);
    assert_int_equal(bundle.size, 2 + 3 + 2 + 2 + TILE_ENTRY_MAX);

    struct byte_view whole = bytes_buffer_view(&bundle);
    assert_int_equal(tile_parse_bundle(whole, 2, entries), STATUS_BAD_FORMAT);
    assert_int_equal(tile_parse_bundle(whole, 4, entries), STATUS_BAD_FORMAT);
    whole.size--;
    assert_int_equal(tile_parse_bundle(whole, 3, entries), STATUS_BAD_FORMAT);
    assert_null(entries[0].data);
    whole.size++;
    assert_int_equal(tile_parse_bundle(whole, 3, entries), STATUS_OK);
    assert_true(bytes_equal(entries[0], text("abc")));
    assert_int_equal(entries[1].size, 0);
    assert_int_equal(entries[2].size, TILE_ENTRY_MAX);
    bytes_buffer_free(&bundle);
}

static void a_known_bundle_hashes_to_its_tile(void **state)
{
    (void)state;
    struct byte_buffer bundle = support_read_file(TEST_VECTORS "/tlog/growing/tile/entries/000.p/15");
    struct byte_buffer tile = support_read_file(TEST_VECTORS "/tlog/growing/tile/0/000.p/15");
    struct byte_view entries[TILE_WIDTH];

    assert_int_equal(tile.size, 15 * DIGEST_SIZE);
    assert_int_equal(tile_parse_bundle(bytes_buffer_view(&bundle), 15, entries), STATUS_OK);
    for (size_t i = 0; i < 15; i++) {
        struct digest leaf = merkle_leaf(entries[i]);
        assert_memory_equal(leaf.bytes, tile.data + i * DIGEST_SIZE, DIGEST_SIZE);
    }
    bytes_buffer_free(&bundle);
    bytes_buffer_free(&tile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_written_and_read),   cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(widths_follow_the_size),       cmocka_unit_test(hashes_have_their_places),
        cmocka_unit_test(bundles_are_written_and_read), cmocka_unit_test(a_known_bundle_hashes_to_its_tile),
    };
    return cmocka_run_group_tests_name("tile", tests, NULL, NULL);
}
