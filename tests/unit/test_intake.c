#include "tests/support/support.h"

#include <pthread.h>

#include "broker/intake.h"

static struct intake *new_intake(size_t room)
{
    struct intake *intake = NULL;

    assert_int_equal(intake_new(room, &intake), STATUS_OK);
    return intake;
}

static struct job *job_in(enum job_lane lane)
{
    struct job *job = NULL;

    assert_int_equal(job_new(JOB_FRAME, &job), STATUS_OK);
    job->lane = lane;
    return job;
}

static void expect(struct intake *intake, enum job_lane preferred, enum job_lane lane, uint64_t sequence)
{
    struct job *job = NULL;

    assert_int_equal(intake_take(intake, preferred, &job), STATUS_OK);
    assert_int_equal(job->lane, lane);
    assert_int_equal(job->sequence, sequence);
    job_free(&job);
}

static void a_lane_is_preferred_and_the_other_is_not_forgotten(void **state)
{
    (void)state;
    struct intake *intake = new_intake(8);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(intake_put(intake, job_in(JOB_LANE_RECEIPTS)), STATUS_OK);
        assert_int_equal(intake_put(intake, job_in(JOB_LANE_MAIN)), STATUS_OK);
    }
    assert_int_equal(intake_count(intake), 4);
    expect(intake, JOB_LANE_MAIN, JOB_LANE_MAIN, 1);
    expect(intake, JOB_LANE_RECEIPTS, JOB_LANE_RECEIPTS, 1);
    expect(intake, JOB_LANE_RECEIPTS, JOB_LANE_RECEIPTS, 2);
    expect(intake, JOB_LANE_RECEIPTS, JOB_LANE_MAIN, 2);
    assert_int_equal(intake_count(intake), 0);
    assert_int_equal(intake_put(intake, job_in(JOB_LANE_MAIN)), STATUS_OK);
    expect(intake, JOB_LANE_MAIN, JOB_LANE_MAIN, 3);
    intake_free(&intake);
    assert_null(intake);
    intake_free(&intake);
}

static void a_full_one_takes_nothing_and_loses_no_number(void **state)
{
    (void)state;
    struct intake *intake = new_intake(2);
    struct job *more = job_in(JOB_LANE_MAIN);

    assert_int_equal(intake_put(intake, job_in(JOB_LANE_MAIN)), STATUS_OK);
    assert_int_equal(intake_put(intake, job_in(JOB_LANE_RECEIPTS)), STATUS_OK);
    assert_int_equal(intake_put(intake, more), STATUS_BUSY);
    expect(intake, JOB_LANE_MAIN, JOB_LANE_MAIN, 1);
    assert_int_equal(intake_put(intake, more), STATUS_OK);
    expect(intake, JOB_LANE_MAIN, JOB_LANE_MAIN, 2);
    intake_free(&intake); /* with one in it */
}

static void *take_one(void *context)
{
    struct job *job = NULL;
    enum status status = intake_take(context, JOB_LANE_MAIN, &job);

    if (status == STATUS_OK)
        job_free(&job);
    return status == STATUS_OK ? NULL : context;
}

static void whoever_waits_gets_the_next_or_the_end(void **state)
{
    (void)state;
    struct intake *intake = new_intake(2);
    struct job *late = job_in(JOB_LANE_MAIN);
    pthread_t threads[2];
    void *ended[2];

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_one, intake), 0);
    assert_int_equal(intake_put(intake, job_in(JOB_LANE_RECEIPTS)), STATUS_OK);
    intake_close(intake);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], &ended[i]), 0);
    assert_true((ended[0] == NULL) != (ended[1] == NULL));
    assert_int_equal(intake_put(intake, late), STATUS_CLOSED);
    job_free(&late);
    intake_free(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_preferred_and_the_other_is_not_forgotten),
        cmocka_unit_test(a_full_one_takes_nothing_and_loses_no_number),
        cmocka_unit_test(whoever_waits_gets_the_next_or_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
