#include "certs/authority_bundle.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/safefile.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "certs/authority_body.h"
#include "certs/bundle_read.h"
#include "certs/witnesses.h"
#include "proto/wire_check.h"

/* ---- the files that the board gives ---- */

/* The value of a file's `key: value` line at the top level, into ret_value, which holds WIRE_NAME_MAX + 1. */
static enum status read_line(const struct authority_bundle_file *file, const char *key, char *ret_value,
                             struct bundle_reason *reason)
{
    struct yaml *yaml = NULL;
    struct yaml_error error;
    enum status status = yaml_parse(file->content, &yaml, &error);

    if (status != STATUS_OK)
        return reason_refuse(reason, status, "%s:%u:%u: %s", file->name, error.line, error.column,
                             error.reason);
    const struct yaml_node *value = yaml_get(yaml_root(yaml), key);
    if (value == NULL || value->kind != YAML_SCALAR || value->size > WIRE_NAME_MAX)
        status =
            reason_refuse(reason, STATUS_BAD_FORMAT, "%s: there is no line '%s: ...' in it", file->name, key);
    else
        memcpy(ret_value, value->text, value->size + 1);
    yaml_destroy(&yaml);
    return status;
}

/* Room for the protocols' messages. */
struct protocols {
    Wire__ProtocolFile *messages;
    Wire__ProtocolFile **list;
    char (*ids)[WIRE_NAME_MAX + 1];
};

static int compare_protocols(const void *a, const void *b)
{
    const Wire__ProtocolFile *const *left = a;
    const Wire__ProtocolFile *const *right = b;

    return strcmp((*left)->id, (*right)->id);
}

static enum status read_protocols(const struct authority_bundle_options *options, struct protocols *protocols,
                                  struct bundle_reason *reason)
{
    for (size_t i = 0; i < options->n_protocols; i++) {
        const struct authority_bundle_file *file = &options->protocols[i];
        Wire__ProtocolFile *message = &protocols->messages[i];
        enum status status = read_line(file, "protocol", protocols->ids[i], reason);
        if (status != STATUS_OK)
            return status;
        if (!wire_check_name(bytes_of_string(protocols->ids[i])))
            return reason_refuse(reason, STATUS_BAD_FORMAT, "%s: '%s' is not a protocol id", file->name,
                                 protocols->ids[i]);
        *message = (Wire__ProtocolFile)WIRE__PROTOCOL_FILE__INIT;
        message->id = protocols->ids[i];
        message->content = wire_data(file->content);
        protocols->list[i] = message;
    }
    qsort(protocols->list, options->n_protocols, sizeof protocols->list[0], compare_protocols);
    for (size_t i = 1; i < options->n_protocols; i++) {
        if (strcmp(protocols->list[i - 1]->id, protocols->list[i]->id) == 0)
            return reason_refuse(reason, STATUS_BAD_FORMAT, "two of the protocol files are '%s'",
                                 protocols->list[i]->id);
    }
    return STATUS_OK;
}

/* ---- what the state holds ---- */

static const struct authority_certificate *find_member(const struct authority_state *state,
                                                       const char *member)
{
    for (size_t i = 0; i < state->n_certificates; i++) {
        if (strcmp(state->certificates[i].certificate->claims.member, member) == 0)
            return &state->certificates[i];
    }
    return NULL;
}

static enum status take_settings(const struct authority_state *state, struct authority_notes *notes,
                                 const struct authority_bundle_setting *settings, size_t n,
                                 struct bundle_reason *reason)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = settings[i].text;
        if (find_member(state, settings[i].member) == NULL)
            return reason_refuse(reason, STATUS_REFUSED, "'%.80s' was never enrolled", settings[i].member);
        if (strlen(text) > AUTHORITY_STATE_TEXT || !utf8_printable(bytes_of_string(text)))
            return reason_refuse(reason, STATUS_BAD_FORMAT,
                                 "the text for %s must be one line of at most %d bytes", settings[i].member,
                                 AUTHORITY_STATE_TEXT);
        enum status status = authority_state_note(notes, settings[i].member, text);
        if (status != STATUS_OK)
            return reason_status(reason, status);
    }
    return STATUS_OK;
}

