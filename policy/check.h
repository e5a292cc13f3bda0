#pragma once

#include "policy/protocol.h"

struct yaml_errors;

/*
 * What a protocol that loads says to no purpose, or leaves open: things that a signatory should know and that
 * no broker would stumble over. Each warning says where, what, and what to do about it.
 */

/*
 * check_protocol - rules and recipients that nobody can be reached by, items that are granted and denied or
 * granted twice, clocks that cannot be met, law that nothing uses, classes without a party.
 *
 * text      the very bytes that the protocol was loaded from
 * warnings  gets them, in the order of the file
 *
 * Returns STATUS_OK; STATUS_NO_MEMORY; what reading the text gave.
 */
enum status check_protocol(const struct protocol *protocol, struct byte_view text,
                           struct yaml_errors *warnings);

/* check_catalogue - the same for what the protocol leaves of its catalogue unsaid: event types that no rule,
 * record or denial names, and items that nobody may have. text: the catalogue's. */
enum status check_catalogue(const struct protocol *protocol, struct byte_view text,
                            struct yaml_errors *warnings);
