#include "proto/wire_check.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/core.h"
#include "proto/header.h"
#include "proto/member.h"
#include "proto/merkle.h"
#include "proto/receipt.h"
#include "proto/record.h"
#include "proto/section.h"

#define EVENT_SIZE              CORE_EVENT_SIZE
#define DIGEST                  CORE_DIGEST_SIZE
#define SIGNATURE               64
#define SALT                    16
#define HEAD_MAX                512
#define SIGNATURES_MAX          64
#define REPORT_MAX              1024
#define LINE_MAX_SIZE           512
#define PROOF_MAX               ((size_t)32 << 10)
#define QUESTION_MAX            ((size_t)16 << 10)
#define NONCE_SIZE              16
#define CHAIN_MAX               2
#define OFFICER_CERTIFICATE_MAX 4096

/*
 * Each *_fault function gives what is wrong with a message as a sentence, or NULL. FAIL_UNLESS and TRY end a
 * function early, which is all that they do.
 */
#define FAIL_UNLESS(condition, sentence)                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return sentence;                                                                                 \
    } while (0)
#define TRY(fault)                                                                                           \
    do {                                                                                                     \
        const char *found = fault;                                                                           \
        if (found != NULL)                                                                                   \
            return found;                                                                                    \
    } while (0)

/* ---- words and sizes ---- */

bool wire_check_name(struct byte_view name)
{
    if (name.size == 0 || name.size > WIRE_NAME_MAX || name.data[0] < 'a' || name.data[0] > 'z')
        return false;
    for (size_t i = 1; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool wire_check_purpose(struct byte_view purpose)
{
    return purpose.size > 0 && purpose.size <= WIRE_PURPOSE_MAX && utf8_printable(purpose);
}

bool wire_check_officer(struct byte_view officer)
{
    return officer.size > 0 && officer.size <= WIRE_OFFICER_MAX && utf8_printable(officer);
}

static bool is_name(const char *text)
{
    return wire_check_name(bytes_of_string(text));
}

static bool is_member(const char *text)
{
    return member_check(bytes_of_string(text)) == STATUS_OK;
}

static bool is_text(const char *text, size_t longest)
{
    struct byte_view view = bytes_of_string(text);

    return view.size <= longest && utf8_printable(view);
}

static bool is_optional_text(const char *text, size_t longest)
{
    return text == NULL || is_text(text, longest);
}

static bool has_size(ProtobufCBinaryData field, size_t size)
{
    return field.len == size;
}

static bool is_within(ProtobufCBinaryData field, size_t least, size_t most)
{
    return field.len >= least && field.len <= most;
}

static bool all_have_size(const ProtobufCBinaryData *fields, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].len != size)
            return false;
    }
    return true;
}

static bool all_are_within(const ProtobufCBinaryData *fields, size_t count, size_t least, size_t most)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_within(fields[i], least, most))
            return false;
    }
    return true;
}

static bool is_count(size_t count, size_t most)
{
    return count >= 1 && count <= most;
}

static bool is_time(uint64_t time)
{
    return time <= (uint64_t)CORE_TIME_MAX;
}

static bool is_ascending(const char *previous, const char *next)
{
    return bytes_compare(bytes_of_string(previous), bytes_of_string(next)) < 0;
}

/* ---- shared pieces ---- */

static const char *signer_fault(ProtobufCBinaryData certificate, ProtobufCBinaryData signature)
{
    FAIL_UNLESS(has_size(certificate, DIGEST), "a certificate is named by 32 bytes");
    FAIL_UNLESS(has_size(signature, SIGNATURE), "a signature has 64 bytes");
    return NULL;
}

static const char *head_fault(const Wire__SignedHead *head)
{
    FAIL_UNLESS(is_within(head->head, 1, HEAD_MAX), "a bundle head has between 1 and 512 bytes");
    FAIL_UNLESS(is_count(head->n_signatures, SIGNATURES_MAX),
                "a bundle head has between 1 and 64 signatures");
    for (size_t i = 0; i < head->n_signatures; i++)
        TRY(signer_fault(head->signatures[i]->certificate, head->signatures[i]->signature));
    return NULL;
}

