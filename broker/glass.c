#include "broker/glass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "proto/canonical.h"

#define STATE_NAME  "break-glass"
#define VERSION     1
#define STATE_LIMIT ((size_t)4 << 20)
#define WINDOW      CIVIL_DAY_MS       /* quotas count so far back */
#define KEPT        (2 * CIVIL_DAY_MS) /* what is settled is let go of after it */

struct glass {
    struct glass_use *uses;
    size_t count;
    size_t room;
    bool dirty;
};

enum status glass_new(struct store *store, struct glass **ret)
{
    struct glass *glass = calloc(1, sizeof *glass);
    enum status status = glass == NULL ? STATUS_NO_MEMORY : glass_reload(glass, store);

    if (status == STATUS_OK)
        *ret = glass;
    else
        glass_free(&glass);
    return status;
}

void glass_free(struct glass **glass)
{
    if (*glass == NULL)
        return;
    free((*glass)->uses);
    free(*glass);
    *glass = NULL;
}

/* ---- the stored form: version ‖ uint32 count ‖ each use ---- */

static void write_use(const struct glass_use *use, struct byte_buffer *out)
{
    bytes_append_u32(out, use->sender);
    bytes_append_u32(out, use->confirmed_by);
    bytes_append(out, use->event, sizeof use->event);
    bytes_append(out, use->subject, sizeof use->subject);
    bytes_append_u64(out, (uint64_t)use->made);
    bytes_append_u64(out, (uint64_t)use->due);
    bytes_append_u8(out, (uint8_t)((use->told ? 1 : 0) | (use->lifted ? 2 : 0)));
    canonical_append(out, bytes_of_string(use->protocol));
    canonical_append(out, bytes_of_string(use->rule));
    canonical_append(out, bytes_of_string(use->reason));
}

static void read_text(struct byte_reader *reader, char out[static PROTOCOL_ID_LENGTH + 1])
{
    struct byte_view text = {0};

    (void)canonical_read(reader, PROTOCOL_ID_LENGTH, &text);
    if (!reader->failed && text.size > 0)
        memcpy(out, text.data, text.size);
}

static void read_use(struct byte_reader *reader, struct glass_use *use)
{
    uint8_t flags;

    use->sender = bytes_read_u32(reader);
    use->confirmed_by = bytes_read_u32(reader);
    bytes_read_into(reader, use->event, sizeof use->event);
    bytes_read_into(reader, use->subject, sizeof use->subject);
    use->made = (int64_t)bytes_read_u64(reader);
    use->due = (int64_t)bytes_read_u64(reader);
    flags = bytes_read_u8(reader);
    use->told = (flags & 1) != 0;
    use->lifted = (flags & 2) != 0;
    read_text(reader, use->protocol);
    read_text(reader, use->rule);
    read_text(reader, use->reason);
}

static enum status read_uses(struct byte_view stored, struct glass *glass)
{
    struct byte_reader reader = bytes_reader(stored);
    uint8_t version = bytes_read_u8(&reader);
    uint32_t count = bytes_read_u32(&reader);
    struct glass_use *uses;

    if (reader.failed || version != VERSION || count > GLASS_USES_MAX)
        return STATUS_CORRUPT;
    uses = calloc((size_t)count + 1, sizeof *uses);
    if (uses == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        read_use(&reader, &uses[i]);
    if (!bytes_read_done(&reader)) {
        free(uses);
        return STATUS_CORRUPT;
    }
    free(glass->uses);
    glass->uses = uses;
    glass->count = count;
    glass->room = (size_t)count + 1;
    return STATUS_OK;
}

enum status glass_reload(struct glass *glass, struct store *store)
{
    struct byte_view stored;
    enum status status = store_get_state(store, STATE_NAME, &stored);

