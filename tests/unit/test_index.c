#include "tests/support/loghouse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/index.h"
#include "broker/search.h"

#define SUBJECTS 7
#define ENTRIES  6000

/* What every record of the log in these tests says, by its index. */
struct model {
    const char *from;
    const char *to;
    const char *type;
    const char *outcome;
    enum record_kind kind;
    int64_t time;
    int subject;    /* -1: none */
    unsigned extra; /* numbers of words below, two bits each */
    uint8_t flags;
};

static struct loghouse house;
static struct model models[ENTRIES];
static size_t model_count;
static char index_path[96];
static struct index_options options;
static uint8_t subjects[SUBJECTS][36];

static const char *const members[] = {"police.staffordshire", "prison.dovegate", "drugs.stoke", ""};
/* Of labels, purposes, gateways, rules, officers, and as bytes of events and keys. */
static const char *const words[] = {"first", "second", "third", "fourth"};
enum { LABEL, PURPOSE, GATEWAY, RULE, OFFICER, EVENT, KEY, EXTRAS };
static const uint8_t ids[4][16] = {{1}, {2}, {3}, {4}};

static const char *word_of(const struct model *model, unsigned which)
{
    return words[model->extra >> 2 * which & 3];
}

static struct byte_view id_of(const struct model *model, unsigned which)
{
    return bytes_view(ids[model->extra >> 2 * which & 3], 16);
}

static const char *const types[] = {"release.planned", "arrest.made", "breach.recorded"};

static struct model random_model(size_t index)
{
    static const enum record_kind kinds[] = {RECORD_ACCEPTED, RECORD_DISCLOSED, RECORD_REFUSED,
                                             RECORD_DELIVERED};
    static const enum record_kind rare[] = {RECORD_WITHDRAWN, RECORD_OVERRIDE};
    struct model model = {
        .from = members[support_below(&house.random, 3)],
        .to = members[support_below(&house.random, 4)],
        .type = support_below(&house.random, 400) == 0 ? "rare.type" : types[support_below(&house.random, 3)],
        .kind = kinds[support_below(&house.random, 4)],
        .time = LOGHOUSE_NOW + (int64_t)(index / 50) * 1000,
        .subject = (int)support_below(&house.random, SUBJECTS + 1) - 1,
        .extra = (unsigned)support_below(&house.random, 1u << 2 * EXTRAS),
        .flags = (uint8_t)support_below(&house.random, 8) | RECORD_LATE,
    };

    if (support_below(&house.random, 100) == 0)
        model.kind = rare[support_below(&house.random, 2)];
    model.outcome = model.kind == RECORD_REFUSED ? "no rule" : "accepted";
    return model;
}

static void encode(const struct model *model, struct byte_buffer *account, struct byte_buffer *personal)
{
    const struct byte_view label = bytes_of_string(word_of(model, LABEL));
    struct record_account a = {
        .time = model->time,
        .from = bytes_of_string(model->from),
        .to = bytes_of_string(model->to),
        .type = bytes_of_string(model->type),
        .outcome = bytes_of_string(model->outcome),
        .purpose = bytes_of_string(word_of(model, PURPOSE)),
        .gateway = bytes_of_string(word_of(model, GATEWAY)),
        .rule = bytes_of_string(word_of(model, RULE)),
        .labels = &label,
        .label_count = 1,
        .key = id_of(model, KEY),
        .flags = model->flags,
    };
    struct record_personal p = {.grounds = NULL};

    if (model->subject >= 0) {
        p.officer = bytes_of_string(word_of(model, OFFICER));
        p.event = id_of(model, EVENT);
    }

    if (model->subject >= 0)
        p.subject = bytes_view(subjects[model->subject], sizeof subjects[0]);
    bytes_buffer_clear(account);
    bytes_buffer_clear(personal);
    assert_int_equal(record_encode_account(&a, account), STATUS_OK);
    assert_int_equal(record_encode_personal(&p, personal), STATUS_OK);
}

