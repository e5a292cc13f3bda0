#pragma once

#include <stddef.h>

#include "base/status.h"

/*
 * A bounded queue of pointers between threads: any number put, any number take, first in first out. A mutex
 * of our own, so that thread checkers can follow what passes from one thread to another. The pointers' owner
 * is whoever holds them: the putter until a put succeeds, the taker afterwards.
 */
struct mailbox;

/* mailbox_new - room for capacity (at least 1) items. */
enum status mailbox_new(size_t capacity, struct mailbox **ret_mailbox);

/* mailbox_free - nobody may use it any more; take what is left first, it is not freed. */
void mailbox_free(struct mailbox **mailbox);

/* mailbox_put - wait for room. item is not NULL. STATUS_CLOSED: not taken, still the caller's. */
enum status mailbox_put(struct mailbox *mailbox, void *item);

/* mailbox_try_put - the same without waiting; STATUS_BUSY when full. */
enum status mailbox_try_put(struct mailbox *mailbox, void *item);

/* mailbox_give_back - as mailbox_try_put, but it is taken next: for things that are best used while warm. */
enum status mailbox_give_back(struct mailbox *mailbox, void *item);

/*
 * mailbox_take - the oldest item, waiting at most timeout_ms (0: not at all, negative: for ever).
 *
 * Returns STATUS_TIMEOUT, or STATUS_CLOSED when it is closed and empty.
 */
enum status mailbox_take(struct mailbox *mailbox, int timeout_ms, void **ret_item);

/*
 * mailbox_take_all - wait as mailbox_take does for one item, then take all that are there, up to limit (at
 * least 1) of them, in order.
 */
enum status mailbox_take_all(struct mailbox *mailbox, int timeout_ms, void **ret_items, size_t limit,
                             size_t *ret_count);

/* mailbox_close - no more puts; waiting putters get STATUS_CLOSED, takers what is left and then
 * STATUS_CLOSED. */
void mailbox_close(struct mailbox *mailbox);

/* mailbox_count - items waiting, at some moment during the call. */
size_t mailbox_count(struct mailbox *mailbox);

/*
 * mailbox_fd - readable while there is something to take, or it is closed; for poll. Never read from it.
 * Belongs to the mailbox.
 */
int mailbox_fd(struct mailbox *mailbox);
