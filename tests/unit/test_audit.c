#include "tests/support/loghouse.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/ask.h"
#include "audit/export.h"
#include "audit/row.h"
#include "audit/verify.h"
#include "base/safefile.h"
#include "proto/logrow.h"

/* Enough for full tiles of level 0, a partial one of level 1, and entries newer than the last checkpoint. */
#define SIGNED  1100
#define ENTRIES 1120

static struct loghouse house;
static struct note_key *key;
static char export_folder[128];

static void note_problem(void *context, const char *text)
{
    struct byte_buffer *told = context;

    bytes_append_string(told, text);
    bytes_append_string(told, "\n");
}

static struct byte_buffer told;
static struct verify_result result;
static const struct verify_progress no_progress = {.at = NULL};

static int set_up(void **state)
{
    (void)state;
    told = bytes_buffer((size_t)1 << 20);
    loghouse_make(&house, 99);
    snprintf(export_folder, sizeof export_folder, "%.60s/export", house.folder);
    return note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, house.key, &key) == STATUS_OK ? 0
                                                                                                          : 1;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_buffer_free(&told);
    note_key_free(&key);
    loghouse_remove(&house);
    return 0;
}

static void make_log(void)
{
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    while (house.size < SIGNED)
        assert_int_equal(loghouse_commit_row(&house, 20), STATUS_OK);
    assert_int_equal(logbook_sign(house.logbook, LOGHOUSE_NOW, &house.reason), STATUS_OK);
    while (house.size < ENTRIES)
        assert_int_equal(loghouse_commit_row(&house, 20), STATUS_OK);
}

static void in_folder(const char *command)
{
    char line[512];

    snprintf(line, sizeof line, "cd %s && %s", house.folder, command);
    assert_int_equal(system(line), 0);
}

/* Number of problems; their text is in told, with a zero. */
static uint64_t verify_log(void)
{
    struct problems problems = {.tell = note_problem, .context = &told};
    struct source_reason reason = {""};
    struct source *source = NULL;

    bytes_buffer_clear(&told);
    memset(&result, 0, sizeof result);
    enum status status = source_open(house.folder, &source, &reason);
    if (status != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(verify_broker(source, key, &no_progress, &problems, &result), STATUS_OK);
    source_close(&source);
    bytes_append_u8(&told, 0);
    return problems.count;
}

static void assert_told(const char *part)
{
    if (strstr((const char *)told.data, part) == NULL)
        fail_msg("\"%s\" is not told in:\n%s", part, (const char *)told.data);
}

static void a_sound_log_verifies(void **state)
{
    (void)state;
    make_log();
    assert_int_equal(verify_log(), 0); /* beside its writer */
    assert_int_equal(result.entries, ENTRIES);
    assert_int_equal(result.signed_entries, SIGNED);
    assert_int_equal(loghouse_commit_row(&house, 20), STATUS_OK);
    loghouse_close(&house);
    assert_int_equal(verify_log(), 0);
    assert_int_equal(result.entries, ENTRIES + 20);
}

static void an_empty_log_verifies(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    assert_int_equal(verify_log(), 0);
    assert_int_equal(result.entries, 0);
}

static void flip(const char *file, const char *table, const char *column, int64_t row, size_t byte,
                 uint8_t mask)
{
    char path[160];
    struct db *db = NULL;
    uint8_t value = 0;
    bool checkpoint = strcmp(file, "checkpoint.db") == 0;
    const struct db_options options = {
        .application_id = checkpoint ? LOGROW_CHECKPOINT_APPLICATION : LOGROW_STORE_APPLICATION,
        .user_version = checkpoint ? LOGROW_CHECKPOINT_VERSION : LOGROW_STORE_VERSION,
        .schema_sql = "-",
    };

    snprintf(path, sizeof path, "%.60s/%s", house.folder, file);
    assert_int_equal(db_open(path, &options, &db), STATUS_OK);
    assert_int_equal(db_blob_read(db, table, column, row, byte, &value, 1), STATUS_OK);
    value ^= mask;
    assert_int_equal(db_blob_write(db, table, column, row, byte, bytes_view(&value, 1)), STATUS_OK);
    db_close(&db);
}

static void every_change_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *column;
        int64_t row;
        size_t byte;
        uint8_t mask;
        const char *says;
    } cases[] = {
        {"log", "records", 500, 0, 1, "entry 500: is of no known version or kind"},
        {"log", "records", 500, 1, 3,
         "entry 500: does not match hash 244 of tile/0/001"}, /* accepted: disclosed */
        {"log", "records", 500, 9, 1, "entry 500: does not match its account part"},
        {"log", "records", 500, 40, 1, "entry 500: does not match its personal part"},
        {"log", "records", 500, 70, 1, "entry 500: does not match its account part"},
        {"log", "records", 500, 130, 1, "entry 500: does not match its account part"},
        {"log", "records", 500, 98, 0x40, "the row that starts at entry 500 is damaged"},
        {"log", "personal", 500, 3, 1, "entry 501: does not match its personal part"},
        {"log", "personal", 500, 50, 1, "entry 503: does not match its personal part"},
        {"log", "personal", 500, 32, 0x80, "entry 500: its personal part is damaged"},
        {"tile", "hashes", 2, 320, 1, "entry 522: does not match hash 10 of tile/0/002"},
        {"tile", "hashes", INT64_C(1) << 48, 33, 1,
         "entries 256 to 511: do not match hash 1 of tile/1/000.p/4"},
        {"head", "state", 1, 30, 1, "head: its root"},
        {"head", "state", 1, 7, 1, "head: says"},
        {"checkpoint", "root", 1, 3, 1, "checkpoint: its table says"},
        {"checkpoint", "note", 1, 20, 1, "checkpoint: its signature does not verify"},
        {"checkpoint", "note", 1, 0, 1, "checkpoint: "},
    };

    make_log();
    loghouse_close(&house);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *file = strcmp(cases[i].table, "checkpoint") == 0 ? "checkpoint.db" : "broker.db";
        flip(file, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, cases[i].mask);
        assert_true(verify_log() > 0);
        assert_told(cases[i].says);
        flip(file, cases[i].table, cases[i].column, cases[i].row, cases[i].byte, cases[i].mask);
    }
    assert_int_equal(verify_log(), 0);
}

