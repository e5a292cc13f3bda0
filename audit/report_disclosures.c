#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/* What was disclosed, counted by purpose, by agency, by item, by gateway and rule, and by month. */

enum { BY_PURPOSE, BY_AGENCY, BY_ITEM, BY_GATEWAY, BY_MONTH, TABLES };

struct state {
    struct counts *counts[TABLES];
    uint64_t disclosures;
    uint64_t items;
};

#define NUMBERS                                                                                              \
    {"disclosures", "disclosures", 11, TABLE_NUMBER}, {"late", "late", 5, TABLE_NUMBER},                     \
    {                                                                                                        \
        "juvenile", "juvenile", 8, TABLE_NUMBER                                                              \
    }

static const struct table_column by_purpose[] = {{"purpose", "purpose", 56, TABLE_TEXT}, NUMBERS};
static const struct table_column by_agency[] = {
    {"from", "from", 24, TABLE_TEXT}, {"to", "to", 24, TABLE_TEXT}, NUMBERS};
static const struct table_column by_item[] = {
    {"item", "item", 22, TABLE_TEXT}, {"to", "to", 24, TABLE_TEXT}, NUMBERS};
static const struct table_column by_gateway[] = {
    {"gateway", "gateway", 16, TABLE_TEXT}, {"rule", "rule", 22, TABLE_TEXT}, NUMBERS};
static const struct table_column by_month[] = {{"month", "month", 8, TABLE_TEXT}, NUMBERS};

#define HEAD(name, heading, columns)                                                                         \
    {                                                                                                        \
        name, heading, "nothing was disclosed", columns, sizeof columns / sizeof columns[0]                  \
    }

static const struct table_head heads[TABLES] = {
    HEAD("purposes", "By purpose", by_purpose),
    HEAD("agencies", "By agency", by_agency),
    HEAD("items", "By item and recipient (a disclosure counts under each of its items)", by_item),
    HEAD("gateways", "By legal gateway and rule", by_gateway),
    HEAD("months", "By month", by_month),
};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < TABLES; i++)
        status = counts_new(heads[i].count - 3, 3, &state->counts[i]);
    return status;
}

static enum status add(struct state *state, size_t table, const json_t *row, const char *first,
                       const char *second)
{
    const char *const texts[] = {first, second};
    enum status status = counts_add(state->counts[table], texts, 0, 1);

    if (status == STATUS_OK && row_flag(row, "late"))
        status = counts_add(state->counts[table], texts, 1, 1);
    if (status == STATUS_OK && row_flag(row, "juvenile"))
        status = counts_add(state->counts[table], texts, 2, 1);
    return status;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const json_t *labels = json_object_get(row, "labels");
    const char *to = row_text(row, "to");
    char month[8];
    enum status status = add(state, BY_PURPOSE, row, row_text(row, "purpose"), NULL);

    (void)snprintf(month, sizeof month, "%.7s", row_or(row, "time", ""));
    if (status == STATUS_OK)
        status = add(state, BY_AGENCY, row, row_text(row, "from"), to);
    if (status == STATUS_OK)
        status = add(state, BY_GATEWAY, row, row_text(row, "gateway"), row_text(row, "rule"));
    if (status == STATUS_OK)
        status = add(state, BY_MONTH, row, month, NULL);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(labels); i++)
        status = add(state, BY_ITEM, row, json_string_value(json_array_get(labels, i)), to);
    state->disclosures++;
    state->items += json_array_size(labels);
    return status;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = STATUS_OK;

    table_note(run->page,
               "%llu disclosures of %llu items. One disclosure is one event passed on to one agency.",
               (unsigned long long)state->disclosures, (unsigned long long)state->items);
    for (size_t i = 0; status == STATUS_OK && i < TABLES; i++)
        status = counts_write(state->counts[i], run->page, &heads[i]);
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    for (size_t i = 0; i < TABLES; i++)
        counts_free(&state->counts[i]);
}

static const char *const kinds[] = {"disclosed", NULL};
static const char *const fields[] = {"time",    "from",   "to",    "rule", "gateway",
                                     "purpose", "labels", "flags", NULL};
static const struct report_pass passes[] = {
    {.verb = "search", .kinds = kinds, .fields = fields, .row = take, .end = end}, {.verb = NULL}};

const struct report report_disclosures = {
    .name = "disclosures",
    .title = "What was disclosed",
    .help = "by purpose, agency, item, gateway and month",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
