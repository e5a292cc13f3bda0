#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/* What the parts that work on the outbox's rows share: sealing their columns at rest, and reading one. */

enum outbox_row_column { OUTBOX_ROW_CONTENT, OUTBOX_ROW_ENVELOPE, OUTBOX_ROW_ANSWER };

/* What became of one recipient's section. */
enum outbox_delivery {
    OUTBOX_UNDELIVERED,
    OUTBOX_STORED,
    OUTBOX_QUARANTINED,
    OUTBOX_RECALLED, /* these three by the broker's word: no receipt will come */
    OUTBOX_REPLACED,
    OUTBOX_EXPIRED,
};

/* outbox_row_delivery - its word; static storage. */
const char *outbox_row_delivery(int64_t state);

#define OUTBOX_ROW_ENVELOPE_MAX ((size_t)640 << 10)
#define OUTBOX_ROW_ANSWER_MAX   ((size_t)256 << 10)

/* outbox_row_subject - the look-up by which rows about one person are found. */
void outbox_row_subject(const struct agent *agent, const uint8_t subject[static CORE_SUBJECT_SIZE],
                        uint8_t out[static VAULT_LOOKUP_SIZE]);

/* outbox_row_seal, outbox_row_open - a column of the row of that event; as vault_seal() and vault_open(). */
enum status outbox_row_seal(struct agent *agent, enum outbox_row_column column,
                            const uint8_t event[static UUID_SIZE], struct byte_view plain,
                            struct byte_buffer *ret);
enum status outbox_row_open(struct agent *agent, enum outbox_row_column column,
                            const uint8_t event[static UUID_SIZE], struct byte_view sealed,
                            struct byte_buffer *ret);

/* outbox_row_content - appends the encoded prepared event; STATUS_NOT_FOUND. The caller wipes. */
enum status outbox_row_content(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               struct byte_buffer *ret);
