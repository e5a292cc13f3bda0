#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"
#include "base/civil.h"

/*
 * Days on which an agency did much more than it usually does, and acts by people at night. The rules stand in
 * the report itself; there is nothing else to them.
 */

#define HISTORY_DAYS  28
#define HISTORY_LEAST 7
#define LEAST         20 /* fewer a day are never unusual */
#define TIMES         3
#define NIGHT_BEGINS  20 /* o'clock, UTC */
#define NIGHT_ENDS    6
#define SERIES_MAX    ((size_t)4096)
#define MEMBER_SIZE   72

struct series {
    char member[MEMBER_SIZE];
    const char *what;
    uint64_t today;
    uint64_t days[HISTORY_DAYS]; /* a ring */
};

struct state {
    struct series *series;
    size_t count;
    size_t room;
    int32_t first; /* day of the first entry */
    int32_t day;   /* that is being counted */
    bool begun;
    bool open;
    struct counts *night;
};

static const struct table_column columns[] = {{"day", "day", 10, TABLE_TEXT},
                                              {"agency", "agency", 24, TABLE_TEXT},
                                              {"what", "what", 10, TABLE_TEXT},
                                              {"count", "count", 8, TABLE_NUMBER},
                                              {"usual", "usual", 8, TABLE_NUMBER}};
static const struct table_head head = {"volume", "Unusual days", "no day was unusual", columns, 5};

static const struct table_column night_columns[] = {{"agency", "agency", 24, TABLE_TEXT},
                                                    {"officer", "officer", 24, TABLE_TEXT},
                                                    {"what", "what", 10, TABLE_TEXT},
                                                    {"day", "day", 10, TABLE_TEXT},
                                                    {"acts", "acts", 6, TABLE_NUMBER}};
static const struct table_head night_head = {"night", "Acts of people at night", "none", night_columns, 5};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    table_note(
        run->page,
        "A day is unusual for an agency if it sent, received, opened or asked at least %d, and more than %d "
        "times what is usual: the median of its %d days before (of fewer at the beginning of the period, but "
        "at least %d; days without any count as 0). Night is from %d:00 to %02d:00 UTC; acts of feeds and "
        "schedules (officer automatic:...) are left out there.",
        LEAST, TIMES, HISTORY_DAYS, HISTORY_LEAST, NIGHT_BEGINS, NIGHT_ENDS);
    return counts_new(4, 1, &state->night);
}

/* ---- volume ---- */

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Of an even number the lower of the two in the middle. */
static uint64_t median(const struct series *series, size_t days, int32_t day)
{
    uint64_t sorted[HISTORY_DAYS];

    for (size_t i = 0; i < days; i++)
        sorted[i] = series->days[(size_t)(day - 1 - (int32_t)i) % HISTORY_DAYS];
    qsort(sorted, days, sizeof sorted[0], compare);
    return sorted[(days - 1) / 2];
}

static void judge_day(struct report_run *run, struct series *series)
{
    struct state *state = run->state;
    size_t days = (size_t)(state->day - state->first);
    char day[CIVIL_DATE_SIZE], count[24], usual[24];
    uint64_t middle;

    days = days < HISTORY_DAYS ? days : HISTORY_DAYS;
    middle = days == 0 ? 0 : median(series, days, state->day);
    if (days >= HISTORY_LEAST && series->today >= LEAST && series->today > TIMES * middle) {
        civil_format_date(state->day, day);
        (void)snprintf(count, sizeof count, "%" PRIu64, series->today);
        (void)snprintf(usual, sizeof usual, "%" PRIu64, middle);
        table_row(run->page, (const char *const[]){day, series->member, series->what, count, usual});
    }
    series->days[(size_t)state->day % HISTORY_DAYS] = series->today;
    series->today = 0;
}

/* All days up to this one are over. After a gap longer than the history nothing of it is left. */
static void go_to(struct report_run *run, int32_t day)
{
    struct state *state = run->state;

    for (int32_t passed = 0; state->day < day; state->day++, passed++) {
        for (size_t i = 0; passed <= HISTORY_DAYS && i < state->count; i++)
            judge_day(run, &state->series[i]);
    }
}

static struct series *find_series(struct state *state, const char *member, const char *what)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->series[i].what == what && strcmp(state->series[i].member, member) == 0)
            return &state->series[i];
    }
    return NULL;
}

static enum status add(struct state *state, const char *member, const char *what)
{
    struct series *series = member == NULL ? NULL : find_series(state, member, what);

    if (member == NULL)
        return STATUS_OK;
    if (series == NULL && state->count == state->room) {
        size_t room = state->room == 0 ? 64 : 2 * state->room;
        struct series *grown = room > SERIES_MAX ? NULL : realloc(state->series, room * sizeof *grown);
        if (grown == NULL)
            return room > SERIES_MAX ? STATUS_TOO_LARGE : STATUS_NO_MEMORY;
        state->series = grown;
        state->room = room;
    }
    if (series == NULL) {
        series = &state->series[state->count++];
        *series = (struct series){.what = what};
        (void)snprintf(series->member, sizeof series->member, "%s", member);
    }
    series->today++;
    return STATUS_OK;
}

/* ---- rows ---- */

static enum status add_night(struct state *state, const json_t *row, const char *what, int64_t time)
{
    const char *officer = row_text(row, "officer");
    int hour = (int)((time - civil_time_of_day_start(civil_day_of(time))) / 3600000);
    char day[CIVIL_DATE_SIZE];

    if (officer == NULL || strncmp(officer, "automatic:", 10) == 0 ||
        (hour >= NIGHT_ENDS && hour < NIGHT_BEGINS))
        return STATUS_OK;
    civil_format_date(civil_day_of(time), day);
    return counts_add(state->night, (const char *const[]){row_text(row, "from"), officer, what, day}, 0, 1);
}

static enum status take(struct report_run *run, const json_t *row)
{
    static const struct {
        const char *kind;
        const char *side;
        const char *what;
    } acts[] = {{"accepted", "from", "sent"},
                {"disclosed", "to", "received"},
                {"opened", "from", "opened"},
                {"consulted", "from", "asked"}};
    struct state *state = run->state;
    int64_t time = row_time(row, "time");
    enum status status = STATUS_OK;

    if (time == INT64_MIN)
        return STATUS_OK;
    if (!state->begun) {
        table_open(run->page, &head);
        state->open = true;
        state->begun = true;
        state->first = state->day = civil_day_of(time);
    }
    go_to(run, civil_day_of(time));
    for (size_t i = 0; status == STATUS_OK && i < sizeof acts / sizeof acts[0]; i++) {
        if (!row_is(row, "kind", acts[i].kind))
            continue;
        status = add(state, row_text(row, acts[i].side), acts[i].what);
        if (status == STATUS_OK && strcmp(acts[i].side, "from") == 0)
            status = add_night(state, row, acts[i].what, time);
    }
    return status;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, &head);
    go_to(run, state->day + (state->begun ? 1 : 0));
    table_close(run->page);
    return counts_write(state->night, run->page, &night_head);
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    free(state->series);
    counts_free(&state->night);
}

static const char *const kinds[] = {"accepted", "disclosed", "opened", "consulted", NULL};
static const char *const fields[] = {"time", "kind", "from", "to", "officer", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take, .end = end}, {.verb = NULL}};

const struct report report_unusual = {
    .name = "unusual",
    .title = "Unusual volumes and hours",
    .help = "days with much more than usual, and acts at night; the rules stand in the report",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
