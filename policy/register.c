#include "policy/register.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define SELECTOR 3 /* its place among what a listing reads */

/* One event while it is folded. */
struct fold {
    const struct protocol *protocol;
    const struct policy_request *event;
    const struct catalogue_event *type;
    struct register_state *state;
    struct register_change *change;
    const struct protocol_party *sender;
    uint16_t sender_index;
    int64_t now;
};

__attribute__((format(printf, 2, 3))) static enum status refuse(struct fold *fold, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fold->change->reason, sizeof fold->change->reason, format, arguments);
    va_end(arguments);
    fold->change->reason[utf8_whole(bytes_of_string(fold->change->reason))] = '\0';
    return STATUS_REFUSED;
}

/* The attribute that the effect reads at this place of EFFECT_TABLE. */
static struct byte_view attribute(const struct fold *fold, size_t at)
{
    return fold->event->attributes[fold->type->reads[at]];
}

static bool put(char *text, size_t size, struct byte_view value)
{
    if (value.size >= size)
        return false;
    memset(text, 0, size);
    if (value.size > 0)
        memcpy(text, value.data, value.size);
    return true;
}

static bool get_date(struct byte_view value, int32_t *ret_date)
{
    char text[CIVIL_DATE_SIZE];

    return value.data != NULL && put(text, sizeof text, value) &&
           civil_parse_date(text, ret_date) == STATUS_OK;
}

static bool present(struct byte_view value)
{
    return value.data != NULL && value.size > 0;
}

static bool is_text(struct byte_view value, const char *text)
{
    return bytes_equal(value, bytes_of_string(text));
}

static void set(struct fold *fold, uint32_t grounds)
{
    fold->change->sets |= grounds;
    fold->state->grounds |= grounds;
}

static void clear(struct fold *fold, uint32_t grounds)
{
    fold->change->clears |= grounds & fold->state->grounds;
    fold->state->grounds &= ~grounds;
}

/* People under 18 stand on a list of their own, or with that authority's approval on another (`juveniles`).
 */
static bool approves_juvenile(const struct fold *fold, uint16_t strand, struct byte_view authority)
{
    const struct protocol *protocol = fold->protocol;
    enum juvenile age =
        fold->type->effect == EFFECT_REMOVE ? fold->state->entry.juvenile : fold->event->juvenile;

    return age != JUVENILE_NO && (protocol->juvenile_strands >> strand & 1) != 0 &&
           is_text(authority, protocol->juvenile_authority) &&
           fold->sender->class_index == protocol->juvenile_class;
}

/* Is the sender of the class that holds the authority over the strand, and does what it states fit? */
static enum status check_authority(struct fold *fold, const char *strand_name, struct byte_view authority)
{
    const struct protocol *protocol = fold->protocol;
    uint16_t index = protocol_find_strand(protocol, strand_name);
    const struct protocol_strand *strand;

    if (index == PROTOCOL_NONE)
        return refuse(fold, "the protocol knows no strand '%.64s'; use one that it names", strand_name);
    strand = &protocol->strands[index];
    if (approves_juvenile(fold, index, authority))
        return STATUS_OK;
    if (!is_text(authority, strand->authority))
        return refuse(fold,
                      "for the strand '%s' the authority is '%s'; state that, and send it only if it is so",
                      strand->name, strand->authority);
    if (fold->sender->class_index != strand->class_index)
        return refuse(fold, "only a party of class %s may change the list for the strand '%s'",
                      protocol->classes[strand->class_index].name, strand->name);
    return STATUS_OK;
}

static bool is_list_authority(const struct fold *fold)
{
    for (uint16_t i = 0; i < fold->protocol->strand_count; i++) {
        if (fold->protocol->strands[i].class_index == fold->sender->class_index)
            return true;
    }
    return false;
}

static enum status check_area(struct fold *fold, const char *name)
{
    uint16_t area = protocol_find_area(fold->protocol, name);

    if (area == PROTOCOL_NONE)
        return refuse(fold, "the protocol knows no area '%.64s'; use one that it names", name);
    if ((fold->sender->areas >> area & 1) == 0)
        return refuse(fold, "%s does not serve the area '%s'; the party that does must send this",
                      fold->sender->id, fold->protocol->areas[area]);
    return STATUS_OK;
}

