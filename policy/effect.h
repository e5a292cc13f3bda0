#pragma once

#include <stdbool.h>

/*
 * What an accepted event changes in the register. The catalogue says which event type does what (`changes:`);
 * the attributes that an effect reads are checked when the catalogue is loaded.
 *
 * Symbol, name in the file, attributes that the event type must have (in this order), what it does.
 */
#define EFFECT_TABLE(X)                                                                                      \
    X(NONE, "nothing", "", "the register stays as it is")                                                    \
    X(LIST, "listing", "strand area authority selector review_due home_force", "puts a person on the list")  \
    X(REMOVE, "removal", "authority", "takes a person off the list")                                         \
    X(REVIEW, "review", "outcome next_review status", "records a review")                                    \
    X(MOVE, "move", "from_area to_area home_force", "moves a person to another area")                        \
    X(ALLOCATE, "allocation", "role holder", "records who holds the case")                                   \
    X(CUSTODY, "custody", "prison", "records the holding prison")                                            \
    X(RELEASE, "release", "", "ends custody")                                                                \
    X(CONSENT, "consent", "scope form_version expires", "records a consent")                                 \
    X(WITHDRAW, "withdrawal", "scope", "ends a consent")                                                     \
    X(MERGE, "merge", "merged_from merged_to", "joins two records of one person")                            \
    X(OVERRIDE, "override", "rule reason duty_role", "breaks the glass; the register stays as it is")        \
    X(CONFIRM, "confirmation", "target", "confirms that the glass was broken rightly; likewise")

/*
 * What an event does to an earlier one of its sender (`corrects:`); it has the attributes `target`, the
 * earlier event, and `reason`.
 */
#define CORRECTION_TABLE(X)                                                                                  \
    X(NONE, "nothing")                                                                                       \
    X(VALUES, "values")         /* puts other values in the place of some */                                 \
    X(RETRACTION, "retraction") /* takes it back: contents go, a trace stays */                              \
    X(ERASURE, "erasure")       /* the same, and the log forgets whom it was about */

enum correction {
#define CORRECTION_ENUM(symbol, name) CORRECTION_##symbol,
    CORRECTION_TABLE(CORRECTION_ENUM)
#undef CORRECTION_ENUM
};

#define EFFECT_ATTRIBUTES_MAX 6

enum effect {
#define EFFECT_ENUM(symbol, name, attributes, text) EFFECT_##symbol,
    EFFECT_TABLE(EFFECT_ENUM)
#undef EFFECT_ENUM
};

/* Whether it changes what is known of the person. */
static inline bool effect_changes_register(enum effect effect)
{
    return effect != EFFECT_NONE && effect != EFFECT_OVERRIDE && effect != EFFECT_CONFIRM;
}
