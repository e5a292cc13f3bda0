#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/reports.h"
#include "audit/row.h"

/*
 * Disclosures that rest on a consent, and whether it stood. Consents are followed here by themselves, event
 * by event, so that a disclosure after a withdrawal is found whatever else thinks it was right. The broker
 * tells by which consent the protocol that was in force allowed a disclosure.
 */

#define CONSENTS_MAX ((size_t)1000000)
#define PERSON_SIZE  80
#define SCOPE_SIZE   65

struct consent {
    char person[PERSON_SIZE];
    char protocol[SCOPE_SIZE];
    char scope[SCOPE_SIZE];
    char changed[ROW_WHEN_SIZE];
    bool given;
};

struct state {
    struct consent **slots; /* open addressing, at least twice the consents */
    size_t slot_count;
    size_t count;
    struct counts *counts;
    uint64_t wrong;
    bool open;
};
enum { GIVEN, WITHDRAWN, DISCLOSED, WRONG, NUMBERS };

static const struct table_column columns[] = {{"entry", "entry", 8, TABLE_NUMBER},
                                              {"time", "disclosed", 20, TABLE_TEXT},
                                              {"from", "from", 24, TABLE_TEXT},
                                              {"to", "to", 24, TABLE_TEXT},
                                              {"type", "event", 22, TABLE_TEXT},
                                              {"scope", "consent", 22, TABLE_TEXT},
                                              {"withdrawn", "withdrawn or never given", 24, TABLE_TEXT},
                                              {"person", "person", 16, TABLE_TEXT}};
static const struct table_head head = {"after_withdrawal",
                                       "Disclosures without a consent that stands (there must be none)",
                                       "none, as it must be", columns, 8};

static const struct table_column sum_columns[] = {{"scope", "consent", 22, TABLE_TEXT},
                                                  {"given", "given", 8, TABLE_NUMBER},
                                                  {"withdrawn", "withdrawn", 9, TABLE_NUMBER},
                                                  {"disclosures", "disclosures", 11, TABLE_NUMBER},
                                                  {"wrong", "without it", 10, TABLE_NUMBER}};
static const struct table_head sum_head = {"consents", "By consent", "no consent was given or used",
                                           sum_columns, 5};

static enum status start(struct report_run *run)
{
    struct state *state = run->state;

    return counts_new(1, NUMBERS, &state->counts);
}

/* ---- consents ---- */

static size_t slot_of(struct consent *const *slots, size_t slot_count, const struct consent *wanted)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t slot;

    for (const char *at = wanted->person; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    for (const char *at = wanted->scope; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    slot = hash & (slot_count - 1);
    while (slots[slot] != NULL && (strcmp(slots[slot]->person, wanted->person) != 0 ||
                                   strcmp(slots[slot]->scope, wanted->scope) != 0 ||
                                   strcmp(slots[slot]->protocol, wanted->protocol) != 0))
        slot = (slot + 1) & (slot_count - 1);
    return slot;
}

static enum status grow(struct state *state)
{
    size_t wanted = state->slot_count == 0 ? 256 : 2 * state->slot_count;
    struct consent **slots = calloc(wanted, sizeof(struct consent *));

    if (slots == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < state->slot_count; i++) {
        if (state->slots[i] != NULL)
            slots[slot_of(slots, wanted, state->slots[i])] = state->slots[i];
    }
    free(state->slots);
    state->slots = slots;
    state->slot_count = wanted;
    return STATUS_OK;
}

static struct consent name_consent(const json_t *row, const char *scope)
{
    struct consent consent = {.given = false};

    (void)snprintf(consent.person, sizeof consent.person, "%s", row_or(row, "subject", "-"));
    (void)snprintf(consent.protocol, sizeof consent.protocol, "%s", row_or(row, "protocol", "-"));
    (void)snprintf(consent.scope, sizeof consent.scope, "%s", scope);
    return consent;
}

static enum status change(struct state *state, const json_t *row, const char *scope, bool given)
{
    struct consent wanted = name_consent(row, scope);
    enum status status =
        counts_add(state->counts, (const char *const[]){scope}, given ? GIVEN : WITHDRAWN, 1);
    size_t slot;

    if (status == STATUS_OK && 2 * (state->count + 1) > state->slot_count)
        status = state->count >= CONSENTS_MAX ? STATUS_TOO_LARGE : grow(state);
    if (status != STATUS_OK)
        return status;
    slot = slot_of(state->slots, state->slot_count, &wanted);
    if (state->slots[slot] == NULL) {
        state->slots[slot] = malloc(sizeof wanted);
        if (state->slots[slot] == NULL)
            return STATUS_NO_MEMORY;
        *state->slots[slot] = wanted;
        state->count++;
    }
    state->slots[slot]->given = given;
    row_when(row_or(row, "at", "-"), state->slots[slot]->changed);
    return STATUS_OK;
}

/* ---- disclosures ---- */

static void write_wrong(struct report_run *run, const json_t *row, const char *to, const char *scope,
                        const struct consent *consent)
{
    struct state *state = run->state;
    char entry[24], time[ROW_WHEN_SIZE], person[ROW_PERSON_SIZE];

    if (!state->open)
        table_open(run->page, &head);
    state->open = true;
    (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "entry"));
    row_when(row_or(row, "at", "-"), time);
    row_person(row, person);
    table_row(run->page,
              (const char *const[]){entry, time, row_text(row, "from"), to, row_text(row, "event"), scope,
                                    consent == NULL ? "never given" : consent->changed, person});
    state->wrong++;
    run->found = true;
}

