#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

    if (strcmp(row_or(row, "pass", "search"), pass->verb) != 0)
        return false;
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

/* Takes away what the pass did not ask for, as the broker does. */
static void keep_fields(const struct report_pass *pass, json_t *row)
{
    static const char *const details[] = {"entries", "asked", "digest", "repeats"};
    json_t *kept = json_object();

    if (pass->fields != NULL && json_object_get(row, "index") != NULL)
        assert_int_equal(json_object_set(kept, "index", json_object_get(row, "index")), 0);
    for (size_t i = 0; pass->fields != NULL && pass->fields[i] != NULL; i++) {
        if (json_object_get(row, pass->fields[i]) != NULL)
            assert_int_equal(json_object_set(kept, pass->fields[i], json_object_get(row, pass->fields[i])),
                             0);
        for (size_t k = 0; strcmp(pass->fields[i], "details") == 0 && k < 4; k++) {
            if (json_object_get(row, details[k]) != NULL)
                assert_int_equal(json_object_set(kept, details[k], json_object_get(row, details[k])), 0);
        }
    }
    if (pass->fields != NULL) {
        json_object_clear(row);
        assert_int_equal(json_object_update(row, kept), 0);
    }
    json_decref(kept);
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
            if (answers(pass, row, options)) {
                keep_fields(pass, row);
                assert_int_equal(pass->row(&run, row), STATUS_OK);
            }
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

/* ---- what the broker tells from its store ---- */

#define CHECKED(entry, at, event, attributes, recipients, differences)                                       \
    "{\"pass\":\"recheck\",\"entry\":" entry ",\"at\":\"" at                                                 \
    "\",\"subject\":\"" PERSON("1") "\",\"event\":\"" event                                                  \
                                    "\",\"from\":\"a.a\",\"protocol\":\"p\",\"accepted\":true,"              \
                                    "\"replayed\":true,\"attributes\":{" attributes                          \
                                    "},\"recipients\":[" recipients "],\"differences\":[" differences "]}"

#define RESTS "{\"to\":\"b.b\",\"consent\":\"care\"},{\"to\":\"c.c\"}"

static void disclosures_after_a_withdrawal_are_found(void **state)
{
    (void)state;
    static const char *const rows[] = {
        CHECKED("1", "2026-12-01T08:00:00.000Z", "consent.given", "\"scope\":\"care\"", "", ""),
        CHECKED("2", "2026-12-01T08:01:00.000Z", "release.planned", "", RESTS, ""),
        CHECKED("3", "2026-12-01T08:02:00.000Z", "consent.withdrawn", "\"scope\":\"care\"", "", ""),
        CHECKED("4", "2026-12-01T08:03:00.000Z", "release.planned", "", RESTS, ""),
        CHECKED("5", "2026-12-01T08:04:00.000Z", "consent.given", "\"scope\":\"care\"", "", ""),
        CHECKED("6", "2026-12-01T08:05:00.000Z", "release.planned", "", RESTS, ""),
        CHECKED("7", "2026-12-01T08:06:00.000Z", "arrest.made", "", "{\"to\":\"b.b\",\"consent\":\"other\"}",
                ""),
        NULL};
    const struct report_options later = {.since = "2026-12-01T08:05:30.000Z", .now = plain.now};

    assert_true(make("consents", TABLE_AS_CSV, &plain, rows));
    assert_string_equal(page,
                        "entry,time,from,to,type,scope,withdrawn,person\r\n"
                        "4,2026-12-01 08:03:00Z,a.a,b.b,release.planned,care,2026-12-01 08:02:00Z,"
                        "1-000000000000\r\n"
                        "7,2026-12-01 08:06:00Z,a.a,b.b,arrest.made,other,never given,1-000000000000\r\n\r\n"
                        "scope,given,withdrawn,disclosures,wrong\r\ncare,2,1,3,1\r\nother,0,0,1,1\r\n");
    assert_true(make("consents", TABLE_AS_CSV, &later, rows));
    assert_silent("\r\n4,");
    assert_false(make("consents", TABLE_AS_TEXT, &plain, (const char *const[]){rows[0], rows[1], NULL}));
    assert_says("none, as it must be");
}

static void a_month_opens_with_what_was_outside_the_protocol(void **state)
{
    (void)state;
    const struct report_options month = {.month = "2026-12", .now = plain.now};
    const char *const rows[] = {CHECKED("4", "2026-12-01T08:03:00.000Z", "release.planned", "", RESTS, ""),
                                four[1],
                                four[2],
                                "{\"kind\":\"refused\",\"outcome\":\"refused\",\"from\":\"prison.a\"}",
                                "{\"kind\":\"bundle-loaded\",\"outcome\":\"serial 7\"}",
                                NULL};

    assert_false(make("digest", TABLE_AS_CSV, &month, rows));
    assert_string_equal(page,
                        "entry,time,from,type,difference\r\n\r\n"
                        "agency,sent,received,refused,late,opened\r\npolice.b,0,1,0,0,0\r\n"
                        "prison.a,0,0,1,0,0\r\nprison.d,0,0,0,1,0\r\nprobation.c,0,1,0,0,0\r\n\r\n"
                        "kind,outcome,entries\r\nbundle-loaded,,1\r\ndisclosed,,2\r\nrefused,refused,1\r\n");
    make("digest", TABLE_AS_TEXT, &month, rows);
    assert_says("Disclosures were about 2 people.");
    assert_true(make("digest", TABLE_AS_CSV, &month,
                     (const char *const[]){CHECKED("9", "2026-12-01T08:03:00.000Z", "release.planned", "", "",
                                                   "\"x.x received it\""),
                                           NULL}));
    assert_says("9,2026-12-01 08:03:00Z,a.a,release.planned,x.x received it\r\n");
    make("digest", TABLE_AS_TEXT, &month,
         (const char *const[]){"{\"pass\":\"recheck\",\"entry\":1,\"erased\":3,\"differences\":[]}", NULL});
    assert_says("3 events of this log were erased");
}

static void processing_is_recorded(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"kind\":\"disclosed\",\"rule\":\"r\",\"type\":\"t\"}",
        "{\"kind\":\"disclosed\",\"rule\":\"r\",\"type\":\"t\"}",
        "{\"pass\":\"protocols\",\"protocol\":\"p\",\"version\":2,\"signatories\":[\"A\",\"B\"]}",
        "{\"pass\":\"protocols\",\"rule\":\"r\",\"event\":\"t\",\"purpose\":\"x\",\"from\":[\"a\"],"
        "\"to\":[\"b\",\"c\"],\"items\":[\"name\"],\"law\":[\"Act 1\"],\"crossing\":\"Act 2\","
        "\"consent\":null,\"retention\":\"P12M\"}",
        "{\"pass\":\"protocols\",\"rule\":\"q\",\"event\":\"t\",\"purpose\":\"y\",\"from\":[\"a\"],"
        "\"to\":[],\"items\":[],\"law\":[]}",
        NULL};

    make("ropa", TABLE_AS_CSV, &plain, rows);
    assert_says("joint controllers,\"A, B\"\r\n");
    assert_says("purpose,event,from,to,law,retention,consent,rule,used,items\r\n"
                "x,t,a,\"b, c\",Act 1; Act 2,P12M,,r,2,name\r\n"
                "y,t,a,(register only),,,,q,,\r\n");
}

