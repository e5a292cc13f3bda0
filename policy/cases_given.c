#include "policy/cases_read.h"

#include <string.h>

#include "policy/person.h"

/* What is known before the event: the clock, the person, consents, who takes part. */

#define DAY INT64_C(86400000)

bool cases_read_time(struct cases_reader *reader, const struct yaml_node *node, int64_t *ret_time)
{
    const char *text;
    int32_t date;

    if (!yaml_read_string(reader->errors, node, &text))
        return false;
    if (civil_parse_time(text, ret_time) == STATUS_OK)
        return true;
    if (civil_parse_date(text, &date) == STATUS_OK) {
        *ret_time = civil_time_of_day_start(date);
        return true;
    }
    yaml_errors_add(reader->errors, node,
                    "this is no time; write it as \"2026-12-01T09:00:00Z\", or a day as \"2026-12-01\"");
    return false;
}

/* What only a protocol can know of a value. */
static bool is_known(struct cases_reader *reader, const struct yaml_node *node, const char *field)
{
    char quoted[YAML_QUOTE_SIZE];
    bool known = true;

    if (yaml_is(node, "none"))
        return true;
    if (strcmp(field, "area") == 0)
        known = protocol_find_area(reader->protocol, node->text) != PROTOCOL_NONE;
    else if (strcmp(field, "strand") == 0)
        known = protocol_find_strand(reader->protocol, node->text) != PROTOCOL_NONE;
    if (!known)
        yaml_errors_add(reader->errors, node, "the protocol names no %s %s; use one that it names", field,
                        yaml_quote(quoted, node->text));
    return known;
}

static void read_field(struct cases_reader *reader, const struct yaml_node *node,
                       struct register_state *state)
{
    struct kind_reason reason = {""};
    const char *field = node->key->text, *value;

    if (!yaml_read_string(reader->errors, node, &value) || !is_known(reader, node, field))
        return;
    if (person_set(state, field, value, &reason) != STATUS_OK)
        yaml_errors_add(reader->errors, node, "'%s': %s", field, reason.text);
}

static void read_consent(struct cases_reader *reader, const struct yaml_node *node, int64_t now,
                         struct register_state *state)
{
    static const char *const keys[] = {"expires", "given", "withdrawn", NULL};
    struct person_consent consent = {
        .scope = node->key->text, .given_at = now - DAY, .withdrawn_at = INT64_MIN};
    struct kind_reason reason = {""};
    char quoted[YAML_QUOTE_SIZE];

    if (protocol_find_consent(reader->protocol, consent.scope) == PROTOCOL_NONE) {
        yaml_errors_add(reader->errors, node->key, "the protocol names no consent %s; use one that it names",
                        yaml_quote(quoted, consent.scope));
        return;
    }
    if (yaml_is(node, "none")) {
        person_forget_consent(state, consent.scope);
        return;
    }
    if (!read_fields(reader->errors, node, keys) ||
        !yaml_read_date(reader->errors, yaml_read_required(reader->errors, node, "expires"),
                        &consent.expires))
        return;
    cases_read_time(reader, yaml_get(node, "given"), &consent.given_at);
    cases_read_time(reader, yaml_get(node, "withdrawn"), &consent.withdrawn_at);
    if (person_consent(state, &consent, &reason) != STATUS_OK)
        yaml_errors_add(reader->errors, node, "%s", reason.text);
}

static void read_consents(struct cases_reader *reader, const struct yaml_node *node, int64_t now,
                          struct register_state *state)
{
    if (node == NULL || !yaml_read_map(reader->errors, node))
        return;
    for (size_t i = 0; i < yaml_count(node); i++)
        read_consent(reader, yaml_value(node, i), now, state);
}

/* Every key of a person but those that are read apart. */
static void read_fields_of(struct cases_reader *reader, const struct yaml_node *node,
                           struct register_state *state)
{
    static const char *const others[] = {"like", "consents", "removed", "clock", "not_active", "glass"};

    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *value = yaml_value(node, i);
        bool other = false;

        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            other = other || strcmp(value->key->text, others[k]) == 0;
        if (!other)
            read_field(reader, value, state);
    }
}

