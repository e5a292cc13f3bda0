#pragma once

#include "broker/engine.h"

/*
 * What is to become of one event: whether it had an outcome before, what the rules say now, whether what came
 * is exactly that. Writes nothing.
 */
enum judging_fate {
    JUDGING_OLD,      /* the outcome it had before comes back */
    JUDGING_NOT_NOW,  /* busy or stale: no outcome */
    JUDGING_MISUSED,  /* its id was used before with other content: refused, and not stored */
    JUDGING_REFUSED,  /* final */
    JUDGING_ACCEPTED, /* final, unless the register refuses */
};

/* One section of an accepted event. */
struct judging_part {
    bool urgent;
    uint32_t rests_on;
    uint64_t counter;       /* the recipient's */
    uint64_t entry;         /* index in the log */
    int64_t deadline;       /* 0: none, or passed already */
    int64_t until;          /* when its retention ends */
    int64_t acknowledge_by; /* urgent only */
};

struct judging {
    enum judging_fate fate;
    bool late;     /* its id was not above the sender's high-water mark */
    bool live;     /* part of its batch's outcomes */
    bool replaces; /* it supersedes an earlier event, and its rule says that this replaces what is undelivered
                    */
    struct outcome outcome;
    struct judging_part *parts;
};

/*
 * judging_old - has this event an outcome already, earlier in this batch or in the store? Fills in ret unless
 * it is new, and always its `late`. high is the highest id so far, or NULL.
 */
enum status judging_old(struct engine *engine, const struct job *job, const struct peer *sender, size_t index,
                        const uint8_t *high, const struct judging *before, bool *ret_new,
                        struct judging *ret);

/* judging_now - STATUS_OK, or why nothing of this sender can be accepted now: ret_reason is static text. */
enum status judging_now(const struct engine *engine, const struct peer *sender, const char **ret_reason);

/*
 * judging_decide - facts and decision for an event under the present rules; the decision is in
 * engine->decision. already: who had it before, for a repeat; NULL: nobody.
 */
enum status judging_decide(struct engine *engine, const struct core *core, struct job_event *event,
                           const struct subject *subject, const struct party_set *already);

/* judging_repeats - who had the standing event before that this one repeats. ret_problem: static text, why it
 * repeats none; NULL otherwise. */
enum status judging_repeats(struct engine *engine, const struct core *core, const struct protocol *protocol,
                            const struct peer *sender, struct subject *subject, struct party_set *ret_already,
                            const char **ret_problem);

/* judging_again - the same for an event that was accepted, with a section for that member: whoever is only
 * between two certificates still counts. */
enum status judging_again(struct engine *engine, const struct core *core, struct job_event *event,
                          const struct subject *subject, const char *to);

/*
 * judging_event - a new event of a publish. ret->fate, and for all but JUDGING_ACCEPTED the outcome with its
 * `why` in the job's arena; ret_code then names the refusal in a word. When accepted the decision is in
 * engine->decision.
 */
enum status judging_event(struct engine *engine, struct job *job, size_t index, const struct peer *sender,
                          struct subject *subject, struct judging *ret);

/* judging_set - verdict and reason (may be NULL) of an outcome; the text is copied to the arena. */
enum status judging_set(struct job *job, struct judging *judging, enum judging_fate fate,
                        Wire__Verdict verdict, const char *reason);

/* judging_why - an encoded reason and refusals into the arena. */
enum status judging_why(struct engine *engine, struct job *job, const struct protocol *protocol,
                        const struct policy_decision *decision, const char *reason,
                        const struct policy_refusal *extra, struct byte_view *ret);

/* judging_refusal_fields - one refusal of a decision as it is told and logged; text holds its sentence. */
struct outcome_refusal judging_refusal(const struct protocol *protocol,
                                       const struct policy_decision *decision,
                                       const struct policy_refusal *refusal,
                                       char text[static POLICY_TEXT_SIZE]);
