#include "broker/retelling_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain.h"
#include "policy/replay.h"
#include "proto/digest.h"

#define SENTENCES_MAX ((size_t)65536)

struct checking {
    const struct retelling_check *check;
    const json_t *line;
    struct replay *replay;
    struct replay_bound bound;
    struct policy_decision decision;
};

/* ---- what differs ---- */

__attribute__((format(printf, 2, 3))) static bool differ(json_t *differences, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return json_array_append_new(differences, json_string(text)) == 0;
}

static bool has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item != NULL && strcmp(item, text) == 0)
            return true;
    }
    return false;
}

/* What one recipient received against what it is granted. */
static bool compare_items(const struct checking *it, const struct policy_recipient *granted,
                          const json_t *received, json_t *differences)
{
    const struct catalogue *catalogue = it->check->protocol->catalogue;
    size_t count = 0;

    for (unsigned i = label_set_next(&granted->labels, 0); i != SET256_END;
         i = label_set_next(&granted->labels, i + 1)) {
        const char *label = catalogue->labels[i].label;

        count++;
        if (!has_text(received, label) &&
            !differ(differences, "%s was not given the item %s, which the protocol grants", granted->to,
                    label))
            return false;
    }
    for (size_t i = 0; i < json_array_size(received); i++) {
        const char *label = json_string_value(json_array_get(received, i));
        uint16_t number =
            label == NULL ? CATALOGUE_NONE : catalogue_find_label(catalogue, bytes_of_string(label));

        if ((number == CATALOGUE_NONE || !label_set_has(&granted->labels, number)) &&
            !differ(differences, "%s was given the item %s, which the protocol does not grant", granted->to,
                    label == NULL ? "?" : label))
            return false;
    }
    return true;
}

static bool compare(const struct checking *it, json_t *differences)
{
    json_t *disclosed = json_object_get(it->line, "disclosed");
    const struct policy_decision *decision = &it->decision;
    const char *to;
    json_t *items;

    if (!it->check->accepted)
        return true; /* a refusal discloses nothing */
    if (!decision->granted && !differ(differences, "the protocol would refuse the event"))
        return false;
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        const struct policy_recipient *granted = &decision->recipients[i];

        items = json_object_get(disclosed, granted->to);
        if (items == NULL
                ? !differ(differences, "%s did not receive it, though the protocol grants it", granted->to)
                : !compare_items(it, granted, items, differences))
            return false;
    }
    json_object_foreach(disclosed, to, items)
    {
        if (policy_recipient(decision, bytes_of_string(to)) == NULL &&
            !differ(differences, "%s received it, and the protocol does not grant it", to))
            return false;
    }
    return true;
}

/* ---- what is granted ---- */

