#pragma once

#include "agent/agent.h"
#include "base/local_server.h"

/*
 * Officers' questions to the broker's log, carried and no more (docs/wire-format.md, "Query"): the officer's
 * program signs what is asked and opens what is answered; the agent adds its connection. One answer for each
 * request on the local socket, so that nothing piles up here.
 *
 *   {"do":"query-info"}  ->  {"ok":{"member","root":HEX,"connected":bool}}
 *   {"do":"query","officer","question","certificate":HEX,"signature":HEX,"time":MS,"nonce":HEX,
 *    "answer_key":HEX,"chain":[BASE64]}
 *   {"do":"query-next","query":N,"stop":bool}
 *     ->  {"ok":{"query":N,"more":bool,"enc":HEX?,"sealed":BASE64}}, {"refused":SENTENCE} or
 *         {"failed":SENTENCE}
 *
 * Part of the daemon's loop: one thread, never waits.
 */
struct carrying;

#define CARRYING_MAX 4 /* at once */

/* carrying_send - give a frame to the broker; false when it takes none now. */
typedef bool carrying_send(void *context, struct byte_view frame);

enum status carrying_new(struct agent *agent, carrying_send *send, void *context, struct carrying **ret);
void carrying_free(struct carrying **carrying);

/* carrying_request - true when the request was one of those above; it is answered now or later. welcomed:
 * the broker listens. */
bool carrying_request(struct carrying *carrying, struct local_connection *connection, const json_t *request,
                      bool welcomed);

/* carrying_frame - true when a frame of the broker answered one of them, and is dealt with. */
bool carrying_frame(struct carrying *carrying, struct local_server *server, struct byte_view frame);

/* carrying_step - whoever hung up asks no more; without a connection to the broker nobody is answered. */
void carrying_step(struct carrying *carrying, struct local_server *server, bool welcomed);
