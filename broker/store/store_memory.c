#include "broker/store/store_memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Everything is a row of bytes under a key of bytes in its own table, both kept in order of the key. A
 * transaction writes down what every changed row was, and a rollback puts that back.
 */
enum table { MEMBER, BATCH, RANGE, LATE, QUEUE, FORWARD, SUBJECT, GROUND, REPLAN, RECALL, STATE, TABLES };

#define KEY_MAX 128

struct row {
    size_t key_size;
    uint8_t key[KEY_MAX];
    size_t size;
    uint8_t *value;
};

struct rows {
    struct row *list;
    size_t count;
    size_t room;
};

/* What a row was before the transaction changed it; value NULL: it was not there. */
struct undo {
    enum table table;
    struct row row;
};

struct memory_store {
    struct store face;
    struct rows tables[TABLES];
    bool writing;
    struct undo *undo;
    size_t undo_count;
    size_t undo_room;
    struct byte_buffer scratch; /* what was read last */
};

static struct memory_store *self_of(const struct store *store)
{
    return (struct memory_store *)(void *)(uintptr_t)store;
}

/* ---- rows ---- */

struct key {
    size_t size;
    uint8_t bytes[KEY_MAX];
};

static void add(struct key *key, const void *bytes, size_t size)
{
    assert(key->size + size <= KEY_MAX);
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

static void add_number(struct key *key, uint64_t number)
{
    uint8_t bytes[8];

    bytes_put_u64(bytes, number);
    add(key, bytes, sizeof bytes);
}

static struct key key_of(uint64_t number)
{
    struct key key = {0};

    add_number(&key, number);
    return key;
}

static struct key pair_of(uint64_t number, const void *bytes, size_t size)
{
    struct key key = key_of(number);

    add(&key, bytes, size);
    return key;
}

static int compare(const struct row *row, const struct key *key)
{
    return bytes_compare(bytes_view(row->key, row->key_size), bytes_view(key->bytes, key->size));
}

/* The first row whose key is not below this one. */
static size_t position_of(const struct rows *rows, const struct key *key)
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

static struct row *find(struct memory_store *self, enum table table, const struct key *key)
{
    struct rows *rows = &self->tables[table];
    size_t position = position_of(rows, key);

    return position < rows->count && compare(&rows->list[position], key) == 0 ? &rows->list[position] : NULL;
}

/* The first row after a key, or NULL. */
static struct row *after(struct memory_store *self, enum table table, const struct key *key)
{
    struct rows *rows = &self->tables[table];
    size_t position = position_of(rows, key);

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

static enum status remember(struct memory_store *self, enum table table, const struct key *key)
{
    const struct row *row = find(self, table, key);
    struct undo undo = {.table = table};
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

static void remove_row(struct memory_store *self, enum table table, const struct key *key)
{
    struct rows *rows = &self->tables[table];
    struct row *row = find(self, table, key);

    if (row == NULL)
        return;
    free(row->value);
    rows->count--;
    memmove(row, row + 1, (rows->count - (size_t)(row - rows->list)) * sizeof *row);
}

/* Takes value over. */
static enum status set_row(struct memory_store *self, enum table table, const struct key *key, uint8_t *value,
                           size_t size)
{
    struct rows *rows = &self->tables[table];
    size_t position = position_of(rows, key);
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

static enum status put(struct memory_store *self, enum table table, const struct key *key,
                       struct byte_view value)
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
static enum status append(struct memory_store *self, enum table table, const struct key *key,
                          struct byte_view value)
{
    return find(self, table, key) != NULL ? STATUS_EXISTS : put(self, table, key, value);
}

static enum status drop(struct memory_store *self, enum table table, const struct key *key)
{
    enum status status = STATUS_OK;

    if (find(self, table, key) == NULL)
        return STATUS_OK;
    status = remember(self, table, key);
    if (status == STATUS_OK)
        remove_row(self, table, key);
    return status;
}

/* A row's value, copied, so that it stays as it was until the next verb. */
static enum status read_row(struct memory_store *self, const struct row *row, struct byte_view *ret_value)
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

/* ---- transactions ---- */

static enum status memory_begin(struct store *store)
{
    struct memory_store *self = self_of(store);

    assert(!self->writing);
    self->writing = true;
    return STATUS_OK;
}

static enum status memory_commit(struct store *store)
{
    struct memory_store *self = self_of(store);

    for (size_t i = 0; i < self->undo_count; i++)
        free(self->undo[i].row.value);
    self->undo_count = 0;
    self->writing = false;
    return STATUS_OK;
}

static void memory_rollback(struct store *store)
{
    struct memory_store *self = self_of(store);

    while (self->undo_count > 0) {
        struct undo *undo = &self->undo[--self->undo_count];
        struct key key = {.size = undo->row.key_size};
        memcpy(key.bytes, undo->row.key, key.size);
        if (undo->row.value == NULL)
            remove_row(self, undo->table, &key);
        else
            (void)set_row(self, undo->table, &key, undo->row.value, undo->row.size);
    }
    self->writing = false;
}

static void memory_close(struct store *store)
{
    struct memory_store *self = self_of(store);

    memory_rollback(store);
    for (size_t i = 0; i < TABLES; i++) {
        for (size_t j = 0; j < self->tables[i].count; j++)
            free(self->tables[i].list[j].value);
        free(self->tables[i].list);
    }
    free(self->undo);
    bytes_buffer_free(&self->scratch);
    free(self);
}

static const char *memory_error(const struct store *store)
{
    (void)store;
    return "";
}

/* ---- members and batches ---- */

static enum status memory_each_member(struct store *store, store_member_visitor *visit, void *context)
{
    struct memory_store *self = self_of(store);
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < self->tables[MEMBER].count; i++) {
        struct store_member member;
        memcpy(&member, self->tables[MEMBER].list[i].value, sizeof member);
        status = visit(context, &member);
    }
    return status;
}

static enum status memory_put_member(struct store *store, const struct store_member *member)
{
    struct key key = key_of(member->number);

    return put(self_of(store), MEMBER, &key, bytes_view(member, sizeof *member));
}

static enum status memory_last_batch(struct store *store, uint64_t *ret_id)
{
    const struct rows *rows = &self_of(store)->tables[BATCH];

    *ret_id = rows->count == 0 ? 0 : bytes_get_u64(rows->list[rows->count - 1].key);
    return STATUS_OK;
}

/* A batch's row: the struct, then its bytes in this order. */
static struct byte_view *batch_view(struct store_batch *batch, size_t i)
{
    struct byte_view *views[] = {&batch->certificate, &batch->signature, &batch->headers, &batch->openings,
                                 &batch->outcomes};

    return i < sizeof views / sizeof views[0] ? views[i] : NULL;
}

static enum status memory_append_batch(struct store *store, const struct store_batch *batch)
{
    struct memory_store *self = self_of(store);
    struct store_batch copy = *batch;
    struct byte_buffer row = bytes_buffer((size_t)64 << 20);
    struct key key = key_of(batch->id);
    struct key range = pair_of(batch->sender, batch->first, STORE_EVENT_SIZE);
    uint8_t id[8];
    enum status status;

    bytes_append(&row, batch, sizeof *batch);
    for (size_t i = 0; batch_view(&copy, i) != NULL; i++)
        bytes_append_view(&row, *batch_view(&copy, i));
    status = row.status == STATUS_OK ? append(self, BATCH, &key, bytes_buffer_view(&row)) : row.status;
    bytes_put_u64(id, batch->id);
    if (status == STATUS_OK && batch->has_range)
        status = append(self, RANGE, &range, bytes_view(id, sizeof id));
    bytes_buffer_free(&row);
    return status;
}

static enum status memory_get_batch(struct store *store, uint64_t id, struct store_batch *ret_batch)
{
    struct memory_store *self = self_of(store);
    struct key key = key_of(id);
    struct byte_view row;
    struct store_batch batch;
    size_t offset = sizeof batch;
    enum status status = read_row(self, find(self, BATCH, &key), &row);

    if (status != STATUS_OK)
        return status;
    memcpy(&batch, row.data, sizeof batch);
    for (size_t i = 0; batch_view(&batch, i) != NULL; i++) {
        *batch_view(&batch, i) = bytes_view(row.data + offset, batch_view(&batch, i)->size);
        offset += batch_view(&batch, i)->size;
    }
    *ret_batch = batch;
    return STATUS_OK;
}

static enum status memory_append_late(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE], struct store_place place)
{
    struct key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return append(self_of(store), LATE, &key, bytes_view(&place, sizeof place));
}

static enum status memory_find_late(struct store *store, uint32_t sender,
                                    const uint8_t event[static STORE_EVENT_SIZE],
                                    struct store_place *ret_place)
{
    struct key key = pair_of(sender, event, STORE_EVENT_SIZE);
    const struct row *row = find(self_of(store), LATE, &key);

    if (row == NULL)
        return STATUS_NOT_FOUND;
    memcpy(ret_place, row->value, sizeof *ret_place);
    return STATUS_OK;
}

static enum status memory_find_range(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch)
{
    struct memory_store *self = self_of(store);
    struct key key = pair_of(sender, event, STORE_EVENT_SIZE);
    const struct rows *rows = &self->tables[RANGE];
    size_t position = position_of(rows, &key);
    struct store_batch batch;

    if (position == rows->count || compare(&rows->list[position], &key) != 0) {
        if (position == 0)
            return STATUS_NOT_FOUND;
        position--;
    }
    struct key id = {0};
    add(&id, rows->list[position].value, 8);
    memcpy(&batch, find(self, BATCH, &id)->value, sizeof batch);
    if (batch.sender != sender || memcmp(batch.last, event, STORE_EVENT_SIZE) < 0)
        return STATUS_NOT_FOUND;
    *ret_batch = batch.id;
    return STATUS_OK;
}

/* ---- the queue ---- */

static struct key slice_key(struct store_slice_key slice)
{
    struct key key = key_of(slice.recipient);

    add_number(&key, slice.urgent ? 0 : 1);
    add_number(&key, slice.batch);
    return key;
}

static enum status put_slice(struct memory_store *self, const struct store_slice *slice, bool is_new)
{
    struct byte_buffer row = bytes_buffer((size_t)64 << 20);
    struct key key = slice_key(slice->key);
    enum status status;

    bytes_append(&row, slice, sizeof *slice);
    bytes_append_view(&row, slice->marks);
    bytes_append_view(&row, slice->sections);
    status = row.status;
    if (status == STATUS_OK)
        status = is_new ? append(self, QUEUE, &key, bytes_buffer_view(&row))
                        : put(self, QUEUE, &key, bytes_buffer_view(&row));
    bytes_buffer_free(&row);
    return status;
}

static enum status read_slice(struct memory_store *self, const struct row *row, struct store_slice *ret_slice)
{
    struct byte_view value;
    enum status status = read_row(self, row, &value);

    if (status != STATUS_OK)
        return status;
    memcpy(ret_slice, value.data, sizeof *ret_slice);
    ret_slice->marks.data = value.data + sizeof *ret_slice;
    ret_slice->sections.data = ret_slice->marks.data + ret_slice->marks.size;
    return STATUS_OK;
}

static enum status memory_append_slice(struct store *store, const struct store_slice *slice)
{
    return put_slice(self_of(store), slice, true);
}

static enum status memory_get_slice(struct store *store, struct store_slice_key key,
                                    struct store_slice *ret_slice)
{
    struct key row = slice_key(key);

    return read_slice(self_of(store), find(self_of(store), QUEUE, &row), ret_slice);
}

static enum status memory_next_slice(struct store *store, struct store_slice_key key,
                                     struct store_slice *ret_slice)
{
    struct key row = slice_key(key);
    struct row *next = after(self_of(store), QUEUE, &row);

    if (next == NULL || memcmp(next->key, row.bytes, 16) != 0)
        return STATUS_NOT_FOUND;
    return read_slice(self_of(store), next, ret_slice);
}

static enum status memory_next_marks(struct store *store, struct store_slice_key key,
                                     struct store_slice *ret_slice)
{
    struct key row = slice_key(key);
    enum status status;

    if (key.recipient == 0)
        row.size = 0;
    status = read_slice(self_of(store), after(self_of(store), QUEUE, &row), ret_slice);
    if (status == STATUS_OK)
        ret_slice->sections = bytes_view(NULL, 0);
    return status;
}

static enum status memory_drop_slice(struct store *store, struct store_slice_key key)
{
    struct key row = slice_key(key);

    return drop(self_of(store), QUEUE, &row);
}

static enum status memory_take_out(struct store *store, struct store_slice_key key,
                                   const uint8_t places[static STORE_MASK_SIZE])
{
    struct store_slice slice;
    size_t offset = 0;
    enum status status = memory_get_slice(store, key, &slice);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < STORE_MASK_SIZE; i++)
        slice.live[i] = (uint8_t)(slice.live[i] & ~places[i]);
    if (store_mask_count(slice.live) == 0)
        return memory_drop_slice(store, key);
    /* The slice was read into our scratch, which may be written. */
    uint8_t *sections = self_of(store)->scratch.data + (slice.sections.data - self_of(store)->scratch.data);
    for (size_t i = 0; i < slice.count; i++) {
        size_t size = store_mark_read(slice.marks.data + i * STORE_MARK_SIZE).size;
        if (store_mask_get(places, i))
            memset(sections + offset, 0, size);
        offset += size;
    }
    return put_slice(self_of(store), &slice, false);
}

static enum status memory_rest_on(struct store *store, struct store_slice_key key, size_t place,
                                  uint32_t rests_on)
{
    struct store_slice slice;
    enum status status = memory_get_slice(store, key, &slice);

    if (status != STATUS_OK)
        return status;
    uint8_t *marks = self_of(store)->scratch.data + (slice.marks.data - self_of(store)->scratch.data);
    struct store_mark mark = store_mark_read(marks + place * STORE_MARK_SIZE);
    mark.rests_on = rests_on;
    store_mark_write(&mark, marks + place * STORE_MARK_SIZE);
    return put_slice(self_of(store), &slice, false);
}

/* ---- receipts on their way back ---- */

static struct key forward_key(uint32_t sender, uint64_t id)
{
    struct key key = key_of(sender);

    add_number(&key, id);
    return key;
}

static enum status memory_append_forward(struct store *store, uint32_t sender, uint64_t id,
                                         struct byte_view body)
{
    struct key key = forward_key(sender, id);

    return append(self_of(store), FORWARD, &key, body);
}

static enum status memory_next_forward(struct store *store, uint32_t sender, uint64_t behind,
                                       uint64_t *ret_id, struct byte_view *ret_body)
{
    struct key key = forward_key(sender, behind);
    struct row *row = after(self_of(store), FORWARD, &key);

    if (row == NULL || memcmp(row->key, key.bytes, 8) != 0)
        return STATUS_NOT_FOUND;
    *ret_id = bytes_get_u64(row->key + 8);
    return read_row(self_of(store), row, ret_body);
}

static enum status memory_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to)
{
    struct key key = forward_key(sender, 0);
    enum status status = STATUS_OK;

