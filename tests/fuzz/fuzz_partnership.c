/*
 * The first byte chooses: a whole bundle file, or a body alone, to which a fitting head is made here, so that
 * the fuzzer gets past the digests. What is taken must pack to the same bytes again. The seeds are bundles
 * that concordat-authority made for a broker and an agent.
 */
#include <stdlib.h>
#include <string.h>

#include "certs/bundle.h"
#include "certs/head.h"
#include "proto/wire_codec.h"

#define NOW INT64_C(1796115600000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inspect(struct byte_view file)
{
    struct bundle *bundle = NULL;
    struct bundle_reason reason;
    struct byte_buffer again = bytes_buffer(0);

    if (bundle_inspect(file, &bundle, &reason) != STATUS_OK)
        return;
    if (bundle_pack(bundle_signed_head(bundle), bundle_body(bundle), &again) != STATUS_OK ||
        !bytes_equal(bytes_buffer_view(&again), file) ||
        bundle_compare_head(bundle, bundle_signed_head(bundle), NOW) != BUNDLE_SAME)
        abort();
    for (size_t i = 0; i < directory_size(bundle_directory(bundle)); i++) {
        const struct directory_entry *entry = directory_at(bundle_directory(bundle), i);
        if (directory_by_certificate(bundle_directory(bundle), entry->digest) != entry)
            abort();
    }
    bytes_buffer_free(&again);
    bundle_free(&bundle);
}

/* A head that names this body and the root in it. */
static bool make_head(struct byte_view body, struct byte_buffer *ret)
{
    struct head head = {.serial = 1, .not_before = NOW, .not_after = NOW + 1000};
    struct wire_arena arena = wire_arena(WIRE_ARENA_BODY);
    const ProtobufCMessage *message = NULL;
    bool good =
        wire_unpack(&wire__bundle_body__descriptor, body, BUNDLE_LARGEST, &arena, &message) == STATUS_OK;

    if (good) {
        digest_sha256(body, head.body);
        digest_sha256(wire_view(((const Wire__BundleBody *)message)->root), head.root);
        head_encode(&head, ret);
    }
    wire_arena_free(&arena);
    return good;
}

static void inspect_body(struct byte_view body)
{
    struct byte_buffer head = bytes_buffer(HEAD_LARGEST);
    struct byte_buffer file = bytes_buffer(0);
    Wire__SignedHead signed_head = WIRE__SIGNED_HEAD__INIT;

    if (make_head(body, &head)) {
        signed_head.head = wire_data(bytes_buffer_view(&head));
        if (bundle_pack(&signed_head, body, &file) == STATUS_OK)
            inspect(bytes_buffer_view(&file));
    }
    bytes_buffer_free(&file);
    bytes_buffer_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        inspect(bytes_view(data + 1, size - 1));
    else
        inspect_body(bytes_view(data + 1, size - 1));
    return 0;
}
