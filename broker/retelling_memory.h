#pragma once

#include "base/db.h"
#include "policy/register.h"
#include "proto/core.h"

/*
 * What a retelling must remember while it goes through the batches: what was known of each person, and the
 * events that others answer or repeat. Kept in a database in memory, compactly.
 */

/* An event that may be answered or repeated. Texts are borrowed until the next call. */
struct retelling_event {
    const char *type;
    const char *from;
    struct byte_view subject;
    const char *asked; /* labels that it asked for, or "" */
};

enum status retelling_memory_open(struct db **ret);

/* retelling_memory_person - a person under a protocol; nothing known gives an empty state. */
enum status retelling_memory_person(struct db *memory, struct byte_view protocol, struct byte_view subject,
                                    struct register_state *ret_state);
enum status retelling_memory_keep_person(struct db *memory, struct byte_view protocol,
                                         struct byte_view subject, const struct register_state *state);

/* retelling_memory_event - STATUS_NOT_FOUND. */
enum status retelling_memory_event(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                   struct retelling_event *ret_event);
enum status retelling_memory_keep_event(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                        const struct retelling_event *content);

/* retelling_memory_tell - that a member received an event; again is harmless. retelling_memory_told - each of
 * them; visit returns false to end. */
enum status retelling_memory_tell(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                  const char *member);
enum status retelling_memory_told(struct db *memory, const uint8_t event[static CORE_EVENT_SIZE],
                                  bool (*visit)(void *context, const char *member), void *context);
