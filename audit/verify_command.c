#include "audit/verify_command.h"

#include <inttypes.h>
#include <limits.h>

#include "audit/opening.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/safefile.h"

#define PROGRESS_MS 2000

const struct option_spec verify_command_options[] = {
    {"broker", "B", "folder of a broker, running or not", OPTION_TEXT, false},
    {"export", "DIR", "folder of an export", OPTION_TEXT, false},
    {"key", "VKEY", "the log's key, or a file that holds it", OPTION_TEXT, false},
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
    int code = opening_broker(options, &source, &key);

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
    int code = opening_vkey(options, "key", options_text(options, "key"), &key);
    if (code != EXIT_DONE)
        return code;
    enum status status = verify_export(&files, key, progress, problems, &result);
    code = conclude(options, status, problems, &result);
    note_key_free(&key);
    return code;
}

int verify_command_run(const struct options *options, void *context)
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
