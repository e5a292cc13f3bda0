#include "tests/support/support.h"

#include <string.h>

#include "broker/store/store_memory.h"
#include "broker/tally.h"

/* Counts of a month: kept when committed, taken back when not, each month and protocol by itself. */

#define NOVEMBER INT64_C(1795000000000) /* 2026-11-18 */
#define DECEMBER INT64_C(1796115600000) /* 2026-12-01 */

static struct store *store;

static uint64_t count_of(struct tally *tally, const char *protocol, const char *month,
                         enum tally_measure measure, const char *area)
{
    const struct tally_cell *cells = NULL;
    char padded[TALLY_MONTH_SIZE];
    uint64_t found = 0;
    size_t count = 0;

    memcpy(padded, month, sizeof padded);
    assert_int_equal(tally_read(tally, protocol, padded, &cells, &count), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        if (cells[i].measure == measure && strcmp(cells[i].area, area) == 0)
            found += cells[i].count;
    }
    return found;
}

static void add(struct tally *tally, const char *protocol, int64_t now, enum tally_measure measure,
                const char *area)
{
    assert_int_equal(tally_add(tally, protocol, now, measure, area, "catch_convict"), STATUS_OK);
}

static void save(struct tally *tally)
{
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(tally_save(tally), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
}

static void test_counts(void **state)
{
    struct tally *tally = NULL;

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(tally_new(store, &tally), STATUS_OK);
    for (int i = 0; i < 3; i++)
        add(tally, "p", DECEMBER, TALLY_IN_TIME, "stoke");
    add(tally, "p", DECEMBER, TALLY_LATE, "stoke");
    add(tally, "p", DECEMBER, TALLY_IN_TIME, "");
    add(tally, "p", NOVEMBER, TALLY_IN_TIME, "stoke");
    add(tally, "q", DECEMBER, TALLY_ADDED, "stoke");
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_IN_TIME, "stoke"), 3);
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_LATE, "stoke"), 1);
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_IN_TIME, ""), 1);
    assert_int_equal(count_of(tally, "p", "2026-11", TALLY_IN_TIME, "stoke"), 1);
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_ADDED, "stoke"), 0);
    assert_int_equal(count_of(tally, "q", "2026-12", TALLY_ADDED, "stoke"), 1);
    save(tally);
    add(tally, "p", DECEMBER, TALLY_IN_TIME, "stoke");
    tally_forget(tally); /* that one was not committed */
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_IN_TIME, "stoke"), 3);
    add(tally, "p", DECEMBER, TALLY_IN_TIME, "stoke");
    save(tally);
    tally_free(&tally);
    assert_int_equal(tally_new(store, &tally), STATUS_OK);
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_IN_TIME, "stoke"), 4);
    assert_int_equal(count_of(tally, "p", "2026-12", TALLY_LATE, "stoke"), 1);
    tally_free(&tally);
    store_close(&store);
}

/* More months than are held at once: those that make room are written first. */
static void test_many_pages(void **state)
{
    struct tally *tally = NULL;

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(tally_new(store, &tally), STATUS_OK);
    assert_int_equal(store_begin(store), STATUS_OK);
    for (char id = 'a'; id <= 'z'; id++) {
        const char protocol[] = {id, '\0'};

        add(tally, protocol, DECEMBER, TALLY_REMOVED, "stoke");
    }
    assert_int_equal(tally_save(tally), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    for (char id = 'a'; id <= 'z'; id++) {
        const char protocol[] = {id, '\0'};

        assert_int_equal(count_of(tally, protocol, "2026-12", TALLY_REMOVED, "stoke"), 1);
    }
    tally_free(&tally);
    store_close(&store);
}

static void test_broken(void **state)
{
    struct tally *tally = NULL;

    (void)state;
    assert_int_equal(store_memory_new(&store), STATUS_OK);
    assert_int_equal(tally_new(store, &tally), STATUS_OK);
    assert_int_equal(store_begin(store), STATUS_OK);
    assert_int_equal(store_put_state(store, "tally/p/2026-12", bytes_of_string("\1\0\0\0\1")), STATUS_OK);
    assert_int_equal(store_commit(store), STATUS_OK);
    assert_int_equal(tally_add(tally, "p", DECEMBER, TALLY_LATE, "stoke", ""), STATUS_CORRUPT);
    tally_free(&tally);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_many_pages),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
