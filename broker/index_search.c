#include "broker/index_search.h"

#include "broker/index_db.h"
#include "broker/logtiles.h"
#include "proto/logrow.h"

#define TERMS_MAX 8
#define GROUP_MAX INDEX_KINDS_MAX

/* A row must hold one term of each group. */
struct term_group {
    size_t count;
    int64_t terms[GROUP_MAX];
};

struct search_state {
    struct db *index; /* NULL: none */
    struct db *store;
    const struct index_scope *scope;
    const struct index_query *query;
    bool (*found)(void *context, const struct index_hit *hit);
    void *context;
    struct term_group groups[TERMS_MAX];
    size_t group_count;
    bool nothing_indexed; /* a term that the index does not know */
    uint64_t indexed;     /* entries below are indexed */
    uint64_t end;
    uint64_t next; /* entry after the row that was looked through last */
    uint64_t hits;
    bool over;
};

/* ---- the scope ---- */

/* What tells of something that its recipient was not told. */
static bool of_the_sender_alone(enum record_kind kind)
{
    return kind == RECORD_REFUSED || kind == RECORD_COUNT || kind == RECORD_CONSULTED;
}

bool index_scope_admits(const struct index_scope *scope, enum record_kind kind, struct byte_view from,
                        struct byte_view to)
{
    if (scope->everything)
        return true;
    if (scope->agency.size == 0)
        return false;
    return bytes_equal(scope->agency, from) || (bytes_equal(scope->agency, to) && !of_the_sender_alone(kind));
}

/* ---- the rows' contents ---- */

static bool same_or_any(struct byte_view wanted, struct byte_view value)
{
    return wanted.size == 0 || bytes_equal(wanted, value);
}

/* What needs no more than an outline: most records end here. */
static bool outline_matches(const struct index_query *query, const struct record_outline *outline,
                            uint8_t number, const char *kind)
{
    bool outcome =
        same_or_any(query->outcome, outline->outcome) || bytes_equal(query->outcome, bytes_of_string(kind));

    return outcome && (query->kinds == 0 || (query->kinds >> number & 1) != 0) &&
           (same_or_any(query->member, outline->from) || bytes_equal(query->member, outline->to)) &&
           same_or_any(query->from, outline->from) && same_or_any(query->to, outline->to) &&
           same_or_any(query->type, outline->type) && outline->time >= query->since &&
           (query->until == 0 || outline->time < query->until);
}

static bool has_label(const struct record_account *account, struct byte_view label)
{
    for (size_t i = 0; i < account->label_count; i++) {
        if (bytes_equal(account->labels[i], label))
            return true;
    }
    return label.size == 0;
}

static bool account_matches(const struct index_query *query, const struct record_account *account)
{
    return same_or_any(query->purpose, account->purpose) && same_or_any(query->gateway, account->gateway) &&
           same_or_any(query->rule, account->rule) && same_or_any(query->key, account->key) &&
           (account->flags & query->flags) == query->flags && has_label(account, query->label);
}

static bool personal_matches(const struct index_query *query, const struct record_personal *personal)
{
    return same_or_any(query->subject, personal->subject) && same_or_any(query->event, personal->event) &&
           same_or_any(query->officer, personal->officer);
}

