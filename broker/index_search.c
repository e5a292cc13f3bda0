#include "broker/index_search.h"

#include "broker/index_db.h"
#include "broker/logtiles.h"
#include "proto/logrow.h"

#define TERMS_MAX 5

struct search_state {
    struct db *index; /* NULL: none */
    struct db *store;
    const struct index_scope *scope;
    const struct index_query *query;
    bool (*found)(void *context, const struct index_hit *hit);
    void *context;
    int64_t terms[TERMS_MAX];
    size_t term_count;
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

static bool outline_matches(const struct index_query *query, const struct record_outline *outline,
                            const char *kind)
{
    bool outcome =
        same_or_any(query->outcome, outline->outcome) || bytes_equal(query->outcome, bytes_of_string(kind));

    return outcome &&
           (same_or_any(query->member, outline->from) || bytes_equal(query->member, outline->to)) &&
           same_or_any(query->type, outline->type) && outline->time >= query->since &&
           (query->until == 0 || outline->time < query->until);
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
    if (!index_scope_admits(state->scope, (enum record_kind)record->entry[1], outline.from, outline.to) ||
        !outline_matches(state->query, &outline, kind))
        return STATUS_OK;
    enum status status = personal_of(row, record, &personals, &personal, &erased);
    if (status != STATUS_OK || !same_or_any(state->query->subject, personal.subject))
        return status;
    if (record_decode_account(record->account, &accounts, &account) != STATUS_OK)
        return STATUS_CORRUPT;
    const struct index_hit hit = {
        .index = at,
        .kind = (enum record_kind)record->entry[1],
        .account = &account,
        .personal = erased ? NULL : &personal,
    };
    state->hits++;
    state->over = !state->found(state->context, &hit) ||
                  (state->query->limit > 0 && state->hits >= state->query->limit);
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
        if (status == STATUS_OK && i == 0 && starts_too_late(state, &record))
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

/* The first row at or after `from` that holds every term; STATUS_NOT_FOUND when there is none below the mark.
 */
static enum status next_candidate(struct search_state *state, uint64_t from, uint64_t *ret_row)
{
    uint64_t row = from;

    for (size_t agreed = 0, i = 0; agreed < state->term_count; i = (i + 1) % state->term_count) {
        uint64_t next = 0;
        enum status status = index_db_seek(state->index, state->terms[i], row, &next);
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

static enum status add_term(struct search_state *state, char letter, struct byte_view value)
{
    struct index_word word = index_db_word(letter, value);

    if (word.size == 0)
        return STATUS_OK;
    enum status status = index_db_term(state->index, &word, &state->terms[state->term_count]);
    if (status == STATUS_NOT_FOUND)
        state->nothing_indexed = true;
    if (status == STATUS_OK)
        state->term_count++;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status find_terms(struct search_state *state)
{
    struct index_mark mark;
    enum status status = index_db_read_mark(state->index, &mark);

    if (status == STATUS_OK)
        status = add_term(state, 's', state->query->subject);
    if (status == STATUS_OK && !state->scope->everything)
        status = add_term(state, 'm', state->scope->agency);
    if (status == STATUS_OK)
        status = add_term(state, 'm', state->query->member);
    if (status == STATUS_OK)
        status = add_term(state, 't', state->query->type);
    if (status == STATUS_OK)
        status = add_term(state, 'o', state->query->outcome);
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
        state->term_count = 0;
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
    if (status == STATUS_OK && state.indexed > 0 && (state.term_count > 0 || state.nothing_indexed)) {
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
