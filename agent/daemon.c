#include "agent/daemon.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/alerts.h"
#include "agent/carrying.h"
#include "agent/control.h"
#include "agent/feeds.h"
#include "agent/hooks.h"
#include "agent/housekeeping.h"
#include "agent/incidents.h"
#include "agent/link.h"
#include "agent/rights.h"
#include "agent/session.h"
#include "agent/witnessed.h"
#include "base/local_server.h"
#include "base/logline.h"
#include "base/notify.h"
#include "base/safefile.h"
#include "proto/wire_codec.h"

#define DAEMON_SOCKET     "control.sock"
#define DAEMON_IDLE_MS    ((int64_t)10 * 1000)
#define DAEMON_FULL_MS    ((int64_t)10 * 1000) /* until a full disk is tried again */
#define DAEMON_FRAMES     64                   /* taken in one turn, so that the others come to theirs */
#define DAEMON_LONGEST_MS ((int64_t)60 * 1000)

enum { FD_STOP, FD_LOCAL, FD_FEEDS, FD_HOOKS, FD_LINK, FD_MONITOR, FDS };

struct daemon {
    const struct daemon_options *options;
    struct daemon_reason *reason;
    struct folder_lock *lock;
    struct folder_lock *socket_lock; /* of a folder for the socket alone */
    struct agent *agent;
    struct session *session;
    struct link *link;
    struct feeds *feeds;
    struct hooks *hooks;
    struct carrying *carrying;
    struct local_server *local;
    struct control control;
    struct byte_buffer frame;
    int64_t full_until; /* elapsed: the disk was full, and is tried again then */
    int64_t alerted;    /* the last alert that was written as a line */
    int64_t forked;     /* the last fork of the log that was */
    int64_t incident;   /* the last incident that was */
    int64_t wait;       /* milliseconds until something is due; -1: nothing */
};

static enum status because(struct daemon *daemon, enum status status, const char *what)
{
    (void)snprintf(daemon->reason->text, sizeof daemon->reason->text, "%.200s: %.300s: %s",
                   daemon->options->folder, what, status_text(status));
    return status;
}

static int64_t now_of(const struct daemon *daemon)
{
    return clock_now(&daemon->options->clock);
}

/* Shortens the wait. */
static void wake_in(struct daemon *daemon, int64_t wait)
{
    if (wait >= 0 && (daemon->wait < 0 || wait < daemon->wait))
        daemon->wait = wait;
}

/* ---- the broker
 * ------------------------------------------------------------------------------------------------------ */

static bool link_options_of(const struct daemon *daemon, struct link_options *ret)
{
    const struct agent *agent = daemon->agent;
    const struct directory_entry *broker =
        directory_with_role(agent->membership->directory, ROLE_BROKER, now_of(daemon));

    if (broker == NULL)
        return false;
    *ret = (struct link_options){.endpoint = agent->settings.broker,
                                 .server_key = broker->transport,
                                 .public_key = keystore_transport_public(agent->keystore),
                                 .secret_key = keystore_transport_secret(agent->keystore)};
    return true;
}

static bool send_to_broker(void *context, struct byte_view frame)
{
    struct daemon *daemon = context;

    return daemon->link != NULL && link_send(daemon->link, frame);
}

static enum status connect_anew(struct daemon *daemon)
{
    struct link_options options;

    session_disconnected(daemon->session);
    if (!link_options_of(daemon, &options)) {
        logline_write(now_of(daemon), LOGLINE_ERROR, "agent",
                      "the bundle has no broker whose certificate is in force");
        return STATUS_OK;
    }
    return daemon->link == NULL ? link_open(&options, &daemon->link) : link_again(daemon->link, &options);
}

static const char nobody[] = "nobody answers at the broker's address: does it run, is the address right?";
static const char refused[] =
    "the broker does not let our transport key in: has a bundle with our certificate been loaded there?";
static const char stranger[] = "whoever answers at the broker's address does not prove the key that our "
                               "bundle names: is the address right? If"
                               " the broker has renewed its keys, join with the newest bundle";

