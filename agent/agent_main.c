#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/daemon.h"
#include "agent/feeds.h"
#include "base/harden.h"
#include "base/local_client.h"
#include "base/options.h"
#include "base/safefile.h"

#define LOCAL_PATIENCE_MS 30000

/* Which exit code a status is: what the world refused, or what the machine could not do. */
static enum options_exit exit_of(enum status status)
{
    switch ((int)status) {
    case STATUS_OK:
        return EXIT_DONE;
    case STATUS_BAD_FORMAT:
    case STATUS_NOT_CANONICAL:
    case STATUS_TOO_LARGE:
    case STATUS_BAD_SIGNATURE:
    case STATUS_BAD_CERTIFICATE:
    case STATUS_BAD_SEAL:
    case STATUS_EXPIRED:
    case STATUS_ROLLBACK:
    case STATUS_FORKED:
    case STATUS_REVOKED:
    case STATUS_REFUSED:
    case STATUS_NOT_FOUND:
        return EXIT_REFUSED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

static bool read_clock(const struct options *options, struct clock *ret_clock)
{
    int64_t start = INT64_MIN;

    if (!options_time(options, "now", &start))
        return false;
    *ret_clock = start == INT64_MIN ? clock_real() : clock_at(start);
    return true;
}

/* ---- init
 * ----------------------------------------------------------------------------------------------------------
 */

static int make_folder(const struct options *options, const char *folder, const struct settings *settings)
{
    char csr[PATH_MAX];
    struct keystore *keystore = NULL;
    enum status status = safefile_make_folder(folder, 0700);

    if (status != STATUS_OK && status != STATUS_EXISTS)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
    status = settings_create(folder, settings);
    if (status == STATUS_EXISTS)
        return options_fail(options, EXIT_REFUSED, "%s/agent.json exists already: this folder has its agent",
                            folder);
    if (status == STATUS_OK)
        status = keystore_create(folder, settings->member, ROLE_AGENT, NULL);
    if (status == STATUS_OK)
        status = keystore_load(folder, &keystore);
    if (status == STATUS_OK)
        status = keystore_write_request(keystore, csr);
    keystore_free(&keystore);
    if (status == STATUS_OK)
        status = feeds_init(folder, settings->member);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
    (void)fprintf(options_out(options), "made %s for %s\nto be enrolled by the authority: %s\n", folder,
                  settings->member, csr);
    return EXIT_DONE;
}

static int run_init(const struct options *options, void *context)
{
    const char *member = options_text(options, "member");
    const char *broker = options_text(options, "broker");
    struct settings settings;

    (void)context;
    if (member_check(bytes_of_string(member)) != STATUS_OK)
        return options_fail(options, EXIT_USAGE,
                            "\"%s\" is not a member id: write class.place, such as prison.dovegate", member);
    if (settings_check_endpoint(broker) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "\"%s\" is not an endpoint: write tcp://HOST:PORT", broker);
    settings = settings_default(member, broker);
    return make_folder(options, options_text(options, "dir"), &settings);
}

/* ---- folders that hold no agent
 * ------------------------------------------------------------------------------------ */

/* Says so, and what to do; true if there is an agent, or if something else is wrong, which comes out soon. */
static bool has_agent(const struct options *options)
{
    const char *folder = options_text(options, "dir");
    char path[PATH_MAX];
    const int size = snprintf(path, sizeof path, "%s/agent.json", folder);

    if (size < 0 || size >= PATH_MAX || access(path, F_OK) == 0 || errno != ENOENT)
        return true;
    (void)options_fail(options, EXIT_ENVIRONMENT, "%s: no agent in it: make one with concordat-agent init",
                       folder);
    return false;
}

/* ---- join
 * ----------------------------------------------------------------------------------------------------------
 */

/* A running agent takes the bundle itself; its process may have another working folder. */
static int join_running(const struct options *options, struct local_client *client)
{
    const char *path = options_text(options, "bundle");
    char full[PATH_MAX];
    json_t *request = NULL;
    json_t *reply = NULL;
    const char *text = NULL;
    bool last = false;
    int code = EXIT_ENVIRONMENT;
    enum status status = STATUS_OK;

    status = safefile_find(path, full);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    request = json_pack("{s:s, s:s, s:s}", "do", "join", "bundle", full, "fingerprint",
                        options_text(options, "fingerprint"));
    status = request != NULL ? local_client_call(client, request, LOCAL_PATIENCE_MS, &reply, &last)
                             : STATUS_NO_MEMORY;
    json_decref(request);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "the running agent does not answer: %s",
                            status_text(status));
    text = json_string_value(json_object_get(reply, "refused"));
    if (text != NULL)
        code = options_fail(options, EXIT_REFUSED, "%s: %s", path, text);
    else if ((text = json_string_value(json_object_get(reply, "failed"))) != NULL)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", text);
    else {
        (void)fprintf(options_out(options), "bundle %lld is in force\n",
                      (long long)json_integer_value(json_object_get(json_object_get(reply, "ok"), "serial")));
        code = EXIT_DONE;
    }
    json_decref(reply);
    return code;
}

/* --now is for demo authorities; checked before anything is kept. */
static enum status check_demo(struct byte_view file, const struct agent *agent, const uint8_t *fingerprint,
                              const struct clock *clock, struct agent_reason *ret_reason)
{
    const struct bundle *held = agent->membership != NULL ? agent->membership->bundle : NULL;
    struct bundle_reason why = {0};
    struct bundle *bundle = NULL;
    enum status status = bundle_verify(file, held, fingerprint, clock_now(clock), &bundle, &why);

    if (status != STATUS_OK) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s",
                       why.text[0] != '\0' ? why.text : status_text(status));
    } else if (clock->simulated && !bundle_demo(bundle)) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                       "--now is for the bundles of demo authorities only");
        status = STATUS_REFUSED;
    }
    bundle_free(&bundle);
    return status;
}

