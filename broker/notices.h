#pragma once

#include "broker/engine.h"

/*
 * What members are told about single events, besides receipts: durable, in one row with the forwarded
 * receipts (docs/wire-format.md, "Notice"), and told again until the member has confirmed that it stored
 * them.
 */
struct notice {
    Wire__NoticeKind kind;
    struct byte_view from; /* the event's sender */
    struct byte_view to;   /* the recipient that it is about */
    const uint8_t *event;
    const char *text;        /* NULL: none */
    struct byte_view report; /* an encoded SignedReport, or empty */
};

/* notices_put - for this member, within the open transaction. Returns what the store returns. */
enum status notices_put(struct engine *engine, struct peer *member, const struct notice *notice);

/* notices_are - whether a forwarded body holds notices, and then its frame's body; otherwise it holds
 * receipts. */
bool notices_are(struct byte_view stored, struct byte_view *ret_body);

/* notices_report - one report of a batch as an encoded SignedReport. */
void notices_report(const struct job *job, size_t index, struct byte_buffer *ret);
