#pragma once

#include <jansson.h>

#include "broker/gate.h"
#include "proto/wire_codec.h"
#include "tests/support/partnership.h"
#include "tests/support/support.h"

/*
 * A gate on real sockets with a pipeline that only remembers what it was given: this file's pipeline_*
 * functions stand in for those of broker/pipeline.c. Whatever does not come within some seconds fails the
 * test.
 */

#define HOUSE_POLICE "police.staffordshire"
#define HOUSE_PRISON "prison.dovegate"

enum told_what { TOLD_FRAME, TOLD_CONNECTED, TOLD_DISCONNECTED, TOLD_INCIDENT };

/* What the gate told the pipeline. */
struct told {
    enum told_what what;
    uint64_t connection;
    char member[MEMBER_ID_LENGTH + 1];
    size_t size; /* of a frame, a checkpoint or a sentence */
};

struct house {
    struct partnership *partnership;
    struct keystore *broker;
    struct keystore *police;
    struct keystore *prison;
    struct bundle *bundle;
    char folder[256]; /* the broker's */
    struct pipeline *pipeline;
    struct gate *gate;
    int stop[2];
    bool running;
    struct say say;
    void *context; /* of the clients */
};

/* house_open - with the broker's clock at this moment; house_close stops it. */
void house_open(struct house *house, int64_t now);
void house_close(struct house *house);

/* house_next_bundle - the next bundle as a file; ret_path holds its path. */
void house_next_bundle(struct house *house, char ret_path[static 256]);

/* house_ask - a request on the local socket, as JSON text. The
 * answer is the caller's. */
json_t *house_ask(struct house *house, const char *json);

/* house_record - the next thing that the pipeline was told. house_quiet - nothing more comes in a while. */
struct told house_record(struct house *house);
void house_quiet(struct house *house);

/* house_deliver - the pipeline sends bytes on a connection. */
void house_deliver(struct house *house, uint64_t connection, const char *member, struct byte_view bytes);

/* house_busy - what pipeline_submit returns from now on. house_answer - what control requests get. */
void house_submit_status(struct house *house, enum status status);
void house_answer(struct house *house, const char *json);

/* house_asked - the last control request that the pipeline got. house_said - whether a log line held this. */
const char *house_asked(struct house *house);
bool house_said(struct house *house, const char *part);

/* house_fatal - the pipeline dies; the gate must end with this sentence. */
void house_fatal(struct house *house, const char *sentence);

/* Someone who connects. Static in tests: one that fails is tidied up after by house_close. */
struct client {
    void *socket;
    void *monitor;
    struct wire_arena arena;
};

struct client_options {
    const struct keystore *keys; /* NULL: no CURVE at all */
    const uint8_t *secret;       /* instead of keys: a stranger's */
    const uint8_t *public_key;
    const char *route;    /* a routing id of one's own, or NULL */
    const char *metadata; /* "name:value" to claim in the handshake, or NULL */
    int receive_limit;    /* messages; 0: usual */
};

void client_dial(struct house *house, const struct client_options *options, struct client *ret);
void client_hang_up(struct client *client);

/* client_send - one message of one frame; client_send_two - of two. */
void client_send(struct client *client, struct byte_view bytes);
void client_send_two(struct client *client, struct byte_view bytes);

/* client_hello - say hello as this member with this bundle. client_verb - a frame with an empty or short
 * message of that verb. */
void client_hello(struct client *client, const struct house *house, const char *member, uint64_t request);
void client_verb(struct client *client, uint64_t request, Wire__Frame__VerbCase verb, struct byte_view body);

/* client_frame - the next frame, valid until the next; NULL after a while without one. */
const Wire__Frame *client_frame(struct client *client, int timeout_ms);

/* client_error - expect an Error with this code. */
void client_error(struct client *client, Wire__ErrorCode code, uint64_t request);

/* client_join - dial, say hello, expect Welcome; the connection's number. */
uint64_t client_join(struct house *house, const struct keystore *keys, struct client *ret);

/* client_event - wait for one of these monitor events; 0 if it does not come. */
int client_event(struct client *client, int events, int timeout_ms);
