#include <string.h>

#include "policy/protocol_load.h"

/* Rules and records: what stands in them apart from `to`. */

static const char *const rule_keys[] = {"paragraph", "from",      "events",    "purpose",  "needs",
                                        "strands",   "answers",   "may_ask",   "deadline", "late",
                                        "urgent",    "on_change", "retention", "to",       NULL};
static const char *const correction_keys[] = {"paragraph", "from", "events", "purpose", "retention", NULL};
static const char *const record_keys[] = {"paragraph", "from",      "events", "purpose",
                                          "needs",     "retention", NULL};

static void read_clock(struct protocol_loader *loader, const struct yaml_node *rule,
                       struct protocol_rule_context *context)
{
    static const char *const within_keys[] = {"within", NULL};
    static const char *const before_keys[] = {"before", "at_least", "otherwise", NULL};
    const struct yaml_node *node = yaml_get(rule, "deadline");
    const struct yaml_node *before = yaml_get(node, "before");
    char quoted[YAML_QUOTE_SIZE];
    const char *label;

    if (node == NULL || !read_fields(loader->errors, node, before == NULL ? within_keys : before_keys))
        return;
    if (before == NULL) {
        if (read_positive(loader->errors, yaml_read_required(loader->errors, node, "within"),
                          &context->clock_length))
            context->clock = CLOCK_WITHIN;
        return;
    }
    read_positive(loader->errors, yaml_read_required(loader->errors, node, "at_least"),
                  &context->clock_length);
    context->has_otherwise = read_positive(loader->errors, yaml_get(node, "otherwise"), &context->otherwise);
    if (!yaml_read_string(loader->errors, before, &label))
        return;
    context->clock = CLOCK_BEFORE;
    context->clock_label = catalogue_find_label(loader->catalogue, protocol_text_of(before));
    if (context->clock_label == CATALOGUE_NONE ||
        loader->catalogue->labels[context->clock_label].kind != KIND_DATE)
        yaml_errors_add(loader->errors, before, "%s is no item of kind date; name one that is",
                        yaml_quote(quoted, label));
}

/* An event type without the date to count from needs another clock. */
static void check_clock(struct protocol_loader *loader, const struct yaml_node *rule,
                        const struct protocol_rule_context *context)
{
    if (context->clock != CLOCK_BEFORE || context->has_otherwise)
        return;
    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        const struct catalogue_event *event = &loader->catalogue->events[i];

        if (bits_has(context->events, i) && !label_set_has(&event->attribute_set, context->clock_label))
            yaml_errors_add(loader->errors, yaml_get(rule, "deadline"),
                            "%s has no attribute '%s' to count from; add 'otherwise'", event->type,
                            loader->catalogue->labels[context->clock_label].label);
    }
}

static void read_urgency(struct protocol_loader *loader, const struct yaml_node *node,
                         struct protocol_rule *rule)
{
    static const char *const keys[] = {"acknowledge", "then", NULL};
    static const char *const whom[] = {"duty officer", NULL};
    size_t index;

    if (node == NULL || !read_fields(loader->errors, node, keys))
        return;
    rule->urgent = read_positive(loader->errors, yaml_read_required(loader->errors, node, "acknowledge"),
                                 &rule->acknowledge);
    if (yaml_read_enum(loader->errors, yaml_read_required(loader->errors, node, "then"), whom, &index))
        rule->escalate_to = whom[index];
}

static void read_timing(struct protocol_loader *loader, const struct yaml_node *node,
                        struct protocol_rule *rule)
{
    static const char *const late[] = {"send and flag", "refuse", NULL};
    static const char *const change[] = {"supersede", NULL};
    const struct yaml_node *lateness = yaml_get(node, "late");
    size_t index = 0;

    if (yaml_get(node, "deadline") != NULL)
        lateness = yaml_read_required(loader->errors, node, "late");
    else if (lateness != NULL)
        yaml_errors_add(loader->errors, lateness, "without a deadline nothing is late; leave 'late' out");
    if (yaml_read_enum(loader->errors, lateness, late, &index))
        rule->late_refused = index == 1;
    rule->on_change_supersede = yaml_read_enum(loader->errors, yaml_get(node, "on_change"), change, &index);
    read_urgency(loader, yaml_get(node, "urgent"), rule);
}

static void read_common(struct protocol_loader *loader, const struct yaml_node *node,
                        struct protocol_rule *rule, struct protocol_rule_context *context)
{
    static const char *const needs[] = {"nothing", "listed", "listing authority", NULL};
    size_t need;

