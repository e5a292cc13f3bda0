#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/db.h"
#include "broker/layout.h"
#include "broker/store/store_memory.h"
#include "broker/store/store_sqlite.h"

/* The contract of broker/store/store.h, run against every back end. */
struct house {
    const char *name;
    struct db *db;
    struct store *store;
};

static int open_sqlite(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    struct byte_buffer schema = bytes_buffer((size_t)64 << 10);
    struct db_options options = layout_options(&schema);

    options.memory = true;
    house->name = "sqlite";
    assert_int_equal(db_open("", &options, &house->db), STATUS_OK);
    bytes_buffer_free(&schema);
    assert_int_equal(store_sqlite_new(house->db, &house->store), STATUS_OK);
    *state = house;
    return 0;
}

static int open_memory(void **state)
{
    struct house *house = calloc(1, sizeof *house);

    house->name = "memory";
    assert_int_equal(store_memory_new(&house->store), STATUS_OK);
    *state = house;
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;

    store_close(&house->store);
    if (house->db != NULL)
        db_close(&house->db);
    free(house);
    return 0;
}

static struct store *store_of(void **state)
{
    return ((struct house *)*state)->store;
}

static void begin(struct store *store)
{
    assert_int_equal(store_begin(store), STATUS_OK);
}

static void commit(struct store *store)
{
    assert_int_equal(store_commit(store), STATUS_OK);
}

static const uint8_t *event_id(uint8_t *id, uint32_t number)
{
    memset(id, 0, STORE_EVENT_SIZE);
    bytes_put_u32(id + 4, number);
    return id;
}

/* ---- members ---- */

struct members {
    size_t count;
    struct store_member list[8];
};

static enum status take_member(void *context, const struct store_member *member)
{
    struct members *members = context;

    members->list[members->count++] = *member;
    return members->count == 8 ? STATUS_TOO_LARGE : STATUS_OK;
}

static void test_members(void **state)
{
    struct store *store = store_of(state);
    struct members members = {0};
    struct store_member member = {.number = 2, .id = "prison.dovegate", .sent = 7, .has_high = true};

    event_id(member.high, 9);
    begin(store);
    assert_int_equal(store_put_member(store, &member), STATUS_OK);
    member =
        (struct store_member){.number = 1, .id = "police.staffordshire", .received = 3, .undelivered = 4};
    assert_int_equal(store_put_member(store, &member), STATUS_OK);
    member.forwarded = 5;
    member.confirmed = 2;
    assert_int_equal(store_put_member(store, &member), STATUS_OK);
    commit(store);
    assert_int_equal(store_each_member(store, take_member, &members), STATUS_OK);
    assert_int_equal(members.count, 2);
    assert_string_equal(members.list[0].id, "police.staffordshire");
    assert_int_equal(members.list[0].received, 3);
    assert_int_equal(members.list[0].undelivered, 4);
    assert_int_equal(members.list[0].forwarded, 5);
    assert_int_equal(members.list[0].confirmed, 2);
    assert_false(members.list[0].has_high);
    assert_int_equal(members.list[1].number, 2);
    assert_int_equal(members.list[1].sent, 7);
    assert_true(members.list[1].has_high);
    assert_int_equal(members.list[1].high[7], 9);
    members.count = 7;
    assert_int_equal(store_each_member(store, take_member, &members), STATUS_TOO_LARGE);
}

/* ---- batches ---- */

static void append_batch(struct store *store, uint64_t id, uint32_t sender, uint32_t first, uint32_t last)
{
    static const uint8_t certificate[32] = {1};
    static const uint8_t signature[64] = {2};
    struct store_batch batch = {.id = id,
                                .sender = sender,
                                .count = 3,
                                .committed = 1234,
                                .certificate = bytes_view(certificate, 32),
                                .signature = bytes_view(signature, 64),
                                .headers = bytes_of_string("headers"),
                                .openings = bytes_of_string("openings"),
                                .outcomes = bytes_of_string("outcomes"),
                                .has_range = first != 0};

    event_id(batch.first, first);
    event_id(batch.last, last);
    assert_int_equal(store_append_batch(store, &batch), STATUS_OK);
}

