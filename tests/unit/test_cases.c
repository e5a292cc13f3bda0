#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "policy/cases.h"
#include "policy/coverage.h"
#include "tests/support/policy.h"

static struct policy_world world;
static struct yaml_errors errors;
static struct policy_decision decision;

#define HEAD                                                                                                 \
    "protocol: staffordshire-ppo.yaml\n"                                                                     \
    "catalogue: catalogue.yaml\n"                                                                            \
    "clock: \"2026-12-01T09:00:00Z\"\n"                                                                      \
    "people:\n"                                                                                              \
    "  adult: {listed: yes, strand: catch_convict, area: stoke, home_force: \"21\", juvenile: no,\n"         \
    "          review_due: \"2026-12-15\", consents: {throughcare: {expires: \"2027-06-30\"}}}\n"            \
    "cases:\n"
#define GIVEN "- case: one\n  given: {like: adult}\n"
#define EVENT                                                                                                \
    "  event: {type: arrest.made, from: police.staffordshire, holds: [name, station, drug_test_result]}\n"
#define EXPECT                                                                                               \
    "  expect:\n"                                                                                            \
    "    to:\n"                                                                                              \
    "      probation.staffordshire: [name, station]\n"                                                       \
    "      drugs.stoke: {items: [name, station, drug_test_result], late: no, gateway: cda_115}\n"
#define GOOD HEAD GIVEN EVENT EXPECT

static enum status load(const char *text, struct cases **ret)
{
    memset(&errors, 0, sizeof errors);
    return cases_load(bytes_of_string(text), world.protocol, &errors, ret);
}

