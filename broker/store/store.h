#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "proto/member.h"

/*
 * What the broker keeps besides its log, in its own words: batches as they came, what is undelivered,
 * receipts on their way back, subjects and their grounds, members and their counters. Back ends: SQLite
 * (store_sqlite.h) and memory (store_memory.h); one contract suite runs against both.
 *
 * All verbs belong to one thread at a time. Those that change something need a transaction: wholly there or
 * wholly absent. Any verb may return STATUS_NO_SPACE, after which the transaction is lost and store_rollback
 * must follow, or what base/db.h returns for a broken disk or file, after which nothing may go on.
 * No verb assumes that this process alone changes what is stored.
 */

#define STORE_EVENT_SIZE   16
#define STORE_BATCH_EVENTS 256
#define STORE_MASK_SIZE    32 /* one bit an event of a slice, by its place in the slice */
#define STORE_NUMBER_MAX   UINT32_C(0x1fffff)

/* A member as the store counts it. Numbers are given from 1 in the order of first appearance. */
struct store_member {
    uint32_t number;
    char id[MEMBER_ID_LENGTH + 1];
    uint64_t sent;        /* events accepted or refused: the log's counter */
    uint64_t received;    /* sections disclosed to it: the log's counter */
    uint64_t undelivered; /* sections of its events that nobody has confirmed */
    uint64_t forwarded;   /* id of the last receipt batch that was to be forwarded to it */
    uint64_t confirmed;   /* id of the last one that it has stored */
    bool has_high;
    uint8_t high[STORE_EVENT_SIZE]; /* above it an event id of this sender is new */
};

/* A published batch. Views are borrowed: from the caller when appending, from the store after reading, until
 * its next verb. */
struct store_batch {
    uint64_t id;
    uint32_t sender;
    uint32_t count;
    int64_t committed;
    struct byte_view certificate;    /* digest, 32 bytes */
    struct byte_view signature;      /* 64 bytes */
    struct byte_view headers;        /* uint32 length ‖ header, count times */
    struct byte_view openings;       /* uint32 length ‖ encoded Opening, count times */
    struct byte_view outcomes;       /* as broker/outcome.h writes them */
    bool has_range;                  /* holds events above the sender's high-water mark */
    uint8_t first[STORE_EVENT_SIZE]; /* the lowest and the highest of these */
    uint8_t last[STORE_EVENT_SIZE];
};

/* What of a batch one recipient has not confirmed. Urgent slices are delivered before all others. */
struct store_slice_key {
    uint32_t recipient;
    bool urgent;
    uint64_t batch;
};

struct store_slice {
    struct store_slice_key key;
    uint32_t sender;
    uint32_t count;
    uint8_t live[STORE_MASK_SIZE];
    struct byte_view marks;    /* count × STORE_MARK_SIZE, see struct store_mark */
    struct byte_view sections; /* one after the other, as the marks say */
};

/* What is known of one section without opening the batch. */
#define STORE_MARK_SIZE 56
#define STORE_TAG_SIZE  12

struct store_mark {
    uint16_t index; /* in the batch */
    uint32_t size;  /* of the section */
    uint64_t counter;
    uint64_t entry; /* the log's index of its `disclosed` */
    uint32_t rests_on;
    uint8_t tag[STORE_TAG_SIZE]; /* of the subject: the pseudonym's bytes from 4 on */
    int64_t deadline;            /* when its sender is told that nobody has fetched it; 0: not any more */
    int64_t until;               /* when its retention ends; 0: never */
};

void store_mark_write(const struct store_mark *mark, uint8_t out[static STORE_MARK_SIZE]);
struct store_mark store_mark_read(const uint8_t in[static STORE_MARK_SIZE]);

bool store_mask_get(const uint8_t mask[static STORE_MASK_SIZE], size_t place);
void store_mask_set(uint8_t mask[static STORE_MASK_SIZE], size_t place);
void store_mask_clear(uint8_t mask[static STORE_MASK_SIZE], size_t place);
size_t store_mask_count(const uint8_t mask[static STORE_MASK_SIZE]);

/* By what a member's report is known again, apart from the event that it is about. */
#define STORE_REPORT_SIZE 16

/* Where an event stands. */
struct store_place {
    uint64_t batch;
    uint32_t index;
};

/* A recipient is to delete what it may hold of an event. */
struct store_recall {
    uint32_t recipient;
    uint32_t sender;
    uint8_t event[STORE_EVENT_SIZE];
    const char *reason; /* borrowed */
};

