#pragma once

#include "agent/membership.h"
#include "agent/plan.h"
#include "policy/decide.h"
#include "proto/envelope.h"

/*
 * A sealing run: turns decided events into headers and sections. One HPKE context for each recipient, in
 * memory only and gone with the run, so that no number of a context can ever seal twice.
 */
struct sealing;

enum status sealing_start(const struct random_source *random, struct sealing **ret_sealing);
void sealing_end(struct sealing **sealing); /* wipes */

/* One event as sealed, ready to be kept and published. */
struct sealed_section {
    char to[MEMBER_ID_LENGTH + 1];
    uint8_t digest[SECTION_DIGEST_SIZE];
    struct byte_buffer bytes;
};

struct sealed_event {
    struct byte_buffer header;
    size_t count;
    struct sealed_section sections[POLICY_RECIPIENTS_MAX]; /* ascending by `to` */
};

/*
 * sealing_event - seals for each recipient of the decision exactly the labels that it grants.
 *
 * Returns STATUS_STALE when a recipient has no usable key now, STATUS_CORRUPT when a granted value is not
 * there, STATUS_TOO_LARGE, STATUS_NO_MEMORY or STATUS_CRYPTO. ret_event (zeroed before) is freed with
 * sealing_event_free also after a failure.
 */
enum status sealing_event(struct sealing *sealing, const struct membership *membership,
                          const struct plan *plan, const struct policy_decision *decision, int64_t now,
                          struct sealed_event *ret_event);
void sealing_event_free(struct sealed_event *event);

/*
 * sealing_keep, sealing_restore - header, opening and sections in the form in which the outbox keeps them
 * (still to be sealed at rest: the opening holds values). Restoring borrows the bytes; ret_slots has room for
 * HEADER_SECTIONS_MAX. STATUS_CORRUPT.
 */
enum status sealing_keep(const struct sealed_event *event, struct byte_view opening, struct byte_buffer *ret);
enum status sealing_restore(struct byte_view kept, struct envelope_event *ret_event,
                            struct envelope_slot *ret_slots);
