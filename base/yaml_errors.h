#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/yaml.h"

/*
 * What is wrong with a file, collected so that its author sees everything at once: the first YAML_ERRORS_MAX
 * that were found, in the order of the file. Zero-initialise; nothing to free. About 33 KB: better static or
 * on the heap.
 */
#define YAML_ERRORS_MAX 100

struct yaml_problem {
    uint32_t line; /* from 1 */
    uint32_t column;
    char text[320]; /* what, and what to do */
};

struct yaml_errors {
    size_t count;
    size_t dropped; /* found when the list was full already */
    struct yaml_problem list[YAML_ERRORS_MAX];
};

/* yaml_errors_add - a problem with what stands at the node. */
void yaml_errors_add(struct yaml_errors *errors, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* yaml_errors_add_at - a problem at a line and column. */
void yaml_errors_add_at(struct yaml_errors *errors, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* yaml_errors_write - appends one line a problem, "FILE:LINE:COLUMN: TEXT\n", and how many were dropped. */
void yaml_errors_write(const struct yaml_errors *errors, const char *file, struct byte_buffer *out);
