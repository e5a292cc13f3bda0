#pragma once

#include "policy/protocol.h"
#include "policy/request.h"
#include "proto/member.h"

/*
 * What is known about one person on the scheme, folded from accepted events. The broker folds events as it
 * commits them; an agent folds the grounds of a plan with the very same function and so comes to the same
 * facts. Everything is of fixed size and holds no pointers.
 */
#define REGISTER_CODE_SIZE      65 /* a code, area or form version with its zero */
#define REGISTER_MEMBER_SIZE    (MEMBER_ID_LENGTH + 1)
#define REGISTER_CONSENTS_MAX   PROTOCOL_CONSENTS_MAX
#define REGISTER_PSEUDONYM_SIZE 73 /* hexadecimal, with its zero */
#define REGISTER_REASON_SIZE    256
#define REGISTER_ENCODED_MAX    8192
#define REGISTER_NO_DATE        INT32_MIN

/* How far the clocks of members may be apart. What is granted counts only if it was made later than that
 * after the last withdrawal or removal took effect: so nothing made before can pass as made after. */
#define REGISTER_SKEW_MS INT64_C(300000)

/*
 * What a fact about the person rests on, one bit each: the event that set it last is its ground. Bits 0 .. 15
 * are consents by their place in register_state, which stays the same while the record lives. Each ground
 * says all that its kind of event says, so that the last of each, in the order of commits, give the same
 * facts again.
 */
#define REGISTER_GROUND_CONSENT(index) (UINT32_C(1) << (index))
#define REGISTER_GROUND_CONSENTS       UINT32_C(0xffff)
#define REGISTER_GROUND_LISTING        (UINT32_C(1) << 16)
#define REGISTER_GROUND_REVIEW         (UINT32_C(1) << 17)
#define REGISTER_GROUND_MOVE           (UINT32_C(1) << 18)
#define REGISTER_GROUND_MANAGER        (UINT32_C(1) << 19) /* case.allocated: offender manager */
#define REGISTER_GROUND_KEYWORKER      (UINT32_C(1) << 20)
#define REGISTER_GROUND_YOT            (UINT32_C(1) << 21)
#define REGISTER_GROUND_CUSTODY        (UINT32_C(1) << 22)
#define REGISTER_GROUND_MERGE_BIT      23
#define REGISTER_GROUND_MERGE          (UINT32_C(1) << REGISTER_GROUND_MERGE_BIT) /* asked for, or confirmed */
#define REGISTER_GROUNDS               24                                         /* bits in use */

struct register_entry {
    bool listed;
    enum juvenile juvenile;        /* as the last review that says so, or else the listing, has it */
    enum juvenile listed_juvenile; /* as the listing has it */
    int64_t listed_at;             /* the listing event's `created` */
    int64_t removed_at;            /* when the last removal took effect (its commit); INT64_MIN: never */
    int32_t review_due;            /* date, or REGISTER_NO_DATE */
    int32_t listed_review_due;
    char strand[REGISTER_CODE_SIZE]; /* texts are empty when unknown, and zero to their end */
    char area[REGISTER_CODE_SIZE];
    char home_force[REGISTER_CODE_SIZE];
    char selector[REGISTER_CODE_SIZE];
    char authority[REGISTER_CODE_SIZE];
    char status[REGISTER_CODE_SIZE];
    char divert[REGISTER_CODE_SIZE]; /* as the last review that says so, or else the listing; empty: not
                                        diverted */
    char listed_divert[REGISTER_CODE_SIZE];    /* as the listing has it */
    char holding_prison[REGISTER_MEMBER_SIZE]; /* member id */
    char offender_manager[REGISTER_MEMBER_SIZE];
    char keyworker[REGISTER_MEMBER_SIZE];
    char yot[REGISTER_MEMBER_SIZE];
    char merge_from[REGISTER_PSEUDONYM_SIZE]; /* a merge that awaits a second member */
    char merge_to[REGISTER_PSEUDONYM_SIZE];
    char merge_by[REGISTER_MEMBER_SIZE];
    int64_t merge_at; /* when it was asked for (its commit) */
};

