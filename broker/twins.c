#include "broker/twins.h"

#include <stdlib.h>
#include <string.h>

/* An event that a record's merges rest on. */
struct mark {
    struct store_place place;
    size_t record;
};

struct record {
    struct register_entry entry;
    size_t parent; /* towards the record that stands for the person; its own index at the top */
};

struct twins {
    struct record *records;
    size_t record_count;
    size_t record_room;
    struct mark *marks;
    size_t mark_count;
    size_t mark_room;
};

enum status twins_new(struct twins **ret_twins)
{
    struct twins *twins = calloc(1, sizeof *twins);

    if (twins == NULL)
        return STATUS_NO_MEMORY;
    *ret_twins = twins;
    return STATUS_OK;
}

void twins_free(struct twins **twins)
{
    if (*twins == NULL)
        return;
    free((*twins)->records);
    free((*twins)->marks);
    free(*twins);
    *twins = NULL;
}

/* Room for more elements of a list, which may move. */
static enum status make_room(void **list, size_t *room, size_t needed, size_t size)
{
    size_t wanted = *room == 0 ? 64 : *room;
    void *larger = NULL;

    while (wanted < needed)
        wanted *= 2;
    if (wanted == *room)
        return STATUS_OK;
    larger = reallocarray(*list, wanted, size);
    if (larger == NULL)
        return STATUS_NO_MEMORY;
    *list = larger;
    *room = wanted;
    return STATUS_OK;
}

enum status twins_add(struct twins *twins, const struct store_place *places, size_t count,
                      const struct register_entry *entry)
{
    void *records = twins->records;
    void *marks = twins->marks;
    enum status status =
        make_room(&records, &twins->record_room, twins->record_count + 1, sizeof *twins->records);

    twins->records = records;
    if (status == STATUS_OK)
        status = make_room(&marks, &twins->mark_room, twins->mark_count + count, sizeof *twins->marks);
    twins->marks = marks;
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        twins->marks[twins->mark_count++] = (struct mark){places[i], twins->record_count};
    twins->records[twins->record_count] = (struct record){*entry, twins->record_count};
    twins->record_count++;
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    const struct store_place *one = &((const struct mark *)a)->place;
    const struct store_place *other = &((const struct mark *)b)->place;

    if (one->batch != other->batch)
        return one->batch < other->batch ? -1 : 1;
    return (one->index > other->index) - (one->index < other->index);
}

static size_t top_of(struct twins *twins, size_t record)
{
    while (twins->records[record].parent != record) {
        twins->records[record].parent = twins->records[twins->records[record].parent].parent;
        record = twins->records[record].parent;
    }
    return record;
}

static void join(struct twins *twins, size_t one, size_t other)
{
    size_t a = top_of(twins, one);
    size_t b = top_of(twins, other);
    size_t first = a < b ? a : b;
    size_t second = a < b ? b : a;

    if (twins->records[second].entry.review_due > twins->records[first].entry.review_due)
        twins->records[first].parent = second;
    else
        twins->records[second].parent = first;
}

void twins_each(struct twins *twins, void (*visit)(void *context, const struct register_entry *entry),
                void *context)
{
    if (twins->mark_count > 0)
        qsort(twins->marks, twins->mark_count, sizeof *twins->marks, compare);
    for (size_t i = 1; i < twins->mark_count; i++) {
        if (compare(&twins->marks[i - 1], &twins->marks[i]) == 0)
            join(twins, twins->marks[i - 1].record, twins->marks[i].record);
    }
    for (size_t i = 0; i < twins->record_count; i++) {
        if (twins->records[i].parent == i)
            visit(context, &twins->records[i].entry);
    }
}
