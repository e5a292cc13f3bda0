#include "broker/search_row.h"

#include <string.h>

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

/* ---- rows ---- */

enum field {
    INDEX,
    TIME,
    KIND,
    FROM,
    TO,
    TYPE,
    SUBJECT,
    RULE,
    GATEWAY,
    PURPOSE,
    LABELS,
    OUTCOME,
    REASON,
    FLAGS,
    EVENT,
    OFFICER,
    DEADLINE,
    KEY,
    PROTOCOL,
    GROUNDS,
    DETAILS,
    FIELDS
};

static const char *const names[FIELDS] = {"index",    "time",    "kind",    "from",    "to",       "type",
                                          "subject",  "rule",    "gateway", "purpose", "labels",   "outcome",
                                          "reason",   "flags",   "event",   "officer", "deadline", "key",
                                          "protocol", "grounds", "details"};

bool search_row_field(const char *key, uint32_t *ret_bit)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        if (strcmp(key, names[i]) == 0) {
            *ret_bit = UINT32_C(1) << i;
            return true;
        }
    }
    return false;
}

static json_t *value_of(const struct index_hit *hit, enum field field)
{
    static const struct record_personal erased = {.grounds = NULL};
    const struct record_account *account = hit->account;
    const struct record_personal *personal = hit->personal == NULL ? &erased : hit->personal;

    switch (field) {
    case INDEX:
        return json_integer((json_int_t)hit->index);
    case TIME:
        return time_text(account->time);
    case KIND:
        return json_string(record_kind_text((uint8_t)hit->kind));
    case FROM:
        return text_or_null(account->from);
    case TO:
        return text_or_null(account->to);
    case TYPE:
        return text_or_null(account->type);
    case SUBJECT:
        return subject_text(personal->subject);
    case RULE:
        return text_or_null(account->rule);
    case GATEWAY:
        return text_or_null(account->gateway);
    case PURPOSE:
        return text_or_null(account->purpose);
    case LABELS:
        return texts(account->labels, account->label_count);
    case OUTCOME:
        return text_or_null(account->outcome);
    case REASON:
        return text_or_null(account->reason);
    case FLAGS:
        return flags_of(hit);
    case EVENT:
        return event_text(personal->event);
    case OFFICER:
        return text_or_null(personal->officer);
    case DEADLINE:
        return account->deadline == 0 ? json_null() : time_text(account->deadline);
    case KEY:
        return hex_or_null(account->key);
    case PROTOCOL:
        return hex_or_null(account->protocol);
    case GROUNDS:
        return numbers(personal->grounds, personal->ground_count);
    case DETAILS:
    case FIELDS:
        break;
    }
    return NULL;
}

json_t *search_row_json(const struct index_hit *hit, uint32_t fields)
{
    uint32_t wanted = fields == 0 ? UINT32_MAX : fields | 1; /* the index always */
    json_t *row = json_object();
    bool failed = row == NULL;

    for (enum field i = INDEX; i < DETAILS && !failed; i++) {
        if ((wanted >> i & 1) != 0)
            failed = json_object_set_new_nocheck(row, names[i], value_of(hit, i)) != 0;
    }
    if (!failed && (wanted >> DETAILS & 1) != 0)
        failed = !add_details(row, hit->kind, hit->account);
    if (failed)
        json_decref(row);
    return failed ? NULL : row;
}
