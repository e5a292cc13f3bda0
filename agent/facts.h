#pragma once

#include "agent/membership.h"
#include "agent/plan.h"
#include "policy/decide.h"
#include "proto/wire_codec.h"

/*
 * Our own decision on a plan, from the grounds that the broker shows: events signed by those who may set what
 * they set. What the broker says without a ground counts for nothing.
 */

/* What we hold about the event that a planned one answers. */
struct facts_correlated {
    char from[MEMBER_ID_LENGTH + 1]; /* empty: we hold no such event */
    uint16_t event;                  /* type, or CATALOGUE_NONE */
    bool same_subject;
    bool disclosed_to_us;
    bool is_target; /* the planned event's attribute `target` names it too */
    bool asks;      /* it was a question, for these items */
    struct label_set asked;
    bool has_target; /* of a correction: the event of ours that it names */
    struct policy_target target;
};

/*
 * facts_fold - what the grounds say of the plan's subject, each verified: certificate in the bundle and in
 * force at the commit that the broker states, signature, path, opening, protocol; each folded as the broker
 * folds it (register_apply), by subject. What they say of somebody else counts only through a merge that two
 * members asked for, and then narrows (register_merge). A ground that fails is left out.
 *
 * ret_bad  how many were left out, or are about somebody else without a merge
 *
 * Returns STATUS_OK or STATUS_NO_MEMORY.
 */
enum status facts_fold(const struct membership *membership, const struct plan *plan, const Wire__Plan *answer,
                       int64_t now, struct register_state *ret_state, size_t *ret_bad);

/*
 * facts_decide - policy_decide() on that. already: who had the event that the plan repeats, by party.
 * About 40 KB go to ret_decision.
 */
void facts_decide(const struct membership *membership, const struct plan *plan,
                  const struct register_state *state, const struct facts_correlated *correlated,
                  const struct party_set *already, int64_t now, struct policy_decision *ret_decision);

enum facts_comparison {
    FACTS_EQUAL,
    FACTS_WIDER,   /* the plan grants something to somebody that the protocol does not */
    FACTS_DIFFERS, /* it grants less, or otherwise than the protocol says */
};

/* facts_compare - the plan's grants with our decision: recipients, rules and labels. Where neither has any
 * recipient they are equal: nothing would be sealed, and no ground comes along by which we could tell whether
 * a record or a removal is in order. */
enum facts_comparison facts_compare(const struct membership *membership,
                                    const struct policy_decision *decision, const Wire__Plan *answer);
