#include "policy/cases_read.h"

#include <string.h>

/* The event of a case. */

static struct byte_view keep(struct cases_reader *reader, const char *text)
{
    const char *copy = arena_text(reader->arena, text);

    return copy == NULL ? bytes_view(NULL, 0) : bytes_of_string(copy);
}

uint16_t cases_read_type(struct cases_reader *reader, const struct yaml_node *node)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;
    uint16_t event;

    if (!yaml_read_string(reader->errors, node, &text))
        return CATALOGUE_NONE;
    event = catalogue_find_event(reader->catalogue, bytes_of_string(text));
    if (event == CATALOGUE_NONE)
        yaml_errors_add(reader->errors, node, "the catalogue has no event type %s", yaml_quote(quoted, text));
    return event;
}

bool cases_read_member(struct cases_reader *reader, const struct yaml_node *node, struct byte_view *ret)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (!yaml_read_string(reader->errors, node, &text))
        return false;
    if (member_check(bytes_of_string(text)) != STATUS_OK) {
        yaml_errors_add(reader->errors, node, "%s is no member id; write one such as prison.dovegate",
                        yaml_quote(quoted, text));
        return false;
    }
    *ret = keep(reader, text);
    return true;
}

static bool add_label(struct cases_reader *reader, const struct yaml_node *node, uint16_t event,
                      struct label_set *labels)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;
    uint16_t label;

    if (!yaml_read_string(reader->errors, node, &text))
        return false;
    label = catalogue_find_label(reader->catalogue, bytes_of_string(text));
    if (label == CATALOGUE_NONE ||
        (event != CATALOGUE_NONE && !label_set_has(&reader->catalogue->events[event].carried, label))) {
        yaml_errors_add(reader->errors, node, "%s no item %s",
                        event == CATALOGUE_NONE ? "the catalogue has" : "this event carries",
                        yaml_quote(quoted, text));
        return false;
    }
    if (label_set_has(labels, label)) {
        yaml_errors_add(reader->errors, node, "%s stands here twice; write it once",
                        yaml_quote(quoted, text));
        return false;
    }
    label_set_add(labels, label);
    return true;
}

bool cases_read_labels(struct cases_reader *reader, const struct yaml_node *node, uint16_t event,
                       struct label_set *ret_labels)
{
    struct label_set labels = {{0}};
    bool good = true;

    if (node == NULL || !yaml_read_list(reader->errors, node, 0, CATALOGUE_LABELS_MAX))
        return false;
    for (size_t i = 0; i < yaml_count(node); i++)
        good = add_label(reader, yaml_at(node, i), event, &labels) && good;
    if (good)
        *ret_labels = labels;
    return good;
}

static void read_holds(struct cases_reader *reader, const struct yaml_node *node,
                       struct policy_request *request)
{
    const struct yaml_node *holds = yaml_read_required(reader->errors, node, "holds");
    struct label_set without = {{0}};

    if (yaml_is(holds, "everything"))
        request->held = reader->catalogue->events[request->event].item_set;
    else if (yaml_is(holds, "nothing"))
        request->held = (struct label_set){{0}};
    else
        cases_read_labels(reader, holds, request->event, &request->held);
    if (cases_read_labels(reader, yaml_get(node, "without"), request->event, &without))
        request->held = label_set_minus(request->held, &without);
}

static void read_attribute(struct cases_reader *reader, const struct yaml_node *node,
                           struct policy_request *request)
{
    const struct catalogue_event *type = &reader->catalogue->events[request->event];
    uint16_t label = catalogue_find_label(reader->catalogue, bytes_of_string(node->key->text));
    uint16_t at = label == CATALOGUE_NONE ? CATALOGUE_NONE : catalogue_attribute_at(type, label);
    struct kind_reason reason = {""};
    char quoted[YAML_QUOTE_SIZE];
    const char *value;

    if (at == CATALOGUE_NONE || at == type->held || at == type->juvenile) {
        yaml_errors_add(reader->errors, node->key, "%s has no attribute %s to give here", type->type,
                        yaml_quote(quoted, node->key->text));
        return;
    }
    if (!yaml_read_string(reader->errors, node, &value))
        return;
    if (catalogue_check_value(reader->catalogue, request->event, label, bytes_of_string(value), &reason) !=
        STATUS_OK)
        yaml_errors_add(reader->errors, node, "'%s': %s", node->key->text, reason.text);
    else
        request->attributes[at] = keep(reader, value);
}

static void read_attributes(struct cases_reader *reader, const struct yaml_node *node,
                            struct policy_request *request)
{
    if (node == NULL || !yaml_read_map(reader->errors, node))
        return;
    for (size_t i = 0; i < yaml_count(node); i++)
        read_attribute(reader, yaml_value(node, i), request);
}

