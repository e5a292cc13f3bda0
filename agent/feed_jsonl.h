#pragma once

#include <jansson.h>

#include "agent/feed_input.h"
#include "agent/feed_reject.h"

/*
 * JSON lines: one JSON object a line (RFC 8259), in UTF-8, at most FEED_ROW_MAX bytes a line. Empty lines are
 * passed over. A key that stands twice makes the line malformed.
 */
struct feed_jsonl;

/* feed_jsonl_new - input is borrowed. STATUS_NO_MEMORY. */
enum status feed_jsonl_new(struct feed_input *input, struct feed_jsonl **ret_jsonl);
void feed_jsonl_free(struct feed_jsonl **jsonl);

/*
 * feed_jsonl_next - the next object; ret_object is the caller's.
 *
 * Returns as feed_csv_next: STATUS_BAD_FORMAT for a line that is no such object, with the character at which
 * it goes wrong, after which reading goes on.
 */
enum status feed_jsonl_next(struct feed_jsonl *jsonl, uint64_t *ret_line, json_t **ret_object,
                            struct feed_reject *ret_reject, struct feed_refusal *ret_refusal);

/*
 * feed_jsonl_text - what stands at a path ("additionalInformation.nomsNumber", "identifiers.0.value") as
 * text. Appends to storage and gives its place there; *ret_present is false for what is missing or null.
 *
 * Returns STATUS_BAD_FORMAT for an object, a list or a number with a fraction, or what appending returned.
 */
enum status feed_jsonl_text(const json_t *object, const char *path, struct byte_buffer *storage,
                            bool *ret_present);
