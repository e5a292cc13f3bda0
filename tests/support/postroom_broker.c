#include "tests/support/postroom_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/envelope.h"
#include "proto/opening.h"
#include "proto/receipt.h"
#include "proto/wire_check.h"
#include "tests/support/support.h"

#define GRANTS POSTROOM_MEMBERS + 1
#define LABELS 32

static const char *id_of(const struct postroom *room, enum postroom_member member)
{
    return room->agents[member]->settings.member;
}

static void answer(struct postroom *room, enum postroom_member to, Wire__Frame *frame, uint64_t request)
{
    frame->version = WIRE_VERSION;
    frame->request = request;
    postroom_send(room, to, frame);
}

static struct register_state *person_of(struct postroom *room, const uint8_t *subject)
{
    for (size_t i = 0; i < room->people_count; i++)
        if (memcmp(room->people[i].subject, subject, CORE_SUBJECT_SIZE) == 0)
            return &room->people[i].state;
    assert_true(room->people_count < POSTROOM_PEOPLE);
    memcpy(room->people[room->people_count].subject, subject, CORE_SUBJECT_SIZE);
    register_init(&room->people[room->people_count].state);
    return &room->people[room->people_count++].state;
}

static const struct postroom_event *event_of(const struct postroom *room, const uint8_t *id)
{
    for (size_t i = 0; i < room->event_count; i++)
        if (memcmp(room->events[i].core.event, id, CORE_EVENT_SIZE) == 0)
            return &room->events[i];
    return NULL;
}

/* ---- deciding
 * ------------------------------------------------------------------------------------------------------ */

static void read_request(struct postroom *room, const struct core *core, const Wire__Opening *opening,
                         struct policy_request *ret)
{
    const struct catalogue *catalogue = room->rules->catalogue;

    *ret = (struct policy_request){.event = catalogue_find_event(catalogue, core->type),
                                   .from = core->from,
                                   .purpose = core->purpose,
                                   .occurred = core->occurred,
                                   .created = core->created,
                                   .effective = REQUEST_NO_DATE,
                                   .correlated = core->has_correlation,
                                   .supersedes = core->has_supersedes,
                                   .repeats = core->has_repeats};
    for (size_t i = 0; i < opening->n_attributes; i++)
        assert_int_equal(request_set(catalogue, ret, opening->attributes[i]->id,
                                     bytes_of_string(opening->attributes[i]->value)),
                         STATUS_OK);
    assert_int_equal(request_read(catalogue, ret, NULL), STATUS_OK);
}

static void decide(struct postroom *room, enum postroom_member from, const struct core *core,
                   const Wire__Opening *opening, struct policy_request *ret_request)
{
    const struct protocol *protocol = room->rules->protocols[0];
    struct policy_facts facts = {.person = person_of(room, core->subject),
                                 .correlated_event = CATALOGUE_NONE};
    const struct postroom_event *answered = core->has_correlation ? event_of(room, core->correlation) : NULL;
    const struct postroom_event *before = core->has_repeats ? event_of(room, core->repeats) : NULL;

    read_request(room, core, opening, ret_request);
    for (uint16_t i = 0; i < protocol->party_count; i++)
        if (directory_by_member(room->rules->directory, protocol->parties[i].id, room->now) != NULL)
            party_set_add(&facts.active, i);
    if (answered != NULL) {
        facts.correlated_from = answered->core.from;
        facts.correlated_event = catalogue_find_event(room->rules->catalogue, answered->core.type);
        facts.correlated_same_subject = memcmp(answered->core.subject, core->subject, CORE_SUBJECT_SIZE) == 0;
        for (size_t i = 0; i < answered->section_count; i++)
            if (answered->to[i] == from)
                facts.correlated_disclosed_to_sender = true;
    }
    for (size_t i = 0; before != NULL && i < before->section_count; i++)
        party_set_add(&ret_request->already,
                      protocol_find_party(protocol, bytes_of_string(id_of(room, before->to[i]))));
    policy_decide(protocol, &facts, ret_request, room->now, &room->decision);
}

/* ---- plans
 * -----------------------------------------------------------------------------------------------------------
 */

