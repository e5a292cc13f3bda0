#include "broker/restore_command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/safefile.h"
#include "broker/backup_key.h"
#include "broker/checkpoints.h"
#include "broker/command.h"
#include "broker/layout.h"
#include "broker/logbook.h"
#include "broker/restoring.h"
#include "broker/setup.h"
#include "certs/keystore.h"
#include "proto/checkpoint.h"
#include "proto/note.h"

#define NOTE_LIMIT NOTE_SIZE_MAX

const struct option_spec restore_command_options[] = {
    {"dir", "B", "the broker's folder, with its keys and without a database", OPTION_TEXT, true},
    {"from", "FILE", "the backup", OPTION_TEXT, true},
    {"key", "FILE", "the private half of the recovery key", OPTION_TEXT, true},
    {"expired", NULL, "although it is older than backups may be", OPTION_FLAG, false},
    {"new-log", NULL, "begin a new log, as the old one would fork", OPTION_FLAG, false},
    {"checkpoint", "FILE", "with --new-log: the newest checkpoint of the old log that a member holds",
     OPTION_TEXT, false},
    {0},
};

const struct option_spec restore_command_new_log_options[] = {
    {"dir", "B", "the broker's folder", OPTION_TEXT, true},
    {"because", "TEXT", "why the old log cannot go on; it stands in the new one", OPTION_TEXT, true},
    {"checkpoint", "FILE", "the newest checkpoint of the old log that a member holds", OPTION_TEXT, false},
    {0},
};

struct restore {
    const struct options *options;
    const char *folder;
    struct folder_lock *lock;
    struct keystore *keystore;
    struct db *db;
    char why[160];           /* as the log will say it */
    struct byte_buffer note; /* the newest checkpoint of the old log that is known; empty: none */
    uint64_t note_size;
    int code;
};

static int fail(struct restore *restore, enum status status, const char *subject)
{
    return restore->code = command_fail(restore->options, status, subject, status_text(status));
}

