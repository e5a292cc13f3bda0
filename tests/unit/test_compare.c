#include "tests/support/support.h"

#include <string.h>

#include "base/yaml_errors.h"
#include "policy/compare.h"
#include "policy/flows.h"
#include "policy/matrix.h"
#include "tests/support/policy.h"

static struct policy_world before, after;
static struct byte_buffer text;

static const char *written(void)
{
    bytes_append_u8(&text, 0);
    assert_int_equal(text.status, STATUS_OK);
    return (const char *)text.data;
}

static void says(const char *part)
{
    if (strstr((const char *)text.data, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, (const char *)text.data);
}

/* The shipped protocol compared with itself after these edits; how many changes. */
static size_t compare(const struct policy_edit *edits)
{
    size_t changes = 0;

    bytes_buffer_free(&text);
    text = bytes_buffer((size_t)1 << 20);
    policy_open(&after, edits);
    assert_int_equal(compare_write(before.protocol, after.protocol, &text, &changes), STATUS_OK);
    policy_close(&after);
    written();
    return changes;
}

static void test_nothing(void **state)
{
    (void)state;
    policy_open(&before, NULL);
    assert_int_equal(compare(NULL), 0);
    says("Nothing changes.\n");
    policy_close(&before);
}

struct row {
    const char *from;
    const char *to;
    const char *says;
};

static void test_one_change(void **state)
{
    static const struct row rows[] = {
        {"release.planned: [release_date, date_type, home_district, licence_conditions]",
         "release.planned: [release_date, date_type, home_district, licence_conditions, address]",
         "- Version 2 newly gives police (home force) address of release.planned from prison.\n"},
        {"breach.recorded: [order_type, kind, last_address, officer_risk]",
         "breach.recorded: [order_type, kind, officer_risk]",
         "- Version 2 no longer gives police (home force) last_address of breach.recorded from probation.\n"},
        {"consent: share_with_ppo_team", "consent: throughcare",
         "- Version 2 still gives police (home force) its items of treatment.started, treatment.missed, "
         "treatment.ended from drugs, but with another consent: throughcare instead of "
         "share_with_ppo_team.\n"},
        {"deadline: {within: PT24H}", "deadline: {within: PT12H}",
         "but with another deadline: within 12 hours instead of within 1 day.\n"},
        {"condition: preventing_unlawful_acts\n        items: [name, attending]",
         "condition: statutory_purposes\n        items: [name, attending]",
         "but with another condition: statutory_purposes instead of preventing_unlawful_acts.\n"},
        {"version: 2", "version: 3",
         "staffordshire-ppo, version 3, compared with staffordshire-ppo, version 2.\n"},
        {"\"2027-09-30\"", "\"2027-12-31\"", "- the last day in force: was 2027-09-30, is now 2027-12-31.\n"},
        {"review_grace: P28D", "review_grace: P7D",
         "- the grace after an overdue review: was P28D, is now P7D.\n"},
        {"throughcare: {longest: P12M", "throughcare: {longest: P6M",
         "- Consent throughcare, how long one may run: was P12M, is now P6M.\n"},
        {"recorded_by: [probation, drugs]}\n  share_with_probation",
         "recorded_by: [drugs]}\n  share_with_probation",
         "- Consent throughcare, who may record it: was drugs, probation, is now drugs.\n"},
        {"urgent: {acknowledge: PT2H, then: duty officer}", "urgent: {acknowledge: PT1H, then: duty officer}",
         ", its urgency: was acknowledged within PT2H, else the duty officer is told, is now "
         "acknowledged within PT1H, else the duty officer is told.\n"},
        {"prison.dovegate: {establishments: [DGI]}", "prison.dovegate: {establishments: [DGI, LEI]}",
         "- Party prison.dovegate, the prisons that it speaks for: was DGI, is now DGI, LEI.\n"},
    };

    (void)state;
    policy_open(&before, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct policy_edit edits[] = {{rows[i].from, rows[i].to}, {NULL, NULL}};
        size_t changes = compare(edits);

        says(rows[i].says);
        if (strcmp(rows[i].from, "version: 2") == 0)
            assert_int_equal(changes, 0);
        else
            assert_int_equal(changes,
                             strstr(rows[i].from, "PT24H") != NULL ? 2 : 1); /* two terms of recipients */
    }
    policy_close(&before);
}

/* Each version has its own catalogue: what is the same is known by its name, not by its place. */
static void test_other_catalogue(void **state)
{
    static const struct policy_edit edits[] = {
        {"items:\n", "items:\n  alias: {kind: name, max: 100, sensitivity: personal}\n"}, {NULL, NULL}};
    static struct yaml_errors errors;
    struct byte_buffer catalogue_text = policy_file("catalogue.yaml", edits);
    struct byte_buffer protocol_text = policy_file("staffordshire-ppo.yaml", NULL);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;
    size_t changes = 1;

    (void)state;
    policy_open(&before, NULL);
    assert_int_equal(catalogue_load(bytes_buffer_view(&catalogue_text), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&protocol_text), catalogue, &errors, &protocol),
                     STATUS_OK);
    assert_int_not_equal(catalogue_find_label(catalogue, bytes_of_string("dob")),
                         catalogue_find_label(before.catalogue, bytes_of_string("dob")));
    bytes_buffer_free(&text);
    text = bytes_buffer((size_t)1 << 20);
    assert_int_equal(compare_write(before.protocol, protocol, &text, &changes), STATUS_OK);
    written();
    says("Nothing changes.\n");
    assert_int_equal(changes, 0);
    protocol_free(&protocol);
    catalogue_free(&catalogue);
    bytes_buffer_free(&catalogue_text);
    bytes_buffer_free(&protocol_text);
    policy_close(&before);
}

