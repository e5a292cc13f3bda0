#include "tests/support/support.h"

#include <string.h>

#include "tests/support/policy.h"

/* Relations, juveniles, consents, clocks and refusals, on the shipped protocol with more parties. */

#define FORCE    "police.staffordshire"
#define DOVEGATE "prison.dovegate"
#define OFFICE   "probation.staffordshire"
#define TEAM     "drugs.stoke"
#define PLANNED  "release_date=2026-12-29 juvenile=no"

#define MORE_PARTIES                                                                                         \
    {                                                                                                        \
        "parties:\n", "parties:\n"                                                                           \
                      "  police.derbyshire: {force: \"30\", areas: [tamworth]}\n"                            \
                      "  probation.derbyshire: {}\n"                                                         \
    }

#define PLAN_RULE                                                                                            \
    {                                                                                                        \
        "rules:\n", "rules:\n"                                                                               \
                    "  plan:\n"                                                                              \
                    "    paragraph: [CC 27]\n"                                                               \
                    "    from: probation\n"                                                                  \
                    "    events: [warrant.issued]\n"                                                         \
                    "    purpose: plan the sentence\n"                                                       \
                    "    needs: listed\n"                                                                    \
                    "    retention: P6M\n"                                                                   \
                    "    to:\n"                                                                              \
                    "      - class: prison\n"                                                                \
                    "        relation: holding prison\n"                                                     \
                    "        gateway: oma_14_in\n"                                                           \
                    "        required: [issued_on]\n"                                                        \
                    "        items: [name, issued_on]\n"                                                     \
    }

static struct policy_world world;

static void open_listed(const struct policy_edit *edits)
{
    policy_open(&world, edits);
    policy_list(&world);
}

static void expect(const char *from, const char *event, const char *attributes, const char *held,
                   const char *expected)
{
    policy_ask(&world, from, event, attributes, held);
    assert_string_equal(policy_answer(&world), expected);
}

static void set_text(char *field, const char *value)
{
    memset(field, 0, REGISTER_CODE_SIZE);
    memcpy(field, value, strlen(value));
}

