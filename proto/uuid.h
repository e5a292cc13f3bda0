#pragma once

#include "base/bytes.h"
#include "proto/random.h"

/*
 * UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds since the Unix epoch, then a counter and random
 * bits. The first 26 bits after the time, version and variant skipped, are the counter (§6.2, method 1): it
 * starts at random below half its range in every new millisecond, so that the ids of one source ascend
 * strictly even when the clock stands still or goes back. The remaining 48 bits are random.
 */
#define UUID_SIZE      16
#define UUID_TEXT_SIZE 37 /* with the terminating zero */

/* Where one series of ids comes from. Not thread-safe: one source a thread, or a lock around it. */
struct uuid_source {
    const struct random_source *random; /* borrowed */
    int64_t last_ms;                    /* -1 before the first id */
    uint32_t counter;                   /* of the last id, 26 bits */
};

/* uuid_source - a fresh source over borrowed random bytes: random_system(), outside of tests. */
struct uuid_source uuid_source(const struct random_source *random);

/*
 * uuid_resume - go on above an id made before a restart, whatever the clock says now. An id below the
 * source's last one changes nothing. Returns STATUS_BAD_FORMAT if it is not of version 7.
 */
enum status uuid_resume(struct uuid_source *source, const uint8_t last[static UUID_SIZE]);

/*
 * uuid_next - the next id, greater than all that this source gave before.
 *
 * now_ms  milliseconds since the Unix epoch; a value below the last one is taken as the last one. When a
 *         millisecond's counter is used up the id's time runs ahead of now_ms by one.
 *
 * Returns STATUS_BAD_ARGUMENT for a time outside 48 bits, or what the random source returned.
 */
enum status uuid_next(struct uuid_source *source, int64_t now_ms, uint8_t ret_id[static UUID_SIZE]);

/* uuid_format - 8-4-4-4-12 lower-case hexadecimal digits and a zero (RFC 9562 §4). */
void uuid_format(const uint8_t id[static UUID_SIZE], char ret_text[static UUID_TEXT_SIZE]);

/* uuid_parse - exactly what uuid_format writes, of any version; STATUS_BAD_FORMAT otherwise, also for
 * upper-case digits. */
enum status uuid_parse(struct byte_view text, uint8_t ret_id[static UUID_SIZE]);

bool uuid_is_v7(const uint8_t id[static UUID_SIZE]);

/* uuid_time - milliseconds since the Unix epoch in an id of version 7. */
int64_t uuid_time(const uint8_t id[static UUID_SIZE]);

/* uuid_compare - as memcmp: for ids of one source the order in which they were made. */
int uuid_compare(const uint8_t a[static UUID_SIZE], const uint8_t b[static UUID_SIZE]);
