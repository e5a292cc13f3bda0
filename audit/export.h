#pragma once

#include "audit/source.h"

/*
 * A log as C2SP's static files: checkpoint, tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>] (tlog-tiles), and
 * log.vkey; and checkpoint.final, the newest that a quorum of witnesses cosigned, if it is an earlier one.
 * Entries hold no personal data; records and salts stay where they are.
 */

/*
 * export_write - writes the log as far as its checkpoint goes into a folder, which is made, or must be empty.
 * The checkpoint comes last: a folder without one is no export. Every hash is computed from the entries.
 *
 * Returns STATUS_EXISTS (the folder is not empty), STATUS_CORRUPT (the log does not verify), what base/db.h
 * and base/safefile.h return; ret_reason is then filled in. *ret_entries entries were written.
 */
enum status export_write(struct source *source, const struct note_key *key, const char *folder,
                         uint64_t *ret_entries, struct source_reason *ret_reason);
