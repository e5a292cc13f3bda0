#include <string.h>

#include "policy/protocol_load.h"

/* What rules and denials have in common, and denials. */

const char *protocol_read_paragraph(struct protocol_loader *loader, const struct yaml_node *rule)
{
    const struct yaml_node *list = yaml_read_required(loader->errors, rule, "paragraph");
    struct byte_buffer text = bytes_buffer(4096);
    const char *part, *copy = "";

    if (list == NULL || !yaml_read_list(loader->errors, list, 1, 16))
        return "";
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (read_sentence(loader->errors, loader->arena, yaml_at(list, i), &part))
            bytes_append_format(&text, "%s%s", i == 0 ? "" : ", ", part);
    }
    bytes_append_u8(&text, 0);
    if (text.status == STATUS_OK)
        copy = arena_text(loader->arena, (const char *)text.data);
    else
        loader->no_memory = true;
    bytes_buffer_free(&text);
    return copy;
}

uint16_t protocol_read_event(struct protocol_loader *loader, const struct yaml_node *node)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;
    uint16_t event;

    if (!yaml_read_string(loader->errors, node, &text))
        return CATALOGUE_NONE;
    event = catalogue_find_event(loader->catalogue, protocol_text_of(node));
    if (event == CATALOGUE_NONE)
        yaml_errors_add(loader->errors, node, "there is no event type %s; the catalogue lists them",
                        yaml_quote(quoted, text));
    return event;
}

void protocol_read_events(struct protocol_loader *loader, const struct yaml_node *list,
                          uint64_t ret_events[static 2])
{
    char quoted[YAML_QUOTE_SIZE];

    if (!yaml_read_list(loader->errors, list, 1, CATALOGUE_EVENTS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        uint16_t event = protocol_read_event(loader, yaml_at(list, i));

        if (event == CATALOGUE_NONE)
            continue;
        if (bits_has(ret_events, event))
            yaml_errors_add(loader->errors, yaml_at(list, i), "%s is named twice; leave one out",
                            yaml_quote(quoted, yaml_at(list, i)->text));
        bits_add(ret_events, event);
    }
}

/* `events: any` is every event type. */
static void read_denied_events(struct protocol_loader *loader, const struct yaml_node *node,
                               struct protocol_denial *denial)
{
    if (node == NULL || !yaml_is(node, "any")) {
        protocol_read_events(loader, node, denial->events);
        return;
    }
    for (uint16_t i = 0; i < loader->catalogue->event_count; i++)
        bits_add(denial->events, i);
}

/* An item that none of the event types carries is denied in vain, and most likely misspelt. */
static void check_denied_items(struct protocol_loader *loader, const struct yaml_node *node,
                               const struct protocol_denial *denial)
{
    struct label_set carried = {{0}}, foreign;

    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        if (bits_has(denial->events, i))
            carried = label_set_or(carried, &loader->catalogue->events[i].carried);
    }
    foreign = label_set_minus(denial->items, &carried);
    if (!label_set_empty(&foreign))
        yaml_errors_add(loader->errors, node, "none of these event types carries '%s'; leave it out",
                        loader->catalogue->labels[label_set_next(&foreign, 0)].label);
}

static void load_denial(struct protocol_loader *loader, const struct yaml_node *key,
                        const struct yaml_node *node, struct protocol_denial *denial)
{
    static const char *const keys[] = {"paragraph", "reason", "from", "events", "to", "items", NULL};
    const struct yaml_node *items;
    size_t before = loader->errors->count;
    bool any;

    if (!read_name(loader->errors, loader->arena, key, &denial->id) ||
        !read_fields(loader->errors, node, keys))
        return;
    items = yaml_get(node, "items");
    denial->line = key->line;
    denial->column = key->column;
    denial->paragraph = protocol_read_paragraph(loader, node);
    denial->reason = "";
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "reason"),
                  &denial->reason);
    denial->from = protocol_read_references(loader, yaml_read_required(loader->errors, node, "from"),
                                            protocol_find_class, "class", "classes", &any);
    denial->to = protocol_read_references(loader, yaml_read_required(loader->errors, node, "to"),
                                          protocol_find_class, "class", "classes", &any);
    read_denied_events(loader, yaml_read_required(loader->errors, node, "events"), denial);
    denial->whole = items == NULL;
    denial->items = protocol_read_labels(loader, items);
    if (items != NULL && loader->errors->count == before)
        check_denied_items(loader, items, denial);
    loader->protocol->denial_count++;
}

void protocol_load_denials(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    size_t count = read_records(loader->errors, root, "denials", false, PROTOCOL_DENIALS_MAX, &nodes);
    struct protocol_denial *denials = arena_array(loader->arena, count, sizeof *denials);

    if (denials == NULL)
        return;
    loader->protocol->denials = denials;
    for (size_t i = 0; i < count; i++)
        load_denial(loader, yaml_key(nodes, i), yaml_value(nodes, i),
                    &denials[loader->protocol->denial_count]);
}
