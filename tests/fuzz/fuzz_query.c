/*
 * An encoded Query as it comes over the wire, against a bundle: refused with a sentence that fits the log, as
 * no fuzzer signs. A second reading says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "broker/query_check.h"
#include "proto/wire_check.h"
#include "tests/support/support.h"

#include "tests/support/partnership.h"

#define MEMBER "police.staffordshire"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bundle *some_bundle(void)
{
    struct partnership *partnership = partnership_new();
    struct keystore *police = partnership_member(partnership, MEMBER, ROLE_AGENT);
    struct keystore *broker = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer file = partnership_bundle(partnership);
    struct bundle *bundle = partnership_first(partnership, &file);

    bytes_buffer_free(&file);
    keystore_free(&police);
    keystore_free(&broker);
    partnership_free(&partnership);
    return bundle;
}

/* The query in a frame, so that all bounds are asked for as the gate does. */
static void read_query(const struct bundle *bundle, const Wire__Frame *frame)
{
    const struct query_check_place place = {.bundle = bundle, .member = MEMBER, .now = PARTNERSHIP_NOW};
    struct query_checked *checked = calloc(1, sizeof *checked);

    if (checked != NULL && query_check(frame->query, &place, checked) == STATUS_OK) {
        if (checked->proven || checked->refusal[0] == 0 ||
            !utf8_printable(bytes_of_string(checked->refusal)) ||
            !wire_check_officer(bytes_of_string(checked->named)))
            abort();
        query_check_clear(checked);
    }
    free(checked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bundle *bundle;
    static struct wire_arena arena;
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    const Wire__Frame *frame = NULL;
    const char *reason = NULL;

    if (bundle == NULL) {
        bundle = some_bundle();
        arena = wire_arena(WIRE_ARENA_FRAME);
    }
    wire_arena_reset(&arena);
    if (wire_frame_pack(7, WIRE__FRAME__VERB_QUERY, bytes_view(data, size), &bytes) == STATUS_OK &&
        wire_frame_unpack(bytes_buffer_view(&bytes), &arena, &frame) == STATUS_OK &&
        wire_check_frame(frame, &reason) == STATUS_OK && frame->verb_case == WIRE__FRAME__VERB_QUERY)
        read_query(bundle, frame);
    bytes_buffer_free(&bytes);
    return 0;
}
