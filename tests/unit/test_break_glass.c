#include "tests/support/support.h"

#include <string.h>

#include "base/yaml_errors.h"
#include "tests/support/policy.h"

/* What officers on duty may override, how often, and what it takes to confirm it. */

#define FILE_NAME "staffordshire-ppo.yaml"
#define FORCE     "police.staffordshire"
#define OFFICE    "probation.staffordshire"
#define TEAM      "drugs.stoke"
#define DANGER    "rule=danger-to-anyone reason=imminent_harm duty_role=duty_officer juvenile=no"

static struct policy_world world;

static void expect(const char *from, const char *event, const char *attributes, const char *held,
                   const char *expected)
{
    policy_ask(&world, from, event, attributes, held);
    assert_string_equal(policy_answer(&world), expected);
}

static void test_mistakes(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"  confirm_within: PT24H", "  confirm_within: @@soon", "confirm_within"},
        {"  excluded: [drug_test_result,", "  excluded: [@@urine,", "no item"},
        {"      roles: [duty_officer, duty_manager,", "      roles: [@@chief, duty_manager,", "no code"},
        {"      reasons: [imminent_harm, missing", "      reasons: [@@curiosity, missing", "no code"},
        {"      quota: 3                       #", "      quota: @@0                       #", "quota"},
        {"          items: [name, dob, officer_risk]",
         "          consent: @@throughcare\n          items: [name, dob, officer_risk]", "no 'consent'"},
        {"    events: [breach.recorded, recall.issued]",
         "    events: @@[breach.recorded, recall.issued, override.made]",
         "only what stands under 'break_glass'"},
        {"    danger-to-staff:\n", "    @@breach:\n", "has this name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake(FILE_NAME, &mistakes[i]);
}

/* One word changes, and the file does not load: what is clinical, or excluded, stays behind the glass. */
static void test_excluded(void **state)
{
    static const struct policy_mistake excluded = {
        "          condition: preventing_unlawful_acts\n          items: [name, officer_risk]\n\n# Counts",
        "          condition: preventing_unlawful_acts\n          items: @@[name, officer_risk, "
        "keyworker]\n\n# "
        "Counts",
        "does not carry 'keyworker'"};
    static const struct policy_edit edits[] = {
        {"  excluded: [drug_test_result, start_date, keyworker, attending]", "  excluded: [last_address]"},
        {NULL, NULL}};
    static struct yaml_errors errors;
    struct byte_buffer catalogue_text = policy_file("catalogue.yaml", NULL);
    struct byte_buffer text = policy_file(FILE_NAME, edits);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    (void)state;
    policy_check_mistake(FILE_NAME, &excluded);
    assert_int_equal(catalogue_load(bytes_buffer_view(&catalogue_text), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol),
                     STATUS_BAD_FORMAT);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.list[0].text, "'last_address' is excluded and is never released"));
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    bytes_buffer_free(&catalogue_text);
}

static void test_clinical(void **state)
{
    static const struct policy_edit edits[] = {
        {"officer_risk: {kind: code, codes: officer_risk, sensitivity: sensitive}",
         "officer_risk: {kind: code, codes: officer_risk, sensitivity: clinical}"},
        {NULL, NULL}};
    static struct yaml_errors errors;
    struct byte_buffer catalogue_text = policy_file("catalogue.yaml", edits);
    struct byte_buffer text = policy_file(FILE_NAME, NULL);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    (void)state;
    memset(&errors, 0, sizeof errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&catalogue_text), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol),
                     STATUS_BAD_FORMAT);
    assert_non_null(strstr(errors.list[0].text, "'officer_risk' is clinical and is never released"));
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    bytes_buffer_free(&catalogue_text);
}

/* Nobody has listed the person, nobody has consented: it goes, and says why it could. */
static void test_override(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    expect(TEAM, "override.made", DANGER, "name,address",
           FORCE " danger-to-anyone cda_115: name reason address rule duty_role\n");
    assert_true(world.decision.break_glass);
    assert_string_equal(world.protocol->rules[world.decision.rule].id, "danger-to-anyone");
    expect(FORCE, "override.made",
           "rule=danger-to-staff reason=imminent_harm duty_role=duty_officer juvenile=no",
           "name,officer_risk", "! relation-unknown probation\n! relation-unknown drugs\n");
    policy_list(&world);
    expect(FORCE, "override.made",
           "rule=danger-to-staff reason=imminent_harm duty_role=duty_officer juvenile=no",
           "name,officer_risk",
           TEAM " danger-to-staff cda_115: name reason officer_risk rule duty_role\n" OFFICE
                " danger-to-staff oma_14_in: name reason officer_risk rule duty_role\n");
    policy_close(&world);
}

static void test_limits(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    expect(TEAM, "override.made", "rule=danger-to-staff reason=imminent_harm duty_role=duty_officer", "name",
           "! no-break-glass-rule\n");
    expect(TEAM, "override.made", "rule=breach reason=imminent_harm duty_role=duty_officer", "name",
           "! no-break-glass-rule\n");
    expect(TEAM, "override.made", "reason=imminent_harm duty_role=duty_officer", "name",
           "! no-break-glass-rule\n");
    expect(TEAM, "override.made", "rule=danger-to-anyone reason=court_order duty_role=duty_officer", "name",
           "! reason-not-allowed\n");
    expect(TEAM, "override.made", "rule=danger-to-anyone reason=imminent_harm duty_role=duty_inspector",
           "name", "! not-on-duty\n");
    expect(TEAM, "override.made", "rule=danger-to-anyone reason=imminent_harm", "name", "! not-on-duty\n");
    world.facts.glass.used = 2;
    policy_ask(&world, TEAM, "override.made", DANGER, "name");
    policy_answer(&world);
    assert_true(world.decision.granted);
    world.facts.glass.used = 3;
    assert_string_equal(policy_answer(&world), "! quota-used-up\n");
    world.facts.glass.used = 0;
    world.facts.glass.suspended = true;
    assert_string_equal(policy_answer(&world), "! break-glass-suspended\n");
    policy_close(&world);
}

