#include "broker/store/store_memory.h"

#include <stdlib.h>
#include <string.h>

#include "broker/store/store_memory_parts.h"

static struct store_memory *self_of(const struct store *store)
{
    return (struct store_memory *)(void *)(uintptr_t)store;
}

struct store_rows *store_memory_rows(const struct store *store)
{
    return &self_of(store)->rows;
}

static struct store_rows_key key_of(uint64_t number)
{
    struct store_rows_key key = {0};

    store_rows_add_number(&key, number);
    return key;
}

static struct store_rows_key numbers_of(uint64_t first, uint64_t second)
{
    struct store_rows_key key = key_of(first);

    store_rows_add_number(&key, second);
    return key;
}

static struct store_rows_key pair_of(uint64_t number, const void *bytes, size_t size)
{
    struct store_rows_key key = key_of(number);

    store_rows_add(&key, bytes, size);
    return key;
}

static struct store_rows *rows_of(const struct store *store)
{
    return &self_of(store)->rows;
}

static enum status memory_begin(struct store *store)
{
    store_rows_begin(rows_of(store));
    return STATUS_OK;
}

static enum status memory_commit(struct store *store)
{
    store_rows_commit(rows_of(store));
    return STATUS_OK;
}

static void memory_rollback(struct store *store)
{
    store_rows_rollback(rows_of(store));
}

static void memory_close(struct store *store)
{
    store_rows_free(rows_of(store));
    free(self_of(store));
}

static const char *memory_error(const struct store *store)
{
    (void)store;
    return "";
}

/* ---- members and batches ---- */

static enum status memory_each_member(struct store *store, store_member_visitor *visit, void *context)
{
    struct store_rows *self = rows_of(store);
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < self->tables[STORE_ROWS_MEMBER].count; i++) {
        struct store_member member;
        memcpy(&member, self->tables[STORE_ROWS_MEMBER].list[i].value, sizeof member);
        status = visit(context, &member);
    }
    return status;
}

static enum status memory_put_member(struct store *store, const struct store_member *member)
{
    struct store_rows_key key = key_of(member->number);

    return store_rows_put(rows_of(store), STORE_ROWS_MEMBER, &key, bytes_view(member, sizeof *member));
}

static enum status memory_last_batch(struct store *store, uint64_t *ret_id)
{
    const struct store_rows_list *rows = &rows_of(store)->tables[STORE_ROWS_BATCH];

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
    struct store_rows *self = rows_of(store);
    struct store_batch copy = *batch;
    struct byte_buffer row = bytes_buffer((size_t)64 << 20);
    struct store_rows_key key = key_of(batch->id);
    struct store_rows_key range = pair_of(batch->sender, batch->first, STORE_EVENT_SIZE);
    uint8_t id[8];
    enum status status;

    bytes_append(&row, batch, sizeof *batch);
    for (size_t i = 0; batch_view(&copy, i) != NULL; i++)
        bytes_append_view(&row, *batch_view(&copy, i));
    status = row.status == STATUS_OK
                 ? store_rows_append(self, STORE_ROWS_BATCH, &key, bytes_buffer_view(&row))
                 : row.status;
    bytes_put_u64(id, batch->id);
    if (status == STATUS_OK && batch->has_range)
        status = store_rows_append(self, STORE_ROWS_RANGE, &range, bytes_view(id, sizeof id));
    bytes_buffer_free(&row);
    return status;
}

static enum status memory_get_batch(struct store *store, uint64_t id, struct store_batch *ret_batch)
{
    struct store_rows *self = rows_of(store);
    struct store_rows_key key = key_of(id);
    struct byte_view row;
    struct store_batch batch;
    size_t offset = sizeof batch;
    enum status status = store_rows_read(self, store_rows_find(self, STORE_ROWS_BATCH, &key), &row);

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

static enum status memory_blank_batch(struct store *store, uint64_t id, struct byte_view headers,
                                      struct byte_view openings)
{
    struct store_batch batch;
    struct byte_buffer row = bytes_buffer((size_t)64 << 20);
    struct store_rows_key key = key_of(id);
    enum status status = memory_get_batch(store, id, &batch);

    if (status != STATUS_OK)
        return status;
    batch.headers = headers;
    batch.openings = openings;
    bytes_append(&row, &batch, sizeof batch);
    for (size_t i = 0; batch_view(&batch, i) != NULL; i++)
        bytes_append_view(&row, *batch_view(&batch, i));
    status = row.status == STATUS_OK
                 ? store_rows_put(rows_of(store), STORE_ROWS_BATCH, &key, bytes_buffer_view(&row))
                 : row.status;
    bytes_buffer_free(&row);
    return status;
}

static enum status memory_append_late(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE], struct store_place place)
{
    struct store_rows_key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return store_rows_append(rows_of(store), STORE_ROWS_LATE, &key, bytes_view(&place, sizeof place));
}

