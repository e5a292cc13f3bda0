#pragma once

#include "base/yaml.h"
#include "base/yaml_errors.h"
#include "policy/protocol.h"

/* What the files check*.c share; nobody else includes this. */

struct check {
    const struct protocol *protocol;
    const struct yaml_node *root; /* of the protocol's text */
    struct yaml_errors *warnings;
};

/* check_rule_node - where a rule, record or break-glass rule stands; its `key` is its name. */
const struct yaml_node *check_rule_node(const struct check *check, uint16_t rule);

/* check_grant_node - an entry of its `to`. */
const struct yaml_node *check_grant_node(const struct check *check, uint16_t rule, uint16_t grant);

/* check_reaches - is there a party that the route could mean? */
bool check_reaches(const struct protocol *protocol, const struct protocol_route *route);

/* The parts. */
void check_rules(const struct check *check);
void check_grants(const struct check *check);
void check_clocks(const struct check *check);
void check_law(const struct check *check);
