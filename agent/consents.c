#include "agent/consents.h"

#include "policy/register.h"

/* key: look-up of subject and scope. */
const char consents_schema[] = "CREATE TABLE consent ("
                               " key BLOB PRIMARY KEY,"
                               " given_at INTEGER NOT NULL,"
                               " withdrawn_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static void key_of(const struct agent *agent, struct byte_view protocol,
                   const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope,
                   uint8_t out[static VAULT_LOOKUP_SIZE])
{
    struct byte_buffer name = bytes_buffer(4096);

    bytes_append(&name, subject, CORE_SUBJECT_SIZE);
    bytes_append_u32(&name, (uint32_t)protocol.size);
    bytes_append_view(&name, protocol);
    bytes_append_view(&name, scope);
    vault_lookup(agent->vault, "consent", bytes_buffer_view(&name), out);
    bytes_buffer_free(&name);
}

enum status consents_note(struct agent *agent, struct byte_view protocol,
                          const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope, bool given,
                          int64_t at)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    enum status status = db_statement(agent->db,
                                      "INSERT INTO consent (key, given_at, withdrawn_at) VALUES (?, ?, ?)"
                                      " ON CONFLICT (key) DO UPDATE SET"
                                      " given_at = max(given_at, excluded.given_at),"
                                      " withdrawn_at = max(withdrawn_at, excluded.withdrawn_at)",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    key_of(agent, protocol, subject, scope, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_int64(statement, 2, given ? at : INT64_MIN);
    db_bind_int64(statement, 3, given ? INT64_MIN : at);
    return db_run(statement);
}

enum status consents_withdrawn(struct agent *agent, struct byte_view protocol,
                               const uint8_t subject[static CORE_SUBJECT_SIZE], struct byte_view scope,
                               int64_t given_at, bool *ret_withdrawn)
{
    struct db_statement *statement = NULL;
    uint8_t key[VAULT_LOOKUP_SIZE];
    bool row = false;
    enum status status = db_statement(
        agent->db, "SELECT 1 FROM consent WHERE key = ? AND withdrawn_at + ? >= max(given_at, ?)",
        &statement);

    if (status != STATUS_OK)
        return status;
    key_of(agent, protocol, subject, scope, key);
    db_bind_blob(statement, 1, bytes_view(key, sizeof key));
    db_bind_int64(statement, 2, REGISTER_SKEW_MS);
    db_bind_int64(statement, 3, given_at);
    status = db_step(statement, &row);
    if (row)
        db_reset(statement);
    if (status == STATUS_OK)
        *ret_withdrawn = row;
    return status;
}
