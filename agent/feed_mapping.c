#include "agent/feed_mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/yaml_read.h"

struct loader {
    struct feed_mapping *mapping;
    struct yaml_errors *errors;
    const struct yaml_node *lookups; /* named ones, or NULL */
};

void feed_mapping_free(struct feed_mapping **mapping)
{
    if (*mapping == NULL)
        return;
    free((*mapping)->events);
    yaml_destroy(&(*mapping)->yaml);
    free(*mapping);
    *mapping = NULL;
}

const struct feed_value *feed_mapping_value(const struct feed_values *values, const char *label)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->list[i].label, label) == 0)
            return &values->list[i];
    return NULL;
}

static bool node_is(const struct yaml_node *node, struct byte_view text)
{
    return node->size == text.size && (text.size == 0 || memcmp(node->text, text.data, text.size) == 0);
}

bool feed_mapping_code(const struct yaml_node *codes, struct byte_view text)
{
    for (size_t i = 0; i < yaml_count(codes); i++)
        if (node_is(yaml_at(codes, i), text))
            return true;
    return false;
}

const char *feed_mapping_look_up(const struct yaml_node *lookup, struct byte_view text)
{
    for (size_t i = 0; i < yaml_count(lookup); i++)
        if (node_is(yaml_key(lookup, i), text))
            return yaml_value(lookup, i)->text;
    return NULL;
}

/* ---- pieces ------------------------------------------------------------------------------------------- */

/* The number of the field with this heading or path, which is added if it is new. */
static bool find_field(struct loader *loader, const struct yaml_node *node, uint16_t *ret_field)
{
    struct feed_mapping *mapping = loader->mapping;
    const char *name = NULL;

    if (!yaml_read_string(loader->errors, node, &name))
        return false;
    for (uint16_t i = 0; i < mapping->field_count; i++) {
        if (strcmp(mapping->fields[i], name) == 0) {
            *ret_field = i;
            return true;
        }
    }
    if (mapping->field_count == FEED_FIELDS_MAX) {
        yaml_errors_add(loader->errors, node, "more than %d columns or paths are looked at", FEED_FIELDS_MAX);
        return false;
    }
    mapping->fields[mapping->field_count] = name;
    *ret_field = mapping->field_count++;
    return true;
}

/* A list of texts, none of them empty. */
static bool read_codes(struct loader *loader, const struct yaml_node *node)
{
    const char *code = NULL;
    bool good = yaml_read_list(loader->errors, node, 1, FEED_CODES_MAX);

    for (size_t i = 0; good && i < yaml_count(node); i++)
        good = yaml_read_string(loader->errors, yaml_at(node, i), &code);
    return good;
}

static bool has_establishments(const struct loader *loader)
{
    return loader->mapping->establishments_from_protocol || loader->mapping->establishments != NULL;
}

/* The one test of a condition: in, not_in or empty. */
static void read_test(struct loader *loader, const struct yaml_node *node, struct feed_condition *condition)
{
    const struct yaml_node *in = yaml_get(node, "in");
    const struct yaml_node *not_in = yaml_get(node, "not_in");
    const struct yaml_node *empty = yaml_get(node, "empty");
    const struct yaml_node *codes = in != NULL ? in : not_in;
    bool is_empty = false;

    if ((in != NULL) + (not_in != NULL) + (empty != NULL) != 1) {
        yaml_errors_add(loader->errors, node, "a condition needs exactly one of in, not_in and empty");
        return;
    }
    if (yaml_read_bool(loader->errors, empty, &is_empty))
        condition->test = is_empty ? FEED_TEST_EMPTY : FEED_TEST_NOT_EMPTY;
    if (codes == NULL)
        return;
    condition->test = in != NULL ? FEED_TEST_IN : FEED_TEST_NOT_IN;
    if (yaml_is(codes, "establishments")) {
        condition->establishments = true;
        if (!has_establishments(loader))
            yaml_errors_add(loader->errors, codes,
                            "the file names no establishments: add establishments: from protocol");
    } else if (read_codes(loader, codes)) {
        condition->codes = codes;
    }
}

static void read_conditions(struct loader *loader, const struct yaml_node *node,
                            struct feed_conditions *conditions)
{
    static const char *const keys[] = {"from", "in", "not_in", "empty", "because", NULL};

