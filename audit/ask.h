#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Asking the running broker, which logs the look before it answers.
 */

/* ask_print_row - one found entry as a readable line. */
void ask_print_row(FILE *out, const json_t *row);

/* What became of a search. */
enum ask_result {
    ASK_DONE,
    ASK_REFUSED,     /* the broker would not; *reason says why */
    ASK_NOT_RUNNING, /* nobody serves the socket */
    ASK_BROKEN,      /* the socket or the answer failed */
};

#define ASK_REASON_SIZE 512

/*
 * ask_search - send the request to the broker of this folder and print each row as it comes, as a line of
 * JSON or of text. reason is filled in unless ASK_DONE.
 */
enum ask_result ask_search(const char *folder, const json_t *request, bool as_json, FILE *out,
                           char reason[static ASK_REASON_SIZE]);
