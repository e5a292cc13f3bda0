#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "agent/arrival.h"
#include "agent/consents.h"
#include "agent/inbox_event.h"
#include "agent/plan.h"
#include "agent/sealing.h"
#include "proto/labels.h"
#include "proto/receipt.h"
#include "tests/support/postroom.h"

/* What a dishonest sender makes: an event of ours sealed under a decision of its own. */
struct forged {
    struct plan *plan;
    struct policy_decision decision;
    struct sealed_event sealed;
    struct envelope_delivered delivered;
};

static void prepare_as(struct postroom *room, struct forged *forged, enum postroom_member from,
                       const char *type, const uint8_t *correlation, const char *values)
{
    struct agent *agent = room->agents[from];
    struct prepared prepared = {0};
    struct byte_buffer kept = bytes_buffer(PREPARED_SIZE_MAX);
    struct person person;
    char text[512];

    assert_int_equal(people_by_pnc(agent->people, NULL, bytes_of_string(POSTROOM_PNC), &person), STATUS_OK);
    assert_int_equal(uuid_next(&agent->ids, room->now, prepared.event), STATUS_OK);
    memcpy(prepared.subject, person.subject.bytes, CORE_SUBJECT_SIZE);
    prepared.type = bytes_of_string(type);
    prepared.has_correlation = correlation != NULL;
    if (correlation != NULL)
        memcpy(prepared.correlation, correlation, CORE_EVENT_SIZE);
    prepared.protocol = bytes_of_string("staffordshire-ppo");
    prepared.officer = bytes_of_string("unix:1");
    prepared.occurred = prepared.created = room->now;
    (void)strncpy(text, values, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (char *save = NULL, *entry = strtok_r(text, ";", &save); entry != NULL;
         entry = strtok_r(NULL, ";", &save)) {
        char *equals = strchr(entry, '=');

        prepared.values[prepared.value_count].label = bytes_view(entry, (size_t)(equals - entry));
        prepared.values[prepared.value_count].value = bytes_of_string(equals + 1);
        prepared.value_count++;
    }
    assert_int_equal(prepared_encode(&prepared, &kept), STATUS_OK);
    assert_int_equal(plan_make(agent->membership, bytes_of_string(agent->settings.member), &kept,
                               agent->random, room->now, &forged->plan),
                     STATUS_OK);
}

static void prepare(struct postroom *room, struct forged *forged, const char *values)
{
    prepare_as(room, forged, POSTROOM_DOVEGATE, "release.planned", NULL, values);
}

static void grant(struct postroom *room, struct forged *forged, const char *to, const char *rule,
                  const char *labels)
{
    const struct catalogue *catalogue = room->rules->catalogue;
    struct policy_recipient *recipient = &forged->decision.recipients[forged->decision.recipient_count++];
    struct byte_view rest = bytes_of_string(labels);
    struct byte_view label = {0};

    recipient->to = to;
    recipient->rule = rule;
    while (labels_next(&rest, &label))
        label_set_add(&recipient->labels, catalogue_find_label(catalogue, label));
}

static void seal(struct postroom *room, struct forged *forged)
{
    struct agent *agent = room->agents[POSTROOM_DOVEGATE];
    struct sealing *sealing = NULL;
    struct envelope_delivered *delivered = &forged->delivered;
    struct header header;

    assert_int_equal(sealing_start(agent->random, &sealing), STATUS_OK);
    assert_int_equal(sealing_event(sealing, agent->membership, forged->plan, &forged->decision, room->now,
                                   &forged->sealed),
                     STATUS_OK);
    sealing_end(&sealing);
    assert_int_equal(header_parse(bytes_buffer_view(&forged->sealed.header), &header), STATUS_OK);
    delivered->header = header;
    assert_int_equal(core_decode(header.core, &delivered->core), STATUS_OK);
    assert_int_equal(
        section_decode(bytes_buffer_view(&forged->sealed.sections[0].bytes), &delivered->section), STATUS_OK);
    header_digest(bytes_buffer_view(&forged->sealed.header), delivered->header_digest);
    core_digest(header.core, delivered->core_digest);
    memcpy(delivered->section_digest, forged->sealed.sections[0].digest, SECTION_DIGEST_SIZE);
    delivered->counter = 7;
}

static enum arrival_reason judge(struct postroom *room, struct forged *forged, struct arrival *arrival)
{
    struct agent *police = room->agents[POSTROOM_POLICE];
    struct arrival_opener *opener = NULL;

    assert_int_equal(arrival_opener_new(police->keystore, &opener), STATUS_OK);
    assert_int_equal(
        arrival_judge(police, police->membership, opener, &forged->delivered, room->now, arrival), STATUS_OK);
    arrival_opener_free(&opener);
    return arrival->reason;
}

static void drop(struct forged *forged)
{
    plan_free(&forged->plan);
    sealing_event_free(&forged->sealed);
    *forged = (struct forged){0};
}

#define VALUES "name=Liam;dob=1971-09-16;release_date=2026-12-20;crn=X123456"

static void content_is_checked_against_rule_and_labels(void **state)
{
    static const struct {
        const char *rule;
        const char *labels;
        const char *values;
        enum arrival_reason reason;
    } cases[] = {
        {"release-notice", "name,dob,release_date", VALUES, ARRIVAL_NONE},
        {"release-notice", "dob", VALUES, ARRIVAL_NONE},
        {"release-notice", "name,crn", VALUES, ARRIVAL_LABELS},
        {"breach", "name", VALUES, ARRIVAL_RULE},
        {"no-such-rule", "name", VALUES, ARRIVAL_RULE},
        {"release-notice", "dob", "dob=1971-02-30", ARRIVAL_KIND},
        {"release-notice", "release_date", "release_date=soon", ARRIVAL_KIND},
    };
    struct postroom *room = postroom_open();

    (void)state;
    postroom_list(room);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forged *forged = calloc(1, sizeof *forged);
        struct arrival arrival = {0};

        if (strstr(cases[i].values, "soon") != NULL) {
            /* An attribute of no kind does not even come out of our own planning: put it in afterwards. */
            prepare(room, forged, VALUES);
            for (size_t j = 0; j < forged->plan->prepared.value_count; j++)
                if (forged->plan->prepared.values[j].value.size == 10 &&
                    forged->plan->prepared.values[j].label.size == 12)
                    forged->plan->prepared.values[j].value.size = 9;
        } else {
            prepare(room, forged, cases[i].values);
        }
        grant(room, forged, "police.staffordshire", cases[i].rule, cases[i].labels);
        seal(room, forged);
        assert_int_equal(judge(room, forged, &arrival), cases[i].reason);
        assert_int_equal(arrival.items != NULL, cases[i].reason == ARRIVAL_NONE);
        assert_true(arrival.until > room->now);
        arrival_free(&arrival);
        drop(forged);
        free(forged);
    }
    postroom_close(&room);
}

