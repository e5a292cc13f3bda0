#include "broker/records.h"

#include <assert.h>
#include <stdlib.h>

#define PARTS_LIMIT ((size_t)32 << 20)

struct records_item {
    enum record_kind kind;
    size_t offset;
    size_t size;
    size_t personal;
};

struct records_part {
    size_t offset;
    size_t size;
};

void records_init(struct records *records)
{
    *records = (struct records){.parts = bytes_buffer(PARTS_LIMIT)};
}

void records_free(struct records *records)
{
    bytes_buffer_free(&records->parts);
    free(records->items);
    free(records->personal);
    records_init(records);
}

void records_start(struct records *records, uint64_t first, const uint8_t *salts, size_t salt_count)
{
    bytes_buffer_clear(&records->parts);
    records->first = first;
    records->count = 0;
    records->personal_count = 0;
    records->salts = salts;
    records->salt_count = salts == NULL ? 0 : salt_count;
    records->status = STATUS_OK;
}

/* Makes room for one more of size bytes each; false without memory. */
static bool grow(void **list, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room == 0 ? 256 : 2 * *room;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*list, wanted * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *room = wanted;
    return true;
}

size_t records_personal(struct records *records, const struct record_personal *personal)
{
    size_t offset = records->parts.size;
    void *list = records->personal;

    if (records->status == STATUS_OK &&
        !grow(&list, &records->personal_room, records->personal_count, sizeof *records->personal))
        records->status = STATUS_NO_MEMORY;
    records->personal = list;
    if (records->status == STATUS_OK)
        records->status = record_encode_personal(personal, &records->parts);
    if (records->status != STATUS_OK)
        return RECORDS_NO_PERSONAL;
    records->personal[records->personal_count] = (struct records_part){offset, records->parts.size - offset};
    return records->personal_count++;
}

uint64_t records_add(struct records *records, enum record_kind kind, const struct record_account *account,
                     size_t personal)
{
    size_t offset = records->parts.size;
    void *list = records->items;

    if (records->status == STATUS_OK && !grow(&list, &records->room, records->count, sizeof *records->items))
        records->status = STATUS_NO_MEMORY;
    records->items = list;
    if (records->status == STATUS_OK)
        records->status = record_encode_account(account, &records->parts);
    if (records->status != STATUS_OK)
        return records->first;
    records->items[records->count] =
        (struct records_item){kind, offset, records->parts.size - offset, personal};
    return records->first + records->count++;
}

static const uint8_t *take_salt(struct records *records)
{
    const uint8_t *salt = records->salts;

    if (records->salt_count == 0)
        return NULL;
    records->salts += RECORD_SALT_SIZE;
    records->salt_count--;
    return salt;
}

enum status records_append(struct records *records, struct logbook *logbook)
{
    struct logbook_record *list = NULL;
    struct logbook_personal *personal = NULL;
    uint64_t first = 0;
    enum status status = records->status;

    if (status != STATUS_OK || records->count == 0)
        return status;
    list = calloc(records->count, sizeof *list);
    personal = calloc(records->personal_count + 1, sizeof *personal);
    status = STATUS_NO_MEMORY;
    if (list == NULL || personal == NULL)
        goto out;
    for (size_t i = 0; i < records->personal_count; i++)
        personal[i] = (struct logbook_personal){
            .salt = take_salt(records),
            .part = bytes_view(records->parts.data + records->personal[i].offset, records->personal[i].size)};
    for (size_t i = 0; i < records->count; i++) {
        const struct records_item *item = &records->items[i];
        list[i] = (struct logbook_record){
            .kind = item->kind,
            .account = bytes_view(records->parts.data + item->offset, item->size),
            .account_salt = take_salt(records),
            .personal = item->personal == RECORDS_NO_PERSONAL ? NULL : &personal[item->personal]};
    }
    status = logbook_append(logbook, list, records->count, &first);
    assert(status != STATUS_OK || first == records->first);
out:
    free(personal);
    free(list);
    return status;
}