    if (node == NULL || !yaml_read_list(loader->errors, node, 1, FEED_CONDITIONS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *item = yaml_at(node, i);
        struct feed_condition *condition = &conditions->list[conditions->count];

        if (!yaml_read_map(loader->errors, item) || !yaml_read_known_keys(loader->errors, item, keys))
            continue;
        if (!find_field(loader, yaml_read_required(loader->errors, item, "from"), &condition->field))
            continue;
        read_test(loader, item, condition);
        yaml_read_string(loader->errors, yaml_get(item, "because"), &condition->because);
        conditions->count++;
    }
}

/* ---- values ------------------------------------------------------------------------------------------- */

static void read_from(struct loader *loader, const struct yaml_node *node, struct feed_value *value)
{
    if (node == NULL)
        return;
    if (node->kind != YAML_LIST) {
        value->from_count = find_field(loader, node, &value->from[0]) ? 1 : 0;
        return;
    }
    if (!yaml_read_list(loader->errors, node, 1, FEED_JOIN_MAX))
        return;
    for (size_t i = 0; i < yaml_count(node); i++)
        if (find_field(loader, yaml_at(node, i), &value->from[value->from_count]))
            value->from_count++;
}

static void add_pattern(struct loader *loader, const struct yaml_node *node, struct feed_value *value)
{
    const char *pattern = NULL;

    if (!yaml_read_string(loader->errors, node, &pattern))
        return;
    if (!civil_valid_pattern(pattern))
        yaml_errors_add(loader->errors, node,
                        "not a way to write a date: use DD, MM and YYYY once each, as in DD/MM/YYYY");
    else
        value->patterns[value->pattern_count++] = pattern;
}

static void read_patterns(struct loader *loader, const struct yaml_node *node, struct feed_value *value)
{
    if (node == NULL)
        return;
    if (node->kind != YAML_LIST) {
        add_pattern(loader, node, value);
        return;
    }
    if (!yaml_read_list(loader->errors, node, 1, FEED_PATTERNS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(node); i++)
        add_pattern(loader, yaml_at(node, i), value);
}

/* A table from what the file says to what the catalogue says. */
static bool check_lookup(struct loader *loader, const struct yaml_node *node)
{
    const char *text = NULL;
    bool good = yaml_read_map(loader->errors, node);

    if (good && (yaml_count(node) == 0 || yaml_count(node) > FEED_CODES_MAX)) {
        yaml_errors_add(loader->errors, node, "a lookup has 1 to %d entries", FEED_CODES_MAX);
        return false;
    }
    for (size_t i = 0; good && i < yaml_count(node); i++)
        good = yaml_read_string(loader->errors, yaml_value(node, i), &text);
    return good;
}

static void read_lookup(struct loader *loader, const struct yaml_node *node, struct feed_value *value)
{
    char quoted[YAML_QUOTE_SIZE];

    if (node == NULL)
        return;
    if (node->kind != YAML_SCALAR) {
        if (check_lookup(loader, node))
            value->lookup = node;
        return;
    }
    value->lookup = yaml_get(loader->lookups, node->text);
    if (value->lookup == NULL)
        yaml_errors_add(loader->errors, node, "there is no lookup %s: add it under lookups",
                        yaml_quote(quoted, node->text));
}

static void check_value(struct loader *loader, const struct yaml_node *node, const struct feed_value *value)
{
    if (value->constant != NULL && yaml_count(node) != 1)
        yaml_errors_add(loader->errors, node, "a constant stands alone");
    if (value->constant == NULL && yaml_get(node, "from") == NULL)
        yaml_errors_add(loader->errors, node, "say where the value comes from: from or constant");
    if (value->join != NULL && value->from_count < 2)
        yaml_errors_add(loader->errors, node, "join needs several columns in from");
    if (value->otherwise != NULL && value->lookup == NULL)
        yaml_errors_add(loader->errors, node, "otherwise needs a lookup");
    if (value->lookup != NULL && value->pattern_count > 0)
        yaml_errors_add(loader->errors, node, "a value is looked up or is a date, not both");
}

static void read_value(struct loader *loader, const struct yaml_node *node, struct feed_value *value)
{
    static const char *const keys[] = {"from",      "join",     "date",     "lookup",
                                       "otherwise", "constant", "required", NULL};

    if (node->kind != YAML_MAP) {
        read_from(loader, node, value);
        return;
    }
    if (!yaml_read_known_keys(loader->errors, node, keys))
        return;
    read_from(loader, yaml_get(node, "from"), value);
    yaml_read_string(loader->errors, yaml_get(node, "join"), &value->join);
    read_patterns(loader, yaml_get(node, "date"), value);
    read_lookup(loader, yaml_get(node, "lookup"), value);
    yaml_read_string(loader->errors, yaml_get(node, "otherwise"), &value->otherwise);
    yaml_read_string(loader->errors, yaml_get(node, "constant"), &value->constant);
    yaml_read_bool(loader->errors, yaml_get(node, "required"), &value->required);
    check_value(loader, node, value);
}

static void read_values(struct loader *loader, const struct yaml_node *node, struct feed_values *values)
{
    if (node == NULL || !yaml_read_map(loader->errors, node))
        return;
    if (yaml_count(node) > FEED_VALUES_MAX) {
        yaml_errors_add(loader->errors, node, "more than %d values", FEED_VALUES_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        struct feed_value *value = &values->list[values->count++];

        value->label = yaml_key(node, i)->text;
        read_value(loader, yaml_value(node, i), value);
    }
}

/* Constants only: for events that no row stands behind. */
static void read_constants(struct loader *loader, const struct yaml_node *node, struct feed_values *values)
{
    if (node == NULL || !yaml_read_map(loader->errors, node))
        return;
    if (yaml_count(node) > FEED_VALUES_MAX) {
        yaml_errors_add(loader->errors, node, "more than %d values", FEED_VALUES_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        struct feed_value *value = &values->list[values->count];

        value->label = yaml_key(node, i)->text;
        if (yaml_read_string(loader->errors, yaml_value(node, i), &value->constant))
            values->count++;
    }
}

/* ---- the file ----------------------------------------------------------------------------------------- */

static void read_event(struct loader *loader, const struct yaml_node *node, struct feed_event *event)
{
    static const char *const keys[] = {"event", "when", "values", NULL};

    if (!yaml_read_map(loader->errors, node) || !yaml_read_known_keys(loader->errors, node, keys))
        return;
    yaml_read_string(loader->errors, yaml_read_required(loader->errors, node, "event"), &event->type);
    read_conditions(loader, yaml_get(node, "when"), &event->when);
    read_values(loader, yaml_get(node, "values"), &event->values);
}

static enum status read_events(struct loader *loader, const struct yaml_node *node)
{
    struct feed_mapping *mapping = loader->mapping;

    if (node == NULL || !yaml_read_list(loader->errors, node, 1, FEED_EVENTS_MAX))
        return STATUS_OK;
    mapping->events = calloc(yaml_count(node), sizeof *mapping->events);
    if (mapping->events == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < yaml_count(node); i++)
        read_event(loader, yaml_at(node, i), &mapping->events[mapping->event_count++]);
    return STATUS_OK;
}

static void read_delimiter(struct loader *loader, const struct yaml_node *node)
{
    static const char *const names[] = {",", ";", "|", "tab", NULL};
    static const char characters[] = {',', ';', '|', '\t'};
    size_t index = 0;

    loader->mapping->delimiter = ',';
    if (yaml_read_enum(loader->errors, node, names, &index))
        loader->mapping->delimiter = characters[index];
}

static void read_format(struct loader *loader, const struct yaml_node *root)
{
    static const char *const does[] = {
#define FEED_DOES_NAME(symbol, name) name,
        FEED_DOES(FEED_DOES_NAME)
#undef FEED_DOES_NAME
            NULL};
    static const char *const formats[] = {"csv", "jsonl", NULL};
    static const char *const encodings[] = {"utf-8", "windows-1252", "latin-1", NULL};
    const struct yaml_node *encoding = yaml_get(root, "encoding");
    const struct yaml_node *delimiter = yaml_get(root, "delimiter");
    struct feed_mapping *mapping = loader->mapping;
    size_t index = 0;

    if (yaml_read_enum(loader->errors, yaml_read_required(loader->errors, root, "does"), does, &index))
        mapping->does = (enum feed_does)index;
    if (yaml_read_enum(loader->errors, yaml_read_required(loader->errors, root, "format"), formats, &index))
        mapping->format = (enum feed_format)index;
    if (yaml_read_enum(loader->errors, encoding, encodings, &index))
        mapping->encoding = (enum feed_encoding)index;
    read_delimiter(loader, delimiter);
    if (mapping->format == FEED_FORMAT_JSONL && mapping->encoding != FEED_UTF8)
        yaml_errors_add(loader->errors, encoding, "JSON lines are always UTF-8: leave encoding out");
    if (mapping->format == FEED_FORMAT_JSONL && delimiter != NULL)
        yaml_errors_add(loader->errors, delimiter, "JSON lines have no delimiter: leave it out");
}

static void read_establishments(struct loader *loader, const struct yaml_node *node)
{
    if (node == NULL)
        return;
    if (yaml_is(node, "from protocol"))
        loader->mapping->establishments_from_protocol = true;
    else if (node->kind == YAML_SCALAR)
        yaml_errors_add(loader->errors, node, "write: from protocol, or a list of codes such as [DGI]");
    else if (read_codes(loader, node))
        loader->mapping->establishments = node;
}

static void read_lookups(struct loader *loader, const struct yaml_node *node)
{
    if (node == NULL || !yaml_read_map(loader->errors, node))
        return;
    if (yaml_count(node) > FEED_LOOKUPS_MAX) {
        yaml_errors_add(loader->errors, node, "more than %d lookups", FEED_LOOKUPS_MAX);
        return;
    }
    for (size_t i = 0; i < yaml_count(node); i++)
        (void)check_lookup(loader, yaml_value(node, i));
    loader->lookups = node;
}

/* Labels without which a feed of that kind cannot work. */
static void need(struct loader *loader, const struct yaml_node *root, const char *const *labels)
{
    for (; *labels != NULL; labels++)
        if (feed_mapping_value(&loader->mapping->values, *labels) == NULL)
            yaml_errors_add(loader->errors, root, "values must say where %s comes from", *labels);
}

static void check_whole(struct loader *loader, const struct yaml_node *root)
{
    static const char *const of_releases[] = {"prison_no", "pnc_id",     "prison", "release_date",
                                              "date_type", "home_force", NULL};
    static const char *const of_list[] = {"pnc_id", NULL};
    const struct feed_mapping *mapping = loader->mapping;
    const bool events = mapping->does == FEED_DOES_EVENTS;

    if (mapping->does == FEED_DOES_RELEASES)
        need(loader, root, of_releases);
    if (mapping->does == FEED_DOES_RELEASES && !has_establishments(loader))
        yaml_errors_add(loader->errors, root, "say for whom the agent speaks: establishments");
    if (mapping->does == FEED_DOES_LIST)
        need(loader, root, of_list);
    if (events && mapping->event_count == 0)
        yaml_errors_add(loader->errors, root, "a feed of events needs events");
    if (!events && mapping->event_count > 0)
        yaml_errors_add(loader->errors, yaml_get(root, "events"), "only a feed that does events has events");
    if (mapping->does != FEED_DOES_RELEASES && mapping->changed.count > 0)
        yaml_errors_add(loader->errors, yaml_get(root, "on_change"), "only a release snapshot has on_change");
    if (events && mapping->gone.count > 0)
        yaml_errors_add(loader->errors, yaml_get(root, "on_gone"), "a feed of events has no on_gone");
}

static enum status read_root(struct loader *loader, const struct yaml_node *root)
{
    static const char *const keys[] = {"does",           "format",  "encoding", "delimiter", "protocol",
                                       "establishments", "lookups", "ours",     "skip",      "values",
                                       "on_change",      "on_gone", "events",   NULL};
    struct feed_mapping *mapping = loader->mapping;
    enum status status = STATUS_OK;

    if (!yaml_read_map(loader->errors, root) || !yaml_read_known_keys(loader->errors, root, keys))
        return STATUS_BAD_FORMAT;
    read_format(loader, root);
    yaml_read_string(loader->errors, yaml_get(root, "protocol"), &mapping->protocol);
    read_establishments(loader, yaml_get(root, "establishments"));
    read_lookups(loader, yaml_get(root, "lookups"));
    read_conditions(loader, yaml_get(root, "ours"), &mapping->ours);
    read_conditions(loader, yaml_get(root, "skip"), &mapping->skip);
    read_values(loader, yaml_read_required(loader->errors, root, "values"), &mapping->values);
    read_constants(loader, yaml_get(root, "on_change"), &mapping->changed);
    read_constants(loader, yaml_get(root, "on_gone"), &mapping->gone);
    status = read_events(loader, yaml_get(root, "events"));
    if (status == STATUS_OK && loader->errors->count == 0)
        check_whole(loader, root);
    return status;
}

enum status feed_mapping_load(struct byte_view text, struct yaml_errors *errors,
                              struct feed_mapping **ret_mapping)
{
    struct feed_mapping *mapping = calloc(1, sizeof *mapping);
    struct loader loader = {.mapping = mapping, .errors = errors};
    struct yaml_error error = {0};
    enum status status = STATUS_NO_MEMORY;

    if (mapping == NULL)
        return STATUS_NO_MEMORY;
    status = yaml_parse(text, &mapping->yaml, &error);
    if (status != STATUS_OK) {
        yaml_errors_add_at(errors, error.line, error.column, "%s", error.reason);
        goto out;
    }
    status = read_root(&loader, yaml_root(mapping->yaml));
    if (status == STATUS_OK && errors->count > 0)
        status = STATUS_BAD_FORMAT;
    if (status != STATUS_OK)
        goto out;
    *ret_mapping = mapping;
    mapping = NULL;
out:
    feed_mapping_free(&mapping);
    return status;
}
