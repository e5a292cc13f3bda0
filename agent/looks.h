#pragma once

#include "agent/agent.h"

/* Which officer has looked at which event that came in, so that each is reported once a day and no more. */
extern const char looks_schema[];

#define LOOKS_CODE_SIZE (sizeof "again-2026-12-01")

/*
 * looks_note - an officer looks at the inbox's event of this row. Inside a transaction.
 *
 * ret_new   whether this is to be reported: the officer's first look, or the first of another day (UTC)
 * ret_code  of the report: empty for the first look ever, else "again-" and the day
 *
 * Errors as base/db.h.
 */
enum status looks_note(struct agent *agent, int64_t event, const char *officer, int64_t now, bool *ret_new,
                       char ret_code[static LOOKS_CODE_SIZE]);
