#pragma once

#include "broker/backup_file.h"
#include "broker/backup_manifest.h"

/*
 * Reading a backup into a broker's folder. Everything is read through once before anything is written, so
 * that a backup which is damaged, cut off or for another key changes nothing. All functions block on the
 * disk.
 */

/* Why, in one sentence for people. */
struct restoring_reason {
    char text[512];
};

struct restoring {
    const char *path; /* of the backup */
    const char *folder;
    const struct x25519_private *key;
    struct backup_manifest manifest; /* once it was read; freed by the caller */
};

/* restoring_check - read all of it and fill in the manifest. As backup_reader_start and backup_reader_next,
 * with ret_reason; STATUS_OK only when it is whole. */
enum status restoring_check(struct restoring *restoring, struct restoring_reason *ret_reason);

/*
 * restoring_write - put its files into the folder: broker.db (and its write-ahead log, if the broker was
 * stopped) as names that end in ".restored", and bundles and broker.json unless they are there.
 * restoring_check came before.
 */
enum status restoring_write(const struct restoring *restoring, struct restoring_reason *ret_reason);
