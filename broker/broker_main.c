/* concordat-broker: carries events between members and keeps the disclosure
 * log. docs/operations.md is its manual. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/harden.h"
#include "base/options.h"
#include "base/safefile.h"
#include "broker/backup_command.h"
#include "broker/calling.h"
#include "broker/command.h"
#include "broker/load.h"
#include "broker/operator.h"
#include "broker/restore_command.h"
#include "broker/returning.h"
#include "broker/serve.h"
#include "broker/setup.h"
#include "certs/archive.h"

/* ---- init, renew ---- */

/* Keys of an init that was cut short are taken over if they are this member's.
 */
static enum status make_keys(const char *folder, const char *member, char path[static PATH_MAX])
{
    char log_name[MEMBER_ID_LENGTH + sizeof "/log"];
    struct keystore *keystore = NULL;

    (void)snprintf(log_name, sizeof log_name, "%s/log", member);
    enum status status = keystore_create(folder, member, ROLE_BROKER, log_name);
    if (status == STATUS_OK || status == STATUS_EXISTS)
        status = keystore_load(folder, &keystore);
    if (status == STATUS_OK &&
        (strcmp(keystore_member(keystore), member) != 0 || keystore_role(keystore) != ROLE_BROKER))
        status = STATUS_EXISTS;
    if (status == STATUS_OK)
        status = keystore_write_request(keystore, path);
    keystore_free(&keystore);
    return status;
}

static int run_init(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    const char *member = options_text(options, "member");
    const char *listen = options_text(options, "listen");
    char path[PATH_MAX];

    (void)context;
    if (listen == NULL)
        listen = SETUP_LISTEN;
    if (member_check(bytes_of_string(member)) != STATUS_OK)
        return options_fail(options, EXIT_USAGE,
                            "--member %s: not a member id; write it as "
                            "class.place, such as broker.staffordshire",
                            member);
    if (setup_check_endpoint(listen) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "--listen %s: write it as tcp://HOST:PORT, such as %s",
                            listen, SETUP_LISTEN);
    if (command_has(folder, SETUP_FILE))
        return options_fail(options, EXIT_REFUSED, "%s: there is a broker in it already; take another folder",
                            folder);
    enum status status = safefile_make_folder(folder, 0700);
    if (status == STATUS_EXISTS && chmod(folder, 0700) == 0)
        status = STATUS_OK;
    if (status == STATUS_OK)
        status = make_keys(folder, member, path);
    if (status == STATUS_OK)
        status = setup_create(folder, member, listen);
    if (status != STATUS_OK)
        return command_fail(options, status, folder, status_text(status));
    fprintf(options_out(options),
            "made keys for %s and the request for its certificate:\n  %s\n"
            "next: take that file to the authority (concordat-authority enrol), "
            "then load the bundle that it "
            "gives out:\n  concordat-broker load --dir %s --bundle FILE "
            "--fingerprint HEX\n",
            member, path, folder);
    return EXIT_DONE;
}

static int run_renew(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    struct keystore *keystore = NULL;
    char path[PATH_MAX];

    (void)context;
    enum status status = keystore_load(folder, &keystore);
    if (status == STATUS_OK)
        status = keystore_renew(keystore, path);
    keystore_free(&keystore);
    if (status == STATUS_NOT_FOUND)
        return command_fail(options, status, folder,
                            "no broker's keys in it; make them with concordat-broker init");
    if (status != STATUS_OK)
        return command_fail(options, status, folder, status_text(status));
    fprintf(options_out(options),
            "made new keys beside those in use, and the request for their "
            "certificate:\n  %s\n"
            "next: concordat-authority enrol --renew, then load the new bundle; "
            "once the agents have it (see "
            "status), restart the broker\n",
            path);
    return EXIT_DONE;
}

/* ---- load ---- */

static void print_loaded(const struct options *options, uint64_t serial, bool fresh, bool renewed)
{
    FILE *out = options_out(options);

    if (fresh)
        fprintf(out, "bundle %" PRIu64 " is loaded\n", serial);
    else
        fprintf(out, "bundle %" PRIu64 " was loaded already\n", serial);
    if (renewed)
        fputs("it certifies this broker's renewed keys: restart the broker once "
              "the agents have it\n",
              out);
}

