#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/db.h"
#include "broker/rulebook.h"
#include "proto/batch.h"
#include "proto/logrow.h"
#include "tests/support/exchange.h"
#include "tests/support/policy.h"

#define HELD   "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"
#define NOTICE "release_date=2026-12-29 home_force=21"

static void make_notice(struct exchange *exchange, struct exchange_event *event, unsigned person)
{
    exchange_make(exchange, event, EXCHANGE_DOVEGATE, "release.planned", person, NOTICE, HELD);
}

static void publish(struct exchange *exchange, size_t from, const char *type, unsigned person,
                    const char *attributes, const char *held)
{
    struct exchange_event event;

    exchange_make(exchange, &event, from, type, person, attributes, held);
    const Wire__Outcome *outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("%s: %s", type, outcome->reason);
    exchange_drop(&event);
}

static void withdraw(struct exchange *exchange, unsigned person)
{
    publish(exchange, EXCHANGE_PROBATION, "consent.withdrawn", person, "scope=throughcare form_version=3",
            NULL);
}

static void remove_person(struct exchange *exchange, unsigned person)
{
    publish(exchange, EXCHANGE_POLICE, "ppo.removed", person, "reason=moved authority=bcu_commander",
            "name,dob,pnc_id,prison_no");
}

static bool grants(const Wire__Plan *plan, const char *to)
{
    for (size_t i = 0; i < plan->n_grants; i++) {
        if (strcmp(plan->grants[i]->to, to) == 0)
            return true;
    }
    return false;
}

static void check_ground(struct exchange *exchange, const Wire__Ground *ground, const char *type)
{
    struct batch_signer signer;
    struct core core;
    const struct directory_entry *entry =
        directory_by_certificate(bundle_directory(exchange->bundle), ground->certificate.data);

    assert_non_null(entry);
    memcpy(signer.root.bytes, bundle_root_digest(exchange->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    assert_int_equal(envelope_ground_verify(ground, &signer, entry->signing, &core), STATUS_OK);
    assert_true(bytes_equal(core.type, bytes_of_string(type)));
    assert_true(bytes_equal(core.from, bytes_of_string(entry->member)));
    assert_true(ground->committed > 0);
}

/* A plan shows the signed events that it rests on, oldest first; without consent the drug team is a gap. */
static void test_plan_shows_its_grounds(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    const Wire__Plan *plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->verdict, WIRE__VERDICT__ACCEPTED);
    assert_int_equal(plan->n_grants, 2);
    assert_false(grants(plan, "drugs.stoke"));
    assert_int_equal(plan->n_grounds, 1);
    check_ground(exchange, plan->grounds[0], "ppo.added");
    assert_int_equal(plan->n_refusals, 1);
    assert_string_equal(plan->refusals[0]->code, "no-consent");
    exchange_consent(exchange, 1, "throughcare");
    plan = exchange_plan(exchange, &event);
    assert_true(grants(plan, "drugs.stoke"));
    assert_int_equal(plan->n_grounds, 2);
    check_ground(exchange, plan->grounds[0], "ppo.added");
    check_ground(exchange, plan->grounds[1], "consent.given");
    assert_true(plan->grounds[0]->committed <= plan->grounds[1]->committed);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    plan = exchange_plan(exchange, &event);
    assert_int_equal(plan->n_grounds, 2);
    exchange_drop(&event);
}

/* Whoever may not send a type learns nothing about the person. */
static void test_uniform_refusal(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event known;
    struct exchange_event unknown;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_make(exchange, &known, EXCHANGE_DRUGS, "release.planned", 1, NOTICE, HELD);
    exchange_make(exchange, &unknown, EXCHANGE_DRUGS, "release.planned", 2, NOTICE, HELD);
    const Wire__Plan *a = exchange_plan(exchange, &known);
    const Wire__Plan *b = exchange_plan(exchange, &unknown);
    assert_int_equal(a->verdict, WIRE__VERDICT__REFUSED);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->n_refusals, b->n_refusals);
    assert_int_equal(a->n_grounds, 0);
    exchange_drop(&known);
    exchange_drop(&unknown);
}

