#include "tests/support/chance.h"

#include <string.h>

const struct policy_edit chance_parties[] = {
    {"parties:\n", "parties:\n"
                   "  police.derbyshire: {force: \"30\", areas: [tamworth]}\n"
                   "  probation.derbyshire: {}\n"
                   "  drugs.stafford: {areas: [stafford], pathways: [drugs_alcohol]}\n"},
    {NULL, NULL}};

const char *chance_pick(struct support_random *random, const char *const *texts, size_t count)
{
    return texts[support_below(random, count)];
}

static void put(char *field, const char *value)
{
    memset(field, 0, REGISTER_CODE_SIZE);
    memcpy(field, value, strlen(value));
}

void chance_person(struct policy_world *world, struct support_random *random)
{
    static const char *const areas[] = {"stoke", "stoke", "stafford", "tamworth", "", "derby"};
    static const char *const forces[] = {"21", "21", "30", "22", ""};
    static const char *const strands[] = {"catch_convict", "resettle_rehabilitate", "prevent_deter", ""};
    static const char *const managers[] = {"", "probation.staffordshire", "probation.derbyshire",
                                           "probation.gone"};
    struct register_entry *entry = &world->person.entry;

    register_init(&world->person);
    entry->listed = support_below(random, 8) != 0;
    entry->review_due = civil_date(2026, 12, 15);
    entry->juvenile = (enum juvenile)support_below(random, 3);
    put(entry->area, CHANCE_PICK(random, areas));
    put(entry->home_force, CHANCE_PICK(random, forces));
    put(entry->strand, CHANCE_PICK(random, strands));
    put(entry->offender_manager, CHANCE_PICK(random, managers));
    if (support_below(random, 4) == 0)
        put(entry->yot, "yot.staffordshire");
    world->person.grounds = (uint32_t)support_next(random);
    for (uint16_t i = 0; i < world->protocol->consent_count; i++) {
        struct register_consent *consent = &world->person.consents[world->person.consent_count++];

        put(consent->scope, world->protocol->consents[i].scope);
        consent->given = support_below(random, 3) != 0;
        consent->expires = civil_date(2026, 11, 30) + (int32_t)support_below(random, 3);
        consent->withdrawn_at = INT64_MIN;
    }
}

static const char *random_value(const struct policy_world *world, struct support_random *random,
                                const struct catalogue_field *field)
{
    static const char *const dates[] = {"2026-12-02", "2026-12-29", "2027-06-01"};
    static const char *const others[] = {"21", "30", "stoke", "probation.staffordshire", "DGI"};

    if (field->codes != NULL)
        return field->codes->values[support_below(random, field->codes->count)];
    if (world->catalogue->labels[field->label].kind == KIND_DATE)
        return CHANCE_PICK(random, dates);
    return CHANCE_PICK(random, others);
}

void chance_request(struct policy_world *world, struct support_random *random)
{
    struct policy_request *request = &world->request;
    const struct protocol_party *party;
    const struct catalogue_event *type;
    const char *purpose = NULL;

    memset(request, 0, sizeof *request);
    while (purpose == NULL) {
        party = &world->protocol->parties[support_below(random, world->protocol->party_count)];
        request->event = (uint16_t)support_below(random, world->catalogue->event_count);
        request->from = bytes_of_string(party->id);
        purpose = policy_purpose(world->protocol, request->from, request->event);
    }
    type = &world->catalogue->events[request->event];
    request->purpose = bytes_of_string(purpose);
    request->created = request->occurred =
        POLICY_NOW - (int64_t)support_below(random, 3 * (uint64_t)POLICY_DAY);
    request->juvenile = (enum juvenile)support_below(random, 3);
    for (uint16_t i = 0; i < type->attribute_count; i++) {
        if (support_below(random, 8) != 0)
            request->attributes[i] = bytes_of_string(random_value(world, random, &type->attributes[i]));
    }
    for (size_t i = 0; i < SET256_WORDS; i++)
        request->held.words[i] = support_next(random) | support_next(random);
    request->correlated = support_below(random, 8) != 0;
    world->facts.correlated_from =
        bytes_of_string(world->protocol->parties[support_below(random, world->protocol->party_count)].id);
    world->facts.correlated_event = (uint16_t)support_below(random, world->catalogue->event_count);
    world->facts.correlated_same_subject = world->facts.correlated_disclosed_to_sender =
        support_below(random, 8) != 0;
}

void chance_within(const struct policy_decision *a, const struct policy_decision *b)
{
    for (uint16_t i = 0; i < a->recipient_count; i++) {
        const struct policy_recipient *wider = policy_recipient(b, bytes_of_string(a->recipients[i].to));

        assert_non_null(wider);
        assert_true(label_set_within(&a->recipients[i].labels, &wider->labels));
    }
}

void chance_ruled(const struct policy_world *world, const struct policy_decision *decision)
{
    const struct protocol_pair *pair;

    if (decision->recipient_count == 0)
        return;
    pair = protocol_pair_of(world->protocol, world->request.event,
                            world->protocol->parties[decision->from].class_index);
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        const struct policy_recipient *recipient = &decision->recipients[i];
        struct label_set granted = {{0}};

        for (uint32_t k = 0; k < pair->route_count; k++) {
            const struct protocol_route *route = &world->protocol->routes[pair->first_route + k];
            uint16_t class = world->protocol->parties[recipient->party].class_index;

            if (route->rule == recipient->rule_index &&
                (route->to_class == class || route->to_class == recipient->replaced_class))
                granted = label_set_or(granted, &route->labels);
        }
        assert_true(label_set_within(&recipient->labels, &granted));
    }
}
