#pragma once

#include "audit/problems.h"
#include "audit/remembered.h"
#include "audit/source.h"
#include "proto/checkpoint.h"

/*
 * Verifying a log whole, from its entries up (docs/log-format.md). What is wrong goes to the problems, which
 * are empty when the log verifies. Constant memory. An error that is returned says that the check could not
 * be finished.
 */

struct verify_result {
    uint64_t entries;
    uint64_t signed_entries; /* under the checkpoint */
    uint64_t erased;         /* whose personal part is gone */
};

/*
 * Going on from an earlier verification, of which this log must be an extension: what was verified then is
 * not read again, but for what it takes to see that it still gives the same root.
 */
struct verify_memory {
    const struct remembered *since; /* NULL: from the beginning */
    struct remembered *remember; /* initialised; set when there was no problem and there is a checkpoint; or
                                    NULL */
};

/* Called now and then; may be empty. */
struct verify_progress {
    void (*at)(void *context, uint64_t done, uint64_t total);
    void *context;
};

/*
 * verify_broker - the log in a broker's databases: each record against its entry, counters, rows, tiles,
 * head, checkpoint. key is the log's. What the broker appends meanwhile is left out.
 */
enum status verify_broker(struct source *source, const struct note_key *key,
                          const struct verify_progress *progress, struct problems *problems,
                          struct verify_result *ret);

/* verify_broker_since - the same, with memory. */
enum status verify_broker_since(struct source *source, const struct note_key *key,
                                const struct verify_progress *progress, const struct verify_memory *memory,
                                struct problems *problems, struct verify_result *ret);

/* The files of an export: read appends a file's content to an empty buffer. STATUS_NOT_FOUND,
 * STATUS_TOO_LARGE (limit) and STATUS_UNSUPPORTED (no regular file) are told as problems; other errors end
 * the check. */
struct verify_files {
    enum status (*read)(void *context, const char *path, size_t limit, struct byte_buffer *ret);
    void *context;
};

/* verify_export - an export with nothing but the log's key: checkpoint, entry bundles, tiles, and log.vkey
 * against key. */
enum status verify_export(const struct verify_files *files, const struct note_key *key,
                          const struct verify_progress *progress, struct problems *problems,
                          struct verify_result *ret);

/* verify_export_since - the same, with memory. */
enum status verify_export_since(const struct verify_files *files, const struct note_key *key,
                                const struct verify_progress *progress, const struct verify_memory *memory,
                                struct problems *problems, struct verify_result *ret);

/*
 * verify_extends - tells whether a checkpoint can be a later one than what was remembered: its note bears the
 * log's key and says what is remembered, and the checkpoint is not for fewer entries or for as many with
 * another root. STATUS_OK, STATUS_MISMATCH (told), or as verify_checkpoint.
 */
enum status verify_extends(const struct remembered *since, const struct checkpoint *checkpoint,
                           const struct note_key *key, struct problems *problems);

/* verify_checkpoint - tells what is wrong with a signed checkpoint, or gives its size and root. STATUS_OK,
 * STATUS_MISMATCH (told), STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status verify_checkpoint(struct byte_view note, const struct note_key *key, struct problems *problems,
                              struct checkpoint *ret_checkpoint);