/* GOOD with the first `from` replaced; the caller frees it. */
static char *edited(const char *from, const char *to)
{
    const char *at = strstr(GOOD, from);
    char *text = malloc(sizeof GOOD + strlen(to));

    assert_non_null(at);
    assert_non_null(text);
    sprintf(text, "%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    return text;
}

static void test_files(void **state)
{
    struct cases_files files;

    (void)state;
    memset(&errors, 0, sizeof errors);
    assert_int_equal(cases_name_files(bytes_of_string(GOOD), &errors, &files), STATUS_OK);
    assert_string_equal(files.protocol, "staffordshire-ppo.yaml");
    assert_string_equal(files.catalogue, "catalogue.yaml");
    assert_string_equal(files.overlay, "");
    assert_int_equal(cases_name_files(bytes_of_string("cases: []\nprotocol: p\ncatalogue: c\noverlay: o\n"),
                                      &errors, &files),
                     STATUS_OK);
    assert_string_equal(files.overlay, "o");
    assert_int_equal(cases_name_files(bytes_of_string("cases: []\nprotocol: p\n"), &errors, &files),
                     STATUS_BAD_FORMAT);
    assert_int_equal(errors.count, 1);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } mistakes[] = {
        {"clock: \"2026-12-01T09:00:00Z\"\n", "", "no clock"},
        {"clock: \"2026-12-01T09:00:00Z\"", "clock: noon", "this is no time"},
        {"like: adult", "like: nobody", "there is no person 'nobody'"},
        {"like: adult", "like: adult, height: tall", "'height'"},
        {"area: stoke", "area: derby", "names no area 'derby'"},
        {"strand: catch_convict", "strand: catch", "names no strand 'catch'"},
        {"juvenile: no", "juvenile: maybe", "write yes, no or unknown"},
        {"review_due: \"2026-12-15\"", "review_due: soon", "write a date"},
        {"{throughcare: ", "{aftercare: ", "names no consent 'aftercare'"},
        {"{expires: \"2027-06-30\"}", "{given: \"2026-06-30\"}", "'expires'"},
        {"type: arrest.made", "type: arrest.mad", "no event type 'arrest.mad'"},
        {"from: police.staffordshire", "from: Police", "is no member id"},
        {"holds: [name, station, drug_test_result]", "attributes: {}", "'holds'"},
        {"holds: [name,", "holds: [name, name,", "stands here twice"},
        {"holds: [name,", "holds: [named,", "carries no item 'named'"},
        {"holds: [", "attributes: {strand: catch_convict}, holds: [", "has no attribute 'strand'"},
        {"probation.staffordshire: [name", "probation.derby: [name", "no party 'probation.derby'"},
        {"late: no", "late: perhaps", "'perhaps'"},
        {"gateway: cda_115", "door: cda_115", "'door'"},
        {"    to:\n", "    refused: {nobody.here: no-consent}\n    to:\n", "no party 'nobody.here'"},
        {"    to:\n", "    refused: {class staff: no-consent}\n    to:\n", "no class 'staff'"},
        {"    to:\n", "    refused: {event: no-reason}\n    to:\n", "no-reason"},
        {"- case: one",
         "- case: one\n  expect: {recorded: no}\n  event: {type: arrest.made, from: "
         "police.staffordshire, holds: nothing}\n- case: two",
         "this expects nothing"},
        {"- case: one",
         "- case: one\n  event: {type: release.temporary, from: prison.dovegate, holds: "
         "nothing}\n  expect: {recorded: yes}\n- case: one",
         "is also the case of line"},
        {"  adult: {", "  adult: {like: child, ", "'like'"},
        {"like: adult", "like: adult, glass: {broken: yes}", "'broken'"},
        {"like: adult", "like: adult, glass: {used: many}", "'many'"},
        {"holds: [", "answers: {type: arrest.made}, holds: [", "'from'"},
        {"holds: [", "answers: {type: arrest.made, from: a.b, asked: [tea]}, holds: [", "no item 'tea'"},
        {"holds: [", "corrects: {type: arrest.made, told: {}}, holds: [", "arrest.made corrects nothing"},
        {"type: arrest.made",
         "corrects: {type: release.planned, told: {nobody.here: [name]}}, type: event.retracted",
         "no party 'nobody.here'"},
        {"type: arrest.made",
         "corrects: {type: release.planned, told: {drugs.stoke: [station]}}, type: event.retracted",
         "carries no item 'station'"},
        {"type: arrest.made", "corrects: {type: release.planned}, type: event.retracted", "'told'"},
    };

    (void)state;
    policy_open(&world, NULL);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char *text = edited(mistakes[i].from, mistakes[i].to);
        struct cases *cases = NULL;
        bool found = false;

        if (load(text, &cases) != STATUS_BAD_FORMAT)
            fail_msg("%s: loads", mistakes[i].to);
        assert_null(cases);
        for (size_t k = 0; k < errors.count; k++)
            found =
                found || (strstr(errors.list[k].text, mistakes[i].says) != NULL && errors.list[k].line > 0);
        if (!found)
            fail_msg("%s: %s", mistakes[i].says, errors.list[0].text);
        free(text);
    }
    policy_close(&world);
}

/* What is told about the only case of a text; "" when it holds. */
static const char *check(const char *text)
{
    static char told[4096];
    struct byte_buffer out = bytes_buffer(sizeof told - 1);
    struct cases *cases = NULL;
    bool same;

    if (load(text, &cases) != STATUS_OK)
        fail_msg("%u:%u: %s", errors.list[0].line, errors.list[0].column, errors.list[0].text);
    assert_int_equal(cases->count, 1);
    same = cases_check(world.protocol, &cases->list[0], &decision, &out);
    if (out.size > 0)
        memcpy(told, out.data, out.size);
    told[out.size] = '\0';
    assert_int_equal(same, out.size == 0);
    bytes_buffer_free(&out);
    cases_free(&cases);
    return told;
}

