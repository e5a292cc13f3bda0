#include "broker/logcheck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/logtiles.h"
#include "proto/merkle.h"

enum status logcheck_why(struct logbook_reason *reason, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status logcheck_failed(struct logbook_reason *reason, enum status status, const struct db *db,
                            const char *doing)
{
    if (reason->text[0] != '\0')
        return status; /* said already, and better */
    return logcheck_why(reason, status, "%s failed: %s; %s", doing, status_text(status), db_error_text(db));
}

enum status logcheck_read_head(struct db *db, struct logcheck_head *ret_head, struct logbook_reason *reason)
{
    struct db_statement *statement = NULL;
    bool row = false;
    struct logcheck_head head = {.size = 0, .root = merkle_empty_root()};
    enum status status = db_statement(db, "SELECT state FROM head WHERE id = 1", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return logcheck_failed(reason, status, db, "reading the log's head");
    if (row) {
        struct byte_view state = db_column_blob(statement, 0);
        if (state.size == LOGROW_HEAD_SIZE) {
            head.size = bytes_get_u64(state.data);
            memcpy(head.root.bytes, state.data + 8, DIGEST_SIZE);
        }
        if (state.size != LOGROW_HEAD_SIZE || head.size > INT64_MAX)
            status = logcheck_why(reason, STATUS_CORRUPT, "the log's head is damaged");
        db_reset(statement);
    }
    if (status == STATUS_OK)
        *ret_head = head;
    return status;
}

/* ---- the end of the log ---- */

struct last_row {
    uint64_t size; /* the log's */
    struct logbook_reason *reason;
};

static enum status check_last_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                  struct byte_view personal)
{
    struct last_row *last = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    uint64_t i = 0;
    enum status status = STATUS_OK;

    for (; i < n && status == STATUS_OK; i++) {
        status = logrow_next(&row, &record);
        if (status == STATUS_OK)
            status = logrow_verify(&row, &record);
        if (status != STATUS_OK)
            return logcheck_why(last->reason, STATUS_CORRUPT,
                                "entry %" PRIu64 " of the log does not match its record: %s", first + i,
                                status_text(status));
    }
    if (logrow_next(&row, &record) != STATUS_NOT_FOUND || first + n != last->size)
        return logcheck_why(last->reason, STATUS_CORRUPT,
                            "the log's last row, at entry %" PRIu64 ", is damaged", first);
    return STATUS_OK;
}

/* The last tile of level 0, if it is full, was stored; its entries stand in the rows. */
static enum status check_last_tile(struct db *db, uint64_t size, struct logbook_reason *reason)
{
    struct tile_id id = {.n = (size - 1) / TILE_WIDTH, .width = TILE_WIDTH};
    struct digest stored[TILE_WIDTH];
    struct digest hashed[TILE_WIDTH];

    if (size % TILE_WIDTH != 0)
        return STATUS_OK; /* hashed from the rows anyway */
    enum status status = logtiles_stored(db, &id, stored);
    if (status == STATUS_OK)
        status = logtiles_leaves(db, id.n * TILE_WIDTH, TILE_WIDTH, hashed);
    if (status == STATUS_OK && memcmp(stored, hashed, sizeof stored) != 0)
        status = STATUS_CORRUPT;
    if (status == STATUS_CORRUPT)
        return logcheck_why(reason, status,
                            "the log's last tile does not match the entries %" PRIu64 " to %" PRIu64,
                            id.n * TILE_WIDTH, size - 1);
    return status == STATUS_OK ? status : logcheck_failed(reason, status, db, "reading the log's last tile");
}

enum status logcheck_end(struct db *db, const struct logcheck_head *head, struct logbook_reason *reason)
{
    struct last_row last = {.size = head->size, .reason = reason};
    uint64_t end = 0;
    enum status status = logtiles_end(db, &end);

    if (status == STATUS_OK && end != head->size)
        return logcheck_why(reason, STATUS_CORRUPT,
                            "the log's head says %" PRIu64 " entries, but its rows end after %" PRIu64,
                            head->size, end);
    if (status == STATUS_OK && end > 0)
        status = logtiles_rows(db, end - 1, end, check_last_row, &last);
    if (status == STATUS_OK && end > 0)
        status = check_last_tile(db, end, reason);
    return status == STATUS_OK ? status : logcheck_failed(reason, status, db, "reading the log's last rows");
}

enum status logcheck_edge(struct db *db, uint64_t size, const struct digest *root, const char *what,
                          struct tile_writer **ret, struct logbook_reason *reason)
{
    struct tile_source source = logtiles_source(db);
    struct tile_writer *writer = NULL;
    enum status status = tile_writer_new(&source, size, &writer);

    if (status != STATUS_OK)
        return logcheck_failed(reason, status, db, "reading the log's tiles");
    struct digest found = tile_writer_root(writer);
    if (memcmp(&found, root, sizeof found) != 0) {
        tile_writer_free(&writer);
        return logcheck_why(reason, STATUS_CORRUPT,
                            "the log's first %" PRIu64 " entries no longer give the root that %s; "
                            "run concordat-audit verify to see where",
                            size, what);
    }
    *ret = writer;
    return STATUS_OK;
}

/* ---- before a signature ---- */

struct read_back {
    struct db *db;
    struct tile_writer *checked;
    bool records; /* and the records match the entries */
    struct logbook_reason *reason;
};

/* Stands for the table when the hashes that were read back are appended: what is stored must be just that. */
static enum status compare_tile(void *context, const struct tile_id *id, const struct digest *hashes)
{
    struct read_back *back = context;
    struct digest stored[TILE_WIDTH];
    char path[TILE_PATH_SIZE];

    if (id->level == 0 && id->width < TILE_WIDTH)
        return STATUS_OK; /* not stored */
    enum status status = logtiles_stored(back->db, id, stored);
    if (status == STATUS_OK && memcmp(stored, hashes, id->width * sizeof *hashes) != 0)
        status = STATUS_CORRUPT;
    if (status == STATUS_CORRUPT) {
        tile_path(id, path);
        return logcheck_why(back->reason, status, "%s does not match the entries below it", path);
    }
    return status;
}

static enum status check_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                             struct byte_view personal)
{
    struct read_back *back = context;
    const struct tile_sink sink = {.write = compare_tile, .context = back};
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    enum status status = first == tile_writer_size(back->checked) ? STATUS_OK : STATUS_CORRUPT;

