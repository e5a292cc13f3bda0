#include "proto/asn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/chars.h"
#include "proto/check_letter.h"

#define LONGEST         (ASN_SIZE - 1) /* only then with a top-level letter */
#define PLACE           6              /* force, unit, system */
#define SEQUENCE_DIGITS 11
#define SEQUENCE_RANGE  UINT64_C(100000000000)

/* Without slashes, upper case. Returns the length, or 0 if it is longer than any ASN. */
static size_t strip(struct byte_view in, uint8_t out[static LONGEST])
{
    size_t size = 0;

    for (size_t i = 0; i < in.size; i++) {
        if (in.data[i] == '/')
            continue;
        if (size == LONGEST)
            return 0;
        out[size++] = chars_to_upper(in.data[i]);
    }
    return size;
}

static bool is_asn(struct byte_view text, size_t head)
{
    if (text.size <= head + PLACE)
        return false;
    if (!chars_match(chars_part(text, 0, head), head == 3 ? "99A" : "99") ||
        !chars_match(chars_part(text, head, PLACE), "XXXXXX"))
        return false;
    size_t digits = chars_digits(text, head + PLACE);
    return digits >= 1 && digits <= SEQUENCE_DIGITS && text.size == head + PLACE + digits + 1 &&
           chars_is_upper(text.data[text.size - 1]);
}

/* Appends the two characters to the number if both are digits, else nothing. */
static uint64_t append_digits(uint64_t number, struct byte_view two)
{
    return chars_match(two, "99") ? number * 100 + chars_number(two) : number;
}

/* Force ‖ system ‖ year ‖ sequence, the first two only where they are digits. */
static uint64_t check_number(struct byte_view text, size_t head, uint64_t sequence)
{
    uint64_t number = append_digits(0, chars_part(text, head, 2));

    number = append_digits(number, chars_part(text, head + 4, 2));
    number = append_digits(number, chars_part(text, 0, 2));
    return number * SEQUENCE_RANGE + sequence;
}

enum status asn_canonical(struct byte_view in, char ret_asn[static ASN_SIZE], struct kind_reason *ret_reason)
{
    uint8_t stripped[LONGEST];
    struct byte_view text = bytes_view(stripped, strip(in, stripped));
    size_t head = text.size == LONGEST ? 3 : 2;

    if (!is_asn(text, head))
        return kind_reason_set(
            ret_reason, STATUS_BAD_FORMAT,
            "not an arrest/summons number: write it as YY/FFUU/SS/NNNNNNNNNNNL (year, force and "
            "unit, system, up to eleven digits, check letter)");
    uint64_t sequence = chars_number(chars_part(text, head + PLACE, text.size - head - PLACE - 1));
    uint8_t letter = text.data[text.size - 1];
    enum status status = check_letter_verify(check_number(text, head, sequence), letter, ret_reason);
    if (status != STATUS_OK)
        return status;
    memcpy(ret_asn, text.data, head + PLACE);
    snprintf(ret_asn + head + PLACE, ASN_SIZE - head - PLACE, "%011" PRIu64 "%c", sequence % SEQUENCE_RANGE,
             letter);
    return STATUS_OK;
}
