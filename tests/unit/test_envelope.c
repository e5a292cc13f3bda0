#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/wire_check.h"

#define REQUEST_AT 3 /* where a frame holds the value of its request, which nobody signs */

static struct sample sample;
static struct wire_arena arena;

static int make(void **state)
{
    (void)state;
    sample_make(&sample, 5);
    arena = wire_arena(WIRE_ARENA_FRAME);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sample_free(&sample);
    wire_arena_free(&arena);
    return 0;
}

/* All that a broker does with a frame from prison.dovegate before it asks any rule. */
static enum status receive_publish(struct byte_view bytes, struct envelope_published *ret_published)
{
    const Wire__Frame *frame;
    const char *reason;

    wire_arena_reset(&arena);
    enum status status = wire_frame_unpack(bytes, &arena, &frame);
    if (status != STATUS_OK)
        return status;
    if (frame->verb_case != WIRE__FRAME__VERB_PUBLISH)
        return STATUS_REFUSED;
    status = wire_check_frame(frame, &reason);
    if (status != STATUS_OK)
        return status;
    return envelope_publish_verify(frame->publish, bytes_of_string(SAMPLE_FROM), &sample.signer,
                                   sample.sender, &arena, ret_published);
}

/* All that police.staffordshire does with a delivery; opens every section. */
static enum status receive_deliver(struct byte_view bytes, struct section_opener *opener, size_t *ret_opened)
{
    const Wire__Frame *frame;
    const char *reason;
    struct envelope_delivery delivery;

    wire_arena_reset(&arena);
    enum status status = wire_frame_unpack(bytes, &arena, &frame);
    if (status != STATUS_OK)
        return status;
    if (frame->verb_case != WIRE__FRAME__VERB_DELIVER)
        return STATUS_REFUSED;
    status = wire_check_frame(frame, &reason);
    if (status == STATUS_OK)
        status = envelope_delivery_verify(frame->deliver, &sample.signer, sample.sender, &delivery);
    for (size_t i = 0; status == STATUS_OK && i < frame->deliver->n_events; i++) {
        struct envelope_delivered delivered;
        struct items *items = NULL;
        status = envelope_delivered_verify(&delivery, i, bytes_of_string(SAMPLE_POLICE), &delivered);
        if (status == STATUS_OK)
            status = section_open(opener, &delivered.section, delivered.core_digest, &items);
        if (status == STATUS_OK)
            *ret_opened += 1;
        items_free(&items);
    }
    return status;
}

static void test_publish_verifies(void **state)
{
    (void)state;
    struct envelope_published published;

    assert_int_equal(receive_publish(bytes_buffer_view(&sample.publish), &published), STATUS_OK);
    assert_int_equal(published.count, 5);
    for (size_t i = 0; i < published.count; i++) {
        const struct envelope_published_event *event = &published.events[i];
        assert_true(bytes_equal(event->header_bytes, bytes_buffer_view(&sample.events[i].header)));
        assert_memory_equal(event->core.event, sample.events[i].core.event, CORE_EVENT_SIZE);
        assert_int_equal(event->part_count, i % 2 == 0 ? 2 : 1);
        assert_true(bytes_equal(event->parts[0].section.to, bytes_of_string(SAMPLE_POLICE)));
        assert_true(bytes_equal(event->parts[0].bytes, bytes_buffer_view(&sample.events[i].sections[0])));
        assert_string_equal(opening_value(event->opening, "home_force"), "police.staffordshire");
        assert_null(opening_value(event->opening, "juvenile"));
    }
    assert_int_equal(published.tree->size, 5);
}

static void test_publish_size_is_an_upper_bound(void **state)
{
    (void)state;
    size_t bound = 128; /* frame, certificate, signature */

    for (size_t i = 0; i < sample.count; i++)
        bound += envelope_publish_size(&sample.envelopes[i]);
    assert_true(bound >= sample.publish.size);
}

static void test_publish_refuses_any_flipped_bit(void **state)
{
    (void)state;
    struct byte_buffer work = bytes_buffer(WIRE_FRAME_LIMIT);
    struct support_random random = support_seeded(1);
    size_t count = support_count(1500);

    for (size_t i = 0; i < count; i++) {
        struct envelope_published published;
        size_t bit = (size_t)support_below(&random, sample.publish.size * 8);
        if (bit / 8 == REQUEST_AT)
            continue;
        bytes_buffer_clear(&work);
        bytes_append_view(&work, bytes_buffer_view(&sample.publish));
        work.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (receive_publish(bytes_buffer_view(&work), &published) == STATUS_OK)
            fail_msg("bit %zu of the frame can be changed unseen", bit);
    }
    bytes_buffer_free(&work);
}

