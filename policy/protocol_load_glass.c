#include <string.h>

#include "policy/protocol_load.h"

/* Break-glass: what an officer on duty may tell at once, without listing or consent, and has to answer for.
 */

static const char *const glass_keys[] = {"purpose", "confirm_within", "excluded", "rules", NULL};
static const char *const rule_keys[] = {"paragraph", "from",      "roles", "reasons",
                                        "quota",     "retention", "to",    NULL};

#define QUOTA_MOST 1000

size_t protocol_count_break_glass(const struct yaml_node *root)
{
    const struct yaml_node *glass = yaml_get(root, "break_glass");
    const struct yaml_node *rules =
        glass != NULL && glass->kind == YAML_MAP ? yaml_get(glass, "rules") : NULL;

    return rules != NULL && rules->kind == YAML_MAP ? yaml_count(rules) : 0;
}

static uint16_t event_with(const struct catalogue *catalogue, enum effect effect)
{
    for (uint16_t i = 0; i < catalogue->event_count; i++) {
        if (catalogue->events[i].effect == effect)
            return i;
    }
    return CATALOGUE_NONE;
}

/* Codes of a list as bits. */
static uint64_t read_codes(struct protocol_loader *loader, const struct yaml_node *list,
                           const struct catalogue_codes *codes, const char *label)
{
    uint64_t bits = 0;

    if (!yaml_read_list(loader->errors, list, 1, CATALOGUE_CODES_MAX))
        return 0;
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (protocol_check_code(loader, yaml_at(list, i), codes, label))
            bits |= UINT64_C(1) << catalogue_find_code(codes, protocol_text_of(yaml_at(list, i)));
    }
    return bits;
}

/* The list that a label has in the event type that overrides. */
static const struct catalogue_codes *codes_in(const struct protocol_loader *loader, const char *label)
{
    const struct catalogue_event *event = &loader->catalogue->events[loader->protocol->break_glass.event];
    uint16_t index = catalogue_find_label(loader->catalogue, bytes_of_string(label));
    const struct catalogue_field *field = index == CATALOGUE_NONE ? NULL : catalogue_field(event, index);

    return field == NULL ? NULL : field->codes;
}

static void read_rule(struct protocol_loader *loader, const struct yaml_node *node,
                      struct protocol_rule *rule)
{
    const struct yaml_node *from = yaml_read_required(loader->errors, node, "from");
    uint64_t quota = 0;
    bool any = false;

    rule->paragraph = protocol_read_paragraph(loader, node);
    rule->purpose = loader->protocol->break_glass.purpose;
    rule->break_glass = true;
    rule->need = NEED_NOTHING;
    rule->strands = UINT32_MAX;
    rule->from = protocol_read_references(loader, from, protocol_find_class, "class", "classes", &any);
    rule->from = protocol_events_only(loader, from, rule->from, any);
    rule->duty_roles = read_codes(loader, yaml_read_required(loader->errors, node, "roles"),
                                  codes_in(loader, "duty_role"), "duty_role");
    rule->reasons = read_codes(loader, yaml_read_required(loader->errors, node, "reasons"),
                               codes_in(loader, "reason"), "reason");
    if (yaml_read_uint(loader->errors, yaml_read_required(loader->errors, node, "quota"), 1, QUOTA_MOST,
                       &quota))
        rule->quota = (uint32_t)quota;
    read_positive(loader->errors, yaml_read_required(loader->errors, node, "retention"), &rule->retention);
}

/* Glass that is broken waits for no consent, and some things stay behind it whatever happens. */
static void check_grant(struct protocol_loader *loader, const struct protocol_grant *grant)
{
    static const char *const foreign[] = {"consent", "of", "items_of", NULL};
    struct label_set all = grant->items;

    for (size_t i = 0; foreign[i] != NULL; i++) {
        if (yaml_get(grant->node, foreign[i]) != NULL)
            yaml_errors_add(loader->errors, yaml_get(grant->node, foreign[i]),
                            "a break-glass rule has no '%s'; leave it out", foreign[i]);
    }
    for (uint16_t i = 0; i < grant->also_count; i++)
        all = label_set_or(all, &grant->also[i].labels);
    for (unsigned label = label_set_next(&all, 0); label < SET256_END;
         label = label_set_next(&all, label + 1)) {
        const struct catalogue_label *item = &loader->catalogue->labels[label];

        if (item->sensitivity == CATALOGUE_CLINICAL ||
            label_set_has(&loader->protocol->break_glass.excluded, label))
            yaml_errors_add(loader->errors, yaml_get(grant->node, "items"),
                            "'%s' is %s and is never released by break-glass; leave it out", item->label,
                            item->sensitivity == CATALOGUE_CLINICAL ? "clinical" : "excluded");
    }
}

