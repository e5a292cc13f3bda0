#pragma once

#include "agent/draft.h"
#include "agent/prepared.h"
#include "policy/protocol.h"

struct agent;

/*
 * From a draft to a checked event: type and protocol found, the person found, every value canonical, what is
 * known of the person filled in. Nothing is written.
 *
 * storage     holds what ret_prepared borrows besides the draft and the membership; the caller wipes it
 * ret_reason  filled in for STATUS_REFUSED
 *
 * The event's id and times are the caller's to set. Returns STATUS_REFUSED, STATUS_NO_MEMORY, or what the
 * database returned.
 */
enum status compose_event(struct agent *agent, const struct draft *draft, int64_t now,
                          struct byte_buffer *storage, struct prepared *ret_prepared,
                          struct draft_reason *ret_reason);

/* compose_grantable - the labels that some rule lets somebody have of this type from this class. */
struct label_set compose_grantable(const struct protocol *protocol, uint16_t event, uint16_t class_index);

/*
 * compose_subject - the pseudonym of the person that a draft names: the one already in use here, or else
 * under the newest epoch. STATUS_REFUSED with a reason, or as the database.
 */
enum status compose_subject(struct agent *agent, const struct draft *draft, int64_t now,
                            struct pseudonym *ret_subject, struct draft_reason *ret_reason);
