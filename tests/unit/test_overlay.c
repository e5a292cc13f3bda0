#include "tests/support/support.h"

#include <string.h>

#include "base/yaml_errors.h"
#include "policy/overlay.h"
#include "policy/protocol.h"
#include "tests/support/policy.h"

static struct yaml_errors errors;
static struct overlay_merged merged;
static bool in_overlay;

static enum status merge(const char *base, const char *overlay)
{
    memset(&errors, 0, sizeof errors);
    return overlay_merge(bytes_of_string(base), bytes_of_string(overlay), &errors, &merged, &in_overlay);
}

#define BASE                                                                                                 \
    "# head\nprotocol: a\nversion: 3\ntitle: old\n\n# who\nparties:\n  p.one: {}\n  # about two\n  p.two: "  \
    "{}\n"                                                                                                   \
    "  p.three: {}\n\nrules:\n  r: {x: 1}\n"
#define OVER "overlay_of: {protocol: a, version: 3}\n# mine\nprotocol: b\nversion: 1\n"

static void expect(const char *overlay, const char *text)
{
    assert_int_equal(merge(BASE, overlay), STATUS_OK);
    bytes_append_u8(&merged.text, 0);
    assert_string_equal((const char *)merged.text.data, text);
    overlay_merged_free(&merged);
}

static void test_merge(void **state)
{
    (void)state;
    expect(OVER,
           "# mine\nprotocol: b\nversion: 1\ntitle: old\n\n# who\nparties:\n  p.one: {}\n  # about two\n"
           "  p.two: {}\n  p.three: {}\n\nrules:\n  r: {x: 1}\n");
    expect(OVER "title: new\nremove: {parties: [p.two]}\nparties:\n  p.one: {areas: [x]}\n  p.four: {}\n",
           "# mine\nprotocol: b\nversion: 1\ntitle: new\n# who\nparties:\n  p.one: {areas: [x]}\n  p.three: "
           "{}\n\n"
           "  p.four: {}\nrules:\n  r: {x: 1}\n");
    expect(OVER "denials:\n  d: {}\n",
           "# mine\nprotocol: b\nversion: 1\ntitle: old\n\n# who\nparties:\n  p.one: {}\n  # about two\n"
           "  p.two: {}\n  p.three: {}\n\nrules:\n  r: {x: 1}\ndenials:\n  d: {}\n");
}

static void test_origins(void **state)
{
    (void)state;
    assert_int_equal(merge(BASE, OVER "title: new\n"), STATUS_OK);
    assert_true(overlay_origin(&merged, 1).overlay);
    assert_int_equal(overlay_origin(&merged, 1).line, 2);
    assert_true(overlay_origin(&merged, 4).overlay);
    assert_int_equal(overlay_origin(&merged, 4).line, 5);
    assert_false(overlay_origin(&merged, 5).overlay);
    assert_int_equal(overlay_origin(&merged, 5).line, 6);
    overlay_merged_free(&merged);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *overlay;
        const char *says;
        uint32_t line;
    } rows[] = {
        {"protocol: b\nversion: 1\n", "'overlay_of'", 1},
        {"overlay_of: {protocol: c, version: 3}\nprotocol: b\nversion: 1\n", "another protocol", 1},
        {"overlay_of: {protocol: a, version: 2}\nprotocol: b\nversion: 1\n", "another version", 1},
        {"overlay_of: {protocol: a, version: 3}\nversion: 1\n", "'protocol'", 1},
        {OVER "remove: {parties: [p.nine]}\n", "no such entry", 5},
        {OVER "remove: {title: [x]}\n", "have no names", 5},
        {OVER "remove: {parties: [p.one]}\nparties:\n  p.one: {}\n", "removed and written anew", 5},
        {OVER "parties: {p.one: {}}\n", "on a line of its own", 5},
        {OVER "parties:\n    p.one: {}\n", "indented as in the base", 6},
        {OVER "parties: [p.one]\n", "mapping of named entries", 5},
        {OVER "title: [\n", "", 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_not_equal(merge(BASE, rows[i].overlay), STATUS_OK);
        assert_true(in_overlay);
        assert_int_equal(errors.count, 1);
        if (errors.list[0].line != rows[i].line || strstr(errors.list[0].text, rows[i].says) == NULL)
            fail_msg("%s: %u: %s", rows[i].overlay, errors.list[0].line, errors.list[0].text);
    }
    assert_int_not_equal(merge("parties: [\n", OVER), STATUS_OK);
    assert_false(in_overlay);
}

/* A line that looks like a comment but is text may not change sides. */
static void test_text_is_not_torn(void **state)
{
    (void)state;
    assert_int_not_equal(
        merge("protocol: a\nversion: 3\ntitle: 'one\n\n  # two'\nowner: x\n", OVER "owner: y\n"), STATUS_OK);
    assert_non_null(strstr(errors.list[0].text, "cannot be put together"));
}

/* The shipped overlay makes a protocol of the shipped base, always the same bytes, and only its own parties.
 */
static void test_shipped(void **state)
{
    struct byte_buffer base = policy_file("staffordshire-ppo.yaml", NULL),
                       good = policy_file("catalogue.yaml", NULL);
    struct byte_buffer overlay = policy_file("derbyshire-reach.yaml", NULL);
    struct overlay_merged again;
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;

    (void)state;
    memset(&errors, 0, sizeof errors);
    assert_int_equal(
        overlay_merge(bytes_buffer_view(&base), bytes_buffer_view(&overlay), &errors, &merged, &in_overlay),
        STATUS_OK);
    assert_int_equal(
        overlay_merge(bytes_buffer_view(&base), bytes_buffer_view(&overlay), &errors, &again, &in_overlay),
        STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&merged.text), bytes_buffer_view(&again.text)));
    assert_int_equal(catalogue_load(bytes_buffer_view(&good), &errors, &catalogue), STATUS_OK);
    if (protocol_load(bytes_buffer_view(&merged.text), catalogue, &errors, &protocol) != STATUS_OK)
        fail_msg("%u: %s", errors.list[0].line, errors.list[0].text);
    assert_string_equal(protocol->id, "derbyshire-reach");
    assert_int_not_equal(protocol_find_party(protocol, bytes_of_string("reach_team.derby")), PROTOCOL_NONE);
    assert_int_equal(protocol_find_party(protocol, bytes_of_string("police.staffordshire")), PROTOCOL_NONE);
    assert_int_not_equal(protocol_find_rule(protocol, bytes_of_string("team-treatment")), PROTOCOL_NONE);
    assert_int_not_equal(protocol_find_rule(protocol, bytes_of_string("release-notice")), PROTOCOL_NONE);
    protocol_free(&protocol);
    catalogue_free(&catalogue);
    overlay_merged_free(&merged);
    overlay_merged_free(&again);
    bytes_buffer_free(&base);
    bytes_buffer_free(&good);
    bytes_buffer_free(&overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),    cmocka_unit_test(test_origins),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_text_is_not_torn),
        cmocka_unit_test(test_shipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
