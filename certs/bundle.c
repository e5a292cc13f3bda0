#include "certs/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "certs/bundle_read.h"
#include "certs/epochs.h"

_Static_assert(sizeof((struct bundle_epoch){0}.key) == PSEUDONYM_KEY_SIZE, "an epoch holds a pseudonym key");

static bool same_digest(const uint8_t a[static DIGEST_SIZE], const uint8_t b[static DIGEST_SIZE])
{
    return memcmp(a, b, DIGEST_SIZE) == 0;
}

static enum status check_root(const struct bundle *bundle, const struct bundle *held,
                              const uint8_t *fingerprint, struct bundle_reason *reason)
{
    if (held != NULL && !same_digest(bundle->head.root, held->head.root))
        return reason_refuse(reason, STATUS_BAD_CERTIFICATE,
                             "it belongs to another partnership: its root is not ours");
    if (fingerprint != NULL && !same_digest(bundle->head.root, fingerprint))
        return reason_refuse(reason, STATUS_BAD_CERTIFICATE,
                             "its root certificate does not have this fingerprint");
    return STATUS_OK;
}

/* The signatures by authorities of the directory, as many as quorum. */
static enum status check_signatures(const struct bundle *bundle, const struct directory *directory,
                                    uint32_t quorum, int64_t time, struct bundle_reason *reason)
{
    size_t signers = head_signers(bundle->signed_head, &bundle->head, directory, bundle->directory, time);

    if (signers >= quorum)
        return STATUS_OK;
    return reason_refuse(reason, STATUS_BAD_SIGNATURE, "%zu of %u authorities needed have signed it validly",
                         signers, quorum);
}

/* Where it stands in the row of bundles. Its signatures have been checked. */
static enum status check_order(const struct head *head, const struct head *held, struct bundle_reason *reason)
{
    if (head->serial == held->serial && !same_digest(head->digest, held->digest))
        return reason_refuse(reason, STATUS_FORKED,
                             "bundle %llu is held with another content: report an incident",
                             (unsigned long long)head->serial);
    if (head->serial == held->serial + 1 && !same_digest(head->previous, held->digest))
        return reason_refuse(reason, STATUS_FORKED,
                             "bundle %llu does not follow the one held: report an incident",
                             (unsigned long long)head->serial);
    return STATUS_OK;
}

static enum status check_validity(const struct head *head, int64_t now, struct bundle_reason *reason)
{
    char time[CIVIL_TIME_SIZE];

    if (now < head->not_before) {
        civil_format_time(head->not_before, time);
        return reason_refuse(reason, STATUS_EXPIRED, "it is valid from %s only; is the clock right?", time);
    }
    if (now > head->not_after) {
        civil_format_time(head->not_after, time);
        return reason_refuse(reason, STATUS_EXPIRED, "it expired on %s; ask the authority for a new one",
                             time);
    }
    return STATUS_OK;
}

/* What is to be asked of a bundle that follows another. Cheap and telling questions first. */
static enum status verify_next(struct bundle *bundle, const struct bundle *held, int64_t now,
                               struct bundle_reason *reason)
{
    enum status status = STATUS_OK;

    if (bundle->head.serial < held->head.serial)
        return reason_refuse(reason, STATUS_ROLLBACK, "it is bundle %llu, and bundle %llu is held already",
                             (unsigned long long)bundle->head.serial, (unsigned long long)held->head.serial);
    status = check_signatures(bundle, held->directory, held->body->authority_quorum, now, reason);
    if (status == STATUS_OK)
        status = check_order(&bundle->head, &held->head, reason);
    if (status == STATUS_OK)
        status = check_validity(&bundle->head, now, reason);
    if (status == STATUS_OK)
        status = bundle_read_body(bundle, reason);
    /* Once more, now that it is known whom the new bundle revokes. */
    if (status == STATUS_OK)
        status = check_signatures(bundle, held->directory, held->body->authority_quorum, now, reason);
    return status;
}

static enum status verify_first(struct bundle *bundle, int64_t time, struct bundle_reason *reason)
{
    enum status status = bundle_read_body(bundle, reason);

    if (status == STATUS_OK)
        status = check_signatures(bundle, bundle->directory, bundle->body->authority_quorum, time, reason);
    return status;
}

