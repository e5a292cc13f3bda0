#include "broker/search_question.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "broker/search_row.h"

/* Keys in the order in which the log names them. The first SEARCH_QUESTION_TEXTS are texts. */
static const char *const keys[] = {"member",      "from",    "to",    "officer", "type",   "label",
                                   "purpose",     "gateway", "rule",  "outcome", "report", "subject",
                                   "event",       "key",     "kinds", "entry",   "late",   "juvenile",
                                   "break_glass", "since",   "until", "first",   "end",    "limit"};

static const char *const verbs[] = {"search", "replay-export", "recheck", "register", "protocols", "explain"};

__attribute__((format(printf, 2, 3))) static enum status refuse(struct search_reason *reason,
                                                                const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return STATUS_BAD_ARGUMENT;
}

/* ---- values ---- */

static enum status check_text(const char *key, const json_t *value, struct search_reason *reason)
{
    size_t size = json_string_length(value);

    if (!json_is_string(value) || size == 0 || size >= SEARCH_QUESTION_TEXT_SIZE ||
        strlen(json_string_value(value)) != size ||
        !utf8_printable(bytes_of_string(json_string_value(value))))
        return refuse(reason, "\"%s\" must be a text of 1 to %d bytes on one line", key,
                      SEARCH_QUESTION_TEXT_SIZE - 1);
    return STATUS_OK;
}

static enum status take_text(size_t number, const json_t *value, struct search_question *question,
                             struct search_reason *reason)
{
    struct index_query *query = &question->query;
    struct byte_view *const places[SEARCH_QUESTION_TEXTS] = {
        &query->member, &query->from,    &query->to,      &query->officer, &query->type,
        &query->label,  &query->purpose, &query->gateway, &query->rule,    &query->outcome};
    enum status status = check_text(keys[number], value, reason);

    if (status != STATUS_OK)
        return status;
    memcpy(question->texts[number], json_string_value(value), json_string_length(value) + 1);
    *places[number] = bytes_of_string(question->texts[number]);
    return STATUS_OK;
}

static enum status take_subject(const json_t *value, struct search_question *question,
                                struct search_reason *reason)
{
    if (!json_is_string(value) || pseudonym_parse(json_string_value(value), &question->subject) != STATUS_OK)
        return refuse(
            reason,
            "\"subject\" must be a pseudonym, as concordat subject prints it: 1-<64 hexadecimal digits>");
    question->query.subject = bytes_view(question->subject.bytes, sizeof question->subject.bytes);
    return STATUS_OK;
}

static enum status take_event(const json_t *value, struct search_question *question,
                              struct search_reason *reason)
{
    if (!json_is_string(value) ||
        uuid_parse(bytes_of_string(json_string_value(value)), question->event) != STATUS_OK)
        return refuse(reason, "\"event\" must be the id of an event");
    question->query.event = bytes_view(question->event, sizeof question->event);
    return STATUS_OK;
}

static enum status take_key(const json_t *value, struct search_question *question,
                            struct search_reason *reason)
{
    if (!json_is_string(value) ||
        bytes_from_hex(json_string_value(value), question->key, sizeof question->key) != STATUS_OK)
        return refuse(reason, "\"key\" must be the id of a sealing key: 32 hexadecimal digits");
    question->query.key = bytes_view(question->key, sizeof question->key);
    return STATUS_OK;
}

static enum status take_kinds(const json_t *value, struct index_query *query, struct search_reason *reason)
{
    enum record_kind kind;

    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > INDEX_KINDS_MAX)
        return refuse(reason, "\"kinds\" must be a list of kinds of entries");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *word = json_array_get(value, i);

        if (!json_is_string(word) ||
            record_kind_parse(bytes_of_string(json_string_value(word)), &kind) != STATUS_OK)
            return refuse(reason, "\"kinds\" must be a list of kinds of entries, as accepted or disclosed");
        query->kinds |= UINT32_C(1) << kind;
    }
    return STATUS_OK;
}

static enum status take_fields(const json_t *value, struct search_question *question,
                               struct search_reason *reason)
{
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > 32)
        return refuse(reason, "\"fields\" must be a list of keys of rows");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));
        uint32_t bit = 0;

        if (name == NULL || !search_row_field(name, &bit))
            return refuse(reason, "\"fields\" must be a list of keys of rows, as \"time\" or \"kind\"");
        question->fields |= bit;
    }
    return STATUS_OK;
}

static enum status take_flag(const char *key, const json_t *value, uint8_t flag, struct index_query *query,
                             struct search_reason *reason)
{
    if (!json_is_true(value))
        return refuse(reason, "\"%s\" must be true, or left out", key);
    query->flags |= flag;
    return STATUS_OK;
}

static enum status take_time(const char *key, const json_t *value, int64_t *ret_time,
                             struct search_reason *reason)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    int32_t date = 0;
    int64_t time = 0;

    if (civil_parse_date(text, &date) == STATUS_OK)
        time = civil_time_of_day_start(date);
    else if (civil_parse_time(text, &time) != STATUS_OK)
        return refuse(reason, "\"%s\" must be a date or a time as 2026-12-01 or 2026-12-01T09:00:00Z", key);
    if (time <= 0)
        return refuse(reason, "\"%s\" must be after 1970-01-01", key);
    *ret_time = time;
    return STATUS_OK;
}