static int load_running(const struct options *options)
{
    const char *fingerprint = options_text(options, "fingerprint");
    const char *bundle = options_text(options, "bundle");
    char path[PATH_MAX];
    json_t *reply = NULL;
    const enum status status = safefile_find(bundle, path);

    if (status != STATUS_OK)
        return command_fail(options, status, bundle, status_text(status));
    int code = calling_ask(
        options, bundle,
        json_pack("{s:s, s:s, s:s*}", "do", "load", "bundle", path, "fingerprint", fingerprint), &reply);
    if (code == EXIT_DONE)
        print_loaded(options, (uint64_t)json_integer_value(json_object_get(reply, "serial")),
                     json_is_true(json_object_get(reply, "fresh")),
                     json_is_true(json_object_get(reply, "restart")));
    json_decref(reply);
    return code;
}

/* Whether the file, on its own word, is of a demonstration: it decides whether
 * --now is admitted. */
static bool looks_demo(const char *path)
{
    struct byte_buffer file = bytes_buffer(0);
    struct bundle *bundle = NULL;
    bool demo = false;

    if (safefile_read(path, BUNDLE_LARGEST, &file) == STATUS_OK &&
        bundle_inspect(bytes_buffer_view(&file), &bundle, NULL) == STATUS_OK)
        demo = bundle_demo(bundle);
    bundle_free(&bundle);
    bytes_buffer_free(&file);
    return demo;
}

static int load_stopped(const struct options *options, const uint8_t *fingerprint)
{
    const char *folder = options_text(options, "dir");
    const char *path = options_text(options, "bundle");
    struct bundle *held = NULL;
    struct bundle_reason reason = {{0}};
    struct loaded loaded = {0};
    struct clock clock;
    int code = command_clock(options, looks_demo(path), &clock);

    if (code != EXIT_DONE)
        return code;
    enum status status = archive_newest(folder, &held, &reason);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return command_fail(options, status, folder, reason.text);
    const struct load_request request = {
        .folder = folder, .path = path, .held = held, .fingerprint = fingerprint, .now = clock_now(&clock)};
    status = load_bundle(&request, &loaded, &reason);
    if (status == STATUS_OK)
        print_loaded(options, bundle_serial(loaded.bundle), loaded.fresh, loaded.renewed);
    else
        code = command_fail(options, status, path, reason.text);
    bundle_free(&loaded.bundle);
    bundle_free(&held);
    return code;
}

static int run_load(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    const char *text = options_text(options, "fingerprint");
    uint8_t fingerprint[DIGEST_SIZE];
    struct folder_lock *lock = NULL;

    (void)context;
    if (text != NULL && certificate_fingerprint(text, fingerprint) != STATUS_OK)
        return options_fail(options, EXIT_USAGE,
                            "--fingerprint: write the 64 hexadecimal digits that "
                            "the authority's board gave you");
    if (command_lacks(folder, SETUP_FILE))
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: no broker in it; make one with concordat-broker init", folder);
    enum status status = safefile_lock(folder, &lock);
    if (status == STATUS_IN_USE)
        return load_running(options);
    if (status != STATUS_OK)
        return command_fail(options, status, folder, status_text(status));
    int code = load_stopped(options, text == NULL ? NULL : fingerprint);
    safefile_unlock(&lock);
    return code;
}

/* ---- status ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_numbers(FILE *out, const char *title, json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;

    fprintf(out, "%s\n", title);
    json_object_foreach(object, key, value)
    {
        if (json_is_array(value)) /* told in words */
            continue;
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        fprintf(out, "  %s %s\n", key, json_is_string(value) ? json_string_value(value) : text);
        free(text);
    }
}

/* Break-glass uses that somebody must look at. */
static void print_uses(FILE *out, const json_t *uses)
{
    size_t index = 0;
    json_t *use = NULL;

    json_array_foreach(uses, index, use)
    {
        fprintf(out, "BREAK-GLASS, %s: %s used %s (%s), event %s, to be confirmed by %s\n",
                text_of(use, "state"), text_of(use, "from"), text_of(use, "rule"), text_of(use, "reason"),
                text_of(use, "event"), text_of(use, "confirm_by"));
    }
}