/* Something that is waited for after an event, and looked at again when it is due. */
enum store_watch_kind {
    STORE_WATCH_ACKNOWLEDGE = 1, /* an urgent event's recipient is to take note of it */
    STORE_WATCH_CONFIRM,         /* a recipient of a correction, retraction or erasure is to confirm it */
    STORE_WATCH_ERASURE,         /* a data protection officer is to confirm an erasure; recipient 0 */
    STORE_WATCH_ERASING,         /* an erasure goes through the log; recipient 0 */
    STORE_WATCH_ENDED,    /* never due: a section that was taken out before its recipient could hold it */
    STORE_WATCH_RETAINED, /* past its retention, but the register rests on it: is to be looked at again;
                             recipient 0 */
    STORE_WATCH_ERASED,   /* never due: its event is a digest of the id of one that was erased; recipient 0 */
};

struct store_watch {
    enum store_watch_kind kind;
    uint32_t recipient;
    uint32_t sender;
    uint8_t event[STORE_EVENT_SIZE];
    struct store_place place; /* of the event */
    int64_t since;
    int64_t due;    /* INT64_MAX: only looked for, never due */
    uint64_t value; /* by kind */
};

struct store;

/* store_each_* call back with what they find until the callback returns another status than STATUS_OK, which
 * they then return. The callback may not use the store. */
typedef enum status store_member_visitor(void *context, const struct store_member *member);
typedef enum status store_recall_visitor(void *context, const struct store_recall *recall);
typedef enum status store_replan_visitor(void *context, const uint8_t event[static STORE_EVENT_SIZE]);
typedef enum status store_watch_visitor(void *context, const struct store_watch *watch);

struct store_operations {
    void (*close)(struct store *store);
    const char *(*error)(const struct store *store);
    enum status (*begin)(struct store *store);
    enum status (*commit)(struct store *store);
    void (*rollback)(struct store *store);
    enum status (*each_member)(struct store *store, store_member_visitor *visit, void *context);
    enum status (*put_member)(struct store *store, const struct store_member *member);
    enum status (*last_batch)(struct store *store, uint64_t *ret_id);
    enum status (*append_batch)(struct store *store, const struct store_batch *batch);
    enum status (*get_batch)(struct store *store, uint64_t id, struct store_batch *ret_batch);
    enum status (*append_late)(struct store *store, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE], struct store_place place);
    enum status (*find_late)(struct store *store, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE], struct store_place *ret_place);
    enum status (*find_range)(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch);
    enum status (*append_slice)(struct store *store, const struct store_slice *slice);
    enum status (*next_slice)(struct store *store, struct store_slice_key after,
                              struct store_slice *ret_slice);
    enum status (*get_slice)(struct store *store, struct store_slice_key key, struct store_slice *ret_slice);
    enum status (*take_out)(struct store *store, struct store_slice_key key,
                            const uint8_t places[static STORE_MASK_SIZE]);
    enum status (*rest_on)(struct store *store, struct store_slice_key key, size_t place, uint32_t rests_on);
    enum status (*set_deadline)(struct store *store, struct store_slice_key key, size_t place,
                                int64_t deadline);
    enum status (*drop_slice)(struct store *store, struct store_slice_key key);
    enum status (*next_marks)(struct store *store, struct store_slice_key after,
                              struct store_slice *ret_slice);
    enum status (*append_forward)(struct store *store, uint32_t sender, uint64_t id, struct byte_view body);
    enum status (*next_forward)(struct store *store, uint32_t sender, uint64_t after, uint64_t *ret_id,
                                struct byte_view *ret_body);
    enum status (*drop_forwards)(struct store *store, uint32_t sender, uint64_t up_to);
    enum status (*get_subject)(struct store *store, struct byte_view key, struct byte_view *ret_state);
    enum status (*put_subject)(struct store *store, struct byte_view key, struct byte_view state);
    enum status (*next_subject)(struct store *store, struct byte_view after, struct byte_view *ret_key,
                                struct byte_view *ret_state);
    enum status (*append_ground)(struct store *store, struct store_place place, struct byte_view ground);
    enum status (*get_ground)(struct store *store, struct store_place place, struct byte_view *ret_ground);
    enum status (*drop_ground)(struct store *store, struct store_place place);
    enum status (*blank_batch)(struct store *store, uint64_t id, struct byte_view headers,
                               struct byte_view openings);
    enum status (*put_watch)(struct store *store, const struct store_watch *watch);
    enum status (*drop_watch)(struct store *store, const struct store_watch *watch);
    enum status (*find_watch)(struct store *store, struct store_watch *watch);
    enum status (*due_watch)(struct store *store, int64_t now, struct store_watch *ret_watch);
    enum status (*each_watch)(struct store *store, enum store_watch_kind kind, store_watch_visitor *visit,
                              void *context);
    enum status (*put_replan)(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE]);
    enum status (*drop_replan)(struct store *store, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE]);
    enum status (*each_replan)(struct store *store, uint32_t sender,
                               const uint8_t after[static STORE_EVENT_SIZE], store_replan_visitor *visit,
                               void *context);
    enum status (*put_recall)(struct store *store, const struct store_recall *recall);
    enum status (*drop_recall)(struct store *store, uint32_t recipient, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE]);
    enum status (*each_recall)(struct store *store, const struct store_recall *after,
                               store_recall_visitor *visit, void *context);
    enum status (*note_report)(struct store *store, uint32_t reporter, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE],
                               const uint8_t mark[static STORE_REPORT_SIZE]);
    enum status (*drop_reports)(struct store *store, uint32_t sender,
                                const uint8_t event[static STORE_EVENT_SIZE]);
    enum status (*get_state)(struct store *store, const char *name, struct byte_view *ret_value);
    enum status (*put_state)(struct store *store, const char *name, struct byte_view value);
};

