#include "proto/core.h"

#include <string.h>

#include "base/civil.h"
#include "proto/digest.h"
#include "proto/field.h"
#include "proto/member.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"
#include "proto/wire_check.h"

/* Field numbers of message Core and of AttributeCommitment in wire.proto. */
enum {
    EVENT = 1,
    TYPE,
    PROTOCOL,
    BUNDLE,
    FROM,
    PURPOSE,
    OFFICER,
    SUBJECT,
    OCCURRED,
    CREATED,
    EFFECTIVE,
    CORRELATION,
    SUPERSEDES,
    REPEATS,
    ATTRIBUTES,
};
enum { ATTRIBUTE_ID = 1, ATTRIBUTE_COMMITMENT };

#define DATE_LENGTH 10

static bool is_date(struct byte_view text)
{
    char copy[DATE_LENGTH + 1] = {0};
    int32_t date;

    if (text.size != DATE_LENGTH)
        return false;
    memcpy(copy, text.data, DATE_LENGTH);
    return civil_parse_date(copy, &date) == STATUS_OK;
}

static bool is_time(int64_t time)
{
    return time >= 0 && time <= CORE_TIME_MAX;
}

static bool subject_is_valid(const struct core *core)
{
    struct pseudonym pseudonym;

    return pseudonym_from_bytes(bytes_view(core->subject, CORE_SUBJECT_SIZE), &pseudonym) == STATUS_OK;
}

static bool attributes_are_valid(const struct core *core)
{
    if (core->attribute_count > CORE_ATTRIBUTES_MAX)
        return false;
    for (size_t i = 0; i < core->attribute_count; i++) {
        if (!wire_check_name(core->attributes[i].id))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(core->attributes[i].id, core->attributes[j].id))
                return false;
        }
    }
    return true;
}

/* What both directions hold a core to, sizes apart, which the struct's own fields give. */
static bool is_valid(const struct core *core)
{
    return uuid_is_v7(core->event) && wire_check_name(core->type) && wire_check_name(core->protocol) &&
           member_check(core->from) == STATUS_OK && wire_check_purpose(core->purpose) &&
           wire_check_officer(core->officer) && subject_is_valid(core) && is_time(core->occurred) &&
           is_time(core->created) && (core->effective.size == 0 || is_date(core->effective)) &&
           (!core->has_correlation || uuid_is_v7(core->correlation)) &&
           (!core->has_supersedes || uuid_is_v7(core->supersedes)) &&
           (!core->has_repeats || uuid_is_v7(core->repeats)) && attributes_are_valid(core);
}

static void put_optional_id(struct byte_buffer *ret, uint32_t number, bool present,
                            const uint8_t id[static CORE_EVENT_SIZE])
{
    if (present)
        field_put_bytes(ret, number, bytes_view(id, CORE_EVENT_SIZE));
}

static void put_attribute(struct byte_buffer *ret, const struct core_attribute *attribute)
{
    field_put_start(ret, ATTRIBUTES,
                    field_size_bytes(ATTRIBUTE_ID, attribute->id.size) +
                        field_size_bytes(ATTRIBUTE_COMMITMENT, CORE_DIGEST_SIZE));
    field_put_bytes(ret, ATTRIBUTE_ID, attribute->id);
    field_put_bytes(ret, ATTRIBUTE_COMMITMENT, bytes_view(attribute->commitment, CORE_DIGEST_SIZE));
}

enum status core_encode(const struct core *core, struct byte_buffer *ret)
{
    size_t before = ret->size;

