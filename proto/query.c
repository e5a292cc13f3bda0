#include "proto/query.h"

#include "proto/canonical.h"

static const char prefix[] = "concordat/query/v1";

void query_message(const struct query_terms *terms, struct byte_buffer *ret)
{
    uint8_t time[8];

    bytes_put_u64(time, terms->time);
    bytes_append(ret, prefix, sizeof prefix);
    bytes_append(ret, terms->root, DIGEST_SIZE);
    canonical_append(ret, terms->member);
    canonical_append(ret, terms->officer);
    canonical_append(ret, bytes_view(terms->certificate, DIGEST_SIZE));
    canonical_append(ret, bytes_view(time, sizeof time));
    canonical_append(ret, bytes_view(terms->nonce, QUERY_NONCE_SIZE));
    canonical_append(ret, bytes_view(terms->answer_key, X25519_KEY_SIZE));
    canonical_append(ret, terms->question);
}
