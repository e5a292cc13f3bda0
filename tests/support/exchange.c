#include "tests/support/exchange.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "base/civil.h"
#include "base/safefile.h"
#include "broker/frame.h"
#include "broker/rulebook.h"
#include "proto/commitment.h"
#include "proto/hpke.h"
#include "proto/labels.h"
#include "proto/logrow.h"
#include "proto/pseudonym.h"
#include "tests/support/policy.h"
#include "tests/support/support.h"

#define WAIT_MS 10000

static const char *const ids[EXCHANGE_AGENTS] = {"police.staffordshire", "prison.dovegate", "prison.stafford",
                                                 "probation.staffordshire", "drugs.stoke"};

/* ---- partnership and pipeline ---- */

struct bundle *exchange_bundle(struct exchange *exchange, const struct policy_edit *edits)
{
    struct byte_buffer catalogue = policy_file("catalogue.yaml", NULL);
    static const struct policy_edit renamed[] = {
        {"protocol: staffordshire-ppo", "protocol: " EXCHANGE_SECOND}, {NULL, NULL}};
    struct byte_buffer protocol = policy_file("staffordshire-ppo.yaml", edits);
    struct byte_buffer second = policy_file("staffordshire-ppo.yaml", renamed);
    struct authority_bundle_file files[] = {
        {.name = "staffordshire-ppo.yaml", .content = bytes_buffer_view(&protocol)},
        {.name = EXCHANGE_SECOND ".yaml", .content = bytes_buffer_view(&second)}};
    struct authority_bundle_setting witnesses[EXCHANGE_AGENTS];
    struct authority_bundle_options options = {
        .protocols = files,
        .n_protocols = exchange->second ? 2 : 1,
        .catalogue = {.name = "catalogue.yaml", .content = bytes_buffer_view(&catalogue)},
        .valid_days = BUNDLE_LONGEST_DAYS,
        .witnesses = witnesses,
        .n_witnesses = EXCHANGE_AGENTS,
        .witness_dishonest = &exchange->dishonest};
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        witnesses[i] = (struct authority_bundle_setting){
            ids[i], i < exchange->witnesses ? keystore_witness_vkey(exchange->agents[i].keys) : ""};
    struct byte_buffer bytes = bytes_buffer(0);
    struct bundle_reason reason;
    struct bundle *bundle = NULL;

    if (authority_bundle_make(exchange->partnership->authority, &options, exchange->partnership->now, &bytes,
                              &reason) != STATUS_OK)
        fail_msg("bundle: %s", reason.text);
    if (bundle_verify(bytes_buffer_view(&bytes), exchange->bundle,
                      authority_fingerprint(exchange->partnership->authority), exchange->partnership->now,
                      &bundle, &reason) != STATUS_OK)
        fail_msg("bundle: %s", reason.text);
    bytes_buffer_free(&bytes);
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
    bytes_buffer_free(&second);
    return bundle;
}

static void take_bundle(struct exchange *exchange, struct bundle *bundle)
{
    char reason[256] = "";

    rulebook_free(&exchange->rules);
    bundle_free(&exchange->bundle);
    exchange->bundle = bundle;
    if (rulebook_new(bundle, &exchange->rules, reason, sizeof reason) != STATUS_OK)
        fail_msg("%s", reason);
}

void exchange_witnesses(struct exchange *exchange, size_t count, uint32_t dishonest)
{
    exchange->witnesses = count;
    exchange->dishonest = dishonest;
    take_bundle(exchange, exchange_bundle(exchange, NULL));
}

struct exchange *exchange_new(void)
{
    return exchange_new_aged(EXCHANGE_AGENTS, 0);
}

struct exchange *exchange_new_aged(size_t agent, unsigned days)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    assert_non_null(exchange);
    exchange->partnership = partnership_new();
    exchange->clock = clock_at(exchange->partnership->now);
    exchange->limits = pipeline_limits();
    exchange->arena = wire_arena((size_t)1 << 30);
    exchange->broker = partnership_member(exchange->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    snprintf(exchange->folder, sizeof exchange->folder, "%s/%s", exchange->partnership->folder,
             PARTNERSHIP_BROKER);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++) {
        exchange->agents[i].id = ids[i];
        exchange->partnership->now = PARTNERSHIP_NOW - (i == agent ? days : 0) * CIVIL_DAY_MS;
        exchange->agents[i].keys = partnership_member(exchange->partnership, ids[i], ROLE_AGENT);
        exchange->agents[i].ids = uuid_source(random_system());
    }
    exchange->partnership->now = PARTNERSHIP_NOW;
    take_bundle(exchange, exchange_bundle(exchange, NULL));
    return exchange;
}

