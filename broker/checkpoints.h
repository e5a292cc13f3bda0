#pragma once

#include "base/db.h"
#include "proto/digest.h"

/*
 * The last signed checkpoint, in a database of its own, so that no restored copy of the store takes it back
 * (docs/log-format.md, "Tree, tiles, checkpoint"). Compare and swap; one writer: whoever opens it takes the
 * fence, and who held it before can replace nothing any more. All functions block on the disk and may return
 * what base/db.h returns.
 */

struct checkpoints;

struct checkpoints_entry {
    uint64_t size;
    struct digest root;
    int64_t time;
    struct byte_view note;
};

/* checkpoints_open - path NULL keeps it in memory, for tests; ret is closed with checkpoints_close; vfs is
 * NULL but in fault tests. */
enum status checkpoints_open(const char *path, const char *vfs, struct checkpoints **ret);
void checkpoints_close(struct checkpoints **checkpoints);

/* checkpoints_read - the stored one; its note borrows from *note, which is overwritten. STATUS_NOT_FOUND if
 * there is none yet, STATUS_CORRUPT for values that cannot be. */
enum status checkpoints_read(struct checkpoints *checkpoints, struct byte_buffer *note,
                             struct checkpoints_entry *ret);

/*
 * checkpoints_replace - put next in the place of before (NULL: of none), durably.
 *
 * Returns STATUS_FORKED unless before is what is stored, we still hold the fence, and next is larger;
 * STATUS_ROLLBACK if next's time is earlier. On any failure nothing is changed, but after STATUS_IO only a
 * new process may say so.
 */
enum status checkpoints_replace(struct checkpoints *checkpoints, const struct checkpoints_entry *before,
                                const struct checkpoints_entry *next);

/* For broker/cosigned.h, which keeps its tables in the same database. */
struct db *checkpoints_db(struct checkpoints *checkpoints);

/* checkpoints_begin - a transaction in which the fence is ours: STATUS_FORKED when it is somebody else's. */
enum status checkpoints_begin(struct checkpoints *checkpoints);

/* checkpoints_end - commit if status is STATUS_OK, else roll back and return it. */
enum status checkpoints_end(struct checkpoints *checkpoints, enum status status);

/* checkpoints_take - size, root, time and note from the first four columns, as checkpoints_read. */
enum status checkpoints_take(struct db_statement *statement, struct byte_buffer *note,
                             struct checkpoints_entry *ret);
