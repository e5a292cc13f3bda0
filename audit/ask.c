#include "audit/ask.h"

#include <limits.h>
#include <stdio.h>

#include "base/local_client.h"

#define TIMEOUT_MS 600000 /* a question may go through the whole log before its first row */

static enum ask_result broken(enum status status, char reason[static ASK_REASON_SIZE])
{
    (void)snprintf(reason, ASK_REASON_SIZE, "the broker's answer did not come: %s", status_text(status));
    return ASK_BROKEN;
}

static enum ask_result stopped(enum status status, char reason[static ASK_REASON_SIZE])
{
    (void)snprintf(reason, ASK_REASON_SIZE, "the answer could not be dealt with: %s", status_text(status));
    return ASK_BROKEN;
}

/* The last reply says how many there were, or what went wrong. */
static enum ask_result judge_last(const json_t *reply, const struct ask_taker *taker,
                                  char reason[static ASK_REASON_SIZE])
{
    const char *error = json_string_value(json_object_get(reply, "error"));
    enum status status = STATUS_OK;

    if (error != NULL) {
        (void)snprintf(reason, ASK_REASON_SIZE, "%s", error);
        return ASK_REFUSED;
    }
    if (json_object_get(reply, "found") == NULL) /* a broker may also end with the last row itself */
        status = taker->row(taker->context, reply);
    return status == STATUS_OK ? ASK_DONE : stopped(status, reason);
}

static enum ask_result read_replies(struct local_client *client, const json_t *request,
                                    const struct ask_taker *taker, char reason[static ASK_REASON_SIZE])
{
    json_t *reply = NULL;
    bool last = false;
    enum status status = local_client_call(client, request, TIMEOUT_MS, &reply, &last);

    while (status == STATUS_OK && !last) {
        enum status taken = taker->row(taker->context, reply);
        json_decref(reply);
        reply = NULL;
        if (taken != STATUS_OK)
            return stopped(taken, reason);
        status = local_client_next(client, TIMEOUT_MS, &reply, &last);
    }
    if (status != STATUS_OK)
        return broken(status, reason);
    enum ask_result result = judge_last(reply, taker, reason);
    json_decref(reply);
    return result;
}

enum ask_result ask_broker(const char *folder, const json_t *request, const struct ask_taker *taker,
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
    enum ask_result result = read_replies(client, request, taker, reason);
    local_client_close(&client);
    return result;
}
