#include "policy/protocol_load.h"

/* Counts for those who get no event, and who they are. */

#define SUPPRESS_BELOW 5
#define SUPPRESS_MOST  1000

uint32_t protocol_events_only(struct protocol_loader *loader, const struct yaml_node *node, uint32_t classes,
                              bool any)
{
    const struct protocol *protocol = loader->protocol;
    uint32_t wrong = 0;

    for (uint16_t i = 0; i < protocol->class_count; i++) {
        if (loader->classes[i].aggregates_only)
            wrong |= UINT32_C(1) << i;
    }
    for (uint16_t i = 0; i < protocol->class_count && !any; i++) {
        if ((wrong & classes) >> i & 1)
            yaml_errors_add(loader->errors, node,
                            "class %s gets aggregates only, and sends and receives no event; leave it out",
                            protocol->classes[i].name);
    }
    return classes & ~wrong;
}

void protocol_load_aggregates(struct protocol_loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"paragraph", "to", "suppress_below", NULL};
    const struct yaml_node *node = yaml_get(root, "aggregates");
    struct protocol_aggregates *aggregates = &loader->protocol->aggregates;
    uint64_t below = SUPPRESS_BELOW;

    aggregates->paragraph = "";
    if (node == NULL || !read_fields(loader->errors, node, keys))
        return;
    aggregates->paragraph = protocol_read_paragraph(loader, node);
    aggregates->to = protocol_read_references(loader, yaml_read_required(loader->errors, node, "to"),
                                              protocol_find_class, "class", "classes", NULL);
    /* Below 2 nothing would be hidden. */
    if (yaml_get(node, "suppress_below") != NULL)
        yaml_read_uint(loader->errors, yaml_get(node, "suppress_below"), 2, SUPPRESS_MOST, &below);
    aggregates->suppress_below = (uint32_t)below;
}
