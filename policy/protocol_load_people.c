#include <string.h>

#include "policy/protocol_load.h"

/* About whom: strands with their authorities, roles in a case, juveniles. */

uint16_t protocol_load_find_strand(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->strands[i].name)))
            return i;
    }
    return PROTOCOL_NONE;
}

static void load_strand(struct protocol_loader *loader, const struct yaml_node *node,
                        struct protocol_strand *strand)
{
    static const char *const keys[] = {"authority", "class", "longest_review", NULL};
    const struct yaml_node *authority = yaml_read_required(loader->errors, node, "authority");

    if (protocol_check_code(loader, authority, protocol_codes_of(loader, "authority"), "authority"))
        strand->authority = arena_text(loader->arena, authority->text);
    strand->class_index = protocol_read_reference(loader, yaml_read_required(loader->errors, node, "class"),
                                                  protocol_find_class, "class", "classes");
    strand->has_longest_review =
        read_positive(loader->errors, yaml_get(node, "longest_review"), &strand->longest_review);
    yaml_read_known_keys(loader->errors, node, keys);
}

static void load_strands(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    const struct catalogue_codes *codes = protocol_codes_of(loader, "strand");
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "strands", true, PROTOCOL_STRANDS_MAX, &nodes);
    struct protocol_strand *strands = arena_array(loader->arena, count, sizeof *strands);

    if (strands == NULL)
        return;
    protocol->strands = strands;
    for (size_t i = 0; i < count; i++) {
        struct protocol_strand *strand = &strands[protocol->strand_count];

        if (!protocol_check_code(loader, yaml_key(nodes, i), codes, "strand") ||
            (strand->name = arena_text(loader->arena, yaml_key(nodes, i)->text)) == NULL ||
            !yaml_read_map(loader->errors, yaml_value(nodes, i)))
            continue;
        load_strand(loader, yaml_value(nodes, i), strand);
        protocol->strand_count++;
    }
}

static void load_roles(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    const struct catalogue_codes *codes = protocol_codes_of(loader, "role");
    struct protocol *protocol = loader->protocol;
    size_t count = read_records(loader->errors, root, "case_roles", false, 16, &nodes);
    struct protocol_role *roles = arena_array(loader->arena, count, sizeof *roles);

    if (roles == NULL)
        return;
    protocol->roles = roles;
    for (size_t i = 0; i < count; i++) {
        struct protocol_role *role = &roles[protocol->role_count];

        if (!protocol_check_code(loader, yaml_key(nodes, i), codes, "role") ||
            (role->name = arena_text(loader->arena, yaml_key(nodes, i)->text)) == NULL)
            continue;
        role->classes = protocol_read_references(loader, yaml_value(nodes, i), protocol_find_class, "class",
                                                 "classes", NULL);
        protocol->role_count++;
    }
}

static void load_replacement(struct protocol_loader *loader, const struct yaml_node *key,
                             const struct yaml_node *node)
{
    static const char *const keys[] = {"class", "crossing", NULL};
    uint16_t from = protocol_read_reference(loader, key, protocol_find_class, "class", "classes");
    uint16_t to;

    if (from == PROTOCOL_NONE || !read_fields(loader->errors, node, keys))
        return;
    to = protocol_read_reference(loader, yaml_read_required(loader->errors, node, "class"),
                                 protocol_find_class, "class", "classes");
    if (to == PROTOCOL_NONE)
        return;
    if (loader->classes[to].aggregates_only) {
        yaml_errors_add(loader->errors, node, "class %s gets aggregates only; name another",
                        loader->protocol->classes[to].name);
        return;
    }
    if (to == from || loader->classes[to].denied_juveniles || loader->classes[from].denied_juveniles) {
        yaml_errors_add(
            loader->errors, node,
            "a class cannot take its own place, nor take or give its place when it is under 'deny'; name "
            "another");
        return;
    }
    loader->classes[from].replaced_by = to;
    loader->classes[from].replace_crossing = (uint16_t)protocol_read_references(
        loader, yaml_get(node, "crossing"), protocol_load_find_crossing, "crossing", "crossings", NULL);
}

