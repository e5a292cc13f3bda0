#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/* What has been deleted, called back or erased, by whom and why. */

struct state {
    struct counts *counts;
};

static const struct table_column columns[] = {
    {"kind", "what", 10, TABLE_TEXT},  {"outcome", "outcome", 12, TABLE_TEXT},
    {"from", "from", 24, TABLE_TEXT},  {"to", "to", 24, TABLE_TEXT},
    {"reason", "why", 56, TABLE_TEXT}, {"entries", "entries", 7, TABLE_NUMBER}};
static const struct table_head head = {"retention", "Expired, called back, retracted and erased",
                                       "nothing yet", columns, 6};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(5, 1, &state->counts);
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;

    return counts_add(state->counts,
                      (const char *const[]){row_text(row, "kind"), row_text(row, "outcome"),
                                            row_text(row, "from"), row_text(row, "to"),
                                            row_text(row, "reason")},
                      0, 1);
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_note(
        run->page,
        "expired: the retention ended before it was fetched, or a period of the log ran out. recalled: "
        "taken back from the queue (undelivered), or from a recipient that may hold it (in-flight), which "
        "reports it deleted. erased: the log forgot whom an event was about. How long each rule lets a "
        "recipient keep what it received stands in the report ropa; agencies delete by it on their own.");
    return counts_write(state->counts, run->page, &head);
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->counts);
}

static const char *const kinds[] = {"expired", "recalled", "retracted", "erased", NULL};
static const char *const fields[] = {"kind", "outcome", "from", "to", "reason", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take, .end = end}, {.verb = NULL}};

const struct report report_retention = {
    .name = "retention",
    .title = "What was deleted",
    .help = "expired, called back, retracted, erased",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
