#pragma once

#include "broker/pipeline.h"
#include "policy/decide.h"
#include "proto/envelope.h"
#include "proto/opening.h"
#include "proto/receipt.h"
#include "proto/record.h"
#include "proto/uuid.h"
#include "proto/wire_check.h"
#include "tests/support/partnership.h"

/*
 * A broker's pipeline without sockets, with the shipped protocol and members that have real keys: what a test
 * does is what their agents would do. Every function fails the test when something does not work.
 */
#define EXCHANGE_POLICE    0
#define EXCHANGE_DOVEGATE  1
#define EXCHANGE_STAFFORD  2
#define EXCHANGE_PROBATION 3
#define EXCHANGE_DRUGS     4
#define EXCHANGE_AGENTS    5
#define EXCHANGE_FRAMES    256
#define EXCHANGE_SECOND    "zz-second"

struct exchange_agent {
    const char *id;
    struct keystore *keys;
    uint64_t connection; /* 0: not connected */
    struct uuid_source ids;
    const Wire__Frame *frames[EXCHANGE_FRAMES]; /* received and not looked at */
    size_t frame_count;
};

struct exchange {
    struct partnership *partnership;
    struct keystore *broker;
    struct bundle *bundle;
    struct rulebook *rules; /* the same, read */
    struct clock clock;
    struct pipeline_limits limits;
    bool memory;
    bool second; /* bundles carry the shipped protocol again, as EXCHANGE_SECOND */
    char folder[128];
    struct pipeline *pipeline;
    struct wire_arena arena; /* of everything received */
    struct exchange_agent agents[EXCHANGE_AGENTS];
    uint64_t connections;
    uint64_t requests;
    char control[8192];    /* the last answer to a control request */
    char checkpoint[8192]; /* the last note that the gate was given */
    char alert[512];       /* the last */
    char fatal[512];
    bool bundle_in_force;
    size_t witnesses; /* the first agents, so many; 0 */
    uint32_t dishonest;
};

/* An event on its way. */
struct exchange_event {
    size_t from; /* agent */
    struct core core;
    struct byte_buffer core_bytes;
    struct byte_buffer opening;
    struct byte_buffer header;
    size_t section_count;
    struct byte_buffer sections[WIRE_TO_MAX];
    struct envelope_slot slots[WIRE_TO_MAX];
    char texts[4096]; /* of values */
};

struct exchange *exchange_new(void); /* everybody enrolled, nothing started */
/* exchange_new_aged - the same, but that agent's certificate was issued so many days ago. */
struct exchange *exchange_new_aged(size_t agent, unsigned days);
void exchange_free(struct exchange **exchange);

/* exchange_witnesses - the next bundle, before the start: the first `count` agents are witnesses, and so many
 * of them may be dishonest. */
void exchange_witnesses(struct exchange *exchange, size_t count, uint32_t dishonest);

void exchange_start(struct exchange *exchange);
enum status exchange_try_start(struct exchange *exchange, struct pipeline_reason *ret_reason);
void exchange_stop(struct exchange *exchange);

void exchange_connect(struct exchange *exchange, size_t agent);
/* exchange_show - the same, with a checkpoint note in the hello. */
void exchange_show(struct exchange *exchange, size_t agent, struct byte_view checkpoint);
void exchange_disconnect(struct exchange *exchange, size_t agent);

/* exchange_bundle - the next bundle, with edits of the shipped protocol, verified; not given to the pipeline.
 */
struct policy_edit;
struct bundle *exchange_bundle(struct exchange *exchange, const struct policy_edit *edits);

/* exchange_load - it comes into force, for the pipeline and for the agents; takes the bundle over. */
void exchange_load(struct exchange *exchange, struct bundle *bundle);

/* exchange_send - a frame from an agent; exchange_wait - the next frame of that verb to it, within some
 * seconds; exchange_none - nothing of that verb comes while a question is asked and answered. */
void exchange_send(struct exchange *exchange, size_t agent, struct byte_view frame);
const Wire__Frame *exchange_wait(struct exchange *exchange, size_t agent, Wire__Frame__VerbCase verb);
void exchange_none(struct exchange *exchange, size_t agent, Wire__Frame__VerbCase verb);
const char *exchange_control(struct exchange *exchange, const char *json);