/* Says once what is wrong with the connection, and keeps it for the status. */
static void trouble(struct daemon *daemon, const char *text)
{
    if (daemon->control.trouble != text)
        logline_write(now_of(daemon), LOGLINE_WARNING, "agent", "%s: %s", daemon->agent->settings.broker,
                      text);
    daemon->control.trouble = text;
}

static void take_events(struct daemon *daemon)
{
    const int64_t now = now_of(daemon);
    const int64_t elapsed = clock_elapsed();

    for (enum link_event event = link_event(daemon->link, elapsed); event != LINK_NOTHING;
         event = link_event(daemon->link, elapsed)) {
        if (event == LINK_CONNECTED) {
            logline_write(now, LOGLINE_INFO, "agent", "connected to the broker");
            daemon->control.trouble = NULL;
            session_connected(daemon->session, now, elapsed);
            continue;
        }
        if (session_welcomed(daemon->session))
            logline_write(now, LOGLINE_NOTICE, "agent", "the connection to the broker ended");
        if (event == LINK_REFUSED)
            trouble(daemon, refused);
        else if (event == LINK_STRANGER)
            trouble(daemon, stranger);
        else if (daemon->control.trouble == NULL)
            daemon->control.trouble = nobody;
        session_disconnected(daemon->session);
    }
}

/* A full disk is waited out; whatever else the database says ends the process. */
static enum status absorb(struct daemon *daemon, enum status status)
{
    if (status != STATUS_NO_SPACE)
        return status;
    if (clock_elapsed() >= daemon->full_until)
        logline_write(now_of(daemon), LOGLINE_ERROR, "agent",
                      "the disk is full: nothing is taken until there is room");
    daemon->full_until = clock_elapsed() + DAEMON_FULL_MS;
    session_disconnected(daemon->session);
    return STATUS_OK;
}

static enum status take_frames(struct daemon *daemon)
{
    enum status status = STATUS_OK;
    int taken = 0;