static void read_person(struct cases_reader *reader, const struct yaml_node *node, int64_t now,
                        struct register_state *state)
{
    read_fields_of(reader, node, state);
    cases_read_time(reader, yaml_get(node, "removed"), &state->entry.removed_at);
    read_consents(reader, yaml_get(node, "consents"), now, state);
    state->entry.listed_at = now - DAY;
}

/* The person that `like` names, without a chain: what is like another says so in full. */
static void read_like(struct cases_reader *reader, const struct yaml_node *node, int64_t now,
                      struct register_state *state)
{
    const struct yaml_node *like = yaml_get(node, "like");
    char quoted[YAML_QUOTE_SIZE];
    const struct yaml_node *person;
    const char *name;

    if (!yaml_read_string(reader->errors, like, &name))
        return;
    person = yaml_get(reader->people, name);
    if (person == NULL || person->kind != YAML_MAP) {
        yaml_errors_add(reader->errors, like, "there is no person %s; describe them under 'people'",
                        yaml_quote(quoted, name));
        return;
    }
    read_person(reader, person, now, state);
}

static bool check_keys(struct cases_reader *reader, const struct yaml_node *node, bool of_case)
{
    const char *keys[32];
    size_t count = 0;

    for (const char *const *field = person_fields(); *field != NULL; field++)
        keys[count++] = *field;
    keys[count++] = "consents";
    keys[count++] = "removed";
    if (of_case) {
        keys[count++] = "like";
        keys[count++] = "clock";
        keys[count++] = "not_active";
        keys[count++] = "glass";
    }
    keys[count] = NULL;
    return read_fields(reader->errors, node, keys);
}

static void read_not_active(struct cases_reader *reader, const struct yaml_node *node,
                            struct policy_facts *facts)
{
    char quoted[YAML_QUOTE_SIZE];

    if (node == NULL || !yaml_read_list(reader->errors, node, 1, PROTOCOL_PARTIES_MAX))
        return;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *item = yaml_at(node, i);
        const char *id;
        uint16_t party;

        if (!yaml_read_string(reader->errors, item, &id))
            continue;
        party = protocol_find_party(reader->protocol, bytes_of_string(id));
        if (party == PROTOCOL_NONE)
            yaml_errors_add(reader->errors, item, "the protocol has no party %s", yaml_quote(quoted, id));
        else
            party_set_remove(&facts->active, party);
    }
}

/* What the broker would know of overrides. */
static void read_glass(struct cases_reader *reader, const struct yaml_node *node, struct policy_glass *glass)
{
    static const char *const keys[] = {"used", "suspended", "settled", NULL};
    uint64_t used = 0;

    if (node == NULL || !read_fields(reader->errors, node, keys))
        return;
    if (yaml_read_uint(reader->errors, yaml_get(node, "used"), 0, UINT32_MAX, &used))
        glass->used = (uint32_t)used;
    yaml_read_bool(reader->errors, yaml_get(node, "suspended"), &glass->suspended);
    yaml_read_bool(reader->errors, yaml_get(node, "settled"), &glass->settled);
}

void cases_read_people(struct cases_reader *reader)
{
    struct register_state state;

    for (size_t i = 0; i < yaml_count(reader->people); i++) {
        const struct yaml_node *person = yaml_value(reader->people, i);

        register_init(&state);
        if (read_check_name(reader->errors, person->key) && check_keys(reader, person, false))
            read_person(reader, person, 0, &state);
    }
}

void cases_read_given(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    register_init(&ret->person);
    ret->now = reader->now;
    ret->facts.person = &ret->person;
    ret->facts.correlated_event = CATALOGUE_NONE;
    for (unsigned i = 0; i < reader->protocol->party_count; i++)
        party_set_add(&ret->facts.active, i);
    if (node == NULL || !check_keys(reader, node, true))
        return;
    cases_read_time(reader, yaml_get(node, "clock"), &ret->now);
    if (ret->now == INT64_MIN)
        return;
    read_like(reader, node, ret->now, &ret->person);
    read_person(reader, node, ret->now, &ret->person);
    read_not_active(reader, yaml_get(node, "not_active"), &ret->facts);
    read_glass(reader, yaml_get(node, "glass"), &ret->facts.glass);
}
