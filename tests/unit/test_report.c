#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/counts.h"
#include "audit/headcount.h"
#include "audit/report.h"
#include "audit/row.h"

/*
 * Reports over logs that are written down here, with figures that were worked out by hand.
 */

#define PERSON(digit) "1-000000000000000000000000000000000000000000000000000000000000000" digit

static char page[65536];

/* Does the broker answer a pass with this row? */
static bool answers(const struct report_pass *pass, const json_t *row, const struct report_options *options)
{
    bool fits = pass->kinds == NULL;

    for (size_t i = 0; pass->kinds != NULL && pass->kinds[i] != NULL; i++)
        fits = fits || row_is(row, "kind", pass->kinds[i]);
    if (fits && pass->flag != NULL)
        fits = row_flag(row, strcmp(pass->flag, "break_glass") == 0 ? "break-glass" : pass->flag);
    if (fits && options->member != NULL && pass->member != NULL)
        fits = row_is(row, pass->member, options->member);
    if (fits && options->subject != NULL)
        fits = row_is(row, "subject", options->subject);
    return fits;
}

/* Runs a report over rows of JSON, one a line, and leaves its page. Returns whether it found what must not
 * be. */
static bool make(const char *name, enum table_form form, const struct report_options *options,
                 const char *const *rows)
{
    const struct report *report = report_find(name);
    struct report_run run = {.options = options};
    FILE *out = fmemopen(page, sizeof page, "w");

    assert_non_null(report);
    assert_int_equal(table_begin(form, out, report->name, report->title, &run.page), STATUS_OK);
    assert_int_equal(report_begin(report, &run), STATUS_OK);
    for (const struct report_pass *pass = report->passes; pass->verb != NULL; pass++) {
        for (size_t i = 0; rows[i] != NULL; i++) {
            json_t *row = json_loads(rows[i], JSON_REJECT_DUPLICATES, NULL);
            assert_non_null(row);
            if (answers(pass, row, options))
                assert_int_equal(pass->row(&run, row), STATUS_OK);
            json_decref(row);
        }
        if (pass->end != NULL)
            assert_int_equal(pass->end(&run), STATUS_OK);
    }
    report_end(report, &run);
    table_end(&run.page);
    fclose(out);
    return run.found;
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

static const struct report_options plain = {.below = 5, .now = INT64_C(1796115600000)};

#define DISCLOSED(index, time, from, to, person, labels, flags)                                              \
    "{\"index\":" index ",\"time\":\"" time "\",\"kind\":\"disclosed\",\"from\":\"" from "\",\"to\":\"" to   \
    "\",\"type\":\"release.planned\",\"subject\":\"" PERSON(                                                 \
        person) "\",\"rule\":\"release-notice\","                                                            \
                "\"gateway\":\"oma\",\"purpose\":\"release\",\"labels\":[" labels "],\"flags\":[" flags "]," \
                "\"deadline\":\"2026-12-01T06:00:00.000Z\",\"event\":\"e" index "\",\"key\":\"aa\"}"

static const char *const four[] = {
    DISCLOSED("10", "2026-11-30T23:59:59.999Z", "prison.a", "police.b", "1", "\"name\",\"dob\"", ""),
    DISCLOSED("11", "2026-12-01T00:00:00.000Z", "prison.a", "probation.c", "1", "\"name\"", "\"juvenile\""),
    DISCLOSED("12", "2026-12-01T08:30:00.000Z", "prison.d", "police.b", "2", "\"name\"",
              "\"late\",\"juvenile\""),
    DISCLOSED("13", "2026-12-02T00:00:00.000Z", "prison.a", "police.b", "2", "\"dob\"", "\"late\""),
    "{\"index\":14,\"kind\":\"accepted\",\"from\":\"prison.a\",\"time\":\"2026-12-02T00:00:00.000Z\"}",
    "{\"index\":15,\"kind\":\"delivered\",\"from\":\"police.b\",\"entries\":[12,10]}",
    "{\"index\":16,\"kind\":\"delivered\",\"from\":\"probation.c\",\"entries\":[11]}",
    NULL};

static void disclosures_are_counted(void **state)
{
    (void)state;
    assert_false(make("disclosures", TABLE_AS_CSV, &plain, four));
    assert_string_equal(page,
                        "purpose,disclosures,late,juvenile\r\nrelease,4,2,2\r\n\r\n"
                        "from,to,disclosures,late,juvenile\r\nprison.a,police.b,2,1,0\r\n"
                        "prison.a,probation.c,1,0,1\r\nprison.d,police.b,1,1,1\r\n\r\n"
                        "item,to,disclosures,late,juvenile\r\ndob,police.b,2,1,0\r\nname,police.b,2,1,1\r\n"
                        "name,probation.c,1,0,1\r\n\r\n"
                        "gateway,rule,disclosures,late,juvenile\r\noma,release-notice,4,2,2\r\n\r\n"
                        "month,disclosures,late,juvenile\r\n2026-11,1,0,0\r\n2026-12,3,2,2\r\n");
    make("disclosures", TABLE_AS_TEXT, &plain, four);
    assert_says("4 disclosures of 5 items.");
}

static void what_was_late_is_listed(void **state)
{
    (void)state;
    make("late", TABLE_AS_CSV, &plain, four);
    assert_says("12,2026-12-01 08:30:00Z,2026-12-01 06:00:00Z,2,prison.d,police.b,release.planned,"
                "1-000000000000\r\n"
                "13,2026-12-02 00:00:00Z,2026-12-01 06:00:00Z,18,prison.a,");
    assert_says("from,rule,late\r\nprison.a,release-notice,1\r\nprison.d,release-notice,1\r\n");
    assert_silent("10,2026");
    make("late", TABLE_AS_TEXT, &plain,
         (const char *const[]){"{\"index\":7,\"kind\":\"escalated\",\"time\":\"2026-12-01T08:30:00.000Z\","
                               "\"outcome\":\"not-collected\",\"from\":\"prison.a\",\"to\":\"police.b\"}",
                               NULL});
    assert_says("nothing was late");
    assert_says("       7  2026-12-01 08:30:00Z  not-collected     prison.a");
}

static void juveniles_are_counted(void **state)
{
    (void)state;
    make("juveniles", TABLE_AS_TEXT, &plain, four);
    assert_says("2 disclosures about 2 people");
    make("juveniles", TABLE_AS_CSV, &plain, four);
    assert_says("prison.a,probation.c,release.planned,release-notice,oma,1\r\n"
                "prison.d,police.b,release.planned,release-notice,oma,1\r\n");
}

static void refusals_are_counted_with_their_repeats(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"kind\":\"refused\",\"from\":\"prison.a\",\"type\":\"x\",\"to\":null,\"reason\":\"no\"}",
        "{\"kind\":\"count\",\"from\":\"prison.a\",\"type\":\"x\",\"to\":null,\"reason\":\"no\",\"repeats\":"
        "41}",
        "{\"kind\":\"refused\",\"from\":\"prison.a\",\"type\":\"x\",\"to\":\"police.b\",\"reason\":\"=no\"}",
        "{\"kind\":\"count\",\"from\":\"prison.a\"}",
        "{\"kind\":\"consulted\",\"from\":\"police.b\",\"type\":\"y\",\"reason\":\"not-listed\"}",
        "{\"kind\":\"consulted\",\"from\":\"police.b\",\"type\":\"y\",\"reason\":null}",
        NULL};

    make("refusals", TABLE_AS_CSV, &plain, rows);
    assert_string_equal(page, "from,type,to,refusals,why\r\nprison.a,x,(the whole event),42,no\r\n"
                              "prison.a,x,police.b,1,'=no\r\n\r\n"
                              "from,type,why,questions\r\npolice.b,y,,1\r\npolice.b,y,not-listed,1\r\n");
    make("refusals", TABLE_AS_TEXT, &plain, rows);
    assert_says("43 refusals: 42 of whole events, 1 of one recipient");
}

