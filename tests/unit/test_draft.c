#include "tests/support/support.h"

#include <string.h>

#include "policy/draft.h"
#include "policy/flows.h"
#include "tests/support/policy.h"

static struct policy_world world;
static struct byte_buffer text;

typedef enum status (*write_draft)(const struct protocol *protocol, const struct digest *digest,
                                   enum paper_form form, struct byte_buffer *ret);

static void make(write_draft write, enum paper_form form, const struct policy_edit *edits)
{
    const struct digest digest = {{0xcd}};

    bytes_buffer_free(&text);
    text = bytes_buffer((size_t)4 << 20);
    policy_open(&world, edits);
    assert_int_equal(write(world.protocol, &digest, form, &text), STATUS_OK);
    policy_close(&world);
    bytes_append_u8(&text, 0);
    assert_int_equal(text.status, STATUS_OK);
}

static bool has(const char *part)
{
    return strstr((const char *)text.data, part) != NULL;
}

static void says(const char *part)
{
    if (!has(part))
        fail_msg("'%s' is not in:\n%s", part, (const char *)text.data);
}

static void test_ropa(void **state)
{
    (void)state;
    make(draft_ropa, PAPER_HTML, NULL);
    says("<h1>Record of processing activities: Staffordshire and Stoke-on-Trent PPO scheme</h1>");
    says("SHA-256 of the file: cd0000");
    says("<tr><td>breach</td><td>swift return of a person in breach (ST 5, ST 11, CC Chase)</td>");
    says("Police and Criminal Evidence Act 1984 s.63B(7)");
    says("<tr><td>drug_test_result</td><td>sensitive</td><td>drugs</td><td>arrest</td></tr>");
    says("<tr><td>police.staffordshire</td><td>police</td><td>DPA 2018 Part 3</td></tr>");
    says("<tr><td>throughcare</td><td>12 months</td><td>1, 2, 3</td><td>probation, drugs</td></tr>");
    says("<tr><td>throughcare</td><td>drugs</td>");
    says("May a recipient pass on what it was told: never.");
    says("<td>mappa</td>");
    says("<td>status-query</td><td>a question</td><td>status may be asked for");
    says("<td>duty_officer, duty_inspector</td><td>imminent_harm</td><td>at most 3 times</td>");
    says("none from 1 to 4, go to: government");
    says("<td>whoever was told what it corrects</td>");
    says("To be filled in: the processor that runs the broker");
    says("Somebody is a juvenile until 18 years.");
}

static void test_dpia(void **state)
{
    (void)state;
    make(draft_dpia, PAPER_TEXT, NULL);
    says("Data protection impact assessment: Staffordshire");
    says("8. Risks");
    says("For HM Prison Dovegate: name, position, signature, date");
    assert_false(has("\nname  ")); /* sensitive items only */
    says("\nofficer_risk");
}

/* Facts come from the file. */
static void test_facts(void **state)
{
    static const struct policy_edit edits[] = {{"    retention: P12M\n", "    retention: P36M\n"},
                                               {"review_grace: P28D", "review_grace: P3D"},
                                               {NULL, NULL}};

    (void)state;
    make(draft_dpia, PAPER_HTML, edits);
    says("Data is kept for too long: up to 3 years.");
    says("an entry counts for 3 days after its review date.");
}

static void test_periods(void **state)
{
    static const struct {
        const char *iso;
        const char *words;
    } rows[] = {{"P18Y", "18 years"}, {"P12M", "12 months"}, {"P1M", "1 month"}, {"P14D", "14 days"},
                {"P1D", "1 day"},     {"PT4H", "4 hours"},   {"PT15M", "PT15M"}, {"P1M1D", "P1M1D"},
                {"P2W", "14 days"},   {"PT36H", "36 hours"}, {"PT24H", "1 day"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct duration period;

        bytes_buffer_free(&text);
        text = bytes_buffer(256);
        assert_int_equal(civil_parse_duration(rows[i].iso, &period), STATUS_OK);
        flows_period(period, &text);
        bytes_append_u8(&text, 0);
        assert_string_equal((const char *)text.data, rows[i].words);
    }
    bytes_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ropa),
        cmocka_unit_test(test_dpia),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_periods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
