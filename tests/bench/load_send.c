#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/hpke.h"
#include "tests/bench/load.h"

#define IDLE_NS      INT64_C(10000000) /* longest wait without anything due */
#define CONFIRM_ROWS 16 /* of forwarded receipts, before the broker is told that they are stored */

/* All senders together. */
struct pace {
    int64_t started;
    size_t sent;
};

/* One sender's run. Its events are numbers first, first + 1 … */
struct run {
    struct load_party *party;
    uint64_t first;
    size_t events;
    size_t sent;
    size_t answered;
    struct byte_buffer *frames; /* sealed beforehand, one a batch */
    struct hpke_sender *contexts[LOAD_RECIPIENTS];
    uint8_t enc[LOAD_RECIPIENTS][32];
    uint64_t receipts_seen;      /* the last row of forwarded receipts that came */
    uint64_t receipts_confirmed; /* the last one that the broker was told about */
};

static bool start_sealing(struct load *load, struct run *run)
{
    for (size_t i = 0; i < LOAD_RECIPIENTS; i++) {
        struct x25519_public *key = NULL;
        enum status status = x25519_public(load->recipients[i].entry->sealing, &key);
        if (status == STATUS_OK)
            status = hpke_sender_start(key, bytes_of_string(SECTION_INFO), random_system(), &run->contexts[i],
                                       run->enc[i]);
        x25519_public_free(&key);
        if (status != STATUS_OK) {
            load_fail(load, "sealing", status_text(status));
            return false;
        }
    }
    return true;
}

static bool build(struct load *load, struct run *run, size_t at, struct byte_buffer *frame)
{
    enum status status =
        load_events(load, run->party, run->first + at, load->options.batch, run->contexts, run->enc, frame);

    if (status != STATUS_OK)
        load_fail(load, "building events", status_text(status));
    return status == STATUS_OK;
}

static bool prepare(struct load *load, struct run *run)
{
    size_t batches = run->events / load->options.batch;

    if (!start_sealing(load, run))
        return false;
    run->frames = calloc(batches, sizeof *run->frames);
    for (size_t i = 0; i < batches; i++) {
        run->frames[i] = bytes_buffer(WIRE_FRAME_LIMIT);
        if (!load->options.live && !build(load, run, i * load->options.batch, &run->frames[i]))
            return false;
    }
    if (!load->options.live && batches > 0)
        load->frame_bytes = run->frames[0].size / load->options.batch;
    return true;
}

/* When the next event of an open loop is due: latencies count from then, however late it is sent. */
static int64_t due(const struct load *load, const struct pace *pace)
{
    return pace->started + (int64_t)((double)pace->sent / load->options.rate * 1e9);
}

static void send_batch(struct load *load, struct run *run, struct pace *pace)
{
    struct byte_buffer *frame = &run->frames[run->sent / load->options.batch];
    int64_t now = load->options.rate > 0 ? due(load, pace) : load_now();

    if (load->options.live && !build(load, run, run->sent, frame))
        return;
    for (size_t i = 0; i < load->options.batch; i++)
        load->sent[run->first + run->sent + i] = now;
    if (zmq_send(run->party->socket, frame->data, frame->size, 0) < 0)
        load_fail(load, run->party->member, "could not send");
    load->frame_bytes = frame->size / load->options.batch;
    bytes_buffer_free(frame);
    run->sent += load->options.batch;
    pace->sent += load->options.batch;
}

/* Tells the broker, as an agent does, which receipts are stored here and need not be sent again. */
static void confirm_receipts(struct load *load, struct run *run)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    Wire__Fetch fetch = WIRE__FETCH__INIT;
    Wire__Frame frame = WIRE__FRAME__INIT;

    fetch.receipts_after = run->receipts_seen;
    frame.version = WIRE_VERSION;
    frame.request = 4;
    frame.verb_case = WIRE__FRAME__VERB_FETCH;
    frame.fetch = &fetch;
    wire_pack(&frame.base, &bytes);
    if (bytes.status != STATUS_OK || zmq_send(run->party->socket, bytes.data, bytes.size, 0) < 0)
        load_fail(load, run->party->member, "could not send");
    bytes_buffer_free(&bytes);
    run->receipts_confirmed = run->receipts_seen;
}

static void take_answer(struct load *load, struct run *run, const Wire__PublishAnswer *answer)
{
    int64_t now = load_now();

    for (size_t i = 0; i < answer->n_outcomes; i++) {
        const Wire__Outcome *outcome = answer->outcomes[i];
        if (outcome->verdict != WIRE__VERDICT__ACCEPTED) {
            load_fail(load, run->party->member, outcome->reason != NULL ? outcome->reason : "not accepted");
            return;
        }
        load->confirmed[load_number(outcome->event.data)] = now;
        run->answered++;
    }
}

static void take_forwarded(struct load *load, struct run *run, uint64_t id)
{
    run->receipts_seen = id;
    if (run->receipts_seen - run->receipts_confirmed >= CONFIRM_ROWS)
        confirm_receipts(load, run);
}