static const char *opening_fault(const Wire__Opening *opening)
{
    FAIL_UNLESS(opening->n_attributes <= CORE_ATTRIBUTES_MAX, "an event has at most 32 attributes");
    for (size_t i = 0; i < opening->n_attributes; i++) {
        const Wire__OpenedAttribute *attribute = opening->attributes[i];
        FAIL_UNLESS(is_name(attribute->id), "an attribute's id is not a name");
        FAIL_UNLESS(strlen(attribute->value) <= WIRE_VALUE_MAX,
                    "an attribute's value is longer than 2112 bytes");
        FAIL_UNLESS(has_size(attribute->salt, SALT), "an attribute's salt has 16 bytes");
    }
    return NULL;
}

static const char *path_fault(uint32_t index, uint32_t count, const ProtobufCBinaryData *path, size_t length)
{
    FAIL_UNLESS(is_count(count, WIRE_BATCH_MAX), "a batch has between 1 and 256 leaves");
    FAIL_UNLESS(index < count, "an index lies outside its batch");
    FAIL_UNLESS(length == merkle_path_length(index, count),
                "a path has not the length that its index gives it");
    FAIL_UNLESS(all_have_size(path, length, DIGEST), "a path's hashes have 32 bytes each");
    return NULL;
}

static const char *refusals_fault(Wire__Refusal *const *refusals, size_t count)
{
    FAIL_UNLESS(count <= WIRE_REFUSALS_MAX, "there are more than 256 refusals");
    for (size_t i = 0; i < count; i++) {
        const Wire__Refusal *refusal = refusals[i];
        FAIL_UNLESS(is_optional_text(refusal->to, WIRE_NAME_MAX) &&
                        is_optional_text(refusal->rule, WIRE_NAME_MAX) &&
                        is_optional_text(refusal->item, WIRE_NAME_MAX),
                    "a refusal names something longer than 64 bytes");
        FAIL_UNLESS(is_name(refusal->code), "a refusal's code is not a name");
        FAIL_UNLESS(is_text(refusal->text, WIRE_TEXT_MAX), "a refusal's text is longer than 512 bytes");
    }
    return NULL;
}

static const char *labels_fault(char *const *labels, size_t count)
{
    FAIL_UNLESS(count <= WIRE_LABELS_MAX, "there are more than 64 labels");
    for (size_t i = 0; i < count; i++) {
        FAIL_UNLESS(is_name(labels[i]), "a label is not a name");
        for (size_t j = 0; j < i; j++)
            FAIL_UNLESS(strcmp(labels[i], labels[j]) != 0, "a label stands twice");
    }
    return NULL;
}

/* ---- session ---- */

static const char *hello_fault(const Wire__Hello *hello)
{
    FAIL_UNLESS(is_member(hello->member), "the member id is malformed");
    FAIL_UNLESS(hello->highest_version >= WIRE_VERSION, "the highest version is below 1");
    FAIL_UNLESS(has_size(hello->certificate, DIGEST), "a certificate is named by 32 bytes");
    FAIL_UNLESS(!hello->has_checkpoint || is_within(hello->checkpoint, 1, WIRE_NOTE_MAX),
                "a checkpoint note is empty or too long");
    return head_fault(hello->head);
}

static const char *welcome_fault(const Wire__Welcome *welcome)
{
    FAIL_UNLESS(is_time(welcome->now), "the time is beyond the year 9999");
    FAIL_UNLESS(welcome->largest_frame <= WIRE_FRAME_LIMIT, "the largest frame is above 256 KiB");
    FAIL_UNLESS(is_count(welcome->largest_batch, WIRE_BATCH_MAX),
                "the largest batch is not between 1 and 256");
    FAIL_UNLESS(welcome->largest_credit >= 1, "the largest credit is 0");
    FAIL_UNLESS(!welcome->has_checkpoint || is_within(welcome->checkpoint, 1, WIRE_NOTE_MAX),
                "a checkpoint note is empty or too long");
    return head_fault(welcome->head);
}

static const char *bundle_request_fault(const Wire__BundleRequest *request)
{
    FAIL_UNLESS(request->offset <= WIRE_BODY_LIMIT, "the offset is above 16 MiB");
    return NULL;
}

static const char *bundle_part_fault(const Wire__BundlePart *part)
{
    FAIL_UNLESS(part->body_size <= WIRE_BODY_LIMIT, "a bundle body is larger than 16 MiB");
    FAIL_UNLESS(part->offset <= part->body_size && part->data.len <= part->body_size - part->offset,
                "a part of the bundle lies outside of it");
    return head_fault(part->head);
}

