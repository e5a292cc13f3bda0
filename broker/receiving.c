#include "broker/receiving.h"

#include <string.h>

#include "broker/accepting.h"
#include "broker/clocks.h"
#include "broker/delivery.h"
#include "broker/forwarding.h"
#include "broker/matching.h"
#include "broker/telling.h"
#include "proto/digest.h"
#include "proto/field.h"

/* Field numbers of messages ReceiptsStored and ReportsStored in wire.proto. */
enum { STORED_COUNT = 1 };

static enum status answer_count(struct engine *engine, const struct job *job, Wire__Frame__VerbCase verb,
                                size_t count)
{
    bytes_buffer_clear(&engine->body);
    field_put_varint(&engine->body, STORED_COUNT, count);
    return engine_answer_frame(engine, job, verb, bytes_buffer_view(&engine->body));
}

/* ---- receipts ---- */

/* One entry for the batch: its digest, then the indexes of the `disclosed` entries that it covers. */
static enum status log_receipts(struct engine *engine, const struct job *job, const struct matching *matching)
{
    uint8_t indexes[ENVELOPE_BATCH_MAX][8];
    struct byte_view details[1 + ENVELOPE_BATCH_MAX];
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(job->member),
                                     .outcome = bytes_of_string("delivered"),
                                     .details = details};

    details[account.detail_count++] = bytes_view(job->digest, DIGEST_SIZE);
    for (size_t i = 0; i < matching->count; i++) {
        if (!matching->matches[i].found)
            continue;
        bytes_put_u64(indexes[i], matching->matches[i].entry);
        details[account.detail_count++] = bytes_view(indexes[i], sizeof indexes[i]);
    }
    (void)records_add(&engine->records, RECORD_DELIVERED, &account, RECORDS_NO_PERSONAL);
    for (size_t i = 0; i < matching->count; i++) {
        const struct receipt *receipt = &job->receipts[i];
        struct byte_view entry = bytes_view(indexes[i], sizeof indexes[i]);
        struct record_personal personal = {.event = bytes_view(receipt->event, sizeof receipt->event),
                                           .header = bytes_view(receipt->header, sizeof receipt->header)};
        if (!matching->matches[i].found || receipt->outcome != RECEIPT_QUARANTINED)
            continue;
        account.to = receipt->from;
        account.outcome = bytes_of_string("quarantined");
        account.details = &entry;
        account.detail_count = 1;
        (void)records_add(&engine->records, RECORD_QUARANTINED, &account,
                          records_personal(&engine->records, &personal));
    }
    return engine_append(engine);
}

static enum status refuse_receipts(struct engine *engine, const struct job *job)
{
    static const char reason[] = "a receipt does not match what was delivered";
    struct byte_view digest = bytes_view(job->digest, DIGEST_SIZE);
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(job->member),
                                     .outcome = bytes_of_string("refused"),
                                     .reason = bytes_of_string(reason),
                                     .details = &digest,
                                     .detail_count = 1};
    enum status status = engine_write(engine);

    if (status != STATUS_OK)
        return status;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_REFUSED, &account, RECORDS_NO_PERSONAL);
    status = engine_append(engine);
    return status == STATUS_OK ? engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_ALLOWED, reason)
                               : status;
}

enum status receiving_receipts(struct engine *engine, struct job *job)
{
    struct peer *recipient = peers_take(engine->peers, bytes_of_string(job->member));
    struct matching *matching = wire_arena_alloc(job->arena, sizeof *matching);
    enum status status = recipient == NULL || matching == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (status == STATUS_OK)
        status = matching_find(engine, job, recipient, matching);
    if (status == STATUS_MISMATCH)
        return refuse_receipts(engine, job);
    if (status == STATUS_OK && matching->found > 0) {
        status = engine_write(engine);
        if (status == STATUS_OK)
            status = matching_settle(engine, recipient, matching);
        if (status == STATUS_OK) {
            (void)engine_records(engine, job->salts, job->salt_count);
            status = log_receipts(engine, job, matching);
        }
        if (status == STATUS_OK)
            status = forwarding_append(engine, job, matching);
        engine->delivered += matching->found;
    }
    if (status != STATUS_OK)
        return status;
    return answer_count(engine, job, WIRE__FRAME__VERB_RECEIPTS_STORED, job->frame->receipts->n_receipts);
}

/* ---- reports ---- */

static const struct {
    enum record_kind kind;
    const char *outcome;
} report_kinds[] = {
    [WIRE__REPORT_KIND__OPENED] = {RECORD_OPENED, "opened"},
    [WIRE__REPORT_KIND__REPORT_QUARANTINED] = {RECORD_QUARANTINED, "quarantined"},
    [WIRE__REPORT_KIND__CONFIRMED] = {RECORD_OPENED, "confirmed"},
    [WIRE__REPORT_KIND__RECALLED] = {RECORD_RECALLED, "deleted"},
    [WIRE__REPORT_KIND__ACKNOWLEDGED] = {RECORD_OPENED, "acknowledged"},
};

/* What a report is about. */
struct reported {
    bool disclosed; /* to the reporter, so that the report counts */
    bool fits;      /* and it has the event's header */
};

static enum status find_reported(struct engine *engine, const struct peer *reporter,
                                 const struct peer *sender, const Wire__Report *report, struct reported *ret)
{
    const struct batch_held *batch = NULL;
    struct store_place place;
    struct outcome outcome;
    enum status status = batches_find(engine->batches, sender->stored.number, report->event.data, &place);

    *ret = (struct reported){false, false};
    if (status == STATUS_OK)
        status = batches_get(engine->batches, place.batch, &batch);
    if (status == STATUS_OK)
        status = batches_outcome(batch, place.index, &outcome);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (size_t i = 0; i < outcome.recipient_count; i++) {
        if (outcome.recipients[i].number != reporter->stored.number)
            continue;
        ret->disclosed = true;
        ret->fits = memcmp(batch->digests[place.index], report->header.data, DIGEST_SIZE) == 0;
    }
    return STATUS_OK;
}

