#pragma once

#include "base/bytes.h"
#include "broker/store/store.h"
#include "proto/digest.h"

/*
 * The erasure journal, erasures.journal in the broker's folder: what was overwritten and when, so that it is
 * again after an older copy of the database was restored. Beside the database and never restored. No personal
 * data: where things stood, and hashes. A text file; written and synced before what it says is committed.
 *
 *   concordat/erasures/1
 *   parts TIME FIRST COUNT HASH      the personal parts of entries FIRST to FIRST + COUNT - 1; HASH: leaf of
 * the first event TIME BATCH PLACE HASH      an event in its batch; HASH: its leaf in the batch
 *
 * Times in milliseconds, hashes in hexadecimal.
 */
#define JOURNAL_NAME "erasures.journal"

struct journal_line {
    bool event; /* otherwise parts */
    int64_t time;
    uint64_t first; /* or the batch */
    uint64_t count; /* or the place */
    struct digest hash;
};

/* journal_append - durably; lines older than the life of a backup go now and then. What base/safefile.h
 * returns, or STATUS_CORRUPT for a file that is no journal. */
enum status journal_append(const char *folder, const struct journal_line *lines, size_t count);

/* journal_read - all lines, in order; nothing when there is no journal. A last line that was cut off by a
 * crash is left out. STATUS_CORRUPT, STATUS_TOO_LARGE, what base/safefile.h or the visitor return. */
typedef enum status journal_visitor(void *context, const struct journal_line *line);
enum status journal_read(const char *folder, journal_visitor *visit, void *context);

/* journal_parse - one line without its end. STATUS_BAD_FORMAT. */
enum status journal_parse(struct byte_view text, struct journal_line *ret);

/* journal_format - appends one line with its end. */
void journal_format(const struct journal_line *line, struct byte_buffer *out);
