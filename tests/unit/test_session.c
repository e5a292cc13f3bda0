#include "tests/support/support.h"

#include <string.h>

#include "tests/support/postroom.h"

static void a_listing_reaches_everybody(void **state)
{
    struct postroom *room = postroom_open();
    struct person person;

    (void)state;
    postroom_list(room);
    assert_string_equal(postroom_inbox(room, POSTROOM_DOVEGATE),
                        "ppo.added stored name,dob,pnc_id,prison_no,strand\n");
    assert_string_equal(postroom_inbox(room, POSTROOM_PROBATION),
                        "ppo.added stored name,dob,pnc_id,prison_no,strand,authority,selector\n");
    assert_string_equal(postroom_inbox(room, POSTROOM_DRUGS), "ppo.added stored name,dob\n");
    assert_int_equal(
        people_by_prison_no(room->agents[POSTROOM_DOVEGATE]->people, bytes_of_string("A7629RT"), &person),
        STATUS_OK);
    assert_true(person.listed);
    assert_string_equal(person.pnc_id, POSTROOM_PNC);
    assert_int_equal(
        people_by_pnc(room->agents[POSTROOM_POLICE]->people, bytes_of_string(POSTROOM_PNC), &person),
        STATUS_OK);
    assert_string_equal(person.home_force, "21");
    postroom_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing_reaches_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
