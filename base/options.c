#include "base/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

enum {
    GIVEN_MAX = 256,
    VALUE_HELP = 'h',
    VALUE_WORD = 1,     /* what getopt returns for a word that is no option, when told to keep the order */
    VALUE_FIRST = 1000, /* of the options in the tables */
};

struct given {
    const struct option_spec *spec;
    const char *value;
};

struct options {
    const struct program *program;
    const struct command *command; /* NULL until it is named */
    const struct option_spec *specs[OPTIONS_SPEC_MAX];
    struct option longs[OPTIONS_SPEC_MAX + 2]; /* the specs for getopt, help, and the end */
    size_t spec_count;
    struct given given[GIVEN_MAX];
    size_t given_count;
    const char *arguments[OPTIONS_LIST_MAX];
    size_t argument_count;
    const struct option_spec *words; /* the option that takes plain words now */
    bool help;
    FILE *out;
    FILE *err;
};

static void print_name(const struct options *options, FILE *file)
{
    fprintf(file, "%s%s%s", options->program->name, options->command != NULL ? " " : "",
            options->command != NULL ? options->command->name : "");
}

/* A mistake in the command line: what, and where to read on. Always false. */
__attribute__((format(printf, 2, 3))) static bool misuse(const struct options *options, const char *format,
                                                         ...)
{
    va_list arguments;

    print_name(options, options->err);
    fputs(": ", options->err);
    va_start(arguments, format);
    vfprintf(options->err, format, arguments);
    va_end(arguments);
    fputs("; see '", options->err);
    print_name(options, options->err);
    fputs(" --help'\n", options->err);
    return false;
}

static const struct option_spec *find_spec(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->spec_count; i++) {
        if (strcmp(options->specs[i]->name, name) == 0)
            return options->specs[i];
    }
    return NULL;
}

static void add_specs(struct options *options, const struct option_spec *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        assert(options->spec_count < OPTIONS_SPEC_MAX && find_spec(options, table->name) == NULL);
        assert(strcmp(table->name, "help") != 0 && (table->kind == OPTION_FLAG) == (table->value == NULL));
        options->longs[options->spec_count] = (struct option){
            .name = table->name,
            .has_arg = table->kind == OPTION_FLAG ? no_argument : required_argument,
            .val = VALUE_FIRST + (int)options->spec_count,
        };
        options->specs[options->spec_count++] = table;
    }
    options->longs[options->spec_count] = (struct option){.name = "help", .val = VALUE_HELP};
    options->longs[options->spec_count + 1] = (struct option){.name = NULL};
}

static bool choose_command(struct options *options, const char *name)
{
    for (const struct command *command = options->program->commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            assert(command->most_arguments <= OPTIONS_LIST_MAX);
            options->command = command;
            add_specs(options, command->options);
            return true;
        }
    }
    if (strcmp(name, "help") != 0 || options->help)
        return misuse(options, "unknown command '%s'", name);
    options->help = true;
    return true;
}

static bool give(struct options *options, const struct option_spec *spec, const char *value)
{
    size_t before = options_count(options, spec->name);

    if (before > 0 && (spec->kind == OPTION_TEXT || spec->kind == OPTION_FLAG))
        return misuse(options, "--%s is given twice; give it once", spec->name);
    if (before == OPTIONS_LIST_MAX || options->given_count == GIVEN_MAX)
        return misuse(options, "--%s is given more than %d times; give fewer", spec->name, (int)before);
    if (value != NULL && value[0] == '\0')
        return misuse(options, "--%s is empty; give it %s", spec->name, spec->value);
    options->given[options->given_count++] = (struct given){spec, value};
    return true;
}

static bool take_word(struct options *options, const char *word)
{
    if (options->command == NULL)
        return choose_command(options, word);
    if (options->words != NULL)
        return give(options, options->words, word);
    if (options->help) /* help COMMAND needs no more */
        return true;
    if (options->command->most_arguments == 0)
        return misuse(options, "unexpected argument '%s'; it takes none", word);
    if (options->argument_count == options->command->most_arguments)
        return misuse(options, "one argument too many, '%s'; it takes %s", word, options->command->arguments);
    options->arguments[options->argument_count++] = word;
    return true;
}

