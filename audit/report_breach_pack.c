#include <inttypes.h>
#include <stdlib.h>

#include "audit/counts.h"
#include "audit/headcount.h"
#include "audit/reports.h"
#include "audit/row.h"

/*
 * What one agency, or one key, was sent between two times, about whom: what the notice within 72 hours
 * (DPA 2018 s.67) has to say. Receipts say what of it has arrived.
 */

#define FETCHED_MAX ((size_t)16 << 20)
#define ITEMS_SIZE  4096

struct state {
    uint64_t *fetched; /* entries whose receipt is in the log */
    size_t fetched_count;
    size_t room;
    struct headcount *people;
    struct counts *items;
    struct counts *senders;
    uint64_t disclosures;
    uint64_t arrived;
    bool open;
};

static const struct table_column columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER},  {"time", "disclosed", 20, TABLE_TEXT},
    {"from", "from", 24, TABLE_TEXT},     {"to", "to", 24, TABLE_TEXT},
    {"type", "event", 22, TABLE_TEXT},    {"arrived", "arrived", 7, TABLE_TEXT},
    {"person", "person", 66, TABLE_TEXT}, {"key", "sealing key", 32, TABLE_TEXT},
    {"items", "items", 0, TABLE_TEXT}};
static const struct table_head head = {"received", "What was sent there", "nothing was sent there", columns,
                                       9};

static const struct table_column item_columns[] = {{"item", "item", 22, TABLE_TEXT},
                                                   {"disclosures", "disclosures", 11, TABLE_NUMBER}};
static const struct table_head item_head = {"items", "Categories of data", "none", item_columns, 2};

static const struct table_column sender_columns[] = {{"from", "agency", 24, TABLE_TEXT},
                                                     {"disclosures", "disclosures", 11, TABLE_NUMBER}};
static const struct table_head sender_head = {
    "senders", "Agencies whose data it is, and who are to be told at once", "none", sender_columns, 2};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;
    enum status status = headcount_new(&state->people);

    if (status == STATUS_OK)
        status = counts_new(1, 1, &state->items);
    return status == STATUS_OK ? counts_new(1, 1, &state->senders) : status;
}

/* ---- receipts ---- */

static enum status add_fetched(struct state *state, uint64_t entry)
{
    if (state->fetched_count == state->room) {
        size_t room = state->room == 0 ? 1024 : 2 * state->room;
        uint64_t *grown = room > FETCHED_MAX ? NULL : realloc(state->fetched, room * sizeof *grown);
        if (grown == NULL)
            return room > FETCHED_MAX ? STATUS_TOO_LARGE : STATUS_NO_MEMORY;
        state->fetched = grown;
        state->room = room;
    }
    state->fetched[state->fetched_count++] = entry;
    return STATUS_OK;
}

static enum status take_receipts(struct report_run *run, const json_t *row)
{
    const json_t *entries = json_object_get(row, "entries");
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < json_array_size(entries); i++)
        status = add_fetched(run->state, (uint64_t)json_integer_value(json_array_get(entries, i)));
    return status;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static enum status end_receipts(struct report_run *run)
{
    struct state *state = run->state;

    if (state->fetched_count > 0)
        qsort(state->fetched, state->fetched_count, sizeof *state->fetched, compare);
    return STATUS_OK;
}

static bool has_arrived(const struct state *state, uint64_t entry)
{
    return state->fetched_count > 0 &&
           bsearch(&entry, state->fetched, state->fetched_count, sizeof entry, compare) != NULL;
}

/* ---- disclosures ---- */

static enum status count_row(struct state *state, const json_t *row)
{
    const json_t *labels = json_object_get(row, "labels");
    enum status status = headcount_add(state->people, row_text(row, "subject"));

    if (status == STATUS_OK)
        status = counts_add(state->senders, (const char *const[]){row_text(row, "from")}, 0, 1);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(labels); i++)
        status = counts_add(state->items, (const char *const[]){json_string_value(json_array_get(labels, i))},
                            0, 1);
    return status;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    bool arrived = has_arrived(state, row_number(row, "index"));
    char entry[24], time[ROW_WHEN_SIZE], items[ITEMS_SIZE];

    if (!state->open)
        table_open(run->page, &head);
    state->open = true;
    state->disclosures++;
    state->arrived += arrived;
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "index"));
    row_when(row_or(row, "time", "-"), time);
    row_list(row, "labels", items, sizeof items);
    table_row(run->page, (const char *const[]){entry, time, row_text(row, "from"), row_text(row, "to"),
                                               row_text(row, "type"), arrived ? "yes" : "no",
                                               row_text(row, "subject"), row_text(row, "key"), items});
    return count_row(state, row);
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, &head);
    table_close(run->page);
    table_note(
        run->page,
        "%" PRIu64 " disclosures about %zu people; a receipt says of %" PRIu64
        " that they arrived. Entries whose personal part was erased are about people who are not counted.",
        state->disclosures, headcount_count(state->people), state->arrived);
    enum status status = counts_write(state->items, run->page, &item_head);
    if (status == STATUS_OK)
        status = counts_write(state->senders, run->page, &sender_head);
    table_note(
        run->page,
        "The notice to the Commissioner also has to say what happened, a contact point, the likely "
        "consequences and what is being done (s.67(4)). People who are at high risk are told as well (s.68): "
        "each agency above finds out who they are from its own records, as only agencies can tell whom a "
        "pseudonym means.");
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    free(state->fetched);
    headcount_free(&state->people);
    counts_free(&state->items);
    counts_free(&state->senders);
}

static const char *const delivered[] = {"delivered", NULL};
static const char *const disclosed[] = {"disclosed", NULL};
static const char *const receipt_fields[] = {"details", NULL};
static const struct report_pass passes[] = {
    {.verb = "search",
     .kinds = delivered,
     .member = "from",
     .fields = receipt_fields,
     .row = take_receipts,
     .end = end_receipts,
     .open_end = true,
     .no_key = true},
    {.verb = "search", .kinds = disclosed, .member = "to", .row = take, .end = end},
    {.verb = NULL}};

const struct report report_breach_pack = {
    .name = "breach-pack",
    .title = "What was sent to one agency or key",
    .help = "for the notice within 72 hours: what, about whom, whose data",
    .needs = REPORT_RECIPIENT,
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
