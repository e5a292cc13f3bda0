#include "tests/support/support.h"

#include <string.h>

#include "broker/zap.h"
#include "tests/support/partnership.h"

#define POLICE "police.staffordshire"

struct setting {
    struct partnership *partnership;
    struct keystore *police;
    struct keystore *broker;
    struct bundle *bundle;
};

static struct setting setting;

static int set_up(void **state)
{
    (void)state;
    setting.partnership = partnership_new();
    setting.police = partnership_member(setting.partnership, POLICE, ROLE_AGENT);
    setting.broker = partnership_member(setting.partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer file = partnership_bundle(setting.partnership);
    setting.bundle = partnership_first(setting.partnership, &file);
    bytes_buffer_free(&file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bundle_free(&setting.bundle);
    keystore_free(&setting.police);
    keystore_free(&setting.broker);
    partnership_free(&setting.partnership);
    return 0;
}

static struct zap_request good_request(void)
{
    return (struct zap_request){
        .frames = {bytes_of_string("1.0"), bytes_of_string("17"), bytes_of_string("concordat"),
                   bytes_of_string("127.0.0.1"), bytes_of_string(""), bytes_of_string("CURVE"),
                   bytes_view(keystore_transport_public(setting.police), 32)},
        .count = 7,
    };
}

static bool judge(const struct zap_request *request, int64_t now)
{
    struct zap_reply reply;

    zap_judge(request, bundle_directory(setting.bundle), now, &reply);
    assert_true(bytes_equal(reply.frames[0], bytes_of_string("1.0")));
    assert_true(bytes_equal(reply.frames[2], bytes_of_string(reply.admitted ? "200" : "400")));
    if (!reply.admitted)
        assert_int_equal(reply.frames[4].size + reply.frames[5].size, 0);
    return reply.admitted;
}

static void member_comes_in(void **state)
{
    struct zap_request request = good_request();
    struct zap_reply reply;
    uint8_t metadata[1 + 13 + 4 + 64] = "\x0dX-Certificate\0\0\0\x40";
    char hex[ZAP_HEX];

    (void)state;
    zap_judge(&request, bundle_directory(setting.bundle), PARTNERSHIP_NOW + 1, &reply);
    assert_true(reply.admitted);
    assert_true(bytes_equal(reply.frames[1], bytes_of_string("17")));
    assert_true(bytes_equal(reply.frames[2], bytes_of_string("200")));
    assert_true(bytes_equal(reply.frames[4], bytes_of_string(POLICE)));
    bytes_to_hex(directory_known(bundle_directory(setting.bundle), POLICE)->digest, DIGEST_SIZE, hex);
    memcpy(metadata + 18, hex, 64);
    assert_int_equal(reply.frames[5].size, sizeof metadata);
    assert_memory_equal(reply.frames[5].data, metadata, sizeof metadata);
}

static void others_stay_out(void **state)
{
    static const struct {
        size_t frame;
        const char *value;
    } changes[] = {{0, "1.1"}, {0, ""}, {2, ""}, {2, "concordat2"}, {5, "NULL"}, {5, "PLAIN"}, {5, "curve"}};
    uint8_t key[33] = {0};
    struct zap_request request;

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        request = good_request();
        request.frames[changes[i].frame] = bytes_of_string(changes[i].value);
        assert_false(judge(&request, PARTNERSHIP_NOW + 1));
    }
    for (size_t count = 0; count <= 9; count++) {
        request = good_request();
        request.count = count;
        assert_int_equal(judge(&request, PARTNERSHIP_NOW + 1), count == 7);
    }
    memcpy(key, keystore_transport_public(setting.police), 32);
    for (size_t size = 0; size <= 33; size++) {
        request = good_request();
        request.frames[6] = bytes_view(key, size);
        assert_int_equal(judge(&request, PARTNERSHIP_NOW + 1), size == 32);
    }
    key[31] ^= 1;
    request = good_request();
    request.frames[6] = bytes_view(key, 32);
    assert_false(judge(&request, PARTNERSHIP_NOW + 1));
    request.frames[6] = bytes_view(keystore_transport_public(setting.broker), 32);
    assert_false(judge(&request, PARTNERSHIP_NOW + 1));
}

static void time_decides(void **state)
{
    const struct directory_entry *entry = directory_known(bundle_directory(setting.bundle), POLICE);
    struct zap_request request = good_request();

    (void)state;
    assert_false(judge(&request, entry->not_before - 1));
    assert_true(judge(&request, entry->not_before));
    assert_true(judge(&request, entry->not_after));
    assert_false(judge(&request, entry->not_after + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_comes_in),
        cmocka_unit_test(others_stay_out),
        cmocka_unit_test(time_decides),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