static void corrections_wait_until_each_recipient_confirms(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"index\":1,\"kind\":\"disclosed\",\"event\":\"e1\",\"from\":\"a.a\",\"to\":\"b.b\"}",
        "{\"index\":2,\"kind\":\"disclosed\",\"event\":\"e2\",\"from\":\"a.a\",\"to\":\"b.b\"}",
        "{\"index\":3,\"kind\":\"disclosed\",\"event\":\"e2\",\"from\":\"a.a\",\"to\":\"c.c\"}",
        "{\"index\":4,\"kind\":\"disclosed\",\"event\":\"e2\",\"from\":\"a.a\",\"to\":\"d.d\"}",
        "{\"index\":5,\"kind\":\"corrected\",\"event\":\"e2\",\"from\":\"a.a\",\"outcome\":\"asked\","
        "\"time\":\"2026-12-01T08:30:00.000Z\"}",
        "{\"index\":6,\"kind\":\"corrected\",\"event\":\"e2\",\"from\":\"c.c\",\"to\":\"a.a\","
        "\"outcome\":\"confirmed\"}",
        "{\"index\":7,\"kind\":\"corrected\",\"event\":\"e2\",\"from\":\"a.a\",\"to\":\"d.d\","
        "\"outcome\":\"reminded\"}",
        "{\"index\":8,\"kind\":\"corrected\",\"event\":\"e2\",\"from\":\"a.a\",\"to\":\"d.d\","
        "\"outcome\":\"reminded\"}",
        "{\"index\":9,\"kind\":\"corrected\",\"event\":\"e1\",\"from\":\"b.b\",\"to\":\"a.a\","
        "\"outcome\":\"confirmed\"}",
        "{\"index\":10,\"kind\":\"erased\",\"from\":\"a.a\",\"outcome\":\"confirmed\"}",
        NULL};

    make("corrections", TABLE_AS_CSV, &plain, rows);
    assert_string_equal(page, "entry,kind,since,from,to,reminded,event\r\n"
                              "5,corrected,2026-12-01 08:30:00Z,a.a,b.b,0,e2\r\n"
                              "5,corrected,2026-12-01 08:30:00Z,a.a,d.d,2,e2\r\n\r\n"
                              "kind,from,asked,told,confirmed,reminders\r\ncorrected,a.a,1,3,1,2\r\n");
}

