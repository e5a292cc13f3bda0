#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/policy.h"

/* What events make of a person's record, and who may make it. */

#define FORCE  "police.staffordshire"
#define OFFICE "probation.staffordshire"
#define TEAM   "drugs.stoke"
#define LISTING                                                                                              \
    "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2026-12-15 "           \
    "home_force=21 juvenile=no"

static struct policy_world world;
static struct register_change change;

static enum status apply(const char *from, const char *event, const char *attributes)
{
    policy_ask(&world, from, event, attributes, NULL);
    return register_apply(world.protocol, &world.person, &world.request, world.now, &change);
}

static void accept(const char *from, const char *event, const char *attributes)
{
    if (apply(from, event, attributes) != STATUS_OK)
        fail_msg("%s: %s", event, change.reason);
}

/* Refused with that in the reason, and nothing changed. */
static void refuse(const char *from, const char *event, const char *attributes, const char *says)
{
    struct register_state before = world.person;

    assert_int_equal(apply(from, event, attributes), STATUS_REFUSED);
    if (strstr(change.reason, says) == NULL)
        fail_msg("%s: %s", event, change.reason);
    assert_memory_equal(&before, &world.person, sizeof before);
    assert_int_equal(change.sets | change.clears, 0);
}

static void test_listing(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    assert_false(register_listed(world.protocol, &world.person.entry, world.now));
    accept(FORCE, "ppo.added", LISTING);
    assert_int_equal(change.effect, EFFECT_LIST);
    assert_int_equal(change.sets, REGISTER_GROUND_LISTING);
    assert_true(register_listed(world.protocol, &world.person.entry, world.now));
    assert_string_equal(world.person.entry.area, "stoke");
    assert_string_equal(world.person.entry.home_force, "21");
    assert_string_equal(world.person.entry.strand, "catch_convict");
    assert_int_equal(world.person.entry.review_due, civil_date(2026, 12, 15));
    assert_int_equal(world.person.entry.juvenile, JUVENILE_NO);
    policy_close(&world);
}

static void test_who_may_list(void **state)
{
    static const struct policy_edit edits[] = {
        {"  prison.dovegate:", "  police.derbyshire: {force: \"30\"}\n  prison.dovegate:"}, {NULL, NULL}};

    (void)state;
    policy_open(&world, edits);
    refuse("yot.staffordshire", "ppo.added", LISTING, "only a party of class police");
    refuse(FORCE, "ppo.added",
           "strand=prevent_deter area=stoke authority=bcu_commander selector=asbo review_due=2026-12-15 "
           "home_force=21 juvenile=no",
           "the authority is 'head_of_yos'");
    refuse(FORCE, "ppo.added",
           "strand=prevent_deter area=stoke authority=head_of_yos selector=asbo review_due=2026-12-15 "
           "home_force=21 juvenile=no",
           "only a party of class yot");
    refuse("police.derbyshire", "ppo.added", LISTING, "does not serve the area 'stoke'");
    refuse(FORCE, "ppo.added", "strand=catch_convict area=stoke authority=bcu_commander", "give all");
    refuse(FORCE, "ppo.added",
           "strand=catch_convict area=derby authority=bcu_commander selector=asbo review_due=2026-12-15 "
           "home_force=21 juvenile=no",
           "no area 'derby'");
    refuse(FORCE, "ppo.added",
           "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2026-11-30 "
           "home_force=21 juvenile=no",
           "in the past");
    refuse("prison.stafford", "ppo.added", LISTING, "no rule lets a party of class prison send ppo.added");
    refuse("police.nowhere", "ppo.added", LISTING, "no party");
    accept("yot.staffordshire", "ppo.added",
           "strand=prevent_deter area=stoke authority=head_of_yos selector=asbo review_due=2026-12-15 "
           "home_force=21");
    refuse(FORCE, "ppo.removed", "authority=bcu_commander reason=died", "the authority is 'head_of_yos'");
    accept("yot.staffordshire", "ppo.removed", "authority=head_of_yos reason=died");
    policy_close(&world);
}

