#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/wire_check.h"

static struct sample sample;
static struct wire_arena arena;
static struct byte_buffer frames[4];
enum { PUBLISH, DELIVER, RECEIPTS, FORWARDED };

static int make(void **state)
{
    (void)state;
    sample_make(&sample, 4);
    arena = wire_arena(WIRE_ARENA_FRAME);
    for (size_t i = 0; i < 4; i++)
        frames[i] = bytes_buffer(WIRE_FRAME_LIMIT);
    bytes_append_view(&frames[PUBLISH], bytes_buffer_view(&sample.publish));
    sample_deliver(&sample, SAMPLE_TO_POLICE, &frames[DELIVER]);
    sample_receipts(&sample, SAMPLE_TO_POLICE, &frames[RECEIPTS]);
    sample_forward(&sample, SAMPLE_TO_POLICE, &frames[FORWARDED]);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    sample_free(&sample);
    wire_arena_free(&arena);
    for (size_t i = 0; i < 4; i++)
        bytes_buffer_free(&frames[i]);
    return 0;
}

static const Wire__Frame *frame(size_t which)
{
    const Wire__Frame *unpacked = NULL;

    wire_arena_reset(&arena);
    assert_int_equal(wire_frame_unpack(bytes_buffer_view(&frames[which]), &arena, &unpacked), STATUS_OK);
    return unpacked;
}

static void accept(const Wire__Frame *checked)
{
    const char *reason = NULL;

    if (wire_check_frame(checked, &reason) != STATUS_OK)
        fail_msg("refused: %s", reason);
}

static void refuse(const Wire__Frame *checked, const char *expected)
{
    const char *reason = NULL;

    assert_int_equal(wire_check_frame(checked, &reason), STATUS_BAD_FORMAT);
    assert_string_equal(reason, expected);
}

