#include "tests/support/support.h"

#include <string.h>

#include "agent/fetching.h"
#include "agent/inbox_event.h"
#include "agent/incidents.h"
#include "tests/support/policy.h"
#include "tests/support/postroom.h"

#define NOTICE                                                                                               \
    "release_date=2026-12-20;home_force=21;date_type=CRD;home_district=Hanley;address=1 High Street"
#define LISTED "ppo.added stored name,dob,pnc_id,prison_no,strand\n"

static void a_listing_reaches_everybody(void **state)
{
    struct postroom *room = postroom_open();
    struct person person;

    (void)state;
    postroom_list(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE), LISTED);
    assert_string_equal(postroom_inbox(room, POSTROOM_PROBATION),
                        "ppo.added stored name,dob,pnc_id,prison_no,strand,authority,selector\n");
    assert_string_equal(postroom_inbox(room, POSTROOM_DRUGS), "ppo.added stored name,dob\n");
    assert_int_equal(people_by_prison_no(room->agents[POSTROOM_DOVEGATE]->people, NULL,
                                         bytes_of_string("A7629RT"), &person),
                     STATUS_OK);
    assert_true(person.listed);
    assert_string_equal(person.pnc_id, POSTROOM_PNC);
    assert_int_equal(
        people_by_pnc(room->agents[POSTROOM_POLICE]->people, NULL, bytes_of_string(POSTROOM_PNC), &person),
        STATUS_OK);
    assert_string_equal(person.home_force, "21");
    postroom_close(&room);
}

static void a_notice_goes_to_whom_the_rule_names(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    assert_string_equal(postroom_inbox(room, POSTROOM_POLICE),
                        "release.planned stored name,dob,pnc_id,release_date,date_type,home_district\n");
    assert_non_null(strstr(postroom_inbox(room, POSTROOM_PROBATION),
                           "release.planned stored name,dob,prison_no,release_date,date_type,address\n"));
    assert_null(strstr(postroom_inbox(room, POSTROOM_DRUGS), "release"));
    postroom_close(&room);
}

static void consent_opens_and_its_withdrawal_closes(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_PROBATION, "consent.given",
                     "scope=throughcare;form_version=1;expires=2027-03-31", event);
    assert_int_equal(postroom_state(room, POSTROOM_PROBATION, event), OUTBOX_DELIVERED);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_non_null(
        strstr(postroom_inbox(room, POSTROOM_DRUGS), "release.planned stored name,dob,release_date\n"));
    postroom_publish(room, POSTROOM_PROBATION, "consent.withdrawn", "scope=throughcare;form_version=1",
                     event);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    assert_null(
        strstr(strstr(postroom_inbox(room, POSTROOM_DRUGS), "release.planned") + 1, "release.planned"));
    postroom_close(&room);
}

/* The drug team records it itself, so its agent knows: what it holds by that consent alone goes at once. */
static void a_withdrawal_ends_what_rests_on_it(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    const char *inbox;

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_PROBATION, "consent.given",
                     "scope=throughcare;form_version=1;expires=2027-03-31", event);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    postroom_publish(room, POSTROOM_DRUGS, "consent.withdrawn", "scope=share_with_ppo_team;form_version=1",
                     event);
    assert_non_null(strstr(postroom_inbox(room, POSTROOM_DRUGS), "release.planned stored "));
    postroom_publish(room, POSTROOM_DRUGS, "consent.withdrawn", "scope=throughcare;form_version=1", event);
    assert_int_equal(postroom_state(room, POSTROOM_DRUGS, event), OUTBOX_DELIVERED);
    inbox = postroom_inbox(room, POSTROOM_DRUGS);
    assert_null(strstr(inbox, "release.planned"));
    assert_non_null(strstr(inbox, "recalled"));
    assert_non_null(strstr(inbox, "ppo.added stored ")); /* which rests on no consent */
    assert_non_null(strstr(postroom_inbox(room, POSTROOM_PROBATION), "release.planned stored "));
    postroom_close(&room);
}

