#pragma once

#include "base/db.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

struct vault;

/*
 * Who is on the scheme, as far as this member was told: kept up from ppo.added and ppo.removed in the inbox,
 * or from our own accepted ones. A value that a rule does not grant us stays empty here. Each protocol has a
 * list of its own: what was told under one is no listing under another.
 */
extern const char people_schema[];

#define PEOPLE_NAME_SIZE 404 /* a hundred characters of UTF-8 and a zero */
#define PEOPLE_CODE_SIZE 65

struct person {
    char protocol[PEOPLE_CODE_SIZE]; /* its id */
    struct pseudonym subject;
    bool listed;
    int64_t listed_at;         /* `created` of the newest ppo.added; 0: none seen */
    int64_t removed_at;        /* `created` of the newest ppo.removed; 0: none seen */
    uint8_t event[UUID_SIZE];  /* of the newest of the two */
    char by[PEOPLE_CODE_SIZE]; /* the member that sent it */
    char pnc_id[14];           /* texts in canonical form, or empty */
    char prison_no[8];
    char name[PEOPLE_NAME_SIZE];
    char dob[11];
    char strand[PEOPLE_CODE_SIZE];
    char area[PEOPLE_CODE_SIZE];
    char home_force[3];
    char authority[PEOPLE_CODE_SIZE];
    char selector[PEOPLE_CODE_SIZE];
};

struct people;

/* people_changed - called inside the transaction that changed somebody; before: listed is false and texts are
 * empty when nothing was known. */
typedef void people_changed(void *context, const struct person *before, const struct person *after);

/* people_new - db and vault are borrowed. Freed with people_free. STATUS_NO_MEMORY. */
enum status people_new(struct db *db, struct vault *vault, struct people **ret_people);
void people_free(struct people **people);

/* people_watch - one hook; NULL takes it away. It must not change people. */
void people_watch(struct people *people, people_changed *changed, void *context);

/*
 * Look-ups under a protocol, or (NULL) under any, on the list or no longer on it (ret->listed). pnc_id and
 * prison_no in canonical form. STATUS_NOT_FOUND, STATUS_BAD_SEAL, or what base/db.h returns.
 */
enum status people_by_pnc(struct people *people, const char *protocol, struct byte_view pnc_id,
                          struct person *ret);
enum status people_by_prison_no(struct people *people, const char *protocol, struct byte_view prison_no,
                                struct person *ret);
enum status people_by_subject(struct people *people, const char *protocol, const struct pseudonym *subject,
                              struct person *ret);

/*
 * people_next - the next person on a protocol's list; start with *cursor 0 and go on until STATUS_NOT_FOUND.
 * Nothing is held open between calls. The order is that in which they became known here.
 */
enum status people_next(struct people *people, const char *protocol, int64_t *cursor, struct person *ret);

/* people_count - how many are on any list. */
enum status people_count(struct people *people, int64_t *ret_count);

/* people_received - whether any list change has ever reached us: no list yet is an error, not "nobody". */
enum status people_received(struct people *people, bool *ret_received);

/*
 * people_put - what is known of a person now, whoever told it. Must be called inside a transaction. For those
 * who fold list changes (inbox, outbox).
 */
enum status people_put(struct people *people, const struct person *person);

/* people_forget - delete those who left the list before `until`. Must be called inside a transaction. */
enum status people_forget(struct people *people, int64_t until);
