#pragma once

#include "agent/membership.h"
#include "agent/people.h"
#include "agent/settings.h"
#include "agent/vault.h"
#include "base/db.h"
#include "certs/keystore.h"
#include "proto/random.h"
#include "proto/uuid.h"

struct incidents;

/*
 * What the parts of an agent share. One thread. Every writing transaction is begun and committed by whoever
 * starts the work (control socket, session, feeds), so that what belongs together commits together.
 */
struct agent {
    const char *folder; /* borrowed; "" in memory */
    struct settings settings;
    struct keystore *keystore;
    struct membership *membership; /* NULL until joined */
    struct db *db;
    struct vault *vault;
    struct people *people;
    struct incidents *incidents;
    const struct random_source *random;
    struct uuid_source ids;
    bool sealing_stopped; /* a newer bundle was seen and is not here yet */
};

/*
 * agent_open - everything of an agent's folder but its lock, its link and its feeds.
 *
 * ret_reason  one sentence when the status is not STATUS_OK
 *
 * Returns what settings, key store, archive and database return. agent_close frees. A folder without a bundle
 * opens with membership NULL.
 */
enum status agent_open(const char *folder, struct agent **ret_agent, struct bundle_reason *ret_reason);
void agent_close(struct agent **agent);

/* agent_adopt - a bundle that was verified and archived comes into force: takes over the reference. */
enum status agent_adopt(struct agent *agent, struct bundle *bundle, int64_t now,
                        struct bundle_reason *ret_reason);
