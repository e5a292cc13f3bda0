#include "tests/support/support.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/safefile.h"
#include "certs/claims.h"
#include "certs/keystore.h"
#include "certs/request.h"
#include "certs/witnesses.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/concordat-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *key_file(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/keys/%s.key", folder, name);
    return path;
}

static struct keystore *create(const char *member, enum role role, const char *log_name)
{
    struct keystore *keystore = NULL;

    assert_int_equal(keystore_create(folder, member, role, log_name), STATUS_OK);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    return keystore;
}

static struct request read_request(const char *path)
{
    struct byte_buffer pem = bytes_buffer(0);
    struct request request;
    const char *reason = NULL;

    assert_int_equal(safefile_read(path, REQUEST_LARGEST, &pem), STATUS_OK);
    assert_int_equal(request_parse(bytes_buffer_view(&pem), &request, &reason), STATUS_OK);
    bytes_buffer_free(&pem);
    return request;
}

static void keys_come_back_as_they_were_made(void **state)
{
    (void)state;
    struct keystore *first = create("prison.dovegate", ROLE_AGENT, NULL);
    struct keystore *second = NULL;
    uint8_t a[32];
    uint8_t b[32];

    assert_int_equal(keystore_load(folder, &second), STATUS_OK);
    assert_string_equal(keystore_member(second), "prison.dovegate");
    assert_int_equal(keystore_role(second), ROLE_AGENT);
    ed25519_public_bytes(keystore_signing(first), a);
    ed25519_public_bytes(keystore_signing(second), b);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(keystore_transport_public(first), keystore_transport_public(second), 32);
    assert_memory_equal(x25519_public_of(keystore_sealing(first)), x25519_public_of(keystore_sealing(second)),
                        32);
    assert_memory_equal(keystore_storage(first), keystore_storage(second), KEYSTORE_STORAGE_SIZE);
    assert_null(keystore_log(second));
    assert_null(keystore_log_vkey(second));
    assert_null(keystore_log_name(second));
    ed25519_public_bytes(keystore_witness(first), a);
    ed25519_public_bytes(keystore_witness(second), b);
    assert_memory_equal(a, b, sizeof a);
    assert_true(witnesses_good_key("prison.dovegate", keystore_witness_vkey(second)));
    assert_string_equal(keystore_witness_vkey(first), keystore_witness_vkey(second));
    assert_false(keystore_renewing(second));
    keystore_free(&first);
    keystore_free(&second);
    assert_null(second);
    keystore_free(&second);
}

static void an_agent_of_before_gets_its_witness_key(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);
    char before[NOTE_KEY_VKEY_SIZE];

    snprintf(before, sizeof before, "%s", keystore_witness_vkey(keystore));
    assert_int_equal(keystore_make_witness(keystore), STATUS_OK);
    assert_string_equal(keystore_witness_vkey(keystore), before);
    keystore_free(&keystore);
    assert_int_equal(unlink(key_file("witness")), 0);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    assert_null(keystore_witness(keystore));
    assert_null(keystore_witness_vkey(keystore));
    assert_int_equal(keystore_make_witness(keystore), STATUS_OK);
    assert_true(witnesses_good_key("prison.dovegate", keystore_witness_vkey(keystore)));
    assert_string_not_equal(keystore_witness_vkey(keystore), before);
    snprintf(before, sizeof before, "%s", keystore_witness_vkey(keystore));
    keystore_free(&keystore);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    assert_string_equal(keystore_witness_vkey(keystore), before);
    keystore_free(&keystore);
    assert_int_equal(chmod(key_file("witness"), 0640), 0);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_PERMISSION);
    assert_int_equal(chmod(key_file("witness"), 0600), 0);
    assert_int_equal(truncate(key_file("witness"), 40), 0);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_CORRUPT);
}

