#pragma once

#include "agent/agent.h"
#include "proto/envelope.h"

/*
 * Judging one delivered event: is it what the protocol lets its sender tell us, and do its contents agree
 * with its labels? What is not goes into quarantine, without its values.
 */

/* Why an event is set aside. Symbol, code in reports, sentence. */
#define ARRIVAL_REASONS(X)                                                                                   \
    X(NONE, "none", "")                                                                                      \
    X(TYPE, "unknown-type", "the catalogue in force has no such event type")                                 \
    X(SENDER, "not-a-party", "the sender or we are no party to that protocol")                               \
    X(RULE, "unknown-rule", "no rule of that name lets the sender tell us this")                             \
    X(LABELS, "labels-not-granted", "it carries labels that the rule does not grant us")                     \
    X(SEAL, "does-not-open", "its section does not open with our keys")                                      \
    X(CONTENT, "content-differs", "its contents are not what its labels say")                                \
    X(KIND, "wrong-value", "a value is not of the kind that its label has")                                  \
    X(CONSENT, "consent-withdrawn", "it rests on a consent that we know to be withdrawn")                    \
    X(REPEATED, "id-used-before", "its id came before with another content")                                 \
    X(RECALLED, "recalled", "it was recalled before it came")                                                \
    X(OLD, "retention-over", "its retention ended before it came")                                           \
    X(FAILED, "not-stored", "it could not be stored")                                                        \
    X(TARGET, "corrects-what-is-not-held", "it corrects values that its sender never told us")

enum arrival_reason {
#define ARRIVAL_ENUM(symbol, code, text) ARRIVAL_##symbol,
    ARRIVAL_REASONS(ARRIVAL_ENUM)
#undef ARRIVAL_ENUM
};

struct arrival {
    enum arrival_reason reason; /* ARRIVAL_NONE: it may be stored */
    enum effect effect;
    bool late;
    int64_t acknowledge_by; /* urgent: when we should have acknowledged it; otherwise 0 */
    int64_t until;          /* when its retention ends */
    enum correction corrects;
    uint8_t target[CORE_EVENT_SIZE]; /* the event of the same sender that it corrects */
    struct items *items;             /* NULL in quarantine */
};

/* Opens sections; kept over many events. */
struct arrival_opener;
enum status arrival_opener_new(const struct keystore *keystore, struct arrival_opener **ret_opener);
void arrival_opener_reset(struct arrival_opener *opener); /* our keys may have changed */
void arrival_opener_free(struct arrival_opener **opener);

/*
 * arrival_judge - event is verified (envelope_delivered_verify).
 *
 * membership  under which the event was made, as far as we have it
 *
 * ret_arrival is freed with arrival_free. Returns STATUS_OK whatever the judgement; STATUS_NO_MEMORY,
 * STATUS_CRYPTO or what the database returned when there is none.
 */
enum status arrival_judge(struct agent *agent, const struct membership *membership,
                          struct arrival_opener *opener, const struct envelope_delivered *event, int64_t now,
                          struct arrival *ret_arrival);
/* arrival_failed - of an event that could not be judged or stored, for reasons of ours. */
struct arrival arrival_failed(int64_t now);
void arrival_free(struct arrival *arrival);

/* arrival_code, arrival_text - static storage. */
const char *arrival_code(enum arrival_reason reason);
const char *arrival_text(enum arrival_reason reason);
