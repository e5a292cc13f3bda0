#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/doctor.h"
#include "agent/text_view.h"
#include "base/clock.h"
#include "base/harden.h"
#include "base/local_client.h"
#include "base/options.h"
#include "base/safefile.h"

#define PATIENCE_MS        30000
#define IMPORT_PATIENCE_MS 600000

static int connect_agent(const struct options *options, struct local_client **ret_client)
{
    const char *folder = options_text(options, "agent");
    char socket[PATH_MAX];
    enum status status = STATUS_BAD_ARGUMENT;

    if (snprintf(socket, sizeof socket, "%s/control.sock", folder) < (int)sizeof socket)
        status = local_client_connect(socket, PATIENCE_MS, ret_client);
    switch ((int)status) {
    case STATUS_OK:
        return EXIT_DONE;
    case STATUS_NOT_FOUND:
    case STATUS_CLOSED:
        return options_fail(options, EXIT_ENVIRONMENT,
                            "no agent runs on %s: start it with concordat-agent run --dir %s", folder,
                            folder);
    default:
        return options_fail(options, EXIT_ENVIRONMENT, "the agent on %s cannot be reached: %s", folder,
                            status_text(status));
    }
}

/* What a reply refuses, told as text or JSON; EXIT_DONE when it refuses nothing. */
static int check_reply(const struct options *options, const json_t *reply)
{
    const char *refused = json_string_value(json_object_get(reply, "refused"));
    const char *failed = json_string_value(json_object_get(reply, "failed"));

    if (failed != NULL)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", failed);
    if (refused == NULL && json_object_get(reply, "ok") == NULL)
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: what runs there is no agent: name an agent's folder",
                            options_text(options, "agent"));
    if (refused == NULL)
        return EXIT_DONE;
    if (!options_flag(options, "json"))
        return options_fail(options, EXIT_REFUSED, "%s", refused);
    (void)json_dumpf(reply, options_out(options), JSON_COMPACT);
    (void)fputc('\n', options_out(options));
    return EXIT_REFUSED;
}

/*
 * One request and its replies. take is called with what each reply holds under "ok"; request is taken over,
 * NULL is no memory.
 */
static int ask(const struct options *options, json_t *request, int patience,
               int (*take)(const struct options *options, const json_t *value, void *context), void *context)
{
    struct local_client *client = NULL;
    json_t *reply = NULL;
    bool last = false;
    enum status status = STATUS_NO_MEMORY;
    int code = request != NULL ? connect_agent(options, &client) : EXIT_ENVIRONMENT;

    if (code == EXIT_DONE)
        status = local_client_call(client, request, patience, &reply, &last);
    while (code == EXIT_DONE) {
        if (status != STATUS_OK) {
            code =
                options_fail(options, EXIT_ENVIRONMENT, "the agent did not answer: %s", status_text(status));
            break;
        }
        code = check_reply(options, reply);
        if (code == EXIT_DONE)
            code = take(options, json_object_get(reply, "ok"), context);
        json_decref(reply);
        reply = NULL;
        if (last)
            break;
        status = local_client_next(client, patience, &reply, &last);
    }
    local_client_close(&client);
    json_decref(request);
    return code;
}

static int print_json(const struct options *options, const json_t *value)
{
    if (json_dumpf(value, options_out(options), JSON_INDENT(2)) != 0)
        return EXIT_ENVIRONMENT;
    (void)fputc('\n', options_out(options));
    return EXIT_DONE;
}

/* ---- publish
 * ----------------------------------------------------------------------------------------------------------
 */

static json_t *list_of(const struct options *options, const char *name)
{
    json_t *list = json_array();

    for (size_t i = 0; i < options_count(options, name); i++)
        (void)json_array_append_new(list, json_string(options_value(options, name, i)));
    return list;
}

