#pragma once

#include "broker/store/store.h"
#include "policy/register.h"

/*
 * People of whom several records stand in the register, because members merged them: each counts once. Two
 * records are one person's when what their merges rest on has an event in common, or through a third.
 */
struct twins;

enum status twins_new(struct twins **ret_twins);
void twins_free(struct twins **twins);

/* twins_add - a record that was merged, and the places of the events that its merges rest on (at least one).
 * Both are copied. STATUS_NO_MEMORY. */
enum status twins_add(struct twins *twins, const struct store_place *places, size_t count,
                      const struct register_entry *entry);

/* twins_each - for each person the record that was reviewed last; of equal ones the first that was added.
 * Once, after everything was added. */
void twins_each(struct twins *twins, void (*visit)(void *context, const struct register_entry *entry),
                void *context);
