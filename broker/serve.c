#include "broker/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/harden.h"
#include "base/notify.h"
#include "base/safefile.h"
#include "broker/command.h"
#include "broker/gate.h"
#include "broker/setup.h"
#include "certs/archive.h"

#define LINES_MINUTE 10 /* log lines a minute and key */

/* Tells that somebody else holds the folder. */
static int fail_held(const struct options *options, const char *folder)
{
    int64_t pid = 0;

    if (safefile_lock_holder(folder, &pid) != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: another broker runs on this folder", folder);
    return options_fail(options, EXIT_ENVIRONMENT,
                        "%s: another broker runs on this folder (process %" PRId64 "); stop it first", folder,
                        pid);
}

/* What a running broker holds; empty until it is there. */
struct running {
    const struct options *options;
    const char *folder;
    struct folder_lock *lock;
    struct setup setup;
    struct keystore *keystore;
    struct bundle *bundle;
    struct clock clock;
    struct pipeline *pipeline;
    struct gate *gate;
    struct say say;
    int stop_fd;
};

static void write_line(void *context, int64_t now, enum logline_level level, const char *text)
{
    (void)context;
    logline_write(now, level, "broker", "%s", text);
}

/* Every connection is a descriptor: as many as the machine's owner allows. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int read_folder(struct running *running)
{
    const struct options *options = running->options;
    struct setup_reason why = {{0}};
    struct bundle_reason reason = {{0}};

    if (command_lacks(running->folder, SETUP_FILE))
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: no broker in it; make one with concordat-broker init", running->folder);
    enum status status = safefile_lock(running->folder, &running->lock);
    if (status == STATUS_IN_USE)
        return fail_held(options, running->folder);
    if (status != STATUS_OK)
        return command_fail(options, status, running->folder, status_text(status));
    status = setup_read(running->folder, &running->setup, &why);
    if (status != STATUS_OK)
        return command_fail(options, status, running->folder, why.text);
    status = keystore_load(running->folder, &running->keystore);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s/keys: %s", running->folder, status_text(status));
    if (strcmp(keystore_member(running->keystore), running->setup.member) != 0)
        return options_fail(options, EXIT_REFUSED,
                            "%s/%s: \"member\" is not the one that the keys are for (%s)", running->folder,
                            SETUP_FILE, keystore_member(running->keystore));
    status = archive_newest(running->folder, &running->bundle, &reason);
    if (status == STATUS_NOT_FOUND)
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: no bundle yet; load the one that the authority "
                            "gave out (concordat-broker load)",
                            running->folder);
    if (status != STATUS_OK)
        return command_fail(options, status, running->folder, reason.text);
    return EXIT_DONE;
}

/* Demo or not, and whether this broker has a certificate in force for its keys;
 * renewed keys come into use. */
static int check_bundle(struct running *running)
{
    const struct options *options = running->options;
    enum keystore_match match = KEYSTORE_NONE;
    struct bundle_reason reason = {{0}};
    int code = command_clock(options, bundle_demo(running->bundle), &running->clock);

    if (code != EXIT_DONE)
        return code;
    if (bundle_demo(running->bundle) && options_text(options, "now") == NULL)
        return options_fail(options, EXIT_REFUSED,
                            "a demo authority's keys are refused in production: "
                            "for a demonstration start with "
                            "--now TIME, otherwise load a bundle of a real "
                            "authority in a new folder");
    enum status status =
        bundle_own_keys(running->bundle, running->keystore, clock_now(&running->clock), &match, &reason);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_REFUSED, "the bundle: %s; load a newer one", reason.text);
    if (strcmp(bundle_log_vkey(running->bundle), keystore_log_vkey(running->keystore)) != 0)
        return options_fail(
            options, EXIT_REFUSED,
            "the bundle names another log than this broker's key is for (%s): load the bundle that "
            "the authority makes after enrolling %s/%s.csr",
            keystore_log_name(running->keystore), running->folder, running->setup.member);
    if (match != KEYSTORE_NEXT || options_flag(options, "old-keys"))
        return EXIT_DONE;
    status = keystore_promote(running->keystore);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s/keys: the renewed keys: %s", running->folder,
                            status_text(status));
    return EXIT_DONE;
}

static int open_all(struct running *running)
{
    const struct options *options = running->options;
    const struct pipeline_options inside = {
        .folder = running->folder,
        .keystore = running->keystore,
        .bundle = running->bundle,
        .clock = &running->clock,
        .limits = running->setup.limits,
    };
    struct pipeline_reason why = {{0}};
    struct gate_reason reason = {{0}};

    enum status status = pipeline_start(&inside, &running->pipeline, &why);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", running->folder, why.text);
    const struct gate_options outside = {
        .folder = running->folder,
        .listen = running->setup.listen,
        .keystore = running->keystore,
        .bundle = running->bundle,
        .clock = &running->clock,
        .pipeline = running->pipeline,
        .credit = running->setup.limits.credit,
        .stop_fd = running->stop_fd,
        .say = &running->say,
    };
    status = gate_open(&outside, &running->gate, &reason);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", reason.text);
    return EXIT_DONE;
}

static int serve(struct running *running)
{
    struct gate_reason reason = {{0}};
    char line[256];

    (void)snprintf(line, sizeof line, "ready member=%s listen=%s bundle=%" PRIu64, running->setup.member,
                   gate_endpoint(running->gate), bundle_serial(running->bundle));
    write_line(NULL, clock_now(&running->clock), LOGLINE_NOTICE, line);
    bundle_free(&running->bundle);
    (void)notify_ready();
    enum gate_end end = gate_run(running->gate, &reason);
    (void)notify_stopping();
    if (end == GATE_STOPPED) {
        write_line(NULL, clock_now(&running->clock), LOGLINE_NOTICE, "stopping");
        return EXIT_DONE;
    }
    write_line(NULL, clock_now(&running->clock), LOGLINE_ERROR, reason.text);
    return EXIT_ENVIRONMENT;
}

/*
 * Frames of many events would otherwise be mapped and unmapped one by one, each page faulted in anew, and
 * every thread would keep a heap of its own that only grows.
 */
static void settle_heap(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
    (void)mallopt(M_TOP_PAD, 256 << 10);
}

int serve_run(const struct options *options, void *context)
{
    struct running running = {.options = options, .folder = options_text(options, "dir"), .stop_fd = -1};

    int64_t start = 0;

    (void)context;
    if (!options_time(options, "now", &start))
        return EXIT_USAGE;
    running.say = say_new(write_line, NULL, LINES_MINUTE);
    settle_heap(); /* before there are threads */
    raise_descriptors();
    json_object_seed(0); /* before there are threads */
    int code = read_folder(&running);
    if (code == EXIT_DONE)
        code = check_bundle(&running);
    if (code == EXIT_DONE && harden_stop_fd(&running.stop_fd) != STATUS_OK)
        code = options_fail(options, EXIT_ENVIRONMENT, "signals cannot be waited for: %s", strerror(errno));
    if (code == EXIT_DONE)
        code = open_all(&running);
    if (code == EXIT_DONE)
        code = serve(&running);
    gate_close(&running.gate);
    pipeline_stop(&running.pipeline);
    bundle_free(&running.bundle);
    keystore_free(&running.keystore);
    safefile_unlock(&running.lock);
    if (running.stop_fd >= 0)
        close(running.stop_fd);
    return code;
}
