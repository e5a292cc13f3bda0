#include "proto/envelope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/digest.h"
#include "proto/field.h"
#include "proto/opening.h"

_Static_assert(HEADER_DIGEST_SIZE == DIGEST_SIZE && SECTION_DIGEST_SIZE == DIGEST_SIZE, "one kind of digest");

/* Field numbers of messages Publish and Slice in wire.proto. */
enum { CERTIFICATE = 1, SIGNATURE, HEADERS, SLICES, OPENINGS };
enum { TO = 1, INDEXES, SECTIONS };

/* ---- the sender's side ---- */

/* One section of a batch, on its way to the slice of its recipient. */
struct placed {
    const struct envelope_slot *slot;
    uint32_t event;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *left = a;
    const struct placed *right = b;
    int order = bytes_compare(left->slot->to, right->slot->to);

    if (order != 0)
        return order;
    return left->event < right->event ? -1 : left->event > right->event;
}

/* That an event's slots are the sections of its header, each in its place. */
static enum status check_event(const struct envelope_event *event)
{
    struct header header;

    if (header_parse(event->header, &header) != STATUS_OK)
        return STATUS_BAD_ARGUMENT;
    if (header.section_count != event->slot_count)
        return STATUS_MISMATCH;
    for (size_t i = 0; i < event->slot_count; i++) {
        uint8_t digest[DIGEST_SIZE];
        if (i > 0 && bytes_compare(event->slots[i - 1].to, event->slots[i].to) >= 0)
            return STATUS_BAD_ARGUMENT;
        section_digest(event->slots[i].section, digest);
        if (memcmp(digest, header_section(&header, i), DIGEST_SIZE) != 0)
            return STATUS_MISMATCH;
    }
    return STATUS_OK;
}

static enum status place_sections(const struct envelope_event *events, size_t event_count,
                                  struct placed **ret_placed, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < event_count; i++) {
        enum status status = check_event(&events[i]);
        if (status != STATUS_OK)
            return status;
        count += events[i].slot_count;
    }
    struct placed *placed = calloc(count + 1, sizeof *placed);
    if (placed == NULL)
        return STATUS_NO_MEMORY;
    size_t next = 0;
    for (size_t i = 0; i < event_count; i++) {
        for (size_t j = 0; j < events[i].slot_count; j++)
            placed[next++] = (struct placed){&events[i].slots[j], (uint32_t)i};
    }
    qsort(placed, count, sizeof *placed, compare_placed);
    *ret_placed = placed;
    *ret_count = count;
    return STATUS_OK;
}

static void put_slice(struct byte_buffer *body, const struct placed *placed, size_t count)
{
    size_t indexes = 0;
    size_t sections = 0;

    for (size_t i = 0; i < count; i++) {
        indexes += field_size_raw(placed[i].event);
        sections += field_size_bytes(SECTIONS, placed[i].slot->section.size);
    }
    field_put_start(body, SLICES,
                    field_size_bytes(TO, placed[0].slot->to.size) + field_size_bytes(INDEXES, indexes) +
                        sections);
    field_put_bytes(body, TO, placed[0].slot->to);
    field_put_start(body, INDEXES, indexes);
    for (size_t i = 0; i < count; i++)
        field_put_raw(body, placed[i].event);
    for (size_t i = 0; i < count; i++)
        field_put_bytes(body, SECTIONS, placed[i].slot->section);
}

/* One slice for each run of sections to the same recipient. */
static void put_slices(struct byte_buffer *body, const struct placed *placed, size_t count)
{
    for (size_t start = 0, end; start < count; start = end) {
        end = start + 1;
        while (end < count && bytes_equal(placed[start].slot->to, placed[end].slot->to))
            end++;
        put_slice(body, placed + start, end - start);
    }
}

static enum status sign_headers(const struct batch_signer *signer, const struct ed25519_key *key,
                                const struct envelope_event *events, size_t event_count,
                                uint8_t ret_signature[static ED25519_SIGNATURE_SIZE])
{
    struct byte_view headers[ENVELOPE_BATCH_MAX];

    for (size_t i = 0; i < event_count; i++)
        headers[i] = events[i].header;
    return batch_sign(BATCH_PURPOSE_EVENTS, key, signer, headers, event_count, ret_signature);
}

enum status envelope_publish_build(uint64_t request, const struct batch_signer *signer,
                                   const struct ed25519_key *key, const struct envelope_event *events,
                                   size_t event_count, struct byte_buffer *ret)
{
    struct byte_buffer body = bytes_buffer(WIRE_FRAME_LIMIT);
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct placed *placed = NULL;
    size_t placed_count = 0;
    enum status status = STATUS_BAD_ARGUMENT;

    if (event_count == 0 || event_count > ENVELOPE_BATCH_MAX)
        goto out;
    status = place_sections(events, event_count, &placed, &placed_count);
    if (status != STATUS_OK)
        goto out;
    status = sign_headers(signer, key, events, event_count, signature);
    if (status != STATUS_OK)
        goto out;
    field_put_bytes(&body, CERTIFICATE, bytes_view(signer->certificate.bytes, DIGEST_SIZE));
    field_put_bytes(&body, SIGNATURE, bytes_view(signature, sizeof signature));
    for (size_t i = 0; i < event_count; i++)
        field_put_bytes(&body, HEADERS, events[i].header);
    put_slices(&body, placed, placed_count);
    for (size_t i = 0; i < event_count; i++)
        field_put_bytes(&body, OPENINGS, events[i].opening);
    status = body.status;
    if (status != STATUS_OK)
        goto out;
    status = wire_frame_pack(request, WIRE__FRAME__VERB_PUBLISH, bytes_buffer_view(&body), ret);
out:
    free(placed);
    bytes_buffer_free(&body);
    return status;
}

