#include "broker/overriding.h"

#include <string.h>

#include "base/civil.h"
#include "proto/uuid.h"

/* ---- what a decision must know ---- */

static enum effect effect_of(const struct engine *engine, const struct job_event *event)
{
    return engine->rulebook->catalogue->events[event->request.event].effect;
}

static bool names_correlation(const struct engine *engine, const struct core *core,
                              const struct job_event *event)
{
    struct byte_view target = request_attribute(engine->rulebook->catalogue, &event->request, "target");
    uint8_t id[UUID_SIZE];

    return core->has_correlation && target.data != NULL && uuid_parse(target, id) == STATUS_OK &&
           memcmp(id, core->correlation, UUID_SIZE) == 0;
}

/* The use that this event would confirm: that of the sender of the event which it answers; NULL: none. */
static const struct glass_use *use_answered(const struct engine *engine, const struct core *core)
{
    return engine->correlated == 0 ? NULL : glass_find(engine->glass, engine->correlated, core->correlation);
}

void overriding_facts(struct engine *engine, const struct core *core, const struct job_event *event,
                      struct policy_facts *facts)
{
    const struct catalogue *catalogue = engine->rulebook->catalogue;
    const struct peer *sender = peers_find(engine->peers, core->from);
    const struct glass_use *use;

    if (effect_of(engine, event) == EFFECT_OVERRIDE && sender != NULL)
        facts->glass = glass_facts(engine->glass, event->protocol->protocol->id, sender->stored.number,
                                   request_attribute(catalogue, &event->request, "rule"), engine->now);
    if (effect_of(engine, event) != EFFECT_CONFIRM)
        return;
    facts->correlated_is_target = names_correlation(engine, core, event);
    use = use_answered(engine, core);
    facts->glass.settled =
        use == NULL || !glass_waits(use) || strcmp(use->protocol, event->protocol->protocol->id) != 0;
}

/* ---- telling ---- */

/* To whoever looks after the broker, and through it to the data protection officer. */
static enum status alert(struct engine *engine, const struct glass_use *use, const char *what)
{
    struct outgoing *outgoing = NULL;
    const struct peer *sender = peers_number(engine->peers, use->sender);
    char event[UUID_TEXT_SIZE];
    char due[CIVIL_TIME_SIZE];
    enum status status = outgoing_new(PIPELINE_ALERT, &outgoing);

    if (status != STATUS_OK)
        return status;
    uuid_format(use->event, event);
    civil_format_time(use->due, due);
    bytes_append_format(&outgoing->bytes, "%s: from=%s rule=%s reason=%s event=%s confirm-by=%s", what,
                        sender == NULL ? "?" : sender->stored.id, use->rule, use->reason, event, due);
    status = outgoing->bytes.status;
    if (status == STATUS_OK)
        return engine_answer(engine, outgoing);
    outgoing_free(&outgoing);
    return status;
}

/* ---- what is accepted ---- */

static void copy(char out[static PROTOCOL_ID_LENGTH + 1], struct byte_view text)
{
    size_t size = text.size < PROTOCOL_ID_LENGTH ? text.size : PROTOCOL_ID_LENGTH;

    memset(out, 0, PROTOCOL_ID_LENGTH + 1);
    if (size > 0)
        memcpy(out, text.data, size);
}

static enum status accept_override(struct engine *engine, const struct job_event *event,
                                   const struct core *core, struct record_account *account, size_t personal,
                                   uint32_t sender)
{
    const struct protocol *protocol = event->protocol->protocol;
    const struct catalogue *catalogue = engine->rulebook->catalogue;
    struct glass_use use = {.sender = sender, .made = engine->now};
    enum status status;

    use.due = civil_add_duration(engine->now, protocol->break_glass.confirm_within, 1);
    memcpy(use.event, core->event, sizeof use.event);
    memcpy(use.subject, core->subject, sizeof use.subject);
    copy(use.protocol, bytes_of_string(protocol->id));
    copy(use.rule, request_attribute(catalogue, &event->request, "rule"));
    copy(use.reason, request_attribute(catalogue, &event->request, "reason"));
    account->outcome = bytes_of_string("made");
    account->rule = bytes_of_string(use.rule);
    account->reason = bytes_of_string(use.reason);
    account->deadline = use.due;
    (void)records_add(&engine->records, RECORD_OVERRIDE, account, personal);
    status = glass_made(engine->glass, &use);
    return status == STATUS_OK ? alert(engine, &use, "a rule was overridden") : status;
}

