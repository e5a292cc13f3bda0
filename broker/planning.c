#include "broker/planning.h"

#include <string.h>

#include "base/crash.h"
#include "broker/grounds.h"
#include "broker/judging.h"
#include "broker/replanning.h"
#include "proto/field.h"

#define ANSWER_ROOM (WIRE_FRAME_LIMIT - 4096) /* for plans in one answer */
#define DUE_AT_ONCE 256

/* Field numbers of messages PlanAnswer, Plan and Grant in wire.proto. */
enum { PLANS = 1 };
enum { EVENT = 1, VERDICT, REASON, GRANTS, GROUNDS, REFUSALS };
enum { TO = 1, RULE, LABELS };

/* ---- one plan ---- */

static void put_grant(const struct catalogue *catalogue, const struct policy_recipient *granted,
                      struct byte_buffer *plan)
{
    const struct label_set *labels = &granted->labels;
    size_t size = field_size_bytes(TO, strlen(granted->to)) + field_size_bytes(RULE, strlen(granted->rule));

    for (unsigned i = label_set_next(labels, 0); i != SET256_END; i = label_set_next(labels, i + 1))
        size += field_size_bytes(LABELS, strlen(catalogue->labels[i].label));
    field_put_start(plan, GRANTS, size);
    field_put_bytes(plan, TO, bytes_of_string(granted->to));
    field_put_bytes(plan, RULE, bytes_of_string(granted->rule));
    for (unsigned i = label_set_next(labels, 0); i != SET256_END; i = label_set_next(labels, i + 1))
        field_put_bytes(plan, LABELS, bytes_of_string(catalogue->labels[i].label));
}

static void put_plain(struct byte_buffer *plan, const struct core *core, Wire__Verdict verdict,
                      const char *reason)
{
    bytes_buffer_clear(plan);
    field_put_bytes(plan, EVENT, bytes_view(core->event, CORE_EVENT_SIZE));
    field_put_varint(plan, VERDICT, verdict);
    if (reason != NULL)
        outcome_reason(plan, reason); /* the same field number as in an Outcome */
}

_Static_assert(REASON == 3, "Plan.reason and Outcome.reason have one number");

static enum status put_decision(struct engine *engine, const struct core *core,
                                const struct protocol *protocol, const struct subject *subject,
                                struct byte_buffer *plan)
{
    const struct policy_decision *decision = engine->decision;
    bool granted = decision->granted && decision->reason == POLICY_NONE;
    char text[POLICY_TEXT_SIZE];
    enum status status = STATUS_OK;

    if (!granted)
        policy_decision_text(protocol, decision, text);
    put_plain(plan, core, granted ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__REFUSED, granted ? NULL : text);
    for (size_t i = 0; granted && i < decision->recipient_count; i++)
        put_grant(protocol->catalogue, &decision->recipients[i], plan);
    if (granted)
        status = grounds_put(engine, subject, policy_grounds(decision), plan);
    for (size_t i = 0; i < decision->refusal_count; i++) {
        struct outcome_refusal told = judging_refusal(protocol, decision, &decision->refusals[i], text);
        outcome_put_refusal(plan, REFUSALS, &told);
    }
    return status == STATUS_OK ? plan->status : status;
}

/* Why nothing was planned, as its code; NULL: something was. */
static const char *refused(const struct policy_decision *decision)
{
    return decision->granted && decision->reason == POLICY_NONE ? NULL : policy_code_name(decision->reason);
}

static enum status remember(struct engine *engine, const struct job *job, const struct core *core,
                            const struct rulebook_protocol *protocol, const struct subject *subject)
{
    struct plan_entry entry = {.version = subject->version,
                               .due = engine->now + engine->limits.consulted_after,
                               .refused = refused(engine->decision)};

    memcpy(entry.event, core->event, sizeof entry.event);
    memcpy(entry.subject, core->subject, sizeof entry.subject);
    memcpy(entry.protocol, protocol->digest, sizeof entry.protocol);
    memcpy(entry.protocol_id, core->protocol.data, core->protocol.size);
    memcpy(entry.from, job->member, sizeof entry.from);
    memcpy(entry.type, core->type.data, core->type.size);
    memcpy(entry.purpose, core->purpose.data, core->purpose.size);
    memcpy(entry.officer, core->officer.data, core->officer.size);
    return plans_put(engine->plans, &entry);
}

/* A repeat that reaches nobody is not asked for any longer. */
static enum status settle_replan(struct engine *engine, const struct peer *sender, const struct core *core)
{
    enum status status;

    if (engine->decision->reason != POLICY_NOBODY_NEW)
        return STATUS_OK;
    status = engine_write(engine);
    return status == STATUS_OK ? store_drop_replan(engine->store, sender->stored.number, core->repeats)
                               : status;
}