static void test_home_force(void **state)
{
    static const struct policy_edit edits[] = {MORE_PARTIES, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    set_text(world.person.entry.home_force, "30");
    expect(DOVEGATE, "release.planned", PLANNED, "name",
           "police.derbyshire release-notice oma_14_out: name release_date\n"
           "probation.staffordshire release-notice oma_14_out: name release_date\n"
           "! no-consent drugs.stoke: throughcare\n");
    /* No party: the others get theirs, and the gap is told. */
    set_text(world.person.entry.home_force, "22");
    expect(DOVEGATE, "release.planned", PLANNED " home_force=22", "name",
           "probation.staffordshire release-notice oma_14_out: name release_date\n"
           "! no-such-party police: 22\n"
           "! no-consent drugs.stoke: throughcare\n");
    /* The register routes; an event that says otherwise goes to no force at all. */
    expect(DOVEGATE, "release.planned", PLANNED " home_force=21", "name",
           "probation.staffordshire release-notice oma_14_out: name release_date\n"
           "! differs-from-register police: 22\n"
           "! no-consent drugs.stoke: throughcare\n");
    set_text(world.person.entry.home_force, "");
    expect(DOVEGATE, "release.planned", PLANNED, "name",
           "probation.staffordshire release-notice oma_14_out: name release_date\n"
           "! relation-unknown police\n"
           "! no-consent drugs.stoke: throughcare\n");
    policy_close(&world);
}

static void test_offender_manager(void **state)
{
    static const struct policy_edit edits[] = {MORE_PARTIES, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    policy_ask(&world, OFFICE, "case.allocated", "role=offender_manager holder=probation.derbyshire", NULL);
    policy_apply(&world);
    expect(FORCE, "arrest.made", "juvenile=no", "name",
           "probation.derbyshire arrest oma_14_in: name\n! no-consent drugs.stoke: throughcare\n");
    assert_true((world.decision.recipients[0].grounds & REGISTER_GROUND_MANAGER) != 0);
    /* One who has left the protocol is not replaced by somebody else in silence. */
    set_text(world.person.entry.offender_manager, "probation.elsewhere");
    expect(FORCE, "arrest.made", "juvenile=no", "name",
           "! no-such-party probation: probation.elsewhere\n! no-consent drugs.stoke: throughcare\n");
    policy_close(&world);
}

static void test_area(void **state)
{
    (void)state;
    open_listed(NULL);
    set_text(world.person.entry.area, "tamworth");
    expect(FORCE, "arrest.made", "juvenile=no", "name",
           "probation.staffordshire arrest oma_14_in: name\n! no-such-party drugs: tamworth\n");
    set_text(world.person.entry.area, "derby");
    expect(FORCE, "arrest.made", "juvenile=no", "name",
           "! relation-unknown probation\n! relation-unknown drugs\n");
    policy_close(&world);
}

static void test_holding_prison_and_required_item(void **state)
{
    static const struct policy_edit edits[] = {PLAN_RULE, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    expect(OFFICE, "warrant.issued", "juvenile=no", "name,issued_on", "! relation-unknown prison\n");
    policy_ask(&world, "prison.stafford", "custody.received", "prison=SFI", NULL);
    policy_apply(&world);
    expect(OFFICE, "warrant.issued", "juvenile=no", "name,issued_on",
           "prison.stafford plan oma_14_in: name issued_on\n");
    assert_int_equal(world.decision.recipients[0].deadline, 0);
    assert_int_equal(world.decision.recipients[0].retention.months, 6);
    expect(OFFICE, "warrant.issued", "juvenile=no", "name",
           "! required-item-missing prison.stafford: issued_on\n");
    policy_close(&world);
}

static void test_provider(void **state)
{
    static const struct policy_edit edits[] = {MORE_PARTIES, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    policy_consent(&world, "referral");
    expect(OFFICE, "referral.made", "pathway=accommodation juvenile=no", "name",
           "council.stoke referral cda_115: name\n");
    expect(OFFICE, "referral.made", "pathway=drugs_alcohol juvenile=no", "name",
           "drugs.stoke referral cda_115: name\n");
    set_text(world.person.entry.area, "stafford");
    expect(OFFICE, "referral.made", "pathway=accommodation juvenile=no", "name",
           "! no-such-party: stafford\n");
    policy_close(&world);
}

static void test_never_to_the_sender(void **state)
{
    (void)state;
    open_listed(NULL);
    policy_consent(&world, "referral");
    expect(TEAM, "referral.made", "pathway=drugs_alcohol juvenile=no", "name", "! no-such-party\n");
    expect(TEAM, "treatment.referred", "juvenile=no", "name", "! no-such-party\n");
    policy_close(&world);
}

static void test_inactive(void **state)
{
    (void)state;
    open_listed(NULL);
    party_set_remove(&world.facts.active, protocol_find_party(world.protocol, bytes_of_string(OFFICE)));
    expect(DOVEGATE, "release.planned", PLANNED, "name",
           "police.staffordshire release-notice oma_14_out: name release_date\n"
           "! party-not-active probation.staffordshire\n"
           "! no-consent drugs.stoke: throughcare\n");
    expect(OFFICE, "breach.recorded", "juvenile=no", "name", "! not-yours-to-send\n");
    policy_close(&world);
}

static const char *planned_for(enum juvenile known, const char *said)
{
    world.person.entry.juvenile = known;
    policy_ask(&world, DOVEGATE, "release.planned", said, "name,address");
    return policy_answer(&world);
}

static void test_juveniles(void **state)
{
    static const struct policy_edit edits[] = {MORE_PARTIES, {NULL, NULL}};
    static const char adult[] =
        "drugs.stoke release-notice cda_115: name release_date\n"
        "police.staffordshire release-notice oma_14_out: name release_date\n"
        "probation.staffordshire release-notice oma_14_out: name release_date address\n";
    static const char young[] =
        "police.staffordshire release-notice oma_14_out: name release_date\n"
        "yot.staffordshire release-notice oma_14_out: name release_date address (for probation)\n"
        "! juvenile drugs\n";

    (void)state;
    open_listed(edits);
    policy_consent(&world, "throughcare");
    assert_string_equal(planned_for(JUVENILE_NO, "release_date=2026-12-29 juvenile=no"), adult);
    assert_string_equal(planned_for(JUVENILE_NO, "release_date=2026-12-29 juvenile=unknown"), adult);
    assert_string_equal(planned_for(JUVENILE_NO, "release_date=2026-12-29"), adult);
    assert_string_equal(planned_for(JUVENILE_UNKNOWN, "release_date=2026-12-29 juvenile=no"), adult);
    assert_string_equal(planned_for(JUVENILE_UNKNOWN, "release_date=2026-12-29 juvenile=unknown"), young);
    assert_string_equal(planned_for(JUVENILE_UNKNOWN, "release_date=2026-12-29"), young);
    assert_string_equal(planned_for(JUVENILE_NO, "release_date=2026-12-29 juvenile=yes"), young);
    assert_string_equal(planned_for(JUVENILE_YES, "release_date=2026-12-29 juvenile=no"), young);
    assert_true(world.decision.juvenile);
    /* The gateway is checked anew: listed body to listed body is not covered by OMA 2007 s.14. */
    expect(FORCE, "arrest.made", "juvenile=yes", "name",
           "! gateway-does-not-run yot.staffordshire\n! juvenile drugs\n");
    /* Nobody serves that area. */
    set_text(world.person.entry.area, "tamworth");
    expect(FORCE, "arrest.made", "juvenile=yes", "name",
           "! gateway-does-not-run yot.staffordshire\n! no-such-party drugs: tamworth\n");
    policy_close(&world);
}

static void test_juvenile_crossing_is_checked_anew(void **state)
{
    static const struct policy_edit edits[] = {
        MORE_PARTIES, {"probation: {class: yot, crossing: s36_4}", "probation: {class: yot}"}, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    expect(DOVEGATE, "release.planned", "release_date=2026-12-29 juvenile=yes", "name",
           "police.staffordshire release-notice oma_14_out: name release_date\n"
           "! crossing-not-stated yot.staffordshire\n"
           "! juvenile drugs\n");
    policy_close(&world);
}

static void test_yot_that_holds_the_case(void **state)
{
    static const struct policy_edit edits[] = {
        MORE_PARTIES, {"  drugs.stoke:", "  yot.derbyshire: {}\n  drugs.stoke:"}, {NULL, NULL}};

    (void)state;
    open_listed(edits);
    policy_ask(&world, OFFICE, "case.allocated", "role=yot holder=yot.derbyshire", NULL);
    policy_apply(&world);
    expect(DOVEGATE, "release.planned", "release_date=2026-12-29 juvenile=yes", "name",
           "police.staffordshire release-notice oma_14_out: name release_date\n"
           "yot.derbyshire release-notice oma_14_out: name release_date (for probation)\n"
           "! juvenile drugs\n");
    policy_close(&world);
}

static void test_strand(void **state)
{
    (void)state;
    open_listed(NULL);
    set_text(world.person.entry.strand, "prevent_deter");
    expect(DOVEGATE, "release.planned", PLANNED, "name", "! other-strand: prevent_deter\n");
    expect(FORCE, "arrest.made", "juvenile=no", "name",
           "probation.staffordshire arrest oma_14_in: name\n! no-consent drugs.stoke: throughcare\n");
    policy_close(&world);
}

static void test_consent_ends(void **state)
{
    static const char given[] =
        "drugs.stoke arrest cda_115: name\nprobation.staffordshire arrest oma_14_in: name\n";
    static const char missing[] = "probation.staffordshire arrest oma_14_in: name\n"
                                  "! no-consent drugs.stoke: throughcare\n";

    (void)state;
    open_listed(NULL);
    world.person.entry.review_due = civil_date(2027, 6, 1);
    policy_consent(&world, "throughcare");
    expect(FORCE, "arrest.made", "juvenile=no", "name", given);
    /* It counts to the end of the day on which it expires. */
    world.now = civil_time_of_day_start(civil_date(2027, 4, 1)) - 1;
    expect(FORCE, "arrest.made", "juvenile=no", "name", given);
    world.now++;
    expect(FORCE, "arrest.made", "juvenile=no", "name", missing);
    world.now = POLICY_NOW;
    policy_ask(&world, TEAM, "consent.withdrawn", "scope=throughcare", NULL);
    policy_apply(&world);
    expect(FORCE, "arrest.made", "juvenile=no", "name", missing);
    policy_close(&world);
}

static void test_review_overdue(void **state)
{
    (void)state;
    open_listed(NULL);
    world.now = civil_time_of_day_start(civil_date(2026, 12, 16) + 28) - 1;
    expect(OFFICE, "recall.issued", "juvenile=no", "name",
           "police.staffordshire breach oma_14_out: name (urgent)\n");
    world.now++;
    expect(OFFICE, "recall.issued", "juvenile=no", "name", "! not-listed\n");
    policy_close(&world);
}

static void test_deadlines(void **state)
{
    (void)state;
    open_listed(NULL);
    expect(DOVEGATE, "release.planned", "release_date=2026-12-14 juvenile=no", "name",
           "police.staffordshire release-notice oma_14_out: name release_date (late)\n"
           "probation.staffordshire release-notice oma_14_out: name release_date (late)\n"
           "! no-consent drugs.stoke: throughcare\n");
    assert_int_equal(world.decision.recipients[0].deadline,
                     civil_time_of_day_start(civil_date(2026, 12, 1)) - 1);
    policy_ask(&world, DOVEGATE, "release.planned", "release_date=2026-12-15 juvenile=no", "name");
    policy_answer(&world); /* fourteen days ahead, at nine in the morning: that day is still in time */
    assert_int_equal(world.decision.recipients[0].deadline,
                     civil_time_of_day_start(civil_date(2026, 12, 2)) - 1);
    assert_false(world.decision.recipients[0].late);
    policy_ask(&world, OFFICE, "recall.issued", "juvenile=no", "name");
    world.request.created -= POLICY_DAY; /* exactly at the deadline */
    policy_answer(&world);
    assert_int_equal(world.decision.recipients[0].deadline, POLICY_NOW);
    assert_false(world.decision.recipients[0].late);
    assert_true(world.decision.recipients[0].urgent);
    assert_int_equal(world.decision.recipients[0].acknowledge_by, POLICY_NOW + POLICY_DAY / 12);
    assert_string_equal(world.decision.recipients[0].escalate_to, "duty officer");
    assert_int_equal(world.decision.recipients[0].retention.months, 12);
    world.request.created--;
    policy_answer(&world);
    assert_true(world.decision.recipients[0].late);
    expect(DOVEGATE, "release.planned", "juvenile=no", "name", "! attribute-missing: release_date\n");
    policy_close(&world);
}

static void test_late_refused(void **state)
{
    static const struct policy_edit edits[] = {
        {"otherwise: P1D}  # otherwise: where there is no such date\n    late: send and flag",
         "otherwise: P1D}\n    late: refuse"},
        {NULL, NULL}};

    (void)state;
    open_listed(edits);
    expect(DOVEGATE, "release.planned", "release_date=2026-12-14 juvenile=no", "name", "! too-late\n");
    policy_close(&world);
}

/* Clocks that count back hours keep the hour. */
static void test_deadline_in_hours(void **state)
{
    const struct protocol_route route = {.clock = CLOCK_BEFORE, .clock_length = {0, POLICY_DAY * 3 / 2}};
    const struct protocol_route month = {.clock = CLOCK_BEFORE, .clock_length = {1, 0}};
    const struct protocol_route none = {.clock = CLOCK_NONE};
    const int32_t date = civil_date(2026, 12, 31);

    (void)state;
    assert_int_equal(policy_deadline(&route, 0, date), civil_time_of_day_start(date) - POLICY_DAY * 3 / 2);
    assert_int_equal(policy_deadline(&month, 0, date), civil_time_of_day_start(civil_date(2026, 12, 1)) - 1);
    assert_int_equal(policy_deadline(&none, 5, date), 0);
    /* Over before 1970: neither none nor a time that nobody can write down. */
    assert_int_equal(policy_deadline(&month, 0, civil_date(1969, 12, 31)), 1);
    assert_int_equal(policy_deadline(&route, 0, CIVIL_DATE_MIN), 1);
    assert_true(policy_deadline(&month, 0, CIVIL_DATE_MAX) > 0);
}

/* ---- corrections ---- */

static struct policy_target told; /* an event of the prison's, and who was told what of it */

static void set_told(void)
{
    const struct catalogue *catalogue = world.catalogue;

    told =
        (struct policy_target){.from = bytes_of_string(DOVEGATE),
                               .event = catalogue_find_event(catalogue, bytes_of_string("release.planned")),
                               .same_subject = true,
                               .same_protocol = true,
                               .count = 2};
    told.parties[0] = protocol_find_party(world.protocol, bytes_of_string("probation.staffordshire"));
    told.parties[1] = protocol_find_party(world.protocol, bytes_of_string("police.staffordshire"));
    label_set_add(&told.labels[0], catalogue_find_label(catalogue, bytes_of_string("address")));
    label_set_add(&told.labels[0], catalogue_find_label(catalogue, bytes_of_string("release_date")));
    label_set_add(&told.labels[1], catalogue_find_label(catalogue, bytes_of_string("release_date")));
    world.facts.target = &told;
}

#define TARGET "target=01a230e2-984a-7000-8000-000000000001 reason=wrong_value juvenile=no"

/* To those who were told and with what they were told, though the person is on no list and nobody consented.
 */
static void test_corrections_follow(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    set_told();
    expect(DOVEGATE, "event.corrected", TARGET, "address,crn",
           "probation.staffordshire correction : reason address target\n");
    expect(DOVEGATE, "event.corrected", TARGET, "release_date",
           "police.staffordshire correction : reason release_date target\n"
           "probation.staffordshire correction : reason release_date target\n");
    expect(DOVEGATE, "event.retracted", TARGET, NULL,
           "police.staffordshire correction : reason target\n"
           "probation.staffordshire correction : reason target\n");
    expect(DOVEGATE, "event.corrected", TARGET, "crn", "! no-item-held\n");
    told.count = 0; /* nobody has it yet */
    expect(DOVEGATE, "event.retracted", TARGET, NULL, "");
    assert_true(world.decision.granted);
    world.now = world.protocol->in_force_until + POLICY_DAY;
    expect(DOVEGATE, "event.erased", TARGET, NULL, "");
    assert_true(world.decision.granted);
    expect(DOVEGATE, "event.corrected", TARGET, "address", "! protocol-not-in-force\n");
    policy_close(&world);
}

static void test_what_cannot_be_corrected(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    expect(DOVEGATE, "event.retracted", TARGET, NULL, "! corrects-nothing\n");
    set_told();
    expect("prison.stafford", "event.retracted", TARGET, NULL, "! corrects-nothing\n");
    told.same_subject = false;
    expect(DOVEGATE, "event.retracted", TARGET, NULL, "! corrects-nothing\n");
    set_told();
    told.same_protocol = false;
    expect(DOVEGATE, "event.retracted", TARGET, NULL, "! corrects-nothing\n");
    set_told();
    told.event = catalogue_find_event(world.catalogue, bytes_of_string("event.corrected"));
    expect(DOVEGATE, "event.retracted", TARGET, NULL, "! corrects-nothing\n");
    set_told();
    told.is_ground = true;
    expect(DOVEGATE, "event.erased", TARGET, NULL, "! register-rests-on-it\n");
    set_told();
    party_set_remove(&world.facts.active, told.parties[1]);
    expect(DOVEGATE, "event.retracted", TARGET, NULL,
           "probation.staffordshire correction : reason target\n! party-not-active police.staffordshire\n");
    policy_close(&world);
}

static void test_whole_event(void **state)
{
    (void)state;
    open_listed(NULL);
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", "name");
    world.request.purpose = bytes_of_string("curiosity");
    assert_string_equal(policy_answer(&world), "! wrong-purpose\n");
    assert_int_equal(world.decision.reason, POLICY_WRONG_PURPOSE);
    assert_false(world.decision.granted);
    world.facts.person = NULL;
    expect(FORCE, "arrest.made", "juvenile=no", "name", "! not-listed\n");
    world.request.event = CATALOGUE_EVENTS_MAX;
    assert_string_equal(policy_answer(&world), "! not-yours-to-send\n");
    policy_close(&world);
}

static void test_out_of_force(void **state)
{
    (void)state;
    open_listed(NULL);
    policy_consent(&world, "throughcare");
    world.person.entry.review_due = civil_date(2028, 1, 1);
    world.now = world.protocol->in_force_until;
    expect(FORCE, "arrest.made", "juvenile=no", "name", "! protocol-not-in-force\n");
    expect(OFFICE, "consent.given", "scope=throughcare form_version=1 expires=2027-12-01", NULL,
           "! protocol-not-in-force\n");
    assert_false(world.decision.granted);
    /* What takes away is recorded, and told to nobody. */
    expect(OFFICE, "consent.withdrawn", "scope=throughcare", NULL, "! protocol-not-in-force\n");
    assert_true(world.decision.granted);
    expect(FORCE, "ppo.removed", "reason=died authority=bcu_commander", "name", "! protocol-not-in-force\n");
    assert_true(world.decision.granted && world.decision.record);
    assert_int_equal(world.decision.recipient_count, 0);
    world.now = world.protocol->in_force_from - 1;
    expect(FORCE, "arrest.made", "juvenile=no", "name", "! protocol-not-in-force\n");
    policy_close(&world);
}

static void test_repeats(void **state)
{
    (void)state;
    open_listed(NULL);
    policy_consent(&world, "throughcare");
    policy_ask(&world, DOVEGATE, "release.planned", PLANNED, "name");
    world.request.repeats = true;
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(FORCE)));
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(OFFICE)));
    assert_string_equal(policy_answer(&world), "drugs.stoke release-notice cda_115: name release_date\n");
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(TEAM)));
    assert_string_equal(policy_answer(&world), "! nobody-newly-entitled\n");
    policy_ask(&world, FORCE, "arrest.made", "juvenile=no", "name");
    world.request.repeats = true;
    assert_string_equal(policy_answer(&world), "! not-standing\n");
    /* A repeated listing tells a newcomer, and lists nobody. */
    policy_ask(&world, FORCE, "ppo.added", "strand=catch_convict area=stoke juvenile=no", "name");
    world.request.repeats = true;
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(TEAM)));
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(OFFICE)));
    party_set_add(&world.request.already, protocol_find_party(world.protocol, bytes_of_string(DOVEGATE)));
    assert_string_equal(policy_answer(&world), "prison.stafford list-change oma_14_in: name strand\n"
                                               "tracker.national list-tracking cda_115: name strand area\n");
    assert_false(world.decision.record);
    policy_close(&world);
}

