#include "base/suppression.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PRIME  UINT64_C(2147483647) /* of the field in which lines are solved; its square fits 64 bits */
#define ROUNDS 64                   /* of narrowing ranges; each only ever narrows them */

struct work {
    const uint64_t *counts;
    size_t size;
    const struct suppression_line *lines;
    size_t line_count;
    uint32_t below;
    bool *hidden;
    bool *small; /* what is to be protected */
    uint64_t *low;
    uint64_t *high;
    uint32_t *matrix; /* line_count × (columns): the hidden counts of each line */
    uint32_t *column; /* of a hidden count */
    size_t columns;
};

/* ---- hiding more ---- */

static bool is_better(const struct work *work, uint32_t candidate, uint32_t best)
{
    uint64_t value = work->counts[candidate], other = work->counts[best];

    if ((value == 0) != (other == 0)) /* hiding nothing protects little */
        return other == 0;
    return value < other;
}

/* Hides one more count of the line: the smallest part that is shown, or else its total. False: all are
 * hidden.
 */
static bool hide_more(struct work *work, const struct suppression_line *line)
{
    uint32_t best = UINT32_MAX;

    for (size_t i = 0; i < line->count; i++) {
        if (!work->hidden[line->parts[i]] && (best == UINT32_MAX || is_better(work, line->parts[i], best)))
            best = line->parts[i];
    }
    if (best == UINT32_MAX && !work->hidden[line->total])
        best = line->total;
    if (best == UINT32_MAX)
        return false;
    work->hidden[best] = true;
    return true;
}

static bool has(const struct suppression_line *line, uint32_t count)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->parts[i] == count)
            return true;
    }
    return line->total == count;
}

/* The same in whichever of its lines that is possible. */
static bool protect(struct work *work, uint32_t count)
{
    for (size_t i = 0; i < work->line_count; i++) {
        if (has(&work->lines[i], count) && hide_more(work, &work->lines[i]))
            return true;
    }
    return false;
}

/* ---- one line ---- */

/* What the hidden parts of a line are known to add up to, and how many they are. */
static uint64_t rest_of(const struct work *work, const struct suppression_line *line, size_t *ret_hidden)
{
    uint64_t rest = 0;

    *ret_hidden = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (!work->hidden[line->parts[i]])
            continue;
        rest += work->counts[line->parts[i]];
        (*ret_hidden)++;
    }
    return rest;
}

/* A line gives away one hidden count, and hidden parts that together are few. */
static bool line_tells(const struct work *work, const struct suppression_line *line)
{
    size_t parts;
    uint64_t rest = rest_of(work, line, &parts);

    if (work->hidden[line->total])
        return parts == 0;
    return parts == 1 || (parts > 1 && rest < work->below);
}

static bool mend_lines(struct work *work)
{
    bool changed = false;

    for (size_t i = 0; i < work->line_count; i++) {
        while (line_tells(work, &work->lines[i]) && hide_more(work, &work->lines[i]))
            changed = true;
    }
    return changed;
}

/* ---- several lines together: solved for what is hidden ---- */

static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;

    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0)
            result = result * base % PRIME;
        base = base * base % PRIME;
    }
    return result;
}

static uint32_t *row_of(const struct work *work, size_t row)
{
    return work->matrix + row * work->columns;
}

static void fill_matrix(struct work *work)
{
    work->columns = 0;
    for (size_t i = 0; i < work->size; i++) {
        if (work->hidden[i])
            work->column[i] = (uint32_t)work->columns++;
    }
    memset(work->matrix, 0, work->line_count * work->columns * sizeof *work->matrix);
    for (size_t i = 0; i < work->line_count; i++) {
        const struct suppression_line *line = &work->lines[i];

        if (work->hidden[line->total])
            row_of(work, i)[work->column[line->total]] = (uint32_t)PRIME - 1;
        for (size_t k = 0; k < line->count; k++) {
            if (work->hidden[line->parts[k]])
                row_of(work, i)[work->column[line->parts[k]]] = 1;
        }
    }
}

static void swap_rows(struct work *work, size_t a, size_t b)
{
    for (size_t i = 0; i < work->columns && a != b; i++) {
        uint32_t kept = row_of(work, a)[i];

        row_of(work, a)[i] = row_of(work, b)[i];
        row_of(work, b)[i] = kept;
    }
}

static void clear_column(struct work *work, size_t pivot, size_t at)
{
    uint32_t *pivots = row_of(work, pivot);
    uint64_t inverse = power(pivots[at], PRIME - 2);

    for (size_t i = 0; i < work->columns; i++)
        pivots[i] = (uint32_t)(pivots[i] * inverse % PRIME);
    for (size_t row = 0; row < work->line_count; row++) {
        uint64_t factor = row_of(work, row)[at];

        if (row == pivot || factor == 0)
            continue;
        for (size_t i = 0; i < work->columns; i++)
            row_of(work, row)[i] = (uint32_t)((row_of(work, row)[i] + (PRIME - factor) * pivots[i]) % PRIME);
    }
}

