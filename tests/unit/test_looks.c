#include "tests/support/support.h"

#include <string.h>

#include "agent/inbox.h"
#include "agent/looks.h"
#include "agent/store.h"
#include "base/civil.h"

#define NOW INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */

static struct agent agent;

static int set_up(void **state)
{
    (void)state;
    agent = (struct agent){.db = NULL};
    assert_int_equal(store_open(NULL, &agent.db), STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            db_exec(agent.db, i == 0 ? "INSERT INTO inbox (id, event, sender, state, late, opened, received,"
                                       " until, header, section) VALUES (1, x'01', 'a', 0, 0, 0, 1, 2, x'',"
                                       " x'')"
                                     : "INSERT INTO inbox (id, event, sender, state, late, opened, received,"
                                       " until, header, section) VALUES (2, x'02', 'a', 0, 0, 0, 1, 2, x'',"
                                       " x'')"),
            STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(&agent.db);
    return 0;
}

/* The report's code; NULL: none is to be made. */
static const char *look(int64_t event, const char *officer, int64_t now)
{
    static char code[LOOKS_CODE_SIZE];
    bool new = false;

    assert_int_equal(looks_note(&agent, event, officer, now, &new, code), STATUS_OK);
    return new ? code : NULL;
}

static void once_for_each_officer_event_and_day(void **state)
{
    (void)state;
    assert_string_equal(look(1, "pc1", NOW), "");
    assert_null(look(1, "pc1", NOW));
    assert_null(look(1, "pc1", NOW + 3600000));
    assert_string_equal(look(1, "pc2", NOW), "");
    assert_string_equal(look(2, "pc1", NOW), "");
    assert_string_equal(look(1, "pc1", NOW + CIVIL_DAY_MS), "again-2026-12-02");
    assert_null(look(1, "pc1", NOW + CIVIL_DAY_MS));
    assert_null(look(2, "pc1", NOW));
}

/* What an event's row takes along when its retention ends. */
static void forgotten_with_the_event(void **state)
{
    (void)state;
    assert_string_equal(look(1, "pc1", NOW), "");
    assert_int_equal(db_exec(agent.db, "DELETE FROM inbox WHERE id = 1"), STATUS_OK);
    struct db_statement *statement = NULL;
    bool row = true;
    assert_int_equal(db_statement(agent.db, "SELECT 1 FROM look", &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_false(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(once_for_each_officer_event_and_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten_with_the_event, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