static void test_check(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *told;
    } rows[] = {
        {"protocol", "protocol", ""},
        {"drugs.stoke: {items: [name, station, drug_test_result]",
         "drugs.stoke: {items: [name, station, dob]",
         "  drugs.stoke was to receive dob and does not.\n"
         "  drugs.stoke was not to receive drug_test_result and does.\n"},
        {"      probation.staffordshire: [name, station]\n", "",
         "  probation.staffordshire was to receive nothing and receives name, station.\n"},
        {"      probation", "      prison.dovegate: []\n      probation",
         "  prison.dovegate was to receive no item and receives nothing.\n"},
        {"late: no", "late: yes", "  For drugs.stoke it was to be late and is not.\n"},
        {"late: no", "urgent: yes", "  For drugs.stoke it was to be urgent and is not.\n"},
        {"late: no", "deadline: \"2026-12-01\"",
         "  For drugs.stoke the deadline was to be 2026-12-01T00:00:00.000Z and is "
         "2026-12-01T13:00:00.000Z.\n"},
        {"gateway: cda_115", "gateway: oma_14_in",
         "  drugs.stoke was to receive it by gateway oma_14_in and does by cda_115.\n"},
        {"gateway: cda_115", "rule: breach",
         "  drugs.stoke was to receive it under rule breach and does under arrest.\n"},
        {"gateway: cda_115", "in_place_of: probation",
         "  drugs.stoke was to take the place of class probation and does not.\n"},
        {"    to:\n", "    recorded: yes\n    to:\n", "  It was to be recorded and is not.\n"},
        {"    to:\n", "    refused: {drugs.stoke: no-consent}\n    to:\n",
         "  drugs.stoke was to be refused with no-consent and is not.\n"},
        {"    to:\n", "    says: why\n    to:\n", "  No refusal says 'why'.\n"},
        {"like: adult", "like: adult, consents: {throughcare: none}",
         "  drugs.stoke was to receive name, station, drug_test_result and receives nothing.\n"
         "  drugs.stoke was not to be refused with no-consent and is: Rule arrest: arrest.made is not for "
         "drugs.stoke, because no consent 'throughcare' is in force; the person must give it, and it must be "
         "recorded, first.\n"},
        {"like: adult", "like: adult, not_active: [drugs.stoke]",
         "  drugs.stoke was to receive name, station, drug_test_result and receives nothing.\n"
         "  drugs.stoke was not to be refused with party-not-active and is: Rule arrest: arrest.made is not "
         "for drugs.stoke, because they have no valid certificate; they must enrol or renew first.\n"},
    };

    (void)state;
    policy_open(&world, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = edited(rows[i].from, rows[i].to);

        assert_string_equal(check(text), rows[i].told);
        free(text);
    }
    policy_close(&world);
}

/* What the broker would know of overrides, and what was asked, reach the decision. */
static void test_glass_and_questions(void **state)
{
    static const char override[] = "protocol: p\ncatalogue: c\nclock: \"2026-12-01T09:00:00Z\"\ncases:\n"
                                   "- case: one\n"
                                   "  given: {glass: {used: 3}}\n"
                                   "  event: {type: override.made, from: drugs.stoke, holds: [name], "
                                   "attributes: {rule: danger-to-anyone,\n"
                                   "          reason: imminent_harm, duty_role: duty_officer}}\n"
                                   "  expect: {refused: {event: quota-used-up}}\n";
    static const char answer[] =
        "protocol: p\ncatalogue: c\nclock: \"2026-12-01T09:00:00Z\"\npeople:\n"
        "  adult: {listed: yes, strand: catch_convict, area: stoke, home_force: \"21\", juvenile: no,\n"
        "          review_due: \"2026-12-15\"}\n"
        "cases:\n"
        "- case: one\n"
        "  given: {like: adult}\n"
        "  event: {type: case.answered, from: probation.staffordshire, holds: everything,\n"
        "          answers: {type: case.queried, from: police.staffordshire, asked: [band]}}\n"
        "  expect: {to: {police.staffordshire: [band]}}\n";

    (void)state;
    policy_open(&world, NULL);
    assert_string_equal(check(override), "");
    assert_string_equal(check(answer), "");
    policy_close(&world);
}

static const struct coverage_unit *find(const struct coverage *coverage, enum coverage_kind kind,
                                        const char *rule, const char *event, uint16_t entry,
                                        enum policy_code code)
{
    uint16_t at = protocol_find_rule(world.protocol, bytes_of_string(rule));
    uint16_t type =
        event == NULL ? CATALOGUE_NONE : catalogue_find_event(world.catalogue, bytes_of_string(event));

    for (size_t i = 0; i < coverage->count; i++) {
        const struct coverage_unit *unit = &coverage->units[i];

        if (unit->kind == kind && unit->rule == at && unit->event == type && unit->entry == entry &&
            (kind != COVERAGE_REFUSAL || unit->code == code))
            return unit;
    }
    fail_msg("no unit for %s", rule);
    return NULL;
}

