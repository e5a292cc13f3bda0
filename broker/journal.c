#include "broker/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safefile.h"
#include "broker/backup_manifest.h"

#define JOURNAL_LARGEST ((size_t)256 << 20)
#define PRUNE_FROM      ((off_t)4 << 20) /* bytes */
#define FIELD_DIGITS    20

static const char head[] = "concordat/erasures/1\n";

#define HEAD_SIZE (sizeof head - 1)

/* ---- lines ---- */

void journal_format(const struct journal_line *line, struct byte_buffer *out)
{
    char hex[2 * DIGEST_SIZE + 1];

    bytes_to_hex(line->hash.bytes, DIGEST_SIZE, hex);
    bytes_append_format(out, "%s %" PRId64 " %" PRIu64 " %" PRIu64 " %s\n", line->event ? "event" : "parts",
                        line->time, line->first, line->count, hex);
}

/* Decimal digits without a zero in front, then a blank. */
static bool take_number(struct byte_view *text, uint64_t *ret)
{
    uint64_t number = 0;
    size_t digits = 0;

    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        const uint64_t digit = (uint64_t)(text->data[digits] - '0');
        if (digits >= FIELD_DIGITS || number > (INT64_MAX - digit) / 10)
            return false;
        number = 10 * number + digit;
        digits++;
    }
    if (digits == 0 || digits == text->size || text->data[digits] != ' ' ||
        (digits > 1 && text->data[0] == '0'))
        return false;
    *text = bytes_view(text->data + digits + 1, text->size - digits - 1);
    *ret = number;
    return true;
}

enum status journal_parse(struct byte_view text, struct journal_line *ret)
{
    struct journal_line line = {.event = false};
    char hex[2 * DIGEST_SIZE + 1] = {0};
    uint64_t time = 0;

    if (text.size < 6 || (memcmp(text.data, "parts ", 6) != 0 && memcmp(text.data, "event ", 6) != 0))
        return STATUS_BAD_FORMAT;
    line.event = text.data[0] == 'e';
    text = bytes_view(text.data + 6, text.size - 6);
    if (!take_number(&text, &time) || !take_number(&text, &line.first) || !take_number(&text, &line.count) ||
        text.size != 2 * DIGEST_SIZE)
        return STATUS_BAD_FORMAT;
    memcpy(hex, text.data, text.size);
    if (bytes_from_hex(hex, line.hash.bytes, DIGEST_SIZE) != STATUS_OK ||
        (!line.event && (line.count == 0 || line.first > INT64_MAX - line.count)) ||
        (line.event && line.count >= STORE_BATCH_EVENTS))
        return STATUS_BAD_FORMAT;
    line.time = (int64_t)time;
    *ret = line;
    return STATUS_OK;
}

/* ---- the file ---- */

static enum status path_of(const char *folder, char path[static PATH_MAX])
{
    int size = snprintf(path, PATH_MAX, "%s/%s", folder, JOURNAL_NAME);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_TOO_LARGE;
}

static enum status each_line(struct byte_view text, journal_visitor *visit, void *context)
{
    enum status status = STATUS_OK;

    if (text.size < HEAD_SIZE)
        return text.size == 0 || memcmp(text.data, head, text.size) == 0 ? STATUS_OK : STATUS_CORRUPT;
    if (memcmp(text.data, head, HEAD_SIZE) != 0)
        return STATUS_CORRUPT;
    text = bytes_view(text.data + HEAD_SIZE, text.size - HEAD_SIZE);
    while (status == STATUS_OK && text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        struct journal_line line;
        if (end == NULL)
            return STATUS_OK; /* cut off: it was not committed either */
        const size_t size = (size_t)(end - text.data);
        status = journal_parse(bytes_view(text.data, size), &line) == STATUS_OK ? visit(context, &line)
                                                                                : STATUS_CORRUPT;
        text = bytes_view(end + 1, text.size - size - 1);
    }
    return status;
}

enum status journal_read(const char *folder, journal_visitor *visit, void *context)
{
    struct byte_buffer text = bytes_buffer(0);
    char path[PATH_MAX];
    enum status status = path_of(folder, path);

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, JOURNAL_LARGEST, &text);
    if (status == STATUS_OK)
        status = each_line(bytes_buffer_view(&text), visit, context);
    bytes_buffer_free(&text);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

struct pruning {
    int64_t from;
    struct byte_buffer kept;
};

static enum status keep_young(void *context, const struct journal_line *line)
{
    struct pruning *pruning = context;

    if (line->time >= pruning->from)
        journal_format(line, &pruning->kept);
    return pruning->kept.status;
}

/* No backup is so old that it would want these. */
static enum status prune(const char *folder, const char *path, int64_t now)
{
    struct pruning pruning = {.from = now - 2 * BACKUP_MANIFEST_LIFE_MS,
                              .kept = bytes_buffer(JOURNAL_LARGEST)};
    enum status status;

    bytes_append_string(&pruning.kept, head);
    status = journal_read(folder, keep_young, &pruning);
    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(&pruning.kept), 0600);
    bytes_buffer_free(&pruning.kept);
    return status;
}

/* Behind the last whole line; a new file begins with its head. */
static enum status find_end(int fd, off_t size, bool *ret_new)
{
    char last = '\0';
    off_t end = size;

    while (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n')
        end--;
    *ret_new = end < (off_t)HEAD_SIZE;
    if (*ret_new)
        end = 0;
    return ftruncate(fd, end) == 0 && lseek(fd, end, SEEK_SET) == end ? STATUS_OK : safefile_status(errno);
}

static enum status write_all(int fd, struct byte_view bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return safefile_status(errno);
        bytes = bytes_view(bytes.data + written, bytes.size - (size_t)written);
    }
    return STATUS_OK;
}

static enum status append_open(int fd, const char *folder, const struct journal_line *lines, size_t count,
                               off_t *ret_size)
{
    struct byte_buffer text = bytes_buffer(JOURNAL_LARGEST);
    struct stat found;
    bool fresh = false;
    enum status status = fstat(fd, &found) == 0 ? STATUS_OK : safefile_status(errno);

    if (status == STATUS_OK)
        status = find_end(fd, found.st_size, &fresh);
    if (fresh)
        bytes_append_string(&text, head);
    for (size_t i = 0; i < count; i++)
        journal_format(&lines[i], &text);
    if (status == STATUS_OK)
        status = text.status == STATUS_OK ? write_all(fd, bytes_buffer_view(&text)) : text.status;
    if (status == STATUS_OK && fsync(fd) != 0)
        status = safefile_status(errno);
    if (status == STATUS_OK && fresh)
        status = safefile_sync_folder(folder);
    bytes_buffer_free(&text);
    *ret_size = found.st_size;
    return status;
}

enum status journal_append(const char *folder, const struct journal_line *lines, size_t count)
{
    char path[PATH_MAX];
    off_t size = 0;
    enum status status = path_of(folder, path);
    int fd;

    if (status != STATUS_OK || count == 0)
        return status;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return safefile_status(errno);
    status = append_open(fd, folder, lines, count, &size);
    close(fd);
    return status == STATUS_OK && size > PRUNE_FROM ? prune(folder, path, lines[count - 1].time) : status;
}
