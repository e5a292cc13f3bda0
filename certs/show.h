#pragma once

#include "certs/authority.h"

/* What an authority or a bundle holds, as lines "word: value" for people; lists indented by two spaces. */

/* show_authority - appended to out, whose status tells of failure. */
void show_authority(const struct authority *authority, int64_t now, struct byte_buffer *out);

/* show_bundle - the same of a bundle. */
void show_bundle(const struct bundle *bundle, int64_t now, struct byte_buffer *out);

/* show_certificate - id, role, keys and validity of one certificate, as enrol prints them. */
void show_certificate(const struct certificate *certificate, struct byte_buffer *out);

/* show_fingerprint - the line "fingerprint: HEX". */
void show_fingerprint(const uint8_t digest[static DIGEST_SIZE], struct byte_buffer *out);
