#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/civil.h"
#include "base/yaml.h"
#include "base/yaml_errors.h"

/*
 * Strict reading of a YAML tree. Each function checks one node, adds what is wrong with it to errors, and
 * returns whether the output was set. All take a NULL node as "not there": they return false, add nothing and
 * leave the output as it was, so that
 *
 *     yaml_read_string(errors, yaml_read_required(errors, map, "purpose"), &purpose);
 *     yaml_read_bool(errors, yaml_get(map, "urgent"), &urgent);
 *
 * reads a required and an optional key. Texts are borrowed from the tree. A loader succeeds if errors->count
 * is 0 at its end.
 */

/* The node must be a mapping. */
bool yaml_read_map(struct yaml_errors *errors, const struct yaml_node *node);

/* Every key of the mapping must be one of keys, which NULL ends. */
bool yaml_read_known_keys(struct yaml_errors *errors, const struct yaml_node *map, const char *const *keys);

/* The value of a key; NULL and an error at the mapping if it is missing. */
const struct yaml_node *yaml_read_required(struct yaml_errors *errors, const struct yaml_node *map,
                                           const char *key);

/* The node must be a list of least to most items; then go through it with yaml_count and yaml_at. */
bool yaml_read_list(struct yaml_errors *errors, const struct yaml_node *node, size_t least, size_t most);

/* Text that is not empty. */
bool yaml_read_string(struct yaml_errors *errors, const struct yaml_node *node, const char **ret_text);

/* One of names, which NULL ends; its index. */
bool yaml_read_enum(struct yaml_errors *errors, const struct yaml_node *node, const char *const *names,
                    size_t *ret_index);

/* Decimal digits without sign or leading zeros, within least and most. */
bool yaml_read_uint(struct yaml_errors *errors, const struct yaml_node *node, uint64_t least, uint64_t most,
                    uint64_t *ret_value);

/* yes or no, and nothing else. */
bool yaml_read_bool(struct yaml_errors *errors, const struct yaml_node *node, bool *ret_value);

/* 2026-12-01, as days since the epoch. */
bool yaml_read_date(struct yaml_errors *errors, const struct yaml_node *node, int32_t *ret_date);

/* P12M, P14D, PT4H: see civil_parse_duration. */
bool yaml_read_duration(struct yaml_errors *errors, const struct yaml_node *node,
                        struct duration *ret_duration);