/* Whether these bytes stand anywhere in the queue's rows. */
static bool queue_holds(const struct exchange *exchange, struct byte_view bytes)
{
    char path[160];
    struct db *db = NULL;
    struct db_statement *statement = NULL;
    struct db_options options = {.application_id = 0x434f4e42,
                                 .user_version = LOGROW_STORE_VERSION,
                                 .schema_sql = "",
                                 .read_only = true};
    bool found = false;
    bool row = true;

    snprintf(path, sizeof path, "%s/broker.db", exchange->folder);
    assert_int_equal(db_open(path, &options, &db), STATUS_OK);
    assert_int_equal(db_statement(db, "SELECT sections FROM queue", &statement), STATUS_OK);
    while (db_step(statement, &row) == STATUS_OK && row) {
        struct byte_view sections = db_column_blob(statement, 0);
        found = found || memmem(sections.data, sections.size, bytes.data, bytes.size) != NULL;
    }
    db_close(&db);
    return found;
}

/* A withdrawal takes back what nobody has fetched: the bytes are gone, the log says so, the others get
 * theirs. */
static void test_withdrawal_takes_back(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
    make_notice(exchange, &event, 1);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    assert_int_equal(event.section_count, 3);
    exchange_stop(exchange);
    assert_true(queue_holds(exchange, event.slots[0].section));
    exchange_connect_all(exchange);
    withdraw(exchange, 1);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 10, 0);
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    assert_string_equal(frame->deliver->from,
                        "police.staffordshire"); /* the listing, which needs no consent */
    exchange_none(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    exchange_fetch(exchange, EXCHANGE_PROBATION, 10, 0);
    (void)exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_DELIVER);
    frame = exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_DELIVER);
    assert_string_equal(frame->deliver->from, "prison.dovegate");
    exchange_stop(exchange);
    assert_false(queue_holds(exchange, event.slots[0].section)); /* drugs.stoke is the first of three */
    assert_true(queue_holds(exchange, event.slots[1].section));
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_WITHDRAWN), 1);
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* What was handed over without a receipt is recalled, again with every connection, until that is confirmed.
 */
static void test_recall_in_flight(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct byte_buffer receipts;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
    make_notice(exchange, &event, 1);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 10, 0);
    (void)exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    const Wire__Frame *delivered = exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    assert_string_equal(delivered->deliver->from, "prison.dovegate");
    withdraw(exchange, 1);
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECALL);
    assert_int_equal(frame->recall->n_items, 1);
    assert_string_equal(frame->recall->items[0]->from, "prison.dovegate");
    assert_memory_equal(frame->recall->items[0]->event.data, event.core.event, CORE_EVENT_SIZE);
    /* A receipt that crossed the recall confirms nothing any more. */
    exchange_receipts(exchange, EXCHANGE_DRUGS, delivered->deliver, RECEIPT_STORED, &receipts);
    exchange_send(exchange, EXCHANGE_DRUGS, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    (void)exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECEIPTS_STORED);
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 10, 0);
    (void)exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECALL);
    exchange_report(exchange, EXCHANGE_DRUGS, WIRE__REPORT_KIND__RECALLED, &event);
    exchange_disconnect(exchange, EXCHANGE_DRUGS);
    exchange_connect(exchange, EXCHANGE_DRUGS);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 10, 0);
    exchange_none(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_RECALL);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 0);
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), 2); /* called back, and confirmed */
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* In one group: a withdrawal committed before a publish that rests on the consent lets nothing out. */
static void test_withdrawal_races_publish(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event notice;
    struct exchange_event withdrawal;
    struct exchange_event *list[] = {&notice};
    struct exchange_event *other[] = {&withdrawal};
    struct byte_buffer frames[2];

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
    make_notice(exchange, &notice, 1);
    exchange_seal(exchange, &notice, exchange_plan(exchange, &notice));
    exchange_make(exchange, &withdrawal, EXCHANGE_PROBATION, "consent.withdrawn", 1,
                  "scope=throughcare form_version=3", NULL);
    exchange_seal(exchange, &withdrawal, exchange_plan(exchange, &withdrawal));
    exchange_frame(exchange, list, 1, &frames[0]);
    exchange_frame(exchange, other, 1, &frames[1]);
    exchange_send(exchange, EXCHANGE_PROBATION, bytes_buffer_view(&frames[1]));
    exchange_send(exchange, EXCHANGE_DOVEGATE, bytes_buffer_view(&frames[0]));
    const Wire__Frame *answer = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->outcomes[0]->verdict, WIRE__VERDICT__STALE);
    answer = exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->outcomes[0]->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_fetch(exchange, EXCHANGE_DRUGS, 10, 0);
    (void)exchange_wait(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    exchange_none(exchange, EXCHANGE_DRUGS, WIRE__FRAME__VERB_DELIVER);
    for (size_t i = 0; i < 2; i++)
        bytes_buffer_free(&frames[i]);
    exchange_drop(&notice);
    exchange_drop(&withdrawal);
}