void exchange_free(struct exchange **exchange)
{
    exchange_stop(*exchange);
    rulebook_free(&(*exchange)->rules);
    bundle_free(&(*exchange)->bundle);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        keystore_free(&(*exchange)->agents[i].keys);
    keystore_free(&(*exchange)->broker);
    wire_arena_free(&(*exchange)->arena);
    partnership_free(&(*exchange)->partnership);
    free(*exchange);
    *exchange = NULL;
}

enum status exchange_try_start(struct exchange *exchange, struct pipeline_reason *ret_reason)
{
    struct pipeline_options options = {.folder = exchange->folder,
                                       .keystore = exchange->broker,
                                       .bundle = exchange->bundle,
                                       .clock = &exchange->clock,
                                       .limits = exchange->limits,
                                       .memory = exchange->memory};

    return pipeline_start(&options, &exchange->pipeline, ret_reason);
}

void exchange_start(struct exchange *exchange)
{
    struct pipeline_reason reason;

    if (exchange_try_start(exchange, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
}

void exchange_stop(struct exchange *exchange)
{
    pipeline_stop(&exchange->pipeline);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++) {
        exchange->agents[i].connection = 0;
        exchange->agents[i].frame_count = 0;
    }
}

void exchange_connect(struct exchange *exchange, size_t agent)
{
    exchange_show(exchange, agent, bytes_view(NULL, 0));
}

void exchange_show(struct exchange *exchange, size_t agent, struct byte_view checkpoint)
{
    exchange->agents[agent].connection = ++exchange->connections;
    assert_int_equal(
        pipeline_connected(exchange->pipeline, exchange->agents[agent].connection, ids[agent], checkpoint),
        STATUS_OK);
}

void exchange_disconnect(struct exchange *exchange, size_t agent)
{
    assert_int_equal(pipeline_disconnected(exchange->pipeline, exchange->agents[agent].connection),
                     STATUS_OK);
    exchange->agents[agent].connection = 0;
    exchange->agents[agent].frame_count = 0;
}

/* ---- frames ---- */

static void take_frame(struct exchange *exchange, const struct pipeline_out *out)
{
    uint8_t *copy = wire_arena_alloc(&exchange->arena, out->bytes.size + 1);
    const char *reason = "";

    memcpy(copy, out->bytes.data, out->bytes.size);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++) {
        struct exchange_agent *agent = &exchange->agents[i];
        if (agent->connection != out->connection || agent->connection == 0)
            continue;
        assert_string_equal(out->member, agent->id);
        assert_true(agent->frame_count < EXCHANGE_FRAMES);
        const Wire__Frame *frame = NULL;
        assert_int_equal(wire_frame_unpack(bytes_view(copy, out->bytes.size), &exchange->arena, &frame),
                         STATUS_OK);
        if (wire_check_frame(frame, &reason) != STATUS_OK)
            fail_msg("the broker sent something that is not allowed: %s", reason);
        agent->frames[agent->frame_count++] = frame;
    }
}

static void copy_text(char *to, size_t room, struct byte_view text)
{
    size_t size = text.size < room ? text.size : room - 1;

    memcpy(to, text.data, size);
    to[size] = '\0';
}

static void pump(struct exchange *exchange, int wait_ms)
{
    struct pollfd ready = {.fd = pipeline_fd(exchange->pipeline), .events = POLLIN};
    struct pipeline_out *out[64];

    if (poll(&ready, 1, wait_ms) <= 0)
        return;
    size_t count = pipeline_take(exchange->pipeline, out, 64);
    for (size_t i = 0; i < count; i++) {
        switch (out[i]->kind) {
        case PIPELINE_FRAME:
            take_frame(exchange, out[i]);
            break;
        case PIPELINE_CONTROL:
            copy_text(exchange->control, sizeof exchange->control, out[i]->bytes);
            break;
        case PIPELINE_BUNDLE:
            exchange->bundle_in_force = true;
            break;
        case PIPELINE_CHECKPOINT:
            copy_text(exchange->checkpoint, sizeof exchange->checkpoint, out[i]->bytes);
            break;
        case PIPELINE_ALERT:
            copy_text(exchange->alert, sizeof exchange->alert, out[i]->bytes);
            break;
        case PIPELINE_FATAL:
            copy_text(exchange->fatal, sizeof exchange->fatal, out[i]->bytes);
            break;
        }
        pipeline_out_free(exchange->pipeline, &out[i]);
    }
}