#define OVERRIDE(index, outcome, from, to, deadline)                                                         \
    "{\"index\":" index ",\"kind\":\"override\",\"outcome\":\"" outcome "\",\"from\":\"" from                \
    "\",\"to\":" to ",\"rule\":\"g\",\"reason\":\"danger\",\"time\":\"2026-12-01T08:30:00.000Z\","           \
    "\"deadline\":\"" deadline "\",\"officer\":\"unix:7\",\"subject\":\"" PERSON("1") "\"}"

static void overrides_are_followed_up(void **state)
{
    (void)state;
    static const char *const rows[] = {
        OVERRIDE("1", "made", "a.a", "null", "2026-12-02T08:30:00.000Z"),
        OVERRIDE("2", "made", "a.a", "null", "2026-12-02T09:30:00.000Z"),
        OVERRIDE("3", "made", "b.b", "null", "2026-12-02T08:30:00.000Z"),
        OVERRIDE("4", "confirmed", "c.c", "\"a.a\"", "2026-12-02T09:30:00.000Z"),
        OVERRIDE("5", "suspended", "b.b", "null", "2026-12-02T08:30:00.000Z"),
        OVERRIDE("6", "lifted", "b.b", "null", "2026-12-02T08:30:00.000Z"),
        DISCLOSED("9", "2026-12-01T08:30:00.000Z", "a.a", "c.c", "1", "\"name\"", "\"break-glass\""),
        DISCLOSED("10", "2026-12-01T08:30:00.000Z", "a.a", "c.c", "1", "\"name\"", ""),
        NULL};

    make("overrides", TABLE_AS_TEXT, &plain, rows);
    assert_says("3 overrides, of which 1 are neither confirmed nor settled; 1 disclosures rest on them.");
    make("overrides", TABLE_AS_CSV, &plain, rows);
    assert_says("1,2026-12-01 08:30:00Z,a.a,unix:7,g,danger,1-000000000000,2026-12-02 08:30:00Z,waits to be");
    assert_says("2026-12-02 09:30:00Z,\"confirmed by c.c, 2026-12-01 08:30:00Z\"\r\n");
    assert_says("2026-12-02 08:30:00Z,lifted 2026-12-01 08:30:00Z by unix:7\r\n");
}

static void retention_is_counted(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"kind\":\"expired\",\"outcome\":\"undelivered\",\"from\":\"a.a\",\"to\":\"b.b\",\"reason\":\"r\"}",
        "{\"kind\":\"expired\",\"outcome\":\"undelivered\",\"from\":\"a.a\",\"to\":\"b.b\",\"reason\":\"r\"}",
        "{\"kind\":\"erased\",\"outcome\":\"erased\",\"from\":\"a.a\"}", NULL};

    make("retention", TABLE_AS_CSV, &plain, rows);
    assert_string_equal(page, "kind,outcome,from,to,reason,entries\r\nerased,erased,a.a,,,1\r\n"
                              "expired,undelivered,a.a,b.b,r,2\r\n");
}

