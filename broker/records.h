#pragma once

#include "broker/logbook.h"

/*
 * The log records of one frame, gathered and then appended as one row. Belongs to the store thread.
 */
#define RECORDS_NO_PERSONAL SIZE_MAX

struct records_item;
struct records_part;

struct records {
    uint64_t first;           /* the index that the first record will get */
    struct byte_buffer parts; /* encoded parts, one after the other */
    struct records_item *items;
    size_t count;
    size_t room;
    struct records_part *personal;
    size_t personal_count;
    size_t personal_room;
    const uint8_t *salts; /* fresh random bytes drawn elsewhere; borrowed */
    size_t salt_count;
    enum status status; /* the first failure; everything after it does nothing */
};

void records_init(struct records *records);
void records_free(struct records *records);

/* records_start - forget what was gathered; the next record is to stand at index first. salts may be NULL. */
void records_start(struct records *records, uint64_t first, const uint8_t *salts, size_t salt_count);

/* records_personal - a personal part that records may share; gives its number. */
size_t records_personal(struct records *records, const struct record_personal *personal);

/* records_add - one record; gives the index that it will have in the log. */
uint64_t records_add(struct records *records, enum record_kind kind, const struct record_account *account,
                     size_t personal);

/* records_append - the row, within the store's transaction; nothing happens when there are none. Returns what
 * gathering or logbook_append returned. */
enum status records_append(struct records *records, struct logbook *logbook);
