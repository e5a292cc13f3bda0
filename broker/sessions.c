#include "broker/sessions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hello.h"
#include "proto/wire_check.h"

#define RETRY_BUSY  250  /* ms, when the pipeline is full */
#define RETRY_QUOTA 5000 /* ms, when a member asked for too much */

struct sessions {
    struct router *router;
    struct pipeline *pipeline;
    struct bundle *bundle;
    struct roster *roster;
    struct say *say;
    uint32_t credit;
    struct byte_buffer checkpoint; /* the newest note, or empty */
    struct wire_arena arena;
    struct byte_buffer out;
    struct sessions_counters counters;
    sessions_take_query *take_query;
    void *query_context;
};

/* One message while it is being handled. */
struct arrival {
    const struct router_message *message;
    struct sessions_time time;
    uint8_t route[ROUTER_ROUTE_SIZE];
    const struct directory_entry *entry; /* usable, of the member */
    struct roster_peer *peer;
    struct frame_face face;
};

enum status sessions_new(const struct sessions_options *options, struct sessions **ret)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);

    if (sessions == NULL)
        return STATUS_NO_MEMORY;
    sessions->router = options->router;
    sessions->pipeline = options->pipeline;
    sessions->say = options->say;
    sessions->credit = options->credit;
    sessions->arena = wire_arena(WIRE_ARENA_FRAME);
    sessions->out = bytes_buffer(WIRE_FRAME_LIMIT);
    sessions->checkpoint = bytes_buffer(WIRE_NOTE_MAX);
    sessions->bundle = bundle_share(options->bundle);
    if (roster_new(&sessions->roster) != STATUS_OK) {
        sessions_free(&sessions);
        return STATUS_NO_MEMORY;
    }
    *ret = sessions;
    return STATUS_OK;
}

void sessions_free(struct sessions **sessions)
{
    if (*sessions == NULL)
        return;
    roster_free(&(*sessions)->roster);
    bundle_free(&(*sessions)->bundle);
    wire_arena_free(&(*sessions)->arena);
    bytes_buffer_free(&(*sessions)->out);
    bytes_buffer_free(&(*sessions)->checkpoint);
    free(*sessions);
    *sessions = NULL;
}

struct bundle *sessions_bundle(const struct sessions *sessions)
{
    return sessions->bundle;
}

const struct sessions_counters *sessions_counters(const struct sessions *sessions)
{
    return &sessions->counters;
}

const struct roster *sessions_roster(const struct sessions *sessions)
{
    return sessions->roster;
}

void sessions_on_query(struct sessions *sessions, sessions_take_query *take, void *context)
{
    sessions->take_query = take;
    sessions->query_context = context;
}

/* ---- connections ---- */

/* Ends what the pipeline knows of a peer's connection. */
static void unbind(struct sessions *sessions, struct roster_peer *peer, enum roster_state state)
{
    uint64_t connection = roster_unbind(sessions->roster, peer, state);

    if (connection != 0)
        (void)pipeline_disconnected(sessions->pipeline, connection);
}

/* Sends to a bound peer; whom it cannot reach has to say hello again, and is delivered to again then. */
static bool send_bound(struct sessions *sessions, struct roster_peer *peer, struct byte_view bytes)
{
    enum status status = router_send(sessions->router, bytes_view(peer->route, ROUTER_ROUTE_SIZE), bytes);

    if (status == STATUS_OK)
        return true;
    unbind(sessions, peer, status == STATUS_BUSY ? ROSTER_LOST : ROSTER_UNBOUND);
    return false;
}

static enum status send_error(struct sessions *sessions, struct byte_view route, uint64_t request,
                              const struct frame_error *error)
{
    bytes_buffer_clear(&sessions->out);
    enum status status = frame_error(request, error, &sessions->out);
    if (status == STATUS_OK)
        status = router_send(sessions->router, route, bytes_buffer_view(&sessions->out));
    return status;
}

