#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

#define ASN_SIZE 22 /* YYTFFUUSSNNNNNNNNNNNL and a zero */

/*
 * asn_canonical - an arrest/summons number in its canonical form.
 *
 * in       year (2 digits), a top-level letter (only when there are 21 characters), force, unit and system (2
 *          letters or digits each), sequence (1 to 11 digits), check letter; slashes anywhere, either case
 * ret_asn  without slashes, upper case, the sequence padded to 11 digits: 20 or 21 characters
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL).
 */
enum status asn_canonical(struct byte_view in, char ret_asn[static ASN_SIZE], struct kind_reason *ret_reason);
