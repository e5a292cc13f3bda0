#include "proto/logrow.h"

#include <assert.h>

#define ERASED      UINT32_C(0x80000000)
#define BLOCK_START (RECORD_SALT_SIZE + 4)

void logrow_add_block(struct byte_buffer *personal, const uint8_t salt[static RECORD_SALT_SIZE],
                      struct byte_view part, uint32_t *ret_place)
{
    assert(part.size <= RECORD_PART_MAX && personal->size <= LOGROW_MAX);
    *ret_place = (uint32_t)personal->size;
    bytes_append(personal, salt, RECORD_SALT_SIZE);
    bytes_append_u32(personal, (uint32_t)part.size);
    bytes_append_view(personal, part);
}

void logrow_add_record(struct byte_buffer *records, const struct logrow_record *record)
{
    assert(record->account.size <= RECORD_PART_MAX);
    bytes_append(records, record->entry, RECORD_ENTRY_SIZE);
    bytes_append(records, record->account_salt, RECORD_SALT_SIZE);
    bytes_append_u32(records, (uint32_t)record->account.size);
    bytes_append_view(records, record->account);
    bytes_append_u32(records, record->place);
}

struct logrow logrow_open(struct byte_view records, struct byte_view personal)
{
    return (struct logrow){.records = bytes_reader(records), .personal = personal};
}

enum status logrow_next(struct logrow *row, struct logrow_record *ret_record)
{
    struct byte_reader *reader = &row->records;
    struct logrow_record record;

    if (bytes_read_done(reader))
        return STATUS_NOT_FOUND;
    record.entry = bytes_read_view(reader, RECORD_ENTRY_SIZE).data;
    record.account_salt = bytes_read_view(reader, RECORD_SALT_SIZE).data;
    uint32_t size = bytes_read_u32(reader);
    if (size > RECORD_PART_MAX)
        reader->failed = true;
    record.account = bytes_read_view(reader, size);
    record.place = bytes_read_u32(reader);
    if (reader->failed)
        return STATUS_BAD_FORMAT;
    *ret_record = record;
    return STATUS_OK;
}

static bool is_zero(struct byte_view view)
{
    uint8_t any = 0;

    for (size_t i = 0; i < view.size; i++)
        any |= view.data[i];
    return any == 0;
}

enum status logrow_block(const struct logrow *row, const struct logrow_record *record,
                         struct logrow_block *ret_block)
{
    struct byte_reader reader = bytes_reader(row->personal);

    (void)bytes_read_view(&reader, record->place);
    struct byte_view salt = bytes_read_view(&reader, RECORD_SALT_SIZE);
    uint32_t length = bytes_read_u32(&reader);
    bool erased = (length & ERASED) != 0;
    length &= ~ERASED;
    struct byte_view part = bytes_read_view(&reader, length);
    if (reader.failed || length > RECORD_PART_MAX)
        return STATUS_BAD_FORMAT;
    if (erased && (!is_zero(salt) || !is_zero(part)))
        return STATUS_BAD_FORMAT;
    *ret_block = (struct logrow_block){
        .salt = erased ? NULL : salt.data,
        .part = part,
        .size = BLOCK_START + length,
    };
    return STATUS_OK;
}

enum status logrow_verify(const struct logrow *row, const struct logrow_record *record)
{
    struct logrow_block block;
    enum status status = logrow_block(row, record, &block);

    if (status != STATUS_OK)
        return status;
    return record_verify(record->entry, record->account_salt, record->account, block.salt, block.part);
}

void logrow_erased_block(size_t size, struct byte_buffer *out)
{
    assert(size >= BLOCK_START && size - BLOCK_START <= RECORD_PART_MAX);
    bytes_append_zeros(out, RECORD_SALT_SIZE);
    bytes_append_u32(out, (uint32_t)(size - BLOCK_START) | ERASED);
    bytes_append_zeros(out, size - BLOCK_START);
}
