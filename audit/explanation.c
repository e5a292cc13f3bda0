#include "audit/explanation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/row.h"

#define LIST_SIZE 8192

struct explanation {
    json_t *entry; /* NULL: none came */
    json_t *check; /* NULL: it cannot be decided again */
    json_t *rows;
};

enum status explanation_new(struct explanation **ret)
{
    struct explanation *explanation = calloc(1, sizeof *explanation);

    if (explanation == NULL)
        return STATUS_NO_MEMORY;
    explanation->rows = json_array();
    *ret = explanation;
    if (explanation->rows != NULL)
        return STATUS_OK;
    explanation_free(ret);
    return STATUS_NO_MEMORY;
}

void explanation_free(struct explanation **explanation)
{
    if (*explanation == NULL)
        return;
    json_decref((*explanation)->entry);
    json_decref((*explanation)->check);
    json_decref((*explanation)->rows);
    free(*explanation);
    *explanation = NULL;
}

enum status explanation_take(struct explanation *explanation, const json_t *object)
{
    json_t *row = json_object_get(object, "row");

    if (json_object_get(object, "entry") != NULL && explanation->entry == NULL)
        explanation->entry = json_incref(json_object_get(object, "entry"));
    else if (json_object_get(object, "check") != NULL && explanation->check == NULL)
        explanation->check = json_incref(json_object_get(object, "check"));
    else if (row != NULL && json_array_size(explanation->rows) >= EXPLANATION_ROWS_MAX)
        return STATUS_TOO_LARGE;
    else if (row != NULL && json_array_append(explanation->rows, row) != 0)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

/* ---- what it says ---- */

static void write_disclosed(const json_t *entry, struct table_page *page, const char *when, const char *about)
{
    char items[LIST_SIZE];

    row_list(entry, "labels", items, sizeof items);
    table_note(page, "%s: %s told %s about the person %s: %s.", when, row_or(entry, "from", "-"),
               row_or(entry, "to", "-"), about, items[0] == '\0' ? "nothing but that it happened" : items);
    table_note(page, "It was the event %s, to %s. Acting officer: %s.%s%s%s", row_or(entry, "type", "-"),
               row_or(entry, "purpose", "-"), row_or(entry, "officer", "not known, erased"),
               row_flag(entry, "late") ? " It was sent after its deadline." : "",
               row_flag(entry, "juvenile") ? " The person was treated as under 18." : "",
               row_flag(entry, "break-glass") ? " Rules were overridden for it." : "");
}

static void write_refused(const json_t *entry, struct table_page *page, const char *when, const char *about)
{
    const char *to = row_text(entry, "to");

    table_note(page, "%s: %s of %s about the person %s was refused%s%s. Nothing of it was passed on%s%s.",
               when, row_or(entry, "type", "-"), row_or(entry, "from", "-"), about, to == NULL ? "" : " to ",
               to == NULL ? "" : to, to == NULL ? "" : " to ", to == NULL ? "" : to);
    table_note(page, "Why: %s", row_or(entry, "reason", "the log does not say"));
}

static void write_accepted(const json_t *entry, struct table_page *page, const char *when, const char *about)
{
    table_note(page, "%s: the event %s of %s about the person %s was accepted, to %s. Acting officer: %s.",
               when, row_or(entry, "type", "-"), row_or(entry, "from", "-"), about,
               row_or(entry, "purpose", "-"), row_or(entry, "officer", "not known, erased"));
}

static void write_delivered(const json_t *entry, struct table_page *page, const char *when)
{
    char entries[LIST_SIZE];

    row_list(entry, "entries", entries, sizeof entries);
    table_note(page, "%s: %s said in a signed receipt that what these entries disclosed has arrived: %s.",
               when, row_or(entry, "from", "-"), entries);
}

static void write_other(const json_t *entry, struct table_page *page, const char *when, const char *about)
{
    const char *to = row_text(entry, "to");
    const char *reason = row_text(entry, "reason");
    char entries[LIST_SIZE];

    row_list(entry, "entries", entries, sizeof entries);
    table_note(page, "%s: %s, %s%s%s%s%s%s%s; by %s, about %s.%s%s%s", when, row_or(entry, "kind", "-"),
               row_or(entry, "outcome", "-"), row_text(entry, "type") == NULL ? "" : ", ",
               row_or(entry, "type", ""), row_text(entry, "from") == NULL ? "" : ", from ",
               row_or(entry, "from", ""), to == NULL ? "" : ", to ", to == NULL ? "" : to,
               row_or(entry, "officer", "nobody"), about,
               reason == NULL ? "" : " It says: ", reason == NULL ? "" : reason, reason == NULL ? "" : ".");
    if (row_text(entry, "asked") != NULL)
        table_note(page, "What was asked of the log: %s", row_text(entry, "asked"));
    if (entries[0] != '\0')
        table_note(page, "It is about the entries %s.", entries);
}

static void write_entry(const struct explanation *it, struct table_page *page)
{
    const json_t *entry = it->entry;
    const char *about =
        row_flag(entry, "erased") ? "(erased since)" : row_or(entry, "subject", "(nobody is named)");
    char when[ROW_WHEN_SIZE];

    row_when(row_or(entry, "time", "-"), when);
    if (row_is(entry, "kind", "disclosed"))
        write_disclosed(entry, page, when, about);
    else if (row_is(entry, "kind", "refused"))
        write_refused(entry, page, when, about);
    else if (row_is(entry, "kind", "accepted"))
        write_accepted(entry, page, when, about);
    else if (row_is(entry, "kind", "delivered"))
        write_delivered(entry, page, when);
    else
        write_other(entry, page, when, about);
}

/* ---- why ---- */

static const json_t *recipient_of(const json_t *check, const char *to)
{
    const json_t *recipients = json_object_get(check, "recipients");

    for (size_t i = 0; i < json_array_size(recipients); i++) {
        if (row_is(json_array_get(recipients, i), "to", to))
            return json_array_get(recipients, i);
    }
    return NULL;
}

static void write_texts(const json_t *list, struct table_page *page)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        table_note(page, "%s", json_string_value(json_array_get(list, i)));
}

