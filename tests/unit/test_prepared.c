#include "tests/support/support.h"

#include <string.h>

#include "agent/prepared.h"

static struct prepared sample(void)
{
    struct prepared prepared = {.type = bytes_of_string("release.planned"),
                                .protocol = bytes_of_string("staffordshire-ppo"),
                                .officer = bytes_of_string("unix:1000"),
                                .occurred = 5,
                                .created = INT64_C(1796115600000),
                                .has_supersedes = true,
                                .value_count = 2};

    memset(prepared.event, 1, sizeof prepared.event);
    memset(prepared.subject, 2, sizeof prepared.subject);
    memset(prepared.supersedes, 3, sizeof prepared.supersedes);
    prepared.values[0] = (struct prepared_value){
        .label = bytes_of_string("name"), .value = bytes_of_string("Liam"), .source = DRAFT_OWN};
    prepared.values[1] =
        (struct prepared_value){.label = bytes_of_string("dob"), .value = bytes_of_string("")};
    return prepared;
}

static void comes_back_as_it_went(void **state)
{
    struct prepared in = sample();
    struct prepared out;
    struct byte_buffer bytes = bytes_buffer(PREPARED_SIZE_MAX);

    (void)state;
    assert_int_equal(prepared_encode(&in, &bytes), STATUS_OK);
    assert_int_equal(prepared_decode(bytes_buffer_view(&bytes), &out), STATUS_OK);
    assert_memory_equal(in.event, out.event, sizeof in.event);
    assert_memory_equal(in.subject, out.subject, sizeof in.subject);
    assert_memory_equal(in.supersedes, out.supersedes, sizeof in.supersedes);
    assert_true(out.has_supersedes && !out.has_correlation && !out.has_repeats);
    assert_int_equal(out.created, in.created);
    assert_int_equal(out.occurred, in.occurred);
    assert_true(bytes_equal(out.type, in.type) && bytes_equal(out.protocol, in.protocol));
    assert_true(bytes_equal(*prepared_find(&out, bytes_of_string("name")), bytes_of_string("Liam")));
    assert_int_equal(prepared_find(&out, bytes_of_string("dob"))->size, 0);
    assert_null(prepared_find(&out, bytes_of_string("nam")));
    assert_int_equal(out.values[0].source, DRAFT_OWN);
    assert_int_equal(out.values[1].source, DRAFT_UNSAID);
    bytes_buffer_free(&bytes);
}

/* What an older version of this agent queued still goes: its values have no sources. */
static void reads_what_was_kept_before(void **state)
{
    struct prepared in = sample();
    struct prepared out;
    struct byte_buffer bytes = bytes_buffer(PREPARED_SIZE_MAX);

    (void)state;
    in.value_count = 0;
    assert_int_equal(prepared_encode(&in, &bytes), STATUS_OK);
    bytes.data[0] = 1;
    bytes.data[bytes.size - 1] = 1; /* one value */
    bytes_append_u32(&bytes, 4);
    bytes_append_string(&bytes, "name");
    bytes_append_u32(&bytes, 4);
    bytes_append_string(&bytes, "Liam");
    assert_int_equal(prepared_decode(bytes_buffer_view(&bytes), &out), STATUS_OK);
    assert_true(bytes_equal(*prepared_find(&out, bytes_of_string("name")), bytes_of_string("Liam")));
    assert_int_equal(out.values[0].source, DRAFT_UNSAID);
    bytes.data[0] = 3;
    assert_int_equal(prepared_decode(bytes_buffer_view(&bytes), &out), STATUS_CORRUPT);
    bytes_buffer_free(&bytes);
}

static void refuses_every_shorter_or_longer_text(void **state)
{
    struct prepared in = sample();
    struct prepared out;
    struct byte_buffer bytes = bytes_buffer(PREPARED_SIZE_MAX);

    (void)state;
    assert_int_equal(prepared_encode(&in, &bytes), STATUS_OK);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(prepared_decode(bytes_view(bytes.data, size), &out), STATUS_CORRUPT);
    bytes_append_u8(&bytes, 0);
    assert_int_equal(prepared_decode(bytes_buffer_view(&bytes), &out), STATUS_CORRUPT);
    bytes_buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_went),
        cmocka_unit_test(reads_what_was_kept_before),
        cmocka_unit_test(refuses_every_shorter_or_longer_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
