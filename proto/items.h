#pragma once

#include "base/bytes.h"

/*
 * The plaintext of a section:
 * uint32 length ‖ items ‖ zeros up to a multiple of 256 bytes; items = uint32 count, then for each its label
 * and its value, each preceded by its uint32 length. Labels are unique and in catalogue order, which is the
 * caller's affair. Format: docs/wire-format.md, "Items".
 */

#define ITEMS_MAX       64
#define ITEMS_VALUE_MAX 1024 /* bytes of a value; a value may be empty */
#define ITEMS_STEP      256
#define ITEMS_SIZE_MAX  70400 /* the longest plaintext */

struct item {
    struct byte_view label;
    struct byte_view value; /* UTF-8 without a zero byte */
};

/* Items with the bytes that they lie in. Secret: wiped when freed. */
struct items {
    size_t count;
    struct item list[ITEMS_MAX];
    size_t storage_size;
    uint8_t storage[];
};

/*
 * items_encode - appends the plaintext; the caller wipes the buffer (bytes_buffer_wipe).
 * Returns STATUS_BAD_ARGUMENT for what items_decode() would not accept, or what appending returned.
 */
enum status items_encode(const struct item *list, size_t count, struct byte_buffer *ret);

/*
 * items_decode - from exactly these bytes, which are copied; ret_items is freed with items_free().
 * Returns STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL (padding that is not zero or not the shortest),
 * STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status items_decode(struct byte_view plaintext, struct items **ret_items);

/* items_find - the value of a label, or NULL. */
const struct byte_view *items_find(const struct items *items, const char *label);

void items_free(struct items **items); /* wipes; accepts NULL and leaves NULL */