void exchange_send(struct exchange *exchange, size_t agent, struct byte_view frame)
{
    struct frame_face face = {0};

    (void)frame_peek(frame, &face); /* as the gate does */
    struct pipeline_frame submitted = {.connection = exchange->agents[agent].connection,
                                       .member = ids[agent],
                                       .request = face.request,
                                       .bytes = frame};

    assert_int_equal(pipeline_submit(exchange->pipeline, &submitted), STATUS_OK);
}

static const Wire__Frame *find(struct exchange_agent *agent, Wire__Frame__VerbCase verb)
{
    for (size_t i = 0; i < agent->frame_count; i++) {
        const Wire__Frame *frame = agent->frames[i];
        if (frame->verb_case != verb)
            continue;
        agent->frame_count--;
        memmove(&agent->frames[i], &agent->frames[i + 1], (agent->frame_count - i) * sizeof(Wire__Frame *));
        return frame;
    }
    return NULL;
}

const Wire__Frame *exchange_wait(struct exchange *exchange, size_t agent, Wire__Frame__VerbCase verb)
{
    int64_t until = clock_elapsed() + WAIT_MS;

    for (;;) {
        const Wire__Frame *frame = find(&exchange->agents[agent], verb);
        if (frame != NULL)
            return frame;
        frame = find(&exchange->agents[agent], WIRE__FRAME__VERB_ERROR);
        if (frame != NULL && verb != WIRE__FRAME__VERB_ERROR)
            fail_msg("an error instead: %s", frame->error->text);
        if (clock_elapsed() > until || exchange->fatal[0] != '\0')
            fail_msg("nothing came for %s: %s", ids[agent], exchange->fatal);
        pump(exchange, 100);
    }
}

const char *exchange_control(struct exchange *exchange, const char *json)
{
    int64_t until = clock_elapsed() + WAIT_MS;

    exchange->control[0] = '\0';
    assert_int_equal(pipeline_control(exchange->pipeline, 1, bytes_of_string(json)), STATUS_OK);
    while (exchange->control[0] == '\0' && clock_elapsed() < until)
        pump(exchange, 100);
    return exchange->control;
}

void exchange_none(struct exchange *exchange, size_t agent, Wire__Frame__VerbCase verb)
{
    /* Deliveries follow the answers of their group: the second question comes after them. */
    (void)exchange_control(exchange, "{\"do\":\"status\"}");
    (void)exchange_control(exchange, "{\"do\":\"status\"}");
    if (find(&exchange->agents[agent], verb) != NULL)
        fail_msg("%s got a frame that it should not have", ids[agent]);
}

void exchange_load(struct exchange *exchange, struct bundle *bundle)
{
    struct pipeline_reason reason;
    int64_t until = clock_elapsed() + WAIT_MS;

    exchange->bundle_in_force = false;
    if (pipeline_bundle(exchange->pipeline, bundle, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    while (!exchange->bundle_in_force && clock_elapsed() < until)
        pump(exchange, 100);
    assert_true(exchange->bundle_in_force);
    take_bundle(exchange, bundle);
}

static void send_frame(struct exchange *exchange, size_t agent, const Wire__Frame *frame)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);

    wire_pack(&frame->base, &bytes);
    assert_int_equal(bytes.status, STATUS_OK);
    exchange_send(exchange, agent, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
}

void exchange_fetch(struct exchange *exchange, size_t agent, uint32_t credit, uint64_t receipts_after)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__Fetch fetch = WIRE__FETCH__INIT;

    frame.version = WIRE_VERSION;
    frame.verb_case = WIRE__FRAME__VERB_FETCH;
    frame.fetch = &fetch;
    fetch.credit = credit;
    fetch.receipts_after = receipts_after;
    send_frame(exchange, agent, &frame);
}

/* ---- events ---- */

