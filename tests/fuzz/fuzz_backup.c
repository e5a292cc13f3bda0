/* Any bytes as a backup, and, sealed as they should be, as what is inside one: read to an end or refused. */
#include <stdlib.h>
#include <string.h>

#include "broker/backup_file.h"
#include "broker/backup_key.h"
#include "proto/hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_INFO (BACKUP_FILE_HEAD - X25519_KEY_SIZE)

struct reading {
    const uint8_t *data;
    size_t size;
};

static enum status read_some(void *context, uint8_t *bytes, size_t size, size_t *ret_size)
{
    struct reading *reading = context;

    *ret_size = size < reading->size ? size : reading->size;
    if (*ret_size > 0)
        memcpy(bytes, reading->data, *ret_size);
    reading->data += *ret_size;
    reading->size -= *ret_size;
    return STATUS_OK;
}

static enum status fill(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
    return STATUS_OK;
}

static void read_all(const struct x25519_private *key, const uint8_t *data, size_t size)
{
    struct reading reading = {data, size};
    const struct backup_source source = {read_some, &reading};
    struct backup_reader *reader = NULL;
    struct backup_head head;
    struct byte_view bytes;
    char name[BACKUP_FILE_NAME_MAX + 1];
    uint64_t left = 0;
    enum status status = backup_reader_start(key, &source, &head, &reader);

    while (status == STATUS_OK && (status = backup_reader_next(reader, name, &left)) == STATUS_OK) {
        if (strlen(name) == 0)
            abort();
        while ((status = backup_reader_get(reader, &bytes)) == STATUS_OK && bytes.size > 0) {
            if (bytes.size > left)
                abort();
            left -= bytes.size;
        }
        if (status == STATUS_OK && left != 0)
            abort();
    }
    backup_reader_free(&reader);
}

/* The bytes as the one chunk of a backup. */
static void seal(const struct x25519_private *own, struct byte_view plain, struct byte_buffer *out)
{
    static const uint8_t last = 1;
    const struct random_source random = {fill, NULL};
    struct x25519_public *key = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t head[BACKUP_FILE_HEAD] = "concordat/backup/1\n";
    uint64_t sequence = 0;

    backup_file_key_id(x25519_public_of(own), head + 19);
    if (x25519_public(x25519_public_of(own), &key) != STATUS_OK ||
        hpke_sender_start(key, bytes_view(head, HEAD_INFO), &random, &sender, head + HEAD_INFO) != STATUS_OK)
        abort();
    bytes_append(out, head, sizeof head);
    if (hpke_seal(sender, bytes_view(&last, 1), plain, out, &sequence) != STATUS_OK)
        abort();
    hpke_sender_free(&sender);
    x25519_public_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[X25519_KEY_SIZE] = {1, 2, 3};
    struct x25519_private *key = NULL;
    struct byte_buffer sealed = bytes_buffer(BACKUP_FILE_HEAD + BACKUP_FILE_CHUNK + HPKE_TAG_SIZE);
    uint8_t raw[X25519_KEY_SIZE];

    if (size == 0 || x25519_private(secret, &key) != STATUS_OK)
        return 0;
    switch (data[0] % 3) {
    case 0:
        read_all(key, data + 1, size - 1);
        break;
    case 1:
        if (size - 1 <= BACKUP_FILE_CHUNK) {
            seal(key, bytes_view(data + 1, size - 1), &sealed);
            read_all(key, sealed.data, sealed.size);
        }
        break;
    default:
        (void)backup_key_parse(bytes_view(data + 1, size - 1), true, raw);
        (void)backup_key_parse(bytes_view(data + 1, size - 1), false, raw);
    }
    bytes_buffer_free(&sealed);
    x25519_private_free(&key);
    return 0;
}
