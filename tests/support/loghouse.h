#pragma once

/* A store with a log in it, in a folder of its own, and what the log must look like, computed the naive way.
 */

#include <stdio.h>

#include "broker/logbook.h"
#include "proto/merkle.h"
#include "tests/support/support.h"

#define LOGHOUSE_ORIGIN "log.test/one"
#define LOGHOUSE_NOW    INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */

struct loghouse {
    char folder[64];
    char store_path[96];
    char checkpoint_path[96];
    const char *vfs; /* of both databases */
    bool replay;     /* the whole log when it is opened */
    struct ed25519_key *key;
    struct support_random random;
    struct db *store;
    struct db *reader;
    struct logbook *logbook;
    struct logbook_reason reason;
    struct digest *leaves; /* of everything committed */
    size_t size;
    size_t room;
    uint64_t from_counter;
    uint64_t to_counter;
};

void loghouse_make(struct loghouse *house, uint64_t seed); /* an empty folder; opens nothing */
void loghouse_remove(struct loghouse *house);              /* closes and deletes everything */

/* loghouse_open - the databases, then the log; what logbook_open returned, with house->reason. */
enum status loghouse_open(struct loghouse *house);
void loghouse_close(struct loghouse *house);

/* loghouse_append - within a transaction, a row of n records about one event each four; pushes their leaves.
 */
enum status loghouse_append(struct loghouse *house, size_t n);

/* loghouse_commit_row - a transaction with one row of n records; whatever fails rolls back, and the leaves
 * with it. */
enum status loghouse_commit_row(struct loghouse *house, size_t n);

/* loghouse_forget - drops the leaves beyond size, as a rollback does. */
void loghouse_forget(struct loghouse *house, size_t size);

/* loghouse_naive_root - RFC 6962 §2.1, word by word, over the first n leaves. */
struct digest loghouse_naive_root(const struct loghouse *house, size_t n);

/* loghouse_check - the log's last checkpoint is for everything committed, with the naive root. */
void loghouse_check_signed(const struct loghouse *house);

/* loghouse_exec - run sql on a connection of its own to a database of the house (with both databases closed).
 */
void loghouse_exec(const char *path, const char *sql);
