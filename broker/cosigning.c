#include "broker/cosigning.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "broker/cosigned.h"
#include "broker/incidents.h"
#include "broker/signature.h"
#include "proto/note.h"

/* ---- what was found ---- */

/* The evidence first, where no rollback of the store's database takes it back; the process ends in any case.
 */
static void keep_fork(struct engine *engine, const char *member, struct byte_view shown,
                      const struct witnessing_word *word)
{
    const struct cosigned_fork fork = {.found = engine->now,
                                       .member = member,
                                       .text = word->text,
                                       .shown = shown,
                                       .ours = logbook_checkpoint(engine->logbook).note};

    if (engine->problem[0] != '\0')
        return;
    (void)snprintf(engine->problem, sizeof engine->problem, "%s", word->text);
    (void)signature_take(engine, true);
    (void)cosigned_add_fork(logbook_checkpoints(engine->logbook), &fork);
}

static const char *outcome_word(enum witnessing_outcome outcome)
{
    switch (outcome) {
    case WITNESSING_BAD_NOTE:
        return "bad-checkpoint";
    case WITNESSING_BAD_SIGNATURE:
        return "bad-cosignature";
    case WITNESSING_REFUSED:
        return "not-cosigned";
    case WITNESSING_FORKED:
        return "fork";
    case WITNESSING_FINE:
        break;
    }
    return "";
}

/* The three lines that the note signs, which with our key's signature on them are the proof. */
static struct byte_view text_of(struct byte_view shown)
{
    struct note note;

    return note_parse(shown, &note) == STATUS_OK ? note.text : (struct byte_view){0};
}

static enum status tell(struct engine *engine, const char *member, struct byte_view shown,
                        const struct witnessing_word *word, bool may_write)
{
    const struct incident incident = {.member = member,
                                      .outcome = outcome_word(word->outcome),
                                      .text = word->text,
                                      .detail = text_of(shown)};

    if (word->outcome == WITNESSING_FINE)
        return STATUS_OK;
    if (word->outcome == WITNESSING_FORKED)
        keep_fork(engine, member, shown, word);
    return may_write ? incidents_log(engine, &incident) : STATUS_OK;
}

/* ---- what members say ---- */

enum status cosigning_hello(struct engine *engine, const struct job *job, bool may_write)
{
    const struct byte_view shown = bytes_buffer_view(&job->bytes);
    struct witnessing_word word;
    enum status status = witnessing_hello(engine->witnessing, job->member, job->connection, shown, &word);

    return status == STATUS_OK ? tell(engine, job->member, shown, &word, may_write) : status;
}

enum status cosigning_handle(struct engine *engine, const struct job *job)
{
    const Wire__Cosignature *cosignature = job->frame->cosign;
    const struct peer *peer = peers_find(engine->peers, bytes_of_string(job->member));
    struct byte_view shown = {0};
    struct witnessing_word word;
    enum status status;

    if (peer == NULL || peer->connection != job->connection ||
        !witnessing_expects(engine->witnessing, job->member))
        return STATUS_OK; /* a connection that was replaced, nobody's business, or once more */
    status = signature_take(engine, true);
    if (status == STATUS_OK)
        status = witnessing_cosignature(engine->witnessing, job->member, cosignature, engine->now, &word);
    if (status == STATUS_NO_SPACE)
        return STATUS_OK; /* it is asked for again */
    if (cosignature->has_held)
        shown = wire_view(cosignature->held);
    return status == STATUS_OK ? tell(engine, job->member, shown, &word, true) : status;
}

/* ---- what they are told ---- */

/* The newest checkpoint note to the gate, for Welcomes, if it is another than the last. */
static void tell_gate(struct engine *engine)
{
    const struct witnessing_note newest = witnessing_newest(engine->witnessing);
    struct outgoing *word = NULL;

    if (newest.size == engine->told_size && newest.note.size == engine->told_bytes)
        return;
    if (outgoing_new(PIPELINE_CHECKPOINT, &word) != STATUS_OK)
        return; /* at the next turn */
    bytes_append_view(&word->bytes, newest.note);
    outgoing_put(engine->outgoing, &word);
    engine->told_size = newest.size;
    engine->told_bytes = newest.note.size;
}

enum status cosigning_turn(struct engine *engine)
{
    struct witnessing_offer offer;
    enum status status;

    tell_gate(engine); /* before the offers, so that no Welcome is older than what a witness cosigned */
    proving_tick(engine);
    status = witnessing_step(engine->witnessing, engine->now);
    while (status == STATUS_OK && (status = witnessing_next(engine->witnessing, &offer)) == STATUS_OK) {
        struct outgoing *frame = NULL;
        status = outgoing_frame(offer.connection, offer.member, 0, WIRE__FRAME__VERB_CHECKPOINT, offer.body,
                                &frame);
        if (status == STATUS_OK)
            outgoing_put(engine->outgoing, &frame);
    }
    return status == STATUS_NOT_FOUND || status == STATUS_NO_MEMORY ? STATUS_OK : status;
}
