#include <string.h>

#include "policy/register.h"

/* What follows from a person's record, and its form for storing. */

#define ENCODING_VERSION 3 /* 1 had no merge_at, 2 no divert */

void register_init(struct register_state *state)
{
    memset(state, 0, sizeof *state);
    state->entry.removed_at = INT64_MIN;
    state->entry.review_due = REGISTER_NO_DATE;
    state->entry.listed_review_due = REGISTER_NO_DATE;
}

static int64_t end_of_day(int32_t date)
{
    return civil_time_of_day_start(date) + CIVIL_DAY_MS;
}

static int64_t listing_ends(const struct protocol *protocol, const struct register_entry *entry)
{
    if (!entry->listed || entry->review_due == REGISTER_NO_DATE)
        return INT64_MIN;
    return civil_add_duration(end_of_day(entry->review_due), protocol->review_grace, 1);
}

bool register_listed(const struct protocol *protocol, const struct register_entry *entry, int64_t now)
{
    return entry->listed && now < listing_ends(protocol, entry);
}

uint16_t register_find_consent(const struct register_state *state, const char *scope)
{
    for (uint16_t i = 0; i < state->consent_count; i++) {
        if (strcmp(state->consents[i].scope, scope) == 0)
            return i;
    }
    return PROTOCOL_NONE;
}

bool register_consented(const struct register_state *state, uint16_t place, int64_t now)
{
    return place < state->consent_count && state->consents[place].given &&
           now < end_of_day(state->consents[place].expires);
}

int64_t register_expires_at(const struct protocol *protocol, const struct register_state *state, int64_t now)
{
    int64_t first = INT64_MAX;

    if (register_listed(protocol, &state->entry, now))
        first = listing_ends(protocol, &state->entry);
    for (uint16_t i = 0; i < state->consent_count; i++) {
        int64_t end = end_of_day(state->consents[i].expires);

        if (register_consented(state, i, now) && end < first)
            first = end;
    }
    return first;
}

static void keep_same(char *kept, const char *other, size_t size)
{
    if (strcmp(kept, other) != 0)
        memset(kept, 0, size);
}

static enum juvenile younger(enum juvenile a, enum juvenile b)
{
    if (a == JUVENILE_YES || b == JUVENILE_YES)
        return JUVENILE_YES;
    return a == JUVENILE_NO && b == JUVENILE_NO ? JUVENILE_NO : JUVENILE_UNKNOWN;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whoever is diverted in either record stays so. */
static void keep_any(char *kept, const char *other, size_t size)
{
    if (kept[0] == '\0')
        memcpy(kept, other, size);
}

static void merge_entry(struct register_entry *kept, const struct register_entry *other)
{
    kept->listed = kept->listed && other->listed;
    kept->juvenile = younger(kept->juvenile, other->juvenile);
    kept->listed_juvenile = younger(kept->listed_juvenile, other->listed_juvenile);
    kept->removed_at = later(kept->removed_at, other->removed_at);
    if (other->review_due < kept->review_due)
        kept->review_due = other->review_due;
    if (other->listed_review_due < kept->listed_review_due)
        kept->listed_review_due = other->listed_review_due;
    keep_same(kept->strand, other->strand, sizeof kept->strand);
    keep_same(kept->area, other->area, sizeof kept->area);
    keep_same(kept->home_force, other->home_force, sizeof kept->home_force);
    keep_same(kept->selector, other->selector, sizeof kept->selector);
    keep_same(kept->authority, other->authority, sizeof kept->authority);
    keep_same(kept->status, other->status, sizeof kept->status);
    keep_any(kept->divert, other->divert, sizeof kept->divert);
    keep_any(kept->listed_divert, other->listed_divert, sizeof kept->listed_divert);
    keep_same(kept->holding_prison, other->holding_prison, sizeof kept->holding_prison);
    keep_same(kept->offender_manager, other->offender_manager, sizeof kept->offender_manager);
    keep_same(kept->keyworker, other->keyworker, sizeof kept->keyworker);
    keep_same(kept->yot, other->yot, sizeof kept->yot);
}

static void merge_consent(struct register_consent *kept, const struct register_consent *other)
{
    kept->given = kept->given && other->given;
    kept->withdrawn_at = later(kept->withdrawn_at, other->withdrawn_at);
    if (kept->given && other->expires < kept->expires)
        kept->expires = other->expires;
}

/* A scope that only the other record knows: not given in both, but when it was withdrawn stays. */
static void take_withdrawal(struct register_state *merged, const struct register_consent *other)
{
    struct register_consent *consent;

    if (other->withdrawn_at == INT64_MIN)
        return;
    if (merged->consent_count == REGISTER_CONSENTS_MAX) { /* nothing from before it counts any more */
        merged->entry.removed_at = later(merged->entry.removed_at, other->withdrawn_at);
        return;
    }
    consent = &merged->consents[merged->consent_count++];
    *consent = *other;
    consent->given = false;
}

void register_merge(const struct register_state *kept, const struct register_state *other,
                    struct register_state *ret_state)
{
    struct register_state merged = *kept;

