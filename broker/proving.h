#pragma once

#include "broker/job.h"
#include "broker/outgoing.h"

/*
 * Members' own log entries with log proofs, made in a thread of its own beside the store thread: it reads
 * the store's and the index's files through connections of its own, and hands its answers to the gate itself.
 */
struct engine;
struct proving;

/* proving_start - for a broker's folder; outgoing is borrowed until proving_stop. Returns what base/db.h
 * returns, or STATUS_NO_MEMORY. */
enum status proving_start(const char *folder, struct outgoing_queue *outgoing, struct proving **ret);

/* proving_stop - requests that wait are dropped; accepts NULL and leaves NULL. */
void proving_stop(struct proving **proving);

/* proving_tick - witnesses are asked to cosign what proofs wait for. */
void proving_tick(struct engine *engine);

/* proving_handle - a LogRequest, from the store thread: says who may have what, and under which checkpoint.
 */
enum status proving_handle(struct engine *engine, struct job *job);
