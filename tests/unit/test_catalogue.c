#include "tests/support/support.h"

#include <string.h>

#include "policy/party_set.h"
#include "tests/support/policy.h"

/* The shipped catalogue, and one mistake at a time in it. */

static struct policy_world world;

static uint16_t event(const char *type)
{
    return catalogue_find_event(world.catalogue, bytes_of_string(type));
}

static uint16_t label(const char *name)
{
    return catalogue_find_label(world.catalogue, bytes_of_string(name));
}

static void test_model(void **state)
{
    const struct catalogue_event *added, *planned;

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(label("name"), 0); /* in the order of the file */
    assert_int_equal(label("dob"), 1);
    assert_int_equal(label("nonsense"), CATALOGUE_NONE);
    assert_int_equal(event("ppo.nonsense"), CATALOGUE_NONE);
    assert_int_equal(world.catalogue->event_count, 51);
    for (uint16_t i = 0; i < world.catalogue->event_count; i++) {
        const struct catalogue_event *type = &world.catalogue->events[i];

        assert_int_equal(event(type->type), i);
        assert_int_equal(type->attributes[type->held].label, label("held"));
        assert_int_equal(type->attributes[type->juvenile].label, label("juvenile"));
        assert_false(label_set_has(&type->carried, label("held")));
        assert_false(label_set_has(&type->carried, label("juvenile")));
        assert_true(label_set_has(&type->item_set, label("name")));
        for (uint16_t k = 1; k < type->attribute_count; k++)
            assert_true(type->attributes[k - 1].label < type->attributes[k].label);
    }
    added = &world.catalogue->events[event("ppo.added")];
    planned = &world.catalogue->events[event("release.planned")];
    assert_true(added->standing && planned->standing);
    assert_false(world.catalogue->events[event("arrest.made")].standing);
    assert_int_equal(added->effect, EFFECT_LIST);
    assert_int_equal(planned->effect, EFFECT_NONE);
    assert_int_equal(added->attributes[added->reads[5]].label, label("home_force"));
    assert_int_equal(label_set_count(&planned->item_set), 12);
    const struct catalogue_event *corrected = &world.catalogue->events[event("event.corrected")];
    assert_int_equal(corrected->corrects, CORRECTION_VALUES);
    assert_int_equal(corrected->attributes[corrected->target].label, label("target"));
    assert_int_equal(label_set_count(&corrected->carried),
                     world.catalogue->label_count - 2); /* held, juvenile */
    assert_int_equal(world.catalogue->events[event("event.erased")].corrects, CORRECTION_ERASURE);
    assert_int_equal(planned->corrects, CORRECTION_NONE);
    assert_true(label_set_has(&world.catalogue->sensitive, label("officer_risk")));
    assert_false(label_set_has(&world.catalogue->sensitive, label("address")));
    policy_close(&world);
}

static enum status check(const char *type, const char *name, const char *value)
{
    return catalogue_check_value(world.catalogue, event(type), label(name), bytes_of_string(value), NULL);
}

static void test_values(void **state)
{
    struct kind_reason reason = {""};

    (void)state;
    policy_open(&world, NULL);
    assert_int_equal(check("release.planned", "release_date", "2026-12-29"), STATUS_OK);
    assert_int_equal(check("release.planned", "release_date", "2026-02-30"), STATUS_BAD_FORMAT);
    assert_int_equal(check("release.planned", "date_type", "CRD"), STATUS_OK);
    assert_int_equal(check("release.planned", "date_type", "ROTL"), STATUS_BAD_FORMAT);
    assert_int_equal(check("release.planned", "released_on", "2026-12-29"), STATUS_NOT_FOUND);
    /* One label, another list in another event. */
    assert_int_equal(check("ppo.removed", "reason", "moved"), STATUS_OK);
    assert_int_equal(check("custody.received", "reason", "moved"), STATUS_BAD_FORMAT);
    assert_int_equal(check("custody.received", "reason", "recall"), STATUS_OK);
    assert_int_equal(check("release.confirmed", "kind", "hdc"), STATUS_OK);
    assert_int_equal(check("breach.recorded", "kind", "hdc"), STATUS_BAD_FORMAT);
    /* The item's own limit lies below the kind's. */
    assert_int_equal(check("arrest.made", "station", "Hanley"), STATUS_OK);
    assert_int_equal(
        check("arrest.made", "station", "A station whose name is longer than sixty characters is no good"),
        STATUS_TOO_LARGE);
    assert_int_equal(catalogue_check_value(world.catalogue, CATALOGUE_NONE, 0, bytes_of_string("x"), &reason),
                     STATUS_NOT_FOUND);
    assert_true(strlen(reason.text) > 0);
    policy_close(&world);
}