struct making {
    struct exchange_event *event;
    struct opening_attribute attributes[CORE_ATTRIBUTES_MAX];
    size_t count;
    size_t used; /* of event->texts */
};

static struct byte_view keep(struct making *making, const char *text, size_t size)
{
    char *copy = making->event->texts + making->used;

    assert_true(making->used + size < sizeof making->event->texts);
    memcpy(copy, text, size);
    making->used += size;
    return bytes_view(copy, size);
}

/* The value of a label in "a=b c=d", or NULL. */
static const char *value_in(const char *attributes, const char *label, size_t *ret_size)
{
    size_t name = strlen(label);

    while (attributes != NULL && *attributes != '\0') {
        size_t length = strcspn(attributes, " ");
        if (length > name && strncmp(attributes, label, name) == 0 && attributes[name] == '=') {
            *ret_size = length - name - 1;
            return attributes + name + 1;
        }
        attributes += length + (attributes[length] == ' ');
    }
    return NULL;
}

static void add_attribute(struct making *making, const char *label, const char *value, size_t size)
{
    struct opening_attribute *attribute = &making->attributes[making->count++];

    attribute->id = keep(making, label, strlen(label));
    attribute->value = keep(making, value, size);
    assert_int_equal(random_bytes(attribute->salt, sizeof attribute->salt), STATUS_OK);
}

static void add_attributes(struct exchange *exchange, struct making *making, const char *type,
                           const char *attributes, const char *held)
{
    const struct catalogue *catalogue = exchange->rules->catalogue;
    uint16_t index = catalogue_find_event(catalogue, bytes_of_string(type));
    char labels[LABELS_SIZE] = "";
    struct kind_reason reason;

    assert_int_not_equal(index, CATALOGUE_NONE);
    const struct catalogue_event *event = &catalogue->events[index];
    if (held != NULL)
        assert_int_equal(labels_canonical(bytes_of_string(held), labels, &reason), STATUS_OK);
    for (uint16_t i = 0; i < event->attribute_count; i++) {
        const char *label = catalogue->labels[event->attributes[i].label].label;
        size_t size = 0;
        const char *value = value_in(attributes, label, &size);
        if (value == NULL && strcmp(label, "juvenile") == 0) {
            value = "no";
            size = 2;
        }
        if (strcmp(label, "held") == 0 && held != NULL) {
            value = labels;
            size = strlen(labels);
        }
        if (value != NULL)
            add_attribute(making, label, value, size);
    }
}

void exchange_make(struct exchange *exchange, struct exchange_event *event, size_t from, const char *type,
                   unsigned person, const char *attributes, const char *held)
{
    struct making making = {.event = event};
    const struct protocol *protocol = exchange->rules->protocols[0].protocol;
    struct pseudonym pseudonym;
    uint8_t key[PSEUDONYM_KEY_SIZE] = {7};
    char pnc[16];
    const char *purpose =
        policy_purpose(protocol, bytes_of_string(ids[from]),
                       catalogue_find_event(exchange->rules->catalogue, bytes_of_string(type)));
    int64_t now = clock_now(&exchange->clock);

    memset(event, 0, sizeof *event);
    event->from = from;
    add_attributes(exchange, &making, type, attributes, held);
    snprintf(pnc, sizeof pnc, "2004/%07u", person);
    assert_int_equal(
        pseudonym_make(1, key, PSEUDONYM_KIND_PNC, bytes_view(NULL, 0), bytes_of_string(pnc), &pseudonym),
        STATUS_OK);
    assert_int_equal(uuid_next(&exchange->agents[from].ids, now, event->core.event), STATUS_OK);
    memcpy(event->core.bundle, bundle_head_digest(exchange->bundle), CORE_DIGEST_SIZE);
    memcpy(event->core.subject, pseudonym.bytes, CORE_SUBJECT_SIZE);
    event->core.type = keep(&making, type, strlen(type));
    event->core.protocol = bytes_of_string("staffordshire-ppo");
    event->core.from = bytes_of_string(ids[from]);
    purpose = purpose == NULL ? "no purpose of theirs" : purpose;
    event->core.purpose = keep(&making, purpose, strlen(purpose));
    event->core.officer = bytes_of_string("automatic:test");
    event->core.occurred = event->core.created = now;
    opening_commit(making.attributes, making.count, &event->core);
    event->opening = bytes_buffer((size_t)64 << 10);
    event->core_bytes = bytes_buffer(CORE_SIZE_MAX);
    event->header = bytes_buffer(HEADER_SIZE_MAX);
    assert_int_equal(opening_encode(making.attributes, making.count, &event->opening), STATUS_OK);
    assert_int_equal(core_encode(&event->core, &event->core_bytes), STATUS_OK);
}

