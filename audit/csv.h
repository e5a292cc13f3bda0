#pragma once

#include <stdio.h>

/* csv_cell - one cell as RFC 4180 writes it, in quotes where it must be. What a spreadsheet would take for a
 * formula (it begins with = + - @, a tabulator or a carriage return) gets an apostrophe in front. NULL is an
 * empty cell. */
void csv_cell(FILE *out, const char *text);

/* csv_end - the end of a record. */
void csv_end(FILE *out);
