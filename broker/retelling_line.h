#pragma once

#include <jansson.h>

#include "policy/register.h"
#include "proto/core.h"
#include "proto/opening.h"

/* One line of a retelling as JSON; docs/replay-format.md. All functions return NULL, or false, when there is
 * no memory. */

/* retelling_line_event - what the event itself says. */
json_t *retelling_line_event(const struct core *core, int64_t at, const struct opening_attribute *attributes,
                             size_t count);

/* retelling_line_times - when it happened, whether it only repeats an earlier event for others, and the date
 * from which it counts, if it says so. */
bool retelling_line_times(json_t *line, const struct core *core);

/* retelling_line_person - what was known of its subject. */
bool retelling_line_person(json_t *line, const struct register_state *state);

/* retelling_line_answers - the event that it answers. asked: labels separated by commas, or "". */
struct retelling_answered {
    const char *type;
    const char *from;
    bool sent_to_sender;
    bool same_person;
    bool is_target;
    bool asks;
    const char *asked;
};

bool retelling_line_answers(json_t *line, const struct retelling_answered *answered);

/* retelling_line_add - one more name in a list of the line, which is made if need be. */
bool retelling_line_add(json_t *line, const char *list, const char *name);
