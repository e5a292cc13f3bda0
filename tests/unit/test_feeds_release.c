/* The release extract, as a prison's agent reads it: the sample with its troubles, and what follows. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/feedhouse.h"

#define FEED   "release-extract"
#define SAMPLE TEST_DATA "/release-extract.csv"
#define HEAD                                                                                                 \
    "NOMS No,PNC ID,Surname,Forenames,DOB,Establishment,Release Date,Release Type,Status,Home Force,"        \
    "Home District,Licence Conditions\r\n"

static void sample_of(const char *establishments, int64_t rows, int64_t notices, int64_t to_police,
                      json_t **ret_page, struct feedhouse **ret_house)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    json_t *page = NULL;

    if (establishments != NULL)
        feedhouse_mapping(house, FEED, "establishments: from protocol", establishments);
    feedhouse_list(house);
    page = feedhouse_import(house, FEED, SAMPLE);
    assert_int_equal(feedhouse_number(page, "rows"), 402);
    assert_int_equal(feedhouse_number(page, "ours"), rows);
    assert_int_equal(feedhouse_number(page, "other_establishments"), 402 - rows);
    assert_int_equal(feedhouse_number(page, "notices"), notices);
    assert_int_equal(feedhouse_in(page, "by_recipient", "police.staffordshire"), to_police);
    assert_int_equal(feedhouse_in(page, "by_recipient", "probation.staffordshire"), notices);
    assert_int_equal(feedhouse_queued(house, "release.planned"), notices);
    assert_int_equal(feedhouse_queued(house, NULL), notices);
    *ret_page = page;
    *ret_house = house;
}

static void dovegate(void **state)
{
    struct feedhouse *house = NULL;
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared event;
    json_t *page = NULL;

    (void)state;
    sample_of(NULL, 93, 6, 4, &page, &house);
    assert_int_equal(feedhouse_in(page, "no_party", "20"), 2);
    assert_int_equal(feedhouse_number(page, "repeated"), 1);
    assert_int_equal(feedhouse_number(page, "not_due"), 1); /* 2027-01-15 */
    assert_int_equal(feedhouse_number(page, "rejected_rows"), 2);
    assert_int_equal(feedhouse_rejected(page, "not a day that exists"), 1);
    assert_int_equal(feedhouse_rejected(page, "the date has passed"), 1);
    /* Due 14 days before, all of that day: 1, 7 and 14 December are late at 9 o'clock; 15, 21 and 29 are not.
     */
    assert_int_equal(feedhouse_number(page, "late"), 3);
    assert_int_equal(json_array_size(json_object_get(page, "late_lines")), 3);
    assert_null(json_object_get(page, "held"));
    feedhouse_event(house, "release.planned", "2022/0278079U", &storage, &event);
    feedhouse_value(&event, "name", "Brown, Michael");
    feedhouse_value(&event, "dob", "1971-05-12");
    feedhouse_value(&event, "pnc_id", "2022/0278079U");
    feedhouse_value(&event, "prison_no", "A6740RH");
    feedhouse_value(&event, "prison", "DGI");
    feedhouse_value(&event, "release_date", "2026-12-15");
    feedhouse_value(&event, "date_type", "CRD");
    feedhouse_value(&event, "confidence", "confirmed");
    feedhouse_value(&event, "home_force", "20");
    feedhouse_value(&event, "home_district", "Derby");
    feedhouse_value(&event, "licence_conditions", "Report weekly, no contact with co-accused");
    feedhouse_value(&event, "old_date", NULL);
    assert_true(bytes_equal(event.officer, bytes_of_string("officer:7")));
    assert_false(event.has_supersedes);
    json_decref(page);
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