#define REGISTERED(at, event, person, area, more)                                                            \
    "{\"pass\":\"register\",\"at\":\"" at "\",\"occurred\":\"" at "\",\"event\":\"" event                    \
    "\",\"subject\":\"" PERSON(                                                                              \
        person) "\",\"protocol\":\"p\",\"person\":{\"listed\":\"yes\",\"area\":\"" area                      \
                "\",\"strand\":\"s\",\"selector\":\"asbo\",\"review_due\":\"2026-12-10\"}" more "}"
#define GONE(at, person)                                                                                     \
    "{\"pass\":\"register\",\"at\":\"" at "\",\"occurred\":\"" at                                            \
    "\",\"event\":\"ppo.removed\",\"subject\":\"" PERSON(                                                    \
        person) "\",\"protocol\":\"p\",\"person\":{\"listed\":\"no\"},"                                      \
                "\"attributes\":{\"reason\":\"moved\",\"authority\":\"group\"}}"
#define BY ",\"attributes\":{\"authority\":\"chief\"}"

static const char *const scheme[] = {
    REGISTERED("2026-09-30T23:00:00.000Z", "ppo.added", "1", "stoke", BY),
    REGISTERED("2026-10-01T00:00:00.000Z", "ppo.added", "2", "stoke", BY),
    REGISTERED("2026-10-01T00:00:00.000Z", "ppo.added", "2", "stoke", BY ",\"repeat\":true"),
    REGISTERED("2026-11-01T00:00:00.000Z", "ppo.added", "3", "leek", BY),
    REGISTERED("2026-11-02T00:00:00.000Z", "ppo.reviewed", "2", "stoke",
               ",\"attributes\":{\"action\":\"visit\"}"),
    GONE("2026-11-30T00:00:00.000Z", "3"),
    REGISTERED("2026-12-01T00:00:00.000Z", "treatment.referred", "1", "stoke", ""),
    REGISTERED("2026-12-03T00:00:00.000Z", "treatment.referred", "1", "stoke", ""),
    REGISTERED("2026-12-05T00:00:00.000Z", "treatment.started", "1", "stoke",
               ",\"attributes\":{\"start_date\":\"2026-12-04\"}"),
    REGISTERED("2026-12-06T00:00:00.000Z", "treatment.started", "1", "stoke", ""),
    REGISTERED("2026-12-05T10:00:00.000Z", "release.planned", "2", "stoke",
               ",\"attributes\":{\"release_date\":\"2026-12-25\"}"),
    REGISTERED("2026-12-05T10:00:00.000Z", "release.planned", "2", "stoke",
               ",\"repeat\":true,\"attributes\":{\"release_date\":\"2026-12-25\"}"),
    REGISTERED("2026-12-05T10:00:00.000Z", "release.planned", "1", "stoke",
               ",\"attributes\":{\"release_date\":\"2026-12-15\"}"),
    REGISTERED("2026-12-05T10:00:00.000Z", "court.sentenced", "1", "stoke",
               ",\"attributes\":{\"offence_count\":\"7\"}"),
    REGISTERED("2026-12-05T10:00:00.000Z", "appointment.missed", "1", "stoke", ""),
    NULL};

