#include "tests/support/support.h"

#include <string.h>

#include "proto/log_proof.h"

#define LOG_VKEY "broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define FIRST    "c2sp.org/tlog-proof@v1\n"

static struct byte_buffer golden; /* the checkpoint of entries a, b, c */
static struct digest leaves[3];
static struct note_key *log_key;

static int open_golden(void **state)
{
    (void)state;
    golden = support_read_file(TEST_VECTORS "/tlog/three-entries.checkpoint");
    for (size_t i = 0; i < 3; i++)
        leaves[i] = merkle_leaf(bytes_view(&"abc"[i], 1));
    return note_key_parse(bytes_of_string(LOG_VKEY), &log_key) == STATUS_OK ? 0 : -1;
}

static int close_golden(void **state)
{
    (void)state;
    bytes_buffer_free(&golden);
    note_key_free(&log_key);
    return 0;
}

static struct log_proof proof_of(size_t index)
{
    struct log_proof proof = {.index = index, .checkpoint = bytes_buffer_view(&golden)};

    merkle_path(leaves, 3, index, proof.path, &proof.path_length);
    return proof;
}

static void proofs_are_written_read_and_verified(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct checkpoint checkpoint;
    struct note note;

    for (size_t i = 0; i < 3; i++) {
        static struct log_proof proof;
        static struct log_proof parsed;
        proof = proof_of(i);
        proof.extra_size = i == 1 ? 0 : i == 0 ? 1 : LOG_PROOF_EXTRA_MAX;
        memset(proof.extra, 0x5a, proof.extra_size);
        bytes_buffer_clear(&text);
        assert_int_equal(log_proof_format(&proof, &text), STATUS_OK);
        assert_int_equal(log_proof_parse(bytes_buffer_view(&text), &parsed), STATUS_OK);
        assert_true(parsed.index == i);
        assert_int_equal(parsed.extra_size, proof.extra_size);
        assert_memory_equal(parsed.extra, proof.extra, proof.extra_size);
        assert_true(bytes_equal(parsed.checkpoint, proof.checkpoint));
        assert_int_equal(log_proof_verify(&parsed, &leaves[i], log_key, &note, &checkpoint), STATUS_OK);
        assert_int_equal(checkpoint.size, 3);
        assert_int_equal(note.signature_count, 2);
        assert_int_equal(log_proof_verify(&parsed, &leaves[(i + 1) % 3], log_key, NULL, &checkpoint),
                         STATUS_BAD_PROOF);
        parsed.path[0].bytes[0] ^= 1;
        assert_int_equal(log_proof_verify(&parsed, &leaves[i], log_key, NULL, &checkpoint), STATUS_BAD_PROOF);
    }
    bytes_buffer_free(&text);
}

static void the_text_is_the_formats(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct byte_buffer expected = bytes_buffer(LOG_PROOF_SIZE_MAX);
    static struct log_proof proof;

    proof = proof_of(2);
    proof.extra_size = 3;
    memcpy(proof.extra, "abc", 3);
    assert_int_equal(log_proof_format(&proof, &text), STATUS_OK);
    struct digest sibling = merkle_node(&leaves[0], &leaves[1]);
    char base64[45];
    bytes_to_base64(sibling.bytes, DIGEST_SIZE, base64);
    bytes_append_format(&expected, FIRST "extra YWJj\nindex 2\n%s\n\n", base64);
    bytes_append_view(&expected, bytes_buffer_view(&golden));
    assert_true(bytes_equal(bytes_buffer_view(&text), bytes_buffer_view(&expected)));
    bytes_buffer_free(&text);
    bytes_buffer_free(&expected);
}

#define HASH "NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"

static void malformed_proofs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head; /* the golden checkpoint follows */
        enum status status;
    } bad[] = {
        {"", STATUS_BAD_FORMAT},
        {FIRST, STATUS_BAD_FORMAT},
        {"c2sp.org/tlog-proof@v2\nindex 2\n" HASH "\n", STATUS_BAD_FORMAT},
        {"index 2\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index 02\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index -1\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index 18446744073709551618\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "extra \nindex 2\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "extra YWJ\nindex 2\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "extra YWJj\nextra YWJj\nindex 2\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index 2\nextra YWJj\n" HASH "\n", STATUS_BAD_FORMAT},
        {FIRST "index 2\n" HASH, STATUS_BAD_FORMAT},
        {FIRST "index 2\nNmQ=\n\n", STATUS_BAD_FORMAT},
        {FIRST "index 2\n" HASH "\n\n", STATUS_BAD_FORMAT},
        {FIRST "index 2\n\n", STATUS_BAD_PROOF},
        {FIRST "index 2\n" HASH HASH "\n", STATUS_BAD_PROOF},
        {FIRST "index 0\n" HASH "\n", STATUS_BAD_PROOF},
        {FIRST "index 3\n" HASH "\n", STATUS_BAD_PROOF},
    };
    struct byte_buffer text = bytes_buffer(LOG_PROOF_SIZE_MAX);
    static struct log_proof proof = {.index = 77};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bytes_buffer_clear(&text);
        bytes_append_string(&text, bad[i].head);
        bytes_append_view(&text, bytes_buffer_view(&golden));
        enum status status = log_proof_parse(bytes_buffer_view(&text), &proof);
        if (status != bad[i].status)
            fail_msg("proof %zu: %s", i, status_text(status));
        assert_true(proof.index == 77);
    }
    bytes_buffer_clear(&text);
    bytes_append_string(&text, FIRST "index 2\n" HASH "\n");
    assert_int_equal(log_proof_parse(bytes_buffer_view(&text), &proof), STATUS_BAD_FORMAT);

    bytes_buffer_clear(&text);
    bytes_append_string(&text, FIRST "index 2\n");
    for (size_t i = 0; i <= MERKLE_PATH_MAX; i++)
        bytes_append_string(&text, HASH);
    bytes_append_string(&text, "\n");
    bytes_append_view(&text, bytes_buffer_view(&golden));
    assert_int_equal(log_proof_parse(bytes_buffer_view(&text), &proof), STATUS_BAD_FORMAT);
    bytes_buffer_free(&text);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
    (void)state;
    struct byte_buffer text = bytes_buffer(LOG_PROOF_SIZE_MAX);
    static struct log_proof proof;

    proof = proof_of(2);
    proof.path_length++;
    assert_int_equal(log_proof_format(&proof, &text), STATUS_BAD_ARGUMENT);
    proof = proof_of(2);
    proof.index = 3;
    assert_int_equal(log_proof_format(&proof, &text), STATUS_BAD_ARGUMENT);
    proof = proof_of(2);
    proof.extra_size = LOG_PROOF_EXTRA_MAX + 1;
    assert_int_equal(log_proof_format(&proof, &text), STATUS_BAD_ARGUMENT);
    proof = proof_of(2);
    proof.checkpoint.size--;
    assert_int_equal(log_proof_format(&proof, &text), STATUS_BAD_ARGUMENT);
    assert_int_equal(text.size, 0);
    bytes_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_are_written_read_and_verified),
        cmocka_unit_test(the_text_is_the_formats),
        cmocka_unit_test(malformed_proofs_are_refused),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
    };
    return cmocka_run_group_tests_name("log_proof", tests, open_golden, close_golden);
}
