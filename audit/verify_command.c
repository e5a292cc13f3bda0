#include "audit/verify_command.h"

#include <inttypes.h>
#include <limits.h>
#include <unistd.h>

#include "audit/cosigners.h"
#include "audit/opening.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/safefile.h"

#define PROGRESS_MS 2000
#define TOLD_LIMIT  ((size_t)16384)

const struct option_spec verify_command_options[] = {
    {"broker", "B", "folder of a broker, running or not", OPTION_TEXT, false},
    {"export", "DIR", "folder of an export", OPTION_TEXT, false},
    {"key", "VKEY", "the log's key, or a file that holds it", OPTION_TEXT, false},
    {"since", "FILE", "go on from what an earlier run remembered; the log must be an extension of it",
     OPTION_TEXT, false},
    {"remember", "FILE", "write down how far it was verified; may be the same file", OPTION_TEXT, false},
    {"progress", NULL, "say how far it is, also where nobody sits at a terminal", OPTION_FLAG, false},
    {.name = NULL},
};

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

/* ---- memory ---- */

/* What --since and --remember name. */
struct recall {
    struct remembered since;
    struct remembered remember;
    struct verify_memory memory;
};

static int read_since(const struct options *options, const char *path, bool records,
                      struct remembered *remembered)
{
    struct byte_buffer content = bytes_buffer(REMEMBERED_MAX);
    enum status status = safefile_read(path, REMEMBERED_MAX, &content);
    int code = EXIT_DONE;

    if (status != STATUS_OK)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    else if (remembered_parse(bytes_buffer_view(&content), remembered) != STATUS_OK)
        code = options_fail(options, EXIT_USAGE, "%s: is not what --remember wrote", path);
    else if (records && !remembered->records)
        code =
            options_fail(options, EXIT_USAGE,
                         "%s: is of an export, of which no records were verified; verify the broker's folder "
                         "from the beginning once",
                         path);
    bytes_buffer_free(&content);
    return code;
}

static int recall_open(const struct options *options, bool records, struct recall *recall)
{
    const char *since = options_text(options, "since");

    *recall = (struct recall){.memory = {.since = NULL}};
    if (remembered_init(&recall->since) != STATUS_OK || remembered_init(&recall->remember) != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    if (since != NULL)
        recall->memory.since = &recall->since;
    if (options_text(options, "remember") != NULL)
        recall->memory.remember = &recall->remember;
    return since == NULL ? EXIT_DONE : read_since(options, since, records, &recall->since);
}

static void recall_close(struct recall *recall)
{
    remembered_free(&recall->since);
    remembered_free(&recall->remember);
}

/* After a log that verified; without a checkpoint there is nothing to remember. */
static int write_remembered(const struct options *options, const struct recall *recall)
{
    const char *path = options_text(options, "remember");
    struct byte_buffer text = bytes_buffer(REMEMBERED_MAX);
    enum status status = STATUS_OK;

    if (path == NULL || recall->remember.note.size == 0)
        return EXIT_DONE;
    status = remembered_write(&recall->remember, &text);
    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(&text), 0600);
    bytes_buffer_free(&text);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    fprintf(options_out(options), "remembered up to entry %" PRIu64 "\n", recall->remember.size);
    return EXIT_DONE;
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
                    const struct verify_result *result, const struct recall *recall)
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
    if (recall->memory.since != NULL)
        fprintf(out, "the first %" PRIu64 " entries were verified before\n", recall->since.size);
    fprintf(out, "log verified: %" PRIu64 " entries\n", result->entries);
    return write_remembered(options, recall);
}

/* By whom it was cosigned, before what came of it all. */
static enum status tell_cosigners(const struct options *options, struct source *source,
                                  const struct note_key *key, struct problems *problems)
{
    struct byte_buffer told = bytes_buffer(TOLD_LIMIT);
    enum status status = cosigners_check(source, options_text(options, "broker"), key, problems, &told);

    if (status == STATUS_OK && told.size > 0)
        (void)fwrite(told.data, 1, told.size, options_out(options));
    bytes_buffer_free(&told);
    return status;
}

static int verify_folder(const struct options *options, struct problems *problems,
                         const struct verify_progress *progress)
{
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct verify_result result = {.entries = 0};
    struct recall recall;
    int code = recall_open(options, true, &recall);

    if (code == EXIT_DONE)
        code = opening_broker(options, &source, &key);
    if (code == EXIT_DONE) {
        enum status status = verify_broker_since(source, key, progress, &recall.memory, problems, &result);
        if (status == STATUS_OK)
            status = tell_cosigners(options, source, key, problems);
        code = conclude(options, status, problems, &result, &recall);
    }
    source_close(&source);
    note_key_free(&key);
    recall_close(&recall);
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
    struct recall recall;
    int code = recall_open(options, false, &recall);
    if (code == EXIT_DONE)
        code = opening_vkey(options, "key", options_text(options, "key"), &key);
    if (code == EXIT_DONE) {
        enum status status = verify_export_since(&files, key, progress, &recall.memory, problems, &result);
        code = conclude(options, status, problems, &result, &recall);
    }
    note_key_free(&key);
    recall_close(&recall);
    return code;
}

int verify_command_run(const struct options *options, void *context)
{
    struct report report = {
        .out = options_out(options), .err = options_err(options), .last = clock_elapsed()};
    struct problems problems = {.tell = tell, .context = &report};
    const bool shown = options_flag(options, "progress") || isatty(fileno(options_err(options)));
    const struct verify_progress progress = {.at = shown ? show_progress : NULL, .context = &report};
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
