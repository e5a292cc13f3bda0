#include "certs/keystore.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "certs/claims.h"
#include "certs/keyfile.h"
#include "certs/request.h"
#include "proto/note_key.h"
#include "proto/random.h"

struct keystore {
    char *folder;
    char vkey[CERTIFICATE_VKEY_LARGEST + 1]; /* empty without a log */
    struct keyfile_log log;
    struct ed25519_key *log_key;
    struct ed25519_key *witness_key;
    char witness_vkey[NOTE_KEY_VKEY_SIZE]; /* empty without that key */
    struct keyfile_set current;
    struct keyfile_set next;     /* empty unless a renewal is under way */
    struct keyfile_set previous; /* empty before the first renewal */
    uint8_t storage[KEYSTORE_STORAGE_SIZE];
};

static bool has_log(enum role role)
{
    return role == ROLE_BROKER || role == ROLE_LOG;
}

/* FOLDER/keys/NAME.key, or FOLDER/keys when name is NULL. */
static enum status key_path(const char *folder, const char *name, char ret_path[static PATH_MAX])
{
    int size = name == NULL ? snprintf(ret_path, PATH_MAX, "%s/keys", folder)
                            : snprintf(ret_path, PATH_MAX, "%s/keys/%s.key", folder, name);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

/* A file that is written once; one that stands there already is left as it is. */
static enum status write_once(const char *folder, const char *name, const struct byte_buffer *content)
{
    char path[PATH_MAX];
    enum status status = content->status;

    if (status == STATUS_OK)
        status = key_path(folder, name, path);
    if (status == STATUS_OK)
        status = safefile_create(path, bytes_buffer_view(content), 0600);
    return status;
}

static enum status create_set(const char *folder, const char *name, const char *member, enum role role)
{
    struct keyfile_set set = {0};
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    enum status status = keyfile_generate(member, role, &set);

    if (status == STATUS_OK) {
        keyfile_format_set(&set, &text);
        status = write_once(folder, name, &text);
    }
    bytes_buffer_wipe(&text);
    keyfile_clear(&set);
    return status;
}

static enum status create_storage(const char *folder)
{
    uint8_t key[KEYSTORE_STORAGE_SIZE];
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    enum status status = random_bytes(key, sizeof key);

    if (status == STATUS_OK) {
        keyfile_format_storage(key, &text);
        status = write_once(folder, "storage", &text);
    }
    bytes_buffer_wipe(&text);
    bytes_wipe(key, sizeof key);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

static enum status create_log(const char *folder, const char *name)
{
    struct keyfile_log log = {0};
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    enum status status = random_bytes(log.seed, sizeof log.seed);

    if (status == STATUS_OK) {
        snprintf(log.name, sizeof log.name, "%s", name);
        keyfile_format_log(&log, &text);
        status = write_once(folder, "log", &text);
    }
    bytes_buffer_wipe(&text);
    bytes_wipe(&log, sizeof log);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

static enum status create_witness(const char *folder)
{
    uint8_t seed[ED25519_SEED_SIZE];
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    enum status status = random_bytes(seed, sizeof seed);

    if (status == STATUS_OK) {
        keyfile_format_witness(seed, &text);
        status = write_once(folder, "witness", &text);
    }
    bytes_buffer_wipe(&text);
    bytes_wipe(seed, sizeof seed);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

/* Whether keys were made in this folder before: current.key is written last. */
static enum status check_fresh(const char *folder)
{
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = key_path(folder, "current", path);

    if (status == STATUS_OK)
        status = safefile_read_secret(path, KEYFILE_LARGEST, &text);
    bytes_buffer_wipe(&text);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_BAD_ARGUMENT ? status : STATUS_EXISTS;
}

enum status keystore_create(const char *folder, const char *member, enum role role, const char *log_name)
{
    char path[PATH_MAX];
    enum status status = member_check(bytes_of_string(member));

    if (status != STATUS_OK || has_log(role) != (log_name != NULL) ||
        (log_name != NULL && !claims_log_name_good(log_name)))
        return STATUS_BAD_ARGUMENT;
    status = check_fresh(folder);
    if (status == STATUS_OK)
        status = key_path(folder, NULL, path);
    if (status == STATUS_OK)
        status = safefile_make_folder(path, 0700);
    if (status == STATUS_OK || status == STATUS_EXISTS)
        status = create_storage(folder);
    if (status == STATUS_OK && log_name != NULL)
        status = create_log(folder, log_name);
    if (status == STATUS_OK && role == ROLE_AGENT)
        status = create_witness(folder);
    if (status == STATUS_OK)
        status = create_set(folder, "current", member, role);
    return status;
}

/* The text of one key file; ret is wiped by the caller. */
static enum status read_keys(const char *folder, const char *name, struct byte_buffer *ret)
{
    char path[PATH_MAX];
    enum status status = key_path(folder, name, path);

