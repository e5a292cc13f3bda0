#include "broker/store/store.h"

#include <string.h>

void store_mark_write(const struct store_mark *mark, uint8_t out[static STORE_MARK_SIZE])
{
    memset(out, 0, STORE_MARK_SIZE);
    bytes_put_u16(out, mark->index);
    bytes_put_u32(out + 2, mark->size);
    bytes_put_u64(out + 6, mark->counter);
    bytes_put_u64(out + 14, mark->entry);
    bytes_put_u32(out + 22, mark->rests_on);
    memcpy(out + 26, mark->tag, STORE_TAG_SIZE);
    bytes_put_u64(out + 40, (uint64_t)mark->deadline);
    bytes_put_u64(out + 48, (uint64_t)mark->until);
}

struct store_mark store_mark_read(const uint8_t in[static STORE_MARK_SIZE])
{
    struct store_mark mark = {.index = bytes_get_u16(in),
                              .size = bytes_get_u32(in + 2),
                              .counter = bytes_get_u64(in + 6),
                              .entry = bytes_get_u64(in + 14),
                              .rests_on = bytes_get_u32(in + 22),
                              .deadline = (int64_t)bytes_get_u64(in + 40),
                              .until = (int64_t)bytes_get_u64(in + 48)};

    memcpy(mark.tag, in + 26, STORE_TAG_SIZE);
    return mark;
}

bool store_mask_get(const uint8_t mask[static STORE_MASK_SIZE], size_t place)
{
    return (mask[place / 8] >> (place % 8) & 1) != 0;
}

void store_mask_set(uint8_t mask[static STORE_MASK_SIZE], size_t place)
{
    mask[place / 8] = (uint8_t)(mask[place / 8] | 1u << place % 8);
}

void store_mask_clear(uint8_t mask[static STORE_MASK_SIZE], size_t place)
{
    mask[place / 8] = (uint8_t)(mask[place / 8] & ~(1u << place % 8));
}

size_t store_mask_count(const uint8_t mask[static STORE_MASK_SIZE])
{
    size_t count = 0;

    for (size_t i = 0; i < STORE_MASK_SIZE; i++)
        count += (size_t)__builtin_popcount(mask[i]);
    return count;
}

void store_close(struct store **store)
{
    if (*store != NULL)
        (*store)->operations->close(*store);
    *store = NULL;
}

const char *store_error(const struct store *store)
{
    return store->operations->error(store);
}

enum status store_begin(struct store *store)
{
    return store->operations->begin(store);
}

enum status store_commit(struct store *store)
{
    return store->operations->commit(store);
}

void store_rollback(struct store *store)
{
    store->operations->rollback(store);
}

enum status store_each_member(struct store *store, store_member_visitor *visit, void *context)
{
    return store->operations->each_member(store, visit, context);
}

enum status store_put_member(struct store *store, const struct store_member *member)
{
    return store->operations->put_member(store, member);
}

enum status store_last_batch(struct store *store, uint64_t *ret_id)
{
    return store->operations->last_batch(store, ret_id);
}

enum status store_append_batch(struct store *store, const struct store_batch *batch)
{
    return store->operations->append_batch(store, batch);
}

enum status store_get_batch(struct store *store, uint64_t id, struct store_batch *ret_batch)
{
    return store->operations->get_batch(store, id, ret_batch);
}

enum status store_append_late(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE], struct store_place place)
{
    return store->operations->append_late(store, sender, event, place);
}

enum status store_find_late(struct store *store, uint32_t sender,
                            const uint8_t event[static STORE_EVENT_SIZE], struct store_place *ret_place)
{
    return store->operations->find_late(store, sender, event, ret_place);
}

enum status store_find_range(struct store *store, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch)
{
    return store->operations->find_range(store, sender, event, ret_batch);
}

enum status store_append_slice(struct store *store, const struct store_slice *slice)
{
    return store->operations->append_slice(store, slice);
}

enum status store_next_slice(struct store *store, struct store_slice_key after, struct store_slice *ret_slice)
{
    return store->operations->next_slice(store, after, ret_slice);
}

enum status store_get_slice(struct store *store, struct store_slice_key key, struct store_slice *ret_slice)
{
    return store->operations->get_slice(store, key, ret_slice);
}

enum status store_take_out(struct store *store, struct store_slice_key key,
                           const uint8_t places[static STORE_MASK_SIZE])
{
    return store->operations->take_out(store, key, places);
}

