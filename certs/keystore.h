#pragma once

#include "certs/certificate.h"

/*
 * The keys of one member, made where they are used, in FOLDER/keys (mode 0600, written atomically):
 *
 *   current.key   signing (Ed25519), transport (CURVE) and sealing (X25519) key in use
 *   next.key      the same, made for a renewal, until a bundle carries their certificate
 *   previous.key  those before the last renewal, to open what is still on its way
 *   storage.key   32 random bytes for the member's own data at rest; never renewed
 *   log.key       brokers and logs: signs the log's checkpoints; goes on through renewals
 *   witness.key   agents: cosigns the log's checkpoints; goes on through renewals
 *
 * Nothing leaves the folder but the request (CSR), which holds public keys only. A loaded keystore may be
 * read by several threads; keystore_renew, keystore_look and keystore_promote need it alone.
 */

#define KEYSTORE_STORAGE_SIZE 32

struct keystore;
struct bundle;

/*
 * keystore_create - make FOLDER/keys and all keys in it. FOLDER must exist.
 *
 * log_name  name of the log, for a broker or log: the key name of its vkey and the origin of its checkpoints;
 *           NULL for others
 *
 * Returns STATUS_EXISTS when there are keys already (nothing is touched), STATUS_BAD_ARGUMENT for a bad
 * member id, log name or role, STATUS_CRYPTO, or what base/safefile.h returns. Blocks on the disk.
 */
enum status keystore_create(const char *folder, const char *member, enum role role, const char *log_name);

/*
 * keystore_load - ret is freed with keystore_free, which wipes it.
 *
 * Returns STATUS_NOT_FOUND without keys, STATUS_PERMISSION unless every key file is ours alone,
 * STATUS_CORRUPT for a damaged one, STATUS_NO_MEMORY, STATUS_CRYPTO or STATUS_IO.
 */
enum status keystore_load(const char *folder, struct keystore **ret);
void keystore_free(struct keystore **keystore);

const char *keystore_member(const struct keystore *keystore);
enum role keystore_role(const struct keystore *keystore);

/* keystore_signing - the current signing key; owned by the keystore. */
const struct ed25519_key *keystore_signing(const struct keystore *keystore);

/* keystore_transport - the current CURVE key pair, as ZMQ_CURVE_SECRETKEY and _PUBLICKEY take it when given
 * 32 bytes. Owned by the keystore. */
const uint8_t *keystore_transport_secret(const struct keystore *keystore);
const uint8_t *keystore_transport_public(const struct keystore *keystore);

/* keystore_sealing - the current sealing key; owned by the keystore. */
const struct x25519_private *keystore_sealing(const struct keystore *keystore);

/*
 * keystore_opening - the sealing key with this id, be it the current, the next or the previous one; NULL when
 * it is none of them. Owned by the keystore.
 */
const struct x25519_private *keystore_opening(const struct keystore *keystore,
                                              const uint8_t id[static CERTIFICATE_KEY_ID_SIZE]);

/* keystore_storage - KEYSTORE_STORAGE_SIZE bytes, owned by the keystore. */
const uint8_t *keystore_storage(const struct keystore *keystore);

/* keystore_log - the log's signing key, its vkey (C2SP signed-note) and its name; NULL without a log. */
const struct ed25519_key *keystore_log(const struct keystore *keystore);
const char *keystore_log_vkey(const struct keystore *keystore);
const char *keystore_log_name(const struct keystore *keystore);

/* keystore_witness - an agent's key for cosigning checkpoints, and its vkey under the member's id (C2SP
 * tlog-cosignature); NULL for others, and for agents made before there were witnesses. */
const struct ed25519_key *keystore_witness(const struct keystore *keystore);
const char *keystore_witness_vkey(const struct keystore *keystore);

/* keystore_make_witness - make that key if it is not there. STATUS_BAD_ARGUMENT for others than agents.
 * Blocks on the disk. */
enum status keystore_make_witness(struct keystore *keystore);

/*
 * keystore_next_log - another key for the log, under the next name ("…/log" is followed by "…/log-2"), in the
 * place of the one there is, which is gone then: nobody can sign for the old log any more. Asserts that there
 * is one. STATUS_BAD_ARGUMENT for a name that cannot be followed. Blocks on the disk.
 */
enum status keystore_next_log(struct keystore *keystore);

/*
 * keystore_request - the certificate signing request (PKCS #10, PEM) for the current keys; ret_pem must be
 * empty and is freed with bytes_buffer_free. Returns STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status keystore_request(const struct keystore *keystore, struct byte_buffer *ret_pem);

/* keystore_write_request - the same into FOLDER/MEMBER.csr; ret_path (PATH_MAX bytes) may be NULL. */
enum status keystore_write_request(const struct keystore *keystore, char *ret_path);

/*
 * keystore_renew - make new signing, transport and sealing keys beside the current ones, and the request for
 * them, vouched for by the current signing key. A renewal under way is kept: the same request comes again.
 * Goes into FOLDER/MEMBER.csr; ret_path (PATH_MAX bytes) may be NULL. Blocks on the disk.
 */
enum status keystore_renew(struct keystore *keystore, char *ret_path);

/* keystore_renewing - whether keys for a renewal wait for their certificate. */
bool keystore_renewing(const struct keystore *keystore);

/* keystore_look - take notice of a renewal that another process began in the folder (a command, beside the
 * daemon that holds this key store). Returns what keystore_load returns of a damaged file. Blocks on the
 * disk. */
enum status keystore_look(struct keystore *keystore);

/* Which of our key sets a certificate is for. */
enum keystore_match {
    KEYSTORE_NONE,
    KEYSTORE_CURRENT,
    KEYSTORE_NEXT,
};

/* keystore_matches - compares member, role and all three keys of the certificate with ours. */
enum keystore_match keystore_matches(const struct keystore *keystore,
                                     const struct certificate_claims *claims);

/*
 * keystore_promote - the next keys become the current ones, and those the previous ones; to be called once a
 * bundle whose current certificate for us is KEYSTORE_NEXT is in force. What keystore_signing and the others
 * returned before is then gone. Asserts that a renewal is under way. Blocks on the disk.
 */
enum status keystore_promote(struct keystore *keystore);