/* The personal part, if it is there; what does not decode is damage and must not pass for "nothing found". */
static enum status personal_of(const struct logrow *row, const struct logrow_record *record,
                               struct record_storage *storage, struct record_personal *personal,
                               bool *ret_erased)
{
    struct logrow_block block;

    *personal = (struct record_personal){.grounds = NULL};
    *ret_erased = false;
    if (logrow_block(row, record, &block) != STATUS_OK)
        return STATUS_CORRUPT;
    if (block.salt == NULL)
        *ret_erased = true;
    else if (block.part.size > 0 && record_decode_personal(block.part, storage, personal) != STATUS_OK)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

static void put_hit(struct search_state *state, const struct index_hit *hit)
{
    state->hits++;
    state->over =
        !state->found(state->context, hit) || (state->query->limit > 0 && state->hits >= state->query->limit);
}

/* Most records do not match, and are decoded no further than to see that. */
static enum status look_at(struct search_state *state, uint64_t at, const struct logrow *row,
                           const struct logrow_record *record)
{
    const char *kind = record_kind_text(record->entry[1]);
    struct record_outline outline;
    struct record_storage accounts;
    struct record_storage personals;
    struct record_account account;
    struct record_personal personal;
    bool erased = false;

    if (kind == NULL || record_outline(record->account, &outline) != STATUS_OK)
        return STATUS_CORRUPT;
    if (at < state->query->first ||
        !index_scope_admits(state->scope, (enum record_kind)record->entry[1], outline.from, outline.to) ||
        !outline_matches(state->query, &outline, record->entry[1], kind))
        return STATUS_OK;
    enum status status = personal_of(row, record, &personals, &personal, &erased);
    if (status != STATUS_OK || !personal_matches(state->query, &personal))
        return status;
    if (record_decode_account(record->account, &accounts, &account) != STATUS_OK)
        return STATUS_CORRUPT;
    if (account_matches(state->query, &account))
        put_hit(state, &(struct index_hit){.index = at,
                                           .kind = (enum record_kind)record->entry[1],
                                           .account = &account,
                                           .personal = erased ? NULL : &personal});
    return STATUS_OK;
}

/* Times do not go back from row to row, so a row that starts too late ends the search. */
static bool starts_too_late(const struct search_state *state, const struct logrow_record *record)
{
    struct record_outline outline;

    return state->query->until != 0 && record_outline(record->account, &outline) == STATUS_OK &&
           outline.time >= state->query->until;
}

static enum status look_through(void *context, uint64_t first, uint64_t n, struct byte_view records,
                                struct byte_view personal)
{
    struct search_state *state = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    enum status status = STATUS_OK;

    state->next = first + n;
    if (state->query->stop != NULL && atomic_load(state->query->stop))
        state->over = true;
    for (uint64_t i = 0; i < n && status == STATUS_OK && !state->over; i++) {
        status = logrow_next(&row, &record) == STATUS_OK ? STATUS_OK : STATUS_CORRUPT;
        bool beyond = state->query->end != 0 && first + i >= state->query->end;
        if (status == STATUS_OK && (beyond || (i == 0 && starts_too_late(state, &record))))
            state->over = true;
        else if (status == STATUS_OK)
            status = look_at(state, first + i, &row, &record);
    }
    return status;
}

/* ---- which rows ---- */

/* The row that holds an entry: where it starts and ends, and the time of its first record. */
struct row_place {
    uint64_t first;
    uint64_t next;
    int64_t time;
};

static enum status take_place(void *context, uint64_t first, uint64_t n, struct byte_view records,
                              struct byte_view personal)
{
    struct row_place *place = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    struct record_outline outline;

    if (logrow_next(&row, &record) != STATUS_OK || record_outline(record.account, &outline) != STATUS_OK)
        return STATUS_CORRUPT;
    *place = (struct row_place){.first = first, .next = first + n, .time = outline.time};
    return STATUS_OK;
}

/*
 * The last row whose first record is before `since` (its other records may not be), or the first row: what
 * the search starts with. Halves the entries, so it reads about log2(n) rows.
 */
static enum status first_row_since(struct search_state *state, uint64_t *ret_row)
{
    uint64_t low = 0;
    uint64_t high = state->end;
    uint64_t found = 0;

    while (state->query->since > 0 && low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct row_place place;
        enum status status = logtiles_rows(state->store, middle, middle + 1, take_place, &place);
        if (status != STATUS_OK)
            return status;
        if (place.time < state->query->since) {
            found = place.first;
            low = place.next;
        } else {
            high = place.first;
        }
    }
    *ret_row = found;
    return STATUS_OK;
}

/* The row that holds the first entry that is asked for, if that is later. */
static enum status row_of_first(struct search_state *state, uint64_t *from)
{
    struct row_place place = {.first = *from};
    enum status status = STATUS_OK;

    if (state->query->first >= state->end)
        place.first = state->end;
    else if (state->query->first > *from)
        status =
            logtiles_rows(state->store, state->query->first, state->query->first + 1, take_place, &place);
    *from = place.first > *from ? place.first : *from;
    return status;
}

/* The first row at or after `from` that holds one of the group's terms; STATUS_NOT_FOUND. */
static enum status seek_group(struct search_state *state, const struct term_group *group, uint64_t from,
                              uint64_t *ret_row)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < group->count && first != from; i++) {
        uint64_t row = 0;
        enum status status = index_db_seek(state->index, group->terms[i], from, &row);

        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        if (status == STATUS_OK && row < first)
            first = row;
    }
    if (first == UINT64_MAX)
        return STATUS_NOT_FOUND;
    *ret_row = first;
    return STATUS_OK;
}

/* The first row at or after `from` that every group agrees on; STATUS_NOT_FOUND when there is none below the
 * mark. */
static enum status next_candidate(struct search_state *state, uint64_t from, uint64_t *ret_row)
{
    uint64_t row = from;

    for (size_t agreed = 0, i = 0; agreed < state->group_count; i = (i + 1) % state->group_count) {
        uint64_t next = 0;
        enum status status = seek_group(state, &state->groups[i], row, &next);
        if (status != STATUS_OK)
            return status;
        agreed = next == row ? agreed + 1 : 1;
        row = next;
    }
    *ret_row = row;
    return row < state->indexed ? STATUS_OK : STATUS_NOT_FOUND;
}

/* Rows below the mark, by the index. */
static enum status search_indexed(struct search_state *state, uint64_t from)
{
    enum status status = STATUS_OK;

