#include "broker/notices.h"

#include <string.h>

#include "proto/field.h"

/* Field numbers of messages Notices, Notice and SignedReport in wire.proto. */
enum { ID = 1, NOTICES };
enum { KIND = 1, FROM, TO, EVENT, TIME, TEXT, REPORT };
enum { CERTIFICATE = 1, SIGNATURE, INDEX, COUNT, SIGNED, PATH };

#define MARK        0 /* in front of a stored body: no field begins like this, so receipts never do */
#define NOTICE_ROOM ((size_t)8 << 10)

static void put_notice(const struct engine *engine, const struct notice *notice, struct byte_buffer *ret)
{
    field_put_varint(ret, KIND, notice->kind);
    field_put_bytes(ret, FROM, notice->from);
    field_put_bytes(ret, TO, notice->to);
    field_put_bytes(ret, EVENT, bytes_view(notice->event, STORE_EVENT_SIZE));
    field_put_varint(ret, TIME, (uint64_t)engine->now);
    if (notice->text != NULL)
        field_put_bytes(ret, TEXT, bytes_of_string(notice->text));
    if (notice->report.size > 0)
        field_put_bytes(ret, REPORT, notice->report);
}

enum status notices_put(struct engine *engine, struct peer *member, const struct notice *notice)
{
    struct byte_buffer one = bytes_buffer(NOTICE_ROOM);
    struct byte_buffer body = bytes_buffer(NOTICE_ROOM);
    enum status status;

    put_notice(engine, notice, &one);
    bytes_append_u8(&body, MARK);
    field_put_varint(&body, ID, member->stored.forwarded + 1);
    field_put_bytes(&body, NOTICES, bytes_buffer_view(&one));
    status = one.status == STATUS_OK ? body.status : one.status;
    if (status == STATUS_OK)
        status = store_append_forward(engine->store, member->stored.number, member->stored.forwarded + 1,
                                      bytes_buffer_view(&body));
    if (status == STATUS_OK) {
        member->stored.forwarded++;
        member->dirty = true;
    }
    bytes_buffer_free(&one);
    bytes_buffer_free(&body);
    return status;
}

bool notices_are(struct byte_view stored, struct byte_view *ret_body)
{
    if (stored.size == 0 || stored.data[0] != MARK)
        return false;
    *ret_body = bytes_view(stored.data + 1, stored.size - 1);
    return true;
}

void notices_report(const struct job *job, size_t index, struct byte_buffer *ret)
{
    const Wire__ReportBatch *batch = job->frame->reports;
    struct digest path[MERKLE_PATH_MAX];
    size_t length = 0;

    merkle_batch_path(job->tree, index, path, &length);
    field_put_bytes(ret, CERTIFICATE, wire_view(batch->certificate));
    field_put_bytes(ret, SIGNATURE, wire_view(batch->signature));
    field_put_varint(ret, INDEX, index);
    field_put_varint(ret, COUNT, batch->n_reports);
    field_put_bytes(ret, SIGNED, wire_view(batch->reports[index]));
    for (size_t i = 0; i < length; i++)
        field_put_bytes(ret, PATH, bytes_view(path[i].bytes, DIGEST_SIZE));
}