static void test_blank_batch(void **state)
{
    struct store *store = store_of(state);
    struct store_batch batch;

    begin(store);
    append_batch(store, 1, 1, 10, 20);
    assert_int_equal(store_blank_batch(store, 1, bytes_of_string("blanked"), bytes_of_string("too")),
                     STATUS_OK);
    assert_int_equal(store_blank_batch(store, 2, bytes_of_string("x"), bytes_of_string("x")),
                     STATUS_NOT_FOUND);
    commit(store);
    assert_int_equal(store_get_batch(store, 1, &batch), STATUS_OK);
    assert_true(bytes_equal(batch.headers, bytes_of_string("blanked")));
    assert_true(bytes_equal(batch.openings, bytes_of_string("too")));
    assert_true(bytes_equal(batch.outcomes, bytes_of_string("outcomes")));
    assert_int_equal(batch.committed, 1234);
}

static void test_batches(void **state)
{
    struct store *store = store_of(state);
    struct store_batch batch;
    uint64_t last = 99;

    assert_int_equal(store_last_batch(store, &last), STATUS_OK);
    assert_int_equal(last, 0);
    begin(store);
    append_batch(store, 1, 1, 10, 20);
    append_batch(store, 5, 1, 0, 0);
    commit(store);
    assert_int_equal(store_last_batch(store, &last), STATUS_OK);
    assert_int_equal(last, 5);
    assert_int_equal(store_get_batch(store, 2, &batch), STATUS_NOT_FOUND);
    assert_int_equal(store_get_batch(store, 5, &batch), STATUS_OK);
    assert_false(batch.has_range);
    assert_int_equal(store_get_batch(store, 1, &batch), STATUS_OK);
    assert_true(batch.has_range);
    assert_int_equal(batch.sender, 1);
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.committed, 1234);
    assert_int_equal(batch.certificate.size, 32);
    assert_int_equal(batch.signature.data[0], 2);
    assert_true(bytes_equal(batch.headers, bytes_of_string("headers")));
    assert_true(bytes_equal(batch.openings, bytes_of_string("openings")));
    assert_true(bytes_equal(batch.outcomes, bytes_of_string("outcomes")));
}

static void test_ranges(void **state)
{
    static const struct {
        uint32_t sender, event;
        uint64_t batch; /* 0: none */
    } rows[] = {{1, 9, 0},  {1, 10, 1}, {1, 15, 1}, {1, 20, 1}, {1, 21, 0}, {1, 30, 2},
                {1, 35, 2}, {1, 36, 0}, {2, 15, 3}, {2, 30, 0}, {3, 15, 0}};
    struct store *store = store_of(state);
    uint8_t id[STORE_EVENT_SIZE];

    begin(store);
    append_batch(store, 1, 1, 10, 20);
    append_batch(store, 2, 1, 30, 35);
    append_batch(store, 3, 2, 15, 15);
    append_batch(store, 4, 3, 0, 0);
    commit(store);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t batch = 0;
        enum status status = store_find_range(store, rows[i].sender, event_id(id, rows[i].event), &batch);
        assert_int_equal(status, rows[i].batch == 0 ? STATUS_NOT_FOUND : STATUS_OK);
        assert_int_equal(batch, rows[i].batch);
    }
}

static void test_late(void **state)
{
    struct store *store = store_of(state);
    struct store_place place = {0, 0};
    uint8_t id[STORE_EVENT_SIZE];

    begin(store);
    assert_int_equal(store_append_late(store, 1, event_id(id, 5), (struct store_place){7, 3}), STATUS_OK);
    assert_int_equal(store_find_late(store, 1, id, &place), STATUS_OK);
    commit(store);
    assert_int_equal(place.batch, 7);
    assert_int_equal(place.index, 3);
    assert_int_equal(store_find_late(store, 2, id, &place), STATUS_NOT_FOUND);
    assert_int_equal(store_find_late(store, 1, event_id(id, 6), &place), STATUS_NOT_FOUND);
}

/* ---- the queue ---- */