/* Rows of 1 to 9 records in transactions of some rows, up to that many entries. */
static void grow(size_t entries)
{
    struct byte_buffer parts[9][2];

    for (size_t i = 0; i < 18; i++)
        parts[i / 2][i % 2] = bytes_buffer(4096);
    while (model_count < entries) {
        assert_int_equal(db_begin(house.store), STATUS_OK);
        for (size_t row = 0; row < 40 && model_count < entries; row++) {
            struct logbook_record records[9];
            struct logbook_personal personals[9];
            size_t n = 1 + support_below(&house.random, 9);
            uint64_t first = 0;
            if (n > entries - model_count)
                n = entries - model_count;
            int64_t start = LOGHOUSE_NOW + (int64_t)(model_count / 50) * 1000;
            for (size_t i = 0; i < n; i++) {
                struct model *model = &models[model_count + i];
                *model = random_model(model_count + i);
                if (model->time < start)
                    model->time = start;
                encode(model, &parts[i][0], &parts[i][1]);
                personals[i] = (struct logbook_personal){.part = bytes_buffer_view(&parts[i][1])};
                records[i] = (struct logbook_record){.kind = model->kind,
                                                     .account = bytes_buffer_view(&parts[i][0]),
                                                     .personal = model->subject < 0 ? NULL : &personals[i]};
            }
            assert_int_equal(logbook_append(house.logbook, records, n, &first), STATUS_OK);
            model_count += n;
        }
        assert_int_equal(logbook_save(house.logbook), STATUS_OK);
        assert_int_equal(db_commit(house.store), STATUS_OK);
        logbook_commit(house.logbook);
    }
    for (size_t i = 0; i < 18; i++)
        bytes_buffer_free(&parts[i / 2][i % 2]);
}

static int set_up(void **state)
{
    (void)state;
    loghouse_make(&house, 4711);
    model_count = 0;
    snprintf(index_path, sizeof index_path, "%s/index.db", house.folder);
    options = (struct index_options){.path = index_path, .store_path = house.store_path};
    for (size_t i = 0; i < SUBJECTS; i++)
        memset(subjects[i], (int)(i + 1), sizeof subjects[i]);
    return loghouse_open(&house) == STATUS_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    loghouse_remove(&house);
    return 0;
}

/* ---- searching ---- */

static const struct index_scope everything = {.everything = true};

struct found {
    uint64_t indexes[ENTRIES];
    size_t count;
};

static bool take(void *context, const struct index_hit *hit)
{
    struct found *found = context;
    const struct model *model = &models[hit->index];

    assert_true(found->count < ENTRIES);
    assert_int_equal(hit->kind, model->kind);
    assert_true(bytes_equal(hit->account->from, bytes_of_string(model->from)));
    assert_int_equal(hit->account->time, model->time);
    found->indexes[found->count++] = hit->index;
    return true;
}

static bool same(struct byte_view wanted, const char *value)
{
    return wanted.size == 0 || bytes_equal(wanted, bytes_of_string(value));
}

/* Said here in other words than the code's. */
static bool visible(const struct index_scope *scope, const struct model *model)
{
    if (scope->everything)
        return true;
    if (bytes_equal(scope->agency, bytes_of_string(model->from)))
        return true;
    return bytes_equal(scope->agency, bytes_of_string(model->to)) && model->kind != RECORD_REFUSED;
}

static bool same_id(struct byte_view wanted, struct byte_view value)
{
    return wanted.size == 0 || bytes_equal(wanted, value);
}

static bool extras_match(const struct index_query *query, const struct model *model)
{
    uint64_t index = (uint64_t)(model - models);

    if (model->subject < 0 && (query->officer.size > 0 || query->event.size > 0))
        return false;
    return same(query->label, word_of(model, LABEL)) && same(query->purpose, word_of(model, PURPOSE)) &&
           same(query->gateway, word_of(model, GATEWAY)) && same(query->rule, word_of(model, RULE)) &&
           same(query->officer, word_of(model, OFFICER)) && same_id(query->event, id_of(model, EVENT)) &&
           same_id(query->key, id_of(model, KEY)) && same(query->from, model->from) &&
           same(query->to, model->to) && (query->flags & model->flags) == query->flags &&
           (query->kinds == 0 || (query->kinds >> model->kind & 1) != 0) && index >= query->first &&
           (query->end == 0 || index < query->end);
}