static void queueing_refuses_what_may_never_go(void **state)
{
    static const struct {
        enum postroom_member from;
        const char *type;
        const char *values;
        const char *says;
    } cases[] = {
        {POSTROOM_DOVEGATE, "arrest.made", "station=Hanley", "may not send arrest.made"},
        {POSTROOM_DOVEGATE, "release.planed", "", "no event type"},
        {POSTROOM_DOVEGATE, "release.planned", "station=Hanley", "does not carry station"},
        {POSTROOM_DOVEGATE, "release.planned", "colour=red", "no label"},
        {POSTROOM_DOVEGATE, "release.planned", "crn=X123456",
         "no rule of staffordshire-ppo lets anybody have crn"},
        {POSTROOM_DOVEGATE, "release.planned", "release_date=2026-02-30", "release_date: "},
        {POSTROOM_DOVEGATE, "release.planned", "juvenile=no", "worked out by the agent"},
        {POSTROOM_DOVEGATE, "release.planned", "date_type=ROTL", "date_type: "},
        {POSTROOM_DOVEGATE, "release.planned", "name=A;name=B", "given twice"},
    };
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            postroom_queue(room, cases[i].from, cases[i].type, POSTROOM_PNC, NULL, cases[i].values, event),
            STATUS_REFUSED);
        if (strstr(postroom_reason(), cases[i].says) == NULL)
            fail_msg("%s does not say \"%s\"", postroom_reason(), cases[i].says);
    }
    assert_int_equal(
        postroom_queue(room, POSTROOM_DOVEGATE, "release.planned", "2003/9391423M", NULL, "", event),
        STATUS_REFUSED);
    assert_non_null(strstr(postroom_reason(), "PNC"));
    postroom_close(&room);
}

static void a_plan_that_grants_more_is_refused_here(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    size_t published = 0;

    (void)state;
    postroom_list(room);
    published = room->publishes;
    room->faults.widen = true;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_REFUSED);
    assert_int_equal(room->publishes, published);
    assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "grants more than the protocol"), 1);
    postroom_close(&room);
}

static void a_plan_that_grants_less_is_refused_in_the_end(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    size_t plans = 0;
    size_t published = 0;

    (void)state;
    postroom_list(room);
    plans = room->plans;
    published = room->publishes;
    room->faults.narrow = true;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_REFUSED);
    assert_int_equal(room->plans - plans, 6);
    assert_int_equal(room->publishes, published);
    assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "differs from the protocol"), 1);
    postroom_close(&room);
}

static void nothing_is_sealed_on_grounds_that_do_not_hold(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct postroom *room = postroom_open();
        uint8_t event[UUID_SIZE];

        postroom_list(room);
        room->faults.hide_grounds = how == 0;
        room->faults.break_grounds = how == 1;
        room->faults.other_subject = how == 2;
        postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
        assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_REFUSED);
        assert_string_equal(postroom_inbox(room, POSTROOM_POLICE), "");
        assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "do not verify"), how == 1 ? 1 : 0);
        postroom_close(&room);
    }
}

static void busy_and_stale_are_no_outcome(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    room->faults.stale = 2;
    room->faults.busy = 2;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(room->faults.stale + room->faults.busy, 0);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    assert_memory_equal(room->events[1].core.event, event, UUID_SIZE);
    assert_int_equal(room->event_count, 2);
    postroom_close(&room);
}

static void a_lost_answer_sends_the_same_bytes_again(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    room->faults.lose_answers = 1;
    postroom_list(room);
    assert_int_equal(room->event_count, 1);
    assert_int_equal(room->publishes, 2);
    room->faults.lose_answers = 1;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    assert_int_equal(room->event_count, 2);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE), LISTED);
    postroom_close(&room);
}

static void a_repeated_delivery_is_one_event(void **state)
{
    struct postroom *room = postroom_open();

    (void)state;
    room->faults.deliver_twice = true;
    postroom_list(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE), LISTED);
    assert_int_equal(room->agents[POSTROOM_DOVEGATE]->newer_serial, 0);
    postroom_close(&room);
}

static void an_altered_section_is_not_stored(void **state)
{
    struct postroom *room = postroom_open();

    (void)state;
    room->faults.flip_section = true;
    postroom_list(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE), "");
    assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "does not verify"), 1);
    assert_int_equal(room->receipts, 0);
    room->faults.flip_section = false;
    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++) {
        postroom_disconnect(room, i);
        postroom_connect(room, i);
    }
    postroom_run(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE), LISTED);
    postroom_close(&room);
}

static void only_verified_receipts_make_an_event_delivered(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    room->faults.forge_receipts = true;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_ACCEPTED);
    assert_int_equal(postroom_incidents(room, POSTROOM_DOVEGATE, "do not verify"), 1);
    postroom_close(&room);
}

