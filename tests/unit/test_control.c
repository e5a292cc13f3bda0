#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "agent/control.h"
#include "tests/support/postroom.h"

static json_t *ask(struct postroom *room, enum postroom_member member, const char *text)
{
    struct control control = {
        .agent = room->agents[member], .session = room->sessions[member], .connected = true};
    json_t *request = json_loads(text, 0, NULL);
    json_t *reply = NULL;

    assert_non_null(request);
    reply = control_request(&control, request, 1000, room->now);
    assert_non_null(reply);
    json_decref(request);
    return reply;
}

static const char *at(const json_t *reply, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(reply, "ok"), key));

    return text != NULL ? text : "";
}

static void says_why_it_refuses(void **state)
{
    static const struct {
        const char *request;
        const char *says;
    } cases[] = {
        {"{\"do\":\"publish\",\"type\":\"release.planned\"}", "--subject or --re"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/9391423N\",\"re\":\"x\"}",
         "--subject or --re"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"re\":\"x\"}", "is not an event id"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"re\":\"0198c7a0-0000-7000-8000-000000000000\"}",
         "is held here"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/9391423N\","
         "\"supersedes\":\"0198c7a0-0000-7000-8000-000000000000\"}",
         "none of ours"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/"
         "9391423N\",\"items\":[\"release_date=2026-12-20\"]}",
         "release_date is an attribute (--attr)"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/"
         "9391423N\",\"attributes\":[\"address=x\"]}",
         "address is an item (--item)"},
        {"{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/9391423N\",\"items\":[\"=x\"]}",
         "is not LABEL=VALUE"},
        {"{\"do\":\"show\",\"event\":\"0198c7a0-0000-7000-8000-000000000000\"}", "is held here"},
        {"{\"do\":\"subject\",\"subject\":\"12\"}", "not a PNC id"},
    };
    struct postroom *room = postroom_open();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *reply = ask(room, POSTROOM_DOVEGATE, cases[i].request);
        const char *text = json_string_value(json_object_get(reply, "refused"));

        if (text == NULL || strstr(text, cases[i].says) == NULL)
            fail_msg("%s: %s does not say \"%s\"", cases[i].request, text, cases[i].says);
        json_decref(reply);
    }
    postroom_close(&room);
}

static void publishes_and_shows_both_ends(void **state)
{
    struct postroom *room = postroom_open();
    char show[128];
    json_t *reply = NULL;
    json_t *sent = NULL;
    json_t *got = NULL;

    (void)state;
    postroom_list(room);
    reply =
        ask(room, POSTROOM_DOVEGATE,
            "{\"do\":\"publish\",\"type\":\"release.planned\",\"subject\":\"2003/9391423N\","
            "\"attributes\":[\"release_date=2026-12-20\",\"home_force=21\"],\"items\":[\"date_type=CRD\"]}");
    assert_string_equal(at(reply, "state"), "queued");
    (void)snprintf(show, sizeof show, "{\"do\":\"show\",\"event\":\"%s\"}", at(reply, "event"));
    json_decref(reply);
    postroom_run(room);
    sent = ask(room, POSTROOM_DOVEGATE, show);
    assert_string_equal(at(sent, "direction"), "out");
    assert_string_equal(at(sent, "state"), "delivered");
    assert_string_equal(at(sent, "officer"), "unix:1000");
    assert_int_equal(json_array_size(json_object_get(json_object_get(sent, "ok"), "recipients")), 2);
    got = ask(room, POSTROOM_POLICE, show);
    assert_string_equal(at(got, "direction"), "in");
    assert_string_equal(at(got, "from"), "prison.dovegate");
    assert_string_equal(at(got, "subject"), at(sent, "subject"));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json_object_get(got, "ok"), "items"), "dob")),
        POSTROOM_ADULT);
    json_decref(sent);
    json_decref(got);
    postroom_run(room);
    assert_int_equal(room->reports, 1); /* that a person opened it */
    postroom_close(&room);
}

static void the_inbox_comes_in_pages(void **state)
{
    struct postroom *room = postroom_open();
    struct control control = {.agent = room->agents[POSTROOM_PROBATION]};
    int64_t cursor = 0;
    bool last = false;
    json_t *page = NULL;

    (void)state;
    postroom_list(room);
    page = control_inbox(&control, &cursor, &last);
    assert_true(last);
    assert_int_equal(json_array_size(json_object_get(json_object_get(page, "ok"), "events")), 1);
    json_decref(page);
    postroom_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(publishes_and_shows_both_ends),
        cmocka_unit_test(the_inbox_comes_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
