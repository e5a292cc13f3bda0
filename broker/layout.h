#pragma once

#include "base/bytes.h"
#include "base/db.h"

/*
 * The tables of broker.db, and how an older folder's become today's. How to add a change: docs/decisions.md,
 * "A database changes its layout in steps".
 */

/* The name in table state under which it stands that the whole log is to be replayed before anything is
 * served: after a change of the layout, and after a restore. */
#define LAYOUT_REPLAY "replay"

/* What broker.db says to the next start after a restore, in words: logged, and what was erased since is
 * erased again. */
#define LAYOUT_RESTORED "restored"

/* That a new log begins over the entries that there are: the last checkpoint known of the old one (a signed
 * note, or a single zero byte when none is). Both are emptied once that is logged. */
#define LAYOUT_NEW_LOG "new-log"

/*
 * layout_options - what db_open wants for broker.db. Fills in application, layout and changes; everything
 * else is as a durable writing connection has it. schema is an empty buffer that must live until db_open
 * returns; its status says STATUS_NO_MEMORY.
 */
struct db_options layout_options(struct byte_buffer *schema);
