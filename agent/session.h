#pragma once

#include "agent/agent.h"

/*
 * The dialogue with the broker (docs/wire-format.md, "The dialogue"), apart from sockets: frames go in by
 * session_receive() and out by `send`.
 *
 * Crash points of the agent, in the order in which an event meets them:
 *   outbox.queue, planning.sealed, planning.commit, publishing.built, session.published, publishing.outcome,
 *   publishing.outcome.done, receipts.confirm, session.receipts.confirmed
 * and on the way in:
 *   inbox.insert, delivery.commit, delivery.commit.done, session.receipts.sent, session.receipts.stored,
 *   witness.checked, witnessed.floor, witnessed.kept, witness.answered, inbox.recall, agent.bundle.kept,
 * control.queued, control.queued.done
 */
struct session;

/* session_send - give a frame to the connection; false when it takes none now (it is then as if lost). */
typedef bool session_send(void *context, struct byte_view frame);

enum status session_new(struct agent *agent, session_send *send, void *context, struct session **ret_session);
void session_free(struct session **session);

/* session_connected, session_disconnected - what the connection did. */
void session_connected(struct session *session, int64_t now, int64_t elapsed);
void session_disconnected(struct session *session);

/* session_welcomed - has the broker answered our Hello on this connection? */
bool session_welcomed(const struct session *session);

/* session_skew - how far the broker's clock was ahead of ours when it last answered a Hello, in milliseconds;
 * false: it never has. */
bool session_skew(const struct session *session, int64_t *ret_skew);

/*
 * session_receive - one frame from the broker. What is malformed is told (incidents) and has no effect.
 *
 * Returns STATUS_NO_SPACE when the disk is full (nothing was stored, nothing is lost: connect again later),
 * or another status of base/db.h or STATUS_NO_MEMORY, after which the process should end.
 */
enum status session_receive(struct session *session, struct byte_view frame, int64_t now, int64_t elapsed);

/*
 * session_step - send what there is to send; to be called after receiving, after something was queued, and at
 * the latest when *ret_wait milliseconds have passed (-1: whenever). Returns as session_receive().
 */
enum status session_step(struct session *session, int64_t now, int64_t elapsed, int64_t *ret_wait);

/* session_bundle_taken - another bundle came into force (agent_take_bundle): at once, before anything else is
 * asked of the session, which then wants a new connection. */
void session_bundle_taken(struct session *session);

/* session_reconnect - does the dialogue want a new connection (new keys, no answer, refused)? Asking clears.
 */
bool session_reconnect(struct session *session);
