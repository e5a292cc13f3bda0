#include "broker/restoring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safefile.h"
#include "broker/setup.h"

#define SMALL_LARGEST ((size_t)4 << 20) /* a bundle, settings */

static enum status why(struct restoring_reason *reason, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- reading ---- */

static enum status read_fd(void *context, uint8_t *bytes, size_t size, size_t *ret_size)
{
    const int fd = *(const int *)context;
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return safefile_status(errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_size = done;
    return STATUS_OK;
}

static enum status explain(const struct restoring *restoring, const struct backup_reader *reader,
                           enum status status, struct restoring_reason *reason)
{
    const uint64_t chunk = reader == NULL ? 0 : backup_reader_chunk(reader);
    const uint64_t at = BACKUP_FILE_HEAD + chunk * (BACKUP_FILE_CHUNK + 16);

    switch ((int)status) {
    case STATUS_BAD_FORMAT:
        return why(reason, status, "%s: this is no backup of a broker", restoring->path);
    case STATUS_NEWER:
        return why(reason, status, "%s: %s", restoring->path, status_text(status));
    case STATUS_UNKNOWN_KEY:
        return why(reason, status, "%s: it was made for another recovery key than this one", restoring->path);
    case STATUS_BAD_SEAL:
        return why(reason, STATUS_CORRUPT, "%s: it is damaged within the megabyte from byte %" PRIu64 " on",
                   restoring->path, at);
    case STATUS_CORRUPT:
        return why(reason, status,
                   "%s: it ends too early, or its end is damaged: from byte %" PRIu64
                   " on nothing can be read",
                   restoring->path, at);
    default:
        return why(reason, status, "%s: %s", restoring->path, status_text(status));
    }
}

/* One file at a time goes to `take`, which reads it or leaves it. */
typedef enum status taker(const struct restoring *restoring, struct backup_reader *reader, const char *name,
                          uint64_t size, void *context, struct restoring_reason *reason);

static enum status pass(const struct restoring *restoring, taker *take, void *context,
                        struct restoring_reason *reason)
{
    int fd = open(restoring->path, O_RDONLY | O_CLOEXEC);
    const struct backup_source source = {read_fd, &fd};
    struct backup_reader *reader = NULL;
    struct backup_head head;
    char name[BACKUP_FILE_NAME_MAX + 1];
    uint64_t size = 0;
    enum status status;

    if (fd < 0)
        return why(reason, safefile_status(errno), "%s: %s", restoring->path,
                   status_text(safefile_status(errno)));
    reason->text[0] = '\0';
    status = backup_reader_start(restoring->key, &source, &head, &reader);
    while (status == STATUS_OK && (status = backup_reader_next(reader, name, &size)) == STATUS_OK)
        status = take(restoring, reader, name, size, context, reason);
    status = status == STATUS_NOT_FOUND && reason->text[0] == '\0' ? STATUS_OK : status;
    if (status != STATUS_OK && reason->text[0] == '\0')
        status = explain(restoring, reader, status, reason);
    backup_reader_free(&reader);
    close(fd);
    return status;
}

static enum status read_small(struct backup_reader *reader, uint64_t size, struct byte_buffer *out)
{
    struct byte_view bytes;
    enum status status = size > SMALL_LARGEST ? STATUS_TOO_LARGE : STATUS_OK;

    while (status == STATUS_OK && (status = backup_reader_get(reader, &bytes)) == STATUS_OK && bytes.size > 0)
        bytes_append_view(out, bytes);
    return status == STATUS_OK ? out->status : status;
}

/* ---- the first time through ---- */

struct seen {
    struct backup_manifest *manifest;
    size_t files;
    bool database;
};

static enum status look(const struct restoring *restoring, struct backup_reader *reader, const char *name,
                        uint64_t size, void *context, struct restoring_reason *reason)
{
    struct seen *seen = context;
    struct byte_buffer text = bytes_buffer(SMALL_LARGEST);
    enum status status = STATUS_OK;

    seen->database = seen->database || strcmp(name, "broker.db") == 0;
    if (seen->files++ > 0)
        return STATUS_OK;
    if (strcmp(name, BACKUP_MANIFEST_NAME) == 0)
        status = read_small(reader, size, &text);
    else
        status = STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        status = backup_manifest_parse(bytes_buffer_view(&text), seen->manifest);
    if (status == STATUS_NEWER)
        (void)why(reason, status, "%s: %s", restoring->path, status_text(status));
    bytes_buffer_free(&text);
    return status;
}

enum status restoring_check(struct restoring *restoring, struct restoring_reason *ret_reason)
{
    struct backup_manifest manifest = backup_manifest_new();
    struct seen seen = {.manifest = &manifest};
    enum status status = pass(restoring, look, &seen, ret_reason);

    if (status == STATUS_OK && !seen.database)
        status = explain(restoring, NULL, STATUS_BAD_FORMAT, ret_reason);
    if (status == STATUS_OK)
        restoring->manifest = manifest;
    else
        bytes_buffer_free(&manifest.checkpoint);
    return status;
}

/* ---- writing ---- */

static enum status write_large(struct backup_reader *reader, const char *path)
{
    struct byte_view bytes;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum status status = fd < 0 ? safefile_status(errno) : STATUS_OK;

    while (status == STATUS_OK && (status = backup_reader_get(reader, &bytes)) == STATUS_OK &&
           bytes.size > 0) {
        while (status == STATUS_OK && bytes.size > 0) {
            ssize_t written = write(fd, bytes.data, bytes.size);
            if (written < 0 && errno != EINTR)
                status = safefile_status(errno);
            else if (written > 0)
                bytes = bytes_view(bytes.data + written, bytes.size - (size_t)written);
        }
    }
    if (status == STATUS_OK && fsync(fd) != 0)
        status = safefile_status(errno);
    if (fd >= 0)
        close(fd);
    return status;
}

static enum status write_small(struct backup_reader *reader, uint64_t size, const char *path)
{
    struct byte_buffer content = bytes_buffer(SMALL_LARGEST);
    enum status status = read_small(reader, size, &content);

    if (status == STATUS_OK)
        status = safefile_create(path, bytes_buffer_view(&content), 0600);
    bytes_buffer_free(&content);
    return status == STATUS_EXISTS ? STATUS_OK : status; /* what is there is as new, or newer */
}

static enum status put(const struct restoring *restoring, struct backup_reader *reader, const char *name,
                       uint64_t size, void *context, struct restoring_reason *reason)
{
    const bool database = strcmp(name, "broker.db") == 0 || strcmp(name, "broker.db-wal") == 0;
    const bool bundle = strncmp(name, "bundles/", 8) == 0 && backup_manifest_is_bundle(name + 8);
    char path[PATH_MAX];
    enum status status = STATUS_OK;

    (void)context;
    if (snprintf(path, sizeof path, "%s/%s%s", restoring->folder, name, database ? ".restored" : "") >=
        (int)sizeof path)
        status = STATUS_TOO_LARGE;
    else if (database)
        status = write_large(reader, path);
    else if (bundle || strcmp(name, SETUP_FILE) == 0)
        status = write_small(reader, size, path);
    /* What else a later version may have put in is left. */
    return status == STATUS_OK ? status : why(reason, status, "%s: %s", path, status_text(status));
}

enum status restoring_write(const struct restoring *restoring, struct restoring_reason *ret_reason)
{
    char path[PATH_MAX];
    enum status status;

    (void)snprintf(path, sizeof path, "%s/bundles", restoring->folder);
    status = safefile_make_folder(path, 0700);
    if (status != STATUS_OK && status != STATUS_EXISTS)
        return why(ret_reason, status, "%s: %s", path, status_text(status));
    return pass(restoring, put, NULL, ret_reason);
}