static void test_grounds_and_recall(void **state)
{
    const struct policy_recipient *team, *force;
    uint32_t consent = REGISTER_GROUND_CONSENT(0);
    struct party_set recalled;

    (void)state;
    open_listed(NULL);
    policy_consent(&world, "throughcare");
    policy_ask(&world, DOVEGATE, "release.planned", PLANNED, "name");
    policy_answer(&world);
    team = policy_recipient(&world.decision, bytes_of_string(TEAM));
    force = policy_recipient(&world.decision, bytes_of_string(FORCE));
    assert_int_equal(team->grounds, REGISTER_GROUND_LISTING | consent);
    assert_int_equal(team->rests_on, REGISTER_GROUND_LISTING | consent);
    assert_int_equal(force->rests_on, REGISTER_GROUND_LISTING);
    assert_int_equal(policy_grounds(&world.decision), REGISTER_GROUND_LISTING | consent);
    recalled = policy_recalled(&world.decision, consent);
    assert_true(party_set_count(&recalled) == 1 && party_set_has(&recalled, team->party));
    recalled = policy_recalled(&world.decision, REGISTER_GROUND_LISTING);
    assert_int_equal(party_set_count(&recalled), 3);
    /* A listing is its own ground; a removal needs the listing as ground but does not fall with it. */
    policy_ask(&world, FORCE, "ppo.removed", "reason=moved authority=bcu_commander juvenile=no", "name");
    policy_answer(&world);
    team = policy_recipient(&world.decision, bytes_of_string(TEAM));
    assert_int_equal(team->grounds, REGISTER_GROUND_LISTING);
    assert_int_equal(team->rests_on, 0);
    assert_int_equal(world.decision.change.clears, REGISTER_GROUND_LISTING | consent);
    policy_close(&world);
    policy_open(&world, NULL);
    policy_ask(&world, FORCE, "ppo.added",
               "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2026-12-15 "
               "home_force=21 juvenile=no",
               "name");
    policy_answer(&world);
    team = policy_recipient(&world.decision, bytes_of_string(TEAM));
    assert_int_equal(team->grounds, 0);
    assert_int_equal(team->rests_on, REGISTER_GROUND_LISTING);
    assert_false(world.person.entry.listed); /* deciding changes nothing */
    policy_close(&world);
}