static void every_recipient_must_have_given_its_receipt(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_disconnect(room, POSTROOM_PROBATION);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_ACCEPTED);
    postroom_connect(room, POSTROOM_PROBATION);
    postroom_run(room);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    postroom_close(&room);
}

static void nothing_is_planned_while_a_newer_bundle_is_known(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    size_t plans = 0;

    (void)state;
    postroom_list(room);
    plans = room->plans;
    room->agents[POSTROOM_DOVEGATE]->newer_serial = 99;
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(room->plans, plans);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_QUEUED);
    postroom_close(&room);
}

static void what_is_queued_survives_the_process(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    uint8_t next[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_disconnect(room, POSTROOM_DOVEGATE);
    assert_int_equal(
        postroom_queue(room, POSTROOM_DOVEGATE, "release.planned", POSTROOM_PNC, NULL, NOTICE, event),
        STATUS_OK);
    postroom_run(room);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_QUEUED);
    postroom_restart(room, POSTROOM_DOVEGATE);
    assert_int_equal(
        postroom_queue(room, POSTROOM_DOVEGATE, "release.planned", POSTROOM_PNC, NULL, NOTICE, next),
        STATUS_OK);
    assert_true(uuid_compare(event, next) < 0);
    postroom_run(room);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, next), OUTBOX_DELIVERED);
    postroom_close(&room);
}

static void events_about_one_person_leave_in_their_order(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t arrest[UUID_SIZE];
    uint8_t added[UUID_SIZE];

    (void)state;
    assert_int_equal(
        postroom_queue(room, POSTROOM_POLICE, "ppo.added", POSTROOM_PNC, NULL,
                       "strand=catch_convict;area=stoke;authority=bcu_commander;"
                       "selector=core_nominal;review_due=2026-12-15;home_force=21;dob=1971-09-16",
                       added),
        STATUS_OK);
    assert_int_equal(postroom_queue(room, POSTROOM_POLICE, "arrest.made", POSTROOM_PNC, NULL,
                                    "station=Hanley;dob=1971-09-16", arrest),
                     STATUS_OK);
    postroom_run(room);
    assert_int_equal(postroom_state(room, POSTROOM_POLICE, added), OUTBOX_DELIVERED);
    assert_int_equal(postroom_state(room, POSTROOM_POLICE, arrest), OUTBOX_DELIVERED);
    postroom_close(&room);
}

static void a_newer_bundle_is_fetched_before_anything_is_sealed(void **state)
{
    static const struct policy_edit edits[] = {{"title: Staffordshire", "title: New Staffordshire"},
                                               {NULL, NULL}};
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_bundle(room, edits);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_QUEUED);
    postroom_disconnect(room, POSTROOM_DOVEGATE);
    postroom_connect(room, POSTROOM_DOVEGATE);
    postroom_run(room);
    assert_int_equal(bundle_serial(room->agents[POSTROOM_DOVEGATE]->membership->bundle),
                     bundle_serial(room->rules->bundle));
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_DELIVERED);
    postroom_close(&room);
}

/* Keys made by a command beside the daemon: sections for them may come as soon as a newer bundle is spoken
 * of. */
static void a_renewal_is_noticed_with_the_newer_bundle(void **state)
{
    struct postroom *room = postroom_open();
    struct agent *agent = room->agents[POSTROOM_DOVEGATE];
    struct keystore *command = NULL;
    struct fetching *fetching = NULL;

    (void)state;
    assert_int_equal(keystore_load(room->folders[POSTROOM_DOVEGATE], &command), STATUS_OK);
    assert_int_equal(keystore_renew(command, NULL), STATUS_OK);
    keystore_free(&command);
    assert_false(keystore_renewing(agent->keystore));
    postroom_bundle(room, NULL);
    assert_int_equal(fetching_new(agent, &fetching), STATUS_OK);
    assert_int_equal(fetching_notice(fetching, bundle_signed_head(room->rules->bundle), room->now),
                     STATUS_OK);
    assert_true(keystore_renewing(agent->keystore));
    fetching_free(&fetching);
    postroom_close(&room);
}