static const char *error_fault(const Wire__Error *error)
{
    FAIL_UNLESS(is_text(error->text, WIRE_TEXT_MAX), "the text is longer than 512 bytes");
    return NULL;
}

/* ---- events ---- */

static const char *plan_request_fault(const Wire__PlanRequest *request)
{
    FAIL_UNLESS(is_count(request->n_items, WIRE_BATCH_MAX), "a plan is asked for between 1 and 256 events");
    for (size_t i = 0; i < request->n_items; i++) {
        FAIL_UNLESS(is_within(request->items[i]->core, 1, CORE_SIZE_MAX), "a core is empty or too long");
        TRY(opening_fault(request->items[i]->opening));
    }
    return NULL;
}

static const char *grants_fault(Wire__Grant *const *grants, size_t count)
{
    FAIL_UNLESS(count <= WIRE_TO_MAX, "a plan has more than 64 recipients");
    for (size_t i = 0; i < count; i++) {
        FAIL_UNLESS(is_member(grants[i]->to), "a recipient's member id is malformed");
        FAIL_UNLESS(i == 0 || is_ascending(grants[i - 1]->to, grants[i]->to), "recipients do not ascend");
        FAIL_UNLESS(is_name(grants[i]->rule), "a rule's id is not a name");
        TRY(labels_fault(grants[i]->labels, grants[i]->n_labels));
    }
    return NULL;
}

static const char *ground_fault(const Wire__Ground *ground)
{
    FAIL_UNLESS(is_within(ground->header, 1, HEADER_SIZE_MAX), "a header is empty or too long");
    TRY(signer_fault(ground->certificate, ground->signature));
    TRY(path_fault(ground->index, ground->count, ground->path, ground->n_path));
    FAIL_UNLESS(is_time(ground->committed), "a time is beyond the year 9999");
    return opening_fault(ground->opening);
}

static const char *plan_fault(const Wire__Plan *plan)
{
    FAIL_UNLESS(has_size(plan->event, EVENT_SIZE), "an event id has 16 bytes");
    FAIL_UNLESS(is_optional_text(plan->reason, WIRE_TEXT_MAX), "a reason is longer than 512 bytes");
    TRY(grants_fault(plan->grants, plan->n_grants));
    FAIL_UNLESS(plan->n_grounds <= WIRE_GROUNDS_MAX, "a plan has more than 64 grounds");
    for (size_t i = 0; i < plan->n_grounds; i++)
        TRY(ground_fault(plan->grounds[i]));
    return refusals_fault(plan->refusals, plan->n_refusals);
}

static const char *plan_answer_fault(const Wire__PlanAnswer *answer)
{
    FAIL_UNLESS(is_count(answer->n_plans, WIRE_BATCH_MAX), "there are not between 1 and 256 plans");
    for (size_t i = 0; i < answer->n_plans; i++)
        TRY(plan_fault(answer->plans[i]));
    return NULL;
}

static const char *slice_fault(const Wire__Slice *slice, size_t headers)
{
    FAIL_UNLESS(is_member(slice->to), "a recipient's member id is malformed");
    FAIL_UNLESS(is_count(slice->n_indexes, headers), "a slice has no events, or more than there are headers");
    FAIL_UNLESS(slice->n_sections == slice->n_indexes, "a slice has not one section for each of its events");
    for (size_t i = 0; i < slice->n_indexes; i++) {
        FAIL_UNLESS(slice->indexes[i] < headers, "an index lies outside the batch");
        FAIL_UNLESS(i == 0 || slice->indexes[i - 1] < slice->indexes[i], "indexes do not ascend");
    }
    FAIL_UNLESS(all_are_within(slice->sections, slice->n_sections, 1, SECTION_SIZE_MAX),
                "a section is empty or too long");
    return NULL;
}

static const char *publish_fault(const Wire__Publish *publish)
{
    TRY(signer_fault(publish->certificate, publish->signature));
    FAIL_UNLESS(is_count(publish->n_headers, WIRE_BATCH_MAX),
                "between 1 and 256 events are published at a time");
    FAIL_UNLESS(all_are_within(publish->headers, publish->n_headers, 1, HEADER_SIZE_MAX),
                "a header is empty or too long");
    FAIL_UNLESS(publish->n_openings == publish->n_headers, "there is not one opening for each header");
    for (size_t i = 0; i < publish->n_openings; i++)
        TRY(opening_fault(publish->openings[i]));
    for (size_t i = 0; i < publish->n_slices; i++) {
        TRY(slice_fault(publish->slices[i], publish->n_headers));
        FAIL_UNLESS(i == 0 || is_ascending(publish->slices[i - 1]->to, publish->slices[i]->to),
                    "recipients do not ascend");
    }
    return NULL;
}

