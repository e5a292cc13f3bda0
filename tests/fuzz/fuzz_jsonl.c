/* Any bytes as JSON lines: objects, malformed lines or a refusal. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/feed_jsonl.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const json_t *object)
{
    static const char *const paths[] = {"a",         "a.b", "a.0.b", "additionalInformation.nomsNumber",
                                        "eventType", "..",  ""};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct byte_buffer text = bytes_buffer(FEED_ROW_MAX);
        bool present = false;
        const enum status status = feed_jsonl_text(object, paths[i], &text, &present);

        assert(status == STATUS_OK || status == STATUS_BAD_FORMAT);
        if (status == STATUS_OK && present)
            assert(utf8_valid(bytes_buffer_view(&text)));
        bytes_buffer_free(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_input *input = NULL;
    struct feed_jsonl *jsonl = NULL;
    struct feed_reject reject;
    struct feed_refusal refusal;
    uint64_t last = 0;

    assert(feed_input_of_bytes(bytes_view(data, size), FEED_UTF8, &input) == STATUS_OK);
    assert(feed_jsonl_new(input, &jsonl) == STATUS_OK);
    for (;;) {
        json_t *object = NULL;
        uint64_t line = 0;
        const enum status status = feed_jsonl_next(jsonl, &line, &object, &reject, &refusal);

        if (status != STATUS_OK && status != STATUS_BAD_FORMAT) {
            assert(object == NULL);
            assert(status == STATUS_NOT_FOUND || (status == STATUS_UNSUPPORTED && refusal.text[0] != '\0'));
            break;
        }
        assert(line > last);
        last = line;
        if (status == STATUS_OK) {
            assert(json_is_object(object));
            look_at(object);
        } else {
            assert(object == NULL && reject.line == line && utf8_valid(bytes_of_string(reject.reason)));
        }
        json_decref(object);
    }
    feed_jsonl_free(&jsonl);
    feed_input_free(&input);
    return 0;
}
