#include "broker/logproof.h"

#include "broker/logtiles.h"
#include "proto/tile_reader.h"

static enum status open_reader(struct db *db, uint64_t size, struct tile_reader **ret)
{
    const struct tile_source source = logtiles_source(db);

    return tile_reader_new(&source, size, ret);
}

enum status logproof_root(struct db *db, uint64_t size, struct digest *ret_root)
{
    struct tile_reader *reader = NULL;
    enum status status = open_reader(db, size, &reader);

    if (status == STATUS_OK)
        status = tile_reader_root(reader, ret_root);
    tile_reader_free(&reader);
    return status;
}

enum status logproof_path(struct db *db, uint64_t size, uint64_t index,
                          struct digest ret_path[static MERKLE_PATH_MAX], size_t *ret_length)
{
    struct tile_reader *reader = NULL;
    enum status status = open_reader(db, size, &reader);

    if (status == STATUS_OK)
        status = tile_reader_path(reader, index, ret_path, ret_length);
    tile_reader_free(&reader);
    return status;
}

enum status logproof_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                 struct digest ret_proof[static MERKLE_CONSISTENCY_MAX], size_t *ret_length)
{
    struct tile_reader *reader = NULL;
    enum status status = open_reader(db, size, &reader);

    if (status == STATUS_OK)
        status = tile_reader_consistency(reader, old_size, ret_proof, ret_length);
    tile_reader_free(&reader);
    return status;
}
