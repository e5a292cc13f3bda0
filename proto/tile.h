#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/digest.h"

/*
 * The tiles of a log, as C2SP tlog-tiles lays them out: tile n of level l holds the roots of the complete
 * subtrees of 256^l leaves from 256n to 256n + 255, and a partial tile is the prefix of what will be the full
 * one. An entry bundle holds the entries under a tile of level 0. Nothing here does I/O.
 */

#define TILE_WIDTH      256
#define TILE_LEVELS     8  /* levels 0 to 7 hold every tree of fewer than 2^64 leaves */
#define TILE_PATH_SIZE  64 /* a path and its terminating zero */
#define TILE_ENTRY_MAX  UINT16_MAX
#define TILE_BUNDLE_MAX ((size_t)TILE_WIDTH * (2 + TILE_ENTRY_MAX)) /* bytes of a bundle, at most */

struct tile_id {
    bool entries;   /* an entry bundle; then level is 0 */
    uint8_t level;  /* 0 to TILE_LEVELS - 1 */
    uint16_t width; /* hashes or entries, 1 to TILE_WIDTH; a full tile has TILE_WIDTH */
    uint64_t n;     /* index within the level */
};

/* Where the root of a complete subtree is found: as the root over hashes first to first + count - 1 of a
 * tile. */
struct tile_place {
    uint8_t level;
    uint64_t n;
    size_t first;
    size_t count; /* a power of two, at most TILE_WIDTH / 2 */
};

/*
 * Where tiles are read from: a database, a folder, a server. read writes the first width hashes of a tile,
 * where width is what tile_width says for the tree's size; a source may take them from a wider tile. It
 * returns STATUS_OK, and then has written all of them, or an error, which is passed on. Hashes are not
 * believed: callers compare roots.
 */
struct tile_source {
    enum status (*read)(void *context, const struct tile_id *id, struct digest *ret_hashes);
    void *context;
};

/*
 * Where tiles are written to. write borrows hashes, id->width of them. An error makes the writer fail for
 * good, as a log whose persisting failed must be verified before it goes on.
 */
struct tile_sink {
    enum status (*write)(void *context, const struct tile_id *id, const struct digest *hashes);
    void *context;
};

/* tile_width - hashes in tile n of a level in a tree of that size: 0 (there is no such tile) to TILE_WIDTH.
 */
uint16_t tile_width(uint8_t level, uint64_t n, uint64_t size);

/* tile_place - of the complete subtree of 2^height leaves (height below 64) that starts at leaf index <<
 * height. */
struct tile_place tile_place(unsigned height, uint64_t index);

/* tile_path - "tile/<L>/<N>[.p/<W>]" or "tile/entries/<N>[.p/<W>]". A bad id is a bug and asserted. */
void tile_path(const struct tile_id *id, char out[static TILE_PATH_SIZE]);

/*
 * tile_parse_path - exactly what tile_path writes. STATUS_BAD_FORMAT for anything else, so also for another
 * spelling of the same number, and for a tile that no tree of fewer than 2^64 leaves has.
 */
enum status tile_parse_path(struct byte_view path, struct tile_id *ret_id);

/*
 * tile_append_entry - adds an entry to a bundle: uint16 length ‖ entry.
 * Returns STATUS_TOO_LARGE for more than TILE_ENTRY_MAX bytes or past the buffer's limit, or
 * STATUS_NO_MEMORY.
 */
enum status tile_append_entry(struct byte_buffer *bundle, struct byte_view entry);

/*
 * tile_parse_bundle - the entries of a bundle that must hold width of them (1 to TILE_WIDTH, asserted) and
 * nothing else; ret_entries borrow its bytes. Returns STATUS_BAD_FORMAT.
 */
enum status tile_parse_bundle(struct byte_view bundle, size_t width,
                              struct byte_view ret_entries[static TILE_WIDTH]);