static enum status read_form(struct byte_view file, struct bundle **ret, struct bundle_reason *reason)
{
    enum status status = bundle_read(file, ret);

    if (status != STATUS_OK)
        reason_refuse(reason, status, "it is not a bundle: %s", status_text(status));
    return status;
}

/* The end of every way to a bundle: the bundle to ret, or why not to ret_reason. */
static enum status hand_over(enum status status, struct bundle **bundle, const struct bundle_reason *reason,
                             struct bundle **ret, struct bundle_reason *ret_reason)
{
    if (status == STATUS_OK) {
        *ret = *bundle;
        *bundle = NULL;
    } else if (reason->text[0] == 0) {
        reason_status(ret_reason, status);
    } else if (ret_reason != NULL) {
        *ret_reason = *reason;
    }
    bundle_free(bundle);
    return status;
}

enum status bundle_verify(struct byte_view file, const struct bundle *held, const uint8_t *fingerprint,
                          int64_t now, struct bundle **ret, struct bundle_reason *ret_reason)
{
    struct bundle_reason reason = {{0}};
    struct bundle *bundle = NULL;
    enum status status = read_form(file, &bundle, &reason);

    if (status == STATUS_OK && held == NULL && fingerprint == NULL)
        status = reason_refuse(&reason, STATUS_BAD_ARGUMENT, "the first bundle needs a fingerprint");
    if (status == STATUS_OK)
        status = check_root(bundle, held, fingerprint, &reason);
    if (status == STATUS_OK && held != NULL)
        status = verify_next(bundle, held, now, &reason);
    if (status == STATUS_OK && held == NULL)
        status = check_validity(&bundle->head, now, &reason);
    if (status == STATUS_OK && held == NULL)
        status = verify_first(bundle, now, &reason);
    return hand_over(status, &bundle, &reason, ret, ret_reason);
}

enum status bundle_reopen(struct byte_view file, const uint8_t fingerprint[static DIGEST_SIZE],
                          struct bundle **ret, struct bundle_reason *ret_reason)
{
    struct bundle_reason reason = {{0}};
    struct bundle *bundle = NULL;
    enum status status = read_form(file, &bundle, &reason);

    if (status == STATUS_OK)
        status = check_root(bundle, NULL, fingerprint, &reason);
    if (status == STATUS_OK)
        status = verify_first(bundle, bundle->head.not_before, &reason);
    return hand_over(status, &bundle, &reason, ret, ret_reason);
}

enum status bundle_inspect(struct byte_view file, struct bundle **ret, struct bundle_reason *ret_reason)
{
    struct bundle_reason reason = {{0}};
    struct bundle *bundle = NULL;
    enum status status = read_form(file, &bundle, &reason);

    if (status == STATUS_OK)
        status = bundle_read_body(bundle, &reason);
    return hand_over(status, &bundle, &reason, ret, ret_reason);
}

size_t bundle_signers(const struct bundle *bundle)
{
    return head_signers(bundle->signed_head, &bundle->head, bundle->directory, bundle->directory,
                        bundle->head.not_before);
}

struct bundle *bundle_share(struct bundle *bundle)
{
    atomic_fetch_add(&bundle->references, 1);
    return bundle;
}

void bundle_free(struct bundle **bundle)
{
    if (bundle == NULL || *bundle == NULL)
        return;
    if (atomic_fetch_sub(&(*bundle)->references, 1) == 1) {
        directory_free(&(*bundle)->directory);
        wire_arena_free(&(*bundle)->body_arena);
        wire_arena_free(&(*bundle)->head_arena);
        bytes_buffer_free(&(*bundle)->file);
        free(*bundle);
    }
    *bundle = NULL;
}

enum bundle_relation bundle_compare_head(const struct bundle *held, const Wire__SignedHead *head, int64_t now)
{
    struct head theirs;

    if (head_decode(wire_view(head->head), &theirs) != STATUS_OK ||
        !same_digest(theirs.root, held->head.root))
        return BUNDLE_INVALID;
    if (same_digest(theirs.digest, held->head.digest))
        return BUNDLE_SAME;
    /* Only what we signed up to can be an older one of ours; who claims an old serial gains nothing. */
    if (theirs.serial < held->head.serial)
        return BUNDLE_OLDER;
    if (head_signers(head, &theirs, held->directory, NULL, now) < held->body->authority_quorum)
        return BUNDLE_INVALID;
    if (theirs.serial == held->head.serial)
        return BUNDLE_FORK;
    if (theirs.serial == held->head.serial + 1 && !same_digest(theirs.previous, held->head.digest))
        return BUNDLE_FORK;
    return BUNDLE_NEWER;
}

