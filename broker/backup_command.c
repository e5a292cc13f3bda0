#include "broker/backup_command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/safefile.h"
#include "broker/backup_file.h"
#include "broker/backup_key.h"
#include "broker/backup_manifest.h"
#include "broker/calling.h"
#include "broker/checkpoints.h"
#include "broker/command.h"
#include "broker/setup.h"

#define PIECE       ((size_t)256 << 10)
#define RENEW_MS    INT64_C(5000)
#define READY_POLLS 600 /* of 100 ms: as long as a lease lasts */

const struct option_spec backup_command_key_options[] = {
    {"dir", "B", "the broker's folder: the public half goes there", OPTION_TEXT, true},
    {"out", "FILE", "the private half; keep it away from this host", OPTION_TEXT, true},
    {0},
};

const struct option_spec backup_command_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"to", "FILE", "the backup to make", OPTION_TEXT, true},
    {0},
};

int backup_command_key(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    const char *out = options_text(options, "out");
    char path[PATH_MAX];
    enum status status;

    (void)context;
    if (command_lacks(folder, SETUP_FILE))
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: no broker in it; make one with concordat-broker init", folder);
    if (command_has(folder, BACKUP_KEY_PUBLIC))
        return options_fail(
            options, EXIT_REFUSED,
            "%s/%s is there already: backups are made for that key; remove it to change to another", folder,
            BACKUP_KEY_PUBLIC);
    (void)snprintf(path, sizeof path, "%s/%s", folder, BACKUP_KEY_PUBLIC);
    status = backup_key_make(out, path);
    if (status != STATUS_OK)
        return command_fail(options, status, out, status_text(status));
    fprintf(options_out(options),
            "made the recovery key\n  %s\nand for whoever makes backups its public half\n  %s\n"
            "next: take %s away from this host, where it can be found when this host is lost; without it no "
            "backup "
            "can be read\n",
            out, path, out);
    return EXIT_DONE;
}

/* ---- making one ---- */

struct making {
    const struct options *options;
    const char *folder;
    const char *to;
    char part[PATH_MAX]; /* what it is called until it is whole */
    int fd;
    struct folder_lock *lock; /* the broker does not run; otherwise */
    json_int_t hold;          /* its database stands still under this number */
    int64_t renewed;
    struct x25519_public *key;
    struct backup_writer *writer;
    struct backup_manifest manifest;
    int code;
};

static int fail(struct making *making, enum status status, const char *what)
{
    making->code = command_fail(making->options, status, what, status_text(status));
    return making->code;
}

static enum status write_fd(void *context, struct byte_view bytes)
{
    const struct making *making = context;

    while (bytes.size > 0) {
        ssize_t written = write(making->fd, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return safefile_status(errno);
        bytes = bytes_view(bytes.data + written, bytes.size - (size_t)written);
    }
    return STATUS_OK;
}

/* What the running broker says of the backup under way; EXIT_DONE with *ret. */
static int ask(struct making *making, json_t *request, json_t **ret)
{
    making->code = calling_ask(making->options, making->to, request, ret);
    return making->code;
}

static int renew(struct making *making)
{
    json_t *reply = NULL;

    if (making->lock != NULL || clock_elapsed() - making->renewed < RENEW_MS)
        return EXIT_DONE;
    making->renewed = clock_elapsed();
    if (ask(making, json_pack("{s:s, s:I}", "do", "backup", "hold", making->hold), &reply) == EXIT_DONE)
        json_decref(reply);
    return making->code;
}

/* Until the running broker's database stands still. */
static int hold(struct making *making)
{
    json_t *reply = NULL;

    if (ask(making, json_pack("{s:s}", "do", "backup"), &reply) != EXIT_DONE)
        return making->code;
    making->hold = json_integer_value(json_object_get(reply, "hold"));
    for (int i = 0; i < READY_POLLS && !json_is_true(json_object_get(reply, "ready")); i++) {
        json_decref(reply);
        reply = NULL;
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        if (ask(making, json_pack("{s:s, s:I}", "do", "backup", "hold", making->hold), &reply) != EXIT_DONE)
            return making->code;
    }
    making->renewed = clock_elapsed();
    if (json_is_true(json_object_get(reply, "ready"))) {
        const json_t *note = json_object_get(reply, "checkpoint");
        making->manifest.entries = (uint64_t)json_integer_value(json_object_get(reply, "entries"));
        bytes_append(&making->manifest.checkpoint, json_string_value(note), json_string_length(note));
    } else {
        making->code =
            options_fail(making->options, EXIT_REFUSED,
                         "%s: somebody reads the log all the time, so that the database does not come "
                         "to rest; try again",
                         making->folder);
    }
    json_decref(reply);
    return making->code;
}

/* Of a broker that does not run: its files stand still anyway. */
static enum status read_checkpoint(struct making *making)
{
    char path[PATH_MAX];
    struct checkpoints *checkpoints = NULL;
    struct checkpoints_entry entry;
    enum status status;

