#include "tests/support/support.h"

#include <string.h>

#include "policy/explain.h"
#include "tests/support/policy.h"

static struct policy_world world;
static struct byte_buffer text;
static bool yes;

static enum status ask(const struct explain_question *question)
{
    struct kind_reason reason = {""};
    enum status status;

    bytes_buffer_free(&text);
    text = bytes_buffer(65536);
    status = explain_answer(world.protocol, question, POLICY_NOW, &yes, &text, &reason);
    assert_int_equal(status == STATUS_OK, reason.text[0] == '\0');
    bytes_append_u8(&text, 0);
    return status;
}

static void says(const char *part)
{
    if (strstr((const char *)text.data, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, (const char *)text.data);
}

static void test_yes(void **state)
{
    static const char *const consents[] = {"throughcare"};
    struct explain_question question = {.event = "arrest.made",
                                        .from = "police.staffordshire",
                                        .to = "drugs.stoke",
                                        .consents = consents,
                                        .consent_count = 1};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Yes: police.staffordshire may send arrest.made to drugs.stoke.");
    says("Rule: arrest (CC 9, CC 27, ST 5)");
    says("Crime and Disorder Act 1998 s.115");
    says("s.63B(7)");
    says("s.36(4)");
    says("consent throughcare");
    says("Items: name, dob, station, drug_test_result.");
    says("Not for them, though the event may carry it: pnc_id,");
    says("Due by 2026-12-01T13:00:00.000Z.");
    says("Kept for 12 months.");
    question.consent_count = 0;
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("no consent 'throughcare' is in force");
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_no(void **state)
{
    struct explain_question question = {.event = "release.planned",
                                        .from = "prison.dovegate",
                                        .to = "police.staffordshire",
                                        .home_force = "30"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("no party is the home force 30");
    question.home_force = NULL;
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    question.strand = "prevent_deter";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("does not cover the strand 'prevent_deter'");
    question = (struct explain_question){.event = "release.planned",
                                         .from = "prison.dovegate",
                                         .to = "probation.staffordshire",
                                         .juvenile = true};
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("class yot takes the place of class probation");
    question = (struct explain_question){
        .event = "release.planned", .from = "prison.dovegate", .to = "prison.stafford"};
    assert_int_equal(ask(&question), STATUS_OK);
    says("what is not granted is denied");
    question.from = "drugs.stoke";
    assert_int_equal(ask(&question), STATUS_OK);
    says("No rule lets class drugs send release.planned to anybody");
    bytes_buffer_free(&text);
    policy_close(&world);
}

/* Every rule by which that class hears of it. */
static void mark(bool answered[static 32], uint16_t event, uint16_t from, uint16_t to)
{
    const struct protocol_pair *pair = protocol_pair_of(world.protocol, event, from);

    for (uint32_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &world.protocol->routes[pair->first_route + i];

        if (route->to_class == to)
            answered[route->rule] = true;
    }
}

/* One item: yes only if it is among what the recipient would get. */
static void test_item(void **state)
{
    struct explain_question question = {.event = "release.planned",
                                        .from = "prison.dovegate",
                                        .to = "probation.staffordshire",
                                        .item = "address"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Yes: the item address is among what probation.staffordshire would receive of release.planned.");
    question.to = "police.staffordshire";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("No: the item address is not among what police.staffordshire would receive of release.planned.");
    says("Yes: prison.dovegate may send release.planned to police.staffordshire.");
    question.to = NULL;
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Yes: the item address is among what anybody would receive of release.planned.");
    question.item = "crn";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    question.item = "drug_test_result";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_everybody(void **state)
{
    struct explain_question question = {.event = "release.planned", .from = "prison.dovegate"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Yes: release.planned goes to police.staffordshire, probation.staffordshire; 1 refused.\n");
    says("- police.staffordshire receives name, dob, pnc_id, ");
    says("(rule release-notice, CC 39; ");
    says("- Rule release-notice: release.planned is not for drugs.stoke, because no consent 'throughcare'");
    question.event = "treatment.accepted";
    question.from = "drugs.stoke";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    question.event = "release.planned";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    bytes_buffer_free(&text);
    policy_close(&world);
}

/* A denial says why, of the event itself and of single items. */
static void test_denials(void **state)
{
    struct explain_question question = {
        .event = "intelligence.recorded", .from = "police.staffordshire", .to = "probation.staffordshire"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("The protocol denies it (intelligence, CC 23): intelligence stays within the police");
    question.to = NULL;
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("The protocol denies it (intelligence, CC 23): ");
    question.event = "warrant.issued";
    question.to = "electronic_monitoring.national";
    assert_int_equal(ask(&question), STATUS_OK);
    says("The protocol denies it (police-to-monitoring, CC 21): ");
    question.to = "cps.staffordshire";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_null(strstr((const char *)text.data, "denies"));
    question.event = "arrest.made";
    question.to = "probation.staffordshire";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Denied to them, whatever a rule grants: crn, force.");
    bytes_buffer_free(&text);
    policy_close(&world);
}

/* Who asks in vain is told where it does go, and from where. */
static void test_who_does(void **state)
{
    struct explain_question question = {
        .event = "release.planned", .from = "prison.dovegate", .to = "prison.stafford"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    says("From class prison it may go to: police, probation, drugs.\n");
    question.from = "police.staffordshire";
    question.to = "probation.staffordshire";
    assert_int_equal(ask(&question), STATUS_OK);
    assert_false(yes);
    says("Class probation may receive it from: prison.\n");
    bytes_buffer_free(&text);
    policy_close(&world);
}

/* Every rule can be asked about, and the answer is yes for somebody. */
static void test_every_rule_can_answer_yes(void **state)
{
    static const char *const consents[] = {"throughcare", "share_with_probation", "share_with_ppo_team",
                                           "referral",    "share_with_provider",  "victim_contact"};
    bool answered[PROTOCOL_RULES_MAX] = {false};

    (void)state;
    policy_open(&world, NULL);
    for (uint16_t event = 0; event < world.catalogue->event_count; event++) {
        for (uint16_t i = 0; i < world.protocol->party_count * world.protocol->party_count; i++) {
            uint16_t from = i / world.protocol->party_count, to = i % world.protocol->party_count;
            struct explain_question question = {.event = world.catalogue->events[event].type,
                                                .from = world.protocol->parties[from].id,
                                                .to = world.protocol->parties[to].id,
                                                .consents = consents,
                                                .consent_count = 6};

            assert_int_equal(ask(&question), STATUS_OK);
            if (yes)
                mark(answered, event, world.protocol->parties[from].class_index,
                     world.protocol->parties[to].class_index);
        }
    }
    for (uint16_t i = 0; i < world.protocol->rule_count; i++)
        assert_int_equal(answered[i], !world.protocol->rules[i].record && !world.protocol->rules[i].follows);
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_corrections(void **state)
{
    struct explain_question question = {
        .event = "event.retracted", .from = "prison.dovegate", .to = "drugs.stoke"};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(ask(&question), STATUS_OK);
    assert_true(yes);
    says("Yes, if drugs.stoke was told the event of prison.dovegate that it names");
    says("rule 'correction' (DPA 2018 s.47, DPA 2018 s.48). Nobody else gets it.");
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_unknown_names(void **state)
{
    static const char *const consents[] = {"aftercare"};
    const struct explain_question good = {
        .event = "arrest.made", .from = "police.staffordshire", .to = "drugs.stoke"};
    struct explain_question question = good;

    (void)state;
    policy_open(&world, NULL);
    question.event = "arrest.mad";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    question = good;
    question.from = "police.derby";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    question = good;
    question.to = "drugs.derby";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    question = good;
    question.area = "derby";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    question = good;
    question.strand = "derby";
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    question = good;
    question.consents = consents;
    question.consent_count = 1;
    assert_int_equal(ask(&question), STATUS_NOT_FOUND);
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_summary(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    text = bytes_buffer(65536);
    explain_summary(world.protocol, &text);
    bytes_append_u8(&text, 0);
    says("18 parties, 35 rules, 5 records; 48 of 51 event types may be sent.");
    says("In force from 2026-04-01 until 2027-09-30");
    says("Nobody may send: intelligence.recorded,");
    bytes_buffer_free(&text);
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yes),
        cmocka_unit_test(test_no),
        cmocka_unit_test(test_item),
        cmocka_unit_test(test_everybody),
        cmocka_unit_test(test_who_does),
        cmocka_unit_test(test_denials),
        cmocka_unit_test(test_every_rule_can_answer_yes),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_corrections),
        cmocka_unit_test(test_summary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
