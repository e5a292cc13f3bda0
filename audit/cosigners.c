#include "audit/cosigners.h"

#include <inttypes.h>
#include <string.h>

#include "audit/verify.h"
#include "certs/archive.h"
#include "certs/witnesses.h"
#include "proto/logrow.h"
#include "proto/tile_reader.h"

/* ---- the root at an earlier size ---- */

struct hashing {
    struct digest *hashes;
    uint64_t first;
    uint64_t end;
};

static enum status hash_row(void *context, const struct source_row *read)
{
    struct hashing *hashing = context;
    struct logrow row = logrow_open(read->records, read->personal);
    struct logrow_record record;

    for (uint64_t i = read->first; i < read->first + read->n; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        if (i >= hashing->first && i < hashing->end)
            hashing->hashes[i - hashing->first] = merkle_leaf(bytes_view(record.entry, RECORD_ENTRY_SIZE));
    }
    return STATUS_OK;
}

/* A tile as it is stored; what is not stored of level 0 is hashed from the rows, the first of which may begin
 * before it. */
static enum status read_tile(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    struct source *source = context;
    struct hashing hashing = {.hashes = ret_hashes, .first = id->n * TILE_WIDTH};
    enum status status = source_tile(source, id, ret_hashes);

    if (status != STATUS_NOT_FOUND || id->level > 0)
        return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
    hashing.end = hashing.first + id->width;
    return source_rows_around(source, hashing.first, hashing.end, hash_row, &hashing);
}

static enum status check_root(struct source *source, const struct checkpoint *checkpoint,
                              struct problems *problems)
{
    const struct tile_source tiles = {.read = read_tile, .context = source};
    struct tile_reader *reader = NULL;
    struct digest root;
    enum status status = tile_reader_new(&tiles, checkpoint->size, &reader);

    if (status == STATUS_OK)
        status = tile_reader_root(reader, &root);
    tile_reader_free(&reader);
    if (status == STATUS_CORRUPT ||
        (status == STATUS_OK && memcmp(&root, &checkpoint->root, sizeof root) != 0)) {
        problems_add(problems,
                     "final checkpoint: the first %" PRIu64 " entries do not give the root that was cosigned",
                     checkpoint->size);
        return STATUS_OK;
    }
    return status;
}

/* ---- the cosignatures ---- */

static void tell(const struct witnesses *witnesses, const struct note_signed *by, size_t count, uint64_t size,
                 struct byte_buffer *told)
{
    bool first = true;

    bytes_append_format(told, "the first %" PRIu64 " entries were cosigned by ", size);
    for (size_t i = 0; i < witnesses_count(witnesses); i++) {
        if (!by[i].by)
            continue;
        bytes_append_format(told, "%s%s", first ? "" : ", ", witnesses_member(witnesses, i));
        first = false;
    }
    bytes_append_format(
        told, "%s: %s, as %" PRIu32 " of %zu witnesses must cosign and %" PRIu32 " may be dishonest\n",
        count == 0 ? "nobody" : "", witnesses_final(witnesses, count) ? "final" : "not final",
        witnesses_quorum(witnesses), witnesses_count(witnesses), witnesses_dishonest(witnesses));
}

static enum status check_note(struct source *source, const struct source_checkpoint *stored,
                              const struct note_key *key, const struct witnesses *witnesses,
                              struct problems *problems, struct byte_buffer *told)
{
    struct note_signed by[WITNESSES_MAX];
    struct checkpoint checkpoint;
    struct note note;
    size_t count = 0;
    size_t bad = 0;
    enum status status = checkpoint_open(stored->note, key, &note, &checkpoint);

    if (status == STATUS_NO_MEMORY || status == STATUS_CRYPTO)
        return status;
    if (status != STATUS_OK) {
        problems_add(problems, "final checkpoint: %s", status_text(status));
        return STATUS_OK;
    }
    if (stored->size != checkpoint.size || memcmp(&stored->root, &checkpoint.root, sizeof stored->root) != 0)
        problems_add(problems, "final checkpoint: its table says another size or root than its note");
    status = witnesses_signed(witnesses, &note, by, &count, &bad);
    if (status == STATUS_OK && bad > 0)
        problems_add(problems, "final checkpoint: %zu of its cosignatures do not verify", bad);
    if (status == STATUS_OK)
        status = check_root(source, &checkpoint, problems);
    if (status == STATUS_OK)
        tell(witnesses, by, count, checkpoint.size, told);
    return status;
}

static enum status read_witnesses(const char *folder, struct witnesses **ret)
{
    struct bundle *bundle = NULL;
    enum status status = archive_newest(folder, &bundle, NULL);

    if (status == STATUS_OK)
        status = witnesses_new(bundle, ret);
    bundle_free(&bundle);
    return status;
}

enum status cosigners_check(struct source *source, const char *folder, const struct note_key *key,
                            struct problems *problems, struct byte_buffer *told)
{
    struct witnesses *witnesses = NULL;
    struct source_checkpoint stored;
    enum status status = read_witnesses(folder, &witnesses);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* no bundle: the log's own signature is all there is */
    if (status == STATUS_OK)
        status = source_cosigned(source, &stored);
    if (status == STATUS_OK)
        status = check_note(source, &stored, key, witnesses, problems, told);
    else if (status == STATUS_CORRUPT) {
        problems_add(problems, "final checkpoint: is damaged");
        status = STATUS_OK;
    } else if (status == STATUS_NOT_FOUND) {
        if (witnesses_count(witnesses) > 0)
            bytes_append_format(told, "nothing was cosigned yet: %" PRIu32 " of %zu witnesses must\n",
                                witnesses_quorum(witnesses), witnesses_count(witnesses));
        status = STATUS_OK;
    }
    witnesses_free(&witnesses);
    return status == STATUS_OK ? told->status : status;
}
