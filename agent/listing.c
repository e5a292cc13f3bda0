#include "agent/listing.h"

#include <string.h>

struct listing_field {
    const char *label;
    size_t offset;
    size_t size;
};

#define FIELD(name)                                                                                          \
    {                                                                                                        \
#name, offsetof(struct person, name), sizeof((struct person *)NULL)->name                            \
    }
static const struct listing_field fields[] = {
    FIELD(pnc_id), FIELD(prison_no),  FIELD(name),      FIELD(dob),      FIELD(strand),
    FIELD(area),   FIELD(home_force), FIELD(authority), FIELD(selector),
};
#undef FIELD
#define FIELDS (sizeof fields / sizeof fields[0])

/* Values that came replace those known; those that did not come stay. */
static void take_values(struct person *person, const struct listing *listing)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const struct byte_view *value = listing->value(listing->values, fields[i].label);
        char *out = (char *)person + fields[i].offset;

        if (value == NULL || value->size == 0 || value->size >= fields[i].size)
            continue;
        memset(out, 0, fields[i].size);
        memcpy(out, value->data, value->size);
    }
}

static void set_source(struct person *person, const struct listing *listing)
{
    memcpy(person->event, listing->event, UUID_SIZE);
    memset(person->by, 0, sizeof person->by);
    if (listing->from.size < sizeof person->by)
        memcpy(person->by, listing->from.data, listing->from.size);
}

/* Whether this event is news about the person. */
static bool fold(struct person *person, enum effect effect, const struct listing *listing)
{
    if (effect == EFFECT_LIST && listing->created > person->listed_at) {
        person->listed_at = listing->created;
        take_values(person, listing);
    } else if (effect == EFFECT_REMOVE && listing->created > person->removed_at) {
        person->removed_at = listing->created;
    } else {
        return false;
    }
    set_source(person, listing);
    person->listed = person->listed_at > person->removed_at;
    return true;
}

static void take_move(struct person *person, const struct listing *listing)
{
    const struct byte_view *area = listing->value(listing->values, "to_area");
    const struct byte_view *force = listing->value(listing->values, "home_force");

    if (area != NULL && area->size < sizeof person->area) {
        memset(person->area, 0, sizeof person->area);
        memcpy(person->area, area->data, area->size);
    }
    if (force != NULL && force->size < sizeof person->home_force) {
        memset(person->home_force, 0, sizeof person->home_force);
        memcpy(person->home_force, force->data, force->size);
    }
}

enum status listing_apply(struct agent *agent, enum effect effect, const struct listing *listing)
{
    struct pseudonym subject;
    struct person person = {0};
    char protocol[PEOPLE_CODE_SIZE] = "";
    enum status status = STATUS_OK;
    bool changed = false;

    if (effect != EFFECT_LIST && effect != EFFECT_REMOVE && effect != EFFECT_MOVE)
        return STATUS_OK;
    if (listing->protocol.size >= sizeof protocol)
        return STATUS_OK;
    memcpy(protocol, listing->protocol.data, listing->protocol.size);
    memcpy(subject.bytes, listing->subject, PSEUDONYM_SIZE);
    status = people_by_subject(agent->people, protocol, &subject, &person);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    person.subject = subject;
    memcpy(person.protocol, protocol, sizeof protocol);
    if (effect == EFFECT_MOVE) {
        changed = person.listed && listing->created > person.listed_at;
        if (changed)
            take_move(&person, listing);
    } else {
        changed = fold(&person, effect, listing);
    }
    status = changed ? people_put(agent->people, &person) : STATUS_OK;
    bytes_wipe(&person, sizeof person);
    return status;
}

enum status listing_correct(struct agent *agent, const struct listing *listing)
{
    char protocol[PEOPLE_CODE_SIZE] = "";
    struct pseudonym subject;
    struct person person = {0};
    enum status status = STATUS_OK;

    if (listing->protocol.size >= sizeof protocol)
        return STATUS_OK;
    memcpy(protocol, listing->protocol.data, listing->protocol.size);
    memcpy(subject.bytes, listing->subject, PSEUDONYM_SIZE);
    status = people_by_subject(agent->people, protocol, &subject, &person);
    if (status == STATUS_OK && bytes_equal(bytes_of_string(person.by), listing->from) &&
        memcmp(person.event, listing->event, CORE_EVENT_SIZE) == 0) {
        take_values(&person, listing);
        status = people_put(agent->people, &person);
    }
    bytes_wipe(&person, sizeof person);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
