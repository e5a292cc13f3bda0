#pragma once

#include "agent/feed_mapping.h"
#include "agent/feed_reject.h"
#include "agent/feed_source.h"
#include "policy/protocol.h"
#include "proto/kind.h"

/*
 * One row as canonical values. A mapping is bound to the catalogue in force, which says of which kind each
 * label is; then rows are read one by one.
 */
struct feed_bound {
    const struct feed_value *value;
    enum kind kind;
    struct kind_limits limits;
};

struct feed_bounds {
    uint16_t count;
    struct feed_bound list[FEED_VALUES_MAX];
};

/* Everything borrowed from mapping, catalogue and protocol. About 50 KB with events: on the heap. */
struct feed_binding {
    const struct feed_mapping *mapping;
    const struct catalogue *catalogue;
    size_t establishment_count; /* of the protocol; the mapping's own list counts otherwise */
    const char *const *establishments;
    struct feed_bounds values;
    struct feed_bounds events[FEED_EVENTS_MAX];
};

/*
 * feed_binding_make - hold a mapping against a catalogue.
 *
 * protocol     that the events go out under
 * member       us: whose establishments `from protocol` means
 * ret_refusal  what does not fit and what to do
 *
 * Returns STATUS_UNSUPPORTED or STATUS_NO_MEMORY. Freed with feed_binding_free.
 */
enum status feed_binding_make(const struct feed_mapping *mapping, const struct protocol *protocol,
                              const char *member, struct feed_binding **ret_binding,
                              struct feed_refusal *ret_refusal);
void feed_binding_free(struct feed_binding **binding);

/* feed_binding_speaks_for - is that an establishment for which we speak? */
bool feed_binding_speaks_for(const struct feed_binding *binding, struct byte_view establishment);

enum feed_row_state {
    FEED_ROW_GOOD,
    FEED_ROW_ELSEWHERE, /* not ours */
    FEED_ROW_SKIPPED,   /* ours, and of no interest */
    FEED_ROW_REJECTED,
};

struct feed_pair {
    struct byte_view label;
    struct byte_view value;
};

/* Zero-initialise; feed_row_wipe when done. */
struct feed_row {
    uint64_t line;
    uint16_t event; /* EVENTS: which of the mapping's, or UINT16_MAX: none of them */
    size_t count;
    struct feed_pair pairs[2 * FEED_VALUES_MAX];
    struct byte_buffer storage; /* holds the values */
};

/*
 * feed_row_read - the row's values in canonical form; those that are good also when it is rejected, because
 * they say of whom it is.
 *
 * broken      NULL, or why the row is malformed: its state then depends on what could be read of it
 * today       for PNC ids with a short year
 * ret_row     used again for each row; its views live until the next
 * ret_reject  filled in for FEED_ROW_REJECTED
 */
enum feed_row_state feed_row_read(const struct feed_binding *binding, const struct feed_record *record,
                                  const struct feed_reject *broken, int32_t today, struct feed_row *ret_row,
                                  struct feed_reject *ret_reject);
void feed_row_wipe(struct feed_row *row);

/* feed_row_value - by label; data NULL when there is none. */
struct byte_view feed_row_value(const struct feed_row *row, const char *label);

/* feed_row_text - the same as a C string, "" when there is none or it does not fit. */
void feed_row_text(const struct feed_row *row, const char *label, char *out, size_t size);

/* feed_row_encode - the pairs, for keeping; appends. */
void feed_row_encode(const struct feed_row *row, struct byte_buffer *ret);

/* feed_row_decode - borrows the bytes; storage is left alone. STATUS_CORRUPT. */
enum status feed_row_decode(struct byte_view bytes, struct feed_row *ret_row);
