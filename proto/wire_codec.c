#include "proto/wire_codec.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/field.h"

#define CHUNK_LEAST ((size_t)64 << 10)
#define CHUNK_KEPT  ((size_t)1 << 20) /* of memory that stays after a reset */
#define SWELL       8                 /* how much larger than its bytes a message may be in memory */
#define SWELL_SPARE ((size_t)64 << 10)

/* Field numbers of message Frame in wire.proto. */
enum { FRAME_VERSION = 1, FRAME_REQUEST };

struct wire_chunk {
    struct wire_chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

/* ---- the arena ---- */

struct wire_arena wire_arena(size_t limit)
{
    return (struct wire_arena){.limit = limit};
}

static void free_chunks(struct wire_chunk *chunk)
{
    while (chunk != NULL) {
        struct wire_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Puts a chunk with room for size bytes in front; each is as large as all before it, so that they stay few.
 */
static struct wire_chunk *add_chunk(struct wire_arena *arena, size_t size)
{
    size_t room = larger(larger(CHUNK_LEAST, size), larger(arena->used, arena->expected));
    struct wire_chunk *chunk = malloc(sizeof *chunk + room);

    if (chunk == NULL)
        return NULL;
    *chunk = (struct wire_chunk){.next = arena->chunks, .size = room};
    arena->chunks = chunk;
    return chunk;
}

static void *take(struct wire_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size > arena->limit)
        return NULL;
    size = (size + align - 1) / align * align;
    if (size > arena->limit - arena->used)
        return NULL;
    struct wire_chunk *chunk = arena->chunks;
    if (chunk == NULL || size > chunk->size - chunk->used)
        chunk = add_chunk(arena, size);
    if (chunk == NULL)
        return NULL;
    void *taken = chunk->data + chunk->used;
    chunk->used += size;
    arena->used += size;
    return taken;
}

void *wire_arena_alloc(struct wire_arena *arena, size_t size)
{
    void *taken = take(arena, size);

    if (taken != NULL)
        memset(taken, 0, size);
    return taken;
}

void wire_arena_reset(struct wire_arena *arena)
{
    bool keep = arena->chunks != NULL && arena->chunks->next == NULL && arena->chunks->size <= CHUNK_KEPT;

    if (keep) {
        arena->chunks->used = 0;
    } else {
        free_chunks(arena->chunks);
        arena->chunks = NULL;
        arena->expected = arena->used < CHUNK_KEPT ? arena->used : CHUNK_KEPT;
    }
    arena->used = 0;
}

void wire_arena_free(struct wire_arena *arena)
{
    free_chunks(arena->chunks);
    *arena = wire_arena(arena->limit);
}

/* ---- unpacking ---- */

/* Counts what one unpacking takes, and remembers that it asked for more. */
struct allowance {
    struct wire_arena *arena;
    size_t left;
    bool exceeded;
    bool no_memory;
};

static void *allowance_alloc(void *context, size_t size)
{
    struct allowance *allowance = context;

    if (size > allowance->left || size > allowance->arena->limit - allowance->arena->used) {
        allowance->exceeded = true;
        return NULL;
    }
    void *taken = take(allowance->arena, size);
    if (taken == NULL)
        allowance->no_memory = true;
    else
        allowance->left -= size;
    return taken;
}

static void allowance_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer; /* the arena is emptied as a whole */
}

/* Compares what is packed with what was received, as it comes, instead of keeping it. */
struct comparison {
    ProtobufCBuffer base;
    struct byte_view rest;
    bool differs;
};

static void compare_append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    struct comparison *comparison = (struct comparison *)buffer;

    if (size == 0 || comparison->differs)
        return;
    if (size > comparison->rest.size || memcmp(comparison->rest.data, data, size) != 0) {
        comparison->differs = true;
        return;
    }
    comparison->rest.data += size;
    comparison->rest.size -= size;
}

static bool is_canonical(const ProtobufCMessage *message, struct byte_view bytes)
{
    struct comparison comparison = {.base = {compare_append}, .rest = bytes};

    protobuf_c_message_pack_to_buffer(message, &comparison.base);
    return !comparison.differs && comparison.rest.size == 0;
}

static bool message_is_known(const ProtobufCMessage *message);

static bool value_is_known(const ProtobufCFieldDescriptor *field, const uint8_t *at)
{
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)(const void *)at) !=
               NULL;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return utf8_valid(bytes_of_string(*(char *const *)(const void *)at));
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return message_is_known(*(ProtobufCMessage *const *)(const void *)at);
    return true;
}

static size_t element_size(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_ENUM ? sizeof(int) : sizeof(void *);
}