    if (!is_valid(core))
        return STATUS_BAD_ARGUMENT;
    field_put_bytes(ret, EVENT, bytes_view(core->event, CORE_EVENT_SIZE));
    field_put_bytes(ret, TYPE, core->type);
    field_put_bytes(ret, PROTOCOL, core->protocol);
    field_put_bytes(ret, BUNDLE, bytes_view(core->bundle, CORE_DIGEST_SIZE));
    field_put_bytes(ret, FROM, core->from);
    field_put_bytes(ret, PURPOSE, core->purpose);
    field_put_bytes(ret, OFFICER, core->officer);
    field_put_bytes(ret, SUBJECT, bytes_view(core->subject, CORE_SUBJECT_SIZE));
    field_put_varint(ret, OCCURRED, (uint64_t)core->occurred);
    field_put_varint(ret, CREATED, (uint64_t)core->created);
    if (core->effective.size > 0)
        field_put_bytes(ret, EFFECTIVE, core->effective);
    put_optional_id(ret, CORRELATION, core->has_correlation, core->correlation);
    put_optional_id(ret, SUPERSEDES, core->has_supersedes, core->supersedes);
    put_optional_id(ret, REPEATS, core->has_repeats, core->repeats);
    for (size_t i = 0; i < core->attribute_count; i++)
        put_attribute(ret, &core->attributes[i]);
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

static bool read_optional_id(struct field_reader *reader, uint32_t number,
                             uint8_t out[static CORE_EVENT_SIZE])
{
    if (!field_is_next(reader, number))
        return false;
    field_copy(reader, number, CORE_EVENT_SIZE, out);
    return true;
}

/* A number above what a time can be gives -1, which is none. */
static int64_t read_time(struct field_reader *reader, uint32_t number)
{
    uint64_t time = field_varint(reader, number);

    return time > (uint64_t)CORE_TIME_MAX ? -1 : (int64_t)time;
}

static enum status read_attributes(struct field_reader *reader, struct core *core)
{
    while (field_is_next(reader, ATTRIBUTES)) {
        if (core->attribute_count == CORE_ATTRIBUTES_MAX)
            return STATUS_TOO_LARGE;
        struct core_attribute *attribute = &core->attributes[core->attribute_count++];
        struct field_reader inner = field_reader(field_bytes(reader, ATTRIBUTES));
        attribute->id = field_bytes(&inner, ATTRIBUTE_ID);
        field_copy(&inner, ATTRIBUTE_COMMITMENT, CORE_DIGEST_SIZE, attribute->commitment);
        if (field_end(&inner) != STATUS_OK)
            return inner.status;
    }
    return STATUS_OK;
}

static enum status read_core(struct byte_view bytes, struct core *core)
{
    struct field_reader reader = field_reader(bytes);

    field_copy(&reader, EVENT, CORE_EVENT_SIZE, core->event);
    core->type = field_bytes(&reader, TYPE);
    core->protocol = field_bytes(&reader, PROTOCOL);
    field_copy(&reader, BUNDLE, CORE_DIGEST_SIZE, core->bundle);
    core->from = field_bytes(&reader, FROM);
    core->purpose = field_bytes(&reader, PURPOSE);
    core->officer = field_bytes(&reader, OFFICER);
    field_copy(&reader, SUBJECT, CORE_SUBJECT_SIZE, core->subject);
    core->occurred = read_time(&reader, OCCURRED);
    core->created = read_time(&reader, CREATED);
    if (field_is_next(&reader, EFFECTIVE)) {
        core->effective = field_bytes(&reader, EFFECTIVE);
        if (core->effective.size == 0)
            return STATUS_BAD_FORMAT; /* empty would read as absent */
    }
    core->has_correlation = read_optional_id(&reader, CORRELATION, core->correlation);
    core->has_supersedes = read_optional_id(&reader, SUPERSEDES, core->supersedes);
    core->has_repeats = read_optional_id(&reader, REPEATS, core->repeats);
    enum status status = read_attributes(&reader, core);
    return status != STATUS_OK ? status : field_end(&reader);
}

enum status core_decode(struct byte_view bytes, struct core *ret_core)
{
    struct core core = {.attribute_count = 0};

    if (bytes.size > CORE_SIZE_MAX)
        return STATUS_TOO_LARGE;
    enum status status = read_core(bytes, &core);
    if (status != STATUS_OK)
        return status;
    if (!is_valid(&core))
        return STATUS_BAD_FORMAT;
    *ret_core = core;
    return STATUS_OK;
}

void core_digest(struct byte_view bytes, uint8_t out[static CORE_DIGEST_SIZE])
{
    digest_sha256(bytes, out);
}
