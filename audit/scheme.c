#include "audit/scheme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/row.h"

/* Open addressing; slots are at least twice the people. */
struct scheme {
    struct scheme_person **slots;
    size_t slot_count;
    size_t count;
};

enum status scheme_new(struct scheme **ret)
{
    struct scheme *scheme = calloc(1, sizeof *scheme);

    if (scheme == NULL)
        return STATUS_NO_MEMORY;
    *ret = scheme;
    return STATUS_OK;
}

void scheme_free(struct scheme **scheme)
{
    if (*scheme == NULL)
        return;
    for (size_t i = 0; i < (*scheme)->slot_count; i++)
        free((*scheme)->slots[i]);
    free((*scheme)->slots);
    free(*scheme);
    *scheme = NULL;
}

static size_t slot_of(struct scheme_person *const *slots, size_t slot_count, const char *reference,
                      const char *protocol)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t slot;

    for (const char *at = reference; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    slot = hash & (slot_count - 1);
    while (slots[slot] != NULL &&
           (strcmp(slots[slot]->reference, reference) != 0 || strcmp(slots[slot]->protocol, protocol) != 0))
        slot = (slot + 1) & (slot_count - 1);
    return slot;
}

static enum status grow(struct scheme *scheme)
{
    size_t wanted = scheme->slot_count == 0 ? 256 : 2 * scheme->slot_count;
    struct scheme_person **slots = calloc(wanted, sizeof(struct scheme_person *));

    if (slots == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < scheme->slot_count; i++) {
        struct scheme_person *person = scheme->slots[i];

        if (person != NULL)
            slots[slot_of(slots, wanted, person->reference, person->protocol)] = person;
    }
    free(scheme->slots);
    scheme->slots = slots;
    scheme->slot_count = wanted;
    return STATUS_OK;
}

static void copy(char *out, size_t size, const char *text)
{
    if (text != NULL)
        (void)snprintf(out, size, "%s", text);
}

static enum status find(struct scheme *scheme, const char *reference, const char *protocol,
                        struct scheme_person **ret)
{
    struct scheme_person *person;
    size_t slot;

    if (2 * (scheme->count + 1) > scheme->slot_count) {
        enum status status = scheme->count >= SCHEME_PEOPLE_MAX ? STATUS_TOO_LARGE : grow(scheme);
        if (status != STATUS_OK)
            return status;
    }
    slot = slot_of(scheme->slots, scheme->slot_count, reference, protocol);
    if (scheme->slots[slot] == NULL) {
        person = calloc(1, sizeof *person);
        if (person == NULL)
            return STATUS_NO_MEMORY;
        copy(person->reference, sizeof person->reference, reference);
        copy(person->protocol, sizeof person->protocol, protocol);
        person->added = person->removed = person->referred = INT64_MIN;
        scheme->slots[slot] = person;
        scheme->count++;
    }
    *ret = scheme->slots[slot];
    return STATUS_OK;
}

static void take_known(struct scheme_person *person, const json_t *known)
{
    person->listed = row_is(known, "listed", "yes");
    if (!person->listed)
        return; /* what was known stays for reports about the removal */
    copy(person->area, sizeof person->area, row_text(known, "area"));
    copy(person->strand, sizeof person->strand, row_text(known, "strand"));
    copy(person->selector, sizeof person->selector, row_text(known, "selector"));
    copy(person->status, sizeof person->status, row_text(known, "status"));
    copy(person->review_due, sizeof person->review_due, row_text(known, "review_due"));
}

enum status scheme_take(struct scheme *scheme, const json_t *line, struct scheme_person **ret_person)
{
    const json_t *attributes = json_object_get(line, "attributes");
    struct scheme_person *person = NULL;
    enum status status = find(scheme, row_or(line, "subject", "-"), row_or(line, "protocol", "-"), &person);

    if (status != STATUS_OK)
        return status;
    take_known(person, json_object_get(line, "person"));
    if (row_is(line, "event", "ppo.added") && !json_is_true(json_object_get(line, "repeat"))) {
        person->added = row_time(line, "at");
        person->removed = INT64_MIN;
        person->action[0] = person->why[0] = person->removed_by[0] = '\0';
        copy(person->authority, sizeof person->authority, row_text(attributes, "authority"));
    } else if (row_is(line, "event", "ppo.reviewed")) {
        copy(person->action, sizeof person->action, row_text(attributes, "action"));
    } else if (row_is(line, "event", "ppo.removed")) {
        person->removed = row_time(line, "at");
        copy(person->why, sizeof person->why, row_text(attributes, "reason"));
        copy(person->removed_by, sizeof person->removed_by, row_text(attributes, "authority"));
    }
    if (ret_person != NULL)
        *ret_person = person;
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    const struct scheme_person *const *x = a;
    const struct scheme_person *const *y = b;
    int order = strcmp((*x)->protocol, (*y)->protocol);

    if (order == 0)
        order = strcmp((*x)->area, (*y)->area);
    return order == 0 ? strcmp((*x)->reference, (*y)->reference) : order;
}

enum status scheme_each(struct scheme *scheme,
                        enum status (*visit)(void *context, const struct scheme_person *person),
                        void *context)
{
    struct scheme_person **sorted = calloc(scheme->count + 1, sizeof(struct scheme_person *));
    enum status status = sorted == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    size_t count = 0;

    for (size_t i = 0; sorted != NULL && i < scheme->slot_count; i++) {
        if (scheme->slots[i] != NULL)
            sorted[count++] = scheme->slots[i];
    }
    if (count > 0)
        qsort(sorted, count, sizeof(struct scheme_person *), compare);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = visit(context, sorted[i]);
    free(sorted);
    return status;
}

const char *scheme_area(const struct scheme_person *person)
{
    return person->area[0] == '\0' ? "(unknown)" : person->area;
}
