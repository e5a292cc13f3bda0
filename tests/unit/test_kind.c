#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/check_letter.h"
#include "proto/kind.h"

#define YEAR_NOW 2026

static const char *const codes[] = {"retain", "remove", "CRD"};
static const struct kind_limits limits = {.codes = codes, .code_count = 3};

struct good {
    enum kind kind;
    const char *in;
    const char *canonical; /* NULL: the same */
};

struct bad {
    enum kind kind;
    const char *in;
    const char *reason; /* a part of it, NULL: any */
};

static const struct good accepted[] = {
    {KIND_PNC_ID, "81/34U", "1981/0000034U"},
    {KIND_PNC_ID, "02/73319Z", "2002/0073319Z"},
    {KIND_PNC_ID, "00/223R", "2000/0000223R"},
    {KIND_PNC_ID, "79163001B", "1979/0163001B"},
    {KIND_PNC_ID, "033Y", "2003/0000003Y"},
    {KIND_PNC_ID, "67/9893091D", "1967/9893091D"},
    {KIND_PNC_ID, "20120052494Q", "2012/0052494Q"},
    {KIND_PNC_ID, "20230583843L", "2023/0583843L"},
    {KIND_PNC_ID, "2001/0171310W", NULL},
    {KIND_PNC_ID, " 81/34u\t", "1981/0000034U"},
    {KIND_PNC_ID, "1981/34U", "1981/0000034U"},
    {KIND_CRO, "65656/91H", "065656/91H"},
    {KIND_CRO, "265416/21G", NULL},
    {KIND_CRO, "482703/05J", NULL},
    {KIND_CRO, "SF05/482703J", NULL},
    {KIND_CRO, "SF83/50058Z", NULL},
    {KIND_CRO, "SF83/050058B", NULL}, /* the leading zero counts */
    {KIND_CRO, "123456/04R", NULL},
    {KIND_ASN, "1101ZD0100000410836V", NULL},
    {KIND_ASN, "11/01ZD/01/00000410836V", "1101ZD0100000410836V"},
    {KIND_ASN, "1101ZD01410836V", "1101ZD0100000410836V"},
    {KIND_ASN, "11/01zd/01/410836v", "1101ZD0100000410836V"},
    {KIND_ASN, "1101ZD0100000448754K", NULL},
    {KIND_ASN, "2005FF0500000000555P", NULL},
    {KIND_ASN, "9700000000000123456K", NULL},
    {KIND_ASN, "22FD112200001234560X", NULL},
    {KIND_ASN, "11A01ZD0100000410836V", NULL}, /* 21 characters: a top-level letter, which does not count */
    {KIND_PRISON_NO, "A8513EA", NULL},
    {KIND_PRISON_NO, "A1234BC", NULL},
    {KIND_PRISON_NO, "A0260DZ", NULL},
    {KIND_PRISON_NO, "  A0260DZ ", "A0260DZ"},
    {KIND_CRN, "X777978", NULL},
    {KIND_CRN, "X334583", NULL},
    {KIND_NHS_NO, "9434765919", NULL},
    {KIND_NHS_NO, "4010232137", NULL},
    {KIND_NHS_NO, "9658218873", NULL},
    {KIND_NHS_NO, "4505577104", NULL},
    {KIND_NHS_NO, "9876543210", NULL},
    {KIND_NHS_NO, "9434765870", NULL},
    {KIND_DATE, "2026-12-01", NULL},
    {KIND_DATE, "01/12/2026", "2026-12-01"},
    {KIND_DATETIME, "2026-12-01T09:14:46+00:00", "2026-12-01T09:14:46Z"},
    {KIND_DATETIME, "2026-07-01T00:30:00+01:00", "2026-06-30T23:30:00Z"},
    {KIND_NAME, "Łukasiewicz", NULL},
    {KIND_NAME, " O'Neill ", "O'Neill"},
    {KIND_NAME, "José\u00a0María", "José María"},
    {KIND_CODE, "retain", NULL},
    {KIND_CODE, "CRD ", "CRD"},
    {KIND_AREA, "stoke", NULL},
    {KIND_AREA, "east-staffs_2", NULL},
    {KIND_MEMBER, "police.staffordshire", NULL},
    {KIND_FORCE, "21", NULL},
    {KIND_PRISON, "DGI", NULL},
    {KIND_PRISON, "ZZGHI", NULL},
    {KIND_CONTACT, "01782 555 0100, x@example.org", NULL},
    {KIND_TEXT, "Residence; curfew 19:00-07:00", NULL},
    {KIND_NUMBER, "0", NULL},
    {KIND_NUMBER, "999999999", NULL},
    {KIND_NUMBER, "000", "0"},
    {KIND_NUMBER, "0000000000012", "12"},
    {KIND_EVENT, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", NULL},
    {KIND_PSEUDONYM, "00000001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", NULL},
    {KIND_PSEUDONYM, "1-000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00000001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    {KIND_LABELS, "", NULL},
    {KIND_LABELS, "dob,name", NULL},
    {KIND_LABELS, "name, dob", "dob,name"},
};

static const struct bad refused[] = {
    {KIND_PNC_ID, "20030011985Z", "check letter is Z, should be X"},
    {KIND_PNC_ID, "20120052494O", "check letter is O, should be Q"},
    {KIND_PNC_ID, "20230583843N", "check letter is N, should be L"},
    {KIND_PNC_ID, "2001/0171310S", "check letter is S, should be W"},
    {KIND_PNC_ID, "1980/0163001B", "check letter is B, should be R"},
    {KIND_PNC_ID, "1X23/1234567A", "not a PNC id"},
    {KIND_PNC_ID, "1923[1234567A", "not a PNC id"},
    {KIND_PNC_ID, "1923/1234567AA", "not a PNC id"},
    {KIND_PNC_ID, "0123567", "not a PNC id"},
    {KIND_PNC_ID, "981/34U", "not a PNC id"},
    {KIND_PNC_ID, "19810/34U", "not a PNC id"},
    {KIND_PNC_ID, "1981//34U", "not a PNC id"},
    {KIND_PNC_ID, "1981/U", "not a PNC id"},
    {KIND_PNC_ID, "81U", "not a PNC id"},
    {KIND_PNC_ID, "8100000034U", "not a PNC id"}, /* 11 characters: eight digits after a short year */
    {KIND_PNC_ID, "1981/00000034U", "not a PNC id"},
    {KIND_PNC_ID, "/34U", "not a PNC id"},
    {KIND_PNC_ID, "X1234U", "not a PNC id"},
    {KIND_PNC_ID, "123X0052494Q", "not a PNC id"},
    {KIND_PNC_ID, "81/34 U", "not a PNC id"},
    {KIND_CRO, "85227/65G", "check letter is G, should be L"},
    {KIND_CRO, "050058/83Z", "check letter is Z, should be B"},
    {KIND_CRO, "SF83/050058Z", "check letter is Z, should be B"},
    {KIND_CRO, "123456/00A", "check letter is A, should be Q"},
    {KIND_CRO, "SF5/482703J", "not a CRO number"},
    {KIND_CRO, "1234567/91H", "not a CRO number"},
    {KIND_CRO, "SF83/1234567A", "not a CRO number"},
    {KIND_CRO, "SF83/A", "not a CRO number"},
    {KIND_CRO, "SF0A/482703J", "not a CRO number"},
    {KIND_CRO, "/91H", "not a CRO number"},
    {KIND_CRO, "65656/1H", "not a CRO number"},
    {KIND_CRO, "65656/91HH", "not a CRO number"},
    {KIND_CRO, "65656/91h", "not a CRO number"},
    {KIND_ASN, "1101ZD0100000448754J", "check letter is J, should be K"},
    {KIND_ASN, "1101ZD01410811A", "check letter is A, should be T"},
    {KIND_ASN, "2202XC0200000000021D", "check letter is D, should be R"},
    {KIND_ASN, "3330000000000678112B", "check letter is B, should be E"},
    {KIND_ASN, "yyffUUSSXXXXD", "not an arrest/summons number"},
    {KIND_ASN, "YY/FFUU/SS/123/D", "not an arrest/summons number"},
    {KIND_ASN, "1101ZD01V", "not an arrest/summons number"},
    {KIND_ASN, "110101ZD0100000410836V", "not an arrest/summons number"},
    {KIND_ASN, "11101ZD0100000410836V", "not an arrest/summons number"},
    {KIND_ASN, "////", "not an arrest/summons number"},
    {KIND_PRISON_NO, "A123BC", "not a prison number"},
    {KIND_PRISON_NO, "a1234bc", "not a prison number"},
    {KIND_PRISON_NO, "A1234B", "not a prison number"},
    {KIND_PRISON_NO, "A1234BCD", "not a prison number"},
    {KIND_PRISON_NO, "1A234BC", "not a prison number"},
    {KIND_PRISON_NO, "AB1234C", "not a prison number"},
    {KIND_CRN, "X12345", "not a case reference"},
    {KIND_CRN, "X1234567", "not a case reference"},
    {KIND_CRN, "x123456", "not a case reference"},
    {KIND_CRN, "123456X", "not a case reference"},
    {KIND_CRN, "X12 345", "not a case reference"},
    {KIND_NHS_NO, "9434765918", "check digit is 8, should be 9"},
    {KIND_NHS_NO, "987654321", "not an NHS number"},
    {KIND_NHS_NO, "98765432100", "not an NHS number"},
    {KIND_NHS_NO, "943476591X", "not an NHS number"},
    {KIND_NHS_NO, "0000000000", "ten equal digits"},
    {KIND_NHS_NO, "1111111111", "ten equal digits"}, /* though its check digit is right */
    {KIND_NHS_NO, "0000000060", "no NHS number begins with"},
    {KIND_DATE, "2026-02-29", "does not exist"},
    {KIND_DATETIME, "2026-12-01T09:14:46", "zone"},
    {KIND_NAME, "", "empty"},
    {KIND_NAME, "   ", "empty"},
    {KIND_NAME, "\u00a0", "empty"},
    {KIND_NAME, "abc\xff", "not UTF-8"},
    {KIND_NAME, "Smith\nJones", "U+000A"},
    {KIND_NAME, "\u202eevil", "U+202E"},
    {KIND_CODE, "keep", "use one of retain, remove, CRD"},
    {KIND_CODE, "crd", "not a known code"},
    {KIND_CODE, "reta", "not a known code"},
    {KIND_AREA, "Stoke", "not an area"},
    {KIND_AREA, "1stoke", "not an area"},
    {KIND_AREA, "stoke on trent", "not an area"},
    {KIND_MEMBER, "staffordshire", "not a member id"},
    {KIND_FORCE, "2", "two digits"},
    {KIND_FORCE, "021", "two digits"},
    {KIND_FORCE, "99", "no police force"},
    {KIND_PRISON, "XXX", "no prison"},
    {KIND_PRISON, "dgi", "no prison"},
    {KIND_CONTACT, "tel\u200b0100", "U+200B"},
    {KIND_TEXT, "a\x7f", "U+007F"},
    {KIND_NUMBER, "1000000000", "at most nine digits"},
    {KIND_NUMBER, "-1", "not a whole number"},
    {KIND_NUMBER, "1.0", "not a whole number"},
    {KIND_NUMBER, "1 0", "not a whole number"},
    {KIND_EVENT, "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "not an event id"},
    {KIND_EVENT, "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "not an event id"}, /* not of version 7 */
    {KIND_PSEUDONYM, "00000001", "not a pseudonym"},
    {KIND_PSEUDONYM, "00000001000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f", NULL},
    {KIND_PSEUDONYM, "00000001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g", NULL},
    {KIND_PSEUDONYM, "0-000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", NULL},
    {KIND_PSEUDONYM, "01-000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", NULL},
    {KIND_LABELS, "dob,dob", "stands twice"},
    {KIND_LABELS, "dob,,name", "not a list"},
    {KIND_LABELS, "dob,", "comma"},
};

static enum status canonical(enum kind kind, const char *in, char *out, struct kind_reason *reason)
{
    return kind_canonical(kind, &limits, YEAR_NOW, bytes_of_string(in), out, KIND_VALUE_SIZE, reason);
}

static void accepts_what_is_right(void **state)
{
    char out[KIND_VALUE_SIZE];
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        const struct good *each = &accepted[i];
        const char *expected = each->canonical != NULL ? each->canonical : each->in;
        if (canonical(each->kind, each->in, out, &reason) != STATUS_OK)
            fail_msg("%s '%s': %s", kind_name(each->kind), each->in, reason.text);
        assert_string_equal(out, expected);
        assert_int_equal(kind_check(each->kind, &limits, bytes_of_string(expected), &reason), STATUS_OK);
        if (each->canonical != NULL) {
            assert_int_equal(kind_check(each->kind, &limits, bytes_of_string(each->in), &reason),
                             STATUS_NOT_CANONICAL);
            assert_non_null(strstr(reason.text, kind_form(each->kind)));
        }
    }
}

static void refuses_what_is_wrong_and_says_why(void **state)
{
    char out[KIND_VALUE_SIZE] = "untouched";
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct bad *each = &refused[i];
        if (canonical(each->kind, each->in, out, &reason) != STATUS_BAD_FORMAT)
            fail_msg("%s '%s' was accepted", kind_name(each->kind), each->in);
        if (each->reason != NULL && strstr(reason.text, each->reason) == NULL)
            fail_msg("%s '%s': reason was '%s'", kind_name(each->kind), each->in, reason.text);
        assert_string_equal(out, "untouched");
        assert_int_equal(kind_check(each->kind, &limits, bytes_of_string(each->in), &reason),
                         STATUS_BAD_FORMAT);
        assert_int_equal(kind_check(each->kind, &limits, bytes_of_string(each->in), NULL), STATUS_BAD_FORMAT);
    }
}

static void a_zero_byte_is_never_part_of_a_value(void **state)
{
    char text[KIND_VALUE_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        const char *value = accepted[i].canonical != NULL ? accepted[i].canonical : accepted[i].in;
        size_t size = strlen(value);
        memcpy(text, value, size + 1);
        assert_int_equal(kind_check(accepted[i].kind, &limits, bytes_view(text, size + 1), NULL),
                         STATUS_BAD_FORMAT);
    }
}

static void short_years_turn_with_the_year_now(void **state)
{
    static const struct {
        unsigned year_now;
        const char *canonical;
    } cases[] = {{2026, "1981/0000034U"},
                 {2080, "1981/0000034U"},
                 {2081, "2081/0000034U"},
                 {2082, "2081/0000034U"},
                 {1999, "2081/0000034U"}};
    char out[KIND_VALUE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(kind_canonical(KIND_PNC_ID, NULL, cases[i].year_now, bytes_of_string("81/34U"), out,
                                        sizeof out, NULL),
                         STATUS_OK);
        assert_string_equal(out, cases[i].canonical);
        assert_int_equal(kind_canonical(KIND_PNC_ID, NULL, cases[i].year_now, bytes_of_string("1981/34U"),
                                        out, sizeof out, NULL),
                         STATUS_OK);
        assert_string_equal(out, "1981/0000034U");
    }
}

static void lengths_count_characters(void **state)
{
    static const enum kind kinds[] = {KIND_NAME, KIND_CONTACT, KIND_TEXT};
    char text[3 * KIND_VALUE_SIZE];
    struct kind_limits ten = {.max_length = 10}, generous = {.max_length = 100000};
    struct kind_reason reason;

    (void)state;
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t most = kind_max_length(kinds[i]);
        assert_int_equal(kind_check(kinds[i], NULL, bytes_view(text, 2 * most), NULL), STATUS_OK);
        assert_int_equal(kind_check(kinds[i], NULL, bytes_view(text, 2 * most + 2), NULL), STATUS_TOO_LARGE);
        assert_int_equal(kind_check(kinds[i], &generous, bytes_view(text, 2 * most + 2), NULL),
                         STATUS_TOO_LARGE);
        assert_int_equal(kind_check(kinds[i], NULL, bytes_view(text, sizeof text), NULL), STATUS_TOO_LARGE);
        assert_int_equal(kind_check(kinds[i], &ten, bytes_view(text, 20), NULL), STATUS_OK);
        assert_int_equal(kind_check(kinds[i], &ten, bytes_view(text, 22), &reason), STATUS_TOO_LARGE);
        assert_string_equal(reason.text, "longer than 10 characters: shorten it");
    }
}

static void no_kind_takes_a_huge_value(void **state)
{
    static char text[100 * KIND_VALUE_SIZE];

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        assert_int_equal(kind_check((enum kind)i, NULL, bytes_view(text, sizeof text), NULL),
                         STATUS_TOO_LARGE);
        assert_int_equal(kind_check((enum kind)i, NULL, bytes_view(text, KIND_VALUE_SIZE), NULL),
                         STATUS_TOO_LARGE);
        assert_int_not_equal(kind_check((enum kind)i, NULL, bytes_view(text, KIND_VALUE_SIZE - 1), NULL),
                             STATUS_OK);
    }
}

