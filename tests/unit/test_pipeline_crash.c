#include "tests/support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/rulebook.h"
#include "tests/support/exchange.h"

/*
 * The broker dies at a named point, as if the machine had. Whatever it had answered is still so; the same
 * bytes again come to one outcome and one entry; what has no receipt is delivered, what has one is not; the
 * log verifies.
 */
static const char *const points[] = {
    "broker.intake",        "broker.verified",         "broker.before_group", "broker.before_records",
    "broker.before_commit", "broker.after_commit",     "broker.before_sign",  "broker.after_sign",
    "broker.after_answers", "broker.after_deliveries", "logbook.save",        "logbook.sign.stored"};

/* What the child got done, told over a pipe. */
enum step { LISTED = 1, NOTIFIED = 2, RECEIPTED = 4 };

struct story {
    struct exchange *exchange;
    struct exchange_event listing;
    struct exchange_event notice;
};

static void write_story(struct story *story)
{
    struct exchange *exchange = story->exchange;

    exchange_make(exchange, &story->listing, EXCHANGE_POLICE, "ppo.added", 1,
                  "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
                  "review_due=2026-12-15 home_force=21",
                  "name,dob");
    exchange_add(exchange, &story->listing, "drugs.stoke", "list-change", "name dob");
    exchange_add(exchange, &story->listing, "prison.dovegate", "list-change", "name dob strand");
    exchange_add(exchange, &story->listing, "prison.stafford", "list-change", "name dob strand");
    exchange_add(exchange, &story->listing, "probation.staffordshire", "list-change",
                 "name dob strand authority selector");
    exchange_close(&story->listing);
    exchange_make(exchange, &story->notice, EXCHANGE_DOVEGATE, "release.planned", 1,
                  "release_date=2026-12-29 home_force=21", "name,dob");
    exchange_add(exchange, &story->notice, "police.staffordshire", "release-notice", "name dob release_date");
    exchange_add(exchange, &story->notice, "probation.staffordshire", "release-notice",
                 "name dob release_date");
    exchange_close(&story->notice);
}

static void done(int pipe, enum step step)
{
    uint8_t byte = (uint8_t)step;

    if (write(pipe, &byte, 1) != 1)
        _exit(9);
}

static void give_receipt(struct exchange *exchange)
{
    struct byte_buffer receipts;
    const Wire__Frame *frame = exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);

    exchange_receipts(exchange, EXCHANGE_POLICE, frame->deliver, RECEIPT_STORED, &receipts);
    exchange_send(exchange, EXCHANGE_POLICE, bytes_buffer_view(&receipts));
    bytes_buffer_free(&receipts);
    (void)exchange_wait(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_RECEIPTS_STORED);
}

static void accept_event(struct exchange *exchange, struct exchange_event *event)
{
    const Wire__Outcome *outcome = exchange_submit(exchange, event);

    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("not accepted: %s", outcome->reason);
}

static void live_and_die(struct story *story, const char *crash, int pipe)
{
    struct exchange *exchange = story->exchange;

    setenv("CONCORDAT_CRASH", crash, 1);
    exchange_connect_all(exchange);
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    accept_event(exchange, &story->listing);
    done(pipe, LISTED);
    accept_event(exchange, &story->notice);
    done(pipe, NOTIFIED);
    give_receipt(exchange);
    done(pipe, RECEIPTED);
    exchange_stop(exchange);
    _exit(0);
}

/* Runs the child until it dies; gives back what it had been told. */
static unsigned run_child(struct story *story, const char *crash, bool *ret_died)
{
    int ends[2];
    unsigned steps = 0;
    int status = 0;
    uint8_t step;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live_and_die(story, crash, ends[1]);
    close(ends[1]);
    while (read(ends[0], &step, 1) == 1)
        steps |= step;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!*ret_died && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        fail_msg("the child failed at %s", crash);
    return steps;
}

static void check_afterwards(struct story *story, unsigned steps)
{
    struct exchange *exchange = story->exchange;

    exchange_connect_all(exchange);
    accept_event(exchange, &story->listing);
    accept_event(exchange, &story->notice);
    exchange_fetch(exchange, EXCHANGE_POLICE, 10, 0);
    if ((steps & RECEIPTED) != 0) {
        exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    } else if (strstr(exchange_control(exchange, "{\"do\":\"status\"}"), "\"undelivered\":6") != NULL) {
        give_receipt(exchange);
    }
    exchange_none(exchange, EXCHANGE_POLICE, WIRE__FRAME__VERB_DELIVER);
    exchange_stop(exchange);
    assert_int_equal(exchange_entries(exchange, RECORD_ACCEPTED), 2);
    assert_int_equal(exchange_entries(exchange, RECORD_DISCLOSED), 6);
    assert_int_equal(exchange_entries(exchange, RECORD_DELIVERED), 1);
    assert_int_equal(exchange_entries(exchange, RECORD_BUNDLE_LOADED), 1);
    exchange_assert_log(exchange);
}

/* In a process of its own: which point is deadly is read once a process. */
static void check_in_child(struct story *story, unsigned steps)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        check_afterwards(story, steps);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_dies_anywhere(void **state)
{
    size_t died = 0;

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        for (unsigned passage = 1; passage <= 4; passage += passage == 2 ? 2 : 1) {
            struct story story = {.exchange = exchange_new()};
            char crash[64];
            story.exchange->limits.sign_every = 0;
            bool killed = false;
            snprintf(crash, sizeof crash, "%s:%u", points[i], passage);
            write_story(&story);
            unsigned steps = run_child(&story, crash, &killed);
            died += killed;
            check_in_child(&story, steps);
            exchange_drop(&story.listing);
            exchange_drop(&story.notice);
            exchange_free(&story.exchange);
        }
    }
    assert_true(died > 24); /* of 36: some points are passed fewer than four times */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dies_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
