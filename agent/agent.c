#include "agent/agent.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/alerts.h"
#include "agent/consents.h"
#include "agent/feeds.h"
#include "agent/inbox.h"
#include "agent/incidents.h"
#include "agent/outbox.h"
#include "agent/questions.h"
#include "agent/receipts.h"
#include "agent/reports.h"
#include "agent/republishing.h"
#include "agent/store.h"
#include "base/crash.h"
#include "certs/archive.h"

void agent_close(struct agent **agent)
{
    if (*agent == NULL)
        return;
    people_free(&(*agent)->people);
    db_close(&(*agent)->db);
    vault_free(&(*agent)->vault);
    membership_free(&(*agent)->membership);
    keystore_free(&(*agent)->keystore);
    free(*agent);
    *agent = NULL;
}

static enum status because(struct agent_reason *ret_reason, enum status status, const char *folder,
                           const char *what)
{
    (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%.200s/%s: %s", folder, what,
                   status_text(status));
    return status;
}

static enum status open_keys(struct agent *agent, struct agent_reason *ret_reason)
{
    struct settings_reason why = {0};
    enum status status = settings_read(agent->folder, &agent->settings, &why);

    if (status != STATUS_OK) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s", why.text);
        return status;
    }
    status = keystore_load(agent->folder, &agent->keystore);
    if (status != STATUS_OK)
        return because(ret_reason, status, agent->folder, "keys");
    status = vault_new(keystore_storage(agent->keystore), agent->random, &agent->vault);
    return status == STATUS_OK ? STATUS_OK : because(ret_reason, status, agent->folder, "keys");
}

static enum status open_store(struct agent *agent, struct agent_reason *ret_reason)
{
    char path[PATH_MAX];
    enum status status = STATUS_BAD_ARGUMENT;

    if (snprintf(path, sizeof path, "%s/agent.db", agent->folder) < (int)sizeof path)
        status = store_open(path, &agent->db);
    if (status == STATUS_OK)
        status = people_new(agent->db, agent->vault, &agent->people);
    if (status == STATUS_OK)
        status = outbox_resume(agent);
    return status == STATUS_OK ? STATUS_OK : because(ret_reason, status, agent->folder, "agent.db");
}

static enum status open_bundle(struct agent *agent, struct agent_reason *ret_reason)
{
    struct bundle *bundle = NULL;
    struct bundle_reason why = {0};
    enum status status = archive_newest(agent->folder, &bundle, &why);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = membership_load(bundle, agent->keystore, &agent->membership, &why);
    if (status != STATUS_OK) {
        bundle_free(&bundle);
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%.160s: the bundle in force: %s",
                       agent->folder, why.text[0] != '\0' ? why.text : status_text(status));
    }
    return status;
}

enum status agent_open(const char *folder, struct agent **ret_agent, struct agent_reason *ret_reason)
{
    struct agent *agent = calloc(1, sizeof *agent);
    enum status status = STATUS_OK;

    if (agent == NULL)
        return because(ret_reason, STATUS_NO_MEMORY, folder, "agent.db");
    agent->folder = folder;
    agent->random = random_system();
    agent->ids = uuid_source(agent->random);
    status = open_keys(agent, ret_reason);
    if (status == STATUS_OK)
        status = open_bundle(agent, ret_reason);
    if (status == STATUS_OK)
        status = open_store(agent, ret_reason);
    if (status == STATUS_OK)
        *ret_agent = agent;
    else
        agent_close(&agent);
    return status;
}

enum status agent_use_keys(struct agent *agent, int64_t now, struct agent_reason *ret_reason)
{
    struct bundle_reason why = {0};
    enum keystore_match match = KEYSTORE_NONE;
    enum status status = STATUS_OK;

    if (agent->membership == NULL)
        return STATUS_OK;
    status = bundle_own_keys(agent->membership->bundle, agent->keystore, now, &match, &why);
    if (status == STATUS_OK && match == KEYSTORE_NEXT)
        status = keystore_promote(agent->keystore);
    if (status != STATUS_OK)
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s",
                       why.text[0] != '\0' ? why.text : status_text(status));
    return status == STATUS_OK ? republishing_look(agent, now) : status;
}

bool agent_sealing(const struct agent *agent)
{
    return agent->membership != NULL && agent->newer_serial <= bundle_serial(agent->membership->bundle);
}

/* Puts a kept bundle into force. Takes over both. */
static enum status put_in_force(struct agent *agent, struct membership *membership, enum keystore_match match,
                                int64_t now, bool *ret_new_keys)
{
    enum status status = STATUS_OK;

    CRASH_POINT("agent.bundle.kept");
    if (match == KEYSTORE_NEXT) {
        status = keystore_promote(agent->keystore);
        if (status != STATUS_OK)
            return status;
        if (ret_new_keys != NULL)
            *ret_new_keys = true;
    }
    membership_free(&agent->membership);
    agent->membership = membership;
    return republishing_look(agent, now);
}

enum status agent_take_bundle(struct agent *agent, struct byte_view file, const uint8_t *fingerprint,
                              int64_t now, bool *ret_new_keys, struct agent_reason *ret_reason)
{
    const struct bundle *held = agent->membership != NULL ? agent->membership->bundle : NULL;
    struct bundle_reason why = {0};
    struct bundle *bundle = NULL;
    struct membership *membership = NULL;
    enum keystore_match match = KEYSTORE_NONE;
    enum status status = bundle_verify(file, held, fingerprint, now, &bundle, &why);

    if (status == STATUS_OK)
        status = keystore_look(agent->keystore);
    if (status == STATUS_OK)
        status = bundle_own_keys(bundle, agent->keystore, now, &match, &why);
    if (status == STATUS_OK)
        status = membership_load(bundle, agent->keystore, &membership, &why);
    if (status != STATUS_OK) {
        bundle_free(&bundle);
        goto out;
    }
    status = archive_accept(agent->folder, bundle, &why);
    if (status == STATUS_OK)
        status = put_in_force(agent, membership, match, now, ret_new_keys);
    if (status != STATUS_OK && agent->membership != membership)
        membership_free(&membership);
out:
    if (status != STATUS_OK)
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s",
                       why.text[0] != '\0' ? why.text : status_text(status));
    return status;
}
