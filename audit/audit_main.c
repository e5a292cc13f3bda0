/* concordat-audit: verify, export and search the disclosure log. docs/log-format.md says what is checked. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "audit/ask.h"
#include "audit/export.h"
#include "audit/source.h"
#include "audit/verify.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/harden.h"
#include "base/options.h"
#include "base/safefile.h"
#include "proto/member.h"
#include "proto/pseudonym.h"

#define PROGRESS_MS 2000
#define VKEY_LIMIT  ((size_t)1024)

/* The exit code for a log or key that could not be read. */
static enum options_exit exit_code(enum status status)
{
    switch ((int)status) {
    case STATUS_CORRUPT:
    case STATUS_MISMATCH:
    case STATUS_UNKNOWN_KEY:
    case STATUS_BAD_SIGNATURE:
    case STATUS_BAD_FORMAT:
    case STATUS_EXISTS:
        return EXIT_REFUSED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

/* ---- the log's key ---- */

/* A verifier key as text, or the name of a file that holds one, as the log.vkey of an export. */
static int read_vkey(const struct options *options, const char *given, struct note_key **ret)
{
    struct byte_buffer content = bytes_buffer(VKEY_LIMIT);

    if (note_key_parse(bytes_of_string(given), ret) == STATUS_OK)
        return EXIT_DONE;
    enum status status = safefile_read(given, VKEY_LIMIT, &content);
    if (status != STATUS_OK)
        return options_fail(
            options, EXIT_USAGE,
            "--key takes a verifier key, name+hash+base64, or a file that holds one, and not '%.100s'",
            given);
    struct byte_view vkey = bytes_buffer_view(&content);
    if (vkey.size > 0 && vkey.data[vkey.size - 1] == '\n')
        vkey.size--;
    status = note_key_parse(vkey, ret);
    bytes_buffer_free(&content);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_REFUSED, "%s: holds no verifier key: %s", given,
                            status_text(status));
    return EXIT_DONE;
}

static int find_key(const struct options *options, const char *broker, struct note_key **ret)
{
    struct source_reason reason = {""};

    if (options_text(options, "key") != NULL)
        return read_vkey(options, options_text(options, "key"), ret);
    enum status status = source_log_key(broker, ret, &reason);
    return status == STATUS_OK ? EXIT_DONE : options_fail(options, exit_code(status), "%s", reason.text);
}

/* The databases of --broker and the key to check them with. */
static int open_broker(const struct options *options, struct source **ret_source, struct note_key **ret_key)
{
    const char *broker = options_text(options, "broker");
    struct source_reason reason = {""};
    enum status status = source_open(broker, ret_source, &reason);

    if (status != STATUS_OK)
        return options_fail(options, exit_code(status), "%s", reason.text);
    int code = find_key(options, broker, ret_key);
    if (code != EXIT_DONE)
        source_close(ret_source);
    return code;
}

/* ---- verify ---- */

struct report {
    FILE *out;
    FILE *err;
    int64_t last; /* when progress was shown */
};

static void tell(void *context, const char *text)
{
    const struct report *report = context;

    fprintf(report->out, "%s\n", text);
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    struct report *report = context;

    if (clock_elapsed() - report->last < PROGRESS_MS)
        return;
    report->last = clock_elapsed();
    fprintf(report->err, "%" PRIu64 " of %" PRIu64 " entries\n", done, total);
}

static enum status read_export_file(void *context, const char *path, size_t limit, struct byte_buffer *ret)
{
    char full[PATH_MAX];
    int length = snprintf(full, sizeof full, "%s/%s", (const char *)context, path);

    if (length < 0 || (size_t)length >= sizeof full)
        return STATUS_BAD_ARGUMENT;
    return safefile_read(full, limit, ret);
}

static int conclude(const struct options *options, enum status status, const struct problems *problems,
                    const struct verify_result *result)
{
    FILE *out = options_out(options);

    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "the log could not be read to its end: %s",
                            status_text(status));
    if (problems->count > PROBLEMS_TOLD)
        fprintf(out, "and %" PRIu64 " more\n", problems->count - PROBLEMS_TOLD);
    if (result->erased > 0)
        fprintf(out, "%" PRIu64 " records have been erased\n", result->erased);
    if (result->entries > result->signed_entries)
        fprintf(out, "the last %" PRIu64 " entries are newer than the last checkpoint\n",
                result->entries - result->signed_entries);
    if (problems->count > 0) {
        fprintf(out, "log NOT verified: %" PRIu64 " problem%s\n", problems->count,
                problems->count == 1 ? "" : "s");
        return EXIT_REFUSED;
    }
    fprintf(out, "log verified: %" PRIu64 " entries\n", result->entries);
    return EXIT_DONE;
}