/* An encoded Plan into engine->scratch. */
static enum status plan_one(struct engine *engine, struct job *job, size_t index, struct peer *sender)
{
    const struct core *core = &job->cores[index];
    struct job_event *event = &job->events[index];
    struct byte_buffer *plan = &engine->scratch;
    struct subject *subject = NULL;
    struct party_set already = {{0}};
    const char *problem = NULL;
    const char *busy = NULL;
    enum status status;

    if (judging_now(engine, sender, &busy) != STATUS_OK || sender->plans >= engine->limits.plans_per_minute) {
        put_plain(plan, core, WIRE__VERDICT__BUSY,
                  busy != NULL ? busy : "too many plans within a minute; ask again later");
        return plan->status;
    }
    sender->plans++;
    if (memcmp(core->bundle, bundle_head_digest(engine->rulebook->bundle), CORE_DIGEST_SIZE) != 0 ||
        job->rulebook != engine->rulebook) {
        put_plain(plan, core, WIRE__VERDICT__STALE, "another bundle is in force; load it and plan again");
        return plan->status;
    }
    if (event->protocol == NULL || event->problem != NULL) {
        put_plain(plan, core, WIRE__VERDICT__REFUSED, event->problem);
        return plan->status;
    }
    const struct protocol *protocol = event->protocol->protocol;
    if (!policy_may_send(protocol, core->from, event->request.event)) {
        /* Whatever is known about the person, the answer is the same. */
        policy_not_yours(event->request.event, engine->decision);
        return put_decision(engine, core, protocol, NULL, plan);
    }
    status = subjects_get(engine->subjects, protocol, core->subject, &subject);
    if (status == STATUS_OK && core->has_repeats)
        status = judging_repeats(engine, core, protocol, sender, subject, &already, &problem);
    if (status == STATUS_OK && problem != NULL) {
        put_plain(plan, core, WIRE__VERDICT__REFUSED, problem);
        return plan->status;
    }
    if (status == STATUS_OK)
        status = judging_decide(engine, core, event, subject, &already);
    if (status == STATUS_OK)
        status = remember(engine, job, core, event->protocol, subject);
    if (status == STATUS_OK && core->has_repeats)
        status = settle_replan(engine, sender, core);
    return status == STATUS_OK ? put_decision(engine, core, protocol, subject, plan) : status;
}

enum status planning_handle(struct engine *engine, struct job *job)
{
    struct peer *sender = peers_take(engine->peers, bytes_of_string(job->member));
    struct byte_buffer answer = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = sender == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (status == STATUS_OK)
        peers_count_minute(sender, engine->now);
    for (size_t i = 0; status == STATUS_OK && i < job->frame->plan_request->n_items; i++) {
        status = CRASH_FAULT("broker.planning") ? STATUS_MISMATCH : plan_one(engine, job, i, sender);
        if (status != STATUS_OK)
            break;
        /* Room is kept for the plain answers to those that are left. */
        if (answer.size + engine->scratch.size >
            ANSWER_ROOM - 256 * (job->frame->plan_request->n_items - i)) {
            put_plain(&engine->scratch, &job->cores[i], WIRE__VERDICT__BUSY,
                      "too many plans for one answer; ask again for this one");
        }
        field_put_bytes(&answer, PLANS, bytes_buffer_view(&engine->scratch));
        status = answer.status;
    }
    if (status == STATUS_OK)
        status = engine_answer_frame(engine, job, WIRE__FRAME__VERB_PLAN_ANSWER, bytes_buffer_view(&answer));
    bytes_buffer_free(&answer);
    return status;
}

/* ---- plans that nobody followed ---- */

static void log_consulted(struct engine *engine, const struct plan_entry *plan)
{
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(plan->from),
                                     .type = bytes_of_string(plan->type),
                                     .purpose = bytes_of_string(plan->purpose),
                                     .outcome = bytes_of_string("consulted"),
                                     .reason = bytes_of_string(plan->refused == NULL ? "" : plan->refused),
                                     .protocol = bytes_view(plan->protocol, DIGEST_SIZE)};
    struct record_personal personal = {.subject = bytes_view(plan->subject, CORE_SUBJECT_SIZE),
                                       .officer = bytes_of_string(plan->officer),
                                       .event = bytes_view(plan->event, CORE_EVENT_SIZE)};

    (void)records_add(&engine->records, RECORD_CONSULTED, &account,
                      records_personal(&engine->records, &personal));
}

enum status planning_due(struct engine *engine, bool all)
{
    int64_t until = all ? INT64_MAX : engine->now;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && plans_due(engine->plans, until) != NULL) {
        status = engine_write(engine);
        if (status != STATUS_OK)
            return status;
        (void)engine_records(engine, NULL, 0);
        for (size_t i = 0; i < DUE_AT_ONCE; i++) {
            const struct plan_entry *plan = plans_due(engine->plans, until);
            if (plan == NULL)
                break;
            log_consulted(engine, plan);
            plans_drop(engine->plans);
        }
        status = engine_append(engine);
    }
    return status;
}
