#include "broker/containing.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"

#define EVENTS_LEFT_OUT 3u /* of one batch; then it is not handled at all */
#define TELL_EVERY      INT64_C(60000)

bool containing_is(enum status status)
{
    switch ((int)status) {
    case STATUS_OK:
    case STATUS_CORRUPT:
    case STATUS_ROLLBACK:
    case STATUS_FORKED:
    case STATUS_BAD_PROOF:
        return false;
    case STATUS_NOT_FOUND: /* something that a reference names */
    case STATUS_EXISTS:
        return true;
    default:
        return !status_of_machine(status);
    }
}

bool containing_fits(const struct engine *engine, enum status status)
{
    const struct job *job = engine->handling;

    return job != NULL && (job->kind == JOB_FRAME || job->kind == JOB_CONTROL) && containing_is(status);
}

static bool leaves_out_event(struct job *job)
{
    if (job->kind != JOB_FRAME || job->frame->verb_case != WIRE__FRAME__VERB_PUBLISH ||
        job->at >= job->published.count || job->events[job->at].problem != NULL ||
        job->contained > EVENTS_LEFT_OUT)
        return false;
    job->events[job->at].problem =
        "the broker cannot take this event, and nobody is told of it; whoever runs "
        "the broker knows more";
    return true;
}

bool containing_mark(struct engine *engine, struct job *job, enum status status)
{
    struct peer *peer = peers_find(engine->peers, bytes_of_string(job->member));

    if (job->error != NULL)
        return false;
    if (peer != NULL && job->contained == 0) {
        peers_count_minute(peer, engine->now);
        peer->contained++;
    }
    job->contained++;
    job->contained_why = status_text(status);
    if (leaves_out_event(job))
        return true;
    job->error = "the broker cannot handle this; whoever runs it knows more";
    job->error_code = WIRE__ERROR_CODE__NOT_ALLOWED;
    return true;
}

enum status containing_log(struct engine *engine, const struct job *job)
{
    char text[256];
    const struct incident incident = {
        .member = job->member, .outcome = "contained", .text = text, .once = job->contained_why};

    if (job->contained == 0)
        return STATUS_OK;
    (void)snprintf(text, sizeof text, "a frame from %s could not be handled (%s): it was left out",
                   job->kind == JOB_FRAME ? job->member : "the broker's own host", job->contained_why);
    return incidents_log(engine, &incident);
}

bool containing_refuses(struct engine *engine, const struct job *job)
{
    struct peer *peer = peers_find(engine->peers, bytes_of_string(job->member));

    if (peer == NULL || peer->contained == 0)
        return false;
    peers_count_minute(peer, engine->now);
    return peer->contained >= CONTAINING_PER_MINUTE;
}

void containing_tell(struct engine *engine, enum status status)
{
    struct outgoing *alert = NULL;

    if (engine->contained_told != 0 && engine->now - engine->contained_told < TELL_EVERY)
        return;
    if (outgoing_new(PIPELINE_ALERT, &alert) != STATUS_OK)
        return; /* the next time */
    bytes_append_format(&alert->bytes, "INCIDENT: something that is due cannot be done (%s): see to it",
                        status_text(status));
    engine->contained_told = engine->now;
    outgoing_put(engine->outgoing, &alert);
}
