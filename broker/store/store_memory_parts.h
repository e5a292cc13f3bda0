#pragma once

#include "broker/store/store_rows.h"

/* What the files of the store in memory share; nobody else includes this. */
struct store_memory {
    struct store face;
    struct store_rows rows;
};

struct store_rows *store_memory_rows(const struct store *store);

/* Verbs of store.h. */
enum status store_memory_put_watch(struct store *store, const struct store_watch *watch);
enum status store_memory_drop_watch(struct store *store, const struct store_watch *watch);
enum status store_memory_find_watch(struct store *store, struct store_watch *watch);
enum status store_memory_due_watch(struct store *store, int64_t now, struct store_watch *ret_watch);
enum status store_memory_each_watch(struct store *store, enum store_watch_kind kind,
                                    store_watch_visitor *visit, void *context);
enum status store_memory_append_forward(struct store *store, uint32_t sender, uint64_t id,
                                        struct byte_view body);
enum status store_memory_next_forward(struct store *store, uint32_t sender, uint64_t behind, uint64_t *ret_id,
                                      struct byte_view *ret_body);
enum status store_memory_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to);
enum status store_memory_get_state(struct store *store, const char *name, struct byte_view *ret_value);
enum status store_memory_put_state(struct store *store, const char *name, struct byte_view value);
enum status store_memory_drop_reports(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_memory_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE],
                                     const uint8_t mark[static STORE_REPORT_SIZE]);