static void replan_repeats_a_standing_event_for_the_new_recipient_only(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    uint8_t consent[UUID_SIZE];
    ProtobufCBinaryData id = {.len = UUID_SIZE, .data = event};
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Replan replan = WIRE__REPLAN__INIT;

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    postroom_publish(room, POSTROOM_PROBATION, "consent.given",
                     "scope=throughcare;form_version=1;expires=2027-03-31", consent);
    replan.n_events = 1;
    replan.events = &id;
    frame.version = WIRE_VERSION;
    frame.verb_case = WIRE__FRAME__VERB_REPLAN;
    frame.replan = &replan;
    postroom_send(room, POSTROOM_DOVEGATE, &frame);
    postroom_run(room);
    assert_non_null(
        strstr(postroom_inbox(room, POSTROOM_DRUGS), "release.planned stored name,dob,release_date\n"));
    assert_string_equal(postroom_inbox(room, POSTROOM_POLICE),
                        "release.planned stored name,dob,pnc_id,release_date,date_type,home_district\n");
    assert_int_equal(room->event_count, 4);
    assert_true(room->events[3].core.has_repeats);
    postroom_close(&room);
}

/* The broker recalls an event of Dovegate's at the police. */
static void recall_at_police(struct postroom *room, uint8_t event[static UUID_SIZE])
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Recall recall = WIRE__RECALL__INIT;
    Wire__RecallItem item = WIRE__RECALL_ITEM__INIT;
    Wire__RecallItem *items[] = {&item};

    item.from = (char[]){"prison.dovegate"};
    item.event = (ProtobufCBinaryData){.len = UUID_SIZE, .data = event};
    item.reason = (char[]){"the consent was withdrawn"};
    recall.n_items = 1;
    recall.items = items;
    frame.version = WIRE_VERSION;
    frame.verb_case = WIRE__FRAME__VERB_RECALL;
    frame.recall = &recall;
    postroom_send(room, POSTROOM_POLICE, &frame);
    postroom_run(room);
}

static void police_hold(struct postroom *room, const uint8_t event[static UUID_SIZE], enum inbox_state state)
{
    struct inbox_event held;

    assert_int_equal(inbox_event_find(room->agents[POSTROOM_POLICE], event, &held), STATUS_OK);
    assert_int_equal(held.state, state);
    assert_int_equal(held.has_content, state == INBOX_STORED);
    inbox_event_free(&held);
}

static void a_recall_deletes_and_is_reported(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    recall_at_police(room, event);
    police_hold(room, event, INBOX_RECALLED);
    assert_int_equal(room->reports, 1);
    postroom_close(&room);
}

/* What was delivered long ago is not the broker's to take back, however often it says so. */
static void what_was_delivered_stays(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t event[UUID_SIZE];
    json_t *incidents = NULL;

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    room->now += CIVIL_DAY_MS + 1;
    recall_at_police(room, event);
    recall_at_police(room, event);
    police_hold(room, event, INBOX_STORED);
    assert_int_equal(room->reports, 0);
    assert_int_equal(incidents_list(room->agents[POSTROOM_POLICE]->db, &incidents), STATUS_OK);
    assert_int_equal(json_array_size(incidents), 1);
    assert_non_null(strstr(json_string_value(json_object_get(json_array_get(incidents, 0), "text")),
                           "who can retract it"));
    json_decref(incidents);
    postroom_close(&room);
}

/* Whoever leaves the list is not kept on record for as long as before. */
static void a_removal_starts_the_end(void **state)
{
    struct postroom *room = postroom_open();
    const struct duration half_a_year = {6, 0};
    struct inbox_event held;
    uint8_t notice[UUID_SIZE];
    uint8_t removal[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, notice);
    for (int removed = 0; removed < 2; removed++) {
        const int64_t end = civil_add_duration(room->now, half_a_year, 1);

        for (size_t agent = 0; agent < 2; agent++) {
            const size_t holder = agent == 0 ? POSTROOM_POLICE : POSTROOM_PROBATION;

            assert_int_equal(inbox_event_find(room->agents[holder], notice, &held), STATUS_OK);
            assert_int_equal(held.until <= end, removed);
            inbox_event_free(&held);
        }
        if (removed == 0)
            postroom_publish(room, POSTROOM_POLICE, "ppo.removed", "authority=bcu_commander;reason=criteria",
                             removal);
    }
    postroom_close(&room);
}

