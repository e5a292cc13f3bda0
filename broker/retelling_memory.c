#include "broker/retelling_memory.h"

#include <string.h>

#define APPLICATION 0x434f4e52 /* "CONR"; never on disk */
#define KEY_MAX     (CORE_SUBJECT_SIZE + PROTOCOL_ID_LENGTH)

static const char schema[] =
    "CREATE TABLE person(key BLOB PRIMARY KEY, state BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE event(id BLOB PRIMARY KEY, type TEXT NOT NULL, sender TEXT NOT NULL,"
    " subject BLOB NOT NULL, asked TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE told(event BLOB NOT NULL, member TEXT NOT NULL,"
    " PRIMARY KEY(event, member)) STRICT, WITHOUT ROWID;";

enum status retelling_memory_open(struct db **ret)
{
    const struct db_options options = {.application_id = APPLICATION,
                                       .user_version = 1,
                                       .schema_sql = schema,
                                       .kind = DB_DERIVED,
                                       .memory = true};

    return db_open(NULL, &options, ret);
}

static struct byte_view event_view(const uint8_t *event)
{
    return bytes_view(event, CORE_EVENT_SIZE);
}

/* subject ‖ protocol id */
static struct byte_view key_of(struct byte_view protocol, struct byte_view subject,
                               uint8_t out[static KEY_MAX])
{
    size_t size = protocol.size > PROTOCOL_ID_LENGTH ? PROTOCOL_ID_LENGTH : protocol.size;

    memcpy(out, subject.data, CORE_SUBJECT_SIZE);
    memcpy(out + CORE_SUBJECT_SIZE, protocol.data, size);
    return bytes_view(out, CORE_SUBJECT_SIZE + size);
}

enum status retelling_memory_person(struct db *memory, struct byte_view protocol, struct byte_view subject,
                                    struct register_state *ret_state)
{
    struct db_statement *statement = NULL;
    uint8_t key[KEY_MAX];
    bool row = false;
    enum status status = db_statement(memory, "SELECT state FROM person WHERE key = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, key_of(protocol, subject, key));
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        register_init(ret_state);
    else if (status == STATUS_OK)
        status = register_decode(db_column_blob(statement, 0), ret_state);
    db_reset(statement);
    return status;
}

enum status retelling_memory_keep_person(struct db *memory, struct byte_view protocol,
                                         struct byte_view subject, const struct register_state *state)
{
    struct byte_buffer encoded = bytes_buffer(REGISTER_ENCODED_MAX);
    struct db_statement *statement = NULL;
    uint8_t key[KEY_MAX];
    enum status status = db_statement(memory, "INSERT OR REPLACE INTO person VALUES (?1, ?2)", &statement);

    register_encode(state, &encoded);
    if (status == STATUS_OK)
        status = encoded.status;
    if (status == STATUS_OK) {
        db_bind_blob(statement, 1, key_of(protocol, subject, key));
        db_bind_blob(statement, 2, bytes_buffer_view(&encoded));
        status = db_run(statement);
    }
    bytes_buffer_free(&encoded);
    return status;
}

enum status retelling_memory_event(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                   struct retelling_event *ret_event)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(memory, "SELECT type, sender, subject, asked FROM event WHERE id = ?1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, event_view(event));
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    *ret_event = (struct retelling_event){.type = db_column_text(statement, 0),
                                          .from = db_column_text(statement, 1),
                                          .subject = db_column_blob(statement, 2),
                                          .asked = db_column_text(statement, 3)};
    return STATUS_OK; /* reset when it is asked for again, or when the database is closed */
}

enum status retelling_memory_keep_event(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                        const struct retelling_event *content)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(memory, "INSERT OR REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, event_view(event));
    db_bind_text(statement, 2, content->type);
    db_bind_text(statement, 3, content->from);
    db_bind_blob(statement, 4, content->subject);
    db_bind_text(statement, 5, content->asked);
    return db_run(statement);
}

enum status retelling_memory_tell(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                  const char *member)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(memory, "INSERT OR IGNORE INTO told VALUES (?1, ?2)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, event_view(event));
    db_bind_text(statement, 2, member);
    return db_run(statement);
}

enum status retelling_memory_told(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                  bool (*visit)(void *context, const char *member), void *context)
{
    struct db_statement *statement = NULL;
    bool row = true;
    enum status status =
        db_statement(memory, "SELECT member FROM told WHERE event = ?1 ORDER BY member", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, event_view(event));
    status = db_step(statement, &row);
    while (status == STATUS_OK && row && visit(context, db_column_text(statement, 0)))
        status = db_step(statement, &row);
    db_reset(statement);
    return status;
}
