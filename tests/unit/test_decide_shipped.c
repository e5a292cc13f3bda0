#include "tests/support/support.h"

#include <string.h>

#include "tests/support/policy.h"

/*
 * Every rule of the shipped protocol: who gets which items, written out from the rule set's table, not from
 * the file.
 */

#define FORCE    "police.staffordshire"
#define DOVEGATE "prison.dovegate"
#define OFFICE   "probation.staffordshire"
#define TEAM     "drugs.stoke"
#define ALL_IDS  "name,dob,pnc_id,prison_no,crn,contact"
#define RELEASE  ALL_IDS ",prison,date_type,confidence,home_district,licence_conditions,address,old_date,cause"

struct row {
    const char *from;
    const char *event;
    const char *attributes;
    const char *held;
    const char *consents; /* in force; or NULL */
    const char *expected;
};

static void check_row(const struct row *row, bool listed)
{
    static struct policy_world world;
    char scopes[128], *rest = scopes, *scope;

    policy_open(&world, NULL);
    if (listed)
        policy_list(&world);
    strcpy(scopes, row->consents == NULL ? "" : row->consents);
    while ((scope = strsep(&rest, " ")) != NULL && *scope != '\0')
        policy_consent(&world, scope);
    policy_ask(&world, row->from, row->event, row->attributes, row->held);
    assert_string_equal(policy_answer(&world), row->expected);
    policy_close(&world);
}

static void check_rows(const struct row *rows, size_t count, bool listed)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], listed);
}

#define CHECK(rows, listed) check_rows(rows, sizeof rows / sizeof rows[0], listed)

static void test_list_change(void **state)
{
    static const struct row added[] = {
        {FORCE, "ppo.added",
         "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2026-12-15 "
         "home_force=21 juvenile=no",
         ALL_IDS, NULL,
         "drugs.stoke list-change cda_115: name dob\n"
         "prison.dovegate list-change oma_14_in: name dob pnc_id prison_no strand\n"
         "prison.stafford list-change oma_14_in: name dob pnc_id prison_no strand\n"
         "probation.staffordshire list-change oma_14_in: name dob pnc_id prison_no strand authority "
         "selector\n"
         "tracker.national list-tracking cda_115: name dob pnc_id strand area\n"},
    };
    static const struct row removed[] = {
        {FORCE, "ppo.removed", "reason=criteria authority=bcu_commander juvenile=no", ALL_IDS, NULL,
         "drugs.stoke list-change cda_115: name dob\n"
         "prison.dovegate list-change oma_14_in: name dob pnc_id prison_no\n"
         "prison.stafford list-change oma_14_in: name dob pnc_id prison_no\n"
         "probation.staffordshire list-change oma_14_in: name dob pnc_id prison_no authority reason\n"
         "tracker.national list-tracking cda_115: name dob pnc_id reason\n"},
    };

    (void)state;
    CHECK(added, false);
    CHECK(removed, true);
}

