#include "agent/feed_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "proto/canonical.h"
#include "proto/chars.h"

#define STORAGE_LIMIT (FEED_ROW_MAX * 4)
#define NO_EVENT      UINT16_MAX

/* ---- binding ------------------------------------------------------------------------------------------ */

void feed_binding_free(struct feed_binding **binding)
{
    free(*binding);
    *binding = NULL;
}

/* A label's code list is that of the first event type that narrows it, among those that the feed sends. */
static const struct catalogue_codes *codes_of(const struct catalogue *catalogue, const char *const *types,
                                              uint16_t label)
{
    for (; *types != NULL; types++) {
        const uint16_t event = catalogue_find_event(catalogue, bytes_of_string(*types));
        const struct catalogue_field *field =
            event == CATALOGUE_NONE ? NULL : catalogue_field(&catalogue->events[event], label);

        if (field != NULL)
            return field->codes;
    }
    return catalogue->labels[label].codes;
}

static enum status bind_values(const struct catalogue *catalogue, const struct feed_values *values,
                               const char *const *types, struct feed_bounds *bounds,
                               struct feed_refusal *ret_refusal)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct feed_value *value = &values->list[i];
        const uint16_t label = catalogue_find_label(catalogue, bytes_of_string(value->label));
        struct feed_bound *bound = &bounds->list[bounds->count++];
        const struct catalogue_codes *codes = NULL;

        if (label == CATALOGUE_NONE) {
            (void)snprintf(ret_refusal->text, sizeof ret_refusal->text,
                           "feed.yaml names the label \"%.64s\", which the catalogue in force does not have",
                           value->label);
            return STATUS_UNSUPPORTED;
        }
        bound->value = value;
        bound->kind = catalogue->labels[label].kind;
        bound->limits.max_length = catalogue->labels[label].max_length;
        codes = bound->kind == KIND_CODE ? codes_of(catalogue, types, label) : NULL;
        bound->limits.codes = codes != NULL ? codes->values : NULL;
        bound->limits.code_count = codes != NULL ? codes->count : 0;
    }
    return STATUS_OK;
}

static enum status bind_events(struct feed_binding *binding, struct feed_refusal *ret_refusal)
{
    const struct feed_mapping *mapping = binding->mapping;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < mapping->event_count && status == STATUS_OK; i++) {
        const char *const types[] = {mapping->events[i].type, NULL};

        if (catalogue_find_event(binding->catalogue, bytes_of_string(types[0])) == CATALOGUE_NONE) {
            (void)snprintf(ret_refusal->text, sizeof ret_refusal->text,
                           "feed.yaml names the event \"%.64s\", which the catalogue in force does not have",
                           types[0]);
            return STATUS_UNSUPPORTED;
        }
        status = bind_values(binding->catalogue, &mapping->events[i].values, types, &binding->events[i],
                             ret_refusal);
    }
    return status;
}

static enum status bind_establishments(struct feed_binding *binding, const struct protocol *protocol,
                                       const char *member, struct feed_refusal *ret_refusal)
{
    const uint16_t party = protocol_find_party(protocol, bytes_of_string(member));

    if (!binding->mapping->establishments_from_protocol)
        return STATUS_OK;
    if (party == PROTOCOL_NONE || protocol->parties[party].establishment_count == 0) {
        (void)snprintf(
            ret_refusal->text, sizeof ret_refusal->text,
            "the protocol %.64s names no establishment for which %s speaks: list them in feed.yaml "
            "(establishments: [DGI])",
            protocol->id, member);
        return STATUS_UNSUPPORTED;
    }
    binding->establishments = protocol->parties[party].establishments;
    binding->establishment_count = protocol->parties[party].establishment_count;
    return STATUS_OK;
}

enum status feed_binding_make(const struct feed_mapping *mapping, const struct protocol *protocol,
                              const char *member, struct feed_binding **ret_binding,
                              struct feed_refusal *ret_refusal)
{
    static const char *const of_releases[] = {"release.planned", "release.date_changed", NULL};
    static const char *const of_list[] = {"ppo.added", NULL};
    static const char *const of_none[] = {NULL};
    struct feed_binding *binding = calloc(1, sizeof *binding);
    const char *const *types = mapping->does == FEED_DOES_RELEASES ? of_releases
                               : mapping->does == FEED_DOES_LIST   ? of_list
                                                                   : of_none;
    enum status status = STATUS_NO_MEMORY;