static const char *publish_answer_fault(const Wire__PublishAnswer *answer)
{
    FAIL_UNLESS(is_count(answer->n_outcomes, WIRE_BATCH_MAX), "there are not between 1 and 256 outcomes");
    for (size_t i = 0; i < answer->n_outcomes; i++) {
        const Wire__Outcome *outcome = answer->outcomes[i];
        FAIL_UNLESS(has_size(outcome->event, EVENT_SIZE), "an event id has 16 bytes");
        FAIL_UNLESS(is_optional_text(outcome->reason, WIRE_TEXT_MAX), "a reason is longer than 512 bytes");
        TRY(refusals_fault(outcome->refusals, outcome->n_refusals));
    }
    return NULL;
}

static const char *replan_fault(const Wire__Replan *replan)
{
    FAIL_UNLESS(is_count(replan->n_events, WIRE_BATCH_MAX), "there are not between 1 and 256 events");
    FAIL_UNLESS(all_have_size(replan->events, replan->n_events, EVENT_SIZE), "an event id has 16 bytes");
    return NULL;
}

/* ---- delivery ---- */

static const char *fetch_fault(const Wire__Fetch *fetch)
{
    (void)fetch; /* every credit is one; how much of it is taken is the broker's affair */
    return NULL;
}

static const char *deliver_fault(const Wire__Deliver *deliver)
{
    FAIL_UNLESS(is_member(deliver->from), "the sender's member id is malformed");
    TRY(signer_fault(deliver->certificate, deliver->signature));
    FAIL_UNLESS(is_count(deliver->n_events, WIRE_BATCH_MAX), "there are not between 1 and 256 events");
    for (size_t i = 0; i < deliver->n_events; i++) {
        const Wire__Delivered *event = deliver->events[i];
        TRY(path_fault(event->index, deliver->count, event->path, event->n_path));
        FAIL_UNLESS(i == 0 || deliver->events[i - 1]->index < event->index, "indexes do not ascend");
        FAIL_UNLESS(is_within(event->header, 1, HEADER_SIZE_MAX), "a header is empty or too long");
        FAIL_UNLESS(is_within(event->section, 1, SECTION_SIZE_MAX), "a section is empty or too long");
        FAIL_UNLESS(event->counter >= 1, "a delivery's counter is 0");
    }
    return NULL;
}

static const char *receipts_fault(const Wire__ReceiptBatch *batch)
{
    TRY(signer_fault(batch->certificate, batch->signature));
    FAIL_UNLESS(is_count(batch->n_receipts, WIRE_BATCH_MAX), "there are not between 1 and 256 receipts");
    FAIL_UNLESS(all_are_within(batch->receipts, batch->n_receipts, 1, RECEIPT_SIZE_MAX),
                "a receipt is empty or too long");
    return head_fault(batch->head);
}

static const char *stored_fault(uint32_t count)
{
    FAIL_UNLESS(count <= WIRE_BATCH_MAX, "more than 256 were stored at a time");
    return NULL;
}

static const char *forwarded_fault(const Wire__ForwardedReceipts *forwarded)
{
    FAIL_UNLESS(forwarded->id >= 1, "a forwarded batch has id 0");
    TRY(signer_fault(forwarded->certificate, forwarded->signature));
    FAIL_UNLESS(is_count(forwarded->n_receipts, WIRE_BATCH_MAX), "there are not between 1 and 256 receipts");
    for (size_t i = 0; i < forwarded->n_receipts; i++) {
        const Wire__ForwardedReceipt *receipt = forwarded->receipts[i];
        TRY(path_fault(receipt->index, forwarded->count, receipt->path, receipt->n_path));
        FAIL_UNLESS(i == 0 || forwarded->receipts[i - 1]->index < receipt->index, "indexes do not ascend");
        FAIL_UNLESS(is_within(receipt->receipt, 1, RECEIPT_SIZE_MAX), "a receipt is empty or too long");
    }
    return head_fault(forwarded->head);
}

