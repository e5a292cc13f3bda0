#pragma once

#include "agent/feed_job.h"

/*
 * Who will get an event, as far as can be known here: the register is the broker's. What depends on the
 * person's area, when that is unknown, counts only if it is so for every area; consents count as not given.
 * For the page; nothing is sealed by it.
 */
struct feed_expectation {
    struct party_set parties;
    bool late;
    bool home_gap; /* the rule names the home force, and that is no party */
    char home_force[3];
};

/* feed_expect - draft: as queued. STATUS_NO_MEMORY. */
enum status feed_expect(const struct feed_job *job, const struct draft *draft, const struct person *person,
                        struct feed_expectation *ret);
