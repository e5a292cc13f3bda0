#pragma once

#include "base/bytes.h"
#include "proto/digest.h"

/*
 * Records of the disclosure log and the entries that commit to them.
 *
 * Entry, 66 bytes: version 1 ‖ kind ‖ C_account ‖ C_personal, each C = HMAC-SHA-256(salt, part) under a fresh
 * random salt of 32 bytes. The entry is what the log's tree hashes and holds no personal data.
 *
 * Account part = canonical(time, from, to, type, purpose, gateway, rule) ‖ list(labels) ‖ canonical(outcome,
 * reason, deadline, flags, sealing-key id, protocol digest, from counter, to counter) ‖ list(details)
 * Personal part = canonical(subject, officer, event id, header digest) ‖ list(grounds)
 *
 * canonical(x…) is for each x its uint32 length, then its bytes; a list is its uint32 count, then each
 * element likewise. Times, counters and log indexes are 8 bytes, flags 1 byte; what does not apply is an
 * empty string, and 0 for deadline and counters. Format: docs/log-format.md, "Record".
 */

#define RECORD_VERSION     1
#define RECORD_ENTRY_SIZE  66
#define RECORD_SALT_SIZE   32
#define RECORD_LABELS_MAX  64
#define RECORD_DETAILS_MAX 300
#define RECORD_DETAIL_SIZE 256 /* bytes of one detail */
#define RECORD_GROUNDS_MAX 64
#define RECORD_PART_MAX    65535 /* bytes of a part */

/* Kinds and their numbers, for ever. Symbol, number, word, what it says. */
#define RECORD_KINDS(X)                                                                                      \
    X(ACCEPTED, 1, "accepted", "an event was accepted")                                                      \
    X(DISCLOSED, 2, "disclosed", "items were passed on for a recipient")                                     \
    X(REFUSED, 3, "refused", "something was refused")                                                        \
    X(DELIVERED, 4, "delivered", "a recipient's signed receipts came in")                                    \
    X(RECALLED, 5, "recalled", "a section was called back")                                                  \
    X(RETRACTED, 6, "retracted", "a sender took an event back")                                              \
    X(OPENED, 7, "opened", "a person looked")                                                                \
    X(EXPIRED, 8, "expired", "a period ran out")                                                             \
    X(WITHDRAWN, 9, "withdrawn", "a consent was withdrawn")                                                  \
    X(CORRECTED, 10, "corrected", "an event was corrected")                                                  \
    X(ERASED, 11, "erased", "a record was erased")                                                           \
    X(OVERRIDE, 12, "override", "a rule was overridden")                                                     \
    X(MEMBER_ADDED, 13, "member-added", "a member joined")                                                   \
    X(MEMBER_REVOKED, 14, "member-revoked", "a member's certificate was revoked")                            \
    X(BUNDLE_LOADED, 15, "bundle-loaded", "a bundle came into force")                                        \
    X(CONSENT, 16, "consent", "a consent was given")                                                         \
    X(REGISTER, 17, "register", "the register changed")                                                      \
    X(AUDIT_QUERY, 18, "audit-query", "the log was searched")                                                \
    X(CONSULTED, 19, "consulted", "a plan was asked for and not followed by a publish")                      \
    X(QUARANTINED, 20, "quarantined", "a recipient put a section aside")                                     \
    X(MERGED, 21, "merged", "two subjects became one")                                                       \
    X(ESCALATED, 22, "escalated", "a deadline passed and somebody was told")                                 \
    X(COUNT, 23, "count", "a member's count, or repeats of one refusal")                                     \
    X(INCIDENT, 24, "incident", "something happened that must not happen")

enum record_kind {
#define RECORD_ENUM(symbol, number, word, text) RECORD_##symbol = number,
    RECORD_KINDS(RECORD_ENUM)
#undef RECORD_ENUM
};

enum record_flag {
    RECORD_LATE = 1,
    RECORD_JUVENILE = 2,
    RECORD_BREAK_GLASS = 4,
};

