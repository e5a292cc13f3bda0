#include "tests/support/support.h"

#include "proto/codes.h"

static void names_known_codes(void **state)
{
    (void)state;
    assert_string_equal(codes_force_name(bytes_of_string("21")), "Staffordshire");
    assert_string_equal(codes_force_name(bytes_of_string("01")), "Metropolitan");
    assert_string_equal(codes_force_name(bytes_of_string("93")), "British Transport Police");
    assert_string_equal(codes_prison_name(bytes_of_string("DGI")), "Dovegate");
    assert_string_equal(codes_prison_name(bytes_of_string("ACI")), "Altcourse");
    assert_string_equal(codes_prison_name(bytes_of_string("ZZGHI")), "Ghost Holding Establishment");
}

static void unknown_codes_have_no_name(void **state)
{
    static const char *const unknown[] = {"", "00", "2", "021", "21 ", "99", "XXX", "dgi", "DGI ", "DG"};

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_false(codes_is_force(bytes_of_string(unknown[i])));
        assert_false(codes_is_prison(bytes_of_string(unknown[i])));
    }
    assert_false(codes_is_prison(bytes_view("DGI\0", 4)));
    assert_false(codes_is_force(bytes_view(NULL, 0)));
}

/* The search by halves needs ascending codes, and every entry must be found. */
static void tables_are_whole_and_ascending(void **state)
{
    size_t forces = 0, prisons = 0;

    (void)state;
    for (const struct codes_entry *entry; (entry = codes_force_at(forces)) != NULL; forces++) {
        assert_ptr_equal(codes_force_name(bytes_of_string(entry->code)), entry->name);
        if (forces > 0)
            assert_true(bytes_compare(bytes_of_string(codes_force_at(forces - 1)->code),
                                      bytes_of_string(entry->code)) < 0);
    }
    for (const struct codes_entry *entry; (entry = codes_prison_at(prisons)) != NULL; prisons++) {
        assert_ptr_equal(codes_prison_name(bytes_of_string(entry->code)), entry->name);
        if (prisons > 0)
            assert_true(bytes_compare(bytes_of_string(codes_prison_at(prisons - 1)->code),
                                      bytes_of_string(entry->code)) < 0);
    }
    assert_int_equal(forces, 45);
    assert_int_equal(prisons, 124);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_known_codes),
        cmocka_unit_test(unknown_codes_have_no_name),
        cmocka_unit_test(tables_are_whole_and_ascending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