struct register_consent {
    char scope[REGISTER_CODE_SIZE];
    char form_version[REGISTER_CODE_SIZE];
    char given_by[REGISTER_MEMBER_SIZE];
    bool given;
    int64_t given_at;     /* the event's `created` */
    int32_t expires;      /* the last day on which it counts */
    int64_t withdrawn_at; /* when the last withdrawal took effect (its commit); INT64_MIN: never */
};

struct register_state {
    struct register_entry entry;
    uint16_t consent_count;
    struct register_consent consents[REGISTER_CONSENTS_MAX];
    uint32_t grounds; /* bits of the facts that are set */
};

/* What one event did. */
struct register_change {
    enum effect effect;
    uint32_t sets;                     /* this event is now the ground of these */
    uint32_t clears;                   /* these ended: what rests on them is recalled */
    bool merged;                       /* a merge that two members have now asked for: call register_merge */
    char reason[REGISTER_REASON_SIZE]; /* refused: one sentence, why and what would be needed; otherwise empty
                                        */
};

/* register_init - a person of whom nothing is known. */
void register_init(struct register_state *state);

/*
 * register_apply - fold an accepted event into what is known of its subject.
 *
 * state       changed on STATUS_OK only
 * event       attributes read (request_read); its type is within the catalogue
 * now         when it takes effect: the commit's time at the broker, Ground.committed at an agent
 * ret_change  always set; a type that changes nothing, or a repetition, gives EFFECT_NONE and STATUS_OK
 *
 * Checks who may make this change and whether it is whole. Whether the protocol is in force and the person on
 * the list is for policy_decide, which a broker calls before it accepts: a ground is no less true for being
 * old. Returns STATUS_REFUSED with a reason.
 */
enum status register_apply(const struct protocol *protocol, struct register_state *state,
                           const struct policy_request *event, int64_t now,
                           struct register_change *ret_change);

/* register_try - the same on a copy that is thrown away: when it refuses, state may hold anything. */
enum status register_try(const struct protocol *protocol, struct register_state *state,
                         const struct policy_request *event, int64_t now, struct register_change *ret_change);

/*
 * register_reads - is this attribute (by position) of an event type one that decisions rest on? A ground
 * shows those, all of them that its event has, and no other: who plans an event has no right to the rest.
 */
bool register_reads(const struct catalogue_event *type, uint16_t position);

/* register_merge - what is known of a person of whom there were two records: of `kept` only what the other
 * holds as well survives, and who was a juvenile in either is one; withdrawals and removals of either stand.
 * Consents keep their places in `kept`, so each of two records is merged as the one kept. ret_state may be
 * either. */
void register_merge(const struct register_state *kept, const struct register_state *other,
                    struct register_state *ret_state);

/* register_listed - on the list, and the review not overdue beyond the grace. */
bool register_listed(const struct protocol *protocol, const struct register_entry *entry, int64_t now);

/* register_find_consent - the place of a scope among the person's consents, or PROTOCOL_NONE. */
uint16_t register_find_consent(const struct register_state *state, const char *scope);

/* register_consented - is the consent at that place (or PROTOCOL_NONE) given, unexpired and not withdrawn? */
bool register_consented(const struct register_state *state, uint16_t place, int64_t now);

/* register_expires_at - the first moment at which, without a further event, something that is in force now
 * ends (review with its grace, a consent); INT64_MAX when nothing will. */
int64_t register_expires_at(const struct protocol *protocol, const struct register_state *state, int64_t now);

/* register_encode, register_decode - a compact form for storing; version 2. Decoding reads version 1 as well
 * and returns STATUS_CORRUPT. */
void register_encode(const struct register_state *state, struct byte_buffer *ret);
enum status register_decode(struct byte_view bytes, struct register_state *ret_state);
