#include <stdlib.h>

#include "audit/figures.h"
#include "audit/reports.h"
#include "audit/row.h"
#include "audit/scheme.h"
#include "base/civil.h"

/* The scheme's measures by area, from the register: never from the audit log, which is not for that. */

enum { TREATMENT, RELEASE, BREACH, MISSED, OVERDUE, OFFENCES, MEASURES };

static const struct {
    const char *name;
    const char *unit;
    bool with_values;
} measures[MEASURES] = {
    [TREATMENT] = {"referral to start of treatment", "days", true},
    [RELEASE] = {"release notice before the release", "days", true},
    [BREACH] = {"breach or recall to notice", "hours", true},
    [MISSED] = {"missed appointments", NULL, false},
    [OVERDUE] = {"reviews overdue at the end", "days overdue", true},
    [OFFENCES] = {"offences brought to justice", NULL, false},
};

struct state {
    struct scheme *scheme;
    struct figures *figures[MEASURES];
    int32_t today; /* the end of the period */
};

static const struct table_column columns[] = {
    {"measure", "measure", 34, TABLE_TEXT}, {"area", "area", 24, TABLE_TEXT},
    {"count", "count", 8, TABLE_NUMBER},    {"median", "median", 8, TABLE_NUMBER},
    {"p90", "p90", 8, TABLE_NUMBER},        {"unit", "unit", 12, TABLE_TEXT}};
static const struct table_head head = {"measures", "Measures by area", "nothing", columns, 6};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    int64_t until = run->options->now;
    enum status status = scheme_new(&state->scheme);

    if (run->options->until != NULL && civil_parse_time(run->options->until, &until) == STATUS_OK)
        until = until - 1 < run->options->now ? until - 1 : run->options->now;
    state->today = civil_day_of(until);
    for (size_t i = 0; status == STATUS_OK && i < MEASURES; i++)
        status = figures_new(measures[i].with_values, &state->figures[i]);
    return status;
}

static enum status add(struct state *state, size_t measure, const struct scheme_person *person, int64_t value)
{
    return figures_add(state->figures[measure], scheme_area(person), 1, value);
}

/* The day that an attribute says, or that of a time. */
static int32_t day_of(const json_t *line, const char *attribute, const char *time)
{
    const char *text = row_text(json_object_get(line, "attributes"), attribute);
    int32_t day = 0;

    if (text != NULL && civil_parse_date(text, &day) == STATUS_OK)
        return day;
    return civil_day_of(row_time(line, time));
}

/* The first referral that waits counts until a treatment has started. */
static enum status take_treatment(struct state *state, const json_t *line, struct scheme_person *person,
                                  bool counts)
{
    enum status status = STATUS_OK;

    if (row_is(line, "event", "treatment.referred")) {
        if (person->referred == INT64_MIN)
            person->referred = row_time(line, "occurred");
    } else if (person->referred != INT64_MIN) {
        if (counts)
            status = add(state, TREATMENT, person,
                         day_of(line, "start_date", "occurred") - civil_day_of(person->referred));
        person->referred = INT64_MIN;
    }
    return status;
}

static enum status take_offences(struct state *state, const json_t *line, const struct scheme_person *person)
{
    const char *count = row_text(json_object_get(line, "attributes"), "offence_count");
    unsigned long offences = count == NULL ? 0 : strtoul(count, NULL, 10);

    return offences == 0 ? STATUS_OK
                         : figures_add(state->figures[OFFENCES], scheme_area(person), offences, 0);
}

static enum status take(struct report_run *run, const json_t *line)
{
    struct state *state = run->state;
    struct scheme_person *person = NULL;
    int64_t at = row_time(line, "at");
    int64_t since = INT64_MIN;
    enum status status = scheme_take(state->scheme, line, &person);

    if (run->options->since != NULL)
        (void)civil_parse_time(run->options->since, &since);
    if (status != STATUS_OK || json_is_true(json_object_get(line, "repeat")) || at == INT64_MIN ||
        row_time(line, "occurred") == INT64_MIN)
        return status;
    if (row_is(line, "event", "treatment.referred") || row_is(line, "event", "treatment.started"))
        return take_treatment(state, line, person, at >= since);
    if (at < since)
        return STATUS_OK;
    if (row_is(line, "event", "release.planned"))
        return add(state, RELEASE, person, day_of(line, "release_date", "at") - civil_day_of(at));
    if (row_is(line, "event", "breach.recorded") || row_is(line, "event", "recall.issued"))
        return add(state, BREACH, person, (at - row_time(line, "occurred")) / 3600000);
    if (row_is(line, "event", "appointment.missed") || row_is(line, "event", "treatment.missed"))
        return add(state, MISSED, person, 0);
    return row_is(line, "event", "court.sentenced") ? take_offences(state, line, person) : STATUS_OK;
}

static enum status count_overdue(void *context, const struct scheme_person *person)
{
    struct state *state = context;
    int32_t due = 0;

    if (!person->listed || civil_parse_date(person->review_due, &due) != STATUS_OK || due >= state->today)
        return STATUS_OK;
    return add(state, OVERDUE, person, state->today - due);
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = scheme_each(state->scheme, count_overdue, state);

    table_open(run->page, &head);
    for (size_t i = 0; status == STATUS_OK && i < MEASURES; i++)
        status = figures_write(state->figures[i], run->page, measures[i].name, measures[i].unit,
                               (uint32_t)run->options->below);
    table_close(run->page);
    table_note(run->page,
               "Counts from 1 to %u are not shown (*), nor what would give them away. Median and p90 are of "
               "the nearest "
               "rank. From the register and the events behind it, not from the audit log. Referral to start: "
               "days from "
               "the first referral that waited to the start date. Release notice: days from the notice to "
               "the date in "
               "it; negative after it. Breach or recall: hours from when it happened, as the sender says, to "
               "when the "
               "broker had the notice. Missed: appointments and treatment. Offences: as sentences say.",
               (unsigned)run->options->below - 1);
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    scheme_free(&state->scheme);
    for (size_t i = 0; i < MEASURES; i++)
        figures_free(&state->figures[i]);
}

static const struct report_pass passes[] = {{.verb = "register", .row = take, .end = end, .from_start = true},
                                            {.verb = NULL}};

const struct report report_measures = {
    .name = "measures",
    .title = "Measures of the scheme",
    .help = "from the register: treatment, release notices, breaches, missed, overdue, offences",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