static void encode_again(struct exchange_event *event)
{
    bytes_buffer_clear(&event->core_bytes);
    assert_int_equal(core_encode(&event->core, &event->core_bytes), STATUS_OK);
}

void exchange_refer(struct exchange_event *event, const uint8_t *correlation, const uint8_t *supersedes,
                    const uint8_t *repeats)
{
    event->core.has_correlation = correlation != NULL;
    event->core.has_supersedes = supersedes != NULL;
    event->core.has_repeats = repeats != NULL;
    if (correlation != NULL)
        memcpy(event->core.correlation, correlation, CORE_EVENT_SIZE);
    if (supersedes != NULL)
        memcpy(event->core.supersedes, supersedes, CORE_EVENT_SIZE);
    if (repeats != NULL)
        memcpy(event->core.repeats, repeats, CORE_EVENT_SIZE);
    encode_again(event);
}

void exchange_name(struct exchange_event *event, const uint8_t id[static CORE_EVENT_SIZE])
{
    memcpy(event->core.event, id, CORE_EVENT_SIZE);
    encode_again(event);
}

void exchange_drop(struct exchange_event *event)
{
    bytes_buffer_free(&event->core_bytes);
    bytes_buffer_free(&event->opening);
    bytes_buffer_free(&event->header);
    for (size_t i = 0; i < event->section_count; i++)
        bytes_buffer_free(&event->sections[i]);
    event->section_count = 0;
}

/* ---- plan, seal, publish ---- */

void exchange_plan_only(struct exchange *exchange, struct exchange_event *event)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__PlanRequest request = WIRE__PLAN_REQUEST__INIT;
    Wire__PlanItem item = WIRE__PLAN_ITEM__INIT;
    Wire__PlanItem *items = &item;
    const ProtobufCMessage *opening = NULL;

    assert_int_equal(wire_unpack(&wire__opening__descriptor, bytes_buffer_view(&event->opening),
                                 WIRE_FRAME_LIMIT, &exchange->arena, &opening),
                     STATUS_OK);
    frame.version = WIRE_VERSION;
    frame.request = ++exchange->requests;
    frame.verb_case = WIRE__FRAME__VERB_PLAN_REQUEST;
    frame.plan_request = &request;
    request.n_items = 1;
    request.items = &items;
    item.core = wire_data(bytes_buffer_view(&event->core_bytes));
    item.opening = (Wire__Opening *)(uintptr_t)opening;
    send_frame(exchange, event->from, &frame);
}

const Wire__Plan *exchange_plan(struct exchange *exchange, struct exchange_event *event)
{
    exchange_plan_only(exchange, event);
    const Wire__Frame *answer = exchange_wait(exchange, event->from, WIRE__FRAME__VERB_PLAN_ANSWER);
    assert_int_equal(answer->request, exchange->requests);
    assert_int_equal(answer->plan_answer->n_plans, 1);
    return answer->plan_answer->plans[0];
}

/* The static text of a member's id. */
static const char *id_like(const char *id)
{
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++) {
        if (strcmp(ids[i], id) == 0)
            return ids[i];
    }
    fail_msg("%s is nobody", id);
    return NULL;
}

static void add_section(struct exchange *exchange, struct exchange_event *event, const char *to,
                        const char *rule, struct item *items, size_t item_count)
{
    const struct directory_entry *entry =
        directory_by_member(bundle_directory(exchange->bundle), to, clock_now(&exchange->clock));
    struct section_target target = {.to = bytes_of_string(to), .rule = bytes_of_string(rule)};
    struct x25519_public *key = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE];

    assert_non_null(entry);
    memcpy(target.key, entry->sealing_id, sizeof target.key);
    core_digest(bytes_buffer_view(&event->core_bytes), target.core);
    assert_int_equal(x25519_public(entry->sealing, &key), STATUS_OK);
    assert_int_equal(hpke_sender_start(key, bytes_of_string(SECTION_INFO), random_system(), &sender, enc),
                     STATUS_OK);
    event->sections[event->section_count] = bytes_buffer(SECTION_SIZE_MAX);
    assert_int_equal(
        section_seal(sender, enc, &target, items, item_count, &event->sections[event->section_count]),
        STATUS_OK);
    event->slots[event->section_count].to = bytes_of_string(id_like(to));
    event->section_count++;
    hpke_sender_free(&sender);
    x25519_public_free(&key);
}

