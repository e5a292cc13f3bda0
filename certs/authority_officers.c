#include "certs/authority_officers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/safefile.h"
#include "base/utf8.h"

static enum status load_issuer(struct authority *authority, struct officer_issuer **ret)
{
    const struct authority_parts parts = authority_parts(authority);
    char path[PATH_MAX];
    struct byte_buffer key = bytes_buffer(0);
    int size = snprintf(path, sizeof path, "%s/web-root.key", parts.folder);
    enum status status = size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;

    if (status == STATUS_OK)
        status = safefile_read_secret(path, ISSUER_KEY_LARGEST, &key);
    if (status == STATUS_OK)
        status = officer_issuer_load(bytes_buffer_view(&key), parts.web_root, ret);
    bytes_buffer_wipe(&key);
    return status;
}

/* Whether the agency is a member that is neither revoked nor expired. */
static bool is_member(const struct authority_state *state, const char *agency, int64_t now)
{
    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        if (strcmp(entry->certificate->claims.member, agency) == 0 &&
            entry->certificate->claims.role == ROLE_AGENT && authority_state_usable(entry, now))
            return true;
    }
    return false;
}

static enum status check_agency(const struct authority_state *state, const char *agency, int64_t now,
                                struct bundle_reason *reason)
{
    if (is_member(state, agency, now))
        return STATUS_OK;
    return reason_refuse(reason, STATUS_REFUSED,
                         "'%.80s' is not a member with an agent and a valid certificate", agency);
}

static enum status save(struct authority *authority, struct byte_view der, int64_t now, const char *name,
                        struct bundle_reason *reason)
{
    enum status status = officer_book_add(&authority_parts(authority).state->officers, der, now);

    if (status == STATUS_OK)
        status = authority_save(authority);
    if (status == STATUS_EXISTS)
        return reason_refuse(reason, status, "%s has a valid certificate already: revoke that first", name);
    return status == STATUS_OK ? status : reason_status(reason, status);
}

enum status authority_officers_add(struct authority *authority, const char *agency, const char *id,
                                   uint32_t days, const char *passphrase, int64_t now,
                                   struct byte_buffer *ret_p12, char ret_name[static OFFICER_NAME_SIZE],
                                   struct bundle_reason *ret_reason)
{
    struct officer_name name = {.role = OFFICER_DPO};
    const struct authority_state *state = authority_parts(authority).state;
    struct officer_issuer *issuer = NULL;
    struct byte_buffer der = bytes_buffer(0);
    struct byte_buffer p12 = bytes_buffer(0);
    char text[OFFICER_NAME_SIZE];
    enum status status = STATUS_OK;

    if (!officer_id_good(id))
        return reason_refuse(ret_reason, STATUS_REFUSED,
                             "an officer's id has 1 to %d of a-z, 0-9, '.' and '-'", OFFICER_ID_LONGEST);
    if (strlen(passphrase) < AUTHORITY_PASSPHRASE_LEAST)
        return reason_refuse(ret_reason, STATUS_REFUSED, "the passphrase needs at least %d characters",
                             AUTHORITY_PASSPHRASE_LEAST);
    if (agency[0] != 0)
        status = check_agency(state, agency, now, ret_reason);
    if (status != STATUS_OK)
        return status;
    (void)snprintf(name.agency, sizeof name.agency, "%s", agency);
    (void)snprintf(name.id, sizeof name.id, "%s", id);
    officer_name_format(&name, text);
    if (officer_book_usable_name(&state->officers, text, now) != NULL)
        return reason_refuse(ret_reason, STATUS_EXISTS,
                             "%s has a valid certificate already: revoke that first", text);
    status = load_issuer(authority, &issuer);
    if (status == STATUS_OK)
        status = officer_issue(issuer, &name, now - ISSUER_SKEW_MS, now + days * CIVIL_DAY_MS, passphrase,
                               &der, &p12);
    if (status != STATUS_OK)
        (void)reason_status(ret_reason, status);
    else
        status = save(authority, bytes_buffer_view(&der), now, text, ret_reason);
    if (status == STATUS_OK) {
        memcpy(ret_name, text, sizeof text);
        *ret_p12 = p12;
        p12 = bytes_buffer(0);
    }
    officer_issuer_free(&issuer);
    bytes_buffer_free(&der);
    bytes_buffer_wipe(&p12);
    return status;
}

enum status authority_officers_intermediate(struct authority *authority, const char *agency,
                                            struct byte_view csr, uint32_t days, int64_t now,
                                            struct byte_buffer *ret_pem, struct bundle_reason *ret_reason)
{
    const struct authority_state *state = authority_parts(authority).state;
    struct officer_request request;
    struct officer_issuer *issuer = NULL;
    struct byte_buffer der = bytes_buffer(0);
    const char *why = NULL;
    enum status status = officer_request_read(csr, &request, &why);

    if (status != STATUS_OK)
        return reason_refuse(ret_reason, status, "the request: %s", why);
    if (strcmp(request.agency, agency) != 0)
        return reason_refuse(ret_reason, STATUS_REFUSED, "the request is of %s, and --agency says %s",
                             request.agency, agency);
    status = check_agency(state, agency, now, ret_reason);
    if (status != STATUS_OK)
        return status;
    if (officer_book_knows_key(&state->officers, request.point))
        return reason_refuse(ret_reason, STATUS_EXISTS,
                             "it presents a key that was certified before: make a new one");
    status = load_issuer(authority, &issuer);
    if (status == STATUS_OK)
        status = officer_issue_intermediate(issuer, agency, request.point, now - ISSUER_SKEW_MS,
                                            now + days * CIVIL_DAY_MS, &der);
    if (status != STATUS_OK)
        (void)reason_status(ret_reason, status);
    else
        status = save(authority, bytes_buffer_view(&der), now, agency, ret_reason);
    if (status == STATUS_OK)
        status = issuer_to_pem(bytes_buffer_view(&der), ret_pem);
    officer_issuer_free(&issuer);
    bytes_buffer_free(&der);
    return status;
}

enum status authority_officers_revoke(struct authority *authority, const char *name, const char *why,
                                      int64_t now, size_t *ret_n, struct bundle_reason *ret_reason)
{
    struct officer_book *book = &authority_parts(authority).state->officers;
    bool known = false;

    if (why[0] == 0 || strlen(why) > OFFICER_BOOK_WHY || !utf8_printable(bytes_of_string(why)))
        return reason_refuse(ret_reason, STATUS_REFUSED, "the reason must be 1 to %d bytes of text",
                             OFFICER_BOOK_WHY);
    for (size_t i = 0; i < book->n; i++) {
        char own[OFFICER_NAME_SIZE];
        officer_book_name(&book->entries[i], own);
        known = known || strcmp(own, name) == 0;
    }
    if (!known)
        return reason_refuse(ret_reason, STATUS_NOT_FOUND, "'%.120s' was never issued here", name);
    size_t n = officer_book_revoke(book, name, why, now);
    if (n == 0)
        return reason_refuse(ret_reason, STATUS_REVOKED, "all certificates of %s are revoked already", name);
    enum status status = authority_save(authority);
    if (status != STATUS_OK)
        return reason_status(ret_reason, status);
    *ret_n = n;
    return STATUS_OK;
}
