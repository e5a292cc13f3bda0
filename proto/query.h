#pragma once

#include "base/bytes.h"
#include "proto/digest.h"
#include "proto/x25519.h"

/*
 * What an officer signs to ask the log, and how the answers come back (docs/wire-format.md, "Query"). The
 * agent in between carries both and can neither ask by itself nor read what is answered.
 */

#define QUERY_NONCE_SIZE  16
#define QUERY_ANSWER_INFO "concordat/answer/v1" /* HPKE's info */
#define QUERY_MESSAGE_MAX ((size_t)32 << 10)

/* Everything that the signature covers. Views are borrowed. */
struct query_terms {
    const uint8_t *root;     /* digest of the partnership's root certificate */
    struct byte_view member; /* through whose agent it is asked */
    struct byte_view officer;
    const uint8_t *certificate; /* digest of the officer's */
    uint64_t time;
    const uint8_t *nonce;
    const uint8_t *answer_key;
    struct byte_view question;
};

/*
 * query_message - appends "concordat/query/v1" 0x00 root canonical(member, officer, certificate, time, nonce,
 * answer key, question): what is signed. SHA-256 of it binds the answers to the question. Fails as appends
 * do.
 */
void query_message(const struct query_terms *terms, struct byte_buffer *ret);
