#include <inttypes.h>
#include <string.h>

#include "audit/tree.h"
#include "audit/verify.h"
#include "proto/record.h"
#include "proto/tile_reader.h"

#define VKEY_LIMIT ((size_t)1024)

struct export_check {
    const struct verify_files *files;
    const struct verify_progress *progress;
    const struct verify_memory *memory;
    uint64_t size; /* of the checkpoint */
    struct problems *problems;
    struct tree *tree;
    struct byte_buffer content; /* of the bundle being read */
    struct byte_buffer tile;
};

static bool is_told(enum status status)
{
    return status == STATUS_NOT_FOUND || status == STATUS_TOO_LARGE || status == STATUS_NOT_A_FILE;
}

/* A file's content into an empty buffer; *ret_there false (and told) if there is none that can be used. */
static enum status read_file(struct export_check *check, const char *path, size_t limit,
                             struct byte_buffer *content, bool *ret_there)
{
    bytes_buffer_free(content);
    *content = bytes_buffer(limit);
    enum status status = check->files->read(check->files->context, path, limit, content);

    *ret_there = status == STATUS_OK;
    if (!is_told(status))
        return status;
    problems_add(check->problems, "%s: %s", path,
                 status == STATUS_NOT_FOUND ? "is missing" : status_text(status));
    return STATUS_OK;
}

static enum status read_tile(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    struct export_check *check = context;
    size_t wanted = id->width * sizeof *ret_hashes;
    char path[TILE_PATH_SIZE];

    tile_path(id, path);
    bytes_buffer_free(&check->tile);
    check->tile = bytes_buffer(TILE_WIDTH * DIGEST_SIZE);
    enum status status =
        check->files->read(check->files->context, path, TILE_WIDTH * DIGEST_SIZE, &check->tile);
    if (status == STATUS_TOO_LARGE || status == STATUS_NOT_A_FILE ||
        (status == STATUS_OK && check->tile.size != wanted))
        return STATUS_CORRUPT;
    if (status == STATUS_OK)
        memcpy(ret_hashes, check->tile.data, wanted);
    return status;
}

/* Of a tile that was not full at an earlier size more is there now: the first id->width of it. */
static enum status read_edge(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    const struct export_check *check = context;
    struct digest hashes[TILE_WIDTH];
    struct tile_id now = *id;
    uint64_t whole = check->size;

    for (unsigned level = 0; level < id->level; level++)
        whole /= TILE_WIDTH;
    if (whole / TILE_WIDTH > id->n)
        now.width = TILE_WIDTH;
    else if (whole / TILE_WIDTH == id->n && whole % TILE_WIDTH >= id->width)
        now.width = (uint16_t)(whole % TILE_WIDTH);
    enum status status = read_tile(context, &now, hashes);
    if (status == STATUS_OK)
        memcpy(ret_hashes, hashes, id->width * sizeof *ret_hashes);
    return status;
}

/* ---- entries ---- */

static void check_entry(struct export_check *check, uint64_t index, struct byte_view entry)
{
    if (entry.size != RECORD_ENTRY_SIZE || entry.data[0] != RECORD_VERSION ||
        record_kind_text(entry.data[1]) == NULL)
        problems_add(check->problems, "entry %" PRIu64 ": is of no known version or kind", index);
}

/* *ret_go_on false: the bundle cannot be used, so the tree cannot be recomputed further. */
static enum status check_bundle(struct export_check *check, uint64_t n, uint16_t width, bool *ret_go_on)
{
    const struct tile_id id = {.entries = true, .n = n, .width = width};
    struct byte_view entries[TILE_WIDTH];
    char path[TILE_PATH_SIZE];

    tile_path(&id, path);
    enum status status = read_file(check, path, TILE_BUNDLE_MAX, &check->content, ret_go_on);
    if (status != STATUS_OK || !*ret_go_on)
        return status;
    *ret_go_on = tile_parse_bundle(bytes_buffer_view(&check->content), width, entries) == STATUS_OK;
    if (!*ret_go_on)
        problems_add(check->problems, "%s: does not hold %u whole entries", path, (unsigned)width);
    uint64_t first = tree_size(check->tree) - n * TILE_WIDTH; /* those before were verified earlier */
    for (size_t i = (size_t)first; *ret_go_on && status == STATUS_OK && i < width; i++) {
        check_entry(check, n * TILE_WIDTH + i, entries[i]);
        status = tree_add(check->tree, entries[i]);
    }
    return status;
}