/* Which version it was, and whether the log names the same file. */
static void write_version(const struct explanation *it, struct table_page *page)
{
    const char *digest = row_text(it->entry, "protocol");
    bool same = digest != NULL && row_is(it->check, "digest", digest);

    table_note(page, "In force then: version %" PRIu64 " of the protocol %s, in bundle %" PRIu64 "%s.",
               row_number(it->check, "version"), row_or(it->check, "protocol", "-"),
               row_number(it->check, "serial"),
               digest == NULL ? ""
               : same         ? ", the file whose digest stands in the entry"
                              : "; the entry names ANOTHER file by its digest");
}

static void write_grounds(const json_t *entry, struct table_page *page)
{
    char grounds[LIST_SIZE];

    row_list(entry, "grounds", grounds, sizeof grounds);
    if (grounds[0] != '\0')
        table_note(page, "It rests on what these entries put into the register: %s.", grounds);
}

static bool write_verdict(const json_t *check, struct table_page *page)
{
    const json_t *differences = json_object_get(check, "differences");

    if (json_is_false(json_object_get(check, "replayed"))) {
        table_note(page,
                   "A correction goes to whoever was told what it corrects; it is not decided again here.");
        return true;
    }
    if (json_array_size(differences) == 0) {
        if (json_is_true(json_object_get(check, "accepted")))
            table_note(page,
                       "Decided again now, by that version and with what was known then, the event goes to "
                       "exactly those whom the log names, with exactly those items.");
        return true;
    }
    table_note(page, "NOT what that version allows. Decided again now, with what was known then:");
    write_texts(differences, page);
    if (row_number(check, "erased") > 0)
        table_note(page,
                   "%" PRIu64
                   " events before it were erased; if it rested on one of them, this cannot be decided "
                   "again.",
                   row_number(check, "erased"));
    return false;
}

static bool write_why(const struct explanation *it, struct table_page *page)
{
    const json_t *entry = it->entry;
    const json_t *recipient;

    if (it->check == NULL) {
        if (row_flag(entry, "erased"))
            table_note(
                page, "What it rested on was erased with the person, so it cannot be decided again. That the "
                      "log is whole can still be verified.");
        return true;
    }
    write_version(it, page);
    recipient = recipient_of(it->check, row_or(entry, "to", ""));
    if (row_is(entry, "kind", "disclosed") && recipient != NULL) {
        table_note(page, "Why it was allowed:");
        write_texts(json_object_get(recipient, "because"), page);
    } else if (row_text(it->check, "decision") != NULL) {
        table_note(page, "By that version: %s", row_text(it->check, "decision"));
    }
    write_grounds(entry, page);
    if (row_is(entry, "kind", "accepted"))
        write_texts(json_object_get(it->check, "refused"), page);
    return write_verdict(it->check, page);
}

