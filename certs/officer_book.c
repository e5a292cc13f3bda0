#include "certs/officer_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define BASE64_LARGEST ((OFFICER_CERT_LARGEST + 2) / 3 * 4 + 1)

void officer_book_name(const struct officer_entry *entry, char out[static OFFICER_NAME_SIZE])
{
    if (entry->certificate.intermediate)
        (void)snprintf(out, OFFICER_NAME_SIZE, "concordat://%s", entry->certificate.name.agency);
    else
        officer_name_format(&entry->certificate.name, out);
}

bool officer_book_usable(const struct officer_entry *entry, int64_t now)
{
    return !entry->revoked && now >= entry->certificate.not_before && now <= entry->certificate.not_after;
}

static bool has_name(const struct officer_entry *entry, const char *name)
{
    char own[OFFICER_NAME_SIZE];

    officer_book_name(entry, own);
    return strcmp(own, name) == 0;
}

const struct officer_entry *officer_book_usable_name(const struct officer_book *book, const char *name,
                                                     int64_t now)
{
    for (size_t i = 0; i < book->n; i++) {
        if (has_name(&book->entries[i], name) && officer_book_usable(&book->entries[i], now))
            return &book->entries[i];
    }
    return NULL;
}

bool officer_book_knows_key(const struct officer_book *book, const uint8_t point[static OFFICER_POINT_SIZE])
{
    for (size_t i = 0; i < book->n; i++) {
        if (memcmp(book->entries[i].certificate.point, point, OFFICER_POINT_SIZE) == 0)
            return true;
    }
    return false;
}

static enum status append(struct officer_book *book, struct byte_view der, struct officer_entry **ret)
{
    struct officer_entry entry = {.der = bytes_buffer(OFFICER_CERT_LARGEST)};
    struct officer_entry *grown = NULL;
    const char *reason = NULL;
    enum status status = officer_certificate_read(der, &entry.certificate, &reason);

    bytes_append_view(&entry.der, der);
    if (status == STATUS_OK)
        status = entry.der.status;
    if (status == STATUS_OK) {
        grown = book->n > SIZE_MAX / sizeof *grown - 1
                    ? NULL
                    : realloc(book->entries, (book->n + 1) * sizeof *grown);
        status = grown == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    }
    if (status != STATUS_OK) {
        bytes_buffer_free(&entry.der);
        return status;
    }
    book->entries = grown;
    grown[book->n] = entry;
    *ret = &grown[book->n++];
    return STATUS_OK;
}

enum status officer_book_add(struct officer_book *book, struct byte_view der, int64_t now)
{
    struct officer_certificate certificate;
    struct officer_entry probe = {.issued = now};
    struct officer_entry *entry = NULL;
    char name[OFFICER_NAME_SIZE];
    const char *reason = NULL;
    enum status status = officer_certificate_read(der, &certificate, &reason);

    if (status != STATUS_OK)
        return status;
    probe.certificate = certificate;
    officer_book_name(&probe, name);
    if (officer_book_knows_key(book, certificate.point) || officer_book_usable_name(book, name, now) != NULL)
        return STATUS_EXISTS;
    status = append(book, der, &entry);
    if (status == STATUS_OK)
        entry->issued = now;
    return status;
}

size_t officer_book_revoke(struct officer_book *book, const char *name, const char *why, int64_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < book->n; i++) {
        struct officer_entry *entry = &book->entries[i];
        if (entry->revoked || !has_name(entry, name))
            continue;
        entry->revoked = true;
        entry->revoked_at = now;
        (void)snprintf(entry->why, sizeof entry->why, "%s", why);
        n++;
    }
    return n;
}

bool officer_book_revoked(const struct officer_book *book, const uint8_t digest[static DIGEST_SIZE])
{
    for (size_t i = 0; i < book->n; i++) {
        if (book->entries[i].revoked && memcmp(book->entries[i].certificate.digest, digest, DIGEST_SIZE) == 0)
            return true;
    }
    return false;
}

enum status officer_book_crl(const struct officer_book *book, const struct officer_issuer *issuer,
                             int64_t now, int64_t next, struct byte_buffer *ret_pem)
{
    struct officer_revoked *lines = calloc(book->n + 1, sizeof *lines);
    size_t n = 0;

    if (lines == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < book->n; i++) {
        const struct officer_entry *entry = &book->entries[i];
        if (entry->revoked)
            lines[n++] = (struct officer_revoked){bytes_buffer_view(&entry->der), entry->revoked_at};
    }
    enum status status = officer_issue_crl(issuer, lines, n, now, next, ret_pem);
    free(lines);
    return status;
}

/* ---- JSON ---- */

static json_t *entry_json(const struct officer_entry *entry)
{
    char der[BASE64_LARGEST];
    char name[OFFICER_NAME_SIZE];

    officer_book_name(entry, name);
    bytes_to_base64(entry->der.data, entry->der.size, der);
    json_t *json =
        json_pack("{s:s, s:s, s:I}", "officer", name, "der", der, "issued", (json_int_t)entry->issued);
    if (json != NULL && entry->revoked &&
        (json_object_set_new(json, "revoked", json_integer(entry->revoked_at)) != 0 ||
         json_object_set_new(json, "why", json_string(entry->why)) != 0)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *officer_book_json(const struct officer_book *book)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < book->n; i++) {
        if (json_array_append_new(array, entry_json(&book->entries[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static enum status read_entry(json_t *json, struct officer_book *book)
{
    static const json_int_t never = -1;
    uint8_t der[OFFICER_CERT_LARGEST];
    size_t size = 0;
    const char *name = NULL;
    const char *base64 = NULL;
    const char *why = "";
    json_int_t issued = 0;
    json_int_t revoked = never;
    struct officer_entry *entry = NULL;

    if (json_unpack(json, "{s:s, s:s, s:I, s?I, s?s !}", "officer", &name, "der", &base64, "issued", &issued,
                    "revoked", &revoked, "why", &why) != 0 ||
        strlen(why) > OFFICER_BOOK_WHY || !utf8_printable(bytes_of_string(why)) ||
        bytes_from_base64(base64, strlen(base64), der, sizeof der, &size) != STATUS_OK)
        return STATUS_CORRUPT;
    enum status status = append(book, bytes_view(der, size), &entry);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? status : STATUS_CORRUPT;
    entry->issued = issued;
    entry->revoked = revoked != never;
    entry->revoked_at = entry->revoked ? revoked : 0;
    (void)snprintf(entry->why, sizeof entry->why, "%s", why);
    return has_name(entry, name) ? STATUS_OK : STATUS_CORRUPT;
}

enum status officer_book_read(const json_t *array, struct officer_book *book)
{
    enum status status = json_is_array(array) ? STATUS_OK : STATUS_CORRUPT;

    for (size_t i = 0; status == STATUS_OK && i < json_array_size(array); i++)
        status = read_entry(json_array_get(array, i), book);
    if (status != STATUS_OK)
        officer_book_clear(book);
    return status;
}

void officer_book_clear(struct officer_book *book)
{
    for (size_t i = 0; i < book->n; i++)
        bytes_buffer_free(&book->entries[i].der);
    free(book->entries);
    *book = (struct officer_book){.n = 0};
}