    rule->paragraph = protocol_read_paragraph(loader, node);
    rule->from = protocol_read_references(loader, yaml_read_required(loader->errors, node, "from"),
                                          protocol_find_class, "class", "classes", &context->any_from);
    rule->from = protocol_events_only(loader, yaml_get(node, "from"), rule->from, context->any_from);
    protocol_read_events(loader, yaml_read_required(loader->errors, node, "events"), context->events);
    rule->purpose = "";
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, node, "purpose"),
                  &rule->purpose);
    read_positive(loader->errors, yaml_read_required(loader->errors, node, "retention"), &rule->retention);
    if (yaml_read_enum(loader->errors, yaml_get(node, "needs"), needs, &need))
        rule->need = (enum protocol_need)need;
    else if (!rule->record &&
             !rule->follows) /* who says nothing would disclose about people who are not on the list */
        (void)yaml_read_required(loader->errors, node, "needs");
    rule->strands = UINT32_MAX;
    if (yaml_get(node, "strands") != NULL)
        rule->strands = protocol_read_references(loader, yaml_get(node, "strands"), protocol_load_find_strand,
                                                 "strand", "strands", NULL);
}

/* Who lists and removes is decided by `needs: listing authority`, and by nothing else. */
static void check_effects(struct protocol_loader *loader, const struct yaml_node *node,
                          const struct protocol_rule *rule, const struct protocol_rule_context *context)
{
    for (uint16_t i = 0; i < loader->catalogue->event_count; i++) {
        enum effect effect = loader->catalogue->events[i].effect;
        bool listing = effect == EFFECT_LIST || effect == EFFECT_REMOVE;

        if (bits_has(context->events, i) &&
            rule->follows != (loader->catalogue->events[i].corrects != CORRECTION_NONE))
            yaml_errors_add(loader->errors, yaml_get(node, "events"),
                            rule->follows
                                ? "%s corrects nothing; only events that do can be corrections"
                                : "%s corrects other events; only 'corrections' can say who sends it",
                            loader->catalogue->events[i].type);
        if (bits_has(context->events, i) && listing != (rule->need == NEED_LISTING_AUTHORITY))
            yaml_errors_add(
                loader->errors, yaml_get(node, "events"),
                listing ? "%s changes the list; add 'needs: listing authority'"
                        : "%s does not change the list; 'needs: listing authority' is only for what does",
                loader->catalogue->events[i].type);
        if (bits_has(context->events, i) && effect == EFFECT_OVERRIDE)
            yaml_errors_add(loader->errors, yaml_get(node, "events"),
                            "%s overrides rules, and only what stands under 'break_glass' can be overridden",
                            loader->catalogue->events[i].type);
        if (bits_has(context->events, i) && rule->record && !effect_changes_register(effect))
            yaml_errors_add(loader->errors, yaml_get(node, "events"),
                            "%s changes nothing in the register; only events that do can be records",
                            loader->catalogue->events[i].type);
    }
}

void protocol_take_pair(struct protocol_loader *loader, const struct yaml_node *node, uint16_t event,
                        uint16_t class, uint16_t index)
{
    const struct protocol *protocol = loader->protocol;
    struct protocol_pair *pair = &loader->pairs[(size_t)event * protocol->class_count + class];
    const struct protocol_rule *rule = &loader->rules[index];
    const struct protocol_rule *other;

    if (pair->rule == PROTOCOL_NONE) {
        pair->rule = index;
        return;
    }
    other = &loader->rules[pair->rule];
    if (other->record || rule->record || other->follows || rule->follows)
        yaml_errors_add(
            loader->errors, yaml_get(node, "events"),
            "'%s' covers %s from %s already, and a record or correction stands alone; leave it out of one",
            other->id, loader->catalogue->events[event].type, protocol->classes[class].name);
    else if (strcmp(other->purpose, rule->purpose) != 0)
        yaml_errors_add(
            loader->errors, yaml_get(node, "purpose"),
            "'%s' states another purpose for %s from %s; an event has one purpose, so state the same",
            other->id, loader->catalogue->events[event].type, protocol->classes[class].name);
}

static void take_pairs(struct protocol_loader *loader, const struct yaml_node *node,
                       const struct protocol_rule_context *context)
{
    for (uint16_t event = 0; event < loader->catalogue->event_count; event++) {
        for (uint16_t class = 0; class < loader->protocol->class_count; class ++) {
            if (bits_has(context->events, event) && (loader->rules[context->rule].from >> class & 1) != 0)
                protocol_take_pair(loader, node, event, class, context->rule);
        }
    }
}

