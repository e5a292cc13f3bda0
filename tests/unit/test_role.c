#include "tests/support/support.h"

#include "certs/role.h"

static void every_role_comes_back(void **state)
{
    (void)state;
    static const char *const words[] = {"agent", "broker", "authority", "log"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        enum role role = ROLE_LOG;
        assert_int_equal(role_parse(bytes_of_string(words[i]), &role), STATUS_OK);
        assert_string_equal(role_text(role), words[i]);
    }
}

static void other_words_are_no_role(void **state)
{
    (void)state;
    static const char *const words[] = {"", "Agent", "agent ", "agen", "root"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        enum role role = ROLE_LOG;
        assert_int_equal(role_parse(bytes_of_string(words[i]), &role), STATUS_BAD_FORMAT);
        assert_int_equal(role, ROLE_LOG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_comes_back),
        cmocka_unit_test(other_words_are_no_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
