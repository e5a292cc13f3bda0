#include "base/local_wire.h"

#include <stdio.h>
#include <string.h>

enum status local_wire_append(struct byte_buffer *out, const json_t *message)
{
    size_t size = json_dumpb(message, NULL, 0, JSON_COMPACT);
    size_t before = out->size;

    if (size == 0)
        return STATUS_NO_MEMORY;
    if (size > LOCAL_WIRE_LARGEST || out->limit - out->size < LOCAL_WIRE_HEAD + size)
        return STATUS_TOO_LARGE;
    bytes_append_u32(out, (uint32_t)size);
    bytes_append_zeros(out, size);
    enum status status = out->status;
    if (status == STATUS_OK &&
        json_dumpb(message, (char *)out->data + before + LOCAL_WIRE_HEAD, size, JSON_COMPACT) != size)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        out->size = before;
    return status;
}

enum status local_wire_read(struct byte_view input, size_t *ret_used, json_t **ret_message)
{
    json_error_t error;

    if (input.size < LOCAL_WIRE_HEAD) {
        *ret_used = 0;
        *ret_message = NULL;
        return STATUS_OK;
    }
    size_t size = bytes_get_u32(input.data);
    if (size > LOCAL_WIRE_LARGEST)
        return STATUS_TOO_LARGE;
    if (input.size - LOCAL_WIRE_HEAD < size) {
        *ret_used = 0;
        *ret_message = NULL;
        return STATUS_OK;
    }
    json_t *message =
        json_loadb((const char *)input.data + LOCAL_WIRE_HEAD, size, JSON_REJECT_DUPLICATES, &error);
    if (message == NULL)
        return json_error_code(&error) == json_error_out_of_memory ? STATUS_NO_MEMORY : STATUS_BAD_FORMAT;
    if (!json_is_object(message)) {
        json_decref(message);
        return STATUS_BAD_FORMAT;
    }
    *ret_used = LOCAL_WIRE_HEAD + size;
    *ret_message = message;
    return STATUS_OK;
}

enum status local_wire_address(int folder, const char *name, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (name[0] == '\0' || strchr(name, '/') != NULL)
        return STATUS_BAD_ARGUMENT;
    int size = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (size < 0 || (size_t)size >= sizeof address.sun_path)
        return STATUS_BAD_ARGUMENT;
    *ret_address = address;
    return STATUS_OK;
}
