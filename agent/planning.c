#include "agent/planning.h"

#include <stdlib.h>
#include <string.h>

#include "agent/correlated.h"
#include "agent/departure.h"
#include "agent/facts.h"
#include "agent/incidents.h"
#include "agent/own_facts.h"
#include "base/crash.h"

struct planning {
    struct agent *agent;
    uint64_t request; /* 0: none under way */
    size_t count;
    struct plan *plans[PLANNING_BATCH];
};

/* What one answer is worked on with; large, so only while it is. */
struct workbench {
    struct policy_decision decision;
    struct register_state state;
    struct sealed_event sealed;
    struct sealing *sealing;
};

enum status planning_new(struct agent *agent, struct planning **ret_planning)
{
    struct planning *planning = calloc(1, sizeof *planning);

    if (planning == NULL)
        return STATUS_NO_MEMORY;
    planning->agent = agent;
    *ret_planning = planning;
    return STATUS_OK;
}

void planning_free(struct planning **planning)
{
    if (*planning == NULL)
        return;
    planning_drop(*planning);
    free(*planning);
    *planning = NULL;
}

void planning_drop(struct planning *planning)
{
    for (size_t i = 0; i < planning->count; i++)
        plan_free(&planning->plans[i]);
    planning->count = 0;
    planning->request = 0;
}

bool planning_waits(const struct planning *planning, uint64_t request)
{
    return planning->request != 0 && (request == 0 || planning->request == request);
}

/* ---- asking
 * ---------------------------------------------------------------------------------------------------- */

/* Makes the plan of one queued event, or refuses it when the bundle in force leaves no way to send it. */
static enum status add_plan(struct planning *planning, struct departure *due, int64_t now)
{
    struct agent *agent = planning->agent;
    enum status status = plan_make(agent->membership, bytes_of_string(agent->settings.member), &due->kept,
                                   agent->random, now, &planning->plans[planning->count]);

    if (status == STATUS_OK)
        planning->count++;
    else if (status == STATUS_REFUSED)
        status = departure_refuse_text(
            agent, due->event, "the protocol in force no longer lets this event be sent by this member", now);
    return status;
}

static enum status make_plans(struct planning *planning, int64_t now)
{
    struct agent *agent = planning->agent;
    struct departure due[PLANNING_BATCH];
    const bool expired = bundle_state(agent->membership->bundle, now, 0) == BUNDLE_EXPIRED;
    size_t count = 0;
    enum status status = departure_due(agent, now, expired, PLANNING_BATCH, due, &count);

    if (status != STATUS_OK || count == 0)
        return status;
    status = db_begin(agent->db);
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK)
            status = add_plan(planning, &due[i], now);
        departure_free(&due[i]);
    }
    if (status == STATUS_OK)
        status = db_commit(agent->db);
    else
        db_rollback(agent->db);
    return status;
}

/* One item of a PlanRequest, which stays in the arena. */
static enum status fill_item(const struct plan *plan, struct wire_arena *arena, Wire__PlanItem *item)
{
    const ProtobufCMessage *opening = NULL;
    enum status status = wire_unpack(&wire__opening__descriptor, bytes_buffer_view(&plan->opening),
                                     WIRE_FRAME_LIMIT, arena, &opening);

    wire__plan_item__init(item);
    item->core = wire_data(bytes_buffer_view(&plan->core));
    item->opening = (Wire__Opening *)(uintptr_t)opening;
    return status;
}

static enum status build_request(const struct planning *planning, uint64_t request, struct byte_buffer *ret)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__PlanRequest plans = WIRE__PLAN_REQUEST__INIT;
    Wire__PlanItem items[PLANNING_BATCH];
    Wire__PlanItem *pointers[PLANNING_BATCH];
    enum status status = STATUS_OK;

    for (size_t i = 0; i < planning->count && status == STATUS_OK; i++) {
        status = fill_item(planning->plans[i], &arena, &items[i]);
        pointers[i] = &items[i];
    }
    if (status == STATUS_OK) {
        plans.n_items = planning->count;
        plans.items = pointers;
        frame.version = WIRE_VERSION;
        frame.request = request;
        frame.verb_case = WIRE__FRAME__VERB_PLAN_REQUEST;
        frame.plan_request = &plans;
        wire_pack(&frame.base, ret);
        status = ret->status;
    }
    wire_arena_free(&arena);
    return status;
}

enum status planning_ask(struct planning *planning, uint64_t request, int64_t now, struct byte_buffer *ret)
{
    enum status status = STATUS_OK;

    if (planning->request != 0 || !agent_sealing(planning->agent))
        return STATUS_NOT_FOUND;
    status = make_plans(planning, now);
    if (status == STATUS_OK && planning->count == 0)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = build_request(planning, request, ret);
    if (status == STATUS_OK)
        planning->request = request;
    else
        planning_drop(planning);
    return status;
}

/* ---- answers
 * ---------------------------------------------------------------------------------------------------- */

static enum status seal(struct agent *agent, const struct plan *plan, struct workbench *bench, int64_t now)
{
    enum status status =
        sealing_event(bench->sealing, agent->membership, plan, &bench->decision, now, &bench->sealed);

    if (status == STATUS_OK)
        status = departure_keep(agent, plan, &bench->sealed, &bench->decision, now);
    else if (status == STATUS_STALE)
        status = departure_again(agent, plan->prepared.event, now, 0, false);
    sealing_event_free(&bench->sealed);
    CRASH_POINT("planning.sealed");
    return status;
}