/* The frame as a message that a test may spoil, then have verified without being packed again. */
static Wire__Publish *unpack_publish(void)
{
    const Wire__Frame *frame;

    wire_arena_reset(&arena);
    assert_int_equal(wire_frame_unpack(bytes_buffer_view(&sample.publish), &arena, &frame), STATUS_OK);
    return frame->publish;
}

static enum status verify_publish(const Wire__Publish *publish)
{
    struct envelope_published published;

    return envelope_publish_verify(publish, bytes_of_string(SAMPLE_FROM), &sample.signer, sample.sender,
                                   &arena, &published);
}

static void test_publish_says_what_is_wrong(void **state)
{
    (void)state;
    Wire__Publish *publish = unpack_publish();
    assert_int_equal(verify_publish(publish), STATUS_OK);

    publish->headers[2].data[40] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_BAD_SIGNATURE);
    publish = unpack_publish();
    publish->signature.data[10] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_BAD_SIGNATURE);
    publish = unpack_publish();
    publish->certificate.data[0] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_UNKNOWN_KEY);
    publish = unpack_publish();
    publish->openings[0]->attributes[1]->value[0] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_BAD_COMMITMENT);
    publish = unpack_publish();
    publish->openings[0]->attributes[1]->salt.data[0] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_BAD_COMMITMENT);
    publish = unpack_publish();
    publish->openings[4]->n_attributes--;
    assert_int_equal(verify_publish(publish), STATUS_BAD_COMMITMENT);
    publish = unpack_publish();
    publish->slices[1]->sections[0].data[publish->slices[1]->sections[0].len - 1] ^= 1;
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
}

static void test_publish_refuses_moved_sections(void **state)
{
    (void)state;
    Wire__Publish *publish = unpack_publish();
    ProtobufCBinaryData *police = publish->slices[0]->sections;
    ProtobufCBinaryData *probation = publish->slices[1]->sections;
    ProtobufCBinaryData kept = police[0];

    police[0] = police[1]; /* into another event */
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
    police[0] = probation[0]; /* into another recipient's place */
    probation[0] = kept;
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);

    publish = unpack_publish(); /* addressed to somebody else */
    publish->slices[0]->to = (char *)(uintptr_t) "police.cheshire";
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
    publish = unpack_publish(); /* one left out */
    publish->slices[1]->n_indexes--;
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
    publish = unpack_publish(); /* one for an event that has none in that place */
    publish->slices[1]->indexes[0] = 1;
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
    publish = unpack_publish();
    publish->n_slices = 1;
    assert_int_equal(verify_publish(publish), STATUS_MISMATCH);
}

static void test_publish_is_bound_to_its_sender(void **state)
{
    (void)state;
    struct envelope_published published;
    Wire__Publish *publish = unpack_publish();
    struct batch_signer other_root = sample.signer;

    assert_int_equal(envelope_publish_verify(publish, bytes_of_string("prison.stafford"), &sample.signer,
                                             sample.sender, &arena, &published),
                     STATUS_MISMATCH);
    assert_int_equal(envelope_publish_verify(publish, bytes_of_string(SAMPLE_FROM), &sample.signer,
                                             sample.signers[0], &arena, &published),
                     STATUS_BAD_SIGNATURE);
    other_root.root.bytes[0] ^= 1;
    assert_int_equal(envelope_publish_verify(publish, bytes_of_string(SAMPLE_FROM), &other_root,
                                             sample.sender, &arena, &published),
                     STATUS_BAD_SIGNATURE);
}

static void test_build_refuses_wrong_slots(void **state)
{
    (void)state;
    struct byte_buffer out = bytes_buffer(WIRE_FRAME_LIMIT);
    struct envelope_event event = sample.envelopes[0];
    struct envelope_slot swapped[2] = {event.slots[1], event.slots[0]};

    event.slots = swapped;
    assert_int_equal(envelope_publish_build(1, &sample.signer, sample.sender, &event, 1, &out),
                     STATUS_MISMATCH);
    event = sample.envelopes[0];
    event.slot_count = 1;
    assert_int_equal(envelope_publish_build(1, &sample.signer, sample.sender, &event, 1, &out),
                     STATUS_MISMATCH);
    assert_int_equal(envelope_publish_build(1, &sample.signer, sample.sender, &event, 0, &out),
                     STATUS_BAD_ARGUMENT);
    assert_int_equal(out.size, 0);
    bytes_buffer_free(&out);
}

