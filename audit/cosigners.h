#pragma once

#include "audit/problems.h"
#include "audit/source.h"

/*
 * By whom a broker's log was cosigned: the newest checkpoint that a quorum of witnesses cosigned, as
 * checkpoint.db holds it. It must bear the log's signature, its root must be that of the first entries, and
 * every cosignature that bears a witness's name must verify; what is wrong goes to the problems. Witnesses
 * are those of the newest bundle in the folder.
 */

/*
 * cosigners_check - appends one line for people to told: up to which entry the log is final, and by whom.
 * Nothing is appended when no witness is named and nothing was cosigned. Errors as verify_broker.
 */
enum status cosigners_check(struct source *source, const char *folder, const struct note_key *key,
                            struct problems *problems, struct byte_buffer *told);