/* What one plan points into; several live until the answer is packed. */
struct plan_room {
    Wire__Plan plan;
    Wire__Grant grants[GRANTS];
    Wire__Grant *grant_list[GRANTS];
    char *labels[GRANTS][LABELS];
    Wire__Ground grounds[16];
    Wire__Ground *ground_list[16];
    ProtobufCBinaryData paths[16][8];
    struct byte_buffer headers[16];
    char text[POLICY_TEXT_SIZE];
};

static void fill_grants(struct postroom *room, struct plan_room *space)
{
    const struct catalogue *catalogue = room->rules->catalogue;

    for (uint16_t i = 0; i < room->decision.recipient_count; i++) {
        const struct policy_recipient *recipient = &room->decision.recipients[i];
        Wire__Grant *grant = &space->grants[i];

        wire__grant__init(grant);
        grant->to = (char *)(uintptr_t)recipient->to;
        grant->rule = (char *)(uintptr_t)recipient->rule;
        grant->labels = space->labels[i];
        for (unsigned label = label_set_next(&recipient->labels, 0); label != SET256_END;
             label = label_set_next(&recipient->labels, label + 1))
            grant->labels[grant->n_labels++] = (char *)(uintptr_t)catalogue->labels[label].label;
        space->grant_list[i] = grant;
    }
    space->plan.n_grants = room->decision.recipient_count;
    space->plan.grants = space->grant_list;
    if (room->faults.widen && space->plan.n_grants > 0) {
        Wire__Grant *last = space->grant_list[space->plan.n_grants - 1];

        last->labels[last->n_labels++] = (char *)(uintptr_t) "crn";
    }
    if (room->faults.narrow && space->plan.n_grants > 0)
        space->plan.n_grants--;
}

static void hide_age(Wire__Opening *opening)
{
    size_t kept = 0;

    for (size_t i = 0; i < opening->n_attributes; i++) {
        if (strcmp(opening->attributes[i]->id, "juvenile") != 0)
            opening->attributes[kept++] = opening->attributes[i];
    }
    opening->n_attributes = kept;
}

static void fill_ground(struct postroom *room, const struct postroom_event *event, struct plan_room *space)
{
    const size_t i = space->plan.n_grounds++;
    Wire__Ground *ground = &space->grounds[i];
    const ProtobufCMessage *opening = NULL;

    wire__ground__init(ground);
    space->headers[i] = bytes_buffer(HEADER_SIZE_MAX);
    bytes_append_view(&space->headers[i], bytes_buffer_view(&event->header));
    if (room->faults.break_grounds)
        space->headers[i].data[space->headers[i].size - 1] ^= 1;
    ground->header = wire_data(bytes_buffer_view(&space->headers[i]));
    ground->certificate = wire_data(bytes_view(event->certificate, 32));
    ground->signature = wire_data(bytes_view(event->signature, 64));
    ground->index = event->index;
    ground->count = event->count;
    ground->n_path = event->path_length;
    ground->path = space->paths[i];
    for (size_t j = 0; j < event->path_length; j++)
        space->paths[i][j] = wire_data(bytes_view(event->path[j].bytes, DIGEST_SIZE));
    assert_int_equal(wire_unpack(&wire__opening__descriptor, bytes_buffer_view(&event->opening),
                                 WIRE_FRAME_LIMIT, &room->arena, &opening),
                     STATUS_OK);
    ground->opening = (Wire__Opening *)(uintptr_t)opening;
    if (room->faults.hide_ages)
        hide_age(ground->opening);
    ground->committed = (uint64_t)event->committed;
    space->ground_list[i] = ground;
}

static void fill_plan(struct postroom *room, enum postroom_member from, const Wire__PlanItem *item,
                      struct plan_room *space)
{
    struct policy_request request;
    struct core core;

