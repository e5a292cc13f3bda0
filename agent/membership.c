#include "agent/membership.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"

void membership_free(struct membership **membership)
{
    if (*membership == NULL)
        return;
    for (size_t i = 0; i < (*membership)->protocol_count; i++)
        protocol_free(&(*membership)->protocols[i]);
    catalogue_free(&(*membership)->catalogue);
    bundle_epochs_free(&(*membership)->epochs, (*membership)->epoch_count);
    bundle_free(&(*membership)->bundle);
    free(*membership);
    *membership = NULL;
}

static enum status refuse(struct bundle_reason *ret_reason, enum status status, const char *what,
                          const struct yaml_errors *errors)
{
    const struct yaml_problem *first = &errors->list[0];

    if (ret_reason == NULL)
        return status;
    if (errors->count > 0)
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "the bundle's %s:%u:%u: %.160s", what,
                       first->line, first->column, first->text);
    else
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "the bundle's %s: %s", what,
                       status_text(status));
    return status;
}

static enum status load_protocols(struct membership *membership, struct bundle *bundle,
                                  struct yaml_errors *errors, struct bundle_reason *ret_reason)
{
    enum status status = STATUS_OK;
    size_t count = bundle_protocol_count(bundle);

    assert(count <= BUNDLE_PROTOCOLS_MAX); /* or it were no bundle */
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = protocol_load(bundle_protocol(bundle, i), membership->catalogue, errors,
                               &membership->protocols[i]);
        if (status == STATUS_OK)
            membership->protocol_count++;
        else
            status = refuse(ret_reason, status, bundle_protocol_id(bundle, i), errors);
    }
    return status;
}

enum status membership_load(struct bundle *bundle, const struct keystore *keystore,
                            struct membership **ret_membership, struct bundle_reason *ret_reason)
{
    struct membership *membership = calloc(1, sizeof *membership);
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    enum status status = STATUS_NO_MEMORY;

    if (membership == NULL || errors == NULL)
        goto out;
    status = catalogue_load(bundle_catalogue(bundle), errors, &membership->catalogue);
    if (status != STATUS_OK) {
        status = refuse(ret_reason, status, "catalogue", errors);
        goto out;
    }
    status = load_protocols(membership, bundle, errors, ret_reason);
    if (status != STATUS_OK)
        goto out;
    if (keystore != NULL)
        status = bundle_open_epochs(bundle, keystore, &membership->epochs, &membership->epoch_count);
    if (status != STATUS_OK) {
        status = refuse(ret_reason, status, "pseudonym keys", errors);
        goto out;
    }
    membership->bundle = bundle;
    membership->directory = bundle_directory(bundle);
    *ret_membership = membership;
    membership = NULL;
out:
    membership_free(&membership);
    free(errors);
    return status;
}

const struct protocol *membership_protocol(const struct membership *membership, struct byte_view id)
{
    for (size_t i = 0; i < membership->protocol_count; i++)
        if (bytes_equal(bytes_of_string(membership->protocols[i]->id), id))
            return membership->protocols[i];
    return NULL;
}

enum status membership_pseudonym(const struct membership *membership, size_t position,
                                 enum pseudonym_kind kind, struct byte_view member, struct byte_view id,
                                 struct pseudonym *ret_pseudonym)
{
    if (position >= membership->epoch_count)
        return STATUS_BAD_ARGUMENT;
    return pseudonym_make(membership->epochs[position].epoch, membership->epochs[position].key, kind, member,
                          id, ret_pseudonym);
}

static void set_signer(const struct membership *membership, const struct directory_entry *entry,
                       struct batch_signer *signer)
{
    memcpy(signer->root.bytes, bundle_root_digest(membership->bundle), DIGEST_SIZE);
    memcpy(signer->certificate.bytes, entry->digest, DIGEST_SIZE);
}

enum status membership_signer(const struct membership *membership, const char *member, int64_t now,
                              struct batch_signer *ret_signer)
{
    const struct directory_entry *entry = directory_by_member(membership->directory, member, now);

    if (entry == NULL)
        return STATUS_BAD_CERTIFICATE;
    set_signer(membership, entry, ret_signer);
    return STATUS_OK;
}

enum status membership_certificate(const struct membership *membership, struct byte_view certificate,
                                   const struct directory_entry **ret_entry, struct batch_signer *ret_signer)
{
    const struct directory_entry *entry = NULL;

    if (certificate.size == DIGEST_SIZE)
        entry = directory_by_certificate(membership->directory, certificate.data);
    if (entry == NULL)
        return STATUS_UNKNOWN_KEY;
    set_signer(membership, entry, ret_signer);
    *ret_entry = entry;
    return STATUS_OK;
}

enum status membership_author(const struct membership *membership, struct byte_view certificate, int64_t time,
                              const struct directory_entry **ret_entry, struct batch_signer *ret_signer)
{
    const struct directory_entry *entry = NULL;
    struct batch_signer signer;
    const enum status status = membership_certificate(membership, certificate, &entry, &signer);

    if (status != STATUS_OK)
        return status;
    if (directory_state_at(entry, time) != DIRECTORY_IN_FORCE)
        return STATUS_EXPIRED;
    *ret_entry = entry;
    *ret_signer = signer;
    return STATUS_OK;
}
