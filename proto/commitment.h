#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/digest.h"
#include "proto/random.h"

#define COMMITMENT_SALT_SIZE 16
#define COMMITMENT_SIZE      DIGEST_SIZE

/*
 * How an event holds an attribute that only some may read: commitment = SHA-256(salt ‖ canonical(id, value as
 * canonical text)). Salt and value open it; without the salt, even a value of two possibilities stays hidden.
 */

/* commitment_compute - of a value with its salt. */
void commitment_compute(const uint8_t salt[static COMMITMENT_SALT_SIZE], struct byte_view id,
                        struct byte_view value, uint8_t out[static COMMITMENT_SIZE]);

/* commitment_make - with a fresh salt. Returns what random returns. */
enum status commitment_make(const struct random_source *random, struct byte_view id, struct byte_view value,
                            uint8_t ret_salt[static COMMITMENT_SALT_SIZE],
                            uint8_t ret_commitment[static COMMITMENT_SIZE]);

/* commitment_verify - whether salt and value open commitment. Returns STATUS_BAD_COMMITMENT when they do not.
 */
enum status commitment_verify(const uint8_t commitment[static COMMITMENT_SIZE],
                              const uint8_t salt[static COMMITMENT_SALT_SIZE], struct byte_view id,
                              struct byte_view value);