static enum status memory_find_late(struct store *store, uint32_t sender,
                                    const uint8_t event[static STORE_EVENT_SIZE],
                                    struct store_place *ret_place)
{
    struct store_rows_key key = pair_of(sender, event, STORE_EVENT_SIZE);
    const struct store_rows_row *row = store_rows_find(rows_of(store), STORE_ROWS_LATE, &key);

    if (row == NULL)
        return STATUS_NOT_FOUND;
    memcpy(ret_place, row->value, sizeof *ret_place);
    return STATUS_OK;
}

static enum status memory_find_range(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch)
{
    struct store_rows *self = rows_of(store);
    struct store_rows_key key = pair_of(sender, event, STORE_EVENT_SIZE);
    const struct store_rows_list *rows = &self->tables[STORE_ROWS_RANGE];
    size_t position = store_rows_position(rows, &key);
    struct store_batch batch;

    if (position == rows->count || !store_rows_is(&rows->list[position], &key)) {
        if (position == 0)
            return STATUS_NOT_FOUND;
        position--;
    }
    struct store_rows_key id = {0};
    store_rows_add(&id, rows->list[position].value, 8);
    memcpy(&batch, store_rows_find(self, STORE_ROWS_BATCH, &id)->value, sizeof batch);
    if (batch.sender != sender || memcmp(batch.last, event, STORE_EVENT_SIZE) < 0)
        return STATUS_NOT_FOUND;
    *ret_batch = batch.id;
    return STATUS_OK;
}

/* ---- the queue ---- */

static struct store_rows_key slice_key(struct store_slice_key slice)
{
    struct store_rows_key key = key_of(slice.recipient);

    store_rows_add_number(&key, slice.urgent ? 0 : 1);
    store_rows_add_number(&key, slice.batch);
    return key;
}

static enum status put_slice(struct store_rows *self, const struct store_slice *slice, bool is_new)
{
    struct byte_buffer row = bytes_buffer((size_t)64 << 20);
    struct store_rows_key key = slice_key(slice->key);
    enum status status;

    bytes_append(&row, slice, sizeof *slice);
    bytes_append_view(&row, slice->marks);
    bytes_append_view(&row, slice->sections);
    status = row.status;
    if (status == STATUS_OK)
        status = is_new ? store_rows_append(self, STORE_ROWS_QUEUE, &key, bytes_buffer_view(&row))
                        : store_rows_put(self, STORE_ROWS_QUEUE, &key, bytes_buffer_view(&row));
    bytes_buffer_free(&row);
    return status;
}

static enum status read_slice(struct store_rows *self, const struct store_rows_row *row,
                              struct store_slice *ret_slice)
{
    struct byte_view value;
    enum status status = store_rows_read(self, row, &value);

    if (status != STATUS_OK)
        return status;
    memcpy(ret_slice, value.data, sizeof *ret_slice);
    ret_slice->marks.data = value.data + sizeof *ret_slice;
    ret_slice->sections.data = ret_slice->marks.data + ret_slice->marks.size;
    return STATUS_OK;
}

static enum status memory_append_slice(struct store *store, const struct store_slice *slice)
{
    return put_slice(rows_of(store), slice, true);
}

static enum status memory_get_slice(struct store *store, struct store_slice_key key,
                                    struct store_slice *ret_slice)
{
    struct store_rows_key row = slice_key(key);

    return read_slice(rows_of(store), store_rows_find(rows_of(store), STORE_ROWS_QUEUE, &row), ret_slice);
}

static enum status memory_next_slice(struct store *store, struct store_slice_key key,
                                     struct store_slice *ret_slice)
{
    struct store_rows_key row = slice_key(key);
    struct store_rows_row *next = store_rows_after(rows_of(store), STORE_ROWS_QUEUE, &row);

    if (next == NULL || memcmp(next->key, row.bytes, 16) != 0)
        return STATUS_NOT_FOUND;
    return read_slice(rows_of(store), next, ret_slice);
}

static enum status memory_next_marks(struct store *store, struct store_slice_key key,
                                     struct store_slice *ret_slice)
{
    struct store_rows_key row = slice_key(key);
    enum status status;

