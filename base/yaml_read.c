#include "base/yaml_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How a message names a node: by its key, or as an entry of a list. */
static const char *name_of(const struct yaml_node *node, char out[static YAML_QUOTE_SIZE])
{
    if (node->key == NULL)
        return "this";
    return yaml_quote(out, node->key->text);
}

static const char *kind_text(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_SCALAR:
        return "text";
    case YAML_LIST:
        return "a list";
    case YAML_MAP:
        return "a mapping";
    }
    return "";
}

static bool is_kind(struct yaml_errors *errors, const struct yaml_node *node, enum yaml_kind kind)
{
    char name[YAML_QUOTE_SIZE];

    if (node == NULL)
        return false;
    if (node->kind == kind)
        return true;
    yaml_errors_add(errors, node, "%s is %s; make it %s", name_of(node, name), kind_text(node->kind),
                    kind_text(kind));
    return false;
}

/* "a, b, c"; what does not fit is left out. */
static void join(char *out, size_t size, const char *const *words)
{
    size_t used = 0;

    out[0] = '\0';
    for (; *words != NULL && used + strlen(*words) + 3 < size; words++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", *words);
}

static void add_expected(struct yaml_errors *errors, const struct yaml_node *node, const char *expected)
{
    char name[YAML_QUOTE_SIZE], value[YAML_QUOTE_SIZE];

    yaml_errors_add(errors, node, "%s is %s; write %s", name_of(node, name), yaml_quote(value, node->text),
                    expected);
}

static bool index_of(const char *const *words, const char *word, size_t *ret_index)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool yaml_read_map(struct yaml_errors *errors, const struct yaml_node *node)
{
    return is_kind(errors, node, YAML_MAP);
}

bool yaml_read_known_keys(struct yaml_errors *errors, const struct yaml_node *map, const char *const *keys)
{
    bool known = true;
    char list[200], quoted[YAML_QUOTE_SIZE];
    size_t index;

    if (!is_kind(errors, map, YAML_MAP))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = yaml_key(map, i);
        if (index_of(keys, key->text, &index))
            continue;
        join(list, sizeof list, keys);
        yaml_errors_add(errors, key, "unknown key %s; the keys here are %s", yaml_quote(quoted, key->text),
                        list);
        known = false;
    }
    return known;
}

const struct yaml_node *yaml_read_required(struct yaml_errors *errors, const struct yaml_node *map,
                                           const char *key)
{
    char name[YAML_QUOTE_SIZE];

    if (!is_kind(errors, map, YAML_MAP))
        return NULL;
    const struct yaml_node *value = yaml_get(map, key);
    if (value == NULL && map->key != NULL)
        yaml_errors_add(errors, map, "key '%s' is missing under %s; add it", key, name_of(map, name));
    else if (value == NULL)
        yaml_errors_add(errors, map, "key '%s' is missing; add it", key);
    return value;
}

bool yaml_read_list(struct yaml_errors *errors, const struct yaml_node *node, size_t least, size_t most)
{
    char name[YAML_QUOTE_SIZE];

    if (!is_kind(errors, node, YAML_LIST))
        return false;
    if (node->count >= least && node->count <= most)
        return true;
    if (node->count < least)
        yaml_errors_add(errors, node, "%s has %zu entries; give it at least %zu", name_of(node, name),
                        node->count, least);
    else
        yaml_errors_add(errors, node, "%s has %zu entries; give it at most %zu", name_of(node, name),
                        node->count, most);
    return false;
}

bool yaml_read_string(struct yaml_errors *errors, const struct yaml_node *node, const char **ret_text)
{
    char name[YAML_QUOTE_SIZE];

    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (node->size == 0) {
        yaml_errors_add(errors, node, "%s is empty; give it a value", name_of(node, name));
        return false;
    }
    *ret_text = node->text;
    return true;
}

bool yaml_read_enum(struct yaml_errors *errors, const struct yaml_node *node, const char *const *names,
                    size_t *ret_index)
{
    char expected[200] = "one of ";
    const size_t start = strlen(expected);

    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (index_of(names, node->text, ret_index))
        return true;
    join(expected + start, sizeof expected - start, names);
    add_expected(errors, node, expected);
    return false;
}

static bool parse_uint(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (*text != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool yaml_read_uint(struct yaml_errors *errors, const struct yaml_node *node, uint64_t least, uint64_t most,
                    uint64_t *ret_value)
{
    uint64_t value;
    char expected[80];

    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (parse_uint(node->text, &value) && value >= least && value <= most) {
        *ret_value = value;
        return true;
    }
    snprintf(expected, sizeof expected, "a whole number from %" PRIu64 " to %" PRIu64, least, most);
    add_expected(errors, node, expected);
    return false;
}

bool yaml_read_bool(struct yaml_errors *errors, const struct yaml_node *node, bool *ret_value)
{
    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (!yaml_is(node, "yes") && !yaml_is(node, "no")) {
        add_expected(errors, node, "yes or no");
        return false;
    }
    *ret_value = yaml_is(node, "yes");
    return true;
}

bool yaml_read_date(struct yaml_errors *errors, const struct yaml_node *node, int32_t *ret_date)
{
    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (civil_parse_date(node->text, ret_date) == STATUS_OK)
        return true;
    add_expected(errors, node, "a date as 2026-12-01");
    return false;
}

bool yaml_read_duration(struct yaml_errors *errors, const struct yaml_node *node,
                        struct duration *ret_duration)
{
    if (!is_kind(errors, node, YAML_SCALAR))
        return false;
    if (civil_parse_duration(node->text, ret_duration) == STATUS_OK)
        return true;
    add_expected(errors, node, "a duration as P12M, P14D or PT4H");
    return false;
}