static void brokers_cosign_nothing(void **state)
{
    (void)state;
    struct keystore *keystore = create("broker.staffordshire", ROLE_BROKER, "log.example");

    assert_null(keystore_witness(keystore));
    assert_int_equal(keystore_make_witness(keystore), STATUS_BAD_ARGUMENT);
    keystore_free(&keystore);
}

static void files_are_ours_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"current", "storage", "log"};
    struct keystore *keystore = create("broker.staffordshire", ROLE_BROKER, "log.example");
    struct stat info;

    keystore_free(&keystore);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(stat(key_file(names[i]), &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_int_equal(chmod(key_file(names[i]), 0640), 0);
        assert_int_equal(keystore_load(folder, &keystore), STATUS_PERMISSION);
        assert_null(keystore);
        assert_int_equal(chmod(key_file(names[i]), 0600), 0);
    }
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    keystore_free(&keystore);
}

static void keys_are_never_overwritten(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);

    assert_int_equal(keystore_create(folder, "prison.dovegate", ROLE_AGENT, NULL), STATUS_EXISTS);
    /* Nor when the permissions are wrong, so that they cannot be read. */
    assert_int_equal(chmod(key_file("current"), 0644), 0);
    assert_int_equal(keystore_create(folder, "prison.dovegate", ROLE_AGENT, NULL), STATUS_EXISTS);
    assert_int_equal(chmod(key_file("current"), 0600), 0);
    keystore_free(&keystore);
}

static void a_creation_that_was_cut_short_is_finished(void **state)
{
    (void)state;
    struct keystore *first = create("broker.staffordshire", ROLE_BROKER, "log.example");
    struct keystore *second = NULL;

    assert_int_equal(unlink(key_file("current")), 0);
    assert_int_equal(keystore_load(folder, &second), STATUS_NOT_FOUND);
    second = create("broker.staffordshire", ROLE_BROKER, "log.example");
    assert_memory_equal(keystore_storage(first), keystore_storage(second), KEYSTORE_STORAGE_SIZE);
    assert_string_equal(keystore_log_vkey(first), keystore_log_vkey(second));
    assert_memory_not_equal(keystore_transport_public(first), keystore_transport_public(second), 32);
    keystore_free(&first);
    keystore_free(&second);
}

static void bad_arguments_make_nothing(void **state)
{
    (void)state;
    assert_int_equal(keystore_create(folder, "Prison", ROLE_AGENT, NULL), STATUS_BAD_ARGUMENT);
    assert_int_equal(keystore_create(folder, "prison.dovegate", ROLE_AGENT, "log.example"),
                     STATUS_BAD_ARGUMENT);
    assert_int_equal(keystore_create(folder, "broker.a", ROLE_BROKER, NULL), STATUS_BAD_ARGUMENT);
    assert_int_equal(keystore_create(folder, "broker.a", ROLE_BROKER, "two words"), STATUS_BAD_ARGUMENT);
    assert_int_equal(keystore_create(folder, "broker.a", ROLE_BROKER, "a+b"), STATUS_BAD_ARGUMENT);
    assert_int_equal(access(key_file("current"), F_OK), -1);
}

static void damage_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"current", "storage", "log"};
    struct support_random random = support_seeded(3);
    struct keystore *keystore = create("broker.staffordshire", ROLE_BROKER, "log.example");

    keystore_free(&keystore);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct byte_buffer text = bytes_buffer(0);
        assert_int_equal(safefile_read_secret(key_file(names[i]), 4096, &text), STATUS_OK);
        for (size_t k = 0; k < 20; k++) {
            size_t size = (size_t)support_below(&random, text.size);
            assert_int_equal(safefile_write(key_file(names[i]), bytes_view(text.data, size), 0600),
                             STATUS_OK);
            assert_int_equal(keystore_load(folder, &keystore), STATUS_CORRUPT);
        }
        assert_int_equal(safefile_write(key_file(names[i]), bytes_buffer_view(&text), 0600), STATUS_OK);
        bytes_buffer_wipe(&text);
    }
    assert_int_equal(unlink(key_file("log")), 0);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_CORRUPT);
}

