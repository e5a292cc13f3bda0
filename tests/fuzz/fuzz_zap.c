/*
 * A ZAP request as libzmq hands it over for whoever connects: uint8 frames, then for each uint8 length and
 * bytes. Nobody comes in without the transport key of an agent in force, and who does not is told nothing
 * about anybody.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/zap.h"
#include "tests/support/partnership.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLICE "police.staffordshire"

static struct bundle *bundle;
static uint8_t police[X25519_KEY_SIZE];

static void set_up(void)
{
    struct partnership *partnership = partnership_new();
    struct keystore *keys = partnership_member(partnership, POLICE, ROLE_AGENT);
    struct keystore *broker = partnership_member(partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    struct byte_buffer file = partnership_bundle(partnership);

    bundle = partnership_first(partnership, &file);
    memcpy(police, keystore_transport_public(keys), sizeof police);
    bytes_buffer_free(&file);
    keystore_free(&keys);
    keystore_free(&broker);
    partnership_free(&partnership);
}

static void judge(const struct zap_request *request)
{
    const struct byte_view *key = &request->frames[ZAP_FRAMES - 1];
    struct zap_reply reply;

    zap_judge(request, bundle_directory(bundle), PARTNERSHIP_NOW, &reply);
    if (reply.admitted != (strcmp(reply.member, POLICE) == 0))
        abort();
    if (reply.admitted &&
        (request->count != ZAP_FRAMES || !bytes_equal(*key, bytes_view(police, sizeof police))))
        abort();
    if (!reply.admitted && reply.frames[4].size + reply.frames[5].size > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_reader reader = bytes_reader(bytes_view(data, size));
    struct zap_request request = {.count = 0};

    if (bundle == NULL)
        set_up();
    request.count = bytes_read_u8(&reader);
    for (size_t i = 0; i < request.count && i < ZAP_REQUEST_MAX; i++)
        request.frames[i] = bytes_read_view(&reader, bytes_read_u8(&reader));
    judge(&request);
    /* The same with a key that is one, so that the other frames matter. */
    request.frames[ZAP_FRAMES - 1] = bytes_view(police, sizeof police);
    judge(&request);
    return 0;
}
