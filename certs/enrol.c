#include "certs/enrol.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/safefile.h"
#include "base/utf8.h"
#include "certs/claims.h"
#include "certs/request.h"

static bool is_member(const struct authority_certificate *entry, const char *member)
{
    return strcmp(entry->certificate->claims.member, member) == 0;
}

/* A member's newest certificate, whatever its state; NULL when it was never enrolled. */
static const struct authority_certificate *newest_of(const struct authority_state *state, const char *member)
{
    for (size_t i = state->n_certificates; i > 0; i--) {
        if (is_member(&state->certificates[i - 1], member))
            return &state->certificates[i - 1];
    }
    return NULL;
}

/* The keys of claims, as far as they have them; a log's key last. Returns how many. */
static size_t keys_of(const struct certificate_claims *claims,
                      uint8_t ret_keys[static 4][ED25519_PUBLIC_SIZE])
{
    size_t n = 0;

    memcpy(ret_keys[n++], claims->signing, ED25519_PUBLIC_SIZE);
    if (claims_has_transport(claims->role)) {
        memcpy(ret_keys[n++], claims->transport, X25519_KEY_SIZE);
        memcpy(ret_keys[n++], claims->sealing, X25519_KEY_SIZE);
    }
    if (claims_log_key(claims, ret_keys[n]) == STATUS_OK)
        n++;
    return n;
}

/* Whether both have the same key, in whatever use. A log's key may go on in its own member's renewal. */
static bool share_key(const struct certificate_claims *old, const struct certificate_claims *new,
                      bool renewal)
{
    uint8_t old_keys[4][ED25519_PUBLIC_SIZE];
    uint8_t new_keys[4][ED25519_PUBLIC_SIZE];
    size_t n_old = keys_of(old, old_keys);
    size_t n_new = keys_of(new, new_keys);
    bool same_log = renewal && strcmp(old->member, new->member) == 0 && new->vkey[0] != 0 &&
                    strcmp(old->vkey, new->vkey) == 0;

    for (size_t i = 0; i < n_old; i++) {
        for (size_t k = 0; k < n_new; k++) {
            if (same_log && i == n_old - 1 && k == n_new - 1)
                continue;
            if (memcmp(old_keys[i], new_keys[k], ED25519_PUBLIC_SIZE) == 0)
                return true;
        }
    }
    return false;
}

static enum status check_new_keys(const struct authority_state *state,
                                  const struct certificate_claims *claims, bool renewal,
                                  struct bundle_reason *reason)
{
    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct certificate_claims *old = &state->certificates[i].certificate->claims;
        if (share_key(old, claims, renewal))
            return reason_refuse(reason, STATUS_EXISTS,
                                 "it presents a key that %s has or had: every member makes keys of its own",
                                 old->member);
    }
    return STATUS_OK;
}

/* Whether somebody other than the member has a valid certificate of this kind. */
static bool taken_by_another(const struct authority_state *state, const struct certificate_claims *claims,
                             int64_t now)
{
    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        const struct certificate_claims *other = &entry->certificate->claims;
        if (!authority_state_usable(entry, now) || is_member(entry, claims->member))
            continue;
        if (other->role == claims->role || (claims->role == ROLE_LOG && other->vkey[0] != 0))
            return true;
    }
    return false;
}

static enum status check_role(const struct authority_state *state, const struct request *request,
                              const enum role *role, int64_t now, struct bundle_reason *reason)
{
    enum role asked = request->claims.role;

    if (role != NULL && *role != asked)
        return reason_refuse(reason, STATUS_REFUSED, "it asks for the role %s, and --role says %s",
                             role_text(asked), role_text(*role));
    if (role == NULL && asked == ROLE_AUTHORITY)
        return reason_refuse(reason, STATUS_REFUSED,
                             "it asks to sign bundles: if that is meant, say --role authority");
    if (role == NULL && asked != ROLE_AGENT && taken_by_another(state, &request->claims, now))
        return reason_refuse(reason, STATUS_REFUSED,
                             "there is a %s already: if a second is meant, say --role %s", role_text(asked),
                             role_text(asked));
    return STATUS_OK;
}

/* Whether one of the member's usable keys vouches for the new ones. */
static enum status check_renewal(const struct authority_state *state, const struct request *request,
                                 int64_t now, struct bundle_reason *reason)
{
    uint8_t message[REQUEST_RENEWAL_SIZE];
    bool vouched = false;
    enum status status = request_renewal_message(&request->claims, message);

    if (status != STATUS_OK)
        return reason_status(reason, status);
    if (!request->renews)
        return reason_refuse(reason, STATUS_REFUSED, "it does not renew: no key before vouches for it");
    for (size_t i = 0; !vouched && i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        struct ed25519_key *key = NULL;
        if (!is_member(entry, request->claims.member) || !authority_state_usable(entry, now))
            continue;
        status = ed25519_public(entry->certificate->claims.signing, &key);
        vouched = status == STATUS_OK &&
                  ed25519_verify(key, bytes_view(message, sizeof message), request->renewal) == STATUS_OK;
        ed25519_free(&key);
    }
    if (vouched)
        return STATUS_OK;
    return reason_refuse(reason, STATUS_BAD_SIGNATURE, "no valid key of %s vouches for the new ones",
                         request->claims.member);
}