static bool matches(const struct index_scope *scope, const struct index_query *query,
                    const struct model *model)
{
    if (!visible(scope, model) || !extras_match(query, model))
        return false;
    if (query->subject.size > 0 &&
        (model->subject < 0 || memcmp(query->subject.data, subjects[model->subject], 36) != 0))
        return false;
    return (same(query->member, model->from) || same(query->member, model->to)) &&
           same(query->type, model->type) &&
           (same(query->outcome, model->outcome) ||
            same(query->outcome, record_kind_text((uint8_t)model->kind))) &&
           model->time >= query->since && (query->until == 0 || model->time < query->until);
}

static struct index_scope random_scope(void)
{
    if (support_below(&house.random, 2) == 0)
        return everything;
    return (struct index_scope){.agency = bytes_of_string(members[support_below(&house.random, 3)])};
}

/* One of the fields that have no index, and kinds, of which the rare ones do. */
static void add_extras(struct index_query *query)
{
    struct byte_view *const texts[] = {&query->label, &query->purpose, &query->gateway, &query->rule,
                                       &query->officer};
    const uint32_t rare = UINT32_C(1) << RECORD_WITHDRAWN | UINT32_C(1) << RECORD_OVERRIDE;
    const unsigned which = (unsigned)support_below(&house.random, 14);

    if (which < 5)
        *texts[which] = bytes_of_string(words[support_below(&house.random, 4)]);
    else if (which == 5)
        query->event = bytes_view(ids[support_below(&house.random, 4)], 16);
    else if (which == 6)
        query->key = bytes_view(ids[support_below(&house.random, 4)], 16);
    else if (which == 7)
        query->flags = (uint8_t)support_below(&house.random, 8);
    else if (which == 8)
        query->from = bytes_of_string(members[support_below(&house.random, 3)]);
    else if (which == 9)
        query->to = bytes_of_string(members[support_below(&house.random, 3)]);
    else if (which == 10)
        query->first = support_below(&house.random, ENTRIES);
    else if (which == 11)
        query->end = 1 + support_below(&house.random, ENTRIES);
    if (support_below(&house.random, 4) == 0)
        query->kinds = support_below(&house.random, 2) == 0 ? rare : rare | UINT32_C(1) << RECORD_REFUSED;
    else if (support_below(&house.random, 8) == 0)
        query->kinds = rare | UINT32_C(1) << RECORD_DISCLOSED;
    else if (support_below(&house.random, 20) == 0)
        query->kinds = UINT32_C(1) << RECORD_INCIDENT; /* of which there is none */
}

static struct index_query random_query(void)
{
    static const char *const outcomes[] = {"accepted", "no rule", "refused", "disclosed", "nothing such"};
    struct index_query query = {.limit = 0};

    if (support_below(&house.random, 2) == 0)
        query.subject = bytes_view(subjects[support_below(&house.random, SUBJECTS)], 36);
    if (support_below(&house.random, 2) == 0)
        query.member = bytes_of_string(
            support_below(&house.random, 9) == 0 ? "nobody.here" : members[support_below(&house.random, 3)]);
    if (support_below(&house.random, 3) == 0)
        query.type = bytes_of_string(support_below(&house.random, 2) == 0 ? "rare.type" : types[0]);
    if (support_below(&house.random, 3) == 0)
        query.outcome = bytes_of_string(outcomes[support_below(&house.random, 5)]);
    if (support_below(&house.random, 2) == 0)
        query.since = LOGHOUSE_NOW + (int64_t)support_below(&house.random, ENTRIES / 50 + 5) * 1000;
    if (support_below(&house.random, 2) == 0)
        query.until = LOGHOUSE_NOW + (int64_t)support_below(&house.random, ENTRIES / 50 + 5) * 1000;
    if (support_below(&house.random, 4) == 0)
        query.limit = 1 + support_below(&house.random, 20);
    add_extras(&query);
    return query;
}

static void check_query(const struct index_scope *scope, const struct index_query *query)
{
    struct found *found = calloc(1, sizeof *found);
    size_t expected = 0;

    assert_non_null(found);
    assert_int_equal(index_search(&options, scope, query, take, found), STATUS_OK);
    for (size_t i = 0; i < model_count && (query->limit == 0 || expected < query->limit); i++) {
        if (!matches(scope, query, &models[i]))
            continue;
        assert_true(expected < found->count);
        assert_int_equal(found->indexes[expected], i);
        expected++;
    }
    assert_int_equal(found->count, expected);
    free(found);
}