    merge_entry(&merged.entry, &other->entry);
    for (uint16_t i = 0; i < kept->consent_count; i++) {
        uint16_t place = register_find_consent(other, kept->consents[i].scope);

        if (place == PROTOCOL_NONE)
            merged.consents[i].given = false;
        else
            merge_consent(&merged.consents[i], &other->consents[place]);
        if (!merged.consents[i].given)
            merged.grounds &= ~REGISTER_GROUND_CONSENT(i);
    }
    for (uint16_t i = 0; i < other->consent_count; i++) {
        if (register_find_consent(kept, other->consents[i].scope) == PROTOCOL_NONE)
            take_withdrawal(&merged, &other->consents[i]);
    }
    merged.grounds &= other->grounds | REGISTER_GROUND_CONSENTS | REGISTER_GROUND_MERGE;
    *ret_state = merged;
}

/* Every text of an entry, in the order of the encoding. */
#define ENTRY_TEXTS(X)                                                                                       \
    X(strand)                                                                                                \
    X(area)                                                                                                  \
    X(home_force)                                                                                            \
    X(selector)                                                                                              \
    X(authority)                                                                                             \
    X(status)                                                                                                \
    X(holding_prison)                                                                                        \
    X(offender_manager)                                                                                      \
    X(keyworker)                                                                                             \
    X(yot)                                                                                                   \
    X(merge_from)                                                                                            \
    X(merge_to)                                                                                              \
    X(merge_by)

static void append_text(struct byte_buffer *ret, const char *text)
{
    size_t size = strlen(text);

    bytes_append_u8(ret, (uint8_t)size);
    bytes_append(ret, text, size);
}

void register_encode(const struct register_state *state, struct byte_buffer *ret)
{
    const struct register_entry *entry = &state->entry;

    bytes_append_u8(ret, ENCODING_VERSION);
    bytes_append_u8(ret, entry->listed);
    bytes_append_u8(ret, (uint8_t)entry->juvenile);
    bytes_append_u8(ret, (uint8_t)entry->listed_juvenile);
    bytes_append_u64(ret, (uint64_t)entry->listed_at);
    bytes_append_u64(ret, (uint64_t)entry->removed_at);
    bytes_append_u32(ret, (uint32_t)entry->review_due);
    bytes_append_u32(ret, (uint32_t)entry->listed_review_due);
#define APPEND(field) append_text(ret, entry->field);
    ENTRY_TEXTS(APPEND)
#undef APPEND
    bytes_append_u64(ret, (uint64_t)entry->merge_at);
    append_text(ret, entry->divert);
    append_text(ret, entry->listed_divert);
    bytes_append_u32(ret, state->grounds);
    bytes_append_u8(ret, (uint8_t)state->consent_count);
    for (uint16_t i = 0; i < state->consent_count; i++) {
        const struct register_consent *consent = &state->consents[i];

        append_text(ret, consent->scope);
        append_text(ret, consent->form_version);
        append_text(ret, consent->given_by);
        bytes_append_u8(ret, consent->given);
        bytes_append_u64(ret, (uint64_t)consent->given_at);
        bytes_append_u32(ret, (uint32_t)consent->expires);
        bytes_append_u64(ret, (uint64_t)consent->withdrawn_at);
    }
}

static void read_text(struct byte_reader *reader, char *out, size_t size)
{
    size_t length = bytes_read_u8(reader);

    if (length >= size) {
        reader->failed = true;
        return;
    }
    bytes_read_into(reader, out, length);
    if (strlen(out) != length) /* out was zero before */
        reader->failed = true;
}

static bool read_flag(struct byte_reader *reader)
{
    uint8_t flag = bytes_read_u8(reader);

    if (flag > 1)
        reader->failed = true;
    return flag == 1;
}

static enum juvenile read_juvenile(struct byte_reader *reader)
{
    uint8_t value = bytes_read_u8(reader);

