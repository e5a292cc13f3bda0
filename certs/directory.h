#pragma once

#include "certs/certificate.h"

/*
 * The members of a bundle, looked up by id, transport key or certificate. Built once and then only read, so
 * that any number of threads may share it; entries live as long as the bundle (bundle_share).
 *
 * A member that renewed has several certificates. The newest usable one is *current*: what is sealed for the
 * member, is sealed to that one. The older ones go on being accepted until they expire or are revoked.
 */

#define DIRECTORY_NEVER INT64_MAX

enum directory_state {
    DIRECTORY_IN_FORCE,
    DIRECTORY_NOT_YET,
    DIRECTORY_EXPIRED,
    DIRECTORY_REVOKED,
};

struct directory_entry {
    const char *member;       /* police.staffordshire */
    const char *member_class; /* police */
    enum role role;
    struct byte_view certificate; /* DER */
    uint8_t digest[DIGEST_SIZE];  /* of the certificate */
    const struct ed25519_key *signing;
    uint8_t transport[X25519_KEY_SIZE]; /* agents and brokers, else zeros */
    uint8_t sealing[X25519_KEY_SIZE];   /* agents and brokers, else zeros */
    uint8_t sealing_id[CERTIFICATE_KEY_ID_SIZE];
    const char *vkey; /* of the log; empty unless broker or log */
    int64_t not_before;
    int64_t not_after;
    int64_t revoked_at;      /* DIRECTORY_NEVER when it is not */
    const char *why_revoked; /* empty when it is not */
};

struct directory;

/* directory_state_at - of a certificate at some time, such as that of the commit of what it signed. */
enum directory_state directory_state_at(const struct directory_entry *entry, int64_t time);

/* directory_state_text - "in force", "not valid yet", "expired", "revoked"; static storage. */
const char *directory_state_text(enum directory_state state);

/* directory_usable - whether the certificate is in force; false for NULL. */
bool directory_usable(const struct directory_entry *entry, int64_t now);

/* directory_by_member - a member's current certificate; NULL when the id is unknown or none is usable. */
const struct directory_entry *directory_by_member(const struct directory *directory, const char *member,
                                                  int64_t now);

/* directory_by_transport - whose CURVE key this is, if that certificate is usable; NULL otherwise. */
const struct directory_entry *directory_by_transport(const struct directory *directory,
                                                     const uint8_t key[static X25519_KEY_SIZE], int64_t now);

/* directory_by_certificate - by the digest of the certificate, whatever its state; NULL when it is not
 * listed. */
const struct directory_entry *directory_by_certificate(const struct directory *directory,
                                                       const uint8_t digest[static DIGEST_SIZE]);

/*
 * directory_by_sealing_id - a member's certificate with this sealing key, whatever its state: an event on its
 * way may have been sealed to the one before the current. NULL when the member has none such.
 */
const struct directory_entry *directory_by_sealing_id(const struct directory *directory, const char *member,
                                                      const uint8_t id[static CERTIFICATE_KEY_ID_SIZE]);

/* directory_known - a member's newest certificate, whatever its state, to say why it is not usable. */
const struct directory_entry *directory_known(const struct directory *directory, const char *member);

/* directory_with_role - the current certificate of the first member, by id, that has this role; NULL if none
 * has. */
const struct directory_entry *directory_with_role(const struct directory *directory, enum role role,
                                                  int64_t now);

/*
 * directory_next - the current certificate of the next member in ascending order of id, members without a
 * usable one left out: start with NULL, go on with what came back, until NULL.
 */
const struct directory_entry *directory_next(const struct directory *directory,
                                             const struct directory_entry *after, int64_t now);

/* directory_size, directory_at - every certificate, whatever its state, in the order of enrolment. */
size_t directory_size(const struct directory *directory);
const struct directory_entry *directory_at(const struct directory *directory, size_t index);

/* One revocation of a bundle, as directory_build takes it. */
struct directory_revocation {
    uint8_t certificate[DIGEST_SIZE];
    int64_t at;
    struct byte_view why; /* borrowed during the call */
};

/*
 * directory_build - from certificates in the order of enrolment, which it takes over when it succeeds, and
 * revocations.
 *
 * ret  freed with directory_free
 *
 * Returns STATUS_BAD_CERTIFICATE when a key or a certificate stands there twice or a revocation names none of
 * the certificates, STATUS_NO_MEMORY or STATUS_CRYPTO.
 */
enum status directory_build(struct certificate **certificates, size_t n,
                            const struct directory_revocation *revocations, size_t n_revocations,
                            struct directory **ret);
void directory_free(struct directory **directory);