    for (struct row *row = after(self_of(store), FORWARD, &key);
         status == STATUS_OK && row != NULL && memcmp(row->key, key.bytes, 8) == 0 &&
         bytes_get_u64(row->key + 8) <= up_to;
         row = after(self_of(store), FORWARD, &key)) {
        struct key gone = forward_key(sender, bytes_get_u64(row->key + 8));
        status = drop(self_of(store), FORWARD, &gone);
    }
    return status;
}

/* ---- subjects, grounds, what is to be told ---- */

static struct key view_key(struct byte_view view)
{
    struct key key = {0};

    if (view.size > 0)
        add(&key, view.data, view.size);
    return key;
}

static enum status memory_get_subject(struct store *store, struct byte_view subject,
                                      struct byte_view *ret_state)
{
    struct key key = view_key(subject);

    return read_row(self_of(store), find(self_of(store), SUBJECT, &key), ret_state);
}

static enum status memory_put_subject(struct store *store, struct byte_view subject, struct byte_view state)
{
    struct key key = view_key(subject);

    return put(self_of(store), SUBJECT, &key, state);
}

static enum status memory_next_subject(struct store *store, struct byte_view behind,
                                       struct byte_view *ret_key, struct byte_view *ret_state)
{
    struct memory_store *self = self_of(store);
    struct key key = view_key(behind);
    struct row *row = after(self, SUBJECT, &key);
    enum status status = read_row(self, row, ret_state);

