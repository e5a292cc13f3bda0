#pragma once

#include <jansson.h>

#include "base/status.h"

/*
 * The protocols of a broker's newest bundle, as a record of processing needs them. For each
 * {"protocol":ID, "version", "title", "owner", "in_force_from", "in_force_until", "review",
 * "impact_assessment", "policy_document", "signatories":[]}, then for each flow (policy/flows.h) about an
 * adult
 * {"protocol":ID, "rule", "paragraph", "purpose", "event", "from":[classes], "to":[classes], "items":[],
 * "law":[], "crossing", "condition", "consent", "retention"}, with null for what does not apply; a record has
 * no recipient.
 */
enum status protocol_rows(const char *folder, bool (*told)(void *context, json_t *row), void *context);
