#include "tests/support/support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* What a long run adds to every seed; 0 for the usual ones. */
static uint64_t added_seed(void)
{
    static bool told;
    const char *text = getenv("CONCORDAT_SEED");
    char *end = NULL;
    unsigned long long added = text == NULL ? 0 : strtoull(text, &end, 10);

    if (text == NULL)
        return 0;
    if (end == text || *end != '\0')
        fail_msg("CONCORDAT_SEED is not a number: %s", text);
    if (!told)
        print_message("CONCORDAT_SEED=%llu\n", added);
    told = true;
    return added;
}

struct support_random support_seeded(uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

    state ^= added_seed() * 0xd1342543de82ef95u;
    return (struct support_random){state == 0 ? 1 : state}; /* xorshift never leaves zero */
}

uint64_t support_next(struct support_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1du;
}

uint64_t support_below(struct support_random *random, uint64_t bound)
{
    return support_next(random) % bound;
}

size_t support_count(size_t usual)
{
    const char *scale = getenv("CONCORDAT_COUNT_SCALE");

    return scale == NULL ? usual : usual * (size_t)strtoul(scale, NULL, 10);
}

struct byte_buffer support_read_file(const char *path)
{
    struct byte_buffer content = bytes_buffer((size_t)16 << 20);
    uint8_t chunk[4096];
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail_msg("cannot open %s", path);
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        bytes_append(&content, chunk, got);
    assert_int_equal(ferror(file), 0);
    fclose(file);
    assert_int_equal(content.status, STATUS_OK);
    return content;
}