/* A review must be due, and not later than the strand allows. */
static enum status check_review(struct fold *fold, const char *strand_name, int32_t due)
{
    uint16_t index = protocol_find_strand(fold->protocol, strand_name);
    const struct protocol_strand *strand;
    int64_t latest;
    char length[CIVIL_DURATION_SIZE];

    if (civil_day_of(fold->event->created) > due)
        return refuse(fold, "the review date lies in the past; give the next one");
    if (index == PROTOCOL_NONE || !fold->protocol->strands[index].has_longest_review)
        return STATUS_OK;
    strand = &fold->protocol->strands[index];
    latest = civil_add_duration(fold->event->created, strand->longest_review, 1);
    civil_format_duration(strand->longest_review, length);
    if (civil_day_of(latest) < due)
        return refuse(fold, "the strand '%s' is to be reviewed within %s; give an earlier date", strand->name,
                      length);
    return STATUS_OK;
}

/* The code of another arrangement, or nothing for `none`; false: the event does not say. */
static bool put_divert(const struct fold *fold, char out[static REGISTER_CODE_SIZE])
{
    struct byte_view value = {NULL, 0};

    if (fold->type->divert != CATALOGUE_NONE)
        value = fold->event->attributes[fold->type->divert];
    if (!present(value))
        return false;
    return put(out, REGISTER_CODE_SIZE, is_text(value, "none") ? (struct byte_view){NULL, 0} : value);
}

/* Unknown age counts as under 18. */
static enum status check_age(struct fold *fold, const char *strand)
{
    const struct protocol *protocol = fold->protocol;
    const uint16_t index = protocol_find_strand(protocol, strand);

    if (fold->event->juvenile == JUVENILE_NO || index == PROTOCOL_NONE)
        return STATUS_OK; /* check_authority knows no such strand either */
    if ((protocol->juvenile_strands >> index & 1) == 0)
        return refuse(fold, "nobody under 18, or of unknown age, may stand on this list; 'strands' under "
                            "'juveniles' says on which");
    if (!is_text(attribute(fold, 2), protocol->juvenile_authority))
        return refuse(fold,
                      "a person under 18, or of unknown age, is listed by the authority that 'approval' "
                      "under 'juveniles' names; state 'juvenile' if the person is not");
    return STATUS_OK;
}

static enum status apply_listing(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    char strand[REGISTER_CODE_SIZE], area[REGISTER_CODE_SIZE];
    int32_t due;
    enum status status;

    if (fold->event->created <= entry->removed_at + REGISTER_SKEW_MS)
        return refuse(fold,
                      "it was made before the person's last removal took effect, or within five minutes "
                      "after; list the person anew");
    for (size_t i = 0; i < EFFECT_ATTRIBUTES_MAX; i++) { /* a ground does not show the selector */
        if (i != SELECTOR && !present(attribute(fold, i)))
            return refuse(
                fold,
                "a listing needs strand, area, authority, selector, review_due and home_force; give all");
    }
    if (!put(strand, sizeof strand, attribute(fold, 0)) || !put(area, sizeof area, attribute(fold, 1)) ||
        !get_date(attribute(fold, 4), &due))
        return refuse(fold, "its strand, area or review date is malformed");
    if ((status = check_age(fold, strand)) != STATUS_OK ||
        (status = check_authority(fold, strand, attribute(fold, 2))) != STATUS_OK ||
        (status = check_area(fold, area)) != STATUS_OK ||
        (status = check_review(fold, strand, due)) != STATUS_OK)
        return status;
    entry->listed = true;
    entry->listed_at = fold->event->created;
    entry->review_due = entry->listed_review_due = due;
    entry->juvenile = entry->listed_juvenile = fold->event->juvenile;
    memcpy(entry->strand, strand, sizeof strand);
    memcpy(entry->area, area, sizeof area);
    if (!put(entry->authority, sizeof entry->authority, attribute(fold, 2)) ||
        !put(entry->selector, sizeof entry->selector, attribute(fold, SELECTOR)) ||
        !put(entry->home_force, sizeof entry->home_force, attribute(fold, 5)))
        return refuse(fold, "a value is too long");
    memset(entry->status, 0, sizeof entry->status);
    memset(entry->listed_divert, 0, sizeof entry->listed_divert);
    (void)put_divert(fold, entry->listed_divert);
    memcpy(entry->divert, entry->listed_divert, sizeof entry->divert);
    clear(fold, REGISTER_GROUND_REVIEW | REGISTER_GROUND_MOVE);
    set(fold, REGISTER_GROUND_LISTING);
    return STATUS_OK;
}

