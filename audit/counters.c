#include "audit/counters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_SIZE 64
#define SLOTS_FIRST   256   /* powers of two */
#define SLOTS_LAST    65536 /* half of them may be used */

struct slot {
    char name[NAME_MAX_SIZE];
    size_t size; /* 0: free */
    uint64_t sent;
    uint64_t received;
};

struct counters {
    struct slot *slots;
    size_t room;
    size_t used;
};

enum status counters_new(struct counters **ret)
{
    struct counters *counters = calloc(1, sizeof *counters);

    if (counters == NULL)
        return STATUS_NO_MEMORY;
    counters->room = SLOTS_FIRST;
    counters->slots = calloc(counters->room, sizeof *counters->slots);
    if (counters->slots == NULL) {
        free(counters);
        return STATUS_NO_MEMORY;
    }
    *ret = counters;
    return STATUS_OK;
}

void counters_free(struct counters **counters)
{
    if (*counters == NULL)
        return;
    free((*counters)->slots);
    free(*counters);
    *counters = NULL;
}

/* The member's slot, or the free one where it belongs. */
static struct slot *find(struct slot *slots, size_t room, struct byte_view name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 16777619u;
    for (size_t at = hash & (room - 1);; at = (at + 1) & (room - 1)) {
        struct slot *slot = &slots[at];
        if (slot->size == 0 || bytes_equal(name, bytes_view(slot->name, slot->size)))
            return slot;
    }
}

static enum status grow(struct counters *counters)
{
    size_t room = counters->room * 2;

    if (counters->used * 2 < counters->room)
        return STATUS_OK;
    if (room > SLOTS_LAST)
        return STATUS_TOO_LARGE;
    struct slot *slots = calloc(room, sizeof *slots);
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < counters->room; i++) {
        const struct slot *slot = &counters->slots[i];
        if (slot->size > 0)
            *find(slots, room, bytes_view(slot->name, slot->size)) = *slot;
    }
    free(counters->slots);
    counters->slots = slots;
    counters->room = room;
    return STATUS_OK;
}

static enum status take(struct counters *counters, struct byte_view name, struct slot **ret_slot)
{
    enum status status = grow(counters);

    if (status != STATUS_OK)
        return status;
    struct slot *slot = find(counters->slots, counters->room, name);
    if (slot->size == 0) {
        memcpy(slot->name, name.data, name.size);
        slot->size = name.size;
        counters->used++;
    }
    *ret_slot = slot;
    return STATUS_OK;
}

enum status counters_set(struct counters *counters, struct byte_view member, uint64_t sent, uint64_t received)
{
    struct slot *slot = NULL;

    if (member.size == 0 || member.size > NAME_MAX_SIZE)
        return STATUS_BAD_ARGUMENT;
    enum status status = take(counters, member, &slot);
    if (status == STATUS_OK) {
        slot->sent = sent;
        slot->received = received;
    }
    return status;
}

static int compare_slots(const void *a, const void *b)
{
    const struct slot *const *x = a;
    const struct slot *const *y = b;

    return bytes_compare(bytes_view((*x)->name, (*x)->size), bytes_view((*y)->name, (*y)->size));
}

enum status counters_each(const struct counters *counters,
                          void (*visit)(void *context, struct byte_view member, uint64_t sent,
                                        uint64_t received),
                          void *context)
{
    const struct slot **sorted = calloc(counters->used + 1, sizeof(const struct slot *));
    size_t count = 0;

    if (sorted == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < counters->room; i++) {
        if (counters->slots[i].size > 0)
            sorted[count++] = &counters->slots[i];
    }
    if (count > 0)
        qsort(sorted, count, sizeof(const struct slot *), compare_slots);
    for (size_t i = 0; i < count; i++)
        visit(context, bytes_view(sorted[i]->name, sorted[i]->size), sorted[i]->sent, sorted[i]->received);
    free(sorted);
    return STATUS_OK;
}

enum status counters_copy(const struct counters *from, struct counters *to)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < from->room; i++) {
        const struct slot *slot = &from->slots[i];

        if (slot->size > 0)
            status = counters_set(to, bytes_view(slot->name, slot->size), slot->sent, slot->received);
    }
    return status;
}

static enum status check_one(struct counters *counters, uint64_t index, struct byte_view member,
                             uint64_t counter, bool sending, struct problems *problems)
{
    const char *side = sending ? "sender" : "recipient";
    struct slot *slot = NULL;

    if (member.size == 0 || member.size > NAME_MAX_SIZE) {
        problems_add(problems, "entry %" PRIu64 ": carries a counter for a %s that it does not name", index,
                     side);
        return STATUS_OK;
    }
    enum status status = take(counters, member, &slot);
    if (status != STATUS_OK)
        return status;
    uint64_t *last = sending ? &slot->sent : &slot->received;
    if (counter != *last + 1)
        problems_add(problems,
                     "entry %" PRIu64 ": the counter of %.*s as %s is %" PRIu64 ", and should be %" PRIu64,
                     index, (int)slot->size, slot->name, side, counter, *last + 1);
    *last = counter;
    return STATUS_OK;
}

/* A member's count says how many entries of it came before. */
static enum status check_count(struct counters *counters, uint64_t index,
                               const struct record_account *account, struct problems *problems)
{
    struct slot *slot = NULL;
    enum status status = STATUS_OK;

    if (account->from.size == 0 || account->from.size > NAME_MAX_SIZE || account->detail_count != 2 ||
        account->details[0].size != 8 || account->details[1].size != 8) {
        problems_add(problems, "entry %" PRIu64 ": counts nobody", index);
        return status;
    }
    status = take(counters, account->from, &slot);
    if (status != STATUS_OK)
        return status;
    const uint64_t sent = bytes_get_u64(account->details[0].data);
    const uint64_t received = bytes_get_u64(account->details[1].data);
    if (sent != slot->sent || received != slot->received)
        problems_add(problems,
                     "entry %" PRIu64 ": counts %" PRIu64 " and %" PRIu64 " entries of %.*s as sender and"
                     " recipient, and there are %" PRIu64 " and %" PRIu64,
                     index, sent, received, (int)slot->size, slot->name, slot->sent, slot->received);
    return status;
}

enum status counters_check(struct counters *counters, uint64_t index, uint8_t kind,
                           const struct record_account *account, struct problems *problems)
{
    bool sends = kind == RECORD_ACCEPTED || kind == RECORD_REFUSED;
    bool receives = kind == RECORD_DISCLOSED;
    enum status status = STATUS_OK;

    if (account->from_counter != 0 ? !sends : kind == RECORD_ACCEPTED)
        problems_add(problems, "entry %" PRIu64 ": %s, and %s counter as sender", index,
                     record_kind_text(kind), sends ? "no" : "a");
    if (account->to_counter != 0 ? !receives : receives)
        problems_add(problems, "entry %" PRIu64 ": %s, and %s counter as recipient", index,
                     record_kind_text(kind), receives ? "no" : "a");
    if (account->from_counter != 0 && sends)
        status = check_one(counters, index, account->from, account->from_counter, true, problems);
    if (status == STATUS_OK && account->to_counter != 0 && receives)
        status = check_one(counters, index, account->to, account->to_counter, false, problems);
    if (status == STATUS_OK && kind == RECORD_COUNT &&
        bytes_equal(account->outcome, bytes_of_string("counted")))
        status = check_count(counters, index, account, problems);
    return status;
}