static void test_held(void **state)
{
    struct label_set labels;
    struct kind_reason reason = {""};
    struct byte_buffer text = bytes_buffer(4096);
    uint16_t arrest;

    (void)state;
    policy_open(&world, NULL);
    arrest = event("arrest.made");
    assert_int_equal(
        catalogue_parse_labels(world.catalogue, arrest, bytes_of_string("dob,name,station"), &labels, NULL),
        STATUS_OK);
    assert_int_equal(label_set_count(&labels), 3);
    assert_true(label_set_has(&labels, label("station")));
    catalogue_format_labels(world.catalogue, &labels, &text);
    assert_true(bytes_equal(bytes_buffer_view(&text), bytes_of_string("dob,name,station")));
    assert_int_equal(catalogue_parse_labels(world.catalogue, arrest, bytes_of_string(""), &labels, NULL),
                     STATUS_OK);
    assert_true(label_set_empty(&labels));
    assert_int_equal(catalogue_parse_labels(world.catalogue, arrest, bytes_of_string("name,release_date"),
                                            &labels, &reason),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "release_date"));
    assert_int_equal(catalogue_parse_labels(world.catalogue, arrest, bytes_of_string("held"), &labels, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(
        catalogue_parse_labels(world.catalogue, arrest, bytes_of_string("nonsense"), &labels, NULL),
        STATUS_NOT_FOUND);
    assert_int_not_equal(
        catalogue_parse_labels(world.catalogue, arrest, bytes_of_string("name,dob"), &labels, NULL),
        STATUS_OK);
    bytes_buffer_free(&text);
    policy_close(&world);
}

static void test_request(void **state)
{
    struct kind_reason reason = {""};

    (void)state;
    policy_open(&world, NULL);
    policy_ask(&world, "prison.dovegate", "release.planned", "release_date=2026-12-29 juvenile=yes",
               "name,dob");
    assert_int_equal(world.request.juvenile, JUVENILE_YES);
    assert_int_equal(label_set_count(&world.request.held), 2);
    assert_true(bytes_equal(request_attribute(world.catalogue, &world.request, "release_date"),
                            bytes_of_string("2026-12-29")));
    assert_null(request_attribute(world.catalogue, &world.request, "home_force").data);
    assert_null(request_attribute(world.catalogue, &world.request, "strand").data);
    assert_int_equal(request_set(world.catalogue, &world.request, "strand", bytes_of_string("x")),
                     STATUS_NOT_FOUND);
    request_set(world.catalogue, &world.request, "home_force", bytes_of_string("99"));
    assert_int_not_equal(request_read(world.catalogue, &world.request, &reason), STATUS_OK);
    assert_memory_equal(reason.text, "home_force: ", 12);
    request_set(world.catalogue, &world.request, "home_force", bytes_of_string("21"));
    request_set(world.catalogue, &world.request, "held", bytes_of_string("station"));
    assert_int_equal(request_read(world.catalogue, &world.request, &reason), STATUS_NOT_FOUND);
    world.request.event = CATALOGUE_NONE;
    assert_int_equal(request_read(world.catalogue, &world.request, &reason), STATUS_NOT_FOUND);
    policy_close(&world);
}

static void test_mistakes(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"catalogue: 1\n", "catalogue: @@2\n", "catalogue"},
        {"codes:\n", "codes:\n  @@Bad Name: [a]\n", "no name"},
        {"[yes, no, unknown]", "[yes, no, @@yes]", "twice"},
        {"[yes, no, unknown]", "[yes, no, @@don't know]", "no code"},
        {"  dob: {kind: date, sensitivity: personal}", "  dob: {kind: @@day, sensitivity: personal}",
         "no kind"},
        {"  dob: {kind: date, sensitivity: personal}", "  dob: {kind: date, sensitivity: @@secret}",
         "sensitivity"},
        {"  dob: {kind: date, sensitivity: personal}", "  dob: @@{kind: date}", "sensitivity"},
        {"  dob: {kind: date,", "  dob: {kind: date, codes: @@strand,", "leave 'codes' out"},
        {"  strand: {kind: code, codes: strand,", "  strand: {kind: code, codes: @@strands,", "no code list"},
        {"  strand: {kind: code, codes: strand,", "  strand: @@{kind: code,", "codes"},
        {"  station: {kind: text, max: 60,", "  station: {kind: text, max: @@2000,", "max"},
        {"  station: {kind: text,", "  @@Station: {kind: text,", "no label"},
        {"  station: {kind: text, max: 60,", "  station: {kind: text, @@maximum: 60,", "maximum"},
        {"  attributes: [held, juvenile]", "  attributes: @@[held]", "'held' and 'juvenile'"},
        {"  arrest.made:", "  @@arrest:", "no event type"},
        {"    items: [force, station,", "    items: [force, @@stations,", "no item"},
        {"    items: [force, station,", "    items: [force, @@name, station,", "named twice"},
        {"    items: [outcome: {codes: arrest_outcome},", "    items: [outcome: {codes: @@arrest_outcomes},",
         "no code list"},
        {"    items: [since]", "    items: [since: @@{codes: strand}]", "not of kind code"},
        {"    changes: removal", "    changes: @@deletion", "changes"},
        {"    standing: yes", "    standing: @@true", "standing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake("catalogue.yaml", &mistakes[i]);
}

static void test_effects_read_attributes(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"    changes: allocation\n    attributes: [role, holder]",
         "    changes: @@allocation\n    attributes: [role]", "reads the attribute 'holder'"},
        {"    changes: consent\n    attributes: [scope, form_version, expires]",
         "    changes: @@consent\n    attributes: [scope, form_version]", "reads the attribute 'expires'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake("catalogue.yaml", &mistakes[i]);
}

static void test_sets(void **state)
{
    struct support_random random = support_seeded(11);

    (void)state;
    for (size_t round = 0; round < support_count(2000); round++) {
        struct label_set a = {{0}}, b = {{0}}, both, either, without;
        bool in_a[256] = {false}, in_b[256] = {false};
        unsigned count = 0, next = 0;

        for (size_t i = 0; i < support_below(&random, 40); i++) {
            unsigned x = (unsigned)support_below(&random, 256), y = (unsigned)support_below(&random, 256);

            label_set_add(&a, x);
            label_set_add(&b, y);
            in_a[x] = in_b[y] = true;
        }
        both = label_set_and(a, &b);
        either = label_set_or(a, &b);
        without = label_set_minus(a, &b);
        for (unsigned i = 0; i < 256; i++) {
            assert_int_equal(label_set_has(&a, i), in_a[i]);
            assert_int_equal(label_set_has(&both, i), in_a[i] && in_b[i]);
            assert_int_equal(label_set_has(&either, i), in_a[i] || in_b[i]);
            assert_int_equal(label_set_has(&without, i), in_a[i] && !in_b[i]);
            if (in_a[i]) {
                next = label_set_next(&a, next);
                assert_int_equal(next++, i);
                count++;
            }
        }
        assert_int_equal(label_set_count(&a), count);
        assert_int_equal(label_set_empty(&a), count == 0);
        assert_true(label_set_within(&both, &a) && label_set_within(&a, &either));
        assert_int_equal(label_set_equal(&a, &b), label_set_within(&a, &b) && label_set_within(&b, &a));
    }
    struct party_set all = {{~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)}};
    assert_int_equal(party_set_count(&all), 256);
    assert_int_equal(party_set_next(&all, 256), SET256_END);
    assert_false(party_set_has(&all, 256));
    party_set_remove(&all, 256);
    party_set_remove(&all, 255);
    assert_int_equal(party_set_next(&all, 255), SET256_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_held),     cmocka_unit_test(test_request),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_effects_read_attributes),
        cmocka_unit_test(test_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
