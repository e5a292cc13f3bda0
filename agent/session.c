#include "agent/session.h"

#include <stdlib.h>

#include "agent/arrival.h"
#include "agent/delivery.h"
#include "agent/departure.h"
#include "agent/fetching.h"
#include "agent/greeting.h"
#include "agent/incidents.h"
#include "agent/notices.h"
#include "agent/orders.h"
#include "agent/planning.h"
#include "agent/proving.h"
#include "agent/publishing.h"
#include "agent/receipts.h"
#include "agent/reports.h"
#include "agent/witness.h"
#include "base/crash.h"
#include "proto/wire_check.h"
#include "proto/wire_codec.h"

#define SESSION_CREDIT     256
#define SESSION_PATIENCE   ((int64_t)20 * 1000) /* milliseconds without an answer */
#define SESSION_RETRY_MS   ((int64_t)1000)
#define SESSION_RETRY_LAST ((int64_t)5 * 60 * 1000)

/* A batch of receipts or reports on its way. */
struct flight {
    uint64_t request; /* 0: none */
    int64_t last;
    size_t count;
};

struct session {
    struct agent *agent;
    session_send *send;
    void *context;
    struct wire_arena arena;
    struct planning *planning;
    struct publishing *publishing;
    struct fetching *fetching;
    struct proving *proving;
    struct arrival_opener *opener;
    bool connected;
    bool welcomed;
    bool has_skew;
    int64_t skew; /* the broker's clock ahead of ours, at its last Welcome */
    bool reconnect;
    bool confirm;          /* a Fetch should tell which forwarded receipts are stored */
    uint32_t credit;       /* to be given with the next Fetch */
    uint64_t last_request; /* numbers are never used again in a process */
    uint64_t hello;        /* request of the Hello under way */
    struct flight receipts;
    struct flight reports;
    int64_t heard;         /* elapsed, when the broker last answered or we began to wait */
    int64_t publish_after; /* now, after which batches may go again */
    int64_t confirm_after; /* now, after which receipts and reports may */
    int64_t reconnected;   /* elapsed, when an error last made us connect anew; 0: never */
    int64_t reconnect_at;  /* elapsed, when one will; 0: none */
};

enum status session_new(struct agent *agent, session_send *send, void *context, struct session **ret_session)
{
    struct session *session = calloc(1, sizeof *session);
    enum status status = STATUS_NO_MEMORY;

    if (session == NULL)
        return status;
    session->agent = agent;
    session->send = send;
    session->context = context;
    session->arena = wire_arena(WIRE_ARENA_FRAME);
    status = planning_new(agent, &session->planning);
    if (status == STATUS_OK)
        status = publishing_new(agent, &session->publishing);
    if (status == STATUS_OK)
        status = fetching_new(agent, &session->fetching);
    if (status == STATUS_OK)
        status = proving_new(agent, &session->proving);
    if (status == STATUS_OK)
        status = arrival_opener_new(agent->keystore, &session->opener);
    if (status == STATUS_OK)
        *ret_session = session;
    else
        session_free(&session);
    return status;
}

void session_free(struct session **session)
{
    if (*session == NULL)
        return;
    planning_free(&(*session)->planning);
    publishing_free(&(*session)->publishing);
    fetching_free(&(*session)->fetching);
    proving_free(&(*session)->proving);
    arrival_opener_free(&(*session)->opener);
    wire_arena_free(&(*session)->arena);
    free(*session);
    *session = NULL;
}

bool session_skew(const struct session *session, int64_t *ret_skew)
{
    if (session->has_skew)
        *ret_skew = session->skew;
    return session->has_skew;
}

bool session_welcomed(const struct session *session)
{
    return session->welcomed;
}

bool session_reconnect(struct session *session)
{
    const bool wanted = session->reconnect;

    session->reconnect = false;
    return wanted;
}

/* ---- sending ---- */

static uint64_t next_request(struct session *session)
{
    return ++session->last_request;
}

/* Sends and frees. A frame that could not be sent counts as lost: the connection is made anew. */
static void send_frame(struct session *session, struct byte_buffer *frame)
{
    if (frame->status != STATUS_OK || !session->send(session->context, bytes_buffer_view(frame)))
        session->reconnect = true;
    bytes_buffer_wipe(frame);
}