    if (status == STATUS_OK)
        *ret_key = bytes_view(self->scratch.data, row->key_size);
    return status;
}

static enum status memory_append_ground(struct store *store, struct store_place place,
                                        struct byte_view ground)
{
    struct key key = forward_key(place.index, place.batch);

    return append(self_of(store), GROUND, &key, ground);
}

static enum status memory_get_ground(struct store *store, struct store_place place,
                                     struct byte_view *ret_ground)
{
    struct key key = forward_key(place.index, place.batch);

    return read_row(self_of(store), find(self_of(store), GROUND, &key), ret_ground);
}

static enum status memory_put_replan(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE])
{
    struct key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return put(self_of(store), REPLAN, &key, bytes_view(NULL, 0));
}

static enum status memory_drop_replan(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return drop(self_of(store), REPLAN, &key);
}

static enum status memory_each_replan(struct store *store, uint32_t sender, store_replan_visitor *visit,
                                      void *context)
{
    struct key key = key_of(sender);
    const struct rows *rows = &self_of(store)->tables[REPLAN];
    enum status status = STATUS_OK;

    for (size_t i = position_of(rows, &key);
         status == STATUS_OK && i < rows->count && memcmp(rows->list[i].key, key.bytes, 8) == 0; i++)
        status = visit(context, rows->list[i].key + 8);
    return status;
}