    if (binding == NULL)
        return STATUS_NO_MEMORY;
    binding->mapping = mapping;
    binding->catalogue = protocol->catalogue;
    status = bind_values(protocol->catalogue, &mapping->values, types, &binding->values, ret_refusal);
    if (status == STATUS_OK)
        status = bind_events(binding, ret_refusal);
    if (status == STATUS_OK)
        status = bind_establishments(binding, protocol, member, ret_refusal);
    if (status == STATUS_OK)
        *ret_binding = binding;
    else
        feed_binding_free(&binding);
    return status;
}

bool feed_binding_speaks_for(const struct feed_binding *binding, struct byte_view establishment)
{
    if (binding->mapping->establishments != NULL)
        return feed_mapping_code(binding->mapping->establishments, establishment);
    for (size_t i = 0; i < binding->establishment_count; i++)
        if (bytes_equal(bytes_of_string(binding->establishments[i]), establishment))
            return true;
    return false;
}

/* ---- conditions --------------------------------------------------------------------------------------- */

static bool is_met(const struct feed_binding *binding, const struct feed_condition *condition,
                   struct byte_view text)
{
    const bool in = condition->establishments  ? feed_binding_speaks_for(binding, text)
                    : condition->codes != NULL ? feed_mapping_code(condition->codes, text)
                                               : false;

    switch (condition->test) {
    case FEED_TEST_IN:
        return in;
    case FEED_TEST_NOT_IN:
        return !in;
    case FEED_TEST_EMPTY:
        return text.size == 0;
    case FEED_TEST_NOT_EMPTY:
    default:
        return text.size > 0;
    }
}

/*
 * Whether the row is ours. A row that does not say where it belongs is rejected, not passed over: it could be
 * of anybody. So is what a malformed row no longer says.
 */
static enum feed_row_state whose(const struct feed_binding *binding, const struct feed_record *record,
                                 struct feed_reject *ret_reject)
{
    const struct feed_conditions *ours = &binding->mapping->ours;

    for (size_t i = 0; i < ours->count; i++) {
        const struct feed_condition *condition = &ours->list[i];
        const struct byte_view text = chars_trim(record->fields[condition->field]);

        if (text.size == 0 && condition->test == FEED_TEST_IN) {
            feed_reject_set(ret_reject, record->line, binding->mapping->fields[condition->field],
                            "empty: whose row this is cannot be told");
            return FEED_ROW_REJECTED;
        }
        if (!is_met(binding, condition, text))
            return FEED_ROW_ELSEWHERE;
    }
    return FEED_ROW_GOOD;
}

static bool is_skipped(const struct feed_binding *binding, const struct feed_record *record)
{
    const struct feed_conditions *skip = &binding->mapping->skip;

    for (size_t i = 0; i < skip->count; i++)
        if (is_met(binding, &skip->list[i], chars_trim(record->fields[skip->list[i].field])))
            return true;
    return false;
}

static uint16_t find_event(const struct feed_binding *binding, const struct feed_record *record)
{
    for (uint16_t i = 0; i < binding->mapping->event_count; i++) {
        const struct feed_conditions *when = &binding->mapping->events[i].when;
        bool met = true;

        for (size_t k = 0; k < when->count && met; k++)
            met = is_met(binding, &when->list[k], chars_trim(record->fields[when->list[k].field]));
        if (met)
            return i;
    }
    return NO_EVENT;
}

/* ---- values ------------------------------------------------------------------------------------------- */

struct reading {
    const struct feed_binding *binding;
    const struct feed_record *record;
    unsigned year;
    struct feed_row *row;
    struct feed_reject *reject;
    bool rejected;
    char text[FEED_ROW_MAX / 16 + KIND_VALUE_SIZE];
};

__attribute__((format(printf, 3, 4))) static void
reject(struct reading *reading, const struct feed_bound *bound, const char *format, ...)
{
    const struct feed_value *value = bound->value;
    const char *column = value->from_count > 0 ? reading->binding->mapping->fields[value->from[0]] : NULL;
    char reason[FEED_REASON_SIZE];
    va_list arguments;

    if (reading->rejected)
        return;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    feed_reject_set(reading->reject, reading->record->line, column, "%s", reason);
    reading->rejected = true;
}

