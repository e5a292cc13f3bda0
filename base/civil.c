#include "base/civil.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    YEAR_MIN = 1583,
    YEAR_MAX = 9999,
    PATTERN_MAX = 31,
    DURATION_DIGITS = 6,
};

struct ymd {
    int year;
    int month;
    int day;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

bool civil_valid_ymd(int year, int month, int day)
{
    return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in_month(year, month);
}

/* Counts in years that begin in March, so that the leap day is the last of its year. */
int32_t civil_date(int year, int month, int day)
{
    assert(civil_valid_ymd(year, month, day));
    int march_year = month > 2 ? year : year - 1;
    int march_month = month > 2 ? month - 3 : month + 9;
    int leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    int day_of_year = (153 * march_month + 2) / 5 + day - 1;

    return march_year * 365 + leap_days + day_of_year - 719468;
}

/* The inverse of civil_date within its bounds: 146097 days make a cycle of 400 years. */
static struct ymd ymd_of(int32_t date)
{
    int since = date + 719468;
    int cycle = since / 146097;
    int day_of_cycle = since % 146097;
    int year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
    int day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    int march_month = (5 * day_of_year + 2) / 153;
    int month = march_month < 10 ? march_month + 3 : march_month - 9;

    return (struct ymd){
        .year = cycle * 400 + year_of_cycle + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
    };
}

/* Takes exactly count digits; false otherwise. */
static bool take_digits(const char **at, int count, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *ret_value = value;
    return true;
}

static bool take_char(const char **at, char expected)
{
    if (**at != expected)
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, int32_t *ret_date)
{
    int year, month, day;

    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) ||
        !take_char(at, '-') || !take_digits(at, 2, &day) || !civil_valid_ymd(year, month, day))
        return false;
    *ret_date = civil_date(year, month, day);
    return true;
}

/* 1 to max digits of a fraction, as thousandths; what is finer is dropped. */
static bool take_fraction(const char **at, int max, int *ret_thousandths)
{
    int thousandths = 0;
    int digits = 0;

    for (int digit; take_digits(at, 1, &digit); digits++) {
        if (digits < 3)
            thousandths = thousandths * 10 + digit;
    }
    if (digits < 1 || digits > max)
        return false;
    for (int i = digits; i < 3; i++)
        thousandths *= 10;
    *ret_thousandths = thousandths;
    return true;
}

static bool take_clock(const char **at, int64_t *ret_ms)
{
    int hour, minute, second;
    int thousandths = 0;

    if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute) ||
        !take_char(at, ':') || !take_digits(at, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_char(at, '.') && !take_fraction(at, 9, &thousandths))
        return false;
    *ret_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + thousandths;
    return true;
}

static bool take_offset(const char **at, int64_t *ret_ms)
{
    int hour, minute;
    int sign;

    if (take_char(at, 'Z')) {
        *ret_ms = 0;
        return true;
    }
    if (take_char(at, '+'))
        sign = 1;
    else if (take_char(at, '-'))
        sign = -1;
    else
        return false;
    if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    *ret_ms = sign * (hour * 60 + minute) * INT64_C(60000);
    return true;
}

enum status civil_parse_time(const char *text, int64_t *ret_time)
{
    const char *at = text;
    int32_t date;
    int64_t clock_ms, offset_ms;

    if (!take_date(&at, &date) || !take_char(&at, 'T') || !take_clock(&at, &clock_ms) ||
        !take_offset(&at, &offset_ms) || *at != '\0')
        return STATUS_BAD_FORMAT;
    int64_t time = civil_time_of_day_start(date) + clock_ms - offset_ms;
    if (time < CIVIL_TIME_MIN || time > CIVIL_TIME_MAX)
        return STATUS_BAD_FORMAT;
    *ret_time = time;
    return STATUS_OK;
}

