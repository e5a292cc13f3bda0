#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "tests/support/policy.h"

/* One mistake a row: each is told once, where it is, with what to do. */

#define FILE_NAME "staffordshire-ppo.yaml"

static void check_all(const struct policy_mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        policy_check_mistake(FILE_NAME, &mistakes[i]);
}

#define CHECK(mistakes) check_all(mistakes, sizeof mistakes / sizeof mistakes[0])

static void test_head(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"protocol: staff", "@@protokoll: staff", "protokoll"},
        {"protocol: staffordshire-ppo", "protocol: @@Staffordshire PPO", "no name"},
        {"version: 2\n", "version: @@0\n", "version"},
        {"title: Staff", "@@titel: Staff", "titel"},
        {"signatories: [Staffordshire Police, National Probation Service Staffordshire, HM Prison Dovegate, "
         "HM "
         "Prison Stafford, Stoke-on-Trent Drug Action Team]",
         "signatories: @@[]", "signatories"},
        {"impact_assessment: {reference: DPIA-2026-014, date: \"2026-03-02\"}",
         "impact_assessment: {reference: DPIA-2026-014, date: @@\"2026-02-30\"}", "date"},
        {"impact_assessment: {reference: DPIA-2026-014, date: \"2026-03-02\"}",
         "impact_assessment: @@{reference: DPIA-2026-014}", "date"},
        {"until: \"2027-09-30\"", "until: @@\"2026-03-31\"", "ends before it begins"},
        {"review: \"2027-03-31\"", "review: @@\"2027-10-01\"", "outside the protocol's period"},
        {"on_expiry: refuse", "on_expiry: @@allow", "refuse"},
        {"review_grace: P28D", "review_grace: @@four weeks", "review_grace"},
        {"juvenile_until: P18Y", "juvenile_until: @@P0D", "no length"},
        {"  juvenile_until: P18Y", "  juvenile_until: P18Y\n  @@retention: P1Y", "retention"},
    };

    (void)state;
    CHECK(mistakes);
}

/* What must be there is missed at the beginning of the file. */
static void test_mandatory(void **state)
{
    static const struct {
        const char *from;
        const char *key;
    } rows[] = {
        {"owner: Staffordshire Responsible Authorities Group\n", "'owner'"},
        {"impact_assessment: {reference: DPIA-2026-014, date: \"2026-03-02\"}\n", "'impact_assessment'"},
        {"policy_document: {reference: APD-2026-003, date: \"2026-03-02\"}\n", "'policy_document'"},
        {"in_force: {from: \"2026-04-01\", until: \"2027-09-30\"}\n", "'in_force'"},
        {"review: \"2027-03-31\"\n", "'review'"},
        {"on_expiry: refuse\n", "'on_expiry'"},
        {"areas: [stoke, stafford, tamworth]\n", "'areas'"},
    };
    static struct yaml_errors errors;
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct catalogue *catalogue = NULL;

    (void)state;
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct policy_edit edits[] = {{rows[i].from, ""}, {NULL, NULL}};
        struct byte_buffer text = policy_file(FILE_NAME, edits);
        struct protocol *protocol = NULL;

        memset(&errors, 0, sizeof errors);
        assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol),
                         STATUS_BAD_FORMAT);
        assert_true(errors.count >= 1);
        assert_non_null(strstr(errors.list[0].text, rows[i].key));
        bytes_buffer_free(&text);
    }
    catalogue_free(&catalogue);
    bytes_buffer_free(&good);
}

