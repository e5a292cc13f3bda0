#pragma once

#include "agent/agent.h"

/*
 * trial_run - everything that publishing does, but sending: an event about nobody, of the first type that we
 * may send under `protocol`, is composed, sealed to our own key as the bundle has it, signed, verified under
 * our certificate and opened. Nothing is stored.
 *
 * ret_type    the event type; borrowed from the catalogue
 * ret_reason  filled in for STATUS_REFUSED: there is nothing that we may send, or the step that failed
 *
 * Otherwise returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status trial_run(const struct agent *agent, const struct protocol *protocol, int64_t now,
                      const char **ret_type, struct agent_reason *ret_reason);