static void test_accepts_good_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        accept(frame(i));
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "release.planned", "officer_risk", "release-notice", "p115"};
    static const char *const bad[] = {"", "A", "1a", ".a", "a b", "a/b", "naïve", "a\x7f"};
    char text[66];
    char long_text[WIRE_PURPOSE_MAX + 1];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(wire_check_name(bytes_of_string(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(wire_check_name(bytes_of_string(bad[i])));
    memset(text, 'a', sizeof text);
    memset(long_text, 'p', sizeof long_text);
    assert_true(wire_check_name(bytes_view(text, 64)));
    assert_false(wire_check_name(bytes_view(text, 65)));

    assert_true(wire_check_purpose(bytes_of_string("prepare for the release of a person on the scheme")));
    assert_true(wire_check_purpose(bytes_view(long_text, WIRE_PURPOSE_MAX)));
    assert_false(wire_check_purpose(bytes_view(long_text, WIRE_PURPOSE_MAX + 1)));
    assert_false(wire_check_purpose(bytes_of_string("")));
    assert_false(wire_check_purpose(bytes_of_string("a\nb")));
    assert_true(wire_check_officer(bytes_of_string("Zoë")));
    assert_false(wire_check_officer(bytes_of_string("")));
    assert_false(wire_check_officer(bytes_of_string("a\tb")));
}

static void test_publish(void **state)
{
    (void)state;
    Wire__Publish *publish = frame(PUBLISH)->publish;
    const Wire__Frame spoiled = {.verb_case = WIRE__FRAME__VERB_PUBLISH, .publish = publish};

    publish->certificate.len = 31;
    refuse(&spoiled, "a certificate is named by 32 bytes");
    publish->certificate.len = 32;
    publish->signature.len = 63;
    refuse(&spoiled, "a signature has 64 bytes");
    publish->signature.len = 64;
    publish->n_openings--;
    refuse(&spoiled, "there is not one opening for each header");
    publish->n_openings++;
    publish->slices[0]->indexes[1] = 0;
    refuse(&spoiled, "indexes do not ascend");
    publish->slices[0]->indexes[1] = 1;
    publish->slices[0]->indexes[3] = 4;
    refuse(&spoiled, "an index lies outside the batch");
    publish->slices[0]->indexes[3] = 3;
    publish->slices[0]->n_sections--;
    refuse(&spoiled, "a slice has not one section for each of its events");
    publish->slices[0]->n_sections++;
    Wire__Slice *first = publish->slices[0];
    publish->slices[0] = publish->slices[1];
    publish->slices[1] = first;
    refuse(&spoiled, "recipients do not ascend");
    publish->slices[0] = first;
    refuse(&spoiled, "recipients do not ascend"); /* the same one twice */
    publish->n_slices = 1;
    publish->openings[0]->attributes[0]->salt.len = 15;
    refuse(&spoiled, "an attribute's salt has 16 bytes");
    publish->openings[0]->attributes[0]->salt.len = 16;
    publish->openings[0]->attributes[0]->id[0] = 'X';
    refuse(&spoiled, "an attribute's id is not a name");
    publish->n_headers = 0;
    refuse(&spoiled, "between 1 and 256 events are published at a time");
}

static void test_deliver(void **state)
{
    (void)state;
    Wire__Deliver *deliver = frame(DELIVER)->deliver;
    const Wire__Frame spoiled = {.verb_case = WIRE__FRAME__VERB_DELIVER, .deliver = deliver};

    deliver->count = 257;
    refuse(&spoiled, "a batch has between 1 and 256 leaves");
    deliver->count = 0;
    refuse(&spoiled, "a batch has between 1 and 256 leaves");
    deliver->count = 9;
    refuse(&spoiled, "a path has not the length that its index gives it");
    deliver->count = 4;
    deliver->events[0]->path[1].len = 33;
    refuse(&spoiled, "a path's hashes have 32 bytes each");
    deliver->events[0]->path[1].len = 32;
    deliver->events[3]->index = 4;
    refuse(&spoiled, "an index lies outside its batch");
    deliver->events[3]->index = 2;
    refuse(&spoiled, "indexes do not ascend");
    deliver->events[3]->index = 3;
    deliver->events[2]->counter = 0;
    refuse(&spoiled, "a delivery's counter is 0");
    deliver->events[2]->counter = 3;
    deliver->from[0] = 'P';
    refuse(&spoiled, "the sender's member id is malformed");
}

static void test_receipts(void **state)
{
    (void)state;
    Wire__ReceiptBatch *batch = frame(RECEIPTS)->receipts;
    const Wire__Frame spoiled = {.verb_case = WIRE__FRAME__VERB_RECEIPTS, .receipts = batch};

    batch->receipts[0].len = 0;
    refuse(&spoiled, "a receipt is empty or too long");
    batch->n_receipts = 0;
    refuse(&spoiled, "there are not between 1 and 256 receipts");
    batch->n_receipts = 257;
    refuse(&spoiled, "there are not between 1 and 256 receipts");
    batch = frame(RECEIPTS)->receipts;
    const Wire__Frame again = {.verb_case = WIRE__FRAME__VERB_RECEIPTS, .receipts = batch};
    batch->head->n_signatures = 0;
    refuse(&again, "a bundle head has between 1 and 64 signatures");
    Wire__ForwardedReceipts *forwarded = frame(FORWARDED)->forwarded_receipts;
    const Wire__Frame third = {.verb_case = WIRE__FRAME__VERB_FORWARDED_RECEIPTS,
                               .forwarded_receipts = forwarded};
    forwarded->id = 0;
    refuse(&third, "a forwarded batch has id 0");
}

static void test_hello(void **state)
{
    (void)state;
    uint8_t digest[32] = {0};
    Wire__Hello hello = WIRE__HELLO__INIT;
    const Wire__Frame checked = {.verb_case = WIRE__FRAME__VERB_HELLO, .hello = &hello};

    hello.member = (char *)(uintptr_t)SAMPLE_FROM;
    hello.highest_version = 1;
    hello.certificate = wire_data(bytes_view(digest, 32));
    hello.head = frame(RECEIPTS)->receipts->head;
    accept(&checked);
    hello.has_checkpoint = true;
    refuse(&checked, "a checkpoint note is empty or too long");
    hello.has_checkpoint = false;
    hello.highest_version = 0;
    refuse(&checked, "the highest version is below 1");
    hello.highest_version = 1;
    hello.head->head.len = 0;
    refuse(&checked, "a bundle head has between 1 and 512 bytes");
    hello.member = (char *)(uintptr_t) "dovegate";
    refuse(&checked, "the member id is malformed");
}

static void test_plans(void **state)
{
    (void)state;
    uint8_t id[16] = {0};
    char *labels[] = {(char *)(uintptr_t) "name", (char *)(uintptr_t) "dob", (char *)(uintptr_t) "name"};
    Wire__Grant grants[2] = {WIRE__GRANT__INIT, WIRE__GRANT__INIT};
    Wire__Grant *grant_list[] = {&grants[0], &grants[1]};
    Wire__Plan plan = WIRE__PLAN__INIT;
    Wire__Plan *plan_list[] = {&plan};
    Wire__PlanAnswer answer = WIRE__PLAN_ANSWER__INIT;
    const Wire__Frame checked = {.verb_case = WIRE__FRAME__VERB_PLAN_ANSWER, .plan_answer = &answer};

    refuse(&checked, "there are not between 1 and 256 plans");
    answer.plans = plan_list;
    answer.n_plans = 1;
    plan.event = wire_data(bytes_view(id, 16));
    plan.verdict = WIRE__VERDICT__ACCEPTED;
    plan.grants = grant_list;
    plan.n_grants = 2;
    for (size_t i = 0; i < 2; i++) {
        grants[i].to = (char *)(uintptr_t)sample_member((enum sample_recipient)i);
        grants[i].rule = (char *)(uintptr_t) "release-notice";
        grants[i].labels = labels;
        grants[i].n_labels = 2;
    }
    accept(&checked);
    grants[1].n_labels = 3;
    refuse(&checked, "a label stands twice");
    grants[1].n_labels = 2;
    grants[1].to = grants[0].to;
    refuse(&checked, "recipients do not ascend");
    plan.event.len = 15;
    refuse(&checked, "an event id has 16 bytes");
    Wire__PlanRequest request = WIRE__PLAN_REQUEST__INIT;
    const Wire__Frame asked = {.verb_case = WIRE__FRAME__VERB_PLAN_REQUEST, .plan_request = &request};
    refuse(&asked, "a plan is asked for between 1 and 256 events");
}

static void test_log_and_bundle(void **state)
{
    (void)state;
    uint8_t bytes[66] = {0};
    Wire__LogEntry entry = WIRE__LOG_ENTRY__INIT;
    Wire__LogEntry *list[] = {&entry};
    Wire__LogAnswer answer = WIRE__LOG_ANSWER__INIT;
    const Wire__Frame checked = {.verb_case = WIRE__FRAME__VERB_LOG_ANSWER, .log_answer = &answer};
    Wire__BundlePart part = WIRE__BUNDLE_PART__INIT;
    const Wire__Frame parts = {.verb_case = WIRE__FRAME__VERB_BUNDLE_PART, .bundle_part = &part};

    answer.entries = list;
    answer.n_entries = 1;
    entry.entry = wire_data(bytes_view(bytes, 66));
    entry.account_salt = wire_data(bytes_view(bytes, 32));
    entry.account = wire_data(bytes_view(bytes, 60));
    entry.proof = wire_data(bytes_view(bytes, 60));
    accept(&checked);
    entry.has_personal_salt = true;
    entry.personal_salt = wire_data(bytes_view(bytes, 32));
    refuse(&checked, "a record's personal part comes with its salt, or neither comes");
    entry.has_personal = true;
    accept(&checked);
    entry.entry.len = 65;
    refuse(&checked, "a log entry has 66 bytes");
    part.head = frame(RECEIPTS)->receipts->head;
    part.body_size = 100;
    part.offset = 90;
    part.data = wire_data(bytes_view(bytes, 10));
    accept(&parts);
    part.data.len = 11;
    refuse(&parts, "a part of the bundle lies outside of it");
    part.offset = UINT64_MAX;
    refuse(&parts, "a part of the bundle lies outside of it");
    part.body_size = WIRE_BODY_LIMIT + 1;
    refuse(&parts, "a bundle body is larger than 16 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_good_frames),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_deliver),
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_log_and_bundle),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