/* Who may take off: the strand's authority where the area is served; any list authority when the protocol no
 * longer knows the strand or the area, so that nobody stays listed for want of a name. */
static enum status check_removal(struct fold *fold)
{
    const struct register_entry *entry = &fold->state->entry;
    enum status status;

    if (protocol_find_strand(fold->protocol, entry->strand) != PROTOCOL_NONE) {
        if ((status = check_authority(fold, entry->strand, attribute(fold, 0))) != STATUS_OK)
            return status;
    } else if (!is_list_authority(fold)) {
        return refuse(fold, "only a list authority may take a person off the list");
    }
    return protocol_find_area(fold->protocol, entry->area) == PROTOCOL_NONE ? STATUS_OK
                                                                            : check_area(fold, entry->area);
}

/* Everything known ends, so that a new listing starts from nothing; when withdrawals took effect stays. */
static enum status apply_removal(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    enum status status;

    if (!entry->listed)
        return refuse(fold, "the person is not on the list");
    if ((status = check_removal(fold)) != STATUS_OK)
        return status;
    memset(entry, 0, sizeof *entry);
    entry->review_due = entry->listed_review_due = REGISTER_NO_DATE;
    entry->removed_at = fold->now;
    for (size_t i = 0; i < fold->state->consent_count; i++)
        fold->state->consents[i].given = false;
    clear(fold, UINT32_MAX);
    return STATUS_OK;
}

/*
 * Of several reviews only the last is a ground, so each says all that reviews say: what it leaves open is as
 * the listing has it.
 */
static enum status apply_review(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    int32_t due = entry->listed_review_due;
    enum status status;

    if (is_text(attribute(fold, 0), "retain")) {
        if (!get_date(attribute(fold, 1), &due))
            return refuse(fold, "a person who stays on the list needs a next review; give 'next_review'");
        if ((status = check_review(fold, entry->strand, due)) != STATUS_OK)
            return status;
    }
    if (fold->event->juvenile == JUVENILE_UNKNOWN && entry->juvenile == JUVENILE_YES &&
        entry->listed_juvenile == JUVENILE_NO)
        return refuse(fold, "the review before said that the person is a juvenile; state 'juvenile'");
    if (!put(entry->status, sizeof entry->status, attribute(fold, 2)))
        return refuse(fold, "the status is too long");
    if (!put_divert(fold, entry->divert))
        memcpy(entry->divert, entry->listed_divert, sizeof entry->divert);
    entry->review_due = due;
    entry->juvenile =
        fold->event->juvenile == JUVENILE_UNKNOWN ? entry->listed_juvenile : fold->event->juvenile;
    set(fold, REGISTER_GROUND_REVIEW);
    return STATUS_OK;
}

static enum status apply_move(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    char area[REGISTER_CODE_SIZE], force[REGISTER_CODE_SIZE];

    if (!present(attribute(fold, 0)) || !present(attribute(fold, 1)) || !present(attribute(fold, 2)) ||
        !put(area, sizeof area, attribute(fold, 1)) || !put(force, sizeof force, attribute(fold, 2)))
        return refuse(fold, "a move needs from_area, to_area and home_force; give all");
    if (protocol_find_area(fold->protocol, area) == PROTOCOL_NONE)
        return refuse(fold, "the protocol knows no area '%s'; remove the person instead", area);
    memcpy(entry->area, area, sizeof area);
    memcpy(entry->home_force, force, sizeof force);
    set(fold, REGISTER_GROUND_MOVE);
    return STATUS_OK;
}