static void a_small_output_is_an_error(void **state)
{
    char out[14] = "";

    (void)state;
    assert_int_equal(kind_canonical(KIND_PNC_ID, NULL, YEAR_NOW, bytes_of_string("81/34U"), out, 13, NULL),
                     STATUS_TOO_LARGE);
    assert_string_equal(out, "");
    assert_int_equal(kind_canonical(KIND_PNC_ID, NULL, YEAR_NOW, bytes_of_string("81/34U"), out, 14, NULL),
                     STATUS_OK);
}

static void a_code_needs_its_list(void **state)
{
    char many[60][12];
    const char *list[60];
    struct kind_limits long_list = {.codes = list, .code_count = 60};
    struct kind_reason reason;

    (void)state;
    assert_int_equal(kind_check(KIND_CODE, NULL, bytes_of_string("retain"), &reason), STATUS_BAD_FORMAT);
    for (size_t i = 0; i < 60; i++) {
        snprintf(many[i], sizeof many[i], "code_%zu", i);
        list[i] = many[i];
    }
    assert_int_equal(kind_check(KIND_CODE, &long_list, bytes_of_string("code_59"), &reason), STATUS_OK);
    assert_int_equal(kind_check(KIND_CODE, &long_list, bytes_of_string("code_60"), &reason),
                     STATUS_BAD_FORMAT);
    assert_non_null(strstr(reason.text, "60 codes"));
}