static void append_slice(struct store *store, uint32_t recipient, bool urgent, uint64_t batch)
{
    uint8_t marks[3 * STORE_MARK_SIZE] = {0};
    struct store_slice slice = {.key = {recipient, urgent, batch},
                                .sender = 9,
                                .count = 3,
                                .marks = bytes_view(marks, sizeof marks),
                                .sections = bytes_of_string("aaabbbbcc")};
    static const uint32_t sizes[] = {3, 4, 2};

    for (size_t i = 0; i < 3; i++) {
        struct store_mark mark = {.index = (uint16_t)(10 + i),
                                  .size = sizes[i],
                                  .counter = 100 + i,
                                  .entry = 200 + i,
                                  .rests_on = 1u << i,
                                  .tag = {7},
                                  .deadline = (int64_t)(1000 + i),
                                  .until = (int64_t)(2000 + i)};
        store_mark_write(&mark, marks + i * STORE_MARK_SIZE);
        store_mask_set(slice.live, i);
    }
    assert_int_equal(store_append_slice(store, &slice), STATUS_OK);
}

static void test_slices_in_order(void **state)
{
    struct store *store = store_of(state);
    struct store_slice slice;
    struct store_slice_key key = {2, false, 0};

    begin(store);
    append_slice(store, 2, false, 5);
    append_slice(store, 2, false, 9);
    append_slice(store, 2, true, 7);
    append_slice(store, 1, false, 6);
    append_slice(store, 3, true, 1);
    commit(store);
    assert_int_equal(store_next_slice(store, key, &slice), STATUS_OK);
    assert_int_equal(slice.key.batch, 5);
    assert_false(slice.key.urgent);
    assert_int_equal(slice.key.recipient, 2);
    assert_int_equal(slice.sender, 9);
    assert_true(bytes_equal(slice.sections, bytes_of_string("aaabbbbcc")));
    struct store_mark mark = store_mark_read(slice.marks.data + STORE_MARK_SIZE);
    assert_int_equal(mark.index, 11);
    assert_int_equal(mark.size, 4);
    assert_int_equal(mark.counter, 101);
    assert_int_equal(mark.entry, 201);
    assert_int_equal(mark.rests_on, 2);
    assert_int_equal(mark.tag[0], 7);
    assert_int_equal(store_next_slice(store, slice.key, &slice), STATUS_OK);
    assert_int_equal(slice.key.batch, 9);
    assert_int_equal(store_next_slice(store, slice.key, &slice), STATUS_NOT_FOUND);
    key.urgent = true;
    assert_int_equal(store_next_slice(store, key, &slice), STATUS_OK);
    assert_int_equal(slice.key.batch, 7);
    assert_int_equal(store_next_slice(store, slice.key, &slice), STATUS_NOT_FOUND);
}

static void test_marks_of_all(void **state)
{
    static const struct store_slice_key wanted[] = {
        {1, false, 6}, {2, true, 7}, {2, false, 5}, {2, false, 9}, {3, true, 1}};
    struct store *store = store_of(state);
    struct store_slice_key after = {0};
    struct store_slice slice;

    begin(store);
    append_slice(store, 2, false, 5);
    append_slice(store, 3, true, 1);
    append_slice(store, 2, true, 7);
    append_slice(store, 2, false, 9);
    append_slice(store, 1, false, 6);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(store_next_marks(store, after, &slice), STATUS_OK);
        assert_int_equal(slice.key.recipient, wanted[i].recipient);
        assert_int_equal(slice.key.urgent, wanted[i].urgent);
        assert_int_equal(slice.key.batch, wanted[i].batch);
        assert_int_equal(slice.sections.size, 0);
        assert_int_equal(slice.marks.size, 3 * STORE_MARK_SIZE);
        after = slice.key;
    }
    assert_int_equal(store_next_marks(store, after, &slice), STATUS_NOT_FOUND);
    commit(store);
}

static void test_deadlines(void **state)
{
    struct store *store = store_of(state);
    struct store_slice_key key = {2, false, 5};
    struct store_slice slice;

    begin(store);
    append_slice(store, 2, false, 5);
    assert_int_equal(store_set_deadline(store, key, 1, INT64_C(0x1122334455667788)), STATUS_OK);
    commit(store);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        struct store_mark mark = store_mark_read(slice.marks.data + i * STORE_MARK_SIZE);
        assert_int_equal(mark.deadline, i == 1 ? INT64_C(0x1122334455667788) : (int64_t)(1000 + i));
        assert_int_equal(mark.until, 2000 + i);
        assert_int_equal(mark.counter, 100 + i);
    }
}

/* ---- watches ---- */

