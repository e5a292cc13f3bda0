#pragma once

#include "certs/bundle.h"

/* Taking a new partnership bundle, whether the broker runs or not. */

struct load_request {
    const char *folder;         /* of the broker, held by the caller */
    const char *path;           /* of the bundle's file */
    const struct bundle *held;  /* NULL: the first */
    const uint8_t *fingerprint; /* DIGEST_SIZE bytes, as confirmed by other means; NULL: not given */
    int64_t now;
};

struct loaded {
    struct bundle *bundle; /* bundle_free */
    bool fresh;            /* not the one that was held */
    bool renewed; /* our certificate in it is for the keys of a renewal: they come into use at the start */
};

/*
 * load_bundle - verify the file against the bundle held, or for the first against the fingerprint; check that
 * it carries a certificate for this broker's keys, that its catalogue and protocols can be read, and keep it
 * (certs/archive.h). After that the broker starts with it, and with none before it. Blocks on the disk.
 *
 * Returns what bundle_verify, bundle_own_keys, rulebook_new, archive_accept and base/safefile.h return, or
 * STATUS_REFUSED (the first without a fingerprint; from demonstration to production or back), with a reason:
 * one sentence without a full stop.
 */
enum status load_bundle(const struct load_request *request, struct loaded *ret,
                        struct bundle_reason *ret_reason);