static void test_release_notice(void **state)
{
    static const struct row rows[] = {
        {DOVEGATE, "release.planned", "release_date=2026-12-29 home_force=21 juvenile=no",
         ALL_IDS ",prison,date_type,confidence,home_district,licence_conditions,address", NULL,
         "police.staffordshire release-notice oma_14_out: name dob pnc_id release_date date_type "
         "home_district "
         "licence_conditions\n"
         "probation.staffordshire release-notice oma_14_out: name dob prison_no release_date date_type "
         "licence_conditions address\n"
         "! no-consent drugs.stoke: throughcare\n"},
        {DOVEGATE, "release.planned", "release_date=2026-12-29 home_force=21 juvenile=no",
         ALL_IDS ",prison,date_type,confidence,home_district,licence_conditions,address", "throughcare",
         "drugs.stoke release-notice cda_115: name dob release_date\n"
         "police.staffordshire release-notice oma_14_out: name dob pnc_id release_date date_type "
         "home_district "
         "licence_conditions\n"
         "probation.staffordshire release-notice oma_14_out: name dob prison_no release_date date_type "
         "licence_conditions address\n"},
        {DOVEGATE, "release.date_changed", "release_date=2026-12-29 home_force=21 juvenile=no", RELEASE,
         "throughcare",
         "drugs.stoke release-notice cda_115: name dob release_date old_date\n"
         "police.staffordshire release-notice oma_14_out: name dob pnc_id release_date old_date date_type "
         "home_district licence_conditions cause\n"
         "probation.staffordshire release-notice oma_14_out: name dob prison_no release_date old_date "
         "date_type "
         "licence_conditions address cause\n"},
        {DOVEGATE, "release.cancelled", "release_date=2026-12-29 home_force=21 juvenile=no", ALL_IDS ",cause",
         "throughcare",
         "drugs.stoke release-notice cda_115: name dob release_date\n"
         "police.staffordshire release-notice oma_14_out: name dob pnc_id release_date cause\n"
         "probation.staffordshire release-notice oma_14_out: name dob prison_no release_date cause\n"},
        {DOVEGATE, "release.confirmed", "released_on=2026-12-01 home_force=21 juvenile=no",
         ALL_IDS ",prison,kind", "throughcare",
         "drugs.stoke release-notice cda_115: name dob released_on\n"
         "police.staffordshire release-notice oma_14_out: name dob pnc_id released_on kind\n"
         "probation.staffordshire release-notice oma_14_out: name dob prison_no released_on kind\n"},
        /* Less than 14 days ahead: sent and flagged. */
        {DOVEGATE, "release.planned", "release_date=2026-12-14 juvenile=no", "name", NULL,
         "police.staffordshire release-notice oma_14_out: name release_date (late)\n"
         "probation.staffordshire release-notice oma_14_out: name release_date (late)\n"
         "! no-consent drugs.stoke: throughcare\n"},
    };

    (void)state;
    CHECK(rows, true);
}

static void test_arrest_and_breach(void **state)
{
    static const struct row rows[] = {
        {FORCE, "arrest.made", "juvenile=no",
         ALL_IDS ",force,station,arrested_at,offence_class,asn,drug_test_result", "throughcare",
         "drugs.stoke arrest cda_115: name dob station drug_test_result\n"
         "probation.staffordshire arrest oma_14_in: name dob station arrested_at offence_class\n"},
        {FORCE, "arrest.made", "juvenile=no", ALL_IDS ",force,station,arrested_at,offence_class,asn", NULL,
         "probation.staffordshire arrest oma_14_in: name dob station arrested_at offence_class\n"
         "! no-consent drugs.stoke: throughcare\n"},
        {OFFICE, "breach.recorded", "action=court juvenile=no",
         ALL_IDS ",order_type,kind,last_address,officer_risk", NULL,
         "court.staffordshire breach breach_proceedings: name dob kind order_type (urgent)\n"
         "police.staffordshire breach oma_14_out: name dob pnc_id kind order_type last_address officer_risk "
         "(urgent)\n"},
        {OFFICE, "recall.issued", "juvenile=no", ALL_IDS ",type,revoked_on", NULL,
         "police.staffordshire breach oma_14_out: name dob pnc_id type revoked_on (urgent)\n"},
    };

    (void)state;
    CHECK(rows, true);
}

static void test_treatment_and_referral(void **state)
{
    static const struct row rows[] = {
        {TEAM, "treatment.started", "start_date=2026-12-01 juvenile=no",
         ALL_IDS ",provider,keyworker,attending", "share_with_probation share_with_ppo_team",
         "police.staffordshire treatment-start cda_115: name attending\n"
         "probation.staffordshire treatment-start cda_115: name dob start_date keyworker attending\n"},
        {TEAM, "treatment.started", "start_date=2026-12-01 juvenile=no",
         ALL_IDS ",provider,keyworker,attending", "share_with_probation",
         "probation.staffordshire treatment-start cda_115: name dob start_date keyworker attending\n"
         "! no-consent police.staffordshire: share_with_ppo_team\n"},
        {TEAM, "treatment.missed", "juvenile=no", ALL_IDS ",provider,keyworker,missed_on,attending",
         "share_with_probation share_with_ppo_team",
         "police.staffordshire treatment-start cda_115: name attending\n"
         "probation.staffordshire treatment-start cda_115: name dob keyworker attending\n"},
        {TEAM, "treatment.ended", "juvenile=no", ALL_IDS ",provider,keyworker,ended_on,attending,outcome",
         "share_with_probation share_with_ppo_team",
         "police.staffordshire treatment-start cda_115: name attending\n"
         "probation.staffordshire treatment-start cda_115: name dob keyworker attending\n"},
        {OFFICE, "treatment.referred", "juvenile=no", ALL_IDS ",provider,keyworker,appointment", "referral",
         "drugs.stoke referral cda_115: name dob contact\n"},
        {FORCE, "treatment.referred", "juvenile=no", ALL_IDS, "referral",
         "drugs.stoke referral cda_115: name dob contact\n"},
        {DOVEGATE, "referral.made", "pathway=drugs_alcohol juvenile=no", ALL_IDS, "referral",
         "drugs.stoke referral cda_115: name dob contact\n"},
        {DOVEGATE, "referral.made", "pathway=drugs_alcohol juvenile=no", ALL_IDS, NULL,
         "! no-consent drugs.stoke: referral\n"},
        {DOVEGATE, "referral.made", "pathway=finance juvenile=no", ALL_IDS, "referral",
         "! no-such-party: stoke\n"},
        {DOVEGATE, "referral.made", "juvenile=no", ALL_IDS, "referral", "! relation-unknown\n"},
    };

    (void)state;
    CHECK(rows, true);
}

