#include "base/safefile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME             "lock"
#define TEMPORARY_TRIES       16
#define SECRET_FORBIDDEN_BITS 077

struct folder_lock {
    int fd;
};

/* Where a path's last part lives: a folder held open, so that a folder moved meanwhile changes nothing. */
struct place {
    int folder;
    char *name; /* owned */
};

enum status safefile_status(int error)
{
    switch (error) {
    case ENOENT:
        return STATUS_NOT_FOUND;
    case ENOTDIR:
        return STATUS_NOT_A_FOLDER;
    case EEXIST:
        return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return STATUS_PERMISSION;
    case ENAMETOOLONG:
    case EINVAL:
    case EISDIR:
        return STATUS_BAD_ARGUMENT;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

enum status safefile_find(const char *path, char *ret_path)
{
    char full[PATH_MAX];
    struct stat found;

    if (realpath(path, full) == NULL || stat(full, &found) != 0)
        return safefile_status(errno);
    if (!S_ISREG(found.st_mode))
        return STATUS_NOT_A_FILE;
    memcpy(ret_path, full, strlen(full) + 1);
    return STATUS_OK;
}

static int open_retry(int folder, const char *path, int flags, mode_t mode)
{
    int fd;

    do
        fd = openat(folder, path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* Not retried: after EINTR Linux has released the descriptor. Keeps errno. */
static void close_quietly(int fd)
{
    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = error;
}

static enum status sync_fd(int fd)
{
    int result;

    do
        result = fsync(fd);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : safefile_status(errno);
}

static enum status append_all(int fd, struct byte_buffer *content)
{
    uint8_t chunk[16384];
    enum status status = STATUS_OK;

    while (status == STATUS_OK) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            break;
        if (got > 0) {
            bytes_append(content, chunk, (size_t)got);
            status = content->status;
        } else if (errno != EINTR) {
            status = safefile_status(errno);
        }
    }
    bytes_wipe(chunk, sizeof chunk);
    return status;
}

static enum status check_readable(int fd, size_t limit, bool secret)
{
    struct stat found;

    if (fstat(fd, &found) != 0)
        return safefile_status(errno);
    if (!S_ISREG(found.st_mode))
        return STATUS_NOT_A_FILE;
    if (secret && ((found.st_mode & SECRET_FORBIDDEN_BITS) != 0 || found.st_uid != geteuid()))
        return STATUS_PERMISSION;
    if ((uintmax_t)found.st_size > limit)
        return STATUS_TOO_LARGE;
    return STATUS_OK;
}

static enum status read_file(const char *path, size_t limit, int flags, bool secret, struct byte_buffer *ret)
{
    struct byte_buffer content = bytes_buffer(limit);
    enum status status;

    /* O_NONBLOCK: a FIFO must not hold us up before we have seen that it is one. */
    int fd = open_retry(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags, 0);
    if (fd < 0)
        return safefile_status(errno);
    status = check_readable(fd, limit, secret);
    if (status == STATUS_OK)
        status = append_all(fd, &content);
    close_quietly(fd);
    if (status == STATUS_OK)
        *ret = content;
    else
        bytes_buffer_wipe(&content);
    return status;
}

enum status safefile_read(const char *path, size_t limit, struct byte_buffer *ret)
{
    return read_file(path, limit, 0, false, ret);
}

enum status safefile_read_nofollow(const char *path, size_t limit, struct byte_buffer *ret)
{
    return read_file(path, limit, O_NOFOLLOW, false, ret);
}

enum status safefile_read_secret(const char *path, size_t limit, struct byte_buffer *ret)
{
    return read_file(path, limit, O_NOFOLLOW, true, ret);
}

static void leave_place(struct place *place)
{
    close_quietly(place->folder);
    free(place->name);
    *place = (struct place){.folder = -1};
}

static enum status find_place(const char *path, struct place *ret_place)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    struct place place = {.folder = -1};
    enum status status = STATUS_NO_MEMORY;
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

    place.name = strdup(name);
    if (folder == NULL || place.name == NULL)
        goto out;
    status = STATUS_BAD_ARGUMENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        goto out;
    place.folder = open_retry(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    status = place.folder < 0 ? safefile_status(errno) : STATUS_OK;
out:
    free(folder);
    if (status == STATUS_OK)
        *ret_place = place;
    else
        leave_place(&place);
    return status;
}

static enum status write_all(int fd, struct byte_view content)
{
    while (content.size > 0) {
        ssize_t put = write(fd, content.data, content.size);
        if (put > 0) {
            content.data += put;
            content.size -= (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            return put == 0 ? STATUS_IO : safefile_status(errno);
        }
    }
    return STATUS_OK;
}

/* Opens a new file whose name nobody else can have guessed or made. Its name has at most 20 characters. */
static enum status open_temporary(int folder, char name[static 24], int *ret_fd)
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        uint8_t random[6];
        char text[2 * sizeof random + 1];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return STATUS_IO;
        bytes_to_hex(random, sizeof random, text);
        snprintf(name, 24, ".new-%s", text);
        int fd = open_retry(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            *ret_fd = fd;
            return STATUS_OK;
        }
        if (errno != EEXIST)
            return safefile_status(errno);
    }
    return STATUS_EXISTS;
}

static enum status fill_temporary(int fd, struct byte_view content, mode_t mode)
{
    enum status status = write_all(fd, content);

    if (status == STATUS_OK && fchmod(fd, mode) != 0)
        status = safefile_status(errno);
    if (status == STATUS_OK)
        status = sync_fd(fd);
    return status;
}

/* Gives the temporary file its name. Afterwards the temporary name is gone, or is left for the caller to
 * remove. */
static enum status name_temporary(const struct place *place, const char *temporary, bool replace)
{
    if (replace) {
        if (renameat(place->folder, temporary, place->folder, place->name) != 0)
            return safefile_status(errno);
        return STATUS_OK;
    }
    if (linkat(place->folder, temporary, place->folder, place->name, 0) != 0)
        return safefile_status(errno);
    (void)unlinkat(place->folder, temporary, 0);
    return STATUS_OK;
}

static enum status put_file(const char *path, struct byte_view content, mode_t mode, bool replace)
{
    struct place place = {.folder = -1};
    char temporary[24] = "";
    int fd = -1;
    enum status status = find_place(path, &place);

    if (status != STATUS_OK)
        return status;
    status = open_temporary(place.folder, temporary, &fd);
    if (status != STATUS_OK)
        goto out;
    status = fill_temporary(fd, content, mode);
    /* Some file systems report a failed write only here. */
    if (close(fd) != 0 && errno != EINTR && status == STATUS_OK)
        status = safefile_status(errno);
    if (status == STATUS_OK)
        status = name_temporary(&place, temporary, replace);
    if (status != STATUS_OK) {
        (void)unlinkat(place.folder, temporary, 0);
        goto out;
    }
    status = sync_fd(place.folder);
out:
    leave_place(&place);
    return status;
}

enum status safefile_write(const char *path, struct byte_view content, mode_t mode)
{
    return put_file(path, content, mode, true);
}

enum status safefile_create(const char *path, struct byte_view content, mode_t mode)
{
    return put_file(path, content, mode, false);
}

enum status safefile_make_folder(const char *path, mode_t mode)
{
    struct place place = {.folder = -1};
    size_t size = strlen(path);
    enum status status = STATUS_NO_MEMORY;
    int made = -1;

    while (size > 1 && path[size - 1] == '/')
        size--;
    char *trimmed = strndup(path, size);
    if (trimmed != NULL)
        status = find_place(trimmed, &place);
    if (status != STATUS_OK)
        goto out;
    if (mkdirat(place.folder, place.name, 0700) != 0) {
        status = safefile_status(errno);
        goto out;
    }
    made = open_retry(place.folder, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (made < 0 || fchmod(made, mode) != 0) {
        status = safefile_status(errno);
        goto out;
    }
    status = sync_fd(place.folder);
out:
    close_quietly(made);
    leave_place(&place);
    free(trimmed);
    return status;
}

enum status safefile_sync_folder(const char *folder)
{
    int fd = open_retry(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return safefile_status(errno);
    enum status status = sync_fd(fd);
    close_quietly(fd);
    return status;
}

enum status safefile_free_space(const char *path, uint64_t *ret_bytes)
{
    struct statvfs found;
    int result;

    do
        result = statvfs(path, &found);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return safefile_status(errno);
    *ret_bytes = (uint64_t)found.f_bavail * found.f_frsize;
    return STATUS_OK;
}

static enum status open_lock(const char *folder, int flags, int *ret_fd)
{
    int at = open_retry(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);

    if (at < 0)
        return safefile_status(errno);
    int fd = open_retry(at, LOCK_NAME, flags | O_NOFOLLOW | O_NONBLOCK, 0600);
    close_quietly(at);
    if (fd < 0)
        return safefile_status(errno);
    *ret_fd = fd;
    return STATUS_OK;
}

static enum status take_lock(int fd)
{
    char text[32];
    int result;

    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return errno == EWOULDBLOCK ? STATUS_IN_USE : safefile_status(errno);
    snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0)
        return safefile_status(errno);
    return write_all(fd, bytes_of_string(text));
}

enum status safefile_lock(const char *folder, struct folder_lock **ret_lock)
{
    struct folder_lock *lock = malloc(sizeof *lock);
    enum status status;
    int fd = -1;

    if (lock == NULL)
        return STATUS_NO_MEMORY;
    status = open_lock(folder, O_RDWR | O_CREAT, &fd);
    if (status == STATUS_OK)
        status = take_lock(fd);
    if (status != STATUS_OK) {
        close_quietly(fd);
        free(lock);
        return status;
    }
    lock->fd = fd;
    *ret_lock = lock;
    return STATUS_OK;
}

enum status safefile_lock_holder(const char *folder, int64_t *ret_pid)
{
    char text[32] = "";
    int fd = -1;
    enum status status = open_lock(folder, O_RDONLY, &fd);

    if (status != STATUS_OK)
        return status;
    ssize_t got = read(fd, text, sizeof text - 1);
    close_quietly(fd);
    if (got < 0)
        return safefile_status(errno);
    long pid = strtol(text, NULL, 10);
    if (pid <= 0)
        return STATUS_NOT_FOUND;
    *ret_pid = pid;
    return STATUS_OK;
}

void safefile_unlock(struct folder_lock **lock)
{
    if (*lock == NULL)
        return;
    /* The pid in it only helps people; a lock file that still names us is not held by us. */
    int truncated = ftruncate((*lock)->fd, 0);
    (void)truncated;
    (void)close((*lock)->fd);
    free(*lock);
    *lock = NULL;
}
