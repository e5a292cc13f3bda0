#pragma once

#include "broker/logparts.h"
#include "broker/rulebook.h"

/*
 * How long the log's personal parts are kept under the protocols in force, and how far each period has been
 * gone through. Pure but for its stored form.
 */
#define RETENTION_PERIODS_MAX 64

struct retention_period {
    struct duration length;
    uint64_t next; /* the first entry that was not looked at for this period */
};

struct retention_periods {
    uint8_t protocols[DIGEST_SIZE]; /* of which they are */
    bool forget; /* something was overwritten and may still stand in the write-ahead log or the index */
    size_t count;
    struct retention_period list[RETENTION_PERIODS_MAX]; /* longest first, each once */
};

/* retention_periods_of - those of all rules and logs of a rulebook, nothing looked at yet. */
void retention_periods_of(const struct rulebook *rulebook, struct retention_periods *ret);

/* retention_periods_resume - how far each got, from the stored form; only forget when that is of other
 * protocols. */
void retention_periods_resume(struct retention_periods *periods, struct byte_view stored);

/* retention_periods_store - appends the stored form. */
void retention_periods_store(const struct retention_periods *periods, struct byte_buffer *out);

/*
 * retention_periods_find - which period a record's personal part has: its rule's in the protocol version that
 * it names, or if that is not in force the longest of any rule of that name; the log's own for kinds that go
 * by retention only, and for what names no rule that is known.
 */
size_t retention_periods_find(const struct retention_periods *periods, const struct rulebook *rulebook,
                              enum record_kind kind, const struct record_account *account);