static void check_queries(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct index_scope scope = random_scope();
        struct index_query query = random_query();
        check_query(&scope, &query);
    }
}

static void wait_for(struct index *index, uint64_t mark)
{
    const struct timespec nap = {.tv_nsec = 5000000};

    for (int i = 0; i < 4000 && index_mark(index) < mark && index_error(index) == STATUS_OK; i++)
        nanosleep(&nap, NULL);
    assert_int_equal(index_error(index), STATUS_OK);
    assert_int_equal(index_mark(index), mark);
}

static void searches_find_what_is_there(void **state)
{
    (void)state;
    struct index *index = NULL;

    grow(1500);
    check_queries(60); /* no index at all */
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 1500);
    check_queries(60);
    grow(3000);
    check_queries(60); /* half of it indexed */
    index_feed(index, 1500, 1500);
    wait_for(index, 3000);
    check_queries(60);
    index_close(&index);
    grow(ENTRIES);
    assert_int_equal(index_open(&options, &index), STATUS_OK); /* catches up */
    wait_for(index, ENTRIES);
    check_queries(100);
    index_close(&index);
    index_close(&index);
}

static void growing_and_searching_at_once(void **state)
{
    (void)state;
    struct index *index = NULL;

    assert_int_equal(index_open(&options, &index), STATUS_OK);
    while (model_count < 3000) {
        size_t before = model_count;
        grow(model_count + 200);
        index_feed(index, before, model_count - before);
        check_queries(5);
    }
    wait_for(index, model_count);
    index_close(&index);
}

static void a_useless_index_is_built_again(void **state)
{
    (void)state;
    struct index *index = NULL;

    grow(500);
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 500);
    index_close(&index);

    loghouse_exec(index_path,
                  "UPDATE mark SET first = zeroblob(66); DELETE FROM posting"); /* another log's */
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 500);
    check_queries(30);
    index_close(&index);

    loghouse_exec(index_path,
                  "UPDATE mark SET indexed = 501; DELETE FROM posting"); /* of more than there is */
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 500);
    check_queries(30);
    index_close(&index);

    loghouse_exec(index_path, "PRAGMA user_version = 9"); /* another layout */
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 500);
    check_queries(30);
    index_close(&index);

    FILE *file = fopen(index_path, "wb"); /* no database */
    assert_non_null(file);
    for (int i = 0; i < 500; i++)
        fputs("not a database at all\n", file);
    fclose(file);
    check_queries(10); /* searches do without */
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 500);
    check_queries(30);
    index_close(&index);
}

static void damage_is_not_silence(void **state)
{
    (void)state;
    const struct index_query query = {.limit = 0};
    struct found *found = calloc(1, sizeof *found);

    grow(300);
    loghouse_close(&house);
    loghouse_exec(house.store_path,
                  "UPDATE log SET records = substr(records, 1, length(records) - 1) WHERE first = "
                  "(SELECT max(first) FROM log)");
    assert_int_equal(index_search(&options, &everything, &query, take, found), STATUS_CORRUPT);
    assert_true(found->count > 200);
    free(found);
}

static void erased_records_are_found_by_the_rest(void **state)
{
    (void)state;
    struct index *index = NULL;
    struct index_query query = {.limit = 0};
    struct found *found = calloc(1, sizeof *found);
    uint64_t victim = 0;

    grow(300);
    assert_int_equal(index_open(&options, &index), STATUS_OK);
    wait_for(index, 300);
    while (models[victim].subject < 0)
        victim++;
    query.subject = bytes_view(subjects[models[victim].subject], 36);
    assert_int_equal(db_begin(house.store), STATUS_OK);
    assert_int_equal(logbook_erase(house.logbook, victim), STATUS_OK);
    assert_int_equal(db_commit(house.store), STATUS_OK);
    models[victim].subject = -1;
    check_query(&everything, &query);
    query.subject = bytes_view(NULL, 0);
    check_query(&everything, &query);
    index_close(&index);
    free(found);
}

/* ---- over the socket ---- */

static json_t *request(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    assert_non_null(json);
    return json;
}