static enum status accept_confirmation(struct engine *engine, const struct core *core,
                                       struct record_account *account, size_t personal, uint32_t sender)
{
    const struct glass_use *use = use_answered(engine, core);
    const struct peer *maker;

    if (use == NULL || use->sender == sender)
        return STATUS_MISMATCH; /* the decision saw to it */
    maker = peers_number(engine->peers, use->sender);
    account->outcome = bytes_of_string(use->due < engine->now ? "confirmed late" : "confirmed");
    account->rule = bytes_of_string(use->rule);
    account->reason = bytes_of_string(use->reason);
    account->deadline = use->due;
    if (maker != NULL)
        account->to = bytes_of_string(maker->stored.id);
    (void)records_add(&engine->records, RECORD_OVERRIDE, account, personal);
    glass_confirm(engine->glass, use, sender);
    return STATUS_OK;
}

enum status overriding_accepted(struct engine *engine, const struct job *job,
                                const struct accepting_batch *batch, const struct record_account *shared,
                                size_t personal)
{
    const struct job_event *event = &job->events[batch->index];
    const struct core *core = &job->published.events[batch->index].core;
    struct record_account account = *shared;
    uint32_t sender = batch->sender->stored.number;

    account.flags = RECORD_BREAK_GLASS;
    if (effect_of(engine, event) == EFFECT_OVERRIDE)
        return accept_override(engine, event, core, &account, personal, sender);
    if (effect_of(engine, event) == EFFECT_CONFIRM)
        return accept_confirmation(engine, core, &account, personal, sender);
    return STATUS_OK;
}

/* ---- what nobody confirmed ---- */

/* An entry of its own about a use, as a row of its own. */
static enum status log_use(struct engine *engine, const struct glass_use *use, const char *outcome,
                           struct byte_view officer)
{
    const struct peer *sender = peers_number(engine->peers, use->sender);
    struct record_account account = {.time = engine->now,
                                     .outcome = bytes_of_string(outcome),
                                     .rule = bytes_of_string(use->rule),
                                     .reason = bytes_of_string(use->reason),
                                     .deadline = use->due,
                                     .flags = RECORD_BREAK_GLASS};
    struct record_personal personal = {.subject = bytes_view(use->subject, sizeof use->subject),
                                       .event = bytes_view(use->event, sizeof use->event),
                                       .officer = officer};
    enum status status = engine_write(engine);

    if (status != STATUS_OK)
        return status;
    if (sender != NULL)
        account.from = bytes_of_string(sender->stored.id);
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_OVERRIDE, &account,
                      records_personal(&engine->records, &personal));
    return engine_append(engine);
}

enum status overriding_due(struct engine *engine)
{
    const struct glass_use *use;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && (use = glass_overdue(engine->glass, engine->now)) != NULL) {
        status = log_use(engine, use, "suspended", (struct byte_view){0});
        if (status == STATUS_OK)
            status = alert(engine, use,
                           "nobody confirmed an override in time, and its member's right to it is suspended");
        if (status == STATUS_OK)
            glass_tell(engine->glass, use);
    }
    return status;
}

/* The one that waits under this id, of that sender or of whichever it is; STATUS_EXISTS: several do. */
static enum status find_waiting(const struct engine *engine, uint32_t sender,
                                const uint8_t event[static STORE_EVENT_SIZE], const struct glass_use **ret)
{
    const struct glass_use *found = NULL;

    for (size_t i = 0; i < glass_count(engine->glass); i++) {
        const struct glass_use *use = glass_at(engine->glass, i);

        if (!glass_waits(use) || memcmp(use->event, event, STORE_EVENT_SIZE) != 0 ||
            (sender != 0 && use->sender != sender))
            continue;
        if (found != NULL)
            return STATUS_EXISTS;
        found = use;
    }
    if (found == NULL)
        return STATUS_NOT_FOUND;
    *ret = found;
    return STATUS_OK;
}

enum status overriding_lift(struct engine *engine, const char *from,
                            const uint8_t event[static STORE_EVENT_SIZE], struct byte_view officer)
{
    const struct peer *sender = from == NULL ? NULL : peers_find(engine->peers, bytes_of_string(from));
    const struct glass_use *use = NULL;
    enum status status = from != NULL && sender == NULL ? STATUS_NOT_FOUND : STATUS_OK;

    if (status == STATUS_OK)
        status = find_waiting(engine, sender == NULL ? 0 : sender->stored.number, event, &use);
    if (status == STATUS_OK)
        status = log_use(engine, use, "lifted", officer);
    if (status == STATUS_OK)
        glass_lift(engine->glass, use);
    return status;
}
