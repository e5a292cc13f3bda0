/*
 * A frame from the broker, to an agent that waits for the answer to a plan and to a publish. Answers get the
 * number and the event ids of what was asked, so that what is behind those checks is reached, too. Whatever
 * comes, the agent goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/postroom.h"
#include "tests/support/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMBER       POSTROOM_DOVEGATE
#define EVENTS_ASKED 16

static struct postroom *room;

/* What the agent asked last. */
static struct {
    uint64_t request;
    size_t count;
    uint8_t events[EVENTS_ASKED][UUID_SIZE];
} asked[2]; /* plan, publish */

enum { ASKED_PLAN, ASKED_PUBLISH };

static void note_asked(const Wire__Frame *frame)
{
    if (frame->verb_case == WIRE__FRAME__VERB_PLAN_REQUEST) {
        asked[ASKED_PLAN].request = frame->request;
        asked[ASKED_PLAN].count = 0;
        for (size_t i = 0; i < frame->plan_request->n_items && i < EVENTS_ASKED; i++)
            memcpy(asked[ASKED_PLAN].events[asked[ASKED_PLAN].count++],
                   frame->plan_request->items[i]->core.data + 2, UUID_SIZE);
    } else if (frame->verb_case == WIRE__FRAME__VERB_PUBLISH) {
        asked[ASKED_PUBLISH].request = frame->request;
        asked[ASKED_PUBLISH].count = 0;
        for (size_t i = 0; i < frame->publish->n_headers && i < EVENTS_ASKED; i++)
            memcpy(asked[ASKED_PUBLISH].events[asked[ASKED_PUBLISH].count++],
                   frame->publish->headers[i].data + 6, UUID_SIZE);
    }
}

/* Reads what the agent sent, and drops it. */
static void read_sent(void)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);

    for (size_t i = 0; i < room->queued; i++) {
        const Wire__Frame *frame = NULL;

        if (wire_frame_unpack(bytes_buffer_view(&room->queue[i].bytes), &arena, &frame) != STATUS_OK)
            abort();
        note_asked(frame);
        bytes_buffer_free(&room->queue[i].bytes);
        wire_arena_reset(&arena);
    }
    room->queued = 0;
    wire_arena_free(&arena);
}

static void forget_events(void)
{
    if (db_exec(room->agents[MEMBER]->db, "DELETE FROM outbox") != STATUS_OK)
        abort();
}

static void step(void)
{
    int64_t wait = 0;

    if (session_step(room->sessions[MEMBER], room->now, room->now, &wait) != STATUS_OK)
        abort();
    if (session_reconnect(room->sessions[MEMBER])) {
        read_sent();
        forget_events();
        postroom_disconnect(room, MEMBER);
        postroom_connect(room, MEMBER);
        postroom_run(room);
        asked[ASKED_PLAN].request = asked[ASKED_PUBLISH].request = 0;
    }
    read_sent();
}

static void end(void)
{
    postroom_close(&room);
}

static void start(void)
{
    room = postroom_open();
    postroom_list(room);
    (void)atexit(end);
}

/* Something for the agent to ask about, unless it waits for an answer already. */
static void ask(void)
{
    uint8_t event[UUID_SIZE];

    room->now += 10;
    if (asked[ASKED_PLAN].request != 0)
        return;
    forget_events();
    if (postroom_queue(room, MEMBER, "release.planned", POSTROOM_PNC, NULL,
                       "release_date=2026-12-20;home_force=21;date_type=CRD", event) != STATUS_OK)
        abort();
    step();
}

static void patch_events(Wire__Frame *frame)
{
    if (frame->verb_case == WIRE__FRAME__VERB_PLAN_ANSWER) {
        frame->request = asked[ASKED_PLAN].request;
        asked[ASKED_PLAN].request = 0;
        for (size_t i = 0; i < frame->plan_answer->n_plans && i < asked[ASKED_PLAN].count; i++)
            if (frame->plan_answer->plans[i]->event.len == UUID_SIZE)
                memcpy(frame->plan_answer->plans[i]->event.data, asked[ASKED_PLAN].events[i], UUID_SIZE);
    } else if (frame->verb_case == WIRE__FRAME__VERB_PUBLISH_ANSWER) {
        frame->request = asked[ASKED_PUBLISH].request;
        for (size_t i = 0; i < frame->publish_answer->n_outcomes && i < asked[ASKED_PUBLISH].count; i++)
            if (frame->publish_answer->outcomes[i]->event.len == UUID_SIZE)
                memcpy(frame->publish_answer->outcomes[i]->event.data, asked[ASKED_PUBLISH].events[i],
                       UUID_SIZE);
    } else if (frame->verb_case == WIRE__FRAME__VERB_ERROR) {
        frame->request = frame->request % 2 == 0 ? asked[ASKED_PLAN].request : asked[ASKED_PUBLISH].request;
        asked[ASKED_PLAN].request = 0;
    }
}

/* The frame as the agent will see it. */
static struct byte_buffer prepare(const uint8_t *data, size_t size)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    const Wire__Frame *frame = NULL;

    if (wire_frame_unpack(bytes_view(data, size), &arena, &frame) == STATUS_OK) {
        patch_events((Wire__Frame *)(uintptr_t)frame);
        wire_pack(&frame->base, &bytes);
    } else {
        bytes_append(&bytes, data, size);
    }
    wire_arena_free(&arena);
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer bytes;

    if (size > WIRE_FRAME_LIMIT)
        return 0;
    if (room == NULL)
        start();
    ask();
    bytes = prepare(data, size);
    if (session_receive(room->sessions[MEMBER], bytes_buffer_view(&bytes), room->now, room->now) != STATUS_OK)
        abort();
    bytes_buffer_free(&bytes);
    step();
    return 0;
}
