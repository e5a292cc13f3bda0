/* concordat-protocol: check, test and explain a protocol file. docs/protocol-guide.md is its manual. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/options.h"
#include "base/safefile.h"
#include "policy/checking.h"
#include "policy/compare.h"
#include "policy/coverage.h"
#include "policy/draft.h"
#include "policy/explain.h"
#include "policy/files.h"
#include "policy/matrix.h"
#include "policy/replaying.h"

#define TEXT_LARGEST ((size_t)8 << 20)

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

/* A file that is wrong is refused; one that cannot be read is the environment's. */
static int tell(const struct options *options, enum status status, struct byte_buffer *told)
{
    bool refused = status == STATUS_BAD_FORMAT || status == STATUS_TOO_LARGE;

    return print(options, options_err(options), told, refused ? EXIT_REFUSED : EXIT_ENVIRONMENT);
}

static int open_pair(const struct options *options, const char *catalogue, const char *protocol,
                     struct files *files)
{
    struct byte_buffer told = bytes_buffer(TEXT_LARGEST);
    enum status status = files_open(catalogue, protocol, files, &told);

    if (status != STATUS_OK)
        return tell(options, status, &told);
    bytes_buffer_free(&told);
    return EXIT_DONE;
}

static int open_files(const struct options *options, struct files *files)
{
    return open_pair(options, options_text(options, "catalogue"), options_argument(options, 0), files);
}

/* Warnings, which --strict turns into a failure. */
static int warn(const struct options *options, const struct files *files)
{
    struct byte_buffer told = bytes_buffer(TEXT_LARGEST);
    size_t count = 0;
    enum status status =
        checking_warnings(files, options_text(options, "catalogue"), options_argument(options, 0),
                          options_text(options, "partners"), &told, &count);

    if (status != STATUS_OK)
        return tell(options, status, &told);
    return print(options, options_err(options), &told,
                 count > 0 && options_flag(options, "strict") ? EXIT_REFUSED : EXIT_DONE);
}

static int run_check(const struct options *options, void *context)
{
    struct files files = {.catalogue = NULL};
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    int code = open_files(options, &files);

    (void)context;
    if (code == EXIT_DONE) {
        explain_summary(files.protocol, &text);
        code = print(options, options_out(options), &text, EXIT_DONE);
        if (code == EXIT_DONE)
            code = warn(options, &files);
    }
    files_close(&files);
    return code;
}

static int explain(const struct options *options, const struct protocol *protocol, int64_t now)
{
    const char *consents[OPTIONS_LIST_MAX];
    struct explain_question question = {.event = options_text(options, "event"),
                                        .from = options_text(options, "from"),
                                        .to = options_text(options, "to"),
                                        .item = options_text(options, "item"),
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
    struct files files = {.catalogue = NULL};
    int64_t now = clock_now(&clock);
    int code;

    (void)context;
    if (!options_time(options, "now", &now))
        return EXIT_USAGE;
    code = open_files(options, &files);
    if (code == EXIT_DONE)
        code = explain(options, files.protocol, now);
    files_close(&files);
    return code;
}

/* Checks every case; `told` gets what failed. */
static bool check_cases(const struct cases *cases, const char *path, struct policy_decision *decision,
                        struct coverage *coverage, struct byte_buffer *told)
{
    struct byte_buffer differences = bytes_buffer(TEXT_LARGEST);
    unsigned failed = 0;

    for (uint16_t i = 0; i < cases->count; i++) {
        const struct cases_case *it = &cases->list[i];

        bytes_buffer_clear(&differences);
        if (!cases_check(cases->protocol, it, decision, &differences)) {
            bytes_append_format(told, "%s:%u:%u: failed: %s\n", path, it->line, it->column, it->name);
            bytes_append_view(told, bytes_buffer_view(&differences));
            failed++;
        }
        coverage_add(coverage, &it->request, decision);
    }
    bytes_append_format(told, "%u of %u cases hold.\n", cases->count - failed, cases->count);
    bytes_buffer_free(&differences);
    return failed == 0;
}

static int test(const struct options *options, const struct cases *cases)
{
    struct policy_decision *decision = malloc(sizeof *decision);
    struct coverage *coverage = coverage_new(cases->protocol);
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    int code = EXIT_DONE;

    if (decision == NULL || coverage == NULL) {
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
        goto out;
    }
    if (!check_cases(cases, options_argument(options, 0), decision, coverage, &text))
        code = EXIT_REFUSED;
    coverage_write(coverage, !options_flag(options, "brief"), &text);
    if (options_flag(options, "strict")) {
        struct coverage_summary summary = coverage_sum(coverage);

        if (!coverage_complete(&summary))
            code = EXIT_REFUSED;
    }
    code = print(options, options_out(options), &text, code);
out:
    bytes_buffer_free(&text);
    coverage_free(&coverage);
    free(decision);
    return code;
}

static int run_test(const struct options *options, void *context)
{
    struct byte_buffer told = bytes_buffer(TEXT_LARGEST);
    struct files files = {.catalogue = NULL};
    struct cases *cases = NULL;
    enum status status = files_open_cases(options_argument(options, 0), &files, &cases, &told);
    int code;

    (void)context;
    if (status != STATUS_OK)
        return tell(options, status, &told);
    bytes_buffer_free(&told);
    code = test(options, cases);
    cases_free(&cases);
    files_close(&files);
    return code;
}

/* text unless --csv or --html */
static bool form_of(const struct options *options, bool has_csv, enum paper_form *ret_form)
{
    bool html = options_flag(options, "html"), csv = has_csv && options_flag(options, "csv");

    *ret_form = html ? PAPER_HTML : csv ? PAPER_CSV : PAPER_TEXT;
    return !(html && csv);
}

typedef enum status (*write_paper)(const struct protocol *protocol, const struct digest *digest,
                                   enum paper_form form, struct byte_buffer *ret);

static int run_paper(const struct options *options, write_paper write, bool has_csv)
{
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    struct files files = {.catalogue = NULL};
    enum paper_form form;
    int code;

    if (!form_of(options, has_csv, &form))
        return options_fail(options, EXIT_USAGE, "--csv and --html exclude each other; give one");
    code = open_files(options, &files);
    if (code == EXIT_DONE) {
        enum status status = write(files.protocol, &files.digest, form, &text);

        if (text.status == STATUS_OK)
            text.status = status;
        code = print(options, options_out(options), &text, EXIT_DONE);
    }
    files_close(&files);
    return code;
}

static int run_matrix(const struct options *options, void *context)
{
    (void)context;
    return run_paper(options, matrix_write, true);
}

static int run_ropa(const struct options *options, void *context)
{
    (void)context;
    return run_paper(options, draft_ropa, false);
}

static int run_dpia(const struct options *options, void *context)
{
    (void)context;
    return run_paper(options, draft_dpia, false);
}

/* One line of past traffic. */
static int replay_line(const struct options *options, struct replaying *replaying, struct byte_view line,
                       uint64_t number)
{
    const char *path = options_text(options, "replay");
    struct kind_reason reason = {""};
    struct replay *replay = NULL;
    enum status status = replay_read(line, &replay, &reason);

    if (status != STATUS_OK)
        return options_fail(options, status == STATUS_NO_MEMORY ? EXIT_ENVIRONMENT : EXIT_REFUSED,
                            "%s:%" PRIu64 ": %s", path, number, reason.text);
    status = replaying_add(replaying, replay, number);
    replay_free(&replay);
    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, EXIT_ENVIRONMENT, "%s:%" PRIu64 ": %s", path, number, status_text(status));
}

