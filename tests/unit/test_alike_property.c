#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/chance.h"

/*
 * Agent and broker decide alike. A seeded history about one person is folded as the broker folds it: every
 * event that policy_decide accepts, at its commit. An agent has only the grounds that the plan shows: of each
 * fact that the decision used, or that its change is judged by, the event that set it last, with the
 * attributes that a ground shows. Folded with the same functions these must give the same decision; without
 * one that entitles, a listing or a consent, never a wider one. (What replaced something else, such as a
 * move, a broker can hide: docs/open-points.md.)
 */

#define EVENTS    12 /* of a history, at most */
#define QUESTIONS 20 /* decisions about each history */

static struct policy_world broker, agent;

/* An event of the history: enough to make it again. */
struct said {
    const char *from;
    const char *type;
    char attributes[512];
    int64_t created;
    int64_t committed;
};

/* What the broker keeps besides the state: by fact, the event that set it last (subjects.c). */
static struct said history[EVENTS];
static size_t said_count;
static int grounds[REGISTER_GROUNDS]; /* place in the history, or -1 */

/* ---- events by chance ---- */

static const char *day(struct support_random *random, int64_t now, unsigned within,
                       char out[static CIVIL_DATE_SIZE])
{
    civil_format_date((int32_t)(now / POLICY_DAY) + (int32_t)support_below(random, within), out);
    return out;
}

static void say_listing(struct support_random *random, struct said *it, int64_t now)
{
    static const char *const strands[] = {"catch_convict", "resettle_rehabilitate", "prevent_deter"};
    static const char *const areas[] = {"stoke", "stafford", "tamworth"};
    static const char *const forces[] = {"21", "21", "30", "22"};
    static const char *const ages[] = {"yes", "no", "no", "no", "unknown"};
    static const char *const diverts[] = {"", "", "", " divert=mappa"};
    const bool young = support_below(random, 3) == 0;
    char due[CIVIL_DATE_SIZE];

    it->type = "ppo.added";
    it->from = young ? "yot.staffordshire" : "police.staffordshire";
    snprintf(it->attributes, sizeof it->attributes,
             "strand=%s area=%s authority=%s selector=core_nominal review_due=%s home_force=%s juvenile=%s%s",
             young && support_below(random, 2) == 0 ? "prevent_deter" : CHANCE_PICK(random, strands),
             CHANCE_PICK(random, areas), young ? "head_of_yos" : "bcu_commander", day(random, now, 30, due),
             CHANCE_PICK(random, forces), young ? "yes" : CHANCE_PICK(random, ages),
             CHANCE_PICK(random, diverts));
}

static void say_review(struct support_random *random, struct said *it, int64_t now)
{
    static const char *const senders[] = {"police.staffordshire", "yot.staffordshire", "police.derbyshire"};
    static const char *const ages[] = {"", " juvenile=yes", " juvenile=no"};
    static const char *const diverts[] = {"", "", " divert=mappa", " divert=none"};
    char next[CIVIL_DATE_SIZE];

    it->type = "ppo.reviewed";
    it->from = CHANCE_PICK(random, senders);
    snprintf(it->attributes, sizeof it->attributes, "outcome=%s next_review=%s status=at_risk%s%s",
             support_below(random, 8) == 0 ? "remove" : "retain", day(random, now, 30, next),
             CHANCE_PICK(random, ages), CHANCE_PICK(random, diverts));
}

static void say_consent(struct support_random *random, struct said *it, int64_t now)
{
    static const char *const senders[] = {"probation.staffordshire", "drugs.stoke"};
    static const char *const scopes[] = {"throughcare", "share_with_probation", "share_with_ppo_team",
                                         "referral", "share_with_provider"};
    const bool given = support_below(random, 3) != 0;
    char until[CIVIL_DATE_SIZE];

    it->from = CHANCE_PICK(random, senders);
    it->type = given ? "consent.given" : "consent.withdrawn";
    snprintf(it->attributes, sizeof it->attributes, given ? "scope=%s form_version=2 expires=%s" : "scope=%s",
             CHANCE_PICK(random, scopes), day(random, now, 40, until));
}

