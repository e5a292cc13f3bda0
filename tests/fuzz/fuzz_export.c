#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "audit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An export whose files stand one after the other, uint16 length and content, in the order in which they are
 * asked for; when there are no more, they are missing. The key is the one that signed the first seed. */
#define VKEY "log.test/one+d40977dd+AaL6L0o1W6LpB6UwCenjfK3fesfmagi6B2MfVTBys/JM"

static enum status next_file(void *context, const char *path, size_t limit, struct byte_buffer *ret)
{
    struct byte_reader *reader = context;
    uint16_t length = bytes_read_u16(reader);
    struct byte_view content = bytes_read_view(reader, length);

    (void)path;
    if (reader->failed)
        return STATUS_NOT_FOUND;
    if (content.size > limit)
        return STATUS_TOO_LARGE;
    bytes_append_view(ret, content);
    return ret->status;
}

static void ignore(void *context, const char *text)
{
    *(size_t *)context += strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_reader reader = bytes_reader(bytes_view(data, size));
    const struct verify_files files = {.read = next_file, .context = &reader};
    const struct verify_progress progress = {.at = NULL};
    size_t characters = 0;
    struct problems problems = {.tell = ignore, .context = &characters};
    struct verify_result result;
    static struct note_key *key;

    if (key == NULL && note_key_parse(bytes_of_string(VKEY), &key) != STATUS_OK)
        __builtin_trap();
    (void)verify_export(&files, key, &progress, &problems, &result);
    return 0;
}