/* Revoked, expired, or gone from the bundle: told once on each connection, which then counts for nothing. */
static void turn_out(struct sessions *sessions, struct roster_peer *peer, struct sessions_time time,
                     const uint8_t route[static ROUTER_ROUTE_SIZE], uint64_t request)
{
    const struct frame_error error = {
        .code = WIRE__ERROR_CODE__NOT_ALLOWED,
        .text = "the certificate by which this connection was let in is no longer in force",
    };
    uint8_t copy[ROUTER_ROUTE_SIZE];

    memcpy(copy, route, sizeof copy);
    sessions->counters.refused++;
    if (peer->state != ROSTER_UNBOUND && memcmp(peer->route, copy, sizeof copy) == 0)
        unbind(sessions, peer, ROSTER_UNBOUND);
    if (!roster_refuse(peer, copy))
        return;
    say_line(sessions->say, time.now, LOGLINE_WARNING, peer->member,
             "connection refused: certificate not in force member=%s", peer->member);
    (void)send_error(sessions, bytes_view(copy, sizeof copy), request, &error);
}

/* An answer of the gate's own to a member: within its share, or not at all. */
static bool may_answer(struct sessions *sessions, const struct arrival *arrival)
{
    const struct frame_error error = {
        .code = WIRE__ERROR_CODE__NOT_NOW,
        .text = "too many hellos, bundle requests or refused frames: wait",
        .retry_after = RETRY_QUOTA,
    };

    switch (roster_spend(arrival->peer, arrival->time.elapsed)) {
    case ROSTER_SERVE:
        return true;
    case ROSTER_REFUSE:
        sessions->counters.busy++;
        (void)send_error(sessions, arrival->message->route, arrival->face.request, &error);
        return false;
    case ROSTER_IGNORE:
        break;
    }
    sessions->counters.refused++;
    return false;
}

static void answer_error(struct sessions *sessions, const struct arrival *arrival,
                         const struct frame_error *error)
{
    if (!may_answer(sessions, arrival))
        return;
    sessions->counters.refused++;
    (void)send_error(sessions, arrival->message->route, arrival->face.request, error);
}

static void refuse(struct sessions *sessions, const struct arrival *arrival, Wire__ErrorCode code,
                   const char *text)
{
    answer_error(sessions, arrival, &(struct frame_error){.code = code, .text = text});
}

/* ---- who is it ---- */

/*
 * The certificate by which the connection was let in, as the live directory has it now; NULL when it is not
 * one of that member's agents or not in force any more.
 */
static const struct directory_entry *find_entry(const struct sessions *sessions,
                                                const struct router_message *message, int64_t now)
{
    uint8_t digest[DIGEST_SIZE];
    const struct directory_entry *entry = NULL;

    if (bytes_from_hex(message->certificate, digest, sizeof digest) != STATUS_OK)
        return NULL;
    entry = directory_by_certificate(bundle_directory(sessions->bundle), digest);
    if (!directory_usable(entry, now) || entry->role != ROLE_AGENT ||
        strcmp(entry->member, message->member) != 0)
        return NULL;
    return entry;
}

static bool identify(struct sessions *sessions, struct arrival *arrival)
{
    const struct router_message *message = arrival->message;

    if (message->member == NULL || message->certificate == NULL) {
        sessions->counters.refused++;
        say_line(sessions->say, arrival->time.now, LOGLINE_ERROR, "unidentified",
                 "message without an identity refused: libzmq did not say who sent it");
        return false;
    }
    if (roster_get(sessions->roster, message->member, arrival->time.elapsed, &arrival->peer) != STATUS_OK) {
        sessions->counters.refused++;
        return false;
    }
    if (!message->assigned) {
        refuse(sessions, arrival, WIRE__ERROR_CODE__NOT_ALLOWED,
               "an agent sets no routing id: leave that to the broker, and connect again");
        return false;
    }
    memcpy(arrival->route, message->route.data, ROUTER_ROUTE_SIZE);
    arrival->entry = find_entry(sessions, message, arrival->time.now);
    if (arrival->entry != NULL)
        return true;
    if (frame_peek(message->bytes, &arrival->face) != STATUS_OK)
        arrival->face.request = 0;
    turn_out(sessions, arrival->peer, arrival->time, arrival->route, arrival->face.request);
    return false;
}

