#include "agent/due.h"

#include <assert.h>

enum status due_add(struct agent *agent, const struct due_queue *queue, struct byte_view item)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, queue->insert, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_blob(statement, 1, item);
    return db_run(statement);
}

/* Views of the items, once their bytes no longer move. */
static void view_items(struct due_batch *batch, const size_t *starts)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->items[i] = bytes_view(batch->bytes.data + starts[i], starts[i + 1] - starts[i]);
}

enum status due_oldest(struct agent *agent, const struct due_queue *queue, size_t most, size_t largest,
                       struct due_batch *ret)
{
    struct db_statement *statement = NULL;
    struct due_batch batch = {.bytes = bytes_buffer(most * largest)};
    size_t starts[DUE_MOST + 1];
    bool row = false;
    enum status status = db_statement(agent->db, queue->oldest, &statement);

    assert(most <= DUE_MOST);
    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, (int64_t)most);
    while ((status = db_step(statement, &row)) == STATUS_OK && row) {
        starts[batch.count++] = batch.bytes.size;
        batch.last = db_column_int64(statement, 0);
        bytes_append_view(&batch.bytes, db_column_blob(statement, 1));
    }
    starts[batch.count] = batch.bytes.size;
    if (status == STATUS_OK)
        status = batch.count == 0 ? STATUS_NOT_FOUND : batch.bytes.status;
    if (status != STATUS_OK) {
        due_batch_free(&batch);
        return status;
    }
    view_items(&batch, starts);
    *ret = batch;
    return STATUS_OK;
}

void due_batch_free(struct due_batch *batch)
{
    bytes_buffer_free(&batch->bytes);
    batch->count = 0;
}

enum status due_forget(struct agent *agent, const struct due_queue *queue, int64_t last)
{
    struct db_statement *statement = NULL;
    enum status status = db_statement(agent->db, queue->forget, &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, last);
    return db_run(statement);
}
