#include "broker/rulebooks.h"

#include <stdlib.h>
#include <string.h>

#include "certs/archive.h"

#define KEPT 8

struct rulebooks {
    const char *folder;
    struct rulebook *newest;
    struct rulebook *kept[KEPT]; /* the one that was asked for last comes first */
};

static enum status read_rulebook(struct bundle **bundle, struct rulebook **ret)
{
    char reason[256];
    enum status status = rulebook_new(*bundle, ret, reason, sizeof reason);

    bundle_free(bundle);
    return status;
}

enum status rulebooks_open(const char *folder, struct rulebooks **ret)
{
    struct rulebooks *rulebooks = calloc(1, sizeof *rulebooks);
    struct bundle *bundle = NULL;
    enum status status = rulebooks == NULL ? STATUS_NO_MEMORY : archive_newest(folder, &bundle, NULL);

    if (status == STATUS_OK)
        status = read_rulebook(&bundle, &rulebooks->newest);
    if (status != STATUS_OK) {
        rulebooks_free(&rulebooks);
        return status;
    }
    rulebooks->folder = folder;
    *ret = rulebooks;
    return STATUS_OK;
}

void rulebooks_free(struct rulebooks **rulebooks)
{
    if (*rulebooks == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++)
        rulebook_free(&(*rulebooks)->kept[i]);
    rulebook_free(&(*rulebooks)->newest);
    free(*rulebooks);
    *rulebooks = NULL;
}

static bool is_of(const struct rulebook *rulebook, const uint8_t *head)
{
    return rulebook != NULL && memcmp(bundle_head_digest(rulebook->bundle), head, DIGEST_SIZE) == 0;
}

/* Brings a place to the front; what stood before it moves back by one. */
static void to_front(struct rulebooks *rulebooks, size_t place)
{
    struct rulebook *rulebook = rulebooks->kept[place];

    memmove(&rulebooks->kept[1], &rulebooks->kept[0], place * sizeof rulebooks->kept[0]);
    rulebooks->kept[0] = rulebook;
}

/* Serials go down one by one until the head is found: there are few bundles a year. */
static enum status find_bundle(const struct rulebooks *rulebooks, const uint8_t *head, struct bundle **ret)
{
    uint64_t serial = bundle_serial(rulebooks->newest->bundle);

    while (serial-- > 1) {
        struct bundle *bundle = NULL;
        enum status status = archive_get(rulebooks->folder, serial, &bundle, NULL);

        if (status == STATUS_NOT_FOUND)
            continue;
        if (status != STATUS_OK)
            return status;
        if (memcmp(bundle_head_digest(bundle), head, DIGEST_SIZE) == 0) {
            *ret = bundle;
            return STATUS_OK;
        }
        bundle_free(&bundle);
    }
    return STATUS_NOT_FOUND;
}

enum status rulebooks_of(struct rulebooks *rulebooks, const uint8_t head[static DIGEST_SIZE],
                         const struct rulebook **ret)
{
    struct rulebook *found = NULL;
    struct bundle *bundle = NULL;
    enum status status;

    if (is_of(rulebooks->newest, head)) {
        *ret = rulebooks->newest;
        return STATUS_OK;
    }
    for (size_t i = 0; i < KEPT; i++) {
        if (is_of(rulebooks->kept[i], head)) {
            to_front(rulebooks, i);
            *ret = rulebooks->kept[0];
            return STATUS_OK;
        }
    }
    status = find_bundle(rulebooks, head, &bundle);
    if (status == STATUS_OK)
        status = read_rulebook(&bundle, &found);
    if (status != STATUS_OK)
        return status;
    rulebook_free(&rulebooks->kept[KEPT - 1]);
    rulebooks->kept[KEPT - 1] = found;
    to_front(rulebooks, KEPT - 1);
    *ret = found;
    return STATUS_OK;
}

const struct rulebook *rulebooks_newest(const struct rulebooks *rulebooks)
{
    return rulebooks->newest;
}