static struct store_watch watch_of(enum store_watch_kind kind, uint8_t event, int64_t due)
{
    struct store_watch watch = {.kind = kind,
                                .recipient = 3,
                                .sender = 4,
                                .place = {7, event},
                                .since = 11,
                                .due = due,
                                .value = event};

    event_id(watch.event, event);
    return watch;
}

static enum status sum_watches(void *context, const struct store_watch *watch)
{
    *(uint64_t *)context = *(uint64_t *)context * 10 + watch->value;
    return STATUS_OK;
}

static void test_watches(void **state)
{
    struct store *store = store_of(state);
    struct store_watch first = watch_of(STORE_WATCH_CONFIRM, 2, 500);
    struct store_watch second = watch_of(STORE_WATCH_CONFIRM, 1, 400);
    struct store_watch other = watch_of(STORE_WATCH_ACKNOWLEDGE, 1, INT64_MAX);
    struct store_watch found = {0};
    uint64_t sum = 0;

    begin(store);
    assert_int_equal(store_due_watch(store, INT64_MAX, &found), STATUS_NOT_FOUND);
    assert_int_equal(store_put_watch(store, &first), STATUS_OK);
    assert_int_equal(store_put_watch(store, &second), STATUS_OK);
    assert_int_equal(store_put_watch(store, &other), STATUS_OK);
    commit(store);
    assert_int_equal(store_due_watch(store, 399, &found), STATUS_NOT_FOUND);
    assert_int_equal(store_due_watch(store, 600, &found), STATUS_OK);
    assert_int_equal(found.value, 1);
    assert_int_equal(found.recipient, 3);
    assert_int_equal(found.sender, 4);
    assert_int_equal(found.place.batch, 7);
    assert_int_equal(found.place.index, 1);
    assert_int_equal(found.since, 11);
    assert_memory_equal(found.event, second.event, STORE_EVENT_SIZE);
    assert_int_equal(store_each_watch(store, STORE_WATCH_CONFIRM, sum_watches, &sum), STATUS_OK);
    assert_int_equal(sum, 12);
    begin(store);
    second.due = 900;
    assert_int_equal(store_put_watch(store, &second), STATUS_OK);
    assert_int_equal(store_drop_watch(store, &other), STATUS_OK);
    assert_int_equal(store_drop_watch(store, &other), STATUS_OK);
    assert_int_equal(store_find_watch(store, &other), STATUS_NOT_FOUND);
    commit(store);
    assert_int_equal(store_due_watch(store, 600, &found), STATUS_OK);
    assert_int_equal(found.value, 2);
    second.due = 0;
    assert_int_equal(store_find_watch(store, &second), STATUS_OK);
    assert_int_equal(second.due, 900);
}

static void test_take_out(void **state)
{
    struct store *store = store_of(state);
    struct store_slice_key key = {2, true, 5};
    struct store_slice slice;
    uint8_t places[STORE_MASK_SIZE] = {0};

    begin(store);
    append_slice(store, 2, true, 5);
    append_slice(store, 2, false, 5);
    store_mask_set(places, 1);
    assert_int_equal(store_take_out(store, key, places), STATUS_OK);
    commit(store);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_OK);
    assert_true(store_mask_get(slice.live, 0));
    assert_false(store_mask_get(slice.live, 1));
    assert_true(store_mask_get(slice.live, 2));
    assert_memory_equal(slice.sections.data, "aaa\0\0\0\0cc", 9);
    begin(store);
    assert_int_equal(store_rest_on(store, key, 2, 0x11223344), STATUS_OK);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_OK);
    assert_int_equal(store_mark_read(slice.marks.data + 2 * STORE_MARK_SIZE).rests_on, 0x11223344);
    assert_int_equal(store_mark_read(slice.marks.data + 2 * STORE_MARK_SIZE).counter, 102);
    store_mask_set(places, 0);
    store_mask_set(places, 2);
    assert_int_equal(store_take_out(store, key, places), STATUS_OK);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_NOT_FOUND);
    assert_int_equal(store_take_out(store, key, places), STATUS_NOT_FOUND);
    assert_int_equal(store_drop_slice(store, key), STATUS_OK);
    key.urgent = false;
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_OK);
    assert_memory_equal(slice.sections.data, "aaabbbbcc", 9);
    assert_int_equal(store_drop_slice(store, key), STATUS_OK);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_NOT_FOUND);
    commit(store);
}

/* ---- what is to be told ---- */

