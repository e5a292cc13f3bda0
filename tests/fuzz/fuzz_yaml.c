/* Any bytes: a refusal with a place and a reason, or a tree whose every promise holds. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/yaml.h"
#include "base/yaml_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yaml_errors errors;

static void read_as_everything(const struct yaml_node *node)
{
    static const char *const names[] = {"police", "prison", NULL};
    const char *text;
    size_t index;
    uint64_t number;
    bool flag;
    int32_t date;
    struct duration duration;

    yaml_read_string(&errors, node, &text);
    yaml_read_enum(&errors, node, names, &index);
    yaml_read_uint(&errors, node, 1, 100, &number);
    yaml_read_bool(&errors, node, &flag);
    yaml_read_date(&errors, node, &date);
    if (yaml_read_duration(&errors, node, &duration)) {
        char canonical[CIVIL_DURATION_SIZE];
        struct duration again;
        civil_format_duration(duration, canonical);
        assert(civil_parse_duration(canonical, &again) == STATUS_OK);
        assert(again.months == duration.months && again.ms == duration.ms);
    }
    if (yaml_read_map(&errors, node))
        yaml_read_known_keys(&errors, node, names);
    yaml_read_list(&errors, node, 1, 3);
}

static size_t walk(const struct yaml_node *node, unsigned depth)
{
    size_t nodes = 1;

    assert(node != NULL && node->line > 0 && node->column > 0);
    read_as_everything(node);
    if (node->kind == YAML_SCALAR) {
        assert(strlen(node->text) == node->size);
        return nodes;
    }
    assert(depth < YAML_DEPTH_MAX);
    for (size_t i = 0; i < yaml_count(node); i++) {
        if (node->kind == YAML_LIST) {
            nodes += walk(yaml_at(node, i), depth + 1);
            continue;
        }
        const struct yaml_node *key = yaml_key(node, i);
        assert(key->kind == YAML_SCALAR && key->size > 0);
        assert(yaml_get(node, key->text) == yaml_value(node, i)); /* so no key stands twice */
        assert(yaml_value(node, i)->key == key);
        nodes += 1 + walk(yaml_value(node, i), depth + 1);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml *yaml = NULL;
    struct yaml_error error = {0};

    if (size > 64 * 1024) /* looking up every key is quadratic here */
        return 0;
    memset(&errors, 0, sizeof errors);
    if (yaml_parse(bytes_view(data, size), &yaml, &error) != STATUS_OK) {
        assert(yaml == NULL && error.line > 0 && error.column > 0 && error.reason[0] != '\0');
        return 0;
    }
    assert(walk(yaml_root(yaml), 0) <= YAML_NODES_MAX);
    yaml_destroy(&yaml);
    return 0;
}
