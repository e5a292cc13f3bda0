#include "agent/inbox_content.h"

#include <string.h>

#include "proto/canonical.h"

/* Format: u8 1 ‖ u8 reason ‖ canonical(core, rule) ‖ list of labels ‖ u32 count ‖ canonical(label, value)… */
#define CONTENT_VERSION 1

void inbox_content_encode(const struct envelope_delivered *event, const struct arrival *arrival,
                          struct byte_buffer *ret)
{
    struct byte_view rest = event->section.labels;
    struct byte_view label = {0};
    const size_t items = arrival->items != NULL ? arrival->items->count : 0;

    bytes_append_u8(ret, CONTENT_VERSION);
    bytes_append_u8(ret, (uint8_t)arrival->reason);
    canonical_append(ret, event->header.core);
    canonical_append(ret, event->section.rule);
    canonical_append_list_start(ret, (uint32_t)event->section.label_count);
    while (section_next_label(&rest, &label))
        canonical_append(ret, label);
    canonical_append_list_start(ret, (uint32_t)items);
    for (size_t i = 0; i < items; i++) {
        canonical_append(ret, arrival->items->list[i].label);
        canonical_append(ret, arrival->items->list[i].value);
    }
}

static void encode_again(const struct inbox_event *event, struct byte_buffer *ret)
{
    struct byte_buffer core = bytes_buffer(CORE_SIZE_MAX);

    (void)core_encode(&event->core, &core);
    bytes_append_u8(ret, CONTENT_VERSION);
    bytes_append_u8(ret, (uint8_t)event->reason);
    canonical_append(ret, bytes_buffer_view(&core));
    canonical_append(ret, event->rule);
    canonical_append_list_start(ret, (uint32_t)event->label_count);
    for (size_t i = 0; i < event->label_count; i++)
        canonical_append(ret, event->labels[i]);
    canonical_append_list_start(ret, (uint32_t)event->item_count);
    for (size_t i = 0; i < event->item_count; i++) {
        canonical_append(ret, event->items[i].label);
        canonical_append(ret, event->items[i].value);
    }
    if (ret->status == STATUS_OK)
        ret->status = core.status;
    bytes_buffer_free(&core);
}

enum status inbox_content_keep(struct agent *agent, const struct inbox_event *event)
{
    struct db_statement *statement = NULL;
    struct byte_buffer plain = bytes_buffer(INBOX_CONTENT_LIMIT);
    struct byte_buffer sealed = bytes_buffer(INBOX_CONTENT_LIMIT + VAULT_OVERHEAD);
    uint8_t place[INBOX_CONTENT_PLACE];
    enum status status = STATUS_OK;

    encode_again(event, &plain);
    status = plain.status;
    if (status == STATUS_OK)
        status = vault_seal(agent->vault,
                            inbox_content_place(event->core.event, bytes_of_string(event->sender), place),
                            bytes_buffer_view(&plain), &sealed);
    if (status == STATUS_OK)
        status = db_statement(agent->db, "UPDATE inbox SET content = ? WHERE id = ?", &statement);
    if (status == STATUS_OK) {
        db_bind_blob(statement, 1, bytes_buffer_view(&sealed));
        db_bind_int64(statement, 2, event->id);
        status = db_run(statement);
    }
    bytes_buffer_wipe(&plain);
    bytes_buffer_free(&sealed);
    return status;
}

static void read_lists(struct byte_reader *reader, struct inbox_event *event)
{
    uint32_t count = 0;

    (void)canonical_read_list_start(reader, ITEMS_MAX, &count);
    for (uint32_t i = 0; i < count && !reader->failed; i++)
        (void)canonical_read(reader, LABELS_SIZE, &event->labels[i]);
    event->label_count = count;
    count = 0;
    (void)canonical_read_list_start(reader, ITEMS_MAX, &count);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        (void)canonical_read(reader, LABELS_SIZE, &event->items[i].label);
        (void)canonical_read(reader, ITEMS_VALUE_MAX, &event->items[i].value);
    }
    event->item_count = count;
}

enum status inbox_content_decode(struct inbox_event *event)
{
    struct byte_reader reader = bytes_reader(bytes_buffer_view(&event->kept));
    struct byte_view core = {0};
    uint8_t reason = 0;

    if (bytes_read_u8(&reader) != CONTENT_VERSION)
        return STATUS_CORRUPT;
    reason = bytes_read_u8(&reader);
    (void)canonical_read(&reader, CORE_SIZE_MAX, &core);
    (void)canonical_read(&reader, LABELS_SIZE, &event->rule);
    read_lists(&reader, event);
    if (!bytes_read_done(&reader) || reason > ARRIVAL_TARGET || core_decode(core, &event->core) != STATUS_OK)
        return STATUS_CORRUPT;
    event->reason = (enum arrival_reason)reason;
    event->has_content = true;
    return STATUS_OK;
}

struct byte_view inbox_content_place(const uint8_t event[static UUID_SIZE], struct byte_view sender,
                                     uint8_t out[static INBOX_CONTENT_PLACE])
{
    const size_t size = sender.size < MEMBER_ID_LENGTH ? sender.size : MEMBER_ID_LENGTH;

    memcpy(out, "inbox:", 6);
    memcpy(out + 6, event, UUID_SIZE);
    memcpy(out + 6 + UUID_SIZE, sender.data, size);
    return bytes_view(out, 6 + UUID_SIZE + size);
}
