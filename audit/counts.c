#include "audit/counts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS ((size_t)256) /* a power of two; always at least twice the groups */

struct group {
    uint64_t numbers[COUNTS_NUMBERS];
    uint32_t hash;
    char *texts[COUNTS_FIELDS]; /* in one allocation, which the first begins */
};

struct counts {
    size_t fields;
    size_t numbers;
    struct group **slots;
    size_t slot_count;
    size_t count;
};

enum status counts_new(size_t fields, size_t numbers, struct counts **ret)
{
    struct counts *counts = calloc(1, sizeof *counts);

    assert(fields > 0 && fields <= COUNTS_FIELDS && numbers > 0 && numbers <= COUNTS_NUMBERS);
    if (counts == NULL)
        return STATUS_NO_MEMORY;
    counts->fields = fields;
    counts->numbers = numbers;
    counts->slot_count = FIRST_SLOTS;
    counts->slots = calloc(counts->slot_count, sizeof(struct group *));
    if (counts->slots == NULL) {
        free(counts);
        return STATUS_NO_MEMORY;
    }
    *ret = counts;
    return STATUS_OK;
}

static void free_group(struct group *group)
{
    if (group != NULL)
        free(group->texts[0]);
    free(group);
}

void counts_free(struct counts **counts)
{
    if (*counts == NULL)
        return;
    for (size_t i = 0; i < (*counts)->slot_count; i++)
        free_group((*counts)->slots[i]);
    free((*counts)->slots);
    free(*counts);
    *counts = NULL;
}

static const char *text_at(const char *const *texts, size_t i)
{
    return texts[i] == NULL ? "" : texts[i];
}

static uint32_t hash_of(const struct counts *counts, const char *const *texts)
{
    uint32_t hash = 2166136261u; /* FNV-1a, each text with its zero */

    for (size_t i = 0; i < counts->fields; i++) {
        const char *at = text_at(texts, i);
        do
            hash = (hash ^ (unsigned char)*at) * 16777619u;
        while (*at++ != '\0');
    }
    return hash;
}

static bool is_group(const struct counts *counts, const struct group *group, const char *const *texts)
{
    for (size_t i = 0; i < counts->fields; i++) {
        if (strcmp(group->texts[i], text_at(texts, i)) != 0)
            return false;
    }
    return true;
}

/* Where the group is, or belongs. */
static size_t slot_of(const struct counts *counts, const char *const *texts, uint32_t hash)
{
    size_t slot = hash & (counts->slot_count - 1);

    while (counts->slots[slot] != NULL &&
           (counts->slots[slot]->hash != hash || !is_group(counts, counts->slots[slot], texts)))
        slot = (slot + 1) & (counts->slot_count - 1);
    return slot;
}

static enum status grow(struct counts *counts)
{
    size_t wanted = 2 * counts->slot_count;
    struct group **slots = calloc(wanted, sizeof(struct group *));

    if (slots == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < counts->slot_count; i++) {
        size_t slot = counts->slots[i] == NULL ? 0 : counts->slots[i]->hash & (wanted - 1);

        if (counts->slots[i] == NULL)
            continue;
        while (slots[slot] != NULL)
            slot = (slot + 1) & (wanted - 1);
        slots[slot] = counts->slots[i];
    }
    free(counts->slots);
    counts->slots = slots;
    counts->slot_count = wanted;
    return STATUS_OK;
}

static struct group *new_group(const struct counts *counts, const char *const *texts, uint32_t hash)
{
    struct group *group = calloc(1, sizeof *group);
    size_t size = 0;
    char *at;

    for (size_t i = 0; i < counts->fields; i++)
        size += strlen(text_at(texts, i)) + 1;
    at = malloc(size);
    if (group == NULL || at == NULL) {
        free(at);
        free(group);
        return NULL;
    }
    group->hash = hash;
    for (size_t i = 0; i < counts->fields; i++) {
        group->texts[i] = at;
        strcpy(at, text_at(texts, i));
        at += strlen(at) + 1;
    }
    return group;
}

enum status counts_add(struct counts *counts, const char *const *texts, size_t number, uint64_t n)
{
    uint32_t hash = hash_of(counts, texts);
    size_t slot;

    assert(number < counts->numbers);
    if (2 * (counts->count + 1) > counts->slot_count) {
        enum status status = counts->count >= COUNTS_MAX ? STATUS_TOO_LARGE : grow(counts);
        if (status != STATUS_OK)
            return status;
    }
    slot = slot_of(counts, texts, hash);
    if (counts->slots[slot] == NULL) {
        if (counts->count >= COUNTS_MAX)
            return STATUS_TOO_LARGE;
        counts->slots[slot] = new_group(counts, texts, hash);
        if (counts->slots[slot] == NULL)
            return STATUS_NO_MEMORY;
        counts->count++;
    }
    counts->slots[slot]->numbers[number] += n;
    return STATUS_OK;
}

uint64_t counts_get(const struct counts *counts, const char *const *texts, size_t number)
{
    const struct group *group = counts->slots[slot_of(counts, texts, hash_of(counts, texts))];

    return group == NULL ? 0 : group->numbers[number];
}

size_t counts_groups(const struct counts *counts)
{
    return counts->count;
}

/* qsort has no context: a text that is not there is NULL in both. */
static int compare(const void *a, const void *b)
{
    const struct group *const *x = a;
    const struct group *const *y = b;

    for (size_t i = 0; i < COUNTS_FIELDS && (*x)->texts[i] != NULL; i++) {
        int order = strcmp((*x)->texts[i], (*y)->texts[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

enum status counts_each(struct counts *counts,
                        enum status (*visit)(void *context, const char *const *texts,
                                             const uint64_t *numbers),
                        void *context)
{
    struct group **sorted = calloc(counts->count + 1, sizeof(struct group *));
    enum status status = sorted == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    size_t count = 0;

    for (size_t i = 0; sorted != NULL && i < counts->slot_count; i++) {
        if (counts->slots[i] != NULL)
            sorted[count++] = counts->slots[i];
    }
    if (count > 0)
        qsort(sorted, count, sizeof(struct group *), compare);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = visit(context, (const char *const *)sorted[i]->texts, sorted[i]->numbers);
    free(sorted);
    return status;
}

struct writing {
    const struct counts *counts;
    struct table_page *page;
};

static enum status write_group(void *context, const char *const *texts, const uint64_t *numbers)
{
    const struct writing *writing = context;
    const char *cells[COUNTS_FIELDS + COUNTS_NUMBERS];
    char text[COUNTS_NUMBERS][24];

    for (size_t i = 0; i < writing->counts->fields; i++)
        cells[i] = texts[i][0] == '\0' ? NULL : texts[i];
    for (size_t i = 0; i < writing->counts->numbers; i++) {
        (void)snprintf(text[i], sizeof text[i], "%" PRIu64, numbers[i]);
        cells[writing->counts->fields + i] = text[i];
    }
    table_row(writing->page, cells);
    return STATUS_OK;
}

enum status counts_write(struct counts *counts, struct table_page *page, const struct table_head *head)
{
    struct writing writing = {counts, page};

    assert(head->count == counts->fields + counts->numbers);
    table_open(page, head);
    enum status status = counts_each(counts, write_group, &writing);
    table_close(page);
    return status;
}