/* exchange_make - an event about person number `person`: attributes as "strand=catch_convict area=stoke",
 * held as "name,dob"; juvenile=no unless given. Freed with exchange_drop. */
void exchange_make(struct exchange *exchange, struct exchange_event *event, size_t from, const char *type,
                   unsigned person, const char *attributes, const char *held);
void exchange_drop(struct exchange_event *event);

/* exchange_refer - set correlation, supersedes or repeats, whichever is not NULL, before planning. */
void exchange_refer(struct exchange_event *event, const uint8_t *correlation, const uint8_t *supersedes,
                    const uint8_t *repeats);

/* exchange_name - another event id than the one it was made with, before planning. */
void exchange_name(struct exchange_event *event, const uint8_t id[static CORE_EVENT_SIZE]);

/* exchange_plan_only - asks, and waits for nothing. exchange_plan - what the broker answers. */
void exchange_plan_only(struct exchange *exchange, struct exchange_event *event);
const Wire__Plan *exchange_plan(struct exchange *exchange, struct exchange_event *event);

/* exchange_seal - a section for each grant, its items "x". exchange_add - one more section, labels as
 * "name dob"; exchange_grant - the section for one grant. exchange_close -
 * the header; exchange_frame - the signed Publish. */
void exchange_seal(struct exchange *exchange, struct exchange_event *event, const Wire__Plan *plan);
void exchange_add(struct exchange *exchange, struct exchange_event *event, const char *to, const char *rule,
                  const char *labels);
void exchange_grant(struct exchange *exchange, struct exchange_event *event, const Wire__Grant *grant);
void exchange_close(struct exchange_event *event);
void exchange_frame(struct exchange *exchange, struct exchange_event *const *events, size_t count,
                    struct byte_buffer *ret);

/* exchange_publish - one event, planned and sealed as the plan says. */
const Wire__Outcome *exchange_publish(struct exchange *exchange, struct exchange_event *event);

/* exchange_submit - one event as it is. */
const Wire__Outcome *exchange_submit(struct exchange *exchange, struct exchange_event *event);

/* exchange_fetch - credit for an agent. */
void exchange_fetch(struct exchange *exchange, size_t agent, uint32_t credit, uint64_t receipts_after);

/* exchange_receipts - receipts of an agent for everything in a Deliver frame. */
void exchange_receipts(struct exchange *exchange, size_t agent, const Wire__Deliver *deliver,
                       enum receipt_outcome outcome, struct byte_buffer *ret);

/* exchange_report - an agent reports on an event that it received, and the broker stores that. */
void exchange_report(struct exchange *exchange, size_t agent, Wire__ReportKind kind,
                     const struct exchange_event *event);

/* exchange_report_as - the same with any header digest; the broker's answer, which is of that verb. */
const Wire__Frame *exchange_report_as(struct exchange *exchange, size_t agent, Wire__ReportKind kind,
                                      const struct exchange_event *event,
                                      const uint8_t header[static DIGEST_SIZE], Wire__Frame__VerbCase answer);

/* exchange_report_wrong - a report by another member than the agent, or its own with a spoiled signature (by
 * NULL): what the broker says to it. */
const char *exchange_report_wrong(struct exchange *exchange, size_t agent, const char *by,
                                  const struct exchange_event *event);

/* exchange_list - police put that person on the list (adult, stoke, force 21), and deliveries of it are left
 * alone. exchange_consent - probation records a consent. */
void exchange_list(struct exchange *exchange, unsigned person);
void exchange_consent(struct exchange *exchange, unsigned person, const char *scope);

/* exchange_entries - how many entries of a kind the log holds (the pipeline must be stopped). */
size_t exchange_entries(struct exchange *exchange, enum record_kind kind);

/* exchange_assert_log - the log of a stopped pipeline verifies, as an auditor sees it, and is signed to its
 * end. */
void exchange_assert_log(struct exchange *exchange);

/* exchange_connect_all - start, and everybody connects. */
void exchange_connect_all(struct exchange *exchange);

/* exchange_setup, exchange_teardown - for cmocka: the state is a new exchange. */
int exchange_setup(void **state);
int exchange_teardown(void **state);
