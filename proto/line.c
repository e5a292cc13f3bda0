#include "proto/line.h"

#include <string.h>

bool line_take(struct byte_view *rest, struct byte_view *ret_line)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);

    if (end == NULL)
        return false;
    size_t size = (size_t)(end - rest->data);
    *ret_line = bytes_view(rest->data, size);
    *rest = bytes_view(end + 1, rest->size - size - 1);
    return true;
}

bool line_after(struct byte_view line, const char *prefix, struct byte_view *ret_rest)
{
    size_t size = strlen(prefix);

    if (line.size < size || memcmp(line.data, prefix, size) != 0)
        return false;
    *ret_rest = bytes_view(line.data + size, line.size - size);
    return true;
}

bool line_number(struct byte_view line, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (line.size == 0 || (line.size > 1 && line.data[0] == '0'))
        return false;
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return false;
        unsigned digit = line.data[i] - (unsigned)'0';
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

bool line_hash(struct byte_view line, struct digest *ret_hash)
{
    struct digest hash;
    size_t size = 0;

    if (bytes_from_base64((const char *)line.data, line.size, hash.bytes, sizeof hash.bytes, &size) !=
            STATUS_OK ||
        size != sizeof hash.bytes)
        return false;
    *ret_hash = hash;
    return true;
}

void line_append_hash(const struct digest *hash, struct byte_buffer *out)
{
    char base64[4 * ((DIGEST_SIZE + 2) / 3) + 1];

    bytes_to_base64(hash->bytes, sizeof hash->bytes, base64);
    bytes_append_format(out, "%s\n", base64);
}
