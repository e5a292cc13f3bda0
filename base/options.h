#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Command lines as const tables: a program, its commands, their options. Options are long (--dir DIR or
 * --dir=DIR), never abbreviated, and may stand before or after arguments; those of the program also before
 * the command. "--" ends the options. --help, -h, "help" and "help COMMAND" print help. What is wrong is told
 * in one line on stderr, with what to do. Serves mains alone: it prints, and it is not thread-safe
 * (getopt_long).
 */
enum options_exit {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* refused, or found something */
    EXIT_USAGE = 2,
    EXIT_ENVIRONMENT = 3, /* disk, network, permissions, memory */
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT, /* one value, once */
    OPTION_LIST, /* one value, up to OPTIONS_LIST_MAX times */
    OPTION_WORDS /* as OPTION_LIST, and it takes the plain words that follow it: --protocol A.yaml B.yaml */
};

#define OPTIONS_LIST_MAX 64 /* values of one option, and arguments of a command */
#define OPTIONS_SPEC_MAX 32 /* options of a command and its program together */

struct option_spec {
    const char *name;  /* without dashes; NULL ends a table */
    const char *value; /* what help calls the value: "DIR"; NULL for a flag */
    const char *help;
    enum option_kind kind;
    bool required;
};

struct options;

struct command {
    const char *name;                  /* NULL ends a table */
    const char *help;                  /* one line */
    const struct option_spec *options; /* or NULL */
    const char *arguments;             /* what help calls them: "FEED FILE"; NULL if it takes none */
    size_t least_arguments;
    size_t most_arguments; /* up to OPTIONS_LIST_MAX */
    const char *usage;     /* the options in help's first line; NULL: made from the table */
    int (*run)(const struct options *options, void *context); /* returns an exit code */
};

struct program {
    const char *name;
    const char *help;                  /* one line */
    const struct option_spec *options; /* of every command; or NULL */
    const struct command *commands;
};

/* options_main - what a main returns: runs the command that argv names. Also EXIT_ENVIRONMENT, with a line on
 * stderr, if what a successful command wrote to stdout could not be written. */
int options_main(const struct program *program, int argc, char **argv, void *context);

/* options_run - the same with other streams, which are borrowed and not flushed. */
int options_run(const struct program *program, int argc, char **argv, FILE *out, FILE *err, void *context);

/* What was given. A name must be in the table of the command or the program. Texts are borrowed from argv and
 * never empty. */
bool options_flag(const struct options *options, const char *name);
const char *options_text(const struct options *options, const char *name); /* NULL if not given */
size_t options_count(const struct options *options, const char *name);
const char *options_value(const struct options *options, const char *name, size_t index);
size_t options_arguments(const struct options *options);
const char *options_argument(const struct options *options, size_t index); /* NULL beyond the end */

/* options_time - a value such as 2026-12-01T09:14:46Z, or 2026-12-01 for its start, as ms since the epoch.
 * Not given: true, and *ret_time as it was. Malformed: told on err, false; return EXIT_USAGE. */
bool options_time(const struct options *options, const char *name, int64_t *ret_time);

/* options_uint - decimal digits within least and most; otherwise as options_time. */
bool options_uint(const struct options *options, const char *name, uint64_t least, uint64_t most,
                  uint64_t *ret_value);

FILE *options_out(const struct options *options);
FILE *options_err(const struct options *options);

/* options_fail - one line on err, "PROGRAM COMMAND: ..."; returns the code, for `return options_fail(...)`.
 */
int options_fail(const struct options *options, enum options_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
