#pragma once

#include "certs/authority.h"

/* Who is let in and who is put out: the authority's decisions about members (docs/certificates.md). */

enum enrol_way {
    ENROL_FIRST,   /* an id that was never enrolled */
    ENROL_RENEW,   /* new keys, vouched for by the old signing key */
    ENROL_REPLACE, /* new keys for an id whose old ones are lost or stolen: they are revoked */
};

/*
 * enrol_member - certify the keys of a request (certs/request.h) and remember them.
 *
 * role             as given by the board, or NULL; needed for an authority and a second broker or log
 * ret_certificate  the certificate, owned by the authority
 *
 * Returns STATUS_REFUSED, STATUS_EXISTS (id or key enrolled already), STATUS_BAD_FORMAT,
 * STATUS_BAD_SIGNATURE, STATUS_BAD_CERTIFICATE, STATUS_TOO_LARGE (all: nothing has changed) or what stops the
 * machine.
 */
enum status enrol_member(struct authority *authority, struct byte_view csr, enum enrol_way way,
                         const enum role *role, int64_t now, const struct certificate **ret_certificate,
                         struct bundle_reason *ret_reason);

/*
 * enrol_revoke - all certificates of a member, from now. If it is an agent the next bundle begins a new
 * pseudonym epoch. ret_n is how many were revoked.
 *
 * Returns STATUS_NOT_FOUND (no such member), STATUS_REVOKED (all were already), STATUS_REFUSED (the authority
 * itself), or what stops the machine.
 */
enum status enrol_revoke(struct authority *authority, const char *member, const char *why, int64_t now,
                         size_t *ret_n, struct bundle_reason *ret_reason);
