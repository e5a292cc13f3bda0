#include "broker/ending.h"

#include <stdlib.h>
#include <string.h>

#include "broker/judging.h"
#include "broker/recheck.h"
#include "broker/taking.h"

/* ---- would a section be granted now? ---- */

static bool read_labels(const struct catalogue *catalogue, const struct section *section,
                        struct label_set *ret)
{
    struct byte_view rest = section->labels;
    struct byte_view name;

    while (section_next_label(&rest, &name)) {
        uint16_t label = catalogue_find_label(catalogue, name);
        if (label == CATALOGUE_NONE)
            return false;
        label_set_add(ret, label);
    }
    return true;
}

/* For an event that changes the register only what its rule says can be asked again: the register has moved
 * on. */
static bool rule_remains(const struct protocol *protocol, const struct job_event *event, const char *to,
                         struct byte_view rule, const struct label_set *labels)
{
    uint16_t from = protocol_find_party(protocol, event->request.from);
    uint16_t party = protocol_find_party(protocol, bytes_of_string(to));
    const struct protocol_pair *pair;

    if (from == PROTOCOL_NONE || party == PROTOCOL_NONE)
        return false;
    pair = protocol_pair_of(protocol, event->request.event, protocol->parties[from].class_index);
    if (pair->rule != PROTOCOL_NONE && protocol->rules[pair->rule].follows)
        return bytes_equal(bytes_of_string(protocol->rules[pair->rule].id), rule);
    for (uint16_t i = 0; i < pair->route_count; i++) {
        const struct protocol_route *route = &protocol->routes[pair->first_route + i];
        if (route->stopped == 0 && route->to_class == protocol->parties[party].class_index &&
            bytes_equal(bytes_of_string(protocol->rules[route->rule].id), rule) &&
            label_set_within(labels, &route->labels))
            return true;
    }
    return false;
}

/* Of what changes the register, a listing and a release can be decided again; whom the others are for, the
 * register before them said. */
static bool decided_again(enum effect effect)
{
    return effect == EFFECT_NONE || effect == EFFECT_LIST || effect == EFFECT_RELEASE;
}

static enum status still_granted(struct engine *engine, struct store_place place, const char *to,
                                 const struct section *section, bool *ret_granted, uint32_t *ret_rests_on)
{
    struct recheck again;
    struct subject *subject = NULL;
    struct label_set labels = {{0}};
    enum status status = recheck_event(engine, place, &again);

    *ret_granted = false;
    if (status != STATUS_OK || again.event.protocol == NULL || again.event.problem != NULL)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    const struct protocol *protocol = again.event.protocol->protocol;
    if (!read_labels(protocol->catalogue, section, &labels) ||
        !rule_remains(protocol, &again.event, to, section->rule, &labels))
        return STATUS_OK;
    *ret_granted = true;
    if (!decided_again(engine->rulebook->catalogue->events[again.event.request.event].effect))
        return STATUS_OK;
    status = subjects_get(engine->subjects, protocol, again.core.subject, &subject);
    if (status == STATUS_OK)
        status = judging_again(engine, &again.core, &again.event, subject, to);
    if (status != STATUS_OK || engine->decision->reason == POLICY_TOO_LATE)
        return status; /* it was in time when it was accepted */
    const struct policy_recipient *granted = policy_recipient(engine->decision, bytes_of_string(to));
    *ret_granted = granted != NULL && label_set_within(&labels, &granted->labels);
    if (granted != NULL)
        *ret_rests_on = granted->rests_on;
    return STATUS_OK;
}

