#include "certs/bundle_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "certs/epochs.h"
#include "certs/issuer.h"
#include "certs/witnesses.h"
#include "proto/note_key.h"
#include "proto/wire_check.h"

#define CERTIFICATES_MAX ((size_t)1 << 16)
#define TEXT_LARGEST     512 /* bytes of a reason or a contact */

/* The head apart from the file, so that the copy of the body that unpacking makes can go. */
static enum status keep_head(struct bundle *bundle, const Wire__SignedHead *signed_head)
{
    const ProtobufCMessage *message = NULL;
    struct byte_buffer bytes = bytes_buffer(BUNDLE_HEAD_LARGEST);
    enum status status = STATUS_OK;

    wire_pack(&signed_head->base, &bytes);
    status = bytes.status;
    if (status == STATUS_OK)
        status = wire_unpack(&wire__signed_head__descriptor, bytes_buffer_view(&bytes), BUNDLE_HEAD_LARGEST,
                             &bundle->head_arena, &message);
    if (status == STATUS_OK) {
        bundle->signed_head = (const Wire__SignedHead *)message;
        status = head_decode(wire_view(bundle->signed_head->head), &bundle->head);
    }
    bytes_buffer_free(&bytes);
    return status;
}

static enum status read_outer(struct bundle *bundle)
{
    struct byte_view file = bytes_buffer_view(&bundle->file);
    const ProtobufCMessage *message = NULL;
    struct wire_arena arena = wire_arena(WIRE_ARENA_BODY);
    enum status status = wire_unpack(&wire__bundle__descriptor, file, BUNDLE_LARGEST, &arena, &message);

    if (status == STATUS_OK) {
        const Wire__Bundle *outer = (const Wire__Bundle *)message;
        size_t size = outer->body.len;
        /* The encoding is the canonical one, in which the body's bytes come last. */
        bundle->body_bytes = bytes_view(file.data + file.size - size, size);
        status = keep_head(bundle, outer->head);
    }
    wire_arena_free(&arena);
    return status;
}

enum status bundle_read(struct byte_view file, struct bundle **ret)
{
    enum status status = STATUS_OK;
    struct bundle *bundle = NULL;

    if (file.size > BUNDLE_LARGEST)
        return STATUS_TOO_LARGE;
    bundle = calloc(1, sizeof *bundle);
    if (bundle == NULL)
        return STATUS_NO_MEMORY;
    atomic_init(&bundle->references, 1);
    bundle->file = bytes_buffer(BUNDLE_LARGEST);
    bundle->head_arena = wire_arena(WIRE_ARENA_FRAME);
    bundle->body_arena = wire_arena(WIRE_ARENA_BODY);
    bytes_append_view(&bundle->file, file);
    status = bundle->file.status;
    if (status == STATUS_OK)
        status = read_outer(bundle);
    if (status == STATUS_OK) {
        *ret = bundle;
        bundle = NULL;
    }
    bundle_free(&bundle);
    return status;
}

static bool good_text(const char *text)
{
    struct byte_view view = bytes_of_string(text);

    return view.size > 0 && view.size <= TEXT_LARGEST && utf8_printable(view);
}

static enum status check_numbers(const Wire__BundleBody *body, struct bundle_reason *reason)
{
    if (!issuer_name_good(body->name))
        return reason_refuse(reason, STATUS_BAD_FORMAT, "the partnership's name is not usable");
    if (body->lowest_version == 0)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it names no version of the wire");
    if (body->authority_quorum == 0 || body->authority_quorum > HEAD_SIGNATURES_MAX)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "%u authorities cannot be asked to sign",
                             body->authority_quorum);
    if (body->web_root.len == 0 || body->web_root.len > CERTIFICATE_LARGEST)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it holds no web root");
    if (body->catalogue.len == 0)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it holds no catalogue");
    if (body->n_protocols > BUNDLE_PROTOCOLS_MAX)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it carries %zu protocols, and %d are the most",
                             body->n_protocols, BUNDLE_PROTOCOLS_MAX);
    for (size_t i = 0; i < body->n_protocols; i++) {
        if (!wire_check_name(bytes_of_string(body->protocols[i]->id)))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "protocol %zu has no proper id", i + 1);
        if (i > 0 && strcmp(body->protocols[i - 1]->id, body->protocols[i]->id) >= 0)
            return reason_refuse(reason, STATUS_NOT_CANONICAL,
                                 "its protocols are not in the order of their ids");
    }
    return STATUS_OK;
}

