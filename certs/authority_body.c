#include "certs/authority_body.h"

#include <stdlib.h>
#include <string.h>

#include "certs/epochs.h"
#include "proto/wire_codec.h"

#define LOWEST_VERSION 1 /* of the wire, that members may speak */

const char *authority_body_log_vkey(const struct authority_state *state, int64_t now)
{
    for (size_t i = state->n_certificates; i > 0; i--) {
        const struct authority_certificate *entry = &state->certificates[i - 1];
        if (authority_state_usable(entry, now) && entry->certificate->claims.vkey[0] != 0)
            return entry->certificate->claims.vkey;
    }
    return NULL;
}

static void *take(struct wire_arena *arena, size_t n, size_t size)
{
    return n > SIZE_MAX / size ? NULL : wire_arena_alloc(arena, n > 0 ? n * size : size);
}

static enum status fill_certificates(const struct authority_state *state, struct wire_arena *arena,
                                     Wire__BundleBody *body)
{
    body->certificates = take(arena, state->n_certificates, sizeof body->certificates[0]);
    if (body->certificates == NULL)
        return STATUS_NO_MEMORY;
    body->n_certificates = state->n_certificates;
    for (size_t i = 0; i < state->n_certificates; i++)
        body->certificates[i] = wire_data(bytes_buffer_view(&state->certificates[i].certificate->der));
    return STATUS_OK;
}

static int compare_revocations(const void *a, const void *b)
{
    const Wire__Revocation *const *left = a;
    const Wire__Revocation *const *right = b;

    if ((*left)->at != (*right)->at)
        return (*left)->at < (*right)->at ? -1 : 1;
    return memcmp((*left)->certificate.data, (*right)->certificate.data, DIGEST_SIZE);
}

static enum status fill_revocations(struct authority_state *state, struct wire_arena *arena,
                                    Wire__BundleBody *body)
{
    body->revocations = take(arena, state->n_certificates, sizeof body->revocations[0]);
    if (body->revocations == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < state->n_certificates; i++) {
        struct authority_certificate *entry = &state->certificates[i];
        if (!entry->revoked)
            continue;
        Wire__Revocation *message = take(arena, 1, sizeof *message);
        if (message == NULL)
            return STATUS_NO_MEMORY;
        *message = (Wire__Revocation)WIRE__REVOCATION__INIT;
        message->certificate =
            wire_data(bytes_view(entry->certificate->digest, sizeof entry->certificate->digest));
        message->at = (uint64_t)entry->revoked_at;
        message->reason = entry->why;
        body->revocations[body->n_revocations++] = message;
    }
    qsort(body->revocations, body->n_revocations, sizeof body->revocations[0], compare_revocations);
    return STATUS_OK;
}

/* Of data protection officers and intermediates, as long as the certificates would be valid otherwise. */
static enum status fill_officer_revocations(struct authority_state *state, struct wire_arena *arena,
                                            int64_t now, Wire__BundleBody *body)
{
    struct officer_book *book = &state->officers;

    body->officer_revocations = take(arena, book->n, sizeof body->officer_revocations[0]);
    if (body->officer_revocations == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < book->n; i++) {
        struct officer_entry *entry = &book->entries[i];
        if (!entry->revoked || now > entry->certificate.not_after)
            continue;
        Wire__Revocation *message = take(arena, 1, sizeof *message);
        if (message == NULL)
            return STATUS_NO_MEMORY;
        *message = (Wire__Revocation)WIRE__REVOCATION__INIT;
        message->certificate = wire_data(bytes_view(entry->certificate.digest, DIGEST_SIZE));
        message->at = (uint64_t)entry->revoked_at;
        message->reason = entry->why;
        body->officer_revocations[body->n_officer_revocations++] = message;
    }
    qsort(body->officer_revocations, body->n_officer_revocations, sizeof body->officer_revocations[0],
          compare_revocations);
    return STATUS_OK;
}

static enum status fill_notes(struct authority_state *state, struct wire_arena *arena, Wire__BundleBody *body)
{
    body->witnesses = take(arena, state->witnesses.n, sizeof body->witnesses[0]);
    body->contacts = take(arena, state->contacts.n, sizeof body->contacts[0]);
    Wire__Witness *witnesses = take(arena, state->witnesses.n, sizeof *witnesses);
    Wire__DutyContact *contacts = take(arena, state->contacts.n, sizeof *contacts);

    if (body->witnesses == NULL || body->contacts == NULL || witnesses == NULL || contacts == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < state->witnesses.n; i++) {
        witnesses[i] = (Wire__Witness)WIRE__WITNESS__INIT;
        witnesses[i].member = state->witnesses.items[i].member;
        witnesses[i].vkey = state->witnesses.items[i].text;
        body->witnesses[body->n_witnesses++] = &witnesses[i];
    }
    for (size_t i = 0; i < state->contacts.n; i++) {
        contacts[i] = (Wire__DutyContact)WIRE__DUTY_CONTACT__INIT;
        contacts[i].member = state->contacts.items[i].member;
        contacts[i].contact = state->contacts.items[i].text;
        body->contacts[body->n_contacts++] = &contacts[i];
    }
    body->witness_quorum = state->witness_quorum;
    body->has_witness_dishonest = state->witness_dishonest > 0;
    body->witness_dishonest = state->witness_dishonest;
    return STATUS_OK;
}

