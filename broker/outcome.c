#include "broker/outcome.h"

#include <string.h>

#include "proto/field.h"
#include "proto/wire_codec.h"

/* Field numbers of messages Outcome, PublishAnswer and Refusal in wire.proto. */
enum { EVENT = 1, VERDICT, REASON, REFUSALS, LOG_INDEX };
enum { OUTCOMES = 1 };
enum { TO = 1, RULE, ITEM, CODE, TEXT };

void outcome_write(const struct outcome *outcome, struct byte_buffer *ret)
{
    bytes_append_u8(ret, outcome->verdict);
    if (outcome->verdict == OUTCOME_NONE)
        return;
    bytes_append_u8(ret, outcome->logged);
    bytes_append_u64(ret, outcome->log_index);
    bytes_append_u32(ret, (uint32_t)outcome->why.size);
    bytes_append_view(ret, outcome->why);
    bytes_append_u8(ret, (uint8_t)outcome->recipient_count);
    for (size_t i = 0; i < outcome->recipient_count; i++) {
        bytes_append_u32(ret, outcome->recipients[i].number);
        bytes_append_u64(ret, outcome->recipients[i].counter);
    }
}

enum status outcome_read(struct byte_reader *reader, struct outcome *ret_outcome)
{
    struct outcome outcome = {.verdict = bytes_read_u8(reader)};

    if (!reader->failed && outcome.verdict != OUTCOME_NONE) {
        outcome.logged = bytes_read_u8(reader) != 0;
        outcome.log_index = bytes_read_u64(reader);
        outcome.why = bytes_read_view(reader, bytes_read_u32(reader));
        outcome.recipient_count = bytes_read_u8(reader);
        if (outcome.recipient_count > WIRE_TO_MAX)
            return STATUS_CORRUPT;
        for (size_t i = 0; i < outcome.recipient_count; i++) {
            outcome.recipients[i].number = bytes_read_u32(reader);
            outcome.recipients[i].counter = bytes_read_u64(reader);
        }
    }
    if (reader->failed)
        return STATUS_CORRUPT;
    *ret_outcome = outcome;
    return STATUS_OK;
}

void outcome_answer(const uint8_t event[static 16], const struct outcome *outcome, struct byte_buffer *ret)
{
    size_t size =
        field_size_bytes(EVENT, 16) + field_size_varint(VERDICT, outcome->verdict) + outcome->why.size;

    if (outcome->logged)
        size += field_size_varint(LOG_INDEX, outcome->log_index);
    field_put_start(ret, OUTCOMES, size);
    field_put_bytes(ret, EVENT, bytes_view(event, 16));
    field_put_varint(ret, VERDICT, outcome->verdict);
    bytes_append_view(ret, outcome->why);
    if (outcome->logged)
        field_put_varint(ret, LOG_INDEX, outcome->log_index);
}

/* A text as the wire takes it, cut between characters. */
static struct byte_view cut(const char *text)
{
    size_t size = strlen(text);

    if (size > WIRE_TEXT_MAX) {
        size = WIRE_TEXT_MAX;
        while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
            size--;
    }
    return bytes_view(text, size);
}

void outcome_reason(struct byte_buffer *why, const char *reason)
{
    field_put_bytes(why, REASON, cut(reason));
}

static size_t optional_size(uint32_t field, const char *text)
{
    return text == NULL ? 0 : field_size_bytes(field, strlen(text));
}

static void put_optional(struct byte_buffer *ret, uint32_t field, const char *text)
{
    if (text != NULL)
        field_put_bytes(ret, field, bytes_of_string(text));
}

void outcome_put_refusal(struct byte_buffer *ret, uint32_t field, const struct outcome_refusal *refusal)
{
    struct byte_view text = cut(refusal->text);

    field_put_start(ret, field,
                    optional_size(TO, refusal->to) + optional_size(RULE, refusal->rule) +
                        optional_size(ITEM, refusal->item) + optional_size(CODE, refusal->code) +
                        field_size_bytes(TEXT, text.size));
    put_optional(ret, TO, refusal->to);
    put_optional(ret, RULE, refusal->rule);
    put_optional(ret, ITEM, refusal->item);
    put_optional(ret, CODE, refusal->code);
    field_put_bytes(ret, TEXT, text);
}

void outcome_refusal(struct byte_buffer *why, const struct outcome_refusal *refusal)
{
    outcome_put_refusal(why, REFUSALS, refusal);
}

/* The bytes of the field that comes next, tag and length included; 0 when there is none. */
static size_t next_field(struct byte_view why)
{
    struct byte_reader reader = bytes_reader(why);
    uint64_t size = 0;
    uint8_t byte;

    (void)bytes_read_u8(&reader);
    for (unsigned shift = 0; shift < 32; shift += 7) {
        byte = bytes_read_u8(&reader);
        size |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    (void)bytes_read_view(&reader, (size_t)size);
    return reader.failed ? 0 : why.size - reader.rest.size;
}

struct byte_view outcome_cut(struct byte_view why, size_t room)
{
    size_t kept = 0;

    if (why.size <= room)
        return why;
    for (;;) {
        size_t size = next_field(bytes_view(why.data + kept, why.size - kept));
        if (size == 0 || kept + size > room)
            return bytes_view(why.data, kept);
        kept += size;
    }
}