/* All certificates, which the caller frees, as many as there are in the body. */
static enum status read_certificates(const Wire__BundleBody *body, const struct certificate_root *root,
                                     struct certificate **certificates, struct bundle_reason *reason)
{
    for (size_t i = 0; i < body->n_certificates; i++) {
        enum status status = certificate_parse(wire_view(body->certificates[i]), root, &certificates[i]);
        if (status == STATUS_BAD_CERTIFICATE)
            return reason_refuse(reason, status,
                                 "certificate %zu was not issued by its root, or is not a member's", i + 1);
        if (status != STATUS_OK)
            return reason_refuse(reason, status, "certificate %zu: %s", i + 1, status_text(status));
    }
    return STATUS_OK;
}

static enum status read_revocations(const Wire__BundleBody *body, struct directory_revocation *revocations,
                                    struct bundle_reason *reason)
{
    for (size_t i = 0; i < body->n_revocations; i++) {
        const Wire__Revocation *revocation = body->revocations[i];
        if (revocation->certificate.len != DIGEST_SIZE || revocation->at > CIVIL_TIME_MAX ||
            !good_text(revocation->reason))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "revocation %zu is malformed", i + 1);
        if (i > 0 && body->revocations[i - 1]->at > revocation->at)
            return reason_refuse(reason, STATUS_NOT_CANONICAL,
                                 "its revocations are not in the order of time");
        memcpy(revocations[i].certificate, revocation->certificate.data, DIGEST_SIZE);
        revocations[i].at = (int64_t)revocation->at;
        revocations[i].why = bytes_of_string(revocation->reason);
    }
    return STATUS_OK;
}

static enum status build_directory(struct bundle *bundle, const struct certificate_root *root,
                                   struct bundle_reason *reason)
{
    const Wire__BundleBody *body = bundle->body;
    enum status status = STATUS_NO_MEMORY;
    struct certificate **certificates = NULL;
    struct directory_revocation *revocations = NULL;

    if (body->n_certificates > CERTIFICATES_MAX || body->n_revocations > body->n_certificates)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it holds too many certificates or revocations");
    certificates = calloc(body->n_certificates + 1, sizeof certificates[0]);
    revocations = calloc(body->n_revocations + 1, sizeof revocations[0]);
    if (certificates == NULL || revocations == NULL)
        goto out;
    status = read_certificates(body, root, certificates, reason);
    if (status == STATUS_OK)
        status = read_revocations(body, revocations, reason);
    if (status != STATUS_OK)
        goto out;
    status = directory_build(certificates, body->n_certificates, revocations, body->n_revocations,
                             &bundle->directory);
    if (status == STATUS_BAD_CERTIFICATE)
        reason_refuse(reason, status,
                      "one key stands in it twice, or a revocation names no certificate of it");
out:
    for (size_t i = 0; certificates != NULL && i < body->n_certificates; i++)
        certificate_free(&certificates[i]);
    free(certificates);
    free(revocations);
    return status;
}

/* The public key in a verifier key. */
static enum status read_vkey(const char *vkey, uint8_t ret_public[static ED25519_PUBLIC_SIZE])
{
    struct note_key *key = NULL;
    enum status status = note_key_parse(bytes_of_string(vkey), &key);

    if (status == STATUS_OK)
        ed25519_public_bytes(note_key_ed25519(key), ret_public);
    note_key_free(&key);
    return status;
}

