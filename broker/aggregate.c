#include "broker/aggregate.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "broker/sheet.h"
#include "broker/twins.h"

#define UNKNOWN   "not known"
#define NAME_SIZE (PROTOCOL_ID_LENGTH + 32)
#define KEY_SIZE  (CORE_SUBJECT_SIZE + PROTOCOL_ID_LENGTH)

enum { PEOPLE_STRANDS, PEOPLE_STATES, CLOCK_AREAS, CLOCK_STRANDS, CHANGE_AREAS, CHANGE_STRANDS, GRIDS };

struct aggregate {
    const struct protocol *protocol;
    int64_t now;
    bool with_people;
    struct arena *arena;
    const char **areas; /* of the protocol, then UNKNOWN; likewise */
    const char **strands;
    const char **states;
    uint32_t area_count;
    uint32_t strand_count;
    uint32_t state_count;
    struct sheet sheet;
    struct sheet_grid grids[GRIDS];
};

/* ---- names ---- */

static const char **names(struct arena *arena, uint32_t count)
{
    const char **list = arena_array(arena, (size_t)count + 1, sizeof *list);

    if (list != NULL)
        list[count] = UNKNOWN;
    return list;
}

static void set_names(struct aggregate *self)
{
    const struct protocol *protocol = self->protocol;
    uint16_t label = catalogue_find_label(protocol->catalogue, bytes_of_string("status"));
    const struct catalogue_codes *states =
        label == CATALOGUE_NONE ? NULL : protocol->catalogue->labels[label].codes;

    self->area_count = protocol->area_count;
    self->strand_count = protocol->strand_count;
    self->state_count = states == NULL ? 0 : states->count;
    self->areas = names(self->arena, self->area_count);
    self->strands = names(self->arena, self->strand_count);
    self->states = names(self->arena, self->state_count);
    if (arena_failed(self->arena))
        return;
    for (uint32_t i = 0; i < self->area_count; i++)
        self->areas[i] = protocol->areas[i];
    for (uint32_t i = 0; i < self->strand_count; i++)
        self->strands[i] = protocol->strands[i].name;
    for (uint32_t i = 0; i < self->state_count; i++)
        self->states[i] = states->values[i];
}

/* Where a name stands; count (UNKNOWN's place) when it does not. */
static uint32_t place_of(const char *const *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0)
            return i;
    }
    return count;
}

/* ---- tables ---- */

static struct sheet_grid grid(struct aggregate *self, const char *title, bool by_area,
                              const char *const *cols, uint32_t col_count)
{
    uint32_t rows = (by_area ? self->area_count : self->strand_count) + 1;

    return (struct sheet_grid){.title = title,
                               .rows = by_area ? self->areas : self->strands,
                               .cols = cols,
                               .row_count = rows,
                               .col_count = col_count,
                               .first = sheet_counts(&self->sheet, rows * col_count),
                               .row_totals = SHEET_NONE,
                               .all = SHEET_NONE};
}

static void make_grids(struct aggregate *self)
{
    static const char *const clocks[] = {"in time", "late"};
    static const char *const changes[] = {"added", "removed"};
    struct sheet *sheet = &self->sheet;
    uint32_t areas = self->area_count + 1, strands = self->strand_count + 1, states = self->state_count + 1;
    struct sheet_grid *grids = self->grids;

    sheet_start(sheet, self->arena, areas * (strands + states + 6) + strands * 6 + states + 16,
                2 * (areas + strands) * 3 + states + 32);
    grids[PEOPLE_STRANDS] = grid(self, "people by area and strand", true, self->strands, strands);
    grids[PEOPLE_STATES] = grid(self, "people by area and state", true, self->states, states);
    grids[CLOCK_AREAS] = grid(self, "disclosures by area and clock", true, clocks, 2);
    grids[CLOCK_STRANDS] = grid(self, "disclosures by strand and clock", false, clocks, 2);
    grids[CHANGE_AREAS] = grid(self, "changes of the list by area", true, changes, 2);
    grids[CHANGE_STRANDS] = grid(self, "changes of the list by strand", false, changes, 2);
    grids[PEOPLE_STRANDS].row_totals = grids[PEOPLE_STATES].row_totals = sheet_counts(sheet, areas);
    grids[PEOPLE_STRANDS].all = grids[PEOPLE_STATES].all = sheet_counts(sheet, 1);
    grids[PEOPLE_STRANDS].col_totals = sheet_counts(sheet, strands);
    grids[PEOPLE_STATES].col_totals = sheet_counts(sheet, states);
    grids[CLOCK_AREAS].row_totals = sheet_counts(sheet, areas);
    grids[CLOCK_STRANDS].row_totals = sheet_counts(sheet, strands);
    grids[CLOCK_AREAS].all = grids[CLOCK_STRANDS].all = sheet_counts(sheet, 1);
    grids[CLOCK_AREAS].col_totals = grids[CLOCK_STRANDS].col_totals = sheet_counts(sheet, 2);
    grids[PEOPLE_STRANDS].nearest = grids[PEOPLE_STATES].nearest = self->protocol->aggregates.suppress_below;
    grids[CHANGE_AREAS].col_totals = grids[CHANGE_STRANDS].col_totals = sheet_counts(sheet, 2);
}

