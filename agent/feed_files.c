#include "agent/feed_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/feed_csv.h"
#include "agent/feed_page.h"
#include "base/civil.h"
#include "base/safefile.h"
#include "proto/chars.h"

#define STAMP_SIZE 24
#define BLOCK_SIZE ((size_t)32 << 10)
#define TRIES      100

bool feed_files_name(const char *name)
{
    const size_t size = strlen(name);

    if (size == 0 || size > FEED_NAME_MAX || name[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!chars_is_lower((uint8_t)name[i]) && !chars_is_digit((uint8_t)name[i]) && name[i] != '-')
            return false;
    return true;
}

static enum status format_path(char out[static PATH_MAX], const char *folder, const char *name,
                               const char *part, const char *stamp, const char *file)
{
    const int size =
        snprintf(out, PATH_MAX, "%s/feeds/%s%s%s%s%s%s", folder, name, part[0] != '\0' ? "/" : "", part,
                 file != NULL ? "/" : "", stamp, file != NULL ? file : "");

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

enum status feed_files_path(const char *folder, const char *name, const char *part, const char *file,
                            char out[static PATH_MAX])
{
    return format_path(out, folder, name, part, "", file);
}

static enum status make_folder(const char *path)
{
    const enum status status = safefile_make_folder(path, 0700);

    return status == STATUS_EXISTS ? STATUS_OK : status;
}

enum status feed_files_make(const char *folder, const char *name)
{
    static const char *const parts[] = {"", "in", "done", "rejects", "pages"};
    char path[PATH_MAX];
    enum status status = STATUS_OK;
    const int size = snprintf(path, sizeof path, "%s/feeds", folder);

    if (size <= 0 || size >= PATH_MAX)
        return STATUS_BAD_ARGUMENT;
    status = make_folder(path);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == STATUS_OK; i++) {
        status = feed_files_path(folder, name, parts[i], NULL, path);
        if (status == STATUS_OK)
            status = make_folder(path);
    }
    return status;
}

bool feed_files_same(const struct feed_identity *a, const struct feed_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static enum status identify(const struct stat *info, struct feed_identity *ret_identity)
{
    if (!S_ISREG(info->st_mode))
        return STATUS_UNSUPPORTED;
    *ret_identity = (struct feed_identity){
        .device = info->st_dev, .inode = info->st_ino, .size = info->st_size, .changed = info->st_mtim};
    return STATUS_OK;
}

enum status feed_files_stat(int fd, struct feed_identity *ret_identity)
{
    struct stat info;

    return fstat(fd, &info) == 0 ? identify(&info, ret_identity) : safefile_status(errno);
}

enum status feed_files_lstat(const char *path, struct feed_identity *ret_identity)
{
    struct stat info;

    return lstat(path, &info) == 0 ? identify(&info, ret_identity) : safefile_status(errno);
}

enum status feed_files_open(const char *path, int *ret_fd, struct feed_identity *ret_identity)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum status status = STATUS_OK;

    if (fd < 0)
        return errno == ELOOP ? STATUS_UNSUPPORTED : safefile_status(errno);
    status = feed_files_stat(fd, ret_identity);
    if (status == STATUS_OK)
        *ret_fd = fd;
    else
        (void)close(fd);
    return status;
}

/* "20261201T091446Z-", and a number when that name is taken. */
static void make_stamp(int64_t now, unsigned again, char out[static STAMP_SIZE + 16])
{
    char time[CIVIL_TIME_SIZE];

    civil_format_time(now, time);
    if (again == 0)
        (void)snprintf(out, STAMP_SIZE + 16, "%.4s%.2s%.2sT%.2s%.2s%.2sZ-", time, time + 5, time + 8,
                       time + 11, time + 14, time + 17);
    else
        (void)snprintf(out, STAMP_SIZE + 16, "%.4s%.2s%.2sT%.2s%.2s%.2sZ-%u-", time, time + 5, time + 8,
                       time + 11, time + 14, time + 17, again + 1);
}

static enum status sync_part(const char *folder, const char *name, const char *part)
{
    char path[PATH_MAX];
    enum status status = feed_files_path(folder, name, part, NULL, path);

    return status == STATUS_OK ? safefile_sync_folder(path) : status;
}

enum status feed_files_move(const char *folder, const char *name, const char *file, const char *part,
                            const struct feed_identity *identity, int64_t now)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    struct feed_identity found;
    enum status status = feed_files_path(folder, name, "in", file, from);

    if (status == STATUS_OK && feed_files_lstat(from, &found) != STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_OK && !feed_files_same(&found, identity))
        return STATUS_OK;
    for (unsigned again = 0; status == STATUS_OK && again < TRIES; again++) {
        char stamp[STAMP_SIZE + 16];

        make_stamp(now, again, stamp);
        status = format_path(to, folder, name, part, stamp, file);
        if (status != STATUS_OK)
            break;
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
            status = sync_part(folder, name, "in");
            return status == STATUS_OK ? sync_part(folder, name, part) : status;
        }
        if (errno != EEXIST)
            status = safefile_status(errno);
    }
    return status == STATUS_OK ? STATUS_EXISTS : status;
}

