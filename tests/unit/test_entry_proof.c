#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "audit/disclosure.h"
#include "audit/proof_page.h"
#include "proto/entry_proof.h"

/* The corpus was made by another program (tests/peer/log.py) under a key of its own. */
#define CORPUS PROJECT_ROOT "/tests/fuzz/corpus/entry_proof/"
#define VKEY   "log.fuzz+34bea4e9+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"

static struct note_key *key;
static struct log_proof parsed;
static struct entry_proof_told told;

static int open_key(void **state)
{
    (void)state;
    return note_key_parse(bytes_of_string(VKEY), &key) == STATUS_OK ? 0 : -1;
}

static int close_key(void **state)
{
    (void)state;
    note_key_free(&key);
    return 0;
}

static enum status judge(struct byte_view file, struct entry_proof *proof)
{
    enum status status = entry_proof_read(file, &parsed, proof);

    return status == STATUS_OK ? entry_proof_verify(proof, &parsed, key, &told) : status;
}

static void a_proof_says_what_was_disclosed(void **state)
{
    struct byte_buffer file = support_read_file(CORPUS "disclosed");
    struct byte_buffer words = bytes_buffer(4096);
    struct entry_proof proof;

    (void)state;
    assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_OK);
    assert_int_equal(told.kind, RECORD_DISCLOSED);
    assert_int_equal(told.index, 0);
    assert_int_equal(told.checkpoint.size, 5);
    assert_true(told.has_personal);
    disclosure_text(&told, &words);
    bytes_append_u8(&words, 0);
    assert_non_null(strstr((const char *)words.data,
                           "prison.dovegate disclosed release.planned to police.staffordshire.\n"));
    assert_non_null(strstr((const char *)words.data, "Items: name, dob.\n"));
    assert_non_null(strstr((const char *)words.data, "01a230e2-984a-7000-8000-000000000001"));
    bytes_buffer_free(&words);
    bytes_buffer_free(&file);
}

static void what_is_held_back_is_not_told(void **state)
{
    struct byte_buffer file = support_read_file(CORPUS "without-person");
    struct byte_buffer words = bytes_buffer(4096);
    struct entry_proof proof;

    (void)state;
    assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_OK);
    assert_false(told.has_personal);
    disclosure_text(&told, &words);
    bytes_append_u8(&words, 0);
    assert_non_null(strstr((const char *)words.data, "is not shown"));
    assert_null(strstr((const char *)words.data, "01a230e2"));
    bytes_buffer_free(&words);
    bytes_buffer_free(&file);
}

/* Every bit but those of base64 that no byte uses, which are refused, too: there is one spelling. */
static void any_bit_altered_is_found(void **state)
{
    struct byte_buffer file = support_read_file(CORPUS "accepted");
    struct entry_proof proof;

    (void)state;
    for (size_t i = 0; i < 8 * file.size; i++) {
        file.data[i / 8] ^= (uint8_t)(1U << i % 8);
        if (judge(bytes_buffer_view(&file), &proof) == STATUS_OK)
            fail_msg("bit %zu of byte %zu was altered", i % 8, i / 8);
        file.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t size = 0; size < file.size; size++)
        assert_int_not_equal(judge(bytes_view(file.data, size), &proof), STATUS_OK);
    assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_OK);
    bytes_buffer_free(&file);
}

static void another_key_proves_nothing(void **state)
{
    struct byte_buffer file = support_read_file(CORPUS "disclosed");
    struct note_key *own = key;
    struct entry_proof proof;

    (void)state;
    assert_int_equal(
        note_key_parse(
            bytes_of_string("broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"),
            &key),
        STATUS_OK);
    assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_MISMATCH);
    note_key_free(&key);
    key = own;
    bytes_buffer_free(&file);
}

static void the_file_is_written_as_it_was_read(void **state)
{
    struct byte_buffer file = support_read_file(CORPUS "refused");
    struct byte_buffer bare = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct byte_buffer again = bytes_buffer(ENTRY_PROOF_SIZE_MAX);
    static struct log_proof log;
    struct entry_proof proof;

    (void)state;
    assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_OK);
    log = parsed;
    log.extra_size = 0;
    assert_int_equal(log_proof_format(&log, &bare), STATUS_OK);
    assert_int_equal(entry_proof_write(&proof, bytes_buffer_view(&bare), &again), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&again), bytes_buffer_view(&file)));
    bytes_buffer_clear(&again);
    static uint8_t large[LOG_PROOF_EXTRA_MAX];
    proof.personal = bytes_view(large, sizeof large);
    assert_int_equal(entry_proof_write(&proof, bytes_buffer_view(&bare), &again), STATUS_TOO_LARGE);
    bytes_buffer_free(&again);
    bytes_buffer_free(&bare);
    bytes_buffer_free(&file);
}

/* A checkpoint may hold lines that are no data; nothing of them may be run by whoever follows the page. */
static void the_page_holds_nothing_but_data(void **state)
{
    static const char *const names[] = {"disclosed", "accepted", "refused", "count", "without-person"};
    struct entry_proof proof;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        struct byte_buffer page = bytes_buffer((size_t)1 << 20);
        (void)snprintf(path, sizeof path, CORPUS "%s", names[i]);
        struct byte_buffer file = support_read_file(path);
        assert_int_equal(judge(bytes_buffer_view(&file), &proof), STATUS_OK);
        assert_int_equal(proof_page_write(&proof, &parsed, &told, key, PROOF_PAGE_TEXT, &page), STATUS_OK);
        bytes_append_u8(&page, 0);
        const char *commands = strstr((const char *)page.data, "---- commands ----");
        assert_non_null(commands);
        assert_null(strstr(commands, "log.fuzz\n"));
        assert_non_null(strstr(commands, "openssl pkeyutl -verify"));
        bytes_buffer_free(&page);
        bytes_buffer_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proof_says_what_was_disclosed),
        cmocka_unit_test(what_is_held_back_is_not_told),
        cmocka_unit_test(any_bit_altered_is_found),
        cmocka_unit_test(another_key_proves_nothing),
        cmocka_unit_test(the_file_is_written_as_it_was_read),
        cmocka_unit_test(the_page_holds_nothing_but_data),
    };

    return cmocka_run_group_tests(tests, open_key, close_key);
}