static enum policy_code match(const char *to, const char *rule, const char *labels)
{
    struct label_set set;
    struct policy_refusal refusal;
    char sentence[POLICY_TEXT_SIZE];

    assert_int_equal(
        catalogue_parse_labels(world.catalogue, world.request.event, bytes_of_string(labels), &set, NULL),
        STATUS_OK);
    if (policy_match(world.protocol, &world.decision, bytes_of_string(to), bytes_of_string(rule), &set,
                     &refusal) == STATUS_OK)
        return POLICY_NONE;
    policy_refusal_text(world.protocol, &world.decision, &refusal, sentence);
    assert_true(strlen(sentence) > 40);
    return refusal.code;
}

static void test_match(void **state)
{
    (void)state;
    open_listed(NULL);
    policy_ask(&world, DOVEGATE, "release.planned", PLANNED, "name,address,pnc_id");
    policy_answer(&world);
    assert_int_equal(match(FORCE, "release-notice", "name,pnc_id,release_date"), POLICY_NONE);
    assert_int_equal(match(FORCE, "release-notice", "address,name,pnc_id,release_date"),
                     POLICY_ITEM_NOT_GRANTED);
    assert_int_equal(match(FORCE, "release-notice", "name,release_date"), POLICY_ITEM_LEFT_OUT);
    assert_int_equal(match(FORCE, "arrest", "name,pnc_id,release_date"), POLICY_NOT_THAT_RULE);
    assert_int_equal(match(TEAM, "release-notice", "name"), POLICY_CONSENT); /* what is missing */
    assert_int_equal(match("prison.stafford", "release-notice", "name"), POLICY_NOT_A_RECIPIENT);
    assert_int_equal(match("police.nowhere", "release-notice", "name"), POLICY_NOT_A_RECIPIENT);
    policy_close(&world);
}

