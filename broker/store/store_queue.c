#include <assert.h>
#include <string.h>

#include "broker/store/store_sqlite_parts.h"

/* What is undelivered, in SQLite: table queue. */

static int64_t slice_id(struct store_slice_key key)
{
    assert(key.recipient <= STORE_NUMBER_MAX && key.batch < UINT64_C(1) << 40);
    return (int64_t)((uint64_t)key.recipient << 41 | (key.urgent ? UINT64_C(0) : UINT64_C(1) << 40) |
                     key.batch);
}

static struct store_slice_key slice_key(int64_t id)
{
    uint64_t bits = (uint64_t)id;

    return (struct store_slice_key){.recipient = (uint32_t)(bits >> 41),
                                    .urgent = (bits >> 40 & 1) == 0,
                                    .batch = bits & ((UINT64_C(1) << 40) - 1)};
}

enum status store_queue_append_slice(struct store *store, const struct store_slice *slice)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        store_sqlite_self(store)->db,
        "INSERT INTO queue(id, sender, count, live, marks, sections) VALUES(?, ?, ?, ?, ?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, slice_id(slice->key));
    db_bind_int64(statement, 2, slice->sender);
    db_bind_int64(statement, 3, slice->count);
    db_bind_blob(statement, 4, bytes_view(slice->live, STORE_MASK_SIZE));
    db_bind_blob(statement, 5, slice->marks);
    db_bind_blob(statement, 6, slice->sections);
    return db_run(statement);
}

/* Reads a row of: id, sender, count, live, marks and, when has_sections, sections. */
static enum status read_slice(struct store_sqlite *self, struct db_statement *statement, bool has_sections,
                              struct store_slice *ret_slice)
{
    struct store_slice slice = {.key = slice_key(db_column_int64(statement, 0)),
                                .sender = (uint32_t)db_column_int64(statement, 1),
                                .count = (uint32_t)db_column_int64(statement, 2)};
    struct store_sqlite_column live = store_sqlite_keep(self, statement, 3);
    struct store_sqlite_column marks = store_sqlite_keep(self, statement, 4);
    struct store_sqlite_column sections = {0, 0};

    if (has_sections)
        sections = store_sqlite_keep(self, statement, 5);
    db_reset(statement);
    if (self->scratch.status != STATUS_OK)
        return self->scratch.status;
    if (live.size != STORE_MASK_SIZE || marks.size != (size_t)slice.count * STORE_MARK_SIZE)
        return STATUS_CORRUPT;
    memcpy(slice.live, store_sqlite_kept(self, live).data, STORE_MASK_SIZE);
    slice.marks = store_sqlite_kept(self, marks);
    slice.sections = has_sections ? store_sqlite_kept(self, sections) : bytes_view(NULL, 0);
    *ret_slice = slice;
    return STATUS_OK;
}

enum status store_queue_next_slice(struct store *store, struct store_slice_key after,
                                   struct store_slice *ret_slice)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    struct store_slice_key end = {after.recipient, after.urgent, (UINT64_C(1) << 40) - 1};
    enum status status = db_statement(self->db,
                                      "SELECT id, sender, count, live, marks, sections FROM queue"
                                      " WHERE id > ? AND id <= ? ORDER BY id LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, slice_id(after));
    db_bind_int64(statement, 2, slice_id(end));
    status = store_sqlite_first(self, statement);
    return status == STATUS_OK ? read_slice(self, statement, true, ret_slice) : status;
}

enum status store_queue_get_slice(struct store *store, struct store_slice_key key,
                                  struct store_slice *ret_slice)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        self->db, "SELECT id, sender, count, live, marks, sections FROM queue WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, slice_id(key));
    status = store_sqlite_first(self, statement);
    return status == STATUS_OK ? read_slice(self, statement, true, ret_slice) : status;
}

enum status store_queue_next_marks(struct store *store, struct store_slice_key after,
                                   struct store_slice *ret_slice)
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct db_statement *statement = NULL;
    bool from_start = after.recipient == 0;
    enum status status = db_statement(
        self->db, "SELECT id, sender, count, live, marks FROM queue WHERE id > ? ORDER BY id LIMIT 1",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, from_start ? 0 : slice_id(after));
    status = store_sqlite_first(self, statement);
    return status == STATUS_OK ? read_slice(self, statement, false, ret_slice) : status;
}

enum status store_queue_drop_slice(struct store *store, struct store_slice_key key)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store_sqlite_self(store)->db, "DELETE FROM queue WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, slice_id(key));
    return db_run(statement);
}

/* Marks and mask of a slice, without its sections. */
static enum status get_marks(struct store_sqlite *self, struct store_slice_key key, struct store_slice *ret)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(self->db, "SELECT id, sender, count, live, marks FROM queue WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, slice_id(key));
    status = store_sqlite_first(self, statement);
    return status == STATUS_OK ? read_slice(self, statement, false, ret) : status;
}

static enum status overwrite(struct store_sqlite *self, const struct store_slice *slice, size_t offset,
                             size_t size)
{
    static const uint8_t zeros[4096];
    enum status status = STATUS_OK;

    while (status == STATUS_OK && size > 0) {
        size_t part = size < sizeof zeros ? size : sizeof zeros;
        status = db_blob_write(self->db, "queue", "sections", slice_id(slice->key), offset,
                               bytes_view(zeros, part));
        offset += part;
        size -= part;
    }
    return status;
}

enum status store_queue_take_out(struct store *store, struct store_slice_key key,
                                 const uint8_t places[static STORE_MASK_SIZE])
{
    struct store_sqlite *self = store_sqlite_self(store);
    struct store_slice slice;
    size_t offset = 0;
    enum status status = get_marks(self, key, &slice);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < STORE_MASK_SIZE; i++)
        slice.live[i] = (uint8_t)(slice.live[i] & ~places[i]);
    if (store_mask_count(slice.live) == 0)
        return store_queue_drop_slice(store, key);
    status =
        db_blob_write(self->db, "queue", "live", slice_id(key), 0, bytes_view(slice.live, STORE_MASK_SIZE));
    for (size_t i = 0; status == STATUS_OK && i < slice.count; i++) {
        size_t size = store_mark_read(slice.marks.data + i * STORE_MARK_SIZE).size;
        if (store_mask_get(places, i))
            status = overwrite(self, &slice, offset, size);
        offset += size;
    }
    return status;
}

enum status store_queue_rest_on(struct store *store, struct store_slice_key key, size_t place,
                                uint32_t rests_on)
{
    uint8_t value[4];

    bytes_put_u32(value, rests_on);
    return db_blob_write(store_sqlite_self(store)->db, "queue", "marks", slice_id(key),
                         place * STORE_MARK_SIZE + 22, bytes_view(value, sizeof value));
}

enum status store_queue_set_deadline(struct store *store, struct store_slice_key key, size_t place,
                                     int64_t deadline)
{
    uint8_t value[8];

    bytes_put_u64(value, (uint64_t)deadline);
    return db_blob_write(store_sqlite_self(store)->db, "queue", "marks", slice_id(key),
                         place * STORE_MARK_SIZE + 40, bytes_view(value, sizeof value));
}
