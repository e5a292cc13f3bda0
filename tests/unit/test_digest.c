#include "tests/support/support.h"

#include <pthread.h>
#include <string.h>

#include "proto/digest.h"

static void assert_digest(const uint8_t got[static DIGEST_SIZE], const char *expected)
{
    char text[2 * DIGEST_SIZE + 1];

    bytes_to_hex(got, DIGEST_SIZE, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-4's examples, published by NIST. */
static void sha256_of_known_messages(void **state)
{
    (void)state;
    uint8_t out[DIGEST_SIZE];

    digest_sha256(bytes_view(NULL, 0), out);
    assert_digest(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256(bytes_of_string("abc"), out);
    assert_digest(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(bytes_of_string("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    assert_digest(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void parts_streams_and_prefixes_agree(void **state)
{
    (void)state;
    const struct byte_view parts[] = {bytes_of_string("a"), {NULL, 0}, bytes_of_string("bc")};
    struct digest_stream stream;
    uint8_t whole[DIGEST_SIZE];
    uint8_t out[DIGEST_SIZE];

    digest_sha256(bytes_of_string("abc"), whole);
    digest_sha256_parts(parts, 3, out);
    assert_memory_equal(out, whole, sizeof out);
    digest_prefixed('a', bytes_of_string("bc"), out);
    assert_memory_equal(out, whole, sizeof out);

    digest_start(&stream);
    digest_update(&stream, parts[0]);
    struct digest_stream fork = stream;
    digest_update(&stream, parts[2]);
    digest_finish(&stream, out);
    assert_memory_equal(out, whole, sizeof out);
    digest_finish(&fork, out);
    digest_sha256(bytes_of_string("a"), whole);
    assert_memory_equal(out, whole, sizeof out);
}

/* RFC 4231 §4.2, §4.3, §4.7 (key longer than a block). */
static void hmac_of_known_messages(void **state)
{
    (void)state;
    uint8_t key[131];
    uint8_t out[DIGEST_SIZE];
    struct byte_view message = bytes_of_string("Hi There");

    memset(key, 0x0b, 20);
    digest_hmac(bytes_view(key, 20), &message, 1, out);
    assert_digest(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

    const struct byte_view halves[] = {bytes_of_string("what do ya want "), bytes_of_string("for nothing?")};
    digest_hmac(bytes_of_string("Jefe"), halves, 2, out);
    assert_digest(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    memset(key, 0xaa, sizeof key);
    message = bytes_of_string("Test Using Larger Than Block-Size Key - Hash Key First");
    digest_hmac(bytes_view(key, sizeof key), &message, 1, out);
    assert_digest(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void *hash_often(void *result)
{
    struct digest *chain = result;

    for (int i = 0; i < 1000; i++)
        digest_prefixed(1, bytes_view(chain->bytes, DIGEST_SIZE), chain->bytes);
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct digest chains[5] = {0};

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &chains[i]), 0);
    hash_often(&chains[4]);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_memory_equal(&chains[i], &chains[4], sizeof chains[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_messages),
        cmocka_unit_test(parts_streams_and_prefixes_agree),
        cmocka_unit_test(hmac_of_known_messages),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
