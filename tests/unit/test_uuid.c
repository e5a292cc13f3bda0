#include "tests/support/support.h"

#include <string.h>

#include "proto/uuid.h"

/* RFC 9562, appendix A.6: 22 February 2022, 19:22:22 UTC. */
static const uint8_t rfc_id[UUID_SIZE] = {0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
                                          0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
#define RFC_MS INT64_C(1645557742000)

static enum status seeded(void *context, void *out, size_t size)
{
    struct support_random *random = context;

    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)(support_next(random) >> 56);
    return STATUS_OK;
}

static enum status all_ones(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0xff, size);
    return STATUS_OK;
}

static enum status broken(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0, size);
    return STATUS_CRYPTO;
}

static const struct random_source ones = {all_ones, NULL};
static const struct random_source failing = {broken, NULL};

static void reads_the_rfc_example(void **state)
{
    uint8_t id[UUID_SIZE];
    char text[UUID_TEXT_SIZE];

    (void)state;
    assert_int_equal(uuid_parse(bytes_of_string(rfc_text), id), STATUS_OK);
    assert_memory_equal(id, rfc_id, UUID_SIZE);
    assert_true(uuid_is_v7(id));
    assert_int_equal(uuid_time(id), RFC_MS);
    uuid_format(id, text);
    assert_string_equal(text, rfc_text);
}

static void layout_is_the_rfcs(void **state)
{
    struct uuid_source source = uuid_source(&ones);
    uint8_t id[UUID_SIZE];
    char text[UUID_TEXT_SIZE];

    (void)state;
    /* 0xffffffff mod 2^25: the counter's top bit is clear, all others set */
    assert_int_equal(uuid_next(&source, RFC_MS, id), STATUS_OK);
    uuid_format(id, text);
    assert_string_equal(text, "017f22e2-79b0-77ff-bfff-ffffffffffff");
    assert_int_equal(uuid_next(&source, RFC_MS, id), STATUS_OK);
    uuid_format(id, text);
    assert_string_equal(text, "017f22e2-79b0-7800-8000-ffffffffffff");
}