static void send_hello(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const uint64_t request = next_request(session);

    if (greeting_write(session->agent, request, now, &frame) == STATUS_OK) {
        session->hello = request;
        send_frame(session, &frame);
    }
    bytes_buffer_free(&frame);
}

static enum status send_fetch(struct session *session)
{
    struct byte_buffer bytes = bytes_buffer(4096);
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Fetch fetch = WIRE__FETCH__INIT;
    enum status status = receipts_after(session->agent, &fetch.receipts_after);

    if (status != STATUS_OK)
        return status;
    fetch.credit = session->credit;
    session->credit = 0;
    session->confirm = false;
    frame.version = WIRE_VERSION;
    frame.request = next_request(session);
    frame.verb_case = WIRE__FRAME__VERB_FETCH;
    frame.fetch = &fetch;
    wire_pack(&frame.base, &bytes);
    send_frame(session, &bytes);
    return STATUS_OK;
}

void session_connected(struct session *session, int64_t now, int64_t elapsed)
{
    session_disconnected(session);
    session->connected = true;
    session->heard = elapsed;
    if (session->agent->membership != NULL)
        send_hello(session, now);
}

void session_disconnected(struct session *session)
{
    session->connected = false;
    session->welcomed = false;
    session->hello = 0;
    session->receipts = (struct flight){0};
    session->reports = (struct flight){0};
    session->credit = 0;
    session->confirm = false;
    session->reconnect_at = 0;
    planning_drop(session->planning);
    publishing_drop(session->publishing);
    fetching_drop(session->fetching);
    proving_drop(session->proving);
}

void session_bundle_taken(struct session *session)
{
    planning_drop(session->planning); /* plans speak of the bundle before */
    proving_drop(session->proving);
    arrival_opener_reset(session->opener);
    session->reconnect = true; /* a Hello with the new head, and perhaps with new keys */
}

/* ---- what the broker says ---- */

static enum status commit_if(struct agent *agent, enum status status)
{
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

static enum status on_welcome(struct session *session, const Wire__Frame *frame, int64_t now)
{
    const Wire__Welcome *welcome = frame->welcome;