static void test_records(void **state)
{
    static const struct row listed[] = {
        {OFFICE, "consent.given", "scope=throughcare form_version=1 expires=2027-11-30", NULL, NULL, ""},
        {TEAM, "consent.given", "scope=referral form_version=1 expires=2027-06-01", NULL, NULL, ""},
        {TEAM, "consent.withdrawn", "scope=referral", NULL, "referral", ""},
        {FORCE, "ppo.reviewed", "outcome=retain next_review=2027-01-01 status=in_custody", NULL, NULL, ""},
        {OFFICE, "case.allocated", "role=offender_manager holder=probation.staffordshire", NULL, NULL, ""},
        {DOVEGATE, "custody.received", "prison=DGI", NULL, NULL, ""},
        {DOVEGATE, "custody.transferred", "prison=DGI", NULL, NULL, ""},
    };
    static const struct row unlisted[] = {
        /* The consent of a victim, who is on no list, and nothing else, is for police to record. */
        {FORCE, "consent.given", "scope=victim_contact form_version=v1 expires=2027-02-01", NULL, NULL, ""},
        {FORCE, "consent.given", "scope=throughcare form_version=1 expires=2027-02-01", NULL, NULL,
         "! register-refuses: you may not record a consent of that scope; 'recorded_by' under 'consents' "
         "says "
         "who may\n"},
        {OFFICE, "consent.given", "scope=victim_contact form_version=v1 expires=2027-02-01", NULL, NULL,
         "! register-refuses: you may not record a consent of that scope; 'recorded_by' under 'consents' "
         "says "
         "who may\n"},
        {OFFICE, "consent.given", "scope=throughcare form_version=4 expires=2027-02-01", NULL, NULL,
         "! register-refuses: the protocol names no such version of that form; let the person sign the one "
         "in "
         "use\n"},
        {FORCE, "ppo.reviewed", "outcome=retain next_review=2027-01-01", NULL, NULL, "! not-listed\n"},
        {OFFICE, "case.allocated", "role=offender_manager holder=probation.staffordshire", NULL, NULL,
         "! not-listed\n"},
        {DOVEGATE, "custody.received", "prison=DGI", NULL, NULL, "! not-listed\n"},
    };

    (void)state;
    CHECK(listed, true);
    CHECK(unlisted, false);
}

#define LISTED_AS(strand, authority, age)                                                                    \
    "strand=" strand " area=stoke authority=" authority                                                      \
    " selector=asbo review_due=2026-12-15 home_force=21 juvenile=" age

/* Under 18, or of unknown age: the head of the youth offending service lists, and not on every list. */
static void test_who_lists_the_young(void **state)
{
    static const char approval[] = "! register-refuses: a person under 18, or of unknown age, is listed by "
                                   "the authority that 'approval' "
                                   "under 'juveniles' names; state 'juvenile' if the person is not\n";
    static const char told[] =
        "council.stoke list-change-young cda_115: name dob strand area\n"
        "police.staffordshire list-change-young cda_115: name dob pnc_id strand area selector\n";
    const struct row rows[] = {
        {FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "yes"), ALL_IDS, NULL, approval},
        {FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "unknown"), ALL_IDS, NULL, approval},
        {"yot.staffordshire", "ppo.added", LISTED_AS("prevent_deter", "head_of_yos", "yes"), ALL_IDS, NULL,
         told},
        {"yot.staffordshire", "ppo.added", LISTED_AS("catch_convict", "head_of_yos", "yes"), ALL_IDS, NULL,
         told},
        {"yot.staffordshire", "ppo.added", LISTED_AS("catch_convict", "head_of_yos", "no"), ALL_IDS, NULL,
         "! register-refuses: for the strand 'catch_convict' the authority is 'bcu_commander'; state that, "
         "and "
         "send it only if it is so\n"},
        {"yot.staffordshire", "ppo.added", LISTED_AS("resettle_rehabilitate", "head_of_yos", "yes"), ALL_IDS,
         NULL,
         "! register-refuses: nobody under 18, or of unknown age, may stand on this list; 'strands' under "
         "'juveniles' says on which\n"},
    };

    (void)state;
    CHECK(rows, false);
}

