#pragma once

#include "base/db.h"
#include "broker/logbook.h"
#include "proto/tile_writer.h"

/*
 * Checks of what the log's tables hold: at the start, and before every signature. Functions return
 * STATUS_CORRUPT with a reason for what does not agree, otherwise what base/db.h returns; they block on the
 * disk.
 */

/* Row 1 of table head; size 0 and the empty root if there is none. */
struct logcheck_head {
    uint64_t size;
    struct digest root;
};

/* logcheck_why - writes the reason and returns status. */
enum status logcheck_why(struct logbook_reason *reason, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* logcheck_failed - the same for a failed database. */
enum status logcheck_failed(struct logbook_reason *reason, enum status status, const struct db *db,
                            const char *doing);

enum status logcheck_read_head(struct db *db, struct logcheck_head *ret_head, struct logbook_reason *reason);

/* logcheck_end - the rows end where the head says, the entries under the last tile of level 0 hash to it, and
 * the last row's records match their entries. */
enum status logcheck_end(struct db *db, const struct logcheck_head *head, struct logbook_reason *reason);

/*
 * logcheck_edge - the right edge at a size (at most the head's), which must have this root; what says whose
 * size and root they are. ret is freed with tile_writer_free.
 */
enum status logcheck_edge(struct db *db, uint64_t size, const struct digest *root, const char *what,
                          struct tile_writer **ret, struct logbook_reason *reason);

/* logcheck_read_back - reads entries and tiles from checked's size up to end, and appends the entries' hashes
 * to it. */
enum status logcheck_read_back(struct db *db, struct tile_writer *checked, uint64_t end,
                               struct logbook_reason *reason);

/* logcheck_replay - everything from the first entry on: each record against its entry, every stored tile, the
 * root at the size that was signed, and the head's. */
enum status logcheck_replay(struct db *db, uint64_t size, const struct digest *root,
                            const struct logcheck_head *head, struct logbook_reason *reason);
