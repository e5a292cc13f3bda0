#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/*
 * Civil time by arithmetic alone: no clock, no time zone data, no locale. A time is milliseconds since the
 * Unix epoch in UTC, a date is days since 1970-01-01. Texts are strict and bounded to the years 1583 to 9999
 * of the Gregorian calendar. All functions are pure and thread-safe.
 */
#define CIVIL_DAY_MS        INT64_C(86400000)
#define CIVIL_DATE_MIN      INT32_C(-141349)                /* 1583-01-01 */
#define CIVIL_DATE_MAX      INT32_C(2932896)                /* 9999-12-31 */
#define CIVIL_TIME_MIN      (CIVIL_DATE_MIN * CIVIL_DAY_MS) /* 1583-01-01T00:00:00.000Z */
#define CIVIL_TIME_MAX      ((CIVIL_DATE_MAX + 1) * CIVIL_DAY_MS - 1)
#define CIVIL_TIME_SIZE     25 /* "2026-12-01T09:14:46.218Z" and its zero */
#define CIVIL_DATE_SIZE     14 /* "2026-12-01" and its zero, with room for a number that is no date */
#define CIVIL_DURATION_SIZE 48

/* The longest durations that are read, so that one that is written can be read again. */
#define CIVIL_DURATION_MONTHS_MAX INT32_C(120000)
#define CIVIL_DURATION_MS_MAX     (999999 * CIVIL_DAY_MS)

/* A length of time as ISO 8601 writes it. Months depend on the calendar and are kept apart; both are >= 0. */
struct duration {
    int32_t months;
    int64_t ms;
};

/* civil_valid_ymd - whether that day exists, in the years held here. */
bool civil_valid_ymd(int year, int month, int day);

/* civil_date - days since the epoch of a day that civil_valid_ymd accepts. */
int32_t civil_date(int year, int month, int day);

/*
 * civil_parse_time - RFC 3339 §5.6 with an upper-case T and either an upper-case Z or an offset as +01:00.
 * The fraction may be absent or have 1 to 9 digits, of which those beyond milliseconds are dropped. No leap
 * second. Returns STATUS_BAD_FORMAT.
 */
enum status civil_parse_time(const char *text, int64_t *ret_time);

/* civil_format_time - "2026-12-01T09:14:46.218Z"; a time out of bounds as "@-62135596800001ms", which no
 * parser here accepts. */
void civil_format_time(int64_t time, char out[static CIVIL_TIME_SIZE]);

/* civil_parse_date - exactly "2026-12-01". Returns STATUS_BAD_FORMAT. */
enum status civil_parse_date(const char *text, int32_t *ret_date);

/* civil_format_date - "2026-12-01"; a date out of bounds as "@-719529d". */
void civil_format_date(int32_t date, char out[static CIVIL_DATE_SIZE]);

/* civil_valid_pattern - DD, MM and YYYY once each, with any separators that are neither letters, digits nor
 * control characters; at most 31 characters. */
bool civil_valid_pattern(const char *pattern);

/*
 * civil_parse_pattern - a date written as the pattern says, every digit and separator in its place:
 * "DD/MM/YYYY" takes "01/12/2026" only. Returns STATUS_BAD_ARGUMENT for the pattern, STATUS_BAD_FORMAT for
 * the text.
 */
enum status civil_parse_pattern(const char *pattern, const char *text, int32_t *ret_date);

int32_t civil_day_of(int64_t time);            /* the UTC day that a time falls on; time within bounds */
int64_t civil_time_of_day_start(int32_t date); /* 00:00:00.000Z of that day */
int32_t civil_add_months(int32_t date,
                         int months); /* to the month's last day if it is shorter; kept in bounds */

/*
 * civil_parse_duration - ISO 8601: years, months and days, then T and hours, minutes and seconds (with up to
 * three decimals), each at most once, in that order, at least one, at most six digits each; or weeks alone.
 * "P12M", "P2W", "PT15M". Returns STATUS_BAD_FORMAT.
 */
enum status civil_parse_duration(const char *text, struct duration *ret_duration);

/* civil_format_duration - the one canonical text of a duration that civil_parse_duration gives: months as
 * months, whole days as days; nothing at all is "PT0S". */
void civil_format_duration(struct duration duration, char out[static CIVIL_DURATION_SIZE]);

/* civil_add_duration - later (sign 1) or earlier (sign -1): first the months, by the calendar in UTC and
 * clamped to the month's end, then the rest. The result is kept within CIVIL_TIME_MIN and CIVIL_TIME_MAX. */
int64_t civil_add_duration(int64_t time, struct duration duration, int sign);
