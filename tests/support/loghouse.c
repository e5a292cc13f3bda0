#include "tests/support/loghouse.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define ROW_RECORDS 4096

static const struct db_options store_options = {
    .application_id = LOGBOOK_STORE_APPLICATION,
    .user_version = LOGBOOK_STORE_VERSION,
    .schema_sql = logbook_schema,
    .kind = DB_DURABLE,
};

void loghouse_make(struct loghouse *house, uint64_t seed)
{
    uint8_t secret[ED25519_SEED_SIZE] = {7};

    *house = (struct loghouse){.random = support_seeded(seed)};
    strcpy(house->folder, "/tmp/test-log-XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    snprintf(house->store_path, sizeof house->store_path, "%s/broker.db", house->folder);
    snprintf(house->checkpoint_path, sizeof house->checkpoint_path, "%s/checkpoint.db", house->folder);
    assert_int_equal(ed25519_private(secret, &house->key), STATUS_OK);
}

void loghouse_remove(struct loghouse *house)
{
    char command[96];

    loghouse_close(house);
    ed25519_free(&house->key);
    free(house->leaves);
    snprintf(command, sizeof command, "rm -rf %s", house->folder);
    assert_int_equal(system(command), 0);
}

enum status loghouse_open(struct loghouse *house)
{
    struct db_options options = store_options;

    options.vfs = house->vfs;
    enum status status = db_open(house->store_path, &options, &house->store);
    if (status != STATUS_OK)
        return status;
    options.read_only = true;
    status = db_open(house->store_path, &options, &house->reader);
    if (status != STATUS_OK)
        return status;
    struct logbook_options log = {
        .checkpoint_path = house->checkpoint_path,
        .key = house->key,
        .origin = LOGHOUSE_ORIGIN,
        .random = random_system(),
        .reader = house->reader,
        .vfs = house->vfs,
        .replay = house->replay,
    };
    return logbook_open(house->store, &log, LOGHOUSE_NOW, &house->logbook, &house->reason);
}

void loghouse_close(struct loghouse *house)
{
    logbook_close(&house->logbook);
    db_close(&house->reader);
    db_close(&house->store);
}

static void push(struct loghouse *house, struct digest leaf)
{
    if (house->size >= house->room) {
        house->room = 2 * house->size + 1024;
        house->leaves = realloc(house->leaves, house->room * sizeof *house->leaves);
        assert_non_null(house->leaves);
    }
    house->leaves[house->size++] = leaf;
}

/* What one record of a test row is made of; entries are computed here and not by the code under test. */
struct material {
    uint8_t salts[ROW_RECORDS][RECORD_SALT_SIZE];
    uint8_t personal_salts[ROW_RECORDS][RECORD_SALT_SIZE];
    uint8_t subjects[ROW_RECORDS][36];
    size_t account_at[ROW_RECORDS];
    size_t personal_at[ROW_RECORDS];
    struct logbook_personal personals[ROW_RECORDS];
    struct logbook_record records[ROW_RECORDS];
    struct byte_buffer parts;
};

static void fill(struct loghouse *house, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)support_next(&house->random);
}

static void encode_account(struct loghouse *house, struct material *material, size_t i, bool accepted)
{
    static const struct byte_view labels[] = {{(const uint8_t *)"name", 4},
                                              {(const uint8_t *)"release_date", 12}};
    struct record_account account = {
        .time = LOGHOUSE_NOW + (int64_t)(house->size + i),
        .from = bytes_of_string("prison.dovegate"),
        .to = bytes_of_string(accepted ? "" : "police.staffordshire"),
        .type = bytes_of_string("release.planned"),
        .rule = bytes_of_string("release-notice"),
        .labels = labels,
        .label_count = 2,
        .outcome = bytes_of_string("accepted"),
        .from_counter = accepted ? ++house->from_counter : 0,
        .to_counter = accepted ? 0 : ++house->to_counter,
    };

    material->account_at[i] = material->parts.size;
    assert_int_equal(record_encode_account(&account, &material->parts), STATUS_OK);
}

static void encode_personal(struct loghouse *house, struct material *material, size_t i)
{
    fill(house, material->personal_salts[i], RECORD_SALT_SIZE);
    fill(house, material->subjects[i], sizeof material->subjects[i]);
    struct record_personal personal = {.subject =
                                           bytes_view(material->subjects[i], sizeof material->subjects[i])};
    material->personal_at[i] = material->parts.size;
    assert_int_equal(record_encode_personal(&personal, &material->parts), STATUS_OK);
}

