#pragma once

#include "policy/decide.h"
#include "proto/kind_reason.h"

/*
 * Past decisions, one JSON object a line, as `concordat-audit replay-export` writes them: what was known, the
 * event without its sealed values, and what was disclosed. Names only, so that a line can be decided under
 * any protocol. Format: docs/replay-format.md.
 */
#define REPLAY_LINE_MAX ((size_t)65536)

struct replay;

/* What a line says under one protocol; borrows from the line and the protocol. */
struct replay_bound {
    struct register_state person;
    struct policy_facts facts; /* person points here: do not copy */
    struct policy_request request;
    int64_t at;
};

/*
 * replay_read - one line, without its end.
 *
 * ret        owned by the caller (replay_free); keeps nothing of the line
 * ret_reason on failure one clause: what is wrong, and where in the object
 *
 * Returns STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status replay_read(struct byte_view line, struct replay **ret, struct kind_reason *ret_reason);
void replay_free(struct replay **replay);

/* replay_bind - as that protocol sees it: labels and parties that it does not know are left out. False: its
 * catalogue has no such event type. The purpose is the protocol's own. */
bool replay_bind(const struct replay *replay, const struct protocol *protocol, struct replay_bound *ret);

const char *replay_protocol(const struct replay *replay); /* NULL: the line does not say */
const char *replay_event(const struct replay *replay);
const char *replay_from(const struct replay *replay);

/* replay_disclosed - the recipients that the log has for it: how many, each one's id, and whether it received
 * that item. */
size_t replay_disclosed(const struct replay *replay);
const char *replay_recipient(const struct replay *replay, size_t index);
bool replay_received(const struct replay *replay, size_t index, const char *label);