static void every_loss_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *sql;
        const char *says;
    } cases[] = {
        {"broker.db", "DELETE FROM log WHERE first = 500", "entries 500 to 519: are missing"},
        {"broker.db", "DELETE FROM log WHERE first >= 1080",
         "head: says 1120 entries, but the rows end after 1080"},
        {"broker.db", "DELETE FROM log WHERE first = 0", "entries 0 to 19: are missing"},
        {"broker.db", "UPDATE log SET n = 19 WHERE first = 500",
         "the row that starts at entry 500 is damaged"},
        {"broker.db", "UPDATE log SET n = 21 WHERE first = 500",
         "the row that starts at entry 500 is damaged"},
        {"broker.db", "UPDATE log SET first = 501 WHERE first = 500", "entry 500: is missing"},
        {"broker.db", "DELETE FROM tile WHERE id = 3", "tile/0/003: is missing"},
        {"broker.db", "UPDATE tile SET hashes = substr(hashes, 1, 320) WHERE id = 3",
         "tile/0/003: is damaged"},
        {"broker.db", "DELETE FROM head", "fewer than the 1100 that were signed"},
        {"broker.db", "UPDATE head SET state = x'00'", "head: is damaged"},
        {"checkpoint.db", "DELETE FROM checkpoint", "checkpoint: there is none"},
        {"checkpoint.db", "UPDATE checkpoint SET root = x'00'", "checkpoint: is damaged"},
    };

    make_log();
    loghouse_close(&house);
    in_folder("mkdir kept && cp *.db kept");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%.60s/%s", house.folder, cases[i].file);
        loghouse_exec(path, cases[i].sql);
        assert_true(verify_log() > 0);
        assert_told(cases[i].says);
        in_folder("rm -f *.db-wal *.db-shm && cp kept/*.db .");
    }
    assert_int_equal(verify_log(), 0);
}

