#include "proto/opening.h"

#include <assert.h>
#include <string.h>

#include "proto/commitment.h"
#include "proto/field.h"

_Static_assert(OPENING_SALT_SIZE == COMMITMENT_SALT_SIZE && CORE_DIGEST_SIZE == COMMITMENT_SIZE,
               "an opening opens commitments");

/* Field numbers of messages Opening and OpenedAttribute in wire.proto. */
enum { ATTRIBUTES = 1 };
enum { ID = 1, VALUE, SALT };

void opening_commit(const struct opening_attribute *attributes, size_t count, struct core *core)
{
    assert(count <= CORE_ATTRIBUTES_MAX);
    core->attribute_count = count;
    for (size_t i = 0; i < count; i++) {
        core->attributes[i].id = attributes[i].id;
        commitment_compute(attributes[i].salt, attributes[i].id, attributes[i].value,
                           core->attributes[i].commitment);
    }
}

enum status opening_encode(const struct opening_attribute *attributes, size_t count, struct byte_buffer *ret)
{
    size_t before = ret->size;

    for (size_t i = 0; i < count; i++) {
        const struct opening_attribute *attribute = &attributes[i];
        field_put_start(ret, ATTRIBUTES,
                        field_size_bytes(ID, attribute->id.size) +
                            field_size_bytes(VALUE, attribute->value.size) +
                            field_size_bytes(SALT, OPENING_SALT_SIZE));
        field_put_bytes(ret, ID, attribute->id);
        field_put_bytes(ret, VALUE, attribute->value);
        field_put_bytes(ret, SALT, bytes_view(attribute->salt, OPENING_SALT_SIZE));
    }
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

static enum status read_attribute(struct byte_view bytes, struct opening_attribute *attribute)
{
    struct field_reader reader = field_reader(bytes);

    attribute->id = field_text(&reader, ID);
    attribute->value = field_text(&reader, VALUE);
    field_copy(&reader, SALT, OPENING_SALT_SIZE, attribute->salt);
    return field_end(&reader);
}

enum status opening_decode(struct byte_view bytes, struct opening_attribute *ret_attributes,
                           size_t *ret_count)
{
    struct field_reader reader = field_reader(bytes);
    size_t count = 0;

    while (field_is_next(&reader, ATTRIBUTES)) {
        if (count == CORE_ATTRIBUTES_MAX)
            return STATUS_TOO_LARGE;
        enum status status = read_attribute(field_bytes(&reader, ATTRIBUTES), &ret_attributes[count]);
        if (status != STATUS_OK)
            return status;
        count++;
    }
    if (field_end(&reader) != STATUS_OK)
        return reader.status;
    *ret_count = count;
    return STATUS_OK;
}

enum status opening_check(const struct core *core, const Wire__Opening *opening)
{
    if (opening->n_attributes != core->attribute_count)
        return STATUS_BAD_COMMITMENT;
    return opening_check_part(core, opening); /* as many, and each once */
}

enum status opening_check_part(const struct core *core, const Wire__Opening *opening)
{
    size_t at = 0;

    for (size_t i = 0; i < opening->n_attributes; i++, at++) {
        const Wire__OpenedAttribute *opened = opening->attributes[i];
        struct byte_view id = bytes_of_string(opened->id);
        while (at < core->attribute_count && !bytes_equal(id, core->attributes[at].id))
            at++;
        if (at == core->attribute_count || opened->salt.len != OPENING_SALT_SIZE)
            return STATUS_BAD_COMMITMENT;
        enum status status = commitment_verify(core->attributes[at].commitment, opened->salt.data, id,
                                               bytes_of_string(opened->value));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

const char *opening_value(const Wire__Opening *opening, const char *id)
{
    for (size_t i = 0; i < opening->n_attributes; i++) {
        if (strcmp(opening->attributes[i]->id, id) == 0)
            return opening->attributes[i]->value;
    }
    return NULL;
}
