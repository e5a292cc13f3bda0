#include <string.h>

#include "policy/protocol_load.h"

/* Who: bodies and classes. */

uint16_t protocol_load_find_body(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->body_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->bodies[i])))
            return i;
    }
    return PROTOCOL_NONE;
}

static void load_bodies(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    size_t count = read_records(loader->errors, root, "bodies", true, PROTOCOL_BODIES_MAX, &nodes);
    const char **bodies = arena_array(loader->arena, count, sizeof *bodies);
    const char *description;

    if (bodies == NULL)
        return;
    loader->protocol->bodies = bodies;
    for (size_t i = 0; i < count; i++) {
        yaml_read_string(loader->errors, yaml_value(nodes, i), &description);
        if (read_name(loader->errors, loader->arena, yaml_key(nodes, i),
                      &bodies[loader->protocol->body_count]))
            loader->protocol->body_count++;
    }
}

/* A class is the first part of member ids, which know no '-' there. */
static bool check_class_name(struct protocol_loader *loader, const struct yaml_node *key)
{
    char quoted[YAML_QUOTE_SIZE];

    if (strchr(key->text, '-') == NULL && strcmp(key->text, "any") != 0 && strlen(key->text) <= 32)
        return true;
    yaml_errors_add(loader->errors, key,
                    "%s cannot be a class; write at most 32 lower-case letters, digits or '_', and not 'any'",
                    yaml_quote(quoted, key->text));
    return false;
}

static void load_class(struct protocol_loader *loader, const struct yaml_node *key,
                       const struct yaml_node *node)
{
    static const char *const keys[] = {"regime", "bodies", "aggregates_only", NULL};
    static const char *const regimes[] = {"law_enforcement", "general", NULL};
    struct protocol *protocol = loader->protocol;
    struct protocol_class *class = &loader->classes[protocol->class_count];
    size_t regime;

    if (!read_name(loader->errors, loader->arena, key, &class->name) || !check_class_name(loader, key) ||
        !read_fields(loader->errors, node, keys))
        return;
    if (yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "regime"), regimes, &regime))
        class->regime = (enum protocol_regime)regime;
    class->bodies = protocol_read_references(loader, yaml_read_required(loader->errors, node, "bodies"),
                                             protocol_load_find_body, "body", "bodies", NULL);
    yaml_read_bool(loader->errors, yaml_get(node, "aggregates_only"), &class->aggregates_only);
    class->replaced_by = PROTOCOL_NONE;
    protocol->class_count++;
}

void protocol_load_classes(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    size_t count, before = loader->errors->count;

    load_bodies(loader, root);
    if (loader->errors->count > before)
        return;
    count = read_records(loader->errors, root, "classes", true, PROTOCOL_CLASSES_MAX, &nodes);
    loader->classes = arena_array(loader->arena, count, sizeof *loader->classes);
    loader->protocol->classes = loader->classes;
    if (loader->classes == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        load_class(loader, yaml_key(nodes, i), yaml_value(nodes, i));
}
