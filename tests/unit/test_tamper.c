/*
 * Single bits changed at seeded places of every stored value of a log, and of every file of its export: each
 * is found, and the place that is named is the right one. Several are changed at a time, far apart, as each
 * check reads the whole log.
 */
#include "tests/support/loghouse.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/export.h"
#include "audit/verify.h"
#include "base/safefile.h"
#include "proto/logrow.h"

#define ENTRIES 100000
#define ROW     500
#define TILES   (ENTRIES / 256) /* full ones of level 0 */
#define AT_ONCE 8               /* fewer than would hide each other: a check tells 50 problems */
#define FLIPS   300

struct place {
    const char *table; /* of a database */
    const char *column;
    char file[96]; /* or a file of the export */
    int64_t row;
    size_t byte;
    uint8_t mask;
    uint64_t first; /* entries that it stands for: first to end - 1, or none */
    uint64_t end;
    char says[96]; /* or what else names it */
};

static struct loghouse house;
static struct note_key *key;
static struct byte_buffer told;
static char export_folder[128];
static const struct verify_progress no_progress = {.at = NULL};

static void note_problem(void *context, const char *text)
{
    (void)context;
    bytes_append_string(&told, text);
    bytes_append_string(&told, "\n");
}

/* ---- the log ---- */

static int set_up(void **state)
{
    (void)state;
    told = bytes_buffer((size_t)1 << 20);
    loghouse_make(&house, 411);
    snprintf(export_folder, sizeof export_folder, "%.60s/export", house.folder);
    assert_int_equal(note_key_new(bytes_of_string(LOGHOUSE_ORIGIN), NOTE_KEY_ED25519, house.key, &key),
                     STATUS_OK);
    assert_int_equal(loghouse_open(&house), STATUS_OK);
    while (house.size < ENTRIES)
        assert_int_equal(loghouse_commit_row(&house, ROW), STATUS_OK);
    assert_int_equal(logbook_sign(house.logbook, LOGHOUSE_NOW + ENTRIES, &house.reason), STATUS_OK);
    loghouse_close(&house);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_buffer_free(&told);
    note_key_free(&key);
    loghouse_remove(&house);
    return 0;
}

static struct db *open_database(bool checkpoint)
{
    const struct db_options options = {
        .application_id = checkpoint ? LOGROW_CHECKPOINT_APPLICATION : LOGROW_STORE_APPLICATION,
        .user_version = checkpoint ? LOGROW_CHECKPOINT_VERSION : LOGROW_STORE_VERSION,
        .schema_sql = "-",
    };
    struct db *db = NULL;

    assert_int_equal(db_open(checkpoint ? house.checkpoint_path : house.store_path, &options, &db),
                     STATUS_OK);
    return db;
}

/* ---- what is named ---- */

/* A line that names an entry, several, or a row, of those from first to end - 1. */
static bool names_entries(const char *line, uint64_t first, uint64_t end)
{
    const char *row = strstr(line, "starts at entry ");
    unsigned long long from = 0;
    unsigned long long to = 0;

    if (row != NULL)
        line = row + strlen("starts at ");
    if (sscanf(line, "entries %llu to %llu", &from, &to) != 2) {
        if (sscanf(line, "entry %llu", &from) != 1)
            return false;
        to = from;
    }
    return from < end && to >= first;
}

static bool is_named(const struct place *place)
{
    char text[512];

    for (size_t at = 0; at < told.size;) {
        const uint8_t *stop = memchr(told.data + at, '\n', told.size - at);
        const size_t size = stop == NULL ? told.size - at : (size_t)(stop - told.data) - at;

        snprintf(text, sizeof text, "%.*s", (int)size, (const char *)told.data + at);
        if ((place->says[0] != '\0' && strstr(text, place->says) != NULL) ||
            (place->end > place->first && names_entries(text, place->first, place->end)))
            return true;
        at += size + 1;
    }
    return false;
}

static void all_are_named(const struct place *places, size_t count, uint64_t problems)
{
    assert_true(problems >= count);
    bytes_append_u8(&told, 0);
    for (size_t i = 0; i < count; i++) {
        if (!is_named(&places[i]))
            fail_msg("%s%s row %lld byte %zu mask %02x is not named in:\n%s", places[i].file,
                     places[i].table == NULL ? "" : places[i].column, (long long)places[i].row,
                     places[i].byte, places[i].mask, (const char *)told.data);
    }
}

/* ---- databases ---- */

static uint64_t verify_log(void)
{
    struct problems problems = {.tell = note_problem};
    struct source_reason reason = {""};
    struct source *source = NULL;
    struct verify_result result = {.entries = 0};

    bytes_buffer_clear(&told);
    assert_int_equal(source_open(house.folder, &source, &reason), STATUS_OK);
    assert_int_equal(verify_broker(source, key, &no_progress, &problems, &result), STATUS_OK);
    source_close(&source);
    return problems.count;
}

static size_t blob_size(const struct place *place)
{
    struct db *db = open_database(strcmp(place->table, "checkpoint") == 0);
    struct db_statement *statement = NULL;
    char sql[128];
    bool row = false;

    snprintf(sql, sizeof sql, "SELECT length(%s) FROM %s WHERE rowid = ?", place->column, place->table);
    assert_int_equal(db_statement(db, sql, &statement), STATUS_OK);
    db_bind_int64(statement, 1, place->row);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    assert_true(row);
    const size_t size = (size_t)db_column_int64(statement, 0);
    db_reset(statement);
    db_close(&db);
    return size;
}

