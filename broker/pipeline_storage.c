#include "broker/pipeline_storage.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/db.h"
#include "broker/layout.h"
#include "broker/store/store_sqlite.h"

#define CACHE_KIB    8192
#define READER_KIB   512   /* what it reads back it reads once */
#define WAL_LITTLE   256   /* pages: 1 MB, copied in a millisecond or two */
#define WAL_SOME     1500  /* 6 MB */
#define WAL_MUCH     16000 /* 64 MB */
#define SCHEMA_LIMIT ((size_t)64 << 10)

static bool make_path(char out[static PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    return size > 0 && size < PATH_MAX;
}

static enum status fail(struct pipeline_reason *reason, enum status status, const char *what,
                        const char *detail)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s: %s%s%s", what, status_text(status),
                   detail[0] == '\0' ? "" : ": ", detail);
    return status;
}

static enum status open_database(const struct pipeline_options *options, const char *path,
                                 struct pipeline_storage *storage, struct pipeline_reason *ret_reason)
{
    struct byte_buffer schema = bytes_buffer(SCHEMA_LIMIT);
    struct db_options db = layout_options(&schema);
    enum status status;

    if (schema.status != STATUS_OK) {
        bytes_buffer_free(&schema);
        return fail(ret_reason, STATUS_NO_MEMORY, path, "");
    }
    db.memory = options->memory;
    db.cache_kib = CACHE_KIB;
    status = db_open(path, &db, &storage->db);
    db.read_only = true;
    db.cache_kib = READER_KIB;
    if (status == STATUS_OK && !options->memory)
        status = db_open(path, &db, &storage->reader);
    bytes_buffer_free(&schema);
    if (status != STATUS_OK)
        return fail(ret_reason, status, path, "");
    status = store_sqlite_new(storage->db, &storage->store);
    return status == STATUS_OK ? status : fail(ret_reason, status, path, "");
}

static enum status is_set(struct pipeline_storage *storage, const char *name, bool *ret)
{
    struct byte_view value;
    enum status status = store_get_state(storage->store, name, &value);

    *ret = status == STATUS_OK && value.size > 0;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The whole log was read and is right: that is not asked for again. */
static enum status note_replayed(struct pipeline_storage *storage)
{
    enum status status = store_begin(storage->store);

    if (status != STATUS_OK)
        return status;
    status = store_put_state(storage->store, LAYOUT_REPLAY, bytes_view(NULL, 0));
    if (status == STATUS_OK)
        return store_commit(storage->store);
    store_rollback(storage->store);
    return status;
}

static enum status open_log(const struct pipeline_options *options, int64_t now, const char *path,
                            struct pipeline_storage *storage, struct pipeline_reason *ret_reason)
{
    struct logbook_options log = {.checkpoint_path = path,
                                  .key = keystore_log(options->keystore),
                                  .origin = keystore_log_name(options->keystore),
                                  .random = random_system(),
                                  .reader = storage->reader};
    struct logbook_reason reason = {{0}};
    enum status status;

    if (log.key == NULL || log.origin == NULL)
        return fail(ret_reason, STATUS_NOT_FOUND, "the key of the log", "");
    status = is_set(storage, LAYOUT_REPLAY, &log.replay);
    if (status == STATUS_OK)
        status = is_set(storage, LAYOUT_NEW_LOG, &log.fresh);
    if (status != STATUS_OK)
        return fail(ret_reason, status, "broker.db", store_error(storage->store));
    status = logbook_open(storage->db, &log, now, &storage->logbook, &reason);
    if (status != STATUS_OK)
        return fail(ret_reason, status, "the log", reason.text);
    status = log.replay ? note_replayed(storage) : STATUS_OK;
    return status == STATUS_OK ? status : fail(ret_reason, status, "broker.db", store_error(storage->store));
}

enum status pipeline_storage_open(const struct pipeline_options *options, int64_t now,
                                  struct pipeline_storage *ret, struct pipeline_reason *ret_reason)
{
    struct pipeline_storage storage = {0};
    char database[PATH_MAX];
    char checkpoints[PATH_MAX];
    char search[PATH_MAX];
    struct index_options index = {.path = search, .store_path = database};
    enum status status;

    if (!make_path(database, options->folder, "broker.db") ||
        !make_path(checkpoints, options->folder, "checkpoint.db") ||
        !make_path(search, options->folder, "index.db"))
        return fail(ret_reason, STATUS_TOO_LARGE, "the folder's path", "");
    status = open_database(options, database, &storage, ret_reason);
    if (status == STATUS_OK)
        status = open_log(options, now, checkpoints, &storage, ret_reason);
    if (status == STATUS_OK && !options->memory) {
        status = index_open(&index, &storage.index);
        if (status != STATUS_OK)
            (void)fail(ret_reason, status, search, "");
    }
    if (status != STATUS_OK) {
        pipeline_storage_close(&storage);
        return status;
    }
    *ret = storage;
    return STATUS_OK;
}

void pipeline_storage_close(struct pipeline_storage *storage)
{
    index_close(&storage->index);
    logbook_close(&storage->logbook);
    store_close(&storage->store);
    if (storage->reader != NULL)
        db_close(&storage->reader);
    if (storage->db != NULL)
        db_close(&storage->db);
}

static bool is_due(int64_t pages, enum pipeline_load load)
{
    switch (load) {
    case PIPELINE_PAUSE:
        return (pages >= WAL_LITTLE && pages < WAL_SOME) || pages >= WAL_MUCH;
    case PIPELINE_IDLE:
        return pages >= WAL_LITTLE;
    case PIPELINE_BUSY:
        break;
    }
    return pages >= WAL_MUCH;
}

enum status pipeline_storage_rest(struct pipeline_storage *storage, enum pipeline_load load, bool *forgetting,
                                  struct holding *holding)
{
    const bool wanted = holding->number != 0;
    enum status status;

    if (wanted && holding->still)
        return STATUS_OK;

    if (!wanted && !*forgetting && !is_due(db_wal_pages(storage->db), load))
        return STATUS_OK;
    status = db_checkpoint(storage->db, wanted || *forgetting);
    if (status == STATUS_OK)
        *forgetting = false;
    if (status == STATUS_OK && wanted)
        holding->still = true;
    return status == STATUS_BUSY || status == STATUS_NO_SPACE ? STATUS_OK : status;
}
