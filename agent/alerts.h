#pragma once

#include <jansson.h>

#include "agent/agent.h"
#include "proto/uuid.h"

/*
 * What our duty contact must be told: urgent events that nobody here acknowledged in time. An alert stands
 * until somebody opens or acknowledges the event. The contact's name is in the bundle.
 */
extern const char alerts_schema[];

/* alerts_raise - once an event is enough. Inside a transaction. */
enum status alerts_raise(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE],
                         int64_t at);

/* alerts_clear - inside a transaction. */
enum status alerts_clear(struct agent *agent, struct byte_view from, const uint8_t event[static UUID_SIZE]);

/* alerts_forget - those about events whose retention ends at now, or raised before `raised`. Inside a
 * transaction. */
enum status alerts_forget(struct agent *agent, int64_t now, int64_t raised);

/* One alert. contact: ours in the bundle, or NULL. */
struct alert {
    int64_t at;
    const char *from;
    uint8_t event[UUID_SIZE];
    const char *contact;
};

/* alerts_next - the first alert that was not handed out yet by this process (*cursor, 0 at first), for a line
 * that a person or a program watches. from is copied to ret_from. STATUS_NOT_FOUND. */
enum status alerts_next(struct agent *agent, int64_t *cursor, char ret_from[static MEMBER_ID_LENGTH + 1],
                        struct alert *ret);

/* alerts_list - for status: [{"at","event","from","contact"?,"text"}], newest first; the caller's. */
enum status alerts_list(struct agent *agent, json_t **ret);
