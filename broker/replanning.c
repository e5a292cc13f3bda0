#include "broker/replanning.h"

#include <string.h>

#include "broker/judging.h"
#include "broker/recheck.h"
#include "broker/telling.h"

#define TRIM_EVERY 256

static struct party_set reached(struct engine *engine, const struct protocol *protocol,
                                const struct subject_standing *standing)
{
    struct party_set already = {{0}};

    for (size_t i = 0; i < standing->reached_count; i++) {
        const struct peer *peer = peers_number(engine->peers, standing->reached[i]);
        uint16_t party =
            peer == NULL ? PROTOCOL_NONE : protocol_find_party(protocol, bytes_of_string(peer->stored.id));
        if (party != PROTOCOL_NONE)
            party_set_add(&already, party);
    }
    return already;
}

/* Would a repeat of this standing event reach anybody now? */
static enum status somebody_new(struct engine *engine, const struct subject *subject,
                                const struct subject_standing *standing, bool *ret_new)
{
    struct recheck again;
    enum status status = recheck_event(engine, standing->place, &again);

    *ret_new = false;
    if (status != STATUS_OK || again.event.protocol == NULL || again.event.problem != NULL)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    struct party_set already = reached(engine, again.event.protocol->protocol, standing);
    again.event.request.repeats = true;
    status = judging_decide(engine, &again.core, &again.event, subject, &already);
    *ret_new = status == STATUS_OK && engine->decision->granted && engine->decision->recipient_count > 0;
    return status;
}

enum status replanning_subject(struct engine *engine, struct subject *subject,
                               const uint8_t event[static STORE_EVENT_SIZE])
{
    for (size_t i = 0; i < subject->standing_count; i++) {
        const struct subject_standing *standing = &subject->standing[i];
        struct peer *sender = peers_number(engine->peers, standing->sender);
        bool is_new = false;
        if (memcmp(standing->event, event, STORE_EVENT_SIZE) == 0 || sender == NULL)
            continue;
        enum status status = somebody_new(engine, subject, standing, &is_new);
        if (status == STATUS_OK && is_new)
            status = telling_replan(engine, sender, standing->event);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The subject of a stored key, under the protocol that the key names; *ret NULL when that is gone. */
static enum status subject_of(struct engine *engine, struct byte_view key, struct subject **ret)
{
    const struct rulebook_protocol *protocol;

    *ret = NULL;
    if (key.size <= CORE_SUBJECT_SIZE)
        return STATUS_CORRUPT;
    protocol = rulebook_find(engine->rulebook,
                             bytes_view(key.data + CORE_SUBJECT_SIZE, key.size - CORE_SUBJECT_SIZE));
    return protocol == NULL ? STATUS_OK : subjects_get(engine->subjects, protocol->protocol, key.data, ret);
}

enum status replanning_all(struct engine *engine)
{
    static const uint8_t none[STORE_EVENT_SIZE];
    uint8_t key[SUBJECTS_KEY_MAX];
    size_t size = 0;
    size_t seen = 0;

    for (;;) {
        struct byte_view next;
        struct byte_view state;
        struct subject *subject = NULL;
        enum status status = store_next_subject(engine->store, bytes_view(key, size), &next, &state);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        if (next.size > sizeof key)
            return STATUS_CORRUPT;
        size = next.size;
        memcpy(key, next.data, size);
        status = subject_of(engine, bytes_view(key, size), &subject);
        if (status == STATUS_OK && subject != NULL)
            status = replanning_subject(engine, subject, none);
        if (status != STATUS_OK)
            return status;
        if (++seen % TRIM_EVERY == 0)
            subjects_trim(engine->subjects);
    }
}
