#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/feed_install.h"
#include "agent/feed_mapping.h"
#include "base/yaml_errors.h"

static struct yaml_errors errors;

static enum status load(const char *text, struct feed_mapping **ret_mapping)
{
    memset(&errors, 0, sizeof errors);
    return feed_mapping_load(bytes_of_string(text), &errors, ret_mapping);
}

static void the_shipped_ones_load(void **state)
{
    struct feed_mapping *mapping = NULL;

    (void)state;
    assert_int_equal(load(feed_install_text("release-extract"), &mapping), STATUS_OK);
    assert_int_equal(mapping->does, FEED_DOES_RELEASES);
    assert_true(mapping->establishments_from_protocol);
    assert_int_equal(mapping->ours.count, 1);
    assert_true(mapping->ours.list[0].establishments);
    assert_int_equal(mapping->skip.list[0].test, FEED_TEST_IN);
    assert_true(feed_mapping_code(mapping->skip.list[0].codes, bytes_of_string("ROTL")));
    assert_false(feed_mapping_code(mapping->skip.list[0].codes, bytes_of_string("CRD")));
    assert_int_equal(feed_mapping_value(&mapping->values, "name")->from_count, 2);
    assert_string_equal(feed_mapping_value(&mapping->values, "name")->join, ", ");
    assert_string_equal(feed_mapping_value(&mapping->values, "dob")->patterns[0], "DD/MM/YYYY");
    assert_string_equal(feed_mapping_look_up(feed_mapping_value(&mapping->values, "confidence")->lookup,
                                             bytes_of_string("CALCULATED")),
                        "calculated");
    assert_string_equal(mapping->gone.list[0].constant, "row_gone");
    feed_mapping_free(&mapping);
    assert_int_equal(load(feed_install_text("ppo-list"), &mapping), STATUS_OK);
    assert_int_equal(mapping->does, FEED_DOES_LIST);
    feed_mapping_free(&mapping);
    assert_null(feed_install_text("none"));
}

/* Messages of HMPPS: JSON lines, paths, conditions, several kinds of event. */
static const char hmpps[] =
    "does: events\n"
    "format: jsonl\n"
    "establishments: [DGI, SFI]\n"
    "ours:\n"
    "  - {from: additionalInformation.prisonId, in: establishments}\n"
    "skip:\n"
    "  - {from: additionalInformation.nomisMovementReasonCode, in: [DEC, HO, HP, UAL], because: no release}\n"
    "values:\n"
    "  prison_no: {from: additionalInformation.nomsNumber, required: yes}\n"
    "  prison: additionalInformation.prisonId\n"
    "events:\n"
    "  - event: custody.received\n"
    "    when:\n"
    "      - {from: eventType, in: [prison-offender-events.prisoner.received]}\n"
    "      - {from: additionalInformation.reason, not_in: [TRANSFERRED]}\n"
    "    values:\n"
    "      reason: {from: additionalInformation.nomisMovementReasonCode, lookup: {N: admission, R: recall}, "
    "otherwise: return}\n"
    "      legal: {constant: unknown}\n";

static void events_of_json_lines(void **state)
{
    struct feed_mapping *mapping = NULL;

    (void)state;
    assert_int_equal(load(hmpps, &mapping), STATUS_OK);
    assert_int_equal(mapping->event_count, 1);
    assert_string_equal(mapping->events[0].type, "custody.received");
    assert_int_equal(mapping->events[0].when.count, 2);
    assert_int_equal(mapping->events[0].when.list[1].test, FEED_TEST_NOT_IN);
    assert_string_equal(mapping->events[0].values.list[0].otherwise, "return");
    assert_string_equal(mapping->events[0].values.list[1].constant, "unknown");
    assert_int_equal(mapping->field_count, 5);
    feed_mapping_free(&mapping);
}

#define RELEASES                                                                                             \
    "does: release snapshot\nformat: csv\nestablishments: [DGI]\nvalues:\n  prison_no: A\n  pnc_id: B\n"     \
    "  prison: C\n  release_date: D\n  date_type: E\n  home_force: F\n"
#define LIST "does: list\nformat: csv\nvalues:\n  pnc_id: A\n"

