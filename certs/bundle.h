#pragma once

#include "certs/directory.h"
#include "certs/keystore.h"
#include "certs/reason.h"

/*
 * The partnership bundle: what all members agree on, signed by the authority (docs/certificates.md; messages
 * BundleHead, BundleBody, Bundle in proto/wire.proto). A struct bundle has been verified, is never changed
 * and may be shared between threads.
 */

#define BUNDLE_LARGEST       ((size_t)16 << 20) /* of the file */
#define BUNDLE_HEAD_LARGEST  ((size_t)64 << 10) /* of an encoded SignedHead */
#define BUNDLE_LONGEST_DAYS  90
#define BUNDLE_PROTOCOLS_MAX 32

struct bundle;
struct Wire__SignedHead;

/*
 * bundle_verify - check everything that can be checked of a new bundle, and take it.
 *
 * file         an encoded Bundle; borrowed
 * held         the bundle that it is to follow, or NULL for the first
 * fingerprint  digest of the root's DER (DIGEST_SIZE bytes), confirmed by other means; NULL allowed when held
 *              is not
 * ret          freed with bundle_free
 * ret_reason   filled in when the status is not STATUS_OK; may be NULL
 *
 * Returns STATUS_OK also for the very bundle that is held. STATUS_TOO_LARGE, STATUS_BAD_FORMAT or
 * STATUS_NOT_CANONICAL (not a bundle), STATUS_BAD_CERTIFICATE (another root, or a certificate that the root
 * did not issue), STATUS_BAD_SIGNATURE (too few valid signatures by authorities of the bundle held, or of
 * itself when it is the first; or a body that the head does not name), STATUS_ROLLBACK (a serial below the
 * held one), STATUS_FORKED (the held serial with another digest, or the next one with another predecessor: an
 * incident), STATUS_EXPIRED (before or after its validity), STATUS_NO_MEMORY, STATUS_CRYPTO.
 */
enum status bundle_verify(struct byte_view file, const struct bundle *held, const uint8_t *fingerprint,
                          int64_t now, struct bundle **ret, struct bundle_reason *ret_reason);

/*
 * bundle_reopen - a bundle from one's own archive, accepted earlier: as bundle_verify for the first bundle,
 * but signatures are judged at the bundle's own time and its validity is not (see bundle_state).
 */
enum status bundle_reopen(struct byte_view file, const uint8_t fingerprint[static DIGEST_SIZE],
                          struct bundle **ret, struct bundle_reason *ret_reason);

/*
 * bundle_inspect - a bundle as it stands, on nobody's word but its own: for showing and countersigning it,
 * never for use. Errors as bundle_verify, but signatures, order and validity are not asked for.
 */
enum status bundle_inspect(struct byte_view file, struct bundle **ret, struct bundle_reason *ret_reason);

/* bundle_signers - how many authorities of its own have validly signed it. */
size_t bundle_signers(const struct bundle *bundle);

/* bundle_share - another reference to the same bundle, freed on its own; thread-safe. */
struct bundle *bundle_share(struct bundle *bundle);
void bundle_free(struct bundle **bundle);

/* How the head that a peer shows compares with the bundle held. */
enum bundle_relation {
    BUNDLE_SAME,
    BUNDLE_OLDER,
    BUNDLE_NEWER,   /* stop sealing until that bundle is here */
    BUNDLE_FORK,    /* one serial, two heads, both signed: an incident */
    BUNDLE_INVALID, /* not signed by our authorities, another root, or not a head at all */
};

/* bundle_compare_head - judge a head seen in a hello, a welcome or a batch of receipts. */
enum bundle_relation bundle_compare_head(const struct bundle *held, const struct Wire__SignedHead *head,
                                         int64_t now);

/* bundle_pack - a Bundle file from a signed head and an encoded body that came apart, as BundlePart brings
 * them; not verified. ret must be empty; freed with bytes_buffer_free. */
enum status bundle_pack(const struct Wire__SignedHead *head, struct byte_view body, struct byte_buffer *ret);

enum bundle_state {
    BUNDLE_NOT_YET,
    BUNDLE_IN_FORCE,
    BUNDLE_EXPIRING, /* in force, and not for much longer: say so */
    BUNDLE_EXPIRED,
};