static struct key recall_key(uint32_t recipient, uint32_t sender, const uint8_t *event)
{
    struct key key = forward_key(recipient, sender);

    add(&key, event, STORE_EVENT_SIZE);
    return key;
}

static enum status memory_put_recall(struct store *store, const struct store_recall *recall)
{
    struct key key = recall_key(recall->recipient, recall->sender, recall->event);

    if (find(self_of(store), RECALL, &key) != NULL)
        return STATUS_OK;
    return put(self_of(store), RECALL, &key, bytes_view(recall->reason, strlen(recall->reason) + 1));
}

static enum status memory_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct key key = recall_key(recipient, sender, event);

    return drop(self_of(store), RECALL, &key);
}

static enum status memory_each_recall(struct store *store, uint32_t recipient, store_recall_visitor *visit,
                                      void *context)
{
    struct key key = key_of(recipient);
    const struct rows *rows = &self_of(store)->tables[RECALL];
    enum status status = STATUS_OK;

    for (size_t i = position_of(rows, &key);
         status == STATUS_OK && i < rows->count && memcmp(rows->list[i].key, key.bytes, 8) == 0; i++) {
        const struct row *row = &rows->list[i];
        struct store_recall recall = {.recipient = recipient,
                                      .sender = (uint32_t)bytes_get_u64(row->key + 8),
                                      .reason = (const char *)row->value};
        memcpy(recall.event, row->key + 16, STORE_EVENT_SIZE);
        status = visit(context, &recall);
    }
    return status;
}