/* ---- what else ---- */

static const struct table_column columns[] = {
    {"entry", "entry", 8, TABLE_NUMBER}, {"time", "when", 20, TABLE_TEXT}, {"what", "what", 0, TABLE_TEXT}};
static const struct table_head also_head = {"also", "The event's other entries", "none", columns, 3};
static const struct table_head since_head = {"since", "What happened to it",
                                             "nothing: no receipt for it is in the log yet", columns, 3};

static const struct table_head event_head = {"since", "What happened to the event", "nothing", columns, 3};

static void tell_row(const json_t *row, char *out, size_t size)
{
    const char *from = row_or(row, "from", "-");
    const char *to = row_or(row, "to", "-");
    char items[LIST_SIZE];

    row_list(row, "labels", items, sizeof items);
    if (row_is(row, "kind", "disclosed"))
        (void)snprintf(out, size, "%s was told: %s", to, items);
    else if (row_is(row, "kind", "refused"))
        (void)snprintf(out, size, "refused: %s", row_or(row, "reason", "-"));
    else if (row_is(row, "kind", "delivered"))
        (void)snprintf(out, size, "%s confirmed with a signed receipt that it arrived", from);
    else if (row_is(row, "kind", "opened"))
        (void)snprintf(out, size, "%s at %s: %s", row_or(row, "officer", "somebody"), from,
                       row_or(row, "outcome", "opened"));
    else if (row_is(row, "kind", "accepted"))
        (void)snprintf(out, size, "the event was accepted from %s", from);
    else
        (void)snprintf(out, size, "%s, %s%s%s%s%s", row_or(row, "kind", "-"), row_or(row, "outcome", "-"),
                       row_text(row, "to") == NULL ? "" : ", ", row_or(row, "to", ""),
                       row_text(row, "reason") == NULL ? "" : ": ", row_or(row, "reason", ""));
}

/* Entries that were made with the event itself. */
static bool is_own(const json_t *row)
{
    static const char *const own[] = {"accepted", "disclosed", "refused", "register",
                                      "consent",  "withdrawn", "merged",  "override"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (row_is(row, "kind", own[i]))
            return true;
    }
    return false;
}

/* Of a disclosure only what concerns its recipient happened to it. */
static bool is_later(const struct explanation *it, const json_t *row)
{
    const char *recipient = row_text(it->entry, "to");

    if (is_own(row))
        return false;
    return !row_is(it->entry, "kind", "disclosed") || recipient == NULL || row_is(row, "from", recipient) ||
           row_is(row, "to", recipient) || row_text(row, "to") == NULL;
}

static bool is_other(const struct explanation *it, const json_t *row)
{
    (void)it;
    return is_own(row);
}

static bool any_later(const struct explanation *it)
{
    for (size_t i = 0; i < json_array_size(it->rows); i++) {
        if (is_later(it, json_array_get(it->rows, i)))
            return true;
    }
    return false;
}

static void write_rows(const struct explanation *it, struct table_page *page, const struct table_head *head,
                       bool (*wanted)(const struct explanation *it, const json_t *row))
{
    table_open(page, head);
    for (size_t i = 0; i < json_array_size(it->rows); i++) {
        const json_t *row = json_array_get(it->rows, i);
        char entry[24], when[ROW_WHEN_SIZE], text[LIST_SIZE + 256];

        if (!wanted(it, row))
            continue;
        (void)snprintf(entry, sizeof entry, "%" PRIu64, row_number(row, "index"));
        row_when(row_or(row, "time", "-"), when);
        tell_row(row, text, sizeof text);
        table_row(page, (const char *const[]){entry, when, text});
    }
    table_close(page);
}

void explanation_write(const struct explanation *explanation, struct table_page *page, bool *ret_agrees)
{
    const json_t *entry = explanation->entry;

    *ret_agrees = true;
    if (entry == NULL)
        return;
    write_entry(explanation, page);
    *ret_agrees = write_why(explanation, page);
    if (row_text(entry, "event") == NULL)
        return;
    if (row_is(entry, "kind", "disclosed"))
        write_rows(explanation, page, &since_head, is_later);
    else if (any_later(explanation))
        write_rows(explanation, page, &event_head, is_later);
    write_rows(explanation, page, &also_head, is_other);
}