static void a_rewritten_log_is_no_longer_what_was_signed(void **state)
{
    (void)state;
    struct loghouse other;

    make_log();
    loghouse_close(&house);
    loghouse_make(&other, 100); /* the same key, other entries */
    assert_int_equal(loghouse_open(&other), STATUS_OK);
    while (other.size < ENTRIES)
        assert_int_equal(loghouse_commit_row(&other, 20), STATUS_OK);
    loghouse_close(&other);
    char command[256];
    snprintf(command, sizeof command, "cp %.90s broker.db", other.store_path);
    in_folder(command);
    assert_true(verify_log() > 0);
    assert_told("checkpoint: the first 1100 entries do not give the root that was signed");
    loghouse_remove(&other);
}

static void a_checkpoint_of_another_key_is_named(void **state)
{
    (void)state;
    const uint8_t seed[ED25519_SEED_SIZE] = {9};
    struct ed25519_key *other = NULL;

    make_log();
    note_key_free(&key);
    assert_int_equal(ed25519_private(seed, &other), STATUS_OK);
    assert_int_equal(note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, other, &key),
                     STATUS_OK);
    assert_true(verify_log() > 0);
    assert_told("checkpoint: the log's key did not sign it");
    note_key_free(&key);
    assert_int_equal(note_key_new(bytes_of_string("log.test/two"), NOTE_KEY_ED25519, house.key, &key),
                     STATUS_OK);
    assert_true(verify_log() > 0);
    assert_told("checkpoint: is another log's");
    ed25519_free(&other);
}

/* Appends one record with these counters, then signs. */
static void append_counted(enum record_kind kind, const char *from, uint64_t from_counter, const char *to,
                           uint64_t to_counter)
{
    struct byte_buffer part = bytes_buffer(4096);
    const struct record_account account = {.time = LOGHOUSE_NOW,
                                           .from = bytes_of_string(from),
                                           .to = bytes_of_string(to),
                                           .from_counter = from_counter,
                                           .to_counter = to_counter};
    uint64_t first = 0;

    assert_int_equal(record_encode_account(&account, &part), STATUS_OK);
    const struct logbook_record record = {.kind = kind, .account = bytes_buffer_view(&part)};
    assert_int_equal(db_begin(house.store), STATUS_OK);
    assert_int_equal(logbook_append(house.logbook, &record, 1, &first), STATUS_OK);
    assert_int_equal(logbook_save(house.logbook), STATUS_OK);
    assert_int_equal(db_commit(house.store), STATUS_OK);
    logbook_commit(house.logbook);
    bytes_buffer_free(&part);
}

static void counters_leave_no_gap(void **state)
{
    (void)state;
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    append_counted(RECORD_ACCEPTED, "a.one", 1, "", 0);
    append_counted(RECORD_DISCLOSED, "a.one", 0, "b.two", 1);
    append_counted(RECORD_REFUSED, "a.one", 2, "", 0);
    append_counted(RECORD_REFUSED, "a.one", 0, "", 0); /* part of an accepted event */
    append_counted(RECORD_ACCEPTED, "b.two", 1, "", 0);
    append_counted(RECORD_DELIVERED, "b.two", 0, "", 0);
    assert_int_equal(verify_log(), 0);
    append_counted(RECORD_ACCEPTED, "a.one", 4, "", 0); /* entry 6 */
    append_counted(RECORD_DISCLOSED, "a.one", 0, "b.two", 1);
    append_counted(RECORD_ACCEPTED, "a.one", 0, "", 0);
    append_counted(RECORD_DISCLOSED, "a.one", 0, "b.two", 0);
    append_counted(RECORD_DELIVERED, "a.one", 5, "", 0);
    append_counted(RECORD_ACCEPTED, "", 5, "", 0);
    append_counted(RECORD_DISCLOSED, "a.one", 5, "b.two", 2);
    assert_int_equal(verify_log(), 7);
    assert_told("entry 6: the counter of a.one as sender is 4, and should be 3");
    assert_told("entry 7: the counter of b.two as recipient is 1, and should be 2");
    assert_told("entry 8: accepted, and no counter as sender");
    assert_told("entry 9: disclosed, and no counter as recipient");
    assert_told("entry 10: delivered, and a counter as sender");
    assert_told("entry 11: carries a counter for a sender that it does not name");
    assert_told("entry 12: disclosed, and a counter as sender");
}

