#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "audit/source.h"
#include "base/db.h"
#include "proto/logrow.h"
#include "proto/uuid.h"
#include "tests/support/exchange.h"

/* Erasure takes what is about the sender's own event, whoever else uses its id. */

#define HELD "name,dob,pnc_id,prison_no,date_type,home_district,licence_conditions,address"

/* A notice about that person, under that id unless it is NULL. */
static void notice(struct exchange *exchange, struct exchange_event *event, size_t from, unsigned person,
                   const uint8_t *id)
{
    const Wire__Outcome *outcome;

    exchange_make(exchange, event, from, "release.planned", person, "release_date=2026-12-29 home_force=21",
                  HELD);
    if (id != NULL)
        exchange_name(event, id);
    outcome = exchange_publish(exchange, event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("no notice: %s", outcome->reason);
}

static void take_all(struct exchange *exchange, size_t agent, size_t count)
{
    exchange_fetch(exchange, agent, 64, 0);
    while (count > 0) {
        const Wire__Frame *frame = exchange_wait(exchange, agent, WIRE__FRAME__VERB_DELIVER);
        struct byte_buffer receipts;
        exchange_receipts(exchange, agent, frame->deliver, RECEIPT_STORED, &receipts);
        exchange_send(exchange, agent, bytes_buffer_view(&receipts));
        bytes_buffer_free(&receipts);
        (void)exchange_wait(exchange, agent, WIRE__FRAME__VERB_RECEIPTS_STORED);
        assert_true(count >= frame->deliver->n_events);
        count -= frame->deliver->n_events;
    }
}

static void ask(struct exchange *exchange, size_t from, unsigned person, const struct exchange_event *target)
{
    struct exchange_event event;
    const Wire__Outcome *outcome;
    char attributes[96];
    char id[UUID_TEXT_SIZE];

    uuid_format(target->core.event, id);
    snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
    exchange_make(exchange, &event, from, "event.erased", person, attributes, NULL);
    outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("not asked: %s", outcome->reason);
    exchange_drop(&event);
}

/* The officer's word; from may be NULL. What the broker answers. */
static const char *confirm(struct exchange *exchange, const char *from, const struct exchange_event *target)
{
    char json[256];
    char id[UUID_TEXT_SIZE];

    uuid_format(target->core.event, id);
    snprintf(
        json, sizeof json,
        "{\"do\":\"confirm-erasure\",\"event\":\"%s\",\"officer\":\"dpo.hargreaves\",\"how\":\"test\"%s%s%s}",
        id, from == NULL ? "" : ",\"from\":\"", from == NULL ? "" : from, from == NULL ? "" : "\"");
    return exchange_control(exchange, json);
}

static void wait_erased(struct exchange *exchange)
{
    for (int i = 0; i < 2000; i++) {
        if (strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"erasing\":0") != NULL)
            return;
    }
    fail_msg("it is not done");
}

/* ---- what is left ---- */

struct left {
    const uint8_t *event;
    size_t dovegate; /* entries that name the event, by whose it is */
    size_t stafford;
};

static void count_entry(struct left *left, const struct logrow *row, const struct logrow_record *record)
{
    static struct record_storage storage;
    struct record_account account;
    struct record_personal personal;
    struct logrow_block block;

    assert_int_equal(logrow_block(row, record, &block), STATUS_OK);
    if (block.salt == NULL || block.part.size == 0)
        return;
    assert_int_equal(record_decode_personal(block.part, &storage, &personal), STATUS_OK);
    if (!bytes_equal(personal.event, bytes_view(left->event, CORE_EVENT_SIZE)))
        return;
    assert_int_equal(record_decode_account(record->account, &storage, &account), STATUS_OK);
    bool dovegate = bytes_equal(account.from, bytes_of_string("prison.dovegate")) ||
                    bytes_equal(account.to, bytes_of_string("prison.dovegate"));
    bool stafford = bytes_equal(account.from, bytes_of_string("prison.stafford")) ||
                    bytes_equal(account.to, bytes_of_string("prison.stafford"));
    assert_true(dovegate != stafford);
    left->dovegate += dovegate;
    left->stafford += stafford;
}

static enum status count_row(void *context, const struct source_row *row)
{
    struct logrow reader = logrow_open(row->records, row->personal);
    struct logrow_record record;