static void stafford(void **state)
{
    struct feedhouse *house = NULL;
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared event;
    json_t *page = NULL;

    (void)state;
    sample_of("establishments: [SFI]", 100, 4, 3, &page, &house);
    assert_int_equal(feedhouse_in(page, "no_party", "22"), 1);
    assert_int_equal(feedhouse_number(page, "skipped"), 1); /* ROTL */
    assert_int_equal(feedhouse_number(page, "not_due"), 1); /* 29 days ahead */
    /* a wrong check letter, a row cut short, two dates for one person */
    assert_int_equal(feedhouse_number(page, "rejected_rows"), 4);
    assert_int_equal(feedhouse_rejected(page, "check letter"), 1);
    assert_int_equal(feedhouse_rejected(page, "cut short"), 1);
    assert_int_equal(feedhouse_rejected(page, "gives another date"), 2);
    /* No PNC id in the row: found by the prison number, and the list knows the PNC id. */
    feedhouse_event(house, "release.planned", "2006/2980945Y", &storage, &event);
    feedhouse_value(&event, "pnc_id", "2006/2980945Y");
    feedhouse_value(&event, "prison_no", "A3086RT");
    feedhouse_event(house, "release.planned", "1990/6570142C", &storage, &event);
    feedhouse_value(&event, "licence_conditions", "Not to enter \"The Potteries\", Hanley; sign on daily");
    json_decref(page);
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

static void foston_hall_and_stoke_heath(void **state)
{
    struct feedhouse *house = NULL;
    json_t *page = NULL;

    (void)state;
    sample_of("establishments: [FHI]", 115, 2, 1, &page, &house);
    json_decref(page);
    feedhouse_free(&house);
    sample_of("establishments: [SHI]", 93, 3, 2, &page, &house);
    json_decref(page);
    feedhouse_free(&house);
}

static void one_agent_for_all_four(void **state)
{
    struct feedhouse *house = NULL;
    json_t *page = NULL;

    (void)state;
    sample_of("establishments: [DGI, SFI, FHI, SHI]", 401, 15, 10, &page, &house);
    assert_int_equal(feedhouse_number(page, "other_establishments"), 1); /* XXX */
    json_decref(page);
    feedhouse_free(&house);
}

static void the_same_file_twice_does_nothing_twice(void **state)
{
    struct feedhouse *house = NULL;
    json_t *page = NULL;

    (void)state;
    sample_of(NULL, 93, 6, 4, &page, &house);
    assert_true(json_is_false(json_object_get(page, "again")));
    json_decref(page);
    page = feedhouse_import(house, FEED, SAMPLE);
    assert_true(json_is_true(json_object_get(page, "again")));
    assert_int_equal(feedhouse_number(page, "notices"), 0);
    assert_int_equal(feedhouse_number(page, "changed"), 0);
    assert_int_equal(feedhouse_number(page, "cancelled"), 0);
    assert_int_equal(feedhouse_number(page, "unchanged"), 6);
    assert_int_equal(feedhouse_queued(house, NULL), 6);
    json_decref(page);
    feedhouse_free(&house);
}

/* ---- small files -------------------------------------------------------------------------------------- */

struct line {
    const char *number;
    const char *pnc_id;
    const char *prison;
    const char *date;
    const char *type;
};

/* People on the scheme whom the small files are about. */
static const struct line liam = {"A7629RT", "03/9391423N", "DGI", "21/12/2026", "CRD"};
static const struct line ashley = {"A9851DR", "2008/8632403T", "DGI", "07/12/2026", "CRD"};

/* A file with these lines and ten of people who are not on the scheme. */
static const char *file_of(const struct line *lines, size_t count)
{
    static char text[64 * 1024];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", HEAD);

    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(
            text + size, sizeof text - size, "%s,%s,Sur,Fore,16/09/1971,%s,%s,%s,CONFIRMED,21,Stafford,\r\n",
            lines[i].number, lines[i].pnc_id, lines[i].prison, lines[i].date, lines[i].type);
    for (size_t i = 0; i < 10; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "A100%zuZZ,,Sur,Fore,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n", i);
    return text;
}

static json_t *import_lines(struct feedhouse *house, const struct line *lines, size_t count)
{
    return feedhouse_import_text(house, FEED, file_of(lines, count));
}

static struct feedhouse *house_told_of_both(void)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    json_t *page = NULL;

    feedhouse_list(house);
    page = import_lines(house, (const struct line[]){liam, ashley}, 2);
    assert_int_equal(feedhouse_number(page, "notices"), 2);
    json_decref(page);
    return house;
}

static void expect(json_t *page, int64_t notices, int64_t changed, int64_t cancelled, int64_t unchanged)
{
    assert_int_equal(feedhouse_number(page, "notices"), notices);
    assert_int_equal(feedhouse_number(page, "changed"), changed);
    assert_int_equal(feedhouse_number(page, "cancelled"), cancelled);
    assert_int_equal(feedhouse_number(page, "unchanged"), unchanged);
    json_decref(page);
}