/* One event that cannot be stored keeps neither the others nor the agent: it is set aside, and said so. */
static void what_cannot_be_stored_is_set_aside(void **state)
{
    struct postroom *room = postroom_open();
    struct agent *police = room->agents[POSTROOM_POLICE];
    struct inbox_event held;
    uint8_t events[2][UUID_SIZE];

    (void)state;
    postroom_list(room);
    assert_int_equal(db_exec(police->db, "CREATE TRIGGER fault BEFORE INSERT ON inbox WHEN NEW.state = 0"
                                         " BEGIN SELECT RAISE(ABORT, 'nobody foresaw this'); END"),
                     STATUS_OK);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, events[0]);
    assert_int_equal(db_exec(police->db, "DROP TRIGGER fault"), STATUS_OK);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, events[1]);
    assert_int_equal(inbox_event_find(police, events[0], &held), STATUS_OK);
    assert_int_equal(held.state, INBOX_QUARANTINED);
    inbox_event_free(&held);
    assert_int_equal(inbox_event_find(police, events[1], &held), STATUS_OK);
    assert_int_equal(held.state, INBOX_STORED);
    inbox_event_free(&held);
    assert_int_equal(postroom_incidents(room, POSTROOM_POLICE, "in quarantine"), 1);
    postroom_close(&room);
}

static void an_answer_goes_back_to_the_referrer(void **state)
{
    struct postroom *room = postroom_open();
    uint8_t referral[UUID_SIZE];
    uint8_t consent[UUID_SIZE];
    uint8_t answer[UUID_SIZE];

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_PROBATION, "consent.given",
                     "scope=referral;form_version=1;expires=2027-03-31", consent);
    postroom_publish(room, POSTROOM_PROBATION, "treatment.referred", "contact=01782 000000", referral);
    assert_non_null(
        strstr(postroom_inbox(room, POSTROOM_DRUGS), "treatment.referred stored name,dob,contact\n"));
    assert_int_equal(postroom_queue(room, POSTROOM_DRUGS, "treatment.accepted", NULL, referral,
                                    "appointment=2026-12-05T10:00:00Z", answer),
                     STATUS_OK);
    postroom_run(room);
    assert_int_equal(postroom_state(room, POSTROOM_DRUGS, answer), OUTBOX_DELIVERED);
    assert_non_null(
        strstr(postroom_inbox(room, POSTROOM_PROBATION), "treatment.accepted stored appointment\n"));
    postroom_close(&room);
}

static void a_replacement_marks_what_it_replaces(void **state)
{
    struct postroom *room = postroom_open();
    struct draft_value values[] = {
        {.label = bytes_of_string("release_date"),
         .value = bytes_of_string("2026-12-22"),
         .place = DRAFT_ATTRIBUTE},
        {.label = bytes_of_string("home_force"), .value = bytes_of_string("21"), .place = DRAFT_ATTRIBUTE},
        {.label = bytes_of_string("old_date"), .value = bytes_of_string("2026-12-20"), .place = DRAFT_ITEM},
    };
    uint8_t first[UUID_SIZE];
    uint8_t second[UUID_SIZE];
    struct draft draft = {.type = "release.date_changed",
                          .id = bytes_of_string(POSTROOM_PNC),
                          .supersedes = first,
                          .officer = "automatic:release-extract",
                          .values = values,
                          .value_count = 3};
    struct draft_reason reason = {0};

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, first);
    assert_int_equal(db_begin(room->agents[POSTROOM_DOVEGATE]->db), STATUS_OK);
    assert_int_equal(outbox_queue(room->agents[POSTROOM_DOVEGATE], &draft, room->now, second, &reason),
                     STATUS_OK);
    assert_int_equal(db_commit(room->agents[POSTROOM_DOVEGATE]->db), STATUS_OK);
    postroom_run(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_POLICE),
                        "release.planned superseded name,dob,pnc_id,release_date,date_type,home_district\n"
                        "release.date_changed stored name,dob,pnc_id,release_date,old_date\n");
    /* What was superseded is not repeated any more. */
    assert_int_equal(outbox_repeat(room->agents[POSTROOM_DOVEGATE], first, room->now), STATUS_NOT_FOUND);
    postroom_close(&room);
}