static int take_published(const struct options *options, const json_t *value, void *context)
{
    (void)context;
    if (options_flag(options, "json")) {
        (void)json_dumpf(value, options_out(options), JSON_COMPACT);
        (void)fputc('\n', options_out(options));
    } else {
        (void)fprintf(options_out(options), "%s\n", json_string_value(json_object_get(value, "event")));
    }
    return EXIT_DONE;
}

static int run_publish(const struct options *options, void *context)
{
    const char *names[] = {"attr", "item"};

    (void)context;
    if ((options_text(options, "subject") == NULL) == (options_text(options, "re") == NULL))
        return options_fail(options, EXIT_USAGE, "say about whom: either --subject PNC or --re EVENT-ID");
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < options_count(options, names[n]); i++) {
            const char *value = options_value(options, names[n], i);

            if (strchr(value, '=') == NULL || value[0] == '=')
                return options_fail(options, EXIT_USAGE, "--%s \"%s\": write LABEL=VALUE", names[n], value);
        }
    return ask(options,
               json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:o, s:o, s:o, s:o}", "do", "publish",
                         "type", options_argument(options, 0), "subject", options_text(options, "subject"),
                         "re", options_text(options, "re"), "supersedes", options_text(options, "supersedes"),
                         "protocol", options_text(options, "protocol"), "effective",
                         options_text(options, "effective"), "attributes", list_of(options, "attr"), "items",
                         list_of(options, "item"), "own", list_of(options, "own"), "leave",
                         list_of(options, "leave")),
               PATIENCE_MS, take_published, NULL);
}

static int run_answer(const struct options *options, void *context)
{
    (void)context;
    return ask(options,
               json_pack("{s:s, s:s, s:o, s:b, s:o, s:o}", "do", "answer", "event",
                         options_argument(options, 0), "items", list_of(options, "item"), "decline",
                         options_flag(options, "decline") ? 1 : 0, "own", list_of(options, "own"), "leave",
                         list_of(options, "leave")),
               PATIENCE_MS, take_published, NULL);
}

static int run_confirm(const struct options *options, void *context)
{
    (void)context;
    return ask(options, json_pack("{s:s, s:s}", "do", "confirm", "event", options_argument(options, 0)),
               PATIENCE_MS, take_published, NULL);
}

/* ---- correct, retract, erase
 * --------------------------------------------------------------------------------------------- */

static int take_corrections(const struct options *options, const json_t *value, void *context)
{
    const json_t *events = json_object_get(value, "events");

    (void)context;
    if (options_flag(options, "json"))
        return print_json(options, value);
    for (size_t i = 0; i < json_array_size(events); i++)
        (void)fprintf(options_out(options), "%s\n", json_string_value(json_array_get(events, i)));
    return EXIT_DONE;
}

static int ask_correction(const struct options *options, const char *what, json_t *items)
{
    return ask(options,
               json_pack("{s:s, s:s, s:s, s:s*, s:o}", "do", "correct", "what", what, "event",
                         options_argument(options, 0), "reason", options_text(options, "reason"), "items",
                         items),
               PATIENCE_MS, take_corrections, NULL);
}

static int run_correct(const struct options *options, void *context)
{
    (void)context;
    return ask_correction(options, "values", list_of(options, "item"));
}

static int run_retract(const struct options *options, void *context)
{
    (void)context;
    return ask_correction(options, "retraction", json_array());
}

static int run_erase(const struct options *options, void *context)
{
    (void)context;
    return ask_correction(options, "erasure", json_array());
}

/* ---- inbox, show, status, subject
 * ---------------------------------------------------------------------------------------- */

static int take_page_of_inbox(const struct options *options, const json_t *value, void *context)
{
    json_t *all = context;

    if (options_flag(options, "json"))
        return json_array_extend(all, json_object_get(value, "events")) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    text_view_inbox(json_object_get(value, "events"), options_out(options));
    return EXIT_DONE;
}

