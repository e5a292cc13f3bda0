#include "tests/support/support.h"

#include <string.h>

#include "base/suppression.h"

/* Hidden small numbers stay hidden from anybody who can add and subtract. */

#define BELOW 5
#define ROWS  3
#define COLS  3
#define CELLS (ROWS * COLS)
#define SIZE  (CELLS + ROWS + COLS + 1)

/* Cells, then row totals, column totals, grand total. */
struct table {
    uint64_t counts[SIZE];
    bool hidden[SIZE];
    uint32_t row_parts[ROWS][COLS];
    uint32_t col_parts[COLS][ROWS];
    uint32_t rows_of_all[ROWS];
    uint32_t cols_of_all[COLS];
    struct suppression_line lines[ROWS + COLS + 2];
};

static void make(struct table *table, const uint64_t cells[CELLS])
{
    memset(table, 0, sizeof *table);
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t c = 0; c < COLS; c++) {
            uint32_t cell = r * COLS + c;

            table->counts[cell] = cells[cell];
            table->counts[CELLS + r] += cells[cell];
            table->counts[CELLS + ROWS + c] += cells[cell];
            table->counts[SIZE - 1] += cells[cell];
            table->row_parts[r][c] = table->col_parts[c][r] = cell;
            table->cols_of_all[c] = CELLS + ROWS + c;
        }
        table->rows_of_all[r] = CELLS + r;
        table->lines[r] = (struct suppression_line){CELLS + r, table->row_parts[r], COLS};
    }
    for (uint32_t c = 0; c < COLS; c++)
        table->lines[ROWS + c] = (struct suppression_line){CELLS + ROWS + c, table->col_parts[c], ROWS};
    table->lines[ROWS + COLS] = (struct suppression_line){SIZE - 1, table->rows_of_all, ROWS};
    table->lines[ROWS + COLS + 1] = (struct suppression_line){SIZE - 1, table->cols_of_all, COLS};
    assert_int_equal(
        suppression_hide(table->counts, SIZE, table->lines, ROWS + COLS + 2, BELOW, table->hidden),
        STATUS_OK);
}

/* ---- an onlooker, who tries every table that could be behind what is shown ---- */

#define MOST 24 /* no cell of the tests, and no guess, is above it */

struct onlooker {
    const struct table *table;
    uint64_t cells[CELLS];
    uint64_t tried;
    uint64_t seen[CELLS]; /* bits: values that a cell may have */
};

static uint64_t row_sum(const struct onlooker *self, size_t row)
{
    return self->cells[row * COLS] + self->cells[row * COLS + 1] + self->cells[row * COLS + 2];
}

static uint64_t col_sum(const struct onlooker *self, size_t col)
{
    return self->cells[col] + self->cells[COLS + col] + self->cells[2 * COLS + col];
}

static bool fits(const struct onlooker *self, size_t filled)
{
    const struct table *table = self->table;
    uint64_t all = 0;

    if (filled % COLS == 0) {
        size_t row = filled / COLS - 1;

        if (!table->hidden[CELLS + row] && row_sum(self, row) != table->counts[CELLS + row])
            return false;
    }
    if (filled < CELLS)
        return true;
    for (size_t c = 0; c < COLS; c++) {
        if (!table->hidden[CELLS + ROWS + c] && col_sum(self, c) != table->counts[CELLS + ROWS + c])
            return false;
        all += col_sum(self, c);
    }
    return table->hidden[SIZE - 1] || all == table->counts[SIZE - 1];
}

static void guess(struct onlooker *self, size_t cell)
{
    uint64_t first = 0, last = MOST;

    if (++self->tried > 3000000)
        return;
    if (cell == CELLS) {
        for (size_t i = 0; i < CELLS; i++)
            self->seen[i] |= UINT64_C(1) << self->cells[i];
        return;
    }
    if (!self->table->hidden[cell])
        first = last = self->table->counts[cell];
    for (self->cells[cell] = first; self->cells[cell] <= last; self->cells[cell]++) {
        if (fits(self, cell + 1))
            guess(self, cell + 1);
    }
}