/* ---- rejects ------------------------------------------------------------------------------------------ */

static enum status write_all(int fd, struct byte_buffer *block)
{
    size_t done = 0;

    if (block->status != STATUS_OK)
        return block->status;
    while (done < block->size) {
        const ssize_t written = write(fd, block->data + done, block->size - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return safefile_status(errno);
        done += (size_t)written;
    }
    bytes_buffer_clear(block);
    return STATUS_OK;
}

static void append_reject(struct byte_buffer *block, const struct feed_reject *reject)
{
    bytes_append_format(block, "%llu,", (unsigned long long)reject->line);
    feed_csv_append(block, bytes_of_string(reject->column));
    bytes_append_string(block, ",");
    feed_csv_append(block, bytes_of_string(reject->reason));
    bytes_append_string(block, "\r\n");
}

/* Row by row, however many there are. */
static enum status write_rejects(int fd, const struct feed_store *store, int64_t run)
{
    struct byte_buffer block = bytes_buffer(BLOCK_SIZE * 2);
    struct feed_reject reject = {0};
    uint64_t line = 0;
    enum status status = STATUS_OK;

    bytes_append_string(&block, "line,column,reason\r\n");
    while (status == STATUS_OK) {
        status = feed_store_next_reject(store, run, &line, &reject);
        if (status != STATUS_OK)
            break;
        append_reject(&block, &reject);
        if (block.size > BLOCK_SIZE)
            status = write_all(fd, &block);
    }
    if (status == STATUS_NOT_FOUND)
        status = write_all(fd, &block);
    if (status == STATUS_OK && fsync(fd) != 0)
        status = safefile_status(errno);
    bytes_buffer_free(&block);
    return status;
}

enum status feed_files_rejects(const char *folder, const struct feed_store *store, int64_t run,
                               const char *file, int64_t now)
{
    char stamp[STAMP_SIZE + 16];
    char name[NAME_MAX + 64];
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    struct feed_counts counts = {0};
    int fd = -1;
    enum status status = feed_store_counts(store, run, &counts);

    if (status != STATUS_OK || counts.rejected == 0)
        return status;
    make_stamp(now, 0, stamp);
    (void)snprintf(name, sizeof name, "%s.rejects.csv", file);
    status = format_path(path, folder, store->feed, "rejects", "", name);
    if (status == STATUS_OK)
        status = format_path(temporary, folder, store->feed, "rejects", ".new-", stamp);
    if (status != STATUS_OK)
        return status;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return safefile_status(errno);
    status = write_rejects(fd, store, run);
    if (close(fd) != 0 && status == STATUS_OK)
        status = safefile_status(errno);
    if (status == STATUS_OK && rename(temporary, path) != 0)
        status = safefile_status(errno);
    if (status != STATUS_OK)
        (void)unlink(temporary);
    return status == STATUS_OK ? sync_part(folder, store->feed, "rejects") : status;
}

enum status feed_files_page(const char *folder, const char *name, const char *file, const json_t *page,
                            int64_t now)
{
    struct byte_buffer text = bytes_buffer((size_t)1 << 20);
    char full[NAME_MAX + 64];
    char path[PATH_MAX];
    enum status status = STATUS_EXISTS;

    feed_page_text(page, &text);
    (void)snprintf(full, sizeof full, "%s.txt", file[0] != '\0' ? file : "look");
    for (unsigned again = 0; status == STATUS_EXISTS && again < TRIES; again++) {
        char stamp[STAMP_SIZE + 16];

        make_stamp(now, again, stamp);
        status =
            text.status == STATUS_OK ? format_path(path, folder, name, "pages", stamp, full) : text.status;
        if (status == STATUS_OK)
            status = safefile_create(path, bytes_buffer_view(&text), 0600);
    }
    bytes_buffer_free(&text);
    return status;
}