    wire__plan__init(&space->plan);
    assert_int_equal(core_decode(wire_view(item->core), &core), STATUS_OK);
    assert_int_equal(opening_check(&core, item->opening), STATUS_OK);
    space->plan.event = wire_data(bytes_view(wire_view(item->core).data + 2, CORE_EVENT_SIZE));
    decide(room, from, &core, item->opening, &request);
    space->plan.verdict = room->decision.granted ? WIRE__VERDICT__ACCEPTED : WIRE__VERDICT__REFUSED;
    space->plan.grounds = space->ground_list;
    if (!room->decision.granted) {
        policy_decision_text(room->rules->protocols[0], &room->decision, space->text);
        space->plan.reason = space->text;
        return;
    }
    fill_grants(room, space);
    for (size_t i = 0; i < room->event_count && !room->faults.hide_grounds; i++) {
        const struct postroom_event *event = &room->events[i];
        const uint16_t type = catalogue_find_event(room->rules->catalogue, event->core.type);
        const bool same = memcmp(event->core.subject, core.subject, CORE_SUBJECT_SIZE) == 0;

        if (room->rules->catalogue->events[type].effect != EFFECT_NONE && same != room->faults.other_subject)
            fill_ground(room, event, space);
    }
}

static void on_plan(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    const Wire__PlanRequest *asked = frame->plan_request;
    struct plan_room *space = calloc(asked->n_items, sizeof *space);
    Wire__Plan **plans = calloc(asked->n_items, sizeof *plans);
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__PlanAnswer body = WIRE__PLAN_ANSWER__INIT;

    assert_non_null(space);
    assert_non_null(plans);
    room->plans++;
    for (size_t i = 0; i < asked->n_items; i++) {
        fill_plan(room, from, asked->items[i], &space[i]);
        plans[i] = &space[i].plan;
    }
    body.n_plans = asked->n_items;
    body.plans = plans;
    out.verb_case = WIRE__FRAME__VERB_PLAN_ANSWER;
    out.plan_answer = &body;
    answer(room, from, &out, frame->request);
    for (size_t i = 0; i < asked->n_items; i++)
        for (size_t j = 0; j < space[i].plan.n_grounds; j++)
            bytes_buffer_free(&space[i].headers[j]);
    free(space);
    free(plans);
}

/* ---- publishing
 * -------------------------------------------------------------------------------------------------------- */

static enum postroom_member member_of(const struct postroom *room, struct byte_view id)
{
    for (enum postroom_member i = 0; i < POSTROOM_MEMBERS; i++)
        if (bytes_equal(bytes_of_string(id_of(room, i)), id))
            return i;
    fail_msg("no member %.*s", (int)id.size, (const char *)id.data);
    return POSTROOM_MEMBERS;
}

static void keep(struct postroom *room, enum postroom_member from, const Wire__Publish *publish,
                 const struct envelope_published *batch, size_t i)
{
    const struct envelope_published_event *event = &batch->events[i];
    struct postroom_event *kept = &room->events[room->event_count++];
    struct header header;

    assert_true(room->event_count <= POSTROOM_EVENTS);
    kept->from = from;
    kept->header = bytes_buffer(HEADER_SIZE_MAX);
    kept->opening = bytes_buffer(WIRE_FRAME_LIMIT);
    bytes_append_view(&kept->header, event->header_bytes);
    wire_pack(&event->opening->base, &kept->opening);
    assert_int_equal(header_parse(bytes_buffer_view(&kept->header), &header), STATUS_OK);
    assert_int_equal(core_decode(header.core, &kept->core), STATUS_OK);
    memcpy(kept->certificate, publish->certificate.data, 32);
    memcpy(kept->signature, publish->signature.data, 64);
    kept->index = (uint32_t)i;
    kept->count = (uint32_t)batch->count;
    merkle_batch_path(batch->tree, i, kept->path, &kept->path_length);
    kept->committed = room->now;
    for (size_t j = 0; j < event->part_count; j++) {
        kept->to[j] = member_of(room, event->parts[j].section.to);
        kept->sections[j] = bytes_buffer(SECTION_SIZE_MAX);
        bytes_append_view(&kept->sections[j], event->parts[j].bytes);
        kept->section_count++;
    }
}

