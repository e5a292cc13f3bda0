#include <string.h>

#include "policy/catalogue.h"
#include "policy/read.h"
#include "proto/labels.h"

/* Reads catalogue.yaml. Names are resolved as they come: codes before items, items before events. */

struct loader {
    struct yaml_errors *errors;
    struct arena *arena;
    struct catalogue *catalogue;
    const struct yaml_node *every_attributes;
    const struct yaml_node *every_items;
};

/* The fields of one event type while they are collected, by label. */
struct collected {
    struct label_set attributes;
    struct label_set items;
    const struct catalogue_codes *codes[CATALOGUE_LABELS_MAX];
};

static struct byte_view text_of(const struct yaml_node *node)
{
    return (struct byte_view){(const uint8_t *)node->text, node->size};
}

static bool is_code(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    return text[strspn(text, allowed)] == '\0' && strlen(text) <= 64;
}

static void read_code(struct loader *loader, const struct yaml_node *node, struct catalogue_codes *codes,
                      const char **values)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *text;

    if (!yaml_read_string(loader->errors, node, &text))
        return;
    if (!is_code(text))
        yaml_errors_add(loader->errors, node, "%s is no code; write at most 64 letters, digits or '_'",
                        yaml_quote(quoted, text));
    if (catalogue_find_code(codes, text_of(node)) != CATALOGUE_NONE)
        yaml_errors_add(loader->errors, node, "%s stands in the list twice; leave one out",
                        yaml_quote(quoted, text));
    values[codes->count] = arena_text(loader->arena, text);
    if (values[codes->count] != NULL)
        codes->count++;
}

static void load_codes(struct loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *lists;
    size_t count = read_records(loader->errors, root, "codes", true, CATALOGUE_LISTS_MAX, &lists);
    struct catalogue_codes *codes = arena_array(loader->arena, count, sizeof *codes);

    if (codes == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *list = yaml_value(lists, i);
        const char **values;

        read_name(loader->errors, loader->arena, yaml_key(lists, i), &codes[i].name);
        if (codes[i].name == NULL)
            codes[i].name = "";
        if (!yaml_read_list(loader->errors, list, 1, CATALOGUE_CODES_MAX))
            continue;
        values = arena_array(loader->arena, yaml_count(list), sizeof *values);
        if (values == NULL)
            return;
        codes[i].values = values;
        for (size_t k = 0; k < yaml_count(list); k++)
            read_code(loader, yaml_at(list, k), &codes[i], values);
    }
    loader->catalogue->codes = codes;
    loader->catalogue->codes_count = (uint16_t)count;
}

static const struct catalogue_codes *read_codes_name(struct loader *loader, const struct yaml_node *node)
{
    const char *name;
    const struct catalogue_codes *codes;
    char quoted[YAML_QUOTE_SIZE];

    if (!yaml_read_string(loader->errors, node, &name))
        return NULL;
    codes = catalogue_find_codes(loader->catalogue, text_of(node));
    if (codes == NULL)
        yaml_errors_add(loader->errors, node, "there is no code list %s; define it under 'codes'",
                        yaml_quote(quoted, name));
    return codes;
}

static void load_kind(struct loader *loader, const struct yaml_node *item, struct catalogue_label *label)
{
    const struct yaml_node *kind = yaml_read_required(loader->errors, item, "kind");
    const struct yaml_node *codes = yaml_get(item, "codes");
    const struct yaml_node *max = yaml_get(item, "max");
    const char *name;
    char quoted[YAML_QUOTE_SIZE];
    uint64_t length;

    if (!yaml_read_string(loader->errors, kind, &name))
        return;
    if (kind_from_name(text_of(kind), &label->kind) != STATUS_OK) {
        yaml_errors_add(loader->errors, kind, "there is no kind %s; docs/protocol-guide.md lists them",
                        yaml_quote(quoted, name));
        return;
    }
    if (label->kind == KIND_CODE)
        label->codes = read_codes_name(loader, yaml_read_required(loader->errors, item, "codes"));
    else if (codes != NULL)
        yaml_errors_add(loader->errors, codes, "only values of kind code have a list; leave 'codes' out");
    if (yaml_read_uint(loader->errors, max, 1, kind_max_length(label->kind), &length))
        label->max_length = (uint32_t)length;
}

