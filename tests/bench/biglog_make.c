#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/records.h"
#include "proto/random.h"
#include "tests/bench/biglog.h"

#define SENDERS      10
#define RECIPIENTS   3
#define EVENTS       64 /* in a row, each with an `accepted` entry and one `disclosed` a recipient */
#define ROW_ENTRIES  (EVENTS * (1 + RECIPIENTS))
#define ROWS         16 /* in a transaction, and a `delivered` entry each */
#define PEOPLE       20000
#define SALTS        (ROW_ENTRIES + EVENTS)
#define SIGN_ENTRIES 250000
#define REST_MS      50

struct party {
    struct store_member stored;
    bool found;
};

/* What a run makes entries from. */
struct making {
    struct pipeline_storage *storage;
    const struct biglog_times *times;
    struct party senders[SENDERS];
    struct party recipients[RECIPIENTS];
    struct records records;
    uint64_t events;                        /* so far; picks the person and everything else that varies */
    uint64_t disclosed[RECIPIENTS][EVENTS]; /* the row's entries */
    size_t disclosed_count;
    uint8_t salts[SALTS * RECORD_SALT_SIZE];
};

static const char *const recipient_ids[RECIPIENTS] = {"drugs.stoke", "police.staffordshire",
                                                      "probation.staffordshire"};

static enum status take_member(void *context, const struct store_member *member)
{
    struct making *making = context;
    char id[32];

    for (size_t i = 0; i < SENDERS; i++) {
        snprintf(id, sizeof id, "prison.p%02zu", i + 1);
        if (strcmp(member->id, id) == 0)
            making->senders[i] = (struct party){*member, true};
    }
    for (size_t i = 0; i < RECIPIENTS; i++) {
        if (strcmp(member->id, recipient_ids[i]) == 0)
            making->recipients[i] = (struct party){*member, true};
    }
    return STATUS_OK;
}

static bool all_found(const struct making *making)
{
    bool found = true;

    for (size_t i = 0; i < SENDERS; i++)
        found = found && making->senders[i].found;
    for (size_t i = 0; i < RECIPIENTS; i++)
        found = found && making->recipients[i].found;
    return found;
}

void biglog_subject(uint64_t person, uint8_t ret[static CORE_SUBJECT_SIZE])
{
    uint8_t number[8];

    bytes_put_u64(number, person);
    bytes_put_u32(ret, 1);
    digest_sha256(bytes_view(number, sizeof number), ret + 4);
}

/* Spreads people over events without any order. */
static uint64_t person_of(uint64_t event)
{
    return event * UINT64_C(2654435761) % PEOPLE;
}

static size_t add_personal(struct making *making)
{
    uint8_t subject[CORE_SUBJECT_SIZE];
    uint8_t digest[DIGEST_SIZE];
    uint8_t number[8];

    biglog_subject(person_of(making->events), subject);
    bytes_put_u64(number, making->events);
    digest_sha256(bytes_view(number, sizeof number), digest);
    struct record_personal personal = {.subject = bytes_view(subject, sizeof subject),
                                       .officer = bytes_of_string("automatic:release-extract"),
                                       .event = bytes_view(digest, STORE_EVENT_SIZE),
                                       .header = bytes_view(digest, sizeof digest)};
    return records_personal(&making->records, &personal);
}

static void add_event(struct making *making, struct party *sender, int64_t now)
{
    static const struct byte_view labels[] = {
        {(const uint8_t *)"name", 4},
        {(const uint8_t *)"dob", 3},
        {(const uint8_t *)"prison_no", 9},
        {(const uint8_t *)"release_date", 12},
        {(const uint8_t *)"date_type", 9},
        {(const uint8_t *)"home_district", 13},
        {(const uint8_t *)"licence_conditions", 18},
    };
    static const uint8_t key[16] = {1};
    static const uint8_t protocol[DIGEST_SIZE] = {2};
    const bool refused = making->events % 997 == 0;
    size_t personal = add_personal(making);
    struct record_account account = {.time = now,
                                     .from = bytes_of_string(sender->stored.id),
                                     .type = bytes_of_string("release.planned"),
                                     .purpose = bytes_of_string("ppo-resettlement"),
                                     .rule = bytes_of_string("release-notice"),
                                     .outcome = bytes_of_string(refused ? "refused" : "accepted"),
                                     .protocol = bytes_view(protocol, sizeof protocol),
                                     .from_counter = ++sender->stored.sent};

    (void)records_add(&making->records, refused ? RECORD_REFUSED : RECORD_ACCEPTED, &account, personal);
    account.from_counter = 0;
    account.outcome = bytes_of_string("disclosed");
    account.gateway = bytes_of_string("offender-management-act-2007-s14");
    account.labels = labels;
    account.label_count = sizeof labels / sizeof labels[0];
    account.key = bytes_view(key, sizeof key);
    account.deadline = now + 86400000;
    for (size_t i = 0; i < RECIPIENTS && !refused; i++) {
        account.to = bytes_of_string(making->recipients[i].stored.id);
        account.to_counter = ++making->recipients[i].stored.received;
        making->disclosed[i][making->disclosed_count] =
            records_add(&making->records, RECORD_DISCLOSED, &account, personal);
    }
    making->disclosed_count += refused ? 0 : 1;
    making->events++;
}

static enum status append_row(struct making *making, struct party *sender)
{
    struct logbook *logbook = making->storage->logbook;
    const uint64_t first = logbook_size(logbook);
    enum status status = random_bytes(making->salts, sizeof making->salts);