/* A party of its class alone goes: its class gets and sends nothing any more. */
static void test_party_goes(void **state)
{
    static const struct policy_edit edits[] = {
        {"  drugs.stoke: {areas: [stoke], pathways: [drugs_alcohol]}\n", ""}, {NULL, NULL}};

    (void)state;
    policy_open(&before, NULL);
    assert_true(compare(edits) > 5);
    says("- Party drugs.stoke is gone.\n");
    says(
        "Version 2 no longer gives drugs (all in area) name, dob of ppo.added, ppo.removed from police (rule "
        "list-change, CC 37, ST 3, ST 30; gateway cda_115; crossing s36_4).\n");
    policy_close(&before);
}

static void test_new_party(void **state)
{
    static const struct policy_edit edits[] = {
        {"  drugs.stoke:", "  drugs.tamworth: {areas: [tamworth]}\n  drugs.stoke:"}, {NULL, NULL}};

    (void)state;
    policy_open(&before, NULL);
    assert_true(compare(edits) > 0);
    says("- Party drugs.tamworth is new; its class: drugs; the areas that it serves: tamworth; ");
    policy_close(&before);
}

/* Every flow is one that policy_decide can grant, and the other way round: the class that denies juveniles
 * has none about them. */
static void test_flows(void **state)
{
    struct flows *adult, *juvenile;
    uint16_t drugs;

    (void)state;
    policy_open(&before, NULL);
    drugs = protocol_find_class(before.protocol, bytes_of_string("drugs"));
    adult = flows_make(before.protocol, FLOWS_ADULT, false);
    juvenile = flows_make(before.protocol, FLOWS_JUVENILE, false);
    assert_non_null(adult);
    assert_non_null(juvenile);
    for (size_t i = 0; i < juvenile->count; i++)
        assert_int_equal(juvenile->list[i].to >> drugs & 1, 0);
    for (size_t i = 0; i < adult->count; i++) {
        const struct flow *flow = &adult->list[i];

        assert_int_equal(flow->replaced_class, PROTOCOL_NONE);
        assert_true(flow->entry == PROTOCOL_NONE ? flow->to == 0 : flow->to != 0);
        for (uint16_t gateway = 0; gateway < before.protocol->gateway_count; gateway++) {
            if ((flow->gateways >> gateway & 1) != 0)
                assert_true(protocol_gateway_runs(before.protocol, gateway,
                                                  (uint16_t)__builtin_ctz(flow->from),
                                                  (uint16_t)__builtin_ctz(flow->to)));
        }
    }
    flows_free(&adult);
    flows_free(&juvenile);
    policy_close(&before);
}

static void test_matrix(void **state)
{
    const struct digest digest = {{0xab}};

    (void)state;
    policy_open(&before, NULL);
    bytes_buffer_free(&text);
    text = bytes_buffer((size_t)1 << 20);
    assert_int_equal(matrix_write(before.protocol, &digest, PAPER_CSV, &text), STATUS_OK);
    written();
    says("\"adult\",\"recall.issued\",\"probation\",\"police (home force)\",\"name, dob, pnc_id, type, "
         "revoked_on\",\"breach: swift return of a person in breach (ST 5, ST 11, CC Chase)\",\"Offender "
         "Management "
         "Act 2007");
    says("sensitive: Data Protection Act 2018 s.35(5), Schedule 8 paragraph 1\",\"listed\",\"within 1 day; "
         "urgent: "
         "acknowledged within 2 hours, else the duty officer is told\",\"12 months\"\r\n");
    says("\"nobody: changes the register\"");
    bytes_buffer_clear(&text);
    assert_int_equal(matrix_write(before.protocol, &digest, PAPER_HTML, &text), STATUS_OK);
    written();
    says("<p>SHA-256 of the protocol file: ab00000000");
    says("<p class=\"sign\">For HM Prison Dovegate: name, position, signature, date</p>");
    says("Class drugs receives nothing.");
    says("<td>resettle_rehabilitate</td><td>bcu_commander</td><td>police</td><td>1 month</td>");
    says("<td>victim_contact</td><td>3 months</td><td>v1</td><td>police</td>");
    says("<td>Criminal Justice Act 2003 s.325 (CC 28, CC 61)</td>");
    says("<td>status-query</td><td>a question</td><td>status may be asked for, and nothing else</td>");
    says("<td>danger-to-staff (CC 6)</td><td>police</td><td>duty_officer, duty_inspector</td>");
    says("May a recipient pass on what it was told: never.");
    says("ends at the latest 6 months after the removal");
    says("none from 1 to 4, go to: government");
    says("<td>whoever was told what it corrects</td>");
    bytes_buffer_free(&text);
    policy_close(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_catalogue), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_one_change),      cmocka_unit_test(test_party_goes),
        cmocka_unit_test(test_new_party),       cmocka_unit_test(test_flows),
        cmocka_unit_test(test_matrix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
