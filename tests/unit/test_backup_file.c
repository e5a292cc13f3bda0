#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/backup_file.h"
#include "broker/backup_key.h"
#include "proto/hpke.h"

#define MADE INT64_C(1796115600000)

static const uint8_t secret[X25519_KEY_SIZE] = {1, 2, 3};
static struct x25519_private *own;
static struct x25519_public *key;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(x25519_private(secret, &own), STATUS_OK);
    return x25519_public(x25519_public_of(own), &key) == STATUS_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    x25519_private_free(&own);
    x25519_public_free(&key);
    return 0;
}

/* ---- in memory ---- */

static enum status write_memory(void *context, struct byte_view bytes)
{
    struct byte_buffer *out = context;

    bytes_append_view(out, bytes);
    return out->status;
}

struct reading {
    struct byte_view bytes;
    size_t used;
};

static enum status read_memory(void *context, uint8_t *bytes, size_t size, size_t *ret_size)
{
    struct reading *reading = context;
    size_t left = reading->bytes.size - reading->used;

    *ret_size = size < left ? size : left;
    if (*ret_size > 0)
        memcpy(bytes, reading->bytes.data + reading->used, *ret_size);
    reading->used += *ret_size;
    return STATUS_OK;
}

static uint8_t byte_of(size_t file, uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251 + file);
}

/* Files of these sizes, put in pieces. */
static struct byte_buffer make(const uint64_t *sizes, size_t count)
{
    struct byte_buffer out = bytes_buffer((size_t)64 << 20);
    const struct backup_sink sink = {write_memory, &out};
    struct backup_writer *writer = NULL;
    static uint8_t piece[300001];

    assert_int_equal(backup_writer_start(key, MADE, random_system(), &sink, &writer), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "file/%zu", i);
        assert_int_equal(backup_writer_file(writer, name, sizes[i]), STATUS_OK);
        for (uint64_t done = 0; done < sizes[i];) {
            size_t part = sizes[i] - done < sizeof piece ? (size_t)(sizes[i] - done) : sizeof piece;
            for (size_t k = 0; k < part; k++)
                piece[k] = byte_of(i, done + k);
            assert_int_equal(backup_writer_put(writer, bytes_view(piece, part)), STATUS_OK);
            done += part;
        }
    }
    assert_int_equal(backup_writer_end(writer), STATUS_OK);
    backup_writer_free(&writer);
    return out;
}

/* Reads all of it; STATUS_OK when it is whole. */
static enum status read_all(struct byte_view bytes, const uint64_t *sizes, size_t count)
{
    struct reading reading = {bytes, 0};
    const struct backup_source source = {read_memory, &reading};
    struct backup_reader *reader = NULL;
    struct backup_head head = {.made = 0};
    char name[BACKUP_FILE_NAME_MAX + 1];
    char expected[32];
    uint64_t size = 0;
    size_t i = 0;
    enum status status = backup_reader_start(own, &source, &head, &reader);

    while (status == STATUS_OK && (status = backup_reader_next(reader, name, &size)) == STATUS_OK) {
        struct byte_view got;
        uint64_t done = 0;
        assert_true(i < count && size == sizes[i]);
        snprintf(expected, sizeof expected, "file/%zu", i);
        assert_string_equal(name, expected);
        while ((status = backup_reader_get(reader, &got)) == STATUS_OK && got.size > 0) {
            for (size_t k = 0; k < got.size; k++)
                assert_int_equal(got.data[k], byte_of(i, done + k));
            done += got.size;
        }
        if (status == STATUS_OK)
            assert_int_equal(done, sizes[i]);
        i++;
    }
    backup_reader_free(&reader);
    if (status != STATUS_NOT_FOUND)
        return status;
    assert_int_equal(i, count);
    assert_int_equal(head.made, MADE);
    return STATUS_OK;
}

/* ---- stories ---- */

#define MIB ((uint64_t)1 << 20)

