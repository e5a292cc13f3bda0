#include "proto/header.h"

#include <string.h>

#include "proto/core.h"
#include "proto/digest.h"

_Static_assert(HEADER_SIZE_MAX == 4 + CORE_SIZE_MAX + HEADER_SECTIONS_MAX * HEADER_DIGEST_SIZE,
               "a header holds the longest core");

enum status header_build(struct byte_view core, const uint8_t (*sections)[HEADER_DIGEST_SIZE],
                         size_t section_count, struct byte_buffer *ret)
{
    size_t before = ret->size;

    if (core.size > CORE_SIZE_MAX || section_count > HEADER_SECTIONS_MAX)
        return STATUS_TOO_LARGE;
    bytes_append_u32(ret, (uint32_t)core.size);
    bytes_append_view(ret, core);
    if (section_count > 0)
        bytes_append(ret, sections, section_count * HEADER_DIGEST_SIZE);
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

enum status header_parse(struct byte_view bytes, struct header *ret_header)
{
    struct byte_reader reader = bytes_reader(bytes);

    if (bytes.size > HEADER_SIZE_MAX)
        return STATUS_TOO_LARGE;
    uint32_t size = bytes_read_u32(&reader);
    struct byte_view core = bytes_read_view(&reader, size);
    if (reader.failed || reader.rest.size % HEADER_DIGEST_SIZE != 0)
        return STATUS_BAD_FORMAT;
    if (size > CORE_SIZE_MAX || reader.rest.size / HEADER_DIGEST_SIZE > HEADER_SECTIONS_MAX)
        return STATUS_TOO_LARGE;
    *ret_header = (struct header){
        .core = core,
        .sections = reader.rest.data,
        .section_count = reader.rest.size / HEADER_DIGEST_SIZE,
    };
    return STATUS_OK;
}

const uint8_t *header_section(const struct header *header, size_t position)
{
    return header->sections + position * HEADER_DIGEST_SIZE;
}

bool header_find_section(const struct header *header, const uint8_t digest[static HEADER_DIGEST_SIZE],
                         size_t *ret_position)
{
    for (size_t i = 0; i < header->section_count; i++) {
        if (memcmp(header_section(header, i), digest, HEADER_DIGEST_SIZE) == 0) {
            *ret_position = i;
            return true;
        }
    }
    return false;
}

void header_digest(struct byte_view bytes, uint8_t out[static HEADER_DIGEST_SIZE])
{
    digest_sha256(bytes, out);
}

void header_leaf(struct byte_view bytes, uint8_t out[static HEADER_DIGEST_SIZE])
{
    digest_prefixed(0x00, bytes, out);
}
