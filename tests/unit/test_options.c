#include "tests/support/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"

/* What a command saw, as one line; and what was printed. */
static char seen[8192];
static char *printed_out, *printed_err;

static int run_bundle(const struct options *options, void *context)
{
    size_t size = 0;

    assert_ptr_equal(context, seen);
    size += (size_t)snprintf(seen + size, sizeof seen - size, "bundle out=%s",
                             options_text(options, "out") != NULL ? options_text(options, "out") : "-");
    for (size_t i = 0; i < options_count(options, "protocol"); i++)
        size +=
            (size_t)snprintf(seen + size, sizeof seen - size, " p=%s", options_value(options, "protocol", i));
    for (size_t i = 0; i < options_count(options, "item"); i++)
        size += (size_t)snprintf(seen + size, sizeof seen - size, " i=%s", options_value(options, "item", i));
    for (size_t i = 0; i < options_arguments(options); i++)
        size += (size_t)snprintf(seen + size, sizeof seen - size, " a=%s", options_argument(options, i));
    snprintf(seen + size, sizeof seen - size, "%s%s", options_flag(options, "json") ? " json" : "",
             options_flag(options, "verbose") ? " verbose" : "");
    assert_null(options_argument(options, options_arguments(options)));
    assert_null(options_value(options, "item", options_count(options, "item")));
    return EXIT_REFUSED;
}

static int run_run(const struct options *options, void *context)
{
    int64_t now = 7;
    uint64_t limit = 7;

    (void)context;
    if (!options_uint(options, "big", 0, UINT64_MAX, &limit) || !options_time(options, "now", &now) ||
        !options_uint(options, "limit", 1, 100, &limit))
        return EXIT_USAGE;
    fprintf(options_out(options), "%lld %llu", (long long)now, (unsigned long long)limit);
    if (limit == 99)
        return options_fail(options, EXIT_ENVIRONMENT, "limit %d is odd", 99);
    return EXIT_DONE;
}

static const struct option_spec common[] = {
    {"verbose", NULL, "say more", OPTION_FLAG, false},
    {0},
};
static const struct option_spec bundle_options[] = {
    {"out", "FILE", "where to write", OPTION_TEXT, true},
    {"protocol", "FILE", "protocol files", OPTION_WORDS, false},
    {"item", "K=V", "an item", OPTION_LIST, false},
    {"json", NULL, "for scripts", OPTION_FLAG, false},
    {0},
};
static const struct option_spec run_options[] = {
    {"now", "T", "the time", OPTION_TEXT, false},
    {"limit", "N", "a limit", OPTION_TEXT, false},
    {"big", "N", "any number", OPTION_TEXT, false},
    {0},
};
static const struct command commands[] = {
    {"bundle", "make a bundle", bundle_options, "FEED [FILE]", 1, 2, NULL, run_bundle},
    {"run", "run it", run_options, NULL, 0, 0, "[--now T [--limit N]]", run_run},
    {0},
};
static const struct program program = {"prog", "Does things.", common, commands};

/* Runs "prog" with the words of a line, parted by single spaces; ~ stands for an empty word. */
static int run(const char *line)
{
    static char name[] = "prog", empty[] = "";
    char copy[4096], *argv[600] = {name}, *rest = copy, *word;
    int argc = 1;
    size_t out_size, err_size;

    free(printed_out);
    free(printed_err);
    FILE *out = open_memstream(&printed_out, &out_size);
    FILE *err = open_memstream(&printed_err, &err_size);
    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) != NULL && line[0] != '\0')
        argv[argc++] = strcmp(word, "~") == 0 ? empty : word;
    seen[0] = '\0';
    int code = options_run(&program, argc, argv, out, err, seen);
    fclose(out);
    fclose(err);
    return code;
}

static void accept(const char *line, const char *expected)
{
    int code = run(line);

    if (code != EXIT_REFUSED || strcmp(seen, expected) != 0 || printed_err[0] != '\0')
        fail_msg("%s: exit %d, saw '%s', said '%s'", line, code, seen, printed_err);
}

static void refuse(const char *line, const char *expected)
{
    int code = run(line);

    if (code != EXIT_USAGE || strcmp(printed_err, expected) != 0 || seen[0] != '\0' || printed_out[0] != '\0')
        fail_msg("%s: exit %d, saw '%s', said '%s'", line, code, seen, printed_err);
}

