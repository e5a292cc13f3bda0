#include "tests/support/support.h"

#include <string.h>

#include "base/yaml_errors.h"
#include "tests/support/policy.h"

/* What a member that reaches too far, or a protocol that leaves something open, must not get. */

#define FORCE  "police.staffordshire"
#define OTHER  "police.derbyshire"
#define OFFICE "probation.staffordshire"
#define PEAKS  "probation.derbyshire"

#define NEIGHBOURS                                                                                           \
    {"areas: [stoke, stafford, tamworth]\n", "areas: [stoke, stafford, tamworth, derby]\n"},                 \
    {                                                                                                        \
        "parties:\n", "parties:\n"                                                                           \
                      "  police.derbyshire: {force: \"30\", areas: [derby]}\n"                               \
                      "  probation.derbyshire: {areas: [derby]}\n"                                           \
    }

static struct policy_world world;

static void expect(const char *from, const char *event, const char *attributes, const char *expected)
{
    policy_ask(&world, from, event, attributes, NULL);
    assert_string_equal(policy_answer(&world), expected);
    assert_int_equal(world.decision.record, expected[0] != '!');
}

#define NOT_THEIRS "! register-refuses: only a party that serves the person's area may send this\n"

/* Out of the area nobody lengthens a listing, fetches a person, or takes a case; who holds it hands it on. */
static void test_reaching_out(void **state)
{
    static const struct policy_edit edits[] = {NEIGHBOURS, {NULL, NULL}};

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    expect(OTHER, "ppo.reviewed", "outcome=retain next_review=2026-12-20", NOT_THEIRS);
    expect(OTHER, "ppo.moved", "from_area=stoke to_area=derby home_force=30", NOT_THEIRS);
    expect(FORCE, "ppo.moved", "from_area=derby to_area=derby home_force=30",
           "! register-refuses: the person does not live in 'from_area'; state the area that the register "
           "has\n");
    expect(PEAKS, "case.allocated", "role=offender_manager holder=probation.derbyshire",
           "! register-refuses: only a party that serves the person's area, or holds the case, may send "
           "this\n");
    expect(OFFICE, "case.allocated", "role=offender_manager holder=probation.derbyshire", "");
    policy_apply(&world);
    expect(PEAKS, "case.allocated", "role=keyworker holder=drugs.stoke", "");
    expect(FORCE, "ppo.moved", "from_area=stoke to_area=derby home_force=30",
           "police.derbyshire move cda_115: from_area to_area\n"
           "probation.derbyshire move oma_14_in: from_area to_area\n");
    policy_apply(&world);
    expect(OTHER, "ppo.reviewed", "outcome=retain next_review=2026-12-20", "");
    expect(FORCE, "ppo.reviewed", "outcome=retain next_review=2026-12-20", NOT_THEIRS);
    policy_close(&world);
}

#define LISTING                                                                                              \
    "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2026-12-20 "           \
    "home_force=21 juvenile=no"
#define STALE                                                                                                \
    "! register-refuses: the listing that it repeats is not the one in force; list the person anew\n"

/* A repetition tells; it does not list, and it is for the listing in force only. */
static void test_repeated_listing(void **state)
{
    static const struct policy_edit edits[] = {NEIGHBOURS, {NULL, NULL}};
    struct register_state before;
    struct register_change change;

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    before = world.person;
    policy_ask(&world, FORCE, "ppo.added", LISTING, "name");
    world.request.repeats = true;
    assert_int_equal(register_apply(world.protocol, &world.person, &world.request, world.now, &change),
                     STATUS_OK);
    assert_memory_equal(&before, &world.person, sizeof before);
    assert_int_equal(change.effect, EFFECT_NONE);
    assert_int_equal(change.sets, 0);
    policy_answer(&world);
    assert_true(world.decision.granted && !world.decision.record);
    policy_ask(&world, OTHER, "ppo.added", LISTING, "name");
    world.request.repeats = true;
    assert_string_equal(policy_answer(&world), STALE);
    policy_ask(&world, FORCE, "ppo.added", "strand=resettle_rehabilitate juvenile=no", "name");
    world.request.repeats = true;
    assert_string_equal(policy_answer(&world), STALE);
    memcpy(world.person.entry.strand, "prevent_deter", sizeof "prevent_deter"); /* the yot's, not theirs */
    policy_ask(&world, FORCE, "ppo.added", "strand=prevent_deter juvenile=no", "name");
    world.request.repeats = true;
    assert_string_equal(policy_answer(&world), STALE);
    policy_close(&world);
}