size_t envelope_publish_size(const struct envelope_event *event)
{
    const size_t tag_and_size = 4; /* of a field in a frame of 256 KiB, at most */
    size_t size = event->header.size + event->opening.size + 2 * tag_and_size;

    for (size_t i = 0; i < event->slot_count; i++) {
        /* At worst a slice of its own: slice, to, indexes, one index of two bytes, section. */
        size += 4 * tag_and_size + event->slots[i].to.size + 2 + event->slots[i].section.size;
    }
    return size;
}

/* ---- shared by those who verify ---- */

static bool is_signer(ProtobufCBinaryData certificate, const struct batch_signer *signer)
{
    return bytes_equal(wire_view(certificate), bytes_view(signer->certificate.bytes, DIGEST_SIZE));
}

enum status envelope_path_root(struct byte_view item, uint32_t index, uint32_t count,
                               const ProtobufCBinaryData *path, size_t length, struct digest *ret_root)
{
    struct digest hashes[BATCH_LONGEST_PATH];
    struct batch_place place = {.index = index, .count = count, .path = hashes, .length = length};

    if (length > BATCH_LONGEST_PATH)
        return STATUS_BAD_PROOF;
    for (size_t i = 0; i < length; i++) {
        if (path[i].len != DIGEST_SIZE)
            return STATUS_BAD_PROOF;
        memcpy(hashes[i].bytes, path[i].data, DIGEST_SIZE);
    }
    return batch_place_root(item, &place, ret_root);
}

static enum status verify_root(ProtobufCBinaryData certificate, ProtobufCBinaryData signature,
                               const struct batch_signer *signer, const struct ed25519_key *key,
                               uint32_t count, const struct digest *root)
{
    if (!is_signer(certificate, signer))
        return STATUS_UNKNOWN_KEY;
    if (signature.len != ED25519_SIGNATURE_SIZE)
        return STATUS_BAD_SIGNATURE;
    return batch_verify_root(BATCH_PURPOSE_EVENTS, key, signer, count, root, signature.data);
}

/* ---- the broker's side ---- */

static enum status verify_headers(const Wire__Publish *publish, const struct batch_signer *signer,
                                  const struct ed25519_key *key, struct envelope_published *published,
                                  struct merkle_batch *tree)
{
    struct digest leaves[ENVELOPE_BATCH_MAX];

    for (size_t i = 0; i < published->count; i++) {
        struct envelope_published_event *event = &published->events[i];
        event->header_bytes = wire_view(publish->headers[i]);
        header_leaf(event->header_bytes, event->leaf);
        memcpy(leaves[i].bytes, event->leaf, DIGEST_SIZE);
    }
    merkle_batch_build(tree, leaves, published->count);
    published->tree = tree;
    struct digest root = merkle_batch_root(tree);
    return verify_root(publish->certificate, publish->signature, signer, key, (uint32_t)published->count,
                       &root);
}

static enum status open_event(struct envelope_published_event *event, struct byte_view from,
                              struct wire_arena *arena)
{
    enum status status = header_parse(event->header_bytes, &event->header);

    if (status != STATUS_OK)
        return status;
    status = core_decode(event->header.core, &event->core);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(event->core.from, from))
        return STATUS_MISMATCH;
    status = opening_check(&event->core, event->opening);
    if (status != STATUS_OK)
        return status;
    header_digest(event->header_bytes, event->digest);
    event->parts = wire_arena_alloc(arena, event->header.section_count * sizeof *event->parts);
    return event->parts == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Puts a section in the next place of its event, if it is the one that the header names there. */
static enum status add_part(struct envelope_published_event *event, struct byte_view bytes,
                            struct byte_view to)
{
    struct envelope_part *part = &event->parts[event->part_count];
    uint8_t digest[DIGEST_SIZE];

    if (event->part_count == event->header.section_count)
        return STATUS_MISMATCH;
    section_digest(bytes, digest);
    part->bytes = bytes;
    part->digest = header_section(&event->header, event->part_count);
    if (memcmp(digest, part->digest, DIGEST_SIZE) != 0)
        return STATUS_MISMATCH;
    enum status status = section_decode(bytes, &part->section);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(part->section.to, to))
        return STATUS_MISMATCH;
    event->part_count++;
    return STATUS_OK;
}

/* Slices ascend by recipient, and so does each header: the sections of an event come in the header's order.
 */