/* How far the log is cosigned, and who has not cosigned the checkpoint offered last since when. */
static void print_witnesses(FILE *out, const json_t *pipeline)
{
    const json_t *witnesses = json_object_get(pipeline, "witnesses");
    size_t index = 0;
    json_t *witness = NULL;

    if (json_array_size(witnesses) == 0) {
        fputs("log: no witness is named, what is signed is final\n", out);
        return;
    }
    fprintf(
        out,
        "log: %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " entries are final; %" JSON_INTEGER_FORMAT
        " of %zu witnesses must cosign, %" JSON_INTEGER_FORMAT " may be dishonest\n",
        number_of(pipeline, "final"), number_of(pipeline, "entries"), number_of(pipeline, "witness_quorum"),
        json_array_size(witnesses), number_of(pipeline, "witness_dishonest"));
    if (!json_is_true(json_object_get(pipeline, "may_sign")))
        fprintf(out, "  NOT SIGNED until more witnesses have said hello: %" JSON_INTEGER_FORMAT " have\n",
                number_of(pipeline, "witnesses_heard"));
    json_array_foreach(witnesses, index, witness)
    {
        const bool current = json_is_true(json_object_get(witness, "current"));
        if (number_of(witness, "cosigned") == 0)
            fprintf(out, "  %s has never cosigned\n", text_of(witness, "member"));
        else
            fprintf(out, "  %s %s %" JSON_INTEGER_FORMAT " entries, at %s\n", text_of(witness, "member"),
                    current ? "cosigned" : "has not cosigned since", number_of(witness, "cosigned"),
                    text_of(witness, "since"));
    }
}

static void print_status(FILE *out, const json_t *status)
{
    const json_t *bundle = json_object_get(status, "bundle");
    size_t index = 0;
    json_t *member = NULL;

    fprintf(out, "%s listens on %s, process %" JSON_INTEGER_FORMAT ", its clock shows %s\n",
            text_of(status, "member"), text_of(status, "listen"), number_of(status, "pid"),
            text_of(status, "time"));
    fprintf(out, "bundle %" JSON_INTEGER_FORMAT " of %s, %s, until %s\n", number_of(bundle, "serial"),
            text_of(bundle, "partnership"), text_of(bundle, "state"), text_of(bundle, "until"));
    fprintf(out, "connected: %" JSON_INTEGER_FORMAT "\n", number_of(status, "connected"));
    json_array_foreach(json_object_get(status, "members"), index, member)
    {
        if (json_is_true(json_object_get(member, "connected")))
            fprintf(out,
                    "  %s for %" JSON_INTEGER_FORMAT " s, said hello with bundle %" JSON_INTEGER_FORMAT "\n",
                    text_of(member, "member"), number_of(member, "seconds"), number_of(member, "bundle"));
        else
            fprintf(out, "  %s not connected\n", text_of(member, "member"));
    }
    print_numbers(out, "connections and frames", json_object_get(status, "door"));
    print_numbers(out, "store and log", json_object_get(status, "pipeline"));
    print_witnesses(out, json_object_get(status, "pipeline"));
    print_uses(out, json_object_get(json_object_get(status, "pipeline"), "break_glass"));
}

static int run_status(const struct options *options, void *context)
{
    FILE *out = options_out(options);
    json_t *reply = NULL;

    (void)context;
    int code = calling_ask(options, options_text(options, "dir"), json_pack("{s:s}", "do", "status"), &reply);
    if (code == EXIT_DONE && json_object_get(reply, "pipeline") == NULL)
        code = options_fail(options, EXIT_ENVIRONMENT,
                            "%s: what runs there is no broker: name a broker's folder",
                            options_text(options, "dir"));
    if (code == EXIT_DONE && options_flag(options, "json")) {
        (void)json_dumpf(reply, out, JSON_COMPACT);
        fputc('\n', out);
    } else if (code == EXIT_DONE) {
        print_status(out, reply);
    }
    json_decref(reply);
    return code;
}

/* ---- lift ---- */

static int run_lift(const struct options *options, void *context)
{
    json_t *reply = NULL;

    (void)context;
    int code = calling_ask(options, options_text(options, "dir"),
                           json_pack("{s:s, s:s, s:s*}", "do", "lift", "event", options_argument(options, 0),
                                     "from", options_text(options, "from")),
                           &reply);
    if (code == EXIT_DONE)
        fputs("settled; the log says by whom\n", options_out(options));
    json_decref(reply);
    return code;
}

