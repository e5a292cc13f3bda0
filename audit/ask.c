#include "audit/ask.h"

#include <limits.h>
#include <string.h>

#include "base/local_client.h"

#define TIMEOUT_MS 60000

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text == NULL || text[0] == '\0' ? "-" : text;
}

/* "2026-12-01T09:14:46.218Z" as "2026-12-01 09:14:46Z"; anything else as it is. */
static void print_time(FILE *out, const char *time)
{
    if (strlen(time) == 24 && time[10] == 'T')
        fprintf(out, "%.10s %.8sZ", time, time + 11);
    else
        fprintf(out, "%-20s", time);
}

static void print_list(FILE *out, const char *before, const json_t *list, const char *after)
{
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        fprintf(out, "%s%s", i == 0 ? before : ", ", text == NULL ? "-" : text);
    }
    if (n > 0)
        fputs(after, out);
}

void ask_print_row(FILE *out, const json_t *row)
{
    const char *from = text_of(row, "from");
    const char *to = text_of(row, "to");
    const char *reason = text_of(row, "reason");
    const char *subject = text_of(row, "subject");

    fprintf(out, "%8lld  ", (long long)json_integer_value(json_object_get(row, "index")));
    print_time(out, text_of(row, "time"));
    fprintf(out, "  %-13s  %-24s -> %-24s  %-24s  %-20s", text_of(row, "kind"), from, to,
            text_of(row, "type"), text_of(row, "rule"));
    print_list(out, "  [", json_object_get(row, "labels"), "]");
    if (strcmp(reason, "-") != 0)
        fprintf(out, "  \"%s\"", reason);
    print_list(out, "  (", json_object_get(row, "flags"), ")");
    if (strcmp(subject, "-") != 0)
        fprintf(out, "  about %.12s...", subject);
    fputc('\n', out);
}

static void print_row(FILE *out, const json_t *row, bool as_json)
{
    if (as_json) {
        (void)json_dumpf(row, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fputc('\n', out);
    } else {
        ask_print_row(out, row);
    }
}

/* The last reply says how many there were, or what went wrong. */
static enum ask_result judge_last(const json_t *reply, char reason[static ASK_REASON_SIZE])
{
    const char *error = json_string_value(json_object_get(reply, "error"));

    if (error == NULL)
        return ASK_DONE;
    (void)snprintf(reason, ASK_REASON_SIZE, "%s", error);
    return ASK_REFUSED;
}

static enum ask_result broken(enum status status, char reason[static ASK_REASON_SIZE])
{
    (void)snprintf(reason, ASK_REASON_SIZE, "the broker's answer did not come: %s", status_text(status));
    return ASK_BROKEN;
}

static enum ask_result read_replies(struct local_client *client, const json_t *request, bool as_json,
                                    FILE *out, char reason[static ASK_REASON_SIZE])
{
    json_t *reply = NULL;
    bool last = false;
    enum status status = local_client_call(client, request, TIMEOUT_MS, &reply, &last);

    while (status == STATUS_OK && !last) {
        print_row(out, reply, as_json);
        json_decref(reply);
        reply = NULL;
        status = local_client_next(client, TIMEOUT_MS, &reply, &last);
    }
    if (status != STATUS_OK)
        return broken(status, reason);
    enum ask_result result = judge_last(reply, reason);
    /* A broker may also end with the last row itself. */
    if (result == ASK_DONE && json_object_get(reply, "index") != NULL)
        print_row(out, reply, as_json);
    json_decref(reply);
    return result;
}

enum ask_result ask_search(const char *folder, const json_t *request, bool as_json, FILE *out,
                           char reason[static ASK_REASON_SIZE])
{
    struct local_client *client = NULL;
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/control.sock", folder);
    enum status status = length < 0 || (size_t)length >= sizeof path
                             ? STATUS_BAD_ARGUMENT
                             : local_client_connect(path, TIMEOUT_MS, &client);

    if (status == STATUS_NOT_FOUND || status == STATUS_CLOSED) {
        (void)snprintf(
            reason, ASK_REASON_SIZE,
            "%.300s: the broker is not running; start it, as searches are asked of it so that it logs them",
            folder);
        return ASK_NOT_RUNNING;
    }
    if (status != STATUS_OK) {
        (void)snprintf(reason, ASK_REASON_SIZE, "%.400s: %s", path, status_text(status));
        return ASK_BROKEN;
    }
    enum ask_result result = read_replies(client, request, as_json, out, reason);
    local_client_close(&client);
    return result;
}
