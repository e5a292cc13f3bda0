#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

/*
 * Files that are read with a bound and written whole or not at all, and folders that one process holds.
 *
 * Every function may also return what safefile_status makes of errno. All block on the disk; none logs.
 */

/* A folder that this process holds; see safefile_lock. */
struct folder_lock;

/*
 * safefile_status - the status for an errno: NOT_FOUND, EXISTS, NO_SPACE (disk, quota or file size limit),
 * PERMISSION (also a read-only file system and a symbolic link that is not followed), BAD_ARGUMENT (a name
 * that cannot be), NOT_A_FOLDER, NO_MEMORY, otherwise IO.
 */
enum status safefile_status(int error);

/*
 * safefile_find - the absolute name of a regular file, for a process that has another working folder.
 * ret_path holds PATH_MAX bytes. STATUS_NOT_FOUND or STATUS_NOT_A_FILE.
 */
enum status safefile_find(const char *path, char *ret_path);

/*
 * safefile_read - the whole of a regular file; symbolic links are followed.
 *
 * limit     the most bytes that are accepted
 * ret       overwritten on STATUS_OK, the caller frees it with bytes_buffer_free; must hold nothing before
 *
 * Returns STATUS_TOO_LARGE, or STATUS_NOT_A_FILE when it is not a regular file (a FIFO is not waited for).
 */
enum status safefile_read(const char *path, size_t limit, struct byte_buffer *ret);

/* safefile_read_nofollow - the same; STATUS_PERMISSION when the last part of path is a symbolic link. */
enum status safefile_read_nofollow(const char *path, size_t limit, struct byte_buffer *ret);

/*
 * safefile_read_secret - as safefile_read_nofollow, for keys: STATUS_PERMISSION unless the file is ours (the
 * effective user) and nobody else may read, write or execute it. The caller frees with bytes_buffer_wipe; no
 * copy stays behind.
 */
enum status safefile_read_secret(const char *path, size_t limit, struct byte_buffer *ret);

/*
 * safefile_write - put content at path with exactly this mode, replacing what is there, atomically and
 * durably.
 *
 * After a failure path holds what it held before, and no temporary file is left; only when the folder could
 * not be synced afterwards (STATUS_IO) is the new content already in place.
 */
enum status safefile_write(const char *path, struct byte_view content, mode_t mode);

/* safefile_create - the same, but STATUS_EXISTS when path is taken: never replaces anything, whatever races
 * it. */
enum status safefile_create(const char *path, struct byte_view content, mode_t mode);

/* safefile_make_folder - one folder with exactly this mode, durably. STATUS_EXISTS when the name is taken. */
enum status safefile_make_folder(const char *path, mode_t mode);

/* safefile_sync_folder - make names that were created, renamed or removed in the folder durable. */
enum status safefile_sync_folder(const char *folder);

/* safefile_free_space - bytes that an unprivileged process may still write on path's file system. */
enum status safefile_free_space(const char *path, uint64_t *ret_bytes);

/*
 * safefile_lock - hold the folder until safefile_unlock or the end of the process, however it ends.
 *
 * The lock is flock(2) on folder/lock, which holds our process id as text for people and is never removed.
 * Never waits. Returns STATUS_IN_USE when somebody, this process included, holds it. Children do not inherit
 * it over exec.
 */
enum status safefile_lock(const char *folder, struct folder_lock **ret_lock);

/* safefile_lock_holder - the process id written in folder/lock, for messages only. STATUS_NOT_FOUND if none.
 */
enum status safefile_lock_holder(const char *folder, int64_t *ret_pid);

void safefile_unlock(struct folder_lock **lock);