static enum status differs_of(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT differs FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && row) {
        *ret = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return status;
}

/* The broker's plan is not what the protocol says on the grounds shown. Never sealed. */
static enum status disagree(struct agent *agent, const struct plan *plan, enum facts_comparison how,
                            int64_t now)
{
    static const char wider[] = "the broker's plan grants more than the protocol: not sent";
    static const char other[] = "the broker's plan differs from the protocol: not sent";
    const uint8_t *event = plan->prepared.event;
    const char *reason = how == FACTS_WIDER ? wider : other;
    char id[UUID_TEXT_SIZE];
    int64_t times = 0;
    enum status status = differs_of(agent, event, &times);

    if (status != STATUS_OK)
        return status;
    if (how == FACTS_DIFFERS && times < PLANNING_DIFFERS)
        return departure_again(agent, event, now, 0, true);
    uuid_format(event, id);
    status = incidents_add(agent->db, now, "event %s: %s", id, reason);
    return status == STATUS_OK ? departure_refuse_text(agent, event, reason, now) : status;
}

static enum status decide(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                          struct workbench *bench, int64_t now)
{
    struct facts_correlated correlated;
    struct party_set already;
    enum facts_comparison how = FACTS_DIFFERS;
    size_t bad = 0;
    bool ended = false;
    enum status status = correlated_find(agent, plan, answer, &correlated);

    if (status == STATUS_OK)
        status = correlated_already(agent, plan, &already);
    if (status != STATUS_OK)
        return status;
    status = facts_fold(agent->membership, plan, answer, now, &bench->state, &bad);
    if (status == STATUS_OK)
        status = own_facts_apply(agent, plan, &bench->state, &ended);
    if (status != STATUS_OK)
        return status;
    facts_decide(agent->membership, plan, &bench->state, &correlated, &already, now, &bench->decision);
    how = facts_compare(agent->membership, &bench->decision, answer);
    if (ended && how == FACTS_WIDER)
        how = FACTS_DIFFERS; /* the broker may not have known when it planned: ask again, then refuse */
    if (bad > 0)
        status = incidents_add(agent->db, now, "the broker showed %zu grounds that do not verify", bad);
    if (status != STATUS_OK)
        return status;
    return how == FACTS_EQUAL ? seal(agent, plan, bench, now) : disagree(agent, plan, how, now);
}

static enum status refused(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                           int64_t now)
{
    json_t *kept = departure_answer(answer->reason, answer->refusals, answer->n_refusals);
    enum status status =
        kept != NULL ? departure_refuse(agent, plan->prepared.event, kept, now) : STATUS_NO_MEMORY;

    json_decref(kept);
    return status;
}

static enum status take(struct agent *agent, const struct plan *plan, const Wire__Plan *answer,
                        struct workbench *bench, int64_t now)
{
    if (!bytes_equal(wire_view(answer->event), bytes_view(plan->prepared.event, UUID_SIZE)))
        return STATUS_BAD_FORMAT;
    switch (answer->verdict) {
    case WIRE__VERDICT__ACCEPTED:
        return decide(agent, plan, answer, bench, now);
    case WIRE__VERDICT__REFUSED:
        return refused(agent, plan, answer, now);
    case WIRE__VERDICT__BUSY:
        return departure_busy(agent, plan->prepared.event, answer->reason, now);
    case WIRE__VERDICT__STALE:
    case _WIRE__VERDICT_IS_INT_SIZE:
    default:
        return departure_again(agent, plan->prepared.event, now, 0, false);
    }
}

static enum status take_all(struct planning *planning, const Wire__PlanAnswer *answer,
                            struct workbench *bench, int64_t now)
{
    enum status status = db_begin(planning->agent->db);

    for (size_t i = 0; i < answer->n_plans && status == STATUS_OK; i++)
        status = take(planning->agent, planning->plans[i], answer->plans[i], bench, now);
    CRASH_POINT("planning.commit");
    if (status == STATUS_OK)
        return db_commit(planning->agent->db);
    db_rollback(planning->agent->db);
    return status;
}

enum status planning_answer(struct planning *planning, uint64_t request, const Wire__PlanAnswer *answer,
                            int64_t now)
{
    struct workbench *bench = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (!planning_waits(planning, request))
        return STATUS_OK;
    if (answer->n_plans == 0 || answer->n_plans > planning->count)
        status = STATUS_BAD_FORMAT;
    else if ((bench = calloc(1, sizeof *bench)) != NULL)
        status = sealing_start(planning->agent->random, &bench->sealing);
    if (status == STATUS_OK)
        status = take_all(planning, answer, bench, now);
    if (bench != NULL) {
        sealing_end(&bench->sealing);
        bytes_wipe(bench, sizeof *bench);
        free(bench);
    }
    planning_drop(planning);
    return status;
}

enum status planning_again(struct planning *planning, int64_t now, int64_t delay)
{
    enum status status = db_begin(planning->agent->db);

    for (size_t i = 0; i < planning->count && status == STATUS_OK; i++)
        status = departure_again(planning->agent, planning->plans[i]->prepared.event, now, delay, false);
    if (status == STATUS_OK)
        status = db_commit(planning->agent->db);
    else
        db_rollback(planning->agent->db);
    planning_drop(planning);
    return status;
}