static int run_inbox(const struct options *options, void *context)
{
    json_t *all = json_array();
    json_t *whole = NULL;
    int code = ask(options, json_pack("{s:s}", "do", "inbox"), PATIENCE_MS, take_page_of_inbox, all);

    (void)context;
    if (code == EXIT_DONE && options_flag(options, "json")) {
        whole = json_pack("{s:O}", "events", all);
        code = print_json(options, whole);
        json_decref(whole);
    }
    json_decref(all);
    return code;
}

static int take_event(const struct options *options, const json_t *value, void *context)
{
    (void)context;
    if (options_flag(options, "json"))
        return print_json(options, value);
    text_view_event(value, options_out(options));
    return EXIT_DONE;
}

static int run_show(const struct options *options, void *context)
{
    (void)context;
    return ask(options, json_pack("{s:s, s:s}", "do", "show", "event", options_argument(options, 0)),
               PATIENCE_MS, take_event, NULL);
}

static int run_acknowledge(const struct options *options, void *context)
{
    (void)context;
    return ask(options, json_pack("{s:s, s:s}", "do", "acknowledge", "event", options_argument(options, 0)),
               PATIENCE_MS, take_published, NULL);
}

static int take_status(const struct options *options, const json_t *value, void *context)
{
    (void)context;
    if (options_flag(options, "json"))
        return print_json(options, value);
    text_view_status(value, options_out(options));
    return EXIT_DONE;
}

static int run_status(const struct options *options, void *context)
{
    (void)context;
    return ask(options, json_pack("{s:s}", "do", "status"), PATIENCE_MS, take_status, NULL);
}

/* Whatever is not well is something found. */
static int take_findings(const struct options *options, const json_t *value, void *context)
{
    (void)context;
    if (options_flag(options, "json"))
        (void)print_json(options, value);
    else
        text_view_findings(value, options_out(options));
    return strcmp(json_string_value(json_object_get(value, "worst")), "good") == 0 ? EXIT_DONE : EXIT_REFUSED;
}

/* Nobody runs there: what can be seen from the folder alone, while it is held. */
static int examine_alone(const struct options *options)
{
    const struct doctor_link link = {.running = false};
    const struct clock clock = clock_real();
    const char *folder = options_text(options, "agent");
    struct agent_reason reason = {{0}};
    struct folder_lock *lock = NULL;
    struct agent *agent = NULL;
    json_t *findings = NULL;
    enum status status = safefile_lock(folder, &lock);
    int code = EXIT_ENVIRONMENT;

    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, status_text(status));
    status = agent_open(folder, &agent, &reason);
    if (status == STATUS_OK)
        status = doctor_examine(agent, &link, clock_now(&clock), &findings);
    if (status == STATUS_OK)
        code = take_findings(options, findings, NULL);
    else
        code = options_fail(options, EXIT_ENVIRONMENT, "%s",
                            reason.text[0] != '\0' ? reason.text : status_text(status));
    json_decref(findings);
    agent_close(&agent);
    safefile_unlock(&lock);
    return code;
}

static int run_doctor(const struct options *options, void *context)
{
    char socket[PATH_MAX];
    struct local_client *client = NULL;
    enum status status = STATUS_BAD_ARGUMENT;

    (void)context;
    if (snprintf(socket, sizeof socket, "%s/control.sock", options_text(options, "agent")) <
        (int)sizeof socket)
        status = local_client_connect(socket, PATIENCE_MS, &client);
    local_client_close(&client);
    if (status == STATUS_NOT_FOUND || status == STATUS_CLOSED)
        return examine_alone(options);
    return ask(options, json_pack("{s:s}", "do", "doctor"), PATIENCE_MS, take_findings, NULL);
}

static int take_subject(const struct options *options, const json_t *value, void *context)
{
    (void)context;
    if (options_flag(options, "json"))
        return print_json(options, value);
    (void)fprintf(options_out(options), "%s\n", json_string_value(json_object_get(value, "subject")));
    return EXIT_DONE;
}

