#include "agent/prepared.h"

#include "proto/uuid.h"

#include <string.h>

#include "proto/canonical.h"

/*
 * Format: u8 2 ‖ event (16) ‖ subject (36) ‖ u64 occurred ‖ u64 created ‖ u8 bits (1 correlation,
 * 2 supersedes, 4 repeats) ‖ these (16 each) ‖ canonical(type, protocol, officer, effective) ‖ u32 count ‖
 * (canonical(label, value) ‖ u8 source) each. Version 1 had no sources.
 */
#define PREPARED_VERSION 2

enum { BIT_CORRELATION = 1, BIT_SUPERSEDES = 2, BIT_REPEATS = 4 };

static void append_optional(struct byte_buffer *ret, bool present, const uint8_t id[static CORE_EVENT_SIZE])
{
    if (present)
        bytes_append(ret, id, CORE_EVENT_SIZE);
}

enum status prepared_encode(const struct prepared *prepared, struct byte_buffer *ret)
{
    bytes_append_u8(ret, PREPARED_VERSION);
    bytes_append(ret, prepared->event, CORE_EVENT_SIZE);
    bytes_append(ret, prepared->subject, CORE_SUBJECT_SIZE);
    bytes_append_u64(ret, (uint64_t)prepared->occurred);
    bytes_append_u64(ret, (uint64_t)prepared->created);
    bytes_append_u8(ret, (uint8_t)((prepared->has_correlation ? BIT_CORRELATION : 0) |
                                   (prepared->has_supersedes ? BIT_SUPERSEDES : 0) |
                                   (prepared->has_repeats ? BIT_REPEATS : 0)));
    append_optional(ret, prepared->has_correlation, prepared->correlation);
    append_optional(ret, prepared->has_supersedes, prepared->supersedes);
    append_optional(ret, prepared->has_repeats, prepared->repeats);
    canonical_append(ret, prepared->type);
    canonical_append(ret, prepared->protocol);
    canonical_append(ret, prepared->officer);
    canonical_append(ret, prepared->effective);
    canonical_append_list_start(ret, (uint32_t)prepared->value_count);
    for (size_t i = 0; i < prepared->value_count; i++) {
        canonical_append(ret, prepared->values[i].label);
        canonical_append(ret, prepared->values[i].value);
        bytes_append_u8(ret, (uint8_t)prepared->values[i].source);
    }
    return ret->status;
}

static void read_values(struct byte_reader *reader, uint8_t version, struct prepared *prepared)
{
    uint32_t count = 0;

    (void)canonical_read_list_start(reader, DRAFT_VALUES_MAX, &count);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        (void)canonical_read(reader, PREPARED_SIZE_MAX, &prepared->values[i].label);
        (void)canonical_read(reader, PREPARED_SIZE_MAX, &prepared->values[i].value);
        prepared->values[i].source = version > 1 ? (enum draft_source)bytes_read_u8(reader) : DRAFT_UNSAID;
        reader->failed = reader->failed || prepared->values[i].source > DRAFT_LEAVE;
    }
    prepared->value_count = count;
}

static void read_fixed(struct byte_reader *reader, struct prepared *prepared)
{
    uint8_t bits = 0;

    bytes_read_into(reader, prepared->event, CORE_EVENT_SIZE);
    bytes_read_into(reader, prepared->subject, CORE_SUBJECT_SIZE);
    prepared->occurred = (int64_t)bytes_read_u64(reader);
    prepared->created = (int64_t)bytes_read_u64(reader);
    bits = bytes_read_u8(reader);
    prepared->has_correlation = (bits & BIT_CORRELATION) != 0;
    prepared->has_supersedes = (bits & BIT_SUPERSEDES) != 0;
    prepared->has_repeats = (bits & BIT_REPEATS) != 0;
    if (prepared->has_correlation)
        bytes_read_into(reader, prepared->correlation, CORE_EVENT_SIZE);
    if (prepared->has_supersedes)
        bytes_read_into(reader, prepared->supersedes, CORE_EVENT_SIZE);
    if (prepared->has_repeats)
        bytes_read_into(reader, prepared->repeats, CORE_EVENT_SIZE);
}

enum status prepared_decode(struct byte_view bytes, struct prepared *ret_prepared)
{
    struct byte_reader reader = bytes_reader(bytes);
    struct prepared prepared = {0};
    const uint8_t version = bytes_read_u8(&reader);

    if (version < 1 || version > PREPARED_VERSION)
        return STATUS_CORRUPT;
    read_fixed(&reader, &prepared);
    (void)canonical_read(&reader, PREPARED_SIZE_MAX, &prepared.type);
    (void)canonical_read(&reader, PREPARED_SIZE_MAX, &prepared.protocol);
    (void)canonical_read(&reader, PREPARED_SIZE_MAX, &prepared.officer);
    (void)canonical_read(&reader, PREPARED_SIZE_MAX, &prepared.effective);
    read_values(&reader, version, &prepared);
    if (!bytes_read_done(&reader))
        return STATUS_CORRUPT;
    *ret_prepared = prepared;
    return STATUS_OK;
}

const struct byte_view *prepared_find(const struct prepared *prepared, struct byte_view label)
{
    for (size_t i = 0; i < prepared->value_count; i++)
        if (bytes_equal(prepared->values[i].label, label))
            return &prepared->values[i].value;
    return NULL;
}

bool prepared_target(const struct prepared *prepared, uint8_t ret_event[static CORE_EVENT_SIZE])
{
    const struct byte_view *text = prepared_find(prepared, bytes_of_string("target"));

    return text != NULL && uuid_parse(*text, ret_event) == STATUS_OK;
}
