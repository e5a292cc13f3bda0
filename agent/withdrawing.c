#include "agent/withdrawing.h"

#include "agent/allowed.h"
#include "agent/inbox_content.h"
#include "agent/membership.h"
#include "policy/register.h"

struct withdrawing {
    struct agent *agent;
    const struct protocol *protocol;
    uint16_t us; /* our class */
    uint16_t consent;
    int64_t withdrawn;
};

/* Does it rest on that consent, in part or as a whole, and was it made before the withdrawal took effect? */
static bool rests_on_it(const struct withdrawing *it, const struct inbox_event *event, struct allowed *ret)
{
    const uint16_t type = catalogue_find_event(it->agent->membership->catalogue, event->core.type);
    const uint16_t from = protocol_find_party(it->protocol, bytes_of_string(event->sender));

    if (!event->has_content || (event->state != INBOX_STORED && event->state != INBOX_SUPERSEDED) ||
        type == CATALOGUE_NONE || from == PROTOCOL_NONE ||
        event->core.created > it->withdrawn + REGISTER_SKEW_MS)
        return false;
    allowed_find(it->protocol, type, it->protocol->parties[from].class_index, it->us, event->rule, ret);
    return (ret->consents >> it->consent & 1) != 0;
}

/* Values that stand by something else stay; labels stay as they were told. */
static enum status keep_standing(const struct withdrawing *it, struct inbox_event *event,
                                 const struct label_set *standing)
{
    enum status status = STATUS_OK;
    size_t kept = 0;

    for (size_t i = 0; i < event->item_count; i++) {
        const uint16_t label = catalogue_find_label(it->agent->membership->catalogue, event->items[i].label);

        if (label != CATALOGUE_NONE && label_set_has(standing, label))
            event->items[kept++] = event->items[i];
    }
    if (kept == event->item_count)
        return STATUS_OK;
    if (kept == 0)
        return inbox_event_empty(it->agent, event);
    event->item_count = kept;
    status = inbox_content_keep(it->agent, event);
    return status == STATUS_OK ? inbox_event_empty_corrections(it->agent, event) : status;
}

static enum status look_at(const struct withdrawing *it, struct inbox_event *event)
{
    struct label_set standing = {{0}};
    struct allowed allowed;
    bool stands = false;
    enum status status = STATUS_OK;

    if (!rests_on_it(it, event, &allowed))
        return STATUS_OK;
    status = allowed_standing(it->agent, it->protocol, &event->core, &allowed, &stands, &standing);
    if (status != STATUS_OK)
        return status;
    return stands ? keep_standing(it, event, &standing) : inbox_event_empty(it->agent, event);
}

static enum status look_at_all(const struct withdrawing *it, const uint8_t subject[static CORE_SUBJECT_SIZE])
{
    int64_t cursor = 0;

    for (;;) {
        struct inbox_event event;
        enum status status =
            inbox_event_about(it->agent, bytes_of_string(it->protocol->id), subject, &cursor, &event);

        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        status = look_at(it, &event);
        inbox_event_free(&event);
        if (status != STATUS_OK)
            return status;
    }
}

enum status withdrawing_apply(struct agent *agent, struct byte_view protocol,
                              const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope,
                              int64_t withdrawn)
{
    struct withdrawing it = {.agent = agent, .consent = 0, .withdrawn = withdrawn};
    uint16_t us = PROTOCOL_NONE;

    it.protocol = agent->membership == NULL ? NULL : membership_protocol(agent->membership, protocol);
    if (it.protocol == NULL || !it.protocol->withdrawal_ends_retention)
        return STATUS_OK;
    us = protocol_find_party(it.protocol, bytes_of_string(agent->settings.member));
    while (it.consent < it.protocol->consent_count &&
           !bytes_equal(scope, bytes_of_string(it.protocol->consents[it.consent].scope)))
        it.consent++;
    if (us == PROTOCOL_NONE || it.consent == it.protocol->consent_count)
        return STATUS_OK;
    it.us = it.protocol->parties[us].class_index;
    return look_at_all(&it, subject);
}
