#pragma once

#include "base/status.h"

/*
 * feed_install - the feeds that a member of a class starts with: release-extract for a prison, ppo-list for
 * police, none for others. Folders are made and mapping files written; a mapping file that is there stays as
 * it is. Statuses are those of base/safefile.h.
 */
enum status feed_install(const char *folder, const char *member);

/* feed_install_text - the mapping file as shipped, of a feed by its name; NULL if there is none. */
const char *feed_install_text(const char *name);