/* A consent can be withdrawn although the protocol no longer names its scope. */
static void test_withdrawal_of_a_scope_that_is_gone(void **state)
{
    static const struct policy_edit edits[] = {
        {"  referral: {longest: P6M, forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, drugs]}\n", ""},
        {"        consent: referral\n", "        consent: throughcare\n"},
        {"        consent: referral\n", "        consent: throughcare\n"},
        {"        consent: referral\n", "        consent: throughcare\n"},
        {"        consent: referral\n", "        consent: throughcare\n"},
        {NULL, NULL}};
    struct register_state given;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    policy_consent(&world, "throughcare");
    policy_ask(&world, OFFICE, "consent.given", "scope=referral form_version=2 expires=2027-03-01", NULL);
    policy_apply(&world);
    given = world.person;
    policy_close(&world);

    policy_open(&world, edits);
    world.person = given;
    assert_true(register_consented(&world.person, 1, world.now));
    policy_ask(&world, OFFICE, "consent.withdrawn", "scope=referral", NULL);
    policy_apply(&world);
    assert_false(register_consented(&world.person, 1, world.now));
    assert_int_equal(world.person.consents[1].withdrawn_at, world.now);
    policy_close(&world);
}

#define OPEN_RULE                                                                                            \
    {                                                                                                        \
        "rules:\n", "rules:\n"                                                                               \
                    "  hearing:\n"                                                                           \
                    "    paragraph: [CC 54]\n"                                                               \
                    "    from: police\n"                                                                     \
                    "    events: [appointment.missed]\n"                                                     \
                    "    purpose: tell of a hearing\n"                                                       \
                    "    needs: nothing\n"                                                                   \
                    "    retention: P6M\n"                                                                   \
                    "    to:\n"                                                                              \
                    "      - class: drugs\n"                                                                 \
                    "        relation: every party\n"                                                        \
                    "        gateway: cda_115\n"                                                             \
                    "        crossing: s36_4\n"                                                              \
                    "        items: [name]\n"                                                                \
    }

/* Where the register's word on the age decides, its ground goes along, or the agent would decide otherwise.
 */
static void test_age_has_a_ground(void **state)
{
    static const struct policy_edit edits[] = {OPEN_RULE, {NULL, NULL}};

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    policy_ask(&world, FORCE, "appointment.missed", "", "name");
    assert_string_equal(policy_answer(&world), "drugs.stoke hearing cda_115: name\n");
    assert_int_equal(world.decision.recipients[0].grounds, REGISTER_GROUND_LISTING);
    policy_ask(&world, FORCE, "appointment.missed", "juvenile=no", "name");
    policy_answer(&world);
    assert_int_equal(world.decision.recipients[0].grounds, 0);
    policy_close(&world);
}

/* Loads the shipped file with edits; the only error must say that. */
static void refuse(const struct policy_edit *edits, const char *says)
{
    static struct yaml_errors errors;
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct byte_buffer text = policy_file("staffordshire-ppo.yaml", edits);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    memset(&errors, 0, sizeof errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol),
                     STATUS_BAD_FORMAT);
    if (errors.count != 1 || strstr(errors.list[0].text, says) == NULL)
        fail_msg("%zu errors, the first: %s", errors.count, errors.list[0].text);
    catalogue_free(&catalogue);
    bytes_buffer_free(&good);
    bytes_buffer_free(&text);
}

#define MORE_RULES(text)                                                                                     \
    {                                                                                                        \
        "rules:\n", "rules:\n" text                                                                          \
    }
