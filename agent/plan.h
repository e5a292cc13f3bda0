#pragma once

#include "agent/prepared.h"
#include "base/civil.h"
#include "policy/request.h"
#include "proto/labels.h"
#include "proto/opening.h"
#include "proto/random.h"

struct membership;
struct protocol;

/*
 * A prepared event with its core made for the bundle in force: what a plan is asked for and what is sealed
 * afterwards. Holds copies and borrows from the membership.
 */
struct plan {
    const struct protocol *protocol;
    struct prepared prepared; /* borrows `kept` */
    struct policy_request request;
    struct byte_buffer kept;    /* the encoded prepared event; secret */
    struct byte_buffer core;    /* encoded */
    struct byte_buffer opening; /* encoded */
    char held[LABELS_SIZE];
    const char *juvenile; /* static */
};

/*
 * plan_make - takes over kept, the encoding of a prepared event, when it succeeds.
 *
 * from  our member id; must live as long as the plan
 * now   the event's juvenile attribute is worked out from dob as of now
 *
 * Returns STATUS_REFUSED when the bundle in force no longer has the type or protocol, or no longer lets us
 * send it; STATUS_CORRUPT, STATUS_NO_MEMORY, STATUS_CRYPTO. Freed with plan_free, which wipes.
 */
enum status plan_make(const struct membership *membership, struct byte_view from, struct byte_buffer *kept,
                      const struct random_source *random, int64_t now, struct plan **ret_plan);
void plan_free(struct plan **plan);

/* plan_juvenile - is somebody born on this day (YYYY-MM-DD; empty: unknown) younger than `until` at now? */
enum juvenile plan_juvenile(struct byte_view dob, struct duration until, int64_t now);
