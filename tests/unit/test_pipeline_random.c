#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "broker/rulebook.h"
#include "tests/support/exchange.h"

/*
 * Seeded: events of every type, signed as they should be, with values at the ends of what their kinds allow,
 * that name events of their own and of others, erased ones, ones that never were, and themselves; with ids of
 * others; reports about all of them; across restarts over some weeks. Each event is answered with an outcome,
 * nothing has to be contained, the log verifies, and everybody else is served.
 */

#define EVENTS   2000u
#define BATCH    6u
#define PEOPLE   5u
#define KNOWN    128u
#define RESTARTS 20u
#define TEXT     3000u

struct known {
    uint8_t id[CORE_EVENT_SIZE];
    size_t from;
};

struct world {
    struct exchange *exchange;
    struct support_random random;
    struct known known[KNOWN];
    size_t known_count;
    char pseudonyms[PEOPLE][2 * CORE_SUBJECT_SIZE + 1];
    size_t accepted;
    size_t refused;
    size_t erased;
};

static uint64_t below(struct world *world, uint64_t bound)
{
    return support_below(&world->random, bound);
}

static bool chance(struct world *world, unsigned percent)
{
    return below(world, 100) < percent;
}

#define PICK(world, list) ((list)[below((world), sizeof(list) / sizeof(list)[0])])

/* ---- values ---- */

static void put_id(struct world *world, char out[static UUID_TEXT_SIZE])
{
    uint8_t id[CORE_EVENT_SIZE] = {0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80};

    if (world->known_count > 0 && chance(world, 85))
        memcpy(id, world->known[below(world, world->known_count)].id, sizeof id);
    uuid_format(id, out);
}

static void put_labels(struct world *world, const struct catalogue_event *type, char *out, size_t room)
{
    const struct catalogue *catalogue = world->exchange->rules->catalogue;
    struct label_set labels = {{0}};
    struct byte_buffer text = bytes_buffer(room - 1);

    for (uint16_t i = 0, count = 0; i < type->item_count && count < WIRE_LABELS_MAX; i++) {
        if (chance(world, 70) && ++count > 0)
            label_set_add(&labels, type->items[i].label);
    }
    catalogue_format_labels(catalogue, &labels, &text);
    assert_int_equal(text.status, STATUS_OK);
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    bytes_buffer_free(&text);
}

static void put_value(struct world *world, const struct catalogue_event *type,
                      const struct catalogue_field *field, char *out, size_t room)
{
    static const char *const dates[] = {"1583-01-01", "1900-01-01", "1969-12-31", "1970-01-01", "2026-12-20",
                                        "2027-02-01", "2027-05-31", "2199-12-31", "9999-12-31", "2026-02-30"};
    static const char *const times[] = {"1900-01-01T00:00:00Z", "2026-12-20T10:00:00Z",
                                        "9999-12-31T23:59:59Z"};
    static const char *const areas[] = {"stoke", "stafford", "tamworth", "nowhere"};
    static const char *const forces[] = {"21", "22", "99", "00"};
    static const char *const prisons[] = {"DGI", "SFI", "XXX"};
    static const char *const members[] = {"police.staffordshire", "probation.staffordshire", "drugs.stoke",
                                          "prison.stafford", "nobody.nowhere"};
    const struct catalogue_label *label = &world->exchange->rules->catalogue->labels[field->label];

    switch ((int)label->kind) {
    case KIND_DATE:
        snprintf(out, room, "%s", PICK(world, dates));
        break;
    case KIND_DATETIME:
        snprintf(out, room, "%s", PICK(world, times));
        break;
    case KIND_CODE:
        snprintf(out, room, "%s",
                 field->codes == NULL || field->codes->count == 0 || chance(world, 3)
                     ? "no_such_code"
                     : field->codes->values[below(world, field->codes->count)]);
        break;
    case KIND_AREA:
        snprintf(out, room, "%s", PICK(world, areas));
        break;
    case KIND_FORCE:
        snprintf(out, room, "%s", PICK(world, forces));
        break;
    case KIND_PRISON:
        snprintf(out, room, "%s", PICK(world, prisons));
        break;
    case KIND_MEMBER:
        snprintf(out, room, "%s", PICK(world, members));
        break;
    case KIND_EVENT:
        put_id(world, out);
        break;
    case KIND_PSEUDONYM:
        snprintf(out, room, "%s", world->pseudonyms[below(world, PEOPLE)]);
        break;
    case KIND_LABELS:
        put_labels(world, type, out, room);
        break;
    case KIND_NUMBER:
        snprintf(out, room, "%s", chance(world, 50) ? "0" : "999999999");
        break;
    default: { /* text, as long as it may be and longer, of characters that are more than a byte */
        size_t longest = label->max_length != 0 ? label->max_length : kind_max_length(label->kind);
        size_t count = chance(world, 80) ? longest : longest + 1;
        size_t size = 0;
        for (size_t i = 0; i < count && size + 3 < room && size < 500; i++, size += 2)
            memcpy(out + size, "\xc3\xa9", 2);
        out[size] = '\0';
        break;
    }
    }
}

