#include "tests/support/support.h"

#include <string.h>

#include "proto/random.h"

static void system_bytes_differ_from_call_to_call(void **state)
{
    (void)state;
    uint8_t first[64] = {0};
    uint8_t second[64] = {0};

    assert_int_equal(random_bytes(first, sizeof first), STATUS_OK);
    assert_int_equal(random_fill(random_system(), second, sizeof second), STATUS_OK);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first + 32, (uint8_t[32]){0}, 32);
    assert_memory_not_equal(second + 32, (uint8_t[32]){0}, 32);
    assert_int_equal(random_bytes(first, 0), STATUS_OK);
}

static void exactly_the_size_is_written(void **state)
{
    (void)state;
    for (size_t size = 0; size < 40; size++) {
        bool written[48] = {false};
        /* That a byte comes out as it was every time has a chance of 2^-128. */
        for (size_t round = 0; round < 16; round++) {
            uint8_t out[48];
            memset(out, 0xee, sizeof out);
            assert_int_equal(random_bytes(out, size), STATUS_OK);
            for (size_t i = 0; i < sizeof out; i++)
                written[i] = written[i] || out[i] != 0xee;
        }
        for (size_t i = 0; i < sizeof written; i++)
            assert_int_equal(written[i], i < size);
    }
}

static enum status break_half_way(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0x55, size / 2);
    return STATUS_IO;
}

static void a_failed_source_leaves_nothing(void **state)
{
    (void)state;
    static const struct random_source broken = {.fill = break_half_way};
    uint8_t out[32];

    memset(out, 0xee, sizeof out);
    assert_int_equal(random_fill(&broken, out, sizeof out), STATUS_IO);
    assert_memory_equal(out, (uint8_t[32]){0}, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_bytes_differ_from_call_to_call),
        cmocka_unit_test(exactly_the_size_is_written),
        cmocka_unit_test(a_failed_source_leaves_nothing),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