/* `answers`: for each event type of the rule, which types it answers. */
static void read_answers(struct protocol_loader *loader, const struct yaml_node *node,
                         const struct protocol_rule_context *context)
{
    const struct yaml_node *map = yaml_get(node, "answers");
    uint32_t from = loader->rules[context->rule].from;

    if (map == NULL || !yaml_read_map(loader->errors, map))
        return;
    for (size_t i = 0; i < yaml_count(map); i++) {
        uint16_t event = protocol_read_event(loader, yaml_key(map, i));
        uint64_t answers[2] = {0, 0};

        protocol_read_events(loader, yaml_value(map, i), answers);
        if (event == CATALOGUE_NONE)
            continue;
        if (!bits_has(context->events, event))
            yaml_errors_add(loader->errors, yaml_key(map, i), "this rule is not about %s; add it to 'events'",
                            yaml_key(map, i)->text);
        for (uint16_t class = 0; class < loader->protocol->class_count; class ++) {
            struct protocol_pair *pair =
                &loader->pairs[(size_t)event * loader->protocol->class_count + class];

            if ((from >> class & 1) == 0)
                continue;
            if ((pair->answers[0] | pair->answers[1]) != 0 &&
                memcmp(pair->answers, answers, sizeof answers) != 0)
                yaml_errors_add(loader->errors, yaml_key(map, i),
                                "another rule says that %s answers something else; say the same in both",
                                yaml_key(map, i)->text);
            memcpy(pair->answers, answers, sizeof answers);
        }
    }
}

static void load_grants(struct protocol_loader *loader, const struct protocol_rule_context *context)
{
    const struct yaml_node *list = yaml_read_required(loader->errors, context->node, "to");
    struct protocol_grant *grant;

    if (!yaml_read_list(loader->errors, list, 1, PROTOCOL_GRANTS_MAX))
        return;
    grant = arena_array(loader->arena, 1, sizeof *grant);
    for (size_t i = 0; grant != NULL && i < yaml_count(list); i++) {
        memset(grant, 0, sizeof *grant);
        grant->position = (uint16_t)i;
        if (protocol_read_grant(loader, context, yaml_at(list, i), grant))
            protocol_add_routes(loader, context, grant);
    }
}

/* Where in the file a rule stands. */
enum rule_section { SECTION_RULES, SECTION_RECORDS, SECTION_CORRECTIONS };

static void load_rule(struct protocol_loader *loader, const struct yaml_node *key,
                      const struct yaml_node *node, enum rule_section section)
{
    static const char *const *const keys[] = {rule_keys, record_keys, correction_keys};
    struct protocol *protocol = loader->protocol;
    struct protocol_rule *rule = &loader->rules[protocol->rule_count];
    struct protocol_rule_context context = {.rule = protocol->rule_count, .node = node};
    size_t before = loader->errors->count;

    if (!read_name(loader->errors, loader->arena, key, &rule->id) ||
        !read_fields(loader->errors, node, keys[section]))
        return;
    if (protocol_find_rule(protocol, protocol_text_of(key)) != PROTOCOL_NONE)
        yaml_errors_add(loader->errors, key, "another rule or record has this name; choose another");
    rule->record = section == SECTION_RECORDS;
    rule->follows = section == SECTION_CORRECTIONS;
    rule->line = key->line;
    rule->column = key->column;
    read_common(loader, node, rule, &context);
    read_clock(loader, node, &context);
    read_timing(loader, node, rule);
    if (loader->errors->count == before)
        check_clock(loader, node, &context);
    check_effects(loader, node, rule, &context);
    protocol->rule_count++;
    if (loader->errors->count > before)
        return;
    take_pairs(loader, node, &context);
    read_answers(loader, node, &context);
    protocol_read_may_ask(loader, node, &context);
    if (section == SECTION_RULES && loader->errors->count == before)
        load_grants(loader, &context);
}

void protocol_load_rules(struct protocol_loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *rules, *records, *corrections;
    size_t rule_count = read_records(loader->errors, root, "rules", true, PROTOCOL_RULES_MAX, &rules);
    size_t record_count = read_records(loader->errors, root, "records", false, PROTOCOL_RULES_MAX, &records);
    size_t correction_count =
        read_records(loader->errors, root, "corrections", false, PROTOCOL_RULES_MAX, &corrections);
    size_t pairs = (size_t)loader->catalogue->event_count * loader->protocol->class_count;

    loader->rules = arena_array(
        loader->arena, rule_count + record_count + correction_count + protocol_count_break_glass(root),
        sizeof *loader->rules);
    loader->pairs = arena_array(loader->arena, pairs, sizeof *loader->pairs);
    if (loader->rules == NULL || loader->pairs == NULL)
        return;
    for (size_t i = 0; i < pairs; i++)
        loader->pairs[i].rule = PROTOCOL_NONE;
    loader->protocol->rules = loader->rules;
    loader->protocol->pairs = loader->pairs;
    for (size_t i = 0; i < rule_count; i++)
        load_rule(loader, yaml_key(rules, i), yaml_value(rules, i), SECTION_RULES);
    for (size_t i = 0; i < record_count; i++)
        load_rule(loader, yaml_key(records, i), yaml_value(records, i), SECTION_RECORDS);
    for (size_t i = 0; i < correction_count; i++)
        load_rule(loader, yaml_key(corrections, i), yaml_value(corrections, i), SECTION_CORRECTIONS);
    protocol_load_break_glass(loader, root);
}
