#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/digest.h"

static struct sample sample;
static struct wire_arena arena;
static struct byte_buffer work;

static int make(void **state)
{
    (void)state;
    sample_make(&sample, 2);
    arena = wire_arena(WIRE_ARENA_FRAME);
    work = bytes_buffer((size_t)1 << 20);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sample_free(&sample);
    wire_arena_free(&arena);
    bytes_buffer_free(&work);
    return 0;
}

static void make_full(struct core *core)
{
    *core = sample.events[0].core;
    core->has_correlation = true;
    memcpy(core->correlation, sample.events[1].core.event, CORE_EVENT_SIZE);
    core->has_supersedes = true;
    memcpy(core->supersedes, sample.events[0].core.event, CORE_EVENT_SIZE);
    core->has_repeats = true;
    memcpy(core->repeats, sample.events[1].core.event, CORE_EVENT_SIZE);
}

static struct byte_view encode(const struct core *core)
{
    bytes_buffer_clear(&work);
    assert_int_equal(core_encode(core, &work), STATUS_OK);
    return bytes_buffer_view(&work);
}

static const Wire__Core *unpack(struct byte_view bytes)
{
    const ProtobufCMessage *message = NULL;

    wire_arena_reset(&arena);
    return wire_unpack(&wire__core__descriptor, bytes, CORE_SIZE_MAX, &arena, &message) == STATUS_OK
               ? (const Wire__Core *)message
               : NULL;
}

static void test_agrees_with_the_schema(void **state)
{
    (void)state;
    struct core core;
    struct core decoded;

    make_full(&core);
    struct byte_view bytes = encode(&core);
    const Wire__Core *wire = unpack(bytes);
    assert_non_null(wire);
    assert_string_equal(wire->type, "release.planned");
    assert_string_equal(wire->from, SAMPLE_FROM);
    assert_true(wire->has_correlation && wire->has_supersedes && wire->has_repeats);
    assert_int_equal(wire->n_attributes, 3);
    assert_true(wire->occurred == (uint64_t)core.occurred);
    assert_int_equal(core_decode(bytes, &decoded), STATUS_OK);
    assert_memory_equal(decoded.subject, core.subject, CORE_SUBJECT_SIZE);
    assert_memory_equal(decoded.bundle, core.bundle, CORE_DIGEST_SIZE);
    assert_memory_equal(decoded.repeats, core.repeats, CORE_EVENT_SIZE);
    assert_memory_equal(decoded.attributes[2].commitment, core.attributes[2].commitment, CORE_DIGEST_SIZE);
    assert_true(bytes_equal(decoded.effective, core.effective));
    assert_true(bytes_equal(decoded.officer, core.officer));
    assert_true(decoded.created == core.created);
}

/* Whatever the hand-written decoder accepts, the schema's does, and it encodes to the same bytes again. */
static void test_accepts_no_more_than_the_schema(void **state)
{
    (void)state;
    struct support_random random = support_seeded(3);
    struct byte_buffer spoiled = bytes_buffer(CORE_SIZE_MAX);
    struct core core;
    size_t accepted = 0;

    make_full(&core);
    struct byte_buffer original = bytes_buffer(CORE_SIZE_MAX);
    assert_int_equal(core_encode(&core, &original), STATUS_OK);
    for (size_t i = 0; i < support_count(20000); i++) {
        bytes_buffer_clear(&spoiled);
        bytes_append_view(&spoiled, bytes_buffer_view(&original));
        size_t at = (size_t)support_below(&random, spoiled.size);
        spoiled.data[at] = (uint8_t)support_next(&random);
        if (core_decode(bytes_buffer_view(&spoiled), &core) != STATUS_OK)
            continue;
        accepted++;
        assert_non_null(unpack(bytes_buffer_view(&spoiled)));
        assert_true(bytes_equal(encode(&core), bytes_buffer_view(&spoiled)));
    }
    assert_in_range(accepted, 1000, 19000); /* commitments, digests and times may be anything */
    bytes_buffer_free(&original);
    bytes_buffer_free(&spoiled);
}

