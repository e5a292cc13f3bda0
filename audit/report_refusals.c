#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/* What was refused and why. Identical refusals follow their first as a count. */

struct state {
    struct counts *refused;
    struct counts *plans;
    uint64_t refusals;
    uint64_t whole; /* of an event, not of one recipient */
};

static const struct table_column refused_columns[] = {{"from", "from", 24, TABLE_TEXT},
                                                      {"type", "event", 22, TABLE_TEXT},
                                                      {"to", "to", 24, TABLE_TEXT},
                                                      {"refusals", "refusals", 8, TABLE_NUMBER},
                                                      {"why", "why", 0, TABLE_TEXT}};
static const struct table_head refused_head = {"refusals", "Refused", "nothing was refused", refused_columns,
                                               5};

static const struct table_column plan_columns[] = {{"from", "from", 24, TABLE_TEXT},
                                                   {"type", "event", 22, TABLE_TEXT},
                                                   {"why", "why", 28, TABLE_TEXT},
                                                   {"questions", "questions", 9, TABLE_NUMBER}};
static const struct table_head plan_head = {
    "consulted", "Asked beforehand whether it may be sent, and not sent", "nothing", plan_columns, 4};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = counts_new(4, 1, &state->refused);

    return status == STATUS_OK ? counts_new(3, 1, &state->plans) : status;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const char *const texts[] = {row_text(row, "from"), row_text(row, "type"), row_text(row, "to"),
                                 row_text(row, "reason")};
    uint64_t n = row_is(row, "kind", "count") ? row_number(row, "repeats") : 1;

    if (row_is(row, "kind", "consulted"))
        return counts_add(state->plans, (const char *const[]){texts[0], texts[1], texts[3]}, 0, 1);
    if (row_is(row, "kind", "count") && texts[3] == NULL)
        return STATUS_OK; /* a member's count, no refusal */
    state->refusals += n;
    state->whole += texts[2] == NULL ? n : 0;
    return counts_add(state->refused, texts, 0, n);
}

static enum status write_refused(void *context, const char *const *texts, const uint64_t *numbers)
{
    char number[24];
    const char *cells[] = {texts[0], texts[1], texts[2][0] == '\0' ? "(the whole event)" : texts[2], number,
                           texts[3]};

    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)numbers[0]);
    table_row(context, cells);
    return STATUS_OK;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_note(run->page,
               "%llu refusals: %llu of whole events, %llu of one recipient of an event that others received.",
               (unsigned long long)state->refusals, (unsigned long long)state->whole,
               (unsigned long long)(state->refusals - state->whole));
    table_open(run->page, &refused_head);
    enum status status = counts_each(state->refused, write_refused, run->page);
    table_close(run->page);
    return status == STATUS_OK ? counts_write(state->plans, run->page, &plan_head) : status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->refused);
    counts_free(&state->plans);
}

static const char *const kinds[] = {"refused", "count", "consulted", NULL};
static const char *const fields[] = {"kind", "from", "to", "type", "reason", "details", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take, .end = end}, {.verb = NULL}};

const struct report report_refusals = {
    .name = "refusals",
    .title = "What was refused, and why",
    .help = "by sender, event, recipient and reason",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
