#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/* The record of processing activities: what the protocols in force allow, and how often it was used. */

#define ITEMS_SIZE   4096
#define CLASSES_SIZE 1024

struct state {
    struct counts *used; /* by rule and event */
    bool open;
};

static const struct table_column protocol_columns[] = {{"what", "what", 24, TABLE_TEXT},
                                                       {"value", "is", 0, TABLE_TEXT}};
static const struct table_head protocol_head = {"protocol", "Protocol", "none", protocol_columns, 2};

static const struct table_column columns[] = {
    {"purpose", "purpose", 48, TABLE_TEXT},    {"event", "event", 22, TABLE_TEXT},
    {"from", "from", 20, TABLE_TEXT},          {"to", "recipients", 20, TABLE_TEXT},
    {"law", "lawful by", 40, TABLE_TEXT},      {"retention", "kept", 8, TABLE_TEXT},
    {"consent", "consent", 20, TABLE_TEXT},    {"rule", "rule", 20, TABLE_TEXT},
    {"used", "disclosures", 11, TABLE_NUMBER}, {"items", "categories of data", 0, TABLE_TEXT}};
static const struct table_head head = {"processing", "Processing activities", "none", columns, 10};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(2, 1, &state->used);
}

static enum status take_disclosed(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;

    return counts_add(state->used, (const char *const[]){row_text(row, "rule"), row_text(row, "type")}, 0, 1);
}

static void line(struct report_run *run, const char *what, const char *value)
{
    table_row(run->page, (const char *const[]){what, value});
}

static void take_protocol(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    char version[24], signatories[ITEMS_SIZE];

    if (state->open)
        table_close(run->page);
    (void)snprintf(version, sizeof version, "%" PRIu64, row_number(row, "version"));
    row_list(row, "signatories", signatories, sizeof signatories);
    table_open(run->page, &protocol_head);
    line(run, "name", row_text(row, "protocol"));
    line(run, "version", version);
    line(run, "title", row_text(row, "title"));
    line(run, "owner", row_text(row, "owner"));
    line(run, "joint controllers", signatories);
    line(run, "in force from", row_text(row, "in_force_from"));
    line(run, "in force until", row_text(row, "in_force_until"));
    line(run, "to be reviewed by", row_text(row, "review"));
    line(run, "impact assessment", row_text(row, "impact_assessment"));
    line(run, "policy document", row_text(row, "policy_document"));
    line(run, "data subjects", "people on the scheme, adults and juveniles");
    line(run, "security",
         "items sealed by the sender for each recipient alone; pseudonyms; signed log that anyone "
         "can verify; mutual authentication");
    line(run, "transfers abroad", "none");
    table_close(run->page);
    table_open(run->page, &head);
    state->open = true;
}

static enum status take_flow(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const char *rule = row_text(row, "rule");
    const char *event = row_text(row, "event");
    char from[CLASSES_SIZE], to[CLASSES_SIZE], law[ITEMS_SIZE], items[ITEMS_SIZE], used[24];
    size_t size;

    row_list(row, "from", from, sizeof from);
    row_list(row, "to", to, sizeof to);
    row_list(row, "law", law, sizeof law);
    row_list(row, "items", items, sizeof items);
    size = strlen(law);
    if (row_text(row, "crossing") != NULL && strstr(law, row_text(row, "crossing")) == NULL)
        (void)snprintf(law + size, sizeof law - size, "; %s", row_text(row, "crossing"));
    size = strlen(law);
    if (row_text(row, "condition") != NULL)
        (void)snprintf(law + size, sizeof law - size, "; %s", row_text(row, "condition"));
    (void)snprintf(used, sizeof used, "%" PRIu64,
                   counts_get(state->used, (const char *const[]){rule, event}, 0));
    table_row(run->page,
              (const char *const[]){row_text(row, "purpose"), event, from,
                                    to[0] == '\0' ? "(register only)" : to, law, row_text(row, "retention"),
                                    row_text(row, "consent"), rule, to[0] == '\0' ? NULL : used, items});
    return STATUS_OK;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;

    if (row_text(row, "rule") == NULL)
        take_protocol(run, row);
    else if (state->open)
        return take_flow(run, row);
    return STATUS_OK;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    if (state->open)
        table_close(run->page);
    table_note(
        run->page,
        "The number of disclosures is of the rule and event in the period, to all recipients together. The "
        "broker's log itself is kept for lawfulness, self-monitoring, integrity, security and criminal "
        "proceedings (DPA 2018 s.62).");
    return STATUS_OK;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    counts_free(&state->used);
}

static const char *const kinds[] = {"disclosed", NULL};
static const char *const fields[] = {"rule", "type", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take_disclosed},
    {.verb = "protocols", .row = take, .end = end},
    {.verb = NULL}};

const struct report report_ropa = {
    .name = "ropa",
    .title = "Record of processing activities",
    .help = "what the protocols in force allow, by what law, and how often it was used",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