enum status bundle_pack(const Wire__SignedHead *head, struct byte_view body, struct byte_buffer *ret)
{
    Wire__Bundle message = WIRE__BUNDLE__INIT;
    struct byte_buffer file = bytes_buffer(BUNDLE_LARGEST);

    /* protobuf-c has no const messages; packing changes nothing. */
    memcpy(&message.head, &head, sizeof message.head);
    message.body = wire_data(body);
    wire_pack(&message.base, &file);
    if (file.status != STATUS_OK) {
        enum status status = file.status;
        bytes_buffer_free(&file);
        return status;
    }
    *ret = file;
    return STATUS_OK;
}

enum bundle_state bundle_state(const struct bundle *bundle, int64_t now, int64_t warn_ms)
{
    if (now < bundle->head.not_before)
        return BUNDLE_NOT_YET;
    if (now > bundle->head.not_after)
        return BUNDLE_EXPIRED;
    return bundle->head.not_after - now < warn_ms ? BUNDLE_EXPIRING : BUNDLE_IN_FORCE;
}

/* What an entry of the directory says, in the shape in which the keystore compares it. */
static struct certificate_claims claims_of(const struct directory_entry *entry)
{
    struct certificate_claims claims = {.role = entry->role};

    snprintf(claims.member, sizeof claims.member, "%s", entry->member);
    ed25519_public_bytes(entry->signing, claims.signing);
    memcpy(claims.transport, entry->transport, sizeof claims.transport);
    memcpy(claims.sealing, entry->sealing, sizeof claims.sealing);
    return claims;
}

enum status bundle_own_keys(const struct bundle *bundle, const struct keystore *keystore, int64_t now,
                            enum keystore_match *ret_match, struct bundle_reason *ret_reason)
{
    struct bundle_reason reason = {{0}};
    const char *member = keystore_member(keystore);
    const struct directory_entry *entry = directory_by_member(bundle->directory, member, now);
    const struct directory_entry *known = directory_known(bundle->directory, member);

    if (entry != NULL) {
        struct certificate_claims claims = claims_of(entry);
        enum keystore_match match = keystore_matches(keystore, &claims);
        if (match != KEYSTORE_NONE) {
            *ret_match = match;
            return STATUS_OK;
        }
        reason_refuse(&reason, STATUS_BAD_CERTIFICATE, "the certificate in it for %s is not for our keys",
                      member);
    } else if (known != NULL) {
        reason_refuse(&reason, STATUS_BAD_CERTIFICATE, "the certificate in it for %s is %s", member,
                      directory_state_text(directory_state_at(known, now)));
    } else {
        reason_refuse(&reason, STATUS_BAD_CERTIFICATE, "it holds no certificate for %s", member);
    }
    if (ret_reason != NULL)
        *ret_reason = reason;
    return STATUS_BAD_CERTIFICATE;
}

static enum status open_epoch(const Wire__PseudonymEpoch *epoch, const struct keystore *keystore,
                              struct bundle_epoch *ret)
{
    const char *member = keystore_member(keystore);

    for (size_t i = 0; i < epoch->n_keys; i++) {
        const Wire__SealedKey *sealed = epoch->keys[i];
        if (strcmp(sealed->member, member) != 0)
            continue;
        const struct x25519_private *own = keystore_opening(keystore, sealed->key.data);
        if (own == NULL)
            return STATUS_NOT_FOUND;
        ret->epoch = epoch->epoch;
        return epochs_open(epoch->epoch, sealed, own, ret->key);
    }
    return STATUS_NOT_FOUND;
}

enum status bundle_open_epochs(const struct bundle *bundle, const struct keystore *keystore,
                               struct bundle_epoch **ret, size_t *ret_n)
{
    size_t n = bundle->body->n_epochs;
    struct bundle_epoch *epochs = calloc(n + 1, sizeof epochs[0]);
    enum status status = epochs == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = open_epoch(bundle->body->epochs[i], keystore, &epochs[i]);
    if (status == STATUS_OK) {
        *ret = epochs;
        *ret_n = n;
        epochs = NULL;
    }
    bundle_epochs_free(&epochs, n);
    return status;
}

