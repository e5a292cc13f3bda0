/* 200,000 rows in constant memory. */
#include "tests/support/support.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/feedhouse.h"

#define FEED      "release-extract"
#define MEMORY    ((size_t)12 << 20)
#define LARGE     200000
#define STEPS_MAX 20000

/* Under AddressSanitizer malloc's own statistics say nothing. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void write_file(struct feedhouse *house, const char *name, size_t rows, const char *date)
{
    FILE *file = fopen(feedhouse_path(house, FEED, "in", name), "w");

    assert_non_null(file);
    fputs("NOMS No,PNC ID,Surname,Forenames,DOB,Establishment,Release Date,Release Type,Status,Home Force,"
          "Home District,Licence Conditions\r\n",
          file);
    fprintf(file, "A7629RT,03/9391423N,S,F,16/09/1971,DGI,%s,CRD,CONFIRMED,21,,\r\n", date);
    for (size_t i = 0; i < rows; i++)
        fprintf(file, "B%04zu%c%c,,Surname,Forenames,16/09/1971,DGI,%s,CRD,CONFIRMED,21,Stafford,\r\n",
                i % 10000, (int)('A' + i / 10000 % 26), (int)('A' + i / 260000),
                i % 100 == 7 ? "31/02/2027" : "21/12/2026");
    assert_int_equal(fclose(file), 0);
}

/* Steps until the file is done; the most memory that was in use above what was at the beginning. */
static size_t most_memory(struct feedhouse *house)
{
    const size_t before = allocated();
    size_t most = before;

    for (size_t i = 0; i < STEPS_MAX; i++) {
        int64_t next = 0;
        size_t now_is = 0;

        assert_int_equal(feeds_step(house->feeds, house->now, &next), STATUS_OK);
        now_is = allocated();
        most = now_is > most ? now_is : most;
        if (next > house->now)
            break;
    }
    assert_int_equal(feedhouse_count(house, FEED, "in"), 0);
    return most - before;
}

static void constant_memory(void **state)
{
    const size_t rows = support_count(LARGE);
    struct feedhouse *house = feedhouse_new_on_disk("prison.dovegate");
    size_t memory = 0;

    (void)state;
    feedhouse_list(house);
    write_file(house, "first.csv", rows, "21/12/2026");
    memory = most_memory(house);
    print_message("%zu rows: %zu KiB\n", rows, memory / 1024);
    assert_true(memory < MEMORY);
    assert_int_equal(feedhouse_queued(house, "release.planned"), 1);
    feedhouse_free(&house);
}

/* The next day's file, row by row against the one before, whose rows then go. */
static void constant_memory_against_the_last_one(void **state)
{
    const size_t rows = support_count(LARGE / 8);
    struct feedhouse *house = feedhouse_new_on_disk("prison.dovegate");
    size_t memory = 0;

    (void)state;
    feedhouse_list(house);
    write_file(house, "first.csv", rows, "21/12/2026");
    (void)most_memory(house);
    write_file(house, "second.csv", rows, "22/12/2026");
    memory = most_memory(house);
    print_message("against %zu rows: %zu KiB\n", rows, memory / 1024);
    assert_true(memory < MEMORY / 4);
    assert_int_equal(feedhouse_queued(house, "release.date_changed"), 1);
    assert_int_equal(feedhouse_queued(house, NULL), 2);
    feedhouse_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_memory),
        cmocka_unit_test(constant_memory_against_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
