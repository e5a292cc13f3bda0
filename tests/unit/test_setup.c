#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/setup.h"

struct pipeline_limits pipeline_limits(void)
{
    return (struct pipeline_limits){.verify_workers = 2, .credit = 1024, .disk_floor = 64 << 20};
}

static enum status parse(const char *text, struct setup *ret, struct setup_reason *reason)
{
    return setup_parse(bytes_of_string(text), ret, reason);
}

static void settings_are_read(void **state)
{
    struct setup setup;
    struct setup_reason reason = {{0}};

    (void)state;
    assert_int_equal(parse("{\"member\":\"broker.x\",\"listen\":\"tcp://*:5570\"}", &setup, &reason),
                     STATUS_OK);
    assert_string_equal(setup.member, "broker.x");
    assert_string_equal(setup.listen, "tcp://*:5570");
    assert_int_equal(setup.limits.verify_workers, 2);
    assert_int_equal(
        parse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"verify_workers\":3,"
              "\"credit\":7,\"disk_floor\":2000000,\"sign_every\":999,\"intake_bytes\":4294967296}",
              &setup, &reason),
        STATUS_OK);
    assert_int_equal(setup.limits.verify_workers, 3);
    assert_int_equal(setup.limits.credit, 7);
    assert_true(setup.limits.disk_floor == 2000000);
    assert_true(setup.limits.sign_every == 999);
    assert_true(setup.limits.intake_bytes == (size_t)1 << 32);
}

static void refuse(const char *text, const char *part)
{
    struct setup setup = {.listen = "untouched"};
    struct setup_reason reason = {{0}};

    assert_int_equal(parse(text, &setup, &reason), STATUS_BAD_FORMAT);
    assert_string_equal(setup.listen, "untouched");
    if (strstr(reason.text, part) == NULL || strstr(reason.text, "broker.json") == NULL)
        fail_msg("%s: %s", text, reason.text);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuse("", "line 1");
    refuse("[]", "object");
    refuse("{\"member\":\"broker.x\"}", "needed");
    refuse("{\"listen\":\"tcp://h:1\"}", "needed");
    refuse("{\"member\":\"Broker\",\"listen\":\"tcp://h:1\"}", "member id");
    refuse("{\"member\":5,\"listen\":\"tcp://h:1\"}", "member id");
    refuse("{\"member\":\"broker.x\",\"member\":\"broker.x\",\"listen\":\"tcp://h:1\"}", "duplicate");
    refuse("{\"member\":\"broker.x\",\"listen\":\"h:1\"}", "tcp://HOST:PORT");
    refuse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"speed\":1}", "\"speed\" is no setting");
    refuse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"credit\":0}", "from 1 to 65536");
    refuse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"verify_workers\":17}", "from 1 to 16");
    refuse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"credit\":\"1\"}", "\"credit\"");
    refuse("{\"member\":\"broker.x\",\"listen\":\"tcp://h:1\",\"credit\":1.5}", "\"credit\"");
}

static void endpoints_are_checked(void **state)
{
    static const char *const good[] = {"tcp://127.0.0.1:5570", "tcp://*:1", "tcp://[::1]:65535",
                                       "tcp://broker.example.org:5570"};
    static const char *const bad[] = {"",
                                      "tcp://",
                                      "tcp://:5570",
                                      "tcp://h",
                                      "tcp://h:",
                                      "tcp://h:0",
                                      "tcp://h:65536",
                                      "tcp://h:123456",
                                      "tcp://h:5570x",
                                      "tcp://h h:1",
                                      "tcp://[::1:5570",
                                      "tcp://::1:5570",
                                      "tcp://h;w:1",
                                      "ipc://x:1",
                                      "TCP://h:1",
                                      "tcp://*x:1"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(setup_check_endpoint(good[i]), STATUS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(setup_check_endpoint(bad[i]), STATUS_BAD_FORMAT);
}

static void what_init_writes_is_read(void **state)
{
    char folder[] = "/tmp/concordat-test-XXXXXX";
    char path[64];
    struct setup setup;
    struct setup_reason reason;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setup_read(folder, &setup, &reason), STATUS_NOT_FOUND);
    assert_int_equal(setup_create(folder, "broker.x", "tcp://h:1"), STATUS_OK);
    assert_int_equal(setup_create(folder, "broker.y", "tcp://h:1"), STATUS_EXISTS);
    assert_int_equal(setup_read(folder, &setup, &reason), STATUS_OK);
    assert_string_equal(setup.member, "broker.x");
    snprintf(path, sizeof path, "%s/broker.json", folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(endpoints_are_checked),
        cmocka_unit_test(what_init_writes_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
