#include "broker/gate.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/civil.h"
#include "base/logline.h"
#include "base/notify.h"
#include "broker/operator.h"
#include "broker/queries.h"

#define TICK_MS      1000
#define EXPIRY_EVERY (3600 * 1000) /* ms between reminders that the bundle ends */
#define EXPIRY_WARN  (14 * CIVIL_DAY_MS)
#define AWAY_EVERY   (600 * 1000) /* ms between counts of connections turned away */
#define HANDSHAKES   64           /* in one turn */
#define MESSAGES     256
#define OUTGOING     256

struct gate {
    char store_path[PATH_MAX];
    char index_path[PATH_MAX];
    char member[MEMBER_ID_LENGTH + 1];
    struct clock clock;
    struct pipeline *pipeline;
    struct router *router;
    struct sessions *sessions;
    struct operator* operator;
    struct queries *queries;
    struct say *say;
    int stop_fd;
    int64_t tick_at;
    int64_t expiry_at;
    int64_t away_at;
    uint64_t away_told;
    bool fatal;
    struct gate_reason reason;
};

static struct sessions_time read_time(const struct gate *gate)
{
    return (struct sessions_time){clock_now(&gate->clock), clock_elapsed()};
}

static enum status fail(struct gate_reason *reason, enum status status, const char *text)
{
    (void)snprintf(reason->text, sizeof reason->text, "%s", text);
    return status;
}

static enum status set_paths(struct gate *gate, const char *folder)
{
    int store = snprintf(gate->store_path, sizeof gate->store_path, "%s/broker.db", folder);
    int index = snprintf(gate->index_path, sizeof gate->index_path, "%s/index.db", folder);

    return store > 0 && store < PATH_MAX && index > 0 && index < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

static enum status open_sessions(struct gate *gate, const struct gate_options *options,
                                 struct gate_reason *reason)
{
    const struct router_options wanted = {
        .endpoint = options->listen,
        .secret = keystore_transport_secret(options->keystore),
        .public_key = keystore_transport_public(options->keystore),
    };
    struct router_reason why = {{0}};
    enum status status = router_open(&wanted, &gate->router, &why);

    if (status != STATUS_OK)
        return fail(reason, status, why.text);
    const struct sessions_options inside = {
        .router = gate->router,
        .pipeline = options->pipeline,
        .bundle = options->bundle,
        .credit = options->credit,
        .say = options->say,
    };
    status = sessions_new(&inside, &gate->sessions);
    return status == STATUS_OK ? status : fail(reason, status, status_text(status));
}

static enum status open_operator(struct gate *gate, const struct gate_options *options,
                                 struct gate_reason *reason)
{
    const struct operator_options wanted = {
        .folder = options->folder,
        .endpoint = router_endpoint(gate->router),
        .member = gate->member,
        .sessions = gate->sessions,
        .pipeline = options->pipeline,
        .clock = &gate->clock,
        .index = {.path = gate->index_path, .store_path = gate->store_path},
        .say = options->say,
    };
    enum status status = operator_open(&wanted, &gate->operator);
    char text[128];

    (void)snprintf(text, sizeof text, "%s: %s", OPERATOR_SOCKET, status_text(status));
    return status == STATUS_OK ? status : fail(reason, status, text);
}

static enum status open_queries(struct gate *gate, const struct gate_options *options,
                                struct gate_reason *reason)
{
    const struct queries_options wanted = {
        .sessions = gate->sessions,
        .pipeline = options->pipeline,
        .index = {.path = gate->index_path, .store_path = gate->store_path},
        .say = options->say,
        .started = clock_now(&gate->clock),
    };
    enum status status = queries_new(&wanted, &gate->queries);

    return status == STATUS_OK ? status : fail(reason, status, status_text(status));
}

enum status gate_open(const struct gate_options *options, struct gate **ret, struct gate_reason *ret_reason)
{
    struct gate *gate = calloc(1, sizeof *gate);
    enum status status = STATUS_NO_MEMORY;