/* Who stands on the list is not taken over by listing once more, nor out of another arrangement's care. */
static void test_listing_once_more(void **state)
{
    static const struct policy_edit edits[] = {
        {"  prison.dovegate:", "  police.westmercia: {force: \"22\", areas: [tamworth]}\n  prison.dovegate:"},
        {NULL, NULL}};
    static const char elsewhere[] =
        "strand=catch_convict area=tamworth authority=bcu_commander selector=core_nominal "
        "review_due=2026-12-15 home_force=22 juvenile=no";
    static struct policy_world world;
    const char *said;

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    policy_ask(&world, "police.westmercia", "ppo.added", elsewhere, ALL_IDS);
    said = policy_answer(&world);
    if (strstr(said, "! register-refuses: the person is on the list already") == NULL)
        fail_msg("%s", said);
    policy_ask(&world, "yot.staffordshire", "ppo.added", LISTED_AS("catch_convict", "head_of_yos", "yes"),
               ALL_IDS);
    assert_non_null(strstr(policy_answer(&world), "! register-refuses: the person is on the list already"));
    policy_ask(&world, FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "no"), ALL_IDS);
    assert_true(policy_answer(&world)[0] != '!');
    policy_ask(&world, FORCE, "ppo.reviewed", "outcome=retain next_review=2026-12-20 divert=mappa", NULL);
    (void)policy_answer(&world);
    policy_apply(&world);
    policy_ask(&world, FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "no"), ALL_IDS);
    assert_non_null(strstr(policy_answer(&world), "! register-refuses: another arrangement looks after"));
    policy_ask(&world, FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "no") " divert=none",
               ALL_IDS);
    said = policy_answer(&world);
    if (strstr(said, "register-refuses") != NULL)
        fail_msg("%s", said);
    policy_close(&world);
}

/* A MAPPA case stands in the register, and nothing about it goes out but its removal. */
static void test_diverted(void **state)
{
    static struct policy_world world;
    static const char diverted[] = "! diverted: mappa\n";

    (void)state;
    policy_open(&world, NULL);
    policy_ask(&world, FORCE, "ppo.added", LISTED_AS("catch_convict", "bcu_commander", "no") " divert=mappa",
               ALL_IDS);
    assert_string_equal(policy_answer(&world), "! diverted: mappa\n! diverted: mappa\n"); /* two rules */
    assert_true(world.decision.record);
    policy_apply(&world);
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", ALL_IDS);
    assert_string_equal(policy_answer(&world), diverted);
    policy_ask(&world, DOVEGATE, "release.planned", "release_date=2026-12-29 juvenile=no", ALL_IDS);
    assert_string_equal(policy_answer(&world), diverted);
    policy_ask(&world, DOVEGATE, "custody.received", "prison=DGI", NULL);
    assert_string_equal(policy_answer(&world), ""); /* the register goes on */
    /* A review that does not say otherwise leaves it so; one that says `none` ends it. */
    policy_ask(&world, FORCE, "ppo.reviewed", "outcome=retain next_review=2027-01-01 juvenile=no", NULL);
    policy_apply(&world);
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", ALL_IDS);
    assert_string_equal(policy_answer(&world), diverted);
    policy_ask(&world, FORCE, "ppo.removed", "reason=other authority=bcu_commander juvenile=no", "name");
    policy_answer(&world);
    assert_true(world.decision.recipient_count > 3);
    policy_ask(&world, FORCE, "ppo.reviewed", "outcome=retain next_review=2027-01-01 juvenile=no divert=none",
               NULL);
    policy_apply(&world);
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", "name");
    policy_answer(&world);
    assert_true(world.decision.recipient_count > 0);
    policy_close(&world);
}