static int verify_folder(const struct options *options, struct problems *problems,
                         const struct verify_progress *progress)
{
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct verify_result result = {.entries = 0};
    int code = open_broker(options, &source, &key);

    if (code != EXIT_DONE)
        return code;
    enum status status = verify_broker(source, key, progress, problems, &result);
    code = conclude(options, status, problems, &result);
    source_close(&source);
    note_key_free(&key);
    return code;
}

static int verify_files(const struct options *options, struct problems *problems,
                        const struct verify_progress *progress)
{
    char folder[PATH_MAX];
    const struct verify_files files = {.read = read_export_file, .context = folder};
    struct note_key *key = NULL;
    struct verify_result result = {.entries = 0};
    int length = snprintf(folder, sizeof folder, "%s", options_text(options, "export"));

    if (length < 0 || (size_t)length >= sizeof folder)
        return options_fail(options, EXIT_USAGE, "--export: the path is too long");
    int code = read_vkey(options, options_text(options, "key"), &key);
    if (code != EXIT_DONE)
        return code;
    enum status status = verify_export(&files, key, progress, problems, &result);
    code = conclude(options, status, problems, &result);
    note_key_free(&key);
    return code;
}

static int run_verify(const struct options *options, void *context)
{
    struct report report = {
        .out = options_out(options), .err = options_err(options), .last = clock_elapsed()};
    struct problems problems = {.tell = tell, .context = &report};
    const struct verify_progress progress = {.at = show_progress, .context = &report};
    bool broker = options_text(options, "broker") != NULL;
    bool exported = options_text(options, "export") != NULL;

    (void)context;
    if (broker == exported)
        return options_fail(options, EXIT_USAGE,
                            "name what to verify: --broker B, or --export DIR with --key VKEY");
    if (exported && options_text(options, "key") == NULL)
        return options_fail(options, EXIT_USAGE,
                            "an export is verified with --key VKEY, had from somebody you trust");
    return broker ? verify_folder(options, &problems, &progress)
                  : verify_files(options, &problems, &progress);
}

/* ---- export ---- */

static int run_export(const struct options *options, void *context)
{
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct source_reason reason = {""};
    char vkey[NOTE_KEY_VKEY_SIZE];
    uint64_t entries = 0;
    int code = open_broker(options, &source, &key);

    (void)context;
    if (code != EXIT_DONE)
        return code;
    enum status status = export_write(source, key, options_text(options, "out"), &entries, &reason);
    note_key_vkey(key, vkey);
    source_close(&source);
    note_key_free(&key);
    if (status != STATUS_OK)
        return options_fail(options, exit_code(status), "%s", reason.text);
    fprintf(options_out(options), "exported %" PRIu64 " entries\nkey: %s\n", entries, vkey);
    return EXIT_DONE;
}

/* ---- search ---- */

static bool add_time(const struct options *options, const char *name, json_t *request)
{
    char text[CIVIL_TIME_SIZE];
    int64_t time = 0;

    if (options_text(options, name) == NULL)
        return true;
    if (!options_time(options, name, &time))
        return false;
    civil_format_time(time, text);
    return json_object_set_new(request, name, json_string(text)) == 0;
}

/* NULL when an option is malformed, which was told. */
static json_t *make_request(const struct options *options)
{
    static const char *const texts[] = {"subject", "member", "type", "outcome"};
    json_t *request = json_pack("{s:s}", "do", "search");
    struct pseudonym pseudonym;
    uint64_t limit = 0;
    const char *subject = options_text(options, "subject");
    bool good = request != NULL;

    if (subject != NULL && pseudonym_parse(subject, &pseudonym) != STATUS_OK) {
        options_fail(options, EXIT_USAGE,
                     "--subject takes a pseudonym, 1-<64 hexadecimal digits>, as concordat subject "
                     "prints it");
        good = false;
    }
    if (good && options_text(options, "member") != NULL &&
        member_check(bytes_of_string(options_text(options, "member"))) != STATUS_OK) {
        options_fail(options, EXIT_USAGE,
                     "--member is '%s'; write a member id as class.place, such as prison.dovegate",
                     options_text(options, "member"));
        good = false;
    }
    for (size_t i = 0; good && i < sizeof texts / sizeof texts[0]; i++) {
        if (options_text(options, texts[i]) != NULL)
            good = json_object_set_new(request, texts[i], json_string(options_text(options, texts[i]))) == 0;
    }
    good = good && add_time(options, "since", request) && add_time(options, "until", request) &&
           options_uint(options, "limit", 1, INT64_MAX, &limit);
    if (good && limit > 0)
        good = json_object_set_new(request, "limit", json_integer((json_int_t)limit)) == 0;
    if (!good) {
        json_decref(request);
        request = NULL;
    }
    return request;
}

