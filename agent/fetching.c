#include "agent/fetching.h"

#include <stdlib.h>
#include <string.h>

#include "agent/incidents.h"

#define FETCHING_REST_MS ((int64_t)60 * 1000)

struct fetching {
    struct agent *agent;
    bool wanted;
    uint64_t request; /* 0: none under way */
    int64_t not_before;
    struct byte_buffer head; /* the encoded SignedHead that the parts belong to */
    struct byte_buffer body; /* what is here of it */
};

enum status fetching_new(struct agent *agent, struct fetching **ret_fetching)
{
    struct fetching *fetching = calloc(1, sizeof *fetching);

    if (fetching == NULL)
        return STATUS_NO_MEMORY;
    fetching->agent = agent;
    fetching->head = bytes_buffer(BUNDLE_HEAD_LARGEST);
    fetching->body = bytes_buffer(WIRE_BODY_LIMIT);
    *ret_fetching = fetching;
    return STATUS_OK;
}

void fetching_free(struct fetching **fetching)
{
    if (*fetching == NULL)
        return;
    bytes_buffer_free(&(*fetching)->head);
    bytes_buffer_free(&(*fetching)->body);
    free(*fetching);
    *fetching = NULL;
}

void fetching_drop(struct fetching *fetching)
{
    fetching->request = 0;
    bytes_buffer_free(&fetching->head);
    bytes_buffer_free(&fetching->body);
}

void fetching_need(struct fetching *fetching)
{
    fetching->wanted = true;
}

bool fetching_wanted(const struct fetching *fetching)
{
    return fetching->wanted;
}

/* The serial that a head states; its signatures were checked. */
static uint64_t serial_of(const Wire__SignedHead *head)
{
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    const ProtobufCMessage *message = NULL;
    uint64_t serial = 0;

    if (wire_unpack(&wire__bundle_head__descriptor, wire_view(head->head), BUNDLE_HEAD_LARGEST, &arena,
                    &message) == STATUS_OK)
        serial = ((const Wire__BundleHead *)message)->serial;
    wire_arena_free(&arena);
    return serial;
}

/* What is sealed for the keys of a renewal may come before the bundle that names them. */
static enum status look_for_renewal(struct agent *agent, int64_t now)
{
    const enum status status = keystore_look(agent->keystore);

    return status == STATUS_OK ? status
                               : incidents_add(agent->db, now, "the keys of a renewal cannot be read: %s",
                                               status_text(status));
}

enum status fetching_notice(struct fetching *fetching, const Wire__SignedHead *head, int64_t now)
{
    struct agent *agent = fetching->agent;

    switch (bundle_compare_head(agent->membership->bundle, head, now)) {
    case BUNDLE_NEWER:
        fetching->wanted = true;
        agent->newer_serial = serial_of(head);
        return look_for_renewal(agent, now);
    case BUNDLE_FORK:
        agent->newer_serial = UINT64_MAX;
        return incidents_add(agent->db, now,
                             "two different bundles with one serial are signed: nothing is sent until the"
                             " partnership's authority explains it");
    case BUNDLE_INVALID:
        return incidents_add(agent->db, now, "a bundle head was shown that the authority did not sign");
    case BUNDLE_SAME:
    case BUNDLE_OLDER:
    default:
        return STATUS_OK;
    }
}

enum status fetching_ask(struct fetching *fetching, uint64_t request, int64_t now, struct byte_buffer *ret)
{
    Wire__Frame frame = WIRE__FRAME__INIT;
    Wire__BundleRequest ask = WIRE__BUNDLE_REQUEST__INIT;

    if (!fetching->wanted || fetching->request != 0 || now < fetching->not_before)
        return STATUS_NOT_FOUND;
    ask.offset = fetching->body.size;
    frame.version = WIRE_VERSION;
    frame.request = request;
    frame.verb_case = WIRE__FRAME__VERB_BUNDLE_REQUEST;
    frame.bundle_request = &ask;
    wire_pack(&frame.base, ret);
    if (ret->status == STATUS_OK)
        fetching->request = request;
    return ret->status;
}

static enum status give_up(struct fetching *fetching, int64_t now, const char *why)
{
    fetching_drop(fetching);
    fetching->not_before = now + FETCHING_REST_MS;
    return incidents_add(fetching->agent->db, now, "a newer bundle was not taken: %.300s", why);
}

/* Starts over when the broker has changed to yet another bundle meanwhile. */
static enum status keep_head(struct fetching *fetching, const Wire__SignedHead *head, bool *ret_changed)
{
    struct byte_buffer packed = bytes_buffer(BUNDLE_HEAD_LARGEST);

    wire_pack(&head->base, &packed);
    if (packed.status != STATUS_OK) {
        bytes_buffer_free(&packed);
        return STATUS_TOO_LARGE;
    }
    *ret_changed = fetching->head.size > 0 &&
                   !bytes_equal(bytes_buffer_view(&packed), bytes_buffer_view(&fetching->head));
    bytes_buffer_free(&fetching->head);
    fetching->head = packed;
    return STATUS_OK;
}

static enum status finish(struct fetching *fetching, const Wire__SignedHead *head, int64_t now,
                          bool *ret_taken, bool *ret_new_keys)
{
    struct byte_buffer file = {0};
    struct agent_reason reason = {0};
    enum status status = bundle_pack(head, bytes_buffer_view(&fetching->body), &file);

    if (status == STATUS_OK)
        status =
            agent_take_bundle(fetching->agent, bytes_buffer_view(&file), NULL, now, ret_new_keys, &reason);
    bytes_buffer_free(&file);
    if (status != STATUS_OK)
        return give_up(fetching, now, reason.text[0] != '\0' ? reason.text : status_text(status));
    fetching_drop(fetching);
    fetching->wanted = false;
    *ret_taken = true;
    return STATUS_OK;
}

enum status fetching_part(struct fetching *fetching, uint64_t request, const Wire__BundlePart *part,
                          int64_t now, bool *ret_taken, bool *ret_new_keys)
{
    bool changed = false;
    enum status status = STATUS_OK;

    if (fetching->request == 0 || fetching->request != request)
        return STATUS_OK;
    fetching->request = 0;
    status = keep_head(fetching, part->head, &changed);
    if (status != STATUS_OK)
        return give_up(fetching, now, status_text(status));
    if (changed) {
        bytes_buffer_free(&fetching->body);
        return STATUS_OK;
    }
    if (part->offset != fetching->body.size || part->data.len == 0 || part->body_size > WIRE_BODY_LIMIT ||
        part->data.len > part->body_size - part->offset)
        return give_up(fetching, now, "a part of it does not fit");
    bytes_append_view(&fetching->body, wire_view(part->data));
    if (fetching->body.status != STATUS_OK)
        return give_up(fetching, now, status_text(fetching->body.status));
    return fetching->body.size == part->body_size ? finish(fetching, part->head, now, ret_taken, ret_new_keys)
                                                  : STATUS_OK;
}
