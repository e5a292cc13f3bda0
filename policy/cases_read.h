#pragma once

/* What the files of the case loader share; nobody else includes this. */

#include "policy/cases.h"
#include "policy/read.h"

struct cases_reader {
    struct yaml_errors *errors;
    struct arena *arena;
    const struct protocol *protocol;
    const struct catalogue *catalogue;
    const struct yaml_node *people; /* or NULL */
    int64_t now;                    /* of the file; INT64_MIN: not given */
};

/* cases_read_time - "2026-12-01T09:00:00Z", or a date for its start. */
bool cases_read_time(struct cases_reader *reader, const struct yaml_node *node, int64_t *ret_time);

/* cases_read_given - `given`: clock, person, consents, who is not active. */
void cases_read_given(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret);

/* cases_read_people - every entry of `people`, also those that no case uses. */
void cases_read_people(struct cases_reader *reader);

/* cases_read_event - `event`: type, sender, attributes, items held, what it answers. The clock is set. */
void cases_read_event(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret);

/* cases_read_target - `corrects`: what the event named by a correction was; the event is set. */
void cases_read_target(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret);

/* cases_read_type - an event type of the catalogue, or CATALOGUE_NONE. */
uint16_t cases_read_type(struct cases_reader *reader, const struct yaml_node *node);

/* cases_read_member - a member id, whether or not the protocol knows it. */
bool cases_read_member(struct cases_reader *reader, const struct yaml_node *node, struct byte_view *ret);

/* cases_read_labels - a list of labels that the event type carries; CATALOGUE_NONE: of any label. */
bool cases_read_labels(struct cases_reader *reader, const struct yaml_node *node, uint16_t event,
                       struct label_set *ret_labels);

/* cases_read_expected - `expect`; the event is set. */
void cases_read_expected(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret);
