#include "tests/support/support.h"

#include <string.h>

#include "certs/epochs.h"
#include "proto/wire_codec.h"

static const uint8_t key[PSEUDONYM_KEY_SIZE] = "0123456789abcdef0123456789abcde";
static char member[] = "prison.dovegate";

struct sealed {
    struct x25519_private *own;
    struct epochs_sealed bytes;
    uint8_t id[CERTIFICATE_KEY_ID_SIZE];
    Wire__SealedKey message;
};

static void seal(struct sealed *sealed, uint32_t epoch)
{
    *sealed = (struct sealed){.message = WIRE__SEALED_KEY__INIT};
    assert_int_equal(x25519_generate(random_system(), &sealed->own), STATUS_OK);
    const uint8_t *public = x25519_public_of(sealed->own);
    assert_int_equal(epochs_seal(epoch, key, member, public, &sealed->bytes), STATUS_OK);
    certificate_key_id(public, sealed->id);
    sealed->message.member = member;
    sealed->message.key = wire_data(bytes_view(sealed->id, sizeof sealed->id));
    sealed->message.enc = wire_data(bytes_view(sealed->bytes.enc, sizeof sealed->bytes.enc));
    sealed->message.sealed = wire_data(bytes_view(sealed->bytes.sealed, sizeof sealed->bytes.sealed));
}

static void what_is_sealed_opens(void **state)
{
    (void)state;
    struct sealed sealed;
    uint8_t opened[PSEUDONYM_KEY_SIZE];

    seal(&sealed, 7);
    assert_int_equal(epochs_open(7, &sealed.message, sealed.own, opened), STATUS_OK);
    assert_memory_equal(opened, key, sizeof opened);
    x25519_private_free(&sealed.own);
}

/* The format, put together here by hand: what others must implement. */
static void the_format_is_the_documented_one(void **state)
{
    (void)state;
    struct sealed sealed;
    struct hpke_receiver *receiver = NULL;
    struct byte_buffer aad = bytes_buffer(256);
    struct byte_buffer opened = bytes_buffer(256);

    seal(&sealed, 258);
    bytes_append(&aad, "\0\0\0\4\0\0\1\2", 8);
    bytes_append(&aad, "\0\0\0\17prison.dovegate", 4 + 15);
    bytes_append(&aad, "\0\0\0\20", 4);
    bytes_append(&aad, sealed.id, sizeof sealed.id);
    assert_int_equal(hpke_receiver_start(sealed.own, sealed.bytes.enc,
                                         bytes_of_string("concordat/pseudonym/v1"), &receiver),
                     STATUS_OK);
    assert_int_equal(hpke_open_at(receiver, 0, bytes_buffer_view(&aad),
                                  bytes_view(sealed.bytes.sealed, sizeof sealed.bytes.sealed), &opened),
                     STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&opened), bytes_view(key, sizeof key)));
    hpke_receiver_free(&receiver);
    bytes_buffer_wipe(&opened);
    bytes_buffer_free(&aad);
    x25519_private_free(&sealed.own);
}

static void nothing_opens_in_another_place(void **state)
{
    (void)state;
    static char other[] = "prison.stafford";
    struct sealed sealed;
    struct sealed strange;
    uint8_t opened[PSEUDONYM_KEY_SIZE] = {0};
    static const uint8_t untouched[PSEUDONYM_KEY_SIZE];

    seal(&sealed, 7);
    seal(&strange, 7);
    assert_int_equal(epochs_open(8, &sealed.message, sealed.own, opened), STATUS_BAD_SEAL);
    assert_int_equal(epochs_open(7, &sealed.message, strange.own, opened), STATUS_BAD_SEAL);
    sealed.message.member = other;
    assert_int_equal(epochs_open(7, &sealed.message, sealed.own, opened), STATUS_BAD_SEAL);
    sealed.message.member = member;
    sealed.message.key = strange.message.key;
    assert_int_equal(epochs_open(7, &sealed.message, sealed.own, opened), STATUS_BAD_SEAL);
    sealed.message.key = wire_data(bytes_view(sealed.id, sizeof sealed.id));
    sealed.bytes.sealed[0] ^= 1;
    assert_int_equal(epochs_open(7, &sealed.message, sealed.own, opened), STATUS_BAD_SEAL);
    sealed.bytes.sealed[0] ^= 1;
    sealed.message.sealed.len--;
    assert_int_equal(epochs_open(7, &sealed.message, sealed.own, opened), STATUS_BAD_SEAL);
    assert_memory_equal(opened, untouched, sizeof opened);
    x25519_private_free(&sealed.own);
    x25519_private_free(&strange.own);
}

static void a_weak_key_is_not_sealed_to(void **state)
{
    (void)state;
    static const uint8_t weak[X25519_KEY_SIZE];
    struct epochs_sealed sealed;

    assert_int_equal(epochs_seal(1, key, member, weak, &sealed), STATUS_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens),
        cmocka_unit_test(the_format_is_the_documented_one),
        cmocka_unit_test(nothing_opens_in_another_place),
        cmocka_unit_test(a_weak_key_is_not_sealed_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
