#include "agent/reports.h"

#include "agent/due.h"
#include "proto/wire_codec.h"

const char reports_schema[] = "CREATE TABLE report (id INTEGER PRIMARY KEY, report BLOB NOT NULL) STRICT;";

#define REPORT_SIZE_MAX  ((size_t)1024)
#define REPORTS_IN_BATCH 128

static const struct due_queue queue = {
    .insert = "INSERT INTO report (report) VALUES (?)",
    .oldest = "SELECT id, report FROM report ORDER BY id LIMIT ?",
    .forget = "DELETE FROM report WHERE id <= ?",
};

static enum status encode(struct agent *agent, const struct report *report, int64_t now,
                          struct byte_buffer *ret)
{
    Wire__Report wire = WIRE__REPORT__INIT;
    char from[MEMBER_ID_LENGTH + 1];

    if (report->from.size > MEMBER_ID_LENGTH)
        return STATUS_BAD_ARGUMENT;
    for (size_t i = 0; i < report->from.size; i++)
        from[i] = (char)report->from.data[i];
    from[report->from.size] = '\0';
    wire.by = agent->settings.member;
    wire.kind = (Wire__ReportKind)report->kind;
    wire.from = from;
    wire.event = wire_data(bytes_view(report->event, UUID_SIZE));
    wire.header = wire_data(bytes_view(report->header, HEADER_DIGEST_SIZE));
    wire.officer = (char *)(uintptr_t)report->officer;
    wire.time = (uint64_t)now;
    wire.code = (char *)(uintptr_t)report->code;
    wire_pack(&wire.base, ret);
    return ret->status;
}

enum status reports_queue(struct agent *agent, const struct report *report, int64_t now)
{
    struct byte_buffer bytes = bytes_buffer(REPORT_SIZE_MAX);
    enum status status = encode(agent, report, now, &bytes);

    if (status == STATUS_OK)
        status = due_add(agent, &queue, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
    return status;
}

static enum status build(struct agent *agent, uint64_t request, const struct byte_view *reports, size_t count,
                         const struct batch_signer *signer, struct byte_buffer *ret)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__ReportBatch batch = WIRE__REPORT_BATCH__INIT;
    ProtobufCBinaryData fields[REPORTS_IN_BATCH];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    enum status status = batch_sign(BATCH_PURPOSE_REPORTS, keystore_signing(agent->keystore), signer, reports,
                                    count, signature);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        fields[i] = wire_data(reports[i]);
    batch.certificate = wire_data(bytes_view(signer->certificate.bytes, DIGEST_SIZE));
    batch.signature = wire_data(bytes_view(signature, sizeof signature));
    batch.n_reports = count;
    batch.reports = fields;
    frame.version = WIRE_VERSION;
    frame.request = request;
    frame.verb_case = WIRE__FRAME__VERB_REPORTS;
    frame.reports = &batch;
    wire_pack(&frame.base, ret);
    return ret->status;
}

enum status reports_batch(struct agent *agent, uint64_t request, int64_t now, struct byte_buffer *ret,
                          int64_t *ret_last)
{
    struct due_batch batch = {0};
    struct batch_signer signer;
    enum status status = due_oldest(agent, &queue, REPORTS_IN_BATCH, REPORT_SIZE_MAX, &batch);

    if (status == STATUS_OK)
        status = membership_signer(agent->membership, agent->settings.member, now, &signer);
    if (status == STATUS_OK)
        status = build(agent, request, batch.items, batch.count, &signer, ret);
    if (status == STATUS_OK)
        *ret_last = batch.last;
    due_batch_free(&batch);
    return status;
}

enum status reports_stored(struct agent *agent, int64_t last)
{
    return due_forget(agent, &queue, last);
}