static void load_item(struct loader *loader, const struct yaml_node *key, const struct yaml_node *item,
                      struct catalogue_label *label)
{
    static const char *const keys[] = {"kind", "max", "codes", "sensitivity", NULL};
#define NAME(symbol, name) name,
    static const char *const sensitivities[] = {CATALOGUE_SENSITIVITIES(NAME) NULL};
#undef NAME
    char quoted[YAML_QUOTE_SIZE];
    size_t sensitivity;

    if (labels_label_check(text_of(key)) != STATUS_OK)
        yaml_errors_add(loader->errors, key,
                        "%s is no label; write at most %d lower-case letters, digits or '_', a letter first",
                        yaml_quote(quoted, key->text), LABELS_LABEL_LENGTH);
    label->label = arena_text(loader->arena, key->text);
    if (label->label == NULL || !read_fields(loader->errors, item, keys))
        return;
    load_kind(loader, item, label);
    if (yaml_read_enum(loader->errors, yaml_read_required(loader->errors, item, "sensitivity"), sensitivities,
                       &sensitivity))
        label->sensitivity = (enum catalogue_sensitivity)sensitivity;
}

static const char *label_name(const struct catalogue *catalogue, size_t index)
{
    return catalogue->labels[index].label;
}

static const char *event_name(const struct catalogue *catalogue, size_t index)
{
    return catalogue->events[index].type;
}

/* The indexes of count names in ascending order of the names; by insertion, for there are few. */
static const uint16_t *sort_names(struct loader *loader, size_t count,
                                  const char *(*name_of)(const struct catalogue *, size_t))
{
    uint16_t *order = arena_array(loader->arena, count, sizeof *order);

    if (order == NULL || arena_failed(loader->arena))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;

        while (at > 0 &&
               strcmp(name_of(loader->catalogue, order[at - 1]), name_of(loader->catalogue, i)) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint16_t)i;
    }
    return order;
}

static void load_items(struct loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *items;
    struct catalogue *catalogue = loader->catalogue;
    size_t count = read_records(loader->errors, root, "items", true, CATALOGUE_LABELS_MAX, &items);
    struct catalogue_label *labels = arena_array(loader->arena, count, sizeof *labels);

    if (labels == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        load_item(loader, yaml_key(items, i), yaml_value(items, i), &labels[i]);
        if (labels[i].sensitivity >= CATALOGUE_SENSITIVE)
            label_set_add(&catalogue->sensitive, (unsigned)i);
    }
    catalogue->labels = labels;
    catalogue->labels_by_name = sort_names(loader, count, label_name);
    if (catalogue->labels_by_name != NULL)
        catalogue->label_count = (uint16_t)count;
}

/* `label` or `label: {codes: LIST}`: the label's index, or CATALOGUE_NONE and an error. */
static uint16_t read_field(struct loader *loader, const struct yaml_node *node,
                           const struct catalogue_codes **ret_codes)
{
    static const char *const keys[] = {"codes", NULL};
    const struct yaml_node *name = node, *narrowed = NULL;
    const char *text;
    char quoted[YAML_QUOTE_SIZE];
    uint16_t label;

    if (node->kind == YAML_MAP && yaml_count(node) == 1) {
        name = yaml_key(node, 0);
        narrowed = yaml_value(node, 0);
    }
    if (!yaml_read_string(loader->errors, name, &text))
        return CATALOGUE_NONE;
    label = catalogue_find_label(loader->catalogue, text_of(name));
    if (label == CATALOGUE_NONE) {
        yaml_errors_add(loader->errors, name, "there is no item %s; define it under 'items'",
                        yaml_quote(quoted, text));
        return CATALOGUE_NONE;
    }
    *ret_codes = loader->catalogue->labels[label].codes;
    if (narrowed == NULL || !read_fields(loader->errors, narrowed, keys))
        return label;
    if (loader->catalogue->labels[label].kind != KIND_CODE)
        yaml_errors_add(loader->errors, narrowed, "%s is not of kind code and has no list; leave 'codes' out",
                        yaml_quote(quoted, text));
    *ret_codes = read_codes_name(loader, yaml_read_required(loader->errors, narrowed, "codes"));
    return label;
}

static void collect(struct loader *loader, const struct yaml_node *list, struct collected *collected,
                    struct label_set *into)
{
    char quoted[YAML_QUOTE_SIZE];

