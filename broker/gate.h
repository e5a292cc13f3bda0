#pragma once

#include "broker/pipeline.h"
#include "broker/say.h"

/*
 * The broker's main thread: owner of the sockets to the members, of the socket for those who run it, of
 * timers and of the signal to stop. What it lets in goes to the pipeline; what comes out of that is sent.
 */

struct gate;

struct gate_options {
    const char *folder;              /* of the broker, held by the caller; borrowed */
    const char *listen;              /* tcp://HOST:PORT */
    const struct keystore *keystore; /* borrowed during the call */
    struct bundle *bundle;           /* in force; shared */
    const struct clock *clock;       /* copied */
    struct pipeline *pipeline;       /* borrowed */
    uint32_t credit;                 /* the largest that a member is granted */
    int stop_fd;                     /* readable: stop (base/harden.h); borrowed */
    struct say *say;                 /* borrowed */
};

/* Why the gate did not open, or the broker must end: one sentence for people. */
struct gate_reason {
    char text[512];
};

/* gate_open - bind and listen. Errors as router_open and local_server_new, with a reason. ret: gate_close. */
enum status gate_open(const struct gate_options *options, struct gate **ret, struct gate_reason *ret_reason);
void gate_close(struct gate **gate);

/* gate_endpoint - where it listens. */
const char *gate_endpoint(const struct gate *gate);

enum gate_end {
    GATE_STOPPED, /* somebody asked for it */
    GATE_FATAL,   /* the pipeline cannot go on: ret_reason says why */
};

/* gate_run - until the end. Blocks. */
enum gate_end gate_run(struct gate *gate, struct gate_reason *ret_reason);
