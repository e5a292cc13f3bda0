#include "agent/people.h"

#include <stdlib.h>
#include <string.h>

#include "agent/vault.h"
#include "proto/canonical.h"

/* subject, pnc and prison are look-ups (vault_lookup); record is a sealed encoding. left_at: 0 while listed.
 * person_list has its one row as soon as any list change has come, also when everybody was forgotten since.
 */
const char people_schema[] = "CREATE TABLE person ("
                             " id INTEGER PRIMARY KEY,"
                             " subject BLOB NOT NULL,"
                             " protocol TEXT NOT NULL,"
                             " pnc BLOB, prison BLOB,"
                             " listed INTEGER NOT NULL,"
                             " left_at INTEGER NOT NULL,"
                             " record BLOB NOT NULL,"
                             " UNIQUE (subject, protocol)) STRICT;"
                             "CREATE TABLE person_list (id INTEGER PRIMARY KEY) STRICT;"
                             "CREATE INDEX person_pnc ON person (pnc);"
                             "CREATE INDEX person_prison ON person (prison);"
                             "CREATE INDEX person_listed ON person (listed, id);";

#define RECORD_VERSION 2
#define RECORD_LIMIT   ((size_t)4096)

struct people {
    struct db *db;
    struct vault *vault;
    people_changed *changed;
    void *context;
};

enum status people_new(struct db *db, struct vault *vault, struct people **ret_people)
{
    struct people *people = calloc(1, sizeof *people);

    if (people == NULL)
        return STATUS_NO_MEMORY;
    people->db = db;
    people->vault = vault;
    *ret_people = people;
    return STATUS_OK;
}

void people_free(struct people **people)
{
    free(*people);
    *people = NULL;
}

void people_watch(struct people *people, people_changed *changed, void *context)
{
    people->changed = changed;
    people->context = context;
}

static struct byte_view subject_view(const struct pseudonym *subject)
{
    return bytes_view(subject->bytes, PSEUDONYM_SIZE);
}

/* Where a record is kept, for the vault. */
static void place_of(const struct people *people, const struct pseudonym *subject,
                     uint8_t out[static VAULT_LOOKUP_SIZE])
{
    vault_lookup(people->vault, "person", subject_view(subject), out);
}

/* The texts of a person, in the order in which a record holds them. */
struct text_field {
    size_t offset;
    size_t size;
};

#define TEXT_FIELD(name)                                                                                     \
    {                                                                                                        \
        offsetof(struct person, name), sizeof((struct person *)NULL)->name                                   \
    }
static const struct text_field text_fields[] = {
    TEXT_FIELD(protocol),   TEXT_FIELD(by),        TEXT_FIELD(pnc_id),   TEXT_FIELD(prison_no),
    TEXT_FIELD(name),       TEXT_FIELD(dob),       TEXT_FIELD(strand),   TEXT_FIELD(area),
    TEXT_FIELD(home_force), TEXT_FIELD(authority), TEXT_FIELD(selector),
};
#undef TEXT_FIELD
#define TEXT_FIELDS (sizeof text_fields / sizeof text_fields[0])

static void encode(const struct person *person, struct byte_buffer *ret)
{
    bytes_append_u8(ret, RECORD_VERSION);
    bytes_append(ret, person->subject.bytes, PSEUDONYM_SIZE);
    bytes_append_u8(ret, person->listed ? 1 : 0);
    bytes_append_u64(ret, (uint64_t)person->listed_at);
    bytes_append_u64(ret, (uint64_t)person->removed_at);
    bytes_append(ret, person->event, UUID_SIZE);
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        canonical_append_string(ret, (const char *)person + text_fields[i].offset);
}

static enum status decode(struct byte_view bytes, struct person *ret)
{
    struct byte_reader reader = bytes_reader(bytes);
    struct person person = {0};

