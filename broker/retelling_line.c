#include "broker/retelling_line.h"

#include <string.h>

#include "policy/person.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

static json_t *text_of(struct byte_view text)
{
    return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
}

static json_t *time_of(int64_t time)
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(time, text);
    return json_string(text);
}

static bool is_label(struct byte_view id, const char *label)
{
    return bytes_equal(id, bytes_of_string(label));
}

/* "a,b" as a list. */
static json_t *split(struct byte_view text)
{
    json_t *list = json_array();
    size_t start = 0;

    for (size_t i = 0; list != NULL && i <= text.size && text.size > 0; i++) {
        if (i < text.size && text.data[i] != ',')
            continue;
        if (json_array_append_new(list, text_of(bytes_view(text.data + start, i - start))) != 0) {
            json_decref(list);
            return NULL;
        }
        start = i + 1;
    }
    return list;
}

/* What the sender held and said of the person's age stand in a line of their own; the rest are attributes. */
static bool add_attribute(json_t *line, json_t *attributes, const struct opening_attribute *attribute)
{
    char id[CATALOGUE_LABELS_MAX];

    if (is_label(attribute->id, "held"))
        return json_object_set_new(line, "held", split(attribute->value)) == 0;
    if (is_label(attribute->id, "juvenile"))
        return json_object_set_new(line, "juvenile", text_of(attribute->value)) == 0;
    if (attribute->id.size >= sizeof id)
        return true;
    memcpy(id, attribute->id.data, attribute->id.size);
    id[attribute->id.size] = '\0';
    return json_object_set_new(attributes, id, text_of(attribute->value)) == 0;
}

static bool add_names(json_t *line, const struct core *core)
{
    struct pseudonym pseudonym;
    char subject[PSEUDONYM_TEXT], event[UUID_TEXT_SIZE];

    uuid_format(core->event, event);
    if (json_object_set_new(line, "id", json_string(event)) != 0)
        return false;
    if (pseudonym_from_bytes(bytes_view(core->subject, CORE_SUBJECT_SIZE), &pseudonym) != STATUS_OK)
        return true;
    pseudonym_format(&pseudonym, subject);
    return json_object_set_new(line, "subject", json_string(subject)) == 0;
}

json_t *retelling_line_event(const struct core *core, int64_t at, const struct opening_attribute *attributes,
                             size_t count)
{
    json_t *line = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "replay", 1, "at", time_of(at), "protocol",
                             text_of(core->protocol), "event", text_of(core->type), "from",
                             text_of(core->from), "created", time_of(core->created));
    json_t *values = json_object();
    bool good = line != NULL && values != NULL && add_names(line, core);

    for (size_t i = 0; good && i < count; i++)
        good = add_attribute(line, values, &attributes[i]);
    if (good && core->has_supersedes)
        good = json_object_set_new(line, "supersedes", json_true()) == 0;
    if (good && json_object_size(values) > 0)
        good = json_object_set(line, "attributes", values) == 0;
    json_decref(values);
    if (good)
        return line;
    json_decref(line);
    return NULL;
}

bool retelling_line_times(json_t *line, const struct core *core)
{
    return json_object_set_new(line, "occurred", time_of(core->occurred)) == 0 &&
           json_object_set_new(line, "repeat", json_boolean(core->has_repeats)) == 0 &&
           (core->effective.size == 0 ||
            json_object_set_new(line, "effective", text_of(core->effective)) == 0);
}

struct person_line {
    json_t *person;
    bool good;
};

static void put_field(void *context, const char *field, const char *value)
{
    struct person_line *line = context;

    line->good = line->good && json_object_set_new(line->person, field, json_string(value)) == 0;
}

static bool add_consent(json_t *consents, const struct register_consent *consent)
{
    char expires[CIVIL_DATE_SIZE];
    json_t *object;
    bool good;

    civil_format_date(consent->expires, expires);
    object = json_pack("{s:s, s:o}", "expires", expires, "given", time_of(consent->given_at));
    good = object != NULL;
    if (good && !consent->given)
        good = json_object_set_new(object, "withdrawn",
                                   time_of(consent->withdrawn_at < consent->given_at
                                               ? consent->given_at
                                               : consent->withdrawn_at)) == 0;
    if (good)
        return json_object_set_new(consents, consent->scope, object) == 0;
    json_decref(object);
    return false;
}

bool retelling_line_person(json_t *line, const struct register_state *state)
{
    struct person_line person = {json_object(), true};
    json_t *consents = json_object();

    person.good = person.person != NULL && consents != NULL;
    if (person.good)
        person_each(state, put_field, &person);
    if (person.good && state->entry.removed_at >= 0)
        person.good = json_object_set_new(person.person, "removed", time_of(state->entry.removed_at)) == 0;
    for (uint16_t i = 0; person.good && i < state->consent_count; i++)
        person.good = add_consent(consents, &state->consents[i]);
    if (person.good && json_object_size(consents) > 0)
        person.good = json_object_set(person.person, "consents", consents) == 0;
    if (person.good)
        person.good = json_object_set(line, "person", person.person) == 0;
    json_decref(consents);
    json_decref(person.person);
    return person.good;
}

bool retelling_line_answers(json_t *line, const struct retelling_answered *answered)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:b, s:b}", "event", answered->type, "from", answered->from,
                               "sent_to_sender", answered->sent_to_sender, "same_person",
                               answered->same_person, "is_target", answered->is_target);
    bool good = object != NULL;

    if (good && answered->asks)
        good = json_object_set_new(object, "asked", split(bytes_of_string(answered->asked))) == 0;
    if (good)
        return json_object_set_new(line, "answers", object) == 0;
    json_decref(object);
    return false;
}

bool retelling_line_add(json_t *line, const char *list, const char *name)
{
    json_t *names = json_object_get(line, list);

    if (names == NULL) {
        if (json_object_set_new(line, list, json_array()) != 0)
            return false;
        names = json_object_get(line, list);
    }
    return json_array_append_new(names, json_string(name)) == 0;
}