#define TOP(name, from, events)                                                                              \
    "  " name ":\n    paragraph: [CC 9]\n    from: " from "\n    events: " events                            \
    "\n    purpose: test the loader\n    retention: P6M\n"

static void test_rule_that_does_not_say_whom_it_is_about(void **state)
{
    static const struct policy_edit edits[] = {
        {"    purpose: act at once on the arrest of a person on the scheme\n    needs: listed\n",
         "    purpose: act at once on the arrest of a person on the scheme\n"},
        {NULL, NULL}};

    (void)state;
    refuse(edits, "'needs' is missing");
}

/* Otherwise the sender could choose any recipient, by correlating with an event of that member. */
static void test_referrer_of_what_answers_nothing(void **state)
{
    static const struct policy_edit edits[] = {
        MORE_RULES(TOP("loose", "drugs", "[oasys.completed, warrant.issued]") //
                   "    needs: listed\n"
                   "    answers: {oasys.completed: [case.queried]}\n"
                   "    to:\n"
                   "      - class: probation\n"
                   "        relation: referrer\n"
                   "        gateway: cda_115\n"
                   "        crossing: s115_to_part_3\n"
                   "        items: [name]\n"),
        {NULL, NULL}};

    (void)state;
    refuse(edits, "warrant.issued need not answer anything");
}

static void test_two_rules_that_answer_otherwise(void **state)
{
    static const struct policy_edit edits[] = {
        MORE_RULES(TOP("loose", "drugs", "[treatment.accepted]") //
                   "    needs: listed\n"
                   "    answers: {treatment.accepted: [case.queried]}\n"
                   "    to:\n"
                   "      - class: council\n"
                   "        relation: all in area\n"
                   "        gateway: cda_115\n"
                   "        items: [name]\n"),
        {"    purpose: test the loader\n", "    purpose: answer a referral\n"},
        {NULL, NULL}};

    (void)state;
    refuse(edits, "answers something else");
}

/* For a juvenile both lead to the yot, and a section names one rule. */
static void test_two_rules_that_meet_in_the_yot(void **state)
{
    static const struct policy_edit edits[] = {
        MORE_RULES(TOP("first", "prison", "[plan.shared]") //
                   "    needs: listed\n"
                   "    to:\n"
                   "      - class: probation\n"
                   "        relation: all in area\n"
                   "        gateway: oma_14_out\n"
                   "        items: [name]\n" TOP("second", "prison", "[plan.shared]") //
                   "    needs: listed\n"
                   "    to:\n"
                   "      - class: police\n"
                   "        relation: all in area\n"
                   "        gateway: oma_14_out\n"
                   "        items: [name, dob]\n"),
        {"    probation: {class: yot, crossing: s36_4}\n",
         "    probation: {class: yot, crossing: s36_4}\n    police: {class: yot, crossing: s36_4}\n"},
        {NULL, NULL}};

    (void)state;
    refuse(edits, "a section names one rule");
}

/* Police to probation crosses nothing, but for a juvenile it goes to the yot, which works under the UK GDPR.
 */
static void test_consent_alone_when_the_replacement_crosses(void **state)
{
    static const struct policy_edit edits[] = {
        {"        gateway: oma_14_in\n        condition: administration_of_justice\n",
         "        gateway: oma_14_in\n        consent: share_with_probation\n"},
        {NULL, NULL}};

    (void)state;
    refuse(edits, "consent alone is not enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reaching_out),
        cmocka_unit_test(test_repeated_listing),
        cmocka_unit_test(test_withdrawal_of_a_scope_that_is_gone),
        cmocka_unit_test(test_age_has_a_ground),
        cmocka_unit_test(test_rule_that_does_not_say_whom_it_is_about),
        cmocka_unit_test(test_referrer_of_what_answers_nothing),
        cmocka_unit_test(test_two_rules_that_answer_otherwise),
        cmocka_unit_test(test_two_rules_that_meet_in_the_yot),
        cmocka_unit_test(test_consent_alone_when_the_replacement_crosses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
