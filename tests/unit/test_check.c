#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "policy/check.h"
#include "policy/partners.h"
#include "tests/support/policy.h"

/* Warnings about a protocol that loads: one change of the shipped file a row, each told once, where it is. */

#define FILE_NAME "staffordshire-ppo.yaml"

static struct yaml_errors errors, warnings;
static struct catalogue *catalogue;
static struct protocol *protocol;
static struct byte_buffer text;

static void load(const struct policy_edit *edits)
{
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);

    memset(&errors, 0, sizeof errors);
    memset(&warnings, 0, sizeof warnings);
    text = policy_file(FILE_NAME, edits);
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    if (protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol) != STATUS_OK)
        fail_msg("%u:%u: %s", errors.list[0].line, errors.list[0].column, errors.list[0].text);
    bytes_buffer_free(&good);
}

static void unload(void)
{
    protocol_free(&protocol);
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
}

static void test_shipped_is_clean(void **state)
{
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);

    (void)state;
    load(NULL);
    assert_int_equal(check_protocol(protocol, bytes_buffer_view(&text), &warnings), STATUS_OK);
    assert_int_equal(check_catalogue(protocol, bytes_buffer_view(&good), &warnings), STATUS_OK);
    for (size_t i = 0; i < warnings.count; i++)
        print_message("%u: %s\n", warnings.list[i].line, warnings.list[i].text);
    assert_int_equal(warnings.count, 0);
    bytes_buffer_free(&good);
    unload();
}

struct row {
    const char *from;
    const char *to;
    const char *at; /* the first line with this is where it is told */
    const char *says;
};

static uint32_t line_of(const char *part)
{
    uint32_t line = 1;
    const char *start, *at;

    bytes_append_u8(&text, 0);
    start = (const char *)text.data;
    at = strstr(start, part);
    assert_non_null(at);
    for (const char *c = start; c < at; c++)
        line += *c == '\n';
    text.size--;
    return line;
}

static void check_row(const struct row *row)
{
    const struct policy_edit edits[] = {{row->from, row->to}, {NULL, NULL}};

    load(edits);
    assert_int_equal(check_protocol(protocol, bytes_buffer_view(&text), &warnings), STATUS_OK);
    for (size_t i = 0; i < warnings.count; i++) {
        if (warnings.list[i].line == line_of(row->at) && strstr(warnings.list[i].text, row->says) != NULL) {
            unload();
            return;
        }
    }
    for (size_t i = 0; i < warnings.count; i++)
        print_message("%u: %s\n", warnings.list[i].line, warnings.list[i].text);
    fail_msg("no warning at line %u: %s", line_of(row->at), row->says);
}

