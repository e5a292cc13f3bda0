#include <stdio.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"
#include "audit/scheme.h"
#include "base/civil.h"

/* How many people came on the list and left it, per quarter (ST 37), area and strand; from the register. */

struct state {
    struct scheme *scheme;
    struct counts *counts;
};
enum { ADDED, REMOVED, NUMBERS };

static const struct table_column columns[] = {{"quarter", "quarter", 8, TABLE_TEXT},
                                              {"area", "area", 24, TABLE_TEXT},
                                              {"strand", "strand", 24, TABLE_TEXT},
                                              {"added", "added", 8, TABLE_NUMBER},
                                              {"removed", "removed", 8, TABLE_NUMBER}};
static const struct table_head head = {"quarters", "Added and removed", "nobody", columns, 5};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = scheme_new(&state->scheme);

    return status == STATUS_OK ? counts_new(3, NUMBERS, &state->counts) : status;
}

static void quarter_of(int64_t time, char out[static 12])
{
    char day[CIVIL_DATE_SIZE];

    civil_format_date(civil_day_of(time), day);
    (void)snprintf(out, 12, "%.4s Q%d", day, ((day[5] - '0') * 10 + day[6] - '0' + 2) / 3);
}

static enum status take(struct report_run *run, const json_t *line)
{
    struct state *state = run->state;
    struct scheme_person *person = NULL;
    bool added = row_is(line, "event", "ppo.added") && !json_is_true(json_object_get(line, "repeat"));
    bool removed = row_is(line, "event", "ppo.removed");
    int64_t since = 0;
    char quarter[12];
    enum status status = scheme_take(state->scheme, line, &person);

    if (run->options->since != NULL)
        (void)civil_parse_time(run->options->since, &since);
    if (status != STATUS_OK || (!added && !removed) || row_time(line, "at") < since)
        return status;
    quarter_of(row_time(line, "at"), quarter);
    return counts_add(state->counts, (const char *const[]){quarter, scheme_area(person), person->strand},
                      added ? ADDED : REMOVED, 1);
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = counts_write(state->counts, run->page, &head);

    table_note(run->page, "For the partnership: small numbers are shown, so this is not for publication "
                          "(`concordat-broker aggregate` makes the return in which they are not).");
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    scheme_free(&state->scheme);
    counts_free(&state->counts);
}

static const struct report_pass passes[] = {{.verb = "register", .row = take, .end = end, .from_start = true},
                                            {.verb = NULL}};

const struct report report_quarterly = {
    .name = "quarterly",
    .title = "People added and removed, per quarter",
    .help = "from the register: adds and removes by area and strand",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
