#include <string.h>

#include "policy/protocol_load.h"
#include "proto/codes.h"
#include "proto/member.h"

/* Where: areas and parties. */

uint16_t protocol_load_find_area(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->area_count; i++) {
        if (bytes_equal(name, bytes_of_string(protocol->areas[i])))
            return i;
    }
    return PROTOCOL_NONE;
}

static void load_areas(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_read_required(loader->errors, root, "areas");
    struct protocol *protocol = loader->protocol;
    char quoted[YAML_QUOTE_SIZE];
    const char **areas;

    if (!yaml_read_list(loader->errors, list, 1, PROTOCOL_AREAS_MAX))
        return;
    areas = arena_array(loader->arena, yaml_count(list), sizeof *areas);
    if (areas == NULL)
        return;
    protocol->areas = areas;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i);

        if (!read_check_name(loader->errors, node))
            continue;
        if (protocol_load_find_area(protocol, protocol_text_of(node)) != PROTOCOL_NONE)
            yaml_errors_add(loader->errors, node, "%s is named twice; leave one out",
                            yaml_quote(quoted, node->text));
        else if (read_name(loader->errors, loader->arena, node, &areas[protocol->area_count]))
            protocol->area_count++;
    }
}

static void read_party_areas(struct protocol_loader *loader, const struct yaml_node *list,
                             struct protocol_party *party)
{
    if (list == NULL || !yaml_read_list(loader->errors, list, 1, PROTOCOL_AREAS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        uint16_t area =
            protocol_read_reference(loader, yaml_at(list, i), protocol_load_find_area, "area", "areas");

        if (area != PROTOCOL_NONE)
            party->areas |= UINT64_C(1) << area;
    }
}

static void read_pathways(struct protocol_loader *loader, const struct yaml_node *list,
                          struct protocol_party *party)
{
    const struct catalogue_codes *codes = protocol_codes_of(loader, "pathway");

    if (list == NULL || !yaml_read_list(loader->errors, list, 1, PROTOCOL_PATHWAYS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        uint16_t code;

        if (!protocol_check_code(loader, yaml_at(list, i), codes, "pathway"))
            continue;
        code = catalogue_find_code(codes, protocol_text_of(yaml_at(list, i)));
        if (code >= PROTOCOL_PATHWAYS_MAX)
            yaml_errors_add(loader->errors, yaml_at(list, i),
                            "only the first %d pathways of the catalogue can be named",
                            PROTOCOL_PATHWAYS_MAX);
        else
            party->pathways |= UINT32_C(1) << code;
    }
}

static void read_establishments(struct protocol_loader *loader, const struct yaml_node *list,
                                struct protocol_party *party)
{
    const char **prisons;
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (list == NULL || !yaml_read_list(loader->errors, list, 1, 64))
        return;
    prisons = arena_array(loader->arena, yaml_count(list), sizeof *prisons);
    if (prisons == NULL)
        return;
    party->establishments = prisons;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i);

        if (!yaml_read_string(loader->errors, node, &text))
            continue;
        if (!codes_is_prison(protocol_text_of(node)))
            yaml_errors_add(loader->errors, node, "%s is no code of a prison; write one such as DGI",
                            yaml_quote(quoted, text));
        else if (protocol_find_establishment(loader->protocol, protocol_text_of(node)) != PROTOCOL_NONE)
            yaml_errors_add(loader->errors, node, "another party speaks for %s already; name it once",
                            yaml_quote(quoted, text));
        else if ((prisons[party->establishment_count] = arena_text(loader->arena, text)) != NULL)
            party->establishment_count++;
    }
}

static void read_force(struct protocol_loader *loader, const struct yaml_node *node,
                       struct protocol_party *party)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (!yaml_read_string(loader->errors, node, &text))
        return;
    if (!codes_is_force(protocol_text_of(node))) {
        yaml_errors_add(loader->errors, node, "%s is no code of a police force; write two digits in quotes",
                        yaml_quote(quoted, text));
        return;
    }
    for (uint16_t i = 0; i < loader->protocol->party_count; i++) {
        if (strcmp(loader->protocol->parties[i].force, text) == 0)
            yaml_errors_add(loader->errors, node, "another party is the force %s already; name it once",
                            yaml_quote(quoted, text));
    }
    memcpy(party->force, text, 3);
}

