#include "broker/store/store_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void store_rows_add(struct store_rows_key *key, const void *bytes, size_t size)
{
    assert(key->size + size <= STORE_ROWS_KEY_MAX);
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

void store_rows_add_number(struct store_rows_key *key, uint64_t number)
{
    uint8_t bytes[8];

    bytes_put_u64(bytes, number);
    store_rows_add(key, bytes, sizeof bytes);
}

static int compare(const struct store_rows_row *row, const struct store_rows_key *key)
{
    return bytes_compare(bytes_view(row->key, row->key_size), bytes_view(key->bytes, key->size));
}

size_t store_rows_position(const struct store_rows_list *rows, const struct store_rows_key *key)
{
    size_t low = 0;
    size_t high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&rows->list[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct store_rows_row *store_rows_find(struct store_rows *self, enum store_rows_table table,
                                       const struct store_rows_key *key)
{
    struct store_rows_list *rows = &self->tables[table];
    size_t position = store_rows_position(rows, key);

    return position < rows->count && compare(&rows->list[position], key) == 0 ? &rows->list[position] : NULL;
}

struct store_rows_row *store_rows_after(struct store_rows *self, enum store_rows_table table,
                                        const struct store_rows_key *key)
{
    struct store_rows_list *rows = &self->tables[table];
    size_t position = store_rows_position(rows, key);

    if (position < rows->count && compare(&rows->list[position], key) == 0)
        position++;
    return position < rows->count ? &rows->list[position] : NULL;
}

static bool grow(void **list, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room == 0 ? 16 : 2 * *room;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*list, wanted * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *room = wanted;
    return true;
}

static enum status remember(struct store_rows *self, enum store_rows_table table,
                            const struct store_rows_key *key)
{
    const struct store_rows_row *row = store_rows_find(self, table, key);
    struct store_rows_undo undo = {.table = table};
    void *list = self->undo;
    bool grown = grow(&list, &self->undo_room, self->undo_count, sizeof *self->undo);

    assert(self->writing);
    self->undo = list;
    if (!grown)
        return STATUS_NO_MEMORY;
    undo.row.key_size = key->size;
    memcpy(undo.row.key, key->bytes, key->size);
    if (row != NULL) {
        undo.row.size = row->size;
        undo.row.value = malloc(row->size + 1);
        if (undo.row.value == NULL)
            return STATUS_NO_MEMORY;
        memcpy(undo.row.value, row->value, row->size);
    }
    self->undo[self->undo_count++] = undo;
    return STATUS_OK;
}

static void remove_row(struct store_rows *self, enum store_rows_table table, const struct store_rows_key *key)
{
    struct store_rows_list *rows = &self->tables[table];
    struct store_rows_row *row = store_rows_find(self, table, key);

    if (row == NULL)
        return;
    free(row->value);
    rows->count--;
    memmove(row, row + 1, (rows->count - (size_t)(row - rows->list)) * sizeof *row);
}

/* Takes value over. */
static enum status set_row(struct store_rows *self, enum store_rows_table table,
                           const struct store_rows_key *key, uint8_t *value, size_t size)
{
    struct store_rows_list *rows = &self->tables[table];
    size_t position = store_rows_position(rows, key);
    void *list = rows->list;
    bool grown = grow(&list, &rows->room, rows->count, sizeof *rows->list);

    rows->list = list;
    if (!grown) {
        free(value);
        return STATUS_NO_MEMORY;
    }
    if (position < rows->count && compare(&rows->list[position], key) == 0) {
        free(rows->list[position].value);
    } else {
        memmove(&rows->list[position + 1], &rows->list[position],
                (rows->count - position) * sizeof *rows->list);
        rows->count++;
        rows->list[position].key_size = key->size;
        memcpy(rows->list[position].key, key->bytes, key->size);
    }
    rows->list[position].value = value;
    rows->list[position].size = size;
    return STATUS_OK;
}

enum status store_rows_put(struct store_rows *self, enum store_rows_table table,
                           const struct store_rows_key *key, struct byte_view value)
{
    uint8_t *copy = malloc(value.size + 1);
    enum status status = copy == NULL ? STATUS_NO_MEMORY : remember(self, table, key);

    if (status != STATUS_OK) {
        free(copy);
        return status;
    }
    if (value.size > 0)
        memcpy(copy, value.data, value.size);
    return set_row(self, table, key, copy, value.size);
}

/* A row that must not be there yet. */
enum status store_rows_append(struct store_rows *self, enum store_rows_table table,
                              const struct store_rows_key *key, struct byte_view value)
{
    return store_rows_find(self, table, key) != NULL ? STATUS_EXISTS
                                                     : store_rows_put(self, table, key, value);
}

enum status store_rows_drop(struct store_rows *self, enum store_rows_table table,
                            const struct store_rows_key *key)
{
    enum status status = STATUS_OK;

    if (store_rows_find(self, table, key) == NULL)
        return STATUS_OK;
    status = remember(self, table, key);
    if (status == STATUS_OK)
        remove_row(self, table, key);
    return status;
}

/* A row's value, copied, so that it stays as it was until the next verb. */
enum status store_rows_read(struct store_rows *self, const struct store_rows_row *row,
                            struct byte_view *ret_value)
{
    if (row == NULL)
        return STATUS_NOT_FOUND;
    bytes_buffer_clear(&self->scratch);
    bytes_append(&self->scratch, row->key, row->key_size);
    bytes_append(&self->scratch, row->value, row->size);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    *ret_value = bytes_view(self->scratch.data + row->key_size, row->size);
    return STATUS_OK;
}

bool store_rows_is(const struct store_rows_row *row, const struct store_rows_key *key)
{
    return compare(row, key) == 0;
}

/* ---- transactions ---- */

void store_rows_begin(struct store_rows *self)
{
    assert(!self->writing);
    self->writing = true;
}

void store_rows_commit(struct store_rows *self)
{
    for (size_t i = 0; i < self->undo_count; i++)
        free(self->undo[i].row.value);
    self->undo_count = 0;
    self->writing = false;
}

void store_rows_rollback(struct store_rows *self)
{
    while (self->undo_count > 0) {
        struct store_rows_undo *undo = &self->undo[--self->undo_count];
        struct store_rows_key key = {.size = undo->row.key_size};
        memcpy(key.bytes, undo->row.key, key.size);
        if (undo->row.value == NULL)
            remove_row(self, undo->table, &key);
        else
            (void)set_row(self, undo->table, &key, undo->row.value, undo->row.size);
    }
    self->writing = false;
}

void store_rows_free(struct store_rows *self)
{
    store_rows_rollback(self);
    for (size_t i = 0; i < STORE_ROWS_TABLES; i++) {
        for (size_t j = 0; j < self->tables[i].count; j++)
            free(self->tables[i].list[j].value);
        free(self->tables[i].list);
    }
    free(self->undo);
    bytes_buffer_free(&self->scratch);
}
