#pragma once

#include <jansson.h>

#include "agent/agent.h"

struct feeds;
struct session;

/*
 * What the command line (and later the desk) asks of a running agent, as JSON objects with a key "do".
 * Replies: {"ok": …}, {"refused": "one sentence"} or {"failed": "one sentence"}.
 */
struct control {
    struct agent *agent;
    struct session *session;
    struct feeds *feeds;
    bool connected;      /* kept up by the daemon */
    const char *trouble; /* why not, for people; NULL if connected or not known. Likewise */
};

/*
 * control_request - one request by the Unix user uid; `inbox` is not among them (control_inbox).
 *
 * Returns the reply, the caller's; NULL without memory.
 */
json_t *control_request(struct control *control, const json_t *request, uint32_t uid, int64_t now);

/* control_inbox - the next page of the inbox: {"ok": {"events": […]}}; *cursor 0 at first. *ret_last: nothing
 * follows. */
json_t *control_inbox(struct control *control, int64_t *cursor, bool *ret_last);
