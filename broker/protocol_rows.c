#include "broker/protocol_rows.h"

#include "base/civil.h"
#include "broker/rulebooks.h"
#include "policy/flows.h"

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *date_of(int32_t date)
{
    char text[CIVIL_DATE_SIZE];

    civil_format_date(date, text);
    return json_string(text);
}

/* A list of what `name` gives for 0 to count - 1, without what is NULL. */
static json_t *list_of(size_t count, const char *(*name)(const void *context, size_t i), const void *context)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count && list != NULL; i++) {
        const char *text = name(context, i);

        if (text != NULL && json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static const char *signatory(const void *context, size_t i)
{
    const struct protocol *protocol = context;

    return protocol->signatories[i];
}

static json_t *head_row(const struct protocol *protocol)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "protocol", protocol->id,
                     "version", (json_int_t)protocol->version, "title", text_or_null(protocol->title),
                     "owner", text_or_null(protocol->owner), "in_force_from",
                     date_of(civil_day_of(protocol->in_force_from)), "in_force_until",
                     date_of(civil_day_of(protocol->in_force_until - 1)), "review", date_of(protocol->review),
                     "impact_assessment", text_or_null(protocol->impact_assessment), "policy_document",
                     text_or_null(protocol->policy_document), "signatories",
                     list_of(protocol->signatory_count, signatory, protocol));
}

/* ---- flows ---- */

struct flow_at {
    const struct protocol *protocol;
    const struct flow *flow;
};

static const char *sender_class(const void *context, size_t i)
{
    const struct flow_at *at = context;

    return (at->flow->from >> i & 1) != 0 ? at->protocol->classes[i].name : NULL;
}

static const char *recipient_class(const void *context, size_t i)
{
    const struct flow_at *at = context;

    return (at->flow->to >> i & 1) != 0 ? at->protocol->classes[i].name : NULL;
}

static const char *item(const void *context, size_t i)
{
    const struct flow_at *at = context;

    return label_set_has(&at->flow->labels, (unsigned)i) ? at->protocol->catalogue->labels[i].label : NULL;
}

static const char *law(const void *context, size_t i)
{
    const struct flow_at *at = context;

    return (at->flow->gateways >> i & 1) != 0 ? at->protocol->gateways[i].law : NULL;
}

static json_t *flow_row(const struct protocol *protocol, const struct flow *flow)
{
    const struct flow_at at = {protocol, flow};
    const struct protocol_rule *rule = &protocol->rules[flow->rule];
    char retention[CIVIL_DURATION_SIZE];
    bool record = flow->entry == PROTOCOL_NONE;

    civil_format_duration(rule->retention, retention);
    return json_pack(
        "{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "protocol", protocol->id, "rule",
        rule->id, "paragraph", text_or_null(rule->paragraph), "purpose", rule->purpose, "event",
        protocol->catalogue->events[flow->event].type, "from",
        list_of(protocol->class_count, sender_class, &at), "to",
        list_of(record ? 0 : protocol->class_count, recipient_class, &at), "items",
        list_of(record ? 0 : protocol->catalogue->label_count, item, &at), "law",
        list_of(record ? 0 : protocol->gateway_count, law, &at), "crossing",
        flow->crossing == PROTOCOL_NONE ? json_null() : text_or_null(protocol->crossings[flow->crossing].law),
        "condition",
        flow->condition == PROTOCOL_NONE ? json_null()
                                         : text_or_null(protocol->conditions[flow->condition].law),
        "consent",
        flow->consent == PROTOCOL_NONE ? json_null() : text_or_null(protocol->consents[flow->consent].scope),
        "retention", record ? json_null() : json_string(retention));
}

static enum status tell(bool (*told)(void *context, json_t *row), void *context, json_t *row, bool *over)
{
    if (row == NULL)
        return STATUS_NO_MEMORY;
    *over = !told(context, row);
    return STATUS_OK;
}

static enum status tell_protocol(const struct protocol *protocol, bool (*told)(void *context, json_t *row),
                                 void *context, bool *over)
{
    struct flows *flows = flows_make(protocol, FLOWS_ADULT, false);
    enum status status = flows == NULL ? STATUS_NO_MEMORY : tell(told, context, head_row(protocol), over);

    for (size_t i = 0; status == STATUS_OK && !*over && i < flows->count; i++)
        status = tell(told, context, flow_row(protocol, &flows->list[i]), over);
    flows_free(&flows);
    return status;
}

enum status protocol_rows(const char *folder, bool (*told)(void *context, json_t *row), void *context)
{
    struct rulebooks *rulebooks = NULL;
    bool over = false;
    enum status status = rulebooks_open(folder, &rulebooks);

    if (status != STATUS_OK)
        return status;
    const struct rulebook *newest = rulebooks_newest(rulebooks);
    for (size_t i = 0; status == STATUS_OK && !over && i < newest->protocol_count; i++)
        status = tell_protocol(newest->protocols[i].protocol, told, context, &over);
    rulebooks_free(&rulebooks);
    return status;
}