    for (; taken < DAEMON_FRAMES && status == STATUS_OK; taken++) {
        status = link_receive(daemon->link, &daemon->frame);
        if (status == STATUS_TOO_LARGE) {
            status = STATUS_OK;
            continue;
        }
        if (status == STATUS_OK &&
            !carrying_frame(daemon->carrying, daemon->local, bytes_buffer_view(&daemon->frame)))
            status = session_receive(daemon->session, bytes_buffer_view(&daemon->frame), now_of(daemon),
                                     clock_elapsed());
    }
    if (taken == DAEMON_FRAMES)
        wake_in(daemon, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status talk(struct daemon *daemon)
{
    int64_t wait = -1;
    enum status status = STATUS_OK;

    if (clock_elapsed() < daemon->full_until) {
        wake_in(daemon, daemon->full_until - clock_elapsed());
        return STATUS_OK;
    }
    if (daemon->full_until != 0) {
        daemon->full_until = 0;
        status = connect_anew(daemon);
    }
    if (status != STATUS_OK || daemon->link == NULL)
        return status;
    status = link_step(daemon->link, clock_elapsed(), &wait);
    wake_in(daemon, wait);
    if (status != STATUS_OK)
        return status;
    take_events(daemon);
    status = take_frames(daemon);
    if (status == STATUS_OK) {
        status = session_step(daemon->session, now_of(daemon), clock_elapsed(), &wait);
        wake_in(daemon, wait);
    }
    if (status == STATUS_OK && session_reconnect(daemon->session))
        status = connect_anew(daemon);
    daemon->control.connected = session_welcomed(daemon->session);
    return absorb(daemon, status);
}

/* A line for each new alert, for people and programs that watch the lines of this process. */
static enum status tell_alerts(struct daemon *daemon)
{
    char from[MEMBER_ID_LENGTH + 1];
    char id[UUID_TEXT_SIZE];
    struct alert alert;
    enum status status = alerts_next(daemon->agent, &daemon->alerted, from, &alert);

    while (status == STATUS_OK) {
        uuid_format(alert.event, id);
        logline_write(now_of(daemon), LOGLINE_WARNING, "alert",
                      "an urgent event was not acknowledged in time: event=%s from=%s contact=%s", id,
                      alert.from, alert.contact != NULL ? alert.contact : "none named");
        status = alerts_next(daemon->agent, &daemon->alerted, from, &alert);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* And one for each fork of the log that was found. */
static enum status tell_forks(struct daemon *daemon)
{
    const struct agent *agent = daemon->agent;
    const char *contact = bundle_contact(agent->membership->bundle, agent->settings.member);
    char text[512];
    enum status status;

    while ((status = witnessed_next_fork(daemon->agent, &daemon->forked, text)) == STATUS_OK)
        logline_write(now_of(daemon), LOGLINE_ERROR, "alert", "%s: tell the partnership's board: contact=%s",
                      text, contact != NULL ? contact : "none named");
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* And one for each new incident. */
static enum status tell_incidents(struct daemon *daemon)
{
    char text[INCIDENTS_TEXT];
    enum status status;

    while ((status = incidents_next(daemon->agent->db, &daemon->incident, text)) == STATUS_OK)
        logline_write(now_of(daemon), LOGLINE_WARNING, "incident", "%s", text);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What libzmq took in meanwhile does not show on its descriptor again: look once more before waiting. */
static enum status talk_until_quiet(struct daemon *daemon)
{
    enum status status = talk(daemon);

    if (status == STATUS_OK && daemon->link != NULL && daemon->full_until == 0 && link_pending(daemon->link))
        wake_in(daemon, 0);
    return status;
}

/* ---- the local socket
 * -------------------------------------------------------------------------------------------------- */

/* An inbox being listed page by page. */
struct listing_job {
    struct daemon *daemon;
    int64_t cursor;
};

static void next_page(struct local_connection *connection, void *context)
{
    struct listing_job *job = context;
    bool last = false;
    json_t *reply = control_inbox(&job->daemon->control, &job->cursor, &last);

    if (local_server_reply(connection, reply, last) != STATUS_OK)
        local_server_drop(connection);
}

static void end_pages(struct local_connection *connection, void *context)
{
    (void)connection;
    free(context);
}

static void list_inbox(struct daemon *daemon, struct local_connection *connection)
{
    struct listing_job *job = calloc(1, sizeof *job);

    if (job == NULL) {
        local_server_drop(connection);
        return;
    }
    job->daemon = daemon;
    local_server_stream(connection, next_page, end_pages, job);
}

static void on_request(struct local_connection *connection, const json_t *request, void *context)
{
    struct daemon *daemon = context;
    const char *verb = json_string_value(json_object_get(request, "do"));
    struct rights_reason reason = {""};

    if (!rights_check(&daemon->agent->settings, local_server_peer(connection), geteuid(),
                      verb == NULL ? "" : verb, &reason)) {
        if (local_server_reply(connection, json_pack("{s:s}", "refused", reason.text), true) != STATUS_OK)
            local_server_drop(connection);
        return;
    }
    if (verb != NULL && strcmp(verb, "inbox") == 0) {
        list_inbox(daemon, connection);
        return;
    }
    if (carrying_request(daemon->carrying, connection, request, session_welcomed(daemon->session)))
        return;
    if (local_server_reply(connection,
                           control_request(&daemon->control, request,
                                           (uint32_t)local_server_peer(connection).uid, now_of(daemon)),
                           true) != STATUS_OK)
        local_server_drop(connection);
}

/* ---- the loop
 * ----------------------------------------------------------------------------------------------------------
 */

static enum status work(struct daemon *daemon)
{
    int64_t wait = -1;
    enum status status = STATUS_OK;

    daemon->wait = DAEMON_LONGEST_MS;
    local_server_step(daemon->local, clock_elapsed(), on_request, daemon);
    carrying_step(daemon->carrying, daemon->local, session_welcomed(daemon->session));
    wake_in(daemon, local_server_wait(daemon->local, clock_elapsed()));
    if (daemon->feeds != NULL) {
        int64_t next = INT64_MAX;

        status = absorb(daemon, feeds_step(daemon->feeds, now_of(daemon), &next));
        if (next != INT64_MAX)
            wake_in(daemon, next > now_of(daemon) ? next - now_of(daemon) : 0);
    }
    if (status == STATUS_OK)
        status = absorb(daemon, housekeeping_step(daemon->agent, now_of(daemon), &wait));
    wake_in(daemon, wait);
    if (status == STATUS_OK)
        status = talk_until_quiet(daemon);
    if (status == STATUS_OK)
        status = absorb(daemon, hooks_step(daemon->hooks, now_of(daemon), clock_elapsed(), &wait));
    wake_in(daemon, wait);
    if (status == STATUS_OK)
        status = tell_alerts(daemon);
    if (status == STATUS_OK)
        status = tell_forks(daemon);
    return status == STATUS_OK ? tell_incidents(daemon) : status;
}

static void fill_fds(const struct daemon *daemon, struct pollfd fds[static FDS])
{
    fds[FD_STOP] = (struct pollfd){.fd = daemon->options->stop_fd, .events = POLLIN};
    fds[FD_LOCAL] = (struct pollfd){.fd = local_server_fd(daemon->local), .events = POLLIN};
    fds[FD_FEEDS] =
        (struct pollfd){.fd = daemon->feeds != NULL ? feeds_fd(daemon->feeds) : -1, .events = POLLIN};
    fds[FD_HOOKS] = (struct pollfd){.fd = hooks_fd(daemon->hooks), .events = POLLIN};
    fds[FD_LINK] = (struct pollfd){.fd = -1};
    fds[FD_MONITOR] = (struct pollfd){.fd = -1};
    if (daemon->link != NULL)
        link_fds(daemon->link, &fds[FD_LINK]);
}

static enum status loop(struct daemon *daemon)
{
    const int64_t watchdog = notify_watchdog_interval();
    enum status status = STATUS_OK;

    while (status == STATUS_OK) {
        struct pollfd fds[FDS];

        status = work(daemon);
        if (status != STATUS_OK)
            return because(daemon, status, db_error_text(daemon->agent->db));
        (void)notify_watchdog();
        if (watchdog > 0)
            wake_in(daemon, watchdog / 2);
        fill_fds(daemon, fds);
        if (poll(fds, FDS, (int)daemon->wait) < 0 && errno != EINTR)
            return because(daemon, STATUS_IO, "poll");
        if (fds[FD_STOP].revents != 0)
            break;
    }
    return status;
}

/* ---- start
 * -------------------------------------------------------------------------------------------------------------
 */

static enum status check_bundle(struct daemon *daemon)
{
    const struct agent *agent = daemon->agent;
    const bool simulated = daemon->options->clock.simulated;

    if (agent->membership == NULL) {
        (void)snprintf(
            daemon->reason->text, sizeof daemon->reason->text,
            "%.200s: no bundle yet: run concordat-agent join with the partnership's bundle and fingerprint",
            daemon->options->folder);
        return STATUS_NOT_FOUND;
    }
    if (bundle_demo(agent->membership->bundle) && !simulated && !agent->settings.demo) {
        (void)snprintf(
            daemon->reason->text, sizeof daemon->reason->text,
            "%.200s: the bundle is of a demo authority, whose keys are refused in production: give --now,"
            " or set \"demo\": true in agent.json",
            daemon->options->folder);
        return STATUS_REFUSED;
    }
    if (!bundle_demo(agent->membership->bundle) && simulated) {
        (void)snprintf(daemon->reason->text, sizeof daemon->reason->text,
                       "%.200s: --now is for the bundles of demo authorities only", daemon->options->folder);
        return STATUS_REFUSED;
    }
    return STATUS_OK;
}

static enum status take_folder(struct daemon *daemon)
{
    const char *folder = daemon->options->folder;
    int64_t holder = 0;
    enum status status = safefile_lock(folder, &daemon->lock);

    if (status == STATUS_IN_USE && safefile_lock_holder(folder, &holder) == STATUS_OK)
        (void)snprintf(daemon->reason->text, sizeof daemon->reason->text,
                       "%.200s: another agent runs on this folder (process %lld): stop it first", folder,
                       (long long)holder);
    else if (status != STATUS_OK)
        (void)because(daemon, status, "lock");
    return status;
}

/* In a folder of its own if agent.json says so, for the group that it names. */
static enum status open_socket(struct daemon *daemon)
{
    const struct settings *settings = &daemon->agent->settings;
    const char *folder =
        settings->socket_folder[0] != '\0' ? settings->socket_folder : daemon->options->folder;
    char path[PATH_MAX];
    enum status status = STATUS_OK;

    if (settings->socket_folder[0] != '\0')
        status = safefile_lock(folder, &daemon->socket_lock);
    if (status == STATUS_OK)
        status = local_server_new(folder, DAEMON_SOCKET, 0600, DAEMON_IDLE_MS, &daemon->local);
    if (status != STATUS_OK || !settings->has_socket_group)
        return status;
    if (snprintf(path, sizeof path, "%s/%s", folder, DAEMON_SOCKET) >= (int)sizeof path)
        return STATUS_BAD_ARGUMENT;
    /* The group first: until the mode is set nobody new can use it. */
    return lchown(path, (uid_t)-1, (gid_t)settings->socket_group) == 0 && chmod(path, 0660) == 0
               ? STATUS_OK
               : safefile_status(errno);
}

static enum status start(struct daemon *daemon)
{
    struct agent_reason why = {0};
    struct feeds_reason feeds_why = {0};
    enum status status = take_folder(daemon);

    if (status != STATUS_OK)
        return status;
    status = agent_open(daemon->options->folder, &daemon->agent, &why);
    if (status == STATUS_OK)
        status = check_bundle(daemon);
    if (status != STATUS_OK) {
        if (daemon->reason->text[0] == '\0')
            (void)snprintf(daemon->reason->text, sizeof daemon->reason->text, "%s", why.text);
        return status;
    }
    status = agent_use_keys(daemon->agent, now_of(daemon), &why);
    if (status == STATUS_BAD_CERTIFICATE)
        logline_write(now_of(daemon), LOGLINE_ERROR, "agent", "%s", why.text);
    else if (status != STATUS_OK)
        return because(daemon, status, "keys");
    status = incidents_last(daemon->agent->db, &daemon->incident);
    if (status == STATUS_OK)
        status = session_new(daemon->agent, send_to_broker, daemon, &daemon->session);
    if (status != STATUS_OK)
        return because(daemon, status, "session");
    status = feeds_open(daemon->agent, &daemon->feeds, &feeds_why);
    if (feeds_why.text[0] != '\0')
        logline_write(now_of(daemon), LOGLINE_ERROR, "agent", "%s", feeds_why.text);
    if (status != STATUS_OK)
        return because(daemon, status, "feeds");
    status = carrying_new(daemon->agent, send_to_broker, daemon, &daemon->carrying);
    if (status != STATUS_OK)
        return because(daemon, status, "questions");
    status = hooks_new(daemon->agent, &daemon->hooks);
    if (status != STATUS_OK)
        return because(daemon, status, "hooks");
    status = open_socket(daemon);
    if (status != STATUS_OK)
        return because(daemon, status, DAEMON_SOCKET);
    status = connect_anew(daemon);
    return status == STATUS_OK ? STATUS_OK : because(daemon, status, daemon->agent->settings.broker);
}

static void stop(struct daemon *daemon)
{
    local_server_free(&daemon->local);
    feeds_close(&daemon->feeds);
    hooks_free(&daemon->hooks);
    carrying_free(&daemon->carrying);
    session_free(&daemon->session);
    link_close(&daemon->link);
    agent_close(&daemon->agent);
    bytes_buffer_free(&daemon->frame);
    safefile_unlock(&daemon->socket_lock);
    safefile_unlock(&daemon->lock);
}

enum status daemon_run(const struct daemon_options *options, struct daemon_reason *ret_reason)
{
    struct daemon daemon = {
        .options = options, .reason = ret_reason, .frame = bytes_buffer(WIRE_FRAME_LIMIT)};
    enum status status = start(&daemon);

    if (status == STATUS_OK) {
        daemon.control = (struct control){
            .agent = daemon.agent, .session = daemon.session, .feeds = daemon.feeds, .trouble = nobody};
        (void)notify_ready();
        logline_write(clock_now(&options->clock), LOGLINE_INFO, "agent", "ready member=%s",
                      daemon.agent->settings.member);
        status = loop(&daemon);
        (void)notify_stopping();
    }
    stop(&daemon);
    return status;
}
