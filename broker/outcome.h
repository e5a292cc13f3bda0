#pragma once

#include "base/bytes.h"
#include "proto/section.h"
#include "proto/wire_check.h"

/*
 * What became of a published event, as it stands in its batch's row and as it is answered, now and whenever
 * the same event comes again.
 */

/* Verdicts without an outcome are stored as 0: the batch needs the event's leaf, and knows nothing more. */
#define OUTCOME_NONE 0

struct outcome_recipient {
    uint32_t number;  /* of the member */
    uint64_t counter; /* its counter in the log */
};

struct outcome {
    uint8_t verdict; /* of Wire__Verdict, or OUTCOME_NONE */
    bool logged;
    uint64_t log_index;   /* when logged */
    struct byte_view why; /* encoded fields reason and refusals of an Outcome; borrowed */
    size_t recipient_count;
    struct outcome_recipient recipients[WIRE_TO_MAX];
};

/* outcome_write - appends the stored form. outcome_read - the next one; STATUS_CORRUPT. */
void outcome_write(const struct outcome *outcome, struct byte_buffer *ret);
enum status outcome_read(struct byte_reader *reader, struct outcome *ret_outcome);

/* outcome_answer - appends it as an element of a PublishAnswer. */
void outcome_answer(const uint8_t event[static 16], const struct outcome *outcome, struct byte_buffer *ret);

/* outcome_reason, outcome_refusal - append one to what will be `why`; reason first. Texts are cut at what the
 * wire takes; NULL leaves an optional field out. */
void outcome_reason(struct byte_buffer *why, const char *reason);
struct outcome_refusal {
    const char *to;
    const char *rule;
    const char *item;
    const char *code;
    const char *text;
};
void outcome_refusal(struct byte_buffer *why, const struct outcome_refusal *refusal);

/* outcome_cut - as many of the first fields of a `why` as room bytes hold. */
struct byte_view outcome_cut(struct byte_view why, size_t room);

/* outcome_put_refusal - the same as a field of this number of another message. */
void outcome_put_refusal(struct byte_buffer *ret, uint32_t field, const struct outcome_refusal *refusal);
