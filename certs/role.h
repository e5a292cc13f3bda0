#pragma once

#include "base/bytes.h"

/* What a certificate's holder may do, as urn:concordat:role:ROLE says it. */
#define ROLE_TABLE(X)                                                                                        \
    X(AGENT, "agent")         /* sends and receives events */                                                \
    X(BROKER, "broker")       /* carries them and keeps the log */                                           \
    X(AUTHORITY, "authority") /* signs bundles */                                                            \
    X(LOG, "log")             /* signs checkpoints where the log does not stand with the broker */

enum role {
#define ROLE_ENUM(symbol, text) ROLE_##symbol,
    ROLE_TABLE(ROLE_ENUM)
#undef ROLE_ENUM
};

/* role_text - the word in the certificate; static storage. */
const char *role_text(enum role role);

/* role_parse - STATUS_BAD_FORMAT when it is none of them. */
enum status role_parse(struct byte_view text, enum role *ret_role);