    if (key.recipient == 0)
        row.size = 0;
    status = read_slice(rows_of(store), store_rows_after(rows_of(store), STORE_ROWS_QUEUE, &row), ret_slice);
    if (status == STATUS_OK)
        ret_slice->sections = bytes_view(NULL, 0);
    return status;
}

static enum status memory_drop_slice(struct store *store, struct store_slice_key key)
{
    struct store_rows_key row = slice_key(key);

    return store_rows_drop(rows_of(store), STORE_ROWS_QUEUE, &row);
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
    uint8_t *sections = rows_of(store)->scratch.data + (slice.sections.data - rows_of(store)->scratch.data);
    for (size_t i = 0; i < slice.count; i++) {
        size_t size = store_mark_read(slice.marks.data + i * STORE_MARK_SIZE).size;
        if (store_mask_get(places, i))
            memset(sections + offset, 0, size);
        offset += size;
    }
    return put_slice(rows_of(store), &slice, false);
}

static enum status memory_rest_on(struct store *store, struct store_slice_key key, size_t place,
                                  uint32_t rests_on)
{
    struct store_slice slice;
    enum status status = memory_get_slice(store, key, &slice);

    if (status != STATUS_OK)
        return status;
    uint8_t *marks = rows_of(store)->scratch.data + (slice.marks.data - rows_of(store)->scratch.data);
    struct store_mark mark = store_mark_read(marks + place * STORE_MARK_SIZE);
    mark.rests_on = rests_on;
    store_mark_write(&mark, marks + place * STORE_MARK_SIZE);
    return put_slice(rows_of(store), &slice, false);
}

static enum status memory_set_deadline(struct store *store, struct store_slice_key key, size_t place,
                                       int64_t deadline)
{
    struct store_slice slice;
    enum status status = memory_get_slice(store, key, &slice);

    if (status != STATUS_OK)
        return status;
    uint8_t *marks = rows_of(store)->scratch.data + (slice.marks.data - rows_of(store)->scratch.data);
    struct store_mark mark = store_mark_read(marks + place * STORE_MARK_SIZE);
    mark.deadline = deadline;
    store_mark_write(&mark, marks + place * STORE_MARK_SIZE);
    return put_slice(rows_of(store), &slice, false);
}

/* ---- subjects, grounds, what is to be told ---- */

static struct store_rows_key view_key(struct byte_view view)
{
    struct store_rows_key key = {0};

    if (view.size > 0)
        store_rows_add(&key, view.data, view.size);
    return key;
}

static enum status memory_get_subject(struct store *store, struct byte_view subject,
                                      struct byte_view *ret_state)
{
    struct store_rows_key key = view_key(subject);

    return store_rows_read(rows_of(store), store_rows_find(rows_of(store), STORE_ROWS_SUBJECT, &key),
                           ret_state);
}

static enum status memory_put_subject(struct store *store, struct byte_view subject, struct byte_view state)
{
    struct store_rows_key key = view_key(subject);

    return store_rows_put(rows_of(store), STORE_ROWS_SUBJECT, &key, state);
}

static enum status memory_next_subject(struct store *store, struct byte_view behind,
                                       struct byte_view *ret_key, struct byte_view *ret_state)
{
    struct store_rows *self = rows_of(store);
    struct store_rows_key key = view_key(behind);
    struct store_rows_row *row = store_rows_after(self, STORE_ROWS_SUBJECT, &key);
    enum status status = store_rows_read(self, row, ret_state);

    if (status == STATUS_OK)
        *ret_key = bytes_view(self->scratch.data, row->key_size);
    return status;
}

static enum status memory_append_ground(struct store *store, struct store_place place,
                                        struct byte_view ground)
{
    struct store_rows_key key = numbers_of(place.index, place.batch);

    return store_rows_append(rows_of(store), STORE_ROWS_GROUND, &key, ground);
}

static enum status memory_get_ground(struct store *store, struct store_place place,
                                     struct byte_view *ret_ground)
{
    struct store_rows_key key = numbers_of(place.index, place.batch);

    return store_rows_read(rows_of(store), store_rows_find(rows_of(store), STORE_ROWS_GROUND, &key),
                           ret_ground);
}

static enum status memory_drop_ground(struct store *store, struct store_place place)
{
    struct store_rows_key key = numbers_of(place.index, place.batch);

    return store_rows_drop(rows_of(store), STORE_ROWS_GROUND, &key);
}

static enum status memory_put_replan(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE])
{
    struct store_rows_key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return store_rows_put(rows_of(store), STORE_ROWS_REPLAN, &key, bytes_view(NULL, 0));
}

