#include "agent/orders.h"

#include "agent/inbox.h"
#include "agent/outbox.h"

static enum status commit_if(struct agent *agent, enum status status)
{
    if (status == STATUS_OK)
        return db_commit(agent->db);
    db_rollback(agent->db);
    return status;
}

enum status orders_replan(struct agent *agent, const Wire__Replan *replan, int64_t now)
{
    enum status status = db_begin(agent->db);

    for (size_t i = 0; i < replan->n_events && status == STATUS_OK; i++) {
        if (replan->events[i].len != UUID_SIZE)
            continue;
        status = outbox_repeat(agent, replan->events[i].data, now);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return commit_if(agent, status);
}

enum status orders_recall(struct agent *agent, const Wire__Recall *recall, int64_t now)
{
    enum status status = db_begin(agent->db);

    for (size_t i = 0; i < recall->n_items && status == STATUS_OK; i++) {
        const Wire__RecallItem *item = recall->items[i];

        if (item->event.len == UUID_SIZE && member_check(bytes_of_string(item->from)) == STATUS_OK)
            status = inbox_recall(agent, bytes_of_string(item->from), item->event.data, now);
    }
    return commit_if(agent, status);
}
