#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/logcheck.h"
#include "broker/logtiles.h"
#include "proto/merkle.h"
#include "proto/tile_writer.h"
#include "tests/bench/biglog.h"

#define HITS 100
#define DAY  86400000

static bool count_hit(void *context, const struct index_hit *hit)
{
    size_t *count = context;

    (void)hit;
    return ++*count < HITS;
}

/* Milliseconds to the first hundred rows of a search. */
static enum status time_search(const struct index_options *index, const char *name,
                               const struct index_query *query)
{
    const struct index_scope scope = {.everything = true};
    size_t count = 0;
    double wall = biglog_seconds(CLOCK_MONOTONIC);
    double spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID);
    enum status status = index_search(index, &scope, query, count_hit, &count);

    wall = biglog_seconds(CLOCK_MONOTONIC) - wall;
    spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID) - spent;
    printf("\"search_%s_ms\":%.2f,\"search_%s_cpu_ms\":%.2f,\"search_%s_hits\":%zu,", name, wall * 1000, name,
           spent * 1000, name, count);
    return status;
}

static enum status search(const struct pipeline_storage *storage, const struct biglog_times *times,
                          const struct index_options *index)
{
    const int64_t middle = biglog_time(times, logbook_size(storage->logbook) / 2);
    uint8_t somebody[CORE_SUBJECT_SIZE];
    uint8_t nobody[CORE_SUBJECT_SIZE];
    const struct byte_view agency = bytes_of_string("prison.p07");

    biglog_subject(4711, somebody);
    biglog_subject(UINT64_MAX, nobody);
    const struct {
        const char *name;
        struct index_query query;
    } cases[] = {
        {"subject", {.subject = bytes_view(somebody, sizeof somebody)}},
        {"nobody", {.subject = bytes_view(nobody, sizeof nobody)}},
        {"subject_late", {.subject = bytes_view(somebody, sizeof somebody), .since = middle}},
        {"agency", {.member = agency}},
        {"day", {.since = middle, .until = middle + DAY}},
        {"agency_day", {.member = agency, .since = middle, .until = middle + DAY}},
        {"agency_subject", {.member = agency, .subject = bytes_view(somebody, sizeof somebody)}},
        {"refused", {.outcome = bytes_of_string("refused")}},
        {"agency_refused_late", {.member = agency, .outcome = bytes_of_string("refused"), .since = middle}},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < sizeof cases / sizeof cases[0]; i++)
        status = time_search(index, cases[i].name, &cases[i].query);
    return status;
}

/* Every entry read from the database, hashed, and the tiles above compared with what is stored. */
static enum status add_up(const struct pipeline_storage *storage)
{
    struct tile_source source = logtiles_source(storage->reader);
    struct tile_writer *writer = NULL;
    struct logbook_reason reason = {""};
    const uint64_t size = logbook_checkpoint(storage->logbook).size;
    enum status status = tile_writer_new(&source, 0, &writer);
    double wall = biglog_seconds(CLOCK_MONOTONIC);
    double spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID);

    if (status == STATUS_OK)
        status = logcheck_read_back(storage->reader, writer, size, &reason);
    wall = biglog_seconds(CLOCK_MONOTONIC) - wall;
    spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID) - spent;
    printf("\"entries\":%.0f,\"read_to_root_per_second\":%.0f,\"read_to_root_per_cpu_second\":%.0f}\n",
           (double)size, (double)size / wall, (double)size / spent);
    tile_writer_free(&writer);
    return status;
}

enum status biglog_look(struct pipeline_storage *storage, const struct biglog_times *times,
                        const struct index_options *index)
{
    enum status status = search(storage, times, index);

    return status == STATUS_OK ? add_up(storage) : status;
}
