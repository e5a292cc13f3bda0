#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * A small tree over the part of YAML 1.1 that people write by hand: mappings, lists and text. Every scalar is
 * text, whatever it looks like (NO, on, 1e3, 2026-12-01); the reader of a value decides what it must be.
 * Refused: duplicate, empty and non-scalar keys, anchors, aliases, tags, directives, a second document, a
 * byte order mark, text that is not UTF-8, control characters also when written as escapes, characters that
 * turn the direction of writing, and what passes the limits below.
 *
 * Nodes belong to their tree and are borrowed until yaml_destroy. A tree is read-only: threads may share it.
 */
#define YAML_SIZE_MAX   ((size_t)4 << 20)
#define YAML_NODES_MAX  ((size_t)100000)
#define YAML_DEPTH_MAX  16 /* collections inside one another */
#define YAML_QUOTE_SIZE 64

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;                 /* a scalar that is not plain: in quotes, or a block */
    uint32_t line;               /* where it begins, from 1 */
    uint32_t column;             /* in characters, from 1 */
    size_t size;                 /* scalar: bytes of text */
    const char *text;            /* scalar: UTF-8 with a terminating zero and none within; otherwise NULL */
    size_t count;                /* list: items; map: pairs */
    struct yaml_node **children; /* list: items; map: key, value, key, value ... in the file's order */
    const struct yaml_node *key; /* the value of a map: its key; otherwise NULL */
};

struct yaml;

struct yaml_error {
    uint32_t line; /* from 1 */
    uint32_t column;
    char reason[160];
};

/*
 * yaml_parse - the whole text as one tree.
 *
 * text      borrowed for the call
 * ret       on STATUS_OK the tree, owned by the caller (yaml_destroy)
 * ret_error on any failure where and why, and what to do about it; otherwise untouched
 *
 * Returns STATUS_BAD_FORMAT, STATUS_TOO_LARGE (size, nodes, depth) or STATUS_NO_MEMORY.
 */
enum status yaml_parse(struct byte_view text, struct yaml **ret, struct yaml_error *ret_error);

/* yaml_destroy - not yaml_free: libyaml exports that name, calls it itself, and would get ours. */
void yaml_destroy(struct yaml **yaml);

const struct yaml_node *yaml_root(const struct yaml *yaml); /* never NULL */

/* The value of a key, or NULL; also NULL when map is NULL or no map. Looks at every key: for maps of records,
 * go through yaml_key and yaml_value instead. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

size_t yaml_count(const struct yaml_node *node);                               /* items or pairs; else 0 */
const struct yaml_node *yaml_at(const struct yaml_node *list, size_t index);   /* NULL beyond the end */
const struct yaml_node *yaml_key(const struct yaml_node *map, size_t index);   /* NULL beyond the end */
const struct yaml_node *yaml_value(const struct yaml_node *map, size_t index); /* NULL beyond the end */
bool yaml_is(const struct yaml_node *node, const char *text);                  /* a scalar with that text */

/* yaml_quote - 'text' for a message, cut short between characters and with breaks as spaces; returns out. */
const char *yaml_quote(char out[static YAML_QUOTE_SIZE], const char *text);