/* ---- confirm-erasure ---- */

static int run_confirm_erasure(const struct options *options, void *context)
{
    json_t *reply = NULL;

    (void)context;
    int code = calling_ask(options, options_text(options, "dir"),
                           json_pack("{s:s, s:s, s:s, s:s*}", "do", "confirm-erasure", "event",
                                     options_argument(options, 0), "officer",
                                     options_text(options, "officer"), "from", options_text(options, "from")),
                           &reply);
    if (code == EXIT_DONE)
        fputs("it is being erased from the log; status tells when that is done\n", options_out(options));
    json_decref(reply);
    return code;
}

/* ---- the command line ---- */

static const struct option_spec init_options[] = {
    {"dir", "B", "folder to make", OPTION_TEXT, true},
    {"member", "ID", "this broker's id, such as broker.staffordshire", OPTION_TEXT, true},
    {"listen", "ENDPOINT", "where agents connect; tcp://127.0.0.1:5570 unless given", OPTION_TEXT, false},
    {0},
};

static const struct option_spec load_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"bundle", "FILE", "the partnership bundle", OPTION_TEXT, true},
    {"fingerprint", "HEX", "of the authority's root, told by other means; needed once", OPTION_TEXT, false},
    {"now", "TIME", "the time to go by; only for a partnership made with --demo", OPTION_TEXT, false},
    {0},
};

static const struct option_spec run_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"now", "TIME", "start the clock here; only for a partnership made with --demo", OPTION_TEXT, false},
    {"old-keys", NULL,
     "serve once more under the keys before the renewal, for agents that have not its bundle", OPTION_FLAG,
     false},
    {0},
};

static const struct option_spec status_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"json", NULL, "as JSON", OPTION_FLAG, false},
    {0},
};

static const struct option_spec lift_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"from", "MEMBER", "who made it, should two members have used one id", OPTION_TEXT, false},
    {0},
};

static const struct option_spec confirm_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"officer", "NAME", "the data protection officer who confirms it", OPTION_TEXT, true},
    {"from", "MEMBER", "whose event it is, should two members have used one id", OPTION_TEXT, false},
    {0},
};

static const struct option_spec renew_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {0},
};

static const struct command commands[] = {
    {.name = "init",
     .help = "make a broker's folder, keys and certificate request",
     .options = init_options,
     .run = run_init},
    {.name = "load",
     .help = "take a partnership bundle, also while the broker runs",
     .options = load_options,
     .run = run_load},
    {.name = "run", .help = "carry events until told to stop", .options = run_options, .run = serve_run},
    {.name = "status",
     .help = "what a running broker is doing",
     .options = status_options,
     .run = run_status},
    {.name = "aggregate",
     .help = "the counts of a month, for those who get no events",
     .options = returning_options,
     .run = returning_run},
    {.name = "lift",
     .help = "settle a break-glass use that nobody confirmed",
     .options = lift_options,
     .arguments = "EVENT",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = run_lift},
    {.name = "backup-key",
     .help = "make the recovery key that backups are encrypted for",
     .options = backup_command_key_options,
     .run = backup_command_key},
    {.name = "backup",
     .help = "make an encrypted backup, also while the broker runs",
     .options = backup_command_options,
     .run = backup_command_run},
    {.name = "restore",
     .help = "put a backup into a folder without a database",
     .options = restore_command_options,
     .run = restore_command_run},
    {.name = "new-log",
     .help = "begin a new log over what is there, when the old one cannot go on",
     .options = restore_command_new_log_options,
     .run = restore_command_new_log},
    {.name = "confirm-erasure",
     .help = "erase an event from the log, as its sender asked and an officer confirms",
     .options = confirm_options,
     .arguments = "EVENT",
     .least_arguments = 1,
     .most_arguments = 1,
     .run = run_confirm_erasure},
    {.name = "renew",
     .help = "make new keys and the request for their certificate",
     .options = renew_options,
     .run = run_renew},
    {0},
};

static const struct program program = {
    .name = "concordat-broker",
    .help = "carries events between the members of a partnership",
    .commands = commands,
};

int main(int argc, char **argv)
{
    if (harden_process() != STATUS_OK) {
        fputs("concordat-broker: the kernel refuses to protect this process\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    return options_main(&program, argc, argv, NULL);
}
