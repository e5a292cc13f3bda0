/* Any bytes as a line of past traffic: refused with a reason, or something that can be decided. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy/files.h"
#include "policy/replay.h"
#include "policy/replaying.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct files files;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer text = bytes_buffer((size_t)1 << 20);
    struct kind_reason reason = {""};
    struct replaying *replaying;
    struct replay *replay = NULL;

    if (files.protocol == NULL &&
        files_open(PROJECT_ROOT "/policy/catalogue.yaml", PROJECT_ROOT "/policy/staffordshire-ppo.yaml",
                   &files, &text) != STATUS_OK)
        abort();
    if (replay_read(bytes_view(data, size), &replay, &reason) != STATUS_OK) {
        assert(replay == NULL && reason.text[0] != '\0');
        return 0;
    }
    replaying = replaying_new(files.protocol, files.protocol);
    assert(replaying != NULL && replaying_add(replaying, replay, 1) == STATUS_OK);
    assert(replaying_write(replaying, &text) == 0 && text.status == STATUS_OK);
    replaying_free(&replaying);
    replay_free(&replay);
    bytes_buffer_free(&text);
    return 0;
}
