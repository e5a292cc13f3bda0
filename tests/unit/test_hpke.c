#include "tests/support/support.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/hpke.h"

#define MESSAGES 3

/* One case of vectors/hpke/base.txt. */
struct answer {
    unsigned aead;
    struct byte_buffer info, ikm_sender, private_sender, ikm_recipient, private_recipient, public_recipient;
    struct byte_buffer enc, shared_secret, key, base_nonce, plaintext;
    struct byte_buffer aad[MESSAGES], ciphertext[MESSAGES];
};

static struct answer answers[2];

static struct byte_buffer from_hex(const char *text)
{
    uint8_t bytes[256];
    struct byte_buffer buffer = bytes_buffer(sizeof bytes);
    size_t size = strlen(text) / 2;

    assert_true(size <= sizeof bytes);
    assert_int_equal(bytes_from_hex(text, bytes, size), STATUS_OK);
    bytes_append(&buffer, bytes, size);
    return buffer;
}

static struct byte_buffer *field_of(struct answer *answer, const char *name)
{
    const struct {
        const char *name;
        struct byte_buffer *field;
    } fields[] = {
        {"info", &answer->info},
        {"ikmE", &answer->ikm_sender},
        {"skEm", &answer->private_sender},
        {"ikmR", &answer->ikm_recipient},
        {"skRm", &answer->private_recipient},
        {"pkRm", &answer->public_recipient},
        {"enc", &answer->enc},
        {"shared_secret", &answer->shared_secret},
        {"key", &answer->key},
        {"base_nonce", &answer->base_nonce},
        {"pt", &answer->plaintext},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(name, fields[i].name) == 0)
            return fields[i].field;
    }
    fail_msg("unknown field %s", name);
    return NULL;
}

static int read_answers(void **state)
{
    (void)state;
    struct byte_buffer file = support_read_file(TEST_VECTORS "/hpke/base.txt");
    size_t count = 0;

    bytes_append_u8(&file, 0);
    char *rest = (char *)file.data;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        const char *name = strsep(&line, " ");
        const char *value = strsep(&line, " ");
        if (strcmp(name, "aead") == 0) {
            assert_true(count < 2);
            answers[count++].aead = (unsigned)strtoul(value, NULL, 16);
        } else if (strcmp(name, "sealed") == 0) {
            size_t sequence = (size_t)strtoul(value, NULL, 10);
            assert_true(sequence < MESSAGES);
            answers[count - 1].aad[sequence] = from_hex(strsep(&line, " "));
            answers[count - 1].ciphertext[sequence] = from_hex(line);
        } else {
            *field_of(&answers[count - 1], name) = from_hex(value);
        }
    }
    assert_int_equal(count, 2);
    bytes_buffer_free(&file);
    return 0;
}

static int free_answers(void **state)
{
    (void)state;
    static const char *const names[] = {"info", "ikmE",          "skEm", "ikmR",       "skRm", "pkRm",
                                        "enc",  "shared_secret", "key",  "base_nonce", "pt"};

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            bytes_buffer_free(field_of(&answers[i], names[j]));
        for (size_t j = 0; j < MESSAGES; j++) {
            bytes_buffer_free(&answers[i].aad[j]);
            bytes_buffer_free(&answers[i].ciphertext[j]);
        }
    }
    return 0;
}

static void assert_bytes(const struct byte_buffer *expected, const void *data, size_t size)
{
    assert_int_equal(expected->size, size);
    assert_memory_equal(expected->data, data, size);
}

static void keys_derive_as_in_the_rfc(void **state)
{
    (void)state;
    struct answer *answer = &answers[0];
    uint8_t raw[X25519_KEY_SIZE];
    struct x25519_private *recipient = NULL;

    hpke_schedule_derive_key(bytes_buffer_view(&answer->ikm_sender), raw);
    assert_bytes(&answer->private_sender, raw, sizeof raw);
    hpke_schedule_derive_key(bytes_buffer_view(&answer->ikm_recipient), raw);
    assert_bytes(&answer->private_recipient, raw, sizeof raw);
    assert_int_equal(x25519_private(raw, &recipient), STATUS_OK);
    assert_bytes(&answer->public_recipient, x25519_public_of(recipient), X25519_KEY_SIZE);
    x25519_private_free(&recipient);
}