void civil_format_time(int64_t time, char out[static CIVIL_TIME_SIZE])
{
    if (time < CIVIL_TIME_MIN || time > CIVIL_TIME_MAX) {
        snprintf(out, CIVIL_TIME_SIZE, "@%" PRId64 "ms", time);
        return;
    }
    struct ymd date = ymd_of(civil_day_of(time));
    int ms = (int)(time - civil_time_of_day_start(civil_day_of(time)));
    int length = snprintf(out, CIVIL_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", date.year, date.month,
                          date.day, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    assert(length == CIVIL_TIME_SIZE - 1);
}

enum status civil_parse_date(const char *text, int32_t *ret_date)
{
    const char *at = text;
    int32_t date;

    if (!take_date(&at, &date) || *at != '\0')
        return STATUS_BAD_FORMAT;
    *ret_date = date;
    return STATUS_OK;
}

void civil_format_date(int32_t date, char out[static CIVIL_DATE_SIZE])
{
    if (date < CIVIL_DATE_MIN || date > CIVIL_DATE_MAX) {
        snprintf(out, CIVIL_DATE_SIZE, "@%" PRId32 "d", date);
        return;
    }
    struct ymd ymd = ymd_of(date);
    snprintf(out, CIVIL_DATE_SIZE, "%04d-%02d-%02d", ymd.year, ymd.month, ymd.day);
}

static bool is_separator(char c)
{
    return c >= ' ' && c <= '~' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
           !(c >= 'a' && c <= 'z');
}

/* What stands at the pattern's position: how many digits and of which of the three numbers (0 for a
 * separator). */
static int pattern_field(const char *at, size_t *ret_which)
{
    static const char *const fields[] = {"YYYY", "MM", "DD"};

    for (size_t i = 0; i < 3; i++) {
        if (strncmp(at, fields[i], strlen(fields[i])) == 0) {
            *ret_which = i;
            return (int)strlen(fields[i]);
        }
    }
    return 0;
}

bool civil_valid_pattern(const char *pattern)
{
    int seen[3] = {0};

    if (strlen(pattern) > PATTERN_MAX)
        return false;
    for (const char *at = pattern; *at != '\0';) {
        size_t which;
        int digits = pattern_field(at, &which);
        if (digits > 0)
            seen[which]++;
        else if (!is_separator(*at))
            return false;
        at += digits > 0 ? digits : 1;
    }
    return seen[0] == 1 && seen[1] == 1 && seen[2] == 1;
}

enum status civil_parse_pattern(const char *pattern, const char *text, int32_t *ret_date)
{
    int numbers[3] = {0};
    const char *at = text;

    if (!civil_valid_pattern(pattern))
        return STATUS_BAD_ARGUMENT;
    for (const char *in = pattern; *in != '\0';) {
        size_t which;
        int digits = pattern_field(in, &which);
        if (digits > 0 ? !take_digits(&at, digits, &numbers[which]) : !take_char(&at, *in))
            return STATUS_BAD_FORMAT;
        in += digits > 0 ? digits : 1;
    }
    if (*at != '\0' || !civil_valid_ymd(numbers[0], numbers[1], numbers[2]))
        return STATUS_BAD_FORMAT;
    *ret_date = civil_date(numbers[0], numbers[1], numbers[2]);
    return STATUS_OK;
}

int32_t civil_day_of(int64_t time)
{
    time = clamp(time, CIVIL_TIME_MIN, CIVIL_TIME_MAX);
    int64_t day = time / CIVIL_DAY_MS;

    return (int32_t)(time % CIVIL_DAY_MS < 0 ? day - 1 : day);
}

int64_t civil_time_of_day_start(int32_t date)
{
    return date * CIVIL_DAY_MS;
}

int32_t civil_add_months(int32_t date, int months)
{
    if (months == 0)
        return (int32_t)clamp(date, CIVIL_DATE_MIN, CIVIL_DATE_MAX);
    struct ymd ymd = ymd_of((int32_t)clamp(date, CIVIL_DATE_MIN, CIVIL_DATE_MAX));
    int64_t month = (int64_t)ymd.year * 12 + (ymd.month - 1) + months;

    if (month < YEAR_MIN * 12)
        return CIVIL_DATE_MIN;
    if (month >= (YEAR_MAX + 1) * 12)
        return CIVIL_DATE_MAX;
    ymd.year = (int)(month / 12);
    ymd.month = (int)(month % 12) + 1;
    if (ymd.day > days_in_month(ymd.year, ymd.month))
        ymd.day = days_in_month(ymd.year, ymd.month);
    return civil_date(ymd.year, ymd.month, ymd.day);
}

/* A number and its unit's letter, e.g. "12M". Without digits nothing is taken and *ret_letter is 0. */
static bool take_component(const char **at, int64_t *ret_number, int *ret_thousandths, char *ret_letter)
{
    int64_t number = 0;
    int digits = 0;

    *ret_letter = 0;
    *ret_thousandths = 0;
    for (int digit; take_digits(at, 1, &digit); digits++) {
        if (digits == DURATION_DIGITS)
            return false;
        number = number * 10 + digit;
    }
    if (digits == 0)
        return true;
    if (take_char(at, '.') && (!take_fraction(at, 3, ret_thousandths) || **at != 'S'))
        return false;
    if (**at == '\0')
        return false;
    *ret_number = number;
    *ret_letter = **at;
    (*at)++;
    return true;
}

struct duration_unit {
    char letter;
    int32_t months;
    int64_t ms;
};

/* Components whose letters follow one another as in units; *ret_count says how many there were. */
static bool take_components(const char **at, const struct duration_unit *units, size_t unit_count,
                            struct duration *total, int *ret_count)
{
    size_t next = 0;

    *ret_count = 0;
    for (;;) {
        int64_t number = 0;
        int thousandths;
        char letter;
        if (!take_component(at, &number, &thousandths, &letter))
            return false;
        if (letter == 0)
            return true;
        while (next < unit_count && units[next].letter != letter)
            next++;
        if (next == unit_count)
            return false;
        total->months += (int32_t)number * units[next].months;
        total->ms += number * units[next].ms + thousandths;
        next++;
        (*ret_count)++;
    }
}

enum status civil_parse_duration(const char *text, struct duration *ret_duration)
{
    static const struct duration_unit weeks[] = {{'W', 0, 7 * CIVIL_DAY_MS}};
    static const struct duration_unit days[] = {{'Y', 12, 0}, {'M', 1, 0}, {'D', 0, CIVIL_DAY_MS}};
    static const struct duration_unit clock[] = {{'H', 0, 3600000}, {'M', 0, 60000}, {'S', 0, 1000}};
    struct duration total = {0};
    const char *at = text;
    int day_count = 0;
    int clock_count = 0;

    if (!take_char(&at, 'P'))
        return STATUS_BAD_FORMAT;
    if (strchr(at, 'W') != NULL) {
        if (!take_components(&at, weeks, 1, &total, &day_count))
            return STATUS_BAD_FORMAT;
    } else {
        if (!take_components(&at, days, 3, &total, &day_count))
            return STATUS_BAD_FORMAT;
        if (take_char(&at, 'T') &&
            (!take_components(&at, clock, 3, &total, &clock_count) || clock_count == 0))
            return STATUS_BAD_FORMAT;
    }
    if (*at != '\0' || day_count + clock_count == 0 || total.months > CIVIL_DURATION_MONTHS_MAX ||
        total.ms > CIVIL_DURATION_MS_MAX)
        return STATUS_BAD_FORMAT;
    *ret_duration = total;
    return STATUS_OK;
}

void civil_format_duration(struct duration duration, char out[static CIVIL_DURATION_SIZE])
{
    int64_t days = duration.ms / CIVIL_DAY_MS;
    int64_t rest = duration.ms % CIVIL_DAY_MS;
    const struct {
        const char *before;
        int64_t number;
        char letter;
    } parts[] = {
        {"", duration.months, 'M'},
        {"", days, 'D'},
        {"T", rest / 3600000, 'H'},
        {"T", rest / 60000 % 60, 'M'},
    };
    bool clock = false;
    size_t size = 0;

    assert(duration.months >= 0 && duration.ms >= 0);
    out[size++] = 'P';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].number == 0)
            continue;
        size += (size_t)snprintf(out + size, CIVIL_DURATION_SIZE - size, "%s%" PRId64 "%c",
                                 clock ? "" : parts[i].before, parts[i].number, parts[i].letter);
        clock = clock || parts[i].before[0] == 'T';
    }
    if (rest % 60000 != 0 || size == 1) {
        const char *before = clock ? "" : "T";
        int seconds = (int)(rest % 60000 / 1000);
        int ms = (int)(rest % 1000);
        if (ms == 0)
            size += (size_t)snprintf(out + size, CIVIL_DURATION_SIZE - size, "%s%dS", before, seconds);
        else
            size +=
                (size_t)snprintf(out + size, CIVIL_DURATION_SIZE - size, "%s%d.%03dS", before, seconds, ms);
    }
    assert(size < CIVIL_DURATION_SIZE);
    out[size] = '\0';
}

int64_t civil_add_duration(int64_t time, struct duration duration, int sign)
{
    assert(sign == 1 || sign == -1);
    assert(duration.months >= 0 && duration.ms >= 0);
    int64_t start = clamp(time, CIVIL_TIME_MIN, CIVIL_TIME_MAX);
    int64_t span = clamp(duration.ms, 0, CIVIL_TIME_MAX - CIVIL_TIME_MIN);
    int32_t date = civil_day_of(start);
    int64_t moved = start + civil_time_of_day_start(civil_add_months(date, sign * duration.months)) -
                    civil_time_of_day_start(date);

    return clamp(moved + sign * span, CIVIL_TIME_MIN, CIVIL_TIME_MAX);
}
