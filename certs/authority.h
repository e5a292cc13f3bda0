#pragma once

#include "certs/authority_state.h"
#include "certs/bundle.h"
#include "certs/issuer.h"
#include "certs/keystore.h"

/*
 * The certificate authority of a partnership: one folder, kept offline by the partnership board
 * (docs/certificates.md). All functions block on the disk; reasons are one sentence for people. A change that
 * could not be written stays in memory alone: close the authority then.
 */

#define AUTHORITY_MEMBER_DAYS  730
#define AUTHORITY_ROOT_YEARS   10
#define AUTHORITY_LONGEST_DAYS 3650 /* of a member's certificate */

struct authority;

struct authority_options {
    const char *name;     /* of the partnership */
    const char *member;   /* id under which this authority signs bundles, such as authority.board */
    bool demo;            /* a simulated clock is allowed; refused in production */
    uint32_t member_days; /* validity of members' certificates */
};

/*
 * authority_create - make the folder with both roots, the signing key and its certificate, the first
 * pseudonym key. The folder must not exist, or be empty.
 *
 * Returns STATUS_EXISTS, STATUS_BAD_ARGUMENT, STATUS_NO_MEMORY, STATUS_CRYPTO or as base/safefile.h.
 */
enum status authority_create(const char *folder, const struct authority_options *options, int64_t now,
                             struct bundle_reason *ret_reason);

/*
 * authority_open - hold the folder and load it. ret is freed with authority_close.
 *
 * Returns STATUS_NOT_FOUND (no authority there), STATUS_IN_USE, STATUS_PERMISSION, STATUS_CORRUPT, or as
 * base/safefile.h.
 */
enum status authority_open(const char *folder, struct authority **ret, struct bundle_reason *ret_reason);
void authority_close(struct authority **authority); /* wipes the keys */

const struct authority_state *authority_state(const struct authority *authority);
const uint8_t *authority_fingerprint(const struct authority *authority); /* DIGEST_SIZE bytes */

/*
 * authority_certify - issue a certificate for checked claims, valid for so many days from now, and add it to
 * the state in memory. Returns STATUS_NO_MEMORY, STATUS_CRYPTO or STATUS_BAD_CERTIFICATE.
 */
enum status authority_certify(struct authority *authority, const struct certificate_claims *claims,
                              int64_t now, uint32_t days);

/* authority_save - the state to the disk. Errors as authority_state_write. */
enum status authority_save(const struct authority *authority);

/* What certs/enrol.h and certs/authority_bundle.h need to go on from here. Borrowed from the authority. */
struct authority_parts {
    const char *folder;
    const struct keystore *keystore; /* of its signing key */
    struct byte_view root;           /* DER */
    struct byte_view web_root;
    struct authority_state *state;
};
struct authority_parts authority_parts(struct authority *authority);
