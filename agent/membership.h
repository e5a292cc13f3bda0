#pragma once

#include "certs/bundle.h"
#include "policy/protocol.h"
#include "proto/batch.h"
#include "proto/pseudonym.h"

/*
 * A bundle in force, with what it carries ready for use: the catalogue, the protocols, the pseudonym keys.
 * Never changed; a newer bundle makes another membership.
 */

struct membership {
    struct bundle *bundle;
    const struct directory *directory;
    struct catalogue *catalogue;
    size_t protocol_count;
    struct protocol *protocols[BUNDLE_PROTOCOLS_MAX];
    struct bundle_epoch *epochs; /* ascending */
    size_t epoch_count;
};

/*
 * membership_load - takes over a reference to bundle when it succeeds.
 *
 * keystore    ours; NULL reads no pseudonym keys (to judge what came under an older bundle)
 * ret_reason  one sentence when the status is not STATUS_OK; may be NULL
 *
 * Returns STATUS_BAD_FORMAT (a catalogue or protocol that does not load), STATUS_NO_MEMORY, or what
 * bundle_open_epochs() returns. Freed with membership_free.
 */
enum status membership_load(struct bundle *bundle, const struct keystore *keystore,
                            struct membership **ret_membership, struct bundle_reason *ret_reason);
void membership_free(struct membership **membership);

/* membership_protocol - by its id; NULL if the bundle has none such. */
const struct protocol *membership_protocol(const struct membership *membership, struct byte_view id);

/*
 * membership_pseudonym - of a PNC id in canonical form, or of member's own reference, under the epoch at
 * `position` (epoch_count - 1: the newest, for new subjects). As pseudonym_make().
 */
enum status membership_pseudonym(const struct membership *membership, size_t position,
                                 enum pseudonym_kind kind, struct byte_view member, struct byte_view id,
                                 struct pseudonym *ret_pseudonym);

/*
 * membership_signer - under which certificate a member signs now. STATUS_BAD_CERTIFICATE when it has none
 * that is in force.
 */
enum status membership_signer(const struct membership *membership, const char *member, int64_t now,
                              struct batch_signer *ret_signer);

/*
 * membership_author - whose signature a batch is to be verified under: the certificate with this digest,
 * which must have been in force at `time`. STATUS_UNKNOWN_KEY, or STATUS_EXPIRED when it was not in force.
 */
enum status membership_author(const struct membership *membership, struct byte_view certificate, int64_t time,
                              const struct directory_entry **ret_entry, struct batch_signer *ret_signer);

/* membership_certificate - the same whatever its state, for what states its own time. STATUS_UNKNOWN_KEY. */
enum status membership_certificate(const struct membership *membership, struct byte_view certificate,
                                   const struct directory_entry **ret_entry, struct batch_signer *ret_signer);