void bundle_epochs_free(struct bundle_epoch **epochs, size_t n)
{
    if (epochs == NULL || *epochs == NULL)
        return;
    bytes_wipe(*epochs, n * sizeof **epochs);
    free(*epochs);
    *epochs = NULL;
}

uint64_t bundle_serial(const struct bundle *bundle)
{
    return bundle->head.serial;
}

int64_t bundle_not_before(const struct bundle *bundle)
{
    return bundle->head.not_before;
}

int64_t bundle_not_after(const struct bundle *bundle)
{
    return bundle->head.not_after;
}

const char *bundle_name(const struct bundle *bundle)
{
    return bundle->body->name;
}

bool bundle_demo(const struct bundle *bundle)
{
    return bundle->body->demo;
}

uint32_t bundle_lowest_version(const struct bundle *bundle)
{
    return bundle->body->lowest_version;
}

uint32_t bundle_quorum(const struct bundle *bundle)
{
    return bundle->body->authority_quorum;
}

struct byte_view bundle_file(const struct bundle *bundle)
{
    return bytes_buffer_view(&bundle->file);
}

struct byte_view bundle_body(const struct bundle *bundle)
{
    return bundle->body_bytes;
}

struct byte_view bundle_head(const struct bundle *bundle)
{
    return wire_view(bundle->signed_head->head);
}

const uint8_t *bundle_head_digest(const struct bundle *bundle)
{
    return bundle->head.digest;
}

const uint8_t *bundle_root_digest(const struct bundle *bundle)
{
    return bundle->head.root;
}

struct byte_view bundle_root(const struct bundle *bundle)
{
    return wire_view(bundle->body->root);
}

struct byte_view bundle_web_root(const struct bundle *bundle)
{
    return wire_view(bundle->body->web_root);
}

size_t bundle_officers_revoked(const struct bundle *bundle)
{
    return bundle->body->n_officer_revocations;
}

bool bundle_officer_revoked(const struct bundle *bundle, const uint8_t certificate[static DIGEST_SIZE])
{
    for (size_t i = 0; i < bundle->body->n_officer_revocations; i++) {
        if (same_digest(bundle->body->officer_revocations[i]->certificate.data, certificate))
            return true;
    }
    return false;
}

const Wire__SignedHead *bundle_signed_head(const struct bundle *bundle)
{
    return bundle->signed_head;
}

const struct directory *bundle_directory(const struct bundle *bundle)
{
    return bundle->directory;
}

const char *bundle_log_vkey(const struct bundle *bundle)
{
    return bundle->body->log_vkey;
}

struct byte_view bundle_catalogue(const struct bundle *bundle)
{
    return wire_view(bundle->body->catalogue);
}

size_t bundle_protocol_count(const struct bundle *bundle)
{
    return bundle->body->n_protocols;
}

const char *bundle_protocol_id(const struct bundle *bundle, size_t index)
{
    return bundle->body->protocols[index]->id;
}

struct byte_view bundle_protocol(const struct bundle *bundle, size_t index)
{
    return wire_view(bundle->body->protocols[index]->content);
}

size_t bundle_witness_count(const struct bundle *bundle)
{
    return bundle->body->n_witnesses;
}

const char *bundle_witness_member(const struct bundle *bundle, size_t index)
{
    return bundle->body->witnesses[index]->member;
}

const char *bundle_witness_vkey(const struct bundle *bundle, size_t index)
{
    return bundle->body->witnesses[index]->vkey;
}

uint32_t bundle_witness_quorum(const struct bundle *bundle)
{
    return bundle->body->witness_quorum;
}

uint32_t bundle_witness_dishonest(const struct bundle *bundle)
{
    return bundle->body->has_witness_dishonest ? bundle->body->witness_dishonest : 0;
}

const char *bundle_contact(const struct bundle *bundle, const char *member)
{
    for (size_t i = 0; i < bundle->body->n_contacts; i++) {
        if (strcmp(bundle->body->contacts[i]->member, member) == 0)
            return bundle->body->contacts[i]->contact;
    }
    return NULL;
}
