#include "audit/asking.h"

#include <stdio.h>

#include "base/civil.h"
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

int asking_run(const struct options *options, const json_t *request, const struct ask_taker *taker)
{
    char reason[ASK_REASON_SIZE] = "";
    enum ask_result result = ask_broker(options_text(options, "broker"), request, taker, reason);

    if (result == ASK_DONE)
        return EXIT_DONE;
    return options_fail(options, result == ASK_REFUSED ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s", reason);
}
