#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory of a model that is built once, read for long and freed at once. Not thread-safe while it grows.
 */
struct arena;

struct arena *arena_new(void); /* NULL: out of memory */
void arena_free(struct arena **arena);

/* arena_array - count zeroed elements of size bytes, aligned for anything; never NULL for a count of 0. NULL:
 * out of memory, and arena_failed stays true from then on. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* arena_text - a copy of a text with its zero, or NULL as above. */
const char *arena_text(struct arena *arena, const char *text);

bool arena_failed(const struct arena *arena);