static int release(void **state)
{
    (void)state;
    free(printed_out);
    free(printed_err);
    return 0;
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    accept("bundle --out x f", "bundle out=x a=f");
    accept("bundle f --out=x", "bundle out=x a=f");
    accept("bundle f --out x g --json", "bundle out=x a=f a=g json");
    accept("--verbose bundle f --out x", "bundle out=x a=f verbose");
    accept("bundle --verbose f --out x", "bundle out=x a=f verbose");
    accept("bundle --item a=1 f --item b=2 --out x --item a=1", "bundle out=x i=a=1 i=b=2 i=a=1 a=f");
    accept("bundle --out=--json -- --item", "bundle out=--json a=--item");
    accept("bundle --out x - help", "bundle out=x a=- a=help");
    accept("bundle --out -x f", "bundle out=-x a=f");
}

static void words_follow_an_option_that_takes_them(void **state)
{
    (void)state;
    accept("bundle f --protocol p q r --out x", "bundle out=x p=p p=q p=r a=f");
    accept("bundle --protocol p q --json f --out x --protocol=r", "bundle out=x p=p p=q p=r a=f json");
    accept("bundle --out x --protocol p -- f", "bundle out=x p=p a=f");
}

static void mistakes_are_told_in_one_line(void **state)
{
    (void)state;
    refuse("bundel", "prog: unknown command 'bundel'; see 'prog --help'\n");
    refuse("~", "prog: unknown command ''; see 'prog --help'\n");
    refuse("help bundel", "prog: unknown command 'bundel'; see 'prog --help'\n");
    refuse("help help", "prog: unknown command 'help'; see 'prog --help'\n");
    refuse("--out x bundle f",
           "prog: unknown option '--out' before the command; options of a command follow it; "
           "see 'prog --help'\n");
    refuse("bundle f", "prog bundle: --out FILE is missing; add it; see 'prog bundle --help'\n");
    refuse("bundle f --out", "prog bundle: --out lacks its value; see 'prog bundle --help'\n");
    refuse("bundle f --out --json", "prog bundle: --out lacks its value FILE; if '--json' is meant, write "
                                    "--out=--json; see 'prog bundle --help'\n");
    refuse("bundle f --out ~", "prog bundle: --out is empty; give it FILE; see 'prog bundle --help'\n");
    refuse("bundle f --out=", "prog bundle: --out is empty; give it FILE; see 'prog bundle --help'\n");
    refuse("bundle f --out x --out x",
           "prog bundle: --out is given twice; give it once; see 'prog bundle --help'\n");
    refuse("bundle f --json --out x --json",
           "prog bundle: --json is given twice; give it once; see 'prog bundle --help'\n");
    refuse("--verbose bundle f --out x --verbose",
           "prog bundle: --verbose is given twice; give it once; see 'prog bundle --help'\n");
    refuse("bundle f --ou x",
           "prog bundle: unknown option '--ou'; write --out in full; see 'prog bundle --help'\n");
    refuse("bundle f --ou=x",
           "prog bundle: unknown option '--ou=x'; write --out in full; see 'prog bundle --help'\n");
    refuse("bundle f --outt x", "prog bundle: unknown option '--outt'; see 'prog bundle --help'\n");
    refuse("bundle f -x", "prog bundle: unknown option '-x'; see 'prog bundle --help'\n");
    refuse("bundle f --json=1 --out x",
           "prog bundle: --json takes no value; leave it out; see 'prog bundle --help'\n");
    refuse("bundle --out x",
           "prog bundle: an argument is missing; it takes FEED [FILE]; see 'prog bundle --help'\n");
    refuse("bundle --out x a b c", "prog bundle: one argument too many, 'c'; it takes FEED [FILE]; see 'prog "
                                   "bundle --help'\n");
    refuse("run x", "prog run: unexpected argument 'x'; it takes none; see 'prog run --help'\n");
    refuse("run --now 1/12/2026",
           "prog run: --now is '1/12/2026'; write a time as 2026-12-01T09:14:46Z, or a date "
           "as 2026-12-01; see 'prog run --help'\n");
    refuse("run --limit 101",
           "prog run: --limit is '101'; write a whole number from 1 to 100; see 'prog run --help'\n");
}