static void erased_records_verify(void **state)
{
    (void)state;
    make_log();
    assert_int_equal(db_begin(house.store), STATUS_OK);
    assert_int_equal(logbook_erase(house.logbook, 41), STATUS_OK);
    assert_int_equal(db_commit(house.store), STATUS_OK);
    assert_int_equal(verify_log(), 0);
    assert_int_equal(result.erased, 4);
}

/* ---- exports ---- */

static enum status read_file(void *context, const char *path, size_t limit, struct byte_buffer *ret)
{
    char full[256];

    snprintf(full, sizeof full, "%s/%s", (const char *)context, path);
    return safefile_read(full, limit, ret);
}

static uint64_t verify_files(void)
{
    const struct verify_files files = {.read = read_file, .context = export_folder};
    struct problems problems = {.tell = note_problem, .context = &told};

    bytes_buffer_clear(&told);
    memset(&result, 0, sizeof result);
    assert_int_equal(verify_export(&files, key, &no_progress, &problems, &result), STATUS_OK);
    bytes_append_u8(&told, 0);
    return problems.count;
}

static void export_log(void)
{
    struct source_reason reason = {""};
    struct source *source = NULL;
    uint64_t entries = 0;

    assert_int_equal(source_open(house.folder, &source, &reason), STATUS_OK);
    enum status status = export_write(source, key, export_folder, &entries, &reason);
    if (status != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_int_equal(entries, SIGNED);
    assert_int_equal(export_write(source, key, export_folder, &entries, &reason), STATUS_EXISTS);
    source_close(&source);
}

static void an_export_verifies_alone(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "checkpoint",      "log.vkey",       "tile/0/000",       "tile/0/003",
        "tile/0/004.p/76", "tile/1/000.p/4", "tile/entries/000", "tile/entries/004.p/76",
    };
    char path[256];

    make_log();
    export_log();
    loghouse_close(&house);
    in_folder("rm *.db");
    assert_int_equal(verify_files(), 0);
    assert_int_equal(result.entries, SIGNED);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", export_folder, paths[i]);
        assert_int_equal(stat(path, &found), 0);
    }
}

/* Each file of the export, one bit of it after the other (a sample), lost, cut, longer. */
static void every_changed_byte_of_an_export_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *says;
    } files[] = {
        {"checkpoint", "checkpoint"},
        {"log.vkey", "log.vkey"},
        {"tile/0/001", "of tile/0/001"},
        {"tile/0/004.p/76", "of tile/0/004.p/76"},
        {"tile/1/000.p/4", "of tile/1/000.p/4"},
        {"tile/entries/001", "tile/"},
        {"tile/entries/004.p/76", "tile/"},
    };

    make_log();
    export_log();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", export_folder, files[i].path);
        struct byte_buffer content = support_read_file(path);
        for (size_t round = 0; round < support_count(12); round++) {
            size_t byte = support_below(&house.random, content.size);
            uint8_t mask = (uint8_t)(1u << support_below(&house.random, 8));
            content.data[byte] ^= mask;
            assert_int_equal(safefile_write(path, bytes_buffer_view(&content), 0600), STATUS_OK);
            if (verify_files() == 0)
                fail_msg("%s: bit %u of byte %zu", files[i].path, mask, byte);
            assert_told(files[i].says);
            content.data[byte] ^= mask;
        }
        assert_int_equal(safefile_write(path, bytes_view(content.data, content.size - 1), 0600), STATUS_OK);
        /* A key file without its newline says the same. */
        assert_true((verify_files() == 0) == (strcmp(files[i].path, "log.vkey") == 0));
        bytes_append_u8(&content, 'x');
        assert_int_equal(safefile_write(path, bytes_buffer_view(&content), 0600), STATUS_OK);
        assert_true(verify_files() > 0);
        unlink(path);
        assert_true(verify_files() > 0);
        assert_told("is missing");
        assert_int_equal(safefile_write(path, bytes_view(content.data, content.size - 1), 0600), STATUS_OK);
        bytes_buffer_free(&content);
    }
    assert_int_equal(verify_files(), 0);
}

