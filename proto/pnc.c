#include "proto/pnc.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/chars.h"
#include "proto/check_letter.h"

#define LONG_YEAR      4
#define SHORT_YEAR     2
#define SERIAL_DIGITS  7
#define LONG_UNSLASHED (LONG_YEAR + SERIAL_DIGITS + 1)
#define SERIAL_RANGE   10000000u

struct parts {
    struct byte_view year;
    struct byte_view serial;
    uint8_t letter;
};

/* Cuts the text; false if it has another shape. */
static bool split(struct byte_view in, struct parts *ret_parts)
{
    size_t lead = chars_digits(in, 0);
    bool slash = lead < in.size && in.data[lead] == '/';
    size_t year = slash ? lead : in.size == LONG_UNSLASHED ? LONG_YEAR : SHORT_YEAR;
    size_t from = year + (slash ? 1 : 0);

    if ((year != LONG_YEAR && year != SHORT_YEAR) || lead < year)
        return false;
    size_t digits = chars_digits(in, from);
    if (digits < 1 || digits > SERIAL_DIGITS || in.size != from + digits + 1)
        return false;
    *ret_parts = (struct parts){chars_part(in, 0, year), chars_part(in, from, digits),
                                chars_to_upper(in.data[in.size - 1])};
    return chars_is_upper(ret_parts->letter);
}

static uint64_t full_year(uint64_t year, size_t digits, unsigned year_now)
{
    if (digits == LONG_YEAR)
        return year;
    return year + (year <= year_now % 100 ? 2000 : 1900);
}

enum status pnc_canonical(struct byte_view in, unsigned year_now, char ret_pnc[static PNC_SIZE],
                          struct kind_reason *ret_reason)
{
    struct parts parts;

    if (!split(in, &parts))
        return kind_reason_set(
            ret_reason, STATUS_BAD_FORMAT,
            "not a PNC id: write it as YYYY/NNNNNNNL or YY/NNNNNNNL (year, up to seven digits, "
            "check letter)");
    uint64_t year = full_year(chars_number(parts.year), parts.year.size, year_now);
    uint64_t serial = chars_number(parts.serial);
    enum status status = check_letter_verify(year % 100 * SERIAL_RANGE + serial, parts.letter, ret_reason);
    if (status != STATUS_OK)
        return status;
    snprintf(ret_pnc, PNC_SIZE, "%04" PRIu64 "/%07" PRIu64 "%c", year % 10000, serial % SERIAL_RANGE,
             parts.letter);
    return STATUS_OK;
}