static json_t *label_names(const struct catalogue *catalogue, const struct label_set *labels)
{
    json_t *list = json_array();

    for (unsigned i = label_set_next(labels, 0); list != NULL && i != SET256_END;
         i = label_set_next(labels, i + 1)) {
        if (json_array_append_new(list, json_string(catalogue->labels[i].label)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Lines of text as a list of texts. */
static json_t *lines_of(struct byte_view text)
{
    json_t *list = json_array();
    size_t start = 0;

    for (size_t i = 0; list != NULL && i < text.size; i++) {
        if (text.data[i] != '\n')
            continue;
        if (json_array_append_new(list, json_stringn((const char *)text.data + start, i - start)) != 0) {
            json_decref(list);
            return NULL;
        }
        start = i + 1;
    }
    return list;
}

static bool add_because(const struct checking *it, const struct policy_recipient *recipient, json_t *object)
{
    struct byte_buffer text = bytes_buffer(SENTENCES_MAX);
    bool good = true;

    if (it->check->sentences) {
        explain_grant(it->check->protocol, recipient, &text);
        good = text.status == STATUS_OK &&
               json_object_set_new(object, "because", lines_of(bytes_buffer_view(&text))) == 0;
    }
    bytes_buffer_free(&text);
    return good;
}

static json_t *recipients_of(const struct checking *it)
{
    const struct protocol *protocol = it->check->protocol;
    json_t *list = json_array();
    bool good = list != NULL;

    for (uint16_t i = 0; good && i < it->decision.recipient_count; i++) {
        const struct policy_recipient *recipient = &it->decision.recipients[i];
        json_t *object =
            json_pack("{s:s, s:s, s:s, s:o}", "to", recipient->to, "rule", recipient->rule, "gateway",
                      recipient->gateway, "labels", label_names(protocol->catalogue, &recipient->labels));

        good = object != NULL && add_because(it, recipient, object);
        if (good && recipient->consent != PROTOCOL_NONE)
            good = json_object_set_new(object, "consent",
                                       json_string(protocol->consents[recipient->consent].scope)) == 0;
        if (good)
            good = json_array_append(list, object) == 0;
        json_decref(object);
    }
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *refusals_of(const struct checking *it)
{
    json_t *list = json_array();
    char text[POLICY_TEXT_SIZE];

    for (uint16_t i = 0; list != NULL && i < it->decision.refusal_count; i++) {
        policy_refusal_text(it->check->protocol, &it->decision, &it->decision.refusals[i], text);
        if (json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static bool add_sentences(const struct checking *it, json_t *told)
{
    char text[POLICY_TEXT_SIZE];

    policy_decision_text(it->check->protocol, &it->decision, text);
    return json_object_set_new(told, "decision", json_string(text)) == 0 &&
           json_object_set_new(told, "refused", refusals_of(it)) == 0;
}

/* ---- the line ---- */

static bool copy_keys(const json_t *line, json_t *told)
{
    static const char *const keys[] = {"at", "id", "subject", "event", "from", "protocol", "attributes"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_t *value = json_object_get(line, keys[i]);

        if (value != NULL && json_object_set(told, keys[i], value) != 0)
            return false;
    }
    return true;
}

static enum status make(const struct checking *it, bool replayed, json_t **ret)
{
    const struct retelling_check *check = it->check;
    char digest[2 * DIGEST_SIZE + 1];
    json_t *differences = json_array();
    json_t *told;

    bytes_to_hex(check->digest, DIGEST_SIZE, digest);
    told = json_pack("{s:I, s:I, s:I, s:s, s:b}", "entry", (json_int_t)check->entry, "serial",
                     (json_int_t)check->serial, "version", (json_int_t)check->protocol->version, "digest",
                     digest, "accepted", (int)check->accepted);
    bool good = told != NULL && differences != NULL && copy_keys(it->line, told);

    if (good && replayed)
        good = compare(it, differences);
    good = good && json_object_set_new(told, "replayed", json_boolean(replayed)) == 0 &&
           json_object_set_new(told, "erased", json_integer((json_int_t)check->erased)) == 0 &&
           json_object_set_new(told, "agrees", json_boolean(json_array_size(differences) == 0)) == 0 &&
           json_object_set(told, "differences", differences) == 0;
    if (good && replayed)
        good = json_object_set_new(told, "recipients", recipients_of(it)) == 0;
    if (good && replayed && check->sentences)
        good = add_sentences(it, told);
    json_decref(differences);
    if (good)
        *ret = told;
    else
        json_decref(told);
    return good ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status retelling_check(const struct retelling_check *check, const json_t *line, json_t **ret)
{
    struct checking *it = calloc(1, sizeof *it);
    char *text = json_dumps(line, JSON_COMPACT);
    struct kind_reason reason;
    enum status status = it == NULL || text == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    bool replayed = false;

    if (status == STATUS_OK) {
        it->check = check;
        it->line = line;
        status = replay_read(bytes_of_string(text), &it->replay, &reason);
    }
    if (status == STATUS_OK) {
        replayed = replay_bind(it->replay, check->protocol, &it->bound) &&
                   check->protocol->catalogue->events[it->bound.request.event].corrects == CORRECTION_NONE;
        if (replayed)
            policy_decide(check->protocol, &it->bound.facts, &it->bound.request, it->bound.at, &it->decision);
        status = make(it, replayed, ret);
    } else if (status != STATUS_NO_MEMORY) {
        status = STATUS_CORRUPT;
    }
    if (it != NULL)
        replay_free(&it->replay);
    free(text);
    free(it);
    return status;
}