static void say_where(struct support_random *random, struct said *it)
{
    static const char *const areas[] = {"stoke", "stafford", "tamworth"};
    static const char *const prisons[][2] = {{"prison.dovegate", "DGI"}, {"prison.stafford", "SFI"}};
    static const char *const roles[] = {"offender_manager", "keyworker", "yot"};
    static const char *const holders[] = {"probation.staffordshire", "probation.derbyshire", "drugs.stoke",
                                          "yot.staffordshire"};
    const size_t prison = support_below(random, 2);

    switch (support_below(random, 3)) {
    case 0:
        it->from = "police.staffordshire";
        it->type = "ppo.moved";
        snprintf(it->attributes, sizeof it->attributes, "from_area=%s to_area=%s home_force=%s",
                 CHANCE_PICK(random, areas), CHANCE_PICK(random, areas),
                 support_below(random, 2) == 0 ? "21" : "30");
        break;
    case 1:
        it->from = prisons[prison][0];
        it->type = "custody.received";
        snprintf(it->attributes, sizeof it->attributes, "prison=%s", prisons[prison][1]);
        break;
    default:
        it->from = support_below(random, 4) == 0 ? "yot.staffordshire" : "probation.staffordshire";
        it->type = "case.allocated";
        snprintf(it->attributes, sizeof it->attributes, "role=%s holder=%s", CHANCE_PICK(random, roles),
                 CHANCE_PICK(random, holders));
        break;
    }
}

static void say(struct support_random *random, struct said *it, int64_t now)
{
    switch (support_below(random, 8)) {
    case 0:
    case 1:
        say_listing(random, it, now);
        break;
    case 2:
        say_review(random, it, now);
        break;
    case 3:
    case 4:
        say_consent(random, it, now);
        break;
    case 5:
        it->type = support_below(random, 2) == 0 ? "ppo.removed" : "release.confirmed";
        it->from = it->type[0] == 'p' ? "police.staffordshire" : "prison.dovegate";
        snprintf(it->attributes, sizeof it->attributes, "%s",
                 it->type[0] == 'p' ? "reason=criteria authority=bcu_commander"
                                    : "released_on=2026-12-01 home_force=21");
        break;
    default:
        say_where(random, it);
        break;
    }
    it->committed = now;
    it->created = now - (int64_t)support_below(random, 400000);
}

/* ---- the broker ---- */

static void ask(struct policy_world *world, const struct said *it)
{
    world->now = it->created;
    policy_ask(world, it->from, it->type, it->attributes, NULL);
    world->now = it->committed;
}

/* As change_subject of broker/accepting.c. */
static void note_grounds(const struct register_change *change, int place)
{
    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((change->clears >> i & 1) != 0)
            grounds[i] = -1;
        if ((change->sets >> i & 1) != 0)
            grounds[i] = place;
    }
}

static bool accept(const struct said *it)
{
    struct register_change change;

    ask(&broker, it);
    policy_decide(broker.protocol, &broker.facts, &broker.request, broker.now, &broker.decision);
    if (!broker.decision.granted)
        return false;
    assert_int_equal(register_apply(broker.protocol, &broker.person, &broker.request, broker.now, &change),
                     STATUS_OK);
    note_grounds(&change, (int)said_count);
    return true;
}

static int64_t make_history(struct support_random *random)
{
    const size_t tries = 2 + support_below(random, 2 * EVENTS);
    int64_t now = POLICY_NOW;

    register_init(&broker.person);
    said_count = 0;
    for (size_t i = 0; i < REGISTER_GROUNDS; i++)
        grounds[i] = -1;
    for (size_t i = 0; i < tries && said_count < EVENTS; i++) {
        now += (int64_t)support_below(random, (uint64_t)(2 * POLICY_DAY));
        say(random, &history[said_count], now);
        if (accept(&history[said_count]))
            said_count++;
    }
    return now + (int64_t)support_below(random, (uint64_t)(20 * POLICY_DAY));
}

/* ---- the agent ---- */

/* As facts_fold of agent/facts.c, from the attributes that a ground shows (broker/grounds.c). */
static void fold(const struct said *it, bool whole)
{
    const struct catalogue_event *type;
    struct register_change change;

    ask(&agent, it);
    type = &agent.catalogue->events[agent.request.event];
    for (uint16_t i = 0; i < type->attribute_count; i++) {
        if (!register_reads(type, i))
            agent.request.attributes[i] = bytes_view(NULL, 0);
    }
    assert_int_equal(request_read(agent.catalogue, &agent.request, NULL), STATUS_OK);
    if (register_apply(agent.protocol, &agent.person, &agent.request, it->committed, &change) != STATUS_OK)
        assert_false(whole); /* a ground that does not fit is left out */
}

/* The grounds that a plan shows, in the order of commits; without the one at `missing`. Returns the place of
 * the last that entitles, or SIZE_MAX. */
static size_t fold_shown(uint32_t bits, size_t missing)
{
    bool shown[EVENTS] = {false};
    size_t entitles = SIZE_MAX;

    register_init(&agent.person);
    for (size_t i = 0; i < REGISTER_GROUNDS; i++) {
        if ((bits >> i & 1) != 0 && grounds[i] >= 0)
            shown[grounds[i]] = true;
    }
    for (size_t i = 0; i < said_count; i++) {
        if (shown[i] &&
            (strcmp(history[i].type, "ppo.added") == 0 || strcmp(history[i].type, "consent.given") == 0))
            entitles = i;
        if (shown[i] && i != missing)
            fold(&history[i], missing == SIZE_MAX);
    }
    return entitles;
}