static void test_forwards(void **state)
{
    struct store *store = store_of(state);
    struct byte_view body;
    uint64_t id = 0;

    begin(store);
    assert_int_equal(store_append_forward(store, 1, 1, bytes_of_string("one")), STATUS_OK);
    assert_int_equal(store_append_forward(store, 1, 2, bytes_of_string("two")), STATUS_OK);
    assert_int_equal(store_append_forward(store, 2, 1, bytes_of_string("other")), STATUS_OK);
    assert_int_equal(store_append_forward(store, 1, 7, bytes_of_string("seven")), STATUS_OK);
    commit(store);
    assert_int_equal(store_next_forward(store, 1, 0, &id, &body), STATUS_OK);
    assert_int_equal(id, 1);
    assert_true(bytes_equal(body, bytes_of_string("one")));
    assert_int_equal(store_next_forward(store, 1, 2, &id, &body), STATUS_OK);
    assert_int_equal(id, 7);
    assert_int_equal(store_next_forward(store, 1, 7, &id, &body), STATUS_NOT_FOUND);
    begin(store);
    assert_int_equal(store_drop_forwards(store, 1, 2), STATUS_OK);
    commit(store);
    assert_int_equal(store_next_forward(store, 1, 0, &id, &body), STATUS_OK);
    assert_int_equal(id, 7);
    assert_int_equal(store_next_forward(store, 2, 0, &id, &body), STATUS_OK);
    assert_true(bytes_equal(body, bytes_of_string("other")));
}

static enum status count_replan(void *context, const uint8_t event[static STORE_EVENT_SIZE])
{
    *(uint32_t *)context = *(uint32_t *)context * 10 + bytes_get_u32(event + 4);
    return STATUS_OK;
}

static enum status count_recall(void *context, const struct store_recall *recall)
{
    assert_string_equal(recall->reason, "why");
    assert_int_equal(recall->sender, 3);
    return count_replan(context, recall->event);
}

static void test_replans_and_recalls(void **state)
{
    struct store *store = store_of(state);
    struct store_recall recall = {.recipient = 1, .sender = 3, .reason = "why"};
    struct store_recall after = {.recipient = 1};
    static const uint8_t start[STORE_EVENT_SIZE];
    uint32_t seen = 0;
    uint8_t id[STORE_EVENT_SIZE];

    begin(store);
    assert_int_equal(store_put_replan(store, 1, event_id(id, 2)), STATUS_OK);
    assert_int_equal(store_put_replan(store, 1, id), STATUS_OK);
    assert_int_equal(store_put_replan(store, 2, event_id(id, 9)), STATUS_OK);
    assert_int_equal(store_put_replan(store, 1, event_id(id, 1)), STATUS_OK);
    assert_int_equal(store_each_replan(store, 1, start, count_replan, &seen), STATUS_OK);
    assert_int_equal(seen, 12);
    seen = 0;
    assert_int_equal(store_each_replan(store, 1, event_id(id, 1), count_replan, &seen), STATUS_OK);
    assert_int_equal(seen, 2);
    event_id(id, 1);
    assert_int_equal(store_drop_replan(store, 1, event_id(id, 2)), STATUS_OK);
    assert_int_equal(store_drop_replan(store, 1, id), STATUS_OK);
    seen = 0;
    assert_int_equal(store_each_replan(store, 1, start, count_replan, &seen), STATUS_OK);
    assert_int_equal(seen, 1);
    event_id(recall.event, 4);
    assert_int_equal(store_put_recall(store, &recall), STATUS_OK);
    assert_int_equal(store_put_recall(store, &recall), STATUS_OK);
    recall.recipient = 2;
    event_id(recall.event, 5);
    assert_int_equal(store_put_recall(store, &recall), STATUS_OK);
    seen = 0;
    assert_int_equal(store_each_recall(store, &after, count_recall, &seen), STATUS_OK);
    assert_int_equal(seen, 4);
    after.sender = 3; /* told up to that one; the next is another sender's or a later event */
    event_id(after.event, 4);
    seen = 0;
    assert_int_equal(store_each_recall(store, &after, count_recall, &seen), STATUS_OK);
    assert_int_equal(seen, 0);
    event_id(after.event, 3);
    assert_int_equal(store_each_recall(store, &after, count_recall, &seen), STATUS_OK);
    assert_int_equal(seen, 4);
    assert_int_equal(store_drop_recall(store, 1, 3, event_id(id, 5)), STATUS_OK);
    assert_int_equal(store_drop_recall(store, 1, 3, event_id(id, 4)), STATUS_OK);
    seen = 0;
    assert_int_equal(store_each_recall(store, &after, count_recall, &seen), STATUS_OK);
    assert_int_equal(seen, 0);
    commit(store);
}

