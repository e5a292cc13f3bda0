#include "policy/protocol_load.h"

#include <stdlib.h>
#include <string.h>

static const char *const root_keys[] = {
    "protocol",        "version",     "title",      "owner",     "signatories", "impact_assessment",
    "policy_document", "in_force",    "review",     "on_expiry", "settings",    "areas",
    "bodies",          "classes",     "parties",    "gateways",  "crossings",   "conditions",
    "consents",        "strands",     "case_roles", "juveniles", "rules",       "records",
    "corrections",     "break_glass", "aggregates", "denials",   "diverts",     NULL};

uint16_t protocol_read_reference(struct protocol_loader *loader, const struct yaml_node *node,
                                 uint16_t (*find)(const struct protocol *, struct byte_view),
                                 const char *what, const char *where)
{
    const char *text;
    char quoted[YAML_QUOTE_SIZE];
    uint16_t index;

    if (!yaml_read_string(loader->errors, node, &text))
        return PROTOCOL_NONE;
    index = find(loader->protocol, protocol_text_of(node));
    if (index == PROTOCOL_NONE)
        yaml_errors_add(loader->errors, node, "there is no %s %s; define it under '%s'", what,
                        yaml_quote(quoted, text), where);
    return index;
}

uint32_t protocol_read_references(struct protocol_loader *loader, const struct yaml_node *node,
                                  uint16_t (*find)(const struct protocol *, struct byte_view),
                                  const char *what, const char *where, bool *ret_any)
{
    char quoted[YAML_QUOTE_SIZE];
    uint32_t bits = 0;

    if (node == NULL)
        return 0;
    if (ret_any != NULL && yaml_is(node, "any")) {
        *ret_any = true;
        return UINT32_MAX;
    }
    if (node->kind == YAML_SCALAR) {
        uint16_t index = protocol_read_reference(loader, node, find, what, where);

        return index == PROTOCOL_NONE ? 0 : UINT32_C(1) << index;
    }
    if (!yaml_read_list(loader->errors, node, 1, 32))
        return 0;
    for (size_t i = 0; i < yaml_count(node); i++) {
        uint16_t index = protocol_read_reference(loader, yaml_at(node, i), find, what, where);

        if (index == PROTOCOL_NONE)
            continue;
        if ((bits >> index & 1) != 0)
            yaml_errors_add(loader->errors, yaml_at(node, i), "%s is named twice; leave one out",
                            yaml_quote(quoted, yaml_at(node, i)->text));
        bits |= UINT32_C(1) << index;
    }
    return bits;
}

struct label_set protocol_read_labels(struct protocol_loader *loader, const struct yaml_node *node)
{
    struct label_set labels = {{0}};
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (node == NULL || !yaml_read_list(loader->errors, node, 1, CATALOGUE_ITEMS_MAX))
        return labels;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *item = yaml_at(node, i);
        uint16_t label;

        if (!yaml_read_string(loader->errors, item, &text))
            continue;
        label = catalogue_find_label(loader->catalogue, protocol_text_of(item));
        if (label == CATALOGUE_NONE)
            yaml_errors_add(loader->errors, item, "there is no item %s; the catalogue lists them",
                            yaml_quote(quoted, text));
        else if (label_set_has(&labels, label))
            yaml_errors_add(loader->errors, item, "%s is named twice; leave one out",
                            yaml_quote(quoted, text));
        else
            label_set_add(&labels, label);
    }
    return labels;
}

const struct catalogue_codes *protocol_codes_of(const struct protocol_loader *loader, const char *label)
{
    uint16_t index = catalogue_find_label(loader->catalogue, bytes_of_string(label));

    return index == CATALOGUE_NONE ? NULL : loader->catalogue->labels[index].codes;
}

bool protocol_check_code(struct protocol_loader *loader, const struct yaml_node *node,
                         const struct catalogue_codes *codes, const char *label)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (!yaml_read_string(loader->errors, node, &text))
        return false;
    if (codes != NULL && catalogue_find_code(codes, protocol_text_of(node)) != CATALOGUE_NONE)
        return true;
    yaml_errors_add(loader->errors, node, "%s is no code of the item '%s'; the catalogue lists them",
                    yaml_quote(quoted, text), label);
    return false;
}

