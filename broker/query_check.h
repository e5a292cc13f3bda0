#pragma once

#include <jansson.h>

#include "broker/index_search.h"
#include "certs/officer.h"
#include "proto/query.h"
#include "proto/wire_codec.h"

/*
 * May this officer ask this, now, through this member's agent? Everything that can be said about a Query
 * without the log. Pure: no clock, no sockets, nothing is remembered.
 */

#define QUERY_CHECK_AGE_MS INT64_C(300000) /* how far the officer's clock may be off */

struct query_check_place {
    const struct bundle *bundle; /* in force */
    const char *member;          /* whose connection it came on */
    int64_t now;
    int64_t started; /* of this process: what was signed before may have been answered already */
};

/* What was found. Cleared with query_check_clear. */
struct query_checked {
    bool proven; /* the chain stands and the signature is the officer's */
    struct officer officer;
    char
        named[OFFICER_NAME_SIZE + 16]; /* for the log: the officer's name, or "unproven:" and what was said */
    uint8_t digest[DIGEST_SIZE];       /* of the signed message; when proven */
    uint8_t nonce[QUERY_NONCE_SIZE];
    uint8_t answer_key[X25519_KEY_SIZE];
    json_t *question;         /* NULL: none that can be read */
    struct index_scope scope; /* view into officer */
    char refusal[256];        /* one sentence; empty: it may be asked */
};

/* query_check - STATUS_OK also when it is refused; otherwise STATUS_NO_MEMORY or STATUS_CRYPTO. */
enum status query_check(const Wire__Query *query, const struct query_check_place *place,
                        struct query_checked *ret);
void query_check_clear(struct query_checked *checked);