    if (bytes_read_u8(&reader) != RECORD_VERSION)
        return STATUS_CORRUPT;
    bytes_read_into(&reader, person.subject.bytes, PSEUDONYM_SIZE);
    person.listed = bytes_read_u8(&reader) == 1;
    person.listed_at = (int64_t)bytes_read_u64(&reader);
    person.removed_at = (int64_t)bytes_read_u64(&reader);
    bytes_read_into(&reader, person.event, UUID_SIZE);
    for (size_t i = 0; i < TEXT_FIELDS; i++) {
        struct byte_view text = {0};

        if (canonical_read(&reader, text_fields[i].size - 1, &text) != STATUS_OK)
            return STATUS_CORRUPT;
        if (text.size > 0)
            memcpy((char *)&person + text_fields[i].offset, text.data, text.size);
    }
    if (!bytes_read_done(&reader))
        return STATUS_CORRUPT;
    *ret = person;
    return STATUS_OK;
}

/* Opens the record in the statement's row, whose columns are subject, record and protocol. */
static enum status read_row(struct people *people, struct db_statement *statement, struct person *ret)
{
    struct byte_buffer record = bytes_buffer(RECORD_LIMIT);
    enum status status =
        vault_open(people->vault, db_column_blob(statement, 0), db_column_blob(statement, 1), &record);

    if (status == STATUS_OK)
        status = decode(bytes_buffer_view(&record), ret);
    if (status == STATUS_OK && strcmp(ret->protocol, db_column_text(statement, 2)) != 0)
        status = STATUS_CORRUPT;
    bytes_buffer_wipe(&record);
    return status;
}

static enum status read_first(struct people *people, struct db_statement *statement, struct person *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status == STATUS_OK && row) {
        status = read_row(people, statement, ret);
        db_reset(statement);
    } else if (status == STATUS_OK) {
        status = STATUS_NOT_FOUND;
    }
    return status;
}

/* Under the protocol ?2 or, when that is NULL, under any. */
#define ONE_OF " AND (?2 IS NULL OR protocol = ?2) ORDER BY listed DESC, id DESC LIMIT 1"

enum status people_by_pnc(struct people *people, const char *protocol, struct byte_view pnc_id,
                          struct person *ret)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(
        people->db, "SELECT subject, record, protocol FROM person WHERE pnc = ?1" ONE_OF, &statement);

    if (status != STATUS_OK)
        return status;
    vault_lookup(people->vault, "pnc_id", pnc_id, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_text(statement, 2, protocol);
    return read_first(people, statement, ret);
}

enum status people_by_prison_no(struct people *people, const char *protocol, struct byte_view prison_no,
                                struct person *ret)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(
        people->db, "SELECT subject, record, protocol FROM person WHERE prison = ?1" ONE_OF, &statement);

    if (status != STATUS_OK)
        return status;
    vault_lookup(people->vault, "prison_no", prison_no, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_text(statement, 2, protocol);
    return read_first(people, statement, ret);
}

enum status people_by_subject(struct people *people, const char *protocol, const struct pseudonym *subject,
                              struct person *ret)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(
        people->db, "SELECT subject, record, protocol FROM person WHERE subject = ?1" ONE_OF, &statement);

    if (status != STATUS_OK)
        return status;
    place_of(people, subject, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_text(statement, 2, protocol);
    return read_first(people, statement, ret);
}

enum status people_next(struct people *people, const char *protocol, int64_t *cursor, struct person *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t id = 0;
    enum status status = db_statement(
        people->db,
        "SELECT subject, record, protocol, id FROM person WHERE listed = 1 AND id > ?1 AND protocol = ?2"
        " ORDER BY id LIMIT 1",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, *cursor);
    db_bind_text(statement, 2, protocol);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return STATUS_NOT_FOUND;
    id = db_column_int64(statement, 3);
    status = read_row(people, statement, ret);
    db_reset(statement);
    if (status == STATUS_OK)
        *cursor = id;
    return status;
}