static int compare_claims(const void *a, const void *b)
{
    const struct certificate_claims *const *left = a;
    const struct certificate_claims *const *right = b;

    return strcmp((*left)->member, (*right)->member);
}

/* The newest valid certificate of every agent, in ascending order of member. */
static enum status list_agents(const struct authority_state *state, struct wire_arena *arena, int64_t now,
                               const struct certificate_claims ***ret_agents, size_t *ret_n)
{
    const struct certificate_claims **agents = take(arena, state->n_certificates, sizeof agents[0]);
    size_t n = 0;

    if (agents == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = state->n_certificates; i > 0; i--) {
        const struct authority_certificate *entry = &state->certificates[i - 1];
        const struct certificate_claims *claims = &entry->certificate->claims;
        size_t same = 0;
        if (claims->role != ROLE_AGENT || !authority_state_usable(entry, now))
            continue;
        while (same < n && strcmp(agents[same]->member, claims->member) != 0)
            same++;
        if (same == n)
            agents[n++] = claims;
    }
    qsort(agents, n, sizeof agents[0], compare_claims);
    *ret_agents = agents;
    *ret_n = n;
    return STATUS_OK;
}

static enum status seal_to(const struct authority_epoch *epoch, const struct certificate_claims *agent,
                           struct wire_arena *arena, Wire__SealedKey **ret)
{
    Wire__SealedKey *message = take(arena, 1, sizeof *message);
    struct epochs_sealed *sealed = take(arena, 1, sizeof *sealed);
    uint8_t *id = take(arena, CERTIFICATE_KEY_ID_SIZE, 1);

    if (message == NULL || sealed == NULL || id == NULL)
        return STATUS_NO_MEMORY;
    enum status status = epochs_seal(epoch->epoch, epoch->key, agent->member, agent->sealing, sealed);
    if (status != STATUS_OK)
        return status;
    certificate_key_id(agent->sealing, id);
    *message = (Wire__SealedKey)WIRE__SEALED_KEY__INIT;
    /* protobuf-c has no const messages; packing changes nothing. */
    memcpy(&message->member, &(const char *){agent->member}, sizeof message->member);
    message->key = wire_data(bytes_view(id, CERTIFICATE_KEY_ID_SIZE));
    message->enc = wire_data(bytes_view(sealed->enc, sizeof sealed->enc));
    message->sealed = wire_data(bytes_view(sealed->sealed, sizeof sealed->sealed));
    *ret = message;
    return STATUS_OK;
}

static enum status fill_epochs(const struct authority_state *state, struct wire_arena *arena, int64_t now,
                               Wire__BundleBody *body)
{
    const struct certificate_claims **agents = NULL;
    size_t n = 0;
    Wire__PseudonymEpoch *messages = take(arena, state->n_epochs, sizeof *messages);
    enum status status = list_agents(state, arena, now, &agents, &n);

    body->epochs = take(arena, state->n_epochs, sizeof body->epochs[0]);
    if (body->epochs == NULL || messages == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < state->n_epochs; i++) {
        messages[i] = (Wire__PseudonymEpoch)WIRE__PSEUDONYM_EPOCH__INIT;
        messages[i].epoch = state->epochs[i].epoch;
        messages[i].keys = take(arena, n, sizeof messages[i].keys[0]);
        if (messages[i].keys == NULL)
            return STATUS_NO_MEMORY;
        for (size_t k = 0; status == STATUS_OK && k < n; k++)
            status = seal_to(&state->epochs[i], agents[k], arena, &messages[i].keys[k]);
        messages[i].n_keys = n;
        body->epochs[body->n_epochs++] = &messages[i];
    }
    return status;
}

enum status authority_body_encode(const struct authority_parts *parts, struct byte_view catalogue,
                                  Wire__ProtocolFile **protocols, size_t n_protocols, int64_t now,
                                  struct byte_buffer *ret)
{
    struct authority_state *state = parts->state;
    Wire__BundleBody body = WIRE__BUNDLE_BODY__INIT;
    struct wire_arena arena = wire_arena(WIRE_ARENA_BODY);
    const char *vkey = authority_body_log_vkey(state, now);
    enum status status = fill_certificates(state, &arena, &body);

    body.name = state->name;
    body.demo = state->demo;
    body.lowest_version = LOWEST_VERSION;
    body.authority_quorum = state->quorum;
    body.root = wire_data(parts->root);
    body.web_root = wire_data(parts->web_root);
    body.catalogue = wire_data(catalogue);
    body.n_protocols = n_protocols;
    body.protocols = protocols;
    memcpy(&body.log_vkey, &vkey, sizeof body.log_vkey);
    if (status == STATUS_OK)
        status = fill_revocations(state, &arena, &body);
    if (status == STATUS_OK)
        status = fill_officer_revocations(state, &arena, now, &body);
    if (status == STATUS_OK)
        status = fill_notes(state, &arena, &body);
    if (status == STATUS_OK)
        status = fill_epochs(state, &arena, now, &body);
    if (status == STATUS_OK) {
        wire_pack(&body.base, ret);
        status = ret->status;
    }
    wire_arena_free(&arena);
    return status;
}
