#pragma once

#include "base/status.h"
#include "proto/member.h"

/* How many frames each member may send: a bucket each that fills with time. Belongs to the gate's thread. */
struct quota;

/* quota_new - per_second for each, and as many at once. STATUS_NO_MEMORY. */
enum status quota_new(uint32_t per_second, struct quota **ret);
void quota_free(struct quota **quota);

/* quota_take - one frame of this member at a time in milliseconds that never goes back. STATUS_BUSY: its
 * bucket is empty. STATUS_NO_MEMORY. */
enum status quota_take(struct quota *quota, const char *member, int64_t elapsed);
