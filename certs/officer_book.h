#pragma once

#include <jansson.h>

#include "certs/officer_issue.h"

/*
 * What an issuer of officers' certificates remembers: every certificate it ever issued, and which it revoked.
 * The authority keeps one of data protection officers and intermediates in its state, an agency one of its
 * desk officers. Nothing is ever dropped, so that no key is certified twice and old looks can be judged.
 */

#define OFFICER_BOOK_WHY 512 /* bytes of a reason */

struct officer_entry {
    struct byte_buffer der;
    struct officer_certificate certificate;
    int64_t issued;
    bool revoked;
    int64_t revoked_at;
    char why[OFFICER_BOOK_WHY + 1];
};

struct officer_book {
    struct officer_entry *entries; /* in the order of issue */
    size_t n;
};

/* officer_book_name - what people call an entry: the officer's name, or concordat://AGENCY for an
 * intermediate. */
void officer_book_name(const struct officer_entry *entry, char out[static OFFICER_NAME_SIZE]);

/* officer_book_usable - neither revoked nor out of its validity. */
bool officer_book_usable(const struct officer_entry *entry, int64_t now);

/*
 * officer_book_add - takes a copy of the certificate. STATUS_EXISTS when somebody of that name has a usable
 * one, or its key is in the book; STATUS_BAD_CERTIFICATE, STATUS_NO_MEMORY.
 */
enum status officer_book_add(struct officer_book *book, struct byte_view der, int64_t now);

/* officer_book_knows_key - whether any certificate of the book is for this key. */
bool officer_book_knows_key(const struct officer_book *book, const uint8_t point[static OFFICER_POINT_SIZE]);

/* officer_book_usable_name - the usable certificate of that name; NULL when there is none. */
const struct officer_entry *officer_book_usable_name(const struct officer_book *book, const char *name,
                                                     int64_t now);

/* officer_book_revoke - all certificates of that name that are not revoked yet; returns how many.
 * why must be printable and at most OFFICER_BOOK_WHY bytes. */
size_t officer_book_revoke(struct officer_book *book, const char *name, const char *why, int64_t now);

/* officer_book_revoked - whether this certificate of the book is revoked: for who keeps the book. */
bool officer_book_revoked(const struct officer_book *book, const uint8_t digest[static DIGEST_SIZE]);

/* officer_book_crl - the book's revocations as an X.509 CRL, for the issuer whose book it is. Entries that
 * another issued are left out. Errors as officer_issue_crl. */
enum status officer_book_crl(const struct officer_book *book, const struct officer_issuer *issuer,
                             int64_t now, int64_t next, struct byte_buffer *ret_pem);

/* officer_book_json - as a JSON array; NULL without memory. officer_book_read - the same back; book must be
 * empty. STATUS_CORRUPT or STATUS_NO_MEMORY. */
json_t *officer_book_json(const struct officer_book *book);
enum status officer_book_read(const json_t *array, struct officer_book *book);

void officer_book_clear(struct officer_book *book);
