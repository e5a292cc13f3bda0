#pragma once

#include "broker/batches.h"
#include "policy/decide.h"

/*
 * questions_facts - fill in what an event of a held batch asked for, when its type is a question: the answer
 * may tell no more. facts->correlated_event is its type. Returns STATUS_OK also when it is none;
 * STATUS_CORRUPT or STATUS_NO_MEMORY.
 */
enum status questions_facts(const struct catalogue *catalogue, const struct batch_held *batch, uint32_t index,
                            struct policy_facts *facts);
