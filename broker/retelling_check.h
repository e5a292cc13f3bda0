#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "policy/protocol.h"

/*
 * A past decision, decided again by the version of the protocol that was in force, and held against what the
 * log says was disclosed:
 *
 *   {"entry":N, "at":TIME, "id":EVENT, "subject":REF, "event":TYPE, "from":ID, "protocol":ID, "version":V,
 *    "serial":S, "digest":HEX, "accepted":B, "attributes":{…}, "replayed":B, "erased":N, "agrees":B,
 * "differences":[TEXT], "recipients":[{"to":ID, "rule":R, "gateway":G, "consent":SCOPE?, "labels":[…]}]}
 *
 * With sentences also "decision":TEXT, "refused":[TEXT], and of each recipient "because":[TEXT].
 *
 * Corrections, retractions and erasures go to whoever was told what they correct; they are not decided again
 * ("replayed": false). Break-glass uses are taken as within their quota, as in every replay.
 */
struct retelling_check {
    const struct protocol *protocol;
    const uint8_t *digest; /* of its file, 32 bytes */
    uint64_t serial;       /* of its bundle */
    uint64_t erased;       /* events before it that are gone: what rested on them cannot be known */
    uint64_t entry;        /* `accepted` or `refused` */
    bool accepted;
    bool sentences;
};

/*
 * retelling_check - of a line as docs/replay-format.md has it (borrowed). ret: the caller's (json_decref).
 * Returns STATUS_CORRUPT (no such line) or STATUS_NO_MEMORY.
 */
enum status retelling_check(const struct retelling_check *check, const json_t *line, json_t **ret);