/* Every back end's struct begins with this. */
struct store {
    const struct store_operations *operations;
};

/* store_close - accepts NULL and leaves NULL; whatever was not committed is lost. */
void store_close(struct store **store);

/* store_error - the last failure in the back end's words; valid until the next verb. */
const char *store_error(const struct store *store);

enum status store_begin(struct store *store);
enum status store_commit(struct store *store);
void store_rollback(struct store *store);

/* store_each_member - all members, in ascending order of number. */
enum status store_each_member(struct store *store, store_member_visitor *visit, void *context);

/* store_put_member - a new member, or new values of one. */
enum status store_put_member(struct store *store, const struct store_member *member);

/* store_last_batch - the highest id in use; 0 when there is none. */
enum status store_last_batch(struct store *store, uint64_t *ret_id);

/* store_append_batch - batch->id is above all ids in use. */
enum status store_append_batch(struct store *store, const struct store_batch *batch);

/* store_get_batch - STATUS_NOT_FOUND when there is none. */
enum status store_get_batch(struct store *store, uint64_t id, struct store_batch *ret_batch);

/*
 * store_append_late, store_find_late - where an event stands whose id was not above its sender's high-water
 * mark when it was published. STATUS_NOT_FOUND when no such event is known.
 * store_find_range - the batch whose range of ids (first to last) holds this one, if the event exists at all.
 * STATUS_NOT_FOUND when none does. Ranges of one sender never overlap.
 */
enum status store_append_late(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE], struct store_place place);
enum status store_find_late(struct store *store, uint32_t sender,
                            const uint8_t event[static STORE_EVENT_SIZE], struct store_place *ret_place);
enum status store_find_range(struct store *store, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE], uint64_t *ret_batch);

/* store_append_slice - what a recipient is to get of a batch. */
enum status store_append_slice(struct store *store, const struct store_slice *slice);

/* store_next_slice - the recipient's first slice of that urgency after after.batch (0: from the start);
 * STATUS_NOT_FOUND at the end. Views are valid until the next verb, here and below. */
enum status store_next_slice(struct store *store, struct store_slice_key after,
                             struct store_slice *ret_slice);

/* store_get_slice - STATUS_NOT_FOUND when nothing of it is left. */
enum status store_get_slice(struct store *store, struct store_slice_key key, struct store_slice *ret_slice);

/* store_take_out - these places are no longer live, and their sections' bytes are overwritten with zeros.
 * The slice goes when nothing live is left. STATUS_NOT_FOUND when it is not there. */
enum status store_take_out(struct store *store, struct store_slice_key key,
                           const uint8_t places[static STORE_MASK_SIZE]);

/* store_rest_on - new grounds for one section of a slice. */
enum status store_rest_on(struct store *store, struct store_slice_key key, size_t place, uint32_t rests_on);

/* store_set_deadline - another deadline for one section of a slice. */
enum status store_set_deadline(struct store *store, struct store_slice_key key, size_t place,
                               int64_t deadline);

/* store_drop_slice - all of it was delivered. Nothing happens when it is not there. */
enum status store_drop_slice(struct store *store, struct store_slice_key key);

