#include "broker/frame.h"

#include <assert.h>
#include <string.h>

#include "proto/wire_check.h"

#define TAG_VERSION 0x08u /* field 1, varint */
#define TAG_REQUEST 0x10u /* field 2, varint */
#define TYPE_BYTES  2u

/* A varint of at most ten bytes. */
static bool read_varint(struct byte_reader *reader, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = bytes_read_u8(reader);
        if (reader->failed || (shift == 63 && byte > 1))
            return false;
        value |= (uint64_t)(byte & 0x7fu) << shift;
        if ((byte & 0x80u) == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool read_field(struct byte_reader *reader, uint8_t tag, uint64_t *ret)
{
    return bytes_read_u8(reader) == tag && read_varint(reader, ret);
}

enum status frame_peek(struct byte_view bytes, struct frame_face *ret)
{
    struct byte_reader reader = bytes_reader(bytes);
    struct frame_face face = {0};
    uint64_t tag = 0;

    if (!read_field(&reader, TAG_VERSION, &face.version) ||
        !read_field(&reader, TAG_REQUEST, &face.request) || !read_varint(&reader, &tag) ||
        (tag & 7u) != TYPE_BYTES || tag >> 3 > UINT32_MAX)
        return STATUS_BAD_FORMAT;
    face.verb = (uint32_t)(tag >> 3);
    *ret = face;
    return STATUS_OK;
}

static enum status pack_frame(uint64_t request, Wire__Frame__VerbCase verb, const ProtobufCMessage *message,
                              struct byte_buffer *ret)
{
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);

    wire_pack(message, &body);
    enum status status = body.status;
    if (status == STATUS_OK)
        status = wire_frame_pack(request, verb, bytes_buffer_view(&body), ret);
    bytes_buffer_free(&body);
    return status;
}

enum status frame_error(uint64_t request, const struct frame_error *error, struct byte_buffer *ret)
{
    Wire__Error message = WIRE__ERROR__INIT;
    char text[WIRE_TEXT_MAX + 1];
    size_t size = strlen(error->text);

    assert(size <= WIRE_TEXT_MAX);
    memcpy(text, error->text, size + 1);
    message.code = error->code;
    message.text = text;
    message.has_retry_after = error->retry_after > 0;
    message.retry_after = error->retry_after;
    return pack_frame(request, WIRE__FRAME__VERB_ERROR, &message.base, ret);
}

/* protobuf-c knows no const messages; packing changes nothing. */
static Wire__SignedHead *head_of(const struct bundle *bundle)
{
    const Wire__SignedHead *head = bundle_signed_head(bundle);
    Wire__SignedHead *same = NULL;

    memcpy(&same, &head, sizeof same);
    return same;
}

enum status frame_welcome(uint64_t request, const struct frame_welcome *welcome, struct byte_buffer *ret)
{
    Wire__Welcome message = WIRE__WELCOME__INIT;

    message.now = (uint64_t)welcome->now;
    message.head = head_of(welcome->bundle);
    message.largest_frame = (uint32_t)WIRE_FRAME_LIMIT;
    message.largest_batch = WIRE_BATCH_MAX;
    message.largest_credit = welcome->credit;
    message.has_checkpoint = welcome->checkpoint.size > 0;
    message.checkpoint = wire_data(welcome->checkpoint);
    return pack_frame(request, WIRE__FRAME__VERB_WELCOME, &message.base, ret);
}

enum status frame_bundle_part(uint64_t request, const struct bundle *bundle, uint64_t offset,
                              struct byte_buffer *ret)
{
    Wire__BundlePart message = WIRE__BUNDLE_PART__INIT;
    struct byte_view body = bundle_body(bundle);

    if (offset >= body.size)
        return STATUS_BAD_ARGUMENT;
    size_t left = body.size - (size_t)offset;
    message.head = head_of(bundle);
    message.body_size = body.size;
    message.offset = offset;
    message.data =
        wire_data(bytes_view(body.data + offset, left < FRAME_BUNDLE_PART ? left : FRAME_BUNDLE_PART));
    return pack_frame(request, WIRE__FRAME__VERB_BUNDLE_PART, &message.base, ret);
}
