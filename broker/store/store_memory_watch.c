#include <string.h>

#include "broker/store/store_memory_parts.h"

/* Watches, whose row's value is the struct; single values, and reports that counted, in memory. */

static struct store_rows_key watch_key(const struct store_watch *watch)
{
    struct store_rows_key key = {0};

    store_rows_add_number(&key, (uint64_t)watch->kind);
    store_rows_add_number(&key, watch->recipient);
    store_rows_add_number(&key, watch->sender);
    store_rows_add(&key, watch->event, STORE_EVENT_SIZE);
    return key;
}

enum status store_memory_put_watch(struct store *store, const struct store_watch *watch)
{
    struct store_rows_key key = watch_key(watch);

    return store_rows_put(store_memory_rows(store), STORE_ROWS_WATCH, &key, bytes_view(watch, sizeof *watch));
}

enum status store_memory_drop_watch(struct store *store, const struct store_watch *watch)
{
    struct store_rows_key key = watch_key(watch);

    return store_rows_drop(store_memory_rows(store), STORE_ROWS_WATCH, &key);
}

enum status store_memory_find_watch(struct store *store, struct store_watch *watch)
{
    struct store_rows_key key = watch_key(watch);
    const struct store_rows_row *row = store_rows_find(store_memory_rows(store), STORE_ROWS_WATCH, &key);

    if (row == NULL)
        return STATUS_NOT_FOUND;
    memcpy(watch, row->value, sizeof *watch);
    return STATUS_OK;
}

enum status store_memory_due_watch(struct store *store, int64_t now, struct store_watch *ret_watch)
{
    const struct store_rows_list *rows = &store_memory_rows(store)->tables[STORE_ROWS_WATCH];
    struct store_watch first = {.due = INT64_MAX};
    bool found = false;

    for (size_t i = 0; i < rows->count; i++) {
        struct store_watch watch;
        memcpy(&watch, rows->list[i].value, sizeof watch);
        if (watch.due > now || (found && watch.due >= first.due))
            continue;
        first = watch;
        found = true;
    }
    if (found)
        *ret_watch = first;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status store_memory_each_watch(struct store *store, enum store_watch_kind kind,
                                    store_watch_visitor *visit, void *context)
{
    const struct store_rows_list *rows = &store_memory_rows(store)->tables[STORE_ROWS_WATCH];
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < rows->count; i++) {
        struct store_watch watch;
        memcpy(&watch, rows->list[i].value, sizeof watch);
        if (watch.kind == kind)
            status = visit(context, &watch);
    }
    return status;
}

static struct store_rows_key name_key(const char *name)
{
    struct store_rows_key key = {0};

    store_rows_add(&key, name, strlen(name));
    return key;
}

enum status store_memory_get_state(struct store *store, const char *name, struct byte_view *ret_value)
{
    struct store_rows *rows = store_memory_rows(store);
    struct store_rows_key key = name_key(name);

    return store_rows_read(rows, store_rows_find(rows, STORE_ROWS_STATE, &key), ret_value);
}

enum status store_memory_put_state(struct store *store, const char *name, struct byte_view value)
{
    struct store_rows_key key = name_key(name);

    return store_rows_put(store_memory_rows(store), STORE_ROWS_STATE, &key, value);
}

enum status store_memory_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE],
                                     const uint8_t mark[static STORE_REPORT_SIZE])
{
    struct store_rows_key key = {0};
    uint8_t whose[4];

    store_rows_add_number(&key, reporter);
    store_rows_add(&key, event, STORE_EVENT_SIZE);
    store_rows_add(&key, mark, STORE_REPORT_SIZE);
    bytes_put_u32(whose, sender);
    return store_rows_append(store_memory_rows(store), STORE_ROWS_REPORT, &key,
                             bytes_view(whose, sizeof whose));
}

enum status store_memory_drop_reports(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE])
{
    struct store_rows *rows = store_memory_rows(store);
    const struct store_rows_list *list = &rows->tables[STORE_ROWS_REPORT];
    enum status status = STATUS_OK;

    for (size_t i = list->count; status == STATUS_OK && i-- > 0;) {
        const struct store_rows_row *row = &list->list[i];
        struct store_rows_key key = {0};
        if (memcmp(row->key + 8, event, STORE_EVENT_SIZE) != 0 || bytes_get_u32(row->value) != sender)
            continue;
        store_rows_add(&key, row->key, row->key_size);
        status = store_rows_drop(rows, STORE_ROWS_REPORT, &key);
    }
    return status;
}
