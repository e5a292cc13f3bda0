#include "audit/counts.h"
#include "audit/headcount.h"
#include "audit/reports.h"
#include "audit/row.h"

/* What was disclosed about people treated as under 18, whom nobody has said to be older. */

struct state {
    struct counts *counts;
    struct headcount *people;
    uint64_t disclosures;
};

static const struct table_column columns[] = {
    {"from", "from", 24, TABLE_TEXT},       {"to", "to", 24, TABLE_TEXT},
    {"type", "event", 22, TABLE_TEXT},      {"rule", "rule", 22, TABLE_TEXT},
    {"gateway", "gateway", 16, TABLE_TEXT}, {"disclosures", "disclosures", 11, TABLE_NUMBER}};
static const struct table_head head = {"juveniles", "Disclosures about juveniles", "none", columns, 6};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = counts_new(5, 1, &state->counts);

    return status == STATUS_OK ? headcount_new(&state->people) : status;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    enum status status = headcount_add(state->people, row_text(row, "subject"));

    state->disclosures++;
    if (status != STATUS_OK)
        return status;
    return counts_add(state->counts,
                      (const char *const[]){row_text(row, "from"), row_text(row, "to"), row_text(row, "type"),
                                            row_text(row, "rule"), row_text(row, "gateway")},
                      0, 1);
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_note(run->page,
               "%llu disclosures about %zu people who are under 18, or whose age nobody has stated.",
               (unsigned long long)state->disclosures, headcount_count(state->people));
    return counts_write(state->counts, run->page, &head);
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->counts);
    headcount_free(&state->people);
}

static const char *const kinds[] = {"disclosed", NULL};
static const char *const fields[] = {"from", "to", "type", "rule", "gateway", "subject", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .flag = "juvenile", .fields = fields, .row = take, .end = end},
    {.verb = NULL}};

const struct report report_juveniles = {
    .name = "juveniles",
    .title = "What was disclosed about juveniles",
    .help = "who told whom about people under 18, or of unknown age",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
