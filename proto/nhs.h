#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

#define NHS_SIZE 11 /* ten digits and a zero */

/*
 * nhs_check - is this an NHS number: ten digits, not all equal, the last one the check digit (modulo 11 with
 * weights 10 to 2)? There is one form only. Returns STATUS_BAD_FORMAT with a reason (which may be NULL).
 */
enum status nhs_check(struct byte_view text, struct kind_reason *ret_reason);
