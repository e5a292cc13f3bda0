#pragma once

#include "base/status.h"

#define KIND_REASON_SIZE 240

/*
 * What is wrong with a value and what to do about it: one short English clause, without a full stop. It never
 * repeats the value, which may be personal data and may end in a log; of an identifier it names at most the
 * check letter.
 */
struct kind_reason {
    char text[KIND_REASON_SIZE];
};

/* kind_reason_set - write the reason, unless ret_reason is NULL, and give back status, so that a refusal is
 * one statement. Too long a text is cut. */
enum status kind_reason_set(struct kind_reason *ret_reason, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
