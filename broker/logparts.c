#include "broker/logparts.h"

#include <stdlib.h>

#include "broker/logtiles.h"

#define ENTRIES_AT_ONCE 4096

/* ---- one entry ---- */

struct found_block {
    uint64_t index;
    struct logparts_block block;
    bool erased;
};

static enum status find_block(void *context, uint64_t first, uint64_t n, struct byte_view records,
                              struct byte_view personal)
{
    struct found_block *found = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record = {0};
    struct logrow_block block;

    (void)n;
    for (uint64_t i = first; i <= found->index; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
    }
    if (logrow_block(&row, &record, &block) != STATUS_OK)
        return STATUS_CORRUPT;
    found->erased = block.salt == NULL;
    found->block = (struct logparts_block){first, record.place, block.size};
    return STATUS_OK;
}

enum status logparts_erase(struct db *db, uint64_t index)
{
    struct found_block found = {.index = index};
    enum status status = logtiles_rows(db, index, index + 1, find_block, &found);

    return status == STATUS_OK && !found.erased ? logparts_blank(db, &found.block) : status;
}

enum status logparts_blank(struct db *db, const struct logparts_block *block)
{
    struct byte_buffer zeros = bytes_buffer(LOGROW_MAX);
    enum status status;

    logrow_erased_block(block->size, &zeros);
    status = zeros.status;
    if (status == STATUS_OK)
        status = db_blob_write(db, "log", "personal", (int64_t)block->row, block->place,
                               bytes_buffer_view(&zeros));
    bytes_buffer_free(&zeros);
    return status;
}

struct found_account {
    uint64_t index;
    struct byte_buffer *ret;
};

static enum status take_account(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                struct byte_view personal)
{
    struct found_account *found = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record = {0};

    (void)n;
    for (uint64_t i = first; i <= found->index; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
    }
    bytes_append_view(found->ret, record.account);
    return found->ret->status;
}

enum status logparts_account(struct db *db, uint64_t index, struct byte_buffer *ret)
{
    struct found_account found = {.index = index, .ret = ret};

    return logtiles_rows(db, index, index + 1, take_account, &found);
}

/* ---- many ---- */

struct passing {
    uint64_t from;
    uint64_t next;
    logparts_visitor *visit;
    void *context;
    bool enough;
    struct record_storage *account_storage;
    struct record_storage *personal_storage;
};

static enum status show(struct passing *passing, const struct logrow *row, const struct logrow_record *record,
                        struct logparts_part *part)
{
    struct record_account account;
    struct record_personal personal;
    struct logrow_block block;

    if (logrow_block(row, record, &block) != STATUS_OK)
        return STATUS_CORRUPT;
    if (block.salt == NULL || block.part.size == 0)
        return STATUS_OK;
    if (record_decode_account(record->account, passing->account_storage, &account) != STATUS_OK ||
        record_decode_personal(block.part, passing->personal_storage, &personal) != STATUS_OK)
        return STATUS_CORRUPT;
    part->entry = record->entry;
    part->kind = (enum record_kind)record->entry[1];
    part->account = &account;
    part->personal = &personal;
    part->block.size = block.size;
    passing->enough = !passing->visit(passing->context, part);
    return STATUS_OK;
}

/* Of the block that the record at `index` refers to: its kinds and its last entry. */
static enum status look_ahead(struct logrow row, uint64_t index, uint64_t end, uint32_t place,
                              uint32_t *ret_kinds, uint64_t *ret_last)
{
    struct logrow_record record;

    for (; index < end; index++) {
        if (logrow_next(&row, &record) != STATUS_OK || record_kind_text(record.entry[1]) == NULL)
            return STATUS_CORRUPT;
        if (record.place != place)
            return STATUS_OK;
        *ret_kinds |= LOGPARTS_KIND(record.entry[1]);
        *ret_last = index;
    }
    return STATUS_OK;
}

static enum status pass_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                            struct byte_view personal)
{
    struct passing *passing = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    struct logparts_part part = {.block.row = first};
    uint64_t last = 0;

    for (uint64_t i = first; i < first + n && !passing->enough; i++) {
        const struct logrow here = row;
        enum status status = logrow_next(&row, &record) == STATUS_OK ? STATUS_OK : STATUS_CORRUPT;
        if (status == STATUS_OK && (i == first || record.place != part.block.place)) {
            part.first = i;
            part.kinds = 0;
            part.block.place = record.place;
            status = look_ahead(here, i, first + n, record.place, &part.kinds, &last);
        }
        part.index = i;
        part.last = i == last;
        if (status == STATUS_OK && i >= passing->from)
            status = show(passing, &row, &record, &part);
        if (status != STATUS_OK)
            return status;
        passing->next = i + 1;
    }
    return STATUS_OK;
}

enum status logparts_each(struct db *db, uint64_t first, uint64_t end, logparts_visitor *visit, void *context,
                          uint64_t *ret_next)
{
    const uint64_t stop = first < end && end - first > ENTRIES_AT_ONCE ? first + ENTRIES_AT_ONCE : end;
    struct passing passing = {.from = first, .next = first, .visit = visit, .context = context};
    enum status status = STATUS_NO_MEMORY;

    passing.account_storage = calloc(1, sizeof *passing.account_storage);
    passing.personal_storage = calloc(1, sizeof *passing.personal_storage);
    if (passing.account_storage != NULL && passing.personal_storage != NULL)
        status = first < end ? logtiles_rows(db, first, stop, pass_row, &passing) : STATUS_OK;
    free(passing.account_storage);
    free(passing.personal_storage);
    if (status == STATUS_OK)
        *ret_next = passing.next;
    return status;
}