/* getopt takes any beginning of a name that is unambiguous today; scripts must not come to rely on that. */
static bool is_whole_name(const char *word, const char *name)
{
    size_t length = strlen(name);

    return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, length) == 0 &&
           (word[2 + length] == '\0' || word[2 + length] == '=');
}

static bool take_option(struct options *options, const char *word, const struct option_spec *spec,
                        const char *value)
{
    if (!is_whole_name(word, spec->name))
        return misuse(options, "unknown option '%s'; write --%s in full", word, spec->name);
    bool apart = strchr(word, '=') == NULL;
    if (value != NULL && apart && strncmp(value, "--", 2) == 0)
        return misuse(options, "--%s lacks its value %s; if '%s' is meant, write --%s=%s", spec->name,
                      spec->value, value, spec->name, value);
    options->words = spec->kind == OPTION_WORDS ? spec : NULL;
    return give(options, spec, value);
}

/* What getopt could not take: an option it does not know, or a value for one that has none. */
static bool explain_unknown(const struct options *options, const char *word)
{
    for (size_t i = 0; i < options->spec_count; i++) {
        if (is_whole_name(word, options->specs[i]->name))
            return misuse(options, "--%s takes no value; leave it out", options->specs[i]->name);
    }
    if (options->command == NULL)
        return misuse(options, "unknown option '%s' before the command; options of a command follow it",
                      word);
    return misuse(options, "unknown option '%s'", word);
}

static bool parse(struct options *options, int argc, char **argv)
{
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        int at = optind == 0 ? 1 : optind;
        int value = getopt_long(argc, argv, "-:h", options->longs, NULL);
        bool fine = true;

        if (value == -1)
            break;
        if (value == VALUE_WORD)
            fine = take_word(options, optarg);
        else if (value == VALUE_HELP)
            options->help = true;
        else if (value == ':')
            fine = misuse(options, "%s lacks its value", argv[at]);
        else if (value >= VALUE_FIRST)
            fine = take_option(options, argv[at], options->specs[value - VALUE_FIRST], optarg);
        else
            fine = explain_unknown(options, argv[at]);
        if (!fine)
            return false;
    }
    options->words = NULL;
    for (int at = optind; at < argc; at++) {
        if (!take_word(options, argv[at]))
            return false;
    }
    return true;
}

static bool check_complete(const struct options *options)
{
    const struct command *command = options->command;

    for (size_t i = 0; i < options->spec_count; i++) {
        const struct option_spec *spec = options->specs[i];
        if (spec->required && options_count(options, spec->name) == 0)
            return misuse(options, "--%s %s is missing; add it", spec->name, spec->value);
    }
    if (options->argument_count < command->least_arguments)
        return misuse(options, "an argument is missing; it takes %s", command->arguments);
    return true;
}

static void print_synopsis(const struct options *options, FILE *file)
{
    const struct command *command = options->command;

    for (size_t i = 0; i < options->spec_count && command->usage == NULL; i++) {
        const struct option_spec *spec = options->specs[i];
        bool many = spec->kind == OPTION_LIST || spec->kind == OPTION_WORDS;
        fprintf(file, " %s--%s%s%s%s%s", spec->required ? "" : "[", spec->name,
                spec->value != NULL ? " " : "", spec->value != NULL ? spec->value : "",
                spec->required ? "" : "]", many ? "..." : "");
    }
    if (command->usage != NULL)
        fprintf(file, " %s", command->usage);
    if (command->arguments != NULL)
        fprintf(file, " %s", command->arguments);
}

static void print_specs(const struct options *options, FILE *file)
{
    char left[64];

    for (size_t i = 0; i < options->spec_count; i++) {
        const struct option_spec *spec = options->specs[i];
        snprintf(left, sizeof left, "--%s%s%s", spec->name, spec->value != NULL ? " " : "",
                 spec->value != NULL ? spec->value : "");
        fprintf(file, "%s  %-24s %s\n", i == 0 ? "\n" : "", left, spec->help);
    }
}

