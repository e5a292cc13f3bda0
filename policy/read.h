#pragma once

#include "base/yaml_read.h"
#include "policy/arena.h"

/*
 * What the loaders of catalogue and protocol need beyond base/yaml_read.h: names with a fixed spelling, and
 * maps of records. As there, a NULL node reads as "not there" and every error says what to do.
 */

/* read_check_name - text as ids, areas, classes and the like are written: [a-z][a-z0-9_-]*, at most 64. */
bool read_check_name(struct yaml_errors *errors, const struct yaml_node *node);

/* read_name - the same, copied into the arena. */
bool read_name(struct yaml_errors *errors, struct arena *arena, const struct yaml_node *node,
               const char **ret_name);

/* read_sentence - text for people, copied: one line of at most 200 bytes. */
bool read_sentence(struct yaml_errors *errors, struct arena *arena, const struct yaml_node *node,
                   const char **ret_text);

/* read_records - a mapping with 1 (or 0, when it is not required) to most entries. Returns how many; 0 with
 * an error at map when key is missing or of the wrong size. ret_records is the mapping, or NULL. */
size_t read_records(struct yaml_errors *errors, const struct yaml_node *map, const char *key, bool required,
                    size_t most, const struct yaml_node **ret_records);

/* read_fields - a mapping with these keys only; false (and an error) when it is something else. */
bool read_fields(struct yaml_errors *errors, const struct yaml_node *node, const char *const *keys);

/* read_positive - a duration longer than nothing. */
bool read_positive(struct yaml_errors *errors, const struct yaml_node *node, struct duration *ret_duration);

/* read_finish - the status of a load: errors found, out of memory, or fine. */
enum status read_finish(const struct yaml_errors *errors, const struct arena *arena);

/* read_tree - parse the text; a syntax error goes to errors. */
enum status read_tree(struct byte_view text, struct yaml_errors *errors, struct yaml **ret_yaml);
