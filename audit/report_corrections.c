#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/*
 * Corrections, retractions and erasures: who was told and has not confirmed yet that it was applied. An entry
 * that asks follows the disclosures of its event at once, so that these are known when it comes.
 */

#define OUTSTANDING_MAX ((size_t)100000)
#define RECIPIENTS_MAX  64
#define MEMBER_SIZE     72
#define EVENT_SIZE      40

struct outstanding {
    char event[EVENT_SIZE];
    char kind[12];
    char from[MEMBER_SIZE];
    char to[MEMBER_SIZE];
    char since[ROW_WHEN_SIZE];
    char entry[24];
    unsigned reminded;
    bool done;
};

struct state {
    struct outstanding *list;
    size_t count;
    size_t room;
    char event[EVENT_SIZE]; /* whose disclosures came last */
    char recipients[RECIPIENTS_MAX][MEMBER_SIZE];
    size_t recipient_count;
    struct counts *counts;
};

static const struct table_column columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER},        {"kind", "what", 10, TABLE_TEXT},
    {"since", "asked", 20, TABLE_TEXT},         {"from", "asked by", 24, TABLE_TEXT},
    {"to", "not confirmed by", 24, TABLE_TEXT}, {"reminded", "reminded", 8, TABLE_NUMBER},
    {"event", "event", 36, TABLE_TEXT}};
static const struct table_head head = {"outstanding", "Not confirmed yet", "everybody has confirmed", columns,
                                       7};

static const struct table_column sum_columns[] = {{"kind", "what", 10, TABLE_TEXT},
                                                  {"from", "asked by", 24, TABLE_TEXT},
                                                  {"asked", "asked", 6, TABLE_NUMBER},
                                                  {"told", "recipients told", 15, TABLE_NUMBER},
                                                  {"confirmed", "confirmed", 9, TABLE_NUMBER},
                                                  {"reminders", "reminders", 9, TABLE_NUMBER}};
static const struct table_head sum_head = {"asked", "What was asked", "nothing was corrected", sum_columns,
                                           6};
enum { ASKED, TOLD, CONFIRMED, REMINDERS, NUMBERS };

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(2, NUMBERS, &state->counts);
}

static enum status count(struct state *state, const json_t *row, const char *from, size_t number)
{
    return counts_add(state->counts, (const char *const[]){row_text(row, "kind"), from}, number, 1);
}

static void take_disclosed(struct state *state, const json_t *row)
{
    const char *event = row_or(row, "event", "");

    if (strcmp(event, state->event) != 0) {
        (void)snprintf(state->event, sizeof state->event, "%s", event);
        state->recipient_count = 0;
    }
    if (state->recipient_count < RECIPIENTS_MAX)
        (void)snprintf(state->recipients[state->recipient_count++], MEMBER_SIZE, "%s",
                       row_or(row, "to", "-"));
}

static enum status add(struct state *state, const json_t *row, const char *to)
{
    struct outstanding *one;

    if (state->count == state->room) {
        size_t room = state->room == 0 ? 64 : 2 * state->room;
        struct outstanding *grown =
            room > OUTSTANDING_MAX ? NULL : realloc(state->list, room * sizeof *state->list);
        if (grown == NULL)
            return room > OUTSTANDING_MAX ? STATUS_TOO_LARGE : STATUS_NO_MEMORY;
        state->list = grown;
        state->room = room;
    }
    one = &state->list[state->count++];
    *one = (struct outstanding){.reminded = 0};
    (void)snprintf(one->event, sizeof one->event, "%s", state->event);
    (void)snprintf(one->kind, sizeof one->kind, "%s", row_or(row, "kind", "-"));
    (void)snprintf(one->from, sizeof one->from, "%s", row_or(row, "from", "-"));
    (void)snprintf(one->to, sizeof one->to, "%s", to);
    (void)snprintf(one->entry, sizeof one->entry, "%" PRIu64, row_number(row, "index"));
    row_when(row_or(row, "time", "-"), one->since);
    return STATUS_OK;
}

static enum status take_asked(struct state *state, const json_t *row)
{
    enum status status = count(state, row, row_text(row, "from"), ASKED);

    if (!row_is(row, "event", state->event))
        return status;
    for (size_t i = 0; status == STATUS_OK && i < state->recipient_count; i++) {
        status = add(state, row, state->recipients[i]);
        if (status == STATUS_OK)
            status = count(state, row, row_text(row, "from"), TOLD);
    }
    return status;
}

static struct outstanding *find(struct state *state, const json_t *row, const char *recipient)
{
    for (size_t i = 0; i < state->count; i++) {
        struct outstanding *one = &state->list[i];

        if (!one->done && row_is(row, "event", one->event) && strcmp(recipient, one->to) == 0)
            return one;
    }
    return NULL;
}

/* Of an erasure an officer's word is `confirmed` too, of no recipient. */
static enum status take_answer(struct state *state, const json_t *row)
{
    bool confirmed = row_is(row, "outcome", "confirmed");
    const char *recipient = row_or(row, confirmed ? "from" : "to", "");
    struct outstanding *one = find(state, row, recipient);

    if (one == NULL)
        return STATUS_OK;
    if (confirmed)
        one->done = true;
    else
        one->reminded++;
    return count(state, row, one->from, confirmed ? CONFIRMED : REMINDERS);
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;

    if (row_is(row, "kind", "disclosed"))
        take_disclosed(state, row);
    else if (row_is(row, "outcome", "asked"))
        return take_asked(state, row);
    else if (row_is(row, "outcome", "confirmed") || row_is(row, "outcome", "reminded"))
        return take_answer(state, row);
    return STATUS_OK;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_open(run->page, &head);
    for (size_t i = 0; i < state->count; i++) {
        const struct outstanding *one = &state->list[i];
        char reminded[12];

        if (one->done)
            continue;
        (void)snprintf(reminded, sizeof reminded, "%u", one->reminded);
        table_row(run->page, (const char *const[]){one->entry, one->kind, one->since, one->from, one->to,
                                                   reminded, one->event});
    }
    table_close(run->page);
    return counts_write(state->counts, run->page, &sum_head);
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    free(state->list);
    counts_free(&state->counts);
}

static const char *const kinds[] = {"disclosed", "corrected", "retracted", "erased", NULL};
static const char *const fields[] = {"time", "kind", "from", "to", "outcome", "event", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take, .end = end}, {.verb = NULL}};

const struct report report_corrections = {
    .name = "corrections",
    .title = "Corrections, retractions and erasures",
    .help = "who has not confirmed yet that it was applied",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