static void test_attributes_count_as_held(void **state)
{
    (void)state;
    open_listed(NULL);
    expect(OFFICE, "breach.recorded", "juvenile=no", "", "! no-item-held police.staffordshire\n");
    expect(DOVEGATE, "release.planned", PLANNED, "",
           "police.staffordshire release-notice oma_14_out: release_date\n"
           "probation.staffordshire release-notice oma_14_out: release_date\n"
           "! no-consent drugs.stoke: throughcare\n");
    /* Naming an attribute among the held items gives it no value. */
    expect(FORCE, "ppo.removed", "authority=bcu_commander juvenile=no", "name,reason",
           "drugs.stoke list-change cda_115: name\n"
           "prison.dovegate list-change oma_14_in: name\n"
           "prison.stafford list-change oma_14_in: name\n"
           "probation.staffordshire list-change oma_14_in: name authority\n"
           "tracker.national list-tracking cda_115: name\n");
    policy_close(&world);
}

static void test_helpers(void **state)
{
    struct duration retention;

    (void)state;
    policy_open(&world, NULL);
    uint16_t arrest = catalogue_find_event(world.catalogue, bytes_of_string("arrest.made"));
    assert_true(policy_may_send(world.protocol, bytes_of_string(FORCE), arrest));
    assert_false(policy_may_send(world.protocol, bytes_of_string(OFFICE), arrest));
    assert_false(policy_may_send(world.protocol, bytes_of_string("police.nowhere"), arrest));
    assert_false(policy_may_send(world.protocol, bytes_of_string(FORCE), CATALOGUE_NONE));
    assert_string_equal(policy_purpose(world.protocol, bytes_of_string(FORCE), arrest),
                        "act at once on the arrest of a person on the scheme");
    assert_null(policy_purpose(world.protocol, bytes_of_string(OFFICE), arrest));
    assert_int_equal(policy_retention(world.protocol, bytes_of_string("arrest"), &retention), STATUS_OK);
    assert_int_equal(retention.months, 12);
    assert_int_equal(policy_retention(world.protocol, bytes_of_string("arrests"), &retention),
                     STATUS_NOT_FOUND);
    policy_close(&world);
}