/* bundle_state - at now; expiring from warn_ms before the end. */
enum bundle_state bundle_state(const struct bundle *bundle, int64_t now, int64_t warn_ms);

/* What it says. Pointers and views live as long as the bundle. */
uint64_t bundle_serial(const struct bundle *bundle);
int64_t bundle_not_before(const struct bundle *bundle);
int64_t bundle_not_after(const struct bundle *bundle);
const char *bundle_name(const struct bundle *bundle);           /* of the partnership */
bool bundle_demo(const struct bundle *bundle);                  /* made by an authority for demonstrations */
uint32_t bundle_lowest_version(const struct bundle *bundle);    /* of the wire, that may be spoken */
uint32_t bundle_quorum(const struct bundle *bundle);            /* authorities that must sign the next one */
struct byte_view bundle_file(const struct bundle *bundle);      /* the exact file */
struct byte_view bundle_body(const struct bundle *bundle);      /* the exact encoded BundleBody */
struct byte_view bundle_head(const struct bundle *bundle);      /* the exact encoded BundleHead */
const uint8_t *bundle_head_digest(const struct bundle *bundle); /* SHA-256 of that; Core.bundle */
const uint8_t *bundle_root_digest(const struct bundle *bundle); /* SHA-256 of the root's DER */
struct byte_view bundle_root(const struct bundle *bundle);      /* DER */
struct byte_view bundle_web_root(const struct bundle *bundle);  /* DER */

/* bundle_officer_revoked - whether it revokes this certificate of a data protection officer or an agency's
 * intermediate (certs/officer.h). */
size_t bundle_officers_revoked(const struct bundle *bundle); /* how many there are */
bool bundle_officer_revoked(const struct bundle *bundle, const uint8_t certificate[static DIGEST_SIZE]);
const struct Wire__SignedHead *bundle_signed_head(const struct bundle *bundle); /* for Hello, Welcome … */
const struct directory *bundle_directory(const struct bundle *bundle);
const char *bundle_log_vkey(const struct bundle *bundle);
struct byte_view bundle_catalogue(const struct bundle *bundle);

/* Protocols in ascending order of id. */
size_t bundle_protocol_count(const struct bundle *bundle);
const char *bundle_protocol_id(const struct bundle *bundle, size_t index);
struct byte_view bundle_protocol(const struct bundle *bundle, size_t index);

/* Witnesses of the log (certs/witnesses.h): each with its key, how many must cosign, how many may be
 * dishonest. */
size_t bundle_witness_count(const struct bundle *bundle);
const char *bundle_witness_member(const struct bundle *bundle, size_t index);
const char *bundle_witness_vkey(const struct bundle *bundle, size_t index);
uint32_t bundle_witness_quorum(const struct bundle *bundle);
uint32_t bundle_witness_dishonest(const struct bundle *bundle);

/* bundle_contact - a member's duty contact; NULL when it gave none. */
const char *bundle_contact(const struct bundle *bundle, const char *member);

/*
 * bundle_own_keys - whether our current certificate in the bundle is for keys that we hold, and which. An
 * agent refuses a bundle for which it does not return STATUS_OK.
 *
 * ret_match  KEYSTORE_CURRENT, or KEYSTORE_NEXT: call keystore_promote once the bundle is in force
 *
 * Returns STATUS_BAD_CERTIFICATE with a reason: not listed, revoked, expired, or not our keys.
 */
enum status bundle_own_keys(const struct bundle *bundle, const struct keystore *keystore, int64_t now,
                            enum keystore_match *ret_match, struct bundle_reason *ret_reason);

/* One epoch of the key under which pseudonyms are made (proto/pseudonym.h). */
struct bundle_epoch {
    uint32_t epoch;
    uint8_t key[32];
};

/*
 * bundle_open_epochs - the pseudonym keys sealed to us, in ascending order of epoch; the last one is for new
 * subjects.
 *
 * ret  an array of *ret_n, freed with bundle_epochs_free, which wipes it
 *
 * Returns STATUS_NOT_FOUND when an epoch holds no key for us or one sealed to none of our keys,
 * STATUS_BAD_SEAL, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status bundle_open_epochs(const struct bundle *bundle, const struct keystore *keystore,
                               struct bundle_epoch **ret, size_t *ret_n);
void bundle_epochs_free(struct bundle_epoch **epochs, size_t n);