    while (logrow_next(&reader, &record) == STATUS_OK)
        count_entry(context, &reader, &record);
    return STATUS_OK;
}

/* Of a stopped pipeline. */
static struct left count_left(struct exchange *exchange, const uint8_t *event)
{
    struct left left = {.event = event};
    struct source_reason reason;
    struct source *source = NULL;

    assert_int_equal(source_open(exchange->folder, &source, &reason), STATUS_OK);
    assert_int_equal(source_rows(source, 0, UINT64_MAX >> 1, count_row, &left), STATUS_OK);
    source_close(&source);
    return left;
}

static int64_t count_reports(struct exchange *exchange, const uint8_t *event)
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
    assert_int_equal(db_statement(db, "SELECT count(*) FROM report WHERE event = ?", &statement), STATUS_OK);
    db_bind_blob(statement, 1, bytes_view(event, CORE_EVENT_SIZE));
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    int64_t count = db_column_int64(statement, 0);
    db_close(&db);
    return count;
}

/* ---- stories ---- */

/* Two prisons' notices under one id, about two people, both delivered to police and opened there. */
static void two_under_one_id(struct exchange *exchange, struct exchange_event *first,
                             struct exchange_event *second)
{
    exchange_connect_all(exchange);
    exchange_list(exchange, 1);
    exchange_list(exchange, 2);
    notice(exchange, first, EXCHANGE_DOVEGATE, 1, NULL);
    notice(exchange, second, EXCHANGE_STAFFORD, 2, first->core.event);
    take_all(exchange, EXCHANGE_POLICE, 2);
    exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, first);
    exchange_report(exchange, EXCHANGE_POLICE, WIRE__REPORT_KIND__OPENED, second);
}

static void test_another_members_event_stays(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event first;
    struct exchange_event second;

    two_under_one_id(exchange, &first, &second);
    exchange_stop(exchange);
    struct left before = count_left(exchange, first.core.event);
    assert_true(before.dovegate > 2 && before.dovegate == before.stafford);
    assert_int_equal(count_reports(exchange, first.core.event), 2);
    exchange_connect_all(exchange);
    ask(exchange, EXCHANGE_DOVEGATE, 1, &first);
    assert_non_null(strstr(confirm(exchange, "prison.stafford", &first), "has not asked"));
    assert_null(strstr(confirm(exchange, NULL, &first), "error"));
    wait_erased(exchange);
    exchange_stop(exchange);
    struct left after = count_left(exchange, first.core.event);
    assert_int_equal(after.dovegate, 1); /* that police opened it goes by retention */
    assert_int_equal(after.stafford, before.stafford);
    assert_int_equal(count_reports(exchange, first.core.event), 1);
    exchange_assert_log(exchange);
    exchange_drop(&first);
    exchange_drop(&second);
}

static void test_both_ask(void **state)
{
    struct exchange *exchange = *state;
    struct exchange_event first;
    struct exchange_event second;

    two_under_one_id(exchange, &first, &second);
    ask(exchange, EXCHANGE_DOVEGATE, 1, &first);
    ask(exchange, EXCHANGE_STAFFORD, 2, &second);
    assert_non_null(strstr(confirm(exchange, NULL, &first), "say whose"));
    assert_null(strstr(confirm(exchange, "prison.stafford", &first), "error"));
    wait_erased(exchange);
    exchange_stop(exchange);
    struct left after = count_left(exchange, first.core.event);
    assert_true(after.dovegate > 2);
    assert_int_equal(after.stafford, 1); /* that police opened it */
    exchange_connect_all(exchange);
    assert_null(strstr(confirm(exchange, NULL, &first), "error")); /* one is left */
    wait_erased(exchange);
    exchange_stop(exchange);
    assert_int_equal(count_left(exchange, first.core.event).dovegate, 1);
    assert_int_equal(count_reports(exchange, first.core.event), 0);
    exchange_assert_log(exchange);
    exchange_drop(&first);
    exchange_drop(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_another_members_event_stays, exchange_setup, exchange_teardown),
        cmocka_unit_test_setup_teardown(test_both_ask, exchange_setup, exchange_teardown),
    };
    return cmocka_run_group_tests_name("erasing", tests, NULL, NULL);
}
