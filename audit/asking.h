#pragma once

#include <jansson.h>

#include "audit/ask.h"
#include "base/options.h"

/*
 * Questions made of a command's options. What is wrong with an option is told on stderr; return EXIT_USAGE
 * then.
 */

/* asking_texts - each of these options that is given, as a text under its name (dashes become underscores).
 * False: no memory. */
bool asking_texts(const struct options *options, const char *const *names, json_t *request);

/* asking_flags - likewise, as true. */
bool asking_flags(const struct options *options, const char *const *names, json_t *request);

/* asking_period - "since" and "until". False: told. */
bool asking_period(const struct options *options, json_t *request);

/* asking_subject, asking_member - the option's value if it is a pseudonym, or a member id; or left out.
 * False: told. */
bool asking_subject(const struct options *options, const char *name, json_t *request);
bool asking_member(const struct options *options, const char *name, json_t *request);

/* Whom to ask: the broker of a folder on its own host, or through an agency's agent as an officer. Part of
 * the options of every command that asks. */
#define ASKING_WHOM                                                                                          \
    {"broker", "B", "folder of the running broker, on its own host", OPTION_TEXT, false},                    \
        {"agent", "D", "or folder of an agency's running agent, which carries the question", OPTION_TEXT,    \
         false},                                                                                             \
        {"as", "FILE", "with --agent: the officer's key and certificate (PKCS #12)", OPTION_TEXT, false},    \
        {"passphrase-file", "FILE", "its first line opens them (default: asked at the terminal)",            \
         OPTION_TEXT, false},                                                                                \
    {                                                                                                        \
        "now", "TIME", "sign at this time, for demonstrations", OPTION_TEXT, false                           \
    }

/* asking_run - ask whom the options name. The exit code; what went wrong is told. */
int asking_run(const struct options *options, const json_t *request, const struct ask_taker *taker);