static enum status read_number(struct db_statement *statement, int64_t *ret)
{
    bool row = false;
    enum status status = db_step(statement, &row);

    if (status == STATUS_OK && row) {
        *ret = db_column_int64(statement, 0);
        db_reset(statement);
    }
    return status;
}

enum status people_count(struct people *people, int64_t *ret_count)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(people->db, "SELECT count(DISTINCT subject) FROM person WHERE listed = 1", &statement);

    return status == STATUS_OK ? read_number(statement, ret_count) : status;
}

enum status people_received(struct people *people, bool *ret_received)
{
    struct db_statement *statement = NULL;
    int64_t any = 0;
    enum status status = db_statement(people->db, "SELECT EXISTS (SELECT 1 FROM person_list)", &statement);

    if (status == STATUS_OK)
        status = read_number(statement, &any);
    if (status == STATUS_OK)
        *ret_received = any != 0;
    return status;
}

static void bind_lookup(struct people *people, struct db_statement *statement, int parameter, const char *use,
                        const char *value, uint8_t key[static VAULT_LOOKUP_SIZE])
{
    if (value[0] == '\0') {
        db_bind_null(statement, parameter);
        return;
    }
    vault_lookup(people->vault, use, bytes_of_string(value), key);
    db_bind_blob(statement, parameter, bytes_view(key, VAULT_LOOKUP_SIZE));
}

static enum status write_row(struct people *people, const struct person *person,
                             const uint8_t subject[static VAULT_LOOKUP_SIZE], struct byte_view record)
{
    struct db_statement *statement = NULL;
    uint8_t pnc[VAULT_LOOKUP_SIZE];
    uint8_t prison[VAULT_LOOKUP_SIZE];
    enum status status =
        db_statement(people->db,
                     "INSERT INTO person (subject, pnc, prison, listed, left_at, record, protocol)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject, protocol) DO UPDATE SET pnc = "
                     "excluded.pnc, prison = excluded.prison,"
                     " listed = excluded.listed, left_at = excluded.left_at, record = excluded.record",
                     &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(subject, VAULT_LOOKUP_SIZE));
    bind_lookup(people, statement, 2, "pnc_id", person->pnc_id, pnc);
    bind_lookup(people, statement, 3, "prison_no", person->prison_no, prison);
    db_bind_int64(statement, 4, person->listed ? 1 : 0);
    db_bind_int64(statement, 5, person->listed ? 0 : person->removed_at);
    db_bind_blob(statement, 6, record);
    db_bind_text(statement, 7, person->protocol);
    return db_run(statement);
}

static enum status note_received(struct people *people)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(people->db, "INSERT OR IGNORE INTO person_list (id) VALUES (1)", &statement);

    return status == STATUS_OK ? db_run(statement) : status;
}

enum status people_put(struct people *people, const struct person *person)
{
    struct byte_buffer plain = bytes_buffer(RECORD_LIMIT);
    struct byte_buffer sealed = bytes_buffer(RECORD_LIMIT);
    uint8_t subject[VAULT_LOOKUP_SIZE];
    struct person before = {.subject = person->subject};
    enum status status = people_by_subject(people, person->protocol, &person->subject, &before);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        goto out;
    place_of(people, &person->subject, subject);
    encode(person, &plain);
    status = plain.status;
    if (status == STATUS_OK)
        status = vault_seal(people->vault, bytes_view(subject, sizeof subject), bytes_buffer_view(&plain),
                            &sealed);
    if (status == STATUS_OK)
        status = write_row(people, person, subject, bytes_buffer_view(&sealed));
    if (status == STATUS_OK)
        status = note_received(people);
    if (status == STATUS_OK && people->changed != NULL)
        people->changed(people->context, &before, person);
out:
    bytes_wipe(&before, sizeof before);
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&sealed);
    return status;
}

enum status people_forget(struct people *people, int64_t until)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(people->db, "DELETE FROM person WHERE listed = 0 AND left_at < ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, until);
    return db_run(statement);
}