static void test_sentences(void **state)
{
    char sentence[POLICY_TEXT_SIZE];

    (void)state;
    open_listed(NULL);
    set_text(world.person.entry.home_force, "30");
    policy_ask(&world, DOVEGATE, "release.planned", PLANNED, "name");
    policy_answer(&world);
    policy_refusal_text(world.protocol, &world.decision, &world.decision.refusals[0], sentence);
    assert_string_equal(sentence,
                        "Rule release-notice: release.planned is not for class police, because no party is "
                        "the home force 30; that force must join the protocol.");
    policy_refusal_text(world.protocol, &world.decision, &world.decision.refusals[1], sentence);
    assert_string_equal(
        sentence, "Rule release-notice: release.planned is not for drugs.stoke, because no consent "
                  "'throughcare' is in force; the person must give it, and it must be recorded, first.");
    policy_decision_text(world.protocol, &world.decision, sentence);
    assert_string_equal(sentence, "release.planned goes to probation.staffordshire; 2 refused.");
    policy_ask(&world, OFFICE, "consent.withdrawn", "scope=throughcare", NULL);
    policy_answer(&world);
    policy_decision_text(world.protocol, &world.decision, sentence);
    assert_string_equal(sentence, "consent.withdrawn is recorded.");
    policy_ask(&world, OFFICE, "ppo.added", NULL, NULL);
    policy_answer(&world);
    policy_decision_text(world.protocol, &world.decision, sentence);
    assert_string_equal(sentence, "No rule lets you send this; see the protocol for what you may send.");
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_home_force),
        cmocka_unit_test(test_offender_manager),
        cmocka_unit_test(test_area),
        cmocka_unit_test(test_holding_prison_and_required_item),
        cmocka_unit_test(test_provider),
        cmocka_unit_test(test_never_to_the_sender),
        cmocka_unit_test(test_inactive),
        cmocka_unit_test(test_juveniles),
        cmocka_unit_test(test_juvenile_crossing_is_checked_anew),
        cmocka_unit_test(test_yot_that_holds_the_case),
        cmocka_unit_test(test_strand),
        cmocka_unit_test(test_consent_ends),
        cmocka_unit_test(test_review_overdue),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_late_refused),
        cmocka_unit_test(test_deadline_in_hours),
        cmocka_unit_test(test_corrections_follow),
        cmocka_unit_test(test_what_cannot_be_corrected),
        cmocka_unit_test(test_whole_event),
        cmocka_unit_test(test_out_of_force),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_grounds_and_recall),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_attributes_count_as_held),
        cmocka_unit_test(test_helpers),
        cmocka_unit_test(test_sentences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
