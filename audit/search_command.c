#include "audit/search_command.h"

#include <string.h>

#include "audit/asking.h"
#include "audit/row.h"

const struct option_spec search_command_options[] = {
    ASKING_WHOM,
    {"subject", "REF", "a person's pseudonym, as concordat subject prints it", OPTION_TEXT, false},
    {"event", "ID", "an event", OPTION_TEXT, false},
    {"member", "ID", "an agency, as sender or as recipient", OPTION_TEXT, false},
    {"from", "ID", "an agency as sender", OPTION_TEXT, false},
    {"to", "ID", "an agency as recipient", OPTION_TEXT, false},
    {"officer", "WHO", "who acted, as the log names them: unix:1000, automatic:FEED ...", OPTION_TEXT, false},
    {"type", "T", "event type", OPTION_TEXT, false},
    {"label", "L", "an item that was passed on", OPTION_TEXT, false},
    {"purpose", "P", "purpose", OPTION_TEXT, false},
    {"gateway", "G", "legal gateway, by its name in the protocol", OPTION_TEXT, false},
    {"rule", "R", "rule", OPTION_TEXT, false},
    {"outcome", "O", "outcome, or kind of entry: refused, disclosed, withdrawn ...", OPTION_TEXT, false},
    {"kind", "K", "kind of entry; again for another one as well", OPTION_LIST, false},
    {"key", "HEX", "what was sealed to the sealing key with this id", OPTION_TEXT, false},
    {"late", NULL, "what went out after its deadline", OPTION_FLAG, false},
    {"juvenile", NULL, "about people treated as under 18", OPTION_FLAG, false},
    {"break-glass", NULL, "what rules were overridden for", OPTION_FLAG, false},
    {"since", "T", "from this date or time on", OPTION_TEXT, false},
    {"until", "T", "before this date or time", OPTION_TEXT, false},
    {"limit", "N", "no more than so many entries", OPTION_TEXT, false},
    {"json", NULL, "one JSON object a line", OPTION_FLAG, false},
    {"csv", NULL, "CSV, with formulas disarmed", OPTION_FLAG, false},
    {.name = NULL},
};

const struct option_spec search_command_replay_options[] = {
    ASKING_WHOM,
    {"since", "T", "from this date or time on", OPTION_TEXT, false},
    {"until", "T", "before this date or time", OPTION_TEXT, false},
    {.name = NULL},
};

static bool add_kinds(const struct options *options, json_t *request)
{
    json_t *kinds = NULL;

    if (options_count(options, "kind") == 0)
        return true;
    if (json_object_set_new(request, "kinds", json_array()) != 0)
        return false;
    kinds = json_object_get(request, "kinds");
    for (size_t i = 0; i < options_count(options, "kind"); i++) {
        if (json_array_append_new(kinds, json_string(options_value(options, "kind", i))) != 0)
            return false;
    }
    return true;
}

/* NULL when an option is malformed, which was told. */
static json_t *make_request(const struct options *options)
{
    static const char *const texts[] = {"event",   "officer", "type",    "label", "purpose",
                                        "gateway", "rule",    "outcome", "key",   NULL};
    static const char *const flags[] = {"late", "juvenile", "break-glass", NULL};
    json_t *request = json_pack("{s:s}", "do", "search");
    uint64_t limit = 0;
    bool good = request != NULL && asking_subject(options, "subject", request) &&
                asking_member(options, "member", request) && asking_member(options, "from", request) &&
                asking_member(options, "to", request) && asking_texts(options, texts, request) &&
                asking_flags(options, flags, request) && add_kinds(options, request) &&
                asking_period(options, request) && options_uint(options, "limit", 1, INT64_MAX, &limit);

    if (good && limit > 0)
        good = json_object_set_new(request, "limit", json_integer((json_int_t)limit)) == 0;
    if (good)
        return request;
    json_decref(request);
    return NULL;
}

/* ---- rows ---- */

static enum status take_text(void *context, const json_t *row)
{
    row_print(context, row);
    return STATUS_OK;
}

static enum status take_json(void *context, const json_t *row)
{
    row_print_json(context, row);
    return STATUS_OK;
}

static enum status take_csv(void *context, const json_t *row)
{
    row_print_csv(context, row);
    return STATUS_OK;
}

int search_command_run(const struct options *options, void *context)
{
    struct ask_taker taker = {take_text, options_out(options)};
    json_t *request;

    (void)context;
    if (options_flag(options, "json") && options_flag(options, "csv"))
        return options_fail(options, EXIT_USAGE, "--json or --csv, not both");
    request = make_request(options);
    if (request == NULL)
        return EXIT_USAGE;
    if (options_flag(options, "json"))
        taker.row = take_json;
    if (options_flag(options, "csv")) {
        taker.row = take_csv;
        row_print_csv_head(options_out(options));
    }
    int code = asking_run(options, request, &taker);
    json_decref(request);
    return code;
}

int search_command_replay(const struct options *options, void *context)
{
    const struct ask_taker taker = {take_json, options_out(options)};
    json_t *request = json_pack("{s:s}", "do", "replay-export");
    int code = EXIT_USAGE;

    (void)context;
    if (request != NULL && asking_period(options, request))
        code = asking_run(options, request, &taker);
    json_decref(request);
    return code;
}
