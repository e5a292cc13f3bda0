#pragma once

#include "base/db.h"

/*
 * What layout a database file has, and how an older one becomes today's. For db_open alone: nobody else
 * includes this. Functions return what base/db.h returns.
 */

/* db_layout_claim - look whose file it is before anything is written to it; make its tables if it is new, and
 * go through the changes if it is older. STATUS_MISMATCH, STATUS_UNSUPPORTED or STATUS_NEWER as db_open says.
 */
enum status db_layout_claim(struct db *db, const struct db_options *options);

/* db_layout_pragma - set one to a number. */
enum status db_layout_pragma(struct db *db, const char *name, long value);
