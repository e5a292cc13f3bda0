#include "agent/feed_page.h"

#include <stdio.h>
#include <string.h>

#include "agent/feed_store.h"
#include "base/civil.h"
#include "proto/codes.h"

void feed_page_count(struct feed_tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->count; i++) {
        if (strcmp(tally->list[i].name, name) == 0) {
            tally->list[i].times++;
            return;
        }
    }
    if (tally->count == FEED_PAGE_NAMES)
        return;
    (void)snprintf(tally->list[tally->count].name, sizeof tally->list[0].name, "%s", name);
    tally->list[tally->count++].times = 1;
}

void feed_page_refuse(struct feed_page *page, uint64_t line, const char *reason)
{
    page->refused++;
    if (page->refused_count < FEED_PAGE_REFUSED)
        feed_reject_set(&page->refusals[page->refused_count++], line, NULL, "%s", reason);
}

bool feed_page_sent(const struct feed_page *page)
{
    return page->notices + page->changed + page->cancelled > 0;
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool set_number(json_t *object, const char *key, uint64_t value)
{
    return set(object, key, json_integer((json_int_t)value));
}

static bool set_tally(json_t *object, const char *key, const struct feed_tally *tally)
{
    json_t *counts = json_object();
    bool good = counts != NULL;

    for (size_t i = 0; i < tally->count && good; i++)
        good = set_number(counts, tally->list[i].name, tally->list[i].times);
    return set(object, key, counts) && good;
}

static bool add_reject(json_t *list, const struct feed_reject *reject)
{
    json_t *item = json_object();
    const bool good = item != NULL && set_number(item, "line", reject->line) &&
                      set(item, "column", json_string(reject->column)) &&
                      set(item, "reason", json_string(reject->reason));

    return json_array_append_new(list, item) == 0 && good;
}

static enum status list_rejects(const struct feed_store *store, int64_t run, json_t *list)
{
    uint64_t line = 0;
    struct feed_reject reject = {0};
    enum status status = STATUS_OK;

    while (json_array_size(list) < FEED_PAGE_REJECTS) {
        status = feed_store_next_reject(store, run, &line, &reject);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (!add_reject(list, &reject))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static bool set_lists(json_t *json, const struct feed_page *page)
{
    json_t *late = json_array();
    json_t *refused = json_array();
    bool good = late != NULL && refused != NULL;

    for (size_t i = 0; i < page->late_line_count && good; i++)
        good = json_array_append_new(late, json_integer((json_int_t)page->late_lines[i])) == 0;
    for (size_t i = 0; i < page->refused_count && good; i++)
        good = add_reject(refused, &page->refusals[i]);
    good = set(json, "late_lines", late) && good;
    return set(json, "not_sent", refused) && good;
}

static bool set_numbers(json_t *json, const struct feed_page *page)
{
    return set_number(json, "rows", page->rows) && set_number(json, "ours", page->ours) &&
           set_number(json, "other_establishments", page->elsewhere) &&
           set_number(json, "skipped", page->skipped) && set_number(json, "repeated", page->repeated) &&
           set_number(json, "on_scheme", page->on_scheme) && set_number(json, "notices", page->notices) &&
           set_number(json, "changed", page->changed) && set_number(json, "cancelled", page->cancelled) &&
           set_number(json, "unchanged", page->unchanged) && set_number(json, "not_due", page->ahead) &&
           set_number(json, "kept", page->kept) && set_number(json, "late", page->late) &&
           set_number(json, "rejected_rows", page->rejected) &&
           set_number(json, "not_sent_rows", page->refused);
}

enum status feed_page_json(const struct feed_page *page, const struct feed_store *store, int64_t run,
                           json_t **ret_json)
{
    json_t *json = json_object();
    json_t *rejects = json_array();
    char at[CIVIL_TIME_SIZE];
    enum status status = STATUS_NO_MEMORY;

    civil_format_time(page->at, at);
    if (json == NULL || rejects == NULL || !set(json, "feed", json_string(page->feed)) ||
        !set(json, "file", page->file[0] != '\0' ? json_string(page->file) : json_null()) ||
        !set(json, "at", json_string(at)) || !set(json, "again", json_boolean(page->again)) ||
        !set_numbers(json, page) || !set_tally(json, "by_recipient", &page->recipients) ||
        !set_tally(json, "no_party", &page->no_party) || !set_lists(json, page))
        goto out;
    if (page->held.text[0] != '\0' && !set(json, "held", json_string(page->held.text)))
        goto out;
    status = store != NULL ? list_rejects(store, run, rejects) : STATUS_OK;
    if (status != STATUS_OK)
        goto out;
    status = json_object_set(json, "rejected", rejects) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        goto out;
    *ret_json = json;
    json = NULL;
out:
    json_decref(json);
    json_decref(rejects);
    return status;
}

/* ---- text --------------------------------------------------------------------------------------------- */

static long long number(const json_t *page, const char *key)
{
    return json_integer_value(json_object_get(page, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value != NULL ? value : "";
}

static void write_count(struct byte_buffer *ret, const json_t *page, const char *key, const char *what)
{
    const long long value = number(page, key);

    if (value > 0)
        bytes_append_format(ret, "  %6lld  %s\n", value, what);
}

static void write_rows(struct byte_buffer *ret, const json_t *page)
{
    bytes_append_format(ret, "\nRows: %lld\n", number(page, "rows"));
    write_count(ret, page, "ours", "ours");
    write_count(ret, page, "other_establishments", "of other establishments");
    write_count(ret, page, "skipped", "ours, but nothing to send (such as temporary releases)");
    write_count(ret, page, "repeated", "the same row once more");
    write_count(ret, page, "rejected_rows", "rejected: to mend");
    write_count(ret, page, "on_scheme", "about people on the scheme");
}

static void write_sent(struct byte_buffer *ret, const json_t *page)
{
    bytes_append_format(ret, "\nSent: %lld\n",
                        number(page, "notices") + number(page, "changed") + number(page, "cancelled"));
    write_count(ret, page, "notices", "new");
    write_count(ret, page, "changed", "changed since the last file");
    write_count(ret, page, "cancelled", "cancelled: the row has gone");
    write_count(ret, page, "unchanged", "sent before and unchanged, so not sent again");
    write_count(ret, page, "not_due", "not due yet: the window has not opened");
    write_count(ret, page, "kept", "gone, but not cancelled: a rejected row may be theirs");
}

static void write_tallies(struct byte_buffer *ret, const json_t *page)
{
    const char *name = NULL;
    json_t *times = NULL;
    json_t *recipients = json_object_get(page, "by_recipient");
    json_t *homes = json_object_get(page, "no_party");

    if (json_object_size(recipients) > 0)
        bytes_append_string(ret, "\nTo, as far as is known here; the broker decides:\n");
    json_object_foreach(recipients, name, times)
        bytes_append_format(ret, "  %6lld  %s\n", (long long)json_integer_value(times), name);
    if (json_object_size(homes) > 0)
        bytes_append_string(ret, "\nHome forces that are no party to the protocol and get nothing:\n");
    json_object_foreach(homes, name, times)
    {
        const char *force = codes_force_name(bytes_of_string(name));

        bytes_append_format(ret, "  %6lld  %s %s\n", (long long)json_integer_value(times), name,
                            force != NULL ? force : "");
    }
}

static void write_late(struct byte_buffer *ret, const json_t *page)
{
    const json_t *lines = json_object_get(page, "late_lines");

    if (number(page, "late") == 0)
        return;
    bytes_append_format(ret, "\nLate, and sent flagged as late: %lld (line", number(page, "late"));
    for (size_t i = 0; i < json_array_size(lines); i++)
        bytes_append_format(ret, "%s %lld", i > 0 ? "," : "",
                            (long long)json_integer_value(json_array_get(lines, i)));
    bytes_append_string(ret, ")\n");
}

static void write_reasons(struct byte_buffer *ret, const json_t *list, const char *title, long long total)
{
    if (json_array_size(list) == 0)
        return;
    bytes_append_format(ret, "\n%s\n", title);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *column = text(item, "column");

        bytes_append_format(ret, "  line %lld%s%s: %s\n", number(item, "line"), column[0] != '\0' ? ", " : "",
                            column, text(item, "reason"));
    }
    if ((size_t)total > json_array_size(list))
        bytes_append_format(ret, "  … and %lld more\n", total - (long long)json_array_size(list));
}

void feed_page_text(const json_t *page, struct byte_buffer *ret)
{
    const char *file = text(page, "file");
    const char *held = text(page, "held");

    bytes_append_format(ret, "Feed %s, %s, %s\n", text(page, "feed"),
                        file[0] != '\0' ? file : "a look at the last extract", text(page, "at"));
    if (held[0] != '\0')
        bytes_append_format(ret, "\nHELD, nothing was sent: %s.\n", held);
    if (json_is_true(json_object_get(page, "again")))
        bytes_append_string(ret, "\nThis is the same file as the last one.\n");
    if (file[0] != '\0')
        write_rows(ret, page);
    if (held[0] == '\0')
        write_sent(ret, page);
    write_tallies(ret, page);
    write_late(ret, page);
    write_reasons(ret, json_object_get(page, "not_sent"), "Not sent:", number(page, "not_sent_rows"));
    write_reasons(ret, json_object_get(page, "rejected"), "Rows to mend:", number(page, "rejected_rows"));
}