    if (list == NULL || !yaml_read_list(loader->errors, list, 1, CATALOGUE_LABELS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct catalogue_codes *codes = NULL;
        uint16_t label = read_field(loader, yaml_at(list, i), &codes);

        if (label == CATALOGUE_NONE)
            continue;
        if (label_set_has(&collected->attributes, label) || label_set_has(&collected->items, label))
            yaml_errors_add(loader->errors, yaml_at(list, i),
                            "%s is named twice for this event type; name it once, openly or sealed",
                            yaml_quote(quoted, loader->catalogue->labels[label].label));
        label_set_add(into, label);
        collected->codes[label] = codes;
    }
}

static const struct catalogue_field *fields_of(struct loader *loader, const struct collected *collected,
                                               const struct label_set *set, uint16_t *ret_count)
{
    struct catalogue_field *fields = arena_array(loader->arena, label_set_count(set), sizeof *fields);
    uint16_t count = 0;

    if (fields == NULL)
        return NULL;
    for (unsigned label = label_set_next(set, 0); label < SET256_END; label = label_set_next(set, label + 1))
        fields[count++] = (struct catalogue_field){(uint16_t)label, collected->codes[label]};
    *ret_count = count;
    return fields;
}

/* What the attributes that an effect reads must be. */
static bool right_kind(const char *label, enum kind kind)
{
    static const struct {
        const char *label;
        enum kind kind;
    } kinds[] = {{"strand", KIND_CODE},         {"area", KIND_AREA},        {"authority", KIND_CODE},
                 {"selector", KIND_CODE},       {"review_due", KIND_DATE},  {"home_force", KIND_FORCE},
                 {"outcome", KIND_CODE},        {"next_review", KIND_DATE}, {"status", KIND_CODE},
                 {"from_area", KIND_AREA},      {"to_area", KIND_AREA},     {"role", KIND_CODE},
                 {"holder", KIND_MEMBER},       {"prison", KIND_PRISON},    {"scope", KIND_CODE},
                 {"form_version", KIND_TEXT},   {"expires", KIND_DATE},     {"merged_from", KIND_PSEUDONYM},
                 {"merged_to", KIND_PSEUDONYM}, {"rule", KIND_TEXT},        {"reason", KIND_CODE},
                 {"duty_role", KIND_CODE},      {"target", KIND_EVENT}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].label, label) == 0)
            return kinds[i].kind == kind;
    }
    return false;
}

static void check_effect(struct loader *loader, const struct yaml_node *node, struct catalogue_event *event)
{
#define ATTRIBUTES(symbol, name, attributes, text) attributes,
    static const char *const reads[] = {EFFECT_TABLE(ATTRIBUTES)};
#undef ATTRIBUTES
    const struct catalogue *catalogue = loader->catalogue;
    const char *rest = reads[event->effect];

    for (size_t i = 0; *rest != '\0'; i++) {
        size_t length = strcspn(rest, " ");
        struct byte_view name = {(const uint8_t *)rest, length};
        uint16_t label = catalogue_find_label(catalogue, name);

        event->reads[i] = catalogue_attribute_at(event, label);
        if (label == CATALOGUE_NONE || event->reads[i] == CATALOGUE_NONE)
            yaml_errors_add(loader->errors, node,
                            "this change reads the attribute '%.*s'; add it to 'attributes'", (int)length,
                            rest);
        else if (!right_kind(catalogue->labels[label].label, catalogue->labels[label].kind))
            yaml_errors_add(loader->errors, node,
                            "'%.*s' is of the wrong kind for this change; see docs/protocol-guide.md",
                            (int)length, rest);
        rest += length + (rest[length] == ' ');
    }
}

static bool is_event_type(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    size_t first = strspn(text, letters), second;

    if (first == 0 || text[first] != '.')
        return false;
    second = strspn(text + first + 1, letters);
    return second > 0 && text[first + 1 + second] == '\0' && strlen(text) <= 64;
}