static void test_who(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"  police: {regime: law_enforcement, bodies: [police_force,",
         "  police: {regime: law_enforcement, bodies: [@@police_farce,", "no body"},
        {"  prison: {regime: law_enforcement,", "  prison: {regime: @@martial,", "regime"},
        {"areas: [stoke, stafford, tamworth]\n\n#", "areas: [stoke, stafford, @@stoke]\n\n#", "twice"},
        {"drugs.stoke: {areas: [stoke],", "drugs.stoke: {areas: [@@derby],", "no area"},
        {"pathways: [drugs_alcohol]", "pathways: [@@gardening]", "no code"},
        {"  prison.dovegate:", "  @@Prison.Dovegate:", "no member id"},
        {"  prison.dovegate:", "  @@gaol.dovegate:", "class of 'gaol.dovegate'"},
        {"establishments: [DGI]", "establishments: [@@XYZ9]", "no code of a prison"},
        {"establishments: [SFI]", "establishments: [@@DGI]", "another party speaks for 'DGI'"},
        {"{force: \"21\",", "{force: @@\"99\",", "no code of a police force"},
        {"probation.staffordshire: {areas", "probation.staffordshire: {force: @@\"21\", areas",
         "another party is"},
        {"prison.stafford: {establishments: [SFI]}", "prison.stafford: {@@prisons: [SFI]}", "prisons"},
        {"  prevent_deter: {authority: head_of_yos, class: yot}",
         "  prevent_deter: {authority: @@head_of_police, class: yot}", "no code"},
        {"  prevent_deter: {authority: head_of_yos, class: yot}",
         "  prevent_deter: {authority: head_of_yos, class: @@yos}", "no class"},
        {"  prevent_deter: {authority", "  @@prevent: {authority", "no code"},
        {"  keyworker: [drugs,", "  @@helper: [drugs,", "no code"},
        {"  unknown_age: juvenile", "  unknown_age: @@adult", "unknown_age"},
        {"  approval: {authority: head_of_yos, class: yot}",
         "  approval: {authority: @@head_of_school, class: yot}", "no code"},
        {"  approval: {authority: head_of_yos, class: yot}", "  approval: @@{authority: head_of_yos}",
         "'class'"},
        {"  strands: [prevent_deter, catch_convict]", "  strands: [prevent_deter, @@catch]", "no strand"},
        {"  mappa:\n", "  @@mapper:\n", "no code"},
        {"    to: the MAPPA", "    @@towards: the MAPPA", "towards"},
        {"  onward: never", "  onward: @@freely", "onward"},
        {"  retention_ends: [erasure, retraction, withdrawal]", "  retention_ends: @@[erasure, withdrawal]",
         "name both"},
        {"    reason: intelligence stays", "    @@reasons: intelligence stays", "reasons"},
        {"    events: [intelligence.recorded]", "    events: [@@intelligence.bought]", "no event type"},
        {"    items: [missed_on, outcome, decline_reason]", "    items: @@[missed_on, outcome, crn, asn]",
         "none of these event types carries 'asn'"},
        {"  deny: [drugs]", "  deny: [@@drug]", "no class"},
        {"probation: {class: yot, crossing", "probation: @@{class: drugs, crossing", "under 'deny'"},
        {"probation: {class: yot, crossing", "probation: @@{class: probation, crossing", "own place"},
    };

    (void)state;
    CHECK(mistakes);
}

static void test_law(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"    to: [secretary_of_state, probation]", "    to: [@@secretary, probation]", "no body"},
        {"    items: [drug_test_result]\n    reserved", "    items: [@@drug_test]\n    reserved", "no item"},
        {"    items: [drug_test_result]\n    reserved: yes", "    reserved: @@yes", "must name them"},
        {"    law: Data Protection Act 2018 s.36(4)\n    basis: UK GDPR Article 6(1)(e)\n    from: "
         "law_enforcement\n"
         "    to: general\n",
         "    @@law: Data Protection Act 2018 s.36(4)\n    basis: UK GDPR Article 6(1)(e)\n    from: "
         "general\n"
         "    to: general\n",
         "nothing is crossed"},
        {"  throughcare: {longest: P12M", "  throughcare: {longest: @@forever", "longest"},
        {"  throughcare: {longest: P12M, forms", "  throughcare: @@{forms", "longest"},
        {"  throughcare: {longest: P12M, forms: [\"1\", \"2\", \"3\"],", "  throughcare: @@{longest: P12M,",
         "'forms' is missing"},
        {"forms: [\"1\", \"2\", \"3\"], recorded_by: [probation, drugs]}\n  share_with_probation",
         "forms: [\"1\"], recorded_by: [@@nobody]}\n  share_with_probation", "no class"},
        {"  throughcare: {longest: P12M", "  @@aftercare: {longest: P12M", "no code"},
    };

    (void)state;
    CHECK(mistakes);
}

