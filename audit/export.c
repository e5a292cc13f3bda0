#include "audit/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safefile.h"
#include "proto/checkpoint.h"
#include "proto/logrow.h"
#include "proto/merkle.h"
#include "proto/tile_writer.h"

#define BUNDLE_LIMIT ((size_t)TILE_WIDTH * (2 + RECORD_ENTRY_SIZE))

struct export
{
    const char *folder;
    struct tile_writer *writer;
    struct byte_buffer bundle;
    uint64_t end; /* entries that the checkpoint covers */
    uint64_t next;
    struct source_reason *reason;
};

static enum status fail(struct export *export, enum status status, const char *path)
{
    snprintf(export->reason->text, sizeof export->reason->text, "%.400s: %s", path, status_text(status));
    return status;
}

/* ---- files ---- */

static enum status join(struct export *export, const char *name, char out[static PATH_MAX])
{
    int length = snprintf(out, PATH_MAX, "%s/%s", export->folder, name);

    return length < 0 || length >= PATH_MAX ? fail(export, STATUS_BAD_ARGUMENT, export->folder) : STATUS_OK;
}

/* The folders between the export's own and the file. */
static enum status make_folders(struct export *export, char *path)
{
    for (char *at = path + strlen(export->folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        if (failed)
            return fail(export, safefile_status(errno), path);
        *at = '/';
    }
    return STATUS_OK;
}

static enum status write_all(int fd, struct byte_view content)
{
    while (content.size > 0) {
        ssize_t written = write(fd, content.data, content.size);
        if (written < 0 && errno != EINTR)
            return safefile_status(errno);
        if (written > 0)
            content = bytes_view(content.data + written, content.size - (size_t)written);
    }
    return STATUS_OK;
}

/* Plain writes: there may be a hundred thousand files, and the export counts only once its checkpoint is
 * there. */
static enum status put_file(struct export *export, const char *name, struct byte_view content)
{
    char path[PATH_MAX];
    enum status status = join(export, name, path);

