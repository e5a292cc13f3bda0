#include "policy/protocol_load.h"

/* `when`: a grant about some values of an attribute only, such as a breach that goes to court. */

/* The one code list that the attribute has in all event types of the grant; NULL and an error otherwise. */
static const struct catalogue_codes *codes_of(struct protocol_loader *loader,
                                              const struct protocol_grant *grant, const struct yaml_node *key,
                                              uint16_t label)
{
    const struct catalogue_codes *codes = NULL;

    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        const struct catalogue_event *event = &loader->catalogue->events[i];
        uint16_t at;

        if (!bits_has(grant->events, i))
            continue;
        at = catalogue_attribute_at(event, label);
        if (at == CATALOGUE_NONE || event->attributes[at].codes == NULL ||
            (codes != NULL && event->attributes[at].codes != codes)) {
            yaml_errors_add(
                loader->errors, key,
                "%s has no attribute '%s' with codes that mean the same here; name the event types "
                "that have under 'of', or another attribute",
                event->type, key->text);
            return NULL;
        }
        codes = event->attributes[at].codes;
    }
    return codes;
}

static void read_codes(struct protocol_loader *loader, const struct yaml_node *list,
                       const struct catalogue_codes *codes, struct protocol_grant *grant)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (!yaml_read_list(loader->errors, list, 1, CATALOGUE_CODES_MAX))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i);
        uint16_t code;

        if (!yaml_read_string(loader->errors, node, &text))
            continue;
        code = catalogue_find_code(codes, protocol_text_of(node));
        if (code == CATALOGUE_NONE)
            yaml_errors_add(loader->errors, node, "%s is no code of that attribute; the catalogue lists them",
                            yaml_quote(quoted, text));
        else
            grant->when_codes |= UINT64_C(1) << code;
    }
}

void protocol_read_when(struct protocol_loader *loader, struct protocol_grant *grant)
{
    const struct yaml_node *map = yaml_get(grant->node, "when");
    const struct catalogue_codes *codes;
    uint16_t label;

    grant->when = CATALOGUE_NONE;
    if (map == NULL || !yaml_read_map(loader->errors, map))
        return;
    if (yaml_count(map) != 1) {
        yaml_errors_add(loader->errors, map, "'when' names one attribute and its values; name exactly one");
        return;
    }
    label = catalogue_find_label(loader->catalogue, protocol_text_of(yaml_key(map, 0)));
    codes = codes_of(loader, grant, yaml_key(map, 0), label);
    if (codes == NULL)
        return;
    grant->when = label;
    read_codes(loader, yaml_value(map, 0), codes, grant);
}
