#include "audit/report_command.h"

#include <stdio.h>
#include <string.h>

#include "audit/asking.h"
#include "audit/report.h"
#include "audit/row.h"
#include "base/civil.h"
#include "base/clock.h"

#define BELOW_DEFAULT 5
#define NAMES_SIZE    512

const struct option_spec report_command_options[] = {
    ASKING_WHOM,
    {"since", "T", "from this date or time on", OPTION_TEXT, false},
    {"until", "T", "before this date or time", OPTION_TEXT, false},
    {"month", "YYYY-MM", "this month", OPTION_TEXT, false},
    {"member", "ID", "an agency", OPTION_TEXT, false},
    {"key", "HEX", "breach-pack: id of a sealing key", OPTION_TEXT, false},
    {"subject", "REF", "a person's pseudonym, as concordat subject prints it", OPTION_TEXT, false},
    {"hold", "RULE=WHY", "subject-access: keep what this rule disclosed from the person; again for others",
     OPTION_LIST, false},
    {"below", "N", "measures: numbers below are not shown (5)", OPTION_TEXT, false},
    {"form", "FORM", "text, json, csv or html (text)", OPTION_TEXT, false},
    {.name = NULL},
};

/* ---- what is asked ---- */

static int unknown_report(const struct options *options, const char *name)
{
    char names[NAMES_SIZE] = "";
    size_t used = 0;

    for (size_t i = 0; report_all[i] != NULL && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                                 report_all[i]->name);
    return options_fail(options, EXIT_USAGE, "there is no report '%.40s'; there are %s", name, names);
}

static int list_reports(const struct options *options)
{
    for (size_t i = 0; report_all[i] != NULL; i++)
        fprintf(options_out(options), "%-16s %s\n", report_all[i]->name, report_all[i]->help);
    return EXIT_DONE;
}

/* "2026-12" as since and until. */
static bool read_month(const char *month, char since[static CIVIL_TIME_SIZE],
                       char until[static CIVIL_TIME_SIZE])
{
    char day[CIVIL_DATE_SIZE];
    int32_t first = 0;

    if (strlen(month) != 7)
        return false;
    (void)snprintf(day, sizeof day, "%s-01", month);
    if (civil_parse_date(day, &first) != STATUS_OK)
        return false;
    civil_format_time(civil_time_of_day_start(first), since);
    civil_format_time(civil_time_of_day_start(civil_add_months(first, 1)), until);
    return true;
}

struct asked {
    struct report_options options;
    json_t *checked; /* what the options' own checks made */
    char since[CIVIL_TIME_SIZE];
    char until[CIVIL_TIME_SIZE];
    const char *holds[OPTIONS_LIST_MAX];
    enum table_form form;
};

static int read_period(const struct options *options, struct asked *asked)
{
    const char *month = options_text(options, "month");
    bool bounds = options_text(options, "since") != NULL || options_text(options, "until") != NULL;

    if (month != NULL && bounds)
        return options_fail(options, EXIT_USAGE, "--month, or --since and --until; not both");
    if (month != NULL && !read_month(month, asked->since, asked->until))
        return options_fail(options, EXIT_USAGE, "--month takes a month as 2026-12");
    asked->options.month = month;
    if (month != NULL) {
        asked->options.since = asked->since;
        asked->options.until = asked->until;
    } else {
        asked->options.since = json_string_value(json_object_get(asked->checked, "since"));
        asked->options.until = json_string_value(json_object_get(asked->checked, "until"));
    }
    return EXIT_DONE;
}

