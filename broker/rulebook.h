#pragma once

#include "certs/bundle.h"
#include "policy/protocol.h"

/*
 * A bundle with its catalogue and protocols read: what frames are verified and decided under. Never changed
 * once made; shared between threads by reference.
 */

struct rulebook_protocol {
    struct protocol *protocol;
    uint8_t digest[DIGEST_SIZE]; /* of its file */
};

struct rulebook {
    struct bundle *bundle;
    const struct directory *directory; /* the bundle's */
    struct catalogue *catalogue;
    size_t protocol_count;
    struct rulebook_protocol protocols[BUNDLE_PROTOCOLS_MAX]; /* ascending by id */
    _Atomic unsigned references;
};

/*
 * rulebook_new - read what the bundle carries; the bundle is shared. Freed with rulebook_free.
 *
 * Returns STATUS_BAD_FORMAT (the catalogue or a protocol does not load) or STATUS_NO_MEMORY; reason (size
 * bytes) then holds one sentence.
 */
enum status rulebook_new(struct bundle *bundle, struct rulebook **ret, char *reason, size_t size);

/* rulebook_share - another reference, freed on its own. */
struct rulebook *rulebook_share(struct rulebook *rulebook);
void rulebook_free(struct rulebook **rulebook);

/* rulebook_find - a protocol by id; NULL when the bundle does not carry it. */
const struct rulebook_protocol *rulebook_find(const struct rulebook *rulebook, struct byte_view id);

/* rulebook_active - the parties of a protocol whose member has a usable certificate at now. */
struct party_set rulebook_active(const struct rulebook *rulebook, const struct rulebook_protocol *protocol,
                                 int64_t now);