static size_t count_authorities(const struct authority_state *state, int64_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        if (authority_state_usable(entry, now) && entry->certificate->claims.role == ROLE_AUTHORITY)
            n++;
    }
    return n;
}

static bool has_certificate(const struct authority_state *state, const char *member, int64_t now)
{
    for (size_t i = 0; i < state->n_certificates; i++) {
        const struct authority_certificate *entry = &state->certificates[i];
        if (strcmp(entry->certificate->claims.member, member) == 0 &&
            entry->certificate->claims.role == ROLE_AGENT && authority_state_usable(entry, now))
            return true;
    }
    return false;
}

/* Who cosigns, how many of them must, and how many may be dishonest (certs/witnesses.h). */
static enum status take_witnesses(struct authority_state *state,
                                  const struct authority_bundle_options *options, int64_t now,
                                  struct bundle_reason *reason)
{
    const size_t n = state->witnesses.n;

    for (size_t i = 0; i < n; i++) {
        const struct authority_note *witness = &state->witnesses.items[i];
        if (!has_certificate(state, witness->member, now))
            return reason_refuse(
                reason, STATUS_REFUSED,
                "the witness %s has no valid certificate as an agent: take it away (--witness %s=)",
                witness->member, witness->member);
        if (!witnesses_good_key(witness->member, witness->text))
            return reason_refuse(
                reason, STATUS_REFUSED,
                "the key of the witness %s is not what `concordat-agent witness` prints there",
                witness->member);
    }
    if (options->witness_dishonest != NULL)
        state->witness_dishonest = *options->witness_dishonest;
    if (n == 0)
        state->witness_dishonest = 0;
    if (options->witness_quorum != NULL)
        state->witness_quorum = *options->witness_quorum;
    else if (!witnesses_good_quorum(n, state->witness_quorum, state->witness_dishonest))
        state->witness_quorum = witnesses_least_quorum(n, state->witness_dishonest);
    if (!witnesses_good_quorum(n, state->witness_quorum, state->witness_dishonest))
        return reason_refuse(
            reason, STATUS_REFUSED,
            "%u of %zu witnesses with %u of them dishonest is no quorum: more than half of both "
            "together must cosign, and no more than there are (at most %d)",
            state->witness_quorum, n, state->witness_dishonest, WITNESSES_MAX);
    return STATUS_OK;
}

/* The settings that stay from bundle to bundle. */
static enum status take_options(struct authority_state *state, const struct authority_bundle_options *options,
                                int64_t now, struct bundle_reason *reason)
{
    enum status status = STATUS_OK;

    if (options->valid_days == 0 || options->valid_days > BUNDLE_LONGEST_DAYS)
        return reason_refuse(reason, STATUS_REFUSED, "a bundle is valid for 1 to %d days",
                             BUNDLE_LONGEST_DAYS);
    status = take_settings(state, &state->contacts, options->contacts, options->n_contacts, reason);
    if (status == STATUS_OK)
        status = take_settings(state, &state->witnesses, options->witnesses, options->n_witnesses, reason);
    if (status != STATUS_OK)
        return status;
    status = take_witnesses(state, options, now, reason);
    if (status != STATUS_OK)
        return status;
    if (options->quorum != NULL)
        state->quorum = *options->quorum;
    if (state->quorum == 0 || state->quorum > count_authorities(state, now))
        return reason_refuse(reason, STATUS_REFUSED,
                             "%u authorities are to sign, and %zu have valid certificates", state->quorum,
                             count_authorities(state, now));
    return STATUS_OK;
}

/* ---- signing ---- */

