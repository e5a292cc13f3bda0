#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "policy/person.h"

static struct register_state state, copy;
static struct kind_reason reason;

static void set(const char *field, const char *value)
{
    if (person_set(&state, field, value, &reason) != STATUS_OK)
        fail_msg("%s: %s", field, reason.text);
}

static void set_all(void)
{
    register_init(&state);
    set("listed", "yes");
    set("juvenile", "no");
    set("review_due", "2026-12-15");
    set("strand", "catch_convict");
    set("area", "stoke");
    set("home_force", "21");
    set("status", "in_custody");
    set("holding_prison", "prison.dovegate");
    set("offender_manager", "probation.staffordshire");
}

static void test_set(void **unused)
{
    (void)unused;
    set_all();
    assert_true(state.entry.listed);
    assert_int_equal(state.entry.juvenile, JUVENILE_NO);
    assert_int_equal(state.entry.listed_juvenile, JUVENILE_NO);
    assert_string_equal(state.entry.area, "stoke");
    assert_int_equal(state.grounds, REGISTER_GROUND_LISTING | REGISTER_GROUND_REVIEW |
                                        REGISTER_GROUND_CUSTODY | REGISTER_GROUND_MANAGER);
    set("holding_prison", "none");
    assert_string_equal(state.entry.holding_prison, "");
    assert_int_equal(state.grounds & REGISTER_GROUND_CUSTODY, 0);
    set("listed", "no");
    assert_int_equal(state.grounds & REGISTER_GROUND_LISTING, 0);
    set("review_due", "none");
    assert_int_equal(state.entry.review_due, REGISTER_NO_DATE);
}

static void test_mistakes(void **unused)
{
    static const struct {
        const char *field;
        const char *value;
        enum status status;
    } rows[] = {
        {"height", "tall", STATUS_NOT_FOUND},
        {"listed", "perhaps", STATUS_BAD_FORMAT},
        {"juvenile", "no longer", STATUS_BAD_FORMAT},
        {"review_due", "soon", STATUS_BAD_FORMAT},
        {"keyworker", "Anna", STATUS_BAD_FORMAT},
        {"strand", "a strand with a name that is longer than any code is allowed to be in any list",
         STATUS_BAD_FORMAT},
    };

    (void)unused;
    register_init(&state);
    copy = state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reason.text[0] = '\0';
        assert_int_equal(person_set(&state, rows[i].field, rows[i].value, &reason), rows[i].status);
        assert_string_not_equal(reason.text, "");
        assert_memory_equal(&state, &copy, sizeof state);
    }
}

static void consent(const char *scope, int64_t given, int64_t withdrawn)
{
    const struct person_consent it = {scope, 20000, given, withdrawn};

    assert_int_equal(person_consent(&state, &it, &reason), STATUS_OK);
}

static void test_consents(void **unused)
{
    static const char *const scopes[] = {"a", "b", "c"};

    (void)unused;
    register_init(&state);
    for (size_t i = 0; i < 3; i++)
        consent(scopes[i], 10, INT64_MIN);
    consent("b", 10, 20);
    assert_int_equal(state.consent_count, 3);
    assert_false(state.consents[1].given);
    assert_int_equal(state.grounds, REGISTER_GROUND_CONSENT(0) | REGISTER_GROUND_CONSENT(2));
    consent("b", 30, 20); /* given again */
    assert_true(state.consents[1].given);
    person_forget_consent(&state, "a");
    assert_int_equal(state.consent_count, 2);
    assert_string_equal(state.consents[0].scope, "b");
    assert_int_equal(state.grounds, REGISTER_GROUND_CONSENT(0) | REGISTER_GROUND_CONSENT(1));
    consent("c", 10, 20);
    person_forget_consent(&state, "b");
    assert_int_equal(state.grounds, 0);
    person_forget_consent(&state, "z");
    assert_int_equal(state.consent_count, 1);
    for (int i = 0; i < REGISTER_CONSENTS_MAX - 1; i++) {
        char scope[16];

        snprintf(scope, sizeof scope, "scope%d", i);
        consent(scope, 10, INT64_MIN);
    }
    const struct person_consent one_more = {"more", 20000, 10, INT64_MIN};
    assert_int_equal(person_consent(&state, &one_more, &reason), STATUS_TOO_LARGE);
}

static void put(void *context, const char *field, const char *value)
{
    assert_int_equal(person_set(context, field, value, &reason), STATUS_OK);
}

/* What person_each tells, person_set takes: the same person again. */
static void test_each(void **unused)
{
    (void)unused;
    set_all();
    register_init(&copy);
    person_each(&state, put, &copy);
    assert_memory_equal(&copy, &state, sizeof state);
    register_init(&state);
    register_init(&copy);
    person_each(&state, put, &copy);
    assert_memory_equal(&copy, &state, sizeof state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_consents),
        cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