/* Decides these places of a slice again and adds those that are not granted to what is taken out. */
static enum status look_again(struct engine *engine, struct taking *taking,
                              const uint8_t places[static STORE_MASK_SIZE], const char *reason)
{
    const struct peer *recipient = peers_number(engine->peers, taking->key.recipient);
    struct store_slice slice;
    size_t offset = 0;
    enum status status = recipient == NULL ? STATUS_CORRUPT : STATUS_OK;

    if (status == STATUS_OK && store_mask_count(places) > 0)
        status = store_get_slice(engine->store, taking->key, &slice);
    if (status != STATUS_OK || store_mask_count(places) == 0)
        return status;
    bytes_buffer_clear(&engine->scratch);
    bytes_append_view(&engine->scratch, slice.sections);
    if (engine->scratch.status != STATUS_OK)
        return engine->scratch.status;
    for (size_t i = 0; status == STATUS_OK && i < taking->count; i++) {
        struct store_mark mark = taking_mark(taking, i);
        uint32_t rests_on = mark.rests_on;
        struct section section;
        bool granted = false;
        struct byte_view bytes = bytes_view(engine->scratch.data + offset, mark.size);
        offset += mark.size;
        if (!store_mask_get(places, i))
            continue;
        if (section_decode(bytes, &section) != STATUS_OK)
            return STATUS_CORRUPT;
        status = still_granted(engine, (struct store_place){taking->key.batch, mark.index},
                               recipient->stored.id, &section, &granted, &rests_on);
        if (status == STATUS_OK && !granted)
            taking_add(taking, i, reason);
        else if (status == STATUS_OK && rests_on != mark.rests_on &&
                 (status = engine_write(engine)) == STATUS_OK)
            status = store_rest_on(engine->store, taking->key, i, rests_on);
    }
    return status;
}

/* ---- the register changed ---- */

/* Changes by the tag of their subject, so that a pass over the queue finds its own at once. */
struct tagged {
    const uint8_t *tag;
    const struct accepting_change *change;
};

static int compare_tags(const void *a, const void *b)
{
    const struct tagged *left = a;
    const struct tagged *right = b;
    int order = memcmp(left->tag, right->tag, STORE_TAG_SIZE);

    return order != 0 ? order : (left->change > right->change) - (left->change < right->change);
}

