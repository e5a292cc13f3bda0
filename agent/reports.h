#pragma once

#include "agent/agent.h"
#include "proto/core.h"
#include "proto/header.h"

/*
 * Reports: our signed word on what became of an event that we received. Queued with what they report, sent in
 * batches, forgotten when the broker has stored them. Format: docs/wire-format.md, "Report".
 */
extern const char reports_schema[];

enum report_kind {
    REPORT_OPENED = 1,
    REPORT_QUARANTINED,
    REPORT_CONFIRMED,
    REPORT_RECALLED,
    REPORT_ACKNOWLEDGED
};

struct report {
    enum report_kind kind;
    struct byte_view from; /* sender of the event */
    const uint8_t *event;  /* UUID_SIZE bytes */
    const uint8_t *header; /* digest, HEADER_DIGEST_SIZE bytes */
    const char *officer;   /* who acted */
    const char *code;      /* or NULL */
};

/* reports_queue - inside a transaction. */
enum status reports_queue(struct agent *agent, const struct report *report, int64_t now);

/*
 * reports_batch - appends a signed ReportBatch frame with the oldest reports.
 *
 * ret_last  to be given to reports_stored when the broker has them
 *
 * STATUS_NOT_FOUND when none waits; STATUS_TOO_LARGE, STATUS_NO_MEMORY, STATUS_CRYPTO or as base/db.h.
 */
enum status reports_batch(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret,
                          int64_t *ret_last);

/* reports_stored - forget those up to last. Inside a transaction. */
enum status reports_stored(struct agent *agent, int64_t last);
