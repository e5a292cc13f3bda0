#pragma once

#include <jansson.h>

#include "broker/index_search.h"
#include "broker/sessions.h"

/*
 * The broker's local socket, FOLDER/control.sock, for those who run it: load, status, search, lift,
 * aggregate, stop (base/local_wire.h; docs/operations.md). What went wrong is answered with
 * {"error":SENTENCE}. Part of the gate's loop: one thread, never waits but for the file of a bundle.
 */

#define OPERATOR_SOCKET   "control.sock"
#define OPERATOR_SEARCHES 2 /* at once */

enum operator_verb {
    OPERATOR_LOAD,
    OPERATOR_STATUS,
    OPERATOR_SEARCH,
    OPERATOR_LIFT,
    OPERATOR_AGGREGATE,
    OPERATOR_CONFIRM_ERASURE,
    OPERATOR_BACKUP,
    OPERATOR_EXPORT,
    OPERATOR_STOP,
};

struct operator_request {
    enum operator_verb verb;
    const char *month;    /* OPERATOR_AGGREGATE: borrowed from the JSON, likewise */
    const char *protocol; /* or NULL */
    const char *event;    /* OPERATOR_LIFT, OPERATOR_CONFIRM_ERASURE: borrowed from the JSON */
    const char *officer;  /* OPERATOR_CONFIRM_ERASURE: who confirms; borrowed */
    const char *from;     /* LIFT, CONFIRM_ERASURE: the event's sender, or NULL */
    const char *bundle;   /* OPERATOR_LOAD: absolute path, borrowed from the JSON */
    json_int_t hold;      /* OPERATOR_BACKUP: 0 to begin with */
    const char *key;      /* it is done, for this key; borrowed, or NULL */
    bool drop;            /* it is given up */
    bool has_fingerprint;
    uint8_t fingerprint[DIGEST_SIZE];
};

struct operator_reason {
    char text[320];
};

/*
 * operator_parse - {"do":"export"}, {"do":"load","bundle":PATH,"fingerprint":HEX?}, {"do":"status"},
 * {"do":"stop"},
 * {"do":"lift","event":ID,"from":MEMBER?}, {"do":"aggregate","month":"YYYY-MM","protocol":ID?},
 * {"do":"confirm-erasure","event":ID,"officer":TEXT,"from":MEMBER?},
 * {"do":"backup","hold":N?,"key":HEX?,"drop":true?} as broker/backing.h, or
 * {"do":"search",...} as broker/search.h takes it. STATUS_BAD_ARGUMENT with a reason for anything else.
 */
enum status operator_parse(const json_t *request, struct operator_request *ret,
                           struct operator_reason *ret_reason);

struct operator;

struct operator_options {
    const char *folder;         /* borrowed */
    const char *endpoint;       /* for status; borrowed */
    const char *member;         /* this broker; borrowed */
    struct sessions *sessions;  /* borrowed */
    struct pipeline *pipeline;  /* borrowed */
    const struct clock *clock;  /* borrowed */
    struct index_options index; /* paths borrowed */
    struct say *say;            /* borrowed */
};

/* operator_open - ret is closed with operator_close. Errors as local_server_new. */
enum status operator_open(const struct operator_options *options, struct operator** ret);
void operator_close(struct operator** operator);

/* operator_fds - what to poll for input: the socket, then running searches. Returns how many, at most
 * 1 + OPERATOR_SEARCHES. operator_wait - at most so many milliseconds, or -1. */
size_t operator_fds(const struct operator* operator, int out[static 1 + OPERATOR_SEARCHES]);
int operator_wait(const struct operator* operator, int64_t elapsed);

/* operator_step - whatever can be done now. */
void operator_step(struct operator* operator, struct sessions_time time);

/* operator_answer - a PIPELINE_CONTROL came out. */
void operator_answer(struct operator* operator, struct sessions_time time, uint64_t token,
                     struct byte_view answer);

/* operator_in_force - a PIPELINE_BUNDLE came out. */
void operator_in_force(struct operator* operator, struct sessions_time time);

/* operator_stopping - somebody asked the broker to stop. */
bool operator_stopping(const struct operator* operator);