/* held and juvenile stand in every event type; a rule can grant everything else. */
static void set_carried(struct loader *loader, const struct yaml_node *node, struct catalogue_event *event)
{
    uint16_t held = catalogue_find_label(loader->catalogue, bytes_of_string("held"));
    uint16_t juvenile = catalogue_find_label(loader->catalogue, bytes_of_string("juvenile"));

    event->held = catalogue_attribute_at(event, held);
    event->juvenile = catalogue_attribute_at(event, juvenile);
    event->divert = catalogue_attribute_at(
        event, catalogue_find_label(loader->catalogue, bytes_of_string(CATALOGUE_DIVERT)));
    event->asked = catalogue_attribute_at(
        event, catalogue_find_label(loader->catalogue, bytes_of_string(CATALOGUE_ASKED)));
    if (event->asked != CATALOGUE_NONE &&
        loader->catalogue->labels[event->attributes[event->asked].label].kind != KIND_LABELS)
        yaml_errors_add(loader->errors, node,
                        "'" CATALOGUE_ASKED "' must be of kind labels; change it under 'items'");
    event->carried = label_set_or(event->attribute_set, &event->item_set);
    label_set_remove(&event->carried, held);
    label_set_remove(&event->carried, juvenile);
    event->target =
        catalogue_attribute_at(event, catalogue_find_label(loader->catalogue, bytes_of_string("target")));
    if (event->attribute_count > CATALOGUE_ATTRIBUTES_MAX ||
        (event->corrects != CORRECTION_VALUES && label_set_count(&event->carried) > CATALOGUE_ITEMS_MAX))
        yaml_errors_add(loader->errors, node,
                        "more than %d attributes, or more than %d labels in all; leave some out",
                        CATALOGUE_ATTRIBUTES_MAX, CATALOGUE_ITEMS_MAX);
}

/* Whatever may stand in an event may have to be corrected. */
static void collect_everything(const struct loader *loader, struct collected *collected)
{
    for (uint16_t label = 0; label < loader->catalogue->label_count; label++) {
        if (label_set_has(&collected->attributes, label) || label_set_has(&collected->items, label))
            continue;
        label_set_add(&collected->items, label);
        collected->codes[label] = loader->catalogue->labels[label].codes;
    }
}

static void read_correction(struct loader *loader, const struct yaml_node *node,
                            struct catalogue_event *event, struct collected *collected)
{
#define NAME(symbol, name) name,
    static const char *const corrections[] = {CORRECTION_TABLE(NAME) NULL};
#undef NAME
    uint16_t target = catalogue_find_label(loader->catalogue, bytes_of_string("target"));
    size_t correction = 0;

    if (node == NULL || !yaml_read_enum(loader->errors, node, corrections, &correction))
        return;
    event->corrects = (enum correction)correction;
    if (event->effect != EFFECT_NONE || event->standing)
        yaml_errors_add(loader->errors, node,
                        "what corrects another event neither stands nor changes the register");
    if (target == CATALOGUE_NONE || !label_set_has(&collected->attributes, target) ||
        loader->catalogue->labels[target].kind != KIND_EVENT)
        yaml_errors_add(loader->errors, node,
                        "what corrects another event names it; add the attribute 'target' of kind event");
    if (event->corrects == CORRECTION_VALUES)
        collect_everything(loader, collected);
}

static void load_event(struct loader *loader, const struct yaml_node *key, const struct yaml_node *node,
                       struct catalogue_event *event)
{
    static const char *const keys[] = {"standing", "changes", "corrects", "attributes", "items", NULL};
#define NAME(symbol, name, attributes, text) name,
    static const char *const effects[] = {EFFECT_TABLE(NAME) NULL};
#undef NAME
    struct collected collected = {0};
    char quoted[YAML_QUOTE_SIZE];
    size_t effect;

    if (!is_event_type(key->text))
        yaml_errors_add(loader->errors, key,
                        "%s is no event type; write two lower-case words with a dot between",
                        yaml_quote(quoted, key->text));
    event->type = arena_text(loader->arena, key->text);
    if (event->type == NULL || !read_fields(loader->errors, node, keys))
        return;
    yaml_read_bool(loader->errors, yaml_get(node, "standing"), &event->standing);
    if (yaml_read_enum(loader->errors, yaml_get(node, "changes"), effects, &effect))
        event->effect = (enum effect)effect;
    collect(loader, loader->every_attributes, &collected, &collected.attributes);
    collect(loader, loader->every_items, &collected, &collected.items);
    collect(loader, yaml_get(node, "attributes"), &collected, &collected.attributes);
    collect(loader, yaml_get(node, "items"), &collected, &collected.items);
    read_correction(loader, yaml_get(node, "corrects"), event, &collected);
    event->attribute_set = collected.attributes;
    event->item_set = collected.items;
    event->attributes = fields_of(loader, &collected, &collected.attributes, &event->attribute_count);
    event->items = fields_of(loader, &collected, &collected.items, &event->item_count);
    if (arena_failed(loader->arena))
        return;
    set_carried(loader, key, event);
    if (event->effect != EFFECT_NONE)
        check_effect(loader, yaml_get(node, "changes"), event);
}

