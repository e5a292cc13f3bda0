#include "broker/retention_periods.h"

#include <string.h>

#include "base/civil.h"
#include "policy/decide.h"
#include "proto/digest.h"

#define YARDSTICK INT64_C(1767225600000) /* 2026-01-01: durations are compared from here */

static int64_t length_of(struct duration length)
{
    return civil_add_duration(YARDSTICK, length, 1);
}

static void add(struct retention_periods *periods, struct duration length)
{
    size_t at = 0;

    while (at < periods->count && length_of(periods->list[at].length) > length_of(length))
        at++;
    if (at < periods->count && length_of(periods->list[at].length) == length_of(length))
        return;
    if (periods->count == RETENTION_PERIODS_MAX) {
        /* Too many: the shortest are kept as long as the next longer one. */
        if (at == RETENTION_PERIODS_MAX)
            return;
        periods->count--;
    }
    memmove(&periods->list[at + 1], &periods->list[at], (periods->count - at) * sizeof periods->list[0]);
    periods->list[at] = (struct retention_period){.length = length};
    periods->count++;
}

/* What no rule covers: as the protocol says, or as long as its longest rule. */
static struct duration log_length(const struct protocol *protocol)
{
    struct duration longest = protocol->log_retention;

    for (uint16_t i = 0; !protocol->has_log_retention && i < protocol->rule_count; i++) {
        if (length_of(protocol->rules[i].retention) > length_of(longest))
            longest = protocol->rules[i].retention;
    }
    return longest;
}

void retention_periods_of(const struct rulebook *rulebook, struct retention_periods *ret)
{
    struct byte_view digests[BUNDLE_PROTOCOLS_MAX];

    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < rulebook->protocol_count; i++) {
        const struct protocol *protocol = rulebook->protocols[i].protocol;
        digests[i] = bytes_view(rulebook->protocols[i].digest, DIGEST_SIZE);
        add(ret, log_length(protocol));
        for (uint16_t k = 0; k < protocol->rule_count; k++)
            add(ret, protocol->rules[k].retention);
    }
    digest_sha256_parts(digests, rulebook->protocol_count, ret->protocols);
}

/* ---- the stored form: forget ‖ digest ‖ for each period months ‖ milliseconds ‖ next ---- */

void retention_periods_store(const struct retention_periods *periods, struct byte_buffer *out)
{
    bytes_append_u8(out, periods->forget);
    bytes_append(out, periods->protocols, DIGEST_SIZE);
    for (size_t i = 0; i < periods->count; i++) {
        bytes_append_u32(out, (uint32_t)periods->list[i].length.months);
        bytes_append_u64(out, (uint64_t)periods->list[i].length.ms);
        bytes_append_u64(out, periods->list[i].next);
    }
}

void retention_periods_resume(struct retention_periods *periods, struct byte_view stored)
{
    struct byte_reader reader = bytes_reader(stored);
    bool forget = bytes_read_u8(&reader) != 0;
    struct byte_view protocols = bytes_read_view(&reader, DIGEST_SIZE);

    periods->forget = !reader.failed && forget;
    if (reader.failed || !bytes_equal(protocols, bytes_view(periods->protocols, DIGEST_SIZE)))
        return;
    for (size_t i = 0; i < periods->count; i++) {
        struct duration length = {.months = (int32_t)bytes_read_u32(&reader)};
        length.ms = (int64_t)bytes_read_u64(&reader);
        uint64_t next = bytes_read_u64(&reader);
        if (reader.failed || length.months != periods->list[i].length.months ||
            length.ms != periods->list[i].length.ms)
            return;
        periods->list[i].next = next;
    }
}

/* ---- one record ---- */

static size_t position(const struct retention_periods *periods, struct duration length)
{
    size_t at = periods->count - 1;

    while (at > 0 && length_of(periods->list[at].length) < length_of(length))
        at--;
    return at;
}

static size_t log_position(const struct retention_periods *periods, const struct rulebook *rulebook,
                           const struct rulebook_protocol *known)
{
    size_t longest = periods->count - 1;

    if (known != NULL)
        return position(periods, log_length(known->protocol));
    for (size_t i = 0; i < rulebook->protocol_count; i++) {
        size_t at = position(periods, log_length(rulebook->protocols[i].protocol));
        longest = at < longest ? at : longest;
    }
    return longest;
}

size_t retention_periods_find(const struct retention_periods *periods, const struct rulebook *rulebook,
                              enum record_kind kind, const struct record_account *account)
{
    const struct rulebook_protocol *known = NULL;
    size_t longest = periods->count;

    for (size_t i = 0; i < rulebook->protocol_count; i++) {
        if (bytes_equal(account->protocol, bytes_view(rulebook->protocols[i].digest, DIGEST_SIZE)))
            known = &rulebook->protocols[i];
    }
    if ((LOGPARTS_KIND(kind) & LOGPARTS_KEPT) != 0 || account->rule.size == 0)
        return log_position(periods, rulebook, known);
    for (size_t i = 0; i < rulebook->protocol_count; i++) {
        struct duration length;
        if ((known != NULL && known != &rulebook->protocols[i]) ||
            policy_retention(rulebook->protocols[i].protocol, account->rule, &length) != STATUS_OK)
            continue;
        size_t at = position(periods, length);
        longest = at < longest ? at : longest;
    }
    return longest < periods->count ? longest : log_position(periods, rulebook, known);
}