static void files_come_back(void **state)
{
    (void)state;
    /* What surrounds a file of 8 letters' name is 10 + 8 bytes, the end 2: to the edges of chunks and beyond.
     */
    static const uint64_t sizes[][3] = {{0, 0, 0},
                                        {1, 70000, 5},
                                        {MIB - 16 - 2, 0, 0},
                                        {MIB - 16 - 2 - 16 - 16, 0, 0},
                                        {MIB - 16, MIB, 1},
                                        {3 * MIB + 7, 0, 2 * MIB}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t count = 0; count <= 3; count++) {
            struct byte_buffer backup = make(sizes[i], count);
            assert_int_equal(read_all(bytes_buffer_view(&backup), sizes[i], count), STATUS_OK);
            bytes_buffer_free(&backup);
        }
    }
}

static void nothing_of_it_is_in_clear(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {5000};
    struct byte_buffer backup = make(sizes, 1);
    uint8_t piece[32];

    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = byte_of(0, 1000 + i);
    assert_null(memmem(backup.data, backup.size, piece, sizeof piece));
    assert_null(memmem(backup.data, backup.size, "file/0", 6));
    bytes_buffer_free(&backup);
}

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {2 * MIB + 100, 9};
    struct support_random random = support_seeded(7);
    struct byte_buffer backup = make(sizes, 2);

    for (size_t i = 0; i < 200; i++) {
        size_t at = i < BACKUP_FILE_HEAD ? i : (size_t)support_below(&random, (uint32_t)backup.size);
        uint8_t mask = (uint8_t)(1u << (i % 8));
        backup.data[at] ^= mask;
        enum status status = read_all(bytes_buffer_view(&backup), sizes, 2);
        if (status == STATUS_OK)
            fail_msg("byte %zu: not found", at);
        if (at >= BACKUP_FILE_HEAD)
            assert_true(status == STATUS_BAD_SEAL || status == STATUS_CORRUPT);
        backup.data[at] ^= mask;
    }
    assert_int_equal(read_all(bytes_buffer_view(&backup), sizes, 2), STATUS_OK);
    bytes_buffer_free(&backup);
}

static void every_end_but_its_own_is_found(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {2 * MIB + 100, 9};
    struct byte_buffer backup = make(sizes, 2);
    const size_t sealed = MIB + HPKE_TAG_SIZE;
    const size_t ends[] = {0,
                           1,
                           18,
                           19,
                           BACKUP_FILE_HEAD - 1,
                           BACKUP_FILE_HEAD,
                           BACKUP_FILE_HEAD + 1,
                           BACKUP_FILE_HEAD + HPKE_TAG_SIZE,
                           BACKUP_FILE_HEAD + sealed,
                           BACKUP_FILE_HEAD + sealed + 1,
                           BACKUP_FILE_HEAD + 2 * sealed,
                           backup.size - 1};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        enum status status = read_all(bytes_view(backup.data, ends[i]), sizes, 2);
        if (status != (ends[i] < 19 ? STATUS_BAD_FORMAT : STATUS_CORRUPT))
            fail_msg("cut off after %zu: %s", ends[i], status_text(status));
    }
    bytes_append_u8(&backup, 0);
    assert_int_equal(read_all(bytes_buffer_view(&backup), sizes, 2), STATUS_CORRUPT);
    bytes_buffer_free(&backup);
}

/* A whole chunk left out, or two changed round. */
static void chunks_keep_their_places(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {3 * MIB};
    const size_t sealed = MIB + HPKE_TAG_SIZE;
    struct byte_buffer backup = make(sizes, 1);
    uint8_t *first = backup.data + BACKUP_FILE_HEAD;
    uint8_t *other = malloc(backup.size);

    assert_non_null(other);
    memcpy(other, backup.data, backup.size);
    memmove(other + BACKUP_FILE_HEAD, first + sealed, backup.size - BACKUP_FILE_HEAD - sealed);
    assert_int_equal(read_all(bytes_view(other, backup.size - sealed), sizes, 1), STATUS_BAD_SEAL);
    memcpy(other, backup.data, backup.size);
    memcpy(other + BACKUP_FILE_HEAD, first + sealed, sealed);
    memcpy(other + BACKUP_FILE_HEAD + sealed, first, sealed);
    assert_int_equal(read_all(bytes_view(other, backup.size), sizes, 1), STATUS_BAD_SEAL);
    free(other);
    bytes_buffer_free(&backup);
}