static void a_changed_date_supersedes(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared first;
    struct prepared event;
    uint8_t planned[UUID_SIZE];
    struct line changed = liam;

    (void)state;
    feedhouse_event(house, "release.planned", "2003/9391423N", &storage, &first);
    memcpy(planned, first.event, UUID_SIZE);
    changed.date = "28/12/2026";
    expect(import_lines(house, (const struct line[]){changed, ashley}, 2), 0, 1, 0, 1);
    feedhouse_event(house, "release.date_changed", "2003/9391423N", &storage, &event);
    assert_true(event.has_supersedes);
    assert_memory_equal(event.supersedes, planned, UUID_SIZE);
    feedhouse_value(&event, "release_date", "2026-12-28");
    feedhouse_value(&event, "old_date", "2026-12-21");
    feedhouse_value(&event, "cause", "recalculated");
    memcpy(planned, event.event, UUID_SIZE);
    /* Another type is a change too, and so is a date beyond the window. */
    changed.type = "ARD";
    expect(import_lines(house, (const struct line[]){changed, ashley}, 2), 0, 1, 0, 1);
    feedhouse_event(house, "release.date_changed", "2003/9391423N", &storage, &event);
    assert_memory_equal(event.supersedes, planned, UUID_SIZE);
    changed.date = "30/06/2027";
    expect(import_lines(house, (const struct line[]){changed, ashley}, 2), 0, 1, 0, 1);
    expect(import_lines(house, (const struct line[]){changed, ashley}, 2), 0, 0, 0, 2);
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

static void a_row_that_goes_is_cancelled(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared event;

    (void)state;
    expect(import_lines(house, &ashley, 1), 0, 0, 1, 1);
    feedhouse_event(house, "release.cancelled", "2003/9391423N", &storage, &event);
    feedhouse_value(&event, "release_date", "2026-12-21");
    feedhouse_value(&event, "home_force", "21");
    feedhouse_value(&event, "cause", "row_gone");
    feedhouse_value(&event, "prison", NULL);
    assert_true(event.has_supersedes);
    expect(import_lines(house, &ashley, 1), 0, 0, 0, 1);
    /* Back again: a new notice. */
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 1, 0, 0, 1);
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

static void a_row_whose_date_has_come_is_not_cancelled(void **state)
{
    struct feedhouse *house = house_told_of_both();

    (void)state;
    house->now += 6 * FEEDHOUSE_DAY; /* 7 December: Ashley goes home today */
    expect(import_lines(house, &liam, 1), 0, 0, 0, 1);
    house->now += FEEDHOUSE_DAY;
    expect(import_lines(house, &liam, 1), 0, 0, 0, 1);
    feedhouse_free(&house);
}

static void a_rejected_row_cancels_nothing(void **state)
{
    struct line broken[] = {liam, liam, liam, liam};
    struct feedhouse *house = house_told_of_both();

    (void)state;
    broken[0].date = "31/02/2027";
    broken[1].pnc_id = "03/9391423A"; /* wrong check letter, good prison number */
    broken[2].number = "";
    broken[2].date = "30/11/2026"; /* passed; found by the PNC id */
    broken[3].type = "WHAT";
    for (size_t i = 0; i < 4; i++) {
        json_t *page = import_lines(house, (const struct line[]){broken[i], ashley}, 2);

        assert_int_equal(feedhouse_number(page, "rejected_rows"), 1);
        assert_int_equal(feedhouse_number(page, "kept"), 1);
        expect(page, 0, 0, 0, 1);
    }
    expect(import_lines(house, &ashley, 1), 0, 0, 1, 1);
    feedhouse_free(&house);
}

/* Told by the prison number; the row that follows has only the PNC id, which the list knows, and is wrong. */
static void a_rejected_row_is_known_by_what_the_list_knows(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct line first = liam;
    struct line broken = liam;
    json_t *page = NULL;

    (void)state;
    first.pnc_id = "";
    broken.number = "";
    broken.date = "31/02/2027";
    feedhouse_list(house);
    expect(import_lines(house, (const struct line[]){first, ashley}, 2), 2, 0, 0, 0);
    page = import_lines(house, (const struct line[]){broken, ashley}, 2);
    assert_int_equal(feedhouse_number(page, "kept"), 1);
    expect(page, 0, 0, 0, 1);
    feedhouse_free(&house);
}

/* The prison number counts only when the row has no PNC id: with one it is somebody else's row. */
static void another_pnc_id_is_another_person(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct line other = liam;

    (void)state;
    other.pnc_id = "81/34U";
    feedhouse_list(house);
    expect(import_lines(house, &other, 1), 0, 0, 0, 0);
    feedhouse_free(&house);
}

static void a_row_that_belongs_nowhere_is_rejected(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct line lost = liam;
    json_t *page = NULL;

    (void)state;
    lost.prison = " ";
    page = import_lines(house, (const struct line[]){lost, ashley}, 2);
    assert_int_equal(feedhouse_rejected(page, "whose row this is cannot be told"), 1);
    assert_int_equal(feedhouse_number(page, "other_establishments"), 0);
    expect(page, 0, 0, 0, 1);
    feedhouse_free(&house);
}

/* Nobody can say whose a row is without either number: it could be theirs. */
static void a_rejected_row_without_numbers_cancels_nothing(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct line nameless = {"", "03/9391423A", "DGI", "21/12/2026", "CRD"};
    json_t *page = import_lines(house, (const struct line[]){nameless, ashley}, 2);

    (void)state;
    assert_int_equal(feedhouse_number(page, "kept"), 1);
    expect(page, 0, 0, 0, 1);
    feedhouse_free(&house);
}

static void a_file_without_the_establishment_cancels_nothing(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    const struct line elsewhere = {"A2000ZZ", "", "SFI", "21/12/2026", "CRD"};
    struct line broken = liam;
    char text[1024];

    (void)state;
    broken.date = "31/02/2027";
    feedhouse_mapping(house, FEED, "establishments: from protocol", "establishments: [DGI, SFI]");
    feedhouse_list(house);
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 2, 0, 0, 0);
    (void)snprintf(text, sizeof text, HEAD "%s,,Sur,Fore,16/09/1971,SFI,%s,CRD,CONFIRMED,21,,\r\n",
                   elsewhere.number, elsewhere.date);
    expect(feedhouse_import_text(house, FEED, text), 0, 0, 0, 2);
    /* The last extract of the other establishment still stands. */
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 0, 0, 0, 2);
    /* Not even when that extract no longer has the row, because it was rejected. */
    expect(import_lines(house, (const struct line[]){broken, ashley}, 2), 0, 0, 0, 1);
    expect(feedhouse_import_text(house, FEED, text), 0, 0, 0, 1);
    expect(import_lines(house, &ashley, 1), 0, 0, 1, 1);
    feedhouse_free(&house);
}

