#include "agent/rights.h"

#include <stdio.h>
#include <string.h>

/* What each verb needs. What is not here is for the agent's own user and root. */
static const struct {
    const char *verb;
    unsigned needs; /* one of these; 0: whoever has any right */
} needs[] = {
    {"status", 0},
    {"doctor", 0},
    {"query-info", 0}, /* the officer's own signature is what counts */
    {"query", 0},
    {"query-next", 0},
    {"inbox", SETTINGS_READ},
    {"show", SETTINGS_READ},
    {"subject", SETTINGS_READ},
    {"proof", SETTINGS_READ},
    {"acknowledge", SETTINGS_READ},
    {"publish", SETTINGS_PUBLISH},
    {"correct", SETTINGS_PUBLISH},
    {"import", SETTINGS_PUBLISH},
    {"answer", SETTINGS_ANSWER},
    {"confirm", SETTINGS_CONFIRM},
};

unsigned rights_of(const struct settings *settings, struct local_peer peer, uid_t own)
{
    const struct settings_officer *group = NULL;

    if (peer.uid == own || peer.uid == 0)
        return SETTINGS_EVERYTHING; /* who may read the folder's keys */
    for (size_t i = 0; i < settings->officer_count; i++) {
        const struct settings_officer *row = &settings->officers[i];
        if (!row->group && row->id == peer.uid)
            return row->rights;
        if (row->group && row->id == peer.gid)
            group = row;
    }
    return group == NULL ? 0 : group->rights;
}

static bool refuse(struct rights_reason *reason, struct local_peer peer, const char *what)
{
    (void)snprintf(
        reason->text, sizeof reason->text,
        "Unix user %lu has no right to %s here: whoever runs this agent can give it, under \"officers\" in "
        "agent.json",
        (unsigned long)peer.uid, what);
    return false;
}

static const char *name_of(unsigned right)
{
    for (size_t i = 0; i < SETTINGS_RIGHTS; i++) {
        if (settings_rights[i].bit == right)
            return settings_rights[i].name;
    }
    return "manage the agent";
}

bool rights_check(const struct settings *settings, struct local_peer peer, uid_t own, const char *verb,
                  struct rights_reason *ret_reason)
{
    unsigned has = rights_of(settings, peer, own);
    unsigned wanted = SETTINGS_MANAGE;

    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (strcmp(needs[i].verb, verb) == 0)
            wanted = needs[i].needs;
    }
    if (has == 0)
        return refuse(ret_reason, peer, "do anything");
    if (wanted != 0 && (has & wanted) == 0)
        return refuse(ret_reason, peer, name_of(wanted));
    return true;
}