static void a_log_that_does_not_verify_is_not_exported(void **state)
{
    (void)state;
    struct source_reason reason = {""};
    struct source *source = NULL;
    uint64_t entries = 0;
    struct stat found;
    char path[256];

    make_log();
    loghouse_close(&house);
    flip("broker.db", "log", "records", 500, 9, 1);
    assert_int_equal(source_open(house.folder, &source, &reason), STATUS_OK);
    assert_int_equal(export_write(source, key, export_folder, &entries, &reason), STATUS_CORRUPT);
    assert_non_null(strstr(reason.text, "does not verify"));
    snprintf(path, sizeof path, "%s/checkpoint", export_folder);
    assert_int_not_equal(stat(path, &found), 0);
    source_close(&source);
}

/* ---- rows for people ---- */

static void rows_are_readable(void **state)
{
    (void)state;
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    json_t *row =
        json_loads("{\"index\": 17, \"time\": \"2026-12-01T09:14:46.218Z\", \"kind\": \"disclosed\","
                   "\"from\": \"prison.dovegate\", \"to\": null, \"type\": \"release.planned\","
                   "\"labels\": [\"name\", \"crime\"], \"reason\": \"late\", \"flags\": [\"late\"]}",
                   0, NULL);

    assert_non_null(row);
    row_print(out, row);
    fclose(out);
    json_decref(row);
    assert_non_null(strstr(text, "      17  2026-12-01 09:14:46Z  disclosed"));
    assert_non_null(strstr(text, "prison.dovegate"));
    assert_non_null(strstr(text, "[name, crime]  \"late\"  (late)\n"));
}

static void assert_row_csv(const char *json, const char *expected)
{
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    json_t *row = json_loads(json, 0, NULL);

    assert_non_null(row);
    row_print_csv(out, row);
    fclose(out);
    json_decref(row);
    assert_string_equal(text, expected);
}

static void formulas_are_disarmed_in_csv(void **state)
{
    (void)state;
    assert_row_csv(
        "{\"index\": 3, \"reason\": \"=HYPERLINK(1)\", \"from\": \"a,b\", \"to\": \"say \\\"x\\\"\","
        "\"labels\": [\"name\", \"dob\"], \"grounds\": [4, 5]}",
        "3,,,\"a,b\",\"say \"\"x\"\"\",,,,,,,\"name, dob\",,'=HYPERLINK(1),,,,,,\"4, 5\",,\r\n");
    assert_row_csv("{\"index\": 3, \"officer\": \"-1\", \"rule\": \"+a\\nb\", \"type\": \"@x\"}",
                   "3,,,,,'@x,,'-1,,,\"'+a\nb\",,,,,,,,,,,\r\n");
}

static void a_broker_that_does_not_run_is_said(void **state)
{
    (void)state;
    char reason[ASK_REASON_SIZE] = "";
    json_t *request = json_pack("{s:s}", "do", "search");

    assert_int_equal(ask_broker(house.folder, request, &(struct ask_taker){.row = NULL}, reason),
                     ASK_NOT_RUNNING);
    assert_non_null(strstr(reason, "not running"));
    json_decref(request);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_sound_log_verifies),
        TEST(an_empty_log_verifies),
        TEST(every_change_is_named),
        TEST(every_loss_is_named),
        TEST(a_rewritten_log_is_no_longer_what_was_signed),
        TEST(a_checkpoint_of_another_key_is_named),
        TEST(counters_leave_no_gap),
        TEST(erased_records_verify),
        TEST(an_export_verifies_alone),
        TEST(every_changed_byte_of_an_export_is_found),
        TEST(a_log_that_does_not_verify_is_not_exported),
        TEST(rows_are_readable),
        TEST(formulas_are_disarmed_in_csv),
        TEST(a_broker_that_does_not_run_is_said),
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
