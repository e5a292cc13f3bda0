/*
 * What is read of officers: begins with N, a name; C, a certificate's DER; R, an agency's request; B, the
 * book as JSON; P, a PKCS #12 file. A name that is taken is written the same; a book is too.
 */
#include <stdlib.h>
#include <string.h>

#include "certs/officer_book.h"
#include "certs/officer_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_name(struct byte_view text)
{
    struct officer_name name;
    char again[OFFICER_NAME_SIZE];

    if (!officer_name_parse(text, &name))
        return;
    officer_name_format(&name, again);
    if (!bytes_equal(text, bytes_of_string(again)))
        abort();
}

static void read_book(struct byte_view text)
{
    struct officer_book book = {.n = 0};
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);

    if (json != NULL && officer_book_read(json, &book) == STATUS_OK) {
        json_t *again = officer_book_json(&book);
        struct officer_book same = {.n = 0};
        if (again == NULL || officer_book_read(again, &same) != STATUS_OK || same.n != book.n)
            abort();
        officer_book_clear(&same);
        json_decref(again);
    }
    officer_book_clear(&book);
    json_decref(json);
}

/* Never with the right passphrase, so that no file makes us derive keys for long: form is what is read. */
static void read_file(struct byte_view file)
{
    struct officer_key *key = NULL;
    const char *reason = NULL;

    if (file.size < 512 && officer_key_open(file, "x", &key, &reason) == STATUS_OK)
        officer_key_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct officer_certificate certificate;
    struct officer_request request;
    const char *reason = NULL;

    if (size == 0)
        return 0;
    struct byte_view rest = bytes_view(data + 1, size - 1);
    if (data[0] == 'N')
        read_name(rest);
    else if (data[0] == 'C')
        (void)officer_certificate_read(rest, &certificate, &reason);
    else if (data[0] == 'R')
        (void)officer_request_read(rest, &request, &reason);
    else if (data[0] == 'B')
        read_book(rest);
    else if (data[0] == 'P')
        read_file(rest);
    return 0;
}
