/* The part of feed_store.h about what was told of whom. */

#include "agent/feed_sql.h"

#include <string.h>

void feed_store_person(const struct feed_store *store, struct byte_view identity,
                       uint8_t out[static VAULT_LOOKUP_SIZE])
{
    vault_lookup(store->vault, "feed_told", identity, out);
}

enum status feed_store_digest(const struct feed_store *store, const struct feed_row *row,
                              uint8_t out[static VAULT_LOOKUP_SIZE])
{
    struct byte_buffer plain = bytes_buffer(FEED_SQL_RECORD_MAX);
    struct feed_row copy = {.count = row->count};
    enum status status = STATUS_OK;

    memcpy(copy.pairs, row->pairs, row->count * sizeof row->pairs[0]);
    feed_row_encode(&copy, &plain); /* without line and event */
    status = plain.status;
    if (status == STATUS_OK)
        vault_lookup(store->vault, "feed_row", bytes_buffer_view(&plain), out);
    bytes_buffer_wipe(&plain);
    return status;
}

#define PLACE_SIZE (9 + VAULT_LOOKUP_SIZE)

static void told_place(const uint8_t person[static VAULT_LOOKUP_SIZE], uint8_t out[static PLACE_SIZE])
{
    memcpy(out, "feed_told", 9);
    memcpy(out + 9, person, VAULT_LOOKUP_SIZE);
}

/* Columns: id, person, event, establishment, digest, record. */
static enum status read_told(const struct feed_store *store, struct db_statement *statement,
                             struct byte_buffer *storage, struct feed_told *ret)
{
    const struct byte_view person = db_column_blob(statement, 1);
    const struct byte_view event = db_column_blob(statement, 2);
    const struct byte_view digest = db_column_blob(statement, 4);
    uint8_t place[PLACE_SIZE];
    struct byte_view plain = {0};
    enum status status = STATUS_OK;

    if (person.size != VAULT_LOOKUP_SIZE || event.size != UUID_SIZE || digest.size != VAULT_LOOKUP_SIZE)
        return STATUS_CORRUPT;
    told_place(person.data, place);
    bytes_buffer_clear(storage);
    status = vault_open(store->vault, bytes_view(place, sizeof place), db_column_blob(statement, 5), storage);
    if (status != STATUS_OK)
        return status;
    plain = bytes_buffer_view(storage);
    if (plain.size < PSEUDONYM_SIZE)
        return STATUS_CORRUPT;
    ret->id = db_column_int64(statement, 0);
    memcpy(ret->event, event.data, UUID_SIZE);
    memcpy(ret->digest, digest.data, VAULT_LOOKUP_SIZE);
    memset(ret->establishment, 0, sizeof ret->establishment);
    strncpy(ret->establishment, db_column_text(statement, 3), sizeof ret->establishment - 1);
    memcpy(ret->subject.bytes, plain.data, PSEUDONYM_SIZE);
    return feed_row_decode(bytes_view(plain.data + PSEUDONYM_SIZE, plain.size - PSEUDONYM_SIZE), &ret->row);
}

static enum status read_first(const struct feed_store *store, struct db_statement *statement,
                              struct byte_buffer *storage, struct feed_told *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    status = read_told(store, statement, storage, ret);
    db_reset(statement);
    return status;
}

enum status feed_store_told(const struct feed_store *store, struct byte_view identity,
                            struct byte_buffer *storage, struct feed_told *ret)
{
    struct db_statement *statement = NULL;
    uint8_t person[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(store->db,
                                      "SELECT id, person, event, establishment, digest, record FROM feed_told"
                                      " WHERE feed = ? AND person = ?",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    feed_store_person(store, identity, person);
    db_bind_text(statement, 1, store->feed);
    db_bind_blob(statement, 2, bytes_view(person, sizeof person));
    return read_first(store, statement, storage, ret);
}

enum status feed_store_next_told(const struct feed_store *store, int64_t *cursor, struct byte_buffer *storage,
                                 struct feed_told *ret)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db,
                                      "SELECT id, person, event, establishment, digest, record FROM feed_told"
                                      " WHERE feed = ? AND id > ? ORDER BY id LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_int64(statement, 2, *cursor);
    status = read_first(store, statement, storage, ret);
    if (status == STATUS_OK)
        *cursor = ret->id;
    return status;
}

static enum status write_told(const struct feed_store *store, const uint8_t person[static VAULT_LOOKUP_SIZE],
                              const struct feed_told *told, struct byte_view record)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(store->db,
                     "INSERT INTO feed_told (feed, person, event, establishment, digest, record)"
                     " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (feed, person) DO UPDATE SET"
                     " event = excluded.event, establishment = excluded.establishment,"
                     " digest = excluded.digest, record = excluded.record",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, store->feed);
    db_bind_blob(statement, 2, bytes_view(person, VAULT_LOOKUP_SIZE));
    db_bind_blob(statement, 3, bytes_view(told->event, UUID_SIZE));
    db_bind_text(statement, 4, told->establishment);
    db_bind_blob(statement, 5, bytes_view(told->digest, VAULT_LOOKUP_SIZE));
    db_bind_blob(statement, 6, record);
    return db_run(statement);
}

enum status feed_store_tell(const struct feed_store *store, struct byte_view identity,
                            const struct feed_told *told)
{
    struct byte_buffer plain = bytes_buffer(FEED_SQL_RECORD_MAX);
    struct byte_buffer sealed = bytes_buffer(FEED_SQL_RECORD_MAX + VAULT_OVERHEAD);
    uint8_t person[VAULT_LOOKUP_SIZE];
    uint8_t place[PLACE_SIZE];
    enum status status = STATUS_OK;

    feed_store_person(store, identity, person);
    told_place(person, place);
    bytes_append(&plain, told->subject.bytes, PSEUDONYM_SIZE);
    feed_row_encode(&told->row, &plain);
    status = plain.status;
    if (status == STATUS_OK)
        status =
            vault_seal(store->vault, bytes_view(place, sizeof place), bytes_buffer_view(&plain), &sealed);
    if (status == STATUS_OK)
        status = write_told(store, person, told, bytes_buffer_view(&sealed));
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&sealed);
    return status;
}

enum status feed_store_forget(const struct feed_store *store, int64_t id)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(store->db, "DELETE FROM feed_told WHERE id = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, id);
    return db_run(statement);
}

enum status feed_store_forget_person(const struct feed_store *store, struct byte_view identity)
{
    struct db_statement *statement = NULL;
    uint8_t person[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(store->db, "DELETE FROM feed_told WHERE person = ?", &statement);

    if (status != STATUS_OK)
        return status;
    feed_store_person(store, identity, person);
    db_bind_blob(statement, 1, bytes_view(person, sizeof person));
    return db_run(statement);
}