/* Views and lists are borrowed: from the caller, or from the bytes and a record_storage. */
struct record_account {
    int64_t time;
    struct byte_view from;
    struct byte_view to;
    struct byte_view type;
    struct byte_view purpose;
    struct byte_view gateway;
    struct byte_view rule;
    const struct byte_view *labels;
    size_t label_count;
    struct byte_view outcome;
    struct byte_view reason;
    int64_t deadline;          /* 0: none */
    uint8_t flags;             /* of enum record_flag */
    struct byte_view key;      /* sealing-key id, 16 bytes, or empty */
    struct byte_view protocol; /* digest of the protocol file, 32 bytes, or empty */
    uint64_t from_counter;     /* 0: this record does not count */
    uint64_t to_counter;
    const struct byte_view
        *details; /* by kind, e.g. delivered: digest of the signed batch, then log indexes */
    size_t detail_count;
};

struct record_personal {
    struct byte_view subject; /* 36 bytes, or empty */
    struct byte_view officer;
    struct byte_view event;  /* 16 bytes, or empty */
    struct byte_view header; /* digest, 32 bytes, or empty */
    const uint64_t *grounds; /* log indexes, ascending */
    size_t ground_count;
};

/* Where decoded lists stand. */
struct record_storage {
    struct byte_view labels[RECORD_LABELS_MAX];
    struct byte_view details[RECORD_DETAILS_MAX];
    uint64_t grounds[RECORD_GROUNDS_MAX];
};

/* record_kind_text - the word of a kind, or NULL for a number that is none; static storage. */
const char *record_kind_text(uint8_t kind);

/* record_kind_parse - STATUS_NOT_FOUND for a word that is no kind. */
enum status record_kind_parse(struct byte_view word, enum record_kind *ret_kind);

/* record_encode_account, record_encode_personal - append a part. STATUS_BAD_ARGUMENT for what the decoders
 * would not accept, or what appending returned; ret is then as before. */
enum status record_encode_account(const struct record_account *account, struct byte_buffer *ret);
enum status record_encode_personal(const struct record_personal *personal, struct byte_buffer *ret);

/* record_decode_account, record_decode_personal - from exactly these bytes. STATUS_BAD_FORMAT or
 * STATUS_TOO_LARGE. */
enum status record_decode_account(struct byte_view part, struct record_storage *storage,
                                  struct record_account *ret_account);
enum status record_decode_personal(struct byte_view part, struct record_storage *storage,
                                   struct record_personal *ret_personal);

/* What an index wants to know of an account part. */
struct record_outline {
    int64_t time;
    struct byte_view from;
    struct byte_view to;
    struct byte_view type;
    struct byte_view outcome;
};

/* record_outline - only these, judging nothing else: for parts that were encoded here. STATUS_BAD_FORMAT. */
enum status record_outline(struct byte_view account, struct record_outline *ret_outline);

/* record_subject - only the subject of a personal part, likewise. */
enum status record_subject(struct byte_view personal, struct byte_view *ret_subject);

/* record_commitment - HMAC-SHA-256(salt, part). */
void record_commitment(const uint8_t salt[static RECORD_SALT_SIZE], struct byte_view part,
                       uint8_t out[static DIGEST_SIZE]);

/* record_entry_of - the entry with these two commitments. */
void record_entry_of(enum record_kind kind, const uint8_t account[static DIGEST_SIZE],
                     const uint8_t personal[static DIGEST_SIZE], uint8_t out[static RECORD_ENTRY_SIZE]);

/*
 * record_entry - the entry that commits to both parts. A kind without a personal part commits to an empty
 * one, under a salt of its own all the same.
 */
void record_entry(enum record_kind kind, const uint8_t account_salt[static RECORD_SALT_SIZE],
                  struct byte_view account, const uint8_t personal_salt[static RECORD_SALT_SIZE],
                  struct byte_view personal, uint8_t out[static RECORD_ENTRY_SIZE]);

/*
 * record_verify - does the entry commit to what is left of its record? A salt of NULL says that this part and
 * its salt were erased, and nothing is checked about it.
 * Returns STATUS_BAD_FORMAT (no entry of version 1 and a known kind) or STATUS_BAD_COMMITMENT.
 */
enum status record_verify(const uint8_t entry[static RECORD_ENTRY_SIZE], const uint8_t *account_salt,
                          struct byte_view account, const uint8_t *personal_salt, struct byte_view personal);
