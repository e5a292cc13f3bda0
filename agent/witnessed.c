#include "agent/witnessed.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/crash.h"
#include "base/safefile.h"
#include "proto/digest.h"
#include "proto/wire_check.h"

#define FLOOR_TITLE   "concordat witness floor 1\n"
#define FLOOR_LARGEST ((size_t)WIRE_NOTE_MAX + 1024)
#define ID_SIZE       8 /* bytes of the digest that name a log's file */

const char witnessed_schema[] =
    "CREATE TABLE witnessed (log TEXT PRIMARY KEY, size INTEGER NOT NULL, time INTEGER NOT NULL,"
    " note BLOB NOT NULL) STRICT;"
    "CREATE TABLE log_fork (id INTEGER PRIMARY KEY, log TEXT NOT NULL, found INTEGER NOT NULL, text TEXT NOT "
    "NULL,"
    " held BLOB NOT NULL, shown BLOB NOT NULL, UNIQUE (log, held, shown)) STRICT;";

void witnessed_free(struct witnessed *witnessed)
{
    bytes_buffer_free(&witnessed->note);
    *witnessed = (struct witnessed){.time = 0};
}

/* ---- the floor ---- */

static enum status floor_path(const struct agent *agent, const char *vkey, char ret_folder[static PATH_MAX],
                              char ret_path[static PATH_MAX])
{
    uint8_t digest[DIGEST_SIZE];
    char id[2 * ID_SIZE + 1];
    int folder = snprintf(ret_folder, PATH_MAX, "%s/witness", agent->folder);

    digest_sha256(bytes_of_string(vkey), digest);
    bytes_to_hex(digest, ID_SIZE, id);
    int path = snprintf(ret_path, PATH_MAX, "%s/witness/%s.floor", agent->folder, id);
    return folder > 0 && folder < PATH_MAX && path > 0 && path < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

static void write_floor(struct byte_buffer *text, const char *vkey, int64_t time, struct byte_view note)
{
    bytes_append_format(text, FLOOR_TITLE "log %s\ntime %lld\n\n", vkey, (long long)time);
    bytes_append_view(text, note);
}

/* There is one way to write a floor: what does not come out as it went in is damaged. */
static enum status parse_floor(struct byte_view text, const char *vkey, struct witnessed *ret)
{
    static const char blank[] = "\n\n";
    const uint8_t *end = text.size == 0 ? NULL : memmem(text.data, text.size, blank, sizeof blank - 1);
    struct byte_buffer again = bytes_buffer(FLOOR_LARGEST);
    enum status status = STATUS_CORRUPT;
    char head[512];
    const char *time = NULL;
    long long value = 0;

    if (end == NULL || (size_t)(end - text.data) >= sizeof head)
        return STATUS_CORRUPT;
    memcpy(head, text.data, (size_t)(end - text.data));
    head[end - text.data] = '\0';
    time = strstr(head, "\ntime ");
    if (time == NULL || sscanf(time, "\ntime %18lld", &value) != 1 || value < 0)
        return STATUS_CORRUPT;
    const size_t skip = (size_t)(end - text.data) + sizeof blank - 1;
    const struct byte_view note = bytes_view(text.data + skip, text.size - skip);
    write_floor(&again, vkey, value, note);
    if (bytes_equal(bytes_buffer_view(&again), text)) {
        ret->note = bytes_buffer(WIRE_NOTE_MAX);
        bytes_append_view(&ret->note, note);
        ret->time = value;
        status = ret->note.status == STATUS_TOO_LARGE ? STATUS_CORRUPT : ret->note.status;
    }
    bytes_buffer_free(&again);
    return status;
}

static enum status read_floor(const struct agent *agent, const char *vkey, struct witnessed *ret)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = floor_path(agent, vkey, folder, path);

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, FLOOR_LARGEST, &text);
    if (status == STATUS_OK)
        status = parse_floor(bytes_buffer_view(&text), vkey, ret);
    bytes_buffer_free(&text);
    return status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
}

static enum status keep_floor(const struct agent *agent, const char *vkey, int64_t time,
                              struct byte_view note)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(FLOOR_LARGEST);
    enum status status = floor_path(agent, vkey, folder, path);

    write_floor(&text, vkey, time, note);
    if (status == STATUS_OK)
        status = text.status;
    if (status == STATUS_OK)
        status = safefile_make_folder(folder, 0700);
    if (status == STATUS_OK || status == STATUS_EXISTS)
        status = safefile_write(path, bytes_buffer_view(&text), 0600);
    bytes_buffer_free(&text);
    return status;
}

/* ---- the database ---- */

static enum status read_row(struct agent *agent, const char *vkey, struct witnessed *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT time, note FROM witnessed WHERE log = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, vkey);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    ret->note = bytes_buffer(WIRE_NOTE_MAX);
    bytes_append_view(&ret->note, db_column_blob(statement, 1));
    ret->time = db_column_int64(statement, 0);
    db_reset(statement);
    return ret->note.status == STATUS_TOO_LARGE ? STATUS_CORRUPT : ret->note.status;
}

static enum status keep_row(struct agent *agent, const char *vkey, uint64_t size, int64_t time,
                            struct byte_view note)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(
        agent->db, "INSERT OR REPLACE INTO witnessed (log, size, time, note) VALUES (?, ?, ?, ?)",
        &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, vkey);
    db_bind_int64(statement, 2, (int64_t)size);
    db_bind_int64(statement, 3, time);
    db_bind_blob(statement, 4, note);
    return db_run(statement);
}