/* A consent written before the withdrawal took effect cannot come back to life by arriving after it. */
static void test_grant_older_than_withdrawal(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event old;
    struct exchange_event notice;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "throughcare");
    exchange_make(exchange, &old, EXCHANGE_PROBATION, "consent.given", 1,
                  "scope=throughcare form_version=3 expires=2027-03-31", NULL);
    withdraw(exchange, 1);
    assert_int_equal(exchange_plan(exchange, &old)->verdict, WIRE__VERDICT__REFUSED);
    exchange_close(&old);
    assert_int_equal(exchange_submit(exchange, &old)->verdict, WIRE__VERDICT__REFUSED);
    make_notice(exchange, &notice, 1);
    assert_false(grants(exchange_plan(exchange, &notice), "drugs.stoke"));
    exchange_drop(&old);
    exchange_drop(&notice);
}

/* Off the list: release notices on their way are taken back, the removal itself arrives. */
static void test_removal_takes_back(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;
    const Wire__Frame *frame;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&event);
    remove_person(exchange, 1);
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    exchange_fetch(exchange, EXCHANGE_STAFFORD, 10, 0);
    size_t arrived = 0;
    while (arrived < 1) {
        frame = exchange_wait(exchange, EXCHANGE_STAFFORD, WIRE__FRAME__VERB_DELIVER);
        struct header header;
        struct core core;
        assert_int_equal(header_parse(wire_view(frame->deliver->events[0]->header), &header), STATUS_OK);
        assert_int_equal(core_decode(header.core, &core), STATUS_OK);
        arrived += bytes_equal(core.type, bytes_of_string("ppo.removed"));
    }
    make_notice(exchange, &event, 1);
    assert_int_equal(exchange_plan(exchange, &event)->verdict, WIRE__VERDICT__REFUSED);
    exchange_stop(exchange);
    assert_true(exchange_entries(exchange, RECORD_RECALLED) >= 2); /* police and probation */
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* A standing notice, then a consent: the prison is asked to plan again, and only the drug team gets the
 * repeat. */
