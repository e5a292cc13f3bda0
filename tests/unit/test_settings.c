#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/settings.h"
#include "base/safefile.h"

static char folder[] = "/tmp/concordat-settings-XXXXXX";

static void write_file(const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof path, "%s/agent.json", folder);
    assert_int_equal(safefile_write(path, bytes_of_string(text), 0600), STATUS_OK);
}

static int make(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int drop(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/agent.json", folder);
    (void)unlink(path);
    return rmdir(folder);
}

static void what_was_created_is_read(void **state)
{
    struct settings made = settings_default("prison.dovegate", "tcp://broker.example:5570");
    struct settings read;
    struct settings_reason reason = {0};

    (void)state;
    assert_int_equal(settings_create(folder, &made), STATUS_OK);
    assert_int_equal(settings_create(folder, &made), STATUS_EXISTS);
    assert_int_equal(settings_read(folder, &read, &reason), STATUS_OK);
    assert_string_equal(read.member, made.member);
    assert_string_equal(read.broker, made.broker);
    assert_int_equal(read.window_days, 28);
    assert_int_equal(read.vanish_percent, 20);
    assert_int_equal(read.outbox_days, 30);
    assert_false(read.demo);
}

static void wrong_settings_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"{\"member\": \"prison\", \"broker\": \"tcp://a:1\"}", "member"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"a:1\"}", "broker"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"colour\": 1}",
         "unknown setting \"colour\""},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"window_days\": 0}",
         "\"window_days\" must be"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"window_days\": \"28\"}",
         "\"window_days\" must be"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"demo\": 1}", "demo"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"duty\": {\"1\": \"duty_officer\"}}",
         "lists of duty roles"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"duty\": {\"x\": "
         "[\"duty_officer\"]}}",
         "lists of duty roles"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"hooks\": {\"case.queried\": "
         "\"true\"}}",
         "whole path"},
        {"{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"officers\": {\"a\": \"b\"}}",
         "officers"},
        {"{\"member\": 1,\n \"member\": 2}", "agent.json:2:"},
        {"[]", "one object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        struct settings_reason reason = {0};

        write_file(cases[i].text);
        assert_int_equal(settings_read(folder, &settings, &reason), STATUS_BAD_FORMAT);
        if (strstr(reason.text, cases[i].says) == NULL)
            fail_msg("%s does not say \"%s\"", reason.text, cases[i].says);
    }
}

static void officers_are_mapped(void **state)
{
    struct settings settings;
    struct settings_reason reason = {0};
    char officer[SETTINGS_OFFICER_SIZE];

    (void)state;
    write_file(
        "{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"officers\": {\"1000\": \"pc1234\"}}");
    assert_int_equal(settings_read(folder, &settings, &reason), STATUS_OK);
    settings_officer(&settings, 1000, officer);
    assert_string_equal(officer, "pc1234");
    settings_officer(&settings, 1001, officer);
    assert_string_equal(officer, "unix:1001");
}

static void duties_and_hooks_are_read(void **state)
{
    struct settings read;
    struct settings_reason reason = {{0}};
    const char *role = NULL;

    (void)state;
    write_file("{\"member\": \"prison.dovegate\", \"broker\": \"tcp://a:1\", \"hook_seconds\": 3,"
               " \"duty\": {\"1000\": [\"duty_officer\", \"duty_governor\"]},"
               " \"hooks\": {\"case.queried\": \"/bin/true\"}}");
    assert_int_equal(settings_read(folder, &read, &reason), STATUS_OK);
    assert_true(settings_on_duty(&read, 1000, bytes_view(NULL, 0), &role));
    assert_string_equal(role, "duty_officer");
    assert_true(settings_on_duty(&read, 1000, bytes_of_string("duty_governor"), &role));
    assert_string_equal(role, "duty_governor");
    assert_false(settings_on_duty(&read, 1000, bytes_of_string("duty_inspector"), &role));
    assert_false(settings_on_duty(&read, 1001, bytes_view(NULL, 0), &role));
    assert_int_equal(read.hook_count, 1);
    assert_string_equal(read.hooks[0].event, "case.queried");
    assert_string_equal(read.hooks[0].program, "/bin/true");
    assert_int_equal(read.hook_seconds, 3);
    assert_int_equal(read.hook_mib, 256);
}

static void endpoints_have_a_host_and_a_port(void **state)
{
    (void)state;
    assert_int_equal(settings_check_endpoint("tcp://127.0.0.1:5570"), STATUS_OK);
    assert_int_equal(settings_check_endpoint("tcp://[::1]:1"), STATUS_OK);
    assert_int_equal(settings_check_endpoint("ipc:///tmp/x"), STATUS_BAD_FORMAT);
    assert_int_equal(settings_check_endpoint("tcp://:5570"), STATUS_BAD_FORMAT);
    assert_int_equal(settings_check_endpoint("tcp://a"), STATUS_BAD_FORMAT);
    assert_int_equal(settings_check_endpoint("tcp://a:65536"), STATUS_BAD_FORMAT);
    assert_int_equal(settings_check_endpoint("tcp://a:0"), STATUS_BAD_FORMAT);
    assert_int_equal(settings_check_endpoint("tcp://a;b:1"), STATUS_BAD_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_created_is_read),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(officers_are_mapped),
        cmocka_unit_test(duties_and_hooks_are_read),
        cmocka_unit_test(endpoints_have_a_host_and_a_port),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