/* One step only: who takes a place keeps it. */
static void check_replacements(struct protocol_loader *loader, const struct yaml_node *nodes)
{
    for (size_t i = 0; i < yaml_count(nodes); i++) {
        uint16_t from = protocol_find_class(loader->protocol, protocol_text_of(yaml_key(nodes, i)));
        uint16_t to = from == PROTOCOL_NONE ? from : loader->classes[from].replaced_by;

        if (to != PROTOCOL_NONE && loader->classes[to].replaced_by != PROTOCOL_NONE)
            yaml_errors_add(loader->errors, yaml_value(nodes, i),
                            "the class that takes the place is replaced itself; name one that is not");
    }
}

/* Who approves, and on which lists somebody under 18 may stand at all. */
static void load_approval(struct protocol_loader *loader, const struct yaml_node *juveniles)
{
    static const char *const keys[] = {"authority", "class", NULL};
    const struct yaml_node *node = yaml_read_required(loader->errors, juveniles, "approval");
    const struct yaml_node *authority;
    struct protocol *protocol = loader->protocol;

    protocol->juvenile_strands =
        protocol_read_references(loader, yaml_read_required(loader->errors, juveniles, "strands"),
                                 protocol_load_find_strand, "strand", "strands", NULL);
    protocol->juvenile_authority = "";
    protocol->juvenile_class = PROTOCOL_NONE;
    if (!read_fields(loader->errors, node, keys))
        return;
    authority = yaml_read_required(loader->errors, node, "authority");
    if (protocol_check_code(loader, authority, protocol_codes_of(loader, "authority"), "authority"))
        protocol->juvenile_authority = arena_text(loader->arena, authority->text);
    protocol->juvenile_class = protocol_read_reference(
        loader, yaml_read_required(loader->errors, node, "class"), protocol_find_class, "class", "classes");
}

static void load_divert(struct protocol_loader *loader, const struct yaml_node *key,
                        const struct yaml_node *node, struct protocol_divert *divert)
{
    static const char *const keys[] = {"paragraph", "law", "to", NULL};

    if (!protocol_check_code(loader, key, protocol_codes_of(loader, CATALOGUE_DIVERT), CATALOGUE_DIVERT) ||
        !read_fields(loader->errors, node, keys))
        return;
    divert->code = arena_text(loader->arena, key->text);
    divert->paragraph = protocol_read_paragraph(loader, node);
    divert->law = divert->to = "";
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "law"),
                  &divert->law);
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "to"), &divert->to);
    loader->protocol->divert_count++;
}

static void load_diverts(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    size_t count = read_records(loader->errors, root, "diverts", false, PROTOCOL_DIVERTS_MAX, &nodes);
    struct protocol_divert *diverts = arena_array(loader->arena, count, sizeof *diverts);

    if (diverts == NULL)
        return;
    loader->protocol->diverts = diverts;
    for (size_t i = 0; i < count; i++)
        load_divert(loader, yaml_key(nodes, i), yaml_value(nodes, i),
                    &diverts[loader->protocol->divert_count]);
}

static void load_juveniles(struct protocol_loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"unknown_age", "deny", "replace", "approval", "strands", NULL};
    static const char *const unknown[] = {"juvenile", NULL};
    const struct yaml_node *node = yaml_read_required(loader->errors, root, "juveniles");
    const struct yaml_node *replace;
    uint32_t denied;
    size_t index;

    if (node == NULL || !read_fields(loader->errors, node, keys))
        return;
    yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "unknown_age"), unknown, &index);
    denied = protocol_read_references(loader, yaml_get(node, "deny"), protocol_find_class, "class", "classes",
                                      NULL);
    for (uint16_t i = 0; i < loader->protocol->class_count; i++)
        loader->classes[i].denied_juveniles = (denied >> i & 1) != 0;
    read_records(loader->errors, node, "replace", false, PROTOCOL_CLASSES_MAX, &replace);
    for (size_t i = 0; i < yaml_count(replace); i++)
        load_replacement(loader, yaml_key(replace, i), yaml_value(replace, i));
    check_replacements(loader, replace);
    load_approval(loader, node);
}

void protocol_load_people(struct protocol_loader *loader, const struct yaml_node *root)
{
    size_t before = loader->errors->count;

    load_strands(loader, root);
    if (loader->errors->count > before)
        return;
    load_roles(loader, root);
    load_juveniles(loader, root);
    load_diverts(loader, root);
}
