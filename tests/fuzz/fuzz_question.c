/*
 * An officer's or an operator's question as JSON: refused with a reason, or a line for the log that is never
 * empty nor too long and holds no control character. Seeds: questions of each kind, and broken ones.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "broker/search_question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_buffer line = bytes_buffer(SEARCH_QUESTION_LINE_MAX);
    struct search_question *question = calloc(1, sizeof *question);
    struct search_reason reason = {{0}};
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

    if (question != NULL && json_is_object(json)) {
        if (search_question_parse(json, question, &reason) == STATUS_OK) {
            search_question_text(json, &line);
            if (line.status != STATUS_OK || line.size == 0 || !utf8_printable(bytes_buffer_view(&line)))
                abort();
        } else if (reason.text[0] == 0) {
            abort();
        }
    }
    json_decref(json);
    bytes_buffer_free(&line);
    free(question);
    return 0;
}