typedef void (*spoil_fn)(struct core *core);

static void spoil_event(struct core *core)
{
    core->event[6] = 0x40; /* version 4 */
}

static void spoil_variant(struct core *core)
{
    core->event[8] = 0;
}

static void spoil_type(struct core *core)
{
    core->type = bytes_of_string("Release");
}

static void spoil_from(struct core *core)
{
    core->from = bytes_of_string("dovegate");
}

static void spoil_purpose(struct core *core)
{
    core->purpose = bytes_of_string("");
}

static void spoil_officer(struct core *core)
{
    core->officer = bytes_of_string("a\nb");
}

static void spoil_subject(struct core *core)
{
    memset(core->subject, 0, 4); /* epoch 0 */
}

static void spoil_time(struct core *core)
{
    core->created = CORE_TIME_MAX + 1;
}

static void spoil_date(struct core *core)
{
    core->effective = bytes_of_string("2026-02-30");
}

static void spoil_correlation(struct core *core)
{
    core->has_correlation = true;
    memset(core->correlation, 0, CORE_EVENT_SIZE);
}

static void spoil_attributes(struct core *core)
{
    core->attributes[2].id = core->attributes[0].id;
}

static void test_refuses_bad_fields(void **state)
{
    (void)state;
    static const spoil_fn spoils[] = {
        spoil_event,   spoil_variant, spoil_type, spoil_from,        spoil_purpose,    spoil_officer,
        spoil_subject, spoil_time,    spoil_date, spoil_correlation, spoil_attributes,
    };

    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        struct core core = sample.events[0].core;
        spoils[i](&core);
        bytes_buffer_clear(&work);
        if (core_encode(&core, &work) != STATUS_BAD_ARGUMENT)
            fail_msg("spoil %zu was encoded", i);
        assert_int_equal(work.size, 0);
    }
}

/* What an encoder with fewer scruples could send. */
static void test_refuses_bad_bytes(void **state)
{
    (void)state;
    struct core core;
    struct byte_view good = bytes_buffer_view(&sample.events[0].core_bytes);
    struct byte_buffer bad = bytes_buffer(CORE_SIZE_MAX + 1);

    bytes_append_view(&bad, good);
    bad.data[2 + 6] = 0x40; /* version 4 in the event id */
    assert_int_equal(core_decode(bytes_buffer_view(&bad), &core), STATUS_BAD_FORMAT);
    bad.data[2 + 6] = good.data[2 + 6];
    bytes_append(&bad, "\x80\x01\x01", 3); /* field 16 */
    assert_int_equal(core_decode(bytes_buffer_view(&bad), &core), STATUS_BAD_FORMAT);
    bytes_append_zeros(&bad, CORE_SIZE_MAX + 1 - bad.size);
    assert_int_equal(core_decode(bytes_buffer_view(&bad), &core), STATUS_TOO_LARGE);
    for (size_t cut = 0; cut < good.size; cut++) {
        struct byte_view short_one = bytes_view(good.data, cut);
        enum status status = core_decode(short_one, &core);
        /* Attributes come last and are repeated: a cut between two leaves a core with fewer. */
        if (status == STATUS_OK)
            assert_true(core.attribute_count < 3);
    }
    bytes_buffer_free(&bad);
}