static int run_search(const struct options *options, void *context)
{
    char reason[ASK_REASON_SIZE] = "";
    json_t *request = make_request(options);

    (void)context;
    if (request == NULL)
        return EXIT_USAGE;
    enum ask_result result = ask_search(options_text(options, "broker"), request,
                                        options_flag(options, "json"), options_out(options), reason);
    json_decref(request);
    if (result == ASK_DONE)
        return EXIT_DONE;
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}

static int run_replay_export(const struct options *options, void *context)
{
    char reason[ASK_REASON_SIZE] = "";
    json_t *request = json_pack("{s:s}", "do", "replay-export");

    (void)context;
    if (request == NULL || !add_time(options, "since", request) || !add_time(options, "until", request)) {
        json_decref(request);
        return EXIT_USAGE;
    }
    enum ask_result result =
        ask_search(options_text(options, "broker"), request, true, options_out(options), reason);
    json_decref(request);
    if (result == ASK_DONE)
        return EXIT_DONE;
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}

/* ---- the table ---- */

int main(int argc, char **argv)
{
    static const struct option_spec export_options[] = {
        {"broker", "B", "folder of the broker", OPTION_TEXT, true},
        {"out", "DIR", "new folder for the export", OPTION_TEXT, true},
        {"key", "VKEY", "the log's key, if not the one in the broker's bundle", OPTION_TEXT, false},
        {.name = NULL},
    };
    static const struct option_spec verify_options[] = {
        {"broker", "B", "folder of a broker, running or not", OPTION_TEXT, false},
        {"export", "DIR", "folder of an export", OPTION_TEXT, false},
        {"key", "VKEY", "the log's key, or a file that holds it", OPTION_TEXT, false},
        {.name = NULL},
    };
    static const struct option_spec search_options[] = {
        {"broker", "B", "folder of the running broker", OPTION_TEXT, true},
        {"subject", "REF", "a person's pseudonym, as concordat subject prints it", OPTION_TEXT, false},
        {"member", "ID", "an agency, as sender or as recipient", OPTION_TEXT, false},
        {"type", "T", "event type", OPTION_TEXT, false},
        {"outcome", "O", "outcome, or kind of entry: refused, disclosed, withdrawn ...", OPTION_TEXT, false},
        {"since", "T", "from this date or time on", OPTION_TEXT, false},
        {"until", "T", "before this date or time", OPTION_TEXT, false},
        {"limit", "N", "no more than so many entries", OPTION_TEXT, false},
        {"json", NULL, "one JSON object a line", OPTION_FLAG, false},
        {.name = NULL},
    };
    static const struct option_spec replay_options[] = {
        {"broker", "B", "folder of the running broker", OPTION_TEXT, true},
        {"since", "T", "from this date or time on", OPTION_TEXT, false},
        {"until", "T", "before this date or time", OPTION_TEXT, false},
        {.name = NULL},
    };
    static const struct command commands[] = {
        {.name = "export",
         .help = "write the log as static files that anybody can verify",
         .options = export_options,
         .run = run_export},
        {.name = "verify",
         .help = "recompute the log from its entries, and name what is wrong",
         .options = verify_options,
         .usage = "(--broker B | --export DIR --key VKEY)",
         .run = run_verify},
        {.name = "search",
         .help = "ask the running broker, which logs the look",
         .options = search_options,
         .run = run_search},
        {.name = "replay-export",
         .help = "past decisions, for concordat-protocol compare --replay; the broker logs the look",
         .options = replay_options,
         .run = run_replay_export},
        {.name = NULL},
    };
    static const struct program program = {
        .name = "concordat-audit",
        .help = "verify, export and search the disclosure log",
        .commands = commands,
    };

    enum status status = harden_process();
    if (status != STATUS_OK) {
        fprintf(stderr, "concordat-audit: the process cannot be protected: %s\n", status_text(status));
        return EXIT_ENVIRONMENT;
    }
    return options_main(&program, argc, argv, NULL);
}