    while (!state->over && from < state->indexed) {
        status = next_candidate(state, from, &from);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_OK : status;
        status = logtiles_rows(state->store, from, from + 1, look_through, state);
        if (status != STATUS_OK)
            return status;
        from++;
    }
    return status;
}

/* Rows from there on to the end, one by one, so that no reading keeps the store's WAL from being copied. */
static enum status search_rows(struct search_state *state, uint64_t from)
{
    while (!state->over && from < state->end) {
        enum status status = logtiles_rows(state->store, from, from + 1, look_through, state);
        if (status != STATUS_OK)
            return status;
        from = state->next;
    }
    return STATUS_OK;
}

/* ---- the query's terms ---- */

/* Adds a term to a group; *ret_known false: the value is none that is indexed. */
static enum status add_term(struct search_state *state, struct term_group *group, char letter,
                            struct byte_view value, bool *ret_known)
{
    struct index_word word = index_db_word(letter, value);
    enum status status;

    *ret_known = word.size > 0;
    if (word.size == 0)
        return STATUS_OK;
    status = index_db_term(state->index, &word, &group->terms[group->count]);
    if (status == STATUS_OK)
        group->count++;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* A group that no indexed row can meet leaves the rows that are not indexed yet. */
static void close_group(struct search_state *state)
{
    if (state->groups[state->group_count].count == 0)
        state->nothing_indexed = true;
    else
        state->group_count++;
}

static enum status add_value(struct search_state *state, char letter, struct byte_view value)
{
    struct term_group *group = &state->groups[state->group_count];
    bool known = false;
    enum status status;

    group->count = 0;
    status = add_term(state, group, letter, value, &known);
    if (status == STATUS_OK && known)
        close_group(state);
    return status;
}

/* One of the common kinds is in nearly every row, and then the index is no help. */
static enum status add_kinds(struct search_state *state, uint32_t kinds)
{
    struct term_group *group = &state->groups[state->group_count];
    bool known = kinds != 0;
    enum status status = STATUS_OK;

    group->count = 0;
    for (uint8_t i = 0; known && status == STATUS_OK && i < 32; i++) {
        const char *word = (kinds >> i & 1) == 0 ? NULL : record_kind_text(i);

        if (word != NULL)
            status = add_term(state, group, 'o', bytes_of_string(word), &known);
    }
    if (status == STATUS_OK && known)
        close_group(state);
    return status;
}

static enum status find_terms(struct search_state *state)
{
    const struct index_query *query = state->query;
    struct index_mark mark;
    enum status status = index_db_read_mark(state->index, &mark);

    if (status == STATUS_OK)
        status = add_value(state, 's', query->subject);
    if (status == STATUS_OK && !state->scope->everything)
        status = add_value(state, 'm', state->scope->agency);
    if (status == STATUS_OK)
        status = add_value(state, 'm', query->member);
    if (status == STATUS_OK)
        status = add_value(state, 'm', query->from);
    if (status == STATUS_OK)
        status = add_value(state, 'm', query->to);
    if (status == STATUS_OK)
        status = add_value(state, 't', query->type);
    if (status == STATUS_OK)
        status = add_value(state, 'o', query->outcome);
    if (status == STATUS_OK)
        status = add_kinds(state, query->kinds);
    if (status == STATUS_OK)
        state->indexed = mark.indexed;
    return status;
}

/* An index that is not there or of no use only makes the search slow. */
static enum status open_both(struct search_state *state, const struct index_options *options)
{
    const struct db_options store = {
        .application_id = LOGROW_STORE_APPLICATION,
        .user_version = LOGROW_STORE_VERSION,
        .oldest = LOGROW_STORE_OLDEST,
        .schema_sql = "",
        .read_only = true,
        .cache_kib = 512,
    };

    if (options->path != NULL && index_db_open(options->path, true, &state->index) == STATUS_OK &&
        find_terms(state) != STATUS_OK) {
        state->indexed = 0;
        state->group_count = 0;
        state->nothing_indexed = false;
    }
    enum status status = db_open(options->store_path, &store, &state->store);
    if (status == STATUS_OK)
        status = logtiles_end(state->store, &state->end);
    return status;
}

enum status index_search(const struct index_options *options, const struct index_scope *scope,
                         const struct index_query *query,
                         bool (*found)(void *context, const struct index_hit *hit), void *context)
{
    struct search_state state = {.scope = scope, .query = query, .found = found, .context = context};
    uint64_t from = 0;
    enum status status = open_both(&state, options);

    if (status == STATUS_OK)
        status = first_row_since(&state, &from);
    if (status == STATUS_OK)
        status = row_of_first(&state, &from);
    if (status == STATUS_OK && state.indexed > 0 && (state.group_count > 0 || state.nothing_indexed)) {
        if (!state.nothing_indexed)
            status = search_indexed(&state, from);
        from = from < state.indexed ? state.indexed : from;
    }
    if (status == STATUS_OK)
        status = search_rows(&state, from);
    db_close(&state.index);
    db_close(&state.store);
    return status;
}