/* Who gets it is told under which rule, for what reason and by whom on duty. */
static void add_account(struct protocol_loader *loader, struct protocol_grant *grant)
{
    static const char *const labels[] = {"rule", "reason", "duty_role"};

    if (loader->protocol->gateways[grant->gateway].limited)
        yaml_errors_add(loader->errors, yaml_get(grant->node, "gateway"),
                        "the gateway '%s' carries certain items only, and break-glass tells rule and reason "
                        "as well; use another and put this one under 'also'",
                        loader->protocol->gateways[grant->gateway].name);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        label_set_add(&grant->items, catalogue_find_label(loader->catalogue, bytes_of_string(labels[i])));
}

static void load_grants(struct protocol_loader *loader, const struct protocol_rule_context *context)
{
    const struct yaml_node *list = yaml_read_required(loader->errors, context->node, "to");
    struct protocol_grant *grant;
    size_t before = loader->errors->count;

    if (!yaml_read_list(loader->errors, list, 1, PROTOCOL_GRANTS_MAX))
        return;
    grant = arena_array(loader->arena, 1, sizeof *grant);
    for (size_t i = 0; grant != NULL && i < yaml_count(list); i++) {
        memset(grant, 0, sizeof *grant);
        grant->position = (uint16_t)i;
        if (!protocol_read_grant(loader, context, yaml_at(list, i), grant))
            continue;
        check_grant(loader, grant);
        add_account(loader, grant);
        if (loader->errors->count == before)
            protocol_add_routes(loader, context, grant);
    }
}

static void load_rule(struct protocol_loader *loader, const struct yaml_node *key,
                      const struct yaml_node *node)
{
    struct protocol *protocol = loader->protocol;
    struct protocol_rule *rule = &loader->rules[protocol->rule_count];
    struct protocol_rule_context context = {.rule = protocol->rule_count, .node = node};
    size_t before = loader->errors->count;

    if (!read_name(loader->errors, loader->arena, key, &rule->id) ||
        !read_fields(loader->errors, node, rule_keys))
        return;
    if (protocol_find_rule(protocol, protocol_text_of(key)) != PROTOCOL_NONE)
        yaml_errors_add(loader->errors, key, "another rule or record has this name; choose another");
    rule->line = key->line;
    rule->column = key->column;
    read_rule(loader, node, rule);
    bits_add(context.events, protocol->break_glass.event);
    protocol->rule_count++;
    if (loader->errors->count > before)
        return;
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        if ((rule->from >> class & 1) != 0)
            protocol_take_pair(loader, node, protocol->break_glass.event, class, context.rule);
    }
    load_grants(loader, &context);
}

/* Somebody who is told must be able to confirm, or nobody could and the right would always end suspended. */
static void check_confirmation(struct protocol_loader *loader, const struct yaml_node *node)
{
    const struct protocol *protocol = loader->protocol;
    uint16_t event = event_with(loader->catalogue, EFFECT_CONFIRM);

    for (uint16_t class = 0; event != CATALOGUE_NONE && class < protocol->class_count; class ++) {
        const struct protocol_pair *pair = protocol_pair_of(protocol, event, class);

        if (pair->rule != PROTOCOL_NONE && bits_has(pair->answers, protocol->break_glass.event) &&
            protocol->rules[pair->rule].need == NEED_NOTHING)
            return;
    }
    yaml_errors_add(
        loader->errors, node,
        "nobody may confirm that the glass was broken rightly; add a rule with 'needs: nothing' "
        "for the event type of the catalogue that does (changes: confirmation), and let it answer "
        "%s",
        loader->catalogue->events[protocol->break_glass.event].type);
}

void protocol_load_break_glass(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *node = yaml_get(root, "break_glass"), *rules;
    struct protocol_break_glass *glass = &loader->protocol->break_glass;
    size_t before = loader->errors->count, count;

    if (node == NULL || !read_fields(loader->errors, node, glass_keys))
        return;
    glass->event = event_with(loader->catalogue, EFFECT_OVERRIDE);
    if (glass->event == CATALOGUE_NONE) {
        yaml_errors_add(loader->errors, node,
                        "the catalogue has no event type that overrides (changes: "
                        "override); leave 'break_glass' out");
        return;
    }
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "purpose"),
                  &glass->purpose);
    read_positive(loader->errors, yaml_read_required(loader->errors, node, "confirm_within"),
                  &glass->confirm_within);
    glass->excluded = protocol_read_labels(loader, yaml_get(node, "excluded"));
    count = read_records(loader->errors, node, "rules", true, PROTOCOL_RULES_MAX, &rules);
    if (loader->errors->count > before)
        return;
    for (size_t i = 0; i < count; i++)
        load_rule(loader, yaml_key(rules, i), yaml_value(rules, i));
    if (loader->errors->count == before)
        check_confirmation(loader, node);
}
