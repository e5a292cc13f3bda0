#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "tests/support/chance.h"

/* What must hold of every decision, on seeded persons, events and changed protocols. */

static struct policy_world world;
static struct policy_decision base, other;

static void decide(const struct protocol *protocol, struct policy_decision *ret)
{
    policy_decide(protocol, &world.facts, &world.request, world.now, ret);
}

static void check_shape(const struct policy_decision *decision)
{
    const struct catalogue_event *type = &world.catalogue->events[world.request.event];
    struct label_set held = label_set_and(world.request.held, &type->item_set);

    for (uint16_t i = 0; i < type->attribute_count; i++) {
        if (world.request.attributes[i].data != NULL)
            label_set_add(&held, type->attributes[i].label);
    }
    held = label_set_and(held, &type->carried);
    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        const struct policy_recipient *recipient = &decision->recipients[i];

        assert_true(label_set_within(&recipient->labels, &held));
        assert_int_not_equal(recipient->party, decision->from);
        assert_true(i == 0 || strcmp(decision->recipients[i - 1].to, recipient->to) < 0);
        assert_true((recipient->grounds & ~world.person.grounds) == 0);
        assert_true(protocol_gateway_runs(world.protocol, recipient->gateway_index,
                                          world.protocol->parties[decision->from].class_index,
                                          world.protocol->parties[recipient->party].class_index));
        assert_true(recipient->retention.months > 0);
    }
    assert_int_equal(decision->granted, decision->recipient_count > 0 || decision->record);
    assert_true(decision->granted || decision->refusal_count > 0);
    assert_true(decision->granted || decision->reason != POLICY_NONE);
}

static void test_shape(void **state)
{
    struct support_random random = support_seeded(1);
    size_t granted = 0;

    (void)state;
    policy_open(&world, chance_parties);
    for (size_t i = 0; i < support_count(100000); i++) {
        chance_person(&world, &random);
        chance_request(&world, &random);
        decide(world.protocol, &base);
        check_shape(&base);
        chance_ruled(&world, &base);
        granted += base.recipient_count > 0;
    }
    assert_true(granted > 1000); /* the generator reaches what it is about */
    policy_close(&world);
}

static void test_same_again(void **state)
{
    struct support_random random = support_seeded(2);

    (void)state;
    policy_open(&world, chance_parties);
    memset(&base, 0, sizeof base);
    memset(&other, 0xa5, sizeof other);
    for (size_t i = 0; i < support_count(5000); i++) {
        chance_person(&world, &random);
        chance_request(&world, &random);
        decide(world.protocol, &base);
        decide(world.protocol, &other);
        assert_int_equal(base.recipient_count, other.recipient_count);
        assert_int_equal(base.refusal_count, other.refusal_count);
        assert_int_equal(base.reason, other.reason);
        for (uint16_t k = 0; k < base.refusal_count; k++) {
            assert_int_equal(base.refusals[k].code, other.refusals[k].code);
            assert_string_equal(base.refusals[k].detail, other.refusals[k].detail);
        }
        chance_within(&base, &other);
        chance_within(&other, &base);
    }
    policy_close(&world);
}

static void test_less_known_is_never_more(void **state)
{
    struct support_random random = support_seeded(3);

    (void)state;
    policy_open(&world, chance_parties);
    for (size_t i = 0; i < support_count(10000); i++) {
        chance_person(&world, &random);
        chance_request(&world, &random);
        decide(world.protocol, &base);
        switch (support_below(&random, 3)) {
        case 0:
            label_set_remove(&world.request.held, (unsigned)support_below(&random, 96));
            break;
        case 1:
            world.person.consents[support_below(&random, world.person.consent_count)].given = false;
            break;
        default:
            party_set_remove(&world.facts.active,
                             (unsigned)support_below(&random, world.protocol->party_count));
            break;
        }
        decide(world.protocol, &other);
        chance_within(&other, &base);
        for (unsigned k = 0; k < world.protocol->party_count; k++)
            party_set_add(&world.facts.active, k);
    }
    policy_close(&world);
}