/* Both ways of A.1.1, step by step: it uses AES-128-GCM, which only these inner parts can be told. */
static void every_step_of_the_rfc_case_comes_out(void **state)
{
    (void)state;
    struct answer *answer = &answers[0];
    struct x25519_private *sender = NULL;
    struct x25519_private *recipient = NULL;
    struct x25519_public *enc = NULL;
    struct x25519_public *recipient_public = NULL;
    struct hpke_schedule schedule;
    struct hpke_aead *aead = NULL;
    uint8_t secret[HPKE_SECRET_SIZE];

    assert_int_equal(answer->aead, HPKE_AES_128_GCM);
    assert_int_equal(x25519_private(answer->private_sender.data, &sender), STATUS_OK);
    assert_int_equal(x25519_private(answer->private_recipient.data, &recipient), STATUS_OK);
    assert_int_equal(x25519_public(answer->enc.data, &enc), STATUS_OK);
    assert_int_equal(x25519_public(answer->public_recipient.data, &recipient_public), STATUS_OK);
    assert_bytes(&answer->enc, x25519_public_of(sender), X25519_KEY_SIZE);

    assert_int_equal(hpke_schedule_shared_secret(sender, recipient_public, answer->enc.data,
                                                 answer->public_recipient.data, secret),
                     STATUS_OK);
    assert_bytes(&answer->shared_secret, secret, sizeof secret);
    memset(secret, 0, sizeof secret);
    assert_int_equal(
        hpke_schedule_shared_secret(recipient, enc, answer->enc.data, answer->public_recipient.data, secret),
        STATUS_OK);
    assert_bytes(&answer->shared_secret, secret, sizeof secret);

    hpke_schedule_run(HPKE_AES_128_GCM, secret, bytes_buffer_view(&answer->info), &schedule);
    assert_bytes(&answer->key, schedule.key, hpke_schedule_key_size(HPKE_AES_128_GCM));
    assert_bytes(&answer->base_nonce, schedule.base_nonce, sizeof schedule.base_nonce);

    assert_int_equal(hpke_aead_start(&schedule, &aead), STATUS_OK);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct byte_buffer sealed = bytes_buffer(256);
        struct byte_buffer opened = bytes_buffer(256);
        struct byte_view aad = bytes_buffer_view(&answer->aad[i]);
        assert_int_equal(hpke_aead_seal(aead, i, aad, bytes_buffer_view(&answer->plaintext), &sealed),
                         STATUS_OK);
        assert_bytes(&answer->ciphertext[i], sealed.data, sealed.size);
        assert_int_equal(hpke_aead_open(aead, i, aad, bytes_buffer_view(&sealed), &opened), STATUS_OK);
        assert_bytes(&answer->plaintext, opened.data, opened.size);
        bytes_buffer_free(&sealed);
        bytes_buffer_free(&opened);
    }
    hpke_aead_free(&aead);
    x25519_private_free(&sender);
    x25519_private_free(&recipient);
    x25519_public_free(&enc);
    x25519_public_free(&recipient_public);
}

/* A source that gives the same bytes once. */
static enum status give_prepared(void *context, void *out, size_t size)
{
    struct byte_reader *reader = context;

    bytes_read_into(reader, out, size);
    return reader->failed ? STATUS_CRYPTO : STATUS_OK;
}

/* The public functions, given the ephemeral key's keying material as their randomness. */
static void the_aes_256_case_comes_out(void **state)
{
    (void)state;
    struct answer *answer = &answers[1];
    struct byte_reader prepared = bytes_reader(bytes_buffer_view(&answer->ikm_sender));
    const struct random_source random = {give_prepared, &prepared};
    struct byte_view info = bytes_buffer_view(&answer->info);
    struct x25519_private *own = NULL;
    struct x25519_public *peer = NULL;
    struct hpke_sender *sender = NULL;
    struct hpke_receiver *receiver = NULL;
    uint8_t enc[HPKE_ENC_SIZE];

    assert_int_equal(answer->aead, HPKE_AES_256_GCM);
    assert_int_equal(x25519_private(answer->private_recipient.data, &own), STATUS_OK);
    assert_int_equal(x25519_public(x25519_public_of(own), &peer), STATUS_OK);
    assert_int_equal(hpke_sender_start(peer, info, &random, &sender, enc), STATUS_OK);
    assert_bytes(&answer->enc, enc, sizeof enc);
    assert_int_equal(hpke_receiver_start(own, enc, info, &receiver), STATUS_OK);
    for (size_t i = 0; i < MESSAGES; i++) {
        struct byte_buffer sealed = bytes_buffer(256);
        uint64_t sequence = 99;
        assert_int_equal(hpke_seal(sender, bytes_buffer_view(&answer->aad[i]),
                                   bytes_buffer_view(&answer->plaintext), &sealed, &sequence),
                         STATUS_OK);
        assert_int_equal(sequence, i);
        assert_bytes(&answer->ciphertext[i], sealed.data, sealed.size);
        bytes_buffer_free(&sealed);
    }
    for (size_t i = MESSAGES; i-- > 0;) { /* in any order */
        struct byte_buffer opened = bytes_buffer(256);
        assert_int_equal(hpke_open_at(receiver, i, bytes_buffer_view(&answer->aad[i]),
                                      bytes_buffer_view(&answer->ciphertext[i]), &opened),
                         STATUS_OK);
        assert_bytes(&answer->plaintext, opened.data, opened.size);
        bytes_buffer_free(&opened);
    }
    hpke_sender_free(&sender);
    hpke_receiver_free(&receiver);
    x25519_private_free(&own);
    x25519_public_free(&peer);
}