static void another_key_opens_nothing(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {9};
    struct byte_buffer backup = make(sizes, 1);
    struct x25519_private *right = own;
    uint8_t id[BACKUP_FILE_KEY_ID];

    assert_int_equal(x25519_generate(random_system(), &own), STATUS_OK);
    assert_int_equal(read_all(bytes_buffer_view(&backup), sizes, 1), STATUS_UNKNOWN_KEY);
    /* Nor when it says that it is for that one. */
    backup_file_key_id(x25519_public_of(own), id);
    memcpy(backup.data + 19, id, sizeof id);
    assert_int_equal(read_all(bytes_buffer_view(&backup), sizes, 1), STATUS_CORRUPT);
    x25519_private_free(&own);
    own = right;
    bytes_buffer_free(&backup);
}

static void later_formats_are_told_apart(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {9};
    struct byte_buffer backup = make(sizes, 1);

    backup.data[17] = '2';
    assert_int_equal(read_all(bytes_buffer_view(&backup), sizes, 1), STATUS_NEWER);
    bytes_buffer_free(&backup);
}

/* ---- keys ---- */

static void keys_stand_in_two_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-backup-XXXXXX";
    char private_path[64];
    char public_path[64];
    struct x25519_private *private_key = NULL;
    struct x25519_public *public_key = NULL;
    struct stat found;

    assert_non_null(mkdtemp(folder));
    snprintf(private_path, sizeof private_path, "%s/private", folder);
    snprintf(public_path, sizeof public_path, "%s/public", folder);
    assert_int_equal(backup_key_make(private_path, public_path), STATUS_OK);
    assert_int_equal(stat(private_path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(backup_key_private(private_path, &private_key), STATUS_OK);
    assert_int_equal(backup_key_public(public_path, &public_key), STATUS_OK);
    assert_memory_equal(x25519_public_of(private_key), x25519_public_bytes(public_key), X25519_KEY_SIZE);
    x25519_private_free(&private_key);
    x25519_public_free(&public_key);
    assert_int_equal(backup_key_make(private_path, public_path), STATUS_EXISTS);
    assert_int_equal(backup_key_public(private_path, &public_key), STATUS_MISMATCH);
    assert_int_equal(chmod(public_path, 0600), 0);
    assert_int_equal(backup_key_private(public_path, &private_key), STATUS_MISMATCH);
    assert_int_equal(chmod(private_path, 0644), 0);
    assert_int_equal(backup_key_private(private_path, &private_key), STATUS_PERMISSION);
    assert_int_equal(unlink(private_path) | unlink(public_path) | rmdir(folder), 0);
}

static void keys_are_read_strictly(void **state)
{
    (void)state;
    static const char good[] =
        "concordat backup key 1\n000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    uint8_t got[X25519_KEY_SIZE];

    assert_int_equal(backup_key_parse(bytes_of_string(good), true, got), STATUS_OK);
    assert_int_equal(got[31], 31);
    for (size_t i = 0; i < sizeof good - 1; i++)
        assert_int_not_equal(backup_key_parse(bytes_view(good, i), true, got), STATUS_OK);
    assert_int_equal(backup_key_parse(bytes_view(good, sizeof good), true, got), STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(nothing_of_it_is_in_clear),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_end_but_its_own_is_found),
        cmocka_unit_test(chunks_keep_their_places),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(later_formats_are_told_apart),
        cmocka_unit_test(keys_stand_in_two_files),
        cmocka_unit_test(keys_are_read_strictly),
    };
    return cmocka_run_group_tests_name("backup_file", tests, set_up, tear_down);
}
