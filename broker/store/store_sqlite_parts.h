#pragma once

#include "base/db.h"
#include "broker/store/store.h"

/* What the files of the SQLite back end share; nobody else includes this. */
struct store_sqlite {
    struct store face;
    struct db *db;              /* borrowed */
    struct byte_buffer scratch; /* what was read last */
};

/* Where a column of the row read last stands in the scratch. */
struct store_sqlite_column {
    size_t offset;
    size_t size;
};

struct store_sqlite *store_sqlite_self(const struct store *store);

/* store_sqlite_first - the first row of a statement whose parameters are bound, or STATUS_NOT_FOUND. A row is
 * copied at once and its statement reset, as an open one holds old pages in the WAL. */
enum status store_sqlite_first(struct store_sqlite *self, struct db_statement *statement);
struct store_sqlite_column store_sqlite_keep(struct store_sqlite *self, struct db_statement *statement,
                                             int number);
struct byte_view store_sqlite_kept(const struct store_sqlite *self, struct store_sqlite_column column);

/* store_sqlite_blob - the only column of a statement's only row, or STATUS_NOT_FOUND. */
enum status store_sqlite_blob(struct store_sqlite *self, struct db_statement *statement,
                              struct byte_view *ret_value);

/* Verbs of store.h. */
enum status store_queue_append_slice(struct store *store, const struct store_slice *slice);
enum status store_queue_next_slice(struct store *store, struct store_slice_key after,
                                   struct store_slice *ret_slice);
enum status store_queue_get_slice(struct store *store, struct store_slice_key key,
                                  struct store_slice *ret_slice);
enum status store_queue_next_marks(struct store *store, struct store_slice_key after,
                                   struct store_slice *ret_slice);
enum status store_queue_drop_slice(struct store *store, struct store_slice_key key);
enum status store_queue_take_out(struct store *store, struct store_slice_key key,
                                 const uint8_t places[static STORE_MASK_SIZE]);
enum status store_queue_rest_on(struct store *store, struct store_slice_key key, size_t place,
                                uint32_t rests_on);

enum status store_queue_set_deadline(struct store *store, struct store_slice_key key, size_t place,
                                     int64_t deadline);

enum status store_watch_drop_ground(struct store *store, struct store_place place);
enum status store_watch_blank_batch(struct store *store, uint64_t id, struct byte_view headers,
                                    struct byte_view openings);
enum status store_watch_put(struct store *store, const struct store_watch *watch);
enum status store_watch_drop(struct store *store, const struct store_watch *watch);
enum status store_watch_find(struct store *store, struct store_watch *watch);
enum status store_watch_due(struct store *store, int64_t now, struct store_watch *ret_watch);
enum status store_watch_each(struct store *store, enum store_watch_kind kind, store_watch_visitor *visit,
                             void *context);

enum status store_people_append_forward(struct store *store, uint32_t sender, uint64_t id,
                                        struct byte_view body);
enum status store_people_next_forward(struct store *store, uint32_t sender, uint64_t after, uint64_t *ret_id,
                                      struct byte_view *ret_body);
enum status store_people_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to);
enum status store_people_get_subject(struct store *store, struct byte_view key, struct byte_view *ret_state);
enum status store_people_put_subject(struct store *store, struct byte_view key, struct byte_view state);
enum status store_people_next_subject(struct store *store, struct byte_view after, struct byte_view *ret_key,
                                      struct byte_view *ret_state);
enum status store_people_append_ground(struct store *store, struct store_place place,
                                       struct byte_view ground);
enum status store_people_get_ground(struct store *store, struct store_place place,
                                    struct byte_view *ret_ground);
enum status store_people_put_replan(struct store *store, uint32_t sender,
                                    const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_people_drop_replan(struct store *store, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_people_each_replan(struct store *store, uint32_t sender,
                                     const uint8_t after[static STORE_EVENT_SIZE],
                                     store_replan_visitor *visit, void *context);
enum status store_people_put_recall(struct store *store, const struct store_recall *recall);
enum status store_people_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_people_each_recall(struct store *store, const struct store_recall *after,
                                     store_recall_visitor *visit, void *context);
enum status store_people_drop_reports(struct store *store, uint32_t sender,
                                      const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_people_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                                     const uint8_t event[static STORE_EVENT_SIZE],
                                     const uint8_t mark[static STORE_REPORT_SIZE]);
enum status store_people_get_state(struct store *store, const char *name, struct byte_view *ret_value);
enum status store_people_put_state(struct store *store, const char *name, struct byte_view value);
