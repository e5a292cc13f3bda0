#include "policy/read.h"

#include <string.h>

#define NAME_LENGTH     64
#define SENTENCE_LENGTH 200

static bool is_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    return text[0] >= 'a' && text[0] <= 'z' && text[strspn(text, allowed)] == '\0' &&
           strlen(text) <= NAME_LENGTH;
}

bool read_check_name(struct yaml_errors *errors, const struct yaml_node *node)
{
    const char *text;
    char quoted[YAML_QUOTE_SIZE];

    if (!yaml_read_string(errors, node, &text))
        return false;
    if (is_name(text))
        return true;
    yaml_errors_add(errors, node,
                    "%s is no name; write at most %d lower-case letters, digits, '_' or '-', a letter first",
                    yaml_quote(quoted, text), NAME_LENGTH);
    return false;
}

bool read_name(struct yaml_errors *errors, struct arena *arena, const struct yaml_node *node,
               const char **ret_name)
{
    const char *copy;

    if (node == NULL || !read_check_name(errors, node) || (copy = arena_text(arena, node->text)) == NULL)
        return false;
    *ret_name = copy;
    return true;
}

bool read_sentence(struct yaml_errors *errors, struct arena *arena, const struct yaml_node *node,
                   const char **ret_text)
{
    const char *text, *copy;
    char quoted[YAML_QUOTE_SIZE];

    if (!yaml_read_string(errors, node, &text))
        return false;
    if (node->size > SENTENCE_LENGTH || strchr(text, '\n') != NULL) {
        yaml_errors_add(errors, node, "%s is too long; write one line of at most %d bytes",
                        yaml_quote(quoted, text), SENTENCE_LENGTH);
        return false;
    }
    if ((copy = arena_text(arena, text)) == NULL)
        return false;
    *ret_text = copy;
    return true;
}

size_t read_records(struct yaml_errors *errors, const struct yaml_node *map, const char *key, bool required,
                    size_t most, const struct yaml_node **ret_records)
{
    const struct yaml_node *node = required ? yaml_read_required(errors, map, key) : yaml_get(map, key);
    size_t count;

    *ret_records = NULL;
    if (node == NULL || !yaml_read_map(errors, node))
        return 0;
    count = yaml_count(node);
    if (count == 0 || count > most) {
        yaml_errors_add(errors, node, "'%s' has %zu entries; write 1 to %zu%s", key, count, most,
                        required ? "" : ", or leave the key out");
        return 0;
    }
    *ret_records = node;
    return count;
}

bool read_fields(struct yaml_errors *errors, const struct yaml_node *node, const char *const *keys)
{
    return node != NULL && yaml_read_map(errors, node) && yaml_read_known_keys(errors, node, keys);
}

bool read_positive(struct yaml_errors *errors, const struct yaml_node *node, struct duration *ret_duration)
{
    struct duration duration;

    if (!yaml_read_duration(errors, node, &duration))
        return false;
    if (duration.months == 0 && duration.ms == 0) {
        yaml_errors_add(errors, node,
                        "a period of no length means nothing here; write one such as P14D or PT4H");
        return false;
    }
    *ret_duration = duration;
    return true;
}

enum status read_finish(const struct yaml_errors *errors, const struct arena *arena)
{
    if (errors->count > 0)
        return STATUS_BAD_FORMAT;
    return arena_failed(arena) ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status read_tree(struct byte_view text, struct yaml_errors *errors, struct yaml **ret_yaml)
{
    struct yaml_error error;
    enum status status = yaml_parse(text, ret_yaml, &error);

    if (status != STATUS_OK)
        yaml_errors_add_at(errors, error.line, error.column, "%s", error.reason);
    return status;
}