/* Each fourth record starts an event (accepted), whose personal part the next three (disclosed) share. */
static void make_records(struct loghouse *house, struct material *material, size_t n)
{
    material->parts = bytes_buffer((size_t)16 << 20);
    for (size_t i = 0; i < n; i++) {
        fill(house, material->salts[i], RECORD_SALT_SIZE);
        encode_account(house, material, i, i % 4 == 0);
        size_t end = material->parts.size;
        if (i % 4 == 0)
            encode_personal(house, material, i);
        material->records[i] = (struct logbook_record){
            .kind = i % 4 == 0 ? RECORD_ACCEPTED : RECORD_DISCLOSED,
            .account = {NULL, end - material->account_at[i]},
            .account_salt = material->salts[i],
            .personal = &material->personals[i - i % 4],
        };
        if (i % 4 == 0)
            material->personals[i] = (struct logbook_personal){
                .salt = material->personal_salts[i],
                .part = {NULL, material->parts.size - material->personal_at[i]},
            };
    }
    for (size_t i = 0; i < n; i++) {
        material->records[i].account.data = material->parts.data + material->account_at[i];
        if (i % 4 == 0)
            material->personals[i].part.data = material->parts.data + material->personal_at[i];
    }
}

enum status loghouse_append(struct loghouse *house, size_t n)
{
    struct material *material = calloc(1, sizeof *material);
    uint64_t first = UINT64_MAX;

    assert_non_null(material);
    assert_true(n <= ROW_RECORDS);
    make_records(house, material, n);
    enum status status = logbook_append(house->logbook, material->records, n, &first);
    if (status == STATUS_OK)
        assert_int_equal(first, house->size);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        const struct logbook_record *record = &material->records[i];
        uint8_t entry[RECORD_ENTRY_SIZE];
        record_entry(record->kind, record->account_salt, record->account, record->personal->salt,
                     record->personal->part, entry);
        push(house, merkle_leaf(bytes_view(entry, sizeof entry)));
    }
    bytes_buffer_free(&material->parts);
    free(material);
    return status;
}

void loghouse_forget(struct loghouse *house, size_t size)
{
    house->size = size;
}

enum status loghouse_commit_row(struct loghouse *house, size_t n)
{
    size_t before = house->size;
    uint64_t counters[2] = {house->from_counter, house->to_counter};
    enum status status = db_begin(house->store);

    if (status == STATUS_OK)
        status = loghouse_append(house, n);
    if (status == STATUS_OK)
        status = logbook_save(house->logbook);
    if (status == STATUS_OK)
        status = db_commit(house->store);
    if (status == STATUS_OK) {
        logbook_commit(house->logbook);
        return STATUS_OK;
    }
    db_rollback(house->store);
    loghouse_forget(house, before);
    house->from_counter = counters[0];
    house->to_counter = counters[1];
    enum status back = logbook_rollback(house->logbook);
    return back == STATUS_OK ? status : STATUS_CLOSED;
}

static struct digest naive(const struct digest *leaves, size_t n)
{
    if (n == 0) {
        struct digest empty;
        digest_sha256(bytes_view(NULL, 0), empty.bytes);
        return empty;
    }
    if (n == 1)
        return leaves[0];
    size_t half = 1;
    while (half * 2 < n)
        half *= 2;
    struct digest left = naive(leaves, half);
    struct digest right = naive(leaves + half, n - half);
    uint8_t node[1 + 2 * DIGEST_SIZE] = {1};
    memcpy(node + 1, left.bytes, DIGEST_SIZE);
    memcpy(node + 1 + DIGEST_SIZE, right.bytes, DIGEST_SIZE);
    digest_sha256(bytes_view(node, sizeof node), left.bytes);
    return left;
}

struct digest loghouse_naive_root(const struct loghouse *house, size_t n)
{
    assert_true(n <= house->size);
    return naive(house->leaves, n);
}

void loghouse_check_signed(const struct loghouse *house)
{
    struct logbook_checkpoint checkpoint = logbook_checkpoint(house->logbook);
    struct digest root = loghouse_naive_root(house, house->size);

    assert_false(logbook_unsigned(house->logbook));
    assert_int_equal(checkpoint.size, house->size);
    assert_memory_equal(&checkpoint.root, &root, sizeof root);
}

void loghouse_exec(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;
    char *error = NULL;

    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    int code = sqlite3_exec(connection, sql, NULL, NULL, &error);
    if (code != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}