/* The same report again, after a connection was lost or for no reason at all, is logged once. */
static enum status note_report(struct engine *engine, const struct peer *reporter, const struct peer *sender,
                               const Wire__Report *report)
{
    const uint8_t kind = (uint8_t)report->kind;
    const struct byte_view parts[] = {bytes_view(&kind, 1), bytes_of_string(report->from),
                                      bytes_of_string(report->officer),
                                      bytes_of_string(report->code == NULL ? "" : report->code)};
    uint8_t sizes[4] = {1, (uint8_t)parts[1].size, (uint8_t)parts[2].size, (uint8_t)parts[3].size};
    const struct byte_view all[] = {bytes_view(sizes, sizeof sizes), parts[0], parts[1], parts[2], parts[3]};
    uint8_t digest[DIGEST_SIZE];

    digest_sha256_parts(all, sizeof all / sizeof all[0], digest);
    return store_note_report(engine->store, reporter->stored.number, sender->stored.number,
                             report->event.data, digest);
}

static void log_report(struct engine *engine, const struct job *job, const Wire__Report *report,
                       enum record_kind kind, bool fits)
{
    struct byte_view digest = bytes_view(job->digest, DIGEST_SIZE);
    struct record_account account = {
        .time = engine->now,
        .from = bytes_of_string(report->by),
        .to = bytes_of_string(report->from),
        .outcome = bytes_of_string(fits ? report_kinds[report->kind].outcome : "not-held"),
        .details = &digest,
        .detail_count = 1};
    struct record_personal personal = {.officer = bytes_of_string(report->officer),
                                       .event = wire_view(report->event),
                                       .header = wire_view(report->header)};

    if (report->code != NULL)
        account.reason = bytes_of_string(report->code);
    (void)records_add(&engine->records, kind, &account, records_personal(&engine->records, &personal));
}

/* A recall is confirmed by recipient, sender and event: who never held the event has no header of it. */
static enum status take_report(struct engine *engine, const struct job *job, const struct peer *reporter,
                               size_t index)
{
    const Wire__Report *report = job->reports[index];
    struct peer *sender = peers_find(engine->peers, bytes_of_string(report->from));
    bool recalled = report->kind == WIRE__REPORT_KIND__RECALLED;
    enum record_kind kind = report_kinds[report->kind].kind;
    struct reported reported;
    enum status status = STATUS_OK;

    if (sender == NULL)
        return STATUS_OK;
    status = find_reported(engine, reporter, sender, report, &reported);
    if (status != STATUS_OK || !reported.disclosed || !(reported.fits || recalled))
        return status;
    if (recalled)
        status = store_drop_recall(engine->store, reporter->stored.number, sender->stored.number,
                                   report->event.data);
    if (status == STATUS_OK)
        status = note_report(engine, reporter, sender, report);
    if (status == STATUS_OK && reported.fits)
        status = clocks_reported(engine, job, index, reporter, sender, &kind);
    if (status == STATUS_OK)
        log_report(engine, job, report, kind, reported.fits);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

enum status receiving_reports(struct engine *engine, struct job *job)
{
    struct peer *reporter = peers_take(engine->peers, bytes_of_string(job->member));
    size_t count = job->frame->reports->n_reports;
    enum status status = reporter == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (status != STATUS_OK)
        return status;
    peers_count_minute(reporter, engine->now);
    if (reporter->reports >= engine->limits.reports_per_minute)
        return engine_answer_error(engine, job, WIRE__ERROR_CODE__NOT_NOW,
                                   "too many reports within a minute; send them later");
    reporter->reports += (uint32_t)count;
    status = engine_write(engine);
    (void)engine_records(engine, NULL, 0);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = take_report(engine, job, reporter, i);
    if (status == STATUS_OK)
        status = engine_append(engine);
    return status == STATUS_OK ? answer_count(engine, job, WIRE__FRAME__VERB_REPORTS_STORED, count) : status;
}

/* ---- fetch ---- */

enum status receiving_fetch(struct engine *engine, struct job *job)
{
    const Wire__Fetch *fetch = job->frame->fetch;
    struct peer *peer = peers_find(engine->peers, bytes_of_string(job->member));
    bool first;

    if (peer == NULL || peer->connection != job->connection)
        return STATUS_OK; /* a connection that was replaced */
    first = !peer->fetched;
    peer->fetched = true;
    uint64_t credit = (uint64_t)peer->credit + fetch->credit;
    peer->credit = credit < engine->limits.credit ? (uint32_t)credit : engine->limits.credit;
    if (fetch->receipts_after > peer->stored.confirmed && fetch->receipts_after <= peer->stored.forwarded) {
        peer->stored.confirmed = fetch->receipts_after;
        peer->confirmed_more = true;
        engine->confirmed_more = true;
    }
    if (first && fetch->receipts_after <= peer->stored.forwarded)
        peer->forwarded = fetch->receipts_after;
    if (first)
        telling_start(peer);
    return STATUS_OK;
}

enum status receiving_confirmed(struct engine *engine)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && engine->confirmed_more && i < peers_count(engine->peers); i++) {
        struct peer *peer = peers_at(engine->peers, i);
        if (!peer->confirmed_more)
            continue;
        status = store_drop_forwards(engine->store, peer->stored.number, peer->stored.confirmed);
        peer->confirmed_more = false;
        peer->dirty = true;
    }
    engine->confirmed_more = false;
    return status;
}
