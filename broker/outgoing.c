#include "broker/outgoing.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define OUTGOING_LIMIT ((size_t)1 << 20)

enum status outgoing_new(enum pipeline_kind kind, struct outgoing **ret)
{
    struct outgoing *outgoing = calloc(1, sizeof *outgoing);

    if (outgoing == NULL)
        return STATUS_NO_MEMORY;
    outgoing->face.kind = kind;
    outgoing->face.member = outgoing->member;
    outgoing->bytes = bytes_buffer(OUTGOING_LIMIT);
    *ret = outgoing;
    return STATUS_OK;
}

void outgoing_free(struct outgoing **outgoing)
{
    if (*outgoing != NULL)
        bytes_buffer_free(&(*outgoing)->bytes);
    free(*outgoing);
    *outgoing = NULL;
}

enum status outgoing_frame(uint64_t connection, const char *member, uint64_t request,
                           Wire__Frame__VerbCase verb, struct byte_view body, struct outgoing **ret)
{
    struct outgoing *outgoing = NULL;
    enum status status = outgoing_new(PIPELINE_FRAME, &outgoing);

    if (status != STATUS_OK)
        return status;
    outgoing->face.connection = connection;
    memcpy(outgoing->member, member, strnlen(member, MEMBER_ID_LENGTH));
    status = wire_frame_pack(request, verb, body, &outgoing->bytes);
    if (status != STATUS_OK) {
        outgoing_free(&outgoing);
        return status;
    }
    *ret = outgoing;
    return STATUS_OK;
}

void outgoing_put(struct outgoing_queue *queue, struct outgoing **outgoing)
{
    size_t size = (*outgoing)->bytes.size;

    (*outgoing)->face.bytes = bytes_buffer_view(&(*outgoing)->bytes);
    atomic_fetch_add(&queue->bytes, size);
    if (mailbox_put(queue->mailbox, *outgoing) == STATUS_OK) {
        *outgoing = NULL;
        return;
    }
    atomic_fetch_sub(&queue->bytes, size);
    outgoing_free(outgoing);
}

void outgoing_taken(struct outgoing_queue *queue, const struct outgoing *outgoing)
{
    atomic_fetch_sub(&queue->bytes, outgoing->bytes.size);
}