static void two_dates_keep_the_notice(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct line other = liam;
    json_t *page = NULL;

    (void)state;
    other.date = "22/12/2026";
    page = import_lines(house, (const struct line[]){liam, other, ashley}, 3);
    assert_int_equal(feedhouse_number(page, "rejected_rows"), 2);
    assert_int_equal(feedhouse_rejected(page, "line 3 is about the same person and gives another date"), 1);
    assert_int_equal(feedhouse_rejected(page, "line 2 is about the same person and gives another date"), 1);
    expect(page, 0, 0, 0, 1);
    /* Also when only one of the two numbers tells that it is the same person. */
    other.number = "A9999ZZ";
    page = import_lines(house, (const struct line[]){liam, other, ashley}, 3);
    assert_int_equal(feedhouse_number(page, "rejected_rows"), 2);
    expect(page, 0, 0, 0, 1);
    feedhouse_free(&house);
}

/* ---- holding ------------------------------------------------------------------------------------------ */

static const char *many(size_t from, size_t count)
{
    static char text[64 * 1024];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", HEAD);

    size += (size_t)snprintf(text + size, sizeof text - size,
                             "A7629RT,03/9391423N,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n");
    for (size_t i = from; i < from + count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "A1%03zuZZ,,S,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n", i);
    return text;
}

