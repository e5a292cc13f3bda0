#include "audit/export_command.h"

#include <inttypes.h>

#include "audit/export.h"
#include "audit/opening.h"

const struct option_spec export_command_options[] = {
    {"broker", "B", "folder of the broker", OPTION_TEXT, true},
    {"out", "DIR", "new folder for the export", OPTION_TEXT, true},
    {"key", "VKEY", "the log's key, if not the one in the broker's bundle", OPTION_TEXT, false},
    {.name = NULL},
};

int export_command_run(const struct options *options, void *context)
{
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct source_reason reason = {""};
    char vkey[NOTE_KEY_VKEY_SIZE];
    uint64_t entries = 0;
    int code = opening_broker(options, &source, &key);

    (void)context;
    if (code != EXIT_DONE)
        return code;
    enum status status = export_write(source, key, options_text(options, "out"), &entries, &reason);
    note_key_vkey(key, vkey);
    source_close(&source);
    note_key_free(&key);
    if (status != STATUS_OK)
        return options_fail(options, opening_exit(status), "%s", reason.text);
    fprintf(options_out(options), "exported %" PRIu64 " entries\nkey: %s\n", entries, vkey);
    return EXIT_DONE;
}