/* The columns of a value put together, without spaces at their ends. False: longer than any value. */
static bool gather(struct reading *reading, const struct feed_value *value, struct byte_view *ret_text)
{
    size_t size = 0;

    for (size_t i = 0; i < value->from_count; i++) {
        const struct byte_view part = chars_trim(reading->record->fields[value->from[i]]);
        const char *join = size > 0 && part.size > 0 ? (value->join != NULL ? value->join : " ") : "";

        if (size + strlen(join) + part.size >= sizeof reading->text)
            return false;
        memcpy(reading->text + size, join, strlen(join));
        size += strlen(join);
        if (part.size > 0)
            memcpy(reading->text + size, part.data, part.size);
        size += part.size;
    }
    reading->text[size] = '\0';
    *ret_text = bytes_view(reading->text, size);
    return true;
}

/* A date by the patterns of the mapping; out holds YYYY-MM-DD. */
static bool parse_date(const struct feed_value *value, const char *text, char out[static CIVIL_DATE_SIZE])
{
    int32_t date = 0;

    for (size_t i = 0; i < value->pattern_count; i++) {
        if (civil_parse_pattern(value->patterns[i], text, &date) == STATUS_OK) {
            civil_format_date(date, out);
            return true;
        }
    }
    return false;
}

static void add(struct reading *reading, const struct feed_bound *bound, struct byte_view text)
{
    struct feed_row *row = reading->row;
    char value[KIND_VALUE_SIZE];
    struct kind_reason why = {0};

    if (kind_canonical(bound->kind, &bound->limits, reading->year, text, value, sizeof value, &why) !=
        STATUS_OK) {
        reject(reading, bound, "%s", why.text);
        return;
    }
    if (row->count == sizeof row->pairs / sizeof row->pairs[0])
        return;
    row->pairs[row->count].label = bytes_of_string(bound->value->label);
    row->pairs[row->count].value = bytes_view(NULL, strlen(value));
    row->count++;
    bytes_append_string(&row->storage, value);
    bytes_wipe(value, sizeof value);
}

static void read_value(struct reading *reading, const struct feed_bound *bound)
{
    const struct feed_value *value = bound->value;
    struct byte_view text = {0};
    char date[CIVIL_DATE_SIZE];

    if (value->constant != NULL) {
        add(reading, bound, bytes_of_string(value->constant));
        return;
    }
    if (!gather(reading, value, &text)) {
        reject(reading, bound, "longer than any value can be");
        return;
    }
    if (text.size == 0) {
        if (value->required)
            reject(reading, bound, "empty, and must not be");
        return;
    }
    if (value->lookup != NULL) {
        const char *found = feed_mapping_look_up(value->lookup, text);

        found = found != NULL ? found : value->otherwise;
        if (found == NULL)
            reject(reading, bound, "not among the codes that feed.yaml looks up");
        else
            add(reading, bound, bytes_of_string(found));
        return;
    }
    if (value->pattern_count > 0) {
        if (!parse_date(value, reading->text, date))
            reject(reading, bound, "not a day that exists, written %s", value->patterns[0]);
        else
            add(reading, bound, bytes_of_string(date));
        return;
    }
    add(reading, bound, text);
}

static void read_all(struct reading *reading, const struct feed_bounds *bounds)
{
    for (size_t i = 0; i < bounds->count; i++)
        read_value(reading, &bounds->list[i]);
}

/* Values were kept by size while the storage could still move. */
static void place_values(struct feed_row *row)
{
    size_t at = 0;

    for (size_t i = 0; i < row->count; i++) {
        row->pairs[i].value.data = row->storage.data + at;
        at += row->pairs[i].value.size;
    }
}

static unsigned year_of(int32_t date)
{
    char text[CIVIL_DATE_SIZE];
    unsigned year = 0;

    civil_format_date(date, text);
    (void)sscanf(text, "%4u", &year);
    return year;
}

