#include "proto/cro.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/chars.h"
#include "proto/check_letter.h"

#define SERIAL_DIGITS 6
#define SERIAL_RANGE  1000000u
#define SF_LEAD       5 /* SFYY/ */
#define YEAR_AND_TAIL 4 /* /YYL */

static bool is_serial(size_t digits)
{
    return digits >= 1 && digits <= SERIAL_DIGITS;
}

static bool is_standard(struct byte_view in)
{
    size_t digits = chars_digits(in, 0);

    return is_serial(digits) && in.size == digits + YEAR_AND_TAIL &&
           chars_match(chars_part(in, digits, YEAR_AND_TAIL), "/99A");
}

static bool is_sf(struct byte_view in)
{
    if (in.size <= SF_LEAD || !chars_match(chars_part(in, 0, SF_LEAD), "SF99/"))
        return false;
    size_t digits = chars_digits(in, SF_LEAD);
    return is_serial(digits) && in.size == SF_LEAD + digits + 1 && chars_is_upper(in.data[in.size - 1]);
}

static enum status standard(struct byte_view in, char *ret_cro, struct kind_reason *ret_reason)
{
    size_t digits = in.size - YEAR_AND_TAIL;
    uint64_t serial = chars_number(chars_part(in, 0, digits)) % SERIAL_RANGE;
    uint64_t year = chars_number(chars_part(in, digits + 1, 2)) % 100;
    uint8_t letter = in.data[in.size - 1];
    enum status status = check_letter_verify(year * SERIAL_RANGE + serial, letter, ret_reason);

    if (status == STATUS_OK)
        snprintf(ret_cro, CRO_SIZE, "%06" PRIu64 "/%02" PRIu64 "%c", serial, year, letter);
    return status;
}

static enum status sf(struct byte_view in, char *ret_cro, struct kind_reason *ret_reason)
{
    uint64_t number = chars_number(chars_part(in, 2, 2));

    for (size_t i = SF_LEAD; i < in.size - 1; i++) /* the serial as written, with its leading zeros */
        number = number * 10 + (uint64_t)(in.data[i] - '0');
    enum status status = check_letter_verify(number, in.data[in.size - 1], ret_reason);
    if (status == STATUS_OK) {
        memcpy(ret_cro, in.data, in.size);
        ret_cro[in.size] = '\0';
    }
    return status;
}

enum status cro_canonical(struct byte_view in, char ret_cro[static CRO_SIZE], struct kind_reason *ret_reason)
{
    if (is_standard(in))
        return standard(in, ret_cro, ret_reason);
    if (is_sf(in))
        return sf(in, ret_cro, ret_reason);
    return kind_reason_set(
        ret_reason, STATUS_BAD_FORMAT,
        "not a CRO number: write it as NNNNNN/YYL or SFYY/NNNNNNL (up to six digits, two of the "
        "year, check letter)");
}