/* One recipient, one message sealed to it under number 2, and every way to open it. */
struct sealing {
    struct x25519_private *own;
    struct x25519_public *peer;
    struct hpke_sender *sender;
    struct hpke_receiver *receiver;
    uint8_t enc[HPKE_ENC_SIZE];
    uint8_t aad[20];
    struct byte_buffer ciphertext;
    uint64_t sequence;
};

static const char info_text[] = "concordat/section/v1";
static const char message[] = "what nobody else reads";

static struct byte_view info_view(void)
{
    return bytes_of_string(info_text);
}

static int start_sealing(void **state)
{
    static struct sealing sealing;
    struct byte_buffer ignored = bytes_buffer(64);

    sealing = (struct sealing){.aad = "associated data 0123", .ciphertext = bytes_buffer(256)};
    assert_int_equal(x25519_generate(random_system(), &sealing.own), STATUS_OK);
    assert_int_equal(x25519_public(x25519_public_of(sealing.own), &sealing.peer), STATUS_OK);
    assert_int_equal(
        hpke_sender_start(sealing.peer, info_view(), random_system(), &sealing.sender, sealing.enc),
        STATUS_OK);
    assert_int_equal(hpke_receiver_start(sealing.own, sealing.enc, info_view(), &sealing.receiver),
                     STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            hpke_seal(sealing.sender, bytes_view(NULL, 0), bytes_view(NULL, 0), &ignored, &sealing.sequence),
            STATUS_OK);
    assert_int_equal(hpke_seal(sealing.sender, bytes_view(sealing.aad, sizeof sealing.aad),
                               bytes_of_string(message), &sealing.ciphertext, &sealing.sequence),
                     STATUS_OK);
    assert_int_equal(sealing.sequence, 2);
    assert_int_equal(sealing.ciphertext.size, strlen(message) + HPKE_TAG_SIZE);
    bytes_buffer_free(&ignored);
    *state = &sealing;
    return 0;
}

static int end_sealing(void **state)
{
    struct sealing *sealing = *state;

    hpke_sender_free(&sealing->sender);
    hpke_receiver_free(&sealing->receiver);
    hpke_sender_free(&sealing->sender); /* nothing is left to free */
    hpke_receiver_free(&sealing->receiver);
    x25519_private_free(&sealing->own);
    x25519_public_free(&sealing->peer);
    bytes_buffer_free(&sealing->ciphertext);
    return 0;
}

/* Opens with a fresh receiver; what a refusal leaves in the buffer must be nothing. */
static enum status open_it(const struct sealing *sealing, const uint8_t enc[static HPKE_ENC_SIZE],
                           struct byte_view info)
{
    struct hpke_receiver *receiver = NULL;
    struct byte_buffer opened = bytes_buffer(256);
    enum status status = hpke_receiver_start(sealing->own, enc, info, &receiver);

    if (status == STATUS_OK) {
        status = hpke_open_at(receiver, sealing->sequence, bytes_view(sealing->aad, sizeof sealing->aad),
                              bytes_buffer_view(&sealing->ciphertext), &opened);
    }
    assert_int_equal(opened.size, status == STATUS_OK ? strlen(message) : 0);
    hpke_receiver_free(&receiver);
    bytes_buffer_free(&opened);
    return status;
}

static enum status open_at(const struct sealing *sealing, uint64_t sequence, struct byte_view aad,
                           struct byte_view ciphertext)
{
    struct byte_buffer opened = bytes_buffer(256);