static void requests_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"subject\": \"x\"}",
        "{\"subject\": 1}",
        "{\"member\": \"\"}",
        "{\"since\": \"soon\"}",
        "{\"since\": 12}",
        "{\"limit\": 0}",
        "{\"limit\": \"2\"}",
        "{\"colour\": \"x\"}",
        "{\"until\": \"1969-01-01\"}",
        "{\"kinds\": [\"x\"]}",
        "{\"kinds\": []}",
        "{\"kinds\": [1]}",
        "{\"fields\": [\"colour\"]}",
        "{\"fields\": []}",
        "{\"late\": false}",
        "{\"event\": \"1\"}",
        "{\"key\": \"ab\"}",
        "{\"end\": 0}",
        "{\"first\": -1}",
        "{\"report\": \"\"}",
        "{\"do\": \"replay-export\", \"member\": \"drugs.stoke\"}",
        "{\"outcome\": [1, 2]}",
        "{\"type\": null}",
        "{\"type\": \"a\\nb\"}",
    };
    struct search_question question;
    struct search_reason reason;
    struct byte_buffer text = bytes_buffer(1024);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *json = request(bad[i]);
        reason.text[0] = '\0';
        assert_int_equal(search_question_parse(json, &question, &reason), STATUS_BAD_ARGUMENT);
        assert_true(reason.text[0] != '\0');
        json_decref(json);
    }
    json_t *json =
        request("{\"do\": \"search\", \"limit\": 5, \"member\": \"drugs.stoke\", \"since\": \"2026-12-01\"}");
    assert_int_equal(search_question_parse(json, &question, &reason), STATUS_OK);
    search_question_text(json, &text);
    assert_true(bytes_equal(bytes_buffer_view(&text),
                            bytes_of_string("member=drugs.stoke since=2026-12-01 limit=5")));
    json_decref(json);
    json = request("{\"kinds\": [\"refused\", \"override\"], \"break_glass\": true, \"report\": \"x\"}");
    assert_int_equal(search_question_parse(json, &question, &reason), STATUS_OK);
    assert_int_equal(question.query.kinds, UINT32_C(1) << RECORD_REFUSED | UINT32_C(1) << RECORD_OVERRIDE);
    assert_int_equal(question.query.flags, RECORD_BREAK_GLASS);
    bytes_buffer_clear(&text);
    search_question_text(json, &text);
    assert_true(bytes_equal(bytes_buffer_view(&text),
                            bytes_of_string("report=x kinds=refused,override break_glass")));
    json_decref(json);
    json = request("{\"do\": \"search\"}");
    bytes_buffer_clear(&text);
    search_question_text(json, &text);
    assert_true(bytes_equal(bytes_buffer_view(&text), bytes_of_string("everything")));
    json_decref(json);
    bytes_buffer_free(&text);
}

static enum status take_reply(struct search *search, json_t **ret_reply, bool *ret_last)
{
    struct search_reason reason;
    const struct timespec nap = {.tv_nsec = 1000000};
    enum status status = STATUS_BUSY;

    for (int i = 0; i < 20000 && status == STATUS_BUSY; i++) {
        status = search_take(search, ret_reply, ret_last, &reason);
        if (status == STATUS_BUSY)
            nanosleep(&nap, NULL);
    }
    return status;
}

