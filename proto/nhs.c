#include "proto/nhs.h"

#include <string.h>

#include "proto/chars.h"

#define DIGITS 10

/* The check digit that the first nine call for; 10 means that no number begins like this. */
static unsigned check_digit(struct byte_view text)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < DIGITS - 1; i++)
        sum += (DIGITS - i) * (unsigned)(text.data[i] - '0');
    return (11 - sum % 11) % 11;
}

enum status nhs_check(struct byte_view text, struct kind_reason *ret_reason)
{
    if (text.size != DIGITS || chars_digits(text, 0) != DIGITS)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not an NHS number: write its ten digits without spaces");
    if (memcmp(text.data, text.data + 1, DIGITS - 1) == 0)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "ten equal digits are no NHS number: leave the item out if it is not known");
    unsigned given = (unsigned)(text.data[DIGITS - 1] - '0');
    unsigned right = check_digit(text);
    if (right == 10)
        return kind_reason_set(
            ret_reason, STATUS_BAD_FORMAT,
            "no NHS number begins with these nine digits: compare every digit with the source");
    if (given != right)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "check digit is %u, should be %u: compare every digit with the source", given,
                               right);
    return STATUS_OK;
}
