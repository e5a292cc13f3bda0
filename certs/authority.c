#include "certs/authority.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/safefile.h"
#include "certs/request.h"

struct authority {
    char *folder;
    struct folder_lock *lock;
    struct keystore *keystore;
    struct issuer *issuer;
    struct certificate_root *root;
    struct byte_buffer root_der;
    struct byte_buffer web_root_der;
    struct authority_state state;
};

static enum status make_path(char ret_path[static PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

/* ---- the folder ---- */

static enum status write_file(const char *folder, const char *name, struct byte_view content, mode_t mode)
{
    char path[PATH_MAX];
    enum status status = make_path(path, folder, name);

    return status == STATUS_OK ? safefile_write(path, content, mode) : status;
}

static enum status write_pem(const char *folder, const char *name, struct byte_view der)
{
    struct byte_buffer pem = bytes_buffer(0);
    enum status status = issuer_to_pem(der, &pem);

    if (status == STATUS_OK)
        status = write_file(folder, name, bytes_buffer_view(&pem), 0644);
    bytes_buffer_free(&pem);
    return status;
}

static enum status make_roots(const char *folder, const char *name, int64_t now)
{
    struct byte_buffer key = bytes_buffer(0);
    struct byte_buffer der = bytes_buffer(0);
    enum status status = issuer_make_web_root(name, now, AUTHORITY_ROOT_YEARS, &key, &der);

    if (status == STATUS_OK)
        status = write_file(folder, "web-root.key", bytes_buffer_view(&key), 0600);
    if (status == STATUS_OK)
        status = write_pem(folder, "web-root.pem", bytes_buffer_view(&der));
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&der);
    if (status == STATUS_OK)
        status = issuer_make_root(name, now, AUTHORITY_ROOT_YEARS, &key, &der);
    if (status == STATUS_OK)
        status = write_file(folder, "root.key", bytes_buffer_view(&key), 0600);
    if (status == STATUS_OK)
        status = write_pem(folder, "root.pem", bytes_buffer_view(&der));
    bytes_buffer_wipe(&key);
    bytes_buffer_free(&der);
    return status;
}

static enum status read_pem(const char *folder, const char *name, struct byte_buffer *ret_der)
{
    char path[PATH_MAX];
    struct byte_buffer pem = bytes_buffer(0);
    enum status status = make_path(path, folder, name);

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, 2 * CERTIFICATE_LARGEST, &pem);
    if (status == STATUS_OK)
        status = issuer_from_pem(bytes_buffer_view(&pem), ret_der);
    bytes_buffer_free(&pem);
    return status == STATUS_BAD_FORMAT || status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
}

/* Both roots, and the key of the first. */
static enum status load_roots(struct authority *authority)
{
    char path[PATH_MAX];
    struct byte_buffer key = bytes_buffer(0);
    enum status status = read_pem(authority->folder, "root.pem", &authority->root_der);

    if (status == STATUS_OK)
        status = read_pem(authority->folder, "web-root.pem", &authority->web_root_der);
    if (status == STATUS_OK)
        status = certificate_root_parse(bytes_buffer_view(&authority->root_der), &authority->root);
    if (status == STATUS_OK)
        status = make_path(path, authority->folder, "root.key");
    if (status == STATUS_OK)
        status = safefile_read_secret(path, ISSUER_KEY_LARGEST, &key);
    if (status == STATUS_OK)
        status =
            issuer_load(bytes_buffer_view(&key), bytes_buffer_view(&authority->root_der), &authority->issuer);
    bytes_buffer_wipe(&key);
    return status;
}

static enum status start(const char *folder, struct authority **ret)
{
    struct authority *authority = calloc(1, sizeof *authority);

    if (authority == NULL)
        return STATUS_NO_MEMORY;
    authority->folder = strdup(folder);
    if (authority->folder == NULL) {
        free(authority);
        return STATUS_NO_MEMORY;
    }
    *ret = authority;
    return STATUS_OK;
}

enum status authority_certify(struct authority *authority, const struct certificate_claims *claims,
                              int64_t now, uint32_t days)
{
    struct byte_buffer der = bytes_buffer(0);
    struct certificate *certificate = NULL;
    enum status status =
        issuer_issue(authority->issuer, claims, now - ISSUER_SKEW_MS, now + days * CIVIL_DAY_MS, &der);

    if (status == STATUS_OK)
        status = certificate_parse(bytes_buffer_view(&der), authority->root, &certificate);
    if (status == STATUS_OK)
        status = authority_state_add(&authority->state, &certificate, now);
    certificate_free(&certificate);
    bytes_buffer_free(&der);
    return status;
}

/* The first certificate: that of the key which signs bundles. It lives as long as the root. */
static enum status certify_self(struct authority *authority, int64_t now)
{
    struct request request;
    const char *reason = NULL;
    struct byte_buffer pem = bytes_buffer(0);
    struct duration life = {.months = 12 * AUTHORITY_ROOT_YEARS};
    int64_t end = civil_add_duration(now, life, 1);
    enum status status = keystore_request(authority->keystore, &pem);

    if (status == STATUS_OK)
        status = request_parse(bytes_buffer_view(&pem), &request, &reason);
    if (status == STATUS_OK)
        status = authority_certify(authority, &request.claims, now, (uint32_t)((end - now) / CIVIL_DAY_MS));
    if (status == STATUS_OK)
        status = write_pem(authority->folder, "authority.pem",
                           bytes_buffer_view(&authority->state.certificates[0].certificate->der));
    bytes_buffer_free(&pem);
    return status;
}