static void test_replan(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event notice;
    struct exchange_event repeat;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &notice, 1);
    assert_int_equal(exchange_publish(exchange, &notice)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_consent(exchange, 1, "throughcare");
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    assert_int_equal(frame->replan->n_events, 1);
    assert_memory_equal(frame->replan->events[0].data, notice.core.event, CORE_EVENT_SIZE);
    /* It is said again with the next connection, also after a restart. */
    exchange_stop(exchange);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 0);
    (void)exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    make_notice(exchange, &repeat, 1);
    exchange_refer(&repeat, NULL, NULL, notice.core.event);
    const Wire__Plan *plan = exchange_plan(exchange, &repeat);
    assert_int_equal(plan->n_grants, 1);
    assert_string_equal(plan->grants[0]->to, "drugs.stoke");
    exchange_seal(exchange, &repeat, plan);
    assert_int_equal(exchange_submit(exchange, &repeat)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_disconnect(exchange, EXCHANGE_DOVEGATE);
    exchange_connect(exchange, EXCHANGE_DOVEGATE);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 1, 0);
    exchange_none(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    exchange_drop(&repeat);
    make_notice(exchange, &repeat, 1);
    exchange_refer(&repeat, NULL, NULL, notice.core.event);
    plan = exchange_plan(exchange, &repeat);
    assert_int_equal(plan->verdict, WIRE__VERDICT__REFUSED);
    exchange_drop(&notice);
    exchange_drop(&repeat);
}

