#include "tests/support/support.h"

#include <string.h>

#include "agent/agree.h"
#include "agent/housekeeping.h"
#include "agent/marks.h"
#include "agent/proofs.h"
#include "agent/reconcile.h"
#include "tests/support/postroom.h"

#define MEMBER POSTROOM_DOVEGATE

static struct postroom *room;
static struct agent *agent;
static struct note_key *key;
static uint8_t event[UUID_SIZE] = {1};
static uint8_t other_event[UUID_SIZE] = {2};

static int open_room(void **state)
{
    (void)state;
    room = postroom_open();
    agent = room->agents[MEMBER];
    return note_key_new(bytes_of_string(keystore_log_name(room->broker)), NOTE_KEY_ED25519,
                        keystore_log(room->broker), &key) == STATUS_OK
               ? 0
               : -1;
}

static int close_room(void **state)
{
    (void)state;
    note_key_free(&key);
    postroom_close(&room);
    return 0;
}

static const uint8_t salt[RECORD_SALT_SIZE] = {7};
static uint8_t entry[RECORD_ENTRY_SIZE];
static struct byte_buffer note;
static struct byte_buffer proof;

/* An entry and its proof, in a log of its own; what the parts say does not matter here. */
static struct proofs_row row_of(enum proofs_role role, uint64_t counter, const uint8_t *id, bool final)
{
    const struct checkpoint checkpoint = {.origin = note_key_name(key), .size = 1};
    struct checkpoint head = checkpoint;
    static struct log_proof log;

    record_entry(RECORD_ACCEPTED, salt, bytes_of_string("account"), salt, bytes_of_string("personal"), entry);
    head.root = merkle_leaf(bytes_view(entry, sizeof entry));
    bytes_buffer_free(&note);
    bytes_buffer_free(&proof);
    note = bytes_buffer(4096);
    proof = bytes_buffer(LOG_PROOF_SIZE_MAX);
    assert_int_equal(checkpoint_sign(&head, key, &note), STATUS_OK);
    log = (struct log_proof){.checkpoint = bytes_buffer_view(&note)};
    assert_int_equal(log_proof_format(&log, &proof), STATUS_OK);
    return (struct proofs_row){.role = role,
                               .counter = counter,
                               .index = 0,
                               .kind = RECORD_ACCEPTED,
                               .time = room->now,
                               .member = bytes_of_string(role == PROOFS_SENT ? "" : "police.staffordshire"),
                               .event = id,
                               .final = final,
                               .met = true,
                               .entry = entry,
                               .account_salt = salt,
                               .account = bytes_of_string("account"),
                               .personal_salt = salt,
                               .personal = bytes_of_string("personal"),
                               .log_proof = bytes_buffer_view(&proof)};
}

static void keep(enum proofs_role role, uint64_t counter, const uint8_t *id, bool final)
{
    const struct proofs_row row = row_of(role, counter, id, final);

    assert_int_equal(db_begin(agent->db), STATUS_OK);
    assert_int_equal(proofs_keep(agent, &row), STATUS_OK);
    assert_int_equal(db_commit(agent->db), STATUS_OK);
}

static const struct proofs_event sent = {.role = PROOFS_SENT, .id = event};

static void what_is_kept_comes_back_as_it_was(void **state)
{
    struct byte_buffer bytes = bytes_buffer(0);
    struct proofs_row row;

    (void)state;
    keep(PROOFS_SENT, 1, event, true);
    assert_int_equal(proofs_read(agent, PROOFS_SENT, 1, &bytes, &row), STATUS_OK);
    assert_int_equal(row.index, 0);
    assert_true(row.final && row.met);
    assert_memory_equal(row.event, event, UUID_SIZE);
    assert_memory_equal(row.entry, entry, RECORD_ENTRY_SIZE);
    assert_true(bytes_equal(row.account, bytes_of_string("account")));
    assert_memory_equal(row.personal_salt, salt, RECORD_SALT_SIZE);
    assert_true(bytes_equal(row.personal, bytes_of_string("personal")));
    assert_true(bytes_equal(row.log_proof, bytes_buffer_view(&proof)));
    bytes_buffer_wipe(&bytes);
    assert_int_equal(proofs_read(agent, PROOFS_RECEIVED, 1, &bytes, &row), STATUS_NOT_FOUND);
}

static uint64_t next(enum proofs_role role)
{
    uint64_t counter = 0;

    assert_int_equal(proofs_next(agent, role, &counter), STATUS_OK);
    return counter;
}

static void the_next_to_ask_is_the_first_that_is_not_final(void **state)
{
    (void)state;
    assert_int_equal(next(PROOFS_SENT), 1);
    for (uint64_t i = 1; i <= 5; i++)
        keep(PROOFS_SENT, i, NULL, i != 3);
    assert_int_equal(next(PROOFS_SENT), 3);
    assert_int_equal(next(PROOFS_RECEIVED), 1);
    keep(PROOFS_SENT, 3, NULL, true);
    assert_int_equal(next(PROOFS_SENT), 5);
}