/* A place in one of the stored values; of those at once, each has a slice of the log of its own. */
static struct place choose(size_t slice)
{
    static const char *const columns[] = {"records", "personal"};
    const uint64_t rows = ENTRIES / ROW / AT_ONCE;
    const uint64_t tiles = TILES / AT_ONCE;
    struct place place = {.mask = (uint8_t)(1u << support_below(&house.random, 8))};
    const uint64_t kind = support_below(&house.random, slice == 0 ? 10 : 8);

    if (kind < 5) {
        place.table = "log";
        place.column = columns[support_below(&house.random, 2)];
        place.row = (int64_t)(ROW * (slice * rows + support_below(&house.random, rows)));
        place.first = (uint64_t)place.row;
        place.end = place.first + ROW;
    } else if (kind < 8) {
        place.table = "tile";
        place.column = "hashes";
        place.row = (int64_t)(slice * tiles + support_below(&house.random, tiles));
        place.first = 256 * (uint64_t)place.row;
        place.end = place.first + 256;
    } else if (kind == 8) {
        place.table = "head";
        place.column = "state";
        place.row = 1;
        snprintf(place.says, sizeof place.says, "head:");
    } else {
        place.table = "checkpoint";
        place.column = support_below(&house.random, 2) == 0 ? "root" : "note";
        place.row = 1;
        snprintf(place.says, sizeof place.says, "checkpoint:");
    }
    place.byte = support_below(&house.random, blob_size(&place));
    return place;
}

static void flip(const struct place *place)
{
    struct db *db = open_database(strcmp(place->table, "checkpoint") == 0);
    uint8_t value = 0;

    assert_int_equal(db_blob_read(db, place->table, place->column, place->row, place->byte, &value, 1),
                     STATUS_OK);
    value ^= place->mask;
    assert_int_equal(
        db_blob_write(db, place->table, place->column, place->row, place->byte, bytes_view(&value, 1)),
        STATUS_OK);
    db_close(&db);
}

static void every_stored_bit_is_guarded(void **state)
{
    (void)state;
    assert_int_equal(verify_log(), 0);
    for (size_t done = 0; done < support_count(FLIPS * 2 / 3); done += AT_ONCE) {
        struct place places[AT_ONCE];

        for (size_t i = 0; i < AT_ONCE; i++) {
            places[i] = choose(i);
            flip(&places[i]);
        }
        all_are_named(places, AT_ONCE, verify_log());
        for (size_t i = 0; i < AT_ONCE; i++)
            flip(&places[i]);
    }
    assert_int_equal(verify_log(), 0);
}

/* ---- exports ---- */

static enum status read_file(void *context, const char *path, size_t limit, struct byte_buffer *ret)
{
    char full[256];

    (void)context;
    snprintf(full, sizeof full, "%s/%s", export_folder, path);
    return safefile_read(full, limit, ret);
}

static uint64_t verify_files(void)
{
    const struct verify_files files = {.read = read_file};
    struct problems problems = {.tell = note_problem};
    struct verify_result result = {.entries = 0};

    bytes_buffer_clear(&told);
    assert_int_equal(verify_export(&files, key, &no_progress, &problems, &result), STATUS_OK);
    return problems.count;
}

static struct place choose_file(size_t slice)
{
    const uint64_t tiles = TILES / AT_ONCE;
    struct place place = {.mask = (uint8_t)(1u << support_below(&house.random, 8))};
    const uint64_t kind = support_below(&house.random, slice == 0 ? 8 : 6);
    const uint64_t tile = slice * tiles + support_below(&house.random, tiles);

    if (kind < 6) {
        snprintf(place.file, sizeof place.file, kind < 3 ? "tile/0/%03u" : "tile/entries/%03u",
                 (unsigned)tile);
        place.first = 256 * tile;
        place.end = place.first + 256;
        snprintf(place.says, sizeof place.says, "%s", place.file);
    } else {
        snprintf(place.file, sizeof place.file, kind == 6 ? "checkpoint" : "tile/1/000");
        snprintf(place.says, sizeof place.says, "%s", place.file);
        place.end = kind == 6 ? 0 : 65536;
    }
    return place;
}

static void flip_file(struct place *place, bool choose_byte)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", export_folder, place->file);
    struct byte_buffer content = support_read_file(path);
    if (choose_byte)
        place->byte = support_below(&house.random, content.size);
    content.data[place->byte] ^= place->mask;
    assert_int_equal(safefile_write(path, bytes_buffer_view(&content), 0600), STATUS_OK);
    bytes_buffer_free(&content);
}

static void every_exported_bit_is_guarded(void **state)
{
    struct source_reason reason = {""};
    struct source *source = NULL;
    uint64_t entries = 0;

    (void)state;
    assert_int_equal(source_open(house.folder, &source, &reason), STATUS_OK);
    assert_int_equal(export_write(source, key, export_folder, &entries, &reason), STATUS_OK);
    source_close(&source);
    assert_int_equal(entries, ENTRIES);
    assert_int_equal(verify_files(), 0);
    for (size_t done = 0; done < support_count(FLIPS / 3); done++) {
        struct place place = choose_file(done % AT_ONCE);

        flip_file(&place, true);
        all_are_named(&place, 1, verify_files());
        flip_file(&place, false);
    }
    assert_int_equal(verify_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stored_bit_is_guarded),
        cmocka_unit_test(every_exported_bit_is_guarded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
