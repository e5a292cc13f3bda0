#include "agent/delivery.h"

#include <string.h>

#include "agent/inbox.h"
#include "agent/incidents.h"
#include "base/crash.h"
#include "certs/archive.h"

#define DELIVERY_OLDER_BUNDLES 8 /* so far back an event may have been made */

/* Whether an archived bundle is the one under which an event was made. */
static bool is_bundle(const struct bundle *bundle, const struct core *core)
{
    return memcmp(bundle_head_digest(bundle), core->bundle, DIGEST_SIZE) == 0;
}

/*
 * The bundle under which an event was made, when it is an older one of ours: a rule may have changed while
 * the event was on its way. NULL: judge by the one in force.
 */
static struct membership *older_membership(const struct agent *agent, const struct core *core)
{
    const uint64_t serial = bundle_serial(agent->membership->bundle);
    struct membership *membership = NULL;

    for (uint64_t back = 1; back <= DELIVERY_OLDER_BUNDLES && back < serial && membership == NULL; back++) {
        struct bundle *bundle = NULL;

        if (archive_get(agent->folder, serial - back, &bundle, NULL) != STATUS_OK)
            continue;
        if (!is_bundle(bundle, core) || membership_load(bundle, NULL, &membership, NULL) != STATUS_OK)
            bundle_free(&bundle);
    }
    return membership;
}

static enum status judge(struct agent *agent, struct arrival_opener *opener,
                         const struct envelope_delivered *event, int64_t now, struct arrival *ret)
{
    struct membership *older = NULL;
    struct arrival arrival = {0};
    enum status status = arrival_judge(agent, agent->membership, opener, event, now, &arrival);

    if (status != STATUS_OK)
        return status;
    if (arrival.reason != ARRIVAL_NONE && !is_bundle(agent->membership->bundle, &event->core))
        older = older_membership(agent, &event->core);
    if (older != NULL) {
        arrival_free(&arrival);
        status = arrival_judge(agent, older, opener, event, now, &arrival);
        membership_free(&older);
    }
    if (status == STATUS_OK)
        *ret = arrival;
    return status;
}

static enum status take_one(struct agent *agent, struct arrival_opener *opener,
                            const struct envelope_delivery *delivery, size_t i, int64_t now)
{
    const struct byte_view from = bytes_of_string(delivery->deliver->from);
    struct envelope_delivered event;
    struct arrival arrival = {0};
    enum status status =
        envelope_delivered_verify(delivery, i, bytes_of_string(agent->settings.member), &event);

    if (status != STATUS_OK)
        return incidents_add(agent->db, now,
                             "an event of %.64s that the broker delivered does not verify: %s",
                             delivery->deliver->from, status_text(status));
    status = judge(agent, opener, &event, now, &arrival);
    if (status == STATUS_OK)
        status = inbox_store(agent, from, &event, &arrival, now);
    arrival_free(&arrival);
    return status;
}

/* The signer must be the member that the delivery names; its certificate in force when the event was made. */
static enum status verify(const struct agent *agent, const Wire__Deliver *deliver,
                          struct envelope_delivery *ret_delivery)
{
    const struct directory_entry *entry = NULL;
    struct batch_signer signer;
    struct header header;
    struct core core;
    enum status status = STATUS_BAD_FORMAT;

    if (deliver->n_events == 0)
        return status;
    status = header_parse(wire_view(deliver->events[0]->header), &header);
    if (status == STATUS_OK)
        status = core_decode(header.core, &core);
    if (status == STATUS_OK)
        status = membership_author(agent->membership, wire_view(deliver->certificate), core.created, &entry,
                                   &signer);
    if (status == STATUS_OK && strcmp(entry->member, deliver->from) != 0)
        status = STATUS_MISMATCH;
    return status == STATUS_OK ? envelope_delivery_verify(deliver, &signer, entry->signing, ret_delivery)
                               : status;
}

typedef enum status take_event(struct agent *agent, struct arrival_opener *opener,
                               const struct envelope_delivery *delivery, size_t i, int64_t now);

/* Some of the events, in one transaction. */
static enum status take_range(struct agent *agent, struct arrival_opener *opener,
                              const struct envelope_delivery *delivery, size_t first, size_t end,
                              take_event *take, int64_t now)
{
    enum status status = db_begin(agent->db);

    for (size_t i = first; i < end && status == STATUS_OK; i++)
        status = take(agent, opener, delivery, i, now);
    CRASH_POINT("delivery.commit");
    if (status != STATUS_OK) {
        db_rollback(agent->db);
        return status;
    }
    status = db_commit(agent->db);
    CRASH_POINT("delivery.commit.done");
    return status;
}

/* Without its contents, so that it comes no more; the sender and the officers are told. */
static enum status set_aside(struct agent *agent, struct arrival_opener *opener,
                             const struct envelope_delivery *delivery, size_t i, int64_t now)
{
    const struct arrival failed = arrival_failed(now);
    struct envelope_delivered event;
    enum status status =
        envelope_delivered_verify(delivery, i, bytes_of_string(agent->settings.member), &event);

    (void)opener;
    return status == STATUS_OK
               ? inbox_store(agent, bytes_of_string(delivery->deliver->from), &event, &failed, now)
               : status;
}

/* Whether trying again event by event can help. */
static bool is_ours(enum status status)
{
    return status == STATUS_NO_MEMORY || status == STATUS_NO_SPACE || status == STATUS_IO;
}

/* One event that fails for a reason that nobody foresaw must not keep the others, nor end the agent. */
static enum status store(struct agent *agent, struct arrival_opener *opener,
                         const struct envelope_delivery *delivery, int64_t now)
{
    const size_t count = delivery->deliver->n_events;
    enum status status = take_range(agent, opener, delivery, 0, count, take_one, now);

    if (status == STATUS_OK || is_ours(status))
        return status;
    status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = take_range(agent, opener, delivery, i, i + 1, take_one, now);
        if (status != STATUS_OK && !is_ours(status))
            status = take_range(agent, opener, delivery, i, i + 1, set_aside, now);
    }
    return status;
}

enum status delivery_take(struct agent *agent, struct arrival_opener *opener, const Wire__Deliver *deliver,
                          int64_t now)
{
    struct envelope_delivery delivery;
    enum status told = STATUS_OK;
    enum status status = verify(agent, deliver, &delivery);

    if (status == STATUS_OK)
        return store(agent, opener, &delivery, now);
    told = incidents_add(agent->db, now, "a delivery in the name of %.64s does not verify: %s", deliver->from,
                         status_text(status));
    if (told != STATUS_OK)
        return told;
    return status == STATUS_TOO_LARGE ? STATUS_BAD_FORMAT
                                      : status; /* of a header: the frame is what is wrong */
}
