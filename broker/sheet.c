#include "broker/sheet.h"

#include <assert.h>
#include <inttypes.h>

void sheet_start(struct sheet *sheet, struct arena *arena, uint32_t counts, uint32_t lines)
{
    *sheet = (struct sheet){.arena = arena, .room = counts, .line_room = lines};
    sheet->counts = arena_array(arena, counts, sizeof *sheet->counts);
    sheet->hidden = arena_array(arena, counts, sizeof *sheet->hidden);
    sheet->lines = arena_array(arena, lines, sizeof *sheet->lines);
}

uint32_t sheet_counts(struct sheet *sheet, uint32_t count)
{
    uint32_t first = sheet->size;

    assert(count <= sheet->room - sheet->size);
    sheet->size += count;
    return first;
}

void sheet_add(struct sheet *sheet, const struct sheet_grid *grid, uint32_t row, uint32_t col, uint64_t count)
{
    assert(row < grid->row_count && col < grid->col_count);
    if (!arena_failed(sheet->arena))
        sheet->counts[grid->first + row * grid->col_count + col] += count;
}

/* total = the counts from first on, each step apart. */
static void add_line(struct sheet *sheet, uint32_t total, uint32_t first, uint32_t step, uint32_t count)
{
    uint32_t *parts = arena_array(sheet->arena, count, sizeof *parts);

    assert(sheet->line_count < sheet->line_room);
    if (arena_failed(sheet->arena))
        return;
    sheet->counts[total] = 0;
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = first + i * step;
        sheet->counts[total] += sheet->counts[parts[i]];
    }
    sheet->lines[sheet->line_count++] = (struct suppression_line){total, parts, count};
}

void sheet_total(struct sheet *sheet, const struct sheet_grid *grid)
{
    for (uint32_t col = 0; col < grid->col_count; col++)
        add_line(sheet, grid->col_totals + col, grid->first + col, grid->col_count, grid->row_count);
    if (grid->row_totals == SHEET_NONE)
        return;
    for (uint32_t row = 0; row < grid->row_count; row++)
        add_line(sheet, grid->row_totals + row, grid->first + row * grid->col_count, 1, grid->col_count);
    add_line(sheet, grid->all, grid->row_totals, 1, grid->row_count);
    add_line(sheet, grid->all, grid->col_totals, 1, grid->col_count);
}

enum status sheet_hide(struct sheet *sheet, uint32_t below)
{
    if (arena_failed(sheet->arena))
        return STATUS_NO_MEMORY;
    return suppression_hide(sheet->counts, sheet->size, sheet->lines, sheet->line_count, below,
                            sheet->hidden);
}

static uint64_t rounded(uint64_t count, uint32_t nearest)
{
    return nearest == 0 ? count : (count + nearest / 2) / nearest * nearest;
}

static void write_count(const struct sheet *sheet, const struct sheet_grid *grid, const char *row,
                        const char *col, uint32_t count, struct byte_buffer *out)
{
    bytes_append_format(out, "%s,%s,%s,", grid->title, row, col);
    if (sheet->hidden[count])
        bytes_append_string(out, "*\n");
    else
        bytes_append_format(out, "%" PRIu64 "\n", rounded(sheet->counts[count], grid->nearest));
}

void sheet_write(const struct sheet *sheet, const struct sheet_grid *grid, struct byte_buffer *out)
{
    for (uint32_t row = 0; row < grid->row_count; row++) {
        for (uint32_t col = 0; col < grid->col_count; col++)
            write_count(sheet, grid, grid->rows[row], grid->cols[col],
                        grid->first + row * grid->col_count + col, out);
        if (grid->row_totals != SHEET_NONE)
            write_count(sheet, grid, grid->rows[row], "all", grid->row_totals + row, out);
    }
    for (uint32_t col = 0; col < grid->col_count; col++)
        write_count(sheet, grid, "all", grid->cols[col], grid->col_totals + col, out);
    if (grid->all != SHEET_NONE)
        write_count(sheet, grid, "all", "all", grid->all, out);
}
