/*
 * bench_load - drive a running broker with the keys of a partnership's agents, and print one JSON object.
 *
 *   bench_load ROOT ENDPOINT PNC SENDERS EVENTS BATCH WINDOW BACKLOG RATE live|sealed|whole
 *
 * The members prison.p01 … are senders; drugs.stoke, police.staffordshire and probation.staffordshire
 * receive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "proto/pseudonym.h"
#include "tests/bench/load.h"

static bool open_subject(struct load *load)
{
    struct bundle_epoch *epochs = NULL;
    struct pseudonym pseudonym;
    size_t n = 0;
    bool found =
        bundle_open_epochs(load->bundle, load->senders[0].keystore, &epochs, &n) == STATUS_OK &&
        pseudonym_make(epochs[n - 1].epoch, epochs[n - 1].key, PSEUDONYM_KIND_PNC, bytes_of_string(""),
                       bytes_of_string(load->options.pnc), &pseudonym) == STATUS_OK;

    if (found)
        memcpy(load->subject, pseudonym.bytes, sizeof load->subject);
    else
        load_fail(load, load->options.pnc, "no pseudonym");
    bundle_epochs_free(&epochs, n);
    return found;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

/* Microseconds from `from` to `to` at a quantile; sorts what it is given. */
static double quantile(int64_t *times, size_t n, double at)
{
    size_t index = (size_t)((double)(n - 1) * at);

    qsort(times, n, sizeof *times, compare);
    return (double)times[index] / 1000.0;
}

static void report(struct load *load, int64_t started)
{
    size_t n = load->options.events;
    int64_t first = INT64_MAX;
    int64_t end = load_now();

    for (size_t i = 0; i < n; i++) {
        if (load->sent[i] < first)
            first = load->sent[i];
    }
    for (size_t i = 0; i < n; i++) {
        load->confirmed[i] -= load->sent[i];
        load->delivered[i] -= load->sent[i];
    }
    printf("{\"events\":%zu,\"seconds\":%.4f,\"events_per_second\":%.0f,\"event_bytes\":%zu,"
           "\"confirm_p50_us\":%.0f,\"confirm_p99_us\":%.0f,\"deliver_p50_us\":%.0f,\"deliver_p99_us\":%.0f,"
           "\"prepare_seconds\":%.2f,\"load_us_per_event\":%.1f}\n",
           n, (double)(end - first) / 1e9, (double)n * 1e9 / (double)(end - first), load->frame_bytes,
           quantile(load->confirmed, n, 0.5), quantile(load->confirmed, n, 0.99),
           quantile(load->delivered, n, 0.5), quantile(load->delivered, n, 0.99),
           (double)(first - started) / 1e9, (double)(load_spent() - load->spent_before) / 1000.0 / (double)n);
}

static bool open_all(struct load *load)
{
    static const char *const recipients[LOAD_RECIPIENTS] = {"drugs.stoke", "police.staffordshire",
                                                            "probation.staffordshire"};
    bool ready = true;

    for (size_t i = 0; ready && i < load->options.senders; i++) {
        char member[32];
        snprintf(member, sizeof member, "prison.p%02zu", i + 1);
        ready = load_open(load, member, &load->senders[i]);
    }
    for (size_t i = 0; ready && i < LOAD_RECIPIENTS; i++)
        ready = load_open(load, recipients[i], &load->recipients[i]);
    return ready && open_subject(load);
}

static void close_all(struct load *load)
{
    for (size_t i = 0; i < LOAD_SENDERS_MAX; i++) {
        if (load->senders[i].socket != NULL)
            zmq_close(load->senders[i].socket);
        keystore_free(&load->senders[i].keystore);
    }
    for (size_t i = 0; i < LOAD_RECIPIENTS; i++) {
        if (load->recipients[i].socket != NULL)
            zmq_close(load->recipients[i].socket);
        keystore_free(&load->recipients[i].keystore);
    }
    zmq_ctx_term(load->context);
    close(load->wake);
    bundle_free(&load->bundle);
    free(load->sent);
    free(load->confirmed);
    free(load->delivered);
}

int main(int argc, char **argv)
{
    static struct load load;
    pthread_t receive;
    int64_t started = load_now();

    if (argc != 11) {
        fprintf(stderr, "usage: bench_load ROOT ENDPOINT PNC SENDERS EVENTS BATCH WINDOW BACKLOG RATE "
                        "live|sealed|whole\n");
        return 2;
    }
    load.options = (struct load_options){
        .root = argv[1],
        .endpoint = argv[2],
        .pnc = argv[3],
        .senders = strtoul(argv[4], NULL, 10),
        .events = strtoul(argv[5], NULL, 10),
        .batch = strtoul(argv[6], NULL, 10),
        .window = strtoul(argv[7], NULL, 10),
        .backlog = strtoul(argv[8], NULL, 10),
        .rate = strtod(argv[9], NULL),
        .live = strcmp(argv[10], "live") == 0,
        .whole = strcmp(argv[10], "whole") == 0,
    };
    if (load.options.senders == 0 || load.options.senders > LOAD_SENDERS_MAX || load.options.batch == 0 ||
        load.options.batch > ENVELOPE_BATCH_MAX ||
        load.options.events % (load.options.senders * load.options.batch) != 0) {
        fprintf(stderr,
                "bench_load: EVENTS must be a multiple of SENDERS (1 to 16) times BATCH (1 to 256)\n");
        return 2;
    }
    load.run = (uint64_t)time(NULL);
    load.context = zmq_ctx_new();
    load.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    load.sent = calloc(load.options.events, sizeof *load.sent);
    load.confirmed = calloc(load.options.events, sizeof *load.confirmed);
    load.delivered = calloc(load.options.events, sizeof *load.delivered);
    if (open_all(&load) && pthread_create(&receive, NULL, load_receive, &load) == 0) {
        load_send(&load);
        pthread_join(receive, NULL);
    }
    bool failed = atomic_load(&load.failed);
    if (!failed)
        report(&load, started);
    close_all(&load);
    return failed ? 1 : 0;
}