void exchange_add(struct exchange *exchange, struct exchange_event *event, const char *to, const char *rule,
                  const char *labels)
{
    struct item items[WIRE_LABELS_MAX];
    size_t count = 0;

    while (*labels != '\0') {
        size_t length = strcspn(labels, " ");
        items[count++] = (struct item){bytes_view(labels, length), bytes_of_string("x")};
        labels += length + (labels[length] == ' ');
    }
    add_section(exchange, event, to, rule, items, count);
}

void exchange_grant(struct exchange *exchange, struct exchange_event *event, const Wire__Grant *grant)
{
    struct item items[WIRE_LABELS_MAX];

    for (size_t i = 0; i < grant->n_labels; i++)
        items[i] = (struct item){bytes_of_string(grant->labels[i]), bytes_of_string("x")};
    add_section(exchange, event, grant->to, grant->rule, items, grant->n_labels);
}

void exchange_close(struct exchange_event *event)
{
    uint8_t digests[WIRE_TO_MAX][HEADER_DIGEST_SIZE];

    for (size_t i = 0; i < event->section_count; i++) {
        event->slots[i].section = bytes_buffer_view(&event->sections[i]);
        section_digest(event->slots[i].section, digests[i]);
    }
    bytes_buffer_clear(&event->header);
    assert_int_equal(header_build(bytes_buffer_view(&event->core_bytes),
                                  (const uint8_t(*)[HEADER_DIGEST_SIZE])digests, event->section_count,
                                  &event->header),
                     STATUS_OK);
}

void exchange_seal(struct exchange *exchange, struct exchange_event *event, const Wire__Plan *plan)
{
    for (size_t i = 0; i < plan->n_grants; i++)
        exchange_grant(exchange, event, plan->grants[i]);
    exchange_close(event);
}

static struct batch_signer signer_of(const struct exchange *exchange, size_t agent)
{
    const struct directory_entry *entry = directory_known(bundle_directory(exchange->bundle), ids[agent]);
    struct batch_signer signer;

    memcpy(signer.root.bytes, bundle_root_digest(exchange->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, entry->digest, DIGEST_SIZE);
    return signer;
}

void exchange_frame(struct exchange *exchange, struct exchange_event *const *events, size_t count,
                    struct byte_buffer *ret)
{
    struct envelope_event *envelopes = calloc(count, sizeof *envelopes);
    struct batch_signer signer = signer_of(exchange, events[0]->from);

