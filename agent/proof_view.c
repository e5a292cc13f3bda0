#include "agent/proof_view.h"

#include "agent/proofs.h"
#include "base/civil.h"

/* ---- status ---- */

static json_t *time_or_null(struct db_statement *statement, int column)
{
    char text[CIVIL_TIME_SIZE];

    if (db_column_is_null(statement, column))
        return json_null();
    civil_format_time(db_column_int64(statement, column), text);
    return json_string(text);
}

enum status proof_view_status(struct agent *agent, json_t **ret)
{
    struct db_statement *statement = NULL;
    json_t *view = NULL;
    bool row = false;
    enum status status = db_statement(agent->db,
                                      "SELECT (SELECT count(*) FROM proof WHERE role % 10 = 1),"
                                      " (SELECT count(*) FROM proof WHERE role % 10 = 2),"
                                      " (SELECT count(*) FROM proof WHERE final = 0),"
                                      " (SELECT count(*) FROM proof_due WHERE proved = 0),"
                                      " (SELECT min(since) FROM proof_due WHERE proved = 0),"
                                      " (SELECT count(*) FROM proof WHERE met = 0 AND role = 2),"
                                      " (SELECT min(at) FROM proof WHERE met = 0 AND role = 2),"
                                      " (SELECT value FROM mark WHERE name = 'counted.sent'),"
                                      " (SELECT value FROM mark WHERE name = 'counted.received')",
                                      &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    if (row)
        view = json_pack(
            "{s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:{s:I, s:I}}", "sent",
            (json_int_t)db_column_int64(statement, 0), "received", (json_int_t)db_column_int64(statement, 1),
            "provisional", (json_int_t)db_column_int64(statement, 2), "owed",
            (json_int_t)db_column_int64(statement, 3), "owed_since", time_or_null(statement, 4),
            "not_received", (json_int_t)db_column_int64(statement, 5), "not_received_since",
            time_or_null(statement, 6), "counted", "sent", (json_int_t)db_column_int64(statement, 7),
            "received", (json_int_t)db_column_int64(statement, 8));
    db_reset(statement);
    if (view == NULL)
        return STATUS_NO_MEMORY;
    *ret = view;
    return STATUS_OK;
}

/* ---- files ---- */

static json_t *describe(const struct proofs_row *row, const struct byte_buffer *file)
{
    return json_pack("{s:s, s:I, s:I, s:s, s:b, s:s%}", "as",
                     row->role % PROOFS_LOG_AGO == PROOFS_SENT ? "sender" : "recipient", "number",
                     (json_int_t)row->counter, "entry", (json_int_t)row->index, "kind",
                     record_kind_text((uint8_t)row->kind), "final", (int)row->final, "proof",
                     (const char *)file->data, file->size);
}

static enum status add_file(struct agent *agent, enum proofs_role role, uint64_t counter, bool person,
                            json_t *list)
{
    struct byte_buffer bytes = bytes_buffer(0);
    struct byte_buffer file = bytes_buffer(ENTRY_PROOF_SIZE_MAX);
    struct proofs_row row;
    enum status status = proofs_read(agent, role, counter, &bytes, &row);

    if (status == STATUS_OK) {
        const struct entry_proof proof = {.entry = row.entry,
                                          .account_salt = row.account_salt,
                                          .account = row.account,
                                          .personal_salt = person ? row.personal_salt : NULL,
                                          .personal = row.personal};
        status = entry_proof_write(&proof, row.log_proof, &file);
    }
    if (status == STATUS_OK && json_array_append_new(list, describe(&row, &file)) != 0)
        status = STATUS_NO_MEMORY;
    bytes_buffer_wipe(&bytes);
    bytes_buffer_wipe(&file);
    return status;
}

/* The numbers of an event's entries; reading one uses the database again. */
#define FILES_MOST 32

struct found {
    enum proofs_role role;
    uint64_t counter;
};

static enum status find(struct agent *agent, const uint8_t event[static UUID_SIZE], struct found *found,
                        size_t *ret_count)
{
    struct db_statement *statement = NULL;
    bool row = true;
    size_t count = 0;
    enum status status = db_statement(
        agent->db, "SELECT role, counter FROM proof WHERE event = ? ORDER BY role, counter", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    while (count < FILES_MOST && (status = db_step(statement, &row)) == STATUS_OK && row)
        found[count++] = (struct found){(enum proofs_role)db_column_int64(statement, 0),
                                        (uint64_t)db_column_int64(statement, 1)};
    if (row)
        db_reset(statement);
    *ret_count = count;
    return status == STATUS_OK && count == 0 ? STATUS_NOT_FOUND : status;
}

static enum status list_files(struct agent *agent, const uint8_t event[static UUID_SIZE], bool person,
                              json_t *list)
{
    struct found found[FILES_MOST];
    size_t count = 0;
    enum status status = find(agent, event, found, &count);

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_file(agent, found[i].role, found[i].counter, person, list);
    return status;
}

json_t *proof_view_reply(struct control *control, const json_t *request, uint32_t uid, int64_t now)
{
    const char *text = json_string_value(json_object_get(request, "event"));
    const bool person = !json_is_false(json_object_get(request, "person"));
    uint8_t event[UUID_SIZE];
    enum status status = STATUS_NO_MEMORY;
    json_t *list = json_array();
    json_t *reply = NULL;

    (void)uid;
    (void)now;
    if (list != NULL)
        status = text != NULL ? uuid_parse(bytes_of_string(text), event) : STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        status = list_files(control->agent, event, person, list);
    if (status == STATUS_OK)
        reply = json_pack("{s:{s:s, s:O}}", "ok", "event", text, "proofs", list);
    else if (status == STATUS_BAD_FORMAT)
        reply = json_pack("{s:s}", "refused", "name an event by its id");
    else if (status == STATUS_NOT_FOUND)
        reply = json_pack("{s:s}", "refused", "no log proof of that event is held here (yet)");
    else
        reply = json_pack("{s:s}", "failed", status_text(status));
    json_decref(list);
    return reply;
}