static const char *recall_fault(const Wire__Recall *recall)
{
    FAIL_UNLESS(is_count(recall->n_items, WIRE_BATCH_MAX), "there are not between 1 and 256 recalls");
    for (size_t i = 0; i < recall->n_items; i++) {
        FAIL_UNLESS(is_member(recall->items[i]->from), "the sender's member id is malformed");
        FAIL_UNLESS(has_size(recall->items[i]->event, EVENT_SIZE), "an event id has 16 bytes");
        FAIL_UNLESS(is_text(recall->items[i]->reason, WIRE_TEXT_MAX), "a reason is longer than 512 bytes");
    }
    return NULL;
}

static const char *reports_fault(const Wire__ReportBatch *batch)
{
    TRY(signer_fault(batch->certificate, batch->signature));
    FAIL_UNLESS(is_count(batch->n_reports, WIRE_BATCH_MAX), "there are not between 1 and 256 reports");
    FAIL_UNLESS(all_are_within(batch->reports, batch->n_reports, 1, REPORT_MAX),
                "a report is empty or too long");
    return NULL;
}

static const char *notice_fault(const Wire__Notice *notice)
{
    const Wire__SignedReport *report = notice->report;

    FAIL_UNLESS(is_member(notice->from) && is_member(notice->to), "a member id of a notice is malformed");
    FAIL_UNLESS(has_size(notice->event, EVENT_SIZE), "an event id has 16 bytes");
    FAIL_UNLESS(is_optional_text(notice->text, WIRE_TEXT_MAX), "a notice's text is longer than 512 bytes");
    FAIL_UNLESS((notice->kind == WIRE__NOTICE_KIND__REPORTED) == (report != NULL),
                "a notice REPORTED has a report");
    if (report == NULL)
        return NULL;
    TRY(signer_fault(report->certificate, report->signature));
    FAIL_UNLESS(is_within(report->report, 1, REPORT_MAX), "a report is empty or too long");
    return path_fault(report->index, report->count, report->path, report->n_path);
}

static const char *notices_fault(const Wire__Notices *notices)
{
    FAIL_UNLESS(notices->id >= 1, "notices have id 0");
    FAIL_UNLESS(is_count(notices->n_notices, WIRE_BATCH_MAX), "there are not between 1 and 256 notices");
    for (size_t i = 0; i < notices->n_notices; i++)
        TRY(notice_fault(notices->notices[i]));
    return NULL;
}

/* ---- the log ---- */

static const char *checkpoint_fault(const Wire__CheckpointOffer *offer)
{
    FAIL_UNLESS(is_within(offer->note, 1, WIRE_NOTE_MAX), "a checkpoint note is empty or too long");
    FAIL_UNLESS(offer->n_consistency <= MERKLE_CONSISTENCY_MAX,
                "a consistency proof has more than 65 hashes");
    FAIL_UNLESS(all_have_size(offer->consistency, offer->n_consistency, DIGEST),
                "a proof's hashes have 32 bytes each");
    return NULL;
}

static const char *cosignature_fault(const Wire__Cosignature *cosignature)
{
    FAIL_UNLESS(is_within(cosignature->line, 0, LINE_MAX_SIZE), "a signature line is too long");
    FAIL_UNLESS(!cosignature->has_held || is_within(cosignature->held, 1, WIRE_NOTE_MAX),
                "a checkpoint note is empty or too long");
    return NULL;
}

static const char *log_request_fault(const Wire__LogRequest *request)
{
    FAIL_UNLESS(request->first_counter >= 1, "counters begin at 1");
    FAIL_UNLESS(is_count(request->count, WIRE_BATCH_MAX),
                "between 1 and 256 entries are asked for at a time");
    return NULL;
}

static const char *log_answer_fault(const Wire__LogAnswer *answer)
{
    FAIL_UNLESS(answer->n_entries <= WIRE_BATCH_MAX, "there are more than 256 entries");
    for (size_t i = 0; i < answer->n_entries; i++) {
        const Wire__LogEntry *entry = answer->entries[i];
        FAIL_UNLESS(has_size(entry->entry, RECORD_ENTRY_SIZE), "a log entry has 66 bytes");
        FAIL_UNLESS(has_size(entry->account_salt, RECORD_SALT_SIZE) &&
                        (!entry->has_personal_salt || has_size(entry->personal_salt, RECORD_SALT_SIZE)),
                    "a record's salt has 32 bytes");
        FAIL_UNLESS(entry->has_personal == entry->has_personal_salt,
                    "a record's personal part comes with its salt, or neither comes");
        FAIL_UNLESS(is_within(entry->account, 1, RECORD_PART_MAX) &&
                        (!entry->has_personal || is_within(entry->personal, 0, RECORD_PART_MAX)),
                    "a record's part is too long");
        FAIL_UNLESS(is_within(entry->proof, 1, PROOF_MAX), "a log proof is empty or too long");
    }
    return NULL;
}