/* Grounds are held to these too: the very same function folds them at agents. */
static void test_what_a_signer_may_not_set(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    for (size_t i = 0; i < 2; i++) {
        static const char *const ages[] = {"juvenile=yes", "juvenile=unknown"};
        char attributes[256];

        (void)snprintf(attributes, sizeof attributes,
                       "strand=resettle_rehabilitate area=stoke authority=bcu_commander selector=asbo "
                       "review_due=2026-12-15 home_force=21 %s",
                       ages[i]);
        refuse(FORCE, "ppo.added", attributes, "may stand on this list");
        (void)snprintf(attributes, sizeof attributes,
                       "strand=catch_convict area=stoke authority=bcu_commander selector=asbo "
                       "review_due=2026-12-15 home_force=21 %s",
                       ages[i]);
        refuse(FORCE, "ppo.added", attributes, "listed by the authority that 'approval'");
    }
    policy_list(&world);
    refuse(FORCE, "consent.given", "scope=throughcare form_version=1 expires=2027-03-31", "may not record");
    accept(OFFICE, "consent.given", "scope=throughcare form_version=1 expires=2027-03-31");
    accept(FORCE, "consent.given", "scope=victim_contact form_version=v1 expires=2027-01-31");
    refuse(OFFICE, "consent.given", "scope=victim_contact form_version=v1 expires=2027-01-31",
           "may not record");
    policy_close(&world);
}

static void test_longest_review(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    refuse(FORCE, "ppo.added",
           "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2027-01-02 "
           "home_force=21 juvenile=no",
           "within P1M");
    accept(FORCE, "ppo.added",
           "strand=catch_convict area=stoke authority=bcu_commander selector=asbo review_due=2027-01-01 "
           "home_force=21 juvenile=no");
    refuse(FORCE, "ppo.reviewed", "outcome=retain next_review=2027-01-02", "within P1M");
    policy_close(&world);
}

static void test_removal_ends_everything(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    refuse(FORCE, "ppo.removed", "authority=bcu_commander reason=criteria", "not on the list");
    policy_list(&world);
    policy_consent(&world, "throughcare");
    accept(OFFICE, "case.allocated", "role=offender_manager holder=probation.staffordshire");
    refuse(FORCE, "ppo.removed", "authority=head_of_yos reason=criteria", "the authority is 'bcu_commander'");
    accept(FORCE, "ppo.removed", "authority=bcu_commander reason=criteria");
    assert_int_equal(change.clears,
                     REGISTER_GROUND_LISTING | REGISTER_GROUND_MANAGER | REGISTER_GROUND_CONSENT(0));
    assert_int_equal(world.person.grounds, 0);
    assert_false(world.person.entry.listed);
    assert_string_equal(world.person.entry.offender_manager, "");
    assert_int_equal(world.person.entry.removed_at, world.now);
    assert_false(register_consented(&world.person, 0, world.now));
    /* What was made before the removal took effect comes too late. */
    policy_ask(&world, FORCE, "ppo.added", LISTING, NULL);
    assert_int_equal(register_apply(world.protocol, &world.person, &world.request, world.now, &change),
                     STATUS_REFUSED);
    policy_ask(&world, OFFICE, "consent.given", "scope=throughcare form_version=1 expires=2027-03-31", NULL);
    assert_int_equal(register_apply(world.protocol, &world.person, &world.request, world.now, &change),
                     STATUS_REFUSED);
    world.now += REGISTER_SKEW_MS + 1;
    accept(FORCE, "ppo.added", LISTING);
    assert_false(register_consented(&world.person, 0, world.now));
    policy_close(&world);
}

static void test_removal_under_a_name_that_is_gone(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    strcpy(world.person.entry.strand, "catch_convinct");
    strcpy(world.person.entry.area, "walsall");
    accept(FORCE, "ppo.removed", "authority=bcu_commander reason=other");
    policy_close(&world);
}

static void test_reviews(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    accept(FORCE, "ppo.reviewed", "outcome=retain next_review=2026-12-31 status=in_custody juvenile=yes");
    assert_int_equal(world.person.entry.review_due, civil_date(2026, 12, 31));
    assert_string_equal(world.person.entry.status, "in_custody");
    assert_int_equal(world.person.entry.juvenile, JUVENILE_YES);
    refuse(FORCE, "ppo.reviewed", "outcome=retain", "next_review");
    refuse(FORCE, "ppo.reviewed", "outcome=retain next_review=2026-11-01", "in the past");
    /* The last review alone is a ground: it does not keep what an earlier one said, and nobody grows up by
     * silence. */
    refuse(FORCE, "ppo.reviewed", "outcome=remove", "state 'juvenile'");
    accept(FORCE, "ppo.reviewed", "outcome=remove juvenile=no");
    assert_int_equal(world.person.entry.review_due, civil_date(2026, 12, 15));
    assert_int_equal(world.person.entry.juvenile, JUVENILE_NO);
    assert_string_equal(world.person.entry.status, "");
    policy_close(&world);
}

