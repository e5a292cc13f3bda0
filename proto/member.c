#include "proto/member.h"

#include <assert.h>
#include <string.h>

#include "proto/chars.h"

static bool class_is_well_formed(struct byte_view name)
{
    if (name.size == 0 || !chars_is_lower(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!chars_is_lower(c) && !chars_is_digit(c) && c != '_')
            return false;
    }
    return true;
}

static bool place_is_well_formed(struct byte_view name)
{
    if (name.size == 0 || name.data[0] == '-')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!chars_is_lower(c) && !chars_is_digit(c) && c != '-')
            return false;
    }
    return true;
}

static const uint8_t *find_dot(struct byte_view id)
{
    return id.size == 0 ? NULL : memchr(id.data, '.', id.size);
}

enum status member_check(struct byte_view id)
{
    if (id.size > MEMBER_ID_LENGTH)
        return STATUS_TOO_LARGE;
    if (find_dot(id) == NULL)
        return STATUS_BAD_FORMAT;
    if (!class_is_well_formed(member_class(id)) || !place_is_well_formed(member_place(id)))
        return STATUS_BAD_FORMAT;
    return STATUS_OK;
}

struct byte_view member_class(struct byte_view id)
{
    const uint8_t *dot = find_dot(id);

    assert(dot != NULL);
    return bytes_view(id.data, (size_t)(dot - id.data));
}

struct byte_view member_place(struct byte_view id)
{
    const uint8_t *dot = find_dot(id);

    assert(dot != NULL);
    return bytes_view(dot + 1, id.size - (size_t)(dot - id.data) - 1);
}