static const char *query_fault(const Wire__Query *query)
{
    FAIL_UNLESS(wire_check_officer(bytes_of_string(query->officer)), "the officer is malformed");
    FAIL_UNLESS(strlen(query->question) <= QUESTION_MAX, "the question is longer than 16 KiB");
    FAIL_UNLESS(!query->has_time || is_time(query->time), "the time of a query is no time");
    FAIL_UNLESS(!query->has_nonce || query->nonce.len == NONCE_SIZE, "a query's nonce has 16 bytes");
    FAIL_UNLESS(!query->has_answer_key || query->answer_key.len == DIGEST_SIZE,
                "the key for the answers has 32 bytes");
    FAIL_UNLESS(query->n_chain <= CHAIN_MAX, "an officer's chain has at most two certificates");
    for (size_t i = 0; i < query->n_chain; i++)
        FAIL_UNLESS(is_within(query->chain[i], 1, OFFICER_CERTIFICATE_MAX),
                    "a certificate of the chain is empty or too long");
    return signer_fault(query->certificate, query->signature);
}

static const char *query_answer_fault(const Wire__QueryAnswer *answer)
{
    FAIL_UNLESS(!answer->has_enc || answer->enc.len == DIGEST_SIZE,
                "the encapsulated key of an answer has 32 bytes");
    return NULL; /* as long as the frame allows */
}

/* ---- frames ---- */

static const char *verb_fault(const Wire__Frame *frame)
{
    switch (frame->verb_case) {
#define VERB(SYMBOL, member)                                                                                 \
    case WIRE__FRAME__VERB_##SYMBOL:                                                                         \
        return member##_fault(frame->member);
        VERB(HELLO, hello)
        VERB(WELCOME, welcome)
        VERB(BUNDLE_REQUEST, bundle_request)
        VERB(BUNDLE_PART, bundle_part)
        VERB(PLAN_REQUEST, plan_request)
        VERB(PLAN_ANSWER, plan_answer)
        VERB(PUBLISH, publish)
        VERB(PUBLISH_ANSWER, publish_answer)
        VERB(REPLAN, replan)
        VERB(FETCH, fetch)
        VERB(DELIVER, deliver)
        VERB(RECEIPTS, receipts)
        VERB(RECALL, recall)
        VERB(REPORTS, reports)
        VERB(CHECKPOINT, checkpoint)
        VERB(LOG_REQUEST, log_request)
        VERB(LOG_ANSWER, log_answer)
        VERB(QUERY, query)
        VERB(QUERY_ANSWER, query_answer)
        VERB(ERROR, error)
        VERB(NOTICES, notices)
#undef VERB
    case WIRE__FRAME__VERB_QUERY_NEXT:
        return NULL;
    case WIRE__FRAME__VERB_RECEIPTS_STORED:
        return stored_fault(frame->receipts_stored->count);
    case WIRE__FRAME__VERB_REPORTS_STORED:
        return stored_fault(frame->reports_stored->count);
    case WIRE__FRAME__VERB_FORWARDED_RECEIPTS:
        return forwarded_fault(frame->forwarded_receipts);
    case WIRE__FRAME__VERB_COSIGN:
        return cosignature_fault(frame->cosign);
    case WIRE__FRAME__VERB__NOT_SET:
    case _WIRE__FRAME__VERB__CASE_IS_INT_SIZE:
        break;
    }
    return "the frame says nothing";
}

static enum status judge(const char *fault, const char **ret_reason)
{
    if (fault == NULL)
        return STATUS_OK;
    *ret_reason = fault;
    return STATUS_BAD_FORMAT;
}

enum status wire_check_frame(const Wire__Frame *frame, const char **ret_reason)
{
    return judge(verb_fault(frame), ret_reason);
}

enum status wire_check_hello(const Wire__Hello *hello, const char **ret_reason)
{
    return judge(hello_fault(hello), ret_reason);
}
