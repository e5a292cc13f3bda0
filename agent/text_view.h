#pragma once

#include <jansson.h>
#include <stdio.h>

/* What `concordat` prints for people, from the JSON that scripts get. Control characters in values appear as
 * question marks. */
void text_view_inbox(const json_t *events, FILE *out);
void text_view_event(const json_t *event, FILE *out);
void text_view_status(const json_t *status, FILE *out);
void text_view_findings(const json_t *findings, FILE *out);
