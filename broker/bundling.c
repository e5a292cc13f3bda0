#include "broker/bundling.h"

#include <stdio.h>
#include <string.h>

#include "broker/ending.h"
#include "broker/replanning.h"

/* What the store remembers: the head's digest, and of each certificate its digest and whether it was revoked.
 */
#define STATE_BUNDLE  "bundle"
#define STATE_MEMBERS "members"
#define KNOWN_SIZE    (DIGEST_SIZE + 1)
#define KNOWN_LIMIT   ((size_t)4 << 20)

static bool was_known(struct byte_view known, const uint8_t *digest, bool *ret_revoked)
{
    for (size_t i = 0; i + KNOWN_SIZE <= known.size; i += KNOWN_SIZE) {
        if (memcmp(known.data + i, digest, DIGEST_SIZE) == 0) {
            *ret_revoked = known.data[i + DIGEST_SIZE] != 0;
            return true;
        }
    }
    return false;
}

static void log_member(struct engine *engine, enum record_kind kind, const struct directory_entry *entry)
{
    struct byte_view detail = bytes_view(entry->digest, DIGEST_SIZE);
    struct record_account account = {.time = engine->now,
                                     .to = bytes_of_string(entry->member),
                                     .outcome = bytes_of_string(role_text(entry->role)),
                                     .details = &detail,
                                     .detail_count = 1};

    if (kind == RECORD_MEMBER_REVOKED)
        account.reason = bytes_of_string(entry->why_revoked);
    (void)records_add(&engine->records, kind, &account, RECORDS_NO_PERSONAL);
}

/* Logs who is new and who was revoked since what was known, and appends what is known now. */
static void compare_members(struct engine *engine, struct byte_view known, struct byte_buffer *now)
{
    const struct directory *directory = engine->rulebook->directory;

    for (size_t i = 0; i < directory_size(directory); i++) {
        const struct directory_entry *entry = directory_at(directory, i);
        bool revoked = entry->revoked_at != DIRECTORY_NEVER;
        bool before = false;
        if (!was_known(known, entry->digest, &before))
            log_member(engine, RECORD_MEMBER_ADDED, entry);
        if (revoked && !before)
            log_member(engine, RECORD_MEMBER_REVOKED, entry);
        bytes_append(now, entry->digest, DIGEST_SIZE);
        bytes_append_u8(now, revoked);
    }
}

static enum status log_bundle(struct engine *engine)
{
    const struct bundle *bundle = engine->rulebook->bundle;
    struct byte_view digest = bytes_view(bundle_head_digest(bundle), DIGEST_SIZE);
    struct record_account account = {.time = engine->now, .details = &digest, .detail_count = 1};
    struct byte_buffer known = bytes_buffer(KNOWN_LIMIT);
    struct byte_buffer now = bytes_buffer(KNOWN_LIMIT);
    struct byte_view stored;
    char serial[32];
    enum status status = store_get_state(engine->store, STATE_MEMBERS, &stored);

    if (status == STATUS_OK)
        bytes_append_view(&known, stored);
    else if (status != STATUS_NOT_FOUND)
        goto out;
    (void)snprintf(serial, sizeof serial, "serial %llu", (unsigned long long)bundle_serial(bundle));
    account.outcome = bytes_of_string(serial);
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_BUNDLE_LOADED, &account, RECORDS_NO_PERSONAL);
    compare_members(engine, bytes_buffer_view(&known), &now);
    status = now.status != STATUS_OK ? now.status : engine_append(engine);
    if (status == STATUS_OK)
        status = store_put_state(engine->store, STATE_MEMBERS, bytes_buffer_view(&now));
    if (status == STATUS_OK)
        status = store_put_state(engine->store, STATE_BUNDLE, digest);
out:
    bytes_buffer_free(&known);
    bytes_buffer_free(&now);
    return status;
}

enum status bundling_enter(struct engine *engine, const struct rulebook *before)
{
    struct byte_view stored;
    enum status status = store_get_state(engine->store, STATE_BUNDLE, &stored);

    if (status == STATUS_OK &&
        bytes_equal(stored, bytes_view(bundle_head_digest(engine->rulebook->bundle), DIGEST_SIZE)))
        return STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    status = engine_write(engine);
    if (status == STATUS_OK)
        status = log_bundle(engine);
    if (status == STATUS_OK)
        status = ending_bundle(engine, before);
    if (status == STATUS_OK)
        status = replanning_all(engine);
    return status;
}