static void test_warnings(void **state)
{
    static const struct row rows[] = {
        /* classes without a party, and what follows from it */
        {"  tracker.national: {}\n", "", "  tracker: {regime", "no party is of this class"},
        {"  tracker.national: {}\n", "", "  list-tracking:", "the rule reaches nobody"},
        {"  recall.national: {}\n", "", "  recall-decision:", "the rule reaches nobody"},
        {"  recall.national: {}\n", "", "      - class: recall", "no party of the class fits"},
        {"  yot.staffordshire: {areas: [stoke, stafford, tamworth]}\n",
         "  yot.staffordshire: {areas: [stoke, stafford]}\n", "  prevent_deter: {authority",
         "nobody can be listed there"},
        /* relations that no party fits */
        {"  council.stoke: {areas: [stoke], pathways: [accommodation]}\n", "  council.stoke: {}\n",
         "      - class: council\n", "fits the relation"},
        /* denials against grants */
        {"    events: [intelligence.recorded]\n    to: any\n", "    events: [oasys.completed]\n    to: any\n",
         "  assessment:", "the rule reaches nobody"},
        {"    events: [treatment.missed, treatment.ended, appointment.missed, referral.declined]\n    to: "
         "[police]\n    items: [missed_on, outcome, decline_reason]",
         "    events: [treatment.missed]\n    to: [police]\n    items: [attending]",
         "        items: [name, attending]", "a denial takes 'attending' away from class police"},
        {"    events: [treatment.missed, treatment.ended, appointment.missed, referral.declined]\n    to: "
         "[police]\n    items: [missed_on, outcome, decline_reason]",
         "    events: [charge.made]\n    to: [cps]", "      - class: cps", "the denial 'treatment-failings'"},
        /* one item twice */
        {"        also: {pace_63b: [drug_test_result]}\n",
         "        also: {pace_63b: [drug_test_result]}\n      - class: drugs\n        relation: all in area\n"
         "        gateway: cda_115\n        crossing: s36_4\n        items: [station]\n",
         "      - class: drugs\n        relation: all in area\n        gateway: cda_115\n        crossing: "
         "s36_4\n"
         "        items: [station]",
         "gives 'station' to the same class already, under another consent"},
        /* clocks */
        {"    deadline: {within: PT24H}\n    late: send and flag\n    urgent: {acknowledge: PT2H",
         "    deadline: {within: PT24H}\n    late: send and flag\n    urgent: {acknowledge: P2D",
         "    urgent: {acknowledge: P2D", "due after the deadline"},
        {"    retention: P3M\n", "    retention: P1D\n", "    deadline: {within: P7D}", "deleted at once"},
        {"    on_change: supersede\n    retention: P12M\n", "    on_change: supersede\n    retention: P7D\n",
         "    retention: P7D", "before the day"},
        {"review_grace: P28D", "review_grace: P3M", "  review_grace: P3M", "stops nothing"},
        /* law to no purpose */
        {"  statutory_purposes:", "  vital_interests: DPA 2018 Schedule 8 paragraph 3\n  statutory_purposes:",
         "  vital_interests:", "leave it out of 'conditions'"},
        {"        consent: victim_contact\n", "        consent: referral\n", "  victim_contact: {longest",
         "leave it out of 'consents'"},
        {"  pace_37b:\n", "  spare:\n    law: none\n    from: any\n    to: any\n  pace_37b:\n",
         "  spare:", "leave it out of 'gateways'"},
        {"        crossing: breach_to_court\n", "        crossing: s115_to_part_3\n",
         "  breach_to_court:", "leave it out of 'crossings'"},
        {"    events: [consent.given, consent.withdrawn]", "    events: [consent.withdrawn]", "consents:\n",
         "nobody may record a consent"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

/* What the protocol leaves of the catalogue unsaid is told at the catalogue's line. */
static void test_catalogue(void **state)
{
    const struct policy_edit edits[] = {{"    events: [intelligence.recorded]\n    to: any\n",
                                         "    events: [release.temporary]\n    to: any\n"},
                                        {"    items: [crn, force, from_prison, legal, confidence]",
                                         "    items: [crn, force, from_prison, confidence]"},
                                        {NULL, NULL}};
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct byte_buffer protocol_text;

    (void)state;
    load(edits);
    assert_int_equal(check_catalogue(protocol, bytes_buffer_view(&good), &warnings), STATUS_OK);
    assert_int_equal(warnings.count, 2);
    protocol_text = text;
    text = good;
    assert_int_equal(warnings.list[0].line, line_of("  legal: {kind: code"));
    assert_non_null(strstr(warnings.list[0].text, "nobody may have this item"));
    assert_int_equal(warnings.list[1].line, line_of("  intelligence.recorded:"));
    assert_non_null(strstr(warnings.list[1].text, "nobody may send this"));
    bytes_buffer_free(&text);
    text = protocol_text;
    unload();
}

/* A small protocol beside a large catalogue: two sentences, not a hundred. */
static void test_much_of_the_catalogue(void **state)
{
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);

    (void)state;
    memset(&errors, 0, sizeof errors);
    memset(&warnings, 0, sizeof warnings);
    text = support_read_file(TEST_DATA "/night-watch.yaml");
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    assert_int_equal(protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol), STATUS_OK);
    assert_int_equal(check_catalogue(protocol, bytes_buffer_view(&good), &warnings), STATUS_OK);
    assert_int_equal(warnings.count, 2);
    assert_non_null(strstr(warnings.list[0].text, "nobody may have this item, nor "));
    assert_non_null(strstr(warnings.list[1].text, "nobody may send this, nor "));
    bytes_buffer_free(&good);
    unload();
}

/* partners */

static void compare(const char *from, const char *to)
{
    const struct policy_edit edits[] = {{from, to}, {NULL, NULL}};
    struct byte_buffer partners = policy_file("staffordshire-partners.yaml", from == NULL ? NULL : edits);

    load(NULL);
    (void)partners_check(bytes_buffer_view(&partners), protocol, &errors, &warnings);
    bytes_buffer_free(&partners);
    unload();
}

static void test_partners_contradict(void **state)
{
    (void)state;
    compare(NULL, NULL);
    assert_int_equal(errors.count, 0);
    assert_int_equal(warnings.count, 2);
    assert_non_null(strstr(warnings.list[0].text, "ST 3 makes police lead of 'catch_convict'"));
    assert_non_null(strstr(warnings.list[0].text, "does not tick it for 'Police'"));
    assert_non_null(strstr(warnings.list[1].text, "ST 3 makes yot lead of 'prevent_deter'"));
    /* Ticked, it is at peace. */
    compare("strands: [prevent_deter, resettle_rehabilitate]}\n    Primary",
            "strands: [prevent_deter, catch_convict, resettle_rehabilitate]}\n    Primary");
    assert_int_equal(warnings.count, 1);
    /* A lead that the protocol gives the list of to somebody else. */
    compare("catch_convict: {paragraph: [ST 3], class: police}",
            "catch_convict: {paragraph: [ST 3], class: cps}");
    assert_int_equal(warnings.count, 3);
    assert_non_null(strstr(warnings.list[0].text, "has no such agency"));
    assert_non_null(strstr(warnings.list[1].text, "gives the list to class police"));
}

static void test_partner_file_that_does_not_load(void **state)
{
    static const char *const rows[][3] = {
        {"partners_of: staffordshire-ppo", "partners_of: derbyshire", "not of the protocol"},
        {"classes: [police]", "classes: [polis]", "no class 'polis'"},
        {"strands: [prevent_deter]}\n    Connexions", "strands: [prevent]}\n    Connexions",
         "no strand 'prevent'"},
        {"  paragraph: [ST 13]\n", "", "'paragraph' is missing"},
        {"leads:\n", "lead:\n", "lead"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        compare(rows[i][0], rows[i][1]);
        assert_true(errors.count >= 1);
        if (strstr(errors.list[0].text, rows[i][2]) == NULL)
            fail_msg("%s: %s", rows[i][1], errors.list[0].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_is_clean),    cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_catalogue),           cmocka_unit_test(test_much_of_the_catalogue),
        cmocka_unit_test(test_partners_contradict), cmocka_unit_test(test_partner_file_that_does_not_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