/* ---- counting ---- */

static void count_person(void *context, const struct register_entry *entry)
{
    struct aggregate *self = context;
    uint32_t area = place_of(self->areas, self->area_count, entry->area);

    sheet_add(&self->sheet, &self->grids[PEOPLE_STRANDS], area,
              place_of(self->strands, self->strand_count, entry->strand), 1);
    sheet_add(&self->sheet, &self->grids[PEOPLE_STATES], area,
              place_of(self->states, self->state_count, entry->status), 1);
}

static enum status count_records(struct aggregate *self, struct store *store, struct twins *twins)
{
    struct byte_view id = bytes_of_string(self->protocol->id);
    struct subject_record record;
    uint8_t after[KEY_SIZE];
    size_t after_size = 0;
    enum status status = STATUS_OK;

    for (;;) {
        struct byte_view key, stored;

        status = store_next_subject(store, bytes_view(after, after_size), &key, &stored);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        if (key.size < CORE_SUBJECT_SIZE || key.size > sizeof after)
            return STATUS_CORRUPT;
        memcpy(after, key.data, key.size);
        after_size = key.size;
        if (!bytes_equal(bytes_view(key.data + CORE_SUBJECT_SIZE, key.size - CORE_SUBJECT_SIZE), id))
            continue;
        status = subjects_read(stored, &record);
        if (status == STATUS_OK && record.state.entry.listed && record.merged_count > 0)
            status = twins_add(twins, record.merged, record.merged_count, &record.state.entry);
        else if (status == STATUS_OK && record.state.entry.listed)
            count_person(self, &record.state.entry);
        if (status != STATUS_OK)
            return status;
    }
}

/* After a merge both records stand on the list, and are one person. */
static enum status count_people(struct aggregate *self, struct store *store)
{
    struct twins *twins = NULL;
    enum status status = twins_new(&twins);

    if (status == STATUS_OK)
        status = count_records(self, store, twins);
    if (status == STATUS_OK)
        twins_each(twins, count_person, self);
    twins_free(&twins);
    return status;
}

static void count_cell(struct aggregate *self, const struct tally_cell *cell)
{
    bool clock = cell->measure == TALLY_IN_TIME || cell->measure == TALLY_LATE;
    uint32_t col = cell->measure == TALLY_LATE || cell->measure == TALLY_REMOVED ? 1 : 0;

    sheet_add(&self->sheet, &self->grids[clock ? CLOCK_AREAS : CHANGE_AREAS],
              place_of(self->areas, self->area_count, cell->area), col, cell->count);
    sheet_add(&self->sheet, &self->grids[clock ? CLOCK_STRANDS : CHANGE_STRANDS],
              place_of(self->strands, self->strand_count, cell->strand), col, cell->count);
}

static enum status count_month(struct aggregate *self, struct tally *tally, const char *month)
{
    const struct tally_cell *cells = NULL;
    size_t count = 0;
    enum status status = tally_read(tally, self->protocol->id, month, &cells, &count);

    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        count_cell(self, &cells[i]);
    return status;
}

