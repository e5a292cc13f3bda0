#pragma once

#include "agent/settings.h"
#include "base/local_server.h"

/*
 * Who may ask what on the agent's local socket. The daemon's own Unix user and root may do everything; others
 * what agent.json says of them, by user, or by primary group; anybody else nothing.
 */

/* rights_of - the bits of enum settings_right; 0: not known here. own is the daemon's user. */
unsigned rights_of(const struct settings *settings, struct local_peer peer, uid_t own);

struct rights_reason {
    char text[256];
};

/* rights_check - whether this peer may use the verb. False with one sentence for people. */
bool rights_check(const struct settings *settings, struct local_peer peer, uid_t own, const char *verb,
                  struct rights_reason *ret_reason);
