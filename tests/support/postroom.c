#include "tests/support/postroom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/inbox_event.h"
#include "agent/incidents.h"
#include "certs/authority.h"
#include "proto/envelope.h"
#include "proto/merkle.h"
#include "proto/opening.h"
#include "proto/receipt.h"
#include "proto/wire_check.h"
#include "tests/support/policy.h"
#include "tests/support/postroom_broker.h"
#include "tests/support/support.h"

static const char *const ids[POSTROOM_MEMBERS] = {"police.staffordshire", "prison.dovegate",
                                                  "probation.staffordshire", "drugs.stoke"};
static struct draft_reason reason;

const char *postroom_reason(void)
{
    return reason.text;
}

/* ---- a partnership of agents
 * --------------------------------------------------------------------------------------- */

/* One member's connection, as session_send gets it. */
struct wire {
    struct postroom *room;
    enum postroom_member member;
};
static struct wire wires[POSTROOM_MEMBERS];

static bool send_frame(void *context, struct byte_view frame)
{
    const struct wire *wire = context;
    struct postroom *room = wire->room;

    assert_true(room->queued < POSTROOM_QUEUE);
    room->queue[room->queued].from = wire->member;
    room->queue[room->queued].bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    bytes_append_view(&room->queue[room->queued].bytes, frame);
    room->queued++;
    return true;
}

static struct byte_buffer make_bundle(struct postroom *room, const struct policy_edit *edits)
{
    struct byte_buffer catalogue = policy_file("catalogue.yaml", NULL);
    struct byte_buffer protocol = policy_file("staffordshire-ppo.yaml", edits);
    const struct authority_bundle_file file = {.name = "staffordshire-ppo.yaml",
                                               .content = bytes_buffer_view(&protocol)};
    const struct authority_bundle_options options = {
        .protocols = &file,
        .n_protocols = 1,
        .catalogue = {.name = "catalogue.yaml", .content = bytes_buffer_view(&catalogue)},
        .valid_days = BUNDLE_LONGEST_DAYS};
    struct bundle_reason why = {0};
    struct byte_buffer ret = bytes_buffer(0);

    if (authority_bundle_make(room->partnership->authority, &options, room->now, &ret, &why) != STATUS_OK)
        fail_msg("bundle: %s", why.text);
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
    return ret;
}

static void make_member(struct postroom *room, enum postroom_member member)
{
    struct settings settings = settings_default(ids[member], "tcp://127.0.0.1:1");
    struct keystore *keys = partnership_member(room->partnership, ids[member], ROLE_AGENT);

    keystore_free(&keys);
    (void)snprintf(room->folders[member], sizeof room->folders[member], "%s/%s", room->partnership->folder,
                   ids[member]);
    assert_int_equal(settings_create(room->folders[member], &settings), STATUS_OK);
}

static void open_member(struct postroom *room, enum postroom_member member)
{
    struct agent_reason why = {0};

    wires[member] = (struct wire){room, member};
    if (agent_open(room->folders[member], &room->agents[member], &why) != STATUS_OK)
        fail_msg("%s: %s", ids[member], why.text);
    assert_int_equal(session_new(room->agents[member], send_frame, &wires[member], &room->sessions[member]),
                     STATUS_OK);
}

static void join(struct postroom *room, enum postroom_member member, const struct byte_buffer *file)
{
    struct agent_reason why = {0};

    if (agent_take_bundle(room->agents[member], bytes_buffer_view(file),
                          authority_fingerprint(room->partnership->authority), room->now, NULL,
                          &why) != STATUS_OK)
        fail_msg("%s: %s", ids[member], why.text);
}

static void broker_takes(struct postroom *room, const struct byte_buffer *file)
{
    struct bundle *bundle = NULL;
    struct bundle_reason why = {0};

    if (bundle_verify(bytes_buffer_view(file), room->rules != NULL ? room->rules->bundle : NULL,
                      authority_fingerprint(room->partnership->authority), room->now, &bundle,
                      &why) != STATUS_OK)
        fail_msg("broker: %s", why.text);
    membership_free(&room->rules);
    assert_int_equal(membership_load(bundle, NULL, &room->rules, &why), STATUS_OK);
}

struct postroom *postroom_open(void)
{
    struct postroom *room = calloc(1, sizeof *room);
    struct byte_buffer file;

