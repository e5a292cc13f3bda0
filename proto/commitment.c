#include "proto/commitment.h"

#include <assert.h>
#include <string.h>

void commitment_compute(const uint8_t salt[static COMMITMENT_SALT_SIZE], struct byte_view id,
                        struct byte_view value, uint8_t out[static COMMITMENT_SIZE])
{
    struct digest_stream stream;
    uint8_t id_length[4];
    uint8_t value_length[4];

    /* canonical(id, value), without a copy of the value to wipe. */
    assert(id.size <= UINT32_MAX && value.size <= UINT32_MAX);
    bytes_put_u32(id_length, (uint32_t)id.size);
    bytes_put_u32(value_length, (uint32_t)value.size);
    digest_start(&stream);
    digest_update(&stream, bytes_view(salt, COMMITMENT_SALT_SIZE));
    digest_update(&stream, bytes_view(id_length, sizeof id_length));
    digest_update(&stream, id);
    digest_update(&stream, bytes_view(value_length, sizeof value_length));
    digest_update(&stream, value);
    digest_finish(&stream, out);
}

enum status commitment_make(const struct random_source *random, struct byte_view id, struct byte_view value,
                            uint8_t ret_salt[static COMMITMENT_SALT_SIZE],
                            uint8_t ret_commitment[static COMMITMENT_SIZE])
{
    uint8_t salt[COMMITMENT_SALT_SIZE];
    enum status status = random_fill(random, salt, sizeof salt);

    if (status != STATUS_OK)
        return status;
    commitment_compute(salt, id, value, ret_commitment);
    memcpy(ret_salt, salt, sizeof salt);
    bytes_wipe(salt, sizeof salt);
    return STATUS_OK;
}

enum status commitment_verify(const uint8_t commitment[static COMMITMENT_SIZE],
                              const uint8_t salt[static COMMITMENT_SALT_SIZE], struct byte_view id,
                              struct byte_view value)
{
    uint8_t computed[COMMITMENT_SIZE];

    commitment_compute(salt, id, value, computed);
    return bytes_equal_secret(computed, commitment, sizeof computed) ? STATUS_OK : STATUS_BAD_COMMITMENT;
}
