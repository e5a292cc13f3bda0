#include "broker/connecting.h"

#include "broker/cosigning.h"

enum status connecting_started(struct engine *engine, const struct job *job, bool may_write)
{
    struct peer *peer = peers_take(engine->peers, bytes_of_string(job->member));

    if (peer == NULL)
        return STATUS_NO_MEMORY;
    peer->connection = job->connection;
    peer->credit = 0;
    peer->fetched = false;
    engine->in_flight -= peers_restart(peer);
    return cosigning_hello(engine, job, may_write);
}

void connecting_ended(struct engine *engine, const struct job *job)
{
    struct peer *peer = peers_connection(engine->peers, job->connection);

    witnessing_gone(engine->witnessing, job->connection);
    if (peer == NULL)
        return;
    peer->connection = 0;
    peer->credit = 0;
    peer->fetched = false;
    engine->in_flight -= peers_restart(peer);
}