static enum status apply_allocation(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    const struct protocol *protocol = fold->protocol;
    struct byte_view role = attribute(fold, 0), holder = attribute(fold, 1);
    struct {
        const char *role;
        char *member;
        uint32_t ground;
    } places[] = {{"offender_manager", entry->offender_manager, REGISTER_GROUND_MANAGER},
                  {"keyworker", entry->keyworker, REGISTER_GROUND_KEYWORKER},
                  {"yot", entry->yot, REGISTER_GROUND_YOT}};
    uint16_t party = protocol_find_party(protocol, holder);

    if (party == PROTOCOL_NONE)
        return refuse(fold, "the holder is no party to the protocol; name one that is");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!is_text(role, places[i].role))
            continue;
        for (uint16_t k = 0; k < protocol->role_count; k++) {
            if (strcmp(protocol->roles[k].name, places[i].role) != 0 ||
                (protocol->roles[k].classes >> protocol->parties[party].class_index & 1) == 0)
                continue;
            if (!put(places[i].member, REGISTER_MEMBER_SIZE, holder))
                return refuse(fold, "the holder's id is too long");
            set(fold, places[i].ground);
            return STATUS_OK;
        }
        return refuse(fold, "a party of class %s cannot be '%s'; 'case_roles' of the protocol says who can",
                      protocol->classes[protocol->parties[party].class_index].name, places[i].role);
    }
    return refuse(fold, "there is no such role in a case");
}

/* A prison speaks for its own establishments; who holds the person may also say that a prison outside the
 * scheme does now. */
static enum status apply_custody(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    struct byte_view prison = attribute(fold, 0);
    uint16_t party = protocol_find_establishment(fold->protocol, prison);

    if (!present(prison))
        return refuse(fold, "the attribute 'prison' is missing; give it");
    if (party == fold->sender_index) {
        put(entry->holding_prison, sizeof entry->holding_prison, bytes_of_string(fold->sender->id));
        set(fold, REGISTER_GROUND_CUSTODY);
        return STATUS_OK;
    }
    if (party != PROTOCOL_NONE || strcmp(entry->holding_prison, fold->sender->id) != 0)
        return refuse(
            fold, "%s does not speak for the prison %.*s; the prison that received the person must send this",
            fold->sender->id, (int)prison.size, (const char *)prison.data);
    memset(entry->holding_prison, 0, sizeof entry->holding_prison);
    clear(fold, REGISTER_GROUND_CUSTODY);
    return STATUS_OK;
}

static enum status apply_release(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;

    if (strcmp(entry->holding_prison, fold->sender->id) == 0) {
        memset(entry->holding_prison, 0, sizeof entry->holding_prison);
        clear(fold, REGISTER_GROUND_CUSTODY);
    }
    return STATUS_OK;
}

/* The scope's place, made if need be; NULL when the protocol changed so often that all places are taken. */
static struct register_consent *take_consent(struct register_state *state, const char *scope)
{
    struct register_consent *consent;
    uint16_t at = register_find_consent(state, scope);

    if (at != PROTOCOL_NONE)
        return &state->consents[at];
    if (state->consent_count == REGISTER_CONSENTS_MAX)
        return NULL;
    consent = &state->consents[state->consent_count++];
    memset(consent, 0, sizeof *consent);
    put(consent->scope, sizeof consent->scope, bytes_of_string(scope));
    consent->withdrawn_at = INT64_MIN;
    return consent;
}

static uint32_t ground_of(const struct fold *fold, const struct register_consent *consent)
{
    return REGISTER_GROUND_CONSENT(consent - fold->state->consents);
}

static uint16_t scope_of(const struct fold *fold)
{
    char scope[REGISTER_CODE_SIZE];

    return put(scope, sizeof scope, attribute(fold, 0)) ? protocol_find_consent(fold->protocol, scope)
                                                        : PROTOCOL_NONE;
}

static enum status apply_consent(struct fold *fold)
{
    uint16_t scope = scope_of(fold);
    const struct protocol_consent *known;
    struct register_consent *consent;
    char length[CIVIL_DURATION_SIZE];
    int32_t expires;

