#pragma once

#include "broker/pipeline_storage.h"
#include "proto/core.h"

/* A log of any size in a broker's folder, made quickly, and how long things take in it. */

/* The times of its entries: the next second, but for its fraction, follows from the index. */
struct biglog_times {
    int64_t start;  /* of entry 0, ms since the Unix epoch */
    double step_ms; /* from entry to entry */
};

int64_t biglog_time(const struct biglog_times *times, uint64_t index);

/* biglog_seconds - what a clock of <time.h> shows. */
double biglog_seconds(int clock);

/* biglog_subject - the pseudonym of one of the log's people. */
void biglog_subject(uint64_t person, uint8_t ret[static CORE_SUBJECT_SIZE]);

/* biglog_make - append until there are so many entries, sign, wait for the index; prints one JSON line. */
enum status biglog_make(struct pipeline_storage *storage, const struct biglog_times *times, uint64_t entries);

/* biglog_look - searches, and entries to the root; prints one JSON line. */
enum status biglog_look(struct pipeline_storage *storage, const struct biglog_times *times,
                        const struct index_options *index);