static int run_subject(const struct options *options, void *context)
{
    (void)context;
    return ask(options, json_pack("{s:s, s:s}", "do", "subject", "subject", options_argument(options, 0)),
               PATIENCE_MS, take_subject, NULL);
}

/* ---- proof
 * ----------------------------------------------------------------------------------------------------------
 */

static int write_file(const struct options *options, const char *text)
{
    const char *path = options_text(options, "out");
    enum status status = STATUS_OK;

    if (path == NULL)
        return fputs(text, options_out(options)) == EOF ? EXIT_ENVIRONMENT : EXIT_DONE;
    status = safefile_create(path, bytes_of_string(text), 0600);
    return status == STATUS_OK ? EXIT_DONE
                               : options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
}

static int take_proof(const struct options *options, const json_t *value, void *context)
{
    const json_t *files = json_object_get(value, "proofs");
    const json_t *last = json_array_get(files, json_array_size(files) - 1);
    const char *text = json_string_value(json_object_get(last, "proof"));

    (void)context;
    if (options_flag(options, "json"))
        return print_json(options, value);
    if (text == NULL)
        return EXIT_ENVIRONMENT;
    if (!json_is_true(json_object_get(last, "final")))
        (void)fputs("this proof is provisional: too few witnesses have cosigned its checkpoint so far\n",
                    options_err(options));
    return write_file(options, text);
}

static int run_proof(const struct options *options, void *context)
{
    (void)context;
    return ask(options,
               json_pack("{s:s, s:s, s:b}", "do", "proof", "event", options_argument(options, 0), "person",
                         options_flag(options, "without-person") ? 0 : 1),
               PATIENCE_MS, take_proof, NULL);
}

/* ---- import
 * --------------------------------------------------------------------------------------------------------------
 */

/* Rejected rows, or a file that is held for a person to look at, are something found. */
static int take_import(const struct options *options, const json_t *value, void *context)
{
    const json_t *page = json_object_get(value, "page");
    const char *text = json_string_value(json_object_get(value, "text"));
    const bool found = json_array_size(json_object_get(page, "rejected")) > 0 ||
                       json_is_string(json_object_get(page, "held"));

    (void)context;
    if (options_flag(options, "json"))
        (void)print_json(options, page);
    else
        (void)fputs(text != NULL ? text : "", options_out(options));
    return found ? EXIT_REFUSED : EXIT_DONE;
}

static int run_import(const struct options *options, void *context)
{
    char full[PATH_MAX];
    const enum status status = safefile_find(options_argument(options, 1), full);

    (void)context;
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", options_argument(options, 1),
                            status_text(status));
    return ask(options,
               json_pack("{s:s, s:s, s:s, s:b}", "do", "import", "feed", options_argument(options, 0), "file",
                         full, "accept_missing", options_flag(options, "accept-missing") ? 1 : 0),
               IMPORT_PATIENCE_MS, take_import, NULL);
}

/* ---- the program
 * -----------------------------------------------------------------------------------------------------------
 */

#define OPTION_JSON                                                                                          \
    {                                                                                                        \
        "json", NULL, "answer in JSON", OPTION_FLAG, false                                                   \
    }

static const struct option_spec program_options[] = {
    {"agent", "DIR", "the folder of the agent that runs here", OPTION_TEXT, true},
    {0},
};

static const struct option_spec publish_options[] = {
    {"subject", "PNC", "about whom: a PNC id (or a pseudonym, or local:REFERENCE)", OPTION_TEXT, false},
    {"re", "EVENT-ID", "about whom, and in answer to what: an event held here", OPTION_TEXT, false},
    {"supersedes", "ID", "an earlier event of ours that this one replaces", OPTION_TEXT, false},
    {"protocol", "ID", "under which protocol, if several let us send this", OPTION_TEXT, false},
    {"effective", "DATE", "from when it holds, YYYY-MM-DD", OPTION_TEXT, false},
    {"attr", "LABEL=VALUE", "an attribute, which the broker sees", OPTION_LIST, false},
    {"item", "LABEL=VALUE", "an item, which is sealed for those who may have it", OPTION_LIST, false},
    {"own", "LABEL", "our own records say so too, whatever others told us", OPTION_LIST, false},
    {"leave", "LABEL", "the member that told us gave leave to pass it on", OPTION_LIST, false},
    OPTION_JSON,
    {0},
};

