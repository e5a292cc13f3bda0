#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

#define PNC_SIZE 14 /* YYYY/NNNNNNNL and a zero */

/*
 * pnc_canonical - a Police National Computer id in its canonical form.
 *
 * in        two or four digits of the year, perhaps a slash, up to seven digits, the check letter in either
 *           case. Without a slash twelve characters are the long form and anything shorter has a short year.
 * year_now  the current year: a short year up to it is of this century (20YY), any other of the last (19YY)
 * ret_pnc   YYYY/NNNNNNNL
 *
 * Returns STATUS_BAD_FORMAT with a reason (which may be NULL).
 */
enum status pnc_canonical(struct byte_view in, unsigned year_now, char ret_pnc[static PNC_SIZE],
                          struct kind_reason *ret_reason);