static void test_reports_are_known_again(void **state)
{
    struct store *store = store_of(state);
    const uint8_t mark[STORE_REPORT_SIZE] = {1};
    const uint8_t other[STORE_REPORT_SIZE] = {2};
    const uint8_t theirs[STORE_REPORT_SIZE] = {3};
    uint8_t id[STORE_EVENT_SIZE];

    begin(store);
    assert_int_equal(store_note_report(store, 1, 5, event_id(id, 7), mark), STATUS_OK);
    assert_int_equal(store_note_report(store, 1, 5, id, mark), STATUS_EXISTS);
    assert_int_equal(store_note_report(store, 1, 5, id, other), STATUS_OK);
    assert_int_equal(store_note_report(store, 2, 5, id, mark), STATUS_OK);
    assert_int_equal(store_note_report(store, 1, 6, id, theirs), STATUS_OK);
    assert_int_equal(store_note_report(store, 1, 5, event_id(id, 8), mark), STATUS_OK);
    commit(store);
    begin(store);
    assert_int_equal(store_note_report(store, 1, 5, id, mark), STATUS_EXISTS);
    assert_int_equal(store_drop_reports(store, 5, event_id(id, 7)), STATUS_OK);
    commit(store);
    begin(store);
    assert_int_equal(store_note_report(store, 1, 6, id, theirs), STATUS_EXISTS); /* another sender's event */
    assert_int_equal(store_note_report(store, 1, 5, event_id(id, 8), mark), STATUS_EXISTS);
    assert_int_equal(store_note_report(store, 1, 5, event_id(id, 7), mark), STATUS_OK); /* forgotten */
    assert_int_equal(store_note_report(store, 2, 5, id, mark), STATUS_OK);
    commit(store);
}

/* ---- subjects, grounds, state ---- */

static void test_subjects(void **state)
{
    struct store *store = store_of(state);
    struct byte_view key;
    struct byte_view value;

    begin(store);
    assert_int_equal(store_put_subject(store, bytes_of_string("bb"), bytes_of_string("1")), STATUS_OK);
    assert_int_equal(store_put_subject(store, bytes_of_string("a"), bytes_of_string("2")), STATUS_OK);
    assert_int_equal(store_put_subject(store, bytes_of_string("bb"), bytes_of_string("three")), STATUS_OK);
    commit(store);
    assert_int_equal(store_get_subject(store, bytes_of_string("b"), &value), STATUS_NOT_FOUND);
    assert_int_equal(store_get_subject(store, bytes_of_string("bb"), &value), STATUS_OK);
    assert_true(bytes_equal(value, bytes_of_string("three")));
    assert_int_equal(store_next_subject(store, bytes_view(NULL, 0), &key, &value), STATUS_OK);
    assert_true(bytes_equal(key, bytes_of_string("a")));
    assert_true(bytes_equal(value, bytes_of_string("2")));
    assert_int_equal(store_next_subject(store, bytes_of_string("a"), &key, &value), STATUS_OK);
    assert_true(bytes_equal(key, bytes_of_string("bb")));
    assert_int_equal(store_next_subject(store, bytes_of_string("bb"), &key, &value), STATUS_NOT_FOUND);
}

