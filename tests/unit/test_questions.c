#include "tests/support/support.h"

#include <string.h>

#include "tests/support/policy.h"

/* Questions for named items, and answers that tell no more than was asked and granted. */

#define FILE_NAME "staffordshire-ppo.yaml"
#define FORCE     "police.staffordshire"
#define OFFICE    "probation.staffordshire"

static struct policy_world world;

static void expect(const char *from, const char *event, const char *attributes, const char *held,
                   const char *expected)
{
    policy_ask(&world, from, event, attributes, held);
    assert_string_equal(policy_answer(&world), expected);
}

static void test_mistakes(void **state)
{
    static const struct policy_mistake mistakes[] = {
        {"    may_ask: [status]", "    may_ask: [@@rumours]", "no item"},
        {"    events: [case.queried]\n    purpose: ask police for the status of a person before sentence\n"
         "    needs: listed\n    may_ask: [status]\n",
         "    events: @@[case.queried]\n    purpose: ask police for the status of a person before sentence\n"
         "    needs: listed\n",
         "may_ask"},
        {"    deadline: {within: PT4H}\n    late: send and flag\n    retention: P12M\n",
         "    may_ask: @@[status]\n    deadline: {within: PT4H}\n    late: send and flag\n    retention: "
         "P12M\n",
         "nothing is asked"},
        {"      - class: probation\n        relation: offender manager\n        gateway: oma_14_in\n"
         "        items: [name, dob, pnc_id, asked_items]",
         "      - @@class: probation\n        relation: offender manager\n        gateway: oma_14_in\n"
         "        items: [name, dob, pnc_id]",
         "must see what is asked"},
        {"  case-query:\n    paragraph: [ST 17]\n    from: police\n    events: [case.queried]\n    purpose: "
         "ask "
         "probation for single items about a person on the scheme\n    needs: listed\n    may_ask: [status,",
         "  @@case-query:\n    paragraph: [ST 17]\n    from: police\n    events: [case.queried]\n    "
         "purpose: ask "
         "probation for single items about a person on the scheme\n    needs: listed\n    may_ask: [address, "
         "status,",
         "answer case.queried with 'address'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        policy_check_mistake(FILE_NAME, &mistakes[i]);
}

static void test_question(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    expect(FORCE, "case.queried", "asked_items=band,status juvenile=no", "name",
           OFFICE " case-query oma_14_in: name asked_items\n");
    expect(FORCE, "case.queried", "juvenile=no", "name", "! asks-nothing\n");
    expect(FORCE, "case.queried", "asked_items=address,band juvenile=no", "name", "! may-not-ask: address\n");
    expect(OFFICE, "case.queried", "asked_items=status juvenile=no", "name",
           FORCE " status-query oma_14_out: name asked_items\n");
    expect(OFFICE, "case.queried", "asked_items=band juvenile=no", "name", "! may-not-ask: band\n");
    expect("drugs.stoke", "case.queried", "asked_items=status juvenile=no", "name", "! not-yours-to-send\n");
    policy_close(&world);
}

static void ask_before(const char *from, const char *asked)
{
    struct policy_request question;

    policy_ask(&world, from, "case.queried", asked, "name");
    question = world.request;
    world.facts.correlated_from = bytes_of_string(from);
    world.facts.correlated_event = question.event;
    world.facts.correlated_same_subject = true;
    world.facts.correlated_disclosed_to_sender = true;
    world.facts.correlated_asks = true;
    world.facts.correlated_asked = question.asked;
}

static void answer(const char *from, const char *event, const char *held, const char *expected)
{
    policy_ask(&world, from, event, "juvenile=no", held);
    world.request.correlated = true;
    assert_string_equal(policy_answer(&world), expected);
}

/* Asked, granted and held: all three. */
static void test_answer(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    ask_before(FORCE, "asked_items=band,status juvenile=no");
    answer(OFFICE, "case.answered", "band,next_date,status", FORCE " case-answer oma_14_out: status band\n");
    answer(OFFICE, "case.answered", "band,name,next_date", FORCE " case-answer oma_14_out: band\n");
    /* What was not asked is no answer, and that nothing is told is a message too. */
    answer(OFFICE, "case.answered", "next_date", FORCE " case-answer oma_14_out:\n");
    answer(OFFICE, "case.declined", NULL, FORCE " case-answer oma_14_out:\n");
    /* What was asked and the rule does not grant. */
    ask_before(OFFICE, "asked_items=status juvenile=no");
    world.facts.correlated_asked = (struct label_set){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    answer(FORCE, "case.answered", "band,status", OFFICE " status-answer oma_14_in: status\n");
    policy_close(&world);
}

static void test_unasked(void **state)
{
    (void)state;
    policy_open(&world, NULL);
    policy_list(&world);
    answer(OFFICE, "case.answered", "band", "! answers-nothing\n");
    ask_before(FORCE, "asked_items=band juvenile=no");
    world.facts.correlated_disclosed_to_sender = false;
    answer(OFFICE, "case.answered", "band", "! answers-nothing\n");
    world.facts.correlated_disclosed_to_sender = true;
    world.facts.correlated_same_subject = false;
    answer(OFFICE, "case.answered", "band", "! answers-nothing\n");
    policy_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
