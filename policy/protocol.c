#include "policy/protocol.h"

#include <string.h>

#include "policy/arena.h"

void protocol_free(struct protocol **protocol)
{
    struct arena *arena;

    if (*protocol == NULL)
        return;
    arena = (*protocol)->arena; /* which the protocol itself lies in */
    arena_free(&arena);
    *protocol = NULL;
}

static bool same(struct byte_view text, const char *name)
{
    return bytes_equal(text, bytes_of_string(name));
}

uint16_t protocol_find_party(const struct protocol *protocol, struct byte_view member)
{
    for (size_t low = 0, high = protocol->party_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(member, bytes_of_string(protocol->parties[middle].id));

        if (order == 0)
            return (uint16_t)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_class(const struct protocol *protocol, struct byte_view name)
{
    for (uint16_t i = 0; i < protocol->class_count; i++) {
        if (same(name, protocol->classes[i].name))
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_area(const struct protocol *protocol, const char *area)
{
    for (uint16_t i = 0; i < protocol->area_count; i++) {
        if (strcmp(area, protocol->areas[i]) == 0)
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_strand(const struct protocol *protocol, const char *strand)
{
    for (uint16_t i = 0; i < protocol->strand_count; i++) {
        if (strcmp(strand, protocol->strands[i].name) == 0)
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_consent(const struct protocol *protocol, const char *scope)
{
    for (uint16_t i = 0; i < protocol->consent_count; i++) {
        if (strcmp(scope, protocol->consents[i].scope) == 0)
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_rule(const struct protocol *protocol, struct byte_view id)
{
    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        if (same(id, protocol->rules[i].id))
            return i;
    }
    return PROTOCOL_NONE;
}

uint16_t protocol_find_establishment(const struct protocol *protocol, struct byte_view prison)
{
    for (uint16_t i = 0; i < protocol->party_count; i++) {
        const struct protocol_party *party = &protocol->parties[i];

        for (size_t k = 0; k < party->establishment_count; k++) {
            if (same(prison, party->establishments[k]))
                return i;
        }
    }
    return PROTOCOL_NONE;
}

const struct protocol_pair *protocol_pair_of(const struct protocol *protocol, uint16_t event,
                                             uint16_t class_index)
{
    return &protocol->pairs[(size_t)event * protocol->class_count + class_index];
}

bool protocol_in_force(const struct protocol *protocol, int64_t now)
{
    return now >= protocol->in_force_from && now < protocol->in_force_until;
}

struct duration protocol_shortest_retention(const struct protocol *protocol)
{
    struct duration shortest = {0, INT64_MAX};

    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        const struct duration retention = protocol->rules[i].retention;

        if (shortest.ms == INT64_MAX ||
            civil_add_duration(0, retention, 1) < civil_add_duration(0, shortest, 1))
            shortest = retention;
    }
    return shortest;
}

struct duration protocol_longest_retention(const struct protocol *protocol)
{
    struct duration longest = {0, 0};

    for (uint16_t i = 0; i < protocol->rule_count; i++) {
        if (civil_add_duration(0, protocol->rules[i].retention, 1) > civil_add_duration(0, longest, 1))
            longest = protocol->rules[i].retention;
    }
    return longest;
}

bool protocol_gateway_runs(const struct protocol *protocol, uint16_t gateway, uint16_t from, uint16_t to)
{
    const struct protocol_gateway *way = &protocol->gateways[gateway];

    return (way->from & protocol->classes[from].bodies) != 0 && (way->to & protocol->classes[to].bodies) != 0;
}

uint16_t protocol_denied(const struct protocol *protocol, uint16_t event, uint16_t from, uint16_t to,
                         struct label_set *ret_items)
{
    uint16_t whole = PROTOCOL_NONE;

    *ret_items = (struct label_set){{0}};
    for (uint16_t i = 0; i < protocol->denial_count; i++) {
        const struct protocol_denial *denial = &protocol->denials[i];

        if ((denial->events[event / 64] >> (event % 64) & 1) == 0 || (denial->from >> from & 1) == 0 ||
            (denial->to >> to & 1) == 0)
            continue;
        *ret_items = label_set_or(*ret_items, &denial->items);
        if (denial->whole && whole == PROTOCOL_NONE)
            whole = i;
    }
    return whole;
}

const char *protocol_relation_name(enum protocol_relation relation)
{
#define NAME(symbol, name, text) name,
    static const char *const names[] = {PROTOCOL_RELATIONS(NAME)};
#undef NAME
    return names[relation];
}

const char *protocol_relation_text(enum protocol_relation relation)
{
#define TEXT(symbol, name, text) text,
    static const char *const texts[] = {PROTOCOL_RELATIONS(TEXT)};
#undef TEXT
    return texts[relation];
}