static enum status memory_get_state(struct store *store, const char *name, struct byte_view *ret_value)
{
    struct key key = view_key(bytes_of_string(name));

    return read_row(self_of(store), find(self_of(store), STATE, &key), ret_value);
}

static enum status memory_put_state(struct store *store, const char *name, struct byte_view value)
{
    struct key key = view_key(bytes_of_string(name));

    return put(self_of(store), STATE, &key, value);
}

static const struct store_operations memory_operations = {
    .close = memory_close,
    .error = memory_error,
    .begin = memory_begin,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .each_member = memory_each_member,
    .put_member = memory_put_member,
    .last_batch = memory_last_batch,
    .append_batch = memory_append_batch,
    .get_batch = memory_get_batch,
    .append_late = memory_append_late,
    .find_late = memory_find_late,
    .find_range = memory_find_range,
    .append_slice = memory_append_slice,
    .next_slice = memory_next_slice,
    .get_slice = memory_get_slice,
    .take_out = memory_take_out,
    .rest_on = memory_rest_on,
    .drop_slice = memory_drop_slice,
    .next_marks = memory_next_marks,
    .append_forward = memory_append_forward,
    .next_forward = memory_next_forward,
    .drop_forwards = memory_drop_forwards,
    .get_subject = memory_get_subject,
    .put_subject = memory_put_subject,
    .next_subject = memory_next_subject,
    .append_ground = memory_append_ground,
    .get_ground = memory_get_ground,
    .put_replan = memory_put_replan,
    .drop_replan = memory_drop_replan,
    .each_replan = memory_each_replan,
    .put_recall = memory_put_recall,
    .drop_recall = memory_drop_recall,
    .each_recall = memory_each_recall,
    .get_state = memory_get_state,
    .put_state = memory_put_state,
};

enum status store_memory_new(struct store **ret_store)
{
    struct memory_store *self = calloc(1, sizeof *self);

    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->face.operations = &memory_operations;
    self->scratch = bytes_buffer((size_t)64 << 20);
    *ret_store = &self->face;
    return STATUS_OK;
}