/* A first outcome, by the rules; the faults come before. */
static Wire__Verdict settle(struct postroom *room, enum postroom_member from, const Wire__Publish *publish,
                            const struct envelope_published *batch, size_t i)
{
    const struct envelope_published_event *event = &batch->events[i];
    struct policy_request request;
    struct register_change change;

    if (event_of(room, event->core.event) != NULL) {
        const struct postroom_event *first = event_of(room, event->core.event);

        return bytes_equal(bytes_buffer_view(&first->header), event->header_bytes) ? WIRE__VERDICT__ACCEPTED
                                                                                   : WIRE__VERDICT__REFUSED;
    }
    if (room->faults.stale > 0 && room->faults.stale-- > 0)
        return WIRE__VERDICT__STALE;
    if (room->faults.busy > 0 && room->faults.busy-- > 0)
        return WIRE__VERDICT__BUSY;
    if (memcmp(event->core.bundle, bundle_head_digest(room->rules->bundle), DIGEST_SIZE) != 0)
        return WIRE__VERDICT__STALE;
    decide(room, from, &event->core, event->opening, &request);
    if (!room->decision.granted || room->decision.recipient_count != event->part_count)
        return WIRE__VERDICT__REFUSED;
    for (size_t j = 0; j < event->part_count; j++) {
        struct label_set labels = {{0}};
        struct byte_view rest = event->parts[j].section.labels;
        struct byte_view label = {0};

        while (section_next_label(&rest, &label))
            label_set_add(&labels, catalogue_find_label(room->rules->catalogue, label));
        if (policy_match(room->rules->protocols[0], &room->decision, event->parts[j].section.to,
                         event->parts[j].section.rule, &labels, NULL) != STATUS_OK)
            return WIRE__VERDICT__REFUSED;
    }
    assert_int_equal(register_apply(room->rules->protocols[0], person_of(room, event->core.subject), &request,
                                    room->now, &change),
                     STATUS_OK);
    keep(room, from, publish, batch, i);
    return WIRE__VERDICT__ACCEPTED;
}

