#include "proto/date.h"

#include <string.h>

#include "base/civil.h"
#include "proto/chars.h"

#define DATE_LENGTH (DATE_SIZE - 1)
#define TO_MINUTES  16 /* YYYY-MM-DDTHH:MM */
#define LONGEST     40 /* with nine digits of fraction and an offset, and to spare */

static int number(struct byte_view text, size_t from, size_t digits)
{
    return (int)chars_number(chars_part(text, from, digits));
}

static enum status verify_day(int year, int month, int day, struct kind_reason *ret_reason)
{
    if (year < DATE_FIRST_YEAR || year > DATE_LAST_YEAR)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "the year must be between %d and %d",
                               DATE_FIRST_YEAR, DATE_LAST_YEAR);
    if (!civil_valid_ymd(year, month, day))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "that day does not exist: compare day and month with the source");
    return STATUS_OK;
}

enum status date_canonical(struct byte_view in, char ret_date[static DATE_SIZE],
                           struct kind_reason *ret_reason)
{
    char text[CIVIL_DATE_SIZE];
    int year, month, day;

    if (chars_match(in, "9999-99-99")) {
        year = number(in, 0, 4);
        month = number(in, 5, 2);
        day = number(in, 8, 2);
    } else if (chars_match(in, "99/99/9999")) {
        year = number(in, 6, 4);
        month = number(in, 3, 2);
        day = number(in, 0, 2);
    } else {
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not a date: write it as YYYY-MM-DD or DD/MM/YYYY");
    }
    enum status status = verify_day(year, month, day, ret_reason);
    if (status != STATUS_OK)
        return status;
    civil_format_date(civil_date(year, month, day), text);
    memcpy(ret_date, text, DATE_SIZE);
    return STATUS_OK;
}

static bool has_seconds(struct byte_view in)
{
    return in.size > TO_MINUTES && in.data[TO_MINUTES] == ':';
}

/* As RFC 3339 wants it: a T, and seconds. in begins like a date and time and is not longer than LONGEST. */
static void complete(struct byte_view in, char out[static LONGEST + 4])
{
    const char *seconds = has_seconds(in) ? "" : ":00";
    char *at = out;

    memcpy(at, in.data, TO_MINUTES);
    at[DATE_LENGTH] = 'T';
    at += TO_MINUTES;
    memcpy(at, seconds, strlen(seconds));
    at += strlen(seconds);
    memcpy(at, in.data + TO_MINUTES, in.size - TO_MINUTES);
    at[in.size - TO_MINUTES] = '\0';
}

static bool begins_like_date_time(struct byte_view in)
{
    if (in.size < TO_MINUTES || in.size > LONGEST || memchr(in.data, '\0', in.size) != NULL)
        return false;
    struct byte_view lead = chars_part(in, 0, TO_MINUTES);
    return chars_match(lead, "9999-99-99T99:99") || chars_match(lead, "9999-99-99 99:99");
}

static bool has_zone(struct byte_view in)
{
    uint8_t last = in.data[in.size - 1];

    return last == 'Z' || (in.size >= TO_MINUTES + 6 && chars_match(chars_part(in, in.size - 3, 3), ":99") &&
                           (in.data[in.size - 6] == '+' || in.data[in.size - 6] == '-'));
}

enum status date_time_canonical(struct byte_view in, char ret_time[static DATE_TIME_SIZE],
                                struct kind_reason *ret_reason)
{
    char text[LONGEST + 4];
    char formatted[CIVIL_TIME_SIZE];
    int64_t time = 0;

    if (!begins_like_date_time(in))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not a date and time: write it as YYYY-MM-DDTHH:MM:SSZ");
    enum status status = verify_day(number(in, 0, 4), number(in, 5, 2), number(in, 8, 2), ret_reason);
    if (status != STATUS_OK)
        return status;
    if (!has_zone(in))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "the time does not say its zone: add Z for UTC or an offset such as +01:00");
    complete(in, text);
    if (civil_parse_time(text, &time) != STATUS_OK)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "there is no such time of day: write it as YYYY-MM-DDTHH:MM:SSZ");
    civil_format_time(time, formatted);
    struct byte_view date = bytes_view(formatted, DATE_LENGTH);
    status = verify_day(number(date, 0, 4), number(date, 5, 2), number(date, 8, 2), ret_reason);
    if (status != STATUS_OK) /* an offset led out of the years allowed */
        return status;
    memcpy(ret_time, formatted, DATE_TIME_SIZE - 2);
    memcpy(ret_time + DATE_TIME_SIZE - 2, "Z", 2);
    return STATUS_OK;
}