/* store_next_marks - the first slice of any recipient after this key (all zeros: from the start), its
 * sections left empty; STATUS_NOT_FOUND at the end. Ascending by recipient, urgent first, then by batch. */
enum status store_next_marks(struct store *store, struct store_slice_key after,
                             struct store_slice *ret_slice);

/*
 * Receipts on their way back to a sender, by ascending id (from 1, below 2^40). store_next_forward: the first
 * above after, or STATUS_NOT_FOUND. store_drop_forwards: all up to and including an id.
 */
enum status store_append_forward(struct store *store, uint32_t sender, uint64_t id, struct byte_view body);
enum status store_next_forward(struct store *store, uint32_t sender, uint64_t after, uint64_t *ret_id,
                               struct byte_view *ret_body);
enum status store_drop_forwards(struct store *store, uint32_t sender, uint64_t up_to);

/* Subjects by key (pseudonym ‖ protocol id). store_get_subject: STATUS_NOT_FOUND. store_next_subject: the
 * first whose key comes after (an empty one: from the start), or STATUS_NOT_FOUND. */
enum status store_get_subject(struct store *store, struct byte_view key, struct byte_view *ret_state);
enum status store_put_subject(struct store *store, struct byte_view key, struct byte_view state);
enum status store_next_subject(struct store *store, struct byte_view after, struct byte_view *ret_key,
                               struct byte_view *ret_state);

/* Encoded Grounds, by where the event stands. store_get_ground: STATUS_NOT_FOUND. */
enum status store_append_ground(struct store *store, struct store_place place, struct byte_view ground);
enum status store_get_ground(struct store *store, struct store_place place, struct byte_view *ret_ground);

/* store_drop_ground - nothing happens when it is not there. */
enum status store_drop_ground(struct store *store, struct store_place place);

/* store_blank_batch - other headers and openings in the place of a batch's own, which are overwritten: after
 * an event of it was erased. STATUS_NOT_FOUND. */
enum status store_blank_batch(struct store *store, uint64_t id, struct byte_view headers,
                              struct byte_view openings);

/*
 * Watches, by kind, recipient, sender and event. store_put_watch: a new one, or new values of one.
 * store_drop_watch: by these four; nothing happens when it is not there. store_find_watch: fills in the rest
 * of one by these four, or STATUS_NOT_FOUND. store_due_watch: the one that is due first, not after now, or
 * STATUS_NOT_FOUND. store_each_watch: all of a kind, ascending.
 */
enum status store_put_watch(struct store *store, const struct store_watch *watch);
enum status store_drop_watch(struct store *store, const struct store_watch *watch);
enum status store_find_watch(struct store *store, struct store_watch *watch);
enum status store_due_watch(struct store *store, int64_t now, struct store_watch *ret_watch);
enum status store_each_watch(struct store *store, enum store_watch_kind kind, store_watch_visitor *visit,
                             void *context);

/* Standing events that a sender is to publish again, for those entitled since. Putting one twice, or dropping
 * one that is not there, changes nothing. store_each_replan: those after an event (zeros: from the start). */
enum status store_put_replan(struct store *store, uint32_t sender,
                             const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_drop_replan(struct store *store, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_each_replan(struct store *store, uint32_t sender,
                              const uint8_t after[static STORE_EVENT_SIZE], store_replan_visitor *visit,
                              void *context);

/* Recalls that their recipients have not confirmed. As with replans, twice is once, and dropping what is not
 * there changes nothing. store_each_recall: those of after->recipient after a sender's event (sender 0: from
 * the start), ascending by both. */
enum status store_put_recall(struct store *store, const struct store_recall *recall);
enum status store_drop_recall(struct store *store, uint32_t recipient, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE]);
enum status store_each_recall(struct store *store, const struct store_recall *after,
                              store_recall_visitor *visit, void *context);

/* store_note_report - a member reported this about an event of that sender; STATUS_EXISTS when it had before.
 * store_drop_reports - forget what was reported about one; nothing happens when that is nothing. */
enum status store_note_report(struct store *store, uint32_t reporter, uint32_t sender,
                              const uint8_t event[static STORE_EVENT_SIZE],
                              const uint8_t mark[static STORE_REPORT_SIZE]);
enum status store_drop_reports(struct store *store, uint32_t sender,
                               const uint8_t event[static STORE_EVENT_SIZE]);

/* Single values by name. store_get_state: STATUS_NOT_FOUND. */
enum status store_get_state(struct store *store, const char *name, struct byte_view *ret_value);
enum status store_put_state(struct store *store, const char *name, struct byte_view value);