static void what_was_erased_stays_so(void **state)
{
    struct byte_buffer bytes = bytes_buffer(0);
    struct proofs_row row;

    (void)state;
    keep(PROOFS_SENT, 1, event, false);
    keep(PROOFS_SENT, 2, other_event, false);
    assert_int_equal(proofs_forget_person(agent, &sent), STATUS_OK);
    keep(PROOFS_SENT, 1, event,
         true); /* a final proof of the same entry, by a broker that has not erased it yet */
    assert_int_equal(proofs_read(agent, PROOFS_SENT, 1, &bytes, &row), STATUS_OK);
    assert_null(row.personal_salt);
    assert_true(row.final);
    bytes_buffer_wipe(&bytes);
    assert_int_equal(proofs_read(agent, PROOFS_SENT, 2, &bytes, &row), STATUS_OK);
    assert_non_null(row.personal_salt);
    bytes_buffer_wipe(&bytes);
}

static void a_proof_is_owed_until_it_is_final(void **state)
{
    const struct proofs_due by_index = {.has_index = true, .index = 4};
    const struct proofs_due by_number = {.counter = 9};
    const struct proofs_due by_another = {.counter = 8};
    const struct proofs_event got = {
        .role = PROOFS_RECEIVED, .member = bytes_of_string("police.staffordshire"), .id = event};
    struct proofs_due due;

    (void)state;
    assert_int_equal(proofs_owed(agent, &sent, &due), STATUS_NOT_FOUND);
    assert_int_equal(proofs_owe(agent, &sent, &by_index, room->now), STATUS_OK);
    assert_int_equal(proofs_owe(agent, &got, &by_number, room->now), STATUS_OK);
    assert_int_equal(proofs_owe(agent, &got, &by_number, room->now), STATUS_OK);
    assert_int_equal(proofs_owe(agent, &got, &by_another, room->now), STATUS_MISMATCH);
    assert_int_equal(proofs_owed(agent, &sent, &due), STATUS_OK);
    assert_true(due.has_index && due.index == 4 && due.counter == 0);
    assert_int_equal(proofs_settle(agent, &sent, false), STATUS_OK);
    assert_int_equal(proofs_owed(agent, &sent, &due), STATUS_OK);
    assert_int_equal(proofs_settle(agent, &sent, true), STATUS_OK);
    assert_int_equal(proofs_owed(agent, &sent, &due), STATUS_NOT_FOUND);
    assert_int_equal(proofs_owed(agent, &got, &due), STATUS_OK);
    keep(PROOFS_SENT, 1, event, true);
    assert_int_equal(proofs_owe(agent, &sent, &by_index, room->now), STATUS_OK);
    assert_int_equal(proofs_owed(agent, &sent, &due), STATUS_NOT_FOUND); /* a final one is here already */
}

static void another_log_begins_anew(void **state)
{
    const struct proofs_due told = {.counter = 3};
    const struct proofs_event owed = {.role = PROOFS_SENT, .id = (uint8_t[UUID_SIZE]){9}};
    const enum proofs_role before = (enum proofs_role)(PROOFS_SENT + 3 * PROOFS_LOG_AGO);
    struct byte_buffer bytes = bytes_buffer(0);
    struct proofs_due due;
    struct proofs_row row;
    int64_t counted = -1;

    (void)state;
    for (int logs = 0; logs < 3; logs++) {
        keep(PROOFS_SENT, 1, event, logs == 0);
        keep(PROOFS_SENT, 2, other_event, true);
        assert_int_equal(marks_set(agent, "counted.sent", 2), STATUS_OK);
        assert_int_equal(proofs_owe(agent, &owed, &told, room->now), STATUS_OK);
        assert_int_equal(db_begin(agent->db), STATUS_OK);
        assert_int_equal(proofs_other_log(agent), STATUS_OK);
        assert_int_equal(db_commit(agent->db), STATUS_OK);
        assert_int_equal(next(PROOFS_SENT), 1);
        assert_int_equal(marks_get(agent, "counted.sent", &counted), STATUS_OK);
        assert_int_equal(counted, 0);
        assert_int_equal(proofs_owed(agent, &owed, &due), STATUS_NOT_FOUND);
    }
    /* What the first one proved can still be shown, and forgotten. */
    assert_int_equal(proofs_read(agent, before, 1, &bytes, &row), STATUS_OK);
    assert_non_null(row.personal_salt);
    bytes_buffer_wipe(&bytes);
    assert_int_equal(proofs_forget_person(agent, &sent), STATUS_OK);
    assert_int_equal(proofs_read(agent, before, 1, &bytes, &row), STATUS_OK);
    assert_null(row.personal_salt);
    bytes_buffer_wipe(&bytes);
}

static int64_t count_of(const char *sql)
{
    struct db_statement *statement = NULL;
    bool row = false;

    assert_int_equal(db_statement(agent->db, sql, &statement), STATUS_OK);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    const int64_t count = db_column_int64(statement, 0);
    db_reset(statement);
    return count;
}

