#pragma once

#include "broker/records.h"
#include "proto/core.h"
#include "proto/member.h"
#include "proto/wire_check.h"

/*
 * Plans that were answered and not yet followed by a publish: they tell whether a publish was planned on what
 * is still so, and those that nobody follows are logged as consulted: whoever was looked up, whatever else
 * was then published under that id. Bounded: the oldest are given up first.
 */
#define PLANS_MOST 16384u

struct plan_entry {
    uint8_t event[CORE_EVENT_SIZE];
    uint8_t subject[CORE_SUBJECT_SIZE];
    uint8_t protocol[DIGEST_SIZE]; /* of its file */
    char protocol_id[WIRE_NAME_MAX + 1];
    uint64_t version;    /* of the subject */
    const char *refused; /* why nothing was planned: a static code; NULL: something was */
    int64_t due;         /* when it counts as not followed */
    bool taken;          /* by a publish: only its place in the queue is left */
    char from[MEMBER_ID_LENGTH + 1];
    char type[WIRE_NAME_MAX + 1];
    char purpose[WIRE_PURPOSE_MAX + 1];
    char officer[WIRE_OFFICER_MAX + 1];
};

struct plans;

/* plans_new - STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status plans_new(struct plans **ret);
void plans_free(struct plans **plans);

/* plans_put - one more. A plan for the same event in all of the below is asked for again and keeps its place
 * and when it is due; one that differs in any is another, and the first is still waited for.
 * STATUS_NO_MEMORY.
 */
enum status plans_put(struct plans *plans, const struct plan_entry *entry);

/* plans_find - by sender, id, subject, type, protocol and officer of an event; NULL when there is none. Valid
 * until the next plans_put. */
const struct plan_entry *plans_find(const struct plans *plans, const struct core *core);

/* plans_follow - the event was published and stands in the log; it is no longer waited for. */
void plans_follow(struct plans *plans, const struct core *core);

/* plans_due - the oldest if it is due at now, or if there are too many; plans_drop gives it up. */
const struct plan_entry *plans_due(struct plans *plans, int64_t now);
void plans_drop(struct plans *plans);
