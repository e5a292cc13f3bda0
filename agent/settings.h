#pragma once

#include "base/bytes.h"
#include "proto/member.h"

/* agent.json: what this agency decided about its agent. Read once at start. */

#define SETTINGS_ENDPOINT_SIZE 256
#define SETTINGS_OFFICERS_MAX  64
#define SETTINGS_OFFICER_SIZE  129

struct settings_officer {
    uint32_t uid; /* Unix user */
    char officer[SETTINGS_OFFICER_SIZE];
};

struct settings {
    char member[MEMBER_ID_LENGTH + 1];
    char broker[SETTINGS_ENDPOINT_SIZE]; /* tcp://HOST:PORT */
    bool demo;                           /* a demo authority's bundle is welcome without --now */
    uint32_t window_days;                /* notices go out this many days before a release */
    uint32_t vanish_percent;             /* hold an extract when more of the known rows vanish at once */
    uint32_t outbox_days;                /* delivered events are kept this long */
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

/* settings_officer - who acts when this Unix user does: as mapped, or "unix:UID". */
void settings_officer(const struct settings *settings, uint32_t uid, char out[static SETTINGS_OFFICER_SIZE]);
