#include "broker/publishing.h"

#include <string.h>

#include "broker/accepting.h"
#include "broker/clocks.h"
#include "broker/judging.h"
#include "broker/removing.h"
#include "broker/slicing.h"
#include "broker/targets.h"

/* What a PublishAnswer needs besides the reasons: of itself, and for each outcome. The rest of a frame is for
 * what is said about each, so that the answer to every batch fits one. */
#define ANSWER_FRAME   512u
#define ANSWER_OUTCOME 48u

_Static_assert((WIRE_FRAME_LIMIT - ANSWER_FRAME) / STORE_BATCH_EVENTS - ANSWER_OUTCOME > WIRE_TEXT_MAX + 8,
               "at least a reason fits");

/* One batch under way. */
struct publishing {
    struct engine *engine;
    struct job *job;
    struct peer *sender;
    struct judging *events;
    struct accepting_batch batch; /* what its accepted events share and change */
    bool stored;                  /* at least one event has an outcome from now on */
    bool has_range;
    uint8_t first[STORE_EVENT_SIZE];
    uint8_t last[STORE_EVENT_SIZE];
};

/* ---- one event ---- */

static void raise_range(struct publishing *self, const uint8_t *event)
{
    if (!self->has_range)
        memcpy(self->first, event, STORE_EVENT_SIZE);
    memcpy(self->last, event, STORE_EVENT_SIZE);
    self->has_range = true;
}

static const uint8_t *highest(const struct publishing *self)
{
    if (self->has_range)
        return self->last;
    return self->sender->stored.has_high ? self->sender->stored.high : NULL;
}

static enum status take_subject(struct publishing *self, size_t index, struct subject **ret)
{
    const struct job_event *event = &self->job->events[index];

    *ret = NULL;
    if (event->protocol == NULL || self->job->rulebook != self->engine->rulebook)
        return STATUS_OK;
    return subjects_get(self->engine->subjects, event->protocol->protocol,
                        self->job->published.events[index].core.subject, ret);
}

static enum status judge(struct publishing *self, size_t index)
{
    struct judging *judging = &self->events[index];
    struct subject *subject = NULL;
    bool is_new = false;
    self->job->at = index;
    enum status status = judging_old(self->engine, self->job, self->sender, index, highest(self),
                                     self->events, &is_new, judging);

    if (status == STATUS_OK && is_new)
        status = take_subject(self, index, &subject);
    if (status == STATUS_OK && is_new)
        status = judging_event(self->engine, self->job, index, self->sender, subject, judging);
    if (status != STATUS_OK)
        return status;
    if (judging->fate == JUDGING_ACCEPTED) {
        self->batch.index = index;
        status = accepting_event(self->engine, self->job, &self->batch, subject, judging);
    }
    /* The register may have had the last word. */
    if (status == STATUS_OK && (judging->fate == JUDGING_REFUSED || judging->fate == JUDGING_MISUSED))
        status = accepting_refusal(self->engine, self->job, &self->batch, index, judging);
    if (status != STATUS_OK)
        return status;
    judging->live = judging->fate == JUDGING_REFUSED || judging->fate == JUDGING_ACCEPTED;
    if (judging->live) /* so that the log tells of it */
        plans_follow(self->engine->plans, &self->job->published.events[index].core);
    if (judging->live) {
        self->stored = true;
        if (!judging->late)
            raise_range(self, self->job->published.events[index].core.event);
    }
    return STATUS_OK;
}

/* ---- the batch ---- */

static enum status append_batch(struct publishing *self)
{
    const Wire__Publish *publish = self->job->frame->publish;
    const struct envelope_published *published = &self->job->published;
    struct byte_buffer *headers = &self->engine->body;
    struct byte_buffer *rest = &self->engine->scratch;
    struct digest digests[STORE_BATCH_EVENTS];
    size_t openings;
    enum status status;

    bytes_buffer_clear(headers);
    bytes_buffer_clear(rest);
    for (size_t i = 0; i < published->count; i++) {
        memcpy(digests[i].bytes, published->events[i].digest, DIGEST_SIZE);
        if (self->events[i].live)
            batches_put_header(headers, published->events[i].header_bytes);
        else
            batches_put_leaf(headers, published->events[i].leaf);
    }
    for (size_t i = 0; i < published->count; i++) {
        size_t size_at = rest->size;
        bytes_append_u32(rest, 0);
        if (self->events[i].live)
            wire_pack(&published->events[i].opening->base, rest);
        if (rest->status == STATUS_OK)
            bytes_put_u32(rest->data + size_at, (uint32_t)(rest->size - size_at - 4));
    }
    openings = rest->size;
    for (size_t i = 0; i < published->count; i++) {
        static const struct outcome none = {.verdict = OUTCOME_NONE};
        outcome_write(self->events[i].live ? &self->events[i].outcome : &none, rest);
    }
    if (headers->status != STATUS_OK || rest->status != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct store_batch batch = {.id = self->batch.id,
                                .sender = self->sender->stored.number,
                                .count = (uint32_t)published->count,
                                .committed = self->engine->now,
                                .certificate = wire_view(publish->certificate),
                                .signature = wire_view(publish->signature),
                                .headers = bytes_buffer_view(headers),
                                .openings = bytes_view(rest->data, openings),
                                .outcomes = bytes_view(rest->data + openings, rest->size - openings),
                                .has_range = self->has_range};
    memcpy(batch.first, self->first, STORE_EVENT_SIZE);
    memcpy(batch.last, self->last, STORE_EVENT_SIZE);
    status = store_append_batch(self->engine->store, &batch);
    if (status == STATUS_OK)
        batches_keep(self->engine->batches, &batch, published->tree, digests);
    return status;
}

static enum status append_late(struct publishing *self)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < self->job->published.count; i++) {
        struct store_place place = {.batch = self->batch.id, .index = (uint32_t)i};
        if (self->events[i].live && self->events[i].late)
            status = store_append_late(self->engine->store, self->sender->stored.number,
                                       self->job->published.events[i].core.event, place);
    }
    return status;
}

