#pragma once

#include "certs/authority.h"

/* Making and signing the partnership bundle. */

struct authority_bundle_file {
    const char *name; /* for messages */
    struct byte_view content;
};

/* A setting kept from bundle to bundle: a member and its text, empty to remove it. */
struct authority_bundle_setting {
    const char *member;
    const char *text;
};

struct authority_bundle_options {
    const struct authority_bundle_file *protocols;
    size_t n_protocols;
    struct authority_bundle_file catalogue;
    uint32_t valid_days; /* 1 to BUNDLE_LONGEST_DAYS */
    const struct authority_bundle_setting *contacts;
    size_t n_contacts;
    const struct authority_bundle_setting *witnesses; /* the text is a verifier key */
    size_t n_witnesses;
    const uint32_t *witness_quorum; /* how many must cosign; NULL: as before while that will do, or else the
                                       least that will */
    const uint32_t *witness_dishonest; /* how many may be dishonest; NULL: as before */
    const uint32_t *quorum; /* authorities that must sign bundles from this one on; NULL: as before */
};

/*
 * authority_bundle_make - the next bundle, signed by this authority, archived in FOLDER/bundles. Its serial
 * is used up even if what follows fails.
 *
 * ret_file  must be empty; freed with bytes_buffer_free
 *
 * Returns STATUS_REFUSED or STATUS_BAD_FORMAT (nothing has changed), STATUS_TOO_LARGE, or what stops the
 * machine.
 */
enum status authority_bundle_make(struct authority *authority, const struct authority_bundle_options *options,
                                  int64_t now, struct byte_buffer *ret_file,
                                  struct bundle_reason *ret_reason);

/*
 * authority_bundle_countersign - add the signature of another authority, whose keys are in keystore and whose
 * certificate is in the bundle, for partnerships in which several must sign.
 *
 * Returns STATUS_REFUSED (not one of its authorities, or signed already), STATUS_BAD_FORMAT and others of
 * bundle_inspect, or what stops the machine.
 */
enum status authority_bundle_countersign(struct byte_view file, const struct keystore *keystore, int64_t now,
                                         struct byte_buffer *ret_file, struct bundle_reason *ret_reason);
