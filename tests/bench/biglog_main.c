/*
 * bench_biglog - a disclosure log of any size, through the broker's own code, in the folder of a broker that
 * is not running; and how long it takes to start, search and add it up.
 *
 *   bench_biglog make FOLDER ENTRIES START_MS STEP_MS   go on until there are so many entries
 *   bench_biglog look FOLDER START_MS STEP_MS           start, search, entries to the root
 *
 * The folder's members must have been seen by the broker once. Each prints one JSON line. `look` starts with
 * nothing of the databases in memory, as far as the kernel lets go of it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs/keystore.h"
#include "tests/bench/biglog.h"

int64_t biglog_time(const struct biglog_times *times, uint64_t index)
{
    return times->start + (int64_t)((double)index * times->step_ms);
}

double biglog_seconds(int clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Lets the kernel forget what it holds of a file. */
static void forget(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static enum status open_storage(const char *folder, const struct keystore *keystore, int64_t now,
                                struct pipeline_storage *ret)
{
    const struct pipeline_options options = {.folder = folder, .keystore = keystore};
    struct pipeline_reason reason = {""};
    enum status status = pipeline_storage_open(&options, now, ret, &reason);

    if (status != STATUS_OK)
        fprintf(stderr, "bench_biglog: %s\n", reason.text);
    return status;
}

static enum status look(const char *folder, const struct keystore *keystore, const struct biglog_times *times)
{
    static const char *const names[] = {"broker.db", "checkpoint.db", "index.db"};
    struct pipeline_storage storage = {0};
    char store[PATH_MAX];
    char search[PATH_MAX];
    const struct index_options index = {.path = search, .store_path = store};

    snprintf(store, sizeof store, "%s/broker.db", folder);
    snprintf(search, sizeof search, "%s/index.db", folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        forget(folder, names[i]);
    double cold = biglog_seconds(CLOCK_MONOTONIC);
    enum status status = open_storage(folder, keystore, biglog_time(times, UINT64_C(1) << 32), &storage);
    cold = biglog_seconds(CLOCK_MONOTONIC) - cold;
    pipeline_storage_close(&storage);
    double warm = biglog_seconds(CLOCK_MONOTONIC);
    if (status == STATUS_OK)
        status = open_storage(folder, keystore, biglog_time(times, UINT64_C(1) << 32), &storage);
    warm = biglog_seconds(CLOCK_MONOTONIC) - warm;
    printf("{\"start_cold_ms\":%.2f,\"start_ms\":%.2f,", cold * 1000, warm * 1000);
    if (status == STATUS_OK)
        status = biglog_look(&storage, times, &index);
    pipeline_storage_close(&storage);
    return status;
}

static enum status make(const char *folder, const struct keystore *keystore, const struct biglog_times *times,
                        uint64_t entries)
{
    struct pipeline_storage storage = {0};
    enum status status = open_storage(folder, keystore, times->start, &storage);

    if (status == STATUS_OK)
        status = biglog_make(&storage, times, entries);
    pipeline_storage_close(&storage);
    return status;
}

int main(int argc, char **argv)
{
    const bool making = argc == 6 && strcmp(argv[1], "make") == 0;
    struct keystore *keystore = NULL;

    if (!making && (argc != 5 || strcmp(argv[1], "look") != 0)) {
        fprintf(stderr, "usage: bench_biglog make FOLDER ENTRIES START_MS STEP_MS\n"
                        "       bench_biglog look FOLDER START_MS STEP_MS\n");
        return 2;
    }
    const struct biglog_times times = {.start = strtoll(argv[argc - 2], NULL, 10),
                                       .step_ms = strtod(argv[argc - 1], NULL)};
    enum status status = keystore_load(argv[2], &keystore);
    if (status == STATUS_OK)
        status = making ? make(argv[2], keystore, &times, strtoull(argv[3], NULL, 10))
                        : look(argv[2], keystore, &times);
    if (status != STATUS_OK)
        fprintf(stderr, "bench_biglog: %s: %s\n", argv[2], status_text(status));
    keystore_free(&keystore);
    return status == STATUS_OK ? 0 : 1;
}
