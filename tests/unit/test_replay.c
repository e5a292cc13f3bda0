#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/replay.h"
#include "policy/replaying.h"
#include "tests/support/policy.h"

static struct policy_world before, after;
static struct byte_buffer text;
static struct kind_reason reason;

#define LINE                                                                                                 \
    "{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"id\":\"00\",\"subject\":\"00\",\"event\":\"release."    \
    "planned\","                                                                                             \
    "\"from\":\"prison.dovegate\",\"attributes\":{\"release_date\":\"2027-01-15\"},\"held\":[\"name\","      \
    "\"dob\","                                                                                               \
    "\"address\"],\"juvenile\":\"no\",\"person\":{\"listed\":\"yes\",\"review_due\":\"2026-12-15\","         \
    "\"strand\":\"catch_convict\",\"area\":\"stoke\",\"home_force\":\"21\",\"consents\":{\"throughcare\":"   \
    "{\"expires\":\"2027-06-30\"}}},\"disclosed\":{\"drugs.stoke\":[\"name\",\"dob\",\"release_date\"],"     \
    "\"police.staffordshire\":[\"name\",\"dob\",\"release_date\"],\"probation.staffordshire\":[\"name\","    \
    "\"dob\","                                                                                               \
    "\"release_date\",\"address\"]}}"

static enum status read_line(const char *line, struct replay **ret)
{
    reason.text[0] = '\0';
    return replay_read(bytes_of_string(line), ret, &reason);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } rows[] = {
        {"\"replay\":1", "\"replay\":2", "another version"},
        {"\"replay\":1,", "", "'replay' is not 1"},
        {"\"at\":\"2026-12-01T09:00:00Z\",", "", "'at' is missing"},
        {"2026-12-01T09:00:00Z", "yesterday", "'at' is no time"},
        {"\"event\":\"release.planned\"", "\"event\":7", "'event' is no text"},
        {"\"from\":\"prison.dovegate\",", "", "'from' is missing"},
        {"\"release_date\":\"2027-01-15\"", "\"release_date\":20270115", "'attributes' holds something"},
        {"\"held\":[\"name\"", "\"held\":[7", "'held' holds something"},
        {"\"juvenile\":\"no\"", "\"juvenile\":\"never\"", "'juvenile' is not yes, no or unknown"},
        {"\"listed\":\"yes\"", "\"listed\":true", "'listed' is no text"},
        {"\"listed\":\"yes\"", "\"listed\":\"perhaps\"", "'listed': write yes or no"},
        {"\"listed\":\"yes\"", "\"name\":\"Anna\"", "'person' has a key"},
        {"\"expires\":\"2027-06-30\"", "\"expires\":\"later\"", "'expires' is no date"},
        {"\"expires\":\"2027-06-30\"", "\"given\":\"2026-06-30T00:00:00Z\"", "'expires' is missing"},
        {"\"drugs.stoke\":[", "\"Drugs\":[", "no member id"},
        {"\"id\":\"00\"", "\"identity\":\"00\"", "a key that this version does not know"},
        {"\"id\":\"00\"", "\"at\":\"00\"", "no JSON object"},
        {"\"id\":\"00\"", "\"answers\":{\"event\":\"x\"}", "'from' is missing"},
        {"\"id\":\"00\"", "\"supersedes\":\"yes\"", "neither true nor false"},
        {"{\"replay\"", "[{\"replay\"", "no JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(LINE, rows[i].from);
        char *line = malloc(sizeof LINE + 100);
        struct replay *replay = NULL;

        assert_non_null(line);
        assert_non_null(at);
        sprintf(line, "%.*s%s%s", (int)(at - LINE), LINE, rows[i].to, at + strlen(rows[i].from));
        assert_int_equal(read_line(line, &replay), STATUS_BAD_FORMAT);
        assert_null(replay);
        if (strstr(reason.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].says, reason.text);
        free(line);
    }
}

static void test_bind(void **state)
{
    static struct replay_bound bound;
    struct replay *replay = NULL;

    (void)state;
    policy_open(&before, NULL);
    assert_int_equal(read_line(LINE, &replay), STATUS_OK);
    assert_true(replay_bind(replay, before.protocol, &bound));
    policy_decide(before.protocol, &bound.facts, &bound.request, bound.at, &before.decision);
    assert_int_equal(before.decision.recipient_count, 3);
    assert_string_equal(before.decision.recipients[0].to, "drugs.stoke");
    assert_int_equal(label_set_count(&before.decision.recipients[0].labels), 3);
    assert_int_equal(replay_disclosed(replay), 3);
    assert_true(replay_received(replay, 2, "address"));
    assert_false(replay_received(replay, 1, "address"));
    replay_free(&replay);

    assert_int_equal(
        read_line("{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"event\":\"no.such\",\"from\":\"a.b\"}",
                  &replay),
        STATUS_OK);
    assert_false(replay_bind(replay, before.protocol, &bound));
    replay_free(&replay);
    policy_close(&before);
}