/* Reference and date of a paper that must exist, as one text for people. */
static const char *read_paper(struct protocol_loader *loader, const struct yaml_node *root, const char *key)
{
    static const char *const keys[] = {"reference", "date", NULL};
    const struct yaml_node *node = yaml_read_required(loader->errors, root, key);
    struct byte_buffer text = bytes_buffer(512);
    const char *reference = "", *copy = "";
    char day[CIVIL_DATE_SIZE];
    int32_t date = 0;

    if (node == NULL || !read_fields(loader->errors, node, keys))
        return "";
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "reference"),
                  &reference);
    yaml_read_date(loader->errors, yaml_read_required(loader->errors, node, "date"), &date);
    civil_format_date(date, day);
    bytes_append_format(&text, "%s of %s", reference, day);
    bytes_append_u8(&text, 0);
    if (text.status == STATUS_OK)
        copy = arena_text(loader->arena, (const char *)text.data);
    else
        loader->no_memory = true;
    bytes_buffer_free(&text);
    return copy;
}

static void load_dates(struct protocol_loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"from", "until", NULL};
    static const char *const expiry[] = {"refuse", NULL};
    const struct yaml_node *in_force = yaml_read_required(loader->errors, root, "in_force");
    const struct yaml_node *review = yaml_read_required(loader->errors, root, "review");
    struct protocol *protocol = loader->protocol;
    int32_t from = 0, until = 0;
    size_t refuse;

    yaml_read_enum(loader->errors, yaml_read_required(loader->errors, root, "on_expiry"), expiry, &refuse);
    yaml_read_date(loader->errors, review, &protocol->review);
    if (in_force == NULL || !read_fields(loader->errors, in_force, keys))
        return;
    if (!yaml_read_date(loader->errors, yaml_read_required(loader->errors, in_force, "from"), &from) ||
        !yaml_read_date(loader->errors, yaml_read_required(loader->errors, in_force, "until"), &until))
        return;
    protocol->in_force_from = civil_time_of_day_start(from);
    protocol->in_force_until = civil_time_of_day_start(until) + CIVIL_DAY_MS;
    if (until < from)
        yaml_errors_add(loader->errors, yaml_get(in_force, "until"),
                        "the protocol ends before it begins; give a later date");
    else if (review != NULL && (protocol->review < from || protocol->review > until))
        yaml_errors_add(loader->errors, review,
                        "the review lies outside the protocol's period; give a date within it");
}

static void load_signatories(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_read_required(loader->errors, root, "signatories");
    const char **signatories;

    if (!yaml_read_list(loader->errors, list, 1, PROTOCOL_PARTIES_MAX))
        return;
    signatories = arena_array(loader->arena, yaml_count(list), sizeof *signatories);
    if (signatories == NULL)
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (read_sentence(loader->errors, loader->arena, yaml_at(list, i),
                          &signatories[loader->protocol->signatory_count]))
            loader->protocol->signatory_count++;
    }
    loader->protocol->signatories = signatories;
}

/* May recipients pass on what they have? Never without the sender, whatever a partnership writes. */
static void load_onward(struct protocol_loader *loader, const struct yaml_node *node)
{
    static const char *const onward[] = {"never", "with the sender's leave", NULL};
    size_t index = 0;

    yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "onward"), onward, &index);
    loader->protocol->onward = onward[index];
    loader->protocol->onward_leave = index == 1;
}

/* What ends retention before its time. Erasure and retraction must (DPA 2018 s.47, s.48). */
static void load_retention_ends(struct protocol_loader *loader, const struct yaml_node *node)
{
    static const char *const ends[] = {"erasure", "retraction", "withdrawal", NULL};
    const struct yaml_node *list = yaml_read_required(loader->errors, node, "retention_ends");
    unsigned found = 0;
    size_t index;

    if (!yaml_read_list(loader->errors, list, 1, 3))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (yaml_read_enum(loader->errors, yaml_at(list, i), ends, &index))
            found |= 1u << index;
    }
    if ((found & 3u) != 3u)
        yaml_errors_add(loader->errors, list, "erasure and retraction always end retention; name both");
    loader->protocol->withdrawal_ends_retention = (found & 4u) != 0;
}