/* The certificate of our current key among those of a bundle; NULL when it is not an authority's there. */
static const struct directory_entry *own_entry(const struct directory *directory,
                                               const struct keystore *keystore, int64_t now)
{
    uint8_t ours[ED25519_PUBLIC_SIZE];
    uint8_t theirs[ED25519_PUBLIC_SIZE];

    ed25519_public_bytes(keystore_signing(keystore), ours);
    for (size_t i = 0; i < directory_size(directory); i++) {
        const struct directory_entry *entry = directory_at(directory, i);
        ed25519_public_bytes(entry->signing, theirs);
        if (memcmp(ours, theirs, sizeof ours) == 0 && entry->role == ROLE_AUTHORITY &&
            directory_usable(entry, now))
            return entry;
    }
    return NULL;
}

/* A file of head, the signatures it has and ours. */
static enum status pack_signed(struct byte_view head, const Wire__SignedHead *before, struct byte_view body,
                               const uint8_t root[static DIGEST_SIZE],
                               const uint8_t certificate[static DIGEST_SIZE], const struct ed25519_key *key,
                               struct byte_buffer *ret)
{
    uint8_t bytes[ED25519_SIGNATURE_SIZE];
    Wire__HeadSignature *list[HEAD_SIGNATURES_MAX];
    Wire__HeadSignature ours = WIRE__HEAD_SIGNATURE__INIT;
    Wire__SignedHead signed_head = WIRE__SIGNED_HEAD__INIT;
    size_t n = before == NULL ? 0 : before->n_signatures;

    if (n >= HEAD_SIGNATURES_MAX)
        return STATUS_TOO_LARGE;
    enum status status = head_sign(head, root, certificate, key, bytes);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        list[i] = before->signatures[i];
    ours.certificate = wire_data(bytes_view(certificate, DIGEST_SIZE));
    ours.signature = wire_data(bytes_view(bytes, sizeof bytes));
    list[n] = &ours;
    signed_head.head = wire_data(head);
    signed_head.n_signatures = n + 1;
    signed_head.signatures = list;
    return bundle_pack(&signed_head, body, ret);
}

/* Head and file of an encoded body. The state's serial and head move on, in memory. */
static enum status sign_body(const struct authority_parts *parts, struct byte_view body, uint32_t days,
                             int64_t now, struct byte_buffer *ret_file)
{
    struct authority_state *state = parts->state;
    struct head head = {.serial = state->serial + 1, .not_before = now - ISSUER_SKEW_MS};
    struct byte_buffer bytes = bytes_buffer(HEAD_LARGEST);
    const struct certificate *certificate = state->certificates[0].certificate;

    head.not_after = head.not_before + days * CIVIL_DAY_MS;
    digest_sha256(body, head.body);
    memcpy(head.previous, state->head, sizeof head.previous);
    digest_sha256(parts->root, head.root);
    head_encode(&head, &bytes);
    enum status status = bytes.status;
    if (status == STATUS_OK)
        status = pack_signed(bytes_buffer_view(&bytes), NULL, body, head.root, certificate->digest,
                             keystore_signing(parts->keystore), ret_file);
    if (status == STATUS_OK) {
        state->serial = head.serial;
        digest_sha256(bytes_buffer_view(&bytes), state->head);
    }
    bytes_buffer_free(&bytes);
    return status;
}

static enum status archive(const struct authority_parts *parts, struct byte_view file)
{
    char path[PATH_MAX];
    int size =
        snprintf(path, sizeof path, "%s/bundles/%" PRIu64 ".bundle", parts->folder, parts->state->serial);

    return size > 0 && size < PATH_MAX ? safefile_write(path, file, 0600) : STATUS_BAD_ARGUMENT;
}

static enum status check_options(struct authority_state *state,
                                 const struct authority_bundle_options *options, int64_t now,
                                 struct bundle_reason *reason)
{
    char version[WIRE_NAME_MAX + 1];
    enum status status = read_line(&options->catalogue, "catalogue", version, reason);

    if (status == STATUS_OK)
        status = take_options(state, options, now, reason);
    if (status == STATUS_OK && authority_body_log_vkey(state, now) == NULL)
        status = reason_refuse(reason, STATUS_REFUSED,
                               "no broker is enrolled yet, so that there is no log to name");
    return status;
}