static enum status take_number(const char *key, const json_t *value, json_int_t least, uint64_t *ret_number,
                               struct search_reason *reason)
{
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return refuse(reason, "\"%s\" must be a whole number from %d", key, (int)least);
    *ret_number = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

/* ---- requests ---- */

static enum status take_other(const char *key, const json_t *value, struct search_question *question,
                              struct search_reason *reason)
{
    struct index_query *query = &question->query;

    if (strcmp(key, "subject") == 0)
        return take_subject(value, question, reason);
    if (strcmp(key, "event") == 0)
        return take_event(value, question, reason);
    if (strcmp(key, "key") == 0)
        return take_key(value, question, reason);
    if (strcmp(key, "fields") == 0)
        return take_fields(value, question, reason);
    if (strcmp(key, "kinds") == 0)
        return take_kinds(value, query, reason);
    if (strcmp(key, "late") == 0)
        return take_flag(key, value, RECORD_LATE, query, reason);
    if (strcmp(key, "juvenile") == 0)
        return take_flag(key, value, RECORD_JUVENILE, query, reason);
    if (strcmp(key, "break_glass") == 0)
        return take_flag(key, value, RECORD_BREAK_GLASS, query, reason);
    if (strcmp(key, "first") == 0)
        return take_number(key, value, 0, &query->first, reason);
    if (strcmp(key, "end") == 0)
        return take_number(key, value, 1, &query->end, reason);
    if (strcmp(key, "limit") == 0)
        return take_number(key, value, 1, &query->limit, reason);
    return refuse(reason, "a search has no \"%.40s\"", key);
}

static enum status take_member(const char *key, const json_t *value, struct search_question *question,
                               struct search_reason *reason)
{
    if (strcmp(key, "do") == 0)
        return STATUS_OK;
    if (strcmp(key, "since") == 0)
        return take_time(key, value, &question->query.since, reason);
    if (strcmp(key, "until") == 0)
        return take_time(key, value, &question->query.until, reason);
    if (strcmp(key, "report") == 0)
        return check_text(key, value, reason);
    if (question->what == SEARCH_EXPLAIN && strcmp(key, "entry") == 0)
        return take_number(key, value, 0, &question->entry, reason);
    if (question->what != SEARCH_ENTRIES)
        return refuse(reason, "\"%s\" has no \"%.40s\"", verbs[question->what], key);
    for (size_t i = 0; i < SEARCH_QUESTION_TEXTS; i++) {
        if (strcmp(key, keys[i]) == 0)
            return take_text(i, value, question, reason);
    }
    return take_other(key, value, question, reason);
}

bool search_question_needs_everything(enum search_what what)
{
    return what == SEARCH_RETELL || what == SEARCH_CHECK || what == SEARCH_REGISTER;
}

bool search_question_verb(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i]) == 0)
            return true;
    }
    return false;
}

static enum search_what what_of(const json_t *request)
{
    const char *word = json_string_value(json_object_get(request, "do"));

    for (size_t i = 0; word != NULL && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i]) == 0)
            return (enum search_what)i;
    }
    return SEARCH_ENTRIES;
}

enum status search_question_parse(const json_t *request, struct search_question *ret,
                                  struct search_reason *ret_reason)
{
    json_t *object = (json_t *)(uintptr_t)request; /* jansson iterates only over what is not const */
    const char *key;
    json_t *value;

    *ret = (struct search_question){.what = what_of(request)};
    json_object_foreach(object, key, value)
    {
        enum status status = take_member(key, value, ret, ret_reason);

        if (status != STATUS_OK)
            return status;
    }
    if (ret->what == SEARCH_EXPLAIN && json_object_get(request, "entry") == NULL)
        return refuse(ret_reason, "\"entry\" must say which entry is to be explained");
    return STATUS_OK;
}

/* ---- as text ---- */

static void append_value(const char *key, const json_t *value, struct byte_buffer *text)
{
    if (json_is_string(value))
        bytes_append_format(text, "%s=%s", key, json_string_value(value));
    else if (json_is_integer(value))
        bytes_append_format(text, "%s=%" JSON_INTEGER_FORMAT, key, json_integer_value(value));
    else if (json_is_true(value))
        bytes_append_string(text, key);
    else if (json_is_array(value)) {
        bytes_append_format(text, "%s=", key);
        for (size_t i = 0; i < json_array_size(value); i++)
            bytes_append_format(text, "%s%s", i == 0 ? "" : ",", json_string_value(json_array_get(value, i)));
    }
}

void search_question_text(const json_t *request, struct byte_buffer *ret_text)
{
    size_t before = ret_text->size;

    if (what_of(request) != SEARCH_ENTRIES)
        bytes_append_string(ret_text, verbs[what_of(request)]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(request, keys[i]);

        if (value == NULL)
            continue;
        if (ret_text->size > before)
            bytes_append_string(ret_text, " ");
        append_value(keys[i], value, ret_text);
    }
    if (ret_text->size == before)
        bytes_append_string(ret_text, "everything");
}
