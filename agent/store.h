#pragma once

#include "base/db.h"

/*
 * agent.db: one database for outbox, inbox, people and feeds, so that what belongs together commits together.
 * Nothing personal stands in it in clear (agent/vault.h).
 */

#define STORE_APPLICATION 0x434f4e41 /* "CONA" */
#define STORE_VERSION     6          /* layout: one more than there are changes in store.c */
#define STORE_CACHE_KIB   512

/*
 * store_open - open or create the database at path; NULL for one in memory (tests). A new one gets every
 * module's tables, an older one goes through the changes that it lacks.
 *
 * ret_db is closed with db_close. Returns what db_open() does, or STATUS_NO_MEMORY.
 */
enum status store_open(const char *path, struct db **ret_db);
