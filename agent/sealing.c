#include "agent/sealing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/canonical.h"
#include "proto/hpke.h"

#define SEALING_EVENT_MAX ((size_t)512 << 10)

struct sealing_target {
    char member[MEMBER_ID_LENGTH + 1];
    uint8_t key[SECTION_KEY_ID_SIZE];
    uint8_t enc[HPKE_ENC_SIZE];
    struct hpke_sender *sender;
};

struct sealing {
    const struct random_source *random;
    size_t count;
    struct sealing_target targets[POLICY_RECIPIENTS_MAX];
};

enum status sealing_start(const struct random_source *random, struct sealing **ret_sealing)
{
    struct sealing *sealing = calloc(1, sizeof *sealing);

    if (sealing == NULL)
        return STATUS_NO_MEMORY;
    sealing->random = random;
    *ret_sealing = sealing;
    return STATUS_OK;
}

void sealing_end(struct sealing **sealing)
{
    if (*sealing == NULL)
        return;
    for (size_t i = 0; i < (*sealing)->count; i++)
        hpke_sender_free(&(*sealing)->targets[i].sender);
    free(*sealing);
    *sealing = NULL;
}

/* The slot for a recipient: its own, a free one, or the last one, whose context ends. */
static struct sealing_target *slot_for(struct sealing *sealing, const char *member)
{
    struct sealing_target *slot = NULL;

    for (size_t i = 0; i < sealing->count; i++)
        if (strcmp(sealing->targets[i].member, member) == 0)
            return &sealing->targets[i];
    if (sealing->count < POLICY_RECIPIENTS_MAX)
        sealing->count++;
    slot = &sealing->targets[sealing->count - 1];
    hpke_sender_free(&slot->sender);
    (void)snprintf(slot->member, sizeof slot->member, "%s", member);
    return slot;
}

static enum status target_for(struct sealing *sealing, const struct directory_entry *entry,
                              struct sealing_target **ret_target)
{
    struct sealing_target *slot = slot_for(sealing, entry->member);
    struct x25519_public *key = NULL;
    enum status status = STATUS_OK;

    if (slot->sender != NULL && memcmp(slot->key, entry->sealing_id, sizeof slot->key) == 0) {
        *ret_target = slot;
        return STATUS_OK;
    }
    hpke_sender_free(&slot->sender);
    memcpy(slot->key, entry->sealing_id, sizeof slot->key);
    status = x25519_public(entry->sealing, &key);
    if (status == STATUS_OK)
        status =
            hpke_sender_start(key, bytes_of_string(SECTION_INFO), sealing->random, &slot->sender, slot->enc);
    x25519_public_free(&key);
    if (status == STATUS_OK)
        *ret_target = slot;
    return status;
}

/* The values that a recipient gets, in catalogue order. */
static enum status collect_items(const struct membership *membership, const struct plan *plan,
                                 const struct policy_recipient *recipient, struct item *items,
                                 size_t *ret_count)
{
    const struct catalogue *catalogue = membership->catalogue;
    size_t count = 0;

    for (unsigned label = label_set_next(&recipient->labels, 0); label != SET256_END;
         label = label_set_next(&recipient->labels, label + 1)) {
        const struct byte_view name = bytes_of_string(catalogue->labels[label].label);
        const struct byte_view *value = prepared_find(&plan->prepared, name);

        if (value == NULL || count == ITEMS_MAX)
            return STATUS_CORRUPT;
        items[count].label = name;
        items[count].value = *value;
        count++;
    }
    *ret_count = count;
    return STATUS_OK;
}

static enum status seal_one(struct sealing *sealing, const struct membership *membership,
                            const struct plan *plan, const struct policy_recipient *recipient, int64_t now,
                            struct sealed_section *ret)
{
    const struct directory_entry *entry = directory_by_member(membership->directory, recipient->to, now);
    struct section_target target = {.to = bytes_of_string(recipient->to),
                                    .rule = bytes_of_string(recipient->rule)};
    struct sealing_target *context = NULL;
    struct item items[ITEMS_MAX];
    size_t count = 0;
    enum status status = STATUS_OK;

    if (entry == NULL || entry->role != ROLE_AGENT)
        return STATUS_STALE;
    status = collect_items(membership, plan, recipient, items, &count);
    if (status == STATUS_OK)
        status = target_for(sealing, entry, &context);
    if (status != STATUS_OK)
        return status;
    memcpy(target.key, entry->sealing_id, sizeof target.key);
    core_digest(bytes_buffer_view(&plan->core), target.core);
    ret->bytes = bytes_buffer(SECTION_SIZE_MAX);
    status = section_seal(context->sender, context->enc, &target, items, count, &ret->bytes);
    if (status != STATUS_OK)
        return status;
    (void)snprintf(ret->to, sizeof ret->to, "%s", recipient->to);
    section_digest(bytes_buffer_view(&ret->bytes), ret->digest);
    return STATUS_OK;
}

enum status sealing_event(struct sealing *sealing, const struct membership *membership,
                          const struct plan *plan, const struct policy_decision *decision, int64_t now,
                          struct sealed_event *ret_event)
{
    uint8_t digests[HEADER_SECTIONS_MAX][HEADER_DIGEST_SIZE];
    enum status status = STATUS_OK;

    for (uint16_t i = 0; i < decision->recipient_count && status == STATUS_OK; i++) {
        ret_event->count = i + 1u;
        status = seal_one(sealing, membership, plan, &decision->recipients[i], now, &ret_event->sections[i]);
        memcpy(digests[i], ret_event->sections[i].digest, HEADER_DIGEST_SIZE);
    }
    if (status != STATUS_OK)
        return status;
    ret_event->header = bytes_buffer(HEADER_SIZE_MAX);
    return header_build(bytes_buffer_view(&plan->core), (const uint8_t(*)[HEADER_DIGEST_SIZE])digests,
                        ret_event->count, &ret_event->header);
}

void sealing_event_free(struct sealed_event *event)
{
    for (size_t i = 0; i < event->count; i++)
        bytes_buffer_free(&event->sections[i].bytes);
    bytes_buffer_free(&event->header);
    event->count = 0;
}

enum status sealing_keep(const struct sealed_event *event, struct byte_view opening, struct byte_buffer *ret)
{
    canonical_append(ret, bytes_buffer_view(&event->header));
    canonical_append(ret, opening);
    canonical_append_list_start(ret, (uint32_t)event->count);
    for (size_t i = 0; i < event->count; i++) {
        canonical_append_string(ret, event->sections[i].to);
        canonical_append(ret, bytes_buffer_view(&event->sections[i].bytes));
    }
    return ret->status;
}

enum status sealing_restore(struct byte_view kept, struct envelope_event *ret_event,
                            struct envelope_slot *ret_slots)
{
    struct byte_reader reader = bytes_reader(kept);
    struct envelope_event event = {.slots = ret_slots};
    uint32_t count = 0;

    (void)canonical_read(&reader, HEADER_SIZE_MAX, &event.header);
    (void)canonical_read(&reader, SEALING_EVENT_MAX, &event.opening);
    (void)canonical_read_list_start(&reader, HEADER_SECTIONS_MAX, &count);
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        (void)canonical_read(&reader, MEMBER_ID_LENGTH, &ret_slots[i].to);
        (void)canonical_read(&reader, SECTION_SIZE_MAX, &ret_slots[i].section);
    }
    if (!bytes_read_done(&reader))
        return STATUS_CORRUPT;
    event.slot_count = count;
    *ret_event = event;
    return STATUS_OK;
}