static void too_many_gone_at_once_are_held(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct feeds_reason reason = {{0}};
    const char *path = NULL;
    json_t *page = NULL;

    (void)state;
    feedhouse_list(house);
    expect(feedhouse_import_text(house, FEED, many(0, 99)), 1, 0, 0, 0);
    /* 20 of 100 go */
    page = feedhouse_import_text(house, FEED, many(20, 79));
    assert_null(json_object_get(page, "held"));
    expect(page, 0, 0, 0, 1);
    /* 17 of 80 are more than a fifth */
    page = feedhouse_import_text(house, FEED, many(37, 62));
    assert_non_null(strstr(json_string_value(json_object_get(page, "held")), "17 of the 80 rows"));
    assert_non_null(strstr(json_string_value(json_object_get(page, "held")), "--accept-missing"));
    expect(page, 0, 0, 0, 0);
    /* The held file has changed nothing: the next one is compared with the one before. */
    page = feedhouse_import_text(house, FEED, many(36, 63));
    assert_null(json_object_get(page, "held"));
    json_decref(page);
    path = feedhouse_write(house, "file.csv", bytes_of_string(many(90, 1)));
    assert_int_equal(feeds_accept(house->feeds, FEED, path, "officer:7", house->now, &page, &reason),
                     STATUS_OK);
    assert_null(json_object_get(page, "held"));
    expect(page, 0, 0, 0, 1);
    feedhouse_free(&house);
}

/* Rows that go because their day has come are not counted as gone. */
static void those_who_went_home_are_not_missing(void **state)
{
    struct feedhouse *house = house_told_of_both();
    json_t *page = NULL;

    (void)state;
    house->now += 25 * FEEDHOUSE_DAY;
    page = feedhouse_import_text(house, FEED,
                                 HEAD "A8000ZZ,,S,F,16/09/1971,DGI,21/01/2027,CRD,CONFIRMED,21,,\r\n");
    assert_null(json_object_get(page, "held"));
    expect(page, 0, 0, 0, 0);
    feedhouse_free(&house);
}

static void an_empty_file_is_held(void **state)
{
    const char *const texts[] = {"", HEAD, "\xef\xbb\xbf", "\r\n\r\n"};
    struct feedhouse *house = house_told_of_both();

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        json_t *page = feedhouse_import_text(house, FEED, texts[i]);

        assert_non_null(strstr(json_string_value(json_object_get(page, "held")), "no rows"));
        expect(page, 0, 0, 0, 0);
    }
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 0, 0, 0, 2);
    feedhouse_free(&house);
}

static void without_a_list_nothing_is_read(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct feeds_reason reason = {{0}};
    json_t *page = NULL;

    (void)state;
    assert_int_equal(feeds_import(house->feeds, FEED, SAMPLE, "officer:7", house->now, &page, &reason),
                     STATUS_REFUSED);
    assert_non_null(strstr(reason.text, "no list"));
    assert_null(page);
    feedhouse_list(house);
    expect(feedhouse_import(house, FEED, SAMPLE), 6, 0, 0, 0);
    feedhouse_free(&house);
}

static void whole_files_are_refused(void **state)
{
    const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"NOMS No,PNC ID\r\nA,B\r\n", "no column"},
        {HEAD "A7629RT,03/9391423N,Jos\xe9,F,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n",
         "line 2 is not UTF-8"},
        {"PK\x03\x04", "zip"},
        {"DOB," HEAD "x\r\n", "two columns"},
    };
    struct feedhouse *house = house_told_of_both();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feeds_reason reason = {{0}};
        json_t *page = NULL;
        const char *path = feedhouse_write(house, "file.csv", bytes_of_string(cases[i].text));

        assert_int_equal(feeds_import(house->feeds, FEED, path, "officer:7", house->now, &page, &reason),
                         STATUS_REFUSED);
        assert_non_null(strstr(reason.text, cases[i].says));
    }
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 0, 0, 0, 2);
    feedhouse_free(&house);
}

static void windows_1252_when_the_mapping_says_so(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct byte_buffer storage = bytes_buffer(1 << 20);
    struct prepared event;

    (void)state;
    feedhouse_mapping(house, FEED, "encoding: utf-8", "encoding: windows-1252");
    feedhouse_list(house);
    expect(feedhouse_import_text(house, FEED,
                                 HEAD "A7629RT,03/9391423N,Nu\xf1"
                                      "ez,Jos\xe9,16/09/1971,DGI,21/12/2026,CRD,CONFIRMED,21,,\r\n"),
           1, 0, 0, 0);
    feedhouse_event(house, "release.planned", "2003/9391423N", &storage, &event);
    feedhouse_value(&event, "name",
                    "Nu\xc3\xb1"
                    "ez, Jos\xc3\xa9");
    bytes_buffer_wipe(&storage);
    feedhouse_free(&house);
}

/* ---- looks -------------------------------------------------------------------------------------------- */