static int replay_lines(const struct options *options, struct replaying *replaying, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    uint64_t number = 0;
    ssize_t size;
    int code = EXIT_DONE;

    while (code == EXIT_DONE && (size = getline(&line, &capacity, file)) > 0) {
        size_t length = (size_t)size;

        if (line[length - 1] == '\n')
            length--;
        code = replay_line(options, replaying, bytes_view(line, length), ++number);
    }
    if (code == EXIT_DONE && ferror(file))
        code = options_fail(options, EXIT_ENVIRONMENT, "%s: %s", options_text(options, "replay"),
                            strerror(errno));
    free(line);
    return code;
}

/* Past traffic under both versions; appends to text. */
static int replay(const struct options *options, const struct files *before, const struct files *after,
                  struct byte_buffer *text, bool *ret_changes)
{
    const char *path = options_text(options, "replay");
    struct replaying *replaying = NULL;
    FILE *file = fopen(path, "re");
    int code;

    if (file == NULL)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, strerror(errno));
    replaying = replaying_new(before->protocol, after->protocol);
    if (replaying == NULL)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    else
        code = replay_lines(options, replaying, file);
    if (code == EXIT_DONE && replaying_write(replaying, text) > 0)
        *ret_changes = true;
    replaying_free(&replaying);
    fclose(file);
    return code;
}

static int compare(const struct options *options, const struct files *before, const struct files *after)
{
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST);
    size_t changes = 0;
    enum status status = compare_write(before->protocol, after->protocol, &text, &changes);
    bool differs = changes > 0;
    int code = EXIT_DONE;

    if (text.status == STATUS_OK)
        text.status = status;
    if (options_text(options, "replay") != NULL)
        code = replay(options, before, after, &text, &differs);
    if (code == EXIT_DONE)
        return print(options, options_out(options), &text, differs ? EXIT_REFUSED : EXIT_DONE);
    bytes_buffer_free(&text);
    return code;
}

/* The catalogue of one side: its own, or the one for both. */
static const char *catalogue_of(const struct options *options, const char *own)
{
    return options_text(options, own) != NULL ? options_text(options, own)
                                              : options_text(options, "catalogue");
}