    if (frame->request == 0) /* nobody asked: another bundle is in force */
        return fetching_notice(session->fetching, welcome->head, now);
    if (frame->request != session->hello)
        return STATUS_OK;
    session->hello = 0;
    session->welcomed = true;
    session->has_skew = welcome->now <= (uint64_t)CORE_TIME_MAX;
    session->skew = session->has_skew ? (int64_t)welcome->now - now : 0;
    session->credit = welcome->largest_credit < SESSION_CREDIT ? welcome->largest_credit : SESSION_CREDIT;
    session->confirm = true;
    enum status status = witness_seen(session->agent, welcome, now);
    return status == STATUS_OK ? fetching_notice(session->fetching, welcome->head, now) : status;
}

/* A checkpoint to be cosigned; what we keep of it is durable before the answer leaves. */
static enum status on_checkpoint(struct session *session, const Wire__CheckpointOffer *offer, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = witness_offer(session->agent, offer, next_request(session), now, &frame);

    if (status == STATUS_OK)
        send_frame(session, &frame);
    bytes_buffer_free(&frame);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status on_bundle_part(struct session *session, const Wire__Frame *frame, int64_t now)
{
    bool taken = false;
    bool new_keys = false;
    enum status status =
        fetching_part(session->fetching, frame->request, frame->bundle_part, now, &taken, &new_keys);

    if (taken)
        session_bundle_taken(session);
    return status;
}

static enum status on_deliver(struct session *session, const Wire__Deliver *deliver, int64_t now)
{
    const enum status status = delivery_take(session->agent, session->opener, deliver, now);

    /* What does not verify was told; without a receipt it stays with the broker. */
    return status_of_machine(status) ? status : STATUS_OK;
}

static enum status on_receipts_stored(struct session *session, uint64_t request, int64_t now)
{
    struct agent *agent = session->agent;
    enum status status = STATUS_OK;

    if (session->receipts.request == 0 || session->receipts.request != request)
        return STATUS_OK;
    status = db_begin(agent->db);
    if (status == STATUS_OK)
        status = commit_if(agent, receipts_stored(agent, session->receipts.last, now));
    CRASH_POINT("session.receipts.stored");
    if (status == STATUS_OK)
        session->credit += (uint32_t)session->receipts.count;
    session->receipts = (struct flight){0};
    return status;
}

static enum status on_reports_stored(struct session *session, uint64_t request)
{
    struct agent *agent = session->agent;
    enum status status = STATUS_OK;

    if (session->reports.request == 0 || session->reports.request != request)
        return STATUS_OK;
    status = db_begin(agent->db);
    if (status == STATUS_OK)
        status = commit_if(agent, reports_stored(agent, session->reports.last));
    session->reports = (struct flight){0};
    return status;
}

static enum status on_forwarded(struct session *session, const Wire__ForwardedReceipts *forwarded,
                                int64_t now)
{
    struct agent *agent = session->agent;
    enum status status = db_begin(agent->db);

    if (status != STATUS_OK)
        return status;
    status = receipts_confirm(agent, forwarded, now);
    if (status != STATUS_OK && !status_of_machine(status)) {
        db_rollback(agent->db);
        return incidents_add(agent->db, now, "receipts that the broker forwarded do not verify: %s",
                             status_text(status));
    }
    status = commit_if(agent, status);
    CRASH_POINT("session.receipts.confirmed");
    session->confirm = true;
    return status == STATUS_OK ? fetching_notice(session->fetching, forwarded->head, now) : status;
}

static enum status on_notices(struct session *session, const Wire__Notices *notices, int64_t now)
{
    struct agent *agent = session->agent;
    enum status status = db_begin(agent->db);

    if (status == STATUS_OK)
        status = commit_if(agent, notices_take(agent, notices, now));
    session->confirm = true;
    return status;
}

/* At once for the first error, then at most every SESSION_RETRY_MS. */
static void reconnect_soon(struct session *session)
{
    const int64_t earliest = session->reconnected == 0 ? 0 : session->reconnected + SESSION_RETRY_MS;

    session->reconnect_at = earliest > session->heard ? earliest : session->heard;
    if (session->reconnect_at < 1)
        session->reconnect_at = 1;
}

/* What it did not store now is sent again later; what it will not have, once the connection is new. */
static void on_error_to_flight(struct session *session, struct flight *flight, const Wire__Frame *frame,
                               int64_t again)
{
    if (flight->request == 0 || flight->request != frame->request)
        return;
    if (frame->error->code != WIRE__ERROR_CODE__NOT_NOW) {
        reconnect_soon(session);
        return;
    }
    *flight = (struct flight){0};
    session->confirm_after = again;
}

/* The broker does not do what was asked: say so, and try again later. */
static enum status on_error(struct session *session, const Wire__Frame *frame, int64_t now)
{
    const Wire__Error *error = frame->error;
    int64_t delay = error->has_retry_after ? error->retry_after : SESSION_RETRY_MS;
    enum status status = STATUS_OK;

    if (delay > SESSION_RETRY_LAST)
        delay = SESSION_RETRY_LAST;
    if (error->code == WIRE__ERROR_CODE__NEED_HELLO || frame->request == session->hello)
        reconnect_soon(session);
    if (error->code == WIRE__ERROR_CODE__NEED_BUNDLE)
        fetching_need(session->fetching);
    else if (error->code != WIRE__ERROR_CODE__NOT_NOW && error->code != WIRE__ERROR_CODE__NEED_HELLO)
        status = incidents_add(session->agent->db, now, "the broker refused a frame: %.200s", error->text);
    if (status == STATUS_OK && planning_waits(session->planning, frame->request))
        status = planning_again(session->planning, now, delay);
    if (status == STATUS_OK && publishing_waits(session->publishing, frame->request)) {
        session->publish_after = now + delay;
        if (error->code == WIRE__ERROR_CODE__NOT_NOW)
            publishing_drop(session->publishing);
        else
            status = publishing_again(session->publishing, now, delay);
    }
    if (status == STATUS_OK && proving_waits(session->proving, frame->request))
        proving_later(session->proving, now, delay);
    on_error_to_flight(session, &session->receipts, frame, now + delay);
    on_error_to_flight(session, &session->reports, frame, now + delay);
    return status;
}

static enum status answered(enum status status)
{
    /* An answer that does not fit its question: the work is done again. */
    return status == STATUS_BAD_FORMAT ? STATUS_OK : status;
}

static enum status dispatch(struct session *session, const Wire__Frame *frame, int64_t now)
{
    switch ((int)frame->verb_case) {
    case WIRE__FRAME__VERB_WELCOME:
        return on_welcome(session, frame, now);
    case WIRE__FRAME__VERB_BUNDLE_PART:
        return on_bundle_part(session, frame, now);
    case WIRE__FRAME__VERB_PLAN_ANSWER:
        return answered(planning_answer(session->planning, frame->request, frame->plan_answer, now));
    case WIRE__FRAME__VERB_PUBLISH_ANSWER:
        return answered(publishing_answer(session->publishing, frame->request, frame->publish_answer, now));
    case WIRE__FRAME__VERB_REPLAN:
        return orders_replan(session->agent, frame->replan, now);
    case WIRE__FRAME__VERB_DELIVER:
        return on_deliver(session, frame->deliver, now);
    case WIRE__FRAME__VERB_RECEIPTS_STORED:
        return on_receipts_stored(session, frame->request, now);
    case WIRE__FRAME__VERB_FORWARDED_RECEIPTS:
        return on_forwarded(session, frame->forwarded_receipts, now);
    case WIRE__FRAME__VERB_NOTICES:
        return on_notices(session, frame->notices, now);
    case WIRE__FRAME__VERB_RECALL:
        return orders_recall(session->agent, frame->recall, now);
    case WIRE__FRAME__VERB_REPORTS_STORED:
        return on_reports_stored(session, frame->request);
    case WIRE__FRAME__VERB_LOG_ANSWER:
        return proving_answer(session->proving, frame->request, frame->log_answer, now);
    case WIRE__FRAME__VERB_CHECKPOINT:
        return on_checkpoint(session, frame->checkpoint, now);
    case WIRE__FRAME__VERB_ERROR:
        return on_error(session, frame, now);
    default:
        return STATUS_OK; /* what only a broker receives, or what nobody here asked for */
    }
}

enum status session_receive(struct session *session, struct byte_view frame, int64_t now, int64_t elapsed)
{
    const Wire__Frame *unpacked = NULL;
    const char *reason = NULL;
    enum status status = STATUS_OK;

    if (session->agent->membership == NULL)
        return STATUS_OK;
    session->heard = elapsed;
    wire_arena_reset(&session->arena);
    status = wire_frame_unpack(frame, &session->arena, &unpacked);
    if (status == STATUS_OK)
        status = wire_check_frame(unpacked, &reason);
    if (status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_OK)
        return incidents_add(session->agent->db, now, "the broker sent a malformed frame: %s",
                             reason != NULL ? reason : status_text(status));
    return dispatch(session, unpacked, now);
}

/* ---- what there is to do ---- */

static enum status send_receipts(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const uint64_t request = next_request(session);
    enum status status = receipts_batch(session->agent, request, now, &frame, &session->receipts.last,
                                        &session->receipts.count);

    if (status == STATUS_OK) {
        session->receipts.request = request;
        send_frame(session, &frame);
        CRASH_POINT("session.receipts.sent");
    }
    bytes_buffer_free(&frame);
    return status == STATUS_NOT_FOUND || status == STATUS_BAD_CERTIFICATE ? STATUS_OK : status;
}

static enum status send_reports(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const uint64_t request = next_request(session);
    enum status status = reports_batch(session->agent, request, now, &frame, &session->reports.last);

    if (status == STATUS_OK) {
        session->reports.request = request;
        send_frame(session, &frame);
    }
    bytes_buffer_free(&frame);
    return status == STATUS_NOT_FOUND || status == STATUS_BAD_CERTIFICATE ? STATUS_OK : status;
}

static enum status send_bundle_request(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = fetching_ask(session->fetching, next_request(session), now, &frame);

    if (status == STATUS_OK)
        send_frame(session, &frame);
    bytes_buffer_free(&frame);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status send_events(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = STATUS_NOT_FOUND;

    if (now >= session->publish_after)
        status = publishing_send(session->publishing, next_request(session), now, &frame);
    if (status == STATUS_OK) {
        send_frame(session, &frame);
        CRASH_POINT("session.published");
    }
    bytes_buffer_wipe(&frame);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = planning_ask(session->planning, next_request(session), now, &frame);
    if (status == STATUS_OK)
        send_frame(session, &frame);
    bytes_buffer_wipe(&frame);
    return status == STATUS_NOT_FOUND || status == STATUS_BAD_CERTIFICATE ? STATUS_OK : status;
}

static enum status send_log_request(struct session *session, int64_t now)
{
    struct byte_buffer frame = bytes_buffer(4096);
    enum status status = proving_ask(session->proving, next_request(session), now, &frame);

    if (status == STATUS_OK)
        send_frame(session, &frame);
    bytes_buffer_free(&frame);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool waiting(const struct session *session)
{
    return session->hello != 0 || session->receipts.request != 0 || session->reports.request != 0 ||
           planning_waits(session->planning, 0) || publishing_waits(session->publishing, 0);
}

/* The earlier of a wait (-1: none) and a moment that is still to come. */
static int64_t sooner(int64_t wait, int64_t moment, int64_t now)
{
    return moment > now && (wait < 0 || moment - now < wait) ? moment - now : wait;
}

/* How long nothing needs doing unless something comes. */
static enum status next_wait(struct session *session, int64_t now, int64_t elapsed, int64_t *ret_wait)
{
    int64_t due = INT64_MAX;
    int64_t prove = INT64_MAX;
    int64_t wait = -1;
    enum status status = STATUS_OK;

    if (waiting(session)) {
        wait = session->heard + SESSION_PATIENCE - elapsed;
        *ret_wait = wait > 0 ? wait : 0;
        return STATUS_OK;
    }
    status = departure_next_due(session->agent, &due);
    if (status == STATUS_OK && due != INT64_MAX)
        wait = due > now ? due - now : SESSION_RETRY_MS;
    if (status == STATUS_OK && session->welcomed)
        status = proving_next(session->proving, now, &prove);
    wait = sooner(wait, session->publish_after, now);
    wait = sooner(wait, session->confirm_after, now);
    wait = prove != INT64_MAX ? sooner(wait, prove > now ? prove : now + 1, now) : wait;
    if (fetching_wanted(session->fetching) && (wait < 0 || wait > SESSION_RETRY_MS))
        wait = SESSION_RETRY_MS;
    *ret_wait = wait;
    return status;
}

static enum status wait_to_reconnect(struct session *session, int64_t elapsed, int64_t *ret_wait)
{
    if (elapsed < session->reconnect_at) {
        *ret_wait = session->reconnect_at - elapsed;
        return STATUS_OK;
    }
    session->reconnect_at = 0;
    session->reconnected = elapsed;
    session->reconnect = true;
    return STATUS_OK;
}

enum status session_step(struct session *session, int64_t now, int64_t elapsed, int64_t *ret_wait)
{
    enum status status = STATUS_OK;

    *ret_wait = -1;
    if (!session->connected || session->agent->membership == NULL)
        return STATUS_OK;
    if (session->reconnect_at != 0)
        return wait_to_reconnect(session, elapsed, ret_wait);
    if (waiting(session) && elapsed - session->heard >= SESSION_PATIENCE) {
        session->reconnect = true;
        return STATUS_OK;
    }
    if (!waiting(session))
        session->heard = elapsed;
    status = send_bundle_request(session, now);
    if (status != STATUS_OK || !session->welcomed)
        return status == STATUS_OK ? next_wait(session, now, elapsed, ret_wait) : status;
    if (session->receipts.request == 0 && now >= session->confirm_after)
        status = send_receipts(session, now);
    if (status == STATUS_OK && (session->credit > 0 || session->confirm))
        status = send_fetch(session);
    if (status == STATUS_OK && session->reports.request == 0 && now >= session->confirm_after)
        status = send_reports(session, now);
    if (status == STATUS_OK)
        status = send_events(session, now);
    if (status == STATUS_OK)
        status = send_log_request(session, now);
    return status == STATUS_OK ? next_wait(session, now, elapsed, ret_wait) : status;
}
