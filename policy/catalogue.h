#pragma once

#include "base/bytes.h"
#include "policy/effect.h"
#include "policy/label_set.h"
#include "proto/kind.h"

struct arena;
struct yaml_errors;

/*
 * The catalogue: what partners may say to one another at all. Labels (items and attributes), code lists and
 * event types, read from catalogue.yaml. Read-only after loading; threads may share it.
 * Grammar: docs/protocol-guide.md, "The catalogue".
 */
#define CATALOGUE_LABELS_MAX     256
#define CATALOGUE_EVENTS_MAX     128
#define CATALOGUE_LISTS_MAX      128
#define CATALOGUE_CODES_MAX      64 /* codes in a list */
#define CATALOGUE_ATTRIBUTES_MAX 32 /* attributes of an event type, with held and juvenile */
#define CATALOGUE_ITEMS_MAX      64 /* sealed items of an event type */
#define CATALOGUE_NONE           UINT16_MAX
#define CATALOGUE_ASKED          "asked_items" /* an attribute: the items that a question is for */
#define CATALOGUE_DIVERT         "divert"

/* How carefully an item must be treated. Symbol, name in the file. */
#define CATALOGUE_SENSITIVITIES(X)                                                                           \
    X(ORDINARY, "ordinary")                                                                                  \
    X(PERSONAL, "personal")                                                                                  \
    X(SENSITIVE, "sensitive") /* DPA 2018 s.35(8) */                                                         \
    X(CLINICAL, "clinical")   /* as sensitive, and never released by break-glass */

enum catalogue_sensitivity {
#define CATALOGUE_SENSITIVITY_ENUM(symbol, name) CATALOGUE_##symbol,
    CATALOGUE_SENSITIVITIES(CATALOGUE_SENSITIVITY_ENUM)
#undef CATALOGUE_SENSITIVITY_ENUM
};

struct catalogue_codes {
    const char *name;
    const char *const *values;
    uint16_t count;
};

struct catalogue_label {
    const char *label;
    enum kind kind;
    uint32_t max_length;                 /* characters; 0 leaves the kind's own limit */
    const struct catalogue_codes *codes; /* KIND_CODE only; an event type may narrow it */
    enum catalogue_sensitivity sensitivity;
};

/* A label as one event type carries it. */
struct catalogue_field {
    uint16_t label;                      /* index */
    const struct catalogue_codes *codes; /* KIND_CODE only: the list that counts here */
};

struct catalogue_event {
    const char *type;
    bool standing;
    enum effect effect; /* what it changes in the register */
    enum correction corrects;
    uint16_t target; /* corrects: position of the attribute `target` */
    uint16_t attribute_count;
    uint16_t item_count;
    const struct catalogue_field *attributes; /* in catalogue order; seen by the broker */
    const struct catalogue_field *items;      /* in catalogue order; sealed */
    struct label_set attribute_set;
    struct label_set item_set;
    struct label_set carried; /* what a rule may grant: both, without held and juvenile */
    uint16_t
        reads[EFFECT_ATTRIBUTES_MAX]; /* positions of the attributes that the effect reads, in its order */
    uint16_t held;                    /* positions among the attributes */
    uint16_t juvenile;
    uint16_t divert; /* which other arrangement looks after the person, or CATALOGUE_NONE */
    uint16_t asked;  /* of `asked_items`, which makes the type a question; or CATALOGUE_NONE */
};

struct catalogue {
    const char *version;
    uint16_t label_count;
    uint16_t event_count;
    uint16_t codes_count;
    const struct catalogue_label *labels;
    const struct catalogue_event *events;
    const struct catalogue_codes *codes;
    const uint16_t *labels_by_name; /* indexes, ascending by name */
    const uint16_t *events_by_name;
    struct label_set sensitive; /* sensitive or clinical */
    struct arena *arena;        /* holds all of the above */
};

/*
 * catalogue_load - read a catalogue from YAML text.
 *
 * errors         gets everything that is wrong, where, and what to do about it
 * ret_catalogue  on STATUS_OK owned by the caller (catalogue_free); keeps nothing of text
 *
 * Returns STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status catalogue_load(struct byte_view text, struct yaml_errors *errors,
                           struct catalogue **ret_catalogue);

void catalogue_free(struct catalogue **catalogue);

/* Indexes by name, or CATALOGUE_NONE. */
uint16_t catalogue_find_label(const struct catalogue *catalogue, struct byte_view name);
uint16_t catalogue_find_event(const struct catalogue *catalogue, struct byte_view type);

/* catalogue_find_codes - a code list by name, or NULL. */
const struct catalogue_codes *catalogue_find_codes(const struct catalogue *catalogue, struct byte_view name);

/* catalogue_find_code - the position of a code in a list, or CATALOGUE_NONE. */
uint16_t catalogue_find_code(const struct catalogue_codes *codes, struct byte_view code);

/* catalogue_attribute_at - the position of a label among an event type's attributes, or CATALOGUE_NONE. */
uint16_t catalogue_attribute_at(const struct catalogue_event *event, uint16_t label);

/* catalogue_takes_away - does an event of this type only end what was there: a removal, a withdrawal, a
 * retraction, an erasure? These may be sent even when the protocol has ended or the bundle has expired. */
bool catalogue_takes_away(const struct catalogue_event *event);

/* catalogue_field - how an event type carries a label, openly or sealed; NULL when it does not. */
const struct catalogue_field *catalogue_field(const struct catalogue_event *event, uint16_t label);

/*
 * catalogue_check_value - may that event type carry this value under this label?
 *
 * event, label  indexes within the catalogue
 * ret_reason    what is wrong and what to do, without repeating the value; may be NULL
 *
 * Returns STATUS_OK; STATUS_NOT_FOUND when the type does not carry the label; otherwise what kind_check
 * returns.
 */
enum status catalogue_check_value(const struct catalogue *catalogue, uint16_t event, uint16_t label,
                                  struct byte_view value, struct kind_reason *ret_reason);

/*
 * catalogue_parse_labels - a canonical list of labels, such as the attribute `held`, as a set. Every label
 * must be one that a rule may grant of that event type, or of any (event CATALOGUE_NONE), as in a question.
 *
 * Returns STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL, STATUS_TOO_LARGE or STATUS_NOT_FOUND (a label that the
 * type does not carry), with a reason (which may be NULL).
 */
enum status catalogue_parse_labels(const struct catalogue *catalogue, uint16_t event, struct byte_view text,
                                   struct label_set *ret_labels, struct kind_reason *ret_reason);

/* catalogue_format_labels - the canonical list of a set, as `held` carries it. Appends. */
void catalogue_format_labels(const struct catalogue *catalogue, const struct label_set *labels,
                             struct byte_buffer *ret);
