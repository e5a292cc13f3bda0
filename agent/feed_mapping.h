#pragma once

#include "agent/feed_input.h"
#include "base/yaml.h"

struct yaml_errors;

/*
 * feed.yaml: how one kind of file becomes events. Read strictly; the grammar is in docs/feeds.md. Labels and
 * event types are names here: feed_binding.h holds them against the catalogue in force.
 * Read-only after loading. Texts are borrowed from the tree inside.
 */
#define FEED_FIELDS_MAX     64 /* columns or paths that are looked at */
#define FEED_VALUES_MAX     64 /* values of one event */
#define FEED_CONDITIONS_MAX 16
#define FEED_EVENTS_MAX     16
#define FEED_LOOKUPS_MAX    16
#define FEED_CODES_MAX      512 /* entries in one lookup or list of codes */
#define FEED_JOIN_MAX       8
#define FEED_PATTERNS_MAX   4

/* What a feed does. Symbol, name in the file. */
#define FEED_DOES(X)                                                                                         \
    X(RELEASES, "release snapshot") /* each file is all planned releases there are */                        \
    X(LIST, "list")                 /* each file is everybody on the scheme */                               \
    X(EVENTS, "events")             /* each row is something that happened */

enum feed_does {
#define FEED_DOES_ENUM(symbol, name) FEED_DOES_##symbol,
    FEED_DOES(FEED_DOES_ENUM)
#undef FEED_DOES_ENUM
};

enum feed_format { FEED_FORMAT_CSV, FEED_FORMAT_JSONL };

enum feed_test { FEED_TEST_IN, FEED_TEST_NOT_IN, FEED_TEST_EMPTY, FEED_TEST_NOT_EMPTY };

struct feed_condition {
    uint16_t field;
    enum feed_test test;
    bool establishments;           /* the codes are our establishments */
    const struct yaml_node *codes; /* otherwise a list; NULL for EMPTY and NOT_EMPTY */
    const char *because;           /* for people, or NULL */
};

struct feed_value {
    const char *label;
    const char *constant; /* or NULL: taken from the row */
    uint16_t from_count;
    uint16_t from[FEED_JOIN_MAX]; /* fields, joined in this order, empty ones left out */
    const char *join;
    uint16_t pattern_count;
    const char *patterns[FEED_PATTERNS_MAX]; /* of a date: DD/MM/YYYY */
    const struct yaml_node *lookup;          /* a map, or NULL */
    const char *otherwise;                   /* what the lookup does not have; NULL: an error */
    bool required;
};

struct feed_values {
    uint16_t count;
    struct feed_value list[FEED_VALUES_MAX];
};

struct feed_conditions {
    uint16_t count;
    struct feed_condition list[FEED_CONDITIONS_MAX];
};

/* EVENTS: a row that meets all conditions becomes this event. */
struct feed_event {
    const char *type;
    struct feed_conditions when;
    struct feed_values values; /* besides those of every event */
};

struct feed_mapping {
    struct yaml *yaml;
    enum feed_does does;
    enum feed_format format;
    enum feed_encoding encoding;
    char delimiter;
    const char *protocol; /* or NULL: the one that lets us send */
    uint16_t field_count;
    const char *fields[FEED_FIELDS_MAX]; /* headings or paths */
    bool establishments_from_protocol;
    const struct yaml_node *establishments; /* a list of codes, or NULL */
    struct feed_conditions ours;
    struct feed_conditions skip; /* any of them */
    struct feed_values values;
    struct feed_values changed; /* RELEASES: further constants of a date change */
    struct feed_values gone;    /* RELEASES, LIST: of what is sent when a row is gone */
    uint16_t event_count;
    struct feed_event *events; /* EVENTS only */
};

/*
 * feed_mapping_load - read a mapping from YAML text.
 *
 * errors       gets everything that is wrong, where, and what to do about it
 * ret_mapping  owned by the caller (feed_mapping_free); keeps nothing of text
 *
 * Returns STATUS_BAD_FORMAT, STATUS_TOO_LARGE or STATUS_NO_MEMORY.
 */
enum status feed_mapping_load(struct byte_view text, struct yaml_errors *errors,
                              struct feed_mapping **ret_mapping);
void feed_mapping_free(struct feed_mapping **mapping);

/* feed_mapping_value - the value of that label in a list of values, or NULL. */
const struct feed_value *feed_mapping_value(const struct feed_values *values, const char *label);

/* feed_mapping_code - does the list of codes have this text? */
bool feed_mapping_code(const struct yaml_node *codes, struct byte_view text);

/* feed_mapping_look_up - what a lookup makes of this text, or NULL. */
const char *feed_mapping_look_up(const struct yaml_node *lookup, struct byte_view text);