    bytes_append_string(&opened, "before ");
    enum status status = hpke_open_at(sealing->receiver, sequence, aad, ciphertext, &opened);
    if (status == STATUS_OK) {
        assert_int_equal(opened.size, 7 + strlen(message));
        assert_memory_equal(opened.data, "before what nobody else reads", opened.size);
    } else {
        static const uint8_t zeros[sizeof message];
        assert_int_equal(opened.size, 7);
        if (ciphertext.size > HPKE_TAG_SIZE) /* the rejected plaintext was there, and was wiped */
            assert_memory_equal(opened.data + 7, zeros, ciphertext.size - HPKE_TAG_SIZE);
    }
    bytes_buffer_free(&opened);
    return status;
}

static void every_changed_bit_is_refused(void **state)
{
    struct sealing *sealing = *state;
    struct byte_view aad = bytes_view(sealing->aad, sizeof sealing->aad);
    struct byte_view ciphertext = bytes_buffer_view(&sealing->ciphertext);
    char info[sizeof info_text];

    memcpy(info, info_text, sizeof info);
    assert_int_equal(open_at(sealing, sealing->sequence, aad, ciphertext), STATUS_OK);
    for (size_t bit = 0; bit < 8 * aad.size; bit++) {
        sealing->aad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_at(sealing, sealing->sequence, aad, ciphertext), STATUS_BAD_SEAL);
        sealing->aad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * ciphertext.size; bit++) {
        sealing->ciphertext.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_at(sealing, sealing->sequence, aad, ciphertext), STATUS_BAD_SEAL);
        sealing->ciphertext.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 64; bit++)
        assert_int_equal(open_at(sealing, sealing->sequence ^ UINT64_C(1) << bit, aad, ciphertext),
                         STATUS_BAD_SEAL);
    for (size_t bit = 0; bit < 8 * (sizeof sealing->enc); bit++) {
        sealing->enc[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_it(sealing, sealing->enc, info_view()), STATUS_BAD_SEAL);
        sealing->enc[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * strlen(info_text); bit++) {
        info[bit / 8] = (char)(info[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(open_it(sealing, sealing->enc, bytes_view(info, strlen(info_text))),
                         STATUS_BAD_SEAL);
        info[bit / 8] = (char)(info[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(open_it(sealing, sealing->enc, info_view()), STATUS_OK);
    assert_int_equal(ERR_peek_error(), 0);
}

static void every_cut_is_refused(void **state)
{
    struct sealing *sealing = *state;
    struct byte_view aad = bytes_view(sealing->aad, sizeof sealing->aad);

    for (size_t size = 0; size < sealing->ciphertext.size; size++)
        assert_int_equal(open_at(sealing, sealing->sequence, aad, bytes_view(sealing->ciphertext.data, size)),
                         STATUS_BAD_SEAL);
    for (size_t size = 0; size < aad.size; size++)
        assert_int_equal(open_at(sealing, sealing->sequence, bytes_view(aad.data, size),
                                 bytes_buffer_view(&sealing->ciphertext)),
                         STATUS_BAD_SEAL);
}

static void another_recipient_cannot_open(void **state)
{
    struct sealing *sealing = *state;
    struct x25519_private *own = sealing->own;

    assert_int_equal(x25519_generate(random_system(), &sealing->own), STATUS_OK);
    assert_int_equal(open_it(sealing, sealing->enc, info_view()), STATUS_BAD_SEAL);
    x25519_private_free(&sealing->own);
    sealing->own = own;
}

static void small_order_keys_are_refused(void **state)
{
    struct sealing *sealing = *state;
    static const uint8_t one[X25519_KEY_SIZE] = {1};
    struct x25519_public *small = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE] = {0xee};

    assert_int_equal(x25519_public(one, &small), STATUS_OK);
    assert_int_equal(hpke_sender_start(small, info_view(), random_system(), &sender, enc),
                     STATUS_BAD_ARGUMENT);
    assert_null(sender);
    assert_int_equal(enc[0], 0xee);
    assert_int_equal(open_it(sealing, one, info_view()), STATUS_BAD_SEAL);
    assert_int_equal(ERR_peek_error(), 0);
    x25519_public_free(&small);
}

static void no_sender_starts_without_randomness(void **state)
{
    struct sealing *sealing = *state;
    struct byte_reader too_short = bytes_reader(bytes_of_string("thirty-one bytes are not enough"));
    const struct random_source random = {give_prepared, &too_short};
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE];

    assert_int_equal(hpke_sender_start(sealing->peer, info_view(), &random, &sender, enc), STATUS_CRYPTO);
    assert_null(sender);
}

static void two_senders_never_share_a_key(void **state)
{
    struct sealing *sealing = *state;
    struct hpke_sender *other = NULL;
    uint8_t enc[HPKE_ENC_SIZE];

    assert_int_equal(hpke_sender_start(sealing->peer, info_view(), random_system(), &other, enc), STATUS_OK);
    assert_memory_not_equal(enc, sealing->enc, sizeof enc);
    hpke_sender_free(&other);
}

static void a_failed_seal_uses_its_number_up(void **state)
{
    struct sealing *sealing = *state;
    struct byte_buffer small = bytes_buffer(HPKE_TAG_SIZE + 3);
    uint64_t sequence = 99;

    assert_int_equal(
        hpke_seal(sealing->sender, bytes_view(NULL, 0), bytes_of_string("four"), &small, &sequence),
        STATUS_TOO_LARGE);
    assert_int_equal(small.size, 0);
    assert_int_equal(sequence, 99);
    bytes_buffer_clear(&small);
    assert_int_equal(
        hpke_seal(sealing->sender, bytes_view(NULL, 0), bytes_of_string("abc"), &small, &sequence),
        STATUS_OK);
    assert_int_equal(sequence, 4);
    bytes_buffer_free(&small);
}

static void a_sender_stops_at_its_bound(void **state)
{
    struct sealing *sealing = *state;
    struct byte_buffer sealed = bytes_buffer(64);
    struct byte_buffer opened = bytes_buffer(64);
    uint64_t sequence = 0;

    for (uint64_t i = sealing->sequence + 1; i < HPKE_MOST_SEALS; i++) {
        bytes_buffer_clear(&sealed);
        assert_int_equal(
            hpke_seal(sealing->sender, bytes_view(NULL, 0), bytes_of_string("last"), &sealed, &sequence),
            STATUS_OK);
        assert_int_equal(sequence, i);
    }
    assert_int_equal(hpke_open_at(sealing->receiver, HPKE_MOST_SEALS - 1, bytes_view(NULL, 0),
                                  bytes_buffer_view(&sealed), &opened),
                     STATUS_OK);
    bytes_buffer_clear(&sealed);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            hpke_seal(sealing->sender, bytes_view(NULL, 0), bytes_of_string("more"), &sealed, &sequence),
            STATUS_EXPIRED);
    assert_int_equal(sealed.size, 0);
    assert_int_equal(sequence, HPKE_MOST_SEALS - 1);
    bytes_buffer_free(&sealed);
    bytes_buffer_free(&opened);
}

static void nothing_can_be_sealed_too(void **state)
{
    struct sealing *sealing = *state;
    struct byte_buffer sealed = bytes_buffer(64);
    struct byte_buffer opened = bytes_buffer(64);
    uint64_t sequence = 0;

    assert_int_equal(hpke_seal(sealing->sender, bytes_view(NULL, 0), bytes_view(NULL, 0), &sealed, &sequence),
                     STATUS_OK);
    assert_int_equal(sealed.size, HPKE_TAG_SIZE);
    assert_int_equal(
        hpke_open_at(sealing->receiver, sequence, bytes_view(NULL, 0), bytes_buffer_view(&sealed), &opened),
        STATUS_OK);
    assert_int_equal(opened.size, 0);
    sealed.data[0] ^= 1;
    assert_int_equal(
        hpke_open_at(sealing->receiver, sequence, bytes_view(NULL, 0), bytes_buffer_view(&sealed), &opened),
        STATUS_BAD_SEAL);
    bytes_buffer_free(&sealed);
    bytes_buffer_free(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_derive_as_in_the_rfc),
        cmocka_unit_test(every_step_of_the_rfc_case_comes_out),
        cmocka_unit_test(the_aes_256_case_comes_out),
        cmocka_unit_test_setup_teardown(every_changed_bit_is_refused, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(every_cut_is_refused, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(another_recipient_cannot_open, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(small_order_keys_are_refused, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(no_sender_starts_without_randomness, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(two_senders_never_share_a_key, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(a_failed_seal_uses_its_number_up, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(a_sender_stops_at_its_bound, start_sealing, end_sealing),
        cmocka_unit_test_setup_teardown(nothing_can_be_sealed_too, start_sealing, end_sealing),
    };
    return cmocka_run_group_tests_name("hpke", tests, read_answers, free_answers);
}
