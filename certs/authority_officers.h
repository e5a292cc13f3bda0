#pragma once

#include "certs/authority.h"

/*
 * The partnership's side of officers: data protection officers' certificates and the agencies' intermediates,
 * issued under the web root and kept in the authority's state. Revocations take effect with the next bundle.
 */

#define AUTHORITY_OFFICER_DAYS      365 /* validity of a data protection officer's certificate */
#define AUTHORITY_INTERMEDIATE_DAYS 730
#define AUTHORITY_PASSPHRASE_LEAST  12 /* characters */

/*
 * authority_officers_add - a data protection officer of an agency (empty: of the whole scheme), with a key
 * made here and handed over as PKCS #12 under the passphrase.
 *
 * ret_p12  must be empty; freed with bytes_buffer_wipe
 * ret_name the officer's name
 *
 * Returns STATUS_REFUSED, STATUS_EXISTS or STATUS_BAD_ARGUMENT (nothing has changed), or what stops the
 * machine, with a reason.
 */
enum status authority_officers_add(struct authority *authority, const char *agency, const char *id,
                                   uint32_t days, const char *passphrase, int64_t now,
                                   struct byte_buffer *ret_p12, char ret_name[static OFFICER_NAME_SIZE],
                                   struct bundle_reason *ret_reason);

/*
 * authority_officers_intermediate - an agency's right to issue desk officers, from its request (PEM).
 *
 * ret_pem  the certificate; must be empty; freed with bytes_buffer_free. Errors as authority_officers_add.
 */
enum status authority_officers_intermediate(struct authority *authority, const char *agency,
                                            struct byte_view csr, uint32_t days, int64_t now,
                                            struct byte_buffer *ret_pem, struct bundle_reason *ret_reason);

/* authority_officers_revoke - by name: concordat://HOST/dpo/ID, or concordat://AGENCY for the intermediate.
 * STATUS_NOT_FOUND, STATUS_REVOKED or STATUS_REFUSED with a reason. */
enum status authority_officers_revoke(struct authority *authority, const char *name, const char *why,
                                      int64_t now, size_t *ret_n, struct bundle_reason *ret_reason);