static void load_settings(struct protocol_loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"review_grace",   "juvenile_until", "merge_within",  "onward",
                                       "retention_ends", "after_removal",  "log_retention", NULL};
    const struct yaml_node *node = yaml_read_required(loader->errors, root, "settings");

    if (node == NULL || !read_fields(loader->errors, node, keys))
        return;
    yaml_read_duration(loader->errors, yaml_read_required(loader->errors, node, "review_grace"),
                       &loader->protocol->review_grace);
    read_positive(loader->errors, yaml_read_required(loader->errors, node, "juvenile_until"),
                  &loader->protocol->juvenile_until);
    load_onward(loader, node);
    load_retention_ends(loader, node);
    loader->protocol->has_after_removal = yaml_get(node, "after_removal") != NULL;
    if (loader->protocol->has_after_removal)
        read_positive(loader->errors, yaml_get(node, "after_removal"), &loader->protocol->after_removal);
    loader->protocol->has_log_retention = yaml_get(node, "log_retention") != NULL;
    if (loader->protocol->has_log_retention)
        read_positive(loader->errors, yaml_get(node, "log_retention"), &loader->protocol->log_retention);
    loader->protocol->merge_within = (struct duration){.ms = 14 * CIVIL_DAY_MS};
    if (yaml_get(node, "merge_within") != NULL)
        read_positive(loader->errors, yaml_get(node, "merge_within"), &loader->protocol->merge_within);
}

void protocol_load_head(struct protocol_loader *loader, const struct yaml_node *root)
{
    struct protocol *protocol = loader->protocol;
    uint64_t version = 0;

    read_name(loader->errors, loader->arena, yaml_read_required(loader->errors, root, "protocol"),
              &protocol->id);
    yaml_read_uint(loader->errors, yaml_read_required(loader->errors, root, "version"), 1, UINT32_MAX,
                   &version);
    protocol->version = (uint32_t)version;
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, root, "title"),
                  &protocol->title);
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, root, "owner"),
                  &protocol->owner);
    load_signatories(loader, root);
    protocol->impact_assessment = read_paper(loader, root, "impact_assessment");
    protocol->policy_document = read_paper(loader, root, "policy_document");
    load_dates(loader, root);
    load_settings(loader, root);
}

/* Each part needs the ones before it: a part with errors is the last that is read, so that no error follows
 * from another. Rules come last and do not stop at the first broken one. */
static void load_parts(struct protocol_loader *loader, const struct yaml_node *root)
{
    static void (*const parts[])(struct protocol_loader *, const struct yaml_node *) = {
        protocol_load_classes,    protocol_load_law,     protocol_load_parties, protocol_load_people,
        protocol_load_aggregates, protocol_load_denials, protocol_load_rules};

    if (!read_fields(loader->errors, root, root_keys))
        return;
    protocol_load_head(loader, root);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t before = loader->errors->count;

        parts[i](loader, root);
        if (loader->errors->count > before || arena_failed(loader->arena) || loader->no_memory)
            return;
    }
    protocol_finish_routes(loader);
    protocol_check_questions(loader);
}

enum status protocol_load(struct byte_view text, const struct catalogue *catalogue,
                          struct yaml_errors *errors, struct protocol **ret_protocol)
{
    struct protocol_loader loader = {.errors = errors, .catalogue = catalogue, .arena = arena_new()};
    struct yaml *yaml = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (loader.arena == NULL ||
        (loader.protocol = arena_array(loader.arena, 1, sizeof *loader.protocol)) == NULL)
        goto out;
    loader.protocol->arena = loader.arena;
    loader.protocol->catalogue = catalogue;
    loader.protocol->break_glass.event = CATALOGUE_NONE;
    status = read_tree(text, errors, &yaml);
    if (status != STATUS_OK)
        goto out;
    load_parts(&loader, yaml_root(yaml));
    status = loader.no_memory ? STATUS_NO_MEMORY : read_finish(errors, loader.arena);
    if (status != STATUS_OK)
        goto out;
    *ret_protocol = loader.protocol;
    loader.arena = NULL;
out:
    free(loader.routes);
    free(loader.route_pairs);
    arena_free(&loader.arena);
    yaml_destroy(&yaml);
    return status;
}
