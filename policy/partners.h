#pragma once

#include "policy/protocol.h"

struct yaml_errors;

/*
 * The table of partners and strands, and who leads each strand, as a partnership's papers state them. The two
 * may contradict each other: both are read as they stand, and nothing is merged. Grammar:
 * docs/protocol-guide.md, "Partners".
 */

/*
 * partners_check - read a partner file and tell where it contradicts itself or the protocol.
 *
 * text       YAML
 * errors     gets what does not load
 * conflicts  gets what loads and contradicts: a lead that the table does not tick, an authority of another
 *            class than the lead
 *
 * Returns STATUS_OK also when there are conflicts; STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status partners_check(struct byte_view text, const struct protocol *protocol, struct yaml_errors *errors,
                           struct yaml_errors *conflicts);
