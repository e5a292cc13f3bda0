#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "audit/explanation.h"

/* One entry in sentences, from objects as the broker tells them. */

static char page[16384];

/* Returns whether what was disclosed is what the protocol allows. */
static bool explain(const char *const *objects)
{
    struct explanation *explanation = NULL;
    struct table_page *out = NULL;
    FILE *file = fmemopen(page, sizeof page, "w");
    bool agrees = false;

    assert_int_equal(explanation_new(&explanation), STATUS_OK);
    for (; *objects != NULL; objects++) {
        json_t *object = json_loads(*objects, 0, NULL);
        assert_non_null(object);
        assert_int_equal(explanation_take(explanation, object), STATUS_OK);
        json_decref(object);
    }
    assert_int_equal(table_begin(TABLE_AS_HTML, file, "explain", "x", &out), STATUS_OK);
    explanation_write(explanation, out, &agrees);
    table_end(&out);
    fclose(file);
    explanation_free(&explanation);
    return agrees;
}

static void assert_says(const char *part)
{
    if (strstr(page, part) == NULL)
        fail_msg("\"%s\" is not said in:\n%s", part, page);
}

static void assert_silent(const char *part)
{
    if (strstr(page, part) != NULL)
        fail_msg("\"%s\" is said in:\n%s", part, page);
}

#define DISCLOSED                                                                                            \
    "{\"entry\":{\"index\":3,\"kind\":\"disclosed\",\"time\":\"2026-12-01T08:30:00.000Z\",\"from\":\"a.a\"," \
    "\"to\":\"b.b\",\"subject\":\"1-00\",\"labels\":[\"name\",\"dob\"],\"type\":\"t\",\"purpose\":\"p\","    \
    "\"officer\":\"unix:7\",\"event\":\"e\",\"flags\":[\"late\"],\"grounds\":[1,2],\"protocol\":\"ab\"}}"
#define CHECK(differences)                                                                                   \
    "{\"check\":{\"version\":4,\"serial\":9,\"protocol\":\"q\",\"digest\":\"ab\",\"accepted\":true,"         \
    "\"replayed\":true,\"decision\":\"goes to "                                                              \
    "b.b.\",\"recipients\":[{\"to\":\"c.c\",\"because\":[\"wrong\"]},"                                       \
    "{\"to\":\"b.b\",\"because\":[\"Rule: r.\",\"Kept for ever.\"]}],\"differences\":[" differences "]}}"
#define ROW(kind, from, to, more)                                                                            \
    "{\"row\":{\"index\":8,\"kind\":\"" kind "\",\"from\":" from ",\"to\":" to more "}}"

static void a_disclosure_is_told_with_its_reasons_and_its_fate(void **state)
{
    (void)state;
    static const char *const objects[] = {
        DISCLOSED,
        CHECK(""),
        ROW("disclosed", "\"a.a\"", "\"c.c\"", ",\"labels\":[\"crn\"]"),
        ROW("delivered", "\"b.b\"", "null", ",\"entries\":[3]"),
        ROW("opened", "\"b.b\"", "\"a.a\"", ",\"outcome\":\"acknowledged\",\"officer\":\"unix:9\""),
        ROW("opened", "\"c.c\"", "\"a.a\"", ",\"officer\":\"unix:5\""),
        NULL};

    assert_true(explain(objects));
    assert_says("2026-12-01 08:30:00Z: a.a told b.b about the person 1-00: name, dob.");
    assert_says("It was the event t, to p. Acting officer: unix:7. It was sent after its deadline.");
    assert_says("version 4 of the protocol q, in bundle 9, the file whose digest stands in the entry.");
    assert_says("<p>Rule: r.</p>\n<p>Kept for ever.</p>");
    assert_says("these entries put into the register: 1, 2.");
    assert_says("exactly those whom the log names");
    assert_says("c.c was told: crn");
    assert_says("b.b confirmed with a signed receipt that it arrived");
    assert_says("unix:9 at b.b: acknowledged");
    assert_silent("wrong");
    assert_silent("unix:5"); /* happened to somebody else's */
}

static void a_difference_is_no_agreement(void **state)
{
    (void)state;
    static const char *const objects[] = {DISCLOSED, CHECK("\"b.b was given the item crn\""), NULL};

    assert_false(explain(objects));
    assert_says("NOT what that version allows.");
    assert_says("<p>b.b was given the item crn</p>");
    assert_says("nothing: no receipt for it is in the log yet");
}

static void a_refusal_and_an_erased_entry_are_told(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "{\"entry\":{\"kind\":\"refused\",\"from\":\"a.a\",\"to\":null,\"type\":\"t\",\"subject\":\"1-00\","
        "\"reason\":\"Because.\",\"event\":\"e\"}}",
        NULL};
    static const char *const erased[] = {
        "{\"entry\":{\"kind\":\"disclosed\",\"from\":\"a.a\",\"to\":\"b.b\",\"flags\":[\"erased\"]}}", NULL};

    assert_true(explain(refused));
    assert_says("t of a.a about the person 1-00 was refused. Nothing of it was passed on.");
    assert_says("Why: Because.");
    assert_true(explain(erased));
    assert_says("about the person (erased since): nothing but that it happened.");
    assert_says("cannot be decided again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disclosure_is_told_with_its_reasons_and_its_fate),
        cmocka_unit_test(a_difference_is_no_agreement),
        cmocka_unit_test(a_refusal_and_an_erased_entry_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
