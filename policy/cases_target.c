#include "policy/arena.h"
#include "policy/cases_read.h"

/* The event that a correction of a case names, and who was told what of it. */

#define MADE_UP "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" /* its id, where the case gives none */

static void read_told(struct cases_reader *reader, const struct yaml_node *node, struct policy_target *target)
{
    char quoted[YAML_QUOTE_SIZE];

    if (node == NULL || !yaml_read_map(reader->errors, node))
        return;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *entry = yaml_value(node, i);
        uint16_t party = protocol_find_party(reader->protocol, bytes_of_string(entry->key->text));

        if (party == PROTOCOL_NONE)
            yaml_errors_add(reader->errors, entry->key, "the protocol has no party %s",
                            yaml_quote(quoted, entry->key->text));
        else if (target->count == POLICY_RECIPIENTS_MAX)
            yaml_errors_add(reader->errors, entry->key, "more than %d recipients", POLICY_RECIPIENTS_MAX);
        else if (cases_read_labels(reader, entry, target->event, &target->labels[target->count]))
            target->parties[target->count++] = party;
    }
}

/* Whoever decides needs the attribute that names it, but not which id it is. */
static void name_it(struct cases_reader *reader, struct policy_request *request)
{
    const struct catalogue_event *type = &reader->catalogue->events[request->event];

    if (type->target != CATALOGUE_NONE && request->attributes[type->target].data == NULL)
        request->attributes[type->target] = bytes_of_string(MADE_UP);
}

void cases_read_target(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    static const char *const keys[] = {
        "type", "from", "told", "same_person", "same_protocol", "still_rests_on_it", NULL};
    const struct catalogue_event *type = &reader->catalogue->events[ret->request.event];
    struct policy_target *target;

    if (node == NULL || !read_fields(reader->errors, node, keys))
        return;
    if (type->corrects == CORRECTION_NONE) {
        yaml_errors_add(reader->errors, node->key, "%s corrects nothing; leave this out", type->type);
        return;
    }
    target = arena_array(reader->arena, 1, sizeof *target);
    if (target == NULL)
        return;
    target->from = ret->request.from;
    target->same_subject = target->same_protocol = true;
    target->event = cases_read_type(reader, yaml_read_required(reader->errors, node, "type"));
    if (yaml_get(node, "from") != NULL)
        cases_read_member(reader, yaml_get(node, "from"), &target->from);
    yaml_read_bool(reader->errors, yaml_get(node, "same_person"), &target->same_subject);
    yaml_read_bool(reader->errors, yaml_get(node, "same_protocol"), &target->same_protocol);
    yaml_read_bool(reader->errors, yaml_get(node, "still_rests_on_it"), &target->is_ground);
    read_told(reader, yaml_read_required(reader->errors, node, "told"), target);
    name_it(reader, &ret->request);
    ret->facts.target = target;
}
