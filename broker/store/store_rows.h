#pragma once

#include "broker/store/store.h"

/*
 * What the store in memory is made of; nobody else includes this. Everything is a row of bytes under a key of
 * bytes in its own table, in order of the key. A transaction writes down what every changed row was, and a
 * rollback puts that back.
 */
enum store_rows_table {
    STORE_ROWS_MEMBER,
    STORE_ROWS_BATCH,
    STORE_ROWS_RANGE,
    STORE_ROWS_LATE,
    STORE_ROWS_QUEUE,
    STORE_ROWS_FORWARD,
    STORE_ROWS_SUBJECT,
    STORE_ROWS_GROUND,
    STORE_ROWS_REPLAN,
    STORE_ROWS_RECALL,
    STORE_ROWS_REPORT,
    STORE_ROWS_WATCH,
    STORE_ROWS_STATE,
    STORE_ROWS_TABLES
};

#define STORE_ROWS_KEY_MAX 128

struct store_rows_key {
    size_t size;
    uint8_t bytes[STORE_ROWS_KEY_MAX];
};

struct store_rows_row {
    size_t key_size;
    uint8_t key[STORE_ROWS_KEY_MAX];
    size_t size;
    uint8_t *value;
};

struct store_rows_list {
    struct store_rows_row *list;
    size_t count;
    size_t room;
};

/* What a row was before the transaction changed it; value NULL: it was not there. */
struct store_rows_undo {
    enum store_rows_table table;
    struct store_rows_row row;
};

/* All zeros but the scratch's limit is an empty one. */
struct store_rows {
    struct store_rows_list tables[STORE_ROWS_TABLES];
    bool writing;
    struct store_rows_undo *undo;
    size_t undo_count;
    size_t undo_room;
    struct byte_buffer scratch; /* what was read last */
};

void store_rows_free(struct store_rows *rows);

void store_rows_begin(struct store_rows *rows);
void store_rows_commit(struct store_rows *rows);
void store_rows_rollback(struct store_rows *rows);

/* Keys: numbers are 8 bytes, big-endian, so that they ascend. */
void store_rows_add(struct store_rows_key *key, const void *bytes, size_t size);
void store_rows_add_number(struct store_rows_key *key, uint64_t number);

/* store_rows_position - of the first row whose key is not below this one. */
size_t store_rows_position(const struct store_rows_list *list, const struct store_rows_key *key);
bool store_rows_is(const struct store_rows_row *row, const struct store_rows_key *key);

/* store_rows_find, store_rows_after - the row of a key, the first one after it; NULL when there is none. */
struct store_rows_row *store_rows_find(struct store_rows *rows, enum store_rows_table table,
                                       const struct store_rows_key *key);
struct store_rows_row *store_rows_after(struct store_rows *rows, enum store_rows_table table,
                                        const struct store_rows_key *key);

/* store_rows_put - set a row; store_rows_append - one that must not be there (STATUS_EXISTS); store_rows_drop
 * - take it away if it is there. STATUS_NO_MEMORY. */
enum status store_rows_put(struct store_rows *rows, enum store_rows_table table,
                           const struct store_rows_key *key, struct byte_view value);
enum status store_rows_append(struct store_rows *rows, enum store_rows_table table,
                              const struct store_rows_key *key, struct byte_view value);
enum status store_rows_drop(struct store_rows *rows, enum store_rows_table table,
                            const struct store_rows_key *key);

/* store_rows_read - a row's value, copied to the scratch behind its key, so that it stays as it was until the
 * next verb. STATUS_NOT_FOUND for NULL. */
enum status store_rows_read(struct store_rows *rows, const struct store_rows_row *row,
                            struct byte_view *ret_value);
