#pragma once

#include "broker/index_search.h"
#include "broker/sessions.h"

/*
 * Officers' questions that come over the wire (docs/wire-format.md, "Query"): checked (broker/query_check.h),
 * logged whether they are refused or not, and only then answered, in a thread of their own. One QueryAnswer
 * for each Query or QueryNext, so that nothing piles up here: a search waits until it is asked on. Answers
 * are sealed to a key that the officer made for this one query. Part of the gate's loop: one thread, never
 * waits.
 */
struct queries;

#define QUERIES_MAX     4                   /* at once */
#define QUERIES_EACH    2                   /* of one member */
#define QUERIES_IDLE_MS 60000               /* without being asked on, then it is dropped */
#define QUERIES_TOKEN   (UINT64_C(1) << 63) /* in every token that is ours */

struct queries_options {
    struct sessions *sessions;  /* borrowed */
    struct pipeline *pipeline;  /* borrowed */
    struct index_options index; /* paths borrowed */
    struct say *say;            /* borrowed */
    int64_t started;            /* this process's start, by the broker's clock */
};

/* queries_new - and has the sessions hand over Query and QueryNext. STATUS_NO_MEMORY. */
enum status queries_new(const struct queries_options *options, struct queries **ret);
void queries_free(struct queries **queries);

/* queries_logged - a PIPELINE_CONTROL with one of our tokens came out. */
void queries_logged(struct queries *queries, struct sessions_time time, uint64_t token,
                    struct byte_view answer);

/* queries_fds - what to poll for input: searches that somebody waits for. Returns how many. */
size_t queries_fds(const struct queries *queries, int out[static QUERIES_MAX]);

/* queries_step - send what was found, drop what nobody asks for any more. */
void queries_step(struct queries *queries, struct sessions_time time);
