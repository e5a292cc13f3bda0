#include "broker/search_row.h"

#include "base/civil.h"
#include "broker/counted.h"
#include "proto/digest.h"
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

static json_t *hex_or_null(struct byte_view bytes)
{
    char text[2 * DIGEST_SIZE + 1];

    if (bytes.size == 0 || bytes.size > DIGEST_SIZE)
        return json_null();
    bytes_to_hex(bytes.data, bytes.size, text);
    return json_string(text);
}

static json_t *numbers(const uint64_t *list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, json_integer((json_int_t)list[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

/* ---- details, by kind ---- */

static bool add_asked(json_t *row, const struct record_account *account)
{
    struct byte_buffer text = bytes_buffer((size_t)RECORD_DETAILS_MAX * RECORD_DETAIL_SIZE);
    bool good;

    for (size_t i = 0; i < account->detail_count; i++)
        bytes_append_view(&text, account->details[i]);
    good = text.status == STATUS_OK &&
           json_object_set_new(row, "asked", text_or_null(bytes_buffer_view(&text))) == 0;
    bytes_buffer_free(&text);
    return good;
}

/* Those of 8 bytes are indexes of entries (of a count first how many, then which), one of 32 a digest. */
static bool add_details(json_t *row, enum record_kind kind, const struct record_account *account)
{
    uint64_t entries[RECORD_DETAILS_MAX];
    size_t count = 0;
    bool good = true;

    if (kind == RECORD_AUDIT_QUERY || kind == RECORD_CONSULTED)
        return account->detail_count == 0 || add_asked(row, account);
    for (size_t i = 0; good && i < account->detail_count; i++) {
        struct byte_view detail = account->details[i];

        if (detail.size == DIGEST_SIZE)
            good = json_object_set_new(row, "digest", hex_or_null(detail)) == 0;
        else if (detail.size == 8)
            entries[count++] = bytes_get_u64(detail.data);
    }
    if (good && kind == RECORD_COUNT && count == 2 &&
        bytes_equal(account->outcome, bytes_of_string(COUNTED_OUTCOME))) {
        good = json_object_set_new(row, "sent", json_integer((json_int_t)entries[0])) == 0 &&
               json_object_set_new(row, "received", json_integer((json_int_t)entries[1])) == 0;
        count = 0;
    } else if (good && kind == RECORD_COUNT && count == 2) {
        good = json_object_set_new(row, "repeats", json_integer((json_int_t)entries[0])) == 0;
        entries[0] = entries[1];
        count = 1;
    }
    return good && (count == 0 || json_object_set_new(row, "entries", numbers(entries, count)) == 0);
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
        {"officer", text_or_null(personal->officer)},
        {"deadline", account->deadline == 0 ? json_null() : time_text(account->deadline)},
        {"key", hex_or_null(account->key)},
        {"protocol", hex_or_null(account->protocol)},
        {"grounds", numbers(personal->grounds, personal->ground_count)},
    };
    json_t *row = json_object();
    bool failed = row == NULL;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (failed)
            json_decref(members[i].value);
        else
            failed = json_object_set_new(row, members[i].key, members[i].value) != 0;
    }
    failed = failed || !add_details(row, hit->kind, account);
    if (failed)
        json_decref(row);
    return failed ? NULL : row;
}