static void a_section_of_another_event_does_not_open(void **state)
{
    struct postroom *room = postroom_open();
    struct forged *forged = calloc(1, sizeof *forged);
    struct arrival arrival = {0};

    (void)state;
    postroom_list(room);
    prepare(room, forged, VALUES);
    grant(room, forged, "police.staffordshire", "release-notice", "name");
    seal(room, forged);
    forged->delivered.core_digest[3] ^= 1;
    assert_int_equal(judge(room, forged, &arrival), ARRIVAL_SEAL);
    arrival_free(&arrival);
    drop(forged);
    free(forged);
    postroom_close(&room);
}

static void late_is_judged_here(void **state)
{
    struct postroom *room = postroom_open();
    struct forged *forged = calloc(1, sizeof *forged);
    struct arrival arrival = {0};

    (void)state;
    postroom_list(room);
    prepare(room, forged, VALUES);
    grant(room, forged, "police.staffordshire", "release-notice", "name,release_date");
    seal(room, forged);
    assert_int_equal(judge(room, forged, &arrival), ARRIVAL_NONE);
    assert_false(arrival.late);
    arrival_free(&arrival);
    room->now = INT64_C(1796601599999); /* the end of 2026-12-06: 14 days before 2026-12-20 */
    assert_int_equal(judge(room, forged, &arrival), ARRIVAL_NONE);
    assert_false(arrival.late);
    arrival_free(&arrival);
    room->now += 1;
    assert_int_equal(judge(room, forged, &arrival), ARRIVAL_NONE);
    assert_true(arrival.late);
    arrival_free(&arrival);
    drop(forged);
    free(forged);
    postroom_close(&room);
}