/* ---- hello, bundle ---- */

/* In the lines at once, and in the log, where a data protection officer finds it. */
static void tell_of_fork(struct sessions *sessions, const struct arrival *arrival,
                         const struct hello_verdict *verdict)
{
    char text[256];

    (void)snprintf(
        text, sizeof text,
        "%s holds a bundle %" PRIu64
        " that differs from the broker's, both signed by the authority; tell the partnership's board",
        arrival->peer->member, verdict->serial);
    say_line(sessions->say, arrival->time.now, LOGLINE_ERROR, "fork", "INCIDENT: %s", text);
    (void)pipeline_incident(sessions->pipeline, arrival->peer->member, "bundle-fork", text);
}

static void tell_of_head(struct sessions *sessions, const struct arrival *arrival,
                         const struct hello_verdict *verdict)
{
    const char *member = arrival->peer->member;

    if (verdict->relation == BUNDLE_FORK)
        tell_of_fork(sessions, arrival, verdict);
    if (verdict->relation == BUNDLE_NEWER)
        say_line(sessions->say, arrival->time.now, LOGLINE_WARNING, "newer",
                 "%s holds bundle %" PRIu64 ", the broker only %" PRIu64 ": load the newer one here", member,
                 verdict->serial, bundle_serial(sessions->bundle));
    if (!verdict->welcome)
        say_line(sessions->say, arrival->time.now, LOGLINE_WARNING, member, "hello refused member=%s: %s",
                 member, verdict->error.text);
}

/* Whoever else is held to be on this route is not: ids can come round again when a connection has ended. */
static void clear_route(struct sessions *sessions, const uint8_t route[static ROUTER_ROUTE_SIZE])
{
    struct roster_peer *other = roster_by_route(sessions->roster, route);

    if (other != NULL)
        unbind(sessions, other, ROSTER_UNBOUND);
}

static enum status write_welcome(struct sessions *sessions, uint64_t request, int64_t now)
{
    const struct frame_welcome welcome = {.bundle = sessions->bundle,
                                          .credit = sessions->credit,
                                          .now = now,
                                          .checkpoint = bytes_buffer_view(&sessions->checkpoint)};

    bytes_buffer_clear(&sessions->out);
    return frame_welcome(request, &welcome, &sessions->out);
}

static void welcome(struct sessions *sessions, const struct arrival *arrival, const Wire__Hello *hello,
                    uint64_t serial)
{
    struct roster_peer *peer = arrival->peer;

    unbind(sessions, peer, ROSTER_UNBOUND);
    clear_route(sessions, arrival->route);
    roster_bind(sessions->roster, peer, arrival->route, arrival->entry->digest, serial,
                arrival->time.elapsed);
    const struct byte_view shown = hello->has_checkpoint ? wire_view(hello->checkpoint) : bytes_view(NULL, 0);
    enum status status = write_welcome(sessions, arrival->face.request, arrival->time.now);
    if (status == STATUS_OK)
        status = pipeline_connected(sessions->pipeline, peer->connection, peer->member, shown);
    if (status != STATUS_OK) {
        unbind(sessions, peer, ROSTER_UNBOUND);
        return;
    }
    if (send_bound(sessions, peer, bytes_buffer_view(&sessions->out)))
        say_line(sessions->say, arrival->time.now, LOGLINE_INFO, peer->member,
                 "connected member=%s bundle=%" PRIu64, peer->member, serial);
}