    if (scope == PROTOCOL_NONE)
        return refuse(fold, "the protocol knows no consent of that scope; use one that it names");
    known = &fold->protocol->consents[scope];
    if ((known->recorded_by >> fold->sender->class_index & 1) == 0)
        return refuse(
            fold, "you may not record a consent of that scope; 'recorded_by' under 'consents' says who may");
    if (!present(attribute(fold, 1)) || !get_date(attribute(fold, 2), &expires))
        return refuse(fold, "a consent needs form_version and the day on which it expires; give both");
    if (civil_day_of(fold->event->created) > expires)
        return refuse(fold, "the consent expired before it was given; correct the day");
    civil_format_duration(known->longest, length);
    if (civil_day_of(civil_add_duration(fold->event->created, known->longest, 1)) < expires)
        return refuse(fold, "a consent '%s' lasts %s at most; give an earlier day", known->scope, length);
    consent = take_consent(fold->state, known->scope);
    if (consent == NULL)
        return refuse(fold, "more than %d scopes are on record for this person", REGISTER_CONSENTS_MAX);
    if (fold->event->created <= consent->withdrawn_at + REGISTER_SKEW_MS ||
        fold->event->created <= fold->state->entry.removed_at + REGISTER_SKEW_MS)
        return refuse(fold, "it was made before the last withdrawal or removal took effect, or within five "
                            "minutes after; ask the person, and record it anew");
    consent->given = true;
    consent->given_at = fold->event->created;
    consent->expires = expires;
    if (!put(consent->form_version, sizeof consent->form_version, attribute(fold, 1)) ||
        !put(consent->given_by, sizeof consent->given_by, fold->event->from))
        return refuse(fold, "a value is too long");
    set(fold, ground_of(fold, consent));
    return STATUS_OK;
}

/* A scope that the protocol no longer names can still be withdrawn: it may name it again one day. */
static enum status apply_withdrawal(struct fold *fold)
{
    char scope[REGISTER_CODE_SIZE];
    struct register_consent *consent;

    if (!put(scope, sizeof scope, attribute(fold, 0)) ||
        (protocol_find_consent(fold->protocol, scope) == PROTOCOL_NONE &&
         register_find_consent(fold->state, scope) == PROTOCOL_NONE))
        return refuse(fold, "the protocol knows no consent of that scope; use one that it names");
    consent = take_consent(fold->state, scope);
    if (consent == NULL)
        return refuse(fold, "more than %d scopes are on record for this person", REGISTER_CONSENTS_MAX);
    consent->given = false;
    consent->withdrawn_at = fold->now;
    clear(fold, ground_of(fold, consent));
    return STATUS_OK;
}

/* Nobody has confirmed it in time: it counts no longer. */
static bool merge_lapsed(const struct fold *fold)
{
    const struct register_entry *entry = &fold->state->entry;

    return civil_add_duration(entry->merge_at, fold->protocol->merge_within, 1) <= fold->now;
}

/* A list authority asks, a second member confirms by sending the same. */
static enum status apply_merge(struct fold *fold)
{
    struct register_entry *entry = &fold->state->entry;
    struct byte_view from = attribute(fold, 0), to = attribute(fold, 1);

    if (!present(from) || !present(to) || bytes_equal(from, to))
        return refuse(fold, "a merge names two different records; give merged_from and merged_to");
    if (entry->merge_by[0] != '\0' && !merge_lapsed(fold) && is_text(from, entry->merge_from) &&
        is_text(to, entry->merge_to) && strcmp(entry->merge_by, fold->sender->id) != 0) {
        fold->change->merged = true;
        memset(entry->merge_from, 0, sizeof entry->merge_from);
        memset(entry->merge_to, 0, sizeof entry->merge_to);
        memset(entry->merge_by, 0, sizeof entry->merge_by);
        entry->merge_at = 0;
        set(fold, REGISTER_GROUND_MERGE);
        return STATUS_OK;
    }
    if (!is_list_authority(fold))
        return refuse(fold, "a merge is begun by a list authority; a second member then confirms it");
    if (!put(entry->merge_from, sizeof entry->merge_from, from) ||
        !put(entry->merge_to, sizeof entry->merge_to, to) ||
        !put(entry->merge_by, sizeof entry->merge_by, fold->event->from))
        return refuse(fold, "a value is too long");
    entry->merge_at = fold->now;
    set(fold, REGISTER_GROUND_MERGE);
    return STATUS_OK;
}