    if (command_lacks(making->folder, "checkpoint.db"))
        return STATUS_OK;
    (void)snprintf(path, sizeof path, "%s/checkpoint.db", making->folder);
    status = checkpoints_open(path, NULL, &checkpoints);
    if (status == STATUS_OK)
        status = checkpoints_read(checkpoints, &making->manifest.checkpoint, &entry);
    if (status == STATUS_OK)
        making->manifest.entries = entry.size;
    checkpoints_close(&checkpoints);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static int put_open(struct making *making, int fd, const char *name, uint64_t size)
{
    static uint8_t piece[PIECE];
    enum status status = backup_writer_file(making->writer, name, size);

    while (status == STATUS_OK && size > 0) {
        size_t wanted = size < sizeof piece ? (size_t)size : sizeof piece;
        ssize_t got = read(fd, piece, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            status = got < 0 ? safefile_status(errno) : STATUS_IO; /* shorter than it was */
            break;
        }
        status = backup_writer_put(making->writer, bytes_view(piece, (size_t)got));
        size -= (uint64_t)got;
        if (status == STATUS_OK && renew(making) != EXIT_DONE)
            return making->code;
    }
    return status == STATUS_OK ? EXIT_DONE : fail(making, status, name);
}

static int put_file(struct making *making, const char *name)
{
    char path[PATH_MAX];
    struct stat found;
    int code;
    int fd;

    if (snprintf(path, sizeof path, "%s/%s", making->folder, name) >= (int)sizeof path)
        return fail(making, STATUS_TOO_LARGE, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fail(making, safefile_status(errno), path);
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
        code = fail(making, STATUS_NOT_A_FILE, path);
    else
        code = put_open(making, fd, name, (uint64_t)found.st_size);
    close(fd);
    return code;
}

/* Every bundle ever taken: old signatures are judged by them. */
static int put_bundles(struct making *making)
{
    char path[PATH_MAX];
    struct dirent *entry = NULL;
    DIR *folder = NULL;

    (void)snprintf(path, sizeof path, "%s/bundles", making->folder);
    folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? EXIT_DONE : fail(making, safefile_status(errno), path);
    while (making->code == EXIT_DONE && (entry = readdir(folder)) != NULL) {
        char name[sizeof "bundles/" + NAME_MAX];
        if (!backup_manifest_is_bundle(entry->d_name))
            continue;
        (void)snprintf(name, sizeof name, "bundles/%s", entry->d_name);
        (void)put_file(making, name);
    }
    closedir(folder);
    return making->code;
}

static int put_all(struct making *making)
{
    struct byte_buffer text = bytes_buffer(BACKUP_MANIFEST_LARGEST);
    enum status status = backup_manifest_format(&making->manifest, &text);

    if (status == STATUS_OK)
        status = backup_writer_file(making->writer, BACKUP_MANIFEST_NAME, text.size);
    if (status == STATUS_OK)
        status = backup_writer_put(making->writer, bytes_buffer_view(&text));
    bytes_buffer_free(&text);
    if (status != STATUS_OK)
        return fail(making, status, making->to);
    CRASH_POINT("backup.database");
    if (put_file(making, "broker.db") == EXIT_DONE && making->lock != NULL &&
        command_has(making->folder, "broker.db-wal"))
        (void)put_file(making, "broker.db-wal");
    if (making->code == EXIT_DONE)
        (void)put_file(making, SETUP_FILE);
    if (making->code == EXIT_DONE)
        (void)put_bundles(making);
    if (making->code == EXIT_DONE) {
        status = backup_writer_end(making->writer);
        if (status != STATUS_OK)
            return fail(making, status, making->to);
    }
    return making->code;
}

/* The broker says whether the database stood still all the time, and logs that a copy was taken. */
static int release(struct making *making)
{
    uint8_t id[BACKUP_FILE_KEY_ID];
    char hex[2 * sizeof id + 1];
    json_t *reply = NULL;

    backup_file_key_id(x25519_public_bytes(making->key), id);
    bytes_to_hex(id, sizeof id, hex);
    if (making->lock != NULL)
        return EXIT_DONE;
    if (ask(making, json_pack("{s:s, s:I, s:s}", "do", "backup", "hold", making->hold, "key", hex), &reply) ==
        EXIT_DONE)
        json_decref(reply);
    making->hold = 0;
    return making->code;
}

static enum status put_in_place(struct making *making)
{
    char folder[PATH_MAX];
    char *slash;

    if (fsync(making->fd) != 0)
        return safefile_status(errno);
    if (link(making->part, making->to) != 0 || unlink(making->part) != 0)
        return safefile_status(errno);
    making->part[0] = '\0';
    (void)snprintf(folder, sizeof folder, "%s", making->to);
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    return safefile_sync_folder(slash == NULL ? "." : folder);
}

static int start(struct making *making)
{
    const struct backup_sink sink = {write_fd, making};
    char path[PATH_MAX];
    struct stat found;
    enum status status;

    (void)snprintf(path, sizeof path, "%s/%s", making->folder, BACKUP_KEY_PUBLIC);
    status = backup_key_public(path, &making->key);
    if (status == STATUS_NOT_FOUND)
        return making->code =
                   options_fail(making->options, EXIT_REFUSED,
                                "%s: no recovery key to encrypt for; make one with concordat-broker "
                                "backup-key",
                                making->folder);
    if (status != STATUS_OK)
        return fail(making, status, path);
    if (lstat(making->to, &found) == 0)
        return fail(making, STATUS_EXISTS, making->to);
    if (snprintf(making->part, sizeof making->part, "%s.part", making->to) >= (int)sizeof making->part)
        return fail(making, STATUS_TOO_LARGE, making->to);
    (void)unlink(making->part); /* of one that was killed */
    making->fd = open(making->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (making->fd < 0) {
        status = safefile_status(errno);
        making->part[0] = '\0';
        return fail(making, status, making->to);
    }
    status = backup_writer_start(making->key, making->manifest.made, random_system(), &sink, &making->writer);
    return status == STATUS_OK ? EXIT_DONE : fail(making, status, making->to);
}

static int make(struct making *making)
{
    struct setup setup;
    struct setup_reason why = {{0}};
    enum status status = setup_read(making->folder, &setup, &why);

    if (status != STATUS_OK)
        return making->code = command_fail(making->options, status, making->folder, why.text);
    (void)snprintf(making->manifest.member, sizeof making->manifest.member, "%s", setup.member);
    if (start(making) != EXIT_DONE)
        return making->code;
    if (making->lock == NULL)
        (void)hold(making);
    else if ((status = read_checkpoint(making)) != STATUS_OK)
        (void)fail(making, status, "checkpoint.db");
    if (making->code == EXIT_DONE && put_all(making) == EXIT_DONE && release(making) == EXIT_DONE) {
        status = put_in_place(making);
        if (status != STATUS_OK)
            (void)fail(making, status, making->to);
    }
    return making->code;
}

static void clean_up(struct making *making)
{
    json_t *reply = NULL;

    if (making->hold != 0 && making->code != EXIT_DONE &&
        calling_ask(making->options, making->to,
                    json_pack("{s:s, s:I, s:b}", "do", "backup", "hold", making->hold, "drop", 1),
                    &reply) == EXIT_DONE)
        json_decref(reply);
    if (making->part[0] != '\0')
        (void)unlink(making->part);
    if (making->fd >= 0)
        close(making->fd);
    backup_writer_free(&making->writer);
    x25519_public_free(&making->key);
    bytes_buffer_free(&making->manifest.checkpoint);
    safefile_unlock(&making->lock);
}

int backup_command_run(const struct options *options, void *context)
{
    struct making making = {.options = options,
                            .folder = options_text(options, "dir"),
                            .to = options_text(options, "to"),
                            .fd = -1,
                            .manifest = backup_manifest_new()};
    const struct clock clock = clock_real();
    char until[CIVIL_TIME_SIZE];
    enum status status;

    (void)context;
    if (command_lacks(making.folder, SETUP_FILE))
        return options_fail(options, EXIT_ENVIRONMENT, "%s: no broker in it", making.folder);
    status = safefile_lock(making.folder, &making.lock);
    if (status != STATUS_OK && status != STATUS_IN_USE)
        return command_fail(options, status, making.folder, status_text(status));
    making.manifest.made = clock_now(&clock);
    if (make(&making) == EXIT_DONE) {
        civil_format_time(making.manifest.made + BACKUP_MANIFEST_LIFE_MS, until);
        fprintf(options_out(options), "made %s, %" PRIu64 " entries of the log; delete it by %.10s\n",
                making.to, making.manifest.entries, until);
    }
    clean_up(&making);
    return making.code;
}
