#pragma once

#include "agent/agent.h"
#include "proto/core.h"

/*
 * withdrawing_apply - a consent was withdrawn: if the protocol says that this ends retention, what we hold by
 * that consent alone goes now. An event of which nothing is left has no contents any more (INBOX_RECALLED);
 * one of which some rests on something else keeps that. After consents_note(), inside a transaction.
 *
 * withdrawn  when the withdrawal was made
 *
 * Returns what the database or the vault returned.
 */
enum status withdrawing_apply(struct agent *agent, struct byte_view protocol,
                              const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope,
                              int64_t withdrawn);
