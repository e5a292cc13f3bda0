#pragma once

#include "tests/support/policy.h"
#include "tests/support/support.h"

/* Persons and events by chance, for what must hold of every decision. */

/* chance_pick - one of the texts. */
const char *chance_pick(struct support_random *random, const char *const *texts, size_t count);
#define CHANCE_PICK(random, texts) chance_pick(random, texts, sizeof texts / sizeof texts[0])

/* Further parties, for what a partnership with one of each cannot show. */
extern const struct policy_edit chance_parties[];

/* chance_person - into world->person: on the list or not, with consents that may have ended. */
void chance_person(struct policy_world *world, struct support_random *random);

/* chance_request - into world->request and what is known of the event that it answers: an event type and a
 * sender that may send it. */
void chance_request(struct policy_world *world, struct support_random *random);

/* chance_within - every recipient of a is one of b, with no label more. */
void chance_within(const struct policy_decision *a, const struct policy_decision *b);

/* chance_ruled - no label reaches a recipient that no route of that pair to its class, or to the class whose
 * place it takes, gives. */
void chance_ruled(const struct policy_world *world, const struct policy_decision *decision);
