#pragma once

#include "base/db.h"
#include "proto/logrow.h"

/*
 * What is left of the log's records: looking at them, and overwriting personal parts with their salts, in
 * place. For the logbook, whose store's database it works on. Functions return what base/db.h returns,
 * STATUS_CORRUPT for rows that cannot be read, or STATUS_NO_MEMORY; they block on the disk.
 */

/* Where a block of personal parts stands. */
struct logparts_block {
    uint64_t row; /* its row's first entry */
    uint32_t place;
    size_t size;
};

/* A record whose personal part is there and not empty. Views are borrowed during the call. */
struct logparts_part {
    uint64_t index;
    const uint8_t *entry; /* RECORD_ENTRY_SIZE bytes */
    enum record_kind kind;
    const struct record_account *account;
    const struct record_personal *personal;
    struct logparts_block block; /* records of one event may share it, neighbours in one row: */
    uint64_t first;              /* the first of them */
    bool last;                   /* this is the last */
    uint32_t kinds;              /* of all of them: bit k - 1 for kind k */
};

#define LOGPARTS_KIND(kind) (UINT32_C(1) << ((kind)-1))

/* Kinds that go by retention only, and whatever shares its part with one: looks, queries, overrides,
 * incidents. */
#define LOGPARTS_KEPT                                                                                        \
    (LOGPARTS_KIND(RECORD_OPENED) | LOGPARTS_KIND(RECORD_AUDIT_QUERY) | LOGPARTS_KIND(RECORD_OVERRIDE) |     \
     LOGPARTS_KIND(RECORD_INCIDENT))

/* Returns false to have enough: the next call goes on after this entry. */
typedef bool logparts_visitor(void *context, const struct logparts_part *part);

/*
 * logparts_each - the records from entry `first` on and below `end`, in order, whose personal part is neither
 * erased nor empty. At most some thousand entries in one call, but whole rows, unless the visitor had enough
 * before; *ret_next is where to go on.
 */
enum status logparts_each(struct db *db, uint64_t first, uint64_t end, logparts_visitor *visit, void *context,
                          uint64_t *ret_next);

/* logparts_account - appends the account part of one entry. */
enum status logparts_account(struct db *db, uint64_t index, struct byte_buffer *ret);

/* logparts_erase - the block of one entry; nothing happens when it is erased. Within a transaction. */
enum status logparts_erase(struct db *db, uint64_t index);

/* logparts_blank - a block that logparts_each showed. Within a transaction; again is harmless. */
enum status logparts_blank(struct db *db, const struct logparts_block *block);
