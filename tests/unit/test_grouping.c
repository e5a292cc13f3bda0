#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/grouping.h"

#define HOLD_MS 10

static struct job *frame(enum job_lane lane, Wire__Frame__VerbCase verb, uint64_t sequence)
{
    static Wire__Frame frames[64];
    struct job *job = NULL;

    assert_int_equal(job_new(JOB_FRAME, &job), STATUS_OK);
    frames[verb] = (Wire__Frame)WIRE__FRAME__INIT;
    frames[verb].verb_case = verb;
    job->frame = &frames[verb];
    job->lane = lane;
    job->sequence = sequence;
    return job;
}

static struct job *publish(uint64_t sequence)
{
    return frame(JOB_LANE_MAIN, WIRE__FRAME__VERB_PUBLISH, sequence);
}

static struct job *receipts(uint64_t sequence)
{
    return frame(JOB_LANE_RECEIPTS, WIRE__FRAME__VERB_RECEIPTS, sequence);
}

static struct grouping *new_grouping(size_t most_frames, size_t most_bytes)
{
    struct grouping *grouping = NULL;

    assert_int_equal(grouping_new(most_frames, most_bytes, HOLD_MS, &grouping), STATUS_OK);
    return grouping;
}

/* Takes the next group and tells it apart: P1 is the first publish, R2 the second receipts, W1 a word. */
static void expect_group(struct grouping *grouping, int64_t elapsed, const char *expected)
{
    struct job **jobs = NULL;
    char text[256] = "";
    size_t count = grouping_next(grouping, elapsed, &jobs);

    for (size_t i = 0; i < count; i++) {
        char one[16];
        char letter = jobs[i]->kind != JOB_FRAME                               ? 'W'
                      : jobs[i]->lane == JOB_LANE_RECEIPTS                     ? 'R'
                      : jobs[i]->frame->verb_case == WIRE__FRAME__VERB_PUBLISH ? 'P'
                                                                               : 'F';
        snprintf(one, sizeof one, "%s%c%d", i == 0 ? "" : " ", letter, (int)jobs[i]->sequence);
        strncat(text, one, sizeof text - strlen(text) - 1);
        job_free(&jobs[i]);
    }
    assert_string_equal(text, expected);
}

static void each_lane_comes_back_into_order(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);

    grouping_put(grouping, publish(3));
    grouping_put(grouping, publish(2));
    expect_group(grouping, 0, "");
    grouping_put(grouping, publish(1));
    expect_group(grouping, 0, "P1 P2 P3");
    grouping_put(grouping, receipts(2));
    expect_group(grouping, 50, "");
    assert_int_equal(grouping_wait(grouping, 50), -1); /* not held: the first is missing */
    grouping_put(grouping, receipts(1));
    expect_group(grouping, 60, "");
    expect_group(grouping, 60 + HOLD_MS, "R1 R2");
    grouping_free(&grouping);
    assert_null(grouping);
    grouping_free(&grouping);
}

static void a_publish_does_not_wait_for_receipts_before_it(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);

    grouping_put(grouping, receipts(2)); /* a worker still has the first */
    grouping_put(grouping, publish(1));
    expect_group(grouping, 0, "P1");
    grouping_put(grouping, receipts(1));
    expect_group(grouping, 0, "");
    expect_group(grouping, INT64_MAX, "R1 R2"); /* at the end */
    grouping_free(&grouping);
}

static void receipts_wait_for_company(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);
    uint64_t next = 1;

    assert_int_equal(grouping_wait(grouping, 0), -1);
    grouping_put(grouping, receipts(next++));
    expect_group(grouping, 0, "");
    assert_int_equal(grouping_wait(grouping, 3), HOLD_MS - 3);
    grouping_put(grouping, publish(1));
    expect_group(grouping, 4, "P1"); /* too early */
    grouping_put(grouping, frame(JOB_LANE_MAIN, WIRE__FRAME__VERB_PLAN_REQUEST, 2));
    expect_group(grouping, 7, "F2"); /* commits nothing */
    grouping_put(grouping, publish(3));
    expect_group(grouping, 7, "R1 P3");
    assert_int_equal(grouping_wait(grouping, 7), -1);

    grouping_put(grouping, receipts(next++));
    expect_group(grouping, 20, "");
    expect_group(grouping, 20 + HOLD_MS - 1, "");
    assert_int_equal(grouping_wait(grouping, 40), 0);
    expect_group(grouping, 20 + HOLD_MS, "R2"); /* nobody came */
    grouping_free(&grouping);
}

static void many_receipts_need_not_wait(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);

    for (uint64_t i = 1; i <= 8; i++)
        grouping_put(grouping, receipts(i));
    expect_group(grouping, 0, "");
    grouping_put(grouping, publish(1));
    expect_group(grouping, 0, "R1 R2 R3 R4 R5 R6 R7 R8 P1");
    for (uint64_t i = 9; i <= 21; i++)
        grouping_put(grouping, receipts(i));
    expect_group(grouping, 0, "R9 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R20");
    expect_group(grouping, 0, "");
    expect_group(grouping, HOLD_MS, "R21");
    grouping_free(&grouping);
}

static void what_changes_the_rules_comes_after_receipts(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);
    struct job *word = NULL;

    grouping_put(grouping, receipts(1));
    assert_int_equal(job_new(JOB_BUNDLE, &word), STATUS_OK);
    word->sequence = 1;
    grouping_put(grouping, word);
    expect_group(grouping, 0, "R1 W1");
    grouping_free(&grouping);
}

static void refused_receipts_are_answered_at_once(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(100, 1000);
    struct job *job = receipts(1);

    job->error = "not a receipt";
    grouping_put(grouping, job);
    expect_group(grouping, 0, "R1");
    grouping_free(&grouping);
}

static void groups_are_bounded(void **state)
{
    (void)state;
    struct grouping *grouping = new_grouping(2, 1000);

    for (uint64_t i = 1; i <= 3; i++)
        grouping_put(grouping, publish(i));
    expect_group(grouping, 0, "P1 P2");
    expect_group(grouping, 0, "P3");
    grouping_free(&grouping);
    grouping = new_grouping(100, 8);
    for (uint64_t i = 1; i <= 3; i++) {
        struct job *job = publish(i);
        bytes_append_string(&job->bytes, "five.");
        grouping_put(grouping, job);
    }
    expect_group(grouping, 0, "P1 P2");
    expect_group(grouping, 0, "P3");
    grouping_free(&grouping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lane_comes_back_into_order),
        cmocka_unit_test(a_publish_does_not_wait_for_receipts_before_it),
        cmocka_unit_test(receipts_wait_for_company),
        cmocka_unit_test(many_receipts_need_not_wait),
        cmocka_unit_test(what_changes_the_rules_comes_after_receipts),
        cmocka_unit_test(refused_receipts_are_answered_at_once),
        cmocka_unit_test(groups_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
