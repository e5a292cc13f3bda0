#pragma once

#include "base/bytes.h"
#include "proto/member.h"

/* agent.json: what this agency decided about its agent. Read once at start. */

#define SETTINGS_ENDPOINT_SIZE 256
#define SETTINGS_OFFICERS_MAX  64
#define SETTINGS_OFFICER_SIZE  129
#define SETTINGS_HOOKS_MAX     16
#define SETTINGS_NAME_SIZE     65
#define SETTINGS_PATH_SIZE     256

/* What an officer may do on the local socket. */
enum settings_right {
    SETTINGS_READ = 1,    /* inbox, show, subject, proof, acknowledge */
    SETTINGS_PUBLISH = 2, /* publish, correct, import */
    SETTINGS_ANSWER = 4,
    SETTINGS_CONFIRM = 8,
    SETTINGS_KNOWN = 16,  /* named in agent.json: status, and carrying officers' questions */
    SETTINGS_MANAGE = 32, /* everything else; never given to anybody by agent.json */
    SETTINGS_EVERYTHING = 63,
};

#define SETTINGS_RIGHTS 4
struct settings_right_name {
    const char *name;
    unsigned bit;
};
extern const struct settings_right_name settings_rights[SETTINGS_RIGHTS];

/* Who acts when a Unix user does, and what that user may do; or what the members of a primary group may. */
struct settings_officer {
    bool group;
    uint32_t id; /* Unix user or group */
    unsigned rights;
    char officer[SETTINGS_OFFICER_SIZE]; /* empty: unix:UID */
};

/* Who may override rules, and as what: the code that `duty_role` takes in the protocol. */
struct settings_duty {
    uint32_t uid;
    char role[SETTINGS_NAME_SIZE];
};

/* A program that answers questions of this event type. */
struct settings_hook {
    char event[SETTINGS_NAME_SIZE];
    char program[SETTINGS_PATH_SIZE]; /* absolute, without arguments */
};

struct settings {
    char member[MEMBER_ID_LENGTH + 1];
    char broker[SETTINGS_ENDPOINT_SIZE]; /* tcp://HOST:PORT */
    bool demo;                           /* a demo authority's bundle is welcome without --now */
    uint32_t window_days;                /* notices go out this many days before a release */
    uint32_t vanish_percent;             /* hold an extract when more of the known rows vanish at once */
    uint32_t outbox_days;                /* delivered events are kept this long */
    uint32_t proof_days;                 /* proofs of our log entries are kept this long */
    uint32_t proof_hours;                /* a log proof that is owed longer is an incident */
    uint32_t proof_seconds;              /* while proofs are owed the broker is asked this often */
    uint32_t hook_seconds;               /* a hook that takes longer is ended */
    uint32_t hook_mib;                   /* address space of a hook */
    size_t duty_count;
    struct settings_duty duties[SETTINGS_OFFICERS_MAX];
    size_t hook_count;
    struct settings_hook hooks[SETTINGS_HOOKS_MAX];
    char socket_folder[SETTINGS_PATH_SIZE]; /* where control.sock is; empty: in the agent's folder */
    bool has_socket_group;                  /* it may be used by this Unix group; otherwise by nobody else */
    uint32_t socket_group;
    size_t officer_count;
    struct settings_officer officers[SETTINGS_OFFICERS_MAX];
};

/* Why agent.json is not accepted: which line and what to do. */
struct settings_reason {
    char text[320];
};

/* settings_default - for a member and its broker's endpoint, both checked by the caller. */
struct settings settings_default(const char *member, const char *broker);

/* settings_read - from FOLDER/agent.json. STATUS_BAD_FORMAT with a reason, or as base/safefile.h. */
enum status settings_read(const char *folder, struct settings *ret_settings,
                          struct settings_reason *ret_reason);

/* settings_create - write FOLDER/agent.json; STATUS_EXISTS if there is one, or as base/safefile.h. */
enum status settings_create(const char *folder, const struct settings *settings);

/* settings_check_endpoint - tcp://HOST:PORT. STATUS_BAD_FORMAT. */
enum status settings_check_endpoint(const char *endpoint);

/* settings_on_duty - may this Unix user act in that duty role? role empty or NULL: in any; ret_role is the
 * first one then. */
bool settings_on_duty(const struct settings *settings, uint32_t uid, struct byte_view role,
                      const char **ret_role);

/* settings_officer - who acts when this Unix user does: as mapped, or "unix:UID". */
void settings_officer(const struct settings *settings, uint32_t uid, char out[static SETTINGS_OFFICER_SIZE]);