static void read_juvenile(struct cases_reader *reader, const struct yaml_node *node, enum juvenile *ret)
{
    static const char *const words[] = {"unknown", "yes", "no", NULL};
    static const enum juvenile values[] = {JUVENILE_UNKNOWN, JUVENILE_YES, JUVENILE_NO};
    size_t index;

    if (yaml_read_enum(reader->errors, node, words, &index))
        *ret = values[index];
}

/* A question's items stand in one of its attributes. */
static void read_asked(struct cases_reader *reader, const struct yaml_node *node,
                       struct policy_request *request)
{
    const struct catalogue_event *type = &reader->catalogue->events[request->event];
    struct kind_reason reason = {""};

    if (type->asked != CATALOGUE_NONE && request->attributes[type->asked].data != NULL &&
        catalogue_parse_labels(reader->catalogue, CATALOGUE_NONE, request->attributes[type->asked],
                               &request->asked, &reason) != STATUS_OK)
        yaml_errors_add(reader->errors, node, "what is asked: %s", reason.text);
}

/* The event that this one answers. */
static void read_answers(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    static const char *const keys[] = {"type",  "from", "sent_to_sender", "same_person", "is_target",
                                       "asked", NULL};
    struct policy_facts *facts = &ret->facts;

    if (node == NULL || !read_fields(reader->errors, node, keys))
        return;
    ret->request.correlated = true;
    facts->correlated_same_subject = facts->correlated_disclosed_to_sender = true;
    facts->correlated_event = cases_read_type(reader, yaml_read_required(reader->errors, node, "type"));
    cases_read_member(reader, yaml_read_required(reader->errors, node, "from"), &facts->correlated_from);
    yaml_read_bool(reader->errors, yaml_get(node, "sent_to_sender"), &facts->correlated_disclosed_to_sender);
    yaml_read_bool(reader->errors, yaml_get(node, "same_person"), &facts->correlated_same_subject);
    yaml_read_bool(reader->errors, yaml_get(node, "is_target"), &facts->correlated_is_target);
    facts->correlated_asks =
        cases_read_labels(reader, yaml_get(node, "asked"), CATALOGUE_NONE, &facts->correlated_asked);
}

/* A standing event again, for those who have become entitled since. */
static void read_repeats(struct cases_reader *reader, const struct yaml_node *node,
                         struct policy_request *request)
{
    char quoted[YAML_QUOTE_SIZE];

    if (node == NULL || !yaml_read_list(reader->errors, node, 0, PROTOCOL_PARTIES_MAX))
        return;
    request->repeats = true;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const char *id;
        uint16_t party;

        if (!yaml_read_string(reader->errors, yaml_at(node, i), &id))
            continue;
        party = protocol_find_party(reader->protocol, bytes_of_string(id));
        if (party == PROTOCOL_NONE)
            yaml_errors_add(reader->errors, yaml_at(node, i), "the protocol has no party %s",
                            yaml_quote(quoted, id));
        else
            party_set_add(&request->already, party);
    }
}

static void read_purpose(struct cases_reader *reader, const struct yaml_node *node,
                         struct policy_request *request)
{
    const char *own = policy_purpose(reader->protocol, request->from, request->event);
    const char *stated;

    request->purpose = bytes_of_string(own == NULL ? "none" : own);
    if (yaml_read_string(reader->errors, node, &stated))
        request->purpose = keep(reader, stated);
}

void cases_read_event(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    static const char *const keys[] = {"type",     "from",     "attributes", "holds",   "without",
                                       "juvenile", "created",  "purpose",    "answers", "supersedes",
                                       "repeats",  "corrects", NULL};
    struct policy_request *request = &ret->request;

    request->event = CATALOGUE_NONE;
    request->effective = REQUEST_NO_DATE;
    if (node == NULL || !read_fields(reader->errors, node, keys))
        return;
    request->event = cases_read_type(reader, yaml_read_required(reader->errors, node, "type"));
    if (!cases_read_member(reader, yaml_read_required(reader->errors, node, "from"), &request->from) ||
        request->event == CATALOGUE_NONE)
        return;
    request->created = ret->now;
    cases_read_time(reader, yaml_get(node, "created"), &request->created);
    request->occurred = request->created;
    read_purpose(reader, yaml_get(node, "purpose"), request);
    read_attributes(reader, yaml_get(node, "attributes"), request);
    read_asked(reader, node, request);
    read_holds(reader, node, request);
    read_juvenile(reader, yaml_get(node, "juvenile"), &request->juvenile);
    read_answers(reader, yaml_get(node, "answers"), ret);
    read_repeats(reader, yaml_get(node, "repeats"), request);
    cases_read_target(reader, yaml_get(node, "corrects"), ret);
    yaml_read_bool(reader->errors, yaml_get(node, "supersedes"), &request->supersedes);
}
