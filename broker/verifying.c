#include "broker/verifying.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/utf8.h"
#include "proto/batch.h"
#include "proto/opening.h"
#include "proto/random.h"
#include "proto/record.h"
#include "proto/wire_check.h"

#define PROBLEM_SIZE 400

static void fail(struct job *job, Wire__ErrorCode code, const char *text)
{
    job->error_code = code;
    job->error = text;
}

/* A sentence in the job's arena. */
static const char *sentence(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *sentence(struct job *job, const char *format, ...)
{
    char *text = wire_arena_alloc(job->arena, PROBLEM_SIZE);
    va_list arguments;

    if (text == NULL)
        return "the broker is out of memory";
    va_start(arguments, format);
    (void)vsnprintf(text, PROBLEM_SIZE, format, arguments);
    va_end(arguments);
    text[utf8_whole(bytes_of_string(text))] = '\0';
    return text;
}

/* ---- events ---- */

static const char *fill_request(struct job *job, const struct core *core, const Wire__Opening *opening,
                                struct job_event *event)
{
    const struct catalogue *catalogue = job->rulebook->catalogue;
    struct policy_request *request = &event->request;
    struct kind_reason reason;

    request->from = core->from;
    request->purpose = core->purpose;
    request->occurred = core->occurred;
    request->created = core->created;
    request->effective = REQUEST_NO_DATE;
    request->correlated = core->has_correlation;
    request->supersedes = core->has_supersedes;
    request->repeats = core->has_repeats;
    if (core->effective.size > 0) {
        char text[CIVIL_DATE_SIZE] = {0};
        memcpy(text, core->effective.data,
               core->effective.size < sizeof text ? core->effective.size : sizeof text - 1);
        if (civil_parse_date(text, &request->effective) != STATUS_OK)
            return "the event's effective date is not a date";
    }
    for (size_t i = 0; i < opening->n_attributes; i++) {
        const Wire__OpenedAttribute *attribute = opening->attributes[i];
        if (request_set(catalogue, request, attribute->id, bytes_of_string(attribute->value)) != STATUS_OK)
            return sentence(job, "an event of this type has no attribute %s", attribute->id);
    }
    if (request_read(catalogue, request, &reason) != STATUS_OK)
        return sentence(job, "an attribute cannot be accepted: %s", reason.text);
    return NULL;
}

void verifying_event(struct job *job, const struct core *core, const Wire__Opening *opening,
                     struct job_event *event)
{
    event->protocol = rulebook_find(job->rulebook, core->protocol);
    event->request.event = catalogue_find_event(job->rulebook->catalogue, core->type);
    if (event->protocol == NULL)
        event->problem = sentence(job, "the bundle in force carries no protocol %.*s",
                                  (int)core->protocol.size, (const char *)core->protocol.data);
    else if (event->request.event == CATALOGUE_NONE)
        event->problem = sentence(job, "the catalogue in force knows no event type %.*s",
                                  (int)core->type.size, (const char *)core->type.data);
    else
        event->problem = fill_request(job, core, opening, event);
    if (event->problem == NULL && !request_names(job->rulebook->catalogue, &event->request, core->subject))
        event->problem = "a merge is about one of the two records that it names; publish it about that one";
}

/* The longest content that these labels can have, padded and sealed. */
static size_t largest_sealed(const struct catalogue *catalogue, const struct label_set *labels)
{
    size_t size = 4 + 4;

    for (unsigned i = label_set_next(labels, 0); i != SET256_END; i = label_set_next(labels, i + 1)) {
        const struct catalogue_label *label = &catalogue->labels[i];
        size_t characters = label->max_length != 0 ? label->max_length : kind_max_length(label->kind);
        size_t longest = 4 * characters < ITEMS_VALUE_MAX ? 4 * characters : ITEMS_VALUE_MAX;
        size += 8 + strlen(label->label) + longest;
    }
    return (size + ITEMS_STEP - 1) / ITEMS_STEP * ITEMS_STEP + SECTION_TAG_SIZE;
}

static void check_section(struct job *job, const struct section *section, struct job_section *ret)
{
    const struct catalogue *catalogue = job->rulebook->catalogue;
    struct byte_view rest = section->labels;
    struct byte_view name;
    unsigned next = 0;

    while (section_next_label(&rest, &name)) {
        uint16_t label = catalogue_find_label(catalogue, name);
        if (label == CATALOGUE_NONE || label < next) {
            ret->problem = sentence(job, "the label %.*s is unknown, repeated or out of order",
                                    (int)name.size, (const char *)name.data);
            return;
        }
        label_set_add(&ret->labels, label);
        next = label + 1u;
    }
    if (section->sealed.size < ITEMS_STEP + SECTION_TAG_SIZE ||
        (section->sealed.size - SECTION_TAG_SIZE) % ITEMS_STEP != 0 ||
        section->sealed.size > largest_sealed(catalogue, &ret->labels))
        ret->problem = "the sealed part has a size that these items cannot have";
}

static bool check_sections(struct job *job, const struct envelope_published_event *published,
                           struct job_event *event)
{
    struct job_section *sections =
        wire_arena_alloc(job->arena, (published->part_count + 1) * sizeof *sections);

    if (sections == NULL)
        return false;
    for (size_t i = 0; i < published->part_count; i++)
        check_section(job, &published->parts[i].section, &sections[i]);
    event->sections = sections;
    return true;
}

/* ---- who signed ---- */

/* The member's certificate that a batch names; whether it is still good is judged at the commit. */
static bool find_signer(struct job *job, ProtobufCBinaryData certificate, struct batch_signer *ret_signer)
{
    job->signer = directory_by_certificate(job->rulebook->directory, certificate.data);
    if (job->signer == NULL) {
        fail(job, WIRE__ERROR_CODE__NOT_ALLOWED,
             "the batch names a certificate that the bundle does not list");
        return false;
    }
    if (strcmp(job->signer->member, job->member) != 0) {
        fail(job, WIRE__ERROR_CODE__NOT_ALLOWED, "the batch is signed under another member's certificate");
        return false;
    }
    memcpy(ret_signer->root.bytes, bundle_root_digest(job->rulebook->bundle), DIGEST_SIZE);
    memcpy(ret_signer->certificate.bytes, job->signer->digest, DIGEST_SIZE);
    return true;
}

/* One sentence for each way in which a batch can be wrong. */
static void fail_batch(struct job *job, enum status status, const char *what)
{
    switch ((int)status) {
    case STATUS_BAD_SIGNATURE:
        fail(job, WIRE__ERROR_CODE__NOT_ALLOWED,
             sentence(job, "the signature of the %s does not verify", what));
        break;
    case STATUS_MISMATCH:
        fail(job, WIRE__ERROR_CODE__NOT_ALLOWED,
             sentence(job, "the %s hold something altered, moved, missing, or of another member", what));
        break;
    case STATUS_BAD_COMMITMENT:
        fail(job, WIRE__ERROR_CODE__NOT_ALLOWED, "an opened attribute does not match its commitment");
        break;
    case STATUS_NO_MEMORY:
    case STATUS_CRYPTO:
        fail(job, WIRE__ERROR_CODE__NOT_NOW, "the broker is short of memory; try again");
        break;
    default:
        fail(job, WIRE__ERROR_CODE__MALFORMED,
             sentence(job, "the %s cannot be read: %s", what, status_text(status)));
        break;
    }
}

static bool draw_salts(struct job *job, size_t count)
{
    job->salts = wire_arena_alloc(job->arena, count * RECORD_SALT_SIZE);
    if (job->salts == NULL || random_bytes(job->salts, count * RECORD_SALT_SIZE) != STATUS_OK) {
        fail_batch(job, STATUS_NO_MEMORY, "");
        return false;
    }
    job->salt_count = count;
    return true;
}

/* ---- verbs ---- */

static void verify_publish(struct job *job, const Wire__Publish *publish)
{
    struct batch_signer signer;
    size_t salts = 0;

    if (!find_signer(job, publish->certificate, &signer))
        return;
    enum status status = envelope_publish_verify(publish, bytes_of_string(job->member), &signer,
                                                 job->signer->signing, job->arena, &job->published);
    job->events = wire_arena_alloc(job->arena, publish->n_headers * sizeof *job->events);
    if (status == STATUS_OK && job->events == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        fail_batch(job, status, "events");
        return;
    }
    for (size_t i = 0; i < job->published.count; i++) {
        struct envelope_published_event *event = &job->published.events[i];
        verifying_event(job, &event->core, event->opening, &job->events[i]);
        if (!check_sections(job, event, &job->events[i])) {
            fail_batch(job, STATUS_NO_MEMORY, "events");
            return;
        }
        salts += 3 + event->part_count;
    }
    (void)draw_salts(job, salts);
}

static void verify_plan(struct job *job, const Wire__PlanRequest *plan)
{
    job->cores = wire_arena_alloc(job->arena, plan->n_items * sizeof *job->cores);
    job->events = wire_arena_alloc(job->arena, plan->n_items * sizeof *job->events);
    if (job->cores == NULL || job->events == NULL) {
        fail_batch(job, STATUS_NO_MEMORY, "plans");
        return;
    }
    for (size_t i = 0; i < plan->n_items; i++) {
        enum status status = core_decode(wire_view(plan->items[i]->core), &job->cores[i]);
        if (status == STATUS_OK && !bytes_equal(job->cores[i].from, bytes_of_string(job->member)))
            status = STATUS_MISMATCH;
        if (status == STATUS_OK)
            status = opening_check(&job->cores[i], plan->items[i]->opening);
        if (status != STATUS_OK) {
            fail_batch(job, status, "cores to be planned");
            return;
        }
        verifying_event(job, &job->cores[i], plan->items[i]->opening, &job->events[i]);
    }
}

static void verify_receipts(struct job *job, const Wire__ReceiptBatch *batch)
{
    struct batch_signer signer;
    struct byte_view items[ENVELOPE_BATCH_MAX];

    if (!find_signer(job, batch->certificate, &signer))
        return;
    job->receipts = wire_arena_alloc(job->arena, batch->n_receipts * sizeof *job->receipts);
    job->tree = wire_arena_alloc(job->arena, sizeof *job->tree);
    if (job->receipts == NULL || job->tree == NULL) {
        fail_batch(job, STATUS_NO_MEMORY, "receipts");
        return;
    }
    enum status status = receipt_batch_verify(batch, bytes_of_string(job->member), &signer,
                                              job->signer->signing, job->receipts);
    if (status != STATUS_OK) {
        fail_batch(job, status, "receipts");
        return;
    }
    for (size_t i = 0; i < batch->n_receipts; i++)
        items[i] = wire_view(batch->receipts[i]);
    if (batch_tree(items, batch->n_receipts, job->tree) != STATUS_OK)
        fail_batch(job, STATUS_BAD_FORMAT, "receipts");
    receipt_batch_digest(wire_view(batch->certificate), wire_view(batch->signature), job->digest);
}

static enum status open_reports(struct job *job, const Wire__ReportBatch *batch,
                                const struct byte_view *items)
{
    for (size_t i = 0; i < batch->n_reports; i++) {
        const ProtobufCMessage *message = NULL;
        enum status status =
            wire_unpack(&wire__report__descriptor, items[i], items[i].size, job->arena, &message);
        if (status != STATUS_OK)
            return status;
        const Wire__Report *report = (const Wire__Report *)(const void *)message;
        job->reports[i] = report;
        if (report->event.len != CORE_EVENT_SIZE || report->header.len != CORE_DIGEST_SIZE ||
            !wire_check_officer(bytes_of_string(report->officer)) ||
            member_check(bytes_of_string(report->from)) != STATUS_OK ||
            (report->code != NULL && !wire_check_name(bytes_of_string(report->code))))
            return STATUS_BAD_FORMAT;
        if (strcmp(report->by, job->member) != 0)
            return STATUS_MISMATCH;
    }
    return STATUS_OK;
}

static void verify_reports(struct job *job, const Wire__ReportBatch *batch)
{
    struct batch_signer signer;
    struct byte_view items[ENVELOPE_BATCH_MAX];

    if (!find_signer(job, batch->certificate, &signer))
        return;
    for (size_t i = 0; i < batch->n_reports; i++)
        items[i] = wire_view(batch->reports[i]);
    job->reports = wire_arena_alloc(job->arena, batch->n_reports * sizeof *job->reports);
    job->tree = wire_arena_alloc(job->arena, sizeof *job->tree);
    enum status status = job->reports == NULL || job->tree == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status = batch_verify_all(BATCH_PURPOSE_REPORTS, job->signer->signing, &signer, items,
                                  batch->n_reports, batch->signature.data);
    if (status == STATUS_OK)
        status = open_reports(job, batch, items);
    if (status == STATUS_OK)
        status = batch_tree(items, batch->n_reports, job->tree);
    if (status != STATUS_OK)
        fail_batch(job, status, "reports");
    receipt_batch_digest(wire_view(batch->certificate), wire_view(batch->signature), job->digest);
}

static void verify_verb(struct job *job)
{
    switch ((int)job->frame->verb_case) {
    case WIRE__FRAME__VERB_PUBLISH:
        verify_publish(job, job->frame->publish);
        break;
    case WIRE__FRAME__VERB_PLAN_REQUEST:
        verify_plan(job, job->frame->plan_request);
        break;
    case WIRE__FRAME__VERB_RECEIPTS:
        verify_receipts(job, job->frame->receipts);
        break;
    case WIRE__FRAME__VERB_REPORTS:
        verify_reports(job, job->frame->reports);
        break;
    case WIRE__FRAME__VERB_FETCH:
    case WIRE__FRAME__VERB_LOG_REQUEST:
    case WIRE__FRAME__VERB_COSIGN:
        break;
    default:
        fail(job, WIRE__ERROR_CODE__UNSUPPORTED, "this is not for a broker to answer");
        break;
    }
}

void verifying_frame(struct job *job)
{
    const char *reason = NULL;
    enum status status = wire_frame_unpack(bytes_buffer_view(&job->bytes), job->arena, &job->frame);

    if (status == STATUS_OK)
        status = wire_check_frame(job->frame, &reason);
    if (status == STATUS_OK) {
        verify_verb(job);
        return;
    }
    if (status == STATUS_NO_MEMORY)
        fail(job, WIRE__ERROR_CODE__NOT_NOW, "the broker is short of memory; try again");
    else if (status == STATUS_UNSUPPORTED)
        fail(job, WIRE__ERROR_CODE__UNSUPPORTED, "this version of the wire is not spoken here");
    else
        fail(job, WIRE__ERROR_CODE__MALFORMED,
             sentence(job, "the frame cannot be read: %s", reason != NULL ? reason : status_text(status)));
}
