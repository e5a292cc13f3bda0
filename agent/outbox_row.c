#include "agent/outbox_row.h"

#include <string.h>

void outbox_row_subject(const struct agent *agent, const uint8_t subject[static CORE_SUBJECT_SIZE],
                        uint8_t out[static VAULT_LOOKUP_SIZE])
{
    vault_lookup(agent->vault, "outbox", bytes_view(subject, CORE_SUBJECT_SIZE), out);
}

const char *outbox_row_delivery(int64_t state)
{
    static const char *const words[] = {"undelivered", "delivered", "quarantined",
                                        "recalled",    "replaced",  "expired"};

    return state >= 0 && state < (int64_t)(sizeof words / sizeof words[0]) ? words[state] : "";
}

/* Names the column and the event, so that no sealed value fits another place. */
#define PLACE_SIZE (8 + UUID_SIZE)

static struct byte_view place_of(enum outbox_row_column column, const uint8_t event[static UUID_SIZE],
                                 uint8_t out[static PLACE_SIZE])
{
    static const char names[3][9] = {"out.cont", "out.env.", "out.answ"};

    memcpy(out, names[column], 8);
    memcpy(out + 8, event, UUID_SIZE);
    return bytes_view(out, PLACE_SIZE);
}

enum status outbox_row_seal(struct agent *agent, enum outbox_row_column column,
                            const uint8_t event[static UUID_SIZE], struct byte_view plain,
                            struct byte_buffer *ret)
{
    uint8_t place[PLACE_SIZE];

    return vault_seal(agent->vault, place_of(column, event, place), plain, ret);
}

enum status outbox_row_open(struct agent *agent, enum outbox_row_column column,
                            const uint8_t event[static UUID_SIZE], struct byte_view sealed,
                            struct byte_buffer *ret)
{
    uint8_t place[PLACE_SIZE];

    return vault_open(agent->vault, place_of(column, event, place), sealed, ret);
}

enum status outbox_row_content(struct agent *agent, const uint8_t event[static UUID_SIZE],
                               struct byte_buffer *ret)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(agent->db, "SELECT content FROM outbox WHERE event = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, bytes_view(event, UUID_SIZE));
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        status = outbox_row_open(agent, OUTBOX_ROW_CONTENT, event, db_column_blob(statement, 0), ret);
        db_reset(statement);
    }
    return status;
}
