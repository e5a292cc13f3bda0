#include "agent/publishing.h"

#include <stdlib.h>
#include <string.h>

#include "agent/departure.h"
#include "agent/outcome.h"
#include "base/crash.h"

#define PUBLISHING_ROOM (WIRE_FRAME_LIMIT - 4096) /* for events in a frame */

struct publishing {
    struct agent *agent;
    uint64_t request; /* 0: none under way */
    size_t count;
    uint8_t events[PUBLISHING_BATCH][UUID_SIZE];
};

enum status publishing_new(struct agent *agent, struct publishing **ret_publishing)
{
    struct publishing *publishing = calloc(1, sizeof *publishing);

    if (publishing == NULL)
        return STATUS_NO_MEMORY;
    publishing->agent = agent;
    *ret_publishing = publishing;
    return STATUS_OK;
}

void publishing_free(struct publishing **publishing)
{
    free(*publishing);
    *publishing = NULL;
}

void publishing_drop(struct publishing *publishing)
{
    publishing->request = 0;
    publishing->count = 0;
}

bool publishing_waits(const struct publishing *publishing, uint64_t request)
{
    return publishing->request != 0 && (request == 0 || publishing->request == request);
}

/* ---- sending
 * ------------------------------------------------------------------------------------------------------ */

/* The sealed events that fit one frame, oldest first. */
static enum status collect(struct agent *agent, struct departure_sealed *sealed, size_t *ret_count)
{
    uint8_t after[UUID_SIZE] = {0};
    size_t room = PUBLISHING_ROOM;
    size_t count = 0;
    enum status status = STATUS_OK;

    while (count < PUBLISHING_BATCH) {
        size_t size = 0;

        status = departure_sealed(agent, after, &sealed[count]);
        if (status != STATUS_OK)
            break;
        size = envelope_publish_size(&sealed[count].envelope);
        if (size > room && count > 0) {
            departure_sealed_free(&sealed[count]);
            break;
        }
        memcpy(after, sealed[count].event, UUID_SIZE);
        room -= size < room ? size : room;
        count++;
    }
    *ret_count = count;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status build(struct publishing *publishing, uint64_t request,
                         const struct departure_sealed *sealed, size_t count, int64_t now,
                         struct byte_buffer *ret)
{
    struct agent *agent = publishing->agent;
    struct envelope_event events[PUBLISHING_BATCH];
    struct batch_signer signer;
    enum status status = membership_signer(agent->membership, agent->settings.member, now, &signer);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        events[i] = sealed[i].envelope;
        events[i].slots = sealed[i].slots;
        memcpy(publishing->events[i], sealed[i].event, UUID_SIZE);
    }
    status = envelope_publish_build(request, &signer, keystore_signing(agent->keystore), events, count, ret);
    if (status == STATUS_OK) {
        publishing->request = request;
        publishing->count = count;
    }
    return status;
}

/* One event that no frame can carry would block all others. */
static enum status refuse_oversized(struct agent *agent, const uint8_t event[static UUID_SIZE], int64_t now)
{
    enum status status = db_begin(agent->db);

    if (status == STATUS_OK)
        status = departure_refuse_text(agent, event, "the sealed event is larger than a frame may be", now);
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

enum status publishing_send(struct publishing *publishing, uint64_t request, int64_t now,
                            struct byte_buffer *ret)
{
    struct departure_sealed *sealed = NULL;
    size_t count = 0;
    enum status status = STATUS_OK;

    if (publishing->request != 0 || publishing->agent->membership == NULL)
        return STATUS_NOT_FOUND;
    sealed = calloc(PUBLISHING_BATCH, sizeof *sealed);
    if (sealed == NULL)
        return STATUS_NO_MEMORY;
    status = collect(publishing->agent, sealed, &count);
    if (status == STATUS_OK)
        status = count == 0 ? STATUS_NOT_FOUND : build(publishing, request, sealed, count, now, ret);
    if (status == STATUS_TOO_LARGE && count > 1)
        status = build(publishing, request, sealed, 1, now, ret);
    if (status == STATUS_TOO_LARGE) {
        status = refuse_oversized(publishing->agent, sealed[0].event, now);
        status = status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    CRASH_POINT("publishing.built");
    for (size_t i = 0; i < count; i++)
        departure_sealed_free(&sealed[i]);
    free(sealed);
    return status;
}

/* ---- answers
 * ------------------------------------------------------------------------------------------------------- */

static bool fits(const struct publishing *publishing, const Wire__PublishAnswer *answer)
{
    if (answer->n_outcomes != publishing->count)
        return false;
    for (size_t i = 0; i < publishing->count; i++)
        if (!bytes_equal(wire_view(answer->outcomes[i]->event), bytes_view(publishing->events[i], UUID_SIZE)))
            return false;
    return true;
}

static enum status apply_all(struct publishing *publishing, const Wire__PublishAnswer *answer, int64_t now)
{
    struct db *db = publishing->agent->db;
    enum status status = db_begin(db);

    for (size_t i = 0; i < answer->n_outcomes && status == STATUS_OK; i++)
        status = outcome_apply(publishing->agent, answer->outcomes[i], now);
    CRASH_POINT("publishing.outcome");
    if (status != STATUS_OK) {
        db_rollback(db);
        return status;
    }
    status = db_commit(db);
    CRASH_POINT("publishing.outcome.done");
    return status;
}

enum status publishing_answer(struct publishing *publishing, uint64_t request,
                              const Wire__PublishAnswer *answer, int64_t now)
{
    enum status status = STATUS_OK;

    if (!publishing_waits(publishing, request))
        return STATUS_OK;
    status = fits(publishing, answer) ? apply_all(publishing, answer, now) : STATUS_BAD_FORMAT;
    publishing_drop(publishing);
    return status;
}

enum status publishing_again(struct publishing *publishing, int64_t now, int64_t delay)
{
    struct db *db = publishing->agent->db;
    enum status status = db_begin(db);

    for (size_t i = 0; i < publishing->count && status == STATUS_OK; i++)
        status = departure_again(publishing->agent, publishing->events[i], now, delay, false);
    if (status == STATUS_OK)
        status = db_commit(db);
    else
        db_rollback(db);
    publishing_drop(publishing);
    return status;
}
