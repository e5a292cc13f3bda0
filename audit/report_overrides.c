#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/reports.h"
#include "audit/row.h"

/* Each time that somebody broke the glass: why, about whom, who confirmed it and whether in time. */

#define OVERRIDES_MAX ((size_t)100000)
#define CELL_SIZE     72

struct override {
    char entry[24];
    char time[ROW_WHEN_SIZE];
    char from[CELL_SIZE];
    char rule[CELL_SIZE];
    char reason[CELL_SIZE];
    char person[ROW_PERSON_SIZE];
    char deadline[ROW_WHEN_SIZE]; /* with rule and sender, what its confirmation is known by */
    char officer[CELL_SIZE];
    char fate[2 * CELL_SIZE];
};

struct state {
    struct override *list;
    size_t count;
    size_t room;
    size_t waiting;
    uint64_t disclosures;
};

static const struct table_column columns[] = {{"entry", "entry", 8, TABLE_NUMBER},
                                              {"time", "made", 20, TABLE_TEXT},
                                              {"from", "by", 24, TABLE_TEXT},
                                              {"officer", "officer", 16, TABLE_TEXT},
                                              {"rule", "rule", 22, TABLE_TEXT},
                                              {"reason", "reason", 20, TABLE_TEXT},
                                              {"person", "person", 16, TABLE_TEXT},
                                              {"confirm_by", "confirm by", 20, TABLE_TEXT},
                                              {"fate", "what became of it", 0, TABLE_TEXT}};
static const struct table_head head = {"overrides", "Rules that were overridden", "none were", columns, 9};

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text);
}

static enum status take_made(struct state *state, const json_t *row)
{
    struct override *override;

    if (state->count == state->room) {
        size_t room = state->room == 0 ? 64 : 2 * state->room;
        struct override *grown =
            room > OVERRIDES_MAX ? NULL : realloc(state->list, room * sizeof *state->list);
        if (grown == NULL)
            return room > OVERRIDES_MAX ? STATUS_TOO_LARGE : STATUS_NO_MEMORY;
        state->list = grown;
        state->room = room;
    }
    override = &state->list[state->count++];
    memset(override, 0, sizeof *override);
    (void)snprintf(override->entry, sizeof override->entry, "%" PRIu64, row_number(row, "index"));
    row_when(row_or(row, "time", "-"), override->time);
    row_when(row_or(row, "deadline", "-"), override->deadline);
    copy(override->from, sizeof override->from, row_or(row, "from", "-"));
    copy(override->rule, sizeof override->rule, row_or(row, "rule", "-"));
    copy(override->reason, sizeof override->reason, row_or(row, "reason", "-"));
    copy(override->officer, sizeof override->officer, row_or(row, "officer", "-"));
    row_person(row, override->person);
    state->waiting++;
    return STATUS_OK;
}

/* The newest one of that member, rule and deadline: a confirmation names whose it is as `to`. */
static struct override *find(struct state *state, const char *maker, const json_t *row)
{
    char deadline[ROW_WHEN_SIZE];

    row_when(row_or(row, "deadline", "-"), deadline);
    for (size_t i = state->count; i > 0; i--) {
        struct override *override = &state->list[i - 1];

        if (strcmp(override->from, maker) == 0 && strcmp(override->rule, row_or(row, "rule", "-")) == 0 &&
            strcmp(override->deadline, deadline) == 0)
            return override;
    }
    return NULL;
}

static void take_fate(struct state *state, const json_t *row)
{
    bool confirmed = row_is(row, "outcome", "confirmed") || row_is(row, "outcome", "confirmed late");
    struct override *override = find(state, row_or(row, confirmed ? "to" : "from", "-"), row);
    char time[ROW_WHEN_SIZE];

    if (override == NULL)
        return;
    row_when(row_or(row, "time", "-"), time);
    state->waiting -= override->fate[0] == '\0' && state->waiting > 0;
    if (confirmed)
        (void)snprintf(override->fate, sizeof override->fate, "%s by %s, %s", row_or(row, "outcome", "-"),
                       row_or(row, "from", "-"), time);
    else
        (void)snprintf(override->fate, sizeof override->fate, "%s %s%s%s", row_or(row, "outcome", "-"), time,
                       row_text(row, "officer") == NULL ? "" : " by ", row_or(row, "officer", ""));
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;

    if (row_is(row, "kind", "disclosed"))
        state->disclosures++;
    else if (row_is(row, "outcome", "made"))
        return take_made(state, row);
    else
        take_fate(state, row);
    return STATUS_OK;
}

static enum status write(struct report_run *run)
{
    const struct state *state = run->state;

    table_note(run->page,
               "%zu overrides, of which %zu are neither confirmed nor settled; %llu disclosures rest "
               "on them.",
               state->count, state->waiting, (unsigned long long)state->disclosures);
    table_open(run->page, &head);
    for (size_t i = 0; i < state->count; i++) {
        const struct override *override = &state->list[i];

        table_row(run->page, (const char *const[]){
                                 override->entry, override->time, override->from, override->officer,
                                 override->rule, override->reason, override->person, override->deadline,
                                 override->fate[0] == '\0' ? "waits to be confirmed" : override->fate});
    }
    table_close(run->page);
    return STATUS_OK;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    free(state->list);
}

static const char *const kinds[] = {"override", NULL};
static const char *const disclosed[] = {"disclosed", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .row = take},
    {.verb = "search", .kinds = disclosed, .flag = "break_glass", .row = take, .end = write},
    {.verb = NULL}};

const struct report report_overrides = {
    .name = "overrides",
    .title = "Where rules were overridden",
    .help = "each break-glass use, and whether it was confirmed in time",
    .state_size = sizeof(struct state),
    .passes = passes,
    .drop = drop,
};