static enum status check_log(const struct bundle *bundle, struct bundle_reason *reason)
{
    for (size_t i = 0; i < directory_size(bundle->directory); i++) {
        const struct directory_entry *entry = directory_at(bundle->directory, i);
        if (entry->vkey[0] != 0 && strcmp(entry->vkey, bundle->body->log_vkey) == 0)
            return STATUS_OK;
    }
    return reason_refuse(reason, STATUS_BAD_FORMAT, "no certificate carries the key of its log");
}

/* Whether a witness's key is that of another one before it, or the log's. */
static bool key_again(const struct bundle *bundle, size_t index)
{
    const Wire__BundleBody *body = bundle->body;
    uint8_t ours[ED25519_PUBLIC_SIZE];
    uint8_t other[ED25519_PUBLIC_SIZE];
    bool again = read_vkey(body->witnesses[index]->vkey, ours) != STATUS_OK ||
                 read_vkey(body->log_vkey, other) != STATUS_OK || memcmp(ours, other, sizeof ours) == 0;

    for (size_t i = 0; !again && i < index; i++)
        again =
            read_vkey(body->witnesses[i]->vkey, other) != STATUS_OK || memcmp(ours, other, sizeof ours) == 0;
    return again;
}

static enum status check_witnesses(const struct bundle *bundle, struct bundle_reason *reason)
{
    const Wire__BundleBody *body = bundle->body;

    if (!witnesses_good_quorum(body->n_witnesses, body->witness_quorum, bundle_witness_dishonest(bundle)))
        return reason_refuse(
            reason, STATUS_BAD_FORMAT,
            "its witnesses form no quorum: of n witnesses, f of them dishonest, k must cosign "
            "with 2k > n + f");
    for (size_t i = 0; i < body->n_witnesses; i++) {
        const Wire__Witness *witness = body->witnesses[i];
        const struct directory_entry *entry = directory_known(bundle->directory, witness->member);
        if (entry == NULL || entry->role != ROLE_AGENT)
            return reason_refuse(reason, STATUS_BAD_FORMAT, "witness %zu is no member's agent", i + 1);
        if (i > 0 && strcmp(body->witnesses[i - 1]->member, witness->member) >= 0)
            return reason_refuse(reason, STATUS_NOT_CANONICAL,
                                 "its witnesses are not in the order of members");
        if (!witnesses_good_key(witness->member, witness->vkey))
            return reason_refuse(reason, STATUS_BAD_FORMAT,
                                 "the key of witness %zu is none that cosigns under its id", i + 1);
        if (key_again(bundle, i))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "the key of witness %zu is another's already",
                                 i + 1);
    }
    return STATUS_OK;
}

static enum status check_sealed_key(const struct bundle *bundle, const Wire__SealedKey *sealed,
                                    struct bundle_reason *reason)
{
    const struct directory_entry *entry = directory_known(bundle->directory, sealed->member);

    if (entry == NULL || entry->role != ROLE_AGENT)
        return reason_refuse(reason, STATUS_BAD_FORMAT,
                             "a pseudonym key is sealed to somebody who is no agent");
    if (sealed->key.len != CERTIFICATE_KEY_ID_SIZE || sealed->enc.len != HPKE_ENC_SIZE ||
        sealed->sealed.len != EPOCHS_SEALED_SIZE ||
        directory_by_sealing_id(bundle->directory, sealed->member, sealed->key.data) == NULL)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "a pseudonym key of %s is malformed", sealed->member);
    return STATUS_OK;
}

static enum status check_epochs(const struct bundle *bundle, struct bundle_reason *reason)
{
    const Wire__BundleBody *body = bundle->body;
    enum status status = STATUS_OK;

