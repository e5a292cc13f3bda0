#pragma once

#include "agent/agent.h"

/*
 * Programs of the agency that answer questions put to it (agent.json, "hooks"): each question goes to the
 * program for its event type once, as JSON on standard input, and what the program says on standard output is
 * queued as the answer, as if a person had given it. One at a time, beside the loop, within limits
 * (base/program.h).
 *
 *   in   the event as `concordat show --json` shows it, and "asked": [labels]
 *   out  {"items": {LABEL: VALUE}}  the answer; {"decline": true}  that there is none; {}  a person decides
 */
struct hooks;

enum status hooks_new(struct agent *agent, struct hooks **ret);
void hooks_free(struct hooks **hooks); /* ends what runs */

/* hooks_fd - readable when something happened; -1: nothing to wait for. */
int hooks_fd(const struct hooks *hooks);

/* hooks_step - whatever can be done now. ret_wait: milliseconds until it must be called again; -1: nothing is
 * under way. Returns what base/db.h returns. */
enum status hooks_step(struct hooks *hooks, int64_t now, int64_t elapsed, int64_t *ret_wait);