    assert_non_null(room);
    room->partnership = partnership_new();
    room->now = PARTNERSHIP_NOW;
    room->arena = wire_arena(WIRE_ARENA_FRAME);
    room->broker = partnership_member(room->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++)
        make_member(room, i);
    file = make_bundle(room, NULL);
    broker_takes(room, &file);
    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++) {
        open_member(room, i);
        join(room, i, &file);
        postroom_connect(room, i);
    }
    bytes_buffer_free(&file);
    postroom_run(room);
    return room;
}

static void drop_queue(struct postroom *room, enum postroom_member member)
{
    size_t kept = 0;

    for (size_t i = 0; i < room->queued; i++) {
        if (room->queue[i].from == member)
            bytes_buffer_free(&room->queue[i].bytes);
        else
            room->queue[kept++] = room->queue[i];
    }
    room->queued = kept;
}

void postroom_close(struct postroom **room)
{
    struct postroom *it = *room;

    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++) {
        drop_queue(it, i);
        session_free(&it->sessions[i]);
        agent_close(&it->agents[i]);
    }
    for (size_t i = 0; i < it->event_count; i++) {
        bytes_buffer_free(&it->events[i].header);
        bytes_buffer_free(&it->events[i].opening);
        for (size_t j = 0; j < it->events[i].section_count; j++)
            bytes_buffer_free(&it->events[i].sections[j]);
    }
    membership_free(&it->rules);
    keystore_free(&it->broker);
    wire_arena_free(&it->arena);
    partnership_free(&it->partnership);
    free(it);
    *room = NULL;
}

void postroom_bundle(struct postroom *room, const struct policy_edit *edits)
{
    struct byte_buffer file = make_bundle(room, edits);

    broker_takes(room, &file);
    bytes_buffer_free(&file);
}

/* ---- connections and time
 * -------------------------------------------------------------------------------------------- */

void postroom_connect(struct postroom *room, enum postroom_member member)
{
    room->connected[member] = true;
    room->credit[member] = 0;
    for (size_t i = 0; i < room->event_count; i++)
        for (size_t j = 0; j < room->events[i].section_count; j++)
            if (room->events[i].to[j] == member)
                room->events[i].delivered[j] = false;
    session_connected(room->sessions[member], room->now, room->now);
}

void postroom_disconnect(struct postroom *room, enum postroom_member member)
{
    room->connected[member] = false;
    drop_queue(room, member);
    session_disconnected(room->sessions[member]);
}

void postroom_restart(struct postroom *room, enum postroom_member member)
{
    postroom_disconnect(room, member);
    session_free(&room->sessions[member]);
    agent_close(&room->agents[member]);
    open_member(room, member);
    postroom_connect(room, member);
}

void postroom_send(struct postroom *room, enum postroom_member to, const Wire__Frame *frame)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);

    if (!room->connected[to])
        return;
    wire_pack(&frame->base, &bytes);
    assert_int_equal(bytes.status, STATUS_OK);
    assert_int_equal(session_receive(room->sessions[to], bytes_buffer_view(&bytes), room->now, room->now),
                     STATUS_OK);
    bytes_buffer_free(&bytes);
}

/* Everything that waits in the broker's queue. */
static bool take_queue(struct postroom *room)
{
    const bool any = room->queued > 0;

    while (room->queued > 0) {
        const enum postroom_member from = room->queue[0].from;
        struct byte_buffer bytes = room->queue[0].bytes;

        room->queued--;
        memmove(&room->queue[0], &room->queue[1], room->queued * sizeof room->queue[0]);
        if (room->connected[from])
            postroom_broker_take(room, from, bytes_buffer_view(&bytes));
        bytes_buffer_free(&bytes);
    }
    return any;
}

static int64_t step_all(struct postroom *room)
{
    int64_t least = -1;

    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++) {
        int64_t wait = -1;

        if (!room->connected[i])
            continue;
        assert_int_equal(session_step(room->sessions[i], room->now, room->now, &wait), STATUS_OK);
        if (session_reconnect(room->sessions[i])) {
            postroom_disconnect(room, i);
            postroom_connect(room, i);
            wait = 0;
        }
        if (wait >= 0 && (least < 0 || wait < least))
            least = wait;
    }
    return least;
}

void postroom_run(struct postroom *room)
{
    const int64_t end = room->now + 3600 * 1000;

    while (room->now < end) {
        const int64_t wait = step_all(room);

        if (take_queue(room) || postroom_broker_deliver(room))
            continue;
        if (wait < 0)
            break;
        room->now += wait > 0 ? wait : 1;
    }
}