static int read_options(const struct options *options, struct asked *asked)
{
    const char *form = options_text(options, "form");

    asked->checked = json_object();
    if (asked->checked == NULL || !asking_period(options, asked->checked) ||
        !asking_subject(options, "subject", asked->checked) ||
        !asking_member(options, "member", asked->checked))
        return EXIT_USAGE;
    if (form != NULL && table_form_parse(form, &asked->form) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "--form takes text, json, csv or html");
    asked->options.below = BELOW_DEFAULT;
    if (!options_uint(options, "below", 2, 1000, &asked->options.below))
        return EXIT_USAGE;
    for (size_t i = 0; i < options_count(options, "hold"); i++) {
        asked->holds[i] = options_value(options, "hold", i);
        if (strchr(asked->holds[i], '=') == NULL)
            return options_fail(options, EXIT_USAGE, "--hold takes RULE=WHY, such as arrest=\"s.45(4)(b)\"");
    }
    asked->options.holds = asked->holds;
    asked->options.hold_count = options_count(options, "hold");
    asked->options.subject = options_text(options, "subject");
    asked->options.member = options_text(options, "member");
    asked->options.key = options_text(options, "key");
    return read_period(options, asked);
}

static int check_needs(const struct options *options, const struct report *report,
                       const struct report_options *given)
{
    if ((report->needs & REPORT_SUBJECT) != 0 && given->subject == NULL)
        return options_fail(options, EXIT_USAGE, "%s is about one person: --subject REF", report->name);
    if ((report->needs & REPORT_MONTH) != 0 && given->month == NULL)
        return options_fail(options, EXIT_USAGE, "%s is about a month: --month 2026-12", report->name);
    if ((report->needs & REPORT_RECIPIENT) != 0 && given->member == NULL && given->key == NULL)
        return options_fail(options, EXIT_USAGE,
                            "%s is about one agency or one key: --member ID or --key HEX", report->name);
    if ((report->needs & REPORT_RECIPIENT) != 0 && (given->since == NULL || given->until == NULL))
        return options_fail(options, EXIT_USAGE, "%s is about a period: --since T --until T", report->name);
    return EXIT_DONE;
}

/* ---- the passes ---- */

struct passing {
    struct report_run *run;
    const struct report_pass *pass;
};

static enum status take_row(void *context, const json_t *row)
{
    const struct passing *passing = context;

    return passing->pass->row(passing->run, row);
}

static int run_passes(const struct options *options, const struct report *report, struct report_run *run)
{
    int code = EXIT_DONE;

    for (const struct report_pass *pass = report->passes; code == EXIT_DONE && pass->verb != NULL; pass++) {
        struct passing passing = {run, pass};
        json_t *request = report_request(report, pass, run->options);
        enum status status = STATUS_OK;

        if (request == NULL)
            return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
        code = asking_run(options, request, &(struct ask_taker){take_row, &passing});
        json_decref(request);
        if (code == EXIT_DONE && pass->end != NULL)
            status = pass->end(run);
        if (status != STATUS_OK)
            return options_fail(options, EXIT_ENVIRONMENT, "the report could not be made: %s",
                                status_text(status));
    }
    return code;
}

static int make_report(const struct options *options, const struct report *report, const struct asked *asked)
{
    struct report_run run = {.options = &asked->options};
    enum status status =
        table_begin(asked->form, options_out(options), report->name, report->title, &run.page);
    int code = EXIT_DONE;

    if (status == STATUS_OK)
        status = report_begin(report, &run);
    if (status == STATUS_OK)
        code = run_passes(options, report, &run);
    else
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(status));
    report_end(report, &run);
    if (code != EXIT_DONE && run.page != NULL)
        table_broken(run.page);
    table_end(&run.page);
    return code == EXIT_DONE && run.found ? EXIT_REFUSED : code;
}

int report_command_run(const struct options *options, void *context)
{
    struct asked asked = {.form = TABLE_AS_TEXT};
    const struct report *report = report_find(options_argument(options, 0));
    int code = EXIT_DONE;

    (void)context;
    if (strcmp(options_argument(options, 0), "list") == 0)
        return list_reports(options);
    if (report == NULL)
        return unknown_report(options, options_argument(options, 0));
    code = read_options(options, &asked);
    asked.options.now = clock_now(&(struct clock){.simulated = false});
    if (code == EXIT_DONE && !options_time(options, "now", &asked.options.now))
        code = EXIT_USAGE;
    if (code == EXIT_DONE)
        code = check_needs(options, report, &asked.options);
    if (code == EXIT_DONE)
        code = make_report(options, report, &asked);
    json_decref(asked.checked);
    return code;
}