static bool needs_a_look(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_STRING ||
           field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_absent(const ProtobufCFieldDescriptor *field, const uint8_t *base)
{
    const void *quantifier = base + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return false;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const uint32_t *)quantifier != field->id;
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return *(const protobuf_c_boolean *)quantifier == 0;
    return *(void *const *)(const void *)(base + field->offset) == NULL;
}

static bool field_is_known(const ProtobufCFieldDescriptor *field, const uint8_t *base)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return is_absent(field, base) || value_is_known(field, base + field->offset);

    size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
    const uint8_t *elements = *(uint8_t *const *)(const void *)(base + field->offset);
    for (size_t i = 0; i < count; i++) {
        if (!value_is_known(field, elements + i * element_size(field->type)))
            return false;
    }
    return true;
}

/* Whether nothing in the message, at any depth, is unknown to its descriptor, and all text is UTF-8. The
 * depth is that of the schema, in which nothing is recursive. */
static bool message_is_known(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    if (message->n_unknown_fields > 0)
        return false;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (needs_a_look(&type->fields[i]) && !field_is_known(&type->fields[i], (const uint8_t *)message))
            return false;
    }
    return true;
}

enum status wire_unpack(const ProtobufCMessageDescriptor *type, struct byte_view bytes, size_t limit,
                        struct wire_arena *arena, const ProtobufCMessage **ret_message)
{
    if (bytes.size > limit)
        return STATUS_TOO_LARGE;

    struct allowance allowance = {.arena = arena, .left = bytes.size * SWELL + SWELL_SPARE};
    ProtobufCAllocator allocator = {allowance_alloc, allowance_free, &allowance};
    const uint8_t *data = bytes.size > 0 ? bytes.data : (const uint8_t *)"";
    const ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, bytes.size, data);
    if (allowance.exceeded)
        return STATUS_TOO_LARGE;
    if (allowance.no_memory)
        return STATUS_NO_MEMORY;
    if (message == NULL || !message_is_known(message))
        return STATUS_BAD_FORMAT;
    if (!is_canonical(message, bytes))
        return STATUS_NOT_CANONICAL;
    *ret_message = message;
    return STATUS_OK;
}

void wire_pack(const ProtobufCMessage *message, struct byte_buffer *ret)
{
    size_t before = ret->size;
    size_t size = protobuf_c_message_get_packed_size(message);

    bytes_append_zeros(ret, size);
    if (ret->status == STATUS_OK && size > 0)
        protobuf_c_message_pack(message, ret->data + before);
}

/* Of a frame that begins as every version's must: its field 1, a number. */
static bool is_other_version(struct byte_view bytes)
{
    struct field_reader reader = field_reader(bytes);
    uint64_t version = field_varint(&reader, FRAME_VERSION);

    return reader.status == STATUS_OK && version != WIRE_VERSION;
}

enum status wire_frame_unpack(struct byte_view bytes, struct wire_arena *arena, const Wire__Frame **ret_frame)
{
    const ProtobufCMessage *message;

    if (bytes.size > WIRE_FRAME_LIMIT)
        return STATUS_TOO_LARGE;
    if (is_other_version(bytes))
        return STATUS_UNSUPPORTED;
    enum status status = wire_unpack(&wire__frame__descriptor, bytes, WIRE_FRAME_LIMIT, arena, &message);
    if (status != STATUS_OK)
        return status;

    const Wire__Frame *frame = (const Wire__Frame *)message;
    if (frame->verb_case == WIRE__FRAME__VERB__NOT_SET)
        return STATUS_BAD_FORMAT;
    *ret_frame = frame;
    return STATUS_OK;
}

enum status wire_frame_pack(uint64_t request, Wire__Frame__VerbCase verb, struct byte_view body,
                            struct byte_buffer *ret)
{
    size_t before = ret->size;
    size_t size = field_size_varint(FRAME_VERSION, WIRE_VERSION) + field_size_varint(FRAME_REQUEST, request) +
                  field_size_bytes((uint32_t)verb, body.size);

    if (size > WIRE_FRAME_LIMIT)
        return STATUS_TOO_LARGE;
    field_put_varint(ret, FRAME_VERSION, WIRE_VERSION);
    field_put_varint(ret, FRAME_REQUEST, request);
    field_put_bytes(ret, (uint32_t)verb, body);
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

struct byte_view wire_view(ProtobufCBinaryData field)
{
    return bytes_view(field.data, field.len);
}

ProtobufCBinaryData wire_data(struct byte_view view)
{
    return (ProtobufCBinaryData){.len = view.size, .data = (uint8_t *)(uintptr_t)view.data};
}