static void test_grounds_and_state(void **state)
{
    struct store *store = store_of(state);
    struct byte_view value;

    begin(store);
    assert_int_equal(store_append_ground(store, (struct store_place){3, 255}, bytes_of_string("g")),
                     STATUS_OK);
    assert_int_equal(store_put_state(store, "bundle", bytes_of_string("x")), STATUS_OK);
    assert_int_equal(store_put_state(store, "bundle", bytes_of_string("y")), STATUS_OK);
    commit(store);
    assert_int_equal(store_get_ground(store, (struct store_place){3, 254}, &value), STATUS_NOT_FOUND);
    assert_int_equal(store_get_ground(store, (struct store_place){3, 255}, &value), STATUS_OK);
    assert_true(bytes_equal(value, bytes_of_string("g")));
    begin(store);
    assert_int_equal(store_drop_ground(store, (struct store_place){3, 255}), STATUS_OK);
    assert_int_equal(store_drop_ground(store, (struct store_place){3, 255}), STATUS_OK);
    commit(store);
    assert_int_equal(store_get_ground(store, (struct store_place){3, 255}, &value), STATUS_NOT_FOUND);
    assert_int_equal(store_get_state(store, "members", &value), STATUS_NOT_FOUND);
    assert_int_equal(store_get_state(store, "bundle", &value), STATUS_OK);
    assert_true(bytes_equal(value, bytes_of_string("y")));
}

/* Nothing of a transaction that was given up is left: what was added, changed or taken away. */
static void test_rollback(void **state)
{
    struct store *store = store_of(state);
    struct members members = {0};
    struct store_member member = {.number = 1, .id = "police.staffordshire", .sent = 1};
    struct store_slice_key key = {2, true, 5};
    struct store_slice slice;
    struct store_batch batch;
    struct byte_view value;
    uint8_t places[STORE_MASK_SIZE] = {1};
    uint8_t id[STORE_EVENT_SIZE];
    uint64_t found = 0;

    begin(store);
    assert_int_equal(store_put_member(store, &member), STATUS_OK);
    append_slice(store, 2, true, 5);
    assert_int_equal(store_put_state(store, "a", bytes_of_string("old")), STATUS_OK);
    commit(store);
    begin(store);
    member.sent = 2;
    assert_int_equal(store_put_member(store, &member), STATUS_OK);
    append_batch(store, 1, 1, 10, 20);
    assert_int_equal(store_take_out(store, key, places), STATUS_OK);
    append_slice(store, 2, false, 6);
    assert_int_equal(store_put_state(store, "a", bytes_of_string("new")), STATUS_OK);
    assert_int_equal(store_put_state(store, "a", bytes_of_string("newer")), STATUS_OK);
    assert_int_equal(store_put_state(store, "b", bytes_of_string("new")), STATUS_OK);
    assert_int_equal(store_drop_slice(store, key), STATUS_OK);
    store_rollback(store);
    assert_int_equal(store_each_member(store, take_member, &members), STATUS_OK);
    assert_int_equal(members.list[0].sent, 1);
    assert_int_equal(store_get_batch(store, 1, &batch), STATUS_NOT_FOUND);
    assert_int_equal(store_find_range(store, 1, event_id(id, 15), &found), STATUS_NOT_FOUND);
    assert_int_equal(store_get_slice(store, key, &slice), STATUS_OK);
    assert_int_equal(store_mask_count(slice.live), 3);
    assert_memory_equal(slice.sections.data, "aaabbbbcc", 9);
    assert_int_equal(store_next_slice(store, (struct store_slice_key){2, false, 0}, &slice),
                     STATUS_NOT_FOUND);
    assert_int_equal(store_get_state(store, "a", &value), STATUS_OK);
    assert_true(bytes_equal(value, bytes_of_string("old")));
    assert_int_equal(store_get_state(store, "b", &value), STATUS_NOT_FOUND);
    begin(store);
    append_batch(store, 1, 1, 10, 20);
    commit(store);
}

#define CONTRACT(name, open)                                                                                 \
    {                                                                                                        \
#name " (" #open ")", name, open, close_house, NULL                                                  \
    }
#define SUITE(open)                                                                                          \
    CONTRACT(test_members, open), CONTRACT(test_batches, open), CONTRACT(test_blank_batch, open),            \
        CONTRACT(test_deadlines, open), CONTRACT(test_watches, open), CONTRACT(test_ranges, open),           \
        CONTRACT(test_late, open), CONTRACT(test_slices_in_order, open), CONTRACT(test_marks_of_all, open),  \
        CONTRACT(test_take_out, open), CONTRACT(test_forwards, open),                                        \
        CONTRACT(test_replans_and_recalls, open), CONTRACT(test_reports_are_known_again, open),              \
        CONTRACT(test_subjects, open), CONTRACT(test_grounds_and_state, open), CONTRACT(test_rollback, open)

int main(void)
{
    const struct CMUnitTest tests[] = {SUITE(open_sqlite), SUITE(open_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