static bool names_label(const struct yaml_node *list, const char *label)
{
    for (size_t i = 0; i < yaml_count(list); i++) {
        if (yaml_is(yaml_at(list, i), label))
            return true;
    }
    return false;
}

/* held and juvenile are what the whole design rests on. */
static bool load_every_event(struct loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"attributes", "items", NULL};
    const struct yaml_node *every = yaml_read_required(loader->errors, root, "every_event");
    const struct catalogue *catalogue = loader->catalogue;
    uint16_t held = catalogue_find_label(catalogue, bytes_of_string("held"));
    uint16_t juvenile = catalogue_find_label(catalogue, bytes_of_string("juvenile"));

    if (every == NULL || !read_fields(loader->errors, every, keys))
        return false;
    loader->every_attributes = yaml_read_required(loader->errors, every, "attributes");
    loader->every_items = yaml_get(every, "items");
    if (loader->every_attributes == NULL)
        return false;
    if (!names_label(loader->every_attributes, "held") || !names_label(loader->every_attributes, "juvenile"))
        yaml_errors_add(loader->errors, loader->every_attributes,
                        "every event needs the attributes 'held' and 'juvenile'; name both");
    else if (held != CATALOGUE_NONE && catalogue->labels[held].kind != KIND_LABELS)
        yaml_errors_add(loader->errors, loader->every_attributes,
                        "'held' must be of kind labels; change it under 'items'");
    else if (juvenile != CATALOGUE_NONE && catalogue->labels[juvenile].codes != NULL &&
             (catalogue_find_code(catalogue->labels[juvenile].codes, bytes_of_string("yes")) ==
                  CATALOGUE_NONE ||
              catalogue_find_code(catalogue->labels[juvenile].codes, bytes_of_string("no")) ==
                  CATALOGUE_NONE))
        yaml_errors_add(loader->errors, loader->every_attributes,
                        "'juvenile' must be a code with yes and no; change its list under 'codes'");
    return loader->errors->count == 0;
}

static void load_events(struct loader *loader, const struct yaml_node *root)
{
    const struct yaml_node *nodes;
    struct catalogue *catalogue = loader->catalogue;
    size_t count = read_records(loader->errors, root, "events", true, CATALOGUE_EVENTS_MAX, &nodes);
    struct catalogue_event *events = arena_array(loader->arena, count, sizeof *events);

    if (events == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        load_event(loader, yaml_key(nodes, i), yaml_value(nodes, i), &events[i]);
    catalogue->events = events;
    catalogue->events_by_name = sort_names(loader, count, event_name);
    if (catalogue->events_by_name != NULL)
        catalogue->event_count = (uint16_t)count;
}

static void load_root(struct loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"catalogue",   "version", "codes", "items",
                                       "every_event", "events",  NULL};
    uint64_t grammar;

    if (!read_fields(loader->errors, root, keys))
        return;
    yaml_read_uint(loader->errors, yaml_read_required(loader->errors, root, "catalogue"), 1, 1, &grammar);
    read_sentence(loader->errors, loader->arena, yaml_read_required(loader->errors, root, "version"),
                  &loader->catalogue->version);
    load_codes(loader, root);
    load_items(loader, root);
    if (load_every_event(loader, root))
        load_events(loader, root);
}

enum status catalogue_load(struct byte_view text, struct yaml_errors *errors,
                           struct catalogue **ret_catalogue)
{
    struct loader loader = {.errors = errors, .arena = arena_new()};
    struct yaml *yaml = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (loader.arena == NULL ||
        (loader.catalogue = arena_array(loader.arena, 1, sizeof *loader.catalogue)) == NULL)
        goto out;
    loader.catalogue->arena = loader.arena;
    status = read_tree(text, errors, &yaml);
    if (status != STATUS_OK)
        goto out;
    load_root(&loader, yaml_root(yaml));
    status = read_finish(errors, loader.arena);
    if (status != STATUS_OK)
        goto out;
    *ret_catalogue = loader.catalogue;
    loader.arena = NULL;
out:
    arena_free(&loader.arena);
    yaml_destroy(&yaml);
    return status;
}
