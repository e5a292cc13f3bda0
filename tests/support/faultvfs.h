#pragma once

/*
 * A SQLite file system that fails on request, to prove what happens on a full or broken disk. One per
 * process; any thread may use the files, one arms and heals. Name it in struct db_options.vfs, or let it be
 * everybody's.
 */
#define FAULTVFS_NAME "fault"

enum faultvfs_kind {
    FAULTVFS_FULL,  /* no space: nothing is written */
    FAULTVFS_SHORT, /* no space after half of the bytes were written */
    FAULTVFS_WRITE, /* writing fails */
    FAULTVFS_SYNC,  /* syncing fails */
};

/* faultvfs_register - make FAULTVFS_NAME known to SQLite; again is harmless. Fails the test if it cannot. */
void faultvfs_register(void);

/* faultvfs_everywhere - the same, and whoever names no file system gets this one. */
void faultvfs_everywhere(void);

/* faultvfs_fail - from now on let `before` operations of the kind (writes, or syncs) pass, then fail every
 * one. */
void faultvfs_fail(enum faultvfs_kind kind, unsigned before);

/* faultvfs_fail_file - the same, but only for files whose names end so ("broker.db-wal"); suffix is borrowed.
 * Other threads must not be at work on files while it is called twice without healing in between. */
void faultvfs_fail_file(const char *suffix, enum faultvfs_kind kind, unsigned before);

/* faultvfs_failed - how many operations failed so far. */
unsigned faultvfs_failed(void);

/* faultvfs_heal - fail no more. Returns how many operations failed since faultvfs_fail. */
unsigned faultvfs_heal(void);