static void test_allocation(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    accept(OFFICE, "case.allocated", "role=offender_manager holder=probation.staffordshire");
    assert_string_equal(world.person.entry.offender_manager, OFFICE);
    assert_int_equal(change.sets, REGISTER_GROUND_MANAGER);
    accept(OFFICE, "case.allocated", "role=keyworker holder=drugs.stoke");
    assert_string_equal(world.person.entry.keyworker, TEAM);
    refuse(OFFICE, "case.allocated", "role=offender_manager holder=drugs.stoke", "class drugs cannot be");
    refuse(OFFICE, "case.allocated", "role=yot holder=drugs.stoke", "class drugs cannot be");
    refuse(OFFICE, "case.allocated", "role=offender_manager holder=probation.derby", "no party");
    refuse(FORCE, "case.allocated", "role=keyworker holder=drugs.stoke", "no rule");
    policy_close(&world);
}

static void test_custody(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    accept("prison.dovegate", "custody.received", "prison=DGI");
    assert_string_equal(world.person.entry.holding_prison, "prison.dovegate");
    refuse("prison.dovegate", "custody.received", "prison=SFI", "does not speak for the prison SFI");
    refuse("prison.stafford", "custody.transferred", "prison=DGI", "does not speak");
    refuse("prison.dovegate", "custody.received", "", "missing");
    accept("prison.stafford", "custody.transferred", "prison=SFI");
    assert_string_equal(world.person.entry.holding_prison, "prison.stafford");
    refuse("prison.dovegate", "custody.transferred", "prison=FHI", "does not speak");
    accept("prison.stafford", "custody.transferred", "prison=FHI"); /* to a prison that is no party */
    assert_string_equal(world.person.entry.holding_prison, "");
    assert_int_equal(change.clears, REGISTER_GROUND_CUSTODY);
    accept("prison.stafford", "custody.received", "prison=SFI");
    accept("prison.dovegate", "release.confirmed", "released_on=2026-12-01");
    assert_string_equal(world.person.entry.holding_prison, "prison.stafford");
    accept("prison.stafford", "release.confirmed", "released_on=2026-12-01");
    assert_string_equal(world.person.entry.holding_prison, "");
    policy_close(&world);
}

static void test_consents(void **state)
{
    static const struct policy_edit edits[] = {
        {"  share_with_provider: {longest: P6M, forms: [\"1\", \"2\", \"3\"], recorded_by: [drugs]}\n", ""},
        {"        consent: share_with_provider\n", "        consent: referral\n"},
        {NULL, NULL}};

    (void)state;
    policy_open(&world, edits);
    accept(TEAM, "consent.given",
           "scope=throughcare form_version=3 expires=2027-12-01"); /* P12M to the day */
    assert_true(register_consented(&world.person, 0, world.now));
    assert_int_equal(change.sets, REGISTER_GROUND_CONSENT(0));
    refuse(TEAM, "consent.given", "scope=throughcare form_version=3 expires=2027-12-02", "P12M at most");
    refuse(TEAM, "consent.given", "scope=referral form_version=3 expires=2027-06-02", "P6M at most");
    refuse(TEAM, "consent.given", "scope=throughcare form_version=3", "expires");
    refuse(TEAM, "consent.given", "scope=throughcare expires=2027-03-01", "form_version");
    refuse(TEAM, "consent.given", "scope=throughcare form_version=3 expires=2026-11-30",
           "before it was given");
    refuse(TEAM, "consent.given", "scope=share_with_provider form_version=3 expires=2027-01-01",
           "no consent of that scope");
    refuse("prison.stafford", "consent.given", "scope=throughcare form_version=3 expires=2027-01-01",
           "no rule");
    policy_close(&world);
}