    if (gate == NULL)
        return fail(ret_reason, status, status_text(status));
    gate->clock = *options->clock;
    gate->pipeline = options->pipeline;
    gate->say = options->say;
    gate->stop_fd = options->stop_fd;
    (void)snprintf(gate->member, sizeof gate->member, "%s", keystore_member(options->keystore));
    status = set_paths(gate, options->folder);
    if (status != STATUS_OK)
        (void)fail(ret_reason, status, "the folder's path is too long");
    if (status == STATUS_OK)
        status = open_sessions(gate, options, ret_reason);
    if (status == STATUS_OK)
        status = open_operator(gate, options, ret_reason);
    if (status == STATUS_OK)
        status = open_queries(gate, options, ret_reason);
    if (status == STATUS_OK)
        *ret = gate;
    else
        gate_close(&gate);
    return status;
}

void gate_close(struct gate **gate)
{
    if (*gate == NULL)
        return;
    operator_close(&(*gate)->operator);
    queries_free(&(*gate)->queries);
    sessions_free(&(*gate)->sessions);
    router_close(&(*gate)->router);
    free(*gate);
    *gate = NULL;
}

const char *gate_endpoint(const struct gate *gate)
{
    return router_endpoint(gate->router);
}

/* ---- the loop ---- */

/* The contact of the broker's own id in the bundle is that of the partnership's data protection officer. */
static void say_alert(const struct gate *gate, struct sessions_time time, struct byte_view text)
{
    const char *contact = bundle_contact(sessions_bundle(gate->sessions), gate->member);
    char whom[LOGLINE_VALUE_SIZE];

    logline_write(time.now, LOGLINE_WARNING, "broker", "%.*s tell=%s", (int)text.size,
                  (const char *)text.data, logline_value(whom, contact == NULL ? "" : contact));
}

static void handle_out(struct gate *gate, struct sessions_time time, const struct pipeline_out *out)
{
    switch (out->kind) {
    case PIPELINE_FRAME:
        sessions_send(gate->sessions, time, out);
        break;
    case PIPELINE_CONTROL:
        if ((out->token & QUERIES_TOKEN) != 0)
            queries_logged(gate->queries, time, out->token, out->bytes);
        else
            operator_answer(gate->operator, time, out->token, out->bytes);
        break;
    case PIPELINE_BUNDLE:
        operator_in_force(gate->operator, time);
        break;
    case PIPELINE_CHECKPOINT:
        sessions_checkpoint(gate->sessions, out->bytes);
        break;
    case PIPELINE_ALERT:
        say_alert(gate, time, out->bytes);
        break;
    case PIPELINE_FATAL:
        gate->fatal = true;
        (void)snprintf(gate->reason.text, sizeof gate->reason.text, "%.*s", (int)out->bytes.size,
                       (const char *)out->bytes.data);
        break;
    }
}

static void take_outgoing(struct gate *gate, struct sessions_time time)
{
    struct pipeline_out *outs[OUTGOING];
    size_t count = pipeline_take(gate->pipeline, outs, OUTGOING);

    for (size_t i = 0; i < count; i++) {
        handle_out(gate, time, outs[i]);
        pipeline_out_free(gate->pipeline, &outs[i]);
    }
}

static void remind_of_expiry(struct gate *gate, struct sessions_time time)
{
    const struct bundle *bundle = sessions_bundle(gate->sessions);
    char until[CIVIL_TIME_SIZE];

    gate->expiry_at = time.elapsed + EXPIRY_EVERY;
    civil_format_time(bundle_not_after(bundle), until);
    switch (bundle_state(bundle, time.now, EXPIRY_WARN)) {
    case BUNDLE_IN_FORCE:
        break;
    case BUNDLE_NOT_YET:
        say_line(gate->say, time.now, LOGLINE_WARNING, "expiry", "the bundle is not in force yet");
        break;
    case BUNDLE_EXPIRING:
        say_line(gate->say, time.now, LOGLINE_WARNING, "expiry",
                 "the bundle ends at %s: load the next one before that", until);
        break;
    case BUNDLE_EXPIRED:
        say_line(gate->say, time.now, LOGLINE_ERROR, "expiry",
                 "the bundle ended at %s: nothing is disclosed until a newer one is loaded", until);
        break;
    }
}

static void count_turned_away(struct gate *gate, struct sessions_time time)
{
    uint64_t total = sessions_counters(gate->sessions)->turned_away;

    gate->away_at = time.elapsed + AWAY_EVERY;
    if (total > gate->away_told)
        say_line(gate->say, time.now, LOGLINE_NOTICE, "away",
                 "connections turned away without a member's key: %" PRIu64 " more, %" PRIu64 " in all",
                 total - gate->away_told, total);
    gate->away_told = total;
}

static void tick(struct gate *gate, struct sessions_time time)
{
    gate->tick_at = time.elapsed + TICK_MS;
    (void)notify_watchdog();
    sessions_tick(gate->sessions, time);
    if (time.elapsed >= gate->expiry_at)
        remind_of_expiry(gate, time);
    if (time.elapsed >= gate->away_at)
        count_turned_away(gate, time);
}

static int wait_for(const struct gate *gate, struct sessions_time time)
{
    int64_t wait = gate->tick_at - time.elapsed;
    int local = operator_wait(gate->operator, time.elapsed);

    if (local >= 0 && local < wait)
        wait = local;
    return wait < 0 ? 0 : (int)wait;
}

/* Waits for something to do. Returns whether the signal to stop is there. */
static bool poll_all(const struct gate *gate, struct sessions_time time)
{
    enum { FIXED = 4 };
    int fds[1 + OPERATOR_SEARCHES + QUERIES_MAX];
    size_t count = operator_fds(gate->operator, fds);
    zmq_pollitem_t items[FIXED + 1 + OPERATOR_SEARCHES + QUERIES_MAX] = {
        {.fd = gate->stop_fd, .events = ZMQ_POLLIN},
        {.fd = pipeline_fd(gate->pipeline), .events = ZMQ_POLLIN},
        {.socket = router_socket(gate->router), .events = ZMQ_POLLIN},
        {.socket = router_zap_socket(gate->router), .events = ZMQ_POLLIN},
    };

    count += queries_fds(gate->queries, fds + count);
    for (size_t i = 0; i < count; i++)
        items[FIXED + i] = (zmq_pollitem_t){.fd = fds[i], .events = ZMQ_POLLIN};
    int ready = zmq_poll(items, FIXED + (int)count, wait_for(gate, time));
    return ready > 0 && items[0].revents != 0;
}

enum gate_end gate_run(struct gate *gate, struct gate_reason *ret_reason)
{
    struct sessions_time time = read_time(gate);

    gate->tick_at = time.elapsed;
    gate->expiry_at = time.elapsed;
    gate->away_at = time.elapsed + AWAY_EVERY;
    while (!poll_all(gate, time)) {
        time = read_time(gate);
        sessions_admit(gate->sessions, time, HANDSHAKES);
        (void)sessions_receive(gate->sessions, time, MESSAGES);
        take_outgoing(gate, time);
        operator_step(gate->operator, time);
        queries_step(gate->queries, time);
        if (time.elapsed >= gate->tick_at)
            tick(gate, time);
        if (gate->fatal) {
            *ret_reason = gate->reason;
            return GATE_FATAL;
        }
        if (operator_stopping(gate->operator))
            break;
    }
    return GATE_STOPPED;
}
