#pragma once

#include "broker/engine.h"

/*
 * The event that a correction, retraction or erasure names: what the broker knows of it and of who was told
 * what.
 */
struct target {
    bool found;
    uint8_t event[STORE_EVENT_SIZE];
    struct store_place place;
    struct outcome outcome; /* its why is not kept */
    struct policy_target policy;
};

/*
 * targets_find - of an event of a type that corrects; ret->found is false when its sender never had such an
 * event accepted, or it was erased. Those are left out who cannot have received it: their section is still
 * here, and for a retraction or erasure is taken out instead, or was taken out before. Returns what the store
 * and the log return.
 */
enum status targets_find(struct engine *engine, const struct core *core, const struct job_event *event,
                         const struct subject *subject, struct target *ret);

/* targets_accepted - after such an event stands in its batch: the original is taken back as far as it is not
 * delivered, stands no more, and confirmations are waited for. place: of the correction. */
enum status targets_accepted(struct engine *engine, struct peer *sender, struct store_place place,
                             const struct core *core, const struct job_event *event,
                             const struct outcome *outcome, struct subject *subject);

/* targets_kind - the kind of the log's entries about that. */
enum record_kind targets_kind(enum correction correction);
