#pragma once

#include "certs/certificate.h"
#include "certs/officer_book.h"
#include "proto/pseudonym.h"

/*
 * What an authority remembers: one JSON file, state.json, replaced as a whole, and the pseudonym keys in a
 * file of their own, pseudonym.key (mode 0600). Certificates are never dropped, so that no key is ever
 * certified twice and old signatures can be judged.
 */

#define AUTHORITY_STATE_TEXT 512 /* bytes of a reason or a contact */

struct authority_certificate {
    struct certificate *certificate;
    int64_t enrolled;
    bool revoked;
    int64_t revoked_at;
    char why[AUTHORITY_STATE_TEXT + 1];
};

/* A member and a text: a duty contact, or a witness's verifier key. */
struct authority_note {
    char member[MEMBER_ID_LENGTH + 1];
    char text[AUTHORITY_STATE_TEXT + 1];
};

struct authority_notes {
    struct authority_note *items;
    size_t n;
};

struct authority_epoch {
    uint32_t epoch;
    uint8_t key[PSEUDONYM_KEY_SIZE];
};

struct authority_state {
    char *name;
    bool demo;
    uint32_t member_days;      /* validity of certificates */
    uint32_t quorum;           /* authorities that must sign a bundle */
    uint64_t serial;           /* of the last bundle; 0 before the first */
    uint8_t head[DIGEST_SIZE]; /* digest of its head; zeros before the first */
    bool epoch_due;            /* somebody was revoked: the next bundle begins a new epoch */
    uint32_t witness_quorum;
    uint32_t witness_dishonest;                 /* so many of them may be */
    struct authority_certificate *certificates; /* in the order of enrolment */
    size_t n_certificates;
    struct authority_notes contacts;  /* in ascending order of member */
    struct authority_notes witnesses; /* in ascending order of member */
    struct authority_epoch *epochs;   /* in ascending order; not in state.json */
    size_t n_epochs;
    struct officer_book officers; /* data protection officers and intermediates */
};

/*
 * authority_state_read - state.json and pseudonym.key of a folder; certificates are checked against root.
 * ret must be empty; cleared with authority_state_clear. Returns STATUS_NOT_FOUND, STATUS_PERMISSION,
 * STATUS_CORRUPT, STATUS_NO_MEMORY or as base/safefile.h.
 */
enum status authority_state_read(const char *folder, const struct certificate_root *root,
                                 struct authority_state *ret);

/* authority_state_write - the pseudonym keys first, then state.json; each atomically. */
enum status authority_state_write(const char *folder, const struct authority_state *state);

void authority_state_clear(struct authority_state *state); /* frees, wipes, leaves it empty */

/* authority_state_add - takes the certificate over when it returns STATUS_OK, else STATUS_NO_MEMORY. */
enum status authority_state_add(struct authority_state *state, struct certificate **certificate, int64_t now);

/* authority_state_add_epoch - a new pseudonym key under the next epoch. STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status authority_state_add_epoch(struct authority_state *state);

/* authority_state_note - set a member's text; an empty one removes it. STATUS_NO_MEMORY. */
enum status authority_state_note(struct authority_notes *notes, const char *member, const char *text);

/* authority_state_usable - whether the certificate is neither revoked nor out of its validity. */
bool authority_state_usable(const struct authority_certificate *entry, int64_t now);
