#pragma once

#include "base/bytes.h"
#include "proto/wire.pb-c.h"

/*
 * Strict protobuf over protobuf-c: what comes out of wire_unpack() re-encodes to exactly the bytes that went
 * in. Nothing is allocated a field: a message lives in an arena that is bounded, kept and reused.
 * Format: docs/wire-format.md, "Frames".
 */

#define WIRE_VERSION     1
#define WIRE_FRAME_LIMIT ((size_t)256 << 10) /* the largest frame, in bytes */
#define WIRE_CURVE_ADDED 33 /* bytes that CURVE adds to a frame; ZMQ_MAXMSGSIZE counts them too */
#define WIRE_BODY_LIMIT  ((size_t)16 << 20) /* the largest bundle body, in bytes */

/*
 * Memory for unpacked messages and what is derived from them. Zero-initialise through wire_arena(). Whatever
 * was taken stays valid until the next wire_arena_reset(). Not thread-safe: one arena a thread.
 */
struct wire_chunk;
struct wire_arena {
    struct wire_chunk *chunks; /* newest first; the first is the one that is being filled */
    size_t used;               /* bytes handed out since the last reset */
    size_t limit;              /* how many may be handed out between two resets */
    size_t expected;           /* how much was handed out before, so that one chunk may do */
};

#define WIRE_ARENA_FRAME ((size_t)4 << 20)   /* fits every frame that wire_unpack accepts */
#define WIRE_ARENA_BODY  ((size_t)160 << 20) /* fits every bundle body */

struct wire_arena wire_arena(size_t limit);

/* wire_arena_alloc - size zeroed bytes, aligned for any type, or NULL beyond the limit or without memory. */
void *wire_arena_alloc(struct wire_arena *arena, size_t size);

/* wire_arena_reset - all that was handed out is void; keeps up to 1 MiB of memory for what comes next. */
void wire_arena_reset(struct wire_arena *arena);

void wire_arena_free(struct wire_arena *arena); /* leaves it empty and usable again */

/*
 * wire_unpack - one message of the given type from exactly these bytes.
 *
 * limit    the most bytes accepted
 * arena    takes at most 8 × bytes.size + 64 KiB; the message lives there until the arena is reset
 *
 * Returns STATUS_TOO_LARGE (more bytes than limit, or a message that swells beyond what the arena may take),
 * STATUS_BAD_FORMAT (not protobuf, a required field missing, an unknown field or enum value at any depth,
 * text that is not UTF-8), STATUS_NOT_CANONICAL (re-encoding gives other bytes) or STATUS_NO_MEMORY.
 */
enum status wire_unpack(const ProtobufCMessageDescriptor *type, struct byte_view bytes, size_t limit,
                        struct wire_arena *arena, const ProtobufCMessage **ret_message);

/* wire_pack - appends the encoding of message; fails as appends do, see ret->status. */
void wire_pack(const ProtobufCMessage *message, struct byte_buffer *ret);

/*
 * wire_frame_unpack - a frame of at most WIRE_FRAME_LIMIT bytes, of our version, with a verb.
 *
 * Returns what wire_unpack does, and STATUS_UNSUPPORTED for another version, whatever else is in it, or
 * STATUS_BAD_FORMAT without a verb. What the fields hold is for wire_check_frame() to look at.
 */
enum status wire_frame_unpack(struct byte_view bytes, struct wire_arena *arena,
                              const Wire__Frame **ret_frame);

/*
 * wire_frame_pack - appends a frame around a message that is encoded already.
 *
 * verb  which message body is: a field number of Frame, as in Wire__Frame's verb_case
 *
 * Returns STATUS_TOO_LARGE when the frame would exceed WIRE_FRAME_LIMIT, or what appending returned; ret is
 * then as before.
 */
enum status wire_frame_pack(uint64_t request, Wire__Frame__VerbCase verb, struct byte_view body,
                            struct byte_buffer *ret);

/* wire_view - the bytes of a field. */
struct byte_view wire_view(ProtobufCBinaryData field);

/* wire_data - the same the other way round, for filling a message that will be packed and not changed. */
ProtobufCBinaryData wire_data(struct byte_view view);
