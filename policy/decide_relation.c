#include <string.h>

#include "policy/decider.h"

/* Relations: from what is known of a person to parties. */

/* Where the person lives, and so the home force, rests on these. */
#define PLACE (REGISTER_GROUND_LISTING | REGISTER_GROUND_MOVE)

static struct decider_target gap(enum policy_code code, uint32_t grounds, const char *detail)
{
    return (struct decider_target){.gap = code, .detail = detail, .grounds = grounds};
}

static struct decider_target found(struct party_set parties, uint32_t grounds, const char *detail)
{
    return (struct decider_target){.parties = parties,
                                   .gap = party_set_empty(&parties) ? POLICY_NO_PARTY : POLICY_NONE,
                                   .detail = detail,
                                   .grounds = grounds};
}

static struct decider_target one(const struct decider *decider, uint16_t party, uint16_t to_class,
                                 uint32_t grounds, const char *detail)
{
    struct party_set parties = {{0}};

    if (party != PROTOCOL_NONE && decider->protocol->parties[party].class_index == to_class)
        party_set_add(&parties, party);
    return found(parties, grounds, detail);
}

static struct decider_target in_area(const struct decider *decider, const struct party_set *among)
{
    const struct register_entry *entry = &decider->person->entry;
    uint16_t area = protocol_find_area(decider->protocol, entry->area);

    if (area == PROTOCOL_NONE)
        return gap(POLICY_RELATION_UNKNOWN, PLACE, "");
    return found(party_set_and(*among, &decider->protocol->in_area[area]), PLACE, entry->area);
}

static bool differs(const struct decider *decider, uint16_t label, const char *known)
{
    uint16_t at = catalogue_attribute_at(decider->type, label);

    return at != CATALOGUE_NONE && decider->request->attributes[at].data != NULL &&
           !bytes_equal(decider->request->attributes[at], bytes_of_string(known));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct decider_target home_force(const struct decider *decider, uint16_t to_class)
{
    const char *force = decider->person->entry.home_force;
    uint16_t party = PROTOCOL_NONE;

    if (force[0] == '\0')
        return gap(POLICY_RELATION_UNKNOWN, PLACE, "");
    if (differs(decider, decider->protocol->home_force_label, force))
        return gap(POLICY_DIFFERS, PLACE, force);
    if (is_digit(force[0]) && is_digit(force[1]) && force[2] == '\0')
        party = decider->protocol->force_party[(force[0] - '0') * 10 + (force[1] - '0')];
    return one(decider, party, to_class, PLACE, force);
}

static struct decider_target member(const struct decider *decider, const char *id, uint16_t to_class,
                                    uint32_t grounds)
{
    if (id[0] == '\0')
        return gap(POLICY_RELATION_UNKNOWN, grounds, "");
    return one(decider, protocol_find_party(decider->protocol, bytes_of_string(id)), to_class, grounds, id);
}

/* A rule may treat referrers of several classes apart, so that one of another class is no gap: parties is
 * empty. */
static struct decider_target referrer(const struct decider *decider, uint16_t to_class)
{
    uint16_t party = protocol_find_party(decider->protocol, decider->facts->correlated_from);
    struct decider_target target = {.detail = ""};

    /* The loader asks for `answers` with this relation; an event that need not answer has no referrer. */
    if (decider->facts->correlated_from.size == 0 ||
        (decider->pair->answers[0] | decider->pair->answers[1]) == 0)
        return gap(POLICY_RELATION_UNKNOWN, 0, "");
    if (party == PROTOCOL_NONE)
        return gap(POLICY_NO_PARTY, 0, "");
    if (decider->protocol->parties[party].class_index == to_class)
        party_set_add(&target.parties, party);
    return target;
}

static struct decider_target provider(const struct decider *decider, const struct party_set *class)
{
    const struct protocol *protocol = decider->protocol;
    uint16_t at = catalogue_attribute_at(decider->type, protocol->pathway_label);
    struct party_set parties;
    uint16_t code;

    if (at == CATALOGUE_NONE || decider->request->attributes[at].data == NULL ||
        protocol->pathway_codes == NULL)
        return gap(POLICY_RELATION_UNKNOWN, 0, "");
    code = catalogue_find_code(protocol->pathway_codes, decider->request->attributes[at]);
    if (code >= PROTOCOL_PATHWAYS_MAX)
        return gap(POLICY_NO_PARTY, 0, "");
    parties = party_set_and(*class, &protocol->provides[code]);
    return in_area(decider, &parties);
}

struct decider_target decider_resolve(const struct decider *decider, enum protocol_relation relation,
                                      uint16_t to_class)
{
    const struct register_entry *entry = &decider->person->entry;
    const struct party_set *class = &decider->protocol->classes[to_class].parties;

    switch (relation) {
    case RELATION_HOME_FORCE:
        return home_force(decider, to_class);
    case RELATION_HOLDING_PRISON:
        return member(decider, entry->holding_prison, to_class, REGISTER_GROUND_CUSTODY);
    case RELATION_OFFENDER_MANAGER:
        if (entry->offender_manager[0] != '\0')
            return member(decider, entry->offender_manager, to_class, REGISTER_GROUND_MANAGER);
        return in_area(decider, class);
    case RELATION_ALL_IN_AREA:
        return in_area(decider, class);
    case RELATION_EVERY_PARTY:
        return found(*class, 0, "");
    case RELATION_REFERRER:
        return referrer(decider, to_class);
    case RELATION_PROVIDER:
        return provider(decider, class);
    }
    return gap(POLICY_RELATION_UNKNOWN, 0, "");
}

/* Whoever the relation means in the class that is replaced, the place is taken by who is responsible for the
 * person where he lives: the one who holds the case, or else all that serve the area. */
struct decider_target decider_replace(const struct decider *decider, enum protocol_relation relation,
                                      uint16_t to_class)
{
    const struct register_entry *entry = &decider->person->entry;
    uint16_t other = decider->protocol->classes[to_class].replaced_by;
    const struct party_set *class = &decider->protocol->classes[other].parties;
    bool by_area = relation == RELATION_OFFENDER_MANAGER || relation == RELATION_ALL_IN_AREA;

    if (relation == RELATION_EVERY_PARTY)
        return found(*class, 0, "");
    if (!by_area) {
        struct decider_target target = decider_resolve(decider, relation, to_class);

        if (target.gap != POLICY_NONE || party_set_empty(&target.parties))
            return target;
    }
    if (entry->yot[0] != '\0' && relation != RELATION_ALL_IN_AREA)
        return member(decider, entry->yot, other, REGISTER_GROUND_YOT);
    return in_area(decider, class);
}
