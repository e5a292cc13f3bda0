#pragma once

#include "agent/control.h"

/*
 * Control requests that reply to an event held here, which people give as one word:
 *
 *   {"do":"answer","event":ID,"items":["LABEL=VALUE",...]}   or "decline":true
 *   {"do":"confirm","event":ID}
 *
 * The reply is that of "publish". NULL without memory.
 */
json_t *replies_answer(struct control *control, const json_t *request, uint32_t uid, int64_t now);
json_t *replies_confirm(struct control *control, const json_t *request, uint32_t uid, int64_t now);
