#include "agent/hooks.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/inbox_event.h"
#include "agent/incidents.h"
#include "agent/outbox.h"
#include "agent/questions.h"
#include "agent/replying.h"
#include "agent/view.h"
#include "base/program.h"
#include "proto/labels.h"

#define OFFICER      "automatic:hook"
#define OUTPUT_LIMIT ((size_t)64 << 10)

struct hooks {
    struct agent *agent;
    struct program *program; /* NULL: none runs */
    uint8_t event[UUID_SIZE];
};

enum status hooks_new(struct agent *agent, struct hooks **ret)
{
    struct hooks *hooks = calloc(1, sizeof *hooks);

    if (hooks == NULL)
        return STATUS_NO_MEMORY;
    hooks->agent = agent;
    *ret = hooks;
    return STATUS_OK;
}

void hooks_free(struct hooks **hooks)
{
    if (*hooks == NULL)
        return;
    program_free(&(*hooks)->program);
    free(*hooks);
    *hooks = NULL;
}

int hooks_fd(const struct hooks *hooks)
{
    return hooks->program == NULL ? -1 : program_fd(hooks->program);
}

/* ---- asking ---- */

static int add_asked(json_t *view)
{
    const char *text = json_string_value(json_object_get(json_object_get(view, "items"), CATALOGUE_ASKED));
    struct byte_view rest = text == NULL ? bytes_view(NULL, 0) : bytes_of_string(text);
    struct byte_view label;
    json_t *list = json_array();

    while (labels_next(&rest, &label))
        (void)json_array_append_new(list, json_stringn((const char *)label.data, label.size));
    return json_object_set_new(view, "asked", list);
}

static enum status start(struct hooks *hooks, const struct inbox_event *event, const char *path,
                         int64_t elapsed)
{
    const struct settings *settings = &hooks->agent->settings;
    const struct program_limits limits = {.wall = (int64_t)settings->hook_seconds * 1000,
                                          .cpu = settings->hook_seconds,
                                          .memory = (uint64_t)settings->hook_mib << 20,
                                          .output = OUTPUT_LIMIT};
    json_t *view = view_received(event);
    char *text = view == NULL || add_asked(view) != 0 ? NULL : json_dumps(view, JSON_COMPACT);
    enum status status = STATUS_NO_MEMORY;

    if (text != NULL) {
        status = program_start(path, bytes_of_string(text), &limits, elapsed, &hooks->program);
        bytes_wipe(text, strlen(text));
        free(text);
    }
    json_decref(view);
    return status;
}

/* The program for events of this type, or NULL. */
static const char *program_for(const struct agent *agent, struct byte_view type)
{
    for (size_t i = 0; i < agent->settings.hook_count; i++) {
        if (bytes_equal(type, bytes_of_string(agent->settings.hooks[i].event)))
            return agent->settings.hooks[i].program;
    }
    return NULL;
}

static enum status settle(struct hooks *hooks, const char *problem, int64_t now)
{
    char id[UUID_TEXT_SIZE];
    enum status status = questions_tried(hooks->agent, hooks->event);

    uuid_format(hooks->event, id);
    if (status == STATUS_OK && problem != NULL)
        status = incidents_add(hooks->agent->db, now,
                               "the hook did not answer question %s, a person must: %.300s", id, problem);
    return status;
}

/* The same in a transaction of its own. */
static enum status settle_alone(struct hooks *hooks, const char *problem, int64_t now)
{
    enum status status = db_begin(hooks->agent->db);

    if (status == STATUS_OK)
        status = settle(hooks, problem, now);
    if (status == STATUS_OK)
        return db_commit(hooks->agent->db);
    db_rollback(hooks->agent->db);
    return status;
}

static enum status next(struct hooks *hooks, int64_t now, int64_t elapsed)
{
    struct inbox_event event;
    const char *path = NULL;
    enum status status;

