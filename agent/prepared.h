#pragma once

#include "agent/draft.h"
#include "proto/core.h"

/*
 * A checked event as the outbox keeps it until it is planned, and again when it is planned anew: every value
 * in canonical form, nothing yet decided. Views are borrowed.
 */
struct prepared_value {
    struct byte_view label;
    struct byte_view value;
    enum draft_source source; /* as its sender said */
};

struct prepared {
    uint8_t event[CORE_EVENT_SIZE];
    uint8_t subject[CORE_SUBJECT_SIZE];
    struct byte_view type;
    struct byte_view protocol;
    struct byte_view officer;
    struct byte_view effective; /* or empty */
    int64_t occurred;
    int64_t created;
    bool has_correlation;
    bool has_supersedes;
    bool has_repeats;
    uint8_t correlation[CORE_EVENT_SIZE];
    uint8_t supersedes[CORE_EVENT_SIZE];
    uint8_t repeats[CORE_EVENT_SIZE];
    size_t value_count;
    struct prepared_value values[DRAFT_VALUES_MAX]; /* attributes and items alike, in no order */
};

#define PREPARED_SIZE_MAX ((size_t)160 << 10)

/* prepared_encode - for keeping; the caller seals and wipes it. Returns what appending returned. */
enum status prepared_encode(const struct prepared *prepared, struct byte_buffer *ret);

/* prepared_decode - borrows the bytes. STATUS_CORRUPT. */
enum status prepared_decode(struct byte_view bytes, struct prepared *ret_prepared);

/* prepared_find - the value of a label, or NULL. */
const struct byte_view *prepared_find(const struct prepared *prepared, struct byte_view label);

/* prepared_target - of a correction: the event that it names; false when it names none. */
bool prepared_target(const struct prepared *prepared, uint8_t ret_event[static CORE_EVENT_SIZE]);