static void test_rules(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"    paragraph: [CC 37, ST 3, ST 30]\n", "    paragraph: @@[]\n", "paragraph"},
        {"    paragraph: [CC 39]\n", "    paragraph: @@CC 39\n", "paragraph"},
        {"  list-change:", "  @@list change:", "no name"},
        {"  record-case:\n", "  @@arrest:\n", "another rule"},
        {"    from: prison\n    events: [release.planned,",
         "    from: @@prisons\n    events: [release.planned,", "no class"},
        {"    events: [arrest.made]", "    events: [@@arrest.mad]", "no event type"},
        {"    events: [arrest.made]", "    events: [arrest.made, @@arrest.made]", "twice"},
        {"    events: [arrest.made]\n", "    events: [arrest.made]\n    @@recipient: police\n", "recipient"},
        {"    deadline: {within: PT4H}\n", "    deadline: {within: @@4 hours}\n", "within"},
        {"    deadline: {before: release_date, at_least: P14D, otherwise: P1D}",
         "    deadline: @@{before: release_date, at_least: P14D}", "add 'otherwise'"},
        {"    deadline: {before: release_date,", "    deadline: {before: @@date_type,",
         "no item of kind date"},
        {"    deadline: {within: PT4H}\n    late: send and flag\n", "    late: @@send and flag\n",
         "without a deadline"},
        {"    urgent: {acknowledge: PT2H, then: duty officer}",
         "    urgent: {acknowledge: PT2H, then: @@anybody}", "then"},
        {"strands: [catch_convict, resettle_rehabilitate]", "strands: [catch_convict, @@resettle]",
         "no strand"},
        {"      treatment.accepted: [treatment.referred]", "      @@treatment.started: [treatment.referred]",
         "not about treatment.started"},
        {"      treatment.accepted: [treatment.referred]", "      treatment.accepted: [@@treatment.refered]",
         "no event type"},
        {"    events: [ppo.reviewed]", "    events: @@[oasys.completed]", "changes nothing in the register"},
        {"    from: [police, yot]\n    events: [ppo.reviewed]",
         "    from: [police, yot]\n    events: @@[ppo.added, ppo.reviewed]",
         "add 'needs: listing authority'"},
        {"    from: [police, yot]\n    events: [ppo.reviewed]\n    purpose: keep the list reviewed\n    "
         "needs: "
         "listed",
         "    from: prison\n    events: @@[release.confirmed]\n    purpose: keep the list reviewed\n    "
         "needs: listed",
         "a record or correction stands alone"},
        {"    events: [event.corrected, event.retracted, event.erased]",
         "    events: @@[event.corrected, arrest.made]", "arrest.made corrects nothing"},
        {"    events: [arrest.made]", "    events: @@[event.retracted]",
         "only 'corrections' can say who sends it"},
    };

    (void)state;
    CHECK(mistakes);
}

