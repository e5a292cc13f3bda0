#include "tests/support/support.h"

#include <string.h>

#include "broker/retelling_check.h"
#include "tests/support/policy.h"

/* A past decision against what the log says: that it is the same, and each way in which it can differ. */

static struct policy_world world;
static json_t *told;
static const uint8_t digest[32] = {0xab};

#define LINE(disclosed)                                                                                      \
    "{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"id\":\"00\",\"subject\":\"00\",\"event\":\"release."    \
    "planned\",\"from\":\"prison.dovegate\",\"attributes\":{\"release_date\":\"2027-01-15\"},\"held\":["     \
    "\"name\",\"dob\",\"address\"],\"juvenile\":\"no\",\"person\":{\"listed\":\"yes\",\"review_due\":"       \
    "\"2026-12-15\",\"strand\":\"catch_convict\",\"area\":\"stoke\",\"home_force\":\"21\",\"consents\":{"    \
    "\"throughcare\":{\"expires\":\"2027-06-30\"}}},\"disclosed\":{" disclosed "}}"

#define DRUGS     "\"drugs.stoke\":[\"name\",\"dob\",\"release_date\"]"
#define POLICE    "\"police.staffordshire\":[\"name\",\"dob\",\"release_date\"]"
#define PROBATION "\"probation.staffordshire\":[\"address\",\"name\",\"dob\",\"release_date\"]"

static int set_up(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(told);
    told = NULL;
    policy_close(&world);
    return 0;
}

static void check(const char *text, bool accepted)
{
    const struct retelling_check options = {.protocol = world.protocol,
                                            .digest = digest,
                                            .serial = 3,
                                            .entry = 17,
                                            .accepted = accepted,
                                            .sentences = true};
    json_t *line = json_loads(text, 0, NULL);

    assert_non_null(line);
    json_decref(told);
    told = NULL;
    assert_int_equal(retelling_check(&options, line, &told), STATUS_OK);
    json_decref(line);
}

static void assert_differs(const char *disclosed, const char *first)
{
    const json_t *differences;

    check(disclosed, true);
    differences = json_object_get(told, "differences");
    assert_true(json_is_false(json_object_get(told, "agrees")));
    assert_int_equal(json_array_size(differences), 1);
    assert_string_equal(json_string_value(json_array_get(differences, 0)), first);
}

static void what_was_disclosed_is_what_is_granted(void **state)
{
    (void)state;
    check(LINE(DRUGS "," POLICE "," PROBATION), true);
    assert_true(json_is_true(json_object_get(told, "agrees")));
    assert_true(json_is_true(json_object_get(told, "replayed")));
    assert_int_equal(json_integer_value(json_object_get(told, "entry")), 17);
    assert_int_equal(json_integer_value(json_object_get(told, "serial")), 3);
    const json_t *first = json_array_get(json_object_get(told, "recipients"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "to")), "drugs.stoke");
    assert_string_equal(json_string_value(json_object_get(first, "consent")), "throughcare");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(first, "because"), 0)),
        "Rule: release-notice (CC 39), to prepare for the release of a person on the scheme.");
    assert_string_equal(
        json_string_value(json_object_get(told, "decision")),
        "release.planned goes to drugs.stoke, police.staffordshire, probation.staffordshire.");
}

static void every_difference_is_named(void **state)
{
    (void)state;
    assert_differs(LINE(DRUGS "," POLICE),
                   "probation.staffordshire did not receive it, though the protocol grants it");
    assert_differs(LINE(DRUGS "," POLICE "," PROBATION ",\"prison.stafford\":[\"name\"]"),
                   "prison.stafford received it, and the protocol does not grant it");
    assert_differs(
        LINE("\"drugs.stoke\":[\"name\",\"dob\",\"release_date\",\"address\"]," POLICE "," PROBATION),
        "drugs.stoke was given the item address, which the protocol does not grant");
    assert_differs(
        LINE("\"drugs.stoke\":[\"name\",\"dob\",\"release_date\",\"nonsense\"]," POLICE "," PROBATION),
        "drugs.stoke was given the item nonsense, which the protocol does not grant");
    assert_differs(LINE("\"drugs.stoke\":[\"name\",\"release_date\"]," POLICE "," PROBATION),
                   "drugs.stoke was not given the item dob, which the protocol grants");
}

/* What was refused discloses nothing, and no line that is malformed passes. */
static void a_refusal_agrees_and_nonsense_is_damage(void **state)
{
    (void)state;
    const struct retelling_check options = {.protocol = world.protocol, .digest = digest, .accepted = true};
    json_t *nonsense = json_pack("{s:i}", "replay", 1);

    check(LINE(""), false);
    assert_true(json_is_true(json_object_get(told, "agrees")));
    assert_int_equal(retelling_check(&options, nonsense, &told), STATUS_CORRUPT);
    json_decref(nonsense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_disclosed_is_what_is_granted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_difference_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_agrees_and_nonsense_is_damage, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