static size_t first_of(const struct tagged *tagged, size_t count, const uint8_t tag[static STORE_TAG_SIZE])
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(tagged[middle].tag, tag, STORE_TAG_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool concerns(const struct accepting_change *change, const struct core *core)
{
    const struct subject *subject = change->subject;

    return memcmp(core->subject, subject->key, CORE_SUBJECT_SIZE) == 0 &&
           memcmp(core->event, change->event, STORE_EVENT_SIZE) != 0 &&
           bytes_equal(core->protocol, bytes_of_string(subject->protocol->id));
}

static const char *why_ended(uint32_t ended)
{
    return (ended & REGISTER_GROUND_CONSENTS) != 0
               ? "the consent that this rested on was withdrawn"
               : "the person is no longer on the list as when this was sent";
}

static enum status mark_changed(struct engine *engine, const struct tagged *tagged, size_t count,
                                struct taking *taking, uint8_t again[static STORE_MASK_SIZE])
{
    for (size_t i = 0; i < taking->count; i++) {
        struct store_mark mark = taking_mark(taking, i);
        struct core core;
        if (!store_mask_get(taking->live, i))
            continue;
        for (size_t k = first_of(tagged, count, mark.tag);
             k < count && memcmp(tagged[k].tag, mark.tag, STORE_TAG_SIZE) == 0; k++) {
            const struct accepting_change *change = tagged[k].change;
            enum status status =
                recheck_core(engine, (struct store_place){taking->key.batch, mark.index}, &core);
            if (status == STATUS_NOT_FOUND)
                continue;
            if (status != STATUS_OK)
                return status;
            if (!concerns(change, &core) || store_mask_get(taking->places, i))
                continue;
            if ((mark.rests_on & change->cleared) != 0)
                taking_add(taking, i, why_ended(mark.rests_on & change->cleared));
            else
                store_mask_set(again, i);
        }
        if (store_mask_get(taking->places, i))
            store_mask_clear(again, i);
    }
    return STATUS_OK;
}

static enum status pass_changes(struct engine *engine, const struct tagged *tagged, size_t count)
{
    struct store_slice_key after = {0};
    struct store_slice slice;
    struct taking taking;

    for (;;) {
        uint8_t again[STORE_MASK_SIZE] = {0};
        enum status status = store_next_marks(engine->store, after, &slice);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        after = slice.key;
        taking_start(&taking, &slice, NULL);
        status = mark_changed(engine, tagged, count, &taking, again);
        if (status == STATUS_OK)
            status = look_again(engine, &taking, again,
                                "what is known of the person has changed, and it is no longer granted");
        if (status == STATUS_OK)
            status = taking_out(engine, &taking);
        if (status != STATUS_OK)
            return status;
    }
}

enum status ending_changes(struct engine *engine, const struct accepting_change *changes, size_t count)
{
    struct tagged *tagged;
    enum status status;

    if (count == 0)
        return STATUS_OK;
    tagged = malloc(count * sizeof *tagged);
    if (tagged == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        tagged[i] = (struct tagged){changes[i].subject->key + 4, &changes[i]};
    qsort(tagged, count, sizeof *tagged, compare_tags);
    status = pass_changes(engine, tagged, count);
    free(tagged);
    return status;
}

/* ---- another bundle ---- */

static bool same_protocol(const struct rulebook *before, const struct rulebook_protocol *now)
{
    const struct rulebook_protocol *old =
        before == NULL ? NULL : rulebook_find(before, bytes_of_string(now->protocol->id));

    return old != NULL && memcmp(old->digest, now->digest, DIGEST_SIZE) == 0;
}

/* The places of a slice whose protocol is another now. */
static enum status mark_protocols(struct engine *engine, const struct rulebook *before,
                                  const struct taking *taking, uint8_t again[static STORE_MASK_SIZE])
{
    for (size_t i = 0; i < taking->count; i++) {
        struct core core;
        if (!store_mask_get(taking->live, i))
            continue;
        enum status status = recheck_core(
            engine, (struct store_place){taking->key.batch, taking_mark(taking, i).index}, &core);
        if (status == STATUS_NOT_FOUND)
            continue;
        if (status != STATUS_OK)
            return status;
        const struct rulebook_protocol *protocol = rulebook_find(engine->rulebook, core.protocol);
        if (protocol == NULL || !same_protocol(before, protocol))
            store_mask_set(again, i);
    }
    return STATUS_OK;
}

static bool all_unchanged(const struct engine *engine, const struct rulebook *before)
{
    if (before == NULL || before->protocol_count != engine->rulebook->protocol_count)
        return false;
    for (size_t i = 0; i < engine->rulebook->protocol_count; i++) {
        if (!same_protocol(before, &engine->rulebook->protocols[i]))
            return false;
    }
    return true;
}

/* Expired or not valid yet is a member all the same: the certificate may be renewed. */
static bool is_member(const struct engine *engine, struct peer *recipient)
{
    const struct directory_entry *known;

    if (peers_entry(recipient, engine->rulebook, engine->now) != NULL)
        return true;
    known = directory_known(engine->rulebook->directory, recipient->stored.id);
    return known != NULL && directory_state_at(known, engine->now) != DIRECTORY_REVOKED;
}

static enum status look_at_slice(struct engine *engine, const struct rulebook *before, bool unchanged,
                                 struct taking *taking)
{
    uint8_t again[STORE_MASK_SIZE] = {0};
    struct peer *recipient = peers_number(engine->peers, taking->key.recipient);
    enum status status;

    if (recipient == NULL)
        return STATUS_CORRUPT;
    if (!is_member(engine, recipient)) {
        for (size_t i = 0; i < taking->count; i++) {
            if (store_mask_get(taking->live, i))
                taking_add(taking, i, "the recipient is no longer a member");
        }
        return STATUS_OK;
    }
    if (unchanged)
        return STATUS_OK;
    status = mark_protocols(engine, before, taking, again);
    return status == STATUS_OK ? look_again(engine, taking, again, "the protocol no longer grants this")
                               : status;
}

enum status ending_bundle(struct engine *engine, const struct rulebook *before)
{
    struct store_slice_key after = {0};
    struct store_slice slice;
    struct taking taking;
    bool unchanged = all_unchanged(engine, before);

    for (;;) {
        enum status status = store_next_marks(engine->store, after, &slice);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        after = slice.key;
        taking_start(&taking, &slice, NULL);
        status = look_at_slice(engine, before, unchanged, &taking);
        if (status == STATUS_OK)
            status = taking_out(engine, &taking);
        if (status != STATUS_OK)
            return status;
    }
}
