#include "agent/reports.h"

#include "proto/wire_codec.h"

const char reports_schema[] = "CREATE TABLE report (id INTEGER PRIMARY KEY, report BLOB NOT NULL) STRICT;";

#define REPORT_SIZE_MAX  ((size_t)1024)
#define REPORTS_IN_BATCH 128

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
    struct db_statement *statement = NULL;
    struct byte_buffer bytes = bytes_buffer(REPORT_SIZE_MAX);
    enum status status = encode(agent, report, now, &bytes);

    if (status == STATUS_OK)
        status = db_statement(agent->db, "INSERT INTO report (report) VALUES (?)", &statement);
    if (status == STATUS_OK) {
        db_bind_blob(statement, 1, bytes_buffer_view(&bytes));
        status = db_run(statement);
    }
    bytes_buffer_free(&bytes);
    return status;
}

/* The oldest reports, one after the other in ret, with where each begins. */
static enum status collect(struct agent *agent, struct byte_buffer *ret, size_t *starts, size_t *ret_count,
                           int64_t *ret_last)
{
    struct db_statement *statement = NULL;
    bool row = false;
    size_t count = 0;
    int64_t last = 0;
    enum status status =
        db_statement(agent->db, "SELECT id, report FROM report ORDER BY id LIMIT ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, REPORTS_IN_BATCH);
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        starts[count++] = ret->size;
        last = db_column_int64(statement, 0);
        bytes_append_view(ret, db_column_blob(statement, 1));
    }
    starts[count] = ret->size;
    if (status == STATUS_OK)
        status = count == 0 ? STATUS_NOT_FOUND : ret->status;
    if (status == STATUS_OK) {
        *ret_count = count;
        *ret_last = last;
    }
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
    struct byte_buffer bytes = bytes_buffer(REPORTS_IN_BATCH * REPORT_SIZE_MAX);
    struct byte_view reports[REPORTS_IN_BATCH];
    struct batch_signer signer;
    size_t starts[REPORTS_IN_BATCH + 1];
    size_t count = 0;
    int64_t last = 0;
    enum status status = collect(agent, &bytes, starts, &count, &last);

    if (status == STATUS_OK)
        status = membership_signer(agent->membership, agent->settings.member, now, &signer);
    for (size_t i = 0; i < count; i++)
        reports[i] = bytes_view(bytes.data + starts[i], starts[i + 1] - starts[i]);
    if (status == STATUS_OK)
        status = build(agent, request, reports, count, &signer, ret);
    if (status == STATUS_OK)
        *ret_last = last;
    bytes_buffer_free(&bytes);
    return status;
}

enum status reports_stored(struct agent *agent, int64_t last)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, "DELETE FROM report WHERE id <= ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, last);
    return db_run(statement);
}
