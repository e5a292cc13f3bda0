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
    prepared.values[0] = (struct prepared_value){bytes_of_string("name"), bytes_of_string("Liam")};
    prepared.values[1] = (struct prepared_value){bytes_of_string("dob"), bytes_of_string("")};
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
        cmocka_unit_test(refuses_every_shorter_or_longer_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