static const struct option_spec answer_options[] = {
    {"item", "LABEL=VALUE", "an item that was asked for", OPTION_LIST, false},
    {"own", "LABEL", "our own records say so too, whatever others told us", OPTION_LIST, false},
    {"leave", "LABEL", "the member that told us gave leave to pass it on", OPTION_LIST, false},
    {"decline", NULL, "nothing is answered, and that is told", OPTION_FLAG, false},
    OPTION_JSON,
    {0},
};

#define OPTION_REASON                                                                                        \
    {                                                                                                        \
        "reason", "CODE", "why, by the catalogue's list of reasons", OPTION_TEXT, false                      \
    }

static const struct option_spec correct_options[] = {
    {"item", "LABEL=VALUE", "what was wrong, and what it should be", OPTION_LIST, true},
    OPTION_REASON,
    OPTION_JSON,
    {0},
};

static const struct option_spec retract_options[] = {OPTION_REASON, OPTION_JSON, {0}};

static const struct option_spec import_options[] = {
    {"accept-missing", NULL, "however many of the known rows have gone", OPTION_FLAG, false},
    OPTION_JSON,
    {0},
};

static const struct option_spec proof_options[] = {
    {"out", "FILE", "a new file for it, instead of standard output", OPTION_TEXT, false},
    {"without-person", NULL, "without what it says about whom", OPTION_FLAG, false},
    OPTION_JSON,
    {0},
};

static const struct option_spec json_options[] = {OPTION_JSON, {0}};

static const struct command commands[] = {
    {"publish", "say something to those whom the protocol names", publish_options, "TYPE", 1, 1, NULL,
     run_publish},
    {"answer", "answer a question that was put to us", answer_options, "ID", 1, 1, NULL, run_answer},
    {"confirm", "confirm that another member rightly overrode the rules", json_options, "ID", 1, 1, NULL,
     run_confirm},
    {"correct", "tell everybody who was told an event of ours what it should have said", correct_options,
     "ID", 1, 1, NULL, run_correct},
    {"retract", "take an event of ours back from everybody who was told", retract_options, "ID", 1, 1, NULL,
     run_retract},
    {"erase", "have an event of ours erased everywhere, also from the log", retract_options, "ID", 1, 1, NULL,
     run_erase},
    {"import", "read a file of a feed now", import_options, "FEED FILE", 2, 2, NULL, run_import},
    {"inbox", "what others told us", json_options, NULL, 0, 0, NULL, run_inbox},
    {"show", "one event, received or sent", json_options, "ID", 1, 1, NULL, run_show},
    {"acknowledge", "say that somebody took note of an urgent event", json_options, "ID", 1, 1, NULL,
     run_acknowledge},
    {"proof", "the log's proof that an event was passed on, for concordat-audit verify-proof", proof_options,
     "EVENT-ID", 1, 1, NULL, run_proof},
    {"status", "how the agent is doing", json_options, NULL, 0, 0, NULL, run_status},
    {"doctor", "what is not well with the agent, and what to do", json_options, NULL, 0, 0, NULL, run_doctor},
    {"subject", "the pseudonym of a person, for searches", json_options, "PNC", 1, 1, NULL, run_subject},
    {0},
};

static const struct program program = {
    .name = "concordat",
    .help = "What an agency's staff and scripts ask of their agent.",
    .options = program_options,
    .commands = commands,
};

int main(int argc, char **argv)
{
    if (harden_process() != STATUS_OK) {
        (void)fputs("concordat: the process cannot be hardened\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    return options_main(&program, argc, argv, NULL);
}