static void test_coverage(void **state)
{
    struct coverage_summary before, after;
    struct byte_buffer text = bytes_buffer(65536);
    struct coverage *coverage;

    (void)state;
    policy_open(&world, NULL);
    coverage = coverage_new(world.protocol);
    assert_non_null(coverage);
    before = coverage_sum(coverage);
    assert_int_equal(before.tried[COVERAGE_RULE], 0);
    assert_false(coverage_complete(&before));
    assert_string_equal(check(GOOD), "");
    coverage_add(coverage, &world.request, &decision);
    after = coverage_sum(coverage);
    assert_int_equal(after.tried[COVERAGE_RULE], 1);
    assert_int_equal(after.tried[COVERAGE_ENTRY], 2);
    assert_int_equal(after.tried[COVERAGE_REFUSAL], 0);
    assert_int_equal(after.total[COVERAGE_ENTRY], before.total[COVERAGE_ENTRY]);
    assert_int_equal(find(coverage, COVERAGE_ENTRY, "arrest", "arrest.made", 1, POLICY_NONE)->count, 1);
    assert_int_equal(find(coverage, COVERAGE_REFUSAL, "arrest", NULL, 1, POLICY_CONSENT)->count, 0);

    policy_list(&world);
    policy_ask(&world, "police.staffordshire", "arrest.made", "juvenile=no", "name");
    policy_answer(&world);
    coverage_add(coverage, &world.request, &world.decision);
    assert_int_equal(find(coverage, COVERAGE_ENTRY, "arrest", "arrest.made", 0, POLICY_NONE)->count, 2);
    assert_int_equal(find(coverage, COVERAGE_ENTRY, "arrest", "arrest.made", 1, POLICY_NONE)->count, 1);
    assert_int_equal(find(coverage, COVERAGE_REFUSAL, "arrest", NULL, 1, POLICY_CONSENT)->count, 1);
    assert_int_equal(
        find(coverage, COVERAGE_REFUSAL, "arrest", NULL, PROTOCOL_NONE, POLICY_NOT_LISTED)->count, 0);
    assert_int_equal(
        find(coverage, COVERAGE_RULE, "release-notice", "release.planned", PROTOCOL_NONE, POLICY_NONE)->count,
        0);

    coverage_write(coverage, false, &text);
    bytes_append_u8(&text, 0);
    assert_null(strstr((char *)text.data, "rule arrest, arrest.made"));
    assert_non_null(strstr((char *)text.data, "Not tried:   -  rule release-notice, release.planned\n"));
    assert_non_null(strstr((char *)text.data, "Covered: 1 of "));
    bytes_buffer_free(&text);
    coverage_free(&coverage);
    policy_close(&world);
}

/* A denial is tried by an event that it names, from whom it names, with something in it that it denies. */
static void test_denials(void **state)
{
    static const struct {
        const char *from;
        const char *event;
        const char *held;
        uint32_t counts;
    } rows[] = {
        {"drugs.stoke", "treatment.ended", "name", 0},
        {"drugs.stoke", "treatment.started", "name,provider", 0},
        {"drugs.nowhere", "treatment.ended", "name,outcome", 0},
        {"drugs.stoke", "treatment.ended", "name,outcome", 1},
    };

    (void)state;
    policy_open(&world, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coverage *coverage = coverage_new(world.protocol);
        uint32_t count = UINT32_MAX;

        assert_non_null(coverage);
        policy_ask(&world, rows[i].from, rows[i].event, "juvenile=no", rows[i].held);
        policy_answer(&world);
        coverage_add(coverage, &world.request, &world.decision);
        for (size_t k = 0; k < coverage->count; k++) {
            const struct coverage_unit *unit = &coverage->units[k];

            if (unit->kind == COVERAGE_DENIAL &&
                strcmp(world.protocol->denials[unit->denial].id, "treatment-failings") == 0)
                count = unit->count;
        }
        assert_int_equal(count, rows[i].counts);
        coverage_free(&coverage);
    }
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),    cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_check),    cmocka_unit_test(test_glass_and_questions),
        cmocka_unit_test(test_coverage), cmocka_unit_test(test_denials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
