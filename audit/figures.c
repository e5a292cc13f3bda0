#include "audit/figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/suppression.h"

#define AREA_SIZE 72

struct area {
    char name[AREA_SIZE];
    uint64_t count;
};

struct value {
    uint32_t area; /* number, in the order of first appearance */
    int64_t value;
};

struct figures {
    bool with_values;
    struct area areas[FIGURES_AREAS_MAX];
    uint32_t area_count;
    struct value *values;
    size_t value_count;
    size_t room;
};

enum status figures_new(bool with_values, struct figures **ret)
{
    struct figures *figures = calloc(1, sizeof *figures);

    if (figures == NULL)
        return STATUS_NO_MEMORY;
    figures->with_values = with_values;
    *ret = figures;
    return STATUS_OK;
}

void figures_free(struct figures **figures)
{
    if (*figures == NULL)
        return;
    free((*figures)->values);
    free(*figures);
    *figures = NULL;
}

static enum status find_area(struct figures *figures, const char *name, uint32_t *ret_area)
{
    for (uint32_t i = 0; i < figures->area_count; i++) {
        if (strcmp(figures->areas[i].name, name) == 0) {
            *ret_area = i;
            return STATUS_OK;
        }
    }
    if (figures->area_count == FIGURES_AREAS_MAX)
        return STATUS_TOO_LARGE;
    (void)snprintf(figures->areas[figures->area_count].name, AREA_SIZE, "%s", name);
    *ret_area = figures->area_count++;
    return STATUS_OK;
}

static enum status add_value(struct figures *figures, uint32_t area, int64_t value)
{
    if (figures->value_count == figures->room) {
        size_t room = figures->room == 0 ? 256 : 2 * figures->room;
        struct value *grown =
            room > FIGURES_VALUES_MAX ? NULL : realloc(figures->values, room * sizeof *grown);
        if (grown == NULL)
            return room > FIGURES_VALUES_MAX ? STATUS_TOO_LARGE : STATUS_NO_MEMORY;
        figures->values = grown;
        figures->room = room;
    }
    figures->values[figures->value_count++] = (struct value){area, value};
    return STATUS_OK;
}

enum status figures_add(struct figures *figures, const char *area, uint64_t n, int64_t value)
{
    uint32_t number = 0;
    enum status status = find_area(figures, area, &number);

    if (status == STATUS_OK && figures->with_values)
        status = add_value(figures, number, value);
    if (status == STATUS_OK)
        figures->areas[number].count += n;
    return status;
}

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a;
    const struct value *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

/* Of one area, or of all (UINT32_MAX): values are sorted. */
static int64_t percentile(const struct figures *figures, uint32_t area, uint64_t count, unsigned percent)
{
    uint64_t rank = (count * percent + 99) / 100;
    uint64_t seen = 0;

    for (size_t i = 0; i < figures->value_count; i++) {
        if (area != UINT32_MAX && figures->values[i].area != area)
            continue;
        if (++seen == rank)
            return figures->values[i].value;
    }
    return 0;
}

static void write_line(const struct figures *figures, struct table_page *page, const char *measure,
                       const char *unit, uint32_t area, uint64_t count, bool hidden)
{
    const char *name = area == UINT32_MAX ? "all" : figures->areas[area].name;
    char number[24], median[24], p90[24];
    bool values = figures->with_values && count > 0;

    (void)snprintf(number, sizeof number, "%" PRIu64, count);
    (void)snprintf(median, sizeof median, "%" PRId64, values ? percentile(figures, area, count, 50) : 0);
    (void)snprintf(p90, sizeof p90, "%" PRId64, values ? percentile(figures, area, count, 90) : 0);
    table_row(page, (const char *const[]){measure, name, hidden ? "*" : number,
                                          !values  ? NULL
                                          : hidden ? "*"
                                                   : median,
                                          !values  ? NULL
                                          : hidden ? "*"
                                                   : p90,
                                          unit});
}

/* Numbers of areas in the order of their names: there are few. */
static void sort_areas(const struct figures *figures, uint32_t order[static FIGURES_AREAS_MAX])
{
    for (uint32_t i = 0; i < figures->area_count; i++) {
        uint32_t at = i;

        for (; at > 0 && strcmp(figures->areas[order[at - 1]].name, figures->areas[i].name) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

enum status figures_write(struct figures *figures, struct table_page *page, const char *measure,
                          const char *unit, uint32_t below)
{
    uint64_t counts[FIGURES_AREAS_MAX + 1] = {0};
    uint32_t parts[FIGURES_AREAS_MAX];
    uint32_t order[FIGURES_AREAS_MAX];
    bool hidden[FIGURES_AREAS_MAX + 1] = {false};
    const uint32_t all = figures->area_count;
    const struct suppression_line line = {.total = all, .parts = parts, .count = figures->area_count};
    enum status status;

    for (uint32_t i = 0; i < figures->area_count; i++) {
        parts[i] = i;
        counts[i] = figures->areas[i].count;
        counts[all] += counts[i];
    }
    status = suppression_hide(counts, all + 1, &line, figures->area_count == 0 ? 0 : 1, below, hidden);
    if (status != STATUS_OK)
        return status;
    if (figures->value_count > 0)
        qsort(figures->values, figures->value_count, sizeof *figures->values, compare_values);
    sort_areas(figures, order);
    for (uint32_t i = 0; i < figures->area_count; i++)
        write_line(figures, page, measure, unit, order[i], counts[order[i]], hidden[order[i]]);
    write_line(figures, page, measure, unit, UINT32_MAX, counts[all], hidden[all]);
    return STATUS_OK;
}