    if (value > JUVENILE_NO)
        reader->failed = true;
    return value > JUVENILE_NO ? JUVENILE_UNKNOWN : (enum juvenile)value;
}

/* A date within the calendar; anything else would overflow later. */
static int32_t read_date(struct byte_reader *reader)
{
    int32_t date = (int32_t)bytes_read_u32(reader);

    if (date != REGISTER_NO_DATE && (date < CIVIL_DATE_MIN || date > CIVIL_DATE_MAX))
        reader->failed = true;
    return date;
}

static void read_consent(struct byte_reader *reader, struct register_consent *consent)
{
    read_text(reader, consent->scope, sizeof consent->scope);
    read_text(reader, consent->form_version, sizeof consent->form_version);
    read_text(reader, consent->given_by, sizeof consent->given_by);
    consent->given = read_flag(reader);
    consent->given_at = (int64_t)bytes_read_u64(reader);
    consent->expires = read_date(reader);
    consent->withdrawn_at = (int64_t)bytes_read_u64(reader);
    if (consent->expires == REGISTER_NO_DATE)
        reader->failed = true;
}

enum status register_decode(struct byte_view bytes, struct register_state *ret_state)
{
    struct byte_reader reader = bytes_reader(bytes);
    struct register_state state;
    uint8_t version;

    memset(&state, 0, sizeof state);
    version = bytes_read_u8(&reader);
    if (version == 0 || version > ENCODING_VERSION)
        return STATUS_CORRUPT;
    state.entry.listed = read_flag(&reader);
    state.entry.juvenile = read_juvenile(&reader);
    state.entry.listed_juvenile = read_juvenile(&reader);
    state.entry.listed_at = (int64_t)bytes_read_u64(&reader);
    state.entry.removed_at = (int64_t)bytes_read_u64(&reader);
    state.entry.review_due = read_date(&reader);
    state.entry.listed_review_due = read_date(&reader);
#define READ(field) read_text(&reader, state.entry.field, sizeof state.entry.field);
    ENTRY_TEXTS(READ)
#undef READ
    if (version > 1)
        state.entry.merge_at = (int64_t)bytes_read_u64(&reader);
    if (version > 2) {
        read_text(&reader, state.entry.divert, sizeof state.entry.divert);
        read_text(&reader, state.entry.listed_divert, sizeof state.entry.listed_divert);
    }
    state.grounds = bytes_read_u32(&reader);
    state.consent_count = bytes_read_u8(&reader);
    if (reader.failed || state.consent_count > REGISTER_CONSENTS_MAX)
        return STATUS_CORRUPT;
    for (uint16_t i = 0; i < state.consent_count; i++)
        read_consent(&reader, &state.consents[i]);
    if (!bytes_read_done(&reader))
        return STATUS_CORRUPT;
    *ret_state = state;
    return STATUS_OK;
}
