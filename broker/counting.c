#include "broker/counting.h"

#include <stdlib.h>
#include <string.h>

#include "broker/counted.h"
#include "broker/engine.h"

/*
 * State "counted": time of the last round (8) ‖ for each member that was counted: number (4) ‖ as sender (8)
 * ‖ as recipient (8), ascending by number.
 */
#define STATE       "counted"
#define TIME_SIZE   8
#define MEMBER_SIZE 20
#define STATE_LIMIT (TIME_SIZE + (size_t)STORE_NUMBER_MAX * MEMBER_SIZE)

/* What was counted of this member the last time; zeros if never. */
static void counted_before(struct byte_view state, uint32_t number, uint64_t *ret_sent,
                           uint64_t *ret_received)
{
    *ret_sent = 0;
    *ret_received = 0;
    for (size_t at = TIME_SIZE; at + MEMBER_SIZE <= state.size; at += MEMBER_SIZE) {
        if (bytes_get_u32(state.data + at) != number)
            continue;
        *ret_sent = bytes_get_u64(state.data + at + 4);
        *ret_received = bytes_get_u64(state.data + at + 12);
        return;
    }
}

static void add_count(struct engine *engine, const struct peer *peer)
{
    uint8_t numbers[2][8];
    const struct byte_view details[] = {bytes_view(numbers[0], 8), bytes_view(numbers[1], 8)};
    const struct record_account account = {.time = engine->now,
                                           .from = bytes_of_string(peer->stored.id),
                                           .outcome = bytes_of_string(COUNTED_OUTCOME),
                                           .details = details,
                                           .detail_count = 2};

    bytes_put_u64(numbers[0], peer->stored.sent);
    bytes_put_u64(numbers[1], peer->stored.received);
    (void)records_add(&engine->records, RECORD_COUNT, &account, RECORDS_NO_PERSONAL);
}

static void remember(const struct peer *peer, struct byte_buffer *state)
{
    bytes_append_u32(state, peer->stored.number);
    bytes_append_u64(state, peer->stored.sent);
    bytes_append_u64(state, peer->stored.received);
}

static enum status run_round(struct engine *engine, struct byte_view before)
{
    struct byte_buffer state = bytes_buffer(STATE_LIMIT);
    enum status status = engine_write(engine);

    bytes_append_u64(&state, (uint64_t)engine->now);
    (void)engine_records(engine, NULL, 0);
    for (size_t i = 0; i < peers_count(engine->peers); i++) {
        const struct peer *peer = peers_at(engine->peers, i);
        uint64_t sent = 0;
        uint64_t received = 0;
        if (peer->stored.sent == 0 && peer->stored.received == 0)
            continue;
        counted_before(before, peer->stored.number, &sent, &received);
        if (peer->stored.sent != sent || peer->stored.received != received)
            add_count(engine, peer);
        remember(peer, &state);
    }
    if (status == STATUS_OK)
        status = state.status;
    if (status == STATUS_OK)
        status = engine_append(engine);
    if (status == STATUS_OK)
        status = store_put_state(engine->store, STATE, bytes_buffer_view(&state));
    bytes_buffer_free(&state);
    return status;
}

enum status counting_due(struct engine *engine)
{
    struct byte_buffer before = bytes_buffer(STATE_LIMIT);
    struct byte_view stored;
    enum status status = STATUS_OK;

    if (engine->limits.count_every == 0 || engine->now < engine->count_at)
        return STATUS_OK;
    status = store_get_state(engine->store, STATE, &stored);
    if (status == STATUS_OK && stored.size >= TIME_SIZE)
        engine->count_at = (int64_t)bytes_get_u64(stored.data) + engine->limits.count_every;
    else if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        engine->count_at = 0; /* never counted */
    if (status == STATUS_OK)
        bytes_append_view(&before, stored);
    if ((status == STATUS_OK || status == STATUS_NOT_FOUND) && engine->now >= engine->count_at) {
        status = before.status == STATUS_OK ? run_round(engine, bytes_buffer_view(&before)) : before.status;
        if (status == STATUS_OK)
            engine->count_at = engine->now + engine->limits.count_every;
    }
    bytes_buffer_free(&before);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- refusals that were repeated ---- */

enum status counting_repeats(struct engine *engine, bool all)
{
    int64_t until = all ? INT64_MAX : engine->now;
    struct record_storage *storage = NULL;
    enum status status = STATUS_OK;

    if (repeats_due(engine->repeats, until) == NULL)
        return STATUS_OK;
    storage = calloc(1, sizeof *storage);
    if (storage == NULL)
        return STATUS_NO_MEMORY;
    (void)engine_records(engine, NULL, 0);
    for (struct repeat *repeat = repeats_due(engine->repeats, until); status == STATUS_OK && repeat != NULL;
         repeat = repeats_due(engine->repeats, until)) {
        struct record_account account;
        uint8_t numbers[2][8];
        const struct byte_view details[] = {bytes_view(numbers[0], 8), bytes_view(numbers[1], 8)};
        if (repeat->counted > 0)
            status = engine_write(engine);
        if (status == STATUS_OK && repeat->counted > 0) {
            status =
                record_decode_account(bytes_view(repeat->account, repeat->account_size), storage, &account);
            bytes_put_u64(numbers[0], repeat->counted);
            bytes_put_u64(numbers[1], repeat->first);
            account.time = engine->now;
            account.from_counter = 0;
            account.details = details;
            account.detail_count = 2;
            if (status == STATUS_OK)
                (void)records_add(&engine->records, RECORD_COUNT, &account, RECORDS_NO_PERSONAL);
        }
        repeats_drop(engine->repeats, repeat);
    }
    free(storage);
    return status == STATUS_OK ? engine_append(engine) : status;
}
