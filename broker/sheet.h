#pragma once

#include "base/bytes.h"
#include "base/suppression.h"
#include "policy/arena.h"

/*
 * Tables of counts with totals, some of which several tables share, and what of them may be shown. Everything
 * lies in an arena; when memory ends, arena_failed says so and nothing else happens.
 */
#define SHEET_NONE UINT32_MAX

struct sheet {
    struct arena *arena; /* borrowed */
    uint64_t *counts;
    bool *hidden;
    uint32_t size;
    uint32_t room;
    struct suppression_line *lines;
    uint32_t line_count;
    uint32_t line_room;
};

/* One table: rows × cols counts from `first` on, row by row. */
struct sheet_grid {
    const char *title;
    const char *const *rows;
    const char *const *cols;
    uint32_t row_count;
    uint32_t col_count;
    uint32_t first;
    uint32_t row_totals; /* row_count counts from here on, or SHEET_NONE: rows do not add up to anything */
    uint32_t col_totals; /* col_count counts */
    uint32_t all;        /* SHEET_NONE without row totals */
    uint32_t nearest;    /* counts are shown to the nearest multiple of this; 0: as they are */
};

/* sheet_start - an empty one that has room for so many counts and lines. */
void sheet_start(struct sheet *sheet, struct arena *arena, uint32_t counts, uint32_t lines);

/* sheet_counts - so many more counts, all 0: the index of the first. */
uint32_t sheet_counts(struct sheet *sheet, uint32_t count);

/* sheet_add - so many more in a cell of a grid. */
void sheet_add(struct sheet *sheet, const struct sheet_grid *grid, uint32_t row, uint32_t col,
               uint64_t count);

/* sheet_total - work out the totals of a grid from its cells (shared ones come out the same from each), and
 * keep the lines that say how they hang together. */
void sheet_total(struct sheet *sheet, const struct sheet_grid *grid);

/* sheet_hide - which counts may not be shown, once all grids are totalled. STATUS_NO_MEMORY. */
enum status sheet_hide(struct sheet *sheet, uint32_t below);

/* sheet_write - a grid as lines `title,row,column,count`; totals are called "all", what is hidden is `*`. */
void sheet_write(const struct sheet *sheet, const struct sheet_grid *grid, struct byte_buffer *out);