    if (body->n_epochs == 0)
        return reason_refuse(reason, STATUS_BAD_FORMAT, "it holds no pseudonym key");
    for (size_t i = 0; i < body->n_epochs; i++) {
        const Wire__PseudonymEpoch *epoch = body->epochs[i];
        if (epoch->epoch == 0 || (i > 0 && body->epochs[i - 1]->epoch >= epoch->epoch))
            return reason_refuse(reason, STATUS_NOT_CANONICAL, "its pseudonym epochs are not in order");
        for (size_t k = 0; status == STATUS_OK && k < epoch->n_keys; k++) {
            if (k > 0 && strcmp(epoch->keys[k - 1]->member, epoch->keys[k]->member) >= 0)
                return reason_refuse(reason, STATUS_NOT_CANONICAL, "its pseudonym keys are not in order");
            status = check_sealed_key(bundle, epoch->keys[k], reason);
        }
    }
    return status;
}

static enum status check_contacts(const struct bundle *bundle, struct bundle_reason *reason)
{
    const Wire__BundleBody *body = bundle->body;

    for (size_t i = 0; i < body->n_contacts; i++) {
        const Wire__DutyContact *contact = body->contacts[i];
        if (directory_known(bundle->directory, contact->member) == NULL || !good_text(contact->contact))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "duty contact %zu is malformed", i + 1);
        if (i > 0 && strcmp(body->contacts[i - 1]->member, contact->member) >= 0)
            return reason_refuse(reason, STATUS_NOT_CANONICAL,
                                 "its duty contacts are not in the order of members");
    }
    return STATUS_OK;
}

/* The certificates themselves are not in the bundle: whoever shows one shows the chain. */
static enum status check_officers(const struct bundle *bundle, struct bundle_reason *reason)
{
    const Wire__BundleBody *body = bundle->body;

    for (size_t i = 0; i < body->n_officer_revocations; i++) {
        const Wire__Revocation *revocation = body->officer_revocations[i];
        if (revocation->certificate.len != DIGEST_SIZE || revocation->at > CIVIL_TIME_MAX ||
            !good_text(revocation->reason))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "revocation %zu of an officer is malformed",
                                 i + 1);
        if (i > 0 && body->officer_revocations[i - 1]->at > revocation->at)
            return reason_refuse(reason, STATUS_NOT_CANONICAL,
                                 "its revocations of officers are not in the order of time");
    }
    return STATUS_OK;
}

static enum status check_body(struct bundle *bundle, struct bundle_reason *reason)
{
    struct certificate_root *root = NULL;
    enum status status = certificate_root_parse(wire_view(bundle->body->root), &root);

    if (status == STATUS_OK && memcmp(certificate_root_digest(root), bundle->head.root, DIGEST_SIZE) != 0)
        status = STATUS_BAD_CERTIFICATE;
    if (status != STATUS_OK)
        reason_refuse(reason, status, "its root certificate is not the one that its head names, or no root");
    if (status == STATUS_OK)
        status = check_numbers(bundle->body, reason);
    if (status == STATUS_OK)
        status = build_directory(bundle, root, reason);
    if (status == STATUS_OK)
        status = check_log(bundle, reason);
    if (status == STATUS_OK)
        status = check_witnesses(bundle, reason);
    if (status == STATUS_OK)
        status = check_epochs(bundle, reason);
    if (status == STATUS_OK)
        status = check_contacts(bundle, reason);
    if (status == STATUS_OK)
        status = check_officers(bundle, reason);
    certificate_root_free(&root);
    return status;
}

enum status bundle_read_body(struct bundle *bundle, struct bundle_reason *reason)
{
    uint8_t digest[DIGEST_SIZE];
    const ProtobufCMessage *message = NULL;

    digest_sha256(bundle->body_bytes, digest);
    if (memcmp(digest, bundle->head.body, sizeof digest) != 0)
        return reason_refuse(reason, STATUS_BAD_SIGNATURE, "its body is not the one that its head names");
    enum status status = wire_unpack(&wire__bundle_body__descriptor, bundle->body_bytes, BUNDLE_LARGEST,
                                     &bundle->body_arena, &message);
    if (status != STATUS_OK)
        return reason_refuse(reason, status, "its body is %s", status_text(status));
    bundle->body = (const Wire__BundleBody *)message;
    return check_body(bundle, reason);
}