    glass->dirty = false;
    if (status == STATUS_OK)
        return read_uses(stored, glass);
    if (status != STATUS_NOT_FOUND)
        return status;
    glass->count = 0;
    return STATUS_OK;
}

static void let_go(struct glass *glass, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < glass->count; i++) {
        if (glass_waits(&glass->uses[i]) || now - glass->uses[i].made < KEPT)
            glass->uses[kept++] = glass->uses[i];
    }
    glass->count = kept;
}

enum status glass_save(struct glass *glass, struct store *store, int64_t now)
{
    struct byte_buffer out = bytes_buffer(STATE_LIMIT);
    enum status status;

    if (!glass->dirty)
        return STATUS_OK;
    let_go(glass, now);
    bytes_append_u8(&out, VERSION);
    bytes_append_u32(&out, (uint32_t)glass->count);
    for (size_t i = 0; i < glass->count; i++)
        write_use(&glass->uses[i], &out);
    status = out.status;
    if (status == STATUS_OK)
        status = store_put_state(store, STATE_NAME, bytes_buffer_view(&out));
    if (status == STATUS_OK)
        glass->dirty = false;
    bytes_buffer_free(&out);
    return status;
}

/* ---- what is asked ---- */

bool glass_waits(const struct glass_use *use)
{
    return use->confirmed_by == 0 && !use->lifted;
}

struct policy_glass glass_facts(const struct glass *glass, const char *protocol, uint32_t sender,
                                struct byte_view rule, int64_t now)
{
    struct policy_glass facts = {0};

    for (size_t i = 0; i < glass->count; i++) {
        const struct glass_use *use = &glass->uses[i];

        if (use->sender != sender || strcmp(use->protocol, protocol) != 0)
            continue;
        if (glass_waits(use) && use->due < now)
            facts.suspended = true;
        if (now - use->made < WINDOW && bytes_equal(rule, bytes_of_string(use->rule)))
            facts.used++;
    }
    return facts;
}

const struct glass_use *glass_find(const struct glass *glass, uint32_t sender,
                                   const uint8_t event[static STORE_EVENT_SIZE])
{
    for (size_t i = 0; i < glass->count; i++) {
        if (glass->uses[i].sender == sender && memcmp(glass->uses[i].event, event, STORE_EVENT_SIZE) == 0)
            return &glass->uses[i];
    }
    return NULL;
}

const struct glass_use *glass_overdue(const struct glass *glass, int64_t now)
{
    for (size_t i = 0; i < glass->count; i++) {
        if (glass_waits(&glass->uses[i]) && !glass->uses[i].told && glass->uses[i].due < now)
            return &glass->uses[i];
    }
    return NULL;
}

size_t glass_count(const struct glass *glass)
{
    return glass->count;
}

const struct glass_use *glass_at(const struct glass *glass, size_t position)
{
    return &glass->uses[position];
}

/* ---- what happens ---- */

enum status glass_made(struct glass *glass, const struct glass_use *use)
{
    if (glass->count == GLASS_USES_MAX)
        return STATUS_TOO_LARGE;
    if (glass->count == glass->room) {
        size_t room = glass->room == 0 ? 16 : 2 * glass->room;
        struct glass_use *grown = realloc(glass->uses, room * sizeof *grown);

        if (grown == NULL)
            return STATUS_NO_MEMORY;
        glass->uses = grown;
        glass->room = room;
    }
    glass->uses[glass->count++] = *use;
    glass->dirty = true;
    return STATUS_OK;
}

/* The same, to be changed. */
static struct glass_use *change(struct glass *glass, const struct glass_use *use)
{
    size_t position = (size_t)(use - glass->uses);

    assert(position < glass->count);
    glass->dirty = true;
    return &glass->uses[position];
}

void glass_confirm(struct glass *glass, const struct glass_use *use, uint32_t by)
{
    if (glass_waits(use))
        change(glass, use)->confirmed_by = by;
}

void glass_lift(struct glass *glass, const struct glass_use *use)
{
    if (glass_waits(use))
        change(glass, use)->lifted = true;
}

void glass_tell(struct glass *glass, const struct glass_use *use)
{
    change(glass, use)->told = true;
}
