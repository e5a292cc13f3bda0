#include <inttypes.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/* What went out after its deadline, and what was not fetched or acknowledged in time. */

struct state {
    struct counts *late;
    bool open;
};

static const struct table_column late_columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER},      {"time", "disclosed", 20, TABLE_TEXT},
    {"deadline", "deadline", 20, TABLE_TEXT}, {"late_hours", "hours late", 10, TABLE_NUMBER},
    {"from", "from", 24, TABLE_TEXT},         {"to", "to", 24, TABLE_TEXT},
    {"type", "event", 22, TABLE_TEXT},        {"person", "person", 16, TABLE_TEXT}};
static const struct table_head late_head = {"late", "Disclosed after the deadline", "nothing was late",
                                            late_columns, 8};

static const struct table_column sum_columns[] = {
    {"from", "from", 24, TABLE_TEXT}, {"rule", "rule", 22, TABLE_TEXT}, {"late", "late", 6, TABLE_NUMBER}};
static const struct table_head sum_head = {"by_rule", "By sender and rule", "nothing was late", sum_columns,
                                           3};

static const struct table_column missed_columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER}, {"time", "noticed", 20, TABLE_TEXT},
    {"what", "what", 16, TABLE_TEXT},    {"from", "from", 24, TABLE_TEXT},
    {"to", "to", 24, TABLE_TEXT},        {"type", "event", 22, TABLE_TEXT},
    {"person", "person", 16, TABLE_TEXT}};
static const struct table_head missed_head = {
    "escalated", "Sent in time, and not fetched or not acknowledged in time", "nothing", missed_columns, 7};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(2, 1, &state->late);
}

static void open_table(struct report_run *run, const struct table_head *head)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, head);
    state->open = true;
}

static enum status take_late(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    int64_t by = row_time(row, "time") - row_time(row, "deadline");
    char entry[24], time[ROW_WHEN_SIZE], deadline[ROW_WHEN_SIZE], hours[24], person[ROW_PERSON_SIZE];

    open_table(run, &late_head);
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "index"));
    (void)snprintf(hours, sizeof hours, "%" PRId64, by / 3600000);
    row_when(row_or(row, "time", "-"), time);
    row_when(row_or(row, "deadline", "-"), deadline);
    row_person(row, person);
    table_row(run->page, (const char *const[]){entry, time, deadline, hours, row_text(row, "from"),
                                               row_text(row, "to"), row_text(row, "type"), person});
    return counts_add(state->late, (const char *const[]){row_text(row, "from"), row_text(row, "rule")}, 0, 1);
}

static enum status end_late(struct report_run *run)
{
    struct state *state = run->state;

    open_table(run, &late_head);
    table_close(run->page);
    state->open = false;
    return counts_write(state->late, run->page, &sum_head);
}

static enum status take_missed(struct report_run *run, const json_t *row)
{
    char entry[24], time[ROW_WHEN_SIZE], person[ROW_PERSON_SIZE];

    open_table(run, &missed_head);
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "index"));
    row_when(row_or(row, "time", "-"), time);
    row_person(row, person);
    table_row(run->page, (const char *const[]){entry, time, row_text(row, "outcome"), row_text(row, "from"),
                                               row_text(row, "to"), row_text(row, "type"), person});
    return STATUS_OK;
}

static enum status end_missed(struct report_run *run)
{
    open_table(run, &missed_head);
    table_close(run->page);
    return STATUS_OK;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->late);
}

static const char *const disclosed[] = {"disclosed", NULL};
static const char *const escalated[] = {"escalated", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = disclosed, .flag = "late", .row = take_late, .end = end_late},
    {.verb = "search", .kinds = escalated, .row = take_missed, .end = end_missed},
    {.verb = NULL}};

const struct report report_late = {
    .name = "late",
    .title = "What was late",
    .help = "disclosed after the deadline; not fetched or acknowledged in time",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