/* ---- both ---- */

/* What stands there must bear the log's signature: we kept nothing else. */
static enum status check(struct witnessed *witnessed, const struct note_key *log)
{
    enum status status =
        checkpoint_open(bytes_buffer_view(&witnessed->note), log, NULL, &witnessed->checkpoint);

    return status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_CRYPTO ? status
                                                                                        : STATUS_CORRUPT;
}

static enum status read_checked(struct agent *agent, const char *vkey, const struct note_key *log,
                                enum status (*read)(struct agent *agent, const char *vkey,
                                                    struct witnessed *ret),
                                struct witnessed *ret, bool *ret_there)
{
    enum status status = read(agent, vkey, ret);

    *ret_there = status == STATUS_OK;
    if (status == STATUS_OK)
        status = check(ret, log);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_floor_of(struct agent *agent, const char *vkey, struct witnessed *ret)
{
    return read_floor(agent, vkey, ret);
}

static bool differ(const struct checkpoint *a, const struct checkpoint *b)
{
    return a->size == b->size && memcmp(&a->root, &b->root, sizeof a->root) != 0;
}

enum status witnessed_last(struct agent *agent, const char *vkey, struct witnessed *ret)
{
    struct witnessed floor = {.time = 0};
    struct witnessed row = {.time = 0};
    struct note_key *log = NULL;
    bool has_floor = false;
    bool has_row = false;
    enum status status = note_key_parse(bytes_of_string(vkey), &log);

    if (status == STATUS_OK)
        status = read_checked(agent, vkey, log, read_floor_of, &floor, &has_floor);
    if (status == STATUS_OK)
        status = read_checked(agent, vkey, log, read_row, &row, &has_row);
    if (status == STATUS_OK && has_floor && has_row && differ(&floor.checkpoint, &row.checkpoint))
        status = STATUS_CORRUPT;
    if (status == STATUS_OK && !has_floor && !has_row)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        const bool take_floor = has_floor && (!has_row || floor.checkpoint.size >= row.checkpoint.size);
        *ret = take_floor ? floor : row;
        *(take_floor ? &floor : &row) = (struct witnessed){.time = 0};
    }
    witnessed_free(&floor);
    witnessed_free(&row);
    note_key_free(&log);
    return status;
}

enum status witnessed_keep(struct agent *agent, const char *vkey, struct byte_view note,
                           const struct checkpoint *checkpoint, int64_t now)
{
    enum status status = keep_floor(agent, vkey, now, note);

    CRASH_POINT("witnessed.floor");
    if (status == STATUS_OK)
        status = keep_row(agent, vkey, checkpoint->size, now, note); /* commits by itself */
    CRASH_POINT("witnessed.kept");
    return status;
}

/* ---- forks ---- */

static enum status count_forks(struct agent *agent, const char *vkey, int64_t *ret_count)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT count(*) FROM log_fork WHERE log = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, vkey);
    status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    *ret_count = row ? db_column_int64(statement, 0) : 0;
    db_reset(statement);
    return STATUS_OK;
}

enum status witnessed_fork(struct agent *agent, const char *vkey, int64_t now, const char *text,
                           struct byte_view held, struct byte_view shown)
{
    struct db_statement *statement = NULL;
    int64_t count = 0;
    enum status status = count_forks(agent, vkey, &count);

    if (status != STATUS_OK || count >= WITNESSED_FORKS_MAX)
        return status;
    status = db_statement(
        agent->db, "INSERT OR IGNORE INTO log_fork (log, found, text, held, shown) VALUES (?, ?, ?, ?, ?)",
        &statement);
    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, vkey);
    db_bind_int64(statement, 2, now);
    db_bind_text(statement, 3, text);
    db_bind_blob(statement, 4, held);
    db_bind_blob(statement, 5, shown);
    return db_run(statement);
}

enum status witnessed_next_fork(struct agent *agent, int64_t *cursor, char ret_text[static 512])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT id, text FROM log_fork WHERE id > ? ORDER BY id LIMIT 1", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, *cursor);
    status = db_step(statement, &row);
    if (status != STATUS_OK || !row)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    *cursor = db_column_int64(statement, 0);
    (void)snprintf(ret_text, 512, "%s", db_column_text(statement, 1));
    db_reset(statement);
    return STATUS_OK;
}

enum status witnessed_forks(struct agent *agent, json_t **ret)
{
    struct db_statement *statement = NULL;
    json_t *list = json_array();
    bool row = false;
    enum status status =
        db_statement(agent->db, "SELECT found, text, held, shown FROM log_fork ORDER BY id", &statement);

    if (list == NULL)
        return STATUS_NO_MEMORY;
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        const struct byte_view held = db_column_blob(statement, 2);
        const struct byte_view shown = db_column_blob(statement, 3);
        char at[CIVIL_TIME_SIZE];

        civil_format_time(db_column_int64(statement, 0), at);
        if (json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s%, s:s%}", "at", at, "text",
                                            db_column_text(statement, 1), "held", (const char *)held.data,
                                            held.size, "shown", (const char *)shown.data, shown.size)) != 0) {
            db_reset(statement);
            status = STATUS_NO_MEMORY;
        }
    }
    if (status == STATUS_OK)
        *ret = list;
    else
        json_decref(list);
    return status;
}
