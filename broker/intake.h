#pragma once

#include "broker/job.h"

/*
 * What the gate hands to the verify workers, in the lanes of broker/job.h: each lane first in first out, and
 * either can go on while the other is full of work. Any number of threads put and take.
 */
struct intake;

/* intake_new - room for so many jobs of all lanes. STATUS_NO_MEMORY. */
enum status intake_new(size_t room, struct intake **ret);

/* intake_free - and the jobs that nobody took; accepts NULL and leaves NULL. */
void intake_free(struct intake **intake);

/*
 * intake_put - at the end of job->lane; job->sequence becomes its number there, ascending from 1. The job is
 * the taker's from then on. STATUS_BUSY when there is no room or STATUS_CLOSED: it is still the caller's.
 */
enum status intake_put(struct intake *intake, struct job *job);

/*
 * intake_take - wait for a job: the first of the lane that is preferred, or else of the other. A worker for
 * each lane that prefers it means that neither lane waits for ever. STATUS_CLOSED: closed, and all is taken.
 */
enum status intake_take(struct intake *intake, enum job_lane preferred, struct job **ret);

/* intake_close - no more puts. */
void intake_close(struct intake *intake);

/* intake_count - jobs waiting in all lanes, at some moment during the call. */
size_t intake_count(struct intake *intake);
