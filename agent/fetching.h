#pragma once

#include "agent/agent.h"
#include "proto/wire_codec.h"

/* Fetching a newer bundle from the broker, part by part. What arrives is verified as any bundle file. */
struct fetching;

enum status fetching_new(struct agent *agent, struct fetching **ret_fetching);
void fetching_free(struct fetching **fetching);

/*
 * fetching_notice - a head that a peer showed. A newer one stops sealing until it is here; a fork is an
 * incident and stops it, too.
 */
enum status fetching_notice(struct fetching *fetching, const Wire__SignedHead *head, int64_t now);

/* fetching_ask - appends the next BundleRequest; STATUS_NOT_FOUND when there is nothing to fetch now. */
enum status fetching_ask(struct fetching *fetching, uint64_t request, int64_t now, struct byte_buffer *ret);

/*
 * fetching_part - an answer. When the last one is in, the bundle is taken (agent_take_bundle).
 *
 * ret_taken     a bundle came into force
 * ret_new_keys  as agent_take_bundle()
 *
 * A part that does not fit, or a bundle that is not accepted, is an incident; fetching rests for a minute
 * then.
 */
enum status fetching_part(struct fetching *fetching, uint64_t request, const Wire__BundlePart *part,
                          int64_t now, bool *ret_taken, bool *ret_new_keys);

/* fetching_drop - the connection ended. */
void fetching_drop(struct fetching *fetching);

/* fetching_need - the broker says that its bundle is newer: fetch it, whatever its head says. */
void fetching_need(struct fetching *fetching);

/* fetching_wanted - is a newer bundle still to be fetched? */
bool fetching_wanted(const struct fetching *fetching);