static void take_frame(struct load *load, struct run *run, struct wire_arena *arena, struct byte_view bytes)
{
    const Wire__Frame *frame;

    wire_arena_reset(arena);
    if (wire_frame_unpack(bytes, arena, &frame) != STATUS_OK)
        load_fail(load, run->party->member, "a malformed frame");
    else if (frame->verb_case == WIRE__FRAME__VERB_PUBLISH_ANSWER)
        take_answer(load, run, frame->publish_answer);
    else if (frame->verb_case == WIRE__FRAME__VERB_FORWARDED_RECEIPTS)
        take_forwarded(load, run, frame->forwarded_receipts->id);
    else if (frame->verb_case == WIRE__FRAME__VERB_ERROR)
        load_fail(load, run->party->member, frame->error->text);
}

static bool may_send(struct load *load, const struct run *runs, const struct run *run,
                     const struct pace *pace)
{
    const struct load_options *options = &load->options;
    uint64_t answered = 0;

    if (run->sent >= run->events || run->sent - run->answered + options->batch > options->window)
        return false;
    if (options->rate > 0 && load_now() < due(load, pace))
        return false;
    if (options->whole)
        return atomic_load(&load->arrived) >= run->sent;
    for (size_t i = 0; i < options->senders; i++)
        answered += runs[i].answered;
    return options->backlog == 0 ||
           answered * LOAD_RECIPIENTS < atomic_load(&load->receipted) + options->backlog;
}

static bool all_answered(const struct load *load, const struct run *runs)
{
    for (size_t i = 0; i < load->options.senders; i++) {
        if (runs[i].answered < runs[i].events)
            return false;
    }
    return true;
}

static bool take_answers(struct load *load, struct run *runs, struct wire_arena *arena, zmq_msg_t *message)
{
    bool some = false;

    for (size_t i = 0; i < load->options.senders; i++) {
        while (zmq_msg_recv(message, runs[i].party->socket, ZMQ_DONTWAIT) >= 0) {
            take_frame(load, &runs[i], arena, bytes_view(zmq_msg_data(message), zmq_msg_size(message)));
            some = true;
        }
    }
    return some;
}

/* Sleeps until an answer comes, an event has arrived or the next one is due; what had come is taken already.
 */
static void wait_for_more(const struct load *load, const struct pace *pace, struct pollfd *watched)
{
    int64_t wait = IDLE_NS;
    uint64_t arrived;

    if (load->options.rate > 0 && pace->sent < load->options.events) {
        int64_t left = due(load, pace) - load_now();
        wait = left < 0 ? 0 : left < wait ? left : wait;
    }
    struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)wait};
    (void)ppoll(watched, load->options.senders + 1, &timeout, NULL);
    if ((watched[load->options.senders].revents & POLLIN) != 0)
        (void)!read(load->wake, &arrived, sizeof arrived);
}

static void work(struct load *load, struct run *runs, struct wire_arena *arena)
{
    struct pollfd watched[LOAD_SENDERS_MAX + 1];
    struct pace pace = {.started = load_now(), .sent = 0};
    int64_t last = pace.started;
    zmq_msg_t message;

    zmq_msg_init(&message);
    for (size_t i = 0; i < load->options.senders; i++) {
        size_t size = sizeof watched[i].fd;
        watched[i].events = POLLIN;
        zmq_getsockopt(runs[i].party->socket, ZMQ_FD, &watched[i].fd, &size);
    }
    watched[load->options.senders] = (struct pollfd){.fd = load->wake, .events = POLLIN};
    load->spent_before = load_spent();
    for (size_t i = 0; i < load->options.senders; i++)
        confirm_receipts(load, &runs[i]); /* from now on the broker sends them */
    while (!all_answered(load, runs) && !atomic_load(&load->failed)) {
        bool some = false;
        for (size_t i = 0; i < load->options.senders; i++) {
            for (; may_send(load, runs, &runs[i], &pace) && !atomic_load(&load->failed); some = true)
                send_batch(load, &runs[i], &pace);
        }
        some = take_answers(load, runs, arena, &message) || some;
        if (some)
            last = load_now();
        else
            wait_for_more(load, &pace, watched);
        if (load_now() - last > INT64_C(20000000000))
            load_fail(load, "senders", "nothing came for 20 seconds");
    }
    zmq_msg_close(&message);
    for (size_t i = 0; i < load->options.senders; i++)
        confirm_receipts(load, &runs[i]);
}

void *load_send(void *argument)
{
    static struct run runs[LOAD_SENDERS_MAX];
    struct load *load = argument;
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    size_t each = load->options.events / load->options.senders;
    bool ready = true;

    for (size_t i = 0; ready && i < load->options.senders; i++) {
        runs[i] = (struct run){.party = &load->senders[i], .first = i * each, .events = each};
        ready = prepare(load, &runs[i]);
    }
    if (ready)
        work(load, runs, &arena);
    for (size_t i = 0; i < load->options.senders; i++) {
        for (size_t j = 0; j < LOAD_RECIPIENTS; j++)
            hpke_sender_free(&runs[i].contexts[j]);
        for (size_t j = 0; runs[i].frames != NULL && j < runs[i].events / load->options.batch; j++)
            bytes_buffer_free(&runs[i].frames[j]);
        free(runs[i].frames);
    }
    wire_arena_free(&arena);
    return NULL;
}
