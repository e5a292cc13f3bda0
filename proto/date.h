#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

#define DATE_SIZE      11 /* YYYY-MM-DD and a zero */
#define DATE_TIME_SIZE 21 /* YYYY-MM-DDTHH:MM:SSZ and a zero */

/* Years that a value may lie in: outside of them it is a slip of the pen. */
#define DATE_FIRST_YEAR 1900
#define DATE_LAST_YEAR  2199

/*
 * date_canonical - a day of the Gregorian calendar.
 *
 * in        YYYY-MM-DD, or DD/MM/YYYY as people here write it; never month first
 * ret_date  YYYY-MM-DD (RFC 3339 full-date)
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL), also for a day that does not exist.
 */
enum status date_canonical(struct byte_view in, char ret_date[static DATE_SIZE],
                           struct kind_reason *ret_reason);

/*
 * date_time_canonical - a moment, in whole seconds UTC.
 *
 * in        YYYY-MM-DD, T or a space, HH:MM, perhaps :SS, perhaps a fraction (cut off), then Z or an offset
 *           such as +01:00. Without either it is refused: nobody can say which hour was meant.
 * ret_time  YYYY-MM-DDTHH:MM:SSZ (RFC 3339)
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL). There are no leap seconds.
 */
enum status date_time_canonical(struct byte_view in, char ret_time[static DATE_TIME_SIZE],
                                struct kind_reason *ret_reason);
