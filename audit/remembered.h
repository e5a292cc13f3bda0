#pragma once

#include "audit/counters.h"
#include "proto/checkpoint.h"

/*
 * How far a log was verified, for going on from there: the checkpoint, with its signature, and where the
 * members' counters stood. The file is text, one line each:
 *
 *   concordat-audit/verified/v1
 *   size N
 *   root HEX
 *   checked records | entries      of a broker, or of an export, in which there are no counters
 *   counter MEMBER SENT RECEIVED   of each member, ascending
 *   (an empty line, then the signed checkpoint to the end)
 *
 * Whoever can write it can have entries below its size passed over; it belongs beside the auditor's own
 * files.
 */
#define REMEMBERED_MAX ((size_t)8 << 20)

struct remembered {
    uint64_t size;
    struct digest root;
    bool records;
    struct counters *counters; /* owned; empty unless records */
    struct byte_buffer note;   /* owned */
};

/* remembered_init - of nothing. STATUS_NO_MEMORY. remembered_free also clears. */
enum status remembered_init(struct remembered *remembered);
void remembered_free(struct remembered *remembered);

/* remembered_parse - into an initialised one. STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY; it may
 * then hold part. */
enum status remembered_parse(struct byte_view text, struct remembered *ret);

/* remembered_write - appends the text, which remembered_parse reads. Returns the buffer's status. */
enum status remembered_write(const struct remembered *remembered, struct byte_buffer *ret_text);