static enum status make_folders(const char *folder)
{
    char path[PATH_MAX];
    enum status status = safefile_make_folder(folder, 0700);

    if (status == STATUS_EXISTS)
        status = STATUS_OK;
    for (const char *const *name = (const char *const[]){"members", "bundles", NULL};
         status == STATUS_OK && *name != NULL; name++) {
        status = make_path(path, folder, *name);
        if (status == STATUS_OK)
            status = safefile_make_folder(path, 0700);
    }
    return status;
}

static enum status fill_folder(const char *folder, const struct authority_options *options, int64_t now)
{
    struct authority *authority = NULL;
    enum status status = start(folder, &authority);

    if (status == STATUS_OK)
        status = safefile_lock(folder, &authority->lock);
    if (status == STATUS_OK)
        status = make_roots(folder, options->name, now);
    if (status == STATUS_OK)
        status = load_roots(authority);
    if (status == STATUS_OK)
        status = keystore_create(folder, options->member, ROLE_AUTHORITY, NULL);
    if (status == STATUS_OK)
        status = keystore_load(folder, &authority->keystore);
    if (status != STATUS_OK)
        goto out;
    authority->state.demo = options->demo;
    authority->state.member_days = options->member_days;
    authority->state.quorum = 1;
    authority->state.name = strdup(options->name);
    if (authority->state.name == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = certify_self(authority, now);
    if (status == STATUS_OK)
        status = authority_state_add_epoch(&authority->state);
    if (status == STATUS_OK)
        status = authority_state_write(folder, &authority->state);
out:
    authority_close(&authority);
    return status;
}

enum status authority_create(const char *folder, const struct authority_options *options, int64_t now,
                             struct bundle_reason *ret_reason)
{
    if (!issuer_name_good(options->name))
        return reason_refuse(ret_reason, STATUS_BAD_ARGUMENT,
                             "the partnership's name must have 1 to %d characters", ISSUER_NAME_LONGEST);
    if (member_check(bytes_of_string(options->member)) != STATUS_OK)
        return reason_refuse(ret_reason, STATUS_BAD_ARGUMENT,
                             "'%.80s' is not a member id such as authority.board", options->member);
    if (options->member_days == 0 || options->member_days > AUTHORITY_LONGEST_DAYS)
        return reason_refuse(ret_reason, STATUS_BAD_ARGUMENT, "certificates are valid for 1 to %d days",
                             AUTHORITY_LONGEST_DAYS);
    enum status status = make_folders(folder);
    if (status == STATUS_EXISTS)
        return reason_refuse(ret_reason, status,
                             "an authority was begun there already: choose another folder");
    if (status == STATUS_OK)
        status = fill_folder(folder, options, now);
    return status == STATUS_OK ? status : reason_status(ret_reason, status);
}

/* The certificate under which the keystore's current key signs, or NULL. */
static const struct authority_certificate *own_certificate(const struct authority *authority)
{
    for (size_t i = authority->state.n_certificates; i > 0; i--) {
        const struct authority_certificate *entry = &authority->state.certificates[i - 1];
        if (keystore_matches(authority->keystore, &entry->certificate->claims) == KEYSTORE_CURRENT)
            return entry;
    }
    return NULL;
}

enum status authority_open(const char *folder, struct authority **ret, struct bundle_reason *ret_reason)
{
    char path[PATH_MAX];
    struct byte_buffer probe = bytes_buffer(0);
    struct authority *authority = NULL;
    enum status status = make_path(path, folder, "root.pem");

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, 2 * CERTIFICATE_LARGEST, &probe);
    bytes_buffer_free(&probe);
    if (status == STATUS_NOT_FOUND)
        return reason_refuse(ret_reason, status, "there is no authority there: make one with init");
    if (status == STATUS_OK)
        status = start(folder, &authority);
    if (status == STATUS_OK)
        status = safefile_lock(folder, &authority->lock);
    if (status == STATUS_OK)
        status = load_roots(authority);
    if (status == STATUS_OK)
        status = keystore_load(folder, &authority->keystore);
    if (status == STATUS_OK)
        status = authority_state_read(folder, authority->root, &authority->state);
    if (status == STATUS_OK && own_certificate(authority) == NULL)
        status = STATUS_CORRUPT;
    if (status == STATUS_NOT_FOUND)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK) {
        *ret = authority;
        return STATUS_OK;
    }
    authority_close(&authority);
    return reason_status(ret_reason, status);
}

void authority_close(struct authority **authority)
{
    if (authority == NULL || *authority == NULL)
        return;
    authority_state_clear(&(*authority)->state);
    keystore_free(&(*authority)->keystore);
    issuer_free(&(*authority)->issuer);
    certificate_root_free(&(*authority)->root);
    bytes_buffer_free(&(*authority)->root_der);
    bytes_buffer_free(&(*authority)->web_root_der);
    safefile_unlock(&(*authority)->lock);
    free((*authority)->folder);
    free(*authority);
    *authority = NULL;
}

const struct authority_state *authority_state(const struct authority *authority)
{
    return &authority->state;
}

const uint8_t *authority_fingerprint(const struct authority *authority)
{
    return certificate_root_digest(authority->root);
}

enum status authority_save(const struct authority *authority)
{
    return authority_state_write(authority->folder, &authority->state);
}

struct authority_parts authority_parts(struct authority *authority)
{
    return (struct authority_parts){
        .folder = authority->folder,
        .keystore = authority->keystore,
        .root = bytes_buffer_view(&authority->root_der),
        .web_root = bytes_buffer_view(&authority->web_root_der),
        .state = &authority->state,
    };
}