static void load_party(struct protocol_loader *loader, struct protocol_party *parties,
                       const struct yaml_node *key, const struct yaml_node *node)
{
    static const char *const keys[] = {"force", "areas", "establishments", "pathways", NULL};
    struct protocol_party *party = &parties[loader->protocol->party_count];
    char quoted[YAML_QUOTE_SIZE];
    uint16_t class;

    if (member_check(protocol_text_of(key)) != STATUS_OK) {
        yaml_errors_add(loader->errors, key, "%s is no member id; write class.place in lower case",
                        yaml_quote(quoted, key->text));
        return;
    }
    class = protocol_find_class(loader->protocol, member_class(protocol_text_of(key)));
    if (class == PROTOCOL_NONE) {
        yaml_errors_add(loader->errors, key, "the class of %s is not there; define it under 'classes'",
                        yaml_quote(quoted, key->text));
        return;
    }
    party->id = arena_text(loader->arena, key->text);
    party->class_index = class;
    if (!read_fields(loader->errors, node, keys) || party->id == NULL)
        return;
    read_force(loader, yaml_get(node, "force"), party);
    read_party_areas(loader, yaml_get(node, "areas"), party);
    read_establishments(loader, yaml_get(node, "establishments"), party);
    read_pathways(loader, yaml_get(node, "pathways"), party);
    loader->protocol->party_count++;
}

static void sort_parties(struct protocol_party *parties, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct protocol_party party = parties[i];
        size_t at = i;

        for (; at > 0 && strcmp(parties[at - 1].id, party.id) > 0; at--)
            parties[at] = parties[at - 1];
        parties[at] = party;
    }
}

/* Who is where, for decisions. */
static void index_parties(struct protocol_loader *loader)
{
    struct protocol *protocol = loader->protocol;
    struct party_set *in_area = arena_array(loader->arena, PROTOCOL_AREAS_MAX, sizeof *in_area);
    struct party_set *provides = arena_array(loader->arena, PROTOCOL_PATHWAYS_MAX, sizeof *provides);

    if (in_area == NULL || provides == NULL)
        return;
    for (size_t i = 0; i < 100; i++)
        protocol->force_party[i] = PROTOCOL_NONE;
    for (uint16_t i = 0; i < protocol->party_count; i++) {
        const struct protocol_party *party = &protocol->parties[i];

        party_set_add(&loader->classes[party->class_index].parties, i);
        for (unsigned area = 0; area < PROTOCOL_AREAS_MAX; area++) {
            if ((party->areas >> area & 1) != 0)
                party_set_add(&in_area[area], i);
        }
        for (unsigned pathway = 0; pathway < PROTOCOL_PATHWAYS_MAX; pathway++) {
            if ((party->pathways >> pathway & 1) != 0)
                party_set_add(&provides[pathway], i);
        }
        if (party->force[0] != '\0')
            protocol->force_party[(party->force[0] - '0') * 10 + (party->force[1] - '0')] = i;
    }
    protocol->in_area = in_area;
    protocol->provides = provides;
    protocol->pathway_codes = protocol_codes_of(loader, "pathway");
    protocol->pathway_label = catalogue_find_label(loader->catalogue, bytes_of_string("pathway"));
    protocol->home_force_label = catalogue_find_label(loader->catalogue, bytes_of_string("home_force"));
}

void protocol_load_parties(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    struct protocol_party *parties;
    size_t count, before = loader->errors->count;

    load_areas(loader, root);
    if (loader->errors->count > before)
        return;
    count = read_records(loader->errors, root, "parties", true, PROTOCOL_PARTIES_MAX, &nodes);
    parties = arena_array(loader->arena, count, sizeof *parties);
    if (parties == NULL)
        return;
    loader->protocol->parties = parties;
    for (size_t i = 0; i < count; i++)
        load_party(loader, parties, yaml_key(nodes, i), yaml_value(nodes, i));
    sort_parties(parties, loader->protocol->party_count);
    index_parties(loader);
}