/* What was superseded is not planned again. */
static void test_superseded_is_not_replanned(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event notice;
    struct exchange_event change;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &notice, 1);
    assert_int_equal(exchange_publish(exchange, &notice)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_make(exchange, &change, EXCHANGE_DOVEGATE, "release.date_changed", 1, NOTICE,
                  HELD ",old_date,cause");
    exchange_refer(&change, NULL, notice.core.event, NULL);
    assert_int_equal(exchange_publish(exchange, &change)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_fetch(exchange, EXCHANGE_DOVEGATE, 0, 0); /* it is told first that the notice was replaced */
    exchange_consent(exchange, 1, "throughcare");
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    assert_int_equal(frame->replan->n_events, 1);
    assert_memory_equal(frame->replan->events[0].data, change.core.event, CORE_EVENT_SIZE);
    exchange_none(exchange, EXCHANGE_DOVEGATE, WIRE__FRAME__VERB_REPLAN);
    exchange_drop(&notice);
    exchange_drop(&change);
}

/* A repeat is of the same type as what it repeats. */
static void test_repeats_of_another_type(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event notice;
    struct exchange_event repeat;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &notice, 1);
    assert_int_equal(exchange_publish(exchange, &notice)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_consent(exchange, 1, "throughcare");
    exchange_make(exchange, &repeat, EXCHANGE_DOVEGATE, "release.date_changed", 1, NOTICE,
                  HELD ",old_date,cause");
    exchange_refer(&repeat, NULL, NULL, notice.core.event);
    const Wire__Plan *plan = exchange_plan(exchange, &repeat);
    assert_int_equal(plan->verdict, WIRE__VERDICT__REFUSED);
    assert_non_null(strstr(plan->reason, "another type"));
    exchange_close(&repeat);
    assert_int_equal(exchange_submit(exchange, &repeat)->verdict, WIRE__VERDICT__REFUSED);
    exchange_drop(&notice);
    exchange_drop(&repeat);
}

/* A merge is about one of the two records that it names. */
static void test_merge_about_somebody_else(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event merge;
    char attributes[2 * 72 + 64];
    char hex[2][2 * CORE_SUBJECT_SIZE + 1];

    exchange_connect_all(exchange);
    for (unsigned person = 1; person < 3; person++) {
        exchange_list(exchange, person);
        exchange_make(exchange, &merge, EXCHANGE_POLICE, "arrest.made", person, NULL, "name");
        bytes_to_hex(merge.core.subject, CORE_SUBJECT_SIZE, hex[person - 1]);
        exchange_drop(&merge);
    }
    exchange_list(exchange, 3);
    snprintf(attributes, sizeof attributes, "merged_from=%s merged_to=%s", hex[0], hex[1]);
    for (unsigned person = 1; person < 4; person++) {
        exchange_make(exchange, &merge, EXCHANGE_POLICE, "subject.merged", person, attributes, NULL);
        const Wire__Plan *plan = exchange_plan(exchange, &merge);
        assert_int_equal(plan->verdict, person < 3 ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__REFUSED);
        exchange_drop(&merge);
    }
}

/* A referral is answered to the referrer only. */
static void test_answer_goes_to_the_referrer(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event referral;
    struct exchange_event answer;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_consent(exchange, 1, "referral");
    exchange_make(exchange, &referral, EXCHANGE_PROBATION, "treatment.referred", 1, NULL, "name,dob,contact");
    assert_int_equal(exchange_publish(exchange, &referral)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_make(exchange, &answer, EXCHANGE_DRUGS, "treatment.accepted", 1, NULL, "appointment");
    assert_int_equal(exchange_plan(exchange, &answer)->verdict, WIRE__VERDICT__REFUSED);
    exchange_refer(&answer, referral.core.event, NULL, NULL);
    const Wire__Plan *plan = exchange_plan(exchange, &answer);
    assert_int_equal(plan->n_grants, 1);
    assert_string_equal(plan->grants[0]->to, "probation.staffordshire");
    exchange_seal(exchange, &answer, plan);
    assert_int_equal(exchange_submit(exchange, &answer)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_drop(&referral);
    exchange_drop(&answer);
}

/* A plan that nobody follows is a look at the person, or a refusal: logged. */
static void test_unfollowed_plan_is_logged(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event event;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_stop(exchange);
    exchange->limits.consulted_after = 1;
    exchange_connect_all(exchange);
    make_notice(exchange, &event, 1);
    (void)exchange_plan(exchange, &event);
    exchange_drop(&event);
    make_notice(exchange, &event, 2); /* who is not on the list */
    assert_int_equal(exchange_plan(exchange, &event)->verdict, WIRE__VERDICT__REFUSED);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_CONSULTED), 2);
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

/* A protocol that grants the drug team nothing any more, and a member that is revoked: what waits is taken
 * back. */
static void test_new_bundle_decides_again(void **state)
{
    static const struct policy_edit edits[] = {
        {"    late: send and flag\n    on_change: supersede\n    "
         "retention: P12M\n    to:\n      - class: police\n",
         "    late: send and flag\n    on_change: supersede\n    "
         "retention: P12M\n    to:\n      - class: electronic_monitoring\n"},
        {NULL, NULL}};
    struct exchange *exchange = *state;
    struct exchange_event event;
    struct bundle_reason reason;
    size_t revoked = 0;

    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    make_notice(exchange, &event, 1);
    assert_int_equal(exchange_publish(exchange, &event)->verdict, WIRE__VERDICT__ACCEPTED);
    exchange_load(exchange, exchange_bundle(exchange, edits));
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    assert_int_equal(enrol_revoke(exchange->partnership->authority, "prison.stafford", "left",
                                  exchange->partnership->now, &revoked, &reason),
                     STATUS_OK);
    exchange_load(exchange, exchange_bundle(exchange, edits));
    exchange_fetch(exchange, EXCHANGE_STAFFORD, 10, 0);
    exchange_none(exchange, EXCHANGE_STAFFORD, WIRE__FRAME__VERB_DELIVER);
    exchange_fetch(exchange, EXCHANGE_PROBATION, 10, 0);
    (void)exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_DELIVER);
    (void)exchange_wait(exchange, EXCHANGE_PROBATION, WIRE__FRAME__VERB_DELIVER);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_MEMBER_REVOKED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_RECALLED), 2);
    exchange_assert_log(exchange);
    exchange_drop(&event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchange_setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plan_shows_its_grounds),      TEST(test_uniform_refusal),
        TEST(test_withdrawal_takes_back),       TEST(test_recall_in_flight),
        TEST(test_withdrawal_races_publish),    TEST(test_grant_older_than_withdrawal),
        TEST(test_removal_takes_back),          TEST(test_replan),
        TEST(test_repeats_of_another_type),     TEST(test_merge_about_somebody_else),
        TEST(test_superseded_is_not_replanned), TEST(test_answer_goes_to_the_referrer),
        TEST(test_unfollowed_plan_is_logged),   TEST(test_new_bundle_decides_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