enum status store_rest_on(struct store *store, struct store_slice_key key, size_t place, uint32_t rests_on)
{
    return store->operations->rest_on(store, key, place, rests_on);
}

enum status store_set_deadline(struct store *store, struct store_slice_key key, size_t place,
                               int64_t deadline)
{
    return store->operations->set_deadline(store, key, place, deadline);
}

enum status store_drop_slice(struct store *store, struct store_slice_key key)
{
    return store->operations->drop_slice(store, key);
}

enum status store_next_marks(struct store *store, struct store_slice_key after, struct store_slice *ret_slice)
{
    return store->operations->next_marks(store, after, ret_slice);
}

enum status store_append_forward(struct store *store, uint32_t sender, uint64_t id, struct byte_view body)
{
    return store->operations->append_forward(store, sender, id, body);
}

enum status store_next_forward(struct store *store, uint32_t sender, uint64_t after, uint64_t *ret_id,
                               struct byte_view *ret_body)
{
    return store->operations->next_forward(store, sender, after, ret_id, ret_body);
}

enum status store_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to)
{
    return store->operations->drop_forwards(store, sender, up_to);
}

enum status store_get_subject(struct store *store, struct byte_view key, struct byte_view *ret_state)
{
    return store->operations->get_subject(store, key, ret_state);
}

enum status store_put_subject(struct store *store, struct byte_view key, struct byte_view state)
{
    return store->operations->put_subject(store, key, state);
}

enum status store_next_subject(struct store *store, struct byte_view after, struct byte_view *ret_key,
                               struct byte_view *ret_state)
{
    return store->operations->next_subject(store, after, ret_key, ret_state);
}

enum status store_append_ground(struct store *store, struct store_place place, struct byte_view ground)
{
    return store->operations->append_ground(store, place, ground);
}

enum status store_get_ground(struct store *store, struct store_place place, struct byte_view *ret_ground)
{
    return store->operations->get_ground(store, place, ret_ground);
}

enum status store_drop_ground(struct store *store, struct store_place place)
{
    return store->operations->drop_ground(store, place);
}

enum status store_blank_batch(struct store *store, uint64_t id, struct byte_view headers,
                              struct byte_view openings)
{
    return store->operations->blank_batch(store, id, headers, openings);
}

enum status store_put_watch(struct store *store, const struct store_watch *watch)
{
    return store->operations->put_watch(store, watch);
}

enum status store_drop_watch(struct store *store, const struct store_watch *watch)
{
    return store->operations->drop_watch(store, watch);
}

enum status store_find_watch(struct store *store, struct store_watch *watch)
{
    return store->operations->find_watch(store, watch);
}

enum status store_due_watch(struct store *store, int64_t now, struct store_watch *ret_watch)
{
    return store->operations->due_watch(store, now, ret_watch);
}

enum status store_each_watch(struct store *store, enum store_watch_kind kind, store_watch_visitor *visit,
                             void *context)
{
    return store->operations->each_watch(store, kind, visit, context);
}

enum status store_put_replan(struct store *store, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE])
{
    return store->operations->put_replan(store, sender, event);
}

enum status store_drop_replan(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE])
{
    return store->operations->drop_replan(store, sender, event);
}

enum status store_each_replan(struct store *store, uint32_t sender,
                              const uint8_t after[static STORE_EVENT_SIZE], store_replan_visitor *visit,
                              void *context)
{
    return store->operations->each_replan(store, sender, after, visit, context);
}

enum status store_put_recall(struct store *store, const struct store_recall *recall)
{
    return store->operations->put_recall(store, recall);
}

enum status store_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE])
{
    return store->operations->drop_recall(store, recipient, sender, event);
}

enum status store_each_recall(struct store *store, const struct store_recall *after,
                              store_recall_visitor *visit, void *context)
{
    return store->operations->each_recall(store, after, visit, context);
}

enum status store_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const uint8_t mark[static STORE_REPORT_SIZE])
{
    return store->operations->note_report(store, reporter, sender, event, mark);
}

enum status store_drop_reports(struct store *store, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE])
{
    return store->operations->drop_reports(store, sender, event);
}

enum status store_get_state(struct store *store, const char *name, struct byte_view *ret_value)
{
    return store->operations->get_state(store, name, ret_value);
}

enum status store_put_state(struct store *store, const char *name, struct byte_view value)
{
    return store->operations->put_state(store, name, value);
}
