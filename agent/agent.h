#pragma once

#include "agent/membership.h"
#include "agent/people.h"
#include "agent/settings.h"
#include "agent/vault.h"
#include "base/db.h"
#include "certs/keystore.h"
#include "proto/random.h"
#include "proto/uuid.h"

/*
 * What the parts of an agent share. One thread. Every writing transaction is begun and committed by whoever
 * starts the work (control socket, session, feeds), so that what belongs together commits together.
 */
struct agent {
    const char *folder; /* borrowed */
    struct settings settings;
    struct keystore *keystore;
    struct membership *membership; /* NULL until joined */
    struct db *db;
    struct vault *vault;
    struct people *people;
    const struct random_source *random;
    struct uuid_source ids;
    int64_t purge_at;      /* housekeeping.h */
    uint64_t log_size;     /* entries of the newest checkpoint that the broker has shown; 0: none */
    uint64_t newer_serial; /* a newer bundle was seen and is not here yet: nothing is sealed; 0: none */
};

/* Why not, in one sentence for people. */
struct agent_reason {
    char text[512];
};

/*
 * agent_open - everything of an agent's folder but its lock, its link and its feeds. A folder without a
 * bundle opens with membership NULL.
 *
 * ret_agent   freed with agent_close
 * ret_reason  filled in when the status is not STATUS_OK
 *
 * Returns what settings, key store, archive and database return.
 */
enum status agent_open(const char *folder, struct agent **ret_agent, struct agent_reason *ret_reason);
void agent_close(struct agent **agent);

/*
 * agent_take_bundle - verify a bundle file, keep it, and put it into force.
 *
 * fingerprint    of the root, confirmed by other means; NULL when a bundle is held
 * ret_new_keys   our keys of a renewal are now in use: connect again. May be NULL
 *
 * Returns STATUS_OK also for the bundle that is held; otherwise nothing has changed, and the status is that
 * of bundle_verify(), bundle_own_keys(), membership_load() or archive_accept(), with a reason.
 */
enum status agent_take_bundle(struct agent *agent, struct byte_view file, const uint8_t *fingerprint,
                              int64_t now, bool *ret_new_keys, struct agent_reason *ret_reason);

/* agent_use_keys - after opening: when the bundle in force is for the keys of our renewal, they become the
 * current ones (a crash may have come between). STATUS_BAD_CERTIFICATE with a reason, or as the key store. */
enum status agent_use_keys(struct agent *agent, int64_t now, struct agent_reason *ret_reason);

/* agent_sealing - may events be sealed now: a bundle is here, and no newer one is known? */
bool agent_sealing(const struct agent *agent);
