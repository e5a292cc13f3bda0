#pragma once

#include "base/bytes.h"
#include "proto/member.h"

/*
 * What a backup says of itself: the first file in it, JSON.
 *
 *   {"format":1,"member":ID,"made":TIME,"entries":N,"checkpoint":NOTE}
 *
 * entries: of the log, those of the note or more; checkpoint: the signed note, or "" for a log without one.
 */
#define BACKUP_MANIFEST_NAME    "manifest.json"
#define BACKUP_MANIFEST_LARGEST ((size_t)64 << 10)
#define BACKUP_MANIFEST_LIFE_MS (INT64_C(30) * 86400000) /* a backup older than that should be no more */

struct backup_manifest {
    char member[MEMBER_ID_LENGTH + 1];
    int64_t made;
    uint64_t entries;
    struct byte_buffer checkpoint; /* freed by whoever filled it */
};

struct backup_manifest backup_manifest_new(void);

/* backup_manifest_format - appends it. STATUS_NO_MEMORY or STATUS_TOO_LARGE. */
enum status backup_manifest_format(const struct backup_manifest *manifest, struct byte_buffer *out);

/* backup_manifest_parse - STATUS_BAD_FORMAT, STATUS_NEWER for a later one; ret is a new one. */
enum status backup_manifest_parse(struct byte_view text, struct backup_manifest *ret);

/* backup_manifest_is_bundle - whether that is the name of a bundle in the archive: SERIAL.bundle. */
bool backup_manifest_is_bundle(const char *name);
