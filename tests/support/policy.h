#pragma once

/* The shipped catalogue and protocol, one person, and decisions as text that a table can compare. */
#include "policy/decide.h"

/* 2026-12-01T09:00:00Z, a Tuesday: the sample day. */
#define POLICY_NOW INT64_C(1796115600000)
#define POLICY_DAY INT64_C(86400000)

struct policy_world {
    struct catalogue *catalogue;
    struct protocol *protocol;
    struct register_state person;
    struct policy_facts facts;
    struct policy_request request;
    struct policy_decision decision;
    int64_t now;
    char text[8192];
    char storage[4096]; /* of the request's values */
};

/* A change of the shipped file's text before it is loaded; from must occur. NULL ends the list. */
struct policy_edit {
    const char *from;
    const char *to;
};

/* policy_open - load; fails the test when anything is wrong. Everybody is active, nothing is known of the
 * person. */
void policy_open(struct policy_world *world, const struct policy_edit *edits);
void policy_close(struct policy_world *world);

/* policy_file - the text of a shipped file with edits; the caller frees it. */
struct byte_buffer policy_file(const char *name, const struct policy_edit *edits);

/*
 * policy_ask - make world->request: created and occurred now, the purpose that the protocol states.
 *
 * attributes  "strand=catch_convict area=stoke"; values have no spaces
 * held        "name,dob" in any order, or NULL
 */
void policy_ask(struct policy_world *world, const char *from, const char *event, const char *attributes,
                const char *held);

/* policy_answer - decide on world->request; the decision as text: one line a recipient ("TO RULE GATEWAY:
 * LABELS", then what is special), then one line a refusal ("! CODE WHO: DETAIL"). */
const char *policy_answer(struct policy_world *world);

/* policy_apply - fold world->request into the person; the test fails when it is refused. */
void policy_apply(struct policy_world *world);

/* policy_list - the person is an adult on the list: catch_convict, stoke, force 21, review due 2026-12-15. */
void policy_list(struct policy_world *world);

/* policy_consent - a consent until 2027-03-31, given an hour ago by probation. */
void policy_consent(struct policy_world *world, const char *scope);

/*
 * One mistake in a shipped file: `from` becomes `to`, in which @@ marks where the error must be told (the
 * marker is taken out). Exactly one error, at that line and column, with `says` in it.
 */
struct policy_mistake {
    const char *from;
    const char *to;
    const char *says;
};

/* policy_check_mistake - name: catalogue.yaml or staffordshire-ppo.yaml. */
void policy_check_mistake(const char *name, const struct policy_mistake *mistake);
