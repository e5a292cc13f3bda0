/* concordat-protocol: check and explain a protocol file. docs/protocol-guide.md is its manual. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/options.h"
#include "base/safefile.h"
#include "base/yaml_errors.h"
#include "policy/explain.h"

#define FILE_LARGEST ((size_t)4 << 20)
#define TEXT_LARGEST ((size_t)1 << 20)

/* The two files of every command, and what is wrong with them. */
struct files {
    struct catalogue *catalogue;
    struct protocol *protocol;
};

static void close_files(struct files *files)
{
    protocol_free(&files->protocol);
    catalogue_free(&files->catalogue);
}

/* Prints what was collected, and frees it. */
static int print(const struct options *options, FILE *to, struct byte_buffer *text, int code)
{
    if (text->status != STATUS_OK)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(text->status));
    else if (text->size > 0)
        fwrite(text->data, 1, text->size, to);
    bytes_buffer_free(text);
    return code;
}

static int report(const struct options *options, enum status status, const struct yaml_errors *errors,
                  const char *path)
{
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);

    if (status == STATUS_NO_MEMORY)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    yaml_errors_write(errors, path, &text);
    return print(options, options_err(options), &text, EXIT_REFUSED);
}

static int read_file(const struct options *options, const char *path, struct byte_buffer *ret)
{
    enum status status = safefile_read(path, FILE_LARGEST, ret);

    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, status == STATUS_TOO_LARGE ? EXIT_REFUSED : EXIT_ENVIRONMENT, "%s: %s", path,
                        status_text(status));
}

static int open_catalogue(const struct options *options, struct yaml_errors *errors, struct files *files)
{
    const char *path = options_text(options, "catalogue");
    struct byte_buffer text = bytes_buffer(0);
    int code = read_file(options, path, &text);

    if (code == EXIT_DONE) {
        enum status status = catalogue_load(bytes_buffer_view(&text), errors, &files->catalogue);

        if (status != STATUS_OK)
            code = report(options, status, errors, path);
    }
    bytes_buffer_free(&text);
    return code;
}

static int open_protocol(const struct options *options, struct yaml_errors *errors, struct files *files)
{
    const char *path = options_argument(options, 0);
    struct byte_buffer text = bytes_buffer(0);
    int code = read_file(options, path, &text);

    if (code == EXIT_DONE) {
        enum status status =
            protocol_load(bytes_buffer_view(&text), files->catalogue, errors, &files->protocol);

        if (status != STATUS_OK)
            code = report(options, status, errors, path);
    }
    bytes_buffer_free(&text);
    return code;
}

static int open_files(const struct options *options, struct files *files)
{
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    int code;

    if (errors == NULL)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    code = open_catalogue(options, errors, files);
    if (code == EXIT_DONE)
        code = open_protocol(options, errors, files);
    free(errors);
    return code;
}

static int run_check(const struct options *options, void *context)
{
    struct files files = {NULL, NULL};
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    int code = open_files(options, &files);

    (void)context;
    if (code == EXIT_DONE) {
        explain_summary(files.protocol, &text);
        code = print(options, options_out(options), &text, EXIT_DONE);
    }
    close_files(&files);
    return code;
}

static int explain(const struct options *options, const struct protocol *protocol, int64_t now)
{
    const char *consents[OPTIONS_LIST_MAX];
    struct explain_question question = {.event = options_text(options, "event"),
                                        .from = options_text(options, "from"),
                                        .to = options_text(options, "to"),
                                        .consents = consents,
                                        .consent_count = options_count(options, "consent"),
                                        .area = options_text(options, "area"),
                                        .strand = options_text(options, "strand"),
                                        .home_force = options_text(options, "home-force"),
                                        .juvenile = options_flag(options, "juvenile")};
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    struct kind_reason reason = {""};
    enum status status;
    bool yes = false;

    for (size_t i = 0; i < question.consent_count; i++)
        consents[i] = options_value(options, "consent", i);
    status = explain_answer(protocol, &question, now, &yes, &text, &reason);
    if (status == STATUS_OK)
        return print(options, options_out(options), &text, yes ? EXIT_DONE : EXIT_REFUSED);
    bytes_buffer_free(&text);
    return options_fail(options, status == STATUS_NO_MEMORY ? EXIT_ENVIRONMENT : EXIT_USAGE, "%s",
                        reason.text);
}

static int run_explain(const struct options *options, void *context)
{
    struct clock clock = clock_real();
    struct files files = {NULL, NULL};
    int64_t now = clock_now(&clock);
    int code;

    (void)context;
    if (!options_time(options, "now", &now))
        return EXIT_USAGE;
    code = open_files(options, &files);
    if (code == EXIT_DONE)
        code = explain(options, files.protocol, now);
    close_files(&files);
    return code;
}

static const struct option_spec check_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec explain_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {"event", "TYPE", "event type, such as release.planned", OPTION_TEXT, true},
    {"from", "ID", "member that would send it", OPTION_TEXT, true},
    {"to", "ID", "member that would receive it", OPTION_TEXT, true},
    {"consent", "SCOPE", "a consent in force", OPTION_LIST, false},
    {"juvenile", NULL, "the person is under 18", OPTION_FLAG, false},
    {"area", "AREA", "where the person lives", OPTION_TEXT, false},
    {"strand", "STRAND", "the person's strand", OPTION_TEXT, false},
    {"home-force", "CODE", "the person's home police force", OPTION_TEXT, false},
    {"now", "TIME", "when it is asked", OPTION_TEXT, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct command commands[] = {
    {"check", "read a protocol strictly, and say what is in it", check_options, "P.yaml", 1, 1, NULL,
     run_check},
    {"explain", "may they? yes or no, and why", explain_options, "P.yaml", 1, 1, NULL, run_explain},
    {NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct program program = {
        "concordat-protocol", "check and explain an information-sharing protocol", NULL, commands};

    return options_main(&program, argc, argv, NULL);
}