static void the_executive_group_is_told_who_is_on_the_scheme(void **state)
{
    (void)state;
    const struct report_options december = {.since = "2026-12-01T00:00:00.000Z", .now = plain.now};

    make("executive", TABLE_AS_CSV, &plain, scheme);
    assert_string_equal(
        page, "area,reference,strand,reason,added,authority,action,status,removed,why,removed_by\r\n"
              "leek,1-000000000000,s,asbo,2026-11-01,chief,,,2026-11-30,moved,group\r\n"
              "stoke,1-000000000000,s,asbo,2026-09-30,chief,,,,,\r\n"
              "stoke,1-000000000000,s,asbo,2026-10-01,chief,visit,,,,\r\n");
    make("executive", TABLE_AS_TEXT, &december, scheme);
    assert_says("2 people on the scheme at the end of the period, 0 removed within it.");
    assert_silent("leek");
}

static void adds_and_removes_are_counted_by_quarter(void **state)
{
    (void)state;
    const struct report_options fourth = {.since = "2026-10-01T00:00:00.000Z", .now = plain.now};

    make("quarterly", TABLE_AS_CSV, &plain, scheme);
    assert_string_equal(page, "quarter,area,strand,added,removed\r\n2026 Q3,stoke,s,1,0\r\n"
                              "2026 Q4,leek,s,1,1\r\n2026 Q4,stoke,s,1,0\r\n");
    make("quarterly", TABLE_AS_CSV, &fourth, scheme);
    assert_silent("Q3");
}

static void measures_hide_small_numbers(void **state)
{
    (void)state;
    const struct report_options all = {
        .below = 2, .until = "2026-12-13T00:00:00.000Z", .now = INT64_C(1798675200000)}; /* 2026-12-31 */
    const struct report_options few = {.below = 5, .now = plain.now};

    make("measures", TABLE_AS_CSV, &all, scheme);
    assert_says("release notice before the release,stoke,2,10,20,days\r\n");
    assert_says("release notice before the release,all,2,10,20,days\r\n");
    assert_says("referral to start of treatment,stoke,*,*,*,days\r\n");
    assert_says("reviews overdue at the end,stoke,2,2,2,days overdue\r\n");
    assert_says("offences brought to justice,stoke,7,,,\r\n");
    assert_says("missed appointments,stoke,*,,,\r\n");
    make("measures", TABLE_AS_CSV, &few, scheme);
    assert_says("release notice before the release,stoke,*,*,*,days\r\n");
    assert_silent("reviews overdue at the end,stoke"); /* not yet */
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
        cmocka_unit_test(disclosures_after_a_withdrawal_are_found),
        cmocka_unit_test(a_month_opens_with_what_was_outside_the_protocol),
        cmocka_unit_test(processing_is_recorded),
        cmocka_unit_test(the_executive_group_is_told_who_is_on_the_scheme),
        cmocka_unit_test(adds_and_removes_are_counted_by_quarter),
        cmocka_unit_test(measures_hide_small_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