/* Brings the lines into reduced row echelon form. */
static void eliminate(struct work *work)
{
    size_t pivot = 0;

    for (size_t at = 0; at < work->columns && pivot < work->line_count; at++) {
        size_t row = pivot;

        while (row < work->line_count && row_of(work, row)[at] == 0)
            row++;
        if (row == work->line_count)
            continue;
        swap_rows(work, pivot, row);
        clear_column(work, pivot++, at);
    }
}

/* A hidden count is known exactly when it stands alone in a line of the reduced form. */
static bool is_solved(const struct work *work, uint32_t column)
{
    for (size_t row = 0; row < work->line_count; row++) {
        const uint32_t *line = row_of(work, row);
        size_t others = 0;

        if (line[column] == 0)
            continue;
        for (size_t i = 0; i < work->columns && others == 0; i++)
            others += i != column && line[i] != 0;
        if (others == 0)
            return true;
    }
    return false;
}

static bool mend_solved(struct work *work)
{
    bool changed = false;

    fill_matrix(work);
    eliminate(work);
    for (uint32_t i = 0; i < work->size; i++) {
        if (work->small[i] && is_solved(work, work->column[i]))
            changed = protect(work, i) || changed;
    }
    return changed;
}

/* ---- ranges: what anybody can tell of a hidden count, since none is below 0 ---- */

static bool narrow_part(struct work *work, const struct suppression_line *line, uint32_t part)
{
    uint64_t others_low = 0, others_high = 0;
    bool changed = false;

    for (size_t i = 0; i < line->count; i++) {
        if (line->parts[i] == part)
            continue;
        others_low += work->low[line->parts[i]];
        others_high = others_high > UINT32_MAX || work->high[line->parts[i]] > UINT32_MAX
                          ? UINT64_MAX
                          : others_high + work->high[line->parts[i]];
    }
    if (work->high[line->total] >= others_low && work->high[part] > work->high[line->total] - others_low) {
        work->high[part] = work->high[line->total] - others_low;
        changed = true;
    }
    if (others_high <= UINT32_MAX && work->low[line->total] > others_high &&
        work->low[part] < work->low[line->total] - others_high) {
        work->low[part] = work->low[line->total] - others_high;
        changed = true;
    }
    return changed;
}

static bool narrow_total(struct work *work, const struct suppression_line *line)
{
    uint64_t low = 0, high = 0;
    bool changed = false;

    for (size_t i = 0; i < line->count; i++) {
        low += work->low[line->parts[i]];
        high = high > UINT32_MAX || work->high[line->parts[i]] > UINT32_MAX
                   ? UINT64_MAX
                   : high + work->high[line->parts[i]];
    }
    if (work->low[line->total] < low) {
        work->low[line->total] = low;
        changed = true;
    }
    if (work->high[line->total] > high) {
        work->high[line->total] = high;
        changed = true;
    }
    return changed;
}

static void narrow(struct work *work)
{
    bool changed = true;

    for (size_t i = 0; i < work->size; i++) {
        work->low[i] = work->hidden[i] ? 0 : work->counts[i];
        work->high[i] = work->hidden[i] ? UINT64_MAX : work->counts[i];
    }
    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (size_t i = 0; i < work->line_count; i++) {
            const struct suppression_line *line = &work->lines[i];

            changed = narrow_total(work, line) || changed;
            for (size_t k = 0; k < line->count; k++) {
                if (work->hidden[line->parts[k]])
                    changed = narrow_part(work, line, line->parts[k]) || changed;
            }
        }
    }
}

static bool mend_ranges(struct work *work)
{
    bool changed = false;

    narrow(work);
    for (uint32_t i = 0; i < work->size; i++) {
        if (work->small[i] && work->high[i] - work->low[i] < work->below - 1)
            changed = protect(work, i) || changed;
    }
    return changed;
}

/* ---- all of it ---- */

static void hide(struct work *work)
{
    for (size_t i = 0; i < work->size; i++)
        work->small[i] = work->hidden[i] = work->counts[i] > 0 && work->counts[i] < work->below;
    while (mend_lines(work) || mend_solved(work) || mend_ranges(work)) {
        /* each turn hides at least one more, so there is an end */
    }
}

enum status suppression_hide(const uint64_t *counts, size_t size, const struct suppression_line *lines,
                             size_t line_count, uint32_t below, bool *ret_hidden)
{
    struct work work = {.counts = counts,
                        .size = size,
                        .lines = lines,
                        .line_count = line_count,
                        .below = below,
                        .hidden = ret_hidden,
                        .small = calloc(size + 1, sizeof(bool)),
                        .low = calloc(size + 1, sizeof(uint64_t)),
                        .high = calloc(size + 1, sizeof(uint64_t)),
                        .matrix = calloc(line_count * size + 1, sizeof(uint32_t)),
                        .column = calloc(size + 1, sizeof(uint32_t))};
    enum status status = STATUS_NO_MEMORY;

    assert(below >= 2);
    if (work.small != NULL && work.low != NULL && work.high != NULL && work.matrix != NULL &&
        work.column != NULL) {
        hide(&work);
        status = STATUS_OK;
    }
    free(work.small);
    free(work.low);
    free(work.high);
    free(work.matrix);
    free(work.column);
    return status;
}