/* Only what the log says was disclosed counts: without differences that is what the protocol grants. */
static enum status check_recipient(struct report_run *run, const json_t *row, const json_t *recipient)
{
    struct state *state = run->state;
    const char *scope = row_text(recipient, "consent");
    const struct consent *consent = NULL;
    enum status status;

    if (scope == NULL)
        return STATUS_OK;
    if (state->slot_count > 0) {
        const struct consent wanted = name_consent(row, scope);
        consent = state->slots[slot_of(state->slots, state->slot_count, &wanted)];
    }
    status = counts_add(state->counts, (const char *const[]){scope}, DISCLOSED, 1);
    if (status != STATUS_OK || (consent != NULL && consent->given))
        return status;
    write_wrong(run, row, row_or(recipient, "to", "-"), scope, consent);
    return counts_add(state->counts, (const char *const[]){scope}, WRONG, 1);
}

/* A disclosure that the protocol would not have allowed then. */
static void take_differences(struct report_run *run, const json_t *row)
{
    const json_t *differences = json_object_get(row, "differences");

    for (size_t i = 0; i < json_array_size(differences); i++)
        write_wrong(run, row, json_string_value(json_array_get(differences, i)), "-", NULL);
}

static bool before_period(const struct report_run *run, const json_t *row)
{
    const char *at = row_or(row, "at", "");

    return run->options->since != NULL && strcmp(at, run->options->since) < 0;
}

static enum status take(struct report_run *run, const json_t *row)
{
    struct state *state = run->state;
    const json_t *attributes = json_object_get(row, "attributes");
    const json_t *recipients = json_object_get(row, "recipients");
    const char *scope = row_text(attributes, "scope");
    bool given = row_is(row, "event", "consent.given");
    enum status status = STATUS_OK;

    if (scope != NULL && (given || row_is(row, "event", "consent.withdrawn")))
        return change(state, row, scope, given);
    if (before_period(run, row))
        return STATUS_OK;
    take_differences(run, row);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(recipients); i++)
        status = check_recipient(run, row, json_array_get(recipients, i));
    return status;
}

static enum status end(struct report_run *run)
{
    struct state *state = run->state;

    if (!state->open)
        table_open(run->page, &head);
    table_close(run->page);
    enum status status = counts_write(state->counts, run->page, &sum_head);
    table_note(run->page,
               "A disclosure rests on a consent where the protocol that was in force then says so. "
               "Consents are counted from the beginning of the log, disclosures within the period.");
    return status;
}

static void drop(struct report_run *run)
{
    struct state *state = run->state;

    for (size_t i = 0; i < state->slot_count; i++)
        free(state->slots[i]);
    free(state->slots);
    counts_free(&state->counts);
}

static const struct report_pass passes[] = {{.verb = "recheck", .row = take, .end = end, .from_start = true},
                                            {.verb = NULL}};

const struct report report_consents = {
    .name = "consents",
    .title = "Consents, and disclosures that rest on them",
    .help = "disclosures after a withdrawal: there must be none",
    .state_size = sizeof(struct state),
    .start = start,
    .passes = passes,
    .drop = drop,
};
