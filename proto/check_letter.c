#include "proto/check_letter.h"

static const char letters[] = "ZABCDEFGHJKLMNPQRTUVWXY";

char check_letter_of(uint64_t number)
{
    return letters[number % (sizeof letters - 1)];
}

enum status check_letter_verify(uint64_t number, uint8_t given, struct kind_reason *ret_reason)
{
    char right = check_letter_of(number);

    if (given == (uint8_t)right)
        return STATUS_OK;
    return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                           "check letter is %c, should be %c: compare every digit with the source", given,
                           right);
}