    if (status == STATUS_OK)
        status = safefile_read_secret(path, KEYFILE_LARGEST, ret);
    return status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
}

static enum status load_set(const char *folder, const char *name, struct keyfile_set *ret)
{
    struct byte_buffer text = bytes_buffer(0);
    enum status status = read_keys(folder, name, &text);

    if (status == STATUS_OK)
        status = keyfile_parse_set(bytes_buffer_view(&text), ret);
    bytes_buffer_wipe(&text);
    return status;
}

/* A set that need not be there, and must be of the same member if it is. */
static enum status load_other_set(const struct keystore *keystore, const char *name, struct keyfile_set *ret)
{
    enum status status = load_set(keystore->folder, name, ret);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK &&
        (strcmp(ret->member, keystore->current.member) != 0 || ret->role != keystore->current.role))
        status = STATUS_CORRUPT;
    return status;
}

static enum status load_storage(struct keystore *keystore)
{
    struct byte_buffer text = bytes_buffer(0);
    enum status status = read_keys(keystore->folder, "storage", &text);

    if (status == STATUS_OK)
        status = keyfile_parse_storage(bytes_buffer_view(&text), keystore->storage);
    bytes_buffer_wipe(&text);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

static enum status load_log(struct keystore *keystore)
{
    struct byte_buffer text = bytes_buffer(0);
    enum status status = read_keys(keystore->folder, "log", &text);

    if (status == STATUS_OK)
        status = keyfile_parse_log(bytes_buffer_view(&text), &keystore->log);
    if (status == STATUS_OK)
        status = ed25519_private(keystore->log.seed, &keystore->log_key);
    if (status == STATUS_OK)
        status = claims_format_vkey(keystore->log.name, keystore->log_key, keystore->vkey);
    bytes_buffer_wipe(&text);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

static enum status name_witness(struct keystore *keystore)
{
    struct note_key *key = NULL;
    enum status status = note_key_new(bytes_of_string(keystore->current.member), NOTE_KEY_COSIGNATURE,
                                      keystore->witness_key, &key);

    if (status == STATUS_OK)
        note_key_vkey(key, keystore->witness_vkey);
    note_key_free(&key);
    return status;
}

/* STATUS_OK also when there is none. */
static enum status load_witness(struct keystore *keystore)
{
    uint8_t seed[ED25519_SEED_SIZE];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = read_keys(keystore->folder, "witness", &text);

    if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
        goto out;
    }
    if (status == STATUS_OK)
        status = keyfile_parse_witness(bytes_buffer_view(&text), seed);
    if (status == STATUS_OK)
        status = ed25519_private(seed, &keystore->witness_key);
    if (status == STATUS_OK)
        status = name_witness(keystore);
out:
    bytes_wipe(seed, sizeof seed);
    bytes_buffer_wipe(&text);
    return status;
}

/* "…/log" is followed by "…/log-2". */
static enum status next_name(const char *name, char out[static CLAIMS_LOG_NAME_LONGEST + 1])
{
    const char *dash = strrchr(name, '-');
    size_t stem = strlen(name);
    unsigned long number = 1;
    char *end = NULL;

    if (dash != NULL && dash[1] >= '1' && dash[1] <= '9') {
        errno = 0;
        number = strtoul(dash + 1, &end, 10);
        if (*end == '\0' && errno == 0 && number < 1000000)
            stem = (size_t)(dash - name);
        else
            number = 1;
    }
    int size = snprintf(out, CLAIMS_LOG_NAME_LONGEST + 1, "%.*s-%lu", (int)stem, name, number + 1);
    return size > 0 && size <= CLAIMS_LOG_NAME_LONGEST && claims_log_name_good(out) ? STATUS_OK
                                                                                    : STATUS_BAD_ARGUMENT;
}

enum status keystore_next_log(struct keystore *keystore)
{
    struct keyfile_log log = {0};
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    char path[PATH_MAX];
    enum status status;

    assert(keystore->log_key != NULL);
    status = next_name(keystore->log.name, log.name);
    if (status == STATUS_OK)
        status = random_bytes(log.seed, sizeof log.seed);
    if (status == STATUS_OK)
        status = key_path(keystore->folder, "log", path);
    if (status == STATUS_OK) {
        keyfile_format_log(&log, &text);
        status =
            text.status == STATUS_OK ? safefile_write(path, bytes_buffer_view(&text), 0600) : text.status;
    }
    if (status == STATUS_OK) {
        ed25519_free(&keystore->log_key);
        status = load_log(keystore);
    }
    bytes_buffer_wipe(&text);
    bytes_wipe(&log, sizeof log);
    return status;
}

enum status keystore_load(const char *folder, struct keystore **ret)
{
    enum status status = STATUS_NO_MEMORY;
    struct keystore *keystore = calloc(1, sizeof *keystore);

