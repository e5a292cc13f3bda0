#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

#define CRO_SIZE 13 /* SFYY/NNNNNNL and a zero */

/*
 * cro_canonical - a Criminal Records Office number in its canonical form.
 *
 * in       NNNNNN/YYL with one to six digits before the slash, or SFYY/NNNNNNL with one to six after it (a
 *          small file); upper case. Neither form is ever turned into the other.
 * ret_cro  the standard form padded to six digits; the SF form unchanged, for there its leading zeros count
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL).
 */
enum status cro_canonical(struct byte_view in, char ret_cro[static CRO_SIZE], struct kind_reason *ret_reason);