static void path_in(const struct restore *restore, const char *name, char out[static PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", restore->folder, name);
}

/* ---- the folder ---- */

static int open_folder(struct restore *restore)
{
    enum status status = safefile_lock(restore->folder, &restore->lock);

    if (status == STATUS_IN_USE)
        return restore->code =
                   options_fail(restore->options, EXIT_ENVIRONMENT,
                                "%s: a broker runs on this folder; stop it first", restore->folder);
    if (status != STATUS_OK)
        return fail(restore, status, restore->folder);
    status = keystore_load(restore->folder, &restore->keystore);
    if (status == STATUS_NOT_FOUND)
        return restore->code = options_fail(
                   restore->options, EXIT_ENVIRONMENT,
                   "%s: put the broker's keys back first (keys/); if they are lost, make a broker with "
                   "concordat-broker init and have it enrolled with --replace, then restore into its folder",
                   restore->folder);
    return status == STATUS_OK ? EXIT_DONE : fail(restore, status, restore->folder);
}

static void close_folder(struct restore *restore)
{
    db_close(&restore->db);
    keystore_free(&restore->keystore);
    bytes_buffer_free(&restore->note);
    safefile_unlock(&restore->lock);
}

static int open_database(struct restore *restore)
{
    struct byte_buffer schema = bytes_buffer((size_t)64 << 10);
    struct db_options options = layout_options(&schema);
    char path[PATH_MAX];
    enum status status = schema.status;

    path_in(restore, "broker.db", path);
    if (status == STATUS_OK)
        status = db_open(path, &options, &restore->db);
    bytes_buffer_free(&schema);
    return status == STATUS_OK ? EXIT_DONE : fail(restore, status, path);
}

/* ---- checkpoints of the old log ---- */

/* Takes a checkpoint as the newest known if it is this log's, and newer. */
static enum status take_note(struct restore *restore, struct byte_view bytes)
{
    struct note_key *key = NULL;
    struct checkpoint checkpoint;
    enum status status = note_key_new(bytes_of_string(keystore_log_name(restore->keystore)), NOTE_KEY_ED25519,
                                      keystore_log(restore->keystore), &key);

    if (status == STATUS_OK)
        status = checkpoint_open(bytes, key, NULL, &checkpoint);
    if (status == STATUS_OK && (restore->note.size == 0 || checkpoint.size > restore->note_size)) {
        bytes_buffer_clear(&restore->note);
        bytes_append_view(&restore->note, bytes);
        restore->note_size = checkpoint.size;
        status = restore->note.status;
    }
    note_key_free(&key);
    return status;
}

static enum status take_stored(struct restore *restore)
{
    struct byte_buffer note = bytes_buffer(NOTE_LIMIT);
    struct checkpoints *checkpoints = NULL;
    struct checkpoints_entry entry;
    char path[PATH_MAX];
    enum status status;

    if (!command_has(restore->folder, "checkpoint.db"))
        return STATUS_OK;
    path_in(restore, "checkpoint.db", path);
    status = checkpoints_open(path, NULL, &checkpoints);
    if (status == STATUS_OK)
        status = checkpoints_read(checkpoints, &note, &entry);
    if (status == STATUS_OK)
        (void)take_note(restore, entry.note); /* another log's says nothing of this one */
    checkpoints_close(&checkpoints);
    bytes_buffer_free(&note);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What a member holds, as a file. */
static int take_given(struct restore *restore)
{
    const char *path = options_text(restore->options, "checkpoint");
    struct byte_buffer bytes = bytes_buffer(0);
    enum status status;

    if (path == NULL)
        return EXIT_DONE;
    status = safefile_read(path, NOTE_LIMIT, &bytes);
    if (status == STATUS_OK)
        status = take_note(restore, bytes_buffer_view(&bytes));
    bytes_buffer_free(&bytes);
    if (status == STATUS_OK)
        return EXIT_DONE;
    return restore->code = command_fail(restore->options, status, path,
                                        status == STATUS_MISMATCH || status == STATUS_UNKNOWN_KEY ||
                                                status == STATUS_BAD_SIGNATURE
                                            ? "no checkpoint of this broker's log"
                                            : status_text(status));
}

/* ---- what the next start is told ---- */

static enum status put_state(struct db *db, const char *name, struct byte_view value)
{
    struct db_statement *statement = NULL;
    enum status status =
        db_statement(db, "INSERT OR REPLACE INTO state(name, value) VALUES(?, ?)", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_text(statement, 1, name);
    db_bind_blob(statement, 2, value);
    return db_run(statement);
}

/* A new log was begun before and has not been started: what it says of the old one stays. */
static bool is_marked(struct db *db)
{
    struct db_statement *statement = NULL;
    bool row = false;

    if (db_statement(db, "SELECT 1 FROM state WHERE name = '" LAYOUT_NEW_LOG "' AND length(value) > 0",
                     &statement) != STATUS_OK ||
        db_step(statement, &row) != STATUS_OK)
        return false;
    if (row)
        db_reset(statement);
    return row;
}

static enum status mark(struct restore *restore, bool new_log)
{
    static const uint8_t yes = 1;
    static const uint8_t none = 0;
    enum status status = db_begin(restore->db);

    if (status != STATUS_OK)
        return status;
    status = put_state(restore->db, LAYOUT_REPLAY, bytes_view(&yes, 1));
    if (status == STATUS_OK)
        status = put_state(restore->db, LAYOUT_RESTORED, bytes_of_string(restore->why));
    if (status == STATUS_OK && new_log && (restore->note.size > 0 || !is_marked(restore->db)))
        status =
            put_state(restore->db, LAYOUT_NEW_LOG,
                      restore->note.size == 0 ? bytes_view(&none, 1) : bytes_buffer_view(&restore->note));
    if (status == STATUS_OK)
        return db_commit(restore->db);
    db_rollback(restore->db);
    return status;
}

/* The old log's checkpoints are kept for those who want to look, out of the way. */
static enum status move_checkpoints(struct restore *restore, int64_t now)
{
    char from[PATH_MAX];
    char name[64];
    char to[PATH_MAX];

    (void)snprintf(name, sizeof name, "checkpoint.db.until-%" PRId64, now);
    path_in(restore, "checkpoint.db", from);
    path_in(restore, name, to);
    if (rename(from, to) != 0 && errno != ENOENT)
        return safefile_status(errno);
    return safefile_sync_folder(restore->folder);
}

static int begin_new_log(struct restore *restore)
{
    const struct clock clock = clock_real();
    char request[PATH_MAX];
    char old[128];
    enum status status;

    (void)snprintf(old, sizeof old, "%s", keystore_log_name(restore->keystore));
    status = mark(restore, true);
    CRASH_POINT("restore.marked");
    if (status == STATUS_OK) {
        db_close(&restore->db);
        status = move_checkpoints(restore, clock_now(&clock));
    }
    CRASH_POINT("restore.moved");
    if (status == STATUS_OK)
        status = keystore_next_log(restore->keystore);
    CRASH_POINT("restore.keyed");
    if (status == STATUS_OK)
        status = keystore_renew(restore->keystore, request);
    if (status != STATUS_OK)
        return fail(restore, status, restore->folder);
    fprintf(options_out(restore->options),
            "the log %s ends, %s begins over what is there; its first entry will name ", old,
            keystore_log_name(restore->keystore));
    if (restore->note.size > 0)
        fprintf(options_out(restore->options), "the old one's checkpoint of %" PRIu64 " entries\n",
                restore->note_size);
    else
        fputs("no checkpoint of the old one: none is known (--checkpoint)\n", options_out(restore->options));
    fprintf(
        options_out(restore->options),
        "next: tell the board; take %s to the authority (concordat-authority enrol --renew), load the bundle "
        "that it gives out, then start the broker. Agents publish again what it does not know\n",
        request);
    return EXIT_DONE;
}

/* ---- restore ---- */

static int refuse_old(struct restore *restore, const struct backup_manifest *manifest)
{
    const struct clock clock = clock_real();
    char made[CIVIL_TIME_SIZE];

    civil_format_time(manifest->made, made);
    (void)snprintf(restore->why, sizeof restore->why, "restored from the backup of %s", made);
    if (strcmp(manifest->member, keystore_member(restore->keystore)) != 0)
        return restore->code = options_fail(
                   restore->options, EXIT_REFUSED, "the backup is %s's, and the keys in %s are %s's",
                   manifest->member, restore->folder, keystore_member(restore->keystore));
    if (clock_now(&clock) - manifest->made > BACKUP_MANIFEST_LIFE_MS &&
        !options_flag(restore->options, "expired"))
        return restore->code = options_fail(restore->options, EXIT_REFUSED,
                                            "the backup is of %.10s, and backups are to be deleted after 30 "
                                            "days: it holds what was erased "
                                            "since, and the journal of erasures need not go back that far. "
                                            "If it is all there is, and whoever "
                                            "answers for data protection agrees, say --expired",
                                            made);
    return EXIT_DONE;
}

/* What stands beside it under the same names but for ".restored", takes their place. */
static enum status put_in_place(struct restore *restore)
{
    static const char *const names[] = {"broker.db-wal", "broker.db"};
    static const char *const derived[] = {"index.db", "index.db-wal", "index.db-shm"};
    char from[PATH_MAX];
    char to[PATH_MAX];

    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++) {
        path_in(restore, derived[i], to);
        if (unlink(to) != 0 && errno != ENOENT)
            return safefile_status(errno);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_in(restore, names[i], to);
        (void)snprintf(from, sizeof from, "%.4000s.restored", to);
        if (rename(from, to) != 0 && (i == 1 || errno != ENOENT))
            return safefile_status(errno);
    }
    return safefile_sync_folder(restore->folder);
}

/* Nothing of a restore that did not come to its end stays. */
static void take_away(struct restore *restore)
{
    static const char *const names[] = {"broker.db.restored", "broker.db-wal.restored", "broker.db",
                                        "broker.db-wal", "broker.db-shm"};
    char path[PATH_MAX];

    db_close(&restore->db);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_in(restore, names[i], path);
        (void)unlink(path);
    }
}

/* Whether the same log can go on: it holds all that was signed, by what is known here; all of it is read. */
static enum status judge(struct restore *restore, struct logbook_reason *reason)
{
    char path[PATH_MAX];
    struct logbook *logbook = NULL;
    const struct clock clock = clock_real();
    struct logbook_options options = {.checkpoint_path = path,
                                      .key = keystore_log(restore->keystore),
                                      .origin = keystore_log_name(restore->keystore),
                                      .random = random_system(),
                                      .replay = true};
    enum status status;

    path_in(restore, "checkpoint.db", path);
    status = logbook_open(restore->db, &options, clock_now(&clock), &logbook, reason);
    logbook_close(&logbook);
    return status;
}

static bool is_fork(enum status status)
{
    return status == STATUS_ROLLBACK || status == STATUS_NOT_FOUND || status == STATUS_FORKED ||
           status == STATUS_MISMATCH || status == STATUS_BAD_SIGNATURE;
}

static int go_on(struct restore *restore)
{
    const bool new_log = options_flag(restore->options, "new-log");
    struct logbook_reason reason = {{0}};
    enum status status = judge(restore, &reason);

    if (is_fork(status) && new_log)
        return begin_new_log(restore);
    if (is_fork(status))
        return restore->code = options_fail(restore->options, EXIT_REFUSED,
                                            "this would fork the log: %s. Members may hold proofs of entries "
                                            "that are not in the backup. If a "
                                            "newer backup is there, take that; otherwise restore this one "
                                            "with --new-log (docs/operations.md, "
                                            "\"Backup and restore\")",
                                            reason.text);
    if (status != STATUS_OK)
        return restore->code = command_fail(restore->options, status, restore->folder, reason.text);
    if (new_log)
        return restore->code = options_fail(restore->options, EXIT_REFUSED,
                                            "the same log can go on: restore without --new-log");
    status = mark(restore, false);
    if (status != STATUS_OK)
        return fail(restore, status, restore->folder);
    fputs("restored, and the whole log was read and is right; start the broker: what was erased since is "
          "erased "
          "again first\n",
          options_out(restore->options));
    return EXIT_DONE;
}

static int restore_from(struct restore *restore, struct restoring *restoring)
{
    struct restoring_reason reason = {{0}};
    enum status status = restoring_check(restoring, &reason);

    if (status != STATUS_OK)
        return restore->code =
                   options_fail(restore->options, status_of_machine(status) ? EXIT_ENVIRONMENT : EXIT_REFUSED,
                                "%s", reason.text);
    if (refuse_old(restore, &restoring->manifest) != EXIT_DONE || take_given(restore) != EXIT_DONE)
        return restore->code;
    status = take_stored(restore);
    if (status != STATUS_OK)
        return fail(restore, status, "checkpoint.db");
    if (restoring->manifest.checkpoint.size > 0)
        (void)take_note(restore, bytes_buffer_view(&restoring->manifest.checkpoint));
    status = restoring_write(restoring, &reason);
    if (status != STATUS_OK)
        restore->code = options_fail(restore->options, EXIT_ENVIRONMENT, "%s", reason.text);
    else if ((status = put_in_place(restore)) != STATUS_OK)
        (void)fail(restore, status, restore->folder);
    else if (open_database(restore) == EXIT_DONE)
        (void)go_on(restore);
    if (restore->code != EXIT_DONE)
        take_away(restore);
    return restore->code;
}

int restore_command_run(const struct options *options, void *context)
{
    struct restore restore = {
        .options = options, .folder = options_text(options, "dir"), .note = bytes_buffer(NOTE_LIMIT)};
    struct restoring restoring = {.path = options_text(options, "from"), .folder = restore.folder};
    struct x25519_private *key = NULL;
    const char *key_path = options_text(options, "key");
    enum status status;

    (void)context;
    if (command_has(restore.folder, "broker.db") || command_has(restore.folder, "broker.db-wal"))
        return options_fail(
            options, EXIT_REFUSED,
            "%s: there is a database (broker.db) in it: move it away first, with its -wal and -shm",
            restore.folder);
    status = backup_key_private(key_path, &key);
    if (status != STATUS_OK)
        return command_fail(options, status, key_path,
                            status == STATUS_MISMATCH
                                ? "this is the public half; the private one opens backups"
                                : status_text(status));
    restoring.key = key;
    if (open_folder(&restore) == EXIT_DONE)
        (void)restore_from(&restore, &restoring);
    bytes_buffer_free(&restoring.manifest.checkpoint);
    close_folder(&restore);
    x25519_private_free(&key);
    return restore.code;
}

/* ---- new-log ---- */

int restore_command_new_log(const struct options *options, void *context)
{
    struct restore restore = {
        .options = options, .folder = options_text(options, "dir"), .note = bytes_buffer(NOTE_LIMIT)};
    const char *because = options_text(options, "because");
    enum status status;

    (void)context;
    if (because[0] == '\0' || strlen(because) >= sizeof restore.why)
        return options_fail(options, EXIT_USAGE, "--because: say it in at most %zu letters",
                            sizeof restore.why - 1);
    if (!command_has(restore.folder, SETUP_FILE) || !command_has(restore.folder, "broker.db"))
        return options_fail(options, EXIT_ENVIRONMENT, "%s: no broker's database in it", restore.folder);
    (void)snprintf(restore.why, sizeof restore.why, "%s", because);
    if (open_folder(&restore) == EXIT_DONE && take_given(&restore) == EXIT_DONE) {
        status = take_stored(&restore);
        if (status != STATUS_OK && status != STATUS_CORRUPT)
            (void)fail(&restore, status, "checkpoint.db");
        else if (open_database(&restore) == EXIT_DONE)
            (void)begin_new_log(&restore);
    }
    close_folder(&restore);
    return restore.code;
}
