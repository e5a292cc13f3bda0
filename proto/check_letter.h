#pragma once

#include <stdint.h>

#include "proto/kind_reason.h"

/*
 * The check letter of PNC ids, CRO numbers and arrest/summons numbers: the number that the identifier's
 * digits make, modulo 23, picks a letter of Z A B C D E F G H J K L M N P Q R T U V W X Y (no I, O or S).
 */
char check_letter_of(uint64_t number);

/* check_letter_verify - is `given` the letter of number? Otherwise STATUS_BAD_FORMAT, and the reason names
 * both letters. */
enum status check_letter_verify(uint64_t number, uint8_t given, struct kind_reason *ret_reason);
