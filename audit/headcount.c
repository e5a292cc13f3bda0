#include "audit/headcount.h"

#include <stdlib.h>
#include <string.h>

#include "proto/pseudonym.h"

/* Pseudonyms are random bytes: some of them are a hash already. Slots are at least twice the people. */
struct headcount {
    struct pseudonym *slots;
    bool *used;
    size_t slot_count;
    size_t count;
};

enum status headcount_new(struct headcount **ret)
{
    struct headcount *people = calloc(1, sizeof *people);

    if (people == NULL)
        return STATUS_NO_MEMORY;
    *ret = people;
    return STATUS_OK;
}

void headcount_free(struct headcount **people)
{
    if (*people == NULL)
        return;
    free((*people)->slots);
    free((*people)->used);
    free(*people);
    *people = NULL;
}

static size_t slot_of(const struct pseudonym *slots, const bool *used, size_t slot_count,
                      const struct pseudonym *who)
{
    size_t slot = 0;

    memcpy(&slot, who->bytes + sizeof who->bytes - sizeof slot, sizeof slot);
    slot &= slot_count - 1;
    while (used[slot] && memcmp(&slots[slot], who, sizeof *who) != 0)
        slot = (slot + 1) & (slot_count - 1);
    return slot;
}

static enum status grow(struct headcount *people)
{
    size_t wanted = people->slot_count == 0 ? 256 : 2 * people->slot_count;
    struct pseudonym *slots = calloc(wanted, sizeof *slots);
    bool *used = calloc(wanted, sizeof *used);

    if (slots == NULL || used == NULL) {
        free(slots);
        free(used);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < people->slot_count; i++) {
        if (!people->used[i])
            continue;
        size_t slot = slot_of(slots, used, wanted, &people->slots[i]);
        slots[slot] = people->slots[i];
        used[slot] = true;
    }
    free(people->slots);
    free(people->used);
    people->slots = slots;
    people->used = used;
    people->slot_count = wanted;
    return STATUS_OK;
}

enum status headcount_add(struct headcount *people, const char *subject)
{
    struct pseudonym who;
    enum status status = STATUS_OK;

    memset(&who, 0, sizeof who);
    if (subject == NULL || pseudonym_parse(subject, &who) != STATUS_OK)
        return STATUS_OK;
    if (2 * (people->count + 1) > people->slot_count)
        status = people->count >= HEADCOUNT_MAX ? STATUS_TOO_LARGE : grow(people);
    if (status != STATUS_OK)
        return status;
    size_t slot = slot_of(people->slots, people->used, people->slot_count, &who);
    if (people->used[slot])
        return STATUS_OK;
    people->slots[slot] = who;
    people->used[slot] = true;
    people->count++;
    return STATUS_OK;
}

size_t headcount_count(const struct headcount *people)
{
    return people->count;
}
