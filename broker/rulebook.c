#include "broker/rulebook.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/yaml_errors.h"

static enum status explain(enum status status, const char *what, const struct yaml_errors *errors,
                           char *reason, size_t size)
{
    if (errors->count > 0)
        (void)snprintf(reason, size, "the bundle's %s does not load: line %u, column %u: %s", what,
                       errors->list[0].line, errors->list[0].column, errors->list[0].text);
    else
        (void)snprintf(reason, size, "the bundle's %s does not load: %s", what, status_text(status));
    return status;
}

static enum status load_protocols(struct rulebook *rulebook, struct yaml_errors *errors, char *reason,
                                  size_t size)
{
    size_t count = bundle_protocol_count(rulebook->bundle);

    assert(count <= BUNDLE_PROTOCOLS_MAX); /* or it were no bundle */
    for (size_t i = 0; i < count; i++) {
        struct rulebook_protocol *slot = &rulebook->protocols[i];
        struct byte_view text = bundle_protocol(rulebook->bundle, i);
        enum status status = protocol_load(text, rulebook->catalogue, errors, &slot->protocol);
        if (status != STATUS_OK)
            return explain(status, bundle_protocol_id(rulebook->bundle, i), errors, reason, size);
        digest_sha256(text, slot->digest);
        rulebook->protocol_count++;
    }
    return STATUS_OK;
}

enum status rulebook_new(struct bundle *bundle, struct rulebook **ret, char *reason, size_t size)
{
    struct rulebook *rulebook = calloc(1, sizeof *rulebook);
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    enum status status = STATUS_NO_MEMORY;

    if (rulebook == NULL || errors == NULL) {
        (void)snprintf(reason, size, "%s", status_text(status));
        goto out;
    }
    atomic_init(&rulebook->references, 1);
    rulebook->bundle = bundle_share(bundle);
    rulebook->directory = bundle_directory(bundle);
    status = catalogue_load(bundle_catalogue(bundle), errors, &rulebook->catalogue);
    if (status != STATUS_OK) {
        (void)explain(status, "catalogue", errors, reason, size);
        goto out;
    }
    status = load_protocols(rulebook, errors, reason, size);
    if (status != STATUS_OK)
        goto out;
    *ret = rulebook;
    rulebook = NULL;
out:
    free(errors);
    rulebook_free(&rulebook);
    return status;
}

struct rulebook *rulebook_share(struct rulebook *rulebook)
{
    atomic_fetch_add(&rulebook->references, 1);
    return rulebook;
}

void rulebook_free(struct rulebook **rulebook)
{
    struct rulebook *gone = *rulebook;

    *rulebook = NULL;
    if (gone == NULL || atomic_fetch_sub(&gone->references, 1) > 1)
        return;
    for (size_t i = 0; i < gone->protocol_count; i++)
        protocol_free(&gone->protocols[i].protocol);
    catalogue_free(&gone->catalogue);
    bundle_free(&gone->bundle);
    free(gone);
}

const struct rulebook_protocol *rulebook_find(const struct rulebook *rulebook, struct byte_view id)
{
    for (size_t i = 0; i < rulebook->protocol_count; i++) {
        if (bytes_equal(bytes_of_string(rulebook->protocols[i].protocol->id), id))
            return &rulebook->protocols[i];
    }
    return NULL;
}

struct party_set rulebook_active(const struct rulebook *rulebook, const struct rulebook_protocol *protocol,
                                 int64_t now)
{
    struct party_set active = {{0}};

    for (uint16_t i = 0; i < protocol->protocol->party_count; i++) {
        if (directory_by_member(rulebook->directory, protocol->protocol->parties[i].id, now) != NULL)
            party_set_add(&active, i);
    }
    return active;
}