static enum status add_parts(const Wire__Publish *publish, struct envelope_published *published)
{
    for (size_t i = 0; i < publish->n_slices; i++) {
        const Wire__Slice *slice = publish->slices[i];
        for (size_t j = 0; j < slice->n_indexes; j++) {
            enum status status = add_part(&published->events[slice->indexes[j]],
                                          wire_view(slice->sections[j]), bytes_of_string(slice->to));
            if (status != STATUS_OK)
                return status;
        }
    }
    for (size_t i = 0; i < published->count; i++) {
        if (published->events[i].part_count != published->events[i].header.section_count)
            return STATUS_MISMATCH;
    }
    return STATUS_OK;
}

enum status envelope_publish_verify(const Wire__Publish *publish, struct byte_view from,
                                    const struct batch_signer *signer, const struct ed25519_key *key,
                                    struct wire_arena *arena, struct envelope_published *ret_published)
{
    struct envelope_published published = {.count = publish->n_headers};

    assert(published.count >= 1 && published.count <= ENVELOPE_BATCH_MAX);
    published.events = wire_arena_alloc(arena, published.count * sizeof *published.events);
    struct merkle_batch *tree = wire_arena_alloc(arena, sizeof *tree);
    if (published.events == NULL || tree == NULL)
        return STATUS_NO_MEMORY;
    enum status status = verify_headers(publish, signer, key, &published, tree);
    for (size_t i = 0; status == STATUS_OK && i < published.count; i++) {
        published.events[i].opening = publish->openings[i];
        status = open_event(&published.events[i], from, arena);
    }
    if (status == STATUS_OK)
        status = add_parts(publish, &published);
    if (status == STATUS_OK)
        *ret_published = published;
    return status;
}

/* ---- the recipient's side ---- */

enum status envelope_delivery_verify(const Wire__Deliver *deliver, const struct batch_signer *signer,
                                     const struct ed25519_key *key, struct envelope_delivery *ret_delivery)
{
    struct envelope_delivery delivery = {.deliver = deliver};

    assert(deliver->n_events >= 1);
    const Wire__Delivered *first = deliver->events[0];
    enum status status = envelope_path_root(wire_view(first->header), first->index, deliver->count,
                                            first->path, first->n_path, &delivery.root);
    if (status != STATUS_OK)
        return status;
    status =
        verify_root(deliver->certificate, deliver->signature, signer, key, deliver->count, &delivery.root);
    if (status == STATUS_OK)
        *ret_delivery = delivery;
    return status;
}

/* The header, its core and its digests, once it is known to be what was signed. */
static enum status read_header(struct byte_view bytes, struct header *header, struct core *core)
{
    enum status status = header_parse(bytes, header);

    return status != STATUS_OK ? status : core_decode(header->core, core);
}

enum status envelope_delivered_verify(const struct envelope_delivery *delivery, size_t i, struct byte_view us,
                                      struct envelope_delivered *ret_delivered)
{
    const Wire__Deliver *deliver = delivery->deliver;
    const Wire__Delivered *event = deliver->events[i];
    struct byte_view header_bytes = wire_view(event->header);
    struct byte_view section_bytes = wire_view(event->section);
    struct envelope_delivered delivered = {.counter = event->counter};
    struct digest root;
    size_t position;

    enum status status =
        envelope_path_root(header_bytes, event->index, deliver->count, event->path, event->n_path, &root);
    if (status != STATUS_OK)
        return status;
    if (memcmp(root.bytes, delivery->root.bytes, DIGEST_SIZE) != 0)
        return STATUS_BAD_PROOF;
    status = read_header(header_bytes, &delivered.header, &delivered.core);
    if (status != STATUS_OK)
        return status;
    section_digest(section_bytes, delivered.section_digest);
    if (!bytes_equal(delivered.core.from, bytes_of_string(deliver->from)) ||
        !header_find_section(&delivered.header, delivered.section_digest, &position))
        return STATUS_MISMATCH;
    status = section_decode(section_bytes, &delivered.section);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(delivered.section.to, us))
        return STATUS_MISMATCH;
    header_digest(header_bytes, delivered.header_digest);
    core_digest(delivered.header.core, delivered.core_digest);
    *ret_delivered = delivered;
    return STATUS_OK;
}

enum status envelope_ground_verify(const Wire__Ground *ground, const struct batch_signer *signer,
                                   const struct ed25519_key *key, struct core *ret_core)
{
    struct byte_view bytes = wire_view(ground->header);
    struct header header;
    struct core core;
    struct digest root;

    enum status status =
        envelope_path_root(bytes, ground->index, ground->count, ground->path, ground->n_path, &root);
    if (status != STATUS_OK)
        return status;
    status = verify_root(ground->certificate, ground->signature, signer, key, ground->count, &root);
    if (status != STATUS_OK)
        return status;
    status = read_header(bytes, &header, &core);
    if (status != STATUS_OK)
        return status;
    status = opening_check_part(&core, ground->opening);
    if (status == STATUS_OK)
        *ret_core = core;
    return status;
}
