#pragma once

#include "broker/store/store.h"
#include "policy/register.h"
#include "proto/core.h"
#include "proto/wire_check.h"

/*
 * What the broker keeps of each person under each protocol: the register's state, which events it rests on,
 * and the standing events that somebody may become entitled to. A bounded number is held in memory; the rest
 * is in the store.
 */
#define SUBJECTS_STANDING_MAX 32
#define SUBJECTS_MERGED_MAX   40
#define SUBJECTS_KEY_MAX      (CORE_SUBJECT_SIZE + PROTOCOL_ID_LENGTH)

/* The event that set a fact. */
struct subject_ground {
    bool set;
    struct store_place place;
    uint64_t entry; /* its index in the log */
};

struct subject_standing {
    uint8_t event[STORE_EVENT_SIZE];
    uint32_t sender;
    struct store_place place;
    uint16_t reached_count;
    uint32_t reached[WIRE_TO_MAX]; /* numbers of the members to whom it went, by it or by its repeats */
};

struct subject {
    struct register_state state;
    uint64_t version;   /* grows with every change that may change a decision */
    int64_t changed_at; /* the commit of the last one */
    struct subject_ground grounds[REGISTER_GROUNDS];
    size_t merged_count; /* what the merges of this record rest on: ascending, shown with every plan */
    struct store_place merged[SUBJECTS_MERGED_MAX];
    size_t standing_count;
    struct subject_standing standing[SUBJECTS_STANDING_MAX]; /* oldest first */
    const struct protocol *protocol;

    /* The cache's own. */
    bool dirty;
    uint64_t used;
    struct subject *next;
    size_t key_size;
    uint8_t key[SUBJECTS_KEY_MAX];
};

struct subjects;

/* subjects_new - keeps up to so many in memory besides those that were changed and not saved. */
enum status subjects_new(struct store *store, size_t most, struct subjects **ret);
void subjects_free(struct subjects **subjects);

/*
 * subjects_get - a person under a protocol, known or not; valid until subjects_save, subjects_forget or
 * subjects_trim. STATUS_CORRUPT, STATUS_NO_MEMORY or what the store returns.
 */
enum status subjects_get(struct subjects *subjects, const struct protocol *protocol,
                         const uint8_t pseudonym[static CORE_SUBJECT_SIZE], struct subject **ret);

/* A subject as the store holds it, without what only publishing needs. */
struct subject_record {
    struct register_state state;
    size_t merged_count; /* 0: it was never merged */
    struct store_place merged[SUBJECTS_MERGED_MAX];
};

/* subjects_read - STATUS_CORRUPT or STATUS_NO_MEMORY. */
enum status subjects_read(struct byte_view stored, struct subject_record *ret_record);

/* subjects_save - write those marked dirty, within a transaction. */
enum status subjects_save(struct subjects *subjects);

/* subjects_trim - let go of what exceeds the number; nothing may be dirty or borrowed. */
void subjects_trim(struct subjects *subjects);

/* subjects_forget - let go of everything, saved or not: after a rollback, or when protocols change. */
void subjects_forget(struct subjects *subjects);

/* subjects_standing - one of the subject's standing events by id and sender, or NULL. */
struct subject_standing *subjects_standing(struct subject *subject, uint32_t sender,
                                           const uint8_t event[static STORE_EVENT_SIZE]);

/* subjects_stand - a new standing event; the oldest goes when there are too many. NULL never. */
struct subject_standing *subjects_stand(struct subject *subject);

/* subjects_unstand - it was superseded. */
void subjects_unstand(struct subject *subject, struct subject_standing *standing);

/* subjects_add_merged - one more event that a merge rests on; once is enough. False when there are too many.
 */
bool subjects_add_merged(struct subject *subject, struct store_place place);

/* subjects_compare_places - for qsort, in the order of commits. */
int subjects_compare_places(const void *a, const void *b);

/* subjects_reach - the member now has that event; once is enough. subjects_unreach - it has it no longer;
 * false when it had not. */
void subjects_reach(struct subject_standing *standing, uint32_t member);
bool subjects_unreach(struct subject_standing *standing, uint32_t member);