/* ---- what is asked ---- */

static void assert_alike(const struct policy_decision *a, const struct policy_decision *b)
{
    assert_int_equal(a->recipient_count, b->recipient_count);
    for (uint16_t i = 0; i < a->recipient_count; i++) {
        const struct policy_recipient *one = &a->recipients[i], *other = &b->recipients[i];

        assert_string_equal(one->to, other->to);
        assert_string_equal(one->rule, other->rule);
        assert_true(label_set_equal(&one->labels, &other->labels));
        assert_int_equal(one->late, other->late);
        assert_int_equal(one->urgent, other->urgent);
        assert_int_equal(one->consent, other->consent);
    }
    assert_int_equal(a->record, b->record);
}

/* Returns how many recipients there were. */
static size_t compare(struct support_random *random, int64_t now)
{
    uint32_t bits;
    size_t entitles;

    chance_request(&broker, random);
    broker.request.created = broker.request.occurred = now;
    agent.facts = broker.facts;
    agent.facts.person = &agent.person;
    policy_decide(broker.protocol, &broker.facts, &broker.request, now, &broker.decision);
    if (!broker.decision.granted)
        return 0; /* nothing would be sealed */
    bits = policy_grounds(&broker.decision);
    entitles = fold_shown(bits, SIZE_MAX);
    policy_decide(agent.protocol, &agent.facts, &broker.request, now, &agent.decision);
    assert_alike(&broker.decision, &agent.decision);
    if (entitles != SIZE_MAX) {
        (void)fold_shown(bits, entitles);
        policy_decide(agent.protocol, &agent.facts, &broker.request, now, &agent.decision);
        chance_within(&agent.decision, &broker.decision);
    }
    return broker.decision.recipient_count;
}

static void test_agent_and_broker_decide_alike(void **state)
{
    struct support_random random = support_seeded(11);
    size_t recipients = 0, rested = 0;

    (void)state;
    policy_open(&broker, chance_parties);
    policy_open(&agent, chance_parties);
    for (size_t i = 0; i < support_count(100000) / QUESTIONS; i++) {
        const int64_t now = make_history(&random);

        for (size_t k = 0; k < QUESTIONS; k++) {
            const size_t count = compare(&random, now);

            recipients += count;
            rested += count > 0 && policy_grounds(&broker.decision) != 0;
        }
    }
    assert_true(recipients > 1000); /* the generator reaches what it is about */
    assert_true(rested > 1000);
    policy_close(&agent);
    policy_close(&broker);
}

static void remember(const char *from, const char *type, const char *attributes, int64_t at)
{
    struct said *it = &history[said_count];

    *it = (struct said){.from = from, .type = type, .created = at, .committed = at};
    snprintf(it->attributes, sizeof it->attributes, "%s", attributes);
    assert_true(accept(it));
    said_count++;
}

/* Where the person moved to is the sender's own force, so that the move leads to nobody; without it the agent
 * would route by the listing. */
static void test_a_move_that_leads_to_nobody(void **state)
{
    (void)state;
    policy_open(&broker, chance_parties);
    policy_open(&agent, chance_parties);
    register_init(&broker.person);
    said_count = 0;
    memset(grounds, 0xff, sizeof grounds);
    remember("police.staffordshire", "ppo.added",
             "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
             "review_due=2026-12-20 home_force=21 juvenile=no",
             POLICY_NOW);
    remember("police.staffordshire", "ppo.moved", "from_area=stoke to_area=tamworth home_force=30",
             POLICY_NOW + POLICY_DAY);
    remember("probation.staffordshire", "case.allocated",
             "role=offender_manager holder=probation.staffordshire", POLICY_NOW + POLICY_DAY);
    broker.now = POLICY_NOW + 2 * POLICY_DAY;
    policy_ask(&broker, "police.derbyshire", "arrest.disposed", "juvenile=no", "name");
    policy_decide(broker.protocol, &broker.facts, &broker.request, broker.now, &broker.decision);
    assert_int_equal(broker.decision.recipient_count, 1); /* the offender manager */
    fold_shown(policy_grounds(&broker.decision), SIZE_MAX);
    policy_decide(agent.protocol, &agent.facts, &broker.request, broker.now, &agent.decision);
    assert_alike(&broker.decision, &agent.decision);
    policy_close(&agent);
    policy_close(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agent_and_broker_decide_alike),
        cmocka_unit_test(test_a_move_that_leads_to_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