static void test_delivery_verifies_and_opens(void **state)
{
    (void)state;
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    struct section_opener *police = NULL;
    struct section_opener *probation = NULL;
    size_t opened = 0;

    sample_deliver(&sample, SAMPLE_TO_POLICE, &frame);
    assert_int_equal(section_opener_new(sample.keys[SAMPLE_TO_POLICE], &police), STATUS_OK);
    assert_int_equal(section_opener_new(sample.keys[SAMPLE_TO_PROBATION], &probation), STATUS_OK);
    assert_int_equal(receive_deliver(bytes_buffer_view(&frame), police, &opened), STATUS_OK);
    assert_int_equal(opened, 5);
    assert_int_equal(receive_deliver(bytes_buffer_view(&frame), probation, &opened), STATUS_UNKNOWN_KEY);
    bytes_buffer_clear(&frame);
    sample_deliver(&sample, SAMPLE_TO_PROBATION, &frame); /* delivered to the wrong member */
    assert_int_equal(receive_deliver(bytes_buffer_view(&frame), police, &opened), STATUS_MISMATCH);
    section_opener_free(&police);
    section_opener_free(&probation);
    bytes_buffer_free(&frame);
}

static Wire__Deliver *unpack_deliver(const struct byte_buffer *bytes)
{
    const Wire__Frame *frame;

    wire_arena_reset(&arena);
    assert_int_equal(wire_frame_unpack(bytes_buffer_view(bytes), &arena, &frame), STATUS_OK);
    return frame->deliver;
}

/* Which bits of a Deliver are the broker's own word: each event's counter. */
static bool is_counter(const struct byte_buffer *frame, size_t at)
{
    Wire__Deliver *deliver = unpack_deliver(frame);
    struct byte_view rest = bytes_buffer_view(frame);

    for (size_t i = 0; i < deliver->n_events; i++) {
        struct byte_view section = wire_view(deliver->events[i]->section);
        const uint8_t *found = memmem(rest.data, rest.size, section.data, section.size);
        assert_non_null(found);
        if (at == (size_t)(found - frame->data) + section.size + 1)
            return true;
    }
    return false;
}

static void test_delivery_refuses_any_flipped_bit(void **state)
{
    (void)state;
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    struct byte_buffer work = bytes_buffer(WIRE_FRAME_LIMIT);
    struct support_random random = support_seeded(2);
    struct section_opener *opener = NULL;
    size_t count = support_count(1500);
    size_t opened = 0;

    sample_deliver(&sample, SAMPLE_TO_POLICE, &frame);
    assert_int_equal(section_opener_new(sample.keys[SAMPLE_TO_POLICE], &opener), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        size_t bit = (size_t)support_below(&random, frame.size * 8);
        if (bit / 8 == REQUEST_AT || is_counter(&frame, bit / 8))
            continue;
        bytes_buffer_clear(&work);
        bytes_append_view(&work, bytes_buffer_view(&frame));
        work.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (receive_deliver(bytes_buffer_view(&work), opener, &opened) == STATUS_OK)
            fail_msg("bit %zu of the delivery can be changed unseen", bit);
    }
    section_opener_free(&opener);
    bytes_buffer_free(&frame);
    bytes_buffer_free(&work);
}

static enum status verify_delivered(const Wire__Deliver *deliver, size_t i)
{
    struct envelope_delivery delivery;
    struct envelope_delivered delivered;

    enum status status = envelope_delivery_verify(deliver, &sample.signer, sample.sender, &delivery);
    return status != STATUS_OK
               ? status
               : envelope_delivered_verify(&delivery, i, bytes_of_string(SAMPLE_POLICE), &delivered);
}

static void test_delivery_says_what_is_wrong(void **state)
{
    (void)state;
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);

    sample_deliver(&sample, SAMPLE_TO_POLICE, &frame);
    Wire__Deliver *deliver = unpack_deliver(&frame);
    assert_int_equal(verify_delivered(deliver, 1), STATUS_OK);
    deliver->events[1]->path[0].data[0] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_PROOF);
    assert_int_equal(verify_delivered(deliver, 2), STATUS_OK);
    deliver = unpack_deliver(&frame);
    deliver->events[0]->path[0].data[0] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_SIGNATURE);
    deliver = unpack_deliver(&frame);
    deliver->events[1]->n_path--;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_PROOF);
    deliver = unpack_deliver(&frame);
    deliver->events[1]->index = 2;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_PROOF);
    deliver = unpack_deliver(&frame);
    deliver->count = 6;
    assert_int_not_equal(verify_delivered(deliver, 1), STATUS_OK);
    deliver = unpack_deliver(&frame);
    deliver->signature.data[0] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_SIGNATURE);
    deliver = unpack_deliver(&frame);
    deliver->certificate.data[0] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_UNKNOWN_KEY);
    deliver = unpack_deliver(&frame);
    deliver->events[1]->header.data[30] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_BAD_PROOF);
    deliver = unpack_deliver(&frame);
    deliver->events[1]->section.data[30] ^= 1;
    assert_int_equal(verify_delivered(deliver, 1), STATUS_MISMATCH);
    deliver = unpack_deliver(&frame);
    deliver->from[0] ^= 1; /* another sender's event */
    assert_int_equal(verify_delivered(deliver, 1), STATUS_MISMATCH);
    bytes_buffer_free(&frame);
}

