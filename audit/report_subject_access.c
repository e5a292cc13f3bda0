#include <inttypes.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/*
 * What a person who asks under s.45 is told: who disclosed what about them to whom, for what purpose. What
 * the officer holds back, rule by rule, stands apart with the reason, and is for the file only.
 */

#define ITEMS_SIZE 4096

struct state {
    struct counts *recipients;
    bool open;
    uint64_t held;
};

static const struct table_column columns[] = {
    {"time", "when", 20, TABLE_TEXT},       {"from", "from", 24, TABLE_TEXT},
    {"to", "to", 24, TABLE_TEXT},           {"type", "event", 22, TABLE_TEXT},
    {"purpose", "purpose", 48, TABLE_TEXT}, {"items", "items", 0, TABLE_TEXT}};
static const struct table_head head = {"disclosures", "Disclosures about the person", "nothing was disclosed",
                                       columns, 6};

static const struct table_column sum_columns[] = {{"to", "recipient", 24, TABLE_TEXT},
                                                  {"disclosures", "disclosures", 11, TABLE_NUMBER}};
static const struct table_head sum_head = {"recipients", "Recipients", "nobody", sum_columns, 2};

static const struct table_column held_columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER}, {"time", "when", 20, TABLE_TEXT},
    {"from", "from", 24, TABLE_TEXT},    {"to", "to", 24, TABLE_TEXT},
    {"rule", "rule", 22, TABLE_TEXT},    {"why", "why it is held", 32, TABLE_TEXT},
    {"items", "items", 0, TABLE_TEXT}};
static const struct table_head held_head = {
    "held", "Held back from the person: for the file only, not to be given out", "nothing", held_columns, 7};

/* Why an entry's rule is held back, or NULL. */
static const char *hold_of(const struct report_run *run, const json_t *row)
{
    const char *rule = row_or(row, "rule", "");

    for (size_t i = 0; i < run->options->hold_count; i++) {
        const char *hold = run->options->holds[i];
        size_t size = strcspn(hold, "=");

        if (strlen(rule) == size && strncmp(rule, hold, size) == 0)
            return hold + size + 1;
    }
    return NULL;
}

static void open_table(struct report_run *run, const struct table_head *which)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, which);
    state->open = true;
}

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(1, 1, &state->recipients);
}

static enum status take_told(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    char time[ROW_WHEN_SIZE], items[ITEMS_SIZE];

    open_table(run, &head);
    if (hold_of(run, row) != NULL) {
        state->held++;
        return STATUS_OK;
    }
    row_when(row_or(row, "time", "-"), time);
    row_list(row, "labels", items, sizeof items);
    table_row(run->page, (const char *const[]){time, row_text(row, "from"), row_text(row, "to"),
                                               row_text(row, "type"), row_text(row, "purpose"), items});
    return counts_add(state->recipients, (const char *const[]){row_text(row, "to")}, 0, 1);
}

static enum status end_told(struct report_run *run)
{
    struct state *state = run->state;

    open_table(run, &head);
    table_close(run->page);
    state->open = false;
    enum status status = counts_write(state->recipients, run->page, &sum_head);
    table_note(
        run->page,
        "The broker holds no values: what each item says is to be had from the agency that sent it. What was "
        "erased from the log is not listed. Before this goes out, the officer decides what would prejudice "
        "an "
        "investigation, a prosecution, public security or another person's rights (DPA 2018 s.45(4); for "
        "agencies under UK GDPR schedules 2 to 4), holds it back with --hold RULE=WHY, and keeps a record of "
        "the reasons (s.45(7)).");
    return status;
}

static enum status take_held(struct report_run *run, const json_t *row)
{
    const char *why = hold_of(run, row);
    char entry[24], time[ROW_WHEN_SIZE], items[ITEMS_SIZE];

    if (why == NULL)
        return STATUS_OK;
    open_table(run, &held_head);
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "index"));
    row_when(row_or(row, "time", "-"), time);
    row_list(row, "labels", items, sizeof items);
    table_row(run->page, (const char *const[]){entry, time, row_text(row, "from"), row_text(row, "to"),
                                               row_text(row, "rule"), why, items});
    return STATUS_OK;
}

static enum status end_held(struct report_run *run)
{
    struct state *state = run->state;

    if (state->open)
        table_close(run->page);
    return STATUS_OK;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->recipients);
}

static const char *const kinds[] = {"disclosed", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .row = take_told, .end = end_told},
    {.verb = "search", .kinds = kinds, .row = take_held, .end = end_held},
    {.verb = NULL}};

const struct report report_subject_access = {
    .name = "subject-access",
    .title = "What was disclosed about one person",
    .help = "for a request under s.45, with what is held back apart",
    .needs = REPORT_SUBJECT,
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