static enum status follow_correction(struct publishing *self, size_t i)
{
    const struct job_event *event = &self->job->events[i];
    struct subject *subject = NULL;
    enum status status = STATUS_OK;

    if (self->engine->rulebook->catalogue->events[event->request.event].corrects == CORRECTION_NONE)
        return STATUS_OK;
    status = take_subject(self, i, &subject);
    if (status == STATUS_OK)
        status =
            targets_accepted(self->engine, self->sender, (struct store_place){self->batch.id, (uint32_t)i},
                             &self->job->published.events[i].core, event, &self->events[i].outcome, subject);
    return status;
}

/* What accepted events of the batch replace, and what is waited for after them. */
static enum status follow_up(struct publishing *self)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < self->job->published.count; i++) {
        const struct core *core = &self->job->published.events[i].core;
        if (self->events[i].fate != JUDGING_ACCEPTED)
            continue;
        self->job->at = i;
        status =
            clocks_accepted(self->engine, self->sender, (struct store_place){self->batch.id, (uint32_t)i},
                            core->event, &self->events[i]);
        if (status == STATUS_OK)
            status = follow_correction(self, i);
        if (status == STATUS_OK && self->events[i].replaces)
            status = removing_replaced(self->engine, self->sender, core->supersedes, core->subject);
    }
    return status;
}

static enum status write(struct publishing *self)
{
    struct engine *engine = self->engine;
    enum status status = engine_write(engine);

    if (status == STATUS_OK && self->stored)
        status = append_batch(self);
    if (status == STATUS_OK && self->stored)
        status = append_late(self);
    if (status == STATUS_OK && self->stored)
        status = slicing_append(engine, self->job, self->batch.id, self->sender, self->events);
    if (status == STATUS_OK)
        status = engine_append(engine);
    if (status == STATUS_OK && self->stored) {
        engine->next_batch++;
        if (self->has_range) {
            self->sender->stored.has_high = true;
            memcpy(self->sender->stored.high, self->last, STORE_EVENT_SIZE);
        }
        self->sender->dirty = true;
    }
    /* Only now does everything stand in the queue that rests on what has ended. */
    if (status == STATUS_OK)
        status = accepting_after(engine, &self->batch);
    if (status == STATUS_OK)
        status = follow_up(self);
    return status;
}

static enum status answer(struct publishing *self)
{
    struct byte_buffer *body = &self->engine->body;

    bytes_buffer_clear(body);
    for (size_t i = 0; i < self->job->published.count; i++)
        outcome_answer(self->job->published.events[i].core.event, &self->events[i].outcome, body);
    if (body->status != STATUS_OK)
        return body->status;
    return engine_answer_frame(self->engine, self->job, WIRE__FRAME__VERB_PUBLISH_ANSWER,
                               bytes_buffer_view(body));
}

enum status publishing_handle(struct engine *engine, struct job *job)
{
    struct publishing self = {.engine = engine, .job = job};
    enum status status = STATUS_OK;

    self.sender = peers_take(engine->peers, bytes_of_string(job->member));
    self.events = wire_arena_alloc(job->arena, job->published.count * sizeof *self.events);
    if (self.sender == NULL || self.events == NULL)
        return STATUS_NO_MEMORY;
    if (!directory_usable(directory_by_certificate(engine->rulebook->directory, job->signer->digest),
                          engine->now))
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_ALLOWED,
                                   "the certificate that the batch is signed under is not in force");
    job->why_room = (WIRE_FRAME_LIMIT - ANSWER_FRAME) / job->published.count - ANSWER_OUTCOME;
    accepting_start(&self.batch, engine->next_batch, self.sender);
    (void)engine_records(engine, job->salts, job->salt_count);
    for (size_t i = 0; status == STATUS_OK && i < job->published.count; i++)
        status = judge(&self, i);
    if (status == STATUS_OK)
        job->at = SIZE_MAX;
    if (status == STATUS_OK && (self.stored || engine->records.count > 0))
        status = write(&self);
    return status == STATUS_OK ? answer(&self) : status;
}
