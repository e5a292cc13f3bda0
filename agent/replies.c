#include "agent/replies.h"

#include <stdlib.h>
#include <string.h>

#include "agent/onward.h"
#include "agent/outbox.h"
#include "agent/replying.h"

static json_t *refused(const char *text)
{
    return json_pack("{s:s}", "refused", text);
}

/* "LABEL=VALUE" of a list as an object; NULL when one is not so, or is named twice. */
static json_t *read_items(const json_t *list)
{
    json_t *items = json_object();
    json_t *entry = NULL;
    size_t i = 0;

    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        const char *equals = text == NULL ? NULL : strchr(text, '=');
        char label[SETTINGS_NAME_SIZE];

        if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof label) {
            json_decref(items);
            return NULL;
        }
        memcpy(label, text, (size_t)(equals - text));
        label[equals - text] = '\0';
        if (json_object_get(items, label) != NULL ||
            json_object_set_new(items, label, json_string(equals + 1)) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

static json_t *queue(struct agent *agent, struct reply *reply, uint32_t uid, int64_t now,
                     struct draft_reason *reason)
{
    char officer[SETTINGS_OFFICER_SIZE];
    char id[UUID_TEXT_SIZE];
    uint8_t event[UUID_SIZE];
    enum status status = db_begin(agent->db);

    settings_officer(&agent->settings, uid, officer);
    reply->draft.officer = officer;
    if (status == STATUS_OK)
        status = outbox_queue(agent, &reply->draft, now, event, reason);
    if (status == STATUS_OK)
        status = db_commit(agent->db);
    else
        db_rollback(agent->db);
    if (status == STATUS_REFUSED)
        return refused(reason->text);
    if (status != STATUS_OK)
        return json_pack("{s:s}", "failed", status_text(status));
    uuid_format(event, id);
    return json_pack("{s:{s:s, s:s}}", "ok", "event", id, "state", "queued");
}

typedef enum status put_together(struct agent *agent, const uint8_t event[static UUID_SIZE],
                                 const json_t *items, struct reply *ret_reply,
                                 struct draft_reason *ret_reason);

static enum status confirmation(struct agent *agent, const uint8_t event[static UUID_SIZE],
                                const json_t *items, struct reply *ret_reply, struct draft_reason *ret_reason)
{
    (void)items;
    return replying_confirm(agent, event, ret_reply, ret_reason);
}

static json_t *reply_to(struct control *control, const json_t *request, const json_t *items, uint32_t uid,
                        int64_t now, put_together *make)
{
    const char *text = json_string_value(json_object_get(request, "event"));
    struct reply *reply = calloc(1, sizeof *reply);
    struct draft_reason reason = {{0}};
    uint8_t event[UUID_SIZE];
    json_t *answer = NULL;
    enum status status = STATUS_OK;

    if (reply == NULL)
        return NULL;
    if (text == NULL || uuid_parse(bytes_of_string(text), event) != STATUS_OK) {
        free(reply);
        return refused("say which event: its id");
    }
    status = make(control->agent, event, items, reply, &reason);
    if (status == STATUS_OK)
        status = onward_read(request, reply->values, reply->draft.value_count, &reason);
    if (status == STATUS_OK)
        answer = queue(control->agent, reply, uid, now, &reason);
    else
        answer = status == STATUS_REFUSED ? refused(reason.text)
                                          : json_pack("{s:s}", "failed", status_text(status));
    bytes_wipe(reply, sizeof *reply);
    free(reply);
    return answer;
}

json_t *replies_answer(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    const json_t *list = json_object_get(request, "items");
    const bool declined = json_is_true(json_object_get(request, "decline"));
    json_t *items = NULL;
    json_t *answer = NULL;

    if ((json_array_size(list) > 0) == declined)
        return refused("say what the answer is (--item), or that there is none (--decline)");
    if (!declined && (items = read_items(list)) == NULL)
        return refused("items are LABEL=VALUE, each label once");
    answer = reply_to(control, request, items, uid, now, replying_answer);
    json_decref(items);
    return answer;
}

json_t *replies_confirm(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    return reply_to(control, request, NULL, uid, now, confirmation);
}