    if (keystore == NULL)
        return STATUS_NO_MEMORY;
    keystore->folder = strdup(folder);
    if (keystore->folder == NULL)
        goto out;
    status = load_set(folder, "current", &keystore->current);
    if (status == STATUS_OK)
        status = load_other_set(keystore, "next", &keystore->next);
    if (status == STATUS_OK)
        status = load_other_set(keystore, "previous", &keystore->previous);
    if (status == STATUS_OK)
        status = load_storage(keystore);
    if (status == STATUS_OK && has_log(keystore->current.role))
        status = load_log(keystore);
    if (status == STATUS_OK && keystore->current.role == ROLE_AGENT)
        status = load_witness(keystore);
    if (status != STATUS_OK)
        goto out;
    *ret = keystore;
    keystore = NULL;
out:
    keystore_free(&keystore);
    return status;
}

void keystore_free(struct keystore **keystore)
{
    if (keystore == NULL || *keystore == NULL)
        return;
    keyfile_clear(&(*keystore)->current);
    keyfile_clear(&(*keystore)->next);
    keyfile_clear(&(*keystore)->previous);
    ed25519_free(&(*keystore)->log_key);
    ed25519_free(&(*keystore)->witness_key);
    free((*keystore)->folder);
    bytes_wipe(*keystore, sizeof **keystore);
    free(*keystore);
    *keystore = NULL;
}

const char *keystore_member(const struct keystore *keystore)
{
    return keystore->current.member;
}

enum role keystore_role(const struct keystore *keystore)
{
    return keystore->current.role;
}

const struct ed25519_key *keystore_signing(const struct keystore *keystore)
{
    return keystore->current.signing_key;
}

const uint8_t *keystore_transport_secret(const struct keystore *keystore)
{
    return keystore->current.transport;
}

const uint8_t *keystore_transport_public(const struct keystore *keystore)
{
    return x25519_public_of(keystore->current.transport_key);
}

const struct x25519_private *keystore_sealing(const struct keystore *keystore)
{
    return keystore->current.sealing_key;
}

const struct x25519_private *keystore_opening(const struct keystore *keystore,
                                              const uint8_t id[static CERTIFICATE_KEY_ID_SIZE])
{
    const struct keyfile_set *sets[] = {&keystore->current, &keystore->next, &keystore->previous};

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (sets[i]->sealing_key != NULL && memcmp(sets[i]->sealing_id, id, CERTIFICATE_KEY_ID_SIZE) == 0)
            return sets[i]->sealing_key;
    }
    return NULL;
}

const uint8_t *keystore_storage(const struct keystore *keystore)
{
    return keystore->storage;
}

const struct ed25519_key *keystore_log(const struct keystore *keystore)
{
    return keystore->log_key;
}

const char *keystore_log_vkey(const struct keystore *keystore)
{
    return keystore->log_key == NULL ? NULL : keystore->vkey;
}

const char *keystore_log_name(const struct keystore *keystore)
{
    return keystore->log_key == NULL ? NULL : keystore->log.name;
}

const struct ed25519_key *keystore_witness(const struct keystore *keystore)
{
    return keystore->witness_key;
}

const char *keystore_witness_vkey(const struct keystore *keystore)
{
    return keystore->witness_key == NULL ? NULL : keystore->witness_vkey;
}

enum status keystore_make_witness(struct keystore *keystore)
{
    if (keystore->current.role != ROLE_AGENT)
        return STATUS_BAD_ARGUMENT;
    if (keystore->witness_key != NULL)
        return STATUS_OK;
    enum status status = create_witness(keystore->folder);
    return status == STATUS_OK ? load_witness(keystore) : status;
}

/* What a request for this set of keys asks to have certified. */
static struct certificate_claims claims_of(const struct keystore *keystore, const struct keyfile_set *set)
{
    struct certificate_claims claims = {.role = set->role};

    snprintf(claims.member, sizeof claims.member, "%s", set->member);
    ed25519_public_bytes(set->signing_key, claims.signing);
    if (set->transport_key != NULL) {
        memcpy(claims.transport, x25519_public_of(set->transport_key), sizeof claims.transport);
        memcpy(claims.sealing, x25519_public_of(set->sealing_key), sizeof claims.sealing);
    }
    memcpy(claims.vkey, keystore->vkey, sizeof claims.vkey);
    return claims;
}

enum status keystore_request(const struct keystore *keystore, struct byte_buffer *ret_pem)
{
    struct certificate_claims claims = claims_of(keystore, &keystore->current);

