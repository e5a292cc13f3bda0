#pragma once

/*
 * A SQLite file system that fails on request, to prove what happens on a full or broken disk. One per
 * process; for use by one thread. Name it in struct db_options.vfs.
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

/* faultvfs_fail - from now on let `before` operations of the kind (writes, or syncs) pass, then fail every
 * one. */
void faultvfs_fail(enum faultvfs_kind kind, unsigned before);

/* faultvfs_heal - fail no more. Returns how many operations failed since faultvfs_fail. */
unsigned faultvfs_heal(void);
