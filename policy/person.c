#include "policy/person.h"

#include <stdio.h>
#include <string.h>

struct text_field {
    const char *name;
    size_t offset; /* in register_entry */
    size_t size;
    uint32_t ground;
    bool member; /* a member id */
};

#define TEXT(field, ground, member)                                                                          \
    {                                                                                                        \
#field, offsetof(struct register_entry, field), sizeof((struct register_entry *)0)->field, ground,   \
            member                                                                                           \
    }

static const struct text_field texts[] = {
    TEXT(strand, REGISTER_GROUND_LISTING, false),
    TEXT(area, REGISTER_GROUND_LISTING, false),
    TEXT(home_force, REGISTER_GROUND_LISTING, false),
    TEXT(selector, REGISTER_GROUND_LISTING, false),
    TEXT(authority, REGISTER_GROUND_LISTING, false),
    TEXT(status, REGISTER_GROUND_REVIEW, false),
    TEXT(holding_prison, REGISTER_GROUND_CUSTODY, true),
    TEXT(offender_manager, REGISTER_GROUND_MANAGER, true),
    TEXT(keyworker, REGISTER_GROUND_KEYWORKER, true),
    TEXT(yot, REGISTER_GROUND_YOT, true),
};

static const char *const names[] = {"listed",           "juvenile",  "review_due", "strand", "area",
                                    "home_force",       "selector",  "authority",  "status", "holding_prison",
                                    "offender_manager", "keyworker", "yot",        NULL};

const char *const *person_fields(void)
{
    return names;
}

static enum status set_text(struct register_state *state, const struct text_field *field, const char *value,
                            struct kind_reason *ret_reason)
{
    char *place = (char *)&state->entry + field->offset;
    size_t size = strcmp(value, "none") == 0 ? 0 : strlen(value);

    if (size >= field->size)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "write at most %zu characters",
                               field->size - 1);
    if (field->member && size > 0 && member_check(bytes_of_string(value)) != STATUS_OK)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "write a member id such as prison.dovegate");
    memset(place, 0, field->size);
    memcpy(place, value, size);
    if (size > 0)
        state->grounds |= field->ground;
    else if (field->ground != REGISTER_GROUND_LISTING)
        state->grounds &= ~field->ground;
    return STATUS_OK;
}

static enum status set_listed(struct register_state *state, const char *value, struct kind_reason *ret_reason)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "write yes or no");
    state->entry.listed = value[0] == 'y';
    if (state->entry.listed)
        state->grounds |= REGISTER_GROUND_LISTING;
    else
        state->grounds &= ~REGISTER_GROUND_LISTING;
    return STATUS_OK;
}

static enum status set_juvenile(struct register_state *state, const char *value,
                                struct kind_reason *ret_reason)
{
    enum juvenile juvenile = JUVENILE_UNKNOWN;

    if (strcmp(value, "yes") == 0)
        juvenile = JUVENILE_YES;
    else if (strcmp(value, "no") == 0)
        juvenile = JUVENILE_NO;
    else if (strcmp(value, "unknown") != 0)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "write yes, no or unknown");
    state->entry.juvenile = state->entry.listed_juvenile = juvenile;
    return STATUS_OK;
}

static enum status set_review(struct register_state *state, const char *value, struct kind_reason *ret_reason)
{
    int32_t date = REGISTER_NO_DATE;

    if (strcmp(value, "none") != 0 && civil_parse_date(value, &date) != STATUS_OK)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "write a date such as \"2026-12-15\", or none");
    state->entry.review_due = state->entry.listed_review_due = date;
    return STATUS_OK;
}

enum status person_set(struct register_state *state, const char *field, const char *value,
                       struct kind_reason *ret_reason)
{
    if (strcmp(field, "listed") == 0)
        return set_listed(state, value, ret_reason);
    if (strcmp(field, "juvenile") == 0)
        return set_juvenile(state, value, ret_reason);
    if (strcmp(field, "review_due") == 0)
        return set_review(state, value, ret_reason);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, field) == 0)
            return set_text(state, &texts[i], value, ret_reason);
    }
    return kind_reason_set(ret_reason, STATUS_NOT_FOUND, "nothing of that name is known of a person");
}

enum status person_consent(struct register_state *state, const struct person_consent *consent,
                           struct kind_reason *ret_reason)
{
    uint16_t at = register_find_consent(state, consent->scope);
    struct register_consent *place;

    if (strlen(consent->scope) >= sizeof place->scope)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "the scope is too long");
    if (at == PROTOCOL_NONE && state->consent_count == REGISTER_CONSENTS_MAX)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "write at most %d consents",
                               REGISTER_CONSENTS_MAX);
    if (at == PROTOCOL_NONE)
        at = state->consent_count++;
    place = &state->consents[at];
    memset(place, 0, sizeof *place);
    snprintf(place->scope, sizeof place->scope, "%s", consent->scope);
    place->expires = consent->expires;
    place->given_at = consent->given_at;
    place->withdrawn_at = consent->withdrawn_at;
    place->given = consent->withdrawn_at == INT64_MIN || consent->withdrawn_at < consent->given_at;
    if (place->given)
        state->grounds |= REGISTER_GROUND_CONSENT(at);
    else
        state->grounds &= ~REGISTER_GROUND_CONSENT(at);
    return STATUS_OK;
}

void person_forget_consent(struct register_state *state, const char *scope)
{
    uint16_t at = register_find_consent(state, scope);
    uint32_t above;

    if (at == PROTOCOL_NONE)
        return;
    memmove(&state->consents[at], &state->consents[at + 1],
            (size_t)(state->consent_count - at - 1) * sizeof state->consents[0]);
    state->consent_count--;
    above = state->grounds & REGISTER_GROUND_CONSENTS;
    state->grounds = (state->grounds & ~REGISTER_GROUND_CONSENTS) |
                     (above & (REGISTER_GROUND_CONSENT(at) - 1)) |
                     ((above >> 1) & ~(REGISTER_GROUND_CONSENT(at) - 1));
}

void person_each(const struct register_state *state,
                 void (*put)(void *context, const char *field, const char *value), void *context)
{
    static const char *const ages[] = {"unknown", "yes", "no"};
    char date[CIVIL_DATE_SIZE];

    put(context, "listed", state->entry.listed ? "yes" : "no");
    if (state->entry.juvenile != JUVENILE_UNKNOWN)
        put(context, "juvenile", ages[state->entry.juvenile]);
    if (state->entry.review_due != REGISTER_NO_DATE) {
        civil_format_date(state->entry.review_due, date);
        put(context, "review_due", date);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = (const char *)&state->entry + texts[i].offset;

        if (text[0] != '\0')
            put(context, texts[i].name, text);
    }
}