/* A protocol with one grant taken away: a label, a whole route, or a class that may send. */
static void narrow(struct support_random *random, struct protocol *protocol, struct protocol_route *routes,
                   struct protocol_pair *pairs)
{
    struct protocol_route *route = &routes[support_below(random, protocol->route_count)];
    unsigned label = (unsigned)support_below(random, protocol->catalogue->label_count);
    size_t count = (size_t)protocol->catalogue->event_count * protocol->class_count;

    switch (support_below(random, 3)) {
    case 0:
        label_set_remove(&route->labels, label);
        for (uint16_t i = 0; i < route->carriage_count; i++)
            label_set_remove(&route->carriages[i].labels, label);
        break;
    case 1:
        route->labels = (struct label_set){{0}};
        for (uint16_t i = 0; i < route->carriage_count; i++)
            route->carriages[i].labels = route->labels;
        route->bare = false;
        break;
    default:
        for (size_t i = 0; i < count; i++) {
            if (support_below(random, 2) == 0)
                pairs[i].rule = PROTOCOL_NONE;
        }
        break;
    }
}

static void test_a_grant_less_is_never_more(void **state)
{
    struct support_random random = support_seeded(4);
    struct protocol_route *routes;
    struct protocol_pair *pairs;
    struct protocol narrowed;
    size_t route_size, pair_size;

    (void)state;
    policy_open(&world, chance_parties);
    route_size = world.protocol->route_count * sizeof *routes;
    pair_size = (size_t)world.catalogue->event_count * world.protocol->class_count * sizeof *pairs;
    routes = malloc(route_size);
    pairs = malloc(pair_size);
    assert_true(routes != NULL && pairs != NULL);
    narrowed = *world.protocol;
    narrowed.routes = routes;
    narrowed.pairs = pairs;
    for (size_t i = 0; i < support_count(100000); i++) {
        if (i % 100 == 0) { /* another protocol; copying one is dear */
            memcpy(routes, world.protocol->routes, route_size);
            memcpy(pairs, world.protocol->pairs, pair_size);
            for (size_t k = 0; k < 40; k++)
                narrow(&random, &narrowed, routes, pairs);
        }
        chance_person(&world, &random);
        chance_request(&world, &random);
        decide(world.protocol, &base);
        decide(&narrowed, &other);
        chance_within(&other, &base);
    }
    free(routes);
    free(pairs);
    policy_close(&world);
}

static void append_class(struct support_random *random, struct byte_buffer *text)
{
    uint64_t class = support_below(random, 2u * world.protocol->class_count);

    bytes_append_string(text,
                        class >= world.protocol->class_count ? "any" : world.protocol->classes[class].name);
}

/* One denial by chance: of an event type, or of some of its items. */
static void append_denial(struct support_random *random, unsigned number, struct byte_buffer *text)
{
    const struct catalogue_event *type;
    unsigned label;

    do { /* an answer that may not tell what may be asked does not load */
        type = &world.catalogue->events[support_below(random, world.catalogue->event_count)];
    } while (strncmp(type->type, "case.", 5) == 0);
    label = label_set_next(&type->carried, (unsigned)support_below(random, 32));

    bytes_append_format(text,
                        "  by-chance-%u:\n    paragraph: [CC 6]\n    reason: by chance\n    from: ", number);
    append_class(random, text);
    bytes_append_format(text, "\n    events: [%s]\n    to: ", type->type);
    append_class(random, text);
    if (label < SET256_END && support_below(random, 3) != 0)
        bytes_append_format(text, "\n    items: [%s]", world.catalogue->labels[label].label);
    bytes_append_string(text, "\n");
}

/* The shipped protocol with a number of further denials, loaded from its text as a board would sign it. */
static struct protocol *with_denials(struct support_random *random)
{
    static struct yaml_errors errors;
    struct byte_buffer denials = bytes_buffer(65536), text;
    struct protocol *protocol = NULL;