static void handle_hello(struct sessions *sessions, const struct arrival *arrival, const Wire__Hello *hello)
{
    struct hello_verdict verdict;

    hello_judge(hello, arrival->entry, sessions->bundle, arrival->time.now, &verdict);
    tell_of_head(sessions, arrival, &verdict);
    if (verdict.welcome) {
        welcome(sessions, arrival, hello, verdict.serial);
        return;
    }
    sessions->counters.refused++;
    if (roster_on(arrival->peer, arrival->route))
        unbind(sessions, arrival->peer, ROSTER_UNBOUND);
    (void)send_error(sessions, arrival->message->route, arrival->face.request, &verdict.error);
}

static void handle_bundle_request(struct sessions *sessions, const struct arrival *arrival,
                                  const Wire__BundleRequest *request)
{
    const struct frame_error beyond = {.code = WIRE__ERROR_CODE__MALFORMED,
                                       .text = "the offset lies beyond the bundle's end"};

    bytes_buffer_clear(&sessions->out);
    if (frame_bundle_part(arrival->face.request, sessions->bundle, request->offset, &sessions->out) ==
        STATUS_OK)
        (void)router_send(sessions->router, arrival->message->route, bytes_buffer_view(&sessions->out));
    else
        (void)send_error(sessions, arrival->message->route, arrival->face.request, &beyond);
}

static const char *format_fault(enum status status)
{
    switch ((int)status) {
    case STATUS_NOT_CANONICAL:
        return "the frame is not in canonical form";
    case STATUS_TOO_LARGE:
        return "the frame is too large, or swells too much when it is read";
    default:
        return "the frame is malformed";
    }
}

/* Hello, BundleRequest and Error: what the gate reads itself. */
static void handle_own(struct sessions *sessions, const struct arrival *arrival)
{
    const Wire__Frame *frame = NULL;

    if (!may_answer(sessions, arrival))
        return;
    wire_arena_reset(&sessions->arena);
    enum status status = wire_frame_unpack(arrival->message->bytes, &sessions->arena, &frame);
    if (status != STATUS_OK) {
        const struct frame_error error = {
            .code = status == STATUS_TOO_LARGE ? WIRE__ERROR_CODE__TOO_MUCH : WIRE__ERROR_CODE__MALFORMED,
            .text = format_fault(status),
        };
        sessions->counters.refused++;
        (void)send_error(sessions, arrival->message->route, arrival->face.request, &error);
        return;
    }
    if (frame->verb_case == WIRE__FRAME__VERB_HELLO)
        handle_hello(sessions, arrival, frame->hello);
    else if (frame->verb_case == WIRE__FRAME__VERB_BUNDLE_REQUEST)
        handle_bundle_request(sessions, arrival, frame->bundle_request);
    else if (frame->verb_case == WIRE__FRAME__VERB_ERROR)
        say_line(sessions->say, arrival->time.now, LOGLINE_WARNING, arrival->peer->member,
                 "an agent reports an error member=%s code=%d", arrival->peer->member,
                 (int)frame->error->code);
}

/* ---- everything else ---- */

static void submit(struct sessions *sessions, const struct arrival *arrival)
{
    const struct pipeline_frame frame = {
        .connection = arrival->peer->connection,
        .member = arrival->peer->member,
        .request = arrival->face.request,
        .bytes = arrival->message->bytes,
    };
    struct frame_error error = {.code = WIRE__ERROR_CODE__NOT_NOW,
                                .text = "the broker has too much to do: wait",
                                .retry_after = RETRY_BUSY};
    enum status status = pipeline_submit(sessions->pipeline, &frame);

    if (status == STATUS_OK) {
        sessions->counters.submitted++;
        return;
    }
    if (status == STATUS_TOO_LARGE)
        error = (struct frame_error){.code = WIRE__ERROR_CODE__TOO_MUCH, .text = "the frame is too large"};
    else
        sessions->counters.busy++;
    bytes_buffer_clear(&sessions->out);
    if (frame_error(arrival->face.request, &error, &sessions->out) == STATUS_OK)
        (void)send_bound(sessions, arrival->peer, bytes_buffer_view(&sessions->out));
}

