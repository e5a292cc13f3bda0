#pragma once

#include "broker/pipeline.h"
#include "proto/member.h"

/* broker.json: who this broker is, where it listens, and its settings. Read once at start. */

#define SETUP_FILE          "broker.json"
#define SETUP_ENDPOINT_SIZE 256
#define SETUP_LISTEN        "tcp://127.0.0.1:5570" /* unless told otherwise */

struct setup {
    char member[MEMBER_ID_LENGTH + 1];
    char listen[SETUP_ENDPOINT_SIZE]; /* tcp://HOST:PORT */
    struct pipeline_limits limits;
};

/* Why broker.json is not accepted: what is wrong and what to do, one sentence without a full stop. */
struct setup_reason {
    char text[320];
};

/* setup_check_endpoint - tcp://HOST:PORT, HOST a name, an address, an address in brackets, or *. Returns
 * STATUS_BAD_FORMAT. */
enum status setup_check_endpoint(const char *endpoint);

/* setup_create - write FOLDER/broker.json with these two, both checked by the caller. STATUS_EXISTS if there
 * is one, or as base/safefile.h. */
enum status setup_create(const char *folder, const char *member, const char *listen);

/* setup_read - STATUS_BAD_FORMAT with a reason, or as base/safefile.h. */
enum status setup_read(const char *folder, struct setup *ret, struct setup_reason *ret_reason);

/* setup_parse - the same from the text of a file. */
enum status setup_parse(struct byte_view text, struct setup *ret, struct setup_reason *ret_reason);
