#pragma once

#include "agent/inbox_event.h"
#include "proto/labels.h"

/* inbox_content_encode - what is kept of an event besides its row's columns: core, rule, labels and, unless
 * it is set aside, items. The caller seals and wipes. */
void inbox_content_encode(const struct envelope_delivered *event, const struct arrival *arrival,
                          struct byte_buffer *ret);

/* inbox_content_place - where it is kept, for the vault; out has INBOX_CONTENT_PLACE bytes. sender is a
 * member id. */
#define INBOX_CONTENT_PLACE (6 + UUID_SIZE + MEMBER_ID_LENGTH)
struct byte_view inbox_content_place(const uint8_t event[static UUID_SIZE], struct byte_view sender,
                                     uint8_t out[static INBOX_CONTENT_PLACE]);

#define INBOX_CONTENT_LIMIT ((size_t)128 << 10)

/* inbox_content_decode - from event->kept, which it borrows. STATUS_CORRUPT. */
enum status inbox_content_decode(struct inbox_event *event);

/* inbox_content_keep - one that was decoded, with other values since or fewer: sealed again in its row.
 * Inside a transaction. */
enum status inbox_content_keep(struct agent *agent, const struct inbox_event *event);