static void test_withdrawal_wins(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    /* A withdrawal of what was never given still stands in the way of what was given before it. */
    accept(OFFICE, "consent.withdrawn", "scope=throughcare");
    assert_int_equal(change.clears, 0);
    refuse(TEAM, "consent.given", "scope=throughcare form_version=3 expires=2027-01-01",
           "ask the person, and record it anew");
    world.now += REGISTER_SKEW_MS + 1;
    accept(TEAM, "consent.given", "scope=throughcare form_version=3 expires=2027-01-01");
    accept(TEAM, "consent.given", "scope=referral form_version=3 expires=2027-01-01");
    assert_int_equal(change.sets, REGISTER_GROUND_CONSENT(1));
    accept(OFFICE, "consent.withdrawn", "scope=throughcare");
    assert_int_equal(change.clears, REGISTER_GROUND_CONSENT(0));
    assert_false(register_consented(&world.person, 0, world.now));
    assert_true(register_consented(&world.person, 1, world.now));
    assert_int_equal(register_find_consent(&world.person, "referral"), 1);
    assert_int_equal(register_find_consent(&world.person, "share"), PROTOCOL_NONE);
    policy_close(&world);
}

static void test_move(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    refuse(FORCE, "ppo.moved", "from_area=stoke to_area=derby home_force=30", "no area 'derby'");
    refuse(FORCE, "ppo.moved", "from_area=stoke to_area=stafford", "give all");
    accept(FORCE, "ppo.moved", "from_area=stoke to_area=stafford home_force=22");
    assert_string_equal(world.person.entry.area, "stafford");
    assert_string_equal(world.person.entry.home_force, "22");
    assert_int_equal(change.sets, REGISTER_GROUND_MOVE);
    accept(FORCE, "ppo.added", LISTING); /* a new listing says where the person is */
    assert_int_equal(change.clears, REGISTER_GROUND_MOVE);
    policy_close(&world);
}

#define A "00000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "00000001bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_merge_needs_two(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    refuse(OFFICE, "subject.merged", "merged_from=" A " merged_to=" B, "begun by a list authority");
    refuse(FORCE, "subject.merged", "merged_from=" A " merged_to=" A, "two different");
    accept(FORCE, "subject.merged", "merged_from=" A " merged_to=" B);
    assert_false(change.merged);
    accept(FORCE, "subject.merged", "merged_from=" A " merged_to=" B);
    assert_false(change.merged); /* the same member twice is one member */
    refuse(OFFICE, "subject.merged", "merged_from=" B " merged_to=" A, "begun by a list authority");
    accept(OFFICE, "subject.merged", "merged_from=" A " merged_to=" B);
    assert_true(change.merged);
    assert_string_equal(world.person.entry.merge_by, "");
    policy_close(&world);
}

/* A merge that nobody confirms in time lapses, and must be begun anew. */
static void test_merge_lapses(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    accept(FORCE, "subject.merged", "merged_from=" A " merged_to=" B);
    world.now += 14 * CIVIL_DAY_MS;
    refuse(OFFICE, "subject.merged", "merged_from=" A " merged_to=" B, "begun by a list authority");
    accept(FORCE, "subject.merged", "merged_from=" A " merged_to=" B);
    assert_false(change.merged);
    world.now += 14 * CIVIL_DAY_MS - 1;
    accept(OFFICE, "subject.merged", "merged_from=" A " merged_to=" B);
    assert_true(change.merged);
    policy_close(&world);
}

/* A clock that runs ahead does not let a consent or listing survive a withdrawal or removal made after it. */
static void test_grants_count_from_after_the_end(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    accept(OFFICE, "consent.withdrawn", "scope=throughcare");
    world.now += REGISTER_SKEW_MS;
    refuse(OFFICE, "consent.given", "scope=throughcare form_version=3 expires=2027-03-31",
           "within five minutes");
    world.now += 1;
    accept(OFFICE, "consent.given", "scope=throughcare form_version=3 expires=2027-03-31");
    accept(FORCE, "ppo.removed", "authority=bcu_commander reason=moved");
    world.now += REGISTER_SKEW_MS;
    refuse(FORCE, "ppo.added", LISTING, "within five minutes");
    world.now += 1;
    accept(FORCE, "ppo.added", LISTING);
    policy_close(&world);
}

