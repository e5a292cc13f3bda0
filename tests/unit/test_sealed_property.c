#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sealing.h"
#include "tests/support/chance.h"
#include "tests/support/postroom.h"

/*
 * No value reaches a recipient that was not granted it: seeded persons and events are decided, sealed as an
 * agent seals them, and every section is opened by whom it is for. All values differ, so that one that stands
 * where another belongs is seen.
 */

#define AT_ONCE 256 /* events of one sealing run */

static struct policy_world world;
static char texts[DRAFT_VALUES_MAX][48];

struct bench {
    struct postroom *room;
    struct plan plan;
    struct sealed_event sealed;
    struct section_opener *openers[POSTROOM_MEMBERS];
    size_t sections;
    size_t values;
};

static const char *const names[POSTROOM_MEMBERS] = {
    [POSTROOM_POLICE] = "police.staffordshire",
    [POSTROOM_DOVEGATE] = "prison.dovegate",
    [POSTROOM_PROBATION] = "probation.staffordshire",
    [POSTROOM_DRUGS] = "drugs.stoke",
};

static enum postroom_member member_of(const char *to)
{
    for (size_t i = 0; i < POSTROOM_MEMBERS; i++) {
        if (strcmp(names[i], to) == 0)
            return (enum postroom_member)i;
    }
    fail_msg("%s has no key", to);
    return POSTROOM_MEMBERS;
}

/* What the sender holds: every label that the event carries, each with a value like no other. */
static void hold(struct support_random *random, struct prepared *prepared)
{
    const struct catalogue_event *type = &world.catalogue->events[world.request.event];

    prepared->value_count = 0;
    for (unsigned i = label_set_next(&type->carried, 0);
         i < SET256_END && prepared->value_count < DRAFT_VALUES_MAX;
         i = label_set_next(&type->carried, i + 1)) {
        const size_t at = prepared->value_count++;

        snprintf(texts[at], sizeof texts[at], "%s %08x", world.catalogue->labels[i].label,
                 (unsigned)support_next(random));
        prepared->values[at] = (struct prepared_value){
            .label = bytes_of_string(world.catalogue->labels[i].label), .value = bytes_of_string(texts[at])};
    }
}

/* Exactly the granted labels, each with its own value. */
static void check_section(struct bench *bench, const struct policy_recipient *recipient,
                          const struct sealed_section *sealed, const uint8_t core[static SECTION_DIGEST_SIZE])
{
    const enum postroom_member member = member_of(sealed->to);
    struct section section;
    struct items *items = NULL;

    assert_string_equal(sealed->to, recipient->to);
    assert_int_equal(section_decode(bytes_buffer_view(&sealed->bytes), &section), STATUS_OK);
    if (bench->openers[member] == NULL)
        assert_int_equal(
            section_opener_new(keystore_opening(bench->room->agents[member]->keystore, section.key),
                               &bench->openers[member]),
            STATUS_OK);
    assert_int_equal(section_open(bench->openers[member], &section, core, &items), STATUS_OK);
    assert_int_equal(items->count, label_set_count(&recipient->labels));
    for (size_t i = 0; i < items->count; i++) {
        const uint16_t label = catalogue_find_label(world.catalogue, items->list[i].label);
        const struct byte_view *value = prepared_find(&bench->plan.prepared, items->list[i].label);

        assert_true(label_set_has(&recipient->labels, label));
        assert_true(value != NULL && bytes_equal(*value, items->list[i].value));
    }
    bench->sections++;
    bench->values += items->count;
    items_free(&items);
}

static void seal_and_open(struct bench *bench, struct sealing *sealing)
{
    const struct membership *membership = bench->room->agents[POSTROOM_POLICE]->membership;
    uint8_t core[SECTION_DIGEST_SIZE];

    memset(&bench->sealed, 0, sizeof bench->sealed);
    assert_int_equal(
        sealing_event(sealing, membership, &bench->plan, &world.decision, bench->room->now, &bench->sealed),
        STATUS_OK);
    core_digest(bytes_buffer_view(&bench->plan.core), core);
    assert_int_equal(bench->sealed.count, world.decision.recipient_count);
    for (size_t i = 0; i < bench->sealed.count; i++)
        check_section(bench, &world.decision.recipients[i], &bench->sealed.sections[i], core);
    sealing_event_free(&bench->sealed);
}

static void one_event(struct support_random *random, struct bench *bench, struct sealing *sealing)
{
    chance_person(&world, random);
    chance_request(&world, random);
    policy_decide(world.protocol, &world.facts, &world.request, world.now, &world.decision);
    if (world.decision.recipient_count == 0)
        return;
    chance_ruled(&world, &world.decision);
    hold(random, &bench->plan.prepared);
    bytes_buffer_clear(&bench->plan.core);
    bytes_append_u64(&bench->plan.core, support_next(random));
    seal_and_open(bench, sealing);
}

static void test_only_what_was_granted_arrives(void **state)
{
    struct support_random random = support_seeded(13);
    struct bench *bench = calloc(1, sizeof *bench);
    struct sealing *sealing = NULL;

    (void)state;
    assert_non_null(bench);
    bench->room = postroom_open();
    bench->plan.core = bytes_buffer(64);
    policy_open(&world, NULL);
    world.facts.active = (struct party_set){{0}};
    for (size_t i = 0; i < POSTROOM_MEMBERS; i++)
        party_set_add(&world.facts.active, protocol_find_party(world.protocol, bytes_of_string(names[i])));
    for (size_t i = 0; i < support_count(100000); i++) {
        if (i % AT_ONCE == 0) {
            sealing_end(&sealing);
            assert_int_equal(sealing_start(bench->room->agents[POSTROOM_POLICE]->random, &sealing),
                             STATUS_OK);
        }
        one_event(&random, bench, sealing);
    }
    assert_true(bench->sections > 1000);
    assert_true(bench->values > bench->sections);
    sealing_end(&sealing);
    for (size_t i = 0; i < POSTROOM_MEMBERS; i++)
        section_opener_free(&bench->openers[i]);
    bytes_buffer_free(&bench->plan.core);
    postroom_close(&bench->room);
    policy_close(&world);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_was_granted_arrives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
