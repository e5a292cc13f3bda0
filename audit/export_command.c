#include "audit/export_command.h"

#include <inttypes.h>

#include "audit/ask.h"
#include "audit/export.h"
#include "audit/opening.h"

const struct option_spec export_command_options[] = {
    {"broker", "B", "folder of the broker", OPTION_TEXT, true},
    {"out", "DIR", "new folder for the export", OPTION_TEXT, true},
    {"key", "VKEY", "the log's key, if not the one in the broker's bundle", OPTION_TEXT, false},
    {.name = NULL},
};

static enum status take_nothing(void *context, const json_t *row)
{
    (void)context;
    (void)row;
    return STATUS_OK;
}

/* An export is a look like any other: the broker writes down who makes it, or there is none. */
static int record(const struct options *options)
{
    const struct ask_taker taker = {take_nothing, NULL};
    char reason[ASK_REASON_SIZE] = "";
    json_t *request = json_pack("{s:s}", "do", "export");
    enum ask_result result = ask_broker(options_text(options, "broker"), request, &taker, reason);

    json_decref(request);
    if (result == ASK_DONE)
        return EXIT_DONE;
    if (result == ASK_NOT_RUNNING)
        return options_fail(
            options, EXIT_ENVIRONMENT,
            "%s: the broker is not running, so that nobody writes down who exports its log; start it, "
            "or check the folder as it is with verify",
            options_text(options, "broker"));
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}

int export_command_run(const struct options *options, void *context)
{
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct source_reason reason = {""};
    char vkey[NOTE_KEY_VKEY_SIZE];
    uint64_t entries = 0;
    int code = opening_broker(options, &source, &key);

    (void)context;
    if (code == EXIT_DONE)
        code = record(options);
    if (code != EXIT_DONE) {
        source_close(&source);
        note_key_free(&key);
        return code;
    }
    enum status status = export_write(source, key, options_text(options, "out"), &entries, &reason);
    note_key_vkey(key, vkey);
    source_close(&source);
    note_key_free(&key);
    if (status != STATUS_OK)
        return options_fail(options, opening_exit(status), "%s", reason.text);
    fprintf(options_out(options), "exported %" PRIu64 " entries\nkey: %s\n", entries, vkey);
    return EXIT_DONE;
}