/* An officer's question; whoever takes it answers. Asking on is paced by the answers themselves. */
static void hand_query(struct sessions *sessions, const struct arrival *arrival)
{
    const struct frame_error often = {.code = WIRE__ERROR_CODE__NOT_NOW,
                                      .text = "too many questions within a minute: wait",
                                      .retry_after = RETRY_QUOTA};
    const Wire__Frame *frame = NULL;
    const char *reason = NULL;

    if (sessions->take_query == NULL) {
        refuse(sessions, arrival, WIRE__ERROR_CODE__UNSUPPORTED, "this broker answers no questions");
        return;
    }
    wire_arena_reset(&sessions->arena);
    enum status status = wire_frame_unpack(arrival->message->bytes, &sessions->arena, &frame);
    if (status == STATUS_OK)
        status = wire_check_frame(frame, &reason);
    if (status != STATUS_OK)
        refuse(sessions, arrival, WIRE__ERROR_CODE__MALFORMED,
               reason != NULL ? reason : format_fault(status));
    else if (frame->verb_case == WIRE__FRAME__VERB_QUERY &&
             !roster_look(arrival->peer, arrival->time.elapsed))
        answer_error(sessions, arrival, &often);
    else
        sessions->take_query(sessions->query_context, arrival->time,
                             &(struct sessions_query){.connection = arrival->peer->connection,
                                                      .member = arrival->peer->member,
                                                      .frame = frame});
}

/* A frame for the pipeline: only from the certificate and on the connection of the hello. */
static void handle_bound(struct sessions *sessions, const struct arrival *arrival)
{
    const struct roster_peer *peer = arrival->peer;

    if (roster_on(peer, arrival->route) &&
        memcmp(peer->certificate, arrival->entry->digest, DIGEST_SIZE) == 0) {
        if (arrival->face.verb == WIRE__FRAME__VERB_QUERY ||
            arrival->face.verb == WIRE__FRAME__VERB_QUERY_NEXT)
            hand_query(sessions, arrival);
        else
            submit(sessions, arrival);
        return;
    }
    refuse(sessions, arrival, WIRE__ERROR_CODE__NEED_HELLO, "say hello on this connection first");
}

static void dispatch(struct sessions *sessions, const struct arrival *arrival)
{
    switch (arrival->face.verb) {
    case WIRE__FRAME__VERB_HELLO:
    case WIRE__FRAME__VERB_BUNDLE_REQUEST:
    case WIRE__FRAME__VERB_ERROR:
        handle_own(sessions, arrival);
        break;
    case WIRE__FRAME__VERB_PLAN_REQUEST:
    case WIRE__FRAME__VERB_PUBLISH:
    case WIRE__FRAME__VERB_FETCH:
    case WIRE__FRAME__VERB_RECEIPTS:
    case WIRE__FRAME__VERB_REPORTS:
    case WIRE__FRAME__VERB_QUERY:
    case WIRE__FRAME__VERB_QUERY_NEXT:
    case WIRE__FRAME__VERB_LOG_REQUEST:
    case WIRE__FRAME__VERB_COSIGN:
        handle_bound(sessions, arrival);
        break;
    default:
        refuse(sessions, arrival, WIRE__ERROR_CODE__MALFORMED, "that is no request of an agent");
        break;
    }
}

static void handle(struct sessions *sessions, struct sessions_time time, const struct router_message *message)
{
    struct arrival arrival = {.message = message, .time = time};

    sessions->counters.received++;
    if (!identify(sessions, &arrival))
        return;
    if (message->frames != 1)
        refuse(sessions, &arrival, WIRE__ERROR_CODE__MALFORMED, "a message has exactly one part");
    else if (frame_peek(message->bytes, &arrival.face) != STATUS_OK)
        refuse(sessions, &arrival, WIRE__ERROR_CODE__MALFORMED, "the frame is malformed");
    else if (arrival.face.version != WIRE_VERSION)
        refuse(sessions, &arrival, WIRE__ERROR_CODE__UNSUPPORTED, "this broker speaks wire version 1");
    else
        dispatch(sessions, &arrival);
}

