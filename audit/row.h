#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The rows that a broker answers with (broker/search.h), which are believed to be JSON objects and nothing
 * more: what is missing or of another type counts as absent. */

/* row_text - a text, or NULL. */
const char *row_text(const json_t *row, const char *key);

/* row_or - a text, or this one. */
const char *row_or(const json_t *row, const char *key, const char *otherwise);

/* row_number - a number, or 0. */
uint64_t row_number(const json_t *row, const char *key);

/* row_flag - is that flag among "flags"? */
bool row_flag(const json_t *row, const char *flag);

/* row_is - is the text under the key this one? */
bool row_is(const json_t *row, const char *key, const char *text);

/* row_time - a time, or INT64_MIN. */
int64_t row_time(const json_t *row, const char *key);

/* row_list - the texts or numbers of a list, with ", " between them; cut short where out ends. */
void row_list(const json_t *row, const char *key, char *out, size_t size);

/* row_when - "2026-12-01 09:14:46Z" for a time as the broker writes it, anything else as it is. */
#define ROW_WHEN_SIZE 32
void row_when(const char *time, char out[static ROW_WHEN_SIZE]);

/* row_person - a pseudonym short enough for people to compare, "1-0d41e9a2c7f3", or "-". */
#define ROW_PERSON_SIZE 24
void row_person(const json_t *row, char out[static ROW_PERSON_SIZE]);

/* row_print - one entry as a readable line. row_print_json - as one line of JSON. row_print_csv - as a record
 * of CSV; row_print_csv_head - the names of its columns. */
void row_print(FILE *out, const json_t *row);
void row_print_json(FILE *out, const json_t *row);
void row_print_csv_head(FILE *out);
void row_print_csv(FILE *out, const json_t *row);