/* Every receipt that waits says this. */
static size_t count_receipts(struct agent *agent, enum receipt_outcome outcome)
{
    struct db_statement *statement = NULL;
    bool row = false;
    size_t count = 0;

    assert_int_equal(db_statement(agent->db, "SELECT receipt FROM receipt_due", &statement), STATUS_OK);
    while (db_step(statement, &row) == STATUS_OK && row) {
        struct receipt receipt;

        assert_int_equal(receipt_decode(db_column_blob(statement, 0), &receipt), STATUS_OK);
        assert_int_equal(receipt.outcome, outcome);
        assert_int_equal(receipt.counter, 7);
        count++;
    }
    return count;
}

static void quarantine_keeps_no_values_and_is_reported(void **state)
{
    struct postroom *room = postroom_open();
    struct agent *police = room->agents[POSTROOM_POLICE];
    struct forged *forged = calloc(1, sizeof *forged);
    struct arrival arrival = {0};
    struct inbox_event event;
    bool known = false;

    (void)state;
    postroom_list(room);
    prepare(room, forged, VALUES);
    grant(room, forged, "police.staffordshire", "release-notice", "name,crn");
    seal(room, forged);
    assert_int_equal(judge(room, forged, &arrival), ARRIVAL_LABELS);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(db_begin(police->db), STATUS_OK);
        assert_int_equal(
            inbox_store(police, bytes_of_string("prison.dovegate"), &forged->delivered, &arrival, room->now),
            STATUS_OK);
        assert_int_equal(db_commit(police->db), STATUS_OK);
    }
    assert_int_equal(inbox_event_find(police, forged->delivered.core.event, &event), STATUS_OK);
    assert_int_equal(event.state, INBOX_QUARANTINED);
    assert_int_equal(event.reason, ARRIVAL_LABELS);
    assert_int_equal(event.item_count, 0);
    assert_int_equal(event.label_count, 2);
    inbox_event_free(&event);
    assert_int_equal(postroom_incidents(room, POSTROOM_POLICE, "in quarantine"), 1);
    assert_int_equal(count_receipts(police, RECEIPT_QUARANTINED), 2);
    assert_int_equal(
        inbox_known(police, bytes_of_string("prison.stafford"), forged->delivered.core.event, &known),
        STATUS_OK);
    assert_false(known);
    /* The same id with another content: the first stays, the second is told. */
    forged->delivered.header_digest[0] ^= 1;
    assert_int_equal(db_begin(police->db), STATUS_OK);
    assert_int_equal(
        inbox_store(police, bytes_of_string("prison.dovegate"), &forged->delivered, &arrival, room->now),
        STATUS_OK);
    assert_int_equal(db_commit(police->db), STATUS_OK);
    assert_int_equal(postroom_incidents(room, POSTROOM_POLICE, "came before with another content"), 1);
    arrival_free(&arrival);
    drop(forged);
    free(forged);
    postroom_close(&room);
}