/* A person under 18 is told about no further than the rules for juveniles let. */
static void test_juvenile(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    expect(FORCE, "override.made",
           "rule=danger-to-staff reason=imminent_harm duty_role=duty_officer juvenile=yes", "name",
           "! gateway-does-not-run yot.staffordshire\n! juvenile drugs\n");
    policy_close(&world);
}

#define CONFIRM                                                                                              \
    "juvenile=no rule=danger-to-anyone reason=imminent_harm target=0190d7a0-0000-7000-8000-000000000001"

static void test_confirmation(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_ask(&world, FORCE, "override.confirmed", CONFIRM, NULL);
    world.request.correlated = true;
    assert_string_equal(policy_answer(&world), "! nothing-to-confirm\n");
    world.facts.correlated_from = bytes_of_string(TEAM);
    world.facts.correlated_event = catalogue_find_event(world.catalogue, bytes_of_string("override.made"));
    world.facts.correlated_same_subject = true;
    world.facts.correlated_disclosed_to_sender = true;
    assert_string_equal(policy_answer(&world), "! nothing-to-confirm\n");
    world.facts.correlated_is_target = true;
    assert_string_equal(policy_answer(&world), TEAM " override-confirmed cda_115: reason rule target\n");
    assert_true(world.decision.record);
    assert_false(world.decision.break_glass);
    /* Also when the one who broke the glass can be told no longer. */
    party_set_remove(&world.facts.active, protocol_find_party(world.protocol, bytes_of_string(TEAM)));
    policy_answer(&world);
    assert_true(world.decision.granted);
    world.facts.glass.settled = true;
    assert_string_equal(policy_answer(&world), "! nothing-to-confirm\n");
    world.facts.glass.settled = false;
    world.facts.correlated_from = bytes_of_string(FORCE);
    assert_string_equal(policy_answer(&world), "! nothing-to-confirm\n");
    world.facts.correlated_from = bytes_of_string(TEAM);
    world.facts.correlated_disclosed_to_sender = false;
    assert_string_equal(policy_answer(&world), "! nothing-to-confirm\n");
    policy_close(&world);
}

/* Without somebody who may confirm there is no break-glass. */
static void test_unconfirmable(void **state)
{
    static const struct policy_mistake mistake = {
        "    answers: {override.confirmed: [override.made]}\n    retention: P12M\n    to:\n"
        "      - class: prison\n        relation: referrer\n        gateway: oma_14_in\n"
        "        crossing: s115_to_part_3\n        bare: yes\n        items: [rule, reason, target]\n"
        "      - class: any\n        except: [prison]\n        relation: referrer\n",
        "    retention: P12M\n    to:\n"
        "      - class: prison\n        relation: every party\n        gateway: oma_14_in\n"
        "        crossing: s115_to_part_3\n        bare: yes\n        items: [rule, reason, target]\n"
        "      - class: any\n        except: [prison]\n        relation: every party\n",
        "nobody may confirm"};
    struct policy_edit edits[] = {{mistake.from, mistake.to}, {NULL, NULL}};
    static struct yaml_errors errors;
    struct byte_buffer catalogue_text = policy_file("catalogue.yaml", NULL);
    struct byte_buffer text = policy_file(FILE_NAME, edits);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    (void)state;
    memset(&errors, 0, sizeof errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&catalogue_text), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol),
                     STATUS_BAD_FORMAT);
    assert_non_null(strstr(errors.list[0].text, mistake.says));
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    bytes_buffer_free(&catalogue_text);
}

/* Who gets counts gets nothing else. */
static void test_aggregates(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"    from: drugs\n    events: [treatment.started",
         "    from: @@[drugs, government]\n    events: [treatment.started", "aggregates only"},
        {"      - class: police\n        relation: home force\n        gateway: oma_14_out\n        items: "
         "[name, dob, pnc_id, asked_items]",
         "      - class: @@[police, government]\n        relation: home force\n        gateway: oma_14_out\n "
         "       items: [name, dob, pnc_id, asked_items]",
         "aggregates only"},
        {"    probation: {class: yot, crossing: s36_4}",
         "    probation: @@{class: government, crossing: s36_4}", "aggregates only"},
        {"  suppress_below: 5", "  suppress_below: @@1", "suppress_below"},
        {"  to: [government]", "  to: [@@ministry]", "no class"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake(FILE_NAME, &mistakes[i]);
    policy_open(&world, NULL);
    assert_int_equal(world.protocol->aggregates.suppress_below, 5);
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),     cmocka_unit_test(test_excluded),
        cmocka_unit_test(test_clinical),     cmocka_unit_test(test_override),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_juvenile),
        cmocka_unit_test(test_confirmation), cmocka_unit_test(test_unconfirmable),
        cmocka_unit_test(test_aggregates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
