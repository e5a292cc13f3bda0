/*
 * A question asked of the log: refused with a reason, or a query that is whole, and one line for the log that
 * fits what a question may be long.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/search_question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const json_t *request)
{
    struct byte_buffer text = bytes_buffer(SEARCH_QUESTION_LINE_MAX);

    search_question_text(request, &text);
    if (text.status != STATUS_OK || text.size == 0 || memchr(text.data, '\n', text.size) != NULL)
        abort();
    bytes_buffer_free(&text);
}

static void check_query(const struct search_question *question)
{
    const struct index_query *query = &question->query;

    if ((query->subject.size != 0 && query->subject.size != 36) ||
        (query->event.size != 0 && query->event.size != 16) ||
        (query->key.size != 0 && query->key.size != 16) || query->since < 0 || query->until < 0)
        abort();
    for (uint8_t i = 0; i < 32; i++) {
        if ((query->kinds >> i & 1) != 0 && record_kind_text(i) == NULL)
            abort();
    }
    if (search_question_needs_everything(question->what) && (query->kinds != 0 || query->member.size > 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *request = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct search_question question;
    struct search_reason reason = {{0}};

    if (!json_is_object(request)) {
        json_decref(request);
        return 0;
    }
    if (search_question_parse(request, &question, &reason) == STATUS_OK) {
        check_query(&question);
        check_line(request);
    } else if (reason.text[0] == '\0') {
        abort();
    }
    json_decref(request);
    return 0;
}
