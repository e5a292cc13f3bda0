#include "tests/support/support.h"

#include <string.h>

#include "agent/rights.h"

#define OWN 1000

static struct settings settings;

static int set_up(void **state)
{
    (void)state;
    settings = settings_default("police.staffordshire", "tcp://127.0.0.1:1");
    settings.officers[settings.officer_count++] =
        (struct settings_officer){.id = 1001, .rights = SETTINGS_KNOWN | SETTINGS_READ, .officer = "pc1"};
    settings.officers[settings.officer_count++] =
        (struct settings_officer){.id = 1002, .rights = SETTINGS_KNOWN};
    settings.officers[settings.officer_count++] =
        (struct settings_officer){.group = true, .id = 50, .rights = SETTINGS_KNOWN | SETTINGS_ANSWER};
    return 0;
}

static bool may(unsigned uid, unsigned gid, const char *verb)
{
    struct rights_reason reason = {""};
    bool allowed = rights_check(&settings, (struct local_peer){.uid = uid, .gid = gid}, OWN, verb, &reason);

    assert_true(allowed == (reason.text[0] == '\0'));
    if (!allowed)
        assert_non_null(strstr(reason.text, "agent.json"));
    return allowed;
}

static void each_may_what_is_given(void **state)
{
    static const char *const all[] = {"status", "inbox",  "show",    "subject", "publish", "correct",
                                      "import", "answer", "confirm", "join",    "query",   "no such verb"};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(may(OWN, 1, all[i]));
        assert_true(may(0, 0, all[i]));
        assert_false(may(1003, 1, all[i])); /* nobody */
    }
    assert_true(may(1001, 1, "show"));
    assert_true(may(1001, 1, "inbox"));
    assert_true(may(1001, 1, "query"));
    assert_false(may(1001, 1, "publish"));
    assert_false(may(1001, 1, "answer"));
    assert_false(may(1001, 1, "join"));
    assert_false(may(1001, 1, ""));
    assert_true(may(1002, 1, "query"));
    assert_true(may(1002, 1, "status"));
    assert_false(may(1002, 1, "show"));
    /* A group's rights are for whom no line names. */
    assert_true(may(1003, 50, "answer"));
    assert_false(may(1003, 50, "show"));
    assert_false(may(1001, 50, "answer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(each_may_what_is_given, set_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
