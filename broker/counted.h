#pragma once

#include "base/db.h"
#include "proto/logrow.h"

/*
 * A member's own entries, found by its counters (docs/log-format.md, "Counters"). The index says in which
 * rows a member is counted; counters ascend through them, so that a row is found by halving. What is not
 * indexed yet is looked through.
 */

/* The index's letters for it (broker/index_db.h). */
enum counted_role {
    COUNTED_SENDER = 'f',    /* `from` of accepted and refused */
    COUNTED_RECIPIENT = 'g', /* `to` of disclosed */
    COUNTED_COUNT = 'c',     /* `from` of a member's count */
};

/* Outcome of a *count* entry that is about a member, not about repeats of a refusal. */
#define COUNTED_OUTCOME "counted"

/* counted_of - whether and as what a record counts a member; false also for one that cannot be read. */
bool counted_of(const struct logrow_record *record, enum counted_role *ret_role,
                struct record_outline *ret_outline);

struct counted_query {
    struct db *store; /* read-only connections, of one thread */
    struct db *index; /* NULL: none */
    const char *member;
    enum counted_role role;
    uint64_t first; /* counter; the newest entry is wanted instead if role is COUNTED_COUNT */
    uint32_t count; /* so many counters, from first on */
    uint64_t size;  /* only entries below */
};

/* One entry that was found; borrowed during the call. */
struct counted_entry {
    uint64_t index;
    const struct logrow *row;
    const struct logrow_record *record;
};

/*
 * counted_find - call found for each of the entries, in the log's order, until it returns another status than
 * STATUS_OK; STATUS_CLOSED ends the search and counts as success.
 *
 * Returns STATUS_BUSY when too much of the log is not indexed yet, STATUS_CORRUPT for rows that cannot be
 * read, what found or base/db.h returned. Blocks on the disk.
 */
enum status counted_find(const struct counted_query *query,
                         enum status (*found)(void *context, const struct counted_entry *entry),
                         void *context);