static void old_proofs_go_but_the_last_of_each_role(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 4; i++)
        keep(PROOFS_SENT, i, NULL, true);
    keep(PROOFS_RECEIVED, 1, event, true);
    assert_int_equal(proofs_purge(agent, room->now), STATUS_OK);
    assert_int_equal(count_of("SELECT count(*) FROM proof"), 5);
    assert_int_equal(proofs_purge(agent, room->now + (int64_t)401 * CIVIL_DAY_MS), STATUS_OK);
    assert_int_equal(count_of("SELECT count(*) FROM proof"), 2);
    assert_int_equal(next(PROOFS_SENT), 4);
    assert_int_equal(count_of("SELECT count(*) FROM proof_note"), 1);
}

/* Whatever the receipts say: after a restore of the broker the event may have to be published again. */
static void an_event_stays_in_the_outbox_while_its_proof_is_owed(void **state)
{
    uint8_t id[UUID_SIZE];
    struct proofs_event of = {.role = PROOFS_SENT, .id = id};
    int64_t wait = 0;

    (void)state;
    postroom_list(room);
    assert_int_equal(postroom_queue(room, MEMBER, "release.planned", POSTROOM_PNC, NULL,
                                    "release_date=2026-12-20;home_force=21;date_type=CRD", id),
                     STATUS_OK);
    postroom_run(room);
    assert_int_equal(count_of("SELECT count(*) FROM outbox WHERE state = 3"), 1);
    assert_int_equal(db_exec(agent->db, "UPDATE outbox SET standing = 0"), STATUS_OK);
    const int64_t later = room->now + (int64_t)31 * CIVIL_DAY_MS;
    assert_int_equal(housekeeping_step(agent, later, &wait), STATUS_OK);
    assert_int_equal(count_of("SELECT count(*) FROM outbox"), 1);
    assert_int_equal(proofs_settle(agent, &of, true), STATUS_OK);
    assert_int_equal(housekeeping_step(agent, later + CIVIL_DAY_MS, &wait), STATUS_OK);
    assert_int_equal(count_of("SELECT count(*) FROM outbox"), 0);
}

static bool may_be_gone(uint64_t counter, uint64_t index, int64_t time)
{
    bool gone = false;

    assert_int_equal(agree_gone(agent, PROOFS_RECEIVED, counter, index, time, room->now, &gone), STATUS_OK);
    return gone;
}

/* An entry without its personal part is believed if its retention can be over, or if all that it could be
 * about has been erased here. */
static void nothing_is_gone_without_a_reason(void **state)
{
    static const char tombstone[] =
        "INSERT INTO inbox (event, sender, state, late, opened, received, until, header, section) VALUES"
        " (x'01000000000000000000000000000000', 'police.staffordshire', 5, 0, 0, 0, 1, x'00', x'00')";
    const struct proofs_event erased = {
        .role = PROOFS_RECEIVED, .member = bytes_of_string("police.staffordshire"), .id = event};
    const struct proofs_event whole = {
        .role = PROOFS_RECEIVED, .member = bytes_of_string("police.staffordshire"), .id = other_event};
    const struct proofs_due nine = {.counter = 9};
    const struct proofs_due at_four = {.counter = 10, .has_index = true, .index = 4};

    (void)state;
    assert_int_equal(marks_set(agent, "born", 0), STATUS_OK);
    assert_false(may_be_gone(9, 3, room->now));
    assert_true(may_be_gone(9, 3, room->now - 3660 * CIVIL_DAY_MS));
    assert_int_equal(proofs_owe(agent, &erased, &nine, room->now), STATUS_OK);
    assert_int_equal(proofs_owe(agent, &whole, &at_four, room->now), STATUS_OK);
    assert_false(may_be_gone(9, 3, room->now));
    assert_int_equal(db_exec(agent->db, tombstone), STATUS_OK);
    assert_true(may_be_gone(9, 3, room->now));
    assert_false(may_be_gone(9, 4, room->now)); /* its number is the one's, its place the other's */
    assert_false(may_be_gone(10, 4, room->now));
    assert_true(may_be_gone(11, 5, room->now)); /* nothing was told of that, and something was erased */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_comes_back_as_it_was, open_room, close_room),
        cmocka_unit_test_setup_teardown(the_next_to_ask_is_the_first_that_is_not_final, open_room,
                                        close_room),
        cmocka_unit_test_setup_teardown(what_was_erased_stays_so, open_room, close_room),
        cmocka_unit_test_setup_teardown(a_proof_is_owed_until_it_is_final, open_room, close_room),
        cmocka_unit_test_setup_teardown(nothing_is_gone_without_a_reason, open_room, close_room),
        cmocka_unit_test_setup_teardown(another_log_begins_anew, open_room, close_room),
        cmocka_unit_test_setup_teardown(old_proofs_go_but_the_last_of_each_role, open_room, close_room),
        cmocka_unit_test_setup_teardown(an_event_stays_in_the_outbox_while_its_proof_is_owed, open_room,
                                        close_room),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bytes_buffer_free(&note);
    bytes_buffer_free(&proof);
    return failed;
}
