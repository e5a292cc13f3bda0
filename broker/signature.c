#include "broker/signature.h"

#include "base/crash.h"

/* Why the log is not signed, to whoever looks after the broker: once, until it is signed again. */
static void tell_unsigned(struct engine *engine, const struct logbook_reason *reason)
{
    struct outgoing *alert = NULL;

    if (engine->unsigned_told || outgoing_new(PIPELINE_ALERT, &alert) != STATUS_OK)
        return; /* without memory now: at the next try */
    bytes_append_format(&alert->bytes, "the log is not signed: %s", reason->text);
    engine->unsigned_told = true;
    outgoing_put(engine->outgoing, &alert);
}

/* What came of a signature. */
static enum status signed_now(struct engine *engine, enum status status, const struct logbook_reason *reason)
{
    CRASH_POINT("broker.after_sign");
    if (status == STATUS_OK)
        engine->unsigned_told = false;
    else if (status != STATUS_NO_SPACE) /* which the status tells */
        tell_unsigned(engine, reason);
    /* A clock that went back, or a full disk: later. */
    return status == STATUS_ROLLBACK || status == STATUS_NO_SPACE ? STATUS_OK : status;
}

enum status signature_take(struct engine *engine, bool wait)
{
    struct logbook_reason reason = {""};
    enum status status = STATUS_OK;

    if (engine->signing == NULL || !signing_take(engine->signing, wait, &status, &reason))
        return STATUS_OK;
    return signed_now(engine, status, &reason);
}

enum status signature_ask(struct engine *engine, bool here)
{
    struct logbook_reason reason = {""};
    enum status status = STATUS_OK;

    if (!logbook_unsigned(engine->logbook) || !witnessing_may_sign(engine->witnessing))
        return STATUS_OK;
    CRASH_POINT("broker.before_sign");
    engine->last_signed = engine->now;
    if (engine->signing != NULL && !here) {
        signing_ask(engine->signing, engine->now);
        return STATUS_OK;
    }
    status = logbook_sign(engine->logbook, engine->now, &reason);
    return signed_now(engine, status, &reason);
}
