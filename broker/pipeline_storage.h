#pragma once

#include "broker/holding.h"
#include "broker/index.h"
#include "broker/logbook.h"
#include "broker/pipeline.h"
#include "broker/store/store.h"

/* The databases of a broker's folder, opened and checked. */
struct pipeline_storage {
    struct db *db;
    struct db *reader; /* through which the log reads back what it wrote; NULL in memory */
    struct store *store;
    struct logbook *logbook;
    struct index *index; /* NULL in memory */
};

/* pipeline_storage_open - broker.db, checkpoint.db and index.db. As pipeline_start; on failure everything is
 * closed again. */
enum status pipeline_storage_open(const struct pipeline_options *options, int64_t now,
                                  struct pipeline_storage *ret, struct pipeline_reason *ret_reason);
void pipeline_storage_close(struct pipeline_storage *storage);

/* How much the store thread has to do. */
enum pipeline_load {
    PIPELINE_BUSY,
    PIPELINE_PAUSE, /* no frame waits just now */
    PIPELINE_IDLE,  /* none has come for a while */
};

/*
 * pipeline_storage_rest - copy what is in the WAL to the database: a little in a pause, so that nobody waits
 * for long; some when idle; much in any case. What comes quickly is left until then, as much of it is deleted
 * again before. Outside transactions. Returns what base/db.h returns.
 */
enum status pipeline_storage_rest(struct pipeline_storage *storage, enum pipeline_load load, bool *forgetting,
                                  struct holding *holding);
