/*
 * bench_crowd - many connections at once, all welcomed, none of them busy: for the broker's memory.
 *
 *   bench_crowd ROOT ENDPOINT COUNT
 *
 * The members prison.p01 … prison.p10 take turns. Prints "welcome" when all are there and stays until its
 * standard input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "tests/bench/load.h"

#define CROWD_MAX 4000
#define MEMBERS   10

int main(int argc, char **argv)
{
    static struct load load;
    static struct load_party parties[CROWD_MAX];
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    size_t opened = 0;

    if (count == 0 || count > CROWD_MAX) {
        fprintf(stderr, "usage: bench_crowd ROOT ENDPOINT COUNT (1 to %d)\n", CROWD_MAX);
        return 2;
    }
    load.options = (struct load_options){.root = argv[1], .endpoint = argv[2]};
    load.context = zmq_ctx_new();
    zmq_ctx_set(load.context, ZMQ_MAX_SOCKETS, CROWD_MAX + 1);
    for (; opened < count && !atomic_load(&load.failed); opened++) {
        char member[32];
        snprintf(member, sizeof member, "prison.p%02zu", opened % MEMBERS + 1);
        (void)load_open(&load, member, &parties[opened]);
    }
    if (!atomic_load(&load.failed)) {
        puts("welcome");
        fflush(stdout);
        while (getchar() != EOF)
            ;
    }
    for (size_t i = 0; i < opened; i++) {
        if (parties[i].socket != NULL)
            zmq_close(parties[i].socket);
        keystore_free(&parties[i].keystore);
    }
    zmq_ctx_term(load.context);
    bundle_free(&load.bundle);
    return atomic_load(&load.failed) ? 1 : 0;
}
