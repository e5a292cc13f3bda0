#include "audit/asking.h"

#include <stdio.h>

#include "audit/ask_officer.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/passphrase.h"
#include "base/safefile.h"
#include "proto/member.h"
#include "proto/pseudonym.h"

#define KEY_SIZE 32

static const char *key_of(const char *name, char out[static KEY_SIZE])
{
    (void)snprintf(out, KEY_SIZE, "%s", name);
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '-')
            *at = '_';
    }
    return out;
}

bool asking_texts(const struct options *options, const char *const *names, json_t *request)
{
    char key[KEY_SIZE];

    for (; *names != NULL; names++) {
        const char *value = options_text(options, *names);

        if (value != NULL && json_object_set_new(request, key_of(*names, key), json_string(value)) != 0)
            return false;
    }
    return true;
}

bool asking_flags(const struct options *options, const char *const *names, json_t *request)
{
    char key[KEY_SIZE];

    for (; *names != NULL; names++) {
        if (options_flag(options, *names) &&
            json_object_set_new(request, key_of(*names, key), json_true()) != 0)
            return false;
    }
    return true;
}

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

bool asking_period(const struct options *options, json_t *request)
{
    return add_time(options, "since", request) && add_time(options, "until", request);
}

bool asking_subject(const struct options *options, const char *name, json_t *request)
{
    const char *text = options_text(options, name);
    struct pseudonym pseudonym;

    if (text == NULL)
        return true;
    if (pseudonym_parse(text, &pseudonym) != STATUS_OK) {
        options_fail(options, EXIT_USAGE,
                     "--%s takes a pseudonym, 1-<64 hexadecimal digits>, as concordat subject prints it",
                     name);
        return false;
    }
    return json_object_set_new(request, name, json_string(text)) == 0;
}

bool asking_member(const struct options *options, const char *name, json_t *request)
{
    const char *text = options_text(options, name);

    if (text == NULL)
        return true;
    if (member_check(bytes_of_string(text)) != STATUS_OK) {
        options_fail(options, EXIT_USAGE,
                     "--%s is '%s'; write a member id as class.place, such as prison.dovegate", name, text);
        return false;
    }
    return json_object_set_new(request, name, json_string(text)) == 0;
}

/* ---- whom to ask ---- */

static int open_key(const struct options *options, struct officer_key **ret)
{
    const char *path = options_text(options, "as");
    const char *secret = options_text(options, "passphrase-file");
    char passphrase[PASSPHRASE_SIZE] = "";
    struct byte_buffer file = bytes_buffer(0);
    const char *reason = NULL;
    int code = EXIT_DONE;
    enum status status = safefile_read_secret(path, OFFICER_KEY_LARGEST, &file);

    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    status = passphrase_get(secret, "Passphrase: ", false, passphrase);
    if (status == STATUS_NOT_FOUND && secret == NULL)
        code =
            options_fail(options, EXIT_USAGE, "there is no terminal to ask at: give --passphrase-file FILE");
    else if (status != STATUS_OK)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s: no passphrase could be read: %s",
                            secret == NULL ? "the terminal" : secret, status_text(status));
    else if (officer_key_open(bytes_buffer_view(&file), passphrase, ret, &reason) != STATUS_OK)
        code = options_fail(options, EXIT_REFUSED, "%s: %s", path, reason);
    bytes_wipe(passphrase, sizeof passphrase);
    bytes_buffer_wipe(&file);
    return code;
}

static int ask_as(const struct options *options, const json_t *request, const struct ask_taker *taker)
{
    char reason[ASK_REASON_SIZE] = "";
    struct clock clock = clock_real();
    struct officer_key *key = NULL;
    int64_t now = clock_now(&clock);

    if (!options_time(options, "now", &now))
        return EXIT_USAGE;
    int code = open_key(options, &key);
    if (code != EXIT_DONE)
        return code;
    enum ask_result result = ask_officer(options_text(options, "agent"), key, now, request, taker, reason);
    officer_key_free(&key);
    if (result == ASK_DONE)
        return EXIT_DONE;
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}

int asking_run(const struct options *options, const json_t *request, const struct ask_taker *taker)
{
    char reason[ASK_REASON_SIZE] = "";
    bool broker = options_text(options, "broker") != NULL;
    bool agent = options_text(options, "agent") != NULL;
    bool as = options_text(options, "as") != NULL;

    if (broker == agent || agent != as)
        return options_fail(
            options, EXIT_USAGE,
            "say whom to ask: --broker B on its own host, or --agent D --as FILE.p12 as an officer");
    if (agent)
        return ask_as(options, request, taker);
    enum ask_result result = ask_broker(options_text(options, "broker"), request, taker, reason);
    if (result == ASK_DONE)
        return EXIT_DONE;
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}