/* What an honest agent would say, so that something is accepted, and others can name it. */
static const char *template_of(const char *type)
{
    static const char *const templates[][2] = {
        {"ppo.added", "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
                      "review_due=2027-01-15 home_force=21"},
        {"ppo.removed", "reason=moved authority=bcu_commander"},
        {"ppo.reviewed", "outcome=retain next_review=2027-01-31"},
        {"consent.given", "scope=throughcare form_version=3 expires=2027-05-31"},
        {"consent.withdrawn", "scope=throughcare form_version=3"},
        {"release.planned", "release_date=2026-12-29 home_force=21"},
        {"override.made", "rule=danger-to-anyone reason=imminent_harm duty_role=duty_officer"},
        {"override.confirmed", "rule=danger-to-anyone reason=imminent_harm"},
        {"case.queried", "asked_items=status"},
        {"event.erased", "reason=request"},
        {"event.retracted", "reason=request"},
    };

    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        if (strcmp(templates[i][0], type) == 0)
            return templates[i][1];
    }
    return "";
}

static bool says(const char *attributes, const char *label)
{
    char start[80];

    snprintf(start, sizeof start, "%s=", label);
    for (const char *at = strstr(attributes, start); at != NULL; at = strstr(at + 1, start)) {
        if (at == attributes || at[-1] == ' ')
            return true;
    }
    return false;
}

static void put_attributes(struct world *world, const struct catalogue_event *type, char *out, size_t room)
{
    const struct catalogue *catalogue = world->exchange->rules->catalogue;
    bool honest = chance(world, 60);
    size_t size = 0;
    char value[KIND_VALUE_SIZE];

    out[0] = '\0';
    if (honest)
        size = (size_t)snprintf(out, room, "%s", template_of(type->type));
    for (uint16_t i = 0; i < type->attribute_count; i++) {
        const char *label = catalogue->labels[type->attributes[i].label].label;

        if (says(out, label) || (i == type->held) || !chance(world, honest ? 60 : 85))
            continue;
        put_value(world, type, &type->attributes[i], value, sizeof value);
        if (size + strlen(label) + strlen(value) + 2 < room)
            size += (size_t)snprintf(out + size, room - size, " %s=%s", label, value);
    }
    memmove(out, out + strspn(out, " "), strlen(out + strspn(out, " ")) + 1);
}

/* ---- events ---- */

static const struct catalogue_event *pick_type(struct world *world, size_t from)
{
    const struct rulebook *rules = world->exchange->rules;
    const struct catalogue *catalogue = rules->catalogue;
    struct byte_view sender = bytes_of_string(world->exchange->agents[from].id);
    bool allowed = chance(world, 92);

    for (;;) {
        uint16_t index = (uint16_t)below(world, catalogue->event_count);
        enum effect effect = catalogue->events[index].effect;

        /* These mostly end something, or name what is not there. */
        if ((catalogue->events[index].corrects != CORRECTION_NONE || effect == EFFECT_REMOVE ||
             effect == EFFECT_MERGE || effect == EFFECT_CONFIRM) &&
            chance(world, 70))
            continue;
        if (!allowed || policy_may_send(rules->protocols[0].protocol, sender, index))
            return &catalogue->events[index];
    }
}

static const uint8_t *pick_known(struct world *world)
{
    static const uint8_t never[CORE_EVENT_SIZE] = {0x01, 0x90, 1, 2, 3, 4, 0x71, 2, 0x81, 3};

    return world->known_count == 0 || chance(world, 10) ? never
                                                        : world->known[below(world, world->known_count)].id;
}

