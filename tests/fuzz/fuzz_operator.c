/*
 * What somebody asks the broker over its local socket: JSON that is refused with a reason, or a request whose
 * parts are what they must be. A search that is taken fits one line of the log.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/operator.h"
#include "broker/search.h"
#include "proto/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_search(const json_t *request)
{
    struct byte_buffer question = bytes_buffer(SEARCH_QUESTION_LINE_MAX);

    search_question_text(request, &question);
    if (question.status != STATUS_OK || question.size == 0 ||
        memchr(question.data, '\n', question.size) != NULL)
        abort();
    bytes_buffer_free(&question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *request = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct operator_reason reason = {{0}};
    struct operator_request parsed;
    uint8_t event[UUID_SIZE];

    if (request == NULL)
        return 0;
    if (operator_parse(request, &parsed, &reason) != STATUS_OK) {
        if (reason.text[0] == '\0')
            abort();
    } else if (parsed.verb == OPERATOR_LOAD && parsed.bundle[0] != '/') {
        abort();
    } else if (parsed.verb == OPERATOR_LIFT &&
               uuid_parse(bytes_of_string(parsed.event), event) != STATUS_OK) {
        abort();
    } else if (parsed.verb == OPERATOR_SEARCH) {
        check_search(request);
    }
    json_decref(request);
    return 0;
}
