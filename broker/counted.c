#include "broker/counted.h"

#include <string.h>

#include "broker/index_db.h"
#include "broker/logtiles.h"

#define UNINDEXED_MOST 200000 /* entries that are looked through without the index */

bool counted_of(const struct logrow_record *record, enum counted_role *ret_role,
                struct record_outline *ret_outline)
{
    struct record_outline outline;

    if (record_outline(record->account, &outline) != STATUS_OK)
        return false;
    switch (record->entry[1]) {
    case RECORD_ACCEPTED:
    case RECORD_REFUSED:
        *ret_role = COUNTED_SENDER;
        break;
    case RECORD_DISCLOSED:
        *ret_role = COUNTED_RECIPIENT;
        break;
    case RECORD_COUNT:
        if (!bytes_equal(outline.outcome, bytes_of_string(COUNTED_OUTCOME)))
            return false;
        *ret_role = COUNTED_COUNT;
        break;
    default:
        return false;
    }
    *ret_outline = outline;
    return true;
}

struct counted_search {
    const struct counted_query *query;
    enum status (*found)(void *context, const struct counted_entry *entry);
    void *context;
    struct record_storage storage;
    uint64_t first_counter; /* of a row: the lowest that it has of the member; 0: none */
    uint64_t next;          /* entry after the last row that was read */
    bool over;              /* a counter beyond those wanted was seen */
    struct index_mark mark;
    int64_t term;
};

/* The member's counter in a record; 0 if it has none. For a count entry: 1. */
static uint64_t counter_of(struct counted_search *search, const struct logrow_record *record)
{
    const struct counted_query *query = search->query;
    const struct byte_view member = bytes_of_string(query->member);
    struct record_outline outline;
    struct record_account account;
    enum counted_role role;

    if (!counted_of(record, &role, &outline) || role != query->role ||
        !bytes_equal(role == COUNTED_RECIPIENT ? outline.to : outline.from, member))
        return 0;
    if (role == COUNTED_COUNT)
        return 1;
    if (record_decode_account(record->account, &search->storage, &account) != STATUS_OK)
        return 0;
    return role == COUNTED_SENDER ? account.from_counter : account.to_counter;
}

/* ---- in which row ---- */

static enum status look_for_first(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                  struct byte_view personal)
{
    struct counted_search *search = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;

    search->first_counter = 0;
    search->next = first + n;
    for (uint64_t i = 0; i < n && search->first_counter == 0; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        search->first_counter = counter_of(search, &record);
    }
    return STATUS_OK;
}

/* The first indexed row from `from` on that counts the member with a number. STATUS_NOT_FOUND: none below
 * high. */
static enum status probe(struct counted_search *search, uint64_t from, uint64_t high, uint64_t *ret_row)
{
    search->first_counter = 0;
    while (from < high) {
        enum status status = index_db_seek(search->query->index, search->term, from, ret_row);
        if (status != STATUS_OK || *ret_row >= high)
            return status == STATUS_OK ? STATUS_NOT_FOUND : status;
        status = logtiles_rows(search->query->store, *ret_row, *ret_row + 1, look_for_first, search);
        if (status != STATUS_OK || search->first_counter != 0)
            return status;
        from = search->next;
    }
    return STATUS_NOT_FOUND;
}

/* The last indexed row that begins with a counter not above the one wanted, by halving; 0 if there is none.
 */
static enum status halve(struct counted_search *search, uint64_t *ret_row)
{
    uint64_t low = 0;
    uint64_t high = search->mark.indexed;
    uint64_t best = 0;

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        uint64_t row = 0;
        enum status status = probe(search, middle, high, &row);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        if (status == STATUS_NOT_FOUND || search->first_counter > search->query->first) {
            high = middle;
        } else {
            best = row;
            low = row + 1;
        }
    }
    *ret_row = best;
    return STATUS_OK;
}

/* Of the member's counts only the last one matters: halving by place alone. */
static enum status last_row(struct counted_search *search, uint64_t *ret_row)
{
    uint64_t low = 0;
    uint64_t high = search->mark.indexed;

    *ret_row = 0;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        uint64_t row = 0;
        enum status status = index_db_seek(search->query->index, search->term, middle, &row);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        if (status == STATUS_NOT_FOUND || row >= search->query->size) {
            high = middle;
            continue;
        }
        *ret_row = row;
        low = row + 1;
    }
    return STATUS_OK;
}

/* ---- the entries ---- */

static enum status tell(struct counted_search *search, uint64_t index, const struct logrow *row,
                        const struct logrow_record *record)
{
    const struct counted_entry entry = {.index = index, .row = row, .record = record};
    enum status status = search->found(search->context, &entry);

    if (status != STATUS_CLOSED)
        return status;
    search->over = true;
    return STATUS_OK;
}

static enum status look_in_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                               struct byte_view personal)
{
    struct counted_search *search = context;
    const struct counted_query *query = search->query;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    enum status status = STATUS_OK;

    search->next = first + n;
    for (uint64_t i = 0; i < n && status == STATUS_OK && !search->over && first + i < query->size; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        const uint64_t counter = counter_of(search, &record);
        if (counter == 0)
            continue;
        if (query->role == COUNTED_COUNT ||
            (counter >= query->first && counter - query->first < query->count))
            status = tell(search, first + i, &row, &record);
        else if (counter > query->first)
            search->over = true;
    }
    return status;
}

static enum status look_in_index(struct counted_search *search)
{
    const struct counted_query *query = search->query;
    uint64_t row = 0;
    enum status status = query->role == COUNTED_COUNT ? last_row(search, &row) : halve(search, &row);

    while (status == STATUS_OK && !search->over && row < search->mark.indexed && row < query->size) {
        status = index_db_seek(query->index, search->term, row, &row);
        if (status == STATUS_NOT_FOUND || row >= query->size)
            return STATUS_OK;
        if (status == STATUS_OK)
            status = logtiles_rows(query->store, row, row + 1, look_in_row, search);
        row = search->next;
    }
    return status;
}

static enum status open_index(struct counted_search *search)
{
    const struct counted_query *query = search->query;
    const struct index_word word = index_db_word((char)query->role, bytes_of_string(query->member));
    enum status status = STATUS_OK;

    search->mark.indexed = 0;
    if (query->index == NULL)
        return STATUS_OK;
    status = index_db_read_mark(query->index, &search->mark);
    if (status == STATUS_OK)
        status = index_db_term(query->index, &word, &search->term);
    if (status == STATUS_NOT_FOUND) {
        search->term = 0; /* in no row that is indexed */
        status = STATUS_OK;
    }
    return status;
}

enum status counted_find(const struct counted_query *query,
                         enum status (*found)(void *context, const struct counted_entry *entry),
                         void *context)
{
    struct counted_search search = {.query = query, .found = found, .context = context};
    enum status status = open_index(&search);

    if (status != STATUS_OK)
        return status;
    const uint64_t indexed = search.mark.indexed;
    if (indexed < query->size && query->size - indexed > UNINDEXED_MOST)
        return STATUS_BUSY;
    if (search.term != 0)
        status = look_in_index(&search);
    for (uint64_t next = indexed; status == STATUS_OK && !search.over && next < query->size;
         next = search.next)
        status = logtiles_rows(query->store, next, next + 1, look_in_row, &search);
    return status;
}