    for (size_t i = 0; i < count; i++)
        envelopes[i] = (struct envelope_event){.header = bytes_buffer_view(&events[i]->header),
                                               .opening = bytes_buffer_view(&events[i]->opening),
                                               .slots = events[i]->slots,
                                               .slot_count = events[i]->section_count};
    *ret = bytes_buffer(WIRE_FRAME_LIMIT);
    assert_int_equal(envelope_publish_build(++exchange->requests, &signer,
                                            keystore_signing(exchange->agents[events[0]->from].keys),
                                            envelopes, count, ret),
                     STATUS_OK);
    free(envelopes);
}

const Wire__Outcome *exchange_submit(struct exchange *exchange, struct exchange_event *event)
{
    struct byte_buffer frame;

    exchange_frame(exchange, &event, 1, &frame);
    exchange_send(exchange, event->from, bytes_buffer_view(&frame));
    bytes_buffer_free(&frame);
    const Wire__Frame *answer = exchange_wait(exchange, event->from, WIRE__FRAME__VERB_PUBLISH_ANSWER);
    assert_int_equal(answer->publish_answer->n_outcomes, 1);
    return answer->publish_answer->outcomes[0];
}

const Wire__Outcome *exchange_publish(struct exchange *exchange, struct exchange_event *event)
{
    const Wire__Plan *plan = exchange_plan(exchange, event);

    if (plan->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("not planned: %s", plan->reason);
    exchange_seal(exchange, event, plan);
    return exchange_submit(exchange, event);
}

void exchange_list(struct exchange *exchange, unsigned person)
{
    struct exchange_event event;

    exchange_make(exchange, &event, EXCHANGE_POLICE, "ppo.added", person,
                  "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
                  "review_due=2026-12-15 home_force=21",
                  "name,dob,pnc_id,prison_no");
    const Wire__Outcome *outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("not listed: %s", outcome->reason);
    exchange_drop(&event);
}

void exchange_consent(struct exchange *exchange, unsigned person, const char *scope)
{
    struct exchange_event event;
    char attributes[128];

    snprintf(attributes, sizeof attributes, "scope=%s form_version=3 expires=2027-03-31", scope);
    exchange_make(exchange, &event, EXCHANGE_PROBATION, "consent.given", person, attributes, NULL);
    const Wire__Outcome *outcome = exchange_publish(exchange, &event);
    if (outcome->verdict != WIRE__VERDICT__ACCEPTED)
        fail_msg("no consent: %s", outcome->reason);
    exchange_drop(&event);
}

/* ---- receipts ---- */

void exchange_receipts(struct exchange *exchange, size_t agent, const Wire__Deliver *deliver,
                       enum receipt_outcome outcome, struct byte_buffer *ret)
{
    struct byte_buffer encoded[ENVELOPE_BATCH_MAX];
    struct byte_view views[ENVELOPE_BATCH_MAX];
    struct byte_buffer head = bytes_buffer((size_t)64 << 10);
    struct batch_signer signer = signer_of(exchange, agent);

    wire_pack(&bundle_signed_head(exchange->bundle)->base, &head);
    for (size_t i = 0; i < deliver->n_events; i++) {
        const Wire__Delivered *delivered = deliver->events[i];
        struct header header;
        struct core core;
        struct receipt receipt = {.to = bytes_of_string(ids[agent]),
                                  .from = bytes_of_string(deliver->from),
                                  .outcome = outcome,
                                  .time = clock_now(&exchange->clock),
                                  .counter = delivered->counter};
        assert_int_equal(header_parse(wire_view(delivered->header), &header), STATUS_OK);
        assert_int_equal(core_decode(header.core, &core), STATUS_OK);
        memcpy(receipt.event, core.event, sizeof receipt.event);
        header_digest(wire_view(delivered->header), receipt.header);
        section_digest(wire_view(delivered->section), receipt.section);
        memcpy(receipt.bundle, bundle_head_digest(exchange->bundle), DIGEST_SIZE);
        encoded[i] = bytes_buffer(RECEIPT_SIZE_MAX);
        assert_int_equal(receipt_encode(&receipt, &encoded[i]), STATUS_OK);
        views[i] = bytes_buffer_view(&encoded[i]);
    }
    *ret = bytes_buffer(WIRE_FRAME_LIMIT);
    assert_int_equal(receipt_batch_build(++exchange->requests, &signer,
                                         keystore_signing(exchange->agents[agent].keys), views,
                                         deliver->n_events, bytes_buffer_view(&head), ret),
                     STATUS_OK);
    for (size_t i = 0; i < deliver->n_events; i++)
        bytes_buffer_free(&encoded[i]);
    bytes_buffer_free(&head);
}

void exchange_report(struct exchange *exchange, size_t agent, Wire__ReportKind kind,
                     const struct exchange_event *event)
{
    uint8_t digest[DIGEST_SIZE];

    header_digest(bytes_buffer_view(&event->header), digest);
    (void)exchange_report_as(exchange, agent, kind, event, digest, WIRE__FRAME__VERB_REPORTS_STORED);
}

/* One report, signed as it should be unless that is to be spoiled. */
static void send_report(struct exchange *exchange, size_t agent, const char *by, Wire__ReportKind kind,
                        const struct exchange_event *event, const uint8_t header[static DIGEST_SIZE],
                        bool spoiled)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__ReportBatch batch = WIRE__REPORT_BATCH__INIT;
    Wire__Report report = WIRE__REPORT__INIT;
    struct byte_buffer bytes = bytes_buffer(4096);
    struct batch_signer signer = signer_of(exchange, agent);
    uint8_t signature[ED25519_SIGNATURE_SIZE];

    report.by = (char *)(uintptr_t)by;
    report.kind = kind;
    report.from = (char *)(uintptr_t)ids[event->from];
    report.event = wire_data(bytes_view(event->core.event, CORE_EVENT_SIZE));
    report.header = wire_data(bytes_view(header, DIGEST_SIZE));
    report.officer = (char *)(uintptr_t) "automatic:test";
    report.time = (uint64_t)clock_now(&exchange->clock);
    wire_pack(&report.base, &bytes);
    struct byte_view item = bytes_buffer_view(&bytes);
    ProtobufCBinaryData data = wire_data(item);
    assert_int_equal(batch_sign(BATCH_PURPOSE_REPORTS, keystore_signing(exchange->agents[agent].keys),
                                &signer, &item, 1, signature),
                     STATUS_OK);
    signature[7] ^= (uint8_t)spoiled;
    frame.version = WIRE_VERSION;
    frame.request = ++exchange->requests;
    frame.verb_case = WIRE__FRAME__VERB_REPORTS;
    frame.reports = &batch;
    batch.certificate = wire_data(bytes_view(signer.certificate.bytes, DIGEST_SIZE));
    batch.signature = wire_data(bytes_view(signature, sizeof signature));
    batch.n_reports = 1;
    batch.reports = &data;
    send_frame(exchange, agent, &frame);
    bytes_buffer_free(&bytes);
}

const Wire__Frame *exchange_report_as(struct exchange *exchange, size_t agent, Wire__ReportKind kind,
                                      const struct exchange_event *event,
                                      const uint8_t header[static DIGEST_SIZE], Wire__Frame__VerbCase answer)
{
    send_report(exchange, agent, ids[agent], kind, event, header, false);
    return exchange_wait(exchange, agent, answer);
}

const char *exchange_report_wrong(struct exchange *exchange, size_t agent, const char *by,
                                  const struct exchange_event *event)
{
    uint8_t digest[DIGEST_SIZE];

    header_digest(bytes_buffer_view(&event->header), digest);
    send_report(exchange, agent, by == NULL ? ids[agent] : by, WIRE__REPORT_KIND__OPENED, event, digest,
                by == NULL);
    return exchange_wait(exchange, agent, WIRE__FRAME__VERB_ERROR)->error->text;
}

/* ---- the log ---- */

struct counting {
    enum record_kind kind;
    size_t count;
};

static enum status count_row(void *context, const struct source_row *row)
{
    struct counting *counting = context;
    struct logrow reader = logrow_open(row->records, row->personal);
    struct logrow_record record;

