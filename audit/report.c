#include "audit/report.h"

#include <stdlib.h>
#include <string.h>

#include "audit/reports.h"
#include "audit/row.h"
#include "base/civil.h"

const struct report *const report_all[] = {
    &report_disclosures,
    &report_refusals,
    &report_late,
    &report_consents,
    &report_corrections,
    &report_juveniles,
    &report_overrides,
    &report_retention,
    &report_unusual,
    &report_ropa,
    &report_subject_access,
    &report_breach_pack,
    &report_digest,
    &report_executive,
    &report_quarterly,
    &report_measures,
    NULL,
};

const struct report *report_find(const char *name)
{
    for (size_t i = 0; report_all[i] != NULL; i++) {
        if (strcmp(report_all[i]->name, name) == 0)
            return report_all[i];
    }
    return NULL;
}

static void fact(struct report_run *run, const char *key, const char *text)
{
    if (text != NULL)
        table_fact(run->page, key, text);
}

static void time_fact(struct report_run *run, const char *key, const char *time, const char *otherwise)
{
    char when[ROW_WHEN_SIZE];

    row_when(time == NULL ? otherwise : time, when);
    table_fact(run->page, key, when);
}

enum status report_begin(const struct report *report, struct report_run *run)
{
    char made[CIVIL_TIME_SIZE];

    civil_format_time(run->options->now, made);
    time_fact(run, "Made", made, NULL);
    fact(run, "Month", run->options->month);
    time_fact(run, "From", run->options->since, "the beginning");
    time_fact(run, "Before", run->options->until, "now");
    fact(run, "Person", run->options->subject);
    fact(run, "Agency", run->options->member);
    fact(run, "Sealing key", run->options->key);
    run->state = calloc(1, report->state_size == 0 ? 1 : report->state_size);
    if (run->state == NULL)
        return STATUS_NO_MEMORY;
    return report->start == NULL ? STATUS_OK : report->start(run);
}

void report_end(const struct report *report, struct report_run *run)
{
    if (run->state != NULL && report->drop != NULL)
        report->drop(run);
    free(run->state);
    run->state = NULL;
}

static bool put(json_t *request, const char *key, const char *text)
{
    return text == NULL || json_object_set_new(request, key, json_string(text)) == 0;
}

static bool put_list(json_t *request, const char *key, const char *const *words)
{
    json_t *list;

    if (words == NULL)
        return true;
    list = json_array();
    if (json_object_set_new(request, key, list) != 0)
        return false;
    for (; *words != NULL; words++) {
        if (json_array_append_new(list, json_string(*words)) != 0)
            return false;
    }
    return true;
}

/* The protocols are those in force now. */
static bool put_period(json_t *request, const struct report_pass *pass, const struct report_options *options)
{
    return strcmp(pass->verb, "protocols") == 0 ||
           (put(request, "since", pass->from_start ? NULL : options->since) &&
            put(request, "until", pass->open_end ? NULL : options->until));
}

json_t *report_request(const struct report *report, const struct report_pass *pass,
                       const struct report_options *options)
{
    json_t *request = json_pack("{s:s, s:s}", "do", pass->verb, "report", report->name);
    bool search = strcmp(pass->verb, "search") == 0;
    bool good = request != NULL && put_period(request, pass, options);

    if (good && search)
        good = put_list(request, "kinds", pass->kinds) && put_list(request, "fields", pass->fields) &&
               put(request, "subject", options->subject) &&
               put(request, pass->member == NULL ? "member" : pass->member, options->member) &&
               put(request, "key", pass->no_key ? NULL : options->key) &&
               (pass->flag == NULL || json_object_set_new(request, pass->flag, json_true()) == 0);
    if (good)
        return request;
    json_decref(request);
    return NULL;
}