static void test_delivery_refuses_moved_sections(void **state)
{
    (void)state;
    struct byte_buffer police = bytes_buffer(WIRE_FRAME_LIMIT);

    sample_deliver(&sample, SAMPLE_TO_POLICE, &police);
    Wire__Deliver *deliver = unpack_deliver(&police);
    deliver->events[1]->section = deliver->events[2]->section; /* of another event */
    assert_int_equal(verify_delivered(deliver, 1), STATUS_MISMATCH);
    deliver = unpack_deliver(&police); /* of this event, to another recipient */
    deliver->events[0]->section =
        wire_data(bytes_buffer_view(&sample.events[0].sections[SAMPLE_TO_PROBATION]));
    assert_int_equal(verify_delivered(deliver, 0), STATUS_MISMATCH);
    bytes_buffer_free(&police);
}

static void make_ground(Wire__Ground *ground, const Wire__Deliver *deliver, Wire__Opening *opening, size_t i)
{
    wire__ground__init(ground);
    ground->header = deliver->events[i]->header;
    ground->certificate = deliver->certificate;
    ground->signature = deliver->signature;
    ground->index = deliver->events[i]->index;
    ground->count = deliver->count;
    ground->n_path = deliver->events[i]->n_path;
    ground->path = deliver->events[i]->path;
    ground->opening = opening;
}

static void test_ground_verifies(void **state)
{
    (void)state;
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const ProtobufCMessage *opening;
    Wire__Ground ground;
    struct core core;

    sample_deliver(&sample, SAMPLE_TO_POLICE, &frame);
    Wire__Deliver *deliver = unpack_deliver(&frame);
    assert_int_equal(wire_unpack(&wire__opening__descriptor, bytes_buffer_view(&sample.events[3].opening),
                                 WIRE_FRAME_LIMIT, &arena, &opening),
                     STATUS_OK);
    make_ground(&ground, deliver, (Wire__Opening *)(uintptr_t)opening, 3);
    assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core), STATUS_OK);
    assert_memory_equal(core.event, sample.events[3].core.event, CORE_EVENT_SIZE);
    /* A part of the attributes, in order; none at all; twice the same, or turned round. */
    Wire__OpenedAttribute *part[] = {ground.opening->attributes[1], ground.opening->attributes[2],
                                     ground.opening->attributes[1]};
    Wire__Opening some = WIRE__OPENING__INIT;
    some.attributes = part;
    for (some.n_attributes = 0; some.n_attributes <= 3; some.n_attributes++) {
        make_ground(&ground, deliver, &some, 3);
        assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core),
                         some.n_attributes < 3 ? STATUS_OK : STATUS_BAD_COMMITMENT);
    }
    part[1] = part[0];
    some.n_attributes = 2;
    assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core),
                     STATUS_BAD_COMMITMENT);
    make_ground(&ground, deliver, (Wire__Opening *)(uintptr_t)opening, 3);
    ground.opening->attributes[2]->value[0] ^= 1;
    assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core),
                     STATUS_BAD_COMMITMENT);
    make_ground(&ground, deliver, ground.opening, 2); /* another event's opening */
    ground.opening->attributes[2]->value[0] ^= 1;
    assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core),
                     STATUS_BAD_COMMITMENT);
    make_ground(&ground, deliver, ground.opening, 3);
    ground.header.data[20] ^= 1;
    assert_int_equal(envelope_ground_verify(&ground, &sample.signer, sample.sender, &core),
                     STATUS_BAD_SIGNATURE);
    bytes_buffer_free(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_verifies),
        cmocka_unit_test(test_publish_size_is_an_upper_bound),
        cmocka_unit_test(test_publish_refuses_any_flipped_bit),
        cmocka_unit_test(test_publish_says_what_is_wrong),
        cmocka_unit_test(test_publish_refuses_moved_sections),
        cmocka_unit_test(test_publish_is_bound_to_its_sender),
        cmocka_unit_test(test_build_refuses_wrong_slots),
        cmocka_unit_test(test_delivery_verifies_and_opens),
        cmocka_unit_test(test_delivery_refuses_any_flipped_bit),
        cmocka_unit_test(test_delivery_says_what_is_wrong),
        cmocka_unit_test(test_delivery_refuses_moved_sections),
        cmocka_unit_test(test_ground_verifies),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
