#pragma once

#include "base/bytes.h"
#include "proto/pseudonym.h"

/*
 * A draft: an event as a person, a script or a feed wants it said, before the outbox has checked it. Borrowed
 * throughout.
 */

#define DRAFT_VALUES_MAX 96

/* Where the caller believes a label to stand; wrong beliefs are told. */
enum draft_place { DRAFT_ANYWHERE, DRAFT_ATTRIBUTE, DRAFT_ITEM };

/* Where a value comes from, as whoever gives it says. */
enum draft_source {
    DRAFT_UNSAID,
    DRAFT_OWN,   /* from our own records, whatever others told us */
    DRAFT_LEAVE, /* from another member, with its leave to pass it on */
};

struct draft_value {
    struct byte_view label;
    struct byte_view value; /* as written; brought into canonical form by its kind */
    enum draft_place place;
    enum draft_source source;
};

enum draft_subject {
    DRAFT_PNC,       /* id: a PNC id as written */
    DRAFT_LOCAL,     /* id: our own reference for a person without one */
    DRAFT_PSEUDONYM, /* pseudonym: of a person known from the list or from another event */
};

struct draft {
    const char *type;
    const char *protocol; /* its id, or NULL: the one protocol that lets us send this type */
    enum draft_subject subject;
    struct byte_view id;
    struct pseudonym pseudonym;
    int64_t occurred;           /* 0: now */
    const char *effective;      /* YYYY-MM-DD, or NULL */
    const uint8_t *correlation; /* 16 bytes of an event id, or NULL */
    const uint8_t *supersedes;
    const char *duty_role; /* in which the officer may override rules, or NULL: in none */
    const char *corrects;  /* of a correction: the type of the event that it names; otherwise NULL */
    const char *officer;   /* acting officer: "officer:ID" or "automatic:FEED" */
    const struct draft_value *values;
    size_t value_count;
    bool lenient; /* keep items that no rule grants today (feeds); otherwise they are refused at once */
};

/* Why a draft is refused: one sentence for people, without a full stop, that names labels but no values. */
struct draft_reason {
    char text[512];
};