static void a_removal_takes_a_person_off_the_list(void **state)
{
    struct postroom *room = postroom_open();
    struct person person;
    uint8_t event[UUID_SIZE];
    int64_t count = -1;

    (void)state;
    postroom_list(room);
    postroom_publish(room, POSTROOM_POLICE, "ppo.removed", "reason=criteria;authority=bcu_commander", event);
    assert_int_equal(
        people_by_pnc(room->agents[POSTROOM_DOVEGATE]->people, NULL, bytes_of_string(POSTROOM_PNC), &person),
        STATUS_OK);
    assert_false(person.listed);
    assert_int_equal(people_count(room->agents[POSTROOM_POLICE]->people, &count), STATUS_OK);
    assert_int_equal(count, 0);
    postroom_publish(room, POSTROOM_DOVEGATE, "release.planned", NOTICE, event);
    assert_int_equal(postroom_state(room, POSTROOM_DOVEGATE, event), OUTBOX_REFUSED);
    postroom_close(&room);
}

/* A header within its frame's bound whose core is beyond its own: an incident, and the agent goes on. */
static void a_header_that_says_too_much_ends_nothing(void **state)
{
    struct postroom *room = postroom_open();
    static uint8_t header[4 + CORE_SIZE_MAX + 1];
    static uint8_t zeros[64];
    char from[] = "prison.dovegate";
    Wire__Delivered event = WIRE__DELIVERED__INIT;
    Wire__Delivered *events[] = {&event};
    Wire__Deliver deliver = WIRE__DELIVER__INIT;
    Wire__Frame frame = WIRE__FRAME__INIT;
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);

    (void)state;
    bytes_put_u32(header, CORE_SIZE_MAX + 1);
    event.header = wire_data(bytes_view(header, sizeof header));
    event.section = wire_data(bytes_view(zeros, 1));
    event.counter = 1;
    deliver.from = from;
    deliver.certificate = wire_data(bytes_view(zeros, DIGEST_SIZE));
    deliver.signature = wire_data(bytes_view(zeros, ED25519_SIGNATURE_SIZE));
    deliver.count = 1;
    deliver.events = events;
    deliver.n_events = 1;
    frame.version = WIRE_VERSION;
    frame.verb_case = WIRE__FRAME__VERB_DELIVER;
    frame.deliver = &deliver;
    wire_pack(&frame.base, &bytes);
    assert_int_equal(
        session_receive(room->sessions[POSTROOM_POLICE], bytes_buffer_view(&bytes), room->now, 0), STATUS_OK);
    assert_int_equal(postroom_incidents(room, POSTROOM_POLICE, "does not verify: larger than its limit"), 1);
    bytes_buffer_free(&bytes);
    postroom_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_says_too_much_ends_nothing),
        cmocka_unit_test(a_listing_reaches_everybody),
        cmocka_unit_test(a_notice_goes_to_whom_the_rule_names),
        cmocka_unit_test(consent_opens_and_its_withdrawal_closes),
        cmocka_unit_test(a_withdrawal_ends_what_rests_on_it),
        cmocka_unit_test(queueing_refuses_what_may_never_go),
        cmocka_unit_test(a_plan_that_grants_more_is_refused_here),
        cmocka_unit_test(a_plan_that_grants_less_is_refused_in_the_end),
        cmocka_unit_test(nothing_is_sealed_on_grounds_that_do_not_hold),
        cmocka_unit_test(busy_and_stale_are_no_outcome),
        cmocka_unit_test(a_lost_answer_sends_the_same_bytes_again),
        cmocka_unit_test(a_repeated_delivery_is_one_event),
        cmocka_unit_test(an_altered_section_is_not_stored),
        cmocka_unit_test(only_verified_receipts_make_an_event_delivered),
        cmocka_unit_test(every_recipient_must_have_given_its_receipt),
        cmocka_unit_test(nothing_is_planned_while_a_newer_bundle_is_known),
        cmocka_unit_test(what_is_queued_survives_the_process),
        cmocka_unit_test(events_about_one_person_leave_in_their_order),
        cmocka_unit_test(a_newer_bundle_is_fetched_before_anything_is_sealed),
        cmocka_unit_test(a_renewal_is_noticed_with_the_newer_bundle),
        cmocka_unit_test(replan_repeats_a_standing_event_for_the_new_recipient_only),
        cmocka_unit_test(a_recall_deletes_and_is_reported),
        cmocka_unit_test(what_was_delivered_stays),
        cmocka_unit_test(what_cannot_be_stored_is_set_aside),
        cmocka_unit_test(a_removal_starts_the_end),
        cmocka_unit_test(an_answer_goes_back_to_the_referrer),
        cmocka_unit_test(a_replacement_marks_what_it_replaces),
        cmocka_unit_test(a_removal_takes_a_person_off_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