/* A denial beats the grant of a rule, and the sender is told why. */
static void test_denials(void **state)
{
    static const struct policy_edit edits[] = {
        {"    events: [intelligence.recorded]\n    to: any\n",
         "    events: [arrest.made]\n    to: [probation]\n    items: [station, offence_class]\n"},
        {"    from: any\n    events: [release.temporary, custody.unlawfully_at_large]\n    to: any\n",
         "    from: police\n    events: [arrest.made]\n    to: [drugs]\n"},
        {NULL, NULL}};
    static struct policy_world world;
    char text[POLICY_TEXT_SIZE];

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    policy_consent(&world, "throughcare");
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", ALL_IDS ",station,arrested_at,offence_class");
    assert_string_equal(
        policy_answer(&world),
        "probation.staffordshire arrest oma_14_in: name dob arrested_at\n! denied drugs.stoke\n");
    policy_refusal_text(world.protocol, &world.decision, &world.decision.refusals[0], text);
    assert_non_null(strstr(text, "the protocol denies it (not-a-release, CC 39): a temporary absence"));
    policy_close(&world);
}

/* Who takes a place for a juvenile gets neither what is denied to the class nor what is denied to itself. */
static void check_replaced(const char *denial, const char *expected)
{
    const struct policy_edit edits[] = {{"    events: [intelligence.recorded]\n    to: any\n", denial},
                                        {NULL, NULL}};
    static struct policy_world world;

    policy_open(&world, edits);
    policy_list(&world);
    policy_ask(&world, DOVEGATE, "release.planned", "release_date=2026-12-29 juvenile=yes", "name,address");
    assert_string_equal(policy_answer(&world), expected);
    policy_close(&world);
}

static void test_denials_follow_a_replacement(void **state)
{
    (void)state;
    check_replaced("    events: [release.planned]\n    to: [probation]\n",
                   "police.staffordshire release-notice oma_14_out: name release_date\n"
                   "! denied yot.staffordshire\n! juvenile drugs\n");
    check_replaced("    events: [release.planned]\n    to: [yot]\n",
                   "police.staffordshire release-notice oma_14_out: name release_date\n"
                   "! denied yot.staffordshire\n! juvenile drugs\n");
    check_replaced("    events: [release.planned]\n    to: [yot]\n    items: [address]\n",
                   "police.staffordshire release-notice oma_14_out: name release_date\n"
                   "yot.staffordshire release-notice oma_14_out: name release_date (for probation)\n"
                   "! juvenile drugs\n");
}

/* A breach goes to court only when it is taken there. */
static void test_when(void **state)
{
    static struct policy_world world;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    policy_ask(&world, OFFICE, "breach.recorded", "action=warning juvenile=no", "name,kind");
    assert_string_equal(policy_answer(&world),
                        "police.staffordshire breach oma_14_out: name kind (urgent)\n");
    policy_ask(&world, OFFICE, "breach.recorded", "action=recall_requested juvenile=no", "name,kind");
    assert_string_equal(policy_answer(&world), "police.staffordshire breach oma_14_out: name kind (urgent)\n"
                                               "recall.national breach oma_14_in: name kind (urgent)\n");
    policy_close(&world);
}