static void test_grants(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"        relation: home force\n        gateway: oma_14_out\n        items: [name, dob, pnc_id]",
         "        relation: @@nearest force\n        gateway: oma_14_out\n        items: [name, dob, pnc_id]",
         "relation"},
        {"        relation: offender manager\n        gateway: oma_14_out",
         "        relation: offender manager\n        gateway: @@oma_14", "no gateway"},
        {"        relation: offender manager\n        gateway: oma_14_out",
         "        relation: offender manager\n        gateway: oma_14_in\n        crossing: @@s36_4",
         "nothing here"},
        {"        relation: all in area\n        gateway: oma_14_in\n        items: [name, dob, pnc_id, "
         "prison_no, "
         "authority]",
         "        relation: all in area\n        gateway: @@oma_14_out\n        items: [name, dob, pnc_id, "
         "prison_no, "
         "authority]",
         "does not run from police to probation"},
        {"      - class: drugs\n        relation: all in area\n        gateway: cda_115\n        crossing: "
         "s36_4\n"
         "        items: [name, dob]",
         "      - @@class: drugs\n        relation: all in area\n        gateway: cda_115\n        items: "
         "[name, dob]",
         "add a 'crossing'"},
        {"        consent: throughcare\n        items: [name, dob]\n",
         "        consent: @@aftercare\n        items: [name, dob]\n", "no consent"},
        {"        items: [name, dob, pnc_id, prison_no]", "        items: [name, dob, @@postcode]",
         "no item"},
        {"        items: [name, dob, pnc_id, prison_no]", "        items: [name, dob, @@name]", "twice"},
        {"        items: [name, dob, arrested_at,", "        items: @@[name, selector, dob, arrested_at,",
         "does not carry 'selector'"},
        {"        items: [name, dob, arrested_at,", "        items: @@[name, held, dob, arrested_at,",
         "does not carry 'held'"},
        {"        items_of: {ppo.added: [strand]}", "        items_of: {ppo.added: @@[strand, name]}",
         "stands under 'items' already"},
        {"        items_of: {ppo.added: [strand]}", "        items_of: {@@ppo.moved: [to_area]}",
         "no event type that"},
        {"        items_of: {ppo.added: [strand]}", "        items_of: {ppo.removed: @@[strand]}",
         "does not carry 'strand'"},
        {"        condition: administration_of_justice\n", "        condition: @@common_sense\n",
         "no condition"},
        {"      - class: probation\n        relation: offender manager\n        gateway: oma_14_in\n"
         "        condition: administration_of_justice\n",
         "      - @@class: probation\n        relation: offender manager\n        gateway: oma_14_in\n",
         "'offence_class' is sensitive"},
        {"        consent: throughcare\n        condition: health_or_social_care\n        items: [name, dob, "
         "station]",
         "        consent: throughcare\n        condition: health_or_social_care\n        items: @@[name, "
         "dob, "
         "drug_test_result]",
         "only the gateway 'pace_63b'"},
        {"        also: {pace_63b: [drug_test_result]}", "        also: {@@pace_64: [drug_test_result]}",
         "no gateway"},
        {"        also: {pace_63b: [drug_test_result]}",
         "        also: @@{pace_63b: [drug_test_result], oma_14_in: [asn]}", "does not run"},
        {"        items: [appointment]\n      - class: any\n        except: [prison]",
         "        items: [appointment]\n      - class: police\n        except: @@[prison]",
         "'class: any' only"},
        {"        of: [treatment.referred]", "        of: [@@treatment.started]",
         "no event type of this rule"},
        {"        relation: all in area\n        gateway: cda_115\n        crossing: s36_4\n        consent: "
         "referral",
         "        relation: @@provider of the pathway\n        gateway: cda_115\n        crossing: s36_4\n"
         "        consent: referral",
         "no attribute 'pathway'"},
        {"        relation: home force\n        gateway: cda_115",
         "        relation: @@referrer\n        gateway: cda_115", "only the answer"},
        {"        when: {action: [court]}\n", "        when: {@@kind: [court]}\n", "no attribute 'kind'"},
        {"        when: {action: [court]}\n", "        when: {action: [@@tribunal]}\n", "no code of that"},
        {"        when: {action: [court]}\n", "        when: @@{action: [court], held: [x]}\n",
         "exactly one"},
        {"        adults_only: yes\n", "        adults_only: @@maybe\n", "adults_only"},
        {"        items: [name, attending]", "        items: [name, attending]\n        @@recipients: all",
         "recipients"},
        {"        consent: throughcare\n        items: [name, dob]\n",
         "        consent: throughcare\n        condition: @@statutory_purposes\n        items: [name, "
         "dob]\n",
         "nothing sensitive"},
    };

    (void)state;
    CHECK(mistakes);
}

/* Loads with an edit that is wrong in several ways; the number of errors, and whether each of them says it.
 */
static void check_errors(const char *from, const char *to, size_t count, const char *says)
{
    static struct yaml_errors errors;
    struct policy_edit edits[] = {{from, to}, {NULL, NULL}};
    struct byte_buffer text = policy_file(FILE_NAME, edits);
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    memset(&errors, 0, sizeof errors);
    catalogue_load(bytes_buffer_view(&good), &errors, &catalogue);
    assert_int_not_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol), STATUS_OK);
    assert_int_equal(errors.count, count);
    for (size_t i = 0; i < count; i++)
        assert_non_null(strstr(errors.list[i].text, says));
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    bytes_buffer_free(&good);
}

static void test_several_errors(void **state)
{
    (void)state;
    check_errors("    needs: listing authority         # as `strands` says who", "    needs: listed", 2,
                 "add 'needs: listing authority'");
    check_errors("        items: [name, attending]",
                 "        required: [dob]\n        items: [name, attending]", 3, "required");
    check_errors("        also: {pace_63b: [drug_test_result]}", "        also: {pace_63b: [asn_no]}", 1,
                 "no item");
}

/* Two rules may not give one class the same event: a section names one rule. */
static void test_one_rule_for_a_section(void **state)
{
    static const char extra[] =
        "  arrest-too:\n    paragraph: [CC 27]\n    from: police\n    events: [arrest.made]\n    purpose: "
        "%s\n"
        "    needs: nothing\n    retention: P1M\n    to:\n      - class: %s\n        relation: %s\n        "
        "gateway: %s\n%s"
        "        items: [name]\n\n  breach:\n";
    char text[1024];

    (void)state;
    snprintf(text, sizeof text, extra, "act at once on the arrest of a person on the scheme", "probation",
             "every party", "oma_14_in", "");
    check_errors("  breach:\n", text, 1, "'arrest' gives arrest.made to probation already");
    snprintf(text, sizeof text, extra, "act at once on the arrest of a person on the scheme", "yot",
             "every party", "cda_115", "        crossing: s36_4\n");
    check_errors("  breach:\n", text, 1, "'arrest' gives arrest.made to probation already");
    snprintf(text, sizeof text, extra, "gossip", "prison", "every party", "oma_14_in", "");
    check_errors("  breach:\n", text, 1, "another purpose");
}