static enum status memory_drop_replan(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct store_rows_key key = pair_of(sender, event, STORE_EVENT_SIZE);

    return store_rows_drop(rows_of(store), STORE_ROWS_REPLAN, &key);
}

/* The position of the first row behind a key. */
static size_t behind(const struct store_rows_list *rows, const struct store_rows_key *key)
{
    size_t position = store_rows_position(rows, key);

    return position < rows->count && store_rows_is(&rows->list[position], key) ? position + 1 : position;
}

static enum status memory_each_replan(struct store *store, uint32_t sender,
                                      const uint8_t after[static STORE_EVENT_SIZE],
                                      store_replan_visitor *visit, void *context)
{
    struct store_rows_key key = pair_of(sender, after, STORE_EVENT_SIZE);
    const struct store_rows_list *rows = &rows_of(store)->tables[STORE_ROWS_REPLAN];
    enum status status = STATUS_OK;

    for (size_t i = behind(rows, &key);
         status == STATUS_OK && i < rows->count && memcmp(rows->list[i].key, key.bytes, 8) == 0; i++)
        status = visit(context, rows->list[i].key + 8);
    return status;
}

static struct store_rows_key recall_key(uint32_t recipient, uint32_t sender, const uint8_t *event)
{
    struct store_rows_key key = numbers_of(recipient, sender);

    store_rows_add(&key, event, STORE_EVENT_SIZE);
    return key;
}

static enum status memory_put_recall(struct store *store, const struct store_recall *recall)
{
    struct store_rows_key key = recall_key(recall->recipient, recall->sender, recall->event);

    if (store_rows_find(rows_of(store), STORE_ROWS_RECALL, &key) != NULL)
        return STATUS_OK;
    return store_rows_put(rows_of(store), STORE_ROWS_RECALL, &key,
                          bytes_view(recall->reason, strlen(recall->reason) + 1));
}

static enum status memory_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct store_rows_key key = recall_key(recipient, sender, event);

    return store_rows_drop(rows_of(store), STORE_ROWS_RECALL, &key);
}

static enum status memory_each_recall(struct store *store, const struct store_recall *after,
                                      store_recall_visitor *visit, void *context)
{
    struct store_rows_key key = recall_key(after->recipient, after->sender, after->event);
    const struct store_rows_list *rows = &rows_of(store)->tables[STORE_ROWS_RECALL];
    enum status status = STATUS_OK;

    for (size_t i = behind(rows, &key);
         status == STATUS_OK && i < rows->count && memcmp(rows->list[i].key, key.bytes, 8) == 0; i++) {
        const struct store_rows_row *row = &rows->list[i];
        struct store_recall recall = {.recipient = after->recipient,
                                      .sender = (uint32_t)bytes_get_u64(row->key + 8),
                                      .reason = (const char *)row->value};
        memcpy(recall.event, row->key + 16, STORE_EVENT_SIZE);
        status = visit(context, &recall);
    }
    return status;
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
    .set_deadline = memory_set_deadline,
    .drop_slice = memory_drop_slice,
    .next_marks = memory_next_marks,
    .append_forward = store_memory_append_forward,
    .next_forward = store_memory_next_forward,
    .drop_forwards = store_memory_drop_forwards,
    .get_subject = memory_get_subject,
    .put_subject = memory_put_subject,
    .next_subject = memory_next_subject,
    .append_ground = memory_append_ground,
    .get_ground = memory_get_ground,
    .drop_ground = memory_drop_ground,
    .blank_batch = memory_blank_batch,
    .put_watch = store_memory_put_watch,
    .drop_watch = store_memory_drop_watch,
    .find_watch = store_memory_find_watch,
    .due_watch = store_memory_due_watch,
    .each_watch = store_memory_each_watch,
    .put_replan = memory_put_replan,
    .drop_replan = memory_drop_replan,
    .each_replan = memory_each_replan,
    .put_recall = memory_put_recall,
    .drop_recall = memory_drop_recall,
    .each_recall = memory_each_recall,
    .note_report = store_memory_note_report,
    .drop_reports = store_memory_drop_reports,
    .get_state = store_memory_get_state,
    .put_state = store_memory_put_state,
};

enum status store_memory_new(struct store **ret_store)
{
    struct store_memory *self = calloc(1, sizeof *self);

    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->face.operations = &memory_operations;
    self->rows.scratch = bytes_buffer((size_t)64 << 20);
    *ret_store = &self->face;
    return STATUS_OK;
}