/* Ten days of 10 disclosures, then one of 31, then one of 30, to one agency; the first is too early to judge.
 */
static void unusual_days_follow_the_rule_that_is_stated(void **state)
{
    (void)state;
    static char lines[256][512];
    const char *rows[256] = {NULL};
    size_t count = 0;

    for (int day = 1; day <= 12; day++) {
        int many = day == 3 ? 60 : day == 11 ? 31 : day == 12 ? 30 : 10;
        for (int i = 0; i < many; i++) {
            (void)snprintf(lines[count], sizeof lines[0],
                           "{\"kind\":\"disclosed\",\"time\":\"2026-12-%02dT12:00:00.000Z\",\"to\":\"a.a\"}",
                           day);
            rows[count] = lines[count];
            count++;
        }
    }
    assert_true(count < 253);
    rows[count++] = "{\"kind\":\"opened\",\"time\":\"2026-12-12T20:00:00.000Z\",\"from\":\"a.a\","
                    "\"officer\":\"unix:7\"}";
    rows[count++] = "{\"kind\":\"opened\",\"time\":\"2026-12-13T05:59:59.999Z\",\"from\":\"a.a\","
                    "\"officer\":\"automatic:x\"}";
    rows[count++] = "{\"kind\":\"opened\",\"time\":\"2026-12-13T06:00:00.000Z\",\"from\":\"a.a\","
                    "\"officer\":\"unix:7\"}";
    make("unusual", TABLE_AS_CSV, &plain, rows);
    assert_string_equal(page, "day,agency,what,count,usual\r\n2026-12-11,a.a,received,31,10\r\n\r\n"
                              "agency,officer,what,day,acts\r\na.a,unix:7,opened,2026-12-12,1\r\n");
}

static void a_person_is_told_what_is_not_held_back(void **state)
{
    (void)state;
    static const char *const holds[] = {"arrest=s.45(4)(b)", "release=x"};
    const struct report_options options = {
        .subject = PERSON("1"), .holds = holds, .hold_count = 2, .now = plain.now};
    static const char *const rows[] = {
        DISCLOSED("10", "2026-11-30T23:59:59.999Z", "prison.a", "police.b", "1", "\"name\",\"dob\"", ""),
        DISCLOSED("11", "2026-11-30T23:59:59.999Z", "prison.a", "police.b", "2", "\"name\"", ""),
        "{\"index\":12,\"kind\":\"disclosed\",\"from\":\"a.a\",\"to\":\"c.c\",\"rule\":\"arrest\","
        "\"time\":\"2026-12-01T08:30:00.000Z\",\"subject\":\"" PERSON("1") "\",\"labels\":[\"station\"]}",
        NULL};

    make("subject-access", TABLE_AS_CSV, &options, rows);
    assert_string_equal(page,
                        "time,from,to,type,purpose,items\r\n"
                        "2026-11-30 23:59:59Z,prison.a,police.b,release.planned,release,\"name, dob\"\r\n\r\n"
                        "to,disclosures\r\npolice.b,1\r\n\r\n"
                        "entry,time,from,to,rule,why,items\r\n"
                        "12,2026-12-01 08:30:00Z,a.a,c.c,arrest,s.45(4)(b),station\r\n");
}

static void a_breach_pack_says_what_arrived(void **state)
{
    (void)state;
    const struct report_options options = {
        .member = "police.b", .since = "2026-11-01", .until = "2027-01-01", .now = plain.now};

    make("breach-pack", TABLE_AS_TEXT, &options, four);
    assert_says("3 disclosures about 2 people; a receipt says of 2 that they arrived.");
    make("breach-pack", TABLE_AS_CSV, &options, four);
    assert_says("police.b,release.planned,yes," PERSON("1") ",aa,\"name, dob\"\r\n");
    assert_says("13,2026-12-02 00:00:00Z,prison.a,police.b,release.planned,no,");
    assert_says(
        "item,disclosures\r\ndob,2\r\nname,2\r\n\r\nfrom,disclosures\r\nprison.a,2\r\nprison.d,1\r\n");
    assert_silent("probation.c");
}

/* ---- the page ---- */

static const struct table_column columns[] = {{"a", "First", 6, TABLE_TEXT},
                                              {"n", "Number", 6, TABLE_NUMBER}};
static const struct table_head head = {"t", "A table", "none", columns, 2};