static void check_against_onlooker(const uint64_t cells[CELLS])
{
    static struct onlooker self;
    static struct table table;

    make(&table, cells);
    memset(&self, 0, sizeof self);
    self.table = &table;
    guess(&self, 0);
    for (size_t i = 0; i < CELLS; i++) {
        if (cells[i] == 0 || cells[i] >= BELOW)
            continue;
        assert_true(table.hidden[i]);
        if (__builtin_popcountll(self.seen[i]) < BELOW)
            fail_msg("cell %zu of %d..: only %d values are possible", i, (int)cells[0],
                     __builtin_popcountll(self.seen[i]));
    }
}

static void test_small_ones_are_hidden(void **state)
{
    static const uint64_t none[CELLS] = {5, 6, 7, 8, 9, 10, 0, 0, 20};
    static const uint64_t one[CELLS] = {5, 6, 7, 8, 1, 10, 0, 0, 20};
    struct table table;

    (void)state;
    make(&table, none);
    for (size_t i = 0; i < SIZE; i++)
        assert_false(table.hidden[i]);
    make(&table, one);
    assert_true(table.hidden[4]);
    assert_true(table.hidden[3] || table.hidden[5] || table.hidden[CELLS + 1]); /* one more in its row */
    assert_true(table.hidden[1] || table.hidden[7] || table.hidden[CELLS + ROWS + 1]);
    assert_false(table.hidden[SIZE - 1]);
}

/* Two hidden ones that add up to little tell as much as one. */
static void test_residue(void **state)
{
    static const uint32_t parts[] = {1, 2, 3, 4};
    static const struct suppression_line line = {0, parts, 4};
    static const uint64_t counts[] = {32, 1, 1, 10, 20};
    bool hidden[5];

    (void)state;
    assert_int_equal(suppression_hide(counts, 5, &line, 1, BELOW, hidden), STATUS_OK);
    assert_true(hidden[1] && hidden[2] && hidden[3]);
    assert_false(hidden[4] || hidden[0]);
}

/* x + y + s = 20 and x + y = 17 are both shown: s is known, though each line hides two. */
static void test_solved(void **state)
{
    static const uint32_t first[] = {2, 3, 4}, second[] = {2, 3, 5};
    static const struct suppression_line lines[] = {{0, first, 3}, {1, second, 3}};
    static const uint64_t counts[] = {20, 17, 8, 9, 3, 0};
    bool hidden[6];

    (void)state;
    assert_int_equal(suppression_hide(counts, 6, lines, 2, BELOW, hidden), STATUS_OK);
    assert_true(hidden[2] && hidden[3] && hidden[4]);
    assert_true(hidden[0] || hidden[1] || hidden[5]);
}

/* s + x = 6, x + y = 9, y + w = 5: nothing is known for certain, and y is 3, 4 or 5. */
static void test_ranges(void **state)
{
    static const uint32_t first[] = {3, 4}, second[] = {4, 5}, third[] = {5, 6};
    static const struct suppression_line lines[] = {{0, first, 2}, {1, second, 2}, {2, third, 2}};
    static const uint64_t counts[] = {6, 9, 5, 1, 5, 4, 1};
    bool hidden[7];

    (void)state;
    assert_int_equal(suppression_hide(counts, 7, lines, 3, BELOW, hidden), STATUS_OK);
    assert_true(hidden[0] || hidden[1] || hidden[2]);
}

static void test_alone(void **state)
{
    static const uint64_t counts[] = {4, 5, 0};
    bool hidden[3];

    (void)state;
    assert_int_equal(suppression_hide(counts, 3, NULL, 0, BELOW, hidden), STATUS_OK);
    assert_true(hidden[0]);
    assert_false(hidden[1] || hidden[2]);
}

/* Many tables, and whoever looks at them cannot narrow a small count to fewer values than the threshold. */
static void test_onlooker(void **state)
{
    static const uint8_t usual[] = {0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15};
    uint32_t random = 12345;
    uint64_t cells[CELLS];

    (void)state;
    for (int i = 0; i < 150; i++) {
        for (size_t c = 0; c < CELLS; c++) {
            random = random * 1664525 + 1013904223;
            cells[c] = usual[(random >> 16) % sizeof usual];
            if ((random >> 8) % 3 != 0) /* mostly large ones, so that few are hidden and many are shown */
                cells[c] += 5;
        }
        check_against_onlooker(cells);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_ones_are_hidden),
        cmocka_unit_test(test_residue),
        cmocka_unit_test(test_solved),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_onlooker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