static enum status check_entries(struct export_check *check, const struct checkpoint *checkpoint)
{
    uint64_t bundles = (checkpoint->size + TILE_WIDTH - 1) / TILE_WIDTH;
    enum status status = STATUS_OK;
    bool go_on = true;

    for (uint64_t n = tree_size(check->tree) / TILE_WIDTH; n < bundles && go_on && status == STATUS_OK; n++) {
        uint64_t rest = checkpoint->size - n * TILE_WIDTH;
        status = check_bundle(check, n, (uint16_t)(rest < TILE_WIDTH ? rest : TILE_WIDTH), &go_on);
        if (check->progress->at != NULL && n % TILE_WIDTH == TILE_WIDTH - 1)
            check->progress->at(check->progress->context, (n + 1) * TILE_WIDTH, checkpoint->size);
    }
    if (status == STATUS_OK && !go_on)
        problems_add(check->problems, "the tree was recomputed up to entry %" PRIu64 " only",
                     tree_size(check->tree));
    if (status != STATUS_OK || !go_on)
        return status;
    status = tree_finish(check->tree);
    struct digest root = tree_root(check->tree);
    if (status == STATUS_OK && memcmp(&root, &checkpoint->root, sizeof root) != 0)
        problems_add(check->problems,
                     "checkpoint: the %" PRIu64 " entries do not give the root that was signed",
                     checkpoint->size);
    return status;
}

/* Goes on where the earlier verification ended; *ret_go_on false (and told) when this export does not. */
static enum status resume(struct export_check *check, const struct checkpoint *checkpoint,
                          const struct note_key *key, bool *ret_go_on)
{
    const struct remembered *since = check->memory->since;
    const struct tile_source edge = {.read = read_edge, .context = check};
    enum status status = STATUS_OK;

    *ret_go_on = since == NULL;
    if (since != NULL)
        status = verify_extends(since, checkpoint, key, check->problems);
    if (since == NULL || status == STATUS_MISMATCH)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = tree_resume(check->tree, &edge, since->size);
    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) {
        problems_add(check->problems, "the tiles of the first %" PRIu64 " entries are missing or damaged",
                     since->size);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    struct digest root = tree_root(check->tree);
    *ret_go_on = memcmp(&root, &since->root, sizeof root) == 0;
    if (!*ret_go_on)
        problems_add(check->problems,
                     "the first %" PRIu64
                     " entries no longer give the root that was verified before: this is no "
                     "extension of that log",
                     since->size);
    return STATUS_OK;
}

static enum status remember(const struct export_check *check, const struct checkpoint *checkpoint,
                            struct byte_view note)
{
    struct remembered *remembered = check->memory->remember;

    if (remembered == NULL || check->problems->count > 0)
        return STATUS_OK;
    remembered->size = checkpoint->size;
    remembered->root = checkpoint->root;
    remembered->records = false;
    bytes_append_view(&remembered->note, note);
    return remembered->note.status;
}

/* ---- the whole ---- */

/* The key file is for the reader's convenience; it must not say something else than the key that is trusted.
 */
static enum status check_vkey(struct export_check *check, const struct note_key *key)
{
    char vkey[NOTE_KEY_VKEY_SIZE];
    bool there = false;
    enum status status = read_file(check, "log.vkey", VKEY_LIMIT, &check->content, &there);

    if (status != STATUS_OK || !there)
        return status;
    struct byte_view found = bytes_buffer_view(&check->content);
    if (found.size > 0 && found.data[found.size - 1] == '\n')
        found.size--;
    note_key_vkey(key, vkey);
    if (!bytes_equal(found, bytes_of_string(vkey)))
        problems_add(check->problems, "log.vkey: is not the key that was given");
    return STATUS_OK;
}

