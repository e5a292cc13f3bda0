#include "tests/support/support.h"

#include <string.h>

#include "broker/retelling_memory.h"

static struct db *memory;
static const uint8_t one[CORE_EVENT_SIZE] = {1}, two[CORE_EVENT_SIZE] = {2};
static const uint8_t subject[CORE_SUBJECT_SIZE] = {9};

static int open_memory(void **unused)
{
    (void)unused;
    return retelling_memory_open(&memory) == STATUS_OK ? 0 : -1;
}

static int close_memory(void **unused)
{
    (void)unused;
    db_close(&memory);
    return 0;
}

/* A person is known under one protocol and not under another. */
static void test_people(void **unused)
{
    static struct register_state state, found;
    const struct byte_view view = {subject, sizeof subject};

    (void)unused;
    register_init(&state);
    state.entry.listed = true;
    strcpy(state.entry.area, "stoke");
    assert_int_equal(retelling_memory_keep_person(memory, bytes_of_string("p"), view, &state), STATUS_OK);
    assert_int_equal(retelling_memory_person(memory, bytes_of_string("p"), view, &found), STATUS_OK);
    assert_true(found.entry.listed);
    assert_string_equal(found.entry.area, "stoke");
    assert_int_equal(retelling_memory_person(memory, bytes_of_string("q"), view, &found), STATUS_OK);
    assert_false(found.entry.listed);
    state.entry.listed = false;
    assert_int_equal(retelling_memory_keep_person(memory, bytes_of_string("p"), view, &state), STATUS_OK);
    assert_int_equal(retelling_memory_person(memory, bytes_of_string("p"), view, &found), STATUS_OK);
    assert_false(found.entry.listed);
}

struct visit {
    size_t count;
    size_t most;
    char last[64];
};

static bool note(void *context, const char *member)
{
    struct visit *visit = context;

    visit->count++;
    strcpy(visit->last, member);
    return visit->count < visit->most;
}

static void test_events(void **unused)
{
    const struct retelling_event content = {"case.queried", "police.x", {subject, sizeof subject}, "band"};
    struct retelling_event found;
    struct visit visit = {0, 10, ""};

    (void)unused;
    assert_int_equal(retelling_memory_event(memory, one, &found), STATUS_NOT_FOUND);
    assert_int_equal(retelling_memory_keep_event(memory, one, &content), STATUS_OK);
    assert_int_equal(retelling_memory_event(memory, one, &found), STATUS_OK);
    assert_string_equal(found.type, "case.queried");
    assert_string_equal(found.from, "police.x");
    assert_string_equal(found.asked, "band");
    assert_true(bytes_equal(found.subject, content.subject));
    assert_int_equal(retelling_memory_event(memory, two, &found), STATUS_NOT_FOUND);

    assert_int_equal(retelling_memory_tell(memory, one, "b.b"), STATUS_OK);
    assert_int_equal(retelling_memory_tell(memory, one, "a.a"), STATUS_OK);
    assert_int_equal(retelling_memory_tell(memory, one, "b.b"), STATUS_OK);
    assert_int_equal(retelling_memory_told(memory, one, note, &visit), STATUS_OK);
    assert_int_equal(visit.count, 2);
    assert_string_equal(visit.last, "b.b");
    visit = (struct visit){0, 1, ""};
    assert_int_equal(retelling_memory_told(memory, one, note, &visit), STATUS_OK);
    assert_string_equal(visit.last, "a.a");
    visit = (struct visit){0, 10, ""};
    assert_int_equal(retelling_memory_told(memory, two, note, &visit), STATUS_OK);
    assert_int_equal(visit.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_people, open_memory, close_memory),
        cmocka_unit_test_setup_teardown(test_events, open_memory, close_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
