#include <string.h>

#include "broker/store/store_memory_parts.h"

/* Receipts on their way back, in memory. */

static struct store_rows_key forward_key(uint32_t sender, uint64_t id)
{
    struct store_rows_key key = {.size = 0};

    store_rows_add_number(&key, sender);
    store_rows_add_number(&key, id);
    return key;
}

enum status store_memory_append_forward(struct store *store, uint32_t sender, uint64_t id,
                                        struct byte_view body)
{
    struct store_rows_key key = forward_key(sender, id);

    return store_rows_append(store_memory_rows(store), STORE_ROWS_FORWARD, &key, body);
}

enum status store_memory_next_forward(struct store *store, uint32_t sender, uint64_t behind, uint64_t *ret_id,
                                      struct byte_view *ret_body)
{
    struct store_rows_key key = forward_key(sender, behind);
    struct store_rows_row *row = store_rows_after(store_memory_rows(store), STORE_ROWS_FORWARD, &key);

    if (row == NULL || memcmp(row->key, key.bytes, 8) != 0)
        return STATUS_NOT_FOUND;
    *ret_id = bytes_get_u64(row->key + 8);
    return store_rows_read(store_memory_rows(store), row, ret_body);
}

enum status store_memory_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to)
{
    struct store_rows_key key = forward_key(sender, 0);
    enum status status = STATUS_OK;

    for (struct store_rows_row *row = store_rows_after(store_memory_rows(store), STORE_ROWS_FORWARD, &key);
         status == STATUS_OK && row != NULL && memcmp(row->key, key.bytes, 8) == 0 &&
         bytes_get_u64(row->key + 8) <= up_to;
         row = store_rows_after(store_memory_rows(store), STORE_ROWS_FORWARD, &key)) {
        struct store_rows_key gone = forward_key(sender, bytes_get_u64(row->key + 8));
        status = store_rows_drop(store_memory_rows(store), STORE_ROWS_FORWARD, &gone);
    }
    return status;
}