static int run_compare(const struct options *options, void *context)
{
    const char *first = catalogue_of(options, "catalogue-old"),
               *second = catalogue_of(options, "catalogue-new");
    struct files before = {.catalogue = NULL}, after = {.catalogue = NULL};
    int code;

    (void)context;
    if (first == NULL || second == NULL)
        return options_fail(options, EXIT_USAGE,
                            "no catalogue for %s; give --catalogue, or --catalogue-old and --catalogue-new",
                            options_argument(options, first == NULL ? 0 : 1));
    code = open_pair(options, first, options_argument(options, 0), &before);
    if (code == EXIT_DONE)
        code = open_pair(options, second, options_argument(options, 1), &after);
    if (code == EXIT_DONE)
        code = compare(options, &before, &after);
    files_close(&after);
    files_close(&before);
    return code;
}

static int write_merged(const struct options *options, struct byte_buffer *text)
{
    const char *path = options_text(options, "out");
    enum status status;

    if (path == NULL)
        return print(options, options_out(options), text, EXIT_DONE);
    status = safefile_write(path, bytes_buffer_view(text), 0644);
    bytes_buffer_free(text);
    return status == STATUS_OK ? EXIT_DONE
                               : options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
}

static int run_merge(const struct options *options, void *context)
{
    struct byte_buffer text = bytes_buffer(TEXT_LARGEST), told = bytes_buffer(TEXT_LARGEST);
    enum status status = checking_merge(options_text(options, "catalogue"), options_argument(options, 0),
                                        options_argument(options, 1), &text, &told);

    (void)context;
    if (status != STATUS_OK) {
        bytes_buffer_free(&text);
        return tell(options, status, &told);
    }
    bytes_buffer_free(&told);
    return write_merged(options, &text);
}

static const struct option_spec merge_options[] = {
    {"catalogue", "FILE", "the catalogue that both are written against", OPTION_TEXT, true},
    {"out", "FILE", "where to write it; otherwise it is printed", OPTION_TEXT, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec check_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {"partners", "FILE", "the table of partners and leads, to compare it with", OPTION_TEXT, false},
    {"strict", NULL, "fail also if there are warnings", OPTION_FLAG, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec explain_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {"event", "TYPE", "event type, such as release.planned", OPTION_TEXT, true},
    {"from", "ID", "member that would send it", OPTION_TEXT, true},
    {"to", "ID", "member that would receive it; without it, everybody", OPTION_TEXT, false},
    {"item", "LABEL", "an item that they would receive with it", OPTION_TEXT, false},
    {"consent", "SCOPE", "a consent in force", OPTION_LIST, false},
    {"juvenile", NULL, "the person is under 18", OPTION_FLAG, false},
    {"area", "AREA", "where the person lives", OPTION_TEXT, false},
    {"strand", "STRAND", "the person's strand", OPTION_TEXT, false},
    {"home-force", "CODE", "the person's home police force", OPTION_TEXT, false},
    {"now", "TIME", "when it is asked", OPTION_TEXT, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec test_options[] = {
    {"brief", NULL, "of what the cases cover, tell only what is missing", OPTION_FLAG, false},
    {"strict", NULL, "fail also if something is not covered", OPTION_FLAG, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec matrix_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {"csv", NULL, "for a spreadsheet", OPTION_FLAG, false},
    {"html", NULL, "one page to print and sign", OPTION_FLAG, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec draft_options[] = {
    {"catalogue", "FILE", "the catalogue that the protocol is written against", OPTION_TEXT, true},
    {"html", NULL, "one page to print", OPTION_FLAG, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct option_spec compare_options[] = {
    {"catalogue", "FILE", "the catalogue of both", OPTION_TEXT, false},
    {"catalogue-old", "FILE", "the catalogue of the first", OPTION_TEXT, false},
    {"catalogue-new", "FILE", "the catalogue of the second", OPTION_TEXT, false},
    {"replay", "FILE", "past traffic to decide under both", OPTION_TEXT, false},
    {NULL, NULL, NULL, OPTION_FLAG, false},
};

static const struct command commands[] = {
    {"check", "read a protocol strictly, and say what is in it", check_options, "P.yaml", 1, 1, NULL,
     run_check},
    {"merge", "the whole protocol that an overlay makes of its base", merge_options, "BASE.yaml OVERLAY.yaml",
     2, 2, NULL, run_merge},
    {"explain", "may they? yes or no, and why", explain_options, "P.yaml", 1, 1, NULL, run_explain},
    {"test", "try the cases that are written beside a protocol", test_options, "FILE.cases.yaml", 1, 1, NULL,
     run_test},
    {"matrix", "who gets which items of which event from whom, as a table to sign", matrix_options, "P.yaml",
     1, 1, NULL, run_matrix},
    {"ropa", "draft the entry for the record of processing activities", draft_options, "P.yaml", 1, 1, NULL,
     run_ropa},
    {"dpia", "draft the impact assessment", draft_options, "P.yaml", 1, 1, NULL, run_dpia},
    {"compare", "what a newer version changes, in plain English", compare_options, "OLD.yaml NEW.yaml", 2, 2,
     NULL, run_compare},
    {NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct program program = {
        "concordat-protocol", "check, test and explain an information-sharing protocol", NULL, commands};

    return options_main(&program, argc, argv, NULL);
}