    return request_make(&claims, keystore->current.signing, NULL, ret_pem);
}

/* The request to FOLDER/MEMBER.csr. Takes pem's memory. */
static enum status write_request(const struct keystore *keystore, struct byte_buffer *pem, char *ret_path)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/%s.csr", keystore->folder, keystore->current.member);
    enum status status = size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;

    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(pem), 0644);
    if (status == STATUS_OK && ret_path != NULL)
        memcpy(ret_path, path, (size_t)size + 1);
    bytes_buffer_free(pem);
    return status;
}

enum status keystore_write_request(const struct keystore *keystore, char *ret_path)
{
    struct byte_buffer pem = bytes_buffer(0);
    enum status status = keystore_request(keystore, &pem);

    return status == STATUS_OK ? write_request(keystore, &pem, ret_path) : status;
}

static enum status renewal_request(const struct keystore *keystore, struct byte_buffer *ret_pem)
{
    uint8_t message[REQUEST_RENEWAL_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct certificate_claims claims = claims_of(keystore, &keystore->next);
    enum status status = request_renewal_message(&claims, message);

    if (status == STATUS_OK)
        status = ed25519_sign(keystore->current.signing_key, bytes_view(message, sizeof message), signature);
    if (status == STATUS_OK)
        status = request_make(&claims, keystore->next.signing, signature, ret_pem);
    return status;
}

enum status keystore_renew(struct keystore *keystore, char *ret_path)
{
    struct byte_buffer pem = bytes_buffer(0);
    enum status status = STATUS_OK;

    if (!keystore_renewing(keystore)) {
        status = create_set(keystore->folder, "next", keystore->current.member, keystore->current.role);
        if (status == STATUS_OK)
            status = load_set(keystore->folder, "next", &keystore->next);
    }
    if (status == STATUS_OK)
        status = renewal_request(keystore, &pem);
    return status == STATUS_OK ? write_request(keystore, &pem, ret_path) : status;
}

bool keystore_renewing(const struct keystore *keystore)
{
    return keystore->next.signing_key != NULL;
}

enum status keystore_look(struct keystore *keystore)
{
    struct keyfile_set next = {0};
    enum status status = STATUS_OK;

    if (keystore_renewing(keystore))
        return STATUS_OK;
    status = load_other_set(keystore, "next", &next);
    if (status == STATUS_OK)
        keystore->next = next;
    else
        keyfile_clear(&next);
    return status;
}

static bool set_matches(const struct keystore *keystore, const struct keyfile_set *set,
                        const struct certificate_claims *claims)
{
    if (set->signing_key == NULL)
        return false;
    struct certificate_claims ours = claims_of(keystore, set);
    return strcmp(ours.member, claims->member) == 0 && ours.role == claims->role &&
           memcmp(ours.signing, claims->signing, sizeof ours.signing) == 0 &&
           memcmp(ours.transport, claims->transport, sizeof ours.transport) == 0 &&
           memcmp(ours.sealing, claims->sealing, sizeof ours.sealing) == 0;
}

enum keystore_match keystore_matches(const struct keystore *keystore, const struct certificate_claims *claims)
{
    if (set_matches(keystore, &keystore->current, claims))
        return KEYSTORE_CURRENT;
    return set_matches(keystore, &keystore->next, claims) ? KEYSTORE_NEXT : KEYSTORE_NONE;
}

/*
 * previous.key is a copy of current.key before current.key is replaced by renaming next.key, so that a crash
 * at any point leaves a folder where the promotion is either done or can be done again.
 */
static enum status promote_files(const struct keystore *keystore)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    struct byte_buffer text = bytes_buffer(KEYFILE_LARGEST);
    enum status status = key_path(keystore->folder, "previous", to);

    keyfile_format_set(&keystore->current, &text);
    if (status == STATUS_OK)
        status = text.status;
    if (status == STATUS_OK)
        status = safefile_write(to, bytes_buffer_view(&text), 0600);
    bytes_buffer_wipe(&text);
    if (status != STATUS_OK)
        return status;
    if (key_path(keystore->folder, "next", from) != STATUS_OK ||
        key_path(keystore->folder, "current", to) != STATUS_OK)
        return STATUS_BAD_ARGUMENT;
    if (rename(from, to) != 0)
        return safefile_status(errno);
    status = key_path(keystore->folder, NULL, to);
    return status == STATUS_OK ? safefile_sync_folder(to) : status;
}

enum status keystore_promote(struct keystore *keystore)
{
    assert(keystore_renewing(keystore));
    enum status status = promote_files(keystore);
    if (status != STATUS_OK)
        return status;
    keyfile_clear(&keystore->previous);
    keystore->previous = keystore->current;
    keystore->current = keystore->next;
    bytes_wipe(&keystore->next, sizeof keystore->next);
    return STATUS_OK;
}