static void vary_core(struct world *world, struct core *core)
{
    static const int64_t moments[] = {0, 1, CORE_TIME_MAX, CORE_TIME_MAX / 2};
    static const char officer[] = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";

    if (chance(world, 8))
        core->occurred = PICK(world, moments);
    if (chance(world, 4))
        core->created = PICK(world, moments);
    if (chance(world, 10))
        core->effective = bytes_of_string(chance(world, 50) ? "1583-01-01" : "9999-12-31");
    if (chance(world, 5))
        core->officer = bytes_of_string(officer);
    if (chance(world, 2))
        core->purpose = bytes_of_string(officer);
    if (chance(world, 1))
        core->protocol = bytes_of_string("no-such-protocol");
    if (chance(world, 8))
        memcpy(core->event, pick_known(world), CORE_EVENT_SIZE);
}

static void make_event(struct world *world, struct exchange_event *event, size_t from)
{
    const struct catalogue_event *type = pick_type(world, from);
    unsigned person = (unsigned)below(world, PEOPLE);
    char attributes[TEXT];
    char held[TEXT];

    put_attributes(world, type, attributes, sizeof attributes);
    put_labels(world, type, held, sizeof held);
    if (strlen(attributes) + strlen(held) > 2500)
        held[0] = '\0';
    exchange_make(world->exchange, event, from, type->type, person, attributes,
                  held[0] == '\0' ? NULL : held);
    vary_core(world, &event->core);
    exchange_refer(event, chance(world, 40) ? pick_known(world) : NULL,
                   chance(world, 20) ? pick_known(world) : NULL, chance(world, 5) ? pick_known(world) : NULL);
    if (chance(world, 5))
        exchange_refer(event, event->core.event, event->core.event, event->core.event);
}

static void prepare(struct world *world, struct exchange_event *event)
{
    const Wire__Plan *plan = exchange_plan(world->exchange, event);

    if (plan->verdict == WIRE__VERDICT__ACCEPTED)
        exchange_seal(world->exchange, event, plan);
    else
        exchange_close(event);
}

static void remember(struct world *world, const struct exchange_event *event)
{
    size_t place =
        world->known_count < KNOWN ? world->known_count++ : (size_t)below(world, world->known_count);

    memcpy(world->known[place].id, event->core.event, CORE_EVENT_SIZE);
    world->known[place].from = event->from;
}

static void judge(struct world *world, const struct exchange_event *event, const Wire__Outcome *outcome)
{
    assert_memory_equal(outcome->event.data, event->core.event, CORE_EVENT_SIZE);
    world->accepted += outcome->verdict == WIRE__VERDICT__ACCEPTED;
    world->refused += outcome->verdict == WIRE__VERDICT__REFUSED;
    assert_true(outcome->verdict == WIRE__VERDICT__ACCEPTED || outcome->reason != NULL);
    if (outcome->verdict == WIRE__VERDICT__ACCEPTED || chance(world, 20))
        remember(world, event);
}

static void publish_some(struct world *world, size_t count)
{
    struct exchange_event *events = calloc(BATCH, sizeof *events);
    struct exchange_event *list[BATCH];
    struct byte_buffer frame;
    size_t from = (size_t)below(world, EXCHANGE_AGENTS);

    for (size_t i = 0; i < count; i++) {
        list[i] = &events[i];
        make_event(world, &events[i], from);
        if (i > 0 && chance(world, 10)) /* one of its own batch */
            exchange_refer(&events[i], events[i - 1].core.event, NULL,
                           chance(world, 50) ? events[0].core.event : NULL);
        prepare(world, &events[i]);
    }
    exchange_frame(world->exchange, list, count, &frame);
    for (int round = 0; round < (chance(world, 5) ? 2 : 1); round++) {
        exchange_send(world->exchange, from, bytes_buffer_view(&frame));
        const Wire__Frame *answer = exchange_wait(world->exchange, from, WIRE__FRAME__VERB_PUBLISH_ANSWER);
        assert_int_equal(answer->publish_answer->n_outcomes, count);
        for (size_t i = 0; i < count; i++)
            judge(world, &events[i], answer->publish_answer->outcomes[i]);
    }
    if (chance(world, 30))
        exchange_report(world->exchange, (size_t)below(world, EXCHANGE_AGENTS),
                        (Wire__ReportKind)(WIRE__REPORT_KIND__OPENED + (int)below(world, 5)), &events[0]);
    bytes_buffer_free(&frame);
    for (size_t i = 0; i < count; i++)
        exchange_drop(&events[i]);
    free(events);
}

/* ---- what happens besides ---- */

/* The officer says yes to whatever was asked for. */
static void erase_some(struct world *world)
{
    const struct known *known = &world->known[below(world, world->known_count)];
    char request[256];
    char id[UUID_TEXT_SIZE];

    uuid_format(known->id, id);
    snprintf(request, sizeof request,
             "{\"do\":\"confirm-erasure\",\"officer\":\"dpo.x\",\"how\":\"test\",\"from\":\"%s\",\"event\":"
             "\"%s\"}",
             world->exchange->agents[known->from].id, id);
    world->erased += strstr(exchange_control(world->exchange, request), "error") == NULL;
}

