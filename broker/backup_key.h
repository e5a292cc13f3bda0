#pragma once

#include "base/bytes.h"
#include "proto/x25519.h"

/*
 * The recovery key of a broker's backups: the public half stands in the broker's folder, the private half
 * where whoever answers for backups keeps it, and never on the broker's host.
 *
 * private file   "concordat backup key 1\n" ‖ 64 hexadecimal digits ‖ "\n"; mode 0600
 * public file    "concordat backup public key 1\n" ‖ 64 hexadecimal digits ‖ "\n"
 */
#define BACKUP_KEY_PUBLIC "backup.pub" /* in the broker's folder */

/* backup_key_make - a new key into two new files. STATUS_EXISTS when one of them is there, STATUS_CRYPTO, or
 * what base/safefile.h returns. */
enum status backup_key_make(const char *private_path, const char *public_path);

/* backup_key_parse - either file's content; ret is the key. STATUS_BAD_FORMAT, or STATUS_MISMATCH for the
 * other of the two. */
enum status backup_key_parse(struct byte_view text, bool secret, uint8_t ret[static X25519_KEY_SIZE]);

/* backup_key_private, backup_key_public - read one of the files; the private one must be ours alone
 * (STATUS_PERMISSION). Freed with x25519_private_free, x25519_public_free. */
enum status backup_key_private(const char *path, struct x25519_private **ret);
enum status backup_key_public(const char *path, struct x25519_public **ret);