static void test_header_round_trip(void **state)
{
    (void)state;
    struct header header;
    struct byte_view bytes = bytes_buffer_view(&sample.events[0].header);
    size_t position = 9;
    uint8_t leaf[32];
    uint8_t expected[32];
    const struct byte_view parts[] = {bytes_view("\0", 1), bytes};

    assert_int_equal(header_parse(bytes, &header), STATUS_OK);
    assert_true(bytes_equal(header.core, bytes_buffer_view(&sample.events[0].core_bytes)));
    assert_int_equal(header.section_count, 2);
    assert_true(header_find_section(&header, header_section(&header, 1), &position));
    assert_int_equal(position, 1);
    assert_false(header_find_section(&header, sample.events[0].core.bundle, &position));
    header_leaf(bytes, leaf);
    digest_sha256_parts(parts, 2, expected);
    assert_memory_equal(leaf, expected, 32);
    for (size_t cut = 0; cut < bytes.size; cut++) {
        if (header_parse(bytes_view(bytes.data, cut), &header) == STATUS_OK)
            assert_true(cut == bytes.size - 32 || cut == bytes.size - 64);
    }
}

static void test_header_has_limits(void **state)
{
    (void)state;
    static uint8_t digests[HEADER_SECTIONS_MAX + 1][HEADER_DIGEST_SIZE];
    static uint8_t core[CORE_SIZE_MAX + 1];
    const uint8_t(*list)[HEADER_DIGEST_SIZE] = (const uint8_t(*)[HEADER_DIGEST_SIZE])digests;
    struct header header;

    bytes_buffer_clear(&work);
    assert_int_equal(header_build(bytes_view(core, 5), list, HEADER_SECTIONS_MAX + 1, &work),
                     STATUS_TOO_LARGE);
    assert_int_equal(header_build(bytes_view(core, sizeof core), list, 0, &work), STATUS_TOO_LARGE);
    assert_int_equal(header_build(bytes_view(core, CORE_SIZE_MAX), list, HEADER_SECTIONS_MAX, &work),
                     STATUS_OK);
    assert_int_equal(header_parse(bytes_buffer_view(&work), &header), STATUS_OK);
    assert_int_equal(header.section_count, HEADER_SECTIONS_MAX);
    bytes_append_zeros(&work, HEADER_DIGEST_SIZE);
    assert_int_equal(header_parse(bytes_buffer_view(&work), &header), STATUS_TOO_LARGE);
    bytes_buffer_clear(&work);
    assert_int_equal(header_build(bytes_view(core, 1), list, 0, &work), STATUS_OK); /* nobody is told */
    assert_int_equal(header_parse(bytes_buffer_view(&work), &header), STATUS_OK);
    bytes_append_zeros(&work, (HEADER_SECTIONS_MAX + 1) * HEADER_DIGEST_SIZE);
    assert_int_equal(header_parse(bytes_buffer_view(&work), &header), STATUS_TOO_LARGE);
}

static void test_opening_round_trip(void **state)
{
    (void)state;
    struct opening_attribute attributes[CORE_ATTRIBUTES_MAX];
    struct byte_view bytes = bytes_buffer_view(&sample.events[0].opening);
    const ProtobufCMessage *message;
    size_t count = 0;

    assert_int_equal(opening_decode(bytes, attributes, &count), STATUS_OK);
    assert_int_equal(count, 3);
    assert_true(bytes_equal(attributes[2].value, sample.events[0].attributes[2].value));
    wire_arena_reset(&arena);
    assert_int_equal(wire_unpack(&wire__opening__descriptor, bytes, 4096, &arena, &message), STATUS_OK);
    const Wire__Opening *opening = (const Wire__Opening *)message;
    assert_int_equal(opening_check(&sample.events[0].core, opening), STATUS_OK);
    assert_int_equal(opening_check(&sample.events[1].core, opening), STATUS_BAD_COMMITMENT);
    for (size_t i = 0; i < bytes.size; i++)
        assert_true(opening_decode(bytes_view(bytes.data, i), attributes, &count) != STATUS_OK || count < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_schema), cmocka_unit_test(test_accepts_no_more_than_the_schema),
        cmocka_unit_test(test_refuses_bad_fields),     cmocka_unit_test(test_refuses_bad_bytes),
        cmocka_unit_test(test_header_round_trip),      cmocka_unit_test(test_header_has_limits),
        cmocka_unit_test(test_opening_round_trip),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