static void test_accepts_a_second_rule(void **state)
{
    static const struct policy_edit edits[] = {
        {"  breach:\n",
         "  arrest-too:\n    paragraph: [CC 27]\n    from: police\n    events: [arrest.made]\n"
         "    purpose: act at once on the arrest of a person on the scheme\n    needs: nothing\n    "
         "retention: P1M\n    to:\n"
         "      - class: prison\n        relation: every party\n        gateway: oma_14_in\n        items: "
         "[name]\n\n"
         "  breach:\n"},
        {NULL, NULL},
    };
    static struct policy_world world;

    (void)state;
    policy_open(&world, edits);
    policy_list(&world);
    policy_ask(&world, "police.staffordshire", "arrest.made", "juvenile=no", "name");
    assert_string_equal(policy_answer(&world), "prison.dovegate arrest-too oma_14_in: name\n"
                                               "prison.stafford arrest-too oma_14_in: name\n"
                                               "probation.staffordshire arrest oma_14_in: name\n"
                                               "! no-consent drugs.stoke: throughcare\n");
    policy_close(&world);
}

static void test_reach_is_bounded(void **state)
{
    struct byte_buffer parties = bytes_buffer(65536);

    (void)state;
    bytes_append_string(&parties, "parties:\n");
    for (unsigned i = 0; i < 70; i++)
        bytes_append_format(&parties, "  prison.p%u: {}\n", i);
    bytes_append_u8(&parties, 0);
    check_errors("parties:\n", (const char *)parties.data, 2, "at most 64 recipients");
    bytes_buffer_free(&parties);
}

static void test_one_offender_manager(void **state)
{
    (void)state;
    check_errors("parties:\n", "parties:\n  probation.derbyshire: {areas: [stoke, tamworth]}\n", 2,
                 "more than one party of class probation serves the area");
}

static void test_hostile_text(void **state)
{
    (void)state;
    check_errors("on_expiry: refuse", "on_expiry: refuse\non_expiry: refuse", 1, "");
    check_errors("on_expiry: refuse", "on_expiry: &x refuse", 1, "");
    check_errors("on_expiry: refuse", "on_expiry: !!str refuse", 1, "");
    check_errors("on_expiry: refuse", "on_expiry: {a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", 1, "");
    check_errors("on_expiry: refuse", "on_expiry:\trefuse\n\tx: y", 1, "");
}

static void test_model(void **state)
{
    static struct policy_world world;
    const struct protocol *protocol;

    (void)state;
    policy_open(&world, NULL);
    protocol = world.protocol;
    assert_string_equal(protocol->id, "staffordshire-ppo");
    assert_int_equal(protocol->party_count, 18);
    assert_string_equal(protocol->parties[3].id, "drugs.stoke");
    assert_string_equal(protocol->parties[12].id, "probation.staffordshire");
    assert_int_equal(protocol_find_establishment(protocol, bytes_of_string("SFI")), 11);
    assert_int_equal(protocol_find_establishment(protocol, bytes_of_string("FHI")), PROTOCOL_NONE);
    assert_int_equal(protocol->force_party[21], 9);
    assert_int_equal(protocol->force_party[30], PROTOCOL_NONE);
    assert_true(protocol_in_force(protocol, protocol->in_force_from));
    assert_false(protocol_in_force(protocol, protocol->in_force_from - 1));
    assert_true(protocol_in_force(protocol, protocol->in_force_until - 1));
    assert_false(protocol_in_force(protocol, protocol->in_force_until));
    assert_int_equal(civil_day_of(protocol->in_force_until - 1), civil_date(2027, 9, 30));
    policy_close(&world);
    policy_close(&world); /* twice is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_mandatory),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_law),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_several_errors),
        cmocka_unit_test(test_one_rule_for_a_section),
        cmocka_unit_test(test_accepts_a_second_rule),
        cmocka_unit_test(test_reach_is_bounded),
        cmocka_unit_test(test_one_offender_manager),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