/* What comes after its retention has ended was here before, or should never come. */
static void what_is_older_than_its_retention_is_set_aside(void **state)
{
    struct postroom *room = postroom_open();
    struct agent *police = room->agents[POSTROOM_POLICE];
    struct forged *forged = calloc(1, sizeof *forged);
    struct arrival_opener *opener = NULL;

    (void)state;
    postroom_list(room);
    prepare(room, forged, VALUES);
    grant(room, forged, "police.staffordshire", "release-notice", "name");
    seal(room, forged);
    assert_int_equal(arrival_opener_new(police->keystore, &opener), STATUS_OK);
    for (int over = 0; over < 2; over++) {
        const struct duration year = {12, 0};
        const int64_t end = civil_add_duration(forged->delivered.core.created, year, 1);
        struct arrival arrival = {0};

        assert_int_equal(
            arrival_judge(police, police->membership, opener, &forged->delivered, end - 1 + over, &arrival),
            STATUS_OK);
        assert_int_equal(arrival.reason, over == 1 ? ARRIVAL_OLD : ARRIVAL_NONE);
        arrival_free(&arrival);
    }
    arrival_opener_free(&opener);
    drop(forged);
    free(forged);
    postroom_close(&room);
}

static void what_rests_on_a_withdrawn_consent_is_set_aside(void **state)
{
    struct postroom *room = postroom_open();
    struct agent *drugs = room->agents[POSTROOM_DRUGS];
    struct forged *forged = calloc(1, sizeof *forged);
    struct arrival_opener *opener = NULL;
    struct arrival arrival = {0};

    (void)state;
    postroom_list(room);
    prepare(room, forged, VALUES);
    grant(room, forged, "drugs.stoke", "release-notice", "name");
    seal(room, forged);
    assert_int_equal(arrival_opener_new(drugs->keystore, &opener), STATUS_OK);
    assert_int_equal(arrival_judge(drugs, drugs->membership, opener, &forged->delivered, room->now, &arrival),
                     STATUS_OK);
    assert_int_equal(arrival.reason, ARRIVAL_NONE);
    arrival_free(&arrival);
    for (int given = 0; given < 2; given++) {
        assert_int_equal(consents_note(drugs, forged->delivered.core.protocol, forged->delivered.core.subject,
                                       bytes_of_string("throughcare"), given == 1,
                                       room->now + given * (REGISTER_SKEW_MS + 1)),
                         STATUS_OK);
        assert_int_equal(
            arrival_judge(drugs, drugs->membership, opener, &forged->delivered, room->now, &arrival),
            STATUS_OK);
        assert_int_equal(arrival.reason, given == 1 ? ARRIVAL_NONE : ARRIVAL_CONSENT);
        arrival_free(&arrival);
    }
    arrival_opener_free(&opener);
    drop(forged);
    free(forged);
    postroom_close(&room);
}

/* What we did not ask is no answer, whoever sealed it. */
static void answers_keep_to_the_question(void **state)
{
    static const struct {
        const char *asked;
        const char *labels;
        enum arrival_reason reason;
    } cases[] = {
        {"asked_items=band", "band", ARRIVAL_NONE},
        {"asked_items=band", "status,band", ARRIVAL_LABELS},
        {"asked_items=status", "band", ARRIVAL_LABELS},
        {"asked_items=band,status", "status,band", ARRIVAL_NONE},
    };
    struct postroom *room = postroom_open();

    (void)state;
    postroom_list(room);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forged *forged = calloc(1, sizeof *forged);
        struct arrival arrival = {0};
        uint8_t question[UUID_SIZE];

        assert_int_equal(postroom_queue(room, POSTROOM_POLICE, "case.queried", POSTROOM_PNC, NULL,
                                        cases[i].asked, question),
                         STATUS_OK);
        prepare_as(room, forged, POSTROOM_PROBATION, "case.answered", question,
                   "status=in_custody;band=high");
        grant(room, forged, "police.staffordshire", "case-answer", cases[i].labels);
        seal(room, forged);
        assert_int_equal(judge(room, forged, &arrival), cases[i].reason);
        arrival_free(&arrival);
        drop(forged);
        free(forged);
    }
    postroom_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_keep_to_the_question),
        cmocka_unit_test(content_is_checked_against_rule_and_labels),
        cmocka_unit_test(a_section_of_another_event_does_not_open),
        cmocka_unit_test(late_is_judged_here),
        cmocka_unit_test(quarantine_keeps_no_values_and_is_reported),
        cmocka_unit_test(what_rests_on_a_withdrawn_consent_is_set_aside),
        cmocka_unit_test(what_is_older_than_its_retention_is_set_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
