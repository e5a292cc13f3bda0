#include "broker/search_row.h"

#include "base/civil.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

static json_t *text_or_null(struct byte_view text)
{
    return text.size == 0 ? json_null() : json_stringn((const char *)text.data, text.size);
}

static json_t *time_text(int64_t time)
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(time, text);
    return json_string(text);
}

static json_t *subject_text(struct byte_view subject)
{
    struct pseudonym pseudonym;
    char text[PSEUDONYM_TEXT];

    if (pseudonym_from_bytes(subject, &pseudonym) != STATUS_OK)
        return json_null();
    pseudonym_format(&pseudonym, text);
    return json_string(text);
}

static json_t *event_text(struct byte_view event)
{
    char text[UUID_TEXT_SIZE];

    if (event.size != UUID_SIZE)
        return json_null();
    uuid_format(event.data, text);
    return json_string(text);
}

static json_t *texts(const struct byte_view *list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, text_or_null(list[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *flags_of(const struct index_hit *hit)
{
    const struct {
        bool set;
        const char *name;
    } flags[] = {
        {(hit->account->flags & RECORD_LATE) != 0, "late"},
        {(hit->account->flags & RECORD_JUVENILE) != 0, "juvenile"},
        {(hit->account->flags & RECORD_BREAK_GLASS) != 0, "break-glass"},
        {hit->personal == NULL, "erased"},
    };
    struct byte_view set[sizeof flags / sizeof flags[0]];
    size_t count = 0;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].set)
            set[count++] = bytes_of_string(flags[i].name);
    }
    return texts(set, count);
}

json_t *search_row_json(const struct index_hit *hit)
{
    static const struct record_personal erased = {.grounds = NULL};
    const struct record_account *account = hit->account;
    const struct record_personal *personal = hit->personal == NULL ? &erased : hit->personal;
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"index", json_integer((json_int_t)hit->index)},
        {"time", time_text(account->time)},
        {"kind", json_string(record_kind_text((uint8_t)hit->kind))},
        {"from", text_or_null(account->from)},
        {"to", text_or_null(account->to)},
        {"type", text_or_null(account->type)},
        {"subject", subject_text(personal->subject)},
        {"rule", text_or_null(account->rule)},
        {"gateway", text_or_null(account->gateway)},
        {"purpose", text_or_null(account->purpose)},
        {"labels", texts(account->labels, account->label_count)},
        {"outcome", text_or_null(account->outcome)},
        {"reason", text_or_null(account->reason)},
        {"flags", flags_of(hit)},
        {"event", event_text(personal->event)},
    };
    json_t *row = json_object();
    bool failed = row == NULL;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (failed)
            json_decref(members[i].value);
        else
            failed = json_object_set_new(row, members[i].key, members[i].value) != 0;
    }
    if (failed)
        json_decref(row);
    return failed ? NULL : row;
}