static void the_transport_key_is_one_for_curve(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);
    char secret[41];
    char public[41];
    uint8_t raw[32];

    assert_non_null(zmq_z85_encode(secret, keystore_transport_secret(keystore), 32));
    assert_int_equal(zmq_curve_public(public, secret), 0);
    assert_non_null(zmq_z85_decode(raw, public));
    assert_memory_equal(raw, keystore_transport_public(keystore), sizeof raw);
    keystore_free(&keystore);
}

static void the_request_asks_for_what_there_is(void **state)
{
    (void)state;
    struct keystore *keystore = create("broker.staffordshire", ROLE_BROKER, "log.example");
    char path[PATH_MAX];
    uint8_t signing[32];

    assert_int_equal(keystore_write_request(keystore, path), STATUS_OK);
    struct request request = read_request(path);
    ed25519_public_bytes(keystore_signing(keystore), signing);
    assert_string_equal(request.claims.member, "broker.staffordshire");
    assert_int_equal(request.claims.role, ROLE_BROKER);
    assert_memory_equal(request.claims.signing, signing, sizeof signing);
    assert_memory_equal(request.claims.transport, keystore_transport_public(keystore), 32);
    assert_memory_equal(request.claims.sealing, x25519_public_of(keystore_sealing(keystore)), 32);
    assert_string_equal(request.claims.vkey, keystore_log_vkey(keystore));
    assert_string_equal(keystore_log_name(keystore), "log.example");
    assert_int_equal(keystore_matches(keystore, &request.claims), KEYSTORE_CURRENT);
    request.claims.sealing[0] ^= 1;
    assert_int_equal(keystore_matches(keystore, &request.claims), KEYSTORE_NONE);
    keystore_free(&keystore);
}

static void an_authority_has_a_signing_key_only(void **state)
{
    (void)state;
    struct keystore *keystore = create("authority.board", ROLE_AUTHORITY, NULL);
    struct byte_buffer text = bytes_buffer(0);

    assert_int_equal(safefile_read_secret(key_file("current"), 4096, &text), STATUS_OK);
    bytes_append_u8(&text, 0);
    assert_null(strstr((const char *)text.data, "sealing"));
    bytes_buffer_wipe(&text);
    keystore_free(&keystore);
}

static void a_renewal_is_vouched_for_and_can_be_asked_for_again(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);
    uint8_t message[REQUEST_RENEWAL_SIZE];
    char path[PATH_MAX];

    assert_int_equal(keystore_renew(keystore, path), STATUS_OK);
    assert_true(keystore_renewing(keystore));
    struct request first = read_request(path);
    assert_true(first.renews);
    assert_int_equal(request_renewal_message(&first.claims, message), STATUS_OK);
    assert_int_equal(
        ed25519_verify(keystore_signing(keystore), bytes_view(message, sizeof message), first.renewal),
        STATUS_OK);
    assert_int_equal(keystore_matches(keystore, &first.claims), KEYSTORE_NEXT);
    keystore_free(&keystore);

    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    assert_int_equal(keystore_renew(keystore, path), STATUS_OK);
    struct request second = read_request(path);
    assert_memory_equal(&first.claims, &second.claims, sizeof first.claims);
    keystore_free(&keystore);
}

/* The daemon holds a key store while the command begins a renewal in the same folder. */
static void a_renewal_by_another_process_is_found(void **state)
{
    (void)state;
    struct keystore *daemon = create("prison.dovegate", ROLE_AGENT, NULL);
    struct keystore *command = NULL;
    char path[PATH_MAX];

    assert_int_equal(keystore_look(daemon), STATUS_OK);
    assert_int_equal(safefile_write(key_file("next"), bytes_of_string("no keys"), 0600), STATUS_OK);
    assert_int_not_equal(keystore_look(daemon), STATUS_OK);
    assert_false(keystore_renewing(daemon));
    assert_int_equal(unlink(key_file("next")), 0);
    assert_int_equal(keystore_load(folder, &command), STATUS_OK);
    assert_int_equal(keystore_renew(command, path), STATUS_OK);
    struct request request = read_request(path);
    assert_int_equal(keystore_matches(daemon, &request.claims), KEYSTORE_NONE);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keystore_look(daemon), STATUS_OK);
        assert_int_equal(keystore_matches(daemon, &request.claims), KEYSTORE_NEXT);
    }
    keystore_free(&command);
    keystore_free(&daemon);
}