static void print_help(const struct options *options, FILE *file)
{
    const struct program *program = options->program;

    if (options->command != NULL) {
        fprintf(file, "usage: %s %s", program->name, options->command->name);
        print_synopsis(options, file);
        fprintf(file, "\n\n%s\n", options->command->help);
        print_specs(options, file);
        return;
    }
    fprintf(file, "usage: %s COMMAND [OPTION]...\n\n%s\n", program->name, program->help);
    print_specs(options, file);
    fputs("\nCommands:\n", file);
    for (const struct command *command = program->commands; command->name != NULL; command++)
        fprintf(file, "  %-12s %s\n", command->name, command->help);
    fprintf(file, "\n'%s COMMAND --help' says more.\n", program->name);
}

int options_run(const struct program *program, int argc, char **argv, FILE *out, FILE *err, void *context)
{
    struct options options = {.program = program, .out = out, .err = err};

    add_specs(&options, program->options);
    if (!parse(&options, argc, argv))
        return EXIT_USAGE;
    if (options.help) {
        print_help(&options, out);
        return EXIT_DONE;
    }
    if (options.command == NULL) {
        print_help(&options, err);
        return EXIT_USAGE;
    }
    if (!check_complete(&options))
        return EXIT_USAGE;
    return options.command->run(&options, context);
}

int options_main(const struct program *program, int argc, char **argv, void *context)
{
    int code = options_run(program, argc, argv, stdout, stderr, context);
    bool written = fflush(stdout) == 0 && !ferror(stdout);

    if (code != EXIT_DONE || written)
        return code;
    fprintf(stderr, "%s: writing to standard output failed: %s\n", program->name, strerror(errno));
    return EXIT_ENVIRONMENT;
}

bool options_flag(const struct options *options, const char *name)
{
    return options_count(options, name) > 0;
}

const char *options_text(const struct options *options, const char *name)
{
    return options_value(options, name, 0);
}

size_t options_count(const struct options *options, const char *name)
{
    const struct option_spec *spec = find_spec(options, name);
    size_t count = 0;

    assert(spec != NULL);
    for (size_t i = 0; i < options->given_count; i++)
        count += options->given[i].spec == spec;
    return count;
}

const char *options_value(const struct options *options, const char *name, size_t index)
{
    const struct option_spec *spec = find_spec(options, name);

    assert(spec != NULL && spec->kind != OPTION_FLAG);
    for (size_t i = 0; i < options->given_count; i++) {
        if (options->given[i].spec == spec && index-- == 0)
            return options->given[i].value;
    }
    return NULL;
}

size_t options_arguments(const struct options *options)
{
    return options->argument_count;
}

const char *options_argument(const struct options *options, size_t index)
{
    return index < options->argument_count ? options->arguments[index] : NULL;
}

bool options_time(const struct options *options, const char *name, int64_t *ret_time)
{
    const char *text = options_text(options, name);
    int32_t date;

    if (text == NULL || civil_parse_time(text, ret_time) == STATUS_OK)
        return true;
    if (civil_parse_date(text, &date) != STATUS_OK)
        return misuse(options, "--%s is '%s'; write a time as 2026-12-01T09:14:46Z, or a date as 2026-12-01",
                      name, text);
    *ret_time = civil_time_of_day_start(date);
    return true;
}

bool options_uint(const struct options *options, const char *name, uint64_t least, uint64_t most,
                  uint64_t *ret_value)
{
    const char *text = options_text(options, name);

    if (text == NULL)
        return true;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    bool digits = text[strspn(text, "0123456789")] == '\0'; /* texts are never empty */
    if (!digits || errno != 0 || value < least || value > most)
        return misuse(options, "--%s is '%s'; write a whole number from %" PRIu64 " to %" PRIu64, name, text,
                      least, most);
    *ret_value = value;
    return true;
}

FILE *options_out(const struct options *options)
{
    return options->out;
}

FILE *options_err(const struct options *options)
{
    return options->err;
}

int options_fail(const struct options *options, enum options_exit code, const char *format, ...)
{
    va_list arguments;

    print_name(options, options->err);
    fputs(": ", options->err);
    va_start(arguments, format);
    vfprintf(options->err, format, arguments);
    va_end(arguments);
    fputc('\n', options->err);
    return (int)code;
}
