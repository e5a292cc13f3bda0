#include "audit/explain_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/asking.h"
#include "audit/explanation.h"

const struct option_spec explain_command_options[] = {
    ASKING_WHOM,
    {"form", "FORM", "text, json, csv or html (text)", OPTION_TEXT, false},
    {.name = NULL},
};

static enum status take(void *context, const json_t *object)
{
    return explanation_take(context, object);
}

static bool read_entry(const char *text, json_int_t *ret_entry)
{
    char *end = NULL;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret_entry = strtoll(text, &end, 10);
    return errno == 0;
}

static int write_page(const struct options *options, const struct explanation *explanation,
                      enum table_form form, const char *entry)
{
    struct table_page *page = NULL;
    char title[64];
    bool agrees = true;

    (void)snprintf(title, sizeof title, "Entry %.20s of the log", entry);
    if (table_begin(form, options_out(options), "explain", title, &page) != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    explanation_write(explanation, page, &agrees);
    table_end(&page);
    return agrees ? EXIT_DONE : EXIT_REFUSED;
}

int explain_command_run(const struct options *options, void *context)
{
    struct explanation *explanation = NULL;
    enum table_form form = TABLE_AS_TEXT;
    json_int_t entry = 0;
    json_t *request;
    int code;

    (void)context;
    if (!read_entry(options_argument(options, 0), &entry))
        return options_fail(options, EXIT_USAGE,
                            "'%.40s' is no index of an entry; concordat-audit search shows them",
                            options_argument(options, 0));
    if (options_text(options, "form") != NULL &&
        table_form_parse(options_text(options, "form"), &form) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "--form takes text, json, csv or html");
    request = json_pack("{s:s, s:I}", "do", "explain", "entry", entry);
    if (request == NULL || explanation_new(&explanation) != STATUS_OK) {
        json_decref(request);
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    }
    code = asking_run(options, request, &(struct ask_taker){take, explanation});
    if (code == EXIT_DONE)
        code = write_page(options, explanation, form, options_argument(options, 0));
    explanation_free(&explanation);
    json_decref(request);
    return code;
}
