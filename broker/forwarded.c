#include "broker/forwarded.h"

#include <string.h>

#include "proto/field.h"
#include "proto/merkle_part.h"

/* Field numbers of messages ForwardedReceipts and ForwardedReceipt in wire.proto. */
enum { ID = 1, CERTIFICATE, SIGNATURE, COUNT, RECEIPTS, HEAD };
enum { INDEX = 1, RECEIPT, PATH };

#define MARK       1 /* in front of what is kept: no field begins like this */
#define NODES_ROOM (2 * ENVELOPE_BATCH_MAX + 16)

_Static_assert(ENVELOPE_BATCH_MAX <= MERKLE_BATCH_MAX, "a receipt batch has a merkle_batch");

/* ---- as it is sent ---- */

static void put_receipt(const struct forwarded *forwarded, size_t index, struct byte_buffer *ret)
{
    struct byte_view receipt = forwarded->receipts[index];
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;

    merkle_nodes_path(forwarded->nodes, forwarded->count, index, path, &length);
    field_put_start(ret, RECEIPTS,
                    field_size_varint(INDEX, index) + field_size_bytes(RECEIPT, receipt.size) +
                        length * field_size_bytes(PATH, DIGEST_SIZE));
    field_put_varint(ret, INDEX, index);
    field_put_bytes(ret, RECEIPT, receipt);
    for (size_t i = 0; i < length; i++)
        field_put_bytes(ret, PATH, bytes_view(path[i].bytes, DIGEST_SIZE));
}

void forwarded_frame(const struct forwarded *forwarded, struct byte_buffer *ret)
{
    field_put_varint(ret, ID, forwarded->id);
    field_put_bytes(ret, CERTIFICATE, forwarded->certificate);
    field_put_bytes(ret, SIGNATURE, forwarded->signature);
    field_put_varint(ret, COUNT, forwarded->count);
    for (size_t i = 0; i < forwarded->count; i++) {
        if (forwarded->part[i])
            put_receipt(forwarded, i, ret);
    }
    field_put_bytes(ret, HEAD, forwarded->head);
}

/* ---- as it is kept ---- */

static void append_sized(struct byte_buffer *ret, struct byte_view view)
{
    bytes_append_u32(ret, (uint32_t)view.size);
    bytes_append_view(ret, view);
}

static struct byte_view read_sized(struct byte_reader *reader)
{
    uint32_t size = bytes_read_u32(reader);

    return bytes_read_view(reader, size);
}

/* An empty receipt stands for one of somebody else. */
void forwarded_store(const struct forwarded *forwarded, struct byte_buffer *ret)
{
    bytes_append_u8(ret, MARK);
    bytes_append_u64(ret, forwarded->id);
    append_sized(ret, forwarded->certificate);
    append_sized(ret, forwarded->signature);
    append_sized(ret, forwarded->head);
    bytes_append_u32(ret, (uint32_t)forwarded->count);
    for (size_t i = 0; i < forwarded->count; i++)
        append_sized(ret, forwarded->part[i] ? forwarded->receipts[i] : bytes_view(NULL, 0));
    merkle_part_write(forwarded->nodes, forwarded->count, forwarded->part, ret);
}

bool forwarded_is(struct byte_view stored)
{
    return stored.size > 0 && stored.data[0] == MARK;
}

enum status forwarded_restore(struct byte_view stored, struct byte_buffer *ret)
{
    struct byte_reader reader = bytes_reader(stored);
    struct byte_view receipts[ENVELOPE_BATCH_MAX];
    bool part[ENVELOPE_BATCH_MAX];
    struct digest nodes[NODES_ROOM];
    struct forwarded forwarded = {.part = part, .receipts = receipts, .nodes = nodes};

    if (bytes_read_u8(&reader) != MARK)
        return STATUS_CORRUPT;
    forwarded.id = bytes_read_u64(&reader);
    forwarded.certificate = read_sized(&reader);
    forwarded.signature = read_sized(&reader);
    forwarded.head = read_sized(&reader);
    forwarded.count = bytes_read_u32(&reader);
    if (reader.failed || forwarded.count == 0 || forwarded.count > ENVELOPE_BATCH_MAX)
        return STATUS_CORRUPT;
    for (size_t i = 0; i < forwarded.count; i++) {
        receipts[i] = read_sized(&reader);
        part[i] = receipts[i].size > 0;
        if (part[i])
            nodes[i] = merkle_leaf(receipts[i]);
    }
    if (merkle_part_read(&reader, forwarded.count, part, nodes) != STATUS_OK || !bytes_read_done(&reader))
        return STATUS_CORRUPT;
    forwarded_frame(&forwarded, ret);
    return ret->status;
}
