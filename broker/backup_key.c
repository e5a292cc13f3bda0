#include "broker/backup_key.h"

#include <string.h>

#include "base/bytes.h"
#include "base/safefile.h"

#define TEXT_MAX ((size_t)128)

static const char secret_head[] = "concordat backup key 1\n";
static const char public_head[] = "concordat backup public key 1\n";

static bool begins(struct byte_view text, const char *head)
{
    return text.size >= strlen(head) && memcmp(text.data, head, strlen(head)) == 0;
}

enum status backup_key_parse(struct byte_view text, bool secret, uint8_t ret[static X25519_KEY_SIZE])
{
    const char *head = secret ? secret_head : public_head;
    char digits[2 * X25519_KEY_SIZE + 1] = {0};
    uint8_t key[X25519_KEY_SIZE];
    enum status status;

    if (begins(text, secret ? public_head : secret_head))
        return STATUS_MISMATCH;
    if (!begins(text, head) || text.size != strlen(head) + 2 * X25519_KEY_SIZE + 1 ||
        text.data[text.size - 1] != '\n')
        return STATUS_BAD_FORMAT;
    memcpy(digits, text.data + strlen(head), 2 * X25519_KEY_SIZE);
    status = bytes_from_hex(digits, key, sizeof key) == STATUS_OK ? STATUS_OK : STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        memcpy(ret, key, sizeof key);
    bytes_wipe(digits, sizeof digits);
    bytes_wipe(key, sizeof key);
    return status;
}

static void write_text(const char *head, const uint8_t key[static X25519_KEY_SIZE], struct byte_buffer *out)
{
    char digits[2 * X25519_KEY_SIZE + 1];

    bytes_to_hex(key, X25519_KEY_SIZE, digits);
    bytes_append_string(out, head);
    bytes_append_string(out, digits);
    bytes_append_string(out, "\n");
    bytes_wipe(digits, sizeof digits);
}

enum status backup_key_make(const char *private_path, const char *public_path)
{
    struct x25519_private *key = NULL;
    uint8_t raw[X25519_KEY_SIZE];
    struct byte_buffer secret = bytes_buffer(TEXT_MAX);
    struct byte_buffer open = bytes_buffer(TEXT_MAX);
    enum status status = x25519_generate(random_system(), &key);

    if (status == STATUS_OK)
        status = x25519_private_bytes(key, raw);
    if (status != STATUS_OK)
        goto out;
    write_text(secret_head, raw, &secret);
    write_text(public_head, x25519_public_of(key), &open);
    status = secret.status == STATUS_OK ? open.status : secret.status;
    if (status ==
        STATUS_OK) /* a public key that nobody has the other half of would be the worse half to have */
        status = safefile_create(private_path, bytes_buffer_view(&secret), 0600);
    if (status == STATUS_OK)
        status = safefile_create(public_path, bytes_buffer_view(&open), 0644);
out:
    bytes_wipe(raw, sizeof raw);
    bytes_buffer_wipe(&secret);
    bytes_buffer_free(&open);
    x25519_private_free(&key);
    return status;
}

enum status backup_key_private(const char *path, struct x25519_private **ret)
{
    struct byte_buffer text = bytes_buffer(0);
    uint8_t raw[X25519_KEY_SIZE] = {0};
    enum status status = safefile_read_secret(path, TEXT_MAX, &text);

    if (status == STATUS_OK)
        status = backup_key_parse(bytes_buffer_view(&text), true, raw);
    if (status == STATUS_OK)
        status = x25519_private(raw, ret);
    bytes_wipe(raw, sizeof raw);
    bytes_buffer_wipe(&text);
    return status;
}

enum status backup_key_public(const char *path, struct x25519_public **ret)
{
    struct byte_buffer text = bytes_buffer(0);
    uint8_t raw[X25519_KEY_SIZE] = {0};
    enum status status = safefile_read(path, TEXT_MAX, &text);

    if (status == STATUS_OK)
        status = backup_key_parse(bytes_buffer_view(&text), false, raw);
    if (status == STATUS_OK)
        status = x25519_public(raw, ret);
    bytes_buffer_free(&text);
    return status;
}