/* Whether this way of enrolling fits what is known about the member. */
static enum status check_way(const struct authority_state *state, const struct request *request,
                             enum enrol_way way, int64_t now, struct bundle_reason *reason)
{
    const char *member = request->claims.member;
    const struct authority_certificate *old = newest_of(state, member);

    if (way == ENROL_FIRST && old != NULL)
        return reason_refuse(
            reason, STATUS_EXISTS,
            "%s is enrolled already: --renew if it asks for new keys itself, --replace if the old "
            "keys are lost or stolen",
            member);
    if (way == ENROL_FIRST && request->renews)
        return reason_refuse(reason, STATUS_REFUSED, "it asks for a renewal, and %s was never enrolled",
                             member);
    if (way == ENROL_FIRST)
        return STATUS_OK;
    if (old == NULL)
        return reason_refuse(reason, STATUS_REFUSED, "%s was never enrolled: leave out --renew and --replace",
                             member);
    if (old->certificate->claims.role != request->claims.role)
        return reason_refuse(reason, STATUS_REFUSED,
                             "%s is enrolled as %s, and a member's role does not change", member,
                             role_text(old->certificate->claims.role));
    if (is_member(&state->certificates[0], member))
        return reason_refuse(reason, STATUS_REFUSED,
                             "%s is this authority itself, whose key lives as long as its root", member);
    return way == ENROL_RENEW ? check_renewal(state, request, now, reason) : STATUS_OK;
}

/* Revokes in memory; returns how many certificates that concerned. */
static size_t revoke_all(struct authority_state *state, const char *member, const char *why, int64_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < state->n_certificates; i++) {
        struct authority_certificate *entry = &state->certificates[i];
        if (!is_member(entry, member) || entry->revoked)
            continue;
        entry->revoked = true;
        entry->revoked_at = now;
        snprintf(entry->why, sizeof entry->why, "%s", why);
        if (entry->certificate->claims.role == ROLE_AGENT)
            state->epoch_due = true;
        n++;
    }
    return n;
}

/* A copy of a new certificate for people, in members/ID-DIGITS.pem. */
static enum status write_copy(const char *folder, const struct certificate *certificate)
{
    char path[PATH_MAX];
    char digest[2 * DIGEST_SIZE + 1];
    struct byte_buffer pem = bytes_buffer(0);
    enum status status = issuer_to_pem(bytes_buffer_view(&certificate->der), &pem);

    bytes_to_hex(certificate->digest, sizeof certificate->digest, digest);
    int size =
        snprintf(path, sizeof path, "%s/members/%s-%.16s.pem", folder, certificate->claims.member, digest);
    if (status == STATUS_OK && (size < 0 || size >= PATH_MAX))
        status = STATUS_BAD_ARGUMENT;
    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(&pem), 0644);
    bytes_buffer_free(&pem);
    return status;
}

enum status enrol_member(struct authority *authority, struct byte_view csr, enum enrol_way way,
                         const enum role *role, int64_t now, const struct certificate **ret_certificate,
                         struct bundle_reason *ret_reason)
{
    struct request request;
    const char *why = NULL;
    bool renewal = way == ENROL_RENEW;
    struct authority_state *state = authority_parts(authority).state;
    enum status status = request_parse(csr, &request, &why);

    if (status != STATUS_OK)
        return reason_refuse(ret_reason, status, "%s", why);
    status = check_way(state, &request, way, now, ret_reason);
    if (status == STATUS_OK)
        status = check_role(state, &request, role, now, ret_reason);
    if (status == STATUS_OK)
        status = check_new_keys(state, &request.claims, renewal, ret_reason);
    if (status != STATUS_OK)
        return status;
    if (way == ENROL_REPLACE)
        revoke_all(state, request.claims.member, "replaced", now);
    status = authority_certify(authority, &request.claims, now, state->member_days);
    if (status == STATUS_OK)
        status = authority_save(authority);
    if (status != STATUS_OK)
        return reason_status(ret_reason, status);
    *ret_certificate = state->certificates[state->n_certificates - 1].certificate;
    status = write_copy(authority_parts(authority).folder, *ret_certificate);
    return status == STATUS_OK ? status : reason_status(ret_reason, status);
}

enum status enrol_revoke(struct authority *authority, const char *member, const char *why, int64_t now,
                         size_t *ret_n, struct bundle_reason *ret_reason)
{
    struct authority_state *state = authority_parts(authority).state;

    if (newest_of(state, member) == NULL)
        return reason_refuse(ret_reason, STATUS_NOT_FOUND, "'%.80s' was never enrolled", member);
    if (is_member(&state->certificates[0], member))
        return reason_refuse(ret_reason, STATUS_REFUSED,
                             "%s signs the bundles of this folder: its end is a new authority", member);
    if (why[0] == 0 || strlen(why) > AUTHORITY_STATE_TEXT || !utf8_printable(bytes_of_string(why)))
        return reason_refuse(ret_reason, STATUS_REFUSED, "the reason must be 1 to %d bytes of text",
                             AUTHORITY_STATE_TEXT);
    size_t n = revoke_all(state, member, why, now);
    if (n == 0)
        return reason_refuse(ret_reason, STATUS_REVOKED, "all certificates of %s are revoked already",
                             member);
    enum status status = authority_save(authority);
    if (status != STATUS_OK)
        return reason_status(ret_reason, status);
    *ret_n = n;
    return STATUS_OK;
}