static enum status apply_effect(struct fold *fold)
{
    switch (fold->type->effect) {
    case EFFECT_NONE:
    case EFFECT_OVERRIDE:
    case EFFECT_CONFIRM:
        return STATUS_OK;
    case EFFECT_LIST:
        return apply_listing(fold);
    case EFFECT_REMOVE:
        return apply_removal(fold);
    case EFFECT_REVIEW:
        return apply_review(fold);
    case EFFECT_MOVE:
        return apply_move(fold);
    case EFFECT_ALLOCATE:
        return apply_allocation(fold);
    case EFFECT_CUSTODY:
        return apply_custody(fold);
    case EFFECT_RELEASE:
        return apply_release(fold);
    case EFFECT_CONSENT:
        return apply_consent(fold);
    case EFFECT_WITHDRAW:
        return apply_withdrawal(fold);
    case EFFECT_MERGE:
        return apply_merge(fold);
    }
    return STATUS_OK;
}

enum status register_try(const struct protocol *protocol, struct register_state *state,
                         const struct policy_request *event, int64_t now, struct register_change *ret_change)
{
    struct fold fold = {
        .protocol = protocol, .event = event, .state = state, .change = ret_change, .now = now};
    enum status status;

    memset(ret_change, 0, sizeof *ret_change);
    assert(event->event < protocol->catalogue->event_count);
    fold.type = &protocol->catalogue->events[event->event];
    if (event->repeats ||
        event->again) /* the change was made when the event came first, and may be undone since */
        return STATUS_OK;
    if (!effect_changes_register(fold.type->effect))
        return STATUS_OK;
    ret_change->effect = fold.type->effect;
    fold.sender_index = protocol_find_party(protocol, event->from);
    if (fold.sender_index == PROTOCOL_NONE)
        return refuse(&fold, "the sender is no party to the protocol");
    fold.sender = &protocol->parties[fold.sender_index];
    if (protocol_pair_of(protocol, event->event, fold.sender->class_index)->rule == PROTOCOL_NONE)
        return refuse(&fold, "no rule lets a party of class %s send %s",
                      protocol->classes[fold.sender->class_index].name, fold.type->type);
    status = apply_effect(&fold);
    if (status != STATUS_OK)
        ret_change->sets = ret_change->clears = 0;
    return status;
}

/* By effect, bits of what it reads (EFFECT_TABLE): all but the selector and the status, which say why a
 * person is listed and how he does, and decide nothing. Removals and withdrawals leave nothing to rest on. */
static const uint8_t decisive[] = {
    [EFFECT_LIST] = 0x37,    [EFFECT_REVIEW] = 0x03,  [EFFECT_MOVE] = 0x07,  [EFFECT_ALLOCATE] = 0x03,
    [EFFECT_CUSTODY] = 0x01, [EFFECT_CONSENT] = 0x07, [EFFECT_MERGE] = 0x03, [EFFECT_CONFIRM] = 0x00};

bool register_reads(const struct catalogue_event *type, uint16_t position)
{
    if (position == type->juvenile || (position == type->divert && type->divert != CATALOGUE_NONE))
        return type->effect == EFFECT_LIST || type->effect == EFFECT_REVIEW;
    for (size_t i = 0; i < EFFECT_ATTRIBUTES_MAX; i++) {
        if ((decisive[type->effect] >> i & 1) != 0 && type->reads[i] == position)
            return true;
    }
    return false;
}

enum status register_apply(const struct protocol *protocol, struct register_state *state,
                           const struct policy_request *event, int64_t now,
                           struct register_change *ret_change)
{
    struct register_state next = *state;
    enum status status = register_try(protocol, &next, event, now, ret_change);

    if (status == STATUS_OK)
        *state = next;
    return status;
}
