#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/source.h"
#include "base/civil.h"
#include "base/db.h"
#include "broker/retention_periods.h"
#include "proto/logrow.h"
#include "tests/support/exchange.h"
#include "tests/support/policy.h"

/* Personal parts of the log go by themselves when their retention is over, and the store's copy with them. */

static void publish(struct exchange *exchange, struct exchange_event *event, size_t from, const char *type,
                    unsigned person, const char *attributes, const char *held)
{
    const Wire__Outcome *outcome;

    exchange_make(exchange, event, from, type, person, attributes, held);
    outcome = exchange_publish(exchange, event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("%s: %s", type, outcome->reason);
}

static void take(struct exchange *exchange, size_t agent)
{
    struct byte_buffer receipts;

    exchange_fetch(exchange, agent, 64, 0);
    const Wire__Frame *frame = exchange_wait(exchange, agent, WIRE__FRAME__VERB_DELIVER);
    exchange_receipts(exchange, agent, frame->deliver, RECEIPT_STORED, &receipts);
    exchange_send(exchange, agent, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    (void)exchange_wait(exchange, agent, WIRE__FRAME__VERB_RECEIPTS_STORED);
}

/* ---- what is left ---- */

struct left {
    int64_t until; /* parts committed until then count */
    size_t parts;
    size_t looks;
    size_t expired; /* entries that say what went */
    uint64_t named; /* by them */
};

static void count_expired(struct left *left, const struct record_account *account)
{
    if (!bytes_equal(account->outcome, bytes_of_string("expired")))
        return;
    left->expired++;
    for (size_t i = 0; i < account->detail_count; i++) {
        assert_int_equal(account->details[i].size, 16);
        left->named += bytes_get_u64(account->details[i].data + 8);
    }
}

static enum status count_row(void *context, const struct source_row *row)
{
    static struct record_storage storage;
    struct left *left = context;
    struct logrow reader = logrow_open(row->records, row->personal);
    struct logrow_record record;
    struct record_account account;
    struct logrow_block block;

    while (logrow_next(&reader, &record) == STATUS_OK) {
        assert_int_equal(record_decode_account(record.account, &storage, &account), STATUS_OK);
        assert_int_equal(logrow_block(&reader, &record, &block), STATUS_OK);
        if (record.entry[1] == RECORD_ERASED)
            count_expired(left, &account);
        if (block.salt == NULL || block.part.size == 0 || account.time > left->until)
            continue;
        left->parts++;
        left->looks += record.entry[1] == RECORD_OPENED;
    }
    return STATUS_OK;
}

static struct left count_left(struct exchange *exchange)
{
    struct left left = {.until = PARTNERSHIP_NOW + CIVIL_DAY_MS};
    struct source_reason reason;
    struct source *source = NULL;

    assert_int_equal(source_open(exchange->folder, &source, &reason), STATUS_OK);
    assert_int_equal(source_rows(source, 0, UINT64_MAX >> 1, count_row, &left), STATUS_OK);
    source_close(&source);
    return left;
}

/* Whether the store has more of the event than its leaf. */
static bool in_a_batch(struct exchange *exchange, const struct exchange_event *event)
{
    const struct db_options options = {.application_id = LOGROW_STORE_APPLICATION,
                                       .user_version = LOGROW_STORE_VERSION,
                                       .schema_sql = "",
                                       .read_only = true};
    struct db_statement *statement = NULL;
    struct db *db = NULL;
    char path[160];
    bool row = false;

    snprintf(path, sizeof path, "%s/broker.db", exchange->folder);
    assert_int_equal(db_open(path, &options, &db), STATUS_OK);
    assert_int_equal(db_statement(db, "SELECT count(*) FROM batch WHERE instr(headers, ?) > 0", &statement),
                     STATUS_OK);
    db_bind_blob(statement, 1, bytes_view(event->core.event, CORE_EVENT_SIZE));
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    bool there = db_column_int64(statement, 0) > 0;
    db_close(&db);
    return there;
}

/* ---- stories ---- */

/* So many days later: the store thread has looked through the log. */
static void later(struct exchange *exchange, int64_t days)
{
    exchange_stop(exchange);
    exchange->clock = clock_at(PARTNERSHIP_NOW + days * CIVIL_DAY_MS);
    exchange->limits.retention_every = 1000;
    exchange_start(exchange);
    for (int i = 0; i < 200; i++)
        (void)exchange_control(exchange, "{\"do\":\"status\"}");
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    exchange_stop(exchange);
}

struct told {
    struct exchange_event listing;
    struct exchange_event arrest;
    struct left before;
};

/* A listing, and an arrest that probation received and opened. */
static void tell(struct exchange *exchange, struct told *told)
{
    exchange_connect_all(exchange);
    publish(exchange, &told->listing, EXCHANGE_POLICE, "ppo.added", 1,
            "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
            "review_due=2026-12-15 home_force=21",
            "name,dob,pnc_id,prison_no");
    publish(exchange, &told->arrest, EXCHANGE_POLICE, "arrest.made", 1, NULL, "station");
    take(exchange, EXCHANGE_PROBATION);
    exchange_report(exchange, EXCHANGE_PROBATION, WIRE__REPORT_KIND__OPENED, &told->arrest);
    exchange_stop(exchange);
    told->before = count_left(exchange);
    assert_true(told->before.parts > 5);
    assert_int_equal(told->before.looks, 1);
}

static void drop(struct told *told)
{
    exchange_drop(&told->listing);
    exchange_drop(&told->arrest);
}

static void test_nothing_goes_before_its_time(void **state)
{
    struct exchange *exchange = *state;
    struct told told;

    tell(exchange, &told);
    later(exchange, 80);
    struct left left = count_left(exchange);
    assert_int_equal(left.parts, told.before.parts);
    assert_int_equal(left.expired, 0);
    assert_true(in_a_batch(exchange, &told.arrest));
    drop(&told);
}

static void test_what_is_over_goes(void **state)
{
    struct exchange *exchange = *state;
    struct told told;

    tell(exchange, &told);
    later(exchange, 400);
    struct left left = count_left(exchange);
    assert_int_equal(left.parts, 0);
    assert_true(left.expired > 0);
    assert_int_equal(left.named, told.before.parts);
    assert_false(in_a_batch(exchange, &told.arrest));
    assert_true(in_a_batch(exchange, &told.listing)); /* the register rests on it */
    exchange_assert_log(exchange);
    later(exchange, 420); /* nothing is named twice */
    assert_int_equal(count_left(exchange).named, told.before.parts);
    drop(&told);
}

/* Who looked is kept for as long as the protocol says, whatever the rules say. */
static void test_looks_have_a_period_of_their_own(void **state)
{
    static const struct policy_edit edits[] = {
        {"  after_removal: P6M", "  log_retention: P36M\n  after_removal: P6M"}, {NULL, NULL}};
    struct exchange *exchange = *state;
    struct told told;

    tell(exchange, &told);
    exchange_start(exchange);
    exchange_load(exchange, exchange_bundle(exchange, edits));
    later(exchange, 400);
    assert_int_equal(count_left(exchange).looks, 1);
    assert_int_equal(count_left(exchange).parts, 1);
    later(exchange, 1200);
    assert_int_equal(count_left(exchange).parts, 0);
    exchange_assert_log(exchange);
    drop(&told);
}

/* ---- periods ---- */

static void test_periods_are_resumed_only_for_the_same_protocols(void **state)
{
    struct exchange *exchange = *state;
    struct retention_periods periods;
    struct retention_periods again;
    struct byte_buffer stored = bytes_buffer((size_t)4 << 10);

    retention_periods_of(exchange->rules, &periods);
    assert_true(periods.count > 1 && periods.count < RETENTION_PERIODS_MAX);
    for (size_t i = 0; i < periods.count; i++)
        periods.list[i].next = 7 + i;
    periods.forget = true;
    retention_periods_store(&periods, &stored);
    retention_periods_of(exchange->rules, &again);
    retention_periods_resume(&again, bytes_buffer_view(&stored));
    assert_memory_equal(&again, &periods, sizeof periods);
    stored.data[5] ^= 1;
    retention_periods_of(exchange->rules, &again);
    retention_periods_resume(&again, bytes_buffer_view(&stored));
    assert_int_equal(again.list[0].next, 0);
    assert_true(again.forget);
    bytes_buffer_free(&stored);
}

static void test_which_period_a_record_has(void **state)
{
    struct exchange *exchange = *state;
    const struct protocol *protocol = exchange->rules->protocols[0].protocol;
    struct record_account account = {.protocol =
                                         bytes_view(exchange->rules->protocols[0].digest, DIGEST_SIZE)};
    struct retention_periods periods;

    retention_periods_of(exchange->rules, &periods);
    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        account.rule = bytes_of_string(protocol->rules[i].id);
        size_t at = retention_periods_find(&periods, exchange->rules, RECORD_DISCLOSED, &account);
        assert_int_equal(periods.list[at].length.months, protocol->rules[i].retention.months);
        assert_int_equal(periods.list[at].length.ms, protocol->rules[i].retention.ms);
        assert_int_equal(retention_periods_find(&periods, exchange->rules, RECORD_OVERRIDE, &account), 0);
    }
    account.rule = bytes_of_string("no-such-rule");
    assert_int_equal(retention_periods_find(&periods, exchange->rules, RECORD_DISCLOSED, &account), 0);
    account.rule = bytes_view(NULL, 0);
    account.protocol = account.rule;
    assert_int_equal(retention_periods_find(&periods, exchange->rules, RECORD_CONSULTED, &account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_goes_before_its_time, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_over_goes, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_looks_have_a_period_of_their_own, exchange_setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(test_periods_are_resumed_only_for_the_same_protocols, exchange_setup,
                                        exchange_teardown),
        cmocka_unit_test_setup_teardown(test_which_period_a_record_has, exchange_setup, exchange_teardown),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