static void test_nobody_else_may_send(void **state)
{
    static const struct row rows[] = {
        {DOVEGATE, "ppo.added", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {TEAM, "ppo.removed", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {OFFICE, "release.planned", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {DOVEGATE, "release.temporary", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {DOVEGATE, "custody.unlawfully_at_large", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {OFFICE, "arrest.made", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {FORCE, "breach.recorded", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {FORCE, "treatment.started", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {DOVEGATE, "consent.given", NULL, NULL, NULL, "! not-yours-to-send\n"},
        {FORCE, "oasys.completed", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
        {"police.derbyshire", "ppo.added", NULL, ALL_IDS, NULL, "! not-yours-to-send\n"},
    };

    (void)state;
    CHECK(rows, true);
    CHECK(rows, false);
}

static void test_not_on_the_list(void **state)
{
    static const struct row rows[] = {
        {DOVEGATE, "release.planned", "release_date=2026-12-29", ALL_IDS, NULL, "! not-listed\n"},
        {FORCE, "arrest.made", NULL, ALL_IDS, "throughcare", "! not-listed\n"},
        {OFFICE, "breach.recorded", NULL, ALL_IDS, NULL, "! not-listed\n"},
        {TEAM, "treatment.started", NULL, ALL_IDS, "share_with_probation", "! not-listed\n"},
        {DOVEGATE, "referral.made", "pathway=drugs_alcohol", ALL_IDS, "referral", "! not-listed\n"},
    };

    (void)state;
    CHECK(rows, false);
}

static void answer(struct policy_world *world, const char *from, const char *event, const char *attributes,
                   const char *held, const char *referrer, const char *referral)
{
    policy_ask(world, from, event, attributes, held);
    world->request.correlated = true;
    world->facts.correlated_from = bytes_of_string(referrer);
    world->facts.correlated_event = catalogue_find_event(world->catalogue, bytes_of_string(referral));
    world->facts.correlated_same_subject = true;
    world->facts.correlated_disclosed_to_sender = true;
}

static void test_referral_answer(void **state)
{
    static struct policy_world world;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    answer(&world, TEAM, "treatment.accepted", "juvenile=no", "name,appointment", OFFICE,
           "treatment.referred");
    assert_string_equal(policy_answer(&world),
                        "probation.staffordshire referral-answer cda_115: appointment\n");
    answer(&world, TEAM, "treatment.declined", "juvenile=no", "name", OFFICE, "treatment.referred");
    assert_string_equal(policy_answer(&world), "probation.staffordshire referral-answer cda_115:\n");
    answer(&world, TEAM, "referral.accepted", "pathway=drugs_alcohol juvenile=no", "appointment", FORCE,
           "referral.made");
    assert_string_equal(policy_answer(&world), "police.staffordshire referral-answer cda_115: appointment\n");
    answer(&world, TEAM, "referral.declined", "pathway=drugs_alcohol juvenile=no", NULL, FORCE,
           "referral.made");
    assert_string_equal(policy_answer(&world), "police.staffordshire referral-answer cda_115:\n");
    /* A drug team is no listed body, so OMA 2007 s.14 does not run from it to a prison, and a prison is no
     * relevant authority. */
    answer(&world, TEAM, "treatment.accepted", "juvenile=no", "appointment", DOVEGATE, "treatment.referred");
    assert_string_equal(policy_answer(&world), "! gateway-does-not-run prison.dovegate\n");
    /* The police are, and may answer a prison. */
    answer(&world, FORCE, "treatment.accepted", "juvenile=no", "appointment", DOVEGATE, "treatment.referred");
    assert_string_equal(policy_answer(&world), "prison.dovegate referral-answer oma_14_in: appointment\n");
    policy_close(&world);
}

static void test_answers_need_their_referral(void **state)
{
    static struct policy_world world;
    static const char refused[] = "! answers-nothing\n";

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    answer(&world, TEAM, "treatment.accepted", "juvenile=no", "appointment", OFFICE, "referral.made");
    assert_string_equal(policy_answer(&world), refused);
    answer(&world, TEAM, "treatment.accepted", "juvenile=no", "appointment", OFFICE, "treatment.referred");
    world.facts.correlated_same_subject = false;
    assert_string_equal(policy_answer(&world), refused);
    world.facts.correlated_same_subject = true;
    world.facts.correlated_disclosed_to_sender = false;
    assert_string_equal(policy_answer(&world), refused);
    world.facts.correlated_disclosed_to_sender = true;
    world.request.correlated = false;
    assert_string_equal(policy_answer(&world), refused);
    world.request.correlated = true;
    world.facts.correlated_event = CATALOGUE_NONE;
    assert_string_equal(policy_answer(&world), refused);
    /* The referral is known, its sender is not. */
    answer(&world, TEAM, "treatment.accepted", "juvenile=no", "appointment", "", "treatment.referred");
    assert_string_equal(policy_answer(&world), "! relation-unknown prison\n! relation-unknown\n");
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_change),
        cmocka_unit_test(test_release_notice),
        cmocka_unit_test(test_arrest_and_breach),
        cmocka_unit_test(test_treatment_and_referral),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_who_lists_the_young),
        cmocka_unit_test(test_listing_once_more),
        cmocka_unit_test(test_diverted),
        cmocka_unit_test(test_denials),
        cmocka_unit_test(test_denials_follow_a_replacement),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_nobody_else_may_send),
        cmocka_unit_test(test_not_on_the_list),
        cmocka_unit_test(test_referral_answer),
        cmocka_unit_test(test_answers_need_their_referral),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