static int join_folder(const struct options *options, struct agent *agent, const uint8_t *fingerprint,
                       const struct clock *clock)
{
    const char *path = options_text(options, "bundle");
    struct byte_buffer file = {0};
    struct agent_reason reason = {0};
    enum status status = safefile_read(path, BUNDLE_LARGEST, &file);

    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    status = check_demo(bytes_buffer_view(&file), agent, fingerprint, clock, &reason);
    if (status == STATUS_OK)
        status =
            agent_take_bundle(agent, bytes_buffer_view(&file), fingerprint, clock_now(clock), NULL, &reason);
    bytes_buffer_free(&file);
    if (status != STATUS_OK)
        return options_fail(options, exit_of(status), "%s: %s", path, reason.text);
    (void)fprintf(options_out(options), "bundle %llu of \"%s\" is in force\n",
                  (unsigned long long)bundle_serial(agent->membership->bundle),
                  bundle_name(agent->membership->bundle));
    return EXIT_DONE;
}

static int join_locked(const struct options *options, const char *folder, const uint8_t *fingerprint,
                       const struct clock *clock)
{
    struct agent *agent = NULL;
    struct agent_reason reason = {0};
    int code = EXIT_DONE;
    const enum status status = agent_open(folder, &agent, &reason);

    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", reason.text);
    code = join_folder(options, agent, fingerprint, clock);
    agent_close(&agent);
    return code;
}

static int run_join(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    struct local_client *client = NULL;
    struct folder_lock *lock = NULL;
    uint8_t fingerprint[DIGEST_SIZE];
    char socket[PATH_MAX];
    struct clock clock;
    int code = EXIT_DONE;
    enum status status = STATUS_OK;

    (void)context;
    if (!read_clock(options, &clock))
        return EXIT_USAGE;
    if (!has_agent(options))
        return EXIT_ENVIRONMENT;
    if (certificate_fingerprint(options_text(options, "fingerprint"), fingerprint) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "--fingerprint must be 64 hexadecimal digits");
    if (snprintf(socket, sizeof socket, "%s/control.sock", folder) >= (int)sizeof socket)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: the path is too long", folder);
    status = safefile_lock(folder, &lock);
    if (status == STATUS_IN_USE) {
        status = local_client_connect(socket, LOCAL_PATIENCE_MS, &client);
        if (status != STATUS_OK)
            return options_fail(options, EXIT_ENVIRONMENT,
                                "%s: an agent holds this folder, but does not answer: %s", folder,
                                status_text(status));
        code = join_running(options, client);
        local_client_close(&client);
        return code;
    }
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
    code = join_locked(options, folder, fingerprint, &clock);
    safefile_unlock(&lock);
    return code;
}

/* ---- renew, witness, run
 * ---------------------------------------------------------------------------------------------------- */