    while (logrow_next(&reader, &record) == STATUS_OK)
        counting->count += record.entry[1] == counting->kind;
    return STATUS_OK;
}

size_t exchange_entries(struct exchange *exchange, enum record_kind kind)
{
    struct counting counting = {kind, 0};
    struct source_reason reason;
    struct source *source = NULL;

    if (source_open(exchange->folder, &source, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(source_rows(source, 0, UINT64_MAX >> 1, count_row, &counting), STATUS_OK);
    source_close(&source);
    return counting.count;
}

static void tell(void *context, const char *text)
{
    (void)context;
    print_message("log: %s\n", text);
}

/* The log of a stopped pipeline, as an auditor sees it. */
void exchange_assert_log(struct exchange *exchange)
{
    struct problems problems = {.tell = tell};
    struct source_reason reason;
    struct source *source = NULL;
    struct note_key *key = NULL;
    struct verify_result result;
    struct verify_progress progress = {0};

    assert_int_equal(note_key_parse(bytes_of_string(keystore_log_vkey(exchange->broker)), &key), STATUS_OK);
    if (source_open(exchange->folder, &source, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(verify_broker(source, key, &progress, &problems, &result), STATUS_OK);
    assert_int_equal(problems.count, 0);
    assert_true(result.entries > 0 && result.signed_entries == result.entries);
    source_close(&source);
    note_key_free(&key);
}

void exchange_connect_all(struct exchange *exchange)
{
    exchange_start(exchange);
    for (size_t i = 0; i < EXCHANGE_AGENTS; i++)
        exchange_connect(exchange, i);
}

int exchange_setup(void **state)
{
    *state = exchange_new();
    return 0;
}

int exchange_teardown(void **state)
{
    struct exchange *exchange = *state;

    exchange_free(&exchange);
    return 0;
}