/* ---- the text ---- */

static void write_head(const struct aggregate *self, const char *month, struct byte_buffer *out)
{
    const uint32_t below = self->protocol->aggregates.suppress_below;
    char time[CIVIL_TIME_SIZE];

    civil_format_time(self->now, time);
    bytes_append_format(out, "concordat/aggregates/v1\nprotocol,%s\nversion,%u\nmonth,%s\n",
                        self->protocol->id, self->protocol->version, month);
    if (self->with_people)
        bytes_append_format(out, "people as of,%s\npeople to the nearest,%u\n", time, below);
    bytes_append_format(out, "not shown below,%u\ntable,row,column,count\n", below);
}

static bool is_shown(const struct aggregate *self, size_t grid)
{
    return self->with_people || (grid != PEOPLE_STRANDS && grid != PEOPLE_STATES);
}

static enum status make_sheet(struct aggregate *self, struct store *store, struct tally *tally,
                              const char *month)
{
    enum status status = STATUS_OK;

    set_names(self);
    if (arena_failed(self->arena))
        return STATUS_NO_MEMORY;
    make_grids(self);
    if (arena_failed(self->arena))
        return STATUS_NO_MEMORY;
    if (self->with_people)
        status = count_people(self, store);
    if (status == STATUS_OK)
        status = count_month(self, tally, month);
    for (size_t i = 0; status == STATUS_OK && i < GRIDS; i++)
        sheet_total(&self->sheet, &self->grids[i]);
    return status == STATUS_OK ? sheet_hide(&self->sheet, self->protocol->aggregates.suppress_below) : status;
}

static enum status write_sheet(struct store *store, struct tally *tally, const struct protocol *protocol,
                               const char *month, bool with_people, int64_t now, struct byte_buffer *out)
{
    struct aggregate self = {
        .protocol = protocol, .now = now, .with_people = with_people, .arena = arena_new()};
    enum status status = STATUS_NO_MEMORY;

    if (self.arena == NULL)
        return STATUS_NO_MEMORY;
    status = make_sheet(&self, store, tally, month);
    if (status == STATUS_OK) {
        write_head(&self, month, out);
        for (size_t i = 0; i < GRIDS; i++) {
            if (is_shown(&self, i))
                sheet_write(&self.sheet, &self.grids[i], out);
        }
        status = out->status;
    }
    arena_free(&self.arena);
    return status;
}

/* ---- one return a month ---- */

/* The month has ended; *ret_last: it is the one before this. */
static bool has_ended(const char *month, int64_t now, bool *ret_last)
{
    char day[CIVIL_DATE_SIZE + 4];
    char present[TALLY_MONTH_SIZE];
    int32_t date;

    if (strlen(month) != TALLY_MONTH_SIZE - 1)
        return false;
    (void)snprintf(day, sizeof day, "%s-01", month);
    if (civil_parse_date(day, &date) != STATUS_OK)
        return false;
    tally_month(now, present);
    if (strcmp(month, present) >= 0)
        return false;
    tally_month(civil_time_of_day_start(civil_add_months(date, 1)), day);
    *ret_last = strcmp(day, present) == 0;
    return true;
}

enum status aggregate_month(struct store *store, struct tally *tally, const struct protocol *protocol,
                            const char *month, int64_t now, struct byte_buffer *out)
{
    struct byte_buffer text = bytes_buffer(out->limit);
    struct byte_view kept;
    char name[NAME_SIZE];
    bool last = false;
    enum status status;

    if (!has_ended(month, now, &last))
        return STATUS_REFUSED;
    (void)snprintf(name, sizeof name, "return/%s/%s", protocol->id, month);
    status = store_get_state(store, name, &kept);
    if (status == STATUS_NOT_FOUND) {
        status = write_sheet(store, tally, protocol, month, last, now, &text);
        kept = bytes_buffer_view(&text);
        if (status == STATUS_OK)
            status = store_put_state(store, name, kept);
    }
    if (status == STATUS_OK) {
        bytes_append_view(out, kept);
        status = out->status;
    }
    bytes_buffer_free(&text);
    return status;
}