/* Empty, but with an address, so that an empty value is not taken for none. */
static void start_storage(struct byte_buffer *storage)
{
    if (storage->data == NULL)
        *storage = bytes_buffer(STORAGE_LIMIT);
    else
        bytes_wipe(storage->data, storage->size);
    bytes_buffer_clear(storage);
    bytes_append_u8(storage, 0);
    storage->size = 0;
}

enum feed_row_state feed_row_read(const struct feed_binding *binding, const struct feed_record *record,
                                  const struct feed_reject *broken, int32_t today, struct feed_row *ret_row,
                                  struct feed_reject *ret_reject)
{
    struct reading reading = {.binding = binding,
                              .record = record,
                              .year = year_of(today),
                              .row = ret_row,
                              .reject = ret_reject,
                              .rejected = broken != NULL};
    enum feed_row_state state = FEED_ROW_GOOD;

    ret_row->line = record->line;
    ret_row->event = NO_EVENT;
    ret_row->count = 0;
    start_storage(&ret_row->storage);
    if (broken != NULL)
        *ret_reject = *broken;
    state = whose(binding, record, ret_reject);
    if (state == FEED_ROW_ELSEWHERE)
        return state;
    if (broken != NULL)
        *ret_reject = *broken;
    else if (state == FEED_ROW_GOOD && is_skipped(binding, record))
        return FEED_ROW_SKIPPED;
    reading.rejected = reading.rejected || state == FEED_ROW_REJECTED;
    read_all(&reading, &binding->values);
    if (binding->mapping->does == FEED_DOES_EVENTS) {
        ret_row->event = find_event(binding, record);
        if (ret_row->event == NO_EVENT)
            return reading.rejected ? FEED_ROW_REJECTED : FEED_ROW_SKIPPED;
        read_all(&reading, &binding->events[ret_row->event]);
    }
    bytes_wipe(reading.text, sizeof reading.text);
    if (ret_row->storage.status != STATUS_OK && !reading.rejected) {
        feed_reject_set(ret_reject, record->line, NULL, "%s", status_text(ret_row->storage.status));
        reading.rejected = true;
        ret_row->count = 0;
    }
    place_values(ret_row);
    return reading.rejected ? FEED_ROW_REJECTED : FEED_ROW_GOOD;
}

void feed_row_wipe(struct feed_row *row)
{
    bytes_buffer_wipe(&row->storage);
    row->count = 0;
}

struct byte_view feed_row_value(const struct feed_row *row, const char *label)
{
    for (size_t i = 0; i < row->count; i++)
        if (bytes_equal(row->pairs[i].label, bytes_of_string(label)))
            return row->pairs[i].value;
    return bytes_view(NULL, 0);
}

void feed_row_text(const struct feed_row *row, const char *label, char *out, size_t size)
{
    const struct byte_view value = feed_row_value(row, label);
    const size_t length = value.size < size ? value.size : 0;

    if (length > 0)
        memcpy(out, value.data, length);
    out[length] = '\0';
}

void feed_row_encode(const struct feed_row *row, struct byte_buffer *ret)
{
    bytes_append_u32(ret, (uint32_t)row->line);
    bytes_append_u16(ret, row->event);
    bytes_append_u16(ret, (uint16_t)row->count);
    for (size_t i = 0; i < row->count; i++) {
        canonical_append(ret, row->pairs[i].label);
        canonical_append(ret, row->pairs[i].value);
    }
}

enum status feed_row_decode(struct byte_view bytes, struct feed_row *ret_row)
{
    struct byte_reader reader = bytes_reader(bytes);
    size_t count = 0;

    ret_row->line = bytes_read_u32(&reader);
    ret_row->event = bytes_read_u16(&reader);
    ret_row->count = 0;
    count = bytes_read_u16(&reader);
    if (count > sizeof ret_row->pairs / sizeof ret_row->pairs[0])
        return STATUS_CORRUPT;
    for (size_t i = 0; i < count; i++)
        if (canonical_read(&reader, 64, &ret_row->pairs[i].label) != STATUS_OK ||
            canonical_read(&reader, KIND_VALUE_SIZE, &ret_row->pairs[i].value) != STATUS_OK)
            return STATUS_CORRUPT;
    if (!bytes_read_done(&reader))
        return STATUS_CORRUPT;
    ret_row->count = count;
    return STATUS_OK;
}