static void lists_have_a_limit(void **state)
{
    (void)state;
    char line[4096] = "bundle --out x f";

    for (int i = 0; i < OPTIONS_LIST_MAX; i++)
        strcat(line, " --item a");
    assert_int_equal(run(line), EXIT_REFUSED);
    strcat(line, " --item a");
    refuse(line, "prog bundle: --item is given more than 64 times; give fewer; see 'prog bundle --help'\n");
    strcpy(line, "bundle --out x --protocol");
    for (int i = 0; i <= OPTIONS_LIST_MAX; i++)
        strcat(line, " a");
    refuse(line,
           "prog bundle: --protocol is given more than 64 times; give fewer; see 'prog bundle --help'\n");
}

static void typed_values_are_read(void **state)
{
    (void)state;
    static const char *const bad_numbers[] = {"0", "-1", "+1", "1x", "0x1", "18446744073709551617"};
    char line[64];

    assert_int_equal(run("run"), EXIT_DONE);
    assert_string_equal(printed_out, "7 7");
    assert_int_equal(run("run --now 2026-12-01T09:14:46.218Z --limit 100"), EXIT_DONE);
    assert_string_equal(printed_out, "1796116486218 100");
    assert_int_equal(run("run --now 1970-01-02"), EXIT_DONE);
    assert_string_equal(printed_out, "86400000 7");
    for (size_t i = 0; i < sizeof bad_numbers / sizeof bad_numbers[0]; i++) {
        snprintf(line, sizeof line, "run --limit %s", bad_numbers[i]);
        assert_int_equal(run(line), EXIT_USAGE);
    }
    assert_int_equal(run("run --big 18446744073709551615"), EXIT_DONE);
    assert_string_equal(printed_out, "7 18446744073709551615");
    assert_int_equal(run("run --big 18446744073709551616"), EXIT_USAGE);
    assert_int_equal(run("run --limit 99"), EXIT_ENVIRONMENT);
    assert_string_equal(printed_err, "prog run: limit 99 is odd\n");
}

static void help_is_printed_when_asked(void **state)
{
    (void)state;
    static const char general[] = "usage: prog COMMAND [OPTION]...\n\nDoes things.\n\n"
                                  "  --verbose                say more\n\nCommands:\n"
                                  "  bundle       make a bundle\n  run          run it\n\n"
                                  "'prog COMMAND --help' says more.\n";
    static const char special[] =
        "usage: prog bundle [--verbose] --out FILE [--protocol FILE]... [--item K=V]... "
        "[--json] FEED [FILE]\n\nmake a bundle\n\n"
        "  --verbose                say more\n"
        "  --out FILE               where to write\n"
        "  --protocol FILE          protocol files\n"
        "  --item K=V               an item\n"
        "  --json                   for scripts\n";
    static const char *const asks[] = {"--help", "-h", "help", "--verbose --help"};
    static const char *const asks_bundle[] = {"bundle --help", "--help bundle",   "help bundle",
                                              "bundle -h",     "bundle f --help", "help bundle f g h"};

    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        assert_int_equal(run(asks[i]), EXIT_DONE);
        assert_string_equal(printed_out, general);
    }
    for (size_t i = 0; i < sizeof asks_bundle / sizeof asks_bundle[0]; i++) {
        assert_int_equal(run(asks_bundle[i]), EXIT_DONE);
        assert_string_equal(printed_out, special);
        assert_string_equal(seen, "");
    }
    assert_int_equal(run("run --help"), EXIT_DONE);
    assert_int_equal(strncmp(printed_out, "usage: prog run [--now T [--limit N]]\n\nrun it\n", 46), 0);
    refuse("", general);
    refuse("--verbose", general);
}

static void a_full_disk_behind_stdout_is_told(void **state)
{
    (void)state;
    char name[] = "prog", command[] = "run";
    char *argv[] = {name, command, NULL};
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    int full = open("/dev/full", O_WRONLY), nowhere = open("/dev/null", O_WRONLY);

    assert_true(full >= 0 && nowhere >= 0);
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    int code = options_main(&program, 2, argv, NULL);
    clearerr(stdout);
    dup2(nowhere, STDOUT_FILENO);
    int fine = options_main(&program, 2, argv, NULL);
    fflush(stdout);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    assert_int_equal(code, EXIT_ENVIRONMENT);
    assert_int_equal(fine, EXIT_DONE);
    close(saved_out);
    close(saved_err);
    close(full);
    close(nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(words_follow_an_option_that_takes_them),
        cmocka_unit_test(mistakes_are_told_in_one_line),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(typed_values_are_read),
        cmocka_unit_test(help_is_printed_when_asked),
        cmocka_unit_test(a_full_disk_behind_stdout_is_told),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, release);
}