static void write_page(enum table_form form, const char *cell)
{
    struct table_page *out = NULL;
    FILE *file = fmemopen(page, sizeof page, "w");

    assert_int_equal(table_begin(form, file, "name", "A <title>", &out), STATUS_OK);
    table_fact(out, "Made", "now");
    table_note(out, "It says \"%s\".", cell);
    table_open(out, &head);
    table_row(out, (const char *const[]){cell, "12"});
    table_row(out, (const char *const[]){NULL, "fewer than 5"});
    table_close(out);
    table_open(out, &head);
    table_end(&out);
    assert_null(out);
    fclose(file);
}

static void a_page_has_four_forms(void **state)
{
    (void)state;
    write_page(TABLE_AS_TEXT, "caf\xc3\xa9");
    assert_string_equal(
        page, "A <title>\nMade: now\n\nIt says \"caf\xc3\xa9\".\n\nA table\n"
              "  First   Number\n  caf\xc3\xa9        12\n  -       fewer than 5\n\nA table\n  none\n");
    write_page(TABLE_AS_JSON, "a\"\\\n</script>");
    json_t *json = json_loads(page, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    const json_t *rows = json_object_get(json_array_get(json_object_get(json, "content"), 1), "rows");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "a")), "a\"\\\n</script>");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "n")), 12);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "n")), "fewer than 5");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "a")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "facts"), "Made")), "now");
    json_decref(json);
    write_page(TABLE_AS_CSV, "=1+1");
    assert_string_equal(page, "a,n\r\n'=1+1,12\r\n,fewer than 5\r\n\r\na,n\r\n");
    write_page(TABLE_AS_HTML, "<b>&'\"");
    assert_says("<h1>A &lt;title&gt;</h1>");
    assert_says("<tr><td>&lt;b&gt;&amp;&#39;&quot;</td><td class=\"number\">12</td></tr>");
    assert_says("<p>none</p>\n</body>\n</html>\n");
    assert_silent("<b>");
}

/* ---- counting ---- */

static enum status check_sum(void *context, const char *const *texts, const uint64_t *numbers)
{
    char(*last)[16] = context;

    assert_true(strcmp(*last, texts[0]) < 0);
    (void)snprintf(*last, sizeof *last, "%s", texts[0]);
    assert_int_equal(numbers[0], strtoul(texts[0], NULL, 10) % 7);
    return STATUS_OK;
}

static void many_groups_are_kept_apart(void **state)
{
    (void)state;
    struct counts *counts = NULL;
    struct headcount *people = NULL;
    char last[16] = "";
    char text[80];

    assert_int_equal(counts_new(2, 1, &counts), STATUS_OK);
    assert_int_equal(headcount_new(&people), STATUS_OK);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof text, "%05u", i);
        for (unsigned k = 0; k < i % 7; k++)
            assert_int_equal(counts_add(counts, (const char *const[]){text, NULL}, 0, 1), STATUS_OK);
        assert_int_equal(counts_add(counts, (const char *const[]){text, NULL}, 0, 0), STATUS_OK);
        (void)snprintf(text, sizeof text, "1-%064x", i % 1234);
        assert_int_equal(headcount_add(people, text), STATUS_OK);
    }
    assert_int_equal(counts_groups(counts), 5000);
    assert_int_equal(counts_get(counts, (const char *const[]){"00013", ""}, 0), 6);
    assert_int_equal(counts_get(counts, (const char *const[]){"00013", "x"}, 0), 0);
    assert_int_equal(counts_each(counts, check_sum, &last), STATUS_OK);
    assert_int_equal(headcount_add(people, NULL), STATUS_OK);
    assert_int_equal(headcount_count(people), 1234);
    counts_free(&counts);
    headcount_free(&people);
    assert_null(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disclosures_are_counted),
        cmocka_unit_test(what_was_late_is_listed),
        cmocka_unit_test(juveniles_are_counted),
        cmocka_unit_test(refusals_are_counted_with_their_repeats),
        cmocka_unit_test(corrections_wait_until_each_recipient_confirms),
        cmocka_unit_test(overrides_are_followed_up),
        cmocka_unit_test(retention_is_counted),
        cmocka_unit_test(unusual_days_follow_the_rule_that_is_stated),
        cmocka_unit_test(a_person_is_told_what_is_not_held_back),
        cmocka_unit_test(a_breach_pack_says_what_arrived),
        cmocka_unit_test(a_page_has_four_forms),
        cmocka_unit_test(many_groups_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
