#include "tests/support/support.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mailbox.h"

static bool is_readable(struct mailbox *mailbox)
{
    struct pollfd poll_fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static struct mailbox *new_mailbox(size_t capacity)
{
    struct mailbox *mailbox = NULL;

    assert_int_equal(mailbox_new(capacity, &mailbox), STATUS_OK);
    return mailbox;
}

static void items_come_out_in_order(void **state)
{
    (void)state;
    char marks[5];
    void *taken[5] = {NULL};
    size_t count = 0;
    struct mailbox *mailbox = new_mailbox(4);

    assert_int_equal(mailbox_take(mailbox, 0, taken), STATUS_TIMEOUT);
    assert_int_equal(mailbox_take(mailbox, 5, taken), STATUS_TIMEOUT);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(mailbox_try_put(mailbox, &marks[i]), STATUS_OK);
        assert_int_equal(mailbox_try_put(mailbox, &marks[4]), STATUS_BUSY);
        assert_int_equal(mailbox_count(mailbox), 4);
        assert_int_equal(mailbox_take(mailbox, -1, taken), STATUS_OK);
        assert_ptr_equal(taken[0], &marks[0]);
        assert_int_equal(mailbox_take_all(mailbox, 0, taken, 2, &count), STATUS_OK);
        assert_int_equal(count, 2);
        assert_ptr_equal(taken[0], &marks[1]);
        assert_ptr_equal(taken[1], &marks[2]);
        assert_int_equal(mailbox_try_put(mailbox, &marks[4]), STATUS_OK);
        assert_int_equal(mailbox_take_all(mailbox, 0, taken, 5, &count), STATUS_OK);
        assert_int_equal(count, 2);
        assert_ptr_equal(taken[0], &marks[3]);
        assert_ptr_equal(taken[1], &marks[4]);
        assert_int_equal(mailbox_take_all(mailbox, 0, taken, 5, &count), STATUS_TIMEOUT);
        assert_int_equal(count, 2);
    }
    mailbox_free(&mailbox);
    assert_null(mailbox);
    mailbox_free(&mailbox);
}

static void the_descriptor_is_readable_while_something_waits(void **state)
{
    (void)state;
    char mark;
    void *taken = NULL;
    struct mailbox *mailbox = new_mailbox(3);

    assert_false(is_readable(mailbox));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mailbox_put(mailbox, &mark), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(is_readable(mailbox));
        assert_int_equal(mailbox_take(mailbox, 0, &taken), STATUS_OK);
    }
    assert_false(is_readable(mailbox));
    mailbox_close(mailbox);
    assert_true(is_readable(mailbox));
    assert_int_equal(mailbox_take(mailbox, -1, &taken), STATUS_CLOSED);
    assert_true(is_readable(mailbox));
    mailbox_free(&mailbox);
}

static void a_closed_box_gives_what_is_left(void **state)
{
    (void)state;
    char mark;
    void *taken = NULL;
    struct mailbox *mailbox = new_mailbox(1);

    assert_int_equal(mailbox_put(mailbox, &mark), STATUS_OK);
    mailbox_close(mailbox);
    assert_int_equal(mailbox_put(mailbox, &mark), STATUS_CLOSED);
    assert_int_equal(mailbox_try_put(mailbox, &mark), STATUS_CLOSED);
    assert_int_equal(mailbox_take(mailbox, -1, &taken), STATUS_OK);
    assert_ptr_equal(taken, &mark);
    assert_int_equal(mailbox_take(mailbox, -1, &taken), STATUS_CLOSED);
    mailbox_free(&mailbox);
}

static void waiting_ends_after_its_time(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    void *taken = NULL;
    struct mailbox *mailbox = new_mailbox(1);

    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(mailbox_take(mailbox, 1999, &taken), STATUS_TIMEOUT);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t waited = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_in_range(waited, 1998, 20000);
    mailbox_free(&mailbox);
}

#define PUTTERS 4
#define TAKERS  3
#define EACH    3000

struct note {
    size_t putter;
    size_t number;
};

struct crowd {
    struct mailbox *mailbox;
    size_t putter;
    size_t next[PUTTERS]; /* of one taker: the lowest number that it may still see from each putter */
    size_t taken;
    bool out_of_order;
};

static void *put_notes(void *argument)
{
    struct crowd *crowd = argument;

    for (size_t i = 0; i < EACH; i++) {
        struct note *note = malloc(sizeof *note);
        *note = (struct note){crowd->putter, i};
        bool put = i % 2 == 0 && mailbox_try_put(crowd->mailbox, note) == STATUS_OK;
        if (!put && mailbox_put(crowd->mailbox, note) != STATUS_OK)
            abort();
    }
    return NULL;
}

static void *take_notes(void *argument)
{
    struct crowd *crowd = argument;
    void *taken[16];
    size_t count = 0;

    while (mailbox_take_all(crowd->mailbox, -1, taken, 16, &count) == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            struct note *note = taken[i];
            if (note->number < crowd->next[note->putter])
                crowd->out_of_order = true;
            crowd->next[note->putter] = note->number + 1;
            crowd->taken++;
            free(note);
        }
    }
    return NULL;
}

static void many_threads_lose_nothing_and_keep_order(void **state)
{
    (void)state;
    pthread_t threads[PUTTERS + TAKERS];
    struct crowd crowds[PUTTERS + TAKERS] = {{0}};
    struct mailbox *mailbox = new_mailbox(5);
    size_t taken = 0;

    for (size_t i = 0; i < PUTTERS + TAKERS; i++) {
        crowds[i].mailbox = mailbox;
        crowds[i].putter = i;
        assert_int_equal(pthread_create(&threads[i], NULL, i < PUTTERS ? put_notes : take_notes, &crowds[i]),
                         0);
    }
    for (size_t i = 0; i < PUTTERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    mailbox_close(mailbox);
    for (size_t i = PUTTERS; i < PUTTERS + TAKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(crowds[i].out_of_order);
        taken += crowds[i].taken;
    }
    assert_int_equal(taken, PUTTERS * EACH);
    mailbox_free(&mailbox);
}

static void *put_one(void *argument)
{
    static char mark;
    struct crowd *crowd = argument;

    crowd->taken = mailbox_put(crowd->mailbox, &mark) == STATUS_CLOSED;
    return NULL;
}

static void closing_wakes_putters_and_takers(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct crowd crowds[4] = {{0}};
    char mark;
    struct mailbox *full = new_mailbox(1);
    struct mailbox *empty = new_mailbox(1);

    assert_int_equal(mailbox_put(full, &mark), STATUS_OK);
    for (size_t i = 0; i < 4; i++) {
        crowds[i].mailbox = i < 2 ? full : empty;
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? put_one : take_notes, &crowds[i]), 0);
    }
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    mailbox_close(full);
    mailbox_close(empty);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(crowds[0].taken == 1 && crowds[1].taken == 1);
    mailbox_free(&full);
    mailbox_free(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(the_descriptor_is_readable_while_something_waits),
        cmocka_unit_test(a_closed_box_gives_what_is_left),
        cmocka_unit_test(waiting_ends_after_its_time),
        cmocka_unit_test(many_threads_lose_nothing_and_keep_order),
        cmocka_unit_test(closing_wakes_putters_and_takers),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