static void refuses_other_text(void **state)
{
    static const char *const invalid[] = {
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4dc0c-0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "------------------------------------",
        " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    };
    uint8_t id[UUID_SIZE] = {0xaa};

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_int_equal(uuid_parse(bytes_of_string(invalid[i]), id), STATUS_BAD_FORMAT);
    assert_int_equal(uuid_parse(bytes_view("017f22e2-79b0-7cc3-98c4-dc0c0c0739\0f", 36), id),
                     STATUS_BAD_FORMAT);
    assert_int_equal(id[0], 0xaa);
}

static void version_and_variant_are_checked(void **state)
{
    uint8_t id[UUID_SIZE];

    (void)state;
    memcpy(id, rfc_id, sizeof id);
    id[6] = 0x4c;
    assert_false(uuid_is_v7(id));
    memcpy(id, rfc_id, sizeof id);
    id[8] = 0xd8;
    assert_false(uuid_is_v7(id));
    id[8] = 0x18;
    assert_false(uuid_is_v7(id));
}

/* Whatever the clock does, ids ascend, are of version 7 and survive their text form. */
static void ids_ascend_whatever_the_clock_does(void **state)
{
    struct support_random random = support_seeded(7);
    struct random_source bytes = {seeded, &random};
    struct uuid_source source = uuid_source(&bytes);
    uint8_t last[UUID_SIZE] = {0}, id[UUID_SIZE], again[UUID_SIZE];
    char text[UUID_TEXT_SIZE];
    int64_t now = RFC_MS;

    (void)state;
    for (size_t i = 0; i < support_count(20000); i++) {
        now += (int64_t)support_below(&random, 5) - 2;
        assert_int_equal(uuid_next(&source, now, id), STATUS_OK);
        assert_true(uuid_compare(last, id) < 0);
        assert_true(uuid_is_v7(id));
        assert_true(uuid_time(id) >= now);
        uuid_format(id, text);
        assert_int_equal(uuid_parse(bytes_of_string(text), again), STATUS_OK);
        assert_memory_equal(id, again, UUID_SIZE);
        memcpy(last, id, UUID_SIZE);
    }
}

static void a_used_up_counter_moves_the_time_on(void **state)
{
    struct uuid_source source = uuid_source(&ones);
    uint8_t first[UUID_SIZE], next[UUID_SIZE];

    (void)state;
    source.last_ms = RFC_MS;
    source.counter = ((uint32_t)1 << 26) - 2;
    assert_int_equal(uuid_next(&source, RFC_MS, first), STATUS_OK);
    assert_int_equal(uuid_time(first), RFC_MS);
    assert_int_equal(uuid_next(&source, RFC_MS, next), STATUS_OK);
    assert_int_equal(uuid_time(next), RFC_MS + 1);
    assert_true(uuid_compare(first, next) < 0);
}

static void resumes_above_an_earlier_id(void **state)
{
    struct support_random random = support_seeded(11);
    struct random_source bytes = {seeded, &random};
    struct uuid_source before = uuid_source(&bytes), after = uuid_source(&bytes);
    uint8_t last[UUID_SIZE], older[UUID_SIZE], id[UUID_SIZE], other[UUID_SIZE] = {0};

    (void)state;
    assert_int_equal(uuid_next(&before, RFC_MS, older), STATUS_OK);
    assert_int_equal(uuid_next(&before, RFC_MS, last), STATUS_OK);
    assert_int_equal(uuid_resume(&after, last), STATUS_OK);
    assert_int_equal(uuid_resume(&after, older), STATUS_OK); /* changes nothing */
    assert_int_equal(uuid_next(&after, RFC_MS - 3600000, id), STATUS_OK);
    assert_true(uuid_compare(last, id) < 0);
    assert_int_equal(uuid_time(id), RFC_MS);
    assert_int_equal(uuid_resume(&after, other), STATUS_BAD_FORMAT);
}

static void failures_change_nothing(void **state)
{
    struct uuid_source source = uuid_source(&failing);
    uint8_t id[UUID_SIZE] = {0xaa};

    (void)state;
    assert_int_equal(uuid_next(&source, RFC_MS, id), STATUS_CRYPTO);
    assert_int_equal(source.last_ms, -1);
    source = uuid_source(&ones);
    assert_int_equal(uuid_next(&source, -1, id), STATUS_BAD_ARGUMENT);
    assert_int_equal(uuid_next(&source, INT64_C(1) << 48, id), STATUS_BAD_ARGUMENT);
    assert_int_equal(source.last_ms, -1);
    assert_int_equal(id[0], 0xaa);
    source.last_ms = (INT64_C(1) << 48) - 1;
    source.counter = ((uint32_t)1 << 26) - 1;
    assert_int_equal(uuid_next(&source, 0, id), STATUS_BAD_ARGUMENT);
}

static void the_usual_source_is_random(void **state)
{
    struct uuid_source a = uuid_source(random_system()), b = uuid_source(random_system());
    uint8_t first[UUID_SIZE], second[UUID_SIZE];

    (void)state;
    assert_int_equal(uuid_next(&a, RFC_MS, first), STATUS_OK);
    assert_int_equal(uuid_next(&b, RFC_MS, second), STATUS_OK);
    assert_int_equal(uuid_time(first), RFC_MS);
    assert_memory_not_equal(first + 10, second + 10, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_rfc_example),
        cmocka_unit_test(layout_is_the_rfcs),
        cmocka_unit_test(refuses_other_text),
        cmocka_unit_test(version_and_variant_are_checked),
        cmocka_unit_test(ids_ascend_whatever_the_clock_does),
        cmocka_unit_test(a_used_up_counter_moves_the_time_on),
        cmocka_unit_test(resumes_above_an_earlier_id),
        cmocka_unit_test(failures_change_nothing),
        cmocka_unit_test(the_usual_source_is_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