/* Asks for the erasure of one of its own events, which is then confirmed. */
static void ask_for_erasure(struct world *world)
{
    const struct known known = world->known[below(world, world->known_count)];
    struct exchange_event event;
    char attributes[128];
    char request[256];
    char id[UUID_TEXT_SIZE];

    uuid_format(known.id, id);
    snprintf(attributes, sizeof attributes, "target=%s reason=request", id);
    for (unsigned person = 0; person < PEOPLE; person++) {
        exchange_make(world->exchange, &event, known.from, "event.erased", person, attributes, NULL);
        prepare(world, &event);
        judge(world, &event, exchange_submit(world->exchange, &event));
        exchange_drop(&event);
    }
    snprintf(request, sizeof request,
             "{\"do\":\"confirm-erasure\",\"officer\":\"dpo.x\",\"how\":\"test\",\"from\":\"%s\",\"event\":"
             "\"%s\"}",
             world->exchange->agents[known.from].id, id);
    world->erased += strstr(exchange_control(world->exchange, request), "error") == NULL;
}

/* So that there is somebody on the list to say something about. */
static void list_again(struct world *world)
{
    struct exchange_event event;
    char attributes[256];
    char due[CIVIL_DATE_SIZE];

    civil_format_date(civil_day_of(clock_now(&world->exchange->clock)) + 20, due);
    snprintf(attributes, sizeof attributes,
             "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal review_due=%s "
             "home_force=21",
             due);
    exchange_make(world->exchange, &event, EXCHANGE_POLICE, "ppo.added", (unsigned)below(world, PEOPLE),
                  attributes, "name,dob,pnc_id,prison_no");
    prepare(world, &event);
    judge(world, &event, exchange_submit(world->exchange, &event));
    exchange_drop(&event);
}

static void forget_frames(struct world *world)
{
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        world->exchange->agents[i].frame_count = 0;
}

static void restart(struct world *world)
{
    struct exchange *exchange = world->exchange;

    exchange_stop(exchange);
    wire_arena_reset(&exchange->arena);
    exchange->clock = clock_at(clock_now(&exchange->clock) + (int64_t)below(world, 2 * CIVIL_DAY_MS));
    exchange_connect_all(exchange);
}

static void name_people(struct world *world)
{
    struct exchange_event event;

    for (unsigned person = 0; person < PEOPLE; person++) {
        exchange_make(world->exchange, &event, EXCHANGE_DOVEGATE, "release.planned", person, "", NULL);
        bytes_to_hex(event.core.subject, CORE_SUBJECT_SIZE, world->pseudonyms[person]);
        exchange_drop(&event);
    }
}

static void test_random_events(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const size_t count = support_count(EVENTS);
    size_t done = 0;
    size_t next_restart = count / RESTARTS;

    world->exchange = *state;
    world->random = support_seeded(20261122);
    world->exchange->limits.refusals_per_minute = world->exchange->limits.gaps_per_minute = UINT32_MAX;
    exchange_connect_all(world->exchange);
    name_people(world);
    for (unsigned person = 0; person < PEOPLE; person++)
        exchange_list(world->exchange, person);
    while (done < count) {
        size_t batch = 1 + (size_t)below(world, BATCH);
        publish_some(world, batch);
        done += batch;
        if (chance(world, 20))
            list_again(world);
        if (world->known_count > 0 && chance(world, 20))
            erase_some(world);
        if (world->known_count > 0 && chance(world, 4))
            ask_for_erasure(world);
        forget_frames(world);
        if (done >= next_restart) {
            restart(world);
            next_restart += count / RESTARTS;
        }
    }
    print_message("%zu accepted, %zu refused, %zu erased\n", world->accepted, world->refused, world->erased);
    assert_true(world->accepted > count / 20);
    assert_true(world->refused > count / 20);
    assert_true(world->erased > 0);
    size_t before = world->accepted;
    restart(world);
    list_again(world); /* everybody is served */
    assert_int_equal(world->accepted, before + 1);
    exchange_stop(world->exchange);
    assert_string_equal(world->exchange->fatal, "");
    assert_int_equal(exchange_entries(world->exchange, RECORD_INCIDENT), 0);
    exchange_assert_log(world->exchange);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_events, exchange_setup, exchange_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