    records_start(&making->records, first, making->salts, SALTS);
    making->disclosed_count = 0;
    for (size_t i = 0; i < EVENTS; i++)
        add_event(making, sender, biglog_time(making->times, first));
    return status == STATUS_OK ? records_append(&making->records, logbook) : status;
}

/* The receipts of one recipient for what the row before disclosed. */
static enum status append_delivered(struct making *making, size_t recipient)
{
    struct logbook *logbook = making->storage->logbook;
    uint8_t indexes[EVENTS][8];
    uint8_t digest[DIGEST_SIZE] = {3};
    struct byte_view details[1 + EVENTS] = {{digest, sizeof digest}};
    struct record_account account = {.time = biglog_time(making->times, logbook_size(logbook)),
                                     .from = bytes_of_string(recipient_ids[recipient]),
                                     .outcome = bytes_of_string("delivered"),
                                     .details = details,
                                     .detail_count = 1 + making->disclosed_count};

    for (size_t i = 0; i < making->disclosed_count; i++) {
        bytes_put_u64(indexes[i], making->disclosed[recipient][i]);
        details[1 + i] = bytes_view(indexes[i], sizeof indexes[i]);
    }
    records_start(&making->records, logbook_size(logbook), NULL, 0);
    (void)records_add(&making->records, RECORD_DELIVERED, &account, RECORDS_NO_PERSONAL);
    return records_append(&making->records, logbook);
}

static enum status save_members(struct making *making)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < SENDERS; i++)
        status = store_put_member(making->storage->store, &making->senders[i].stored);
    for (size_t i = 0; status == STATUS_OK && i < RECIPIENTS; i++)
        status = store_put_member(making->storage->store, &making->recipients[i].stored);
    return status;
}

/* One transaction as a broker under load makes it. */
static enum status commit_some(struct making *making)
{
    struct pipeline_storage *storage = making->storage;
    const uint64_t first = logbook_size(storage->logbook);
    enum status status = store_begin(storage->store);

    for (size_t i = 0; status == STATUS_OK && i < ROWS; i++) {
        status = append_row(making, &making->senders[i % SENDERS]);
        if (status == STATUS_OK)
            status = append_delivered(making, i % RECIPIENTS);
    }
    if (status == STATUS_OK)
        status = save_members(making);
    if (status == STATUS_OK)
        status = logbook_save(storage->logbook);
    if (status == STATUS_OK)
        status = store_commit(storage->store);
    if (status != STATUS_OK)
        return status;
    logbook_commit(storage->logbook);
    index_feed(storage->index, first, logbook_size(storage->logbook) - first);
    return STATUS_OK;
}

static enum status sign(struct making *making)
{
    struct logbook *logbook = making->storage->logbook;
    struct logbook_reason reason = {""};
    enum status status = logbook_sign(logbook, biglog_time(making->times, logbook_size(logbook)), &reason);

    if (status != STATUS_OK)
        fprintf(stderr, "bench_biglog: signing: %s\n", reason.text);
    return status;
}

static enum status grow(struct making *making, uint64_t entries)
{
    struct logbook *logbook = making->storage->logbook;
    struct holding nobody = {0};
    bool forgetting = false;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && logbook_size(logbook) < entries) {
        status = commit_some(making);
        if (status == STATUS_OK && logbook_size(logbook) - logbook_checkpoint(logbook).size > SIGN_ENTRIES)
            status = sign(making);
        if (status == STATUS_OK)
            status = pipeline_storage_rest(making->storage, PIPELINE_PAUSE, &forgetting, &nobody);
    }
    return status;
}

/* The index follows in its own thread. */
static enum status wait_for_index(const struct pipeline_storage *storage)
{
    const struct timespec rest = {.tv_nsec = REST_MS * 1000000L};

    while (index_mark(storage->index) < logbook_size(storage->logbook)) {
        if (index_error(storage->index) != STATUS_OK)
            return index_error(storage->index);
        (void)nanosleep(&rest, NULL);
    }
    return STATUS_OK;
}

enum status biglog_make(struct pipeline_storage *storage, const struct biglog_times *times, uint64_t entries)
{
    static struct making making;
    const uint64_t before = logbook_size(storage->logbook);
    enum status status;

    making.storage = storage;
    making.times = times;
    making.events = before;
    records_init(&making.records);
    status = store_each_member(storage->store, take_member, &making);
    if (status == STATUS_OK && !all_found(&making)) {
        fprintf(stderr,
                "bench_biglog: the broker does not know all members of the load yet: let it run once\n");
        status = STATUS_NOT_FOUND;
    }
    double wall = biglog_seconds(CLOCK_MONOTONIC);
    double spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID);
    if (status == STATUS_OK)
        status = grow(&making, entries);
    wall = biglog_seconds(CLOCK_MONOTONIC) - wall;
    spent = biglog_seconds(CLOCK_THREAD_CPUTIME_ID) - spent;
    if (status == STATUS_OK)
        status = sign(&making);
    double caught_up = biglog_seconds(CLOCK_MONOTONIC);
    if (status == STATUS_OK)
        status = wait_for_index(storage);
    caught_up = biglog_seconds(CLOCK_MONOTONIC) - caught_up;
    const double made = (double)(logbook_size(storage->logbook) - before);
    if (status == STATUS_OK)
        printf("{\"entries\":%.0f,\"made\":%.0f,\"entries_per_second\":%.0f,\"cpu_us_per_entry\":%.3f,"
               "\"index_behind_seconds\":%.2f}\n",
               (double)logbook_size(storage->logbook), made, made > 0 ? made / wall : 0,
               made > 0 ? spent / made * 1e6 : 0, caught_up);
    records_free(&making.records);
    return status;
}