static void test_merge(void **state)
{
    struct register_state a, b, merged;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    policy_consent(&world, "throughcare");
    policy_consent(&world, "referral");
    a = world.person;
    register_init(&world.person);
    policy_list(&world);
    policy_consent(&world, "referral");
    b = world.person;
    strcpy(b.entry.home_force, "22");
    b.entry.juvenile = JUVENILE_YES;
    b.entry.review_due = civil_date(2026, 12, 10);
    register_merge(&a, &b, &merged);
    assert_true(merged.entry.listed);
    assert_int_equal(merged.entry.juvenile, JUVENILE_YES);
    assert_int_equal(merged.entry.review_due, civil_date(2026, 12, 10));
    assert_string_equal(merged.entry.area, "stoke");
    assert_string_equal(merged.entry.home_force, "");
    assert_false(register_consented(&merged, register_find_consent(&merged, "throughcare"), world.now));
    assert_true(register_consented(&merged, register_find_consent(&merged, "referral"), world.now));
    assert_int_equal(merged.grounds, REGISTER_GROUND_LISTING | REGISTER_GROUND_CONSENT(1));
    b.entry.listed = false;
    register_merge(&a, &b, &a);
    assert_false(a.entry.listed);
    policy_close(&world);
}

/* What was withdrawn in one record stays withdrawn in the merged one, whichever of the two is kept. */
static void test_merge_keeps_withdrawals(void **state)
{
    struct register_state kept, other, merged;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    policy_consent(&world, "referral");
    kept = world.person;
    register_init(&world.person);
    policy_list(&world);
    policy_consent(&world, "throughcare");
    accept(OFFICE, "consent.withdrawn", "scope=throughcare");
    other = world.person;
    register_merge(&kept, &other, &merged);
    assert_int_equal(register_find_consent(&merged, "referral"), 0); /* where it was */
    world.person = merged;
    refuse(OFFICE, "consent.given", "scope=throughcare form_version=3 expires=2027-03-31",
           "before the last withdrawal");
    policy_close(&world);
}

static void test_expires_at(void **state)
{
    int64_t listing = civil_time_of_day_start(civil_date(2026, 12, 16) + 28);

    (void)state;
    policy_open(&world, NULL);
    assert_true(register_expires_at(world.protocol, &world.person, world.now) == INT64_MAX);
    policy_list(&world);
    assert_int_equal(register_expires_at(world.protocol, &world.person, world.now), listing);
    assert_true(register_expires_at(world.protocol, &world.person, listing) == INT64_MAX);
    accept(OFFICE, "consent.given", "scope=throughcare form_version=1 expires=2026-12-24");
    assert_int_equal(register_expires_at(world.protocol, &world.person, world.now),
                     civil_time_of_day_start(civil_date(2026, 12, 25)));
    policy_close(&world);
}

static void test_encoding(void **state)
{
    struct byte_buffer bytes = bytes_buffer(REGISTER_ENCODED_MAX);
    struct register_state back;
    struct byte_view view;

    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    policy_consent(&world, "throughcare");
    accept("prison.dovegate", "custody.received", "prison=DGI");
    accept(OFFICE, "consent.withdrawn", "scope=referral");
    register_encode(&world.person, &bytes);
    assert_int_equal(bytes.status, STATUS_OK);
    view = bytes_buffer_view(&bytes);
    memset(&back, 0xff, sizeof back);
    assert_int_equal(register_decode(view, &back), STATUS_OK);
    assert_string_equal(back.entry.holding_prison, "prison.dovegate");
    struct byte_buffer again = bytes_buffer(REGISTER_ENCODED_MAX);
    register_encode(&back, &again);
    assert_true(bytes_equal(view, bytes_buffer_view(&again)));
    for (view.size = 0; view.size < bytes.size; view.size++)
        assert_int_equal(register_decode(view, &back), STATUS_CORRUPT);
    bytes_append_u8(&bytes, 0);
    assert_int_equal(register_decode(bytes_buffer_view(&bytes), &back), STATUS_CORRUPT);
    bytes.data[0] = 4;
    bytes.size--;
    assert_int_equal(register_decode(bytes_buffer_view(&bytes), &back), STATUS_CORRUPT);
    bytes_buffer_free(&bytes);
    bytes_buffer_free(&again);
    policy_close(&world);
}

/* What an agent knows after folding only the grounds that are set, in the order of their commits. */
#define HISTORY 40

struct committed {
    const char *from, *event, *attributes;
    int64_t now;
    uint32_t sets;
};