static void the_table_is_found_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        enum kind kind = KIND_LABELS;
        assert_int_equal(kind_from_name(bytes_of_string(kind_name((enum kind)i)), &kind), STATUS_OK);
        assert_int_equal(kind, i);
        assert_true(strlen(kind_description(kind)) > 0);
        assert_true(kind_max_length(kind) < KIND_VALUE_SIZE);
    }
    enum kind kind = KIND_CRO;
    assert_int_equal(kind_from_name(bytes_of_string("PNC_ID"), &kind), STATUS_NOT_FOUND);
    assert_int_equal(kind_from_name(bytes_of_string(""), &kind), STATUS_NOT_FOUND);
    assert_int_equal(kind, KIND_CRO);
}

/* Of the 26 letters only the right one is accepted after these characters. */
static void assert_one_letter_fits(enum kind kind, const char *before, char right)
{
    char in[64], wanted[64], out[KIND_VALUE_SIZE], again[KIND_VALUE_SIZE];
    struct kind_reason reason;

    for (char letter = 'A'; letter <= 'Z'; letter++) {
        snprintf(in, sizeof in, "%s%c", before, letter);
        enum status status = canonical(kind, in, out, &reason);
        if (letter != right) {
            assert_int_equal(status, STATUS_BAD_FORMAT);
            snprintf(wanted, sizeof wanted, "check letter is %c, should be %c", letter, right);
            assert_non_null(strstr(reason.text, wanted));
            continue;
        }
        if (status != STATUS_OK)
            fail_msg("%s: %s", in, reason.text);
        assert_int_equal(canonical(kind, out, again, &reason), STATUS_OK);
        assert_string_equal(out, again);
        assert_int_equal(kind_check(kind, NULL, bytes_of_string(out), NULL), STATUS_OK);
    }
}

