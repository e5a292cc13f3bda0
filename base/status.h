#pragma once

#include <stdbool.h>

/*
 * Every outcome a Concordat function can return, in one table: symbol, text for people.
 * STATUS_OK is success; everything else leaves the function's outputs untouched.
 */
#define STATUS_TABLE(X)                                                                                      \
    X(OK, "ok")                                                                                              \
    /* The machine */                                                                                        \
    X(NO_MEMORY, "out of memory")                                                                            \
    X(IO, "reading or writing failed")                                                                       \
    X(NO_SPACE, "no space left on the disk")                                                                 \
    X(NOT_FOUND, "not found")                                                                                \
    X(EXISTS, "exists already")                                                                              \
    X(IN_USE, "in use by another process")                                                                   \
    X(PERMISSION, "file permissions are wrong")                                                              \
    X(TIMEOUT, "timed out")                                                                                  \
    X(CLOSED, "closed")                                                                                      \
    X(DATABASE, "the database reported an error")                                                            \
    X(CORRUPT, "stored data is damaged")                                                                     \
    X(CRYPTO, "the cryptographic library failed")                                                            \
    X(NEWER, "written by a newer version of Concordat; use that version, or a newer one")                    \
    X(NOT_A_FILE, "a folder, link or device where a file should be")                                         \
    X(NOT_A_FOLDER, "a file where a folder should be")                                                       \
    /* Input */                                                                                              \
    X(BAD_FORMAT, "malformed")                                                                               \
    X(TOO_LARGE, "larger than its limit")                                                                    \
    X(NOT_CANONICAL, "not in canonical form")                                                                \
    X(BAD_ARGUMENT, "not a valid argument")                                                                  \
    X(UNSUPPORTED, "not supported")                                                                          \
    /* Identity and proof */                                                                                 \
    X(BAD_SIGNATURE, "the signature does not verify")                                                        \
    X(BAD_SEAL, "the sealed section does not open")                                                          \
    X(BAD_PROOF, "the proof does not verify")                                                                \
    X(BAD_COMMITMENT, "an opened value does not match its commitment")                                       \
    X(UNKNOWN_KEY, "the key is not known")                                                                   \
    X(BAD_CERTIFICATE, "the certificate is not acceptable")                                                  \
    X(REVOKED, "the certificate is revoked")                                                                 \
    X(EXPIRED, "out of its period of validity")                                                              \
    X(ROLLBACK, "older than what is held already")                                                           \
    X(FORKED, "two different versions of what must be one")                                                  \
    /* The protocol */                                                                                       \
    X(REFUSED, "refused by rule")                                                                            \
    X(BUSY, "busy; try again later")                                                                         \
    X(STALE, "something changed; plan again")                                                                \
    X(MISMATCH, "does not match what was expected")

enum status {
#define STATUS_ENUM(symbol, text) STATUS_##symbol,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/*
 * status_text - what a status means, in English without a full stop; static storage, never NULL.
 */
const char *status_text(enum status status);

/* status_of_machine - whether it is the machine's (memory, disk, database) rather than that of what was read.
 */
bool status_of_machine(enum status status);
