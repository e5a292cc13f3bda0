#include "proto/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/canonical.h"
#include "proto/wire_check.h"

static bool is_valid(const struct item *list, size_t count)
{
    if (count > ITEMS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!wire_check_name(list[i].label) || list[i].value.size > ITEMS_VALUE_MAX ||
            !utf8_valid(list[i].value))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(list[i].label, list[j].label))
                return false;
        }
    }
    return true;
}

static size_t padded_size(size_t size)
{
    return (size + ITEMS_STEP - 1) / ITEMS_STEP * ITEMS_STEP;
}

enum status items_encode(const struct item *list, size_t count, struct byte_buffer *ret)
{
    size_t before = ret->size;
    size_t length = 4;

    if (!is_valid(list, count))
        return STATUS_BAD_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        length += 4 + list[i].label.size + 4 + list[i].value.size;
    bytes_append_u32(ret, (uint32_t)length);
    canonical_append_list_start(ret, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        canonical_append(ret, list[i].label);
        canonical_append(ret, list[i].value);
    }
    bytes_append_zeros(ret, padded_size(4 + length) - (4 + length));
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

static bool is_zero(struct byte_view view)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < view.size; i++)
        seen |= view.data[i];
    return seen == 0;
}

/* The items proper, after the padding has been found to be as it must. */
static enum status unpad(struct byte_view plaintext, struct byte_view *ret_items)
{
    struct byte_reader reader = bytes_reader(plaintext);
    uint32_t length = bytes_read_u32(&reader);
    struct byte_view items = bytes_read_view(&reader, length);

    if (reader.failed)
        return STATUS_BAD_FORMAT;
    if (plaintext.size != padded_size(4 + (size_t)length) || !is_zero(reader.rest))
        return STATUS_NOT_CANONICAL;
    *ret_items = items;
    return STATUS_OK;
}

static enum status read_list(struct byte_view bytes, struct items *items)
{
    struct byte_reader reader = bytes_reader(bytes);
    uint32_t count;

    enum status status = canonical_read_list_start(&reader, ITEMS_MAX, &count);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        status = canonical_read(&reader, WIRE_NAME_MAX, &items->list[i].label);
        if (status == STATUS_OK)
            status = canonical_read(&reader, ITEMS_VALUE_MAX, &items->list[i].value);
    }
    if (status != STATUS_OK)
        return status;
    if (!bytes_read_done(&reader) || !is_valid(items->list, count))
        return STATUS_BAD_FORMAT;
    items->count = count;
    return STATUS_OK;
}

enum status items_decode(struct byte_view plaintext, struct items **ret_items)
{
    struct items *items = NULL;
    struct byte_view list = {NULL, 0};

    if (plaintext.size > ITEMS_SIZE_MAX)
        return STATUS_TOO_LARGE;
    enum status status = unpad(plaintext, &list);
    if (status != STATUS_OK)
        goto out;
    items = malloc(sizeof *items + list.size);
    if (items == NULL) {
        status = STATUS_NO_MEMORY;
        goto out;
    }
    items->count = 0;
    items->storage_size = list.size;
    memcpy(items->storage, list.data, list.size);
    status = read_list(bytes_view(items->storage, list.size), items);
    if (status != STATUS_OK)
        goto out;
    *ret_items = items;
    items = NULL;
out:
    items_free(&items);
    return status;
}

const struct byte_view *items_find(const struct items *items, const char *label)
{
    for (size_t i = 0; i < items->count; i++) {
        if (bytes_equal(items->list[i].label, bytes_of_string(label)))
            return &items->list[i].value;
    }
    return NULL;
}

void items_free(struct items **items)
{
    if (*items == NULL)
        return;
    bytes_wipe((*items)->storage, (*items)->storage_size);
    free(*items);
    *items = NULL;
}
