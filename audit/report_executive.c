#include "audit/reports.h"
#include "audit/row.h"
#include "audit/scheme.h"
#include "base/civil.h"

/* The Executive Group's report (ST 54), per area, from the register: people by reference, reason, date added,
 * action, status, date removed, why, and on whose authority. */

struct state {
    struct scheme *scheme;
    size_t listed;
    size_t removed;
};

static const struct table_column columns[] = {{"area", "area", 22, TABLE_TEXT},
                                              {"reference", "reference", 16, TABLE_TEXT},
                                              {"strand", "strand", 22, TABLE_TEXT},
                                              {"reason", "reason", 16, TABLE_TEXT},
                                              {"added", "added", 10, TABLE_TEXT},
                                              {"authority", "on authority of", 16, TABLE_TEXT},
                                              {"action", "action", 16, TABLE_TEXT},
                                              {"status", "status", 24, TABLE_TEXT},
                                              {"removed", "removed", 10, TABLE_TEXT},
                                              {"why", "why", 12, TABLE_TEXT},
                                              {"removed_by", "on authority of", 16, TABLE_TEXT}};
static const struct table_head head = {"people", "People on the scheme, and removed in the period", "nobody",
                                       columns, 11};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return scheme_new(&state->scheme);
}

static enum status take(struct report_run *run, const json_t *line)
{
    struct state *state = run->state;

    return scheme_take(state->scheme, line, NULL);
}

static const char *date(int64_t time, char out[static CIVIL_DATE_SIZE])
{
    if (time == INT64_MIN)
        return NULL;
    civil_format_date(civil_day_of(time), out);
    return out;
}

static const char *text(const char *known)
{
    return known[0] == '\0' ? NULL : known;
}

static bool in_period(const struct report_run *run, int64_t time)
{
    int64_t since = 0;

    return run->options->since == NULL || civil_parse_time(run->options->since, &since) != STATUS_OK ||
           time >= since;
}

static enum status write(void *context, const struct scheme_person *person)
{
    struct report_run *run = context;
    struct state *state = run->state;
    char added[CIVIL_DATE_SIZE], removed[CIVIL_DATE_SIZE], short_reference[ROW_PERSON_SIZE];
    json_t *named;

    if (person->added == INT64_MIN || (!person->listed && !in_period(run, person->removed)))
        return STATUS_OK;
    named = json_pack("{s:s}", "subject", person->reference);
    row_person(named, short_reference);
    json_decref(named);
    state->listed += person->listed;
    state->removed += !person->listed;
    table_row(run->page, (const char *const[]){scheme_area(person), short_reference, text(person->strand),
                                               text(person->selector), date(person->added, added),
                                               text(person->authority), text(person->action),
                                               text(person->status), date(person->removed, removed),
                                               text(person->why), text(person->removed_by)});
    return STATUS_OK;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    table_open(run->page, &head);
    enum status status = scheme_each(state->scheme, write, run);
    table_close(run->page);
    table_note(
        run->page,
        "%zu people on the scheme at the end of the period, %zu removed within it. From the register, not "
        "from "
        "the audit log. A reference is the beginning of a pseudonym; `concordat subject` gives the one of a "
        "person whose number an agency knows.",
        state->listed, state->removed);
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    scheme_free(&state->scheme);
}

static const struct report_pass passes[] = {{.verb = "register", .row = take, .end = end, .from_start = true},
                                            {.verb = NULL}};

const struct report report_executive = {
    .name = "executive",
    .title = "People on the scheme, for the Executive Group",
    .help = "from the register: per area reason, added, action, status, removed, why, authority",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