/* One line, the shipped protocol and one with these edits. */
static uint64_t replay_under(const char *line, const struct policy_edit *edits)
{
    struct replaying *replaying;
    struct replay *replay = NULL;
    uint64_t differ;

    policy_open(&before, NULL);
    policy_open(&after, edits);
    replaying = replaying_new(before.protocol, after.protocol);
    assert_non_null(replaying);
    assert_int_equal(read_line(line, &replay), STATUS_OK);
    assert_int_equal(replaying_add(replaying, replay, 1), STATUS_OK);
    assert_int_equal(replaying_add(replaying, replay, 2), STATUS_OK);
    bytes_buffer_free(&text);
    text = bytes_buffer(65536);
    differ = replaying_write(replaying, &text);
    bytes_append_u8(&text, 0);
    replay_free(&replay);
    replaying_free(&replaying);
    policy_close(&after);
    policy_close(&before);
    return differ;
}

static void says(const char *part)
{
    if (strstr((const char *)text.data, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, (const char *)text.data);
}

static void test_replay(void **state)
{
    static const struct policy_edit other_consent[] = {{"consent: throughcare", "consent: referral"},
                                                       {NULL, NULL}};
    static const struct policy_edit items[] = {
        {"release.planned: [release_date, date_type, licence_conditions, address]",
         "release.planned: [release_date, date_type, licence_conditions]"},
        {"release.planned: [release_date, date_type, home_district, licence_conditions]",
         "release.planned: [release_date, date_type, home_district, address]"},
        {NULL, NULL}};
    static const struct policy_edit years[] = {{"from: \"2026-04-01\"", "from: \"2027-01-01\""},
                                               {NULL, NULL}};

    (void)state;
    assert_int_equal(replay_under(LINE, NULL), 0);
    says("Past traffic: 2 events, 6 disclosures under version ");
    assert_null(strstr((const char *)text.data, "decided otherwise"));

    assert_int_equal(replay_under(LINE, other_consent), 2);
    says("2 of them would be refused, 0 would have other items, and 0 more would be granted.");
    says("- 2 times (first on line 1): release.planned from prison.dovegate to drugs.stoke would now be "
         "refused: ");
    says("no consent 'referral' is in force");

    assert_int_equal(replay_under(LINE, items), 4);
    says("release.planned from prison.dovegate to probation.staffordshire would now lose address.");
    says("release.planned from prison.dovegate to police.staffordshire would now gain address.");

    assert_int_equal(replay_under(LINE, years), 0);
    bytes_buffer_free(&text);
}

/* What was refused for want of a consent is granted by a version that does not ask for one. */
static void test_granted(void **state)
{
    static const char line[] =
        "{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"event\":\"release.planned\",\"from\":\"prison."
        "dovegate\","
        "\"attributes\":{\"release_date\":\"2027-01-15\"},\"held\":[\"name\"],\"juvenile\":\"no\","
        "\"person\":{\"listed\":\"yes\",\"review_due\":\"2026-12-15\",\"strand\":\"catch_convict\",\"area\":"
        "\"stoke\","
        "\"home_force\":\"21\"}}";
    static const struct policy_edit edits[] = {{"        consent: throughcare\n", ""}, {NULL, NULL}};

    (void)state;
    assert_int_equal(replay_under(line, edits), 2);
    says("release.planned from prison.dovegate to drugs.stoke would now be granted, under rule "
         "release-notice. "
         "Before: Rule release-notice: release.planned is not for drugs.stoke, because no consent "
         "'throughcare'");
    says("2 events are decided otherwise under version");
    bytes_buffer_free(&text);
}

/* An answer is replayed with what was asked; a correction goes to whoever was told, whatever a protocol says.
 */
static void test_answers_and_corrections(void **state)
{
    static const char answer[] =
        "{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"event\":\"case.answered\",\"from\":\"police."
        "staffordshire\",\"held\":[\"status\"],\"juvenile\":\"no\","
        "\"answers\":{\"event\":\"case.queried\",\"from\":\"probation.staffordshire\",\"asked\":[\"status\"]}"
        ","
        "\"person\":{\"listed\":\"yes\",\"review_due\":\"2026-12-15\",\"strand\":\"catch_convict\",\"area\":"
        "\"stoke\",\"home_force\":\"21\"},\"disclosed\":{\"probation.staffordshire\":[\"status\"]}}";
    static const char correction[] =
        "{\"replay\":1,\"at\":\"2026-12-01T09:00:00Z\",\"event\":\"event.retracted\",\"from\":\"police."
        "staffordshire\",\"disclosed\":{\"probation.staffordshire\":[\"target\",\"reason\"]}}";

    (void)state;
    assert_int_equal(replay_under(answer, NULL), 0);
    assert_null(strstr((const char *)text.data, "decided otherwise"));
    says("2 events, 2 disclosures");
    assert_int_equal(replay_under(correction, NULL), 0);
    assert_null(strstr((const char *)text.data, "decided otherwise"));
    says("2 corrections were left out");
    bytes_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_granted),
        cmocka_unit_test(test_answers_and_corrections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
