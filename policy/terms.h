#pragma once

#include "policy/paper.h"
#include "policy/protocol.h"

/*
 * What a protocol says besides its rules, in words and tables: each function writes what the file has of it,
 * and nothing where it has nothing. For the table to sign and for the drafts.
 */

/* terms_lists - who changes which list, reviews, juveniles' approval, how long an overdue entry counts. */
void terms_lists(struct paper *paper, const struct protocol *protocol);

/* terms_consents - how long each runs, on which forms, who records it. */
void terms_consents(struct paper *paper, const struct protocol *protocol);

/* terms_diverts - people whom another arrangement looks after. */
void terms_diverts(struct paper *paper, const struct protocol *protocol);

/* terms_questions - what may be asked, and which event answers what. */
void terms_questions(struct paper *paper, const struct protocol *protocol);

/* terms_glass - what may be overridden, by whom, how often. */
void terms_glass(struct paper *paper, const struct protocol *protocol);

/* terms_keeping - passing on, what ends retention, removals, corrections. */
void terms_keeping(struct paper *paper, const struct protocol *protocol);

/* terms_counts - who gets counts instead of events. */
void terms_counts(struct paper *paper, const struct protocol *protocol);
