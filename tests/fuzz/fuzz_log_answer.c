/*
 * An entry of the log as a broker proves it to an agent, with whatever its record says: signed by the log's
 * own key, so that everything behind the proof is reached. The input is role and kind (a byte each), a number
 * (8), the length of the account part (2), that part, the personal part. Whatever comes, the agent goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/reconcile.h"
#include "tests/support/postroom.h"
#include "tests/support/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMBER POSTROOM_DOVEGATE

static struct postroom *room;
static struct note_key *key;

static void end(void)
{
    note_key_free(&key);
    postroom_close(&room);
}

static void start(void)
{
    room = postroom_open();
    postroom_list(room);
    if (note_key_new(bytes_of_string(keystore_log_name(room->broker)), NOTE_KEY_ED25519,
                     keystore_log(room->broker), &key) != STATUS_OK)
        abort();
    (void)atexit(end);
}

/* A proof in a log of this entry alone. */
static void prove(const uint8_t *entry, struct byte_buffer *note, struct byte_buffer *proof)
{
    const struct checkpoint checkpoint = {
        .origin = note_key_name(key), .size = 1, .root = merkle_leaf(bytes_view(entry, RECORD_ENTRY_SIZE))};
    static struct log_proof log;

    if (checkpoint_sign(&checkpoint, key, note) != STATUS_OK)
        abort();
    log = (struct log_proof){.checkpoint = bytes_buffer_view(note)};
    if (log_proof_format(&log, proof) != STATUS_OK)
        abort();
}

static void take(struct reconcile *reconcile, enum proofs_role role, uint64_t counter,
                 const Wire__LogEntry *entry)
{
    struct db *db = room->agents[MEMBER]->db;
    bool kept = false;

    if (db_begin(db) != STATUS_OK)
        abort();
    if (role != PROOFS_SENT && role != PROOFS_RECEIVED) {
        if (reconcile_count(reconcile, entry, room->now) != STATUS_OK)
            abort();
    } else {
        /* Twice: the second time it is here already. */
        for (int i = 0; i < 2; i++)
            if (reconcile_entry(reconcile, role, counter, entry, room->now, &kept) != STATUS_OK)
                abort();
    }
    db_rollback(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t salt[RECORD_SALT_SIZE] = {1};
    struct byte_reader reader = bytes_reader(bytes_view(data, size));
    const uint8_t role = bytes_read_u8(&reader);
    const uint8_t kind = bytes_read_u8(&reader);
    const uint64_t counter = bytes_read_u64(&reader);
    const struct byte_view account = bytes_read_view(&reader, bytes_read_u16(&reader));
    const struct byte_view personal = reader.rest;
    struct byte_buffer note = bytes_buffer(4096);
    struct byte_buffer proof = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct reconcile *reconcile = NULL;
    uint8_t entry[RECORD_ENTRY_SIZE];
    Wire__LogEntry told = WIRE__LOG_ENTRY__INIT;

    if (reader.failed || record_kind_text(kind) == NULL)
        return 0;
    if (room == NULL)
        start();
    record_entry((enum record_kind)kind, salt, account, salt, personal, entry);
    prove(entry, &note, &proof);
    told.entry = wire_data(bytes_view(entry, sizeof entry));
    told.account_salt = told.personal_salt = wire_data(bytes_view(salt, sizeof salt));
    told.account = wire_data(account);
    told.has_personal = told.has_personal_salt = personal.size > 0;
    told.personal = wire_data(personal);
    told.proof = wire_data(bytes_buffer_view(&proof));
    if (reconcile_new(room->agents[MEMBER], &reconcile) != STATUS_OK)
        abort();
    take(reconcile, (enum proofs_role)role, counter, &told);
    reconcile_free(&reconcile);
    bytes_buffer_free(&note);
    bytes_buffer_free(&proof);
    return 0;
}