static void mistakes_are_told_where_they_are(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *says;
    } cases[] = {
        {"does: list\nformat: csv\n", 1, "values"},
        {"does: list\nvalues: {pnc_id: A}\n", 1, "format"},
        {"does: lists\nformat: csv\nvalues: {pnc_id: A}\n", 1, "release snapshot"},
        {LIST "extra: 1\n", 5, "unknown key"},
        {LIST "format: csv\n", 5, "format"},
        {LIST "encoding: utf-16\n", 5, "windows-1252"},
        {LIST "delimiter: x\n", 5, "tab"},
        {"does: list\nformat: jsonl\nencoding: latin-1\nvalues: {pnc_id: A}\n", 3, "always UTF-8"},
        {"does: list\nformat: jsonl\ndelimiter: ;\nvalues: {pnc_id: A}\n", 3, "no delimiter"},
        {"does: list\nformat: csv\nvalues: {name: A}\n", 1, "pnc_id"},
        {LIST "  dob: {from: X, date: DD/MM/YY}\n", 5, "not a way to write a date"},
        {LIST "  dob: {from: X, date: [DD/MM/YYYY, MM]}\n", 5, "not a way to write a date"},
        {LIST "  dob: {date: DD/MM/YYYY}\n", 5, "from or constant"},
        {LIST "  dob: {from: X, constant: 2020-01-01}\n", 5, "stands alone"},
        {LIST "  name: {from: X, join: y}\n", 5, "several columns"},
        {LIST "  strand: {from: X, otherwise: y}\n", 5, "needs a lookup"},
        {LIST "  strand: {from: X, lookup: none}\n", 5, "no lookup 'none'"},
        {LIST "  strand: {from: X, lookup: {}}\n", 5, "1 to 512"},
        {LIST "  strand: {from: X, lookup: {a: b}, date: DD/MM/YYYY}\n", 5, "not both"},
        {LIST "  strand: {from: X, required: maybe}\n", 5, "yes"},
        {LIST "  strand: {from: X, frm: Y}\n", 5, "unknown key"},
        {LIST "ours: [{from: X, in: establishments}]\n", 5, "names no establishments"},
        {LIST "ours: [{from: X}]\n", 5, "exactly one"},
        {LIST "ours: [{from: X, in: [a], not_in: [b]}]\n", 5, "exactly one"},
        {LIST "ours: [{in: [a]}]\n", 5, "from"},
        {LIST "ours: [{from: X, in: []}]\n", 5, ""},
        {LIST "on_change: {cause: other}\n", 5, "release snapshot"},
        {LIST "events: [{event: arrest.made}]\n", 5, "only a feed that does events"},
        {LIST "lookups: {a: b}\n", 5, ""},
        {"does: events\nformat: csv\nvalues: {pnc_id: A}\n", 1, "needs events"},
        {"does: events\nformat: csv\nvalues: {pnc_id: A}\nevents: [{when: [{from: A, empty: no}]}]\n", 4,
         "event"},
        {"does: events\nformat: csv\nvalues: {pnc_id: A}\nevents: [{event: a.b}]\non_gone: {reason: other}\n",
         5, "no on_gone"},
        {"does: release snapshot\nformat: csv\nvalues: {pnc_id: A}\n", 1, "prison_no"},
        {"does: release snapshot\nformat: csv\nestablishments: DGI\nvalues: {pnc_id: A}\n", 3,
         "from protocol"},
        {"does: [list\n", 2, ""},
        {"", 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed_mapping *mapping = NULL;
        struct byte_buffer all = bytes_buffer(1 << 16);

        assert_int_equal(load(cases[i].text, &mapping), STATUS_BAD_FORMAT);
        assert_null(mapping);
        assert_true(errors.count > 0);
        yaml_errors_write(&errors, "feed.yaml", &all);
        bytes_append_u8(&all, 0);
        if (errors.list[0].line != cases[i].line || strstr((const char *)all.data, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, (const char *)all.data);
        bytes_buffer_free(&all);
    }
}

static void good_variants_load(void **state)
{
    static const char *const texts[] = {
        RELEASES,
        RELEASES
        "ours: [{from: C, in: establishments}]\non_change: {cause: other}\non_gone: {cause: other}\n",
        LIST "delimiter: tab\nencoding: latin-1\nprotocol: some\n",
        LIST "  strand: {from: X, lookup: s}\nlookups: {s: {a: b}}\n",
        LIST "skip: [{from: A, empty: yes}, {from: B, empty: no}]\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct feed_mapping *mapping = NULL;

        if (load(texts[i], &mapping) != STATUS_OK)
            fail_msg("case %zu: %s", i, errors.list[0].text);
        feed_mapping_free(&mapping);
    }
}

static void limits_hold(void **state)
{
    struct byte_buffer text = bytes_buffer(1 << 20);
    struct feed_mapping *mapping = NULL;

    (void)state;
    bytes_append_string(&text, LIST);
    for (int i = 0; i < FEED_VALUES_MAX; i++)
        bytes_append_format(&text, "  v%d: c%d\n", i, i);
    bytes_append_u8(&text, 0);
    assert_int_equal(load((const char *)text.data, &mapping), STATUS_BAD_FORMAT);
    text.size = 0;
    bytes_append_string(&text, LIST "ours:\n");
    for (int i = 0; i <= FEED_CONDITIONS_MAX; i++)
        bytes_append_string(&text, "  - {from: A, empty: no}\n");
    bytes_append_u8(&text, 0);
    assert_int_equal(load((const char *)text.data, &mapping), STATUS_BAD_FORMAT);
    text.size = 0;
    bytes_append_string(&text, LIST "  name: {from: [");
    for (int i = 0; i <= FEED_JOIN_MAX; i++)
        bytes_append_format(&text, "c%d, ", i);
    bytes_append_string(&text, "x]}\n");
    bytes_append_u8(&text, 0);
    assert_int_equal(load((const char *)text.data, &mapping), STATUS_BAD_FORMAT);
    bytes_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_ones_load),
        cmocka_unit_test(events_of_json_lines),
        cmocka_unit_test(mistakes_are_told_where_they_are),
        cmocka_unit_test(good_variants_load),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
