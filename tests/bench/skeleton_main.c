/*
 * bench_skeleton - how fast this machine is at what no broker of this kind can do without: CURVE, one durable
 * SQLite transaction for everything that waits, an answer to each frame, a copy to each of three recipients
 * and their acknowledgements, stored likewise. No batches, signatures, decisions or log. Figures of the
 * broker are quoted as a share of this, measured in the same minutes.
 *
 *   bench_skeleton FOLDER FRAMES
 *
 * Ten senders keep 256 frames of 600 bytes each in flight. Prints one JSON object: frames stored, delivered
 * and acknowledged a second, and the microseconds of one Ed25519 verification (OpenSSL) and of one synced
 * write of 4 KiB.
 */
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define SENDERS    10
#define RECIPIENTS 3
#define WINDOW     256
#define BACKLOG    4096 /* frames sent and not yet acknowledged by all */
#define SIZE       600
#define GROUP      1024
#define ROUTE      5

struct bench {
    void *context;
    void *router;
    size_t frames;
    char endpoint[64];
    char server_public[41];
    char server_secret[41];
    uint8_t recipients[RECIPIENTS][ROUTE];
    _Atomic size_t acknowledged;
    _Atomic int failed;
};

static void fail(struct bench *bench, const char *what)
{
    fprintf(stderr, "bench_skeleton: %s\n", what);
    atomic_store(&bench->failed, 1);
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the broker's side ---- */

static sqlite3 *open_database(const char *folder, sqlite3_stmt **ret_insert)
{
    char path[PATH_MAX];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%s/skeleton.db", folder);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE frame(body BLOB)",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO frame VALUES(?)", -1, ret_insert, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

static void send_to(struct bench *bench, const uint8_t *route, const void *body, size_t size)
{
    if (zmq_send(bench->router, route, ROUTE, ZMQ_SNDMORE) < 0 || zmq_send(bench->router, body, size, 0) < 0)
        fail(bench, "cannot send");
}

/* Everything that waits, in one transaction; then answers and copies. Returns how many acknowledgements. */
static size_t run_group(struct bench *bench, sqlite3 *db, sqlite3_stmt *insert)
{
    static uint8_t routes[GROUP][ROUTE];
    static uint8_t bodies[GROUP][SIZE];
    static int sizes[GROUP];
    size_t count = 0;
    size_t acknowledged = 0;

    while (count < GROUP &&
           zmq_recv(bench->router, routes[count], ROUTE, count == 0 ? 0 : ZMQ_DONTWAIT) >= 0) {
        sizes[count] = zmq_recv(bench->router, bodies[count], SIZE, 0);
        if (count == 0)
            sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
        sqlite3_bind_blob(insert, 1, bodies[count], sizes[count], SQLITE_STATIC);
        if (sizes[count] <= 0 || sqlite3_step(insert) != SQLITE_DONE)
            fail(bench, sqlite3_errmsg(db));
        sqlite3_reset(insert);
        count++;
    }
    if (count == 0)
        fail(bench, "nothing came for 10 seconds");
    else if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        fail(bench, sqlite3_errmsg(db));
    for (size_t i = 0; i < count; i++) {
        send_to(bench, routes[i], "stored", 6);
        for (size_t to = 0; sizes[i] == SIZE && to < RECIPIENTS; to++)
            send_to(bench, bench->recipients[to], bodies[i], SIZE);
        acknowledged += sizes[i] != SIZE;
    }
    atomic_fetch_add(&bench->acknowledged, acknowledged);
    return acknowledged;
}

/* The recipients say who they are first, one after another. */
static void meet_recipients(struct bench *bench)
{
    uint8_t body[SIZE];

    for (size_t i = 0; i < RECIPIENTS; i++) {
        if (zmq_recv(bench->router, bench->recipients[i], ROUTE, 0) < 0 ||
            zmq_recv(bench->router, body, SIZE, 0) < 0)
            fail(bench, "a recipient did not come");
    }
}

/* ---- the members' side ---- */

static void *open_member(struct bench *bench)
{
    void *socket = zmq_socket(bench->context, ZMQ_DEALER);
    char public_key[41];
    char secret_key[41];
    int none = 0;

    zmq_curve_keypair(public_key, secret_key);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, bench->server_public, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, 41);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    if (zmq_connect(socket, bench->endpoint) != 0)
        fail(bench, "cannot connect");
    return socket;
}

static void *run_recipients(void *argument)
{
    struct bench *bench = argument;
    zmq_pollitem_t items[RECIPIENTS];
    size_t wanted = bench->frames * RECIPIENTS;
    uint8_t body[SIZE];

    for (size_t i = 0; i < RECIPIENTS; i++) {
        items[i] = (zmq_pollitem_t){.socket = open_member(bench), .events = ZMQ_POLLIN};
        zmq_send(items[i].socket, "here", 4, 0);
    }
    while (atomic_load(&bench->acknowledged) < wanted && !atomic_load(&bench->failed)) {
        zmq_poll(items, RECIPIENTS, 10);
        for (size_t i = 0; i < RECIPIENTS; i++) {
            int size;
            while ((size = zmq_recv(items[i].socket, body, SIZE, ZMQ_DONTWAIT)) >= 0) {
                if (size == SIZE)
                    zmq_send(items[i].socket, body, 16, 0);
            }
        }
    }
    for (size_t i = 0; i < RECIPIENTS; i++)
        zmq_close(items[i].socket);
    return NULL;
}

static void *run_senders(void *argument)
{
    struct bench *bench = argument;
    zmq_pollitem_t items[SENDERS];
    size_t sent[SENDERS] = {0};
    size_t answered[SENDERS] = {0};
    size_t each = bench->frames / SENDERS;
    size_t left = bench->frames;
    size_t all = 0;
    uint8_t body[SIZE];
    char answer[8];

    memset(body, 'x', sizeof body);
    for (size_t i = 0; i < SENDERS; i++)
        items[i] = (zmq_pollitem_t){.socket = open_member(bench), .events = ZMQ_POLLIN};
    while (left > 0 && !atomic_load(&bench->failed)) {
        for (size_t i = 0; i < SENDERS; i++) {
            while (sent[i] < each && sent[i] - answered[i] < WINDOW &&
                   all < atomic_load(&bench->acknowledged) / RECIPIENTS + BACKLOG) {
                zmq_send(items[i].socket, body, sizeof body, 0);
                sent[i]++;
                all++;
            }
            while (zmq_recv(items[i].socket, answer, sizeof answer, ZMQ_DONTWAIT) >= 0) {
                answered[i]++;
                left--;
            }
        }
        zmq_poll(items, SENDERS, 1);
    }
    for (size_t i = 0; i < SENDERS; i++)
        zmq_close(items[i].socket);
    return NULL;
}

static int open_router(struct bench *bench)
{
    size_t size = sizeof bench->endpoint;
    int server = 1;
    int timeout = 10000;
    int unlimited = 0;

    bench->context = zmq_ctx_new();
    bench->router = zmq_socket(bench->context, ZMQ_ROUTER);
    zmq_curve_keypair(bench->server_public, bench->server_secret);
    zmq_setsockopt(bench->router, ZMQ_CURVE_SERVER, &server, sizeof server);
    zmq_setsockopt(bench->router, ZMQ_CURVE_SECRETKEY, bench->server_secret, 41);
    zmq_setsockopt(bench->router, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(bench->router, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    zmq_setsockopt(bench->router, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    return zmq_bind(bench->router, "tcp://127.0.0.1:*") == 0 &&
           zmq_getsockopt(bench->router, ZMQ_LAST_ENDPOINT, bench->endpoint, &size) == 0;
}

static double frames_per_second(const char *folder, size_t frames)
{
    static struct bench bench;
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = open_database(folder, &insert);
    pthread_t senders;
    pthread_t recipients;
    size_t done = 0;

    bench.frames = frames;
    if (db == NULL || !open_router(&bench) ||
        pthread_create(&recipients, NULL, run_recipients, &bench) != 0) {
        fprintf(stderr, "bench_skeleton: cannot start in %s\n", folder);
        exit(3);
    }
    meet_recipients(&bench);
    if (pthread_create(&senders, NULL, run_senders, &bench) != 0)
        exit(3);
    double started = now_seconds();
    while (done < frames * RECIPIENTS && !atomic_load(&bench.failed))
        done += run_group(&bench, db, insert);
    double seconds = now_seconds() - started;
    pthread_join(senders, NULL);
    pthread_join(recipients, NULL);
    zmq_close(bench.router);
    zmq_ctx_term(bench.context);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    if (atomic_load(&bench.failed))
        exit(1);
    return (double)frames / seconds;
}

/* ---- single operations ---- */

static double verify_microseconds(void)
{
    enum { COUNT = 2000 };
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t message[128] = {1};
    uint8_t signature[64];
    size_t size = sizeof signature;

    if (key == NULL || context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &size, message, sizeof message) != 1)
        exit(1);
    double started = now_seconds();
    for (int i = 0; i < COUNT; i++) {
        EVP_MD_CTX_reset(context);
        if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1 ||
            EVP_DigestVerify(context, signature, size, message, sizeof message) != 1)
            exit(1);
    }
    double each = (now_seconds() - started) / COUNT * 1e6;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return each;
}

static double sync_microseconds(const char *folder)
{
    enum { COUNT = 500 };
    static const uint8_t page[4096];
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/sync", folder);
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        exit(3);
    double started = now_seconds();
    for (int i = 0; i < COUNT; i++) {
        if (pwrite(fd, page, sizeof page, (off_t)i * (off_t)sizeof page) != (ssize_t)sizeof page ||
            fdatasync(fd) != 0)
            exit(3);
    }
    double each = (now_seconds() - started) / COUNT * 1e6;
    close(fd);
    return each;
}

int main(int argc, char **argv)
{
    size_t frames = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

    if (frames == 0 || frames % SENDERS != 0) {
        fprintf(stderr, "usage: bench_skeleton FOLDER FRAMES (a multiple of 10)\n");
        return 2;
    }
    double verify = verify_microseconds();
    double sync = sync_microseconds(argv[1]);
    double rate = frames_per_second(argv[1], frames);
    printf("{\"frames_per_second\":%.0f,\"verify_us\":%.1f,\"sync_us\":%.1f}\n", rate, verify, sync);
    return 0;
}