    if (status == STATUS_OK)
        status = make_folders(export, path);
    if (status != STATUS_OK)
        return status;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(export, safefile_status(errno), path);
    status = write_all(fd, content);
    if (close(fd) != 0 && status == STATUS_OK)
        status = safefile_status(errno);
    return status == STATUS_OK ? status : fail(export, status, path);
}

static enum status claim_folder(struct export *export)
{
    if (mkdir(export->folder, 0700) != 0 && errno != EEXIST)
        return fail(export, safefile_status(errno), export->folder);
    DIR *folder = opendir(export->folder);
    if (folder == NULL)
        return fail(export, safefile_status(errno), export->folder);
    bool empty = true;
    for (const struct dirent *entry; empty && (entry = readdir(folder)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    (void)closedir(folder);
    if (empty)
        return STATUS_OK;
    snprintf(export->reason->text, sizeof export->reason->text, "%.400s: is not empty; name a new folder",
             export->folder);
    return STATUS_EXISTS;
}

/* ---- tiles and bundles ---- */

static enum status write_tile(void *context, const struct tile_id *id, const struct digest *hashes)
{
    char path[TILE_PATH_SIZE];

    tile_path(id, path);
    return put_file(context, path, bytes_view(hashes, id->width * sizeof *hashes));
}

static enum status write_bundle(struct export *export)
{
    uint64_t n = (export->next - 1) / TILE_WIDTH;
    struct tile_id id = {.entries = true, .n = n, .width = (uint16_t)(export->next - n * TILE_WIDTH)};
    char path[TILE_PATH_SIZE];

    tile_path(&id, path);
    enum status status = put_file(export, path, bytes_buffer_view(&export->bundle));
    bytes_buffer_clear(&export->bundle);
    return status;
}

static enum status add_entry(struct export *export, struct byte_view entry)
{
    const struct tile_sink sink = {.write = write_tile, .context = export};
    struct digest leaf = merkle_leaf(entry);
    enum status status = tile_append_entry(&export->bundle, entry);

    if (status == STATUS_OK)
        status = tile_writer_append(export->writer, &sink, &leaf, 1);
    if (status == STATUS_OK && ++export->next % TILE_WIDTH == 0)
        status = write_bundle(export);
    return status;
}

static enum status add_row(void *context, const struct source_row *read)
{
    struct export *export = context;
    struct logrow row = logrow_open(read->records, read->personal);
    struct logrow_record record;
    enum status status = read->first == export->next ? STATUS_OK : STATUS_CORRUPT;

    for (uint64_t i = 0; i < read->n && export->next < export->end && status == STATUS_OK; i++) {
        status = logrow_next(&row, &record) == STATUS_OK ? STATUS_OK : STATUS_CORRUPT;
        if (status == STATUS_OK)
            status = add_entry(export, bytes_view(record.entry, RECORD_ENTRY_SIZE));
    }
    return status;
}

static enum status write_entries(struct export *export, struct source *source, const struct digest *root)
{
    const struct tile_sink sink = {.write = write_tile, .context = export};
    enum status status = source_rows(source, 0, export->end, add_row, export);

    if (status == STATUS_OK && export->bundle.size > 0)
        status = write_bundle(export);
    if (status == STATUS_OK)
        status = tile_writer_flush(export->writer, &sink);
    struct digest found = tile_writer_root(export->writer);
    if (status == STATUS_OK && (export->next != export->end || memcmp(&found, root, sizeof found) != 0))
        status = STATUS_CORRUPT;
    if (status == STATUS_CORRUPT)
        snprintf(export->reason->text, sizeof export->reason->text,
                 "the log does not verify at entry %" PRIu64 "; run concordat-audit verify --broker",
                 export->next);
    else if (status != STATUS_OK && export->reason->text[0] == '\0')
        snprintf(export->reason->text, sizeof export->reason->text, "%s: %.400s", status_text(status),
                 source_error(source));
    return status;
}

/* ---- the whole ---- */

/* The newest checkpoint that a quorum cosigned, when that is not the one exported. */
static enum status write_final(struct export *export, struct source *source, const struct note_key *key)
{
    struct source_checkpoint final;
    struct checkpoint checkpoint;
    enum status status = source_cosigned(source, &final);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = checkpoint_open(final.note, key, NULL, &checkpoint);
    if (status != STATUS_OK)
        return fail(export, status, "the checkpoint that was cosigned");
    if (checkpoint.size >= export->end)
        return STATUS_OK;
    return put_file(export, "checkpoint.final", final.note);
}

static enum status write_last(struct export *export, const struct note_key *key, struct byte_view note)
{
    char vkey[NOTE_KEY_VKEY_SIZE + 1];
    char path[PATH_MAX];

    note_key_vkey(key, vkey);
    strcat(vkey, "\n");
    enum status status = put_file(export, "log.vkey", bytes_of_string(vkey));
    if (status == STATUS_OK)
        status = join(export, "checkpoint", path);
    if (status != STATUS_OK)
        return status;
    sync();
    status = safefile_write(path, note, 0600);
    return status == STATUS_OK ? status : fail(export, status, path);
}

static enum status read_checkpoint(struct export *export, struct source *source, const struct note_key *key,
                                   struct source_checkpoint *ret)
{
    struct checkpoint checkpoint;
    enum status status = source_checkpoint(source, ret);

    if (status == STATUS_OK)
        status = checkpoint_open(ret->note, key, NULL, &checkpoint);
    if (status != STATUS_OK)
        return fail(export, status, "the log's checkpoint");
    ret->size = checkpoint.size;
    ret->root = checkpoint.root;
    return STATUS_OK;
}

enum status export_write(struct source *source, const struct note_key *key, const char *folder,
                         uint64_t *ret_entries, struct source_reason *ret_reason)
{
    struct export export = {.folder = folder, .reason = ret_reason, .bundle = bytes_buffer(BUNDLE_LIMIT)};
    struct source_checkpoint checkpoint;

    ret_reason->text[0] = '\0';
    enum status status = tile_writer_new(NULL, 0, &export.writer);
    if (status != STATUS_OK)
        return fail(&export, status, folder);
    status = read_checkpoint(&export, source, key, &checkpoint);
    if (status == STATUS_OK)
        status = claim_folder(&export);
    if (status == STATUS_OK) {
        export.end = checkpoint.size;
        status = write_entries(&export, source, &checkpoint.root);
    }
    if (status == STATUS_OK)
        status = write_final(&export, source, key);
    if (status == STATUS_OK)
        status = write_last(&export, key, checkpoint.note);
    if (status == STATUS_OK)
        *ret_entries = export.end;
    tile_writer_free(&export.writer);
    bytes_buffer_free(&export.bundle);
    return status;
}
