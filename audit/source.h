#pragma once

#include "base/db.h"
#include "proto/digest.h"
#include "proto/note.h"
#include "proto/tile.h"

/*
 * A broker's log as an auditor reads it: the databases in its folder, opened for reading only, also beside a
 * running broker. Nothing read is believed. Functions block on the disk and return what base/db.h returns.
 */

/* Why it could not be read, in one sentence for people. */
struct source_reason {
    char text[512];
};

struct source_checkpoint {
    uint64_t size;
    struct digest root;
    struct byte_view note; /* borrowed until source_close */
};

struct source_row {
    uint64_t first;
    uint64_t n;
    struct byte_view records;
    struct byte_view personal;
};

struct source;

/* source_open - opens FOLDER/broker.db and FOLDER/checkpoint.db. ret is closed with source_close.
 * STATUS_NOT_FOUND if there is no broker's folder. ret_reason is filled in on failure. */
enum status source_open(const char *folder, struct source **ret, struct source_reason *ret_reason);
void source_close(struct source **source);

/* source_error - the last failure of the store's database in its own words. */
const char *source_error(const struct source *source);

/* source_checkpoint - the stored one. STATUS_NOT_FOUND if there is none, STATUS_CORRUPT for values that
 * cannot be. */
enum status source_checkpoint(struct source *source, struct source_checkpoint *ret);

/* source_cosigned - the newest checkpoint that a quorum of witnesses cosigned, with its cosignatures,
 * borrowed until the next call. Errors as source_checkpoint. */
enum status source_cosigned(struct source *source, struct source_checkpoint *ret);

/* source_head - size and root that the log's head claims, and where its rows end, all of one moment. */
enum status source_head(struct source *source, uint64_t *ret_size, struct digest *ret_root,
                        uint64_t *ret_rows_end);

/*
 * source_rows - every row that starts at or after `first` and before `end`, in order; an error of `row` ends
 * it and is returned. No reading lasts, so that the broker's WAL can be copied meanwhile. Views last during
 * the call.
 */
enum status source_rows(struct source *source, uint64_t first, uint64_t end,
                        enum status (*row)(void *context, const struct source_row *row), void *context);

/* source_rows_around - the same, from the row on that holds entry `first`. */
enum status source_rows_around(struct source *source, uint64_t first, uint64_t end,
                               enum status (*row)(void *context, const struct source_row *row),
                               void *context);

/* source_tile - the first id->width hashes of a stored tile; STATUS_NOT_FOUND, or STATUS_CORRUPT if it is
 * shorter. */
enum status source_tile(struct source *source, const struct tile_id *id, struct digest *ret_hashes);

/* source_leaves - the leaf hashes of `count` entries from `first` on, computed from their rows.
 * STATUS_NOT_FOUND when they are not all there, STATUS_CORRUPT. */
enum status source_leaves(struct source *source, uint64_t first, size_t count, struct digest *ret_hashes);

/*
 * source_log_key - the key that the log's checkpoints must bear: the one in the folder's newest bundle, or
 * before the first bundle its own. ret is freed with note_key_free. ret_reason is filled in on failure.
 */
enum status source_log_key(const char *folder, struct note_key **ret, struct source_reason *ret_reason);