/* ---- what people do
 * ---------------------------------------------------------------------------------------------------- */

static size_t split(char *text, struct draft_value *values)
{
    size_t count = 0;

    for (char *save = NULL, *entry = strtok_r(text, ";", &save); entry != NULL;
         entry = strtok_r(NULL, ";", &save)) {
        char *equals = strchr(entry, '=');

        assert_non_null(equals);
        values[count].label = bytes_view(entry, (size_t)(equals - entry));
        values[count].value = bytes_of_string(equals + 1);
        values[count].place = DRAFT_ANYWHERE;
        count++;
    }
    return count;
}

static void set_subject(struct postroom *room, enum postroom_member from, const char *pnc, const uint8_t *re,
                        struct draft *draft)
{
    struct inbox_event event;

    draft->subject = DRAFT_PNC;
    if (pnc != NULL) {
        draft->id = bytes_of_string(pnc);
        return;
    }
    assert_int_equal(inbox_event_find(room->agents[from], re, &event), STATUS_OK);
    draft->subject = DRAFT_PSEUDONYM;
    draft->correlation = re;
    memcpy(draft->pseudonym.bytes, event.core.subject, PSEUDONYM_SIZE);
    inbox_event_free(&event);
}

enum status postroom_queue(struct postroom *room, enum postroom_member from, const char *type,
                           const char *pnc, const uint8_t *re, const char *values,
                           uint8_t ret_event[static UUID_SIZE])
{
    struct draft_value list[DRAFT_VALUES_MAX] = {0};
    struct draft draft = {.type = type, .officer = "unix:1000", .values = list};
    char *text = strdup(values);
    enum status status = STATUS_OK;

    assert_non_null(text);
    draft.value_count = split(text, list);
    set_subject(room, from, pnc, re, &draft);
    assert_int_equal(db_begin(room->agents[from]->db), STATUS_OK);
    status = outbox_queue(room->agents[from], &draft, room->now, ret_event, &reason);
    if (status == STATUS_OK)
        assert_int_equal(db_commit(room->agents[from]->db), STATUS_OK);
    else
        db_rollback(room->agents[from]->db);
    free(text);
    return status;
}

void postroom_publish(struct postroom *room, enum postroom_member from, const char *type, const char *values,
                      uint8_t ret_event[static UUID_SIZE])
{
    if (postroom_queue(room, from, type, POSTROOM_PNC, NULL, values, ret_event) != STATUS_OK)
        fail_msg("%s: %s", type, reason.text);
    room->now += 1000;
    postroom_run(room);
}

void postroom_list(struct postroom *room)
{
    uint8_t event[UUID_SIZE];

    postroom_publish(room, POSTROOM_POLICE, "ppo.added",
                     "strand=catch_convict;area=stoke;authority=bcu_commander;selector=core_nominal;"
                     "review_due=2026-12-15;home_force=21;name=Hughes-Parry, Liam;dob=" POSTROOM_ADULT
                     ";prison_no=A7629RT",
                     event);
}

/* ---- what there is
 * ----------------------------------------------------------------------------------------------------- */

enum outbox_state postroom_state(struct postroom *room, enum postroom_member member,
                                 const uint8_t event[static UUID_SIZE])
{
    enum outbox_state state = OUTBOX_REFUSED;

    assert_int_equal(outbox_state(room->agents[member], event, &state), STATUS_OK);
    return state;
}

const char *postroom_inbox(struct postroom *room, enum postroom_member member)
{
    static char text[8192];
    struct inbox_event event;
    int64_t cursor = 0;
    size_t used = 0;

    text[0] = '\0';
    while (inbox_event_next(room->agents[member], &cursor, &event) == STATUS_OK) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s %s ", (int)event.core.type.size,
                                 event.has_content ? (const char *)event.core.type.data : "",
                                 inbox_state_text(event.state));
        for (size_t i = 0; i < event.item_count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i > 0 ? "," : "",
                                     (int)event.items[i].label.size, (const char *)event.items[i].label.data);
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
        inbox_event_free(&event);
    }
    return text;
}

size_t postroom_incidents(struct postroom *room, enum postroom_member member, const char *text)
{
    json_t *list = NULL;
    size_t count = 0;

    assert_int_equal(incidents_list(room->agents[member]->db, &list), STATUS_OK);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strstr(json_string_value(json_object_get(json_array_get(list, i), "text")), text) != NULL)
            count++;
    json_decref(list);
    return count;
}
