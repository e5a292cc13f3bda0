#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/roster.h"

static const uint8_t route_1[ROUTER_ROUTE_SIZE] = {0, 1, 2, 3, 4};
static const uint8_t route_2[ROUTER_ROUTE_SIZE] = {0, 1, 2, 3, 5};
static const uint8_t certificate[DIGEST_SIZE] = {7};

static struct roster *roster;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(roster_new(&roster), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    roster_free(&roster);
    assert_null(roster);
    return 0;
}

static struct roster_peer *get(const char *member)
{
    struct roster_peer *peer = NULL;

    assert_int_equal(roster_get(roster, member, 0, &peer), STATUS_OK);
    return peer;
}

static void one_record_a_member(void **state)
{
    char member[MEMBER_ID_LENGTH + 1];

    (void)state;
    assert_null(roster_find(roster, "police.x0"));
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(member, sizeof member, "police.x%u", i);
        assert_string_equal(get(member)->member, member);
    }
    assert_int_equal(roster_count(roster), 3000);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(member, sizeof member, "police.x%u", i);
        assert_ptr_equal(get(member), roster_at(roster, i));
        assert_ptr_equal(roster_find(roster, member), roster_at(roster, i));
    }
    assert_int_equal(roster_count(roster), 3000);
}

static void connections_are_never_used_again(void **state)
{
    struct roster_peer *police = get("police.a");
    struct roster_peer *prison = get("prison.b");

    (void)state;
    assert_null(roster_by_connection(roster, 0));
    roster_bind(roster, police, route_1, certificate, 3, 10);
    roster_bind(roster, prison, route_2, certificate, 3, 10);
    uint64_t first = police->connection;
    assert_true(first != 0 && first != prison->connection);
    assert_ptr_equal(roster_by_connection(roster, first), police);
    assert_ptr_equal(roster_by_connection(roster, prison->connection), prison);
    assert_ptr_equal(roster_by_route(roster, route_2), prison);
    assert_true(roster_on(police, route_1));
    assert_false(roster_on(police, route_2));
    assert_int_equal(roster_bound(roster), 2);
    assert_int_equal(roster_unbind(roster, police, ROSTER_UNBOUND), first);
    assert_int_equal(roster_unbind(roster, police, ROSTER_UNBOUND), 0);
    assert_null(roster_by_connection(roster, first));
    assert_null(roster_by_route(roster, route_1));
    assert_false(roster_on(police, route_1));
    assert_int_equal(roster_bound(roster), 1);
    roster_bind(roster, police, route_1, certificate, 3, 20);
    assert_true(police->connection > first);
    assert_null(roster_by_connection(roster, first));
}

static void the_lost_are_found_by_route_alone(void **state)
{
    struct roster_peer *police = get("police.a");

    (void)state;
    roster_bind(roster, police, route_1, certificate, 3, 10);
    uint64_t connection = roster_unbind(roster, police, ROSTER_LOST);
    assert_null(roster_by_connection(roster, connection));
    assert_false(roster_on(police, route_1));
    assert_ptr_equal(roster_by_route(roster, route_1), police);
    assert_int_equal(roster_bound(roster), 0);
}

static void refusal_is_told_once(void **state)
{
    struct roster_peer *police = get("police.a");

    (void)state;
    assert_true(roster_refuse(police, route_1));
    assert_false(roster_refuse(police, route_1));
    assert_true(roster_refuse(police, route_2));
    assert_false(roster_refuse(police, route_2));
    roster_bind(roster, police, route_2, certificate, 3, 10);
    assert_true(roster_refuse(police, route_2));
}

static void share_runs_out_and_comes_back(void **state)
{
    struct roster_peer *police = get("police.a");

    (void)state;
    for (int i = 0; i < ROSTER_BURST; i++)
        assert_int_equal(roster_spend(police, 0), ROSTER_SERVE);
    for (int i = 0; i < ROSTER_REFUSALS; i++)
        assert_int_equal(roster_spend(police, 0), ROSTER_REFUSE);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(roster_spend(police, 0), ROSTER_IGNORE);
    /* A second gives back so many, of which the debt goes first. */
    for (int i = 0; i < ROSTER_PER_SECOND; i++)
        assert_true(roster_spend(police, 1000) == ROSTER_REFUSE);
    assert_int_equal(roster_spend(police, 1000), ROSTER_IGNORE);
    for (int i = 0; i < ROSTER_BURST; i++)
        assert_int_equal(roster_spend(police, 3600000), ROSTER_SERVE);
    assert_int_equal(roster_spend(police, 3600000), ROSTER_REFUSE);
    /* A clock that stands still or goes back gives nothing. */
    assert_int_equal(roster_spend(police, 0), ROSTER_REFUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_record_a_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_are_never_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_lost_are_found_by_route_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusal_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(share_runs_out_and_comes_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