static const struct {
    const char *from, *event, *attributes;
} moves[] = {
    {FORCE, "ppo.added", LISTING},
    {FORCE, "ppo.added",
     "strand=resettle_rehabilitate area=tamworth authority=bcu_commander selector=issp review_due=2026-12-30 "
     "home_force=22"},
    {FORCE, "ppo.removed", "authority=bcu_commander reason=moved"},
    {FORCE, "ppo.reviewed", "outcome=retain next_review=2026-12-31 status=in_custody juvenile=yes"},
    {FORCE, "ppo.reviewed", "outcome=remove status=at_risk"},
    {OFFICE, "case.allocated", "role=offender_manager holder=probation.staffordshire"},
    {OFFICE, "case.allocated", "role=keyworker holder=drugs.stoke"},
    {"prison.dovegate", "custody.received", "prison=DGI"},
    {"prison.stafford", "custody.transferred", "prison=SFI"},
    {"prison.stafford", "custody.transferred", "prison=FHI"},
    {"prison.dovegate", "release.confirmed", ""},
    {TEAM, "consent.given", "scope=throughcare form_version=1 expires=2027-03-01"},
    {OFFICE, "consent.given", "scope=throughcare form_version=2 expires=2027-02-01"},
    {OFFICE, "consent.given", "scope=referral form_version=2 expires=2027-02-01"},
    {TEAM, "consent.withdrawn", "scope=throughcare"},
    {TEAM, "consent.withdrawn", "scope=referral"},
};

static void check_same_facts(const struct register_state *broker, const struct register_state *agent,
                             int64_t now)
{
    assert_int_equal(register_listed(world.protocol, &broker->entry, now),
                     register_listed(world.protocol, &agent->entry, now));
    if (broker->entry.listed) {
        assert_string_equal(broker->entry.area, agent->entry.area);
        assert_string_equal(broker->entry.strand, agent->entry.strand);
        assert_string_equal(broker->entry.home_force, agent->entry.home_force);
        assert_int_equal(broker->entry.juvenile, agent->entry.juvenile);
        assert_int_equal(broker->entry.review_due, agent->entry.review_due);
    }
    assert_string_equal(broker->entry.offender_manager, agent->entry.offender_manager);
    assert_string_equal(broker->entry.keyworker, agent->entry.keyworker);
    assert_string_equal(broker->entry.holding_prison, agent->entry.holding_prison);
    for (uint16_t i = 0; i < broker->consent_count; i++)
        assert_int_equal(
            register_consented(broker, i, now),
            register_consented(agent, register_find_consent(agent, broker->consents[i].scope), now));
}

static void fold_grounds(const struct committed *history, size_t count, uint32_t set,
                         struct register_state *ret_agent)
{
    struct register_change ignored;

    register_init(ret_agent);
    for (size_t i = 0; i < count; i++) {
        uint32_t later = 0;

        for (size_t k = i + 1; k < count; k++)
            later |= history[k].sets;
        if ((history[i].sets & set & ~later) == 0)
            continue;
        policy_ask(&world, history[i].from, history[i].event, history[i].attributes, NULL);
        world.request.created = history[i].now;
        if (register_apply(world.protocol, ret_agent, &world.request, history[i].now, &ignored) != STATUS_OK)
            fail_msg("ground %s: %s", history[i].event, ignored.reason);
    }
}

static void test_grounds_give_the_same_facts(void **state)
{
    struct support_random random = support_seeded(7);

    (void)state;
    policy_open(&world, NULL);
    for (size_t round = 0; round < support_count(400); round++) {
        struct committed history[HISTORY];
        struct register_state agent;
        size_t count = 0;

        register_init(&world.person);
        world.now = POLICY_NOW;
        for (size_t i = 0; i < HISTORY; i++) {
            size_t move = (size_t)support_below(&random, sizeof moves / sizeof moves[0]);

            world.now++;
            if (apply(moves[move].from, moves[move].event, moves[move].attributes) != STATUS_OK)
                continue;
            history[count++] = (struct committed){moves[move].from, moves[move].event, moves[move].attributes,
                                                  world.now, change.sets};
            fold_grounds(history, count, world.person.grounds, &agent);
            check_same_facts(&world.person, &agent, world.now);
        }
    }
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_who_may_list),
        cmocka_unit_test(test_what_a_signer_may_not_set),
        cmocka_unit_test(test_longest_review),
        cmocka_unit_test(test_removal_ends_everything),
        cmocka_unit_test(test_removal_under_a_name_that_is_gone),
        cmocka_unit_test(test_reviews),
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_custody),
        cmocka_unit_test(test_consents),
        cmocka_unit_test(test_withdrawal_wins),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_merge_needs_two),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_lapses),
        cmocka_unit_test(test_grants_count_from_after_the_end),
        cmocka_unit_test(test_merge_keeps_withdrawals),
        cmocka_unit_test(test_expires_at),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_grounds_give_the_same_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
