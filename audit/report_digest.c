#include <inttypes.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/headcount.h"
#include "audit/reports.h"
#include "audit/row.h"

/* A month on a page. It opens with what was disclosed outside the protocol, which is normally nothing. */

struct state {
    bool open;
    uint64_t checked;
    uint64_t corrections;
    uint64_t outside;
    uint64_t erased;     /* events that are gone by now */
    uint64_t overridden; /* disclosures under break-glass */
    struct counts *kinds;
    struct counts *agencies;
    struct headcount *people;
};
enum { SENT, RECEIVED, REFUSED, LATE, OPENED, NUMBERS };

static const struct table_column columns[] = {{"entry", "entry", 8, TABLE_NUMBER},
                                              {"time", "when", 20, TABLE_TEXT},
                                              {"from", "from", 24, TABLE_TEXT},
                                              {"type", "event", 22, TABLE_TEXT},
                                              {"difference", "what differs", 0, TABLE_TEXT}};
static const struct table_head head = {"outside", "Disclosed outside the protocol (normally nothing)",
                                       "nothing", columns, 5};

static const struct table_column agency_columns[] = {
    {"agency", "agency", 26, TABLE_TEXT},      {"sent", "sent", 8, TABLE_NUMBER},
    {"received", "received", 8, TABLE_NUMBER}, {"refused", "refused", 8, TABLE_NUMBER},
    {"late", "sent late", 9, TABLE_NUMBER},    {"opened", "opened", 8, TABLE_NUMBER}};
static const struct table_head agency_head = {"agencies", "By agency", "nothing happened", agency_columns, 6};

static const struct table_column kind_columns[] = {{"kind", "what", 16, TABLE_TEXT},
                                                   {"outcome", "outcome", 20, TABLE_TEXT},
                                                   {"entries", "entries", 8, TABLE_NUMBER}};
static const struct table_head kind_head = {"kinds", "Everything in the log of this month",
                                            "nothing happened", kind_columns, 3};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = counts_new(2, 1, &state->kinds);

    if (status == STATUS_OK)
        status = counts_new(1, NUMBERS, &state->agencies);
    return status == STATUS_OK ? headcount_new(&state->people) : status;
}

/* ---- outside the protocol ---- */

static enum status take_check(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const json_t *differences = json_object_get(row, "differences");
    char entry[24], time[ROW_WHEN_SIZE];

    state->checked++;
    state->erased = row_number(row, "erased");
    state->corrections += json_is_false(json_object_get(row, "replayed"));
    if (!state->open)
        table_open(run->page, &head);
    state->open = true;
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "entry"));
    row_when(row_or(row, "at", "-"), time);
    for (size_t i = 0; i < json_array_size(differences); i++) {
        table_row(run->page, (const char *const[]){entry, time, row_text(row, "from"), row_text(row, "event"),
                                                   json_string_value(json_array_get(differences, i))});
        state->outside++;
        run->found = true;
    }
    return STATUS_OK;
}

static enum status end_check(struct report_run *run)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, &head);
    table_close(run->page);
    table_note(
        run->page,
        "%" PRIu64 " accepted events were decided again, each by the protocol that was in force for it, and "
        "held against what the log says was disclosed. %" PRIu64 " of them are corrections, which follow "
        "whoever was told and are not decided again.",
        state->checked, state->corrections);
    if (state->erased > 0)
        table_note(
            run->page,
            "%" PRIu64
            " events of this log were erased, by request or because their retention ended. What rested "
            "on one of them cannot be decided again, and shows as a difference above.",
            state->erased);
    table_note(
        run->page,
        "How to check: `concordat-audit verify` that the log is whole and as it was signed; `concordat-audit "
        "explain ENTRY` for any one of them; `concordat-audit replay-export` with `concordat-protocol "
        "compare --replay` to decide all of them again on another machine.");
    return STATUS_OK;
}

/* ---- the rest ---- */

static enum status count(struct state *state, const char *agency, size_t number)
{
    return agency == NULL ? STATUS_OK : counts_add(state->agencies, (const char *const[]){agency}, number, 1);
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const char *from = row_text(row, "from");
    bool disclosed = row_is(row, "kind", "disclosed");
    const char *outcome = row_is(row, "kind", "bundle-loaded") ? NULL : row_text(row, "outcome");
    enum status status =
        counts_add(state->kinds, (const char *const[]){row_text(row, "kind"), outcome}, 0, 1);

    if (status == STATUS_OK && disclosed)
        status = headcount_add(state->people, row_text(row, "subject"));
    if (status == STATUS_OK && disclosed)
        status = count(state, row_text(row, "to"), RECEIVED);
    if (status == STATUS_OK && disclosed && row_flag(row, "late"))
        status = count(state, from, LATE);
    if (status == STATUS_OK && row_is(row, "kind", "accepted"))
        status = count(state, from, SENT);
    if (status == STATUS_OK && row_is(row, "kind", "refused"))
        status = count(state, from, REFUSED);
    if (status == STATUS_OK && row_is(row, "kind", "opened"))
        status = count(state, from, OPENED);
    state->overridden += disclosed && row_flag(row, "break-glass");
    return status;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_note(run->page,
               "Disclosures were about %zu people. %" PRIu64
               " disclosures rest on an override (report overrides).",
               headcount_count(state->people), state->overridden);
    enum status status = counts_write(state->agencies, run->page, &agency_head);
    if (status == STATUS_OK)
        status = counts_write(state->kinds, run->page, &kind_head);
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->kinds);
    counts_free(&state->agencies);
    headcount_free(&state->people);
}

static const char *const fields[] = {"kind", "outcome", "from", "to", "flags", "subject", NULL};
static const struct report_pass passes[] = {{.verb = "recheck", .row = take_check, .end = end_check},
                                            {.verb = "search", .fields = fields, .row = take, .end = end},
                                            {.verb = NULL}};

const struct report report_digest = {
    .name = "digest",
    .title = "A month of disclosures",
    .help = "a month on a page, opening with what was disclosed outside the protocol",
    .needs = REPORT_MONTH,
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
