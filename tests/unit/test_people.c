#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "agent/people.h"
#include "agent/store.h"
#include "agent/vault.h"

struct world {
    struct db *db;
    struct vault *vault;
    struct people *people;
    int changes;
    bool was_listed;
    bool is_listed;
};

static void note(void *context, const struct person *before, const struct person *after)
{
    struct world *world = context;

    world->changes++;
    world->was_listed = before->listed;
    world->is_listed = after->listed;
}

static void open_world(struct world *world)
{
    static const uint8_t key[VAULT_KEY_SIZE] = {1};

    *world = (struct world){0};
    assert_int_equal(store_open(NULL, &world->db), STATUS_OK);
    assert_int_equal(vault_new(key, random_system(), &world->vault), STATUS_OK);
    assert_int_equal(people_new(world->db, world->vault, &world->people), STATUS_OK);
    people_watch(world->people, note, world);
}

static void close_world(struct world *world)
{
    people_free(&world->people);
    vault_free(&world->vault);
    db_close(&world->db);
}

static struct person person(uint8_t number, const char *pnc, const char *prison_no)
{
    struct person person = {.protocol = "one", .listed = true, .listed_at = number};

    person.subject.bytes[3] = 1;
    person.subject.bytes[4] = number;
    (void)snprintf(person.pnc_id, sizeof person.pnc_id, "%s", pnc);
    (void)snprintf(person.prison_no, sizeof person.prison_no, "%s", prison_no);
    (void)snprintf(person.name, sizeof person.name, "Person %d", number);
    return person;
}

/* A listing under one protocol is none under another. */
static void each_protocol_has_a_list_of_its_own(void **state)
{
    struct world world;
    struct person one = person(1, "2003/9391423N", "A2580YA");
    struct person found;
    int64_t cursor = 0;
    int64_t count = 0;

    (void)state;
    open_world(&world);
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_int_equal(people_by_pnc(world.people, "two", bytes_of_string("2003/9391423N"), &found),
                     STATUS_NOT_FOUND);
    assert_int_equal(people_next(world.people, "two", &cursor, &found), STATUS_NOT_FOUND);
    (void)snprintf(one.protocol, sizeof one.protocol, "two");
    one.listed = false;
    one.removed_at = 9;
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_int_equal(people_by_subject(world.people, "one", &one.subject, &found), STATUS_OK);
    assert_true(found.listed);
    assert_int_equal(people_by_subject(world.people, "two", &one.subject, &found), STATUS_OK);
    assert_false(found.listed);
    assert_int_equal(people_by_subject(world.people, NULL, &one.subject, &found), STATUS_OK);
    assert_string_equal(found.protocol, "one");
    assert_int_equal(people_count(world.people, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(people_forget(world.people, 10), STATUS_OK);
    assert_int_equal(people_by_subject(world.people, "two", &one.subject, &found), STATUS_NOT_FOUND);
    close_world(&world);
}

static void people_are_found_by_each_of_their_ids(void **state)
{
    struct world world;
    struct person one = person(1, "2003/9391423N", "A7629RT");
    struct person two = person(2, "", "A2580YA");
    struct person found;
    int64_t cursor = 0;
    int64_t count = 0;
    bool received = true;

    (void)state;
    open_world(&world);
    assert_int_equal(people_received(world.people, &received), STATUS_OK);
    assert_false(received);
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_int_equal(people_put(world.people, &two), STATUS_OK);
    assert_int_equal(people_by_pnc(world.people, NULL, bytes_of_string("2003/9391423N"), &found), STATUS_OK);
    assert_memory_equal(&found, &one, sizeof found);
    assert_int_equal(people_by_prison_no(world.people, NULL, bytes_of_string("A2580YA"), &found), STATUS_OK);
    assert_string_equal(found.name, "Person 2");
    assert_int_equal(people_by_subject(world.people, NULL, &one.subject, &found), STATUS_OK);
    assert_int_equal(people_by_pnc(world.people, NULL, bytes_of_string(""), &found), STATUS_NOT_FOUND);
    assert_int_equal(people_next(world.people, "one", &cursor, &found), STATUS_OK);
    assert_string_equal(found.name, "Person 1");
    assert_int_equal(people_next(world.people, "one", &cursor, &found), STATUS_OK);
    assert_int_equal(people_next(world.people, "one", &cursor, &found), STATUS_NOT_FOUND);
    assert_int_equal(people_count(world.people, &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(people_received(world.people, &received), STATUS_OK);
    assert_true(received);
    close_world(&world);
}

static void whoever_leaves_is_no_longer_listed_and_later_forgotten(void **state)
{
    struct world world;
    struct person one = person(1, "2003/9391423N", "A7629RT");
    struct person found;
    int64_t cursor = 0;
    bool received = false;

    (void)state;
    open_world(&world);
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_true(!world.was_listed && world.is_listed);
    one.listed = false;
    one.removed_at = 50;
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_true(world.was_listed && !world.is_listed);
    assert_int_equal(world.changes, 2);
    assert_int_equal(people_next(world.people, "one", &cursor, &found), STATUS_NOT_FOUND);
    assert_int_equal(people_forget(world.people, 50), STATUS_OK);
    assert_int_equal(people_by_pnc(world.people, NULL, bytes_of_string("2003/9391423N"), &found), STATUS_OK);
    assert_int_equal(people_forget(world.people, 51), STATUS_OK);
    assert_int_equal(people_by_pnc(world.people, NULL, bytes_of_string("2003/9391423N"), &found),
                     STATUS_NOT_FOUND);
    assert_int_equal(people_received(world.people, &received), STATUS_OK);
    assert_true(received);
    close_world(&world);
}

static void nothing_personal_stands_in_the_database(void **state)
{
    struct world world;
    struct person one = person(1, "2003/9391423N", "A7629RT");
    struct db_statement *statement = NULL;
    bool row = false;

    (void)state;
    open_world(&world);
    assert_int_equal(people_put(world.people, &one), STATUS_OK);
    assert_int_equal(db_statement(world.db, "SELECT subject, pnc, prison, record FROM person", &statement),
                     STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    for (int column = 0; column < 4; column++) {
        struct byte_view value = db_column_blob(statement, column);

        assert_null(memmem(value.data, value.size, "9391423", 7));
        assert_null(memmem(value.data, value.size, "7629", 4));
        assert_null(memmem(value.data, value.size, "Person", 6));
        assert_null(memmem(value.data, value.size, one.subject.bytes, PSEUDONYM_SIZE));
    }
    db_reset(statement);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_are_found_by_each_of_their_ids),
        cmocka_unit_test(each_protocol_has_a_list_of_its_own),
        cmocka_unit_test(whoever_leaves_is_no_longer_listed_and_later_forgotten),
        cmocka_unit_test(nothing_personal_stands_in_the_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
