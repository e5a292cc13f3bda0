#include "broker/returning.h"

#include <stdlib.h>
#include <string.h>

#include "broker/calling.h"

const struct option_spec returning_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"month", "YYYY-MM", "which month", OPTION_TEXT, true},
    {"protocol", "ID", "under which protocol, if several are counted", OPTION_TEXT, false},
    {"json", NULL, "as JSON; otherwise CSV, signed by the log's key", OPTION_FLAG, false},
    {0},
};

/* A line up to its newline, cut into fields at commas; names have none in them. Returns how many there are.
 */
static size_t cut(const char *line, const char *end, char fields[static 4][128])
{
    size_t count = 0;

    while (count < 4 && line <= end) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        size_t size = (size_t)((comma == NULL ? end : comma) - line);

        if (size >= 128)
            return 0;
        memcpy(fields[count], line, size);
        fields[count++][size] = '\0';
        line = comma == NULL ? end + 1 : comma + 1;
    }
    return count;
}

static json_t *row_of(char fields[static 4][128])
{
    return json_pack("{s:s, s:s, s:s, s:o}", "table", fields[0], "row", fields[1], "column", fields[2],
                     "count",
                     strcmp(fields[3], "*") == 0 ? json_null() : json_integer((json_int_t)atoll(fields[3])));
}

/* The note's lines as JSON; the note itself goes along, for whoever checks its signature. */
static json_t *as_json(const char *note)
{
    json_t *object = json_object();
    json_t *rows = json_array();
    char fields[4][128];

    for (const char *line = note; line[0] != '\0' && line[0] != '\n';) {
        const char *end = strchr(line, '\n');
        size_t count;

        if (end == NULL)
            break;
        count = cut(line, end, fields);
        if (count == 2)
            (void)json_object_set_new(object, fields[0], json_string(fields[1]));
        else if (count == 4 && strcmp(fields[3], "count") != 0)
            (void)json_array_append_new(rows, row_of(fields));
        line = end + 1;
    }
    (void)json_object_set_new(object, "rows", rows);
    (void)json_object_set_new(object, "note", json_string(note));
    return object;
}

int returning_run(const struct options *options, void *context)
{
    json_t *reply = NULL;
    json_t *object = NULL;
    const char *note = NULL;
    int code =
        calling_ask(options, options_text(options, "dir"),
                    json_pack("{s:s, s:s, s:s*}", "do", "aggregate", "month", options_text(options, "month"),
                              "protocol", options_text(options, "protocol")),
                    &reply);

    (void)context;
    if (code != EXIT_DONE)
        return code;
    note = json_string_value(json_object_get(reply, "note"));
    if (note == NULL) {
        code = EXIT_ENVIRONMENT;
    } else if (options_flag(options, "json")) {
        object = as_json(note);
        (void)json_dumpf(object, options_out(options), JSON_INDENT(2));
        (void)fputc('\n', options_out(options));
    } else {
        (void)fputs(note, options_out(options));
    }
    json_decref(object);
    json_decref(reply);
    return code;
}