    for (uint64_t i = 0; i < n && status == STATUS_OK; i++) {
        status = logrow_next(&row, &record) == STATUS_OK ? STATUS_OK : STATUS_CORRUPT;
        if (status == STATUS_OK && back->records && logrow_verify(&row, &record) != STATUS_OK)
            return logcheck_why(back->reason, STATUS_CORRUPT,
                                "entry %" PRIu64 " of the log does not match its record", first + i);
        if (status == STATUS_OK) {
            struct digest leaf = merkle_leaf(bytes_view(record.entry, RECORD_ENTRY_SIZE));
            status = tile_writer_append(back->checked, &sink, &leaf, 1);
        }
    }
    if (status == STATUS_OK && logrow_next(&row, &record) != STATUS_NOT_FOUND)
        status = STATUS_CORRUPT;
    if (status == STATUS_CORRUPT && back->reason->text[0] == '\0')
        return logcheck_why(back->reason, status, "the log's row at entry %" PRIu64 " is damaged", first);
    return status;
}

static enum status read_rows(struct read_back *back, uint64_t end)
{
    struct db *db = back->db;
    struct tile_writer *checked = back->checked;
    struct logbook_reason *reason = back->reason;
    const struct tile_sink sink = {.write = compare_tile, .context = back};
    enum status status = logtiles_rows(db, tile_writer_size(checked), end, check_row, back);

    if (status == STATUS_OK && tile_writer_size(checked) != end)
        status = logcheck_why(reason, STATUS_CORRUPT, "the log's rows do not end at entry %" PRIu64, end);
    if (status == STATUS_OK)
        status = tile_writer_flush(checked, &sink);
    return status == STATUS_OK ? status : logcheck_failed(reason, status, db, "reading the log back");
}

enum status logcheck_read_back(struct db *db, struct tile_writer *checked, uint64_t end,
                               struct logbook_reason *reason)
{
    struct read_back back = {.db = db, .checked = checked, .reason = reason};

    return read_rows(&back, end);
}

static enum status replay_to(struct read_back *back, uint64_t size, const struct digest *root,
                             const char *what)
{
    enum status status = read_rows(back, size);

    if (status != STATUS_OK)
        return status;
    struct digest found = tile_writer_root(back->checked);
    if (memcmp(&found, root, sizeof found) == 0)
        return STATUS_OK;
    return logcheck_why(back->reason, STATUS_CORRUPT,
                        "the log's first %" PRIu64 " entries, all read again, do not give the root that %s",
                        size, what);
}

enum status logcheck_replay(struct db *db, uint64_t size, const struct digest *root,
                            const struct logcheck_head *head, struct logbook_reason *reason)
{
    struct tile_source source = logtiles_source(db);
    struct read_back back = {.db = db, .records = true, .reason = reason};
    enum status status = tile_writer_new(&source, 0, &back.checked);

    if (status != STATUS_OK)
        return logcheck_failed(reason, status, db, "replaying the log");
    status = replay_to(&back, size, root, "was signed");
    if (status == STATUS_OK)
        status = replay_to(&back, head->size, &head->root, "was saved with them");
    tile_writer_free(&back.checked);
    return status;
}