static void rows_come_one_by_one(void **state)
{
    (void)state;
    struct search *search = NULL;
    struct search_reason reason;
    json_t *json = request("{\"do\": \"search\", \"member\": \"drugs.stoke\"}");
    json_t *reply = NULL;
    bool last = false;
    size_t expected = 0;

    grow(1000);
    assert_int_equal(search_start(&options, &everything, json, &search, &reason), STATUS_OK);
    for (size_t i = 0; i < model_count; i++) {
        if (strcmp(models[i].from, "drugs.stoke") != 0 && strcmp(models[i].to, "drugs.stoke") != 0)
            continue;
        assert_int_equal(take_reply(search, &reply, &last), STATUS_OK);
        assert_false(last);
        assert_int_equal(json_integer_value(json_object_get(reply, "index")), i);
        assert_string_equal(json_string_value(json_object_get(reply, "type")), models[i].type);
        assert_string_equal(json_string_value(json_array_get(json_object_get(reply, "flags"), 0)), "late");
        assert_true(json_is_null(json_object_get(reply, "subject")) == (models[i].subject < 0));
        assert_true(json_is_null(json_object_get(reply, "event")) == (models[i].subject < 0));
        assert_true(json_is_null(json_object_get(reply, "officer")) == (models[i].subject < 0));
        assert_int_equal(json_object_size(reply), 20);
        json_decref(reply);
        expected++;
    }
    assert_int_equal(take_reply(search, &reply, &last), STATUS_OK);
    assert_true(last);
    assert_int_equal(json_integer_value(json_object_get(reply, "found")), expected);
    json_decref(reply);
    search_stop(&search);

    /* As many fields as are asked for. */
    json_t *few =
        request("{\"do\": \"search\", \"member\": \"drugs.stoke\", \"fields\": [\"kind\", \"to\"]}");
    assert_int_equal(search_start(&options, &everything, few, &search, &reason), STATUS_OK);
    assert_int_equal(take_reply(search, &reply, &last), STATUS_OK);
    assert_int_equal(json_object_size(reply), 3);
    assert_true(json_object_get(reply, "index") != NULL && json_object_get(reply, "kind") != NULL);
    json_decref(reply);
    search_stop(&search);
    json_decref(few);

    /* Nobody takes the rows. */
    assert_int_equal(search_start(&options, &everything, json, &search, &reason), STATUS_OK);
    usleep(20000);
    search_stop(&search);
    assert_null(search);
    json_decref(json);
}

/* What a member was not told, the log does not tell it either; and nobody's scope is nobody's. */
static void a_scope_shows_what_concerns_it(void **state)
{
    (void)state;
    const struct index_scope police = {.agency = bytes_of_string("police.staffordshire")};
    const struct index_scope none = {.everything = false};
    const struct byte_view us = bytes_of_string("police.staffordshire");
    const struct byte_view them = bytes_of_string("prison.dovegate");
    const struct byte_view nobody = bytes_of_string("");

    assert_true(index_scope_admits(&police, RECORD_DISCLOSED, us, them));
    assert_true(index_scope_admits(&police, RECORD_DISCLOSED, them, us));
    assert_false(index_scope_admits(&police, RECORD_DISCLOSED, them, them));
    assert_false(index_scope_admits(&police, RECORD_AUDIT_QUERY, nobody, nobody));
    assert_true(index_scope_admits(&police, RECORD_REFUSED, us, them));
    assert_false(index_scope_admits(&police, RECORD_REFUSED, them, us));
    assert_false(index_scope_admits(&police, RECORD_COUNT, them, us));
    assert_false(index_scope_admits(&police, RECORD_CONSULTED, them, us));
    assert_false(index_scope_admits(&none, RECORD_AUDIT_QUERY, nobody, nobody));
    assert_false(index_scope_admits(&none, RECORD_DISCLOSED, us, them));
    assert_true(index_scope_admits(&everything, RECORD_REFUSED, them, nobody));
}

static void a_search_needs_a_scope(void **state)
{
    (void)state;
    const struct index_scope none = {.everything = false};
    const struct index_scope police = {.agency = bytes_of_string("police.staffordshire")};
    struct search *search = NULL;
    struct search_reason reason;
    json_t *look = request("{\"do\": \"search\"}");
    json_t *retell = request("{\"do\": \"replay-export\"}");

    grow(10);
    assert_int_equal(search_start(&options, &none, look, &search, &reason), STATUS_BAD_ARGUMENT);
    assert_non_null(strstr(reason.text, "whose entries"));
    assert_int_equal(search_start(&options, &police, retell, &search, &reason), STATUS_BAD_ARGUMENT);
    assert_non_null(strstr(reason.text, "everything only"));
    assert_int_equal(search_start(&options, &police, look, &search, &reason), STATUS_OK);
    search_stop(&search);
    json_decref(retell);
    json_decref(look);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(searches_find_what_is_there),
        TEST(growing_and_searching_at_once),
        TEST(a_useless_index_is_built_again),
        TEST(damage_is_not_silence),
        TEST(erased_records_are_found_by_the_rest),
        TEST(requests_are_checked),
        TEST(rows_come_one_by_one),
        TEST(a_scope_shows_what_concerns_it),
        TEST(a_search_needs_a_scope),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