static int run_renew(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    struct keystore *keystore = NULL;
    char csr[PATH_MAX];
    enum status status = STATUS_OK;

    (void)context;
    if (!has_agent(options))
        return EXIT_ENVIRONMENT;
    status = keystore_load(folder, &keystore);
    if (status == STATUS_OK)
        status = keystore_renew(keystore, csr);
    keystore_free(&keystore);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
    (void)fprintf(options_out(options),
                  "new keys wait for their certificate\nto be enrolled with --renew by the authority: %s\n",
                  csr);
    return EXIT_DONE;
}

/* The key alone, so that a script can hand it to the authority. */
static int run_witness(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    struct keystore *keystore = NULL;
    enum status status = STATUS_OK;

    (void)context;
    if (!has_agent(options))
        return EXIT_ENVIRONMENT;
    status = keystore_load(folder, &keystore);
    if (status == STATUS_OK)
        status = keystore_make_witness(keystore);
    if (status == STATUS_OK)
        (void)fprintf(options_out(options), "%s\n", keystore_witness_vkey(keystore));
    keystore_free(&keystore);
    return status == STATUS_OK
               ? EXIT_DONE
               : options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
}

static int run_run(const struct options *options, void *context)
{
    struct daemon_options daemon = {.folder = options_text(options, "dir"), .stop_fd = -1};
    struct daemon_reason reason = {0};
    enum status status = STATUS_OK;

    (void)context;
    if (!read_clock(options, &daemon.clock))
        return EXIT_USAGE;
    if (!has_agent(options))
        return EXIT_ENVIRONMENT;
    status = harden_stop_fd(&daemon.stop_fd);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "signals: %s", status_text(status));
    status = daemon_run(&daemon, &reason);
    (void)close(daemon.stop_fd);
    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, status == STATUS_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s",
                        reason.text);
}

/* ---- the program
 * --------------------------------------------------------------------------------------------------- */

#define OPTION_DIR                                                                                           \
    {                                                                                                        \
        "dir", "DIR", "the agent's folder", OPTION_TEXT, true                                                \
    }
#define OPTION_NOW                                                                                           \
    {                                                                                                        \
        "now", "TIME", "demo authorities only: the clock starts at this time and runs on", OPTION_TEXT,      \
            false                                                                                            \
    }
#define OPTION_END                                                                                           \
    {                                                                                                        \
        0                                                                                                    \
    }

static const struct option_spec init_options[] = {
    OPTION_DIR,
    {"member", "ID", "our member id, such as prison.dovegate", OPTION_TEXT, true},
    {"broker", "tcp://HOST:PORT", "where the broker listens", OPTION_TEXT, true},
    OPTION_END,
};

static const struct option_spec join_options[] = {
    OPTION_DIR,
    {"bundle", "FILE", "the partnership bundle", OPTION_TEXT, true},
    {"fingerprint", "HEX", "of the partnership's root, confirmed by other means", OPTION_TEXT, true},
    OPTION_NOW,
    OPTION_END,
};

static const struct option_spec renew_options[] = {OPTION_DIR, OPTION_END};
static const struct option_spec witness_options[] = {OPTION_DIR, OPTION_END};
static const struct option_spec run_options[] = {OPTION_DIR, OPTION_NOW, OPTION_END};

static const struct command commands[] = {
    {"init", "make an agent's folder, its keys and the request for its certificate", init_options, NULL, 0, 0,
     NULL, run_init},
    {"join", "take the partnership's bundle, also into a running agent", join_options, NULL, 0, 0, NULL,
     run_join},
    {"run", "run the agent until it is told to stop", run_options, NULL, 0, 0, NULL, run_run},
    {"renew", "make new keys and the request for their certificate", renew_options, NULL, 0, 0, NULL,
     run_renew},
    {"witness", "print the key by which the authority can name us as a witness of the log", witness_options,
     NULL, 0, 0, NULL, run_witness},
    {0},
};

static const struct program program = {
    .name = "concordat-agent",
    .help = "An agency's end of the exchange: keeps its outbox and inbox, and talks to the broker.",
    .commands = commands,
};

int main(int argc, char **argv)
{
    if (harden_process() != STATUS_OK) {
        (void)fputs("concordat-agent: the process cannot be hardened\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    return options_main(&program, argc, argv, NULL);
}