static void exactly_one_check_letter_fits(void **state)
{
    struct support_random random = support_seeded(23);
    char text[64];

    (void)state;
    for (size_t i = 0; i < support_count(500); i++) {
        unsigned year = (unsigned)support_below(&random, 100);
        unsigned serial = (unsigned)support_below(&random, 10000000);
        unsigned short_serial = serial % 1000000;
        char letter = check_letter_of((uint64_t)year * 1000000 + short_serial);
        snprintf(text, sizeof text, "%02u/%u", year, serial);
        assert_one_letter_fits(KIND_PNC_ID, text, check_letter_of((uint64_t)year * 10000000 + serial));
        snprintf(text, sizeof text, "%u/%02u", short_serial, year);
        assert_one_letter_fits(KIND_CRO, text, letter);
        snprintf(text, sizeof text, "SF%02u/%06u", year, short_serial);
        assert_one_letter_fits(KIND_CRO, text, letter);
        uint64_t number = ((uint64_t)(2100 + year)) * UINT64_C(100000000000) + serial; /* force 21 */
        snprintf(text, sizeof text, "%02u21A%uXX%u", year, year % 10, serial);
        assert_one_letter_fits(KIND_ASN, text, check_letter_of(number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_is_right),
        cmocka_unit_test(refuses_what_is_wrong_and_says_why),
        cmocka_unit_test(a_zero_byte_is_never_part_of_a_value),
        cmocka_unit_test(short_years_turn_with_the_year_now),
        cmocka_unit_test(lengths_count_characters),
        cmocka_unit_test(no_kind_takes_a_huge_value),
        cmocka_unit_test(a_small_output_is_an_error),
        cmocka_unit_test(a_code_needs_its_list),
        cmocka_unit_test(the_table_is_found_by_name),
        cmocka_unit_test(exactly_one_check_letter_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