enum status authority_bundle_make(struct authority *authority, const struct authority_bundle_options *options,
                                  int64_t now, struct byte_buffer *ret_file, struct bundle_reason *ret_reason)
{
    struct authority_parts parts = authority_parts(authority);
    struct bundle_reason reason = {{0}};
    struct byte_buffer body = bytes_buffer(BUNDLE_LARGEST);
    struct byte_buffer file = bytes_buffer(0);
    struct bundle *check = NULL;
    struct protocols protocols = {
        .messages = calloc(options->n_protocols + 1, sizeof protocols.messages[0]),
        .list = calloc(options->n_protocols + 1, sizeof protocols.list[0]),
        .ids = calloc(options->n_protocols + 1, sizeof protocols.ids[0]),
    };
    enum status status = STATUS_NO_MEMORY;

    if (protocols.messages == NULL || protocols.list == NULL || protocols.ids == NULL)
        goto out;
    status = read_protocols(options, &protocols, &reason);
    if (status == STATUS_OK)
        status = check_options(parts.state, options, now, &reason);
    if (status == STATUS_OK && parts.state->epoch_due)
        status = authority_state_add_epoch(parts.state);
    if (status != STATUS_OK)
        goto out;
    parts.state->epoch_due = false;
    status = authority_body_encode(&parts, options->catalogue.content, protocols.list, options->n_protocols,
                                   now, &body);
    if (status == STATUS_OK)
        status = sign_body(&parts, bytes_buffer_view(&body), options->valid_days, now, &file);
    /* What members would refuse never leaves: and until here nothing has been written. */
    if (status == STATUS_OK)
        status = bundle_inspect(bytes_buffer_view(&file), &check, &reason);
    /* The state first: a serial that was used up for nothing does no harm, one used twice is a fork. */
    if (status == STATUS_OK)
        status = authority_save(authority);
    if (status == STATUS_OK)
        status = archive(&parts, bytes_buffer_view(&file));
    if (status == STATUS_OK) {
        *ret_file = file;
        file = bytes_buffer(0);
    }
out:
    if (status != STATUS_OK && reason.text[0] == 0)
        reason_status(&reason, status);
    if (status != STATUS_OK && ret_reason != NULL)
        *ret_reason = reason;
    bundle_free(&check);
    bytes_buffer_free(&file);
    bytes_buffer_free(&body);
    free(protocols.messages);
    free(protocols.list);
    free(protocols.ids);
    return status;
}

static bool signed_by(const Wire__SignedHead *signed_head, const uint8_t certificate[static DIGEST_SIZE])
{
    for (size_t i = 0; i < signed_head->n_signatures; i++) {
        if (bytes_equal(wire_view(signed_head->signatures[i]->certificate),
                        bytes_view(certificate, DIGEST_SIZE)))
            return true;
    }
    return false;
}

enum status authority_bundle_countersign(struct byte_view file, const struct keystore *keystore, int64_t now,
                                         struct byte_buffer *ret_file, struct bundle_reason *ret_reason)
{
    struct bundle *bundle = NULL;
    const struct directory_entry *entry = NULL;
    enum status status = bundle_inspect(file, &bundle, ret_reason);

    if (status != STATUS_OK)
        return status;
    entry = own_entry(bundle_directory(bundle), keystore, now);
    if (entry == NULL)
        status =
            reason_refuse(ret_reason, STATUS_REFUSED, "no valid authority in it has the keys of this folder");
    else if (signed_by(bundle_signed_head(bundle), entry->digest))
        status = reason_refuse(ret_reason, STATUS_REFUSED, "%s has signed it already", entry->member);
    if (status == STATUS_OK) {
        status = pack_signed(bundle_head(bundle), bundle_signed_head(bundle), bundle_body(bundle),
                             bundle_root_digest(bundle), entry->digest, keystore_signing(keystore), ret_file);
        if (status != STATUS_OK)
            reason_status(ret_reason, status);
    }
    bundle_free(&bundle);
    return status;
}