/* An earlier checkpoint that a quorum cosigned: it must be this log's, and the first entries must give its
 * root. */
static enum status check_final(struct export_check *check, const struct note_key *key)
{
    const struct tile_source tiles = {.read = read_edge, .context = check};
    struct byte_buffer note = bytes_buffer(NOTE_SIZE_MAX);
    struct tile_reader *reader = NULL;
    struct checkpoint final;
    struct digest root;
    enum status status = check->files->read(check->files->context, "checkpoint.final", NOTE_SIZE_MAX, &note);

    if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
        goto out;
    }
    if (status == STATUS_OK)
        status = checkpoint_open(bytes_buffer_view(&note), key, NULL, &final);
    if (status == STATUS_NO_MEMORY || status == STATUS_CRYPTO || status == STATUS_IO)
        goto out;
    if (status != STATUS_OK || final.size > check->size) {
        problems_add(check->problems, "checkpoint.final: %s",
                     status != STATUS_OK ? status_text(status) : "is of more entries than the checkpoint");
        status = STATUS_OK;
        goto out;
    }
    status = tile_reader_new(&tiles, final.size, &reader);
    if (status == STATUS_OK)
        status = tile_reader_root(reader, &root);
    if (is_told(status) || status == STATUS_CORRUPT ||
        (status == STATUS_OK && memcmp(&root, &final.root, sizeof root) != 0)) {
        problems_add(check->problems, "checkpoint.final: the first %" PRIu64 " entries do not give its root",
                     final.size);
        status = STATUS_OK;
    }
out:
    tile_reader_free(&reader);
    bytes_buffer_free(&note);
    return status;
}

static enum status check_all(struct export_check *check, const struct note_key *key,
                             struct verify_result *ret)
{
    struct byte_buffer note = bytes_buffer(NOTE_SIZE_MAX);
    struct checkpoint checkpoint;
    bool there = false;
    enum status status = check_vkey(check, key);

    if (status == STATUS_OK)
        status = read_file(check, "checkpoint", NOTE_SIZE_MAX, &note, &there);
    if (status != STATUS_OK || !there)
        goto out;
    status = verify_checkpoint(bytes_buffer_view(&note), key, check->problems, &checkpoint);
    if (status == STATUS_MISMATCH) {
        status = STATUS_OK; /* told; without a checkpoint there is nothing to hold the rest against */
        goto out;
    }
    check->size = checkpoint.size;
    if (status == STATUS_OK)
        status = resume(check, &checkpoint, key, &there);
    if (status == STATUS_OK && there)
        status = check_entries(check, &checkpoint);
    if (status == STATUS_OK)
        status = check_final(check, key);
    if (status == STATUS_OK)
        status = remember(check, &checkpoint, bytes_buffer_view(&note));
    if (status == STATUS_OK)
        *ret = (struct verify_result){.entries = checkpoint.size, .signed_entries = checkpoint.size};
out:
    bytes_buffer_free(&note);
    return status;
}

enum status verify_export_since(const struct verify_files *files, const struct note_key *key,
                                const struct verify_progress *progress, const struct verify_memory *memory,
                                struct problems *problems, struct verify_result *ret)
{
    struct export_check check = {
        .files = files, .progress = progress, .memory = memory, .problems = problems};
    const struct tree_options options = {.read = read_tile, .context = &check, .partial_level_0 = true};
    struct verify_result result = {.entries = 0};
    enum status status = tree_new(&options, problems, &check.tree);

    if (status == STATUS_OK)
        status = check_all(&check, key, &result);
    if (status == STATUS_OK)
        *ret = result;
    tree_free(&check.tree);
    bytes_buffer_free(&check.content);
    bytes_buffer_free(&check.tile);
    return status;
}

enum status verify_export(const struct verify_files *files, const struct note_key *key,
                          const struct verify_progress *progress, struct problems *problems,
                          struct verify_result *ret)
{
    const struct verify_memory none = {.since = NULL};

    return verify_export_since(files, key, progress, &none, problems, ret);
}