static void on_publish(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    const struct directory_entry *entry =
        directory_by_member(room->rules->directory, id_of(room, from), room->now);
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__PublishAnswer body = WIRE__PUBLISH_ANSWER__INIT;
    Wire__Outcome outcomes[ENVELOPE_BATCH_MAX];
    Wire__Outcome *pointers[ENVELOPE_BATCH_MAX];
    struct envelope_published batch;
    struct batch_signer signer;

    room->publishes++;
    memcpy(signer.root.bytes, bundle_root_digest(room->rules->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    assert_int_equal(envelope_publish_verify(frame->publish, bytes_of_string(id_of(room, from)), &signer,
                                             entry->signing, &room->arena, &batch),
                     STATUS_OK);
    for (size_t i = 0; i < batch.count; i++) {
        wire__outcome__init(&outcomes[i]);
        outcomes[i].event = wire_data(bytes_view(batch.events[i].core.event, CORE_EVENT_SIZE));
        outcomes[i].verdict = settle(room, from, frame->publish, &batch, i);
        pointers[i] = &outcomes[i];
    }
    body.n_outcomes = batch.count;
    body.outcomes = pointers;
    out.verb_case = WIRE__FRAME__VERB_PUBLISH_ANSWER;
    out.publish_answer = &body;
    if (room->faults.lose_answers > 0 && room->faults.lose_answers-- > 0)
        return;
    answer(room, from, &out, frame->request);
}

/* ---- delivery
 * ------------------------------------------------------------------------------------------------------------
 */

static void deliver(struct postroom *room, struct postroom_event *event, size_t slot)
{
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__Deliver body = WIRE__DELIVER__INIT;
    Wire__Delivered one = WIRE__DELIVERED__INIT;
    Wire__Delivered *list[] = {&one};
    ProtobufCBinaryData path[8];
    struct byte_buffer section = bytes_buffer(SECTION_SIZE_MAX);

    bytes_append_view(&section, bytes_buffer_view(&event->sections[slot]));
    if (room->faults.flip_section)
        section.data[section.size - 20] ^= 4;
    for (size_t i = 0; i < event->path_length; i++)
        path[i] = wire_data(bytes_view(event->path[i].bytes, DIGEST_SIZE));
    one.index = event->index;
    one.header = wire_data(bytes_buffer_view(&event->header));
    one.n_path = event->path_length;
    one.path = path;
    one.section = wire_data(bytes_buffer_view(&section));
    one.counter = (uint64_t)(event - room->events) + 1;
    body.from = (char *)(uintptr_t)id_of(room, event->from);
    body.certificate = wire_data(bytes_view(event->certificate, 32));
    body.signature = wire_data(bytes_view(event->signature, 64));
    body.count = event->count;
    body.n_events = 1;
    body.events = list;
    out.verb_case = WIRE__FRAME__VERB_DELIVER;
    out.deliver = &body;
    answer(room, event->to[slot], &out, 0);
    if (room->faults.deliver_twice)
        answer(room, event->to[slot], &out, 0);
    bytes_buffer_free(&section);
}

bool postroom_broker_deliver(struct postroom *room)
{
    bool any = false;

    for (size_t i = 0; i < room->event_count; i++)
        for (size_t j = 0; j < room->events[i].section_count; j++) {
            struct postroom_event *event = &room->events[i];
            const enum postroom_member to = event->to[j];

            if (!room->connected[to] || room->credit[to] == 0 || event->delivered[j] || event->receipted[j])
                continue;
            event->delivered[j] = true;
            room->credit[to]--;
            deliver(room, event, j);
            any = true;
        }
    return any;
}

/* ---- receipts
 * --------------------------------------------------------------------------------------------------------------
 */

static void forward(struct postroom *room, const Wire__ReceiptBatch *batch, const struct receipt *receipt,
                    size_t i)
{
    struct byte_view items[ENVELOPE_BATCH_MAX];
    struct byte_buffer bytes = bytes_buffer(RECEIPT_SIZE_MAX);
    struct merkle_batch *tree = calloc(1, sizeof *tree);
    struct digest path[MERKLE_PATH_MAX];
    ProtobufCBinaryData fields[8];
    size_t length = 0;
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__ForwardedReceipts body = WIRE__FORWARDED_RECEIPTS__INIT;
    Wire__ForwardedReceipt one = WIRE__FORWARDED_RECEIPT__INIT;
    Wire__ForwardedReceipt *list[] = {&one};

    assert_non_null(tree);
    for (size_t j = 0; j < batch->n_receipts; j++)
        items[j] = wire_view(batch->receipts[j]);
    assert_int_equal(batch_tree(items, batch->n_receipts, tree), STATUS_OK);
    merkle_batch_path(tree, i, path, &length);
    bytes_append_view(&bytes, items[i]);
    if (room->faults.forge_receipts)
        bytes.data[bytes.size - 1] ^= 1;
    for (size_t j = 0; j < length; j++)
        fields[j] = wire_data(bytes_view(path[j].bytes, DIGEST_SIZE));
    one.index = (uint32_t)i;
    one.receipt = wire_data(bytes_buffer_view(&bytes));
    one.n_path = length;
    one.path = fields;
    body.id = ++room->receipt_batches;
    body.certificate = batch->certificate;
    body.signature = batch->signature;
    body.count = (uint32_t)batch->n_receipts;
    body.n_receipts = 1;
    body.receipts = list;
    body.head = batch->head;
    out.verb_case = WIRE__FRAME__VERB_FORWARDED_RECEIPTS;
    out.forwarded_receipts = &body;
    answer(room, member_of(room, receipt->from), &out, 0);
    bytes_buffer_free(&bytes);
    free(tree);
}

static void on_receipts(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    const struct directory_entry *entry =
        directory_by_member(room->rules->directory, id_of(room, from), room->now);
    struct receipt receipts[ENVELOPE_BATCH_MAX];
    struct batch_signer signer;
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__ReceiptsStored body = WIRE__RECEIPTS_STORED__INIT;

    room->receipts++;
    memcpy(signer.root.bytes, bundle_root_digest(room->rules->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    assert_int_equal(receipt_batch_verify(frame->receipts, bytes_of_string(id_of(room, from)), &signer,
                                          entry->signing, receipts),
                     STATUS_OK);
    for (size_t i = 0; i < frame->receipts->n_receipts; i++) {
        struct postroom_event *event = (struct postroom_event *)(uintptr_t)event_of(room, receipts[i].event);

        assert_non_null(event);
        for (size_t j = 0; j < event->section_count; j++)
            if (event->to[j] == from)
                event->receipted[j] = true;
        if (!room->faults.hold_receipts)
            forward(room, frame->receipts, &receipts[i], i);
    }
    body.count = (uint32_t)frame->receipts->n_receipts;
    out.verb_case = WIRE__FRAME__VERB_RECEIPTS_STORED;
    out.receipts_stored = &body;
    answer(room, from, &out, frame->request);
}

/* ---- the rest
 * ----------------------------------------------------------------------------------------------------------------
 */

static void on_hello(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__Welcome body = WIRE__WELCOME__INIT;

    assert_string_equal(frame->hello->member, id_of(room, from));
    body.now = (uint64_t)room->now;
    body.head = (Wire__SignedHead *)(uintptr_t)bundle_signed_head(room->rules->bundle);
    body.largest_frame = WIRE_FRAME_LIMIT;
    body.largest_batch = ENVELOPE_BATCH_MAX;
    body.largest_credit = 1024;
    out.verb_case = WIRE__FRAME__VERB_WELCOME;
    out.welcome = &body;
    answer(room, from, &out, frame->request);
}

static void on_bundle_request(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    const struct byte_view whole = bundle_body(room->rules->bundle);
    const uint64_t offset = frame->bundle_request->offset;
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__BundlePart body = WIRE__BUNDLE_PART__INIT;
    size_t size = 10000;

    assert_true(offset < whole.size);
    if (size > whole.size - offset)
        size = whole.size - (size_t)offset;
    body.head = (Wire__SignedHead *)(uintptr_t)bundle_signed_head(room->rules->bundle);
    body.body_size = whole.size;
    body.offset = offset;
    body.data = wire_data(bytes_view(whole.data + offset, size));
    out.verb_case = WIRE__FRAME__VERB_BUNDLE_PART;
    out.bundle_part = &body;
    answer(room, from, &out, frame->request);
}

static void on_reports(struct postroom *room, enum postroom_member from, const Wire__Frame *frame)
{
    Wire__Frame out = WIRE__FRAME__INIT;
    Wire__ReportsStored body = WIRE__REPORTS_STORED__INIT;

    room->reports += frame->reports->n_reports;
    body.count = (uint32_t)frame->reports->n_reports;
    out.verb_case = WIRE__FRAME__VERB_REPORTS_STORED;
    out.reports_stored = &body;
    answer(room, from, &out, frame->request);
}

void postroom_broker_take(struct postroom *room, enum postroom_member from, struct byte_view bytes)
{
    const Wire__Frame *frame = NULL;
    const char *why = NULL;

    wire_arena_reset(&room->arena);
    assert_int_equal(wire_frame_unpack(bytes, &room->arena, &frame), STATUS_OK);
    if (wire_check_frame(frame, &why) != STATUS_OK)
        fail_msg("an agent sent a malformed frame: %s", why);
    switch ((int)frame->verb_case) {
    case WIRE__FRAME__VERB_HELLO:
        on_hello(room, from, frame);
        break;
    case WIRE__FRAME__VERB_BUNDLE_REQUEST:
        on_bundle_request(room, from, frame);
        break;
    case WIRE__FRAME__VERB_PLAN_REQUEST:
        on_plan(room, from, frame);
        break;
    case WIRE__FRAME__VERB_PUBLISH:
        on_publish(room, from, frame);
        break;
    case WIRE__FRAME__VERB_FETCH:
        room->credit[from] += frame->fetch->credit;
        break;
    case WIRE__FRAME__VERB_RECEIPTS:
        on_receipts(room, from, frame);
        break;
    case WIRE__FRAME__VERB_REPORTS:
        on_reports(room, from, frame);
        break;
    case WIRE__FRAME__VERB_LOG_REQUEST:
        break; /* this broker keeps no log; agents must bear that */
    default:
        fail_msg("an agent sent what agents do not send: %d", (int)frame->verb_case);
    }
}