/* ---- the turns of the loop ---- */

void sessions_admit(struct sessions *sessions, struct sessions_time time, size_t limit)
{
    bool admitted = false;

    for (size_t i = 0; i < limit; i++) {
        if (router_admit(sessions->router, bundle_directory(sessions->bundle), time.now, &admitted) !=
            STATUS_OK)
            return;
        if (admitted)
            sessions->counters.admitted++;
        else
            sessions->counters.turned_away++;
    }
}

size_t sessions_receive(struct sessions *sessions, struct sessions_time time, size_t limit)
{
    struct router_message message;
    size_t count = 0;

    while (count < limit && router_take(sessions->router, &message) == STATUS_OK) {
        handle(sessions, time, &message);
        count++;
    }
    return count;
}

/* Whether the peer may still be sent something; puts it out if not. */
static bool still_allowed(struct sessions *sessions, struct sessions_time time, struct roster_peer *peer)
{
    const struct directory_entry *entry =
        directory_by_certificate(bundle_directory(sessions->bundle), peer->certificate);

    if (directory_usable(entry, time.now) && strcmp(entry->member, peer->member) == 0)
        return true;
    turn_out(sessions, peer, time, peer->route, 0);
    return false;
}

void sessions_send(struct sessions *sessions, struct sessions_time time, const struct pipeline_out *out)
{
    struct roster_peer *peer = roster_by_connection(sessions->roster, out->connection);

    if (peer != NULL && strcmp(peer->member, out->member) == 0 && still_allowed(sessions, time, peer) &&
        send_bound(sessions, peer, out->bytes))
        sessions->counters.sent++;
    else
        sessions->counters.unsent++;
}

void sessions_adopt(struct sessions *sessions, struct sessions_time time, struct bundle *bundle)
{
    bundle_free(&sessions->bundle);
    sessions->bundle = bundle_share(bundle);
    for (size_t i = 0; i < roster_count(sessions->roster); i++) {
        struct roster_peer *peer = roster_at(sessions->roster, i);
        if (peer->state == ROSTER_BOUND)
            (void)still_allowed(sessions, time, peer);
    }
}

void sessions_checkpoint(struct sessions *sessions, struct byte_view note)
{
    bytes_buffer_clear(&sessions->checkpoint);
    if (note.size <= WIRE_NOTE_MAX)
        bytes_append_view(&sessions->checkpoint, note);
    if (sessions->checkpoint.status != STATUS_OK)
        bytes_buffer_clear(&sessions->checkpoint);
}

void sessions_announce(struct sessions *sessions, struct sessions_time time)
{
    if (write_welcome(sessions, 0, time.now) != STATUS_OK)
        return;
    for (size_t i = 0; i < roster_count(sessions->roster); i++) {
        struct roster_peer *peer = roster_at(sessions->roster, i);
        if (peer->state == ROSTER_BOUND)
            (void)send_bound(sessions, peer, bytes_buffer_view(&sessions->out));
    }
}

void sessions_tick(struct sessions *sessions, struct sessions_time time)
{
    const struct frame_error error = {.code = WIRE__ERROR_CODE__NEED_HELLO,
                                      .text = "a frame did not reach you: say hello again"};

    for (size_t i = 0; i < roster_count(sessions->roster); i++) {
        struct roster_peer *peer = roster_at(sessions->roster, i);
        if (peer->state == ROSTER_LOST && still_allowed(sessions, time, peer) &&
            send_error(sessions, bytes_view(peer->route, ROUTER_ROUTE_SIZE), 0, &error) != STATUS_BUSY)
            (void)roster_unbind(sessions->roster, peer, ROSTER_UNBOUND);
    }
}