static void promotion_keeps_the_keys_before(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);
    uint8_t old_key[32];
    uint8_t old_id[CERTIFICATE_KEY_ID_SIZE];
    uint8_t storage[KEYSTORE_STORAGE_SIZE];
    char path[PATH_MAX];

    memcpy(old_key, x25519_public_of(keystore_sealing(keystore)), sizeof old_key);
    memcpy(storage, keystore_storage(keystore), sizeof storage);
    certificate_key_id(old_key, old_id);
    assert_ptr_equal(keystore_opening(keystore, old_id), keystore_sealing(keystore));
    assert_int_equal(keystore_renew(keystore, path), STATUS_OK);
    struct request request = read_request(path);
    uint8_t new_id[CERTIFICATE_KEY_ID_SIZE];
    certificate_key_id(request.claims.sealing, new_id);
    assert_non_null(keystore_opening(keystore, new_id)); /* a sender may have the new bundle before us */

    assert_int_equal(keystore_promote(keystore), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keystore_matches(keystore, &request.claims), KEYSTORE_CURRENT);
        assert_false(keystore_renewing(keystore));
        assert_memory_equal(x25519_public_of(keystore_opening(keystore, old_id)), old_key, sizeof old_key);
        assert_ptr_equal(keystore_opening(keystore, new_id), keystore_sealing(keystore));
        assert_memory_equal(keystore_storage(keystore), storage, sizeof storage);
        keystore_free(&keystore);
        assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    }
    keystore_free(&keystore);
}

static void a_promotion_that_was_cut_short_is_done_again(void **state)
{
    (void)state;
    struct keystore *keystore = create("prison.dovegate", ROLE_AGENT, NULL);
    struct byte_buffer text = bytes_buffer(0);
    char path[PATH_MAX];

    assert_int_equal(keystore_renew(keystore, path), STATUS_OK);
    struct request request = read_request(path);
    keystore_free(&keystore);
    /* A crash after previous.key was written and before next.key took current.key's place. */
    assert_int_equal(safefile_read_secret(key_file("current"), 4096, &text), STATUS_OK);
    assert_int_equal(safefile_write(key_file("previous"), bytes_buffer_view(&text), 0600), STATUS_OK);
    bytes_buffer_wipe(&text);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    assert_int_equal(keystore_matches(keystore, &request.claims), KEYSTORE_NEXT);
    assert_int_equal(keystore_promote(keystore), STATUS_OK);
    assert_int_equal(keystore_matches(keystore, &request.claims), KEYSTORE_CURRENT);
    keystore_free(&keystore);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_come_back_as_they_were_made),
        TEST(an_agent_of_before_gets_its_witness_key),
        TEST(brokers_cosign_nothing),
        TEST(files_are_ours_alone),
        TEST(keys_are_never_overwritten),
        TEST(a_creation_that_was_cut_short_is_finished),
        TEST(bad_arguments_make_nothing),
        TEST(damage_is_found),
        TEST(the_transport_key_is_one_for_curve),
        TEST(the_request_asks_for_what_there_is),
        TEST(an_authority_has_a_signing_key_only),
        TEST(a_renewal_is_vouched_for_and_can_be_asked_for_again),
        TEST(a_renewal_by_another_process_is_found),
        TEST(promotion_keeps_the_keys_before),
        TEST(a_promotion_that_was_cut_short_is_done_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
