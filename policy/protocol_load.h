#pragma once

/* What the files of the protocol's loader share; nobody else includes this. */

#include "policy/protocol.h"
#include "policy/read.h"

struct protocol_loader {
    struct yaml_errors *errors;
    struct arena *arena;
    const struct catalogue *catalogue;
    struct protocol *protocol;
    /* The arrays of the protocol while they are filled; the protocol points at them. */
    struct protocol_class *classes;
    struct protocol_rule *rules;
    struct protocol_pair *pairs;
    /* Routes as they come, each with its pair; put into the order of pairs at the end. */
    struct protocol_route *routes;
    uint32_t *route_pairs;
    size_t route_count;
    size_t route_capacity;
    bool no_memory;
};

/* One entry of a rule's `to`, read but not yet spread over event types and classes. */
struct protocol_grant {
    const struct yaml_node *node;
    uint16_t position;
    uint32_t classes; /* bits */
    bool any_class;   /* the file says `any` */
    enum protocol_relation relation;
    uint16_t gateway;
    uint16_t consent;
    uint16_t condition;
    uint16_t crossings; /* bits */
    bool bare;
    uint64_t events[2]; /* bits */
    struct label_set items;
    struct label_set items_of[CATALOGUE_EVENTS_MAX];
    struct label_set required;
    bool adults_only;
    uint16_t when;       /* label, or CATALOGUE_NONE */
    uint64_t when_codes; /* bits */
    uint16_t also_count;
    struct protocol_carriage also[PROTOCOL_ALSO_MAX];
};

/* A rule's facts that its routes need. */
struct protocol_rule_context {
    uint16_t rule;
    const struct yaml_node *node;
    bool any_from;
    uint64_t events[2];
    enum protocol_clock clock;
    uint16_t clock_label; /* CLOCK_BEFORE */
    struct duration clock_length;
    bool has_otherwise;
    struct duration otherwise; /* CLOCK_WITHIN for event types without the label */
};

static inline bool bits_has(const uint64_t bits[static 2], unsigned index)
{
    return (bits[index / 64] >> (index % 64) & 1) != 0;
}

static inline void bits_add(uint64_t bits[static 2], unsigned index)
{
    bits[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline struct byte_view protocol_text_of(const struct yaml_node *node)
{
    return (struct byte_view){(const uint8_t *)node->text, node->size};
}

/* protocol_read_reference - text that names one of count things; PROTOCOL_NONE and an error that says where
 * it is to be defined. find(protocol, text) gives the index. */
uint16_t protocol_read_reference(struct protocol_loader *loader, const struct yaml_node *node,
                                 uint16_t (*find)(const struct protocol *, struct byte_view),
                                 const char *what, const char *where);

/* protocol_read_references - one such text, or a list of them, as bits; `any` gives all of count when any is
 * allowed (ret_any not NULL). */
uint32_t protocol_read_references(struct protocol_loader *loader, const struct yaml_node *node,
                                  uint16_t (*find)(const struct protocol *, struct byte_view),
                                  const char *what, const char *where, bool *ret_any);

/* protocol_read_labels - a list of labels that exist in the catalogue. */
struct label_set protocol_read_labels(struct protocol_loader *loader, const struct yaml_node *node);

/* protocol_codes_of - the code list of a catalogue's label, or NULL. */
const struct catalogue_codes *protocol_codes_of(const struct protocol_loader *loader, const char *label);

/* protocol_check_code - a key or text must be a code of that list. */
bool protocol_check_code(struct protocol_loader *loader, const struct yaml_node *node,
                         const struct catalogue_codes *codes, const char *label);

uint16_t protocol_load_find_body(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_gateway(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_crossing(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_condition(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_consent(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_strand(const struct protocol *protocol, struct byte_view name);
uint16_t protocol_load_find_area(const struct protocol *protocol, struct byte_view name);

/* The parts of the file, in the order in which they must be read. */
void protocol_load_head(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_classes(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_parties(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_law(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_people(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_denials(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_rules(struct protocol_loader *loader, const struct yaml_node *root);
void protocol_load_aggregates(struct protocol_loader *loader, const struct yaml_node *root);

/* Break-glass rules: how many there are; then, after the other rules, into the same array. */
size_t protocol_count_break_glass(const struct yaml_node *root);
void protocol_load_break_glass(struct protocol_loader *loader, const struct yaml_node *root);

/* protocol_events_only - classes that get aggregates only are taken out of `any`, and an error at node where
 * they are named. */
uint32_t protocol_events_only(struct protocol_loader *loader, const struct yaml_node *node, uint32_t classes,
                              bool any);

/* protocol_read_paragraph - several short texts as one: "CC 37, ST 3". */
const char *protocol_read_paragraph(struct protocol_loader *loader, const struct yaml_node *rule);

/* protocol_take_pair - this rule is about that event type from that class. */
void protocol_take_pair(struct protocol_loader *loader, const struct yaml_node *node, uint16_t event,
                        uint16_t class, uint16_t index);

/* Questions: what a rule lets be asked, and, once all routes are there, whether somebody may answer it. */
void protocol_read_may_ask(struct protocol_loader *loader, const struct yaml_node *node,
                           const struct protocol_rule_context *context);
void protocol_check_asked(struct protocol_loader *loader, const struct protocol_grant *grant);
void protocol_check_questions(struct protocol_loader *loader);

/* protocol_read_event - an event type of the catalogue; CATALOGUE_NONE and an error otherwise. */
uint16_t protocol_read_event(struct protocol_loader *loader, const struct yaml_node *node);

/* protocol_read_events - a list of them, as bits. */
void protocol_read_events(struct protocol_loader *loader, const struct yaml_node *list,
                          uint64_t ret_events[static 2]);

/* protocol_read_when - a grant's `when`: which values of which attribute it is about. */
void protocol_read_when(struct protocol_loader *loader, struct protocol_grant *grant);

/* Grants and routes of one rule. */
bool protocol_read_grant(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                         const struct yaml_node *node, struct protocol_grant *ret_grant);
void protocol_add_routes(struct protocol_loader *loader, const struct protocol_rule_context *rule,
                         const struct protocol_grant *grant);
void protocol_finish_routes(struct protocol_loader *loader);
