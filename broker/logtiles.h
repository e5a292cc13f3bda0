#pragma once

#include "base/db.h"
#include "proto/tile.h"

/*
 * The log's tiles and rows in the store's database. Table tile holds full tiles of level 0, and of the higher
 * levels also the one being filled, as far as it goes; the last, partial tile of level 0 is hashed from the
 * rows. Functions return what base/db.h returns, and STATUS_CORRUPT for data that cannot be; they block on
 * the disk.
 */

/* Called for each row; views are borrowed during the call. An error ends the reading and is returned. */
typedef enum status logtiles_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                 struct byte_view personal);

/* logtiles_source - tiles of the tree in db, as proto/tile.h wants them; db is borrowed. */
struct tile_source logtiles_source(struct db *db);

/* logtiles_write - a full tile, or a partial one above level 0, replacing what was there. */
enum status logtiles_write(struct db *db, const struct tile_id *id, const struct digest *hashes);

/* logtiles_stored - the first id->width hashes of a stored tile; STATUS_CORRUPT if it is not there or
 * shorter. */
enum status logtiles_stored(struct db *db, const struct tile_id *id, struct digest *ret_hashes);

/* logtiles_rows - the rows from the one that holds entry `first` on, one after the other without a gap, until
 * entry end
 * - 1 is among them. STATUS_CORRUPT for a gap or if they end before. */
enum status logtiles_rows(struct db *db, uint64_t first, uint64_t end, logtiles_row *row, void *context);

/* logtiles_leaves - leaf hashes of count entries from `first` on, from the rows. */
enum status logtiles_leaves(struct db *db, uint64_t first, size_t count, struct digest *ret_leaves);

/* logtiles_end - entries up to the end of the last row; 0 without rows. */
enum status logtiles_end(struct db *db, uint64_t *ret_end);
