#pragma once

#include <stdatomic.h>

#include "base/bytes.h"
#include "proto/record.h"

/*
 * Searching the log. The index (broker/index.h) says in which rows something occurs; a search reads those
 * rows from the log itself, and the newest rows, that are not indexed yet, all of them: what was committed
 * before a search began is found, whatever state the index is in.
 */

struct index_options {
    const char *path;       /* of index.db; NULL: none, look through the whole log */
    const char *store_path; /* of the store's database, which has been opened and has its tables */
};

/*
 * Whose entries a search may show, decided by whoever knows who asks. A mandatory argument: no search begins
 * without one, and one that was left at zeros admits nothing.
 */
struct index_scope {
    bool everything;         /* the host's root, or the scheme's data protection officer */
    struct byte_view agency; /* else a member: entries that it sent or that were sent to it; borrowed */
};

/*
 * index_scope_admits - whether an entry may be shown. What was *not* told to a member is not told to it by
 * the log either: of refusals, their counts and consultations the named recipient sees nothing.
 */
bool index_scope_admits(const struct index_scope *scope, enum record_kind kind, struct byte_view from,
                        struct byte_view to);

#define INDEX_KINDS_MAX 24

/* What to look for: whatever is set must hold. Views are borrowed; empty ones are not set. */
struct index_query {
    struct byte_view subject; /* 36 bytes of a pseudonym */
    struct byte_view event;   /* 16 bytes */
    struct byte_view member;  /* as sender or as recipient */
    struct byte_view from;
    struct byte_view to;
    struct byte_view officer;
    struct byte_view type;  /* event type */
    struct byte_view label; /* one of the items */
    struct byte_view purpose;
    struct byte_view gateway;
    struct byte_view rule;
    struct byte_view outcome; /* an outcome or a kind of entry */
    struct byte_view key;     /* 16 bytes: id of a sealing key */
    uint32_t kinds;           /* bits, by number: one of these; 0: any */
    uint8_t flags;            /* of enum record_flag: all of these */
    int64_t since;            /* first moment; 0: the beginning */
    int64_t until;            /* first moment after; 0: the end */
    uint64_t first;           /* index of the first entry */
    uint64_t end;             /* of the first after; 0: the end */
    uint64_t limit;           /* hits; 0: all */
    const atomic_bool *stop;  /* ends the search between rows once it is true; NULL: nothing does */
};

/* One entry that was found; borrowed during the call. */
struct index_hit {
    uint64_t index;
    enum record_kind kind;
    const struct record_account *account;
    const struct record_personal *personal; /* NULL: erased */
};

/*
 * index_search - call found for each hit that the scope admits, in the log's order and in constant memory; it
 * returns false to end the search. Opens its own connections: any thread, also while the log grows; entries
 * committed meanwhile may or may not be found. Returns STATUS_OK, also when found ended it, STATUS_CORRUPT (a
 * row that cannot be read), or what base/db.h returns.
 */
enum status index_search(const struct index_options *options, const struct index_scope *scope,
                         const struct index_query *query,
                         bool (*found)(void *context, const struct index_hit *hit), void *context);
