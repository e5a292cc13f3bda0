#include "audit/row.h"

#include <inttypes.h>
#include <string.h>

#include "audit/csv.h"
#include "base/civil.h"

#define LIST_SIZE 16384

const char *row_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text == NULL || text[0] == '\0' ? NULL : text;
}

const char *row_or(const json_t *row, const char *key, const char *otherwise)
{
    const char *text = row_text(row, key);

    return text == NULL ? otherwise : text;
}

uint64_t row_number(const json_t *row, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(row, key));

    return value < 0 ? 0 : (uint64_t)value;
}

bool row_flag(const json_t *row, const char *flag)
{
    const json_t *flags = json_object_get(row, "flags");

    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *text = json_string_value(json_array_get(flags, i));
        if (text != NULL && strcmp(text, flag) == 0)
            return true;
    }
    return false;
}

bool row_is(const json_t *row, const char *key, const char *text)
{
    const char *value = row_text(row, key);

    return value != NULL && strcmp(value, text) == 0;
}

int64_t row_time(const json_t *row, const char *key)
{
    const char *text = row_text(row, key);
    int64_t time = 0;

    return text != NULL && civil_parse_time(text, &time) == STATUS_OK ? time : INT64_MIN;
}

void row_list(const json_t *row, const char *key, char *out, size_t size)
{
    const json_t *list = json_object_get(row, key);
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && used + 1 < size; i++) {
        const json_t *item = json_array_get(list, i);
        const char *before = used == 0 ? "" : ", ";
        int length = json_is_integer(item) ? snprintf(out + used, size - used, "%s%" JSON_INTEGER_FORMAT,
                                                      before, json_integer_value(item))
                                           : snprintf(out + used, size - used, "%s%s", before,
                                                      json_is_string(item) ? json_string_value(item) : "-");
        if (length > 0)
            used += (size_t)length;
    }
}

void row_when(const char *time, char out[static ROW_WHEN_SIZE])
{
    if (strlen(time) == 24 && time[10] == 'T')
        (void)snprintf(out, ROW_WHEN_SIZE, "%.10s %.8sZ", time, time + 11);
    else
        (void)snprintf(out, ROW_WHEN_SIZE, "%.30s", time);
}

void row_person(const json_t *row, char out[static ROW_PERSON_SIZE])
{
    const char *subject = row_or(row, "subject", "-");
    const char *dash = strchr(subject, '-');
    int epoch = dash == NULL ? 0 : (int)(dash - subject);

    (void)snprintf(out, ROW_PERSON_SIZE, "%.*s", epoch > 9 ? 13 : epoch + 13, subject);
}

/* ---- a line ---- */

static void print_list(FILE *out, const char *before, const json_t *row, const char *key, const char *after)
{
    char text[LIST_SIZE];

    row_list(row, key, text, sizeof text);
    if (text[0] != '\0')
        fprintf(out, "%s%s%s", before, text, after);
}

void row_print(FILE *out, const json_t *row)
{
    const char *reason = row_text(row, "reason");
    const char *subject = row_text(row, "subject");
    const char *asked = row_text(row, "asked");
    const char *officer = row_text(row, "officer");
    char when[ROW_WHEN_SIZE];

    row_when(row_or(row, "time", "-"), when);
    fprintf(out, "%8" PRIu64 "  %-20s", row_number(row, "index"), when);
    fprintf(out, "  %-13s  %-24s -> %-24s  %-24s  %-20s", row_or(row, "kind", "-"), row_or(row, "from", "-"),
            row_or(row, "to", "-"), row_or(row, "type", "-"), row_or(row, "rule", "-"));
    print_list(out, "  [", row, "labels", "]");
    if (reason != NULL)
        fprintf(out, "  \"%s\"", reason);
    if (asked != NULL)
        fprintf(out, "  \"%s\"", asked);
    print_list(out, "  (", row, "flags", ")");
    if (subject != NULL)
        fprintf(out, "  about %.12s...", subject);
    if (officer != NULL)
        fprintf(out, "  by %s", officer);
    fputc('\n', out);
}

void row_print_json(FILE *out, const json_t *row)
{
    (void)json_dumpf(row, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', out);
}

/* ---- CSV ---- */

static const char *const columns[] = {"index",    "time",    "kind",     "from",    "to",    "type",
                                      "subject",  "officer", "purpose",  "gateway", "rule",  "labels",
                                      "outcome",  "reason",  "deadline", "flags",   "event", "key",
                                      "protocol", "grounds", "entries",  "asked"};

void row_print_csv_head(FILE *out)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (i > 0)
            fputc(',', out);
        csv_cell(out, columns[i]);
    }
    csv_end(out);
}

static void print_value(FILE *out, const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    char text[LIST_SIZE];

    if (json_is_integer(value)) {
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_array(value)) {
        row_list(row, key, text, sizeof text);
        csv_cell(out, text);
    } else {
        csv_cell(out, json_string_value(value));
    }
}

void row_print_csv(FILE *out, const json_t *row)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (i > 0)
            fputc(',', out);
        print_value(out, row, columns[i]);
    }
    csv_end(out);
}
