#pragma once

#include "certs/authority.h"
#include "proto/wire.pb-c.h"

/* What an authority's state says, as the body of a bundle (message BundleBody of proto/wire.proto). */

/* authority_body_log_vkey - the log's key: that of the newest valid certificate which carries one, or NULL.
 */
const char *authority_body_log_vkey(const struct authority_state *state, int64_t now);

/*
 * authority_body_encode - the body, with the pseudonym keys sealed anew to every agent that is valid now.
 *
 * catalogue  byte for byte; borrowed, as the protocols, which stand in ascending order of id
 * ret        appended to
 *
 * Needs a log's key (authority_body_log_vkey). Returns STATUS_TOO_LARGE, STATUS_NO_MEMORY,
 * STATUS_BAD_ARGUMENT for a sealing key of small order, or STATUS_CRYPTO.
 */
enum status authority_body_encode(const struct authority_parts *parts, struct byte_view catalogue,
                                  Wire__ProtocolFile **protocols, size_t n_protocols, int64_t now,
                                  struct byte_buffer *ret);
