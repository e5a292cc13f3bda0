#pragma once

#include "certs/bundle.h"

/*
 * A member's bundles on disk: every one accepted in FOLDER/bundles/SERIAL.bundle, and the floor in
 * FOLDER/bundle.floor, which a restored database must not take back. All functions block on the disk.
 */

/* The newest bundle ever accepted here. */
struct archive_floor {
    uint64_t serial;
    uint8_t head[DIGEST_SIZE];
    uint8_t root[DIGEST_SIZE]; /* the partnership, as first confirmed by its fingerprint */
};

/* archive_floor_read - STATUS_NOT_FOUND before the first bundle, STATUS_CORRUPT, or as base/safefile.h. */
enum status archive_floor_read(const char *folder, struct archive_floor *ret);

/*
 * archive_accept - keep a bundle that bundle_verify gave and raise the floor, durably; the same bundle again
 * changes nothing.
 *
 * Returns STATUS_ROLLBACK below the floor, STATUS_FORKED for the floor's serial with another head,
 * STATUS_BAD_CERTIFICATE for another root than the floor's, or as base/safefile.h; ret_reason may be NULL.
 */
enum status archive_accept(const char *folder, const struct bundle *bundle, struct bundle_reason *ret_reason);

/*
 * archive_newest - the bundle at the floor, also when it has expired meanwhile; freed with bundle_free.
 *
 * Returns STATUS_NOT_FOUND before the first one, STATUS_CORRUPT when the file is missing, damaged or not the
 * one that the floor names, or as base/safefile.h; ret_reason may be NULL.
 */
enum status archive_newest(const char *folder, struct bundle **ret, struct bundle_reason *ret_reason);

/* archive_get - an older one by its serial, to judge an old signature. STATUS_NOT_FOUND when it
 * never came here; otherwise errors as for archive_newest. */
enum status archive_get(const char *folder, uint64_t serial, struct bundle **ret,
                        struct bundle_reason *ret_reason);