static void the_window_opens_without_a_new_file(void **state)
{
    struct feedhouse *house = feedhouse_new("prison.dovegate");
    struct line later = liam;

    (void)state;
    later.date = "30/12/2026"; /* 29 days ahead */
    feedhouse_list(house);
    expect(import_lines(house, &later, 1), 0, 0, 0, 0);
    feedhouse_run(house);
    house->now += 10 * 3600 * 1000;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 0);
    house->now = FEEDHOUSE_NOW + FEEDHOUSE_DAY;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, "release.planned"), 1);
    assert_int_equal(feedhouse_count(house, FEED, "pages"), 2); /* of the file, and of the look */
    house->now += FEEDHOUSE_DAY;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 1);
    feedhouse_free(&house);
}

static void who_is_added_later_gets_a_notice(void **state)
{
    struct feedhouse *house = house_told_of_both();
    const struct line newcomer = {"A5555AA", "1981/0000034U", "DGI", "10/12/2026", "CRD"};

    (void)state;
    expect(import_lines(house, (const struct line[]){liam, ashley, newcomer}, 3), 0, 0, 0, 2);
    feedhouse_run(house);
    feedhouse_person(house, "1981/0000034U", "", true);
    feedhouse_run(house);
    house->now += 1000;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, "release.planned"), 3);
    feedhouse_free(&house);
}

static void who_leaves_and_comes_back_gets_a_new_notice(void **state)
{
    struct feedhouse *house = house_told_of_both();

    (void)state;
    feedhouse_person(house, "2003/9391423N", "A7629RT", false);
    house->now += 2000;
    feedhouse_run(house);
    house->now += 2000;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, NULL), 2); /* the broker recalls; nothing is cancelled */
    expect(import_lines(house, &ashley, 1), 0, 0, 0, 1);
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 0, 0, 0, 1);
    feedhouse_person(house, "2003/9391423N", "A7629RT", true);
    house->now += 2000;
    feedhouse_run(house);
    house->now += 2000;
    feedhouse_run(house);
    assert_int_equal(feedhouse_queued(house, "release.planned"), 3);
    feedhouse_free(&house);
}

static void what_was_refused_is_sent_anew_only_when_it_changes(void **state)
{
    struct feedhouse *house = house_told_of_both();
    struct line changed = liam;

    (void)state;
    feedhouse_refuse(house);
    expect(import_lines(house, (const struct line[]){liam, ashley}, 2), 0, 0, 0, 2);
    changed.date = "22/12/2026";
    expect(import_lines(house, (const struct line[]){changed, ashley}, 2), 1, 0, 0, 1);
    feedhouse_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dovegate),
        cmocka_unit_test(stafford),
        cmocka_unit_test(foston_hall_and_stoke_heath),
        cmocka_unit_test(one_agent_for_all_four),
        cmocka_unit_test(the_same_file_twice_does_nothing_twice),
        cmocka_unit_test(a_changed_date_supersedes),
        cmocka_unit_test(a_row_that_goes_is_cancelled),
        cmocka_unit_test(a_row_whose_date_has_come_is_not_cancelled),
        cmocka_unit_test(a_rejected_row_cancels_nothing),
        cmocka_unit_test(a_rejected_row_without_numbers_cancels_nothing),
        cmocka_unit_test(a_rejected_row_is_known_by_what_the_list_knows),
        cmocka_unit_test(another_pnc_id_is_another_person),
        cmocka_unit_test(a_row_that_belongs_nowhere_is_rejected),
        cmocka_unit_test(a_file_without_the_establishment_cancels_nothing),
        cmocka_unit_test(two_dates_keep_the_notice),
        cmocka_unit_test(too_many_gone_at_once_are_held),
        cmocka_unit_test(those_who_went_home_are_not_missing),
        cmocka_unit_test(an_empty_file_is_held),
        cmocka_unit_test(without_a_list_nothing_is_read),
        cmocka_unit_test(whole_files_are_refused),
        cmocka_unit_test(windows_1252_when_the_mapping_says_so),
        cmocka_unit_test(the_window_opens_without_a_new_file),
        cmocka_unit_test(who_is_added_later_gets_a_notice),
        cmocka_unit_test(who_leaves_and_comes_back_gets_a_new_notice),
        cmocka_unit_test(what_was_refused_is_sent_anew_only_when_it_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