    if (hooks->agent->settings.hook_count == 0)
        return STATUS_NOT_FOUND;
    status = questions_untried(hooks->agent, hooks->event);
    if (status != STATUS_OK)
        return status;
    status = inbox_event_find(hooks->agent, hooks->event, &event);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? settle_alone(hooks, NULL, now) : status;
    path = program_for(hooks->agent, event.core.type);
    if (path == NULL)
        status = settle_alone(hooks, NULL, now);
    else if (start(hooks, &event, path, elapsed) != STATUS_OK)
        status = settle_alone(hooks, "it could not be started", now);
    inbox_event_free(&event);
    return status;
}

/* ---- the answer ---- */

/* What it said: STATUS_OK and items (or none: declined), STATUS_NOT_FOUND (nothing), or STATUS_BAD_FORMAT. */
static enum status read_answer(const json_t *said, const json_t **ret_items)
{
    const json_t *items = json_object_get(said, "items");
    const json_t *decline = json_object_get(said, "decline");

    if (!json_is_object(said))
        return STATUS_BAD_FORMAT;
    if (json_object_size(said) == 0)
        return STATUS_NOT_FOUND;
    if (json_object_size(said) != 1 || (!json_is_object(items) && !json_is_true(decline)))
        return STATUS_BAD_FORMAT;
    *ret_items = items;
    return STATUS_OK;
}

static enum status answer(struct hooks *hooks, const json_t *said, int64_t now)
{
    struct reply *reply = calloc(1, sizeof *reply);
    struct draft_reason reason = {{0}};
    const json_t *items = NULL;
    uint8_t event[UUID_SIZE];
    enum status status = reply == NULL ? STATUS_NO_MEMORY : read_answer(said, &items);

    if (status == STATUS_BAD_FORMAT) {
        status = settle(hooks, "what it said is not {\"items\": {...}}, {\"decline\": true} or {}", now);
    } else if (status == STATUS_NOT_FOUND) {
        status = settle(hooks, NULL, now);
    } else if (status == STATUS_OK) {
        status = replying_answer(hooks->agent, hooks->event, items, reply, &reason);
        reply->draft.officer = OFFICER;
        if (status == STATUS_OK)
            status = outbox_queue(hooks->agent, &reply->draft, now, event, &reason);
        if (status == STATUS_OK || status == STATUS_REFUSED)
            status = settle(hooks, status == STATUS_OK ? NULL : reason.text, now);
    }
    if (reply != NULL)
        bytes_wipe(reply, sizeof *reply);
    free(reply);
    return status;
}

static enum status conclude(struct hooks *hooks, enum program_end end, int64_t now)
{
    static const char *const problems[] = {[PROGRAM_RUNS] = "",
                                           [PROGRAM_DONE] = "",
                                           [PROGRAM_FAILED] = "it failed",
                                           [PROGRAM_TOO_LONG] = "it took too long",
                                           [PROGRAM_TOO_MUCH] = "it said too much"};
    const struct byte_view said = program_output(hooks->program);
    json_t *json = NULL;
    enum status status;

    if (end != PROGRAM_DONE)
        return settle_alone(hooks, problems[end], now);
    json = json_loadb((const char *)said.data, said.size, JSON_REJECT_DUPLICATES, NULL);
    status = db_begin(hooks->agent->db);
    if (status == STATUS_OK) {
        status = answer(hooks, json, now);
        if (status == STATUS_OK)
            status = db_commit(hooks->agent->db);
        else
            db_rollback(hooks->agent->db);
    }
    json_decref(json);
    return status;
}

enum status hooks_step(struct hooks *hooks, int64_t now, int64_t elapsed, int64_t *ret_wait)
{
    enum program_end end;
    enum status status;

    *ret_wait = -1;
    if (hooks->program != NULL) {
        end = program_step(hooks->program, elapsed);
        if (end == PROGRAM_RUNS) {
            *ret_wait = program_wait(hooks->program, elapsed);
            return STATUS_OK;
        }
        status = conclude(hooks, end, now);
        program_free(&hooks->program);
        if (status != STATUS_OK)
            return status;
        *ret_wait = 0; /* an answer may be queued: let the session see it */
    }
    status = next(hooks, now, elapsed);
    if (status == STATUS_OK)
        *ret_wait = 0; /* look again: for what it says, or the next question */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