    bytes_append_string(&denials, "denials:\n");
    for (unsigned i = 0; i < 50; i++)
        append_denial(random, i, &denials);
    bytes_append_u8(&denials, 0);
    const struct policy_edit more[] = {
        chance_parties[0], {"denials:\n", (const char *)denials.data}, {NULL, NULL}};
    text = policy_file("staffordshire-ppo.yaml", more);
    memset(&errors, 0, sizeof errors);
    if (protocol_load(bytes_buffer_view(&text), world.catalogue, &errors, &protocol) != STATUS_OK)
        fail_msg("%u: %s", errors.list[0].line, errors.list[0].text);
    bytes_buffer_free(&text);
    bytes_buffer_free(&denials);
    return protocol;
}

static void test_a_denial_more_is_never_more(void **state)
{
    struct support_random random = support_seeded(7);
    struct protocol *denied = NULL;
    size_t bitten = 0;

    (void)state;
    policy_open(&world, chance_parties);
    for (size_t i = 0; i < support_count(100000); i++) {
        if (i % 4000 == 0) { /* loading one is dear */
            protocol_free(&denied);
            denied = with_denials(&random);
        }
        chance_person(&world, &random);
        chance_request(&world, &random);
        decide(world.protocol, &base);
        decide(denied, &other);
        chance_within(&other, &base);
        for (uint16_t k = 0; k < other.refusal_count; k++)
            bitten += other.refusals[k].code == POLICY_DENIED;
    }
    assert_true(bitten > 100);
    protocol_free(&denied);
    policy_close(&world);
}

/* What an adult's recipients of a class get, all of them together. */
static struct label_set labels_of_class(const struct policy_decision *decision, uint16_t class)
{
    struct label_set labels = {{0}};

    for (uint16_t i = 0; i < decision->recipient_count; i++) {
        if (world.protocol->parties[decision->recipients[i].party].class_index == class)
            labels = label_set_or(labels, &decision->recipients[i].labels);
    }
    return labels;
}

static void test_a_juvenile_is_never_wider(void **state)
{
    struct support_random random = support_seeded(5);
    size_t replaced = 0;

    (void)state;
    policy_open(&world, chance_parties);
    for (size_t i = 0; i < support_count(100000); i++) {
        chance_person(&world, &random);
        chance_request(&world, &random);
        if (world.catalogue->events[world.request.event].effect == EFFECT_LIST)
            continue;
        world.request.juvenile = JUVENILE_NO;
        world.person.entry.juvenile = JUVENILE_NO;
        /* Whoever takes a place is measured by what the whole class gets for an adult in any area. */
        decide(world.protocol, &base);
        world.request.juvenile = JUVENILE_YES;
        decide(world.protocol, &other);
        for (uint16_t k = 0; k < other.recipient_count; k++) {
            const struct policy_recipient *recipient = &other.recipients[k];
            uint16_t class = recipient->replaced_class == PROTOCOL_NONE
                                 ? world.protocol->parties[recipient->party].class_index
                                 : recipient->replaced_class;
            struct label_set adult = labels_of_class(&base, class);

            assert_false(world.protocol->classes[class].denied_juveniles);
            replaced += recipient->replaced_class != PROTOCOL_NONE;
            if (recipient->replaced_class != PROTOCOL_NONE && label_set_empty(&adult))
                continue; /* the probation party itself was not to be found */
            assert_true(label_set_within(&recipient->labels, &adult));
        }
    }
    assert_true(replaced > 100);
    policy_close(&world);
}

static void test_out_of_force_discloses_nothing(void **state)
{
    struct support_random random = support_seeded(6);

    (void)state;
    policy_open(&world, chance_parties);
    for (size_t i = 0; i < support_count(100000); i++) {
        enum effect effect;

        chance_person(&world, &random);
        chance_request(&world, &random);
        world.now = i % 2 == 0 ? world.protocol->in_force_until : world.protocol->in_force_from - 1;
        decide(world.protocol, &base);
        effect = world.catalogue->events[world.request.event].effect;
        assert_int_equal(base.recipient_count, 0);
        assert_true(!base.granted || effect == EFFECT_REMOVE || effect == EFFECT_WITHDRAW);
    }
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_less_known_is_never_more),
        cmocka_unit_test(test_a_grant_less_is_never_more),
        cmocka_unit_test(test_a_denial_more_is_never_more),
        cmocka_unit_test(test_a_juvenile_is_never_wider),
        cmocka_unit_test(test_out_of_force_discloses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
