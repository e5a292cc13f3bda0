#include "broker/zap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Frames of a request, in order. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIALS };

static bool is_text(struct byte_view frame, const char *text)
{
    return bytes_equal(frame, bytes_of_string(text));
}

static const struct directory_entry *find_holder(const struct zap_request *request,
                                                 const struct directory *directory, int64_t now)
{
    const struct byte_view *frames = request->frames;
    const struct directory_entry *entry = NULL;

    if (request->count != ZAP_FRAMES || !is_text(frames[VERSION], "1.0") ||
        !is_text(frames[DOMAIN], ZAP_DOMAIN) || !is_text(frames[MECHANISM], "CURVE") ||
        frames[CREDENTIALS].size != X25519_KEY_SIZE)
        return NULL;
    entry = directory_by_transport(directory, frames[CREDENTIALS].data, now);
    return entry != NULL && entry->role == ROLE_AGENT ? entry : NULL;
}

/* One property as ZMTP 3.0 §3.9 writes it: length and name, four-byte length and value. */
static size_t put_property(uint8_t out[static ZAP_METADATA_SIZE], const char *name, const char *value)
{
    size_t name_size = strlen(name);
    size_t value_size = strlen(value);

    assert(1 + name_size + 4 + value_size <= ZAP_METADATA_SIZE);
    out[0] = (uint8_t)name_size;
    memcpy(out + 1, name, name_size);
    bytes_put_u32(out + 1 + name_size, (uint32_t)value_size);
    memcpy(out + 1 + name_size + 4, value, value_size);
    return 1 + name_size + 4 + value_size;
}

void zap_judge(const struct zap_request *request, const struct directory *directory, int64_t now,
               struct zap_reply *ret)
{
    const struct directory_entry *entry = find_holder(request, directory, now);
    char digest[ZAP_HEX];
    size_t metadata = 0;

    memset(ret, 0, sizeof *ret);
    ret->admitted = entry != NULL;
    if (entry != NULL) {
        (void)snprintf(ret->member, sizeof ret->member, "%s", entry->member);
        bytes_to_hex(entry->digest, DIGEST_SIZE, digest);
        metadata = put_property(ret->metadata, ZAP_CERTIFICATE, digest);
    }
    ret->frames[0] = bytes_of_string("1.0");
    ret->frames[1] = request->count > REQUEST_ID ? request->frames[REQUEST_ID] : bytes_of_string("");
    ret->frames[2] = bytes_of_string(entry != NULL ? "200" : "400");
    ret->frames[3] = bytes_of_string(entry != NULL ? "OK" : "not a member");
    ret->frames[4] = bytes_of_string(ret->member);
    ret->frames[5] = bytes_view(ret->metadata, metadata);
}
