#include "agent/feed_jsonl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct feed_jsonl {
    struct feed_input *input;
    uint64_t line; /* of the next byte */
};

enum status feed_jsonl_new(struct feed_input *input, struct feed_jsonl **ret_jsonl)
{
    struct feed_jsonl *jsonl = calloc(1, sizeof *jsonl);

    if (jsonl == NULL)
        return STATUS_NO_MEMORY;
    jsonl->input = input;
    jsonl->line = 1;
    *ret_jsonl = jsonl;
    return STATUS_OK;
}

void feed_jsonl_free(struct feed_jsonl **jsonl)
{
    free(*jsonl);
    *jsonl = NULL;
}

/*
 * The next line without its end. *ret_taken: its bytes with the end, which the caller takes when it is done.
 * STATUS_TOO_LARGE: it is too long, and is gone already. STATUS_NOT_FOUND: the file has ended.
 */
static enum status find_line(struct feed_jsonl *jsonl, struct byte_view *ret_line, size_t *ret_taken,
                             struct feed_refusal *ret_refusal)
{
    bool too_large = false;

    for (;;) {
        const struct byte_view view = feed_input_view(jsonl->input);
        const uint8_t *end = view.size > 0 ? memchr(view.data, '\n', view.size) : NULL;
        enum status status = STATUS_OK;

        if (end != NULL || (feed_input_ended(jsonl->input) && view.size > 0)) {
            const size_t size = end != NULL ? (size_t)(end - view.data) : view.size;

            *ret_taken = size + (end != NULL ? 1 : 0);
            if (too_large || size > FEED_ROW_MAX) {
                feed_input_take(jsonl->input, *ret_taken);
                return STATUS_TOO_LARGE;
            }
            *ret_line = bytes_view(view.data, size);
            return STATUS_OK;
        }
        if (feed_input_ended(jsonl->input))
            return too_large ? STATUS_TOO_LARGE : STATUS_NOT_FOUND;
        if (view.size > FEED_ROW_MAX) {
            too_large = true;
            feed_input_take(jsonl->input, view.size);
        }
        status = feed_input_fill(jsonl->input, ret_refusal);
        if (status != STATUS_OK)
            return status;
    }
}

static bool is_blank(struct byte_view line)
{
    for (size_t i = 0; i < line.size; i++)
        if (strchr(" \t\r", line.data[i]) == NULL || line.data[i] == '\0')
            return false;
    return true;
}

/* What to say of a line that does not parse. Jansson's own texts quote what stands near: not for a page. */
static enum status malformed(uint64_t line, const json_error_t *error, struct feed_reject *ret_reject)
{
    const char *what = "not a JSON object";

    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        what = "cut short: the line ends in the middle of its JSON object";
        break;
    case json_error_duplicate_key:
        what = "a key stands twice in one JSON object";
        break;
    case json_error_invalid_syntax:
    case json_error_end_of_input_expected:
        what = "not valid JSON";
        break;
    case json_error_stack_overflow:
        what = "nested too deeply";
        break;
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_utf8:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_character:
    case json_error_null_value:
    case json_error_null_byte_in_key:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
    case json_error_numeric_overflow:
    default:
        break;
    }
    feed_reject_set(ret_reject, line, NULL, "%s (character %d)", what, error->column > 0 ? error->column : 1);
    return STATUS_BAD_FORMAT;
}

static enum status parse(uint64_t number, struct byte_view line, json_t **ret_object,
                         struct feed_reject *ret_reject, struct feed_refusal *ret_refusal)
{
    json_error_t error = {.column = 1};
    json_t *object = NULL;

    if (!utf8_valid(line)) {
        feed_input_not_utf8(number, ret_refusal);
        return STATUS_UNSUPPORTED;
    }
    object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (object == NULL)
        return json_error_code(&error) == json_error_out_of_memory ? STATUS_NO_MEMORY
                                                                   : malformed(number, &error, ret_reject);
    if (!json_is_object(object)) {
        json_decref(object);
        feed_reject_set(ret_reject, number, NULL, "not a JSON object");
        return STATUS_BAD_FORMAT;
    }
    *ret_object = object;
    return STATUS_OK;
}

enum status feed_jsonl_next(struct feed_jsonl *jsonl, uint64_t *ret_line, json_t **ret_object,
                            struct feed_reject *ret_reject, struct feed_refusal *ret_refusal)
{
    for (;;) {
        struct byte_view line = {0};
        size_t taken = 0;
        const uint64_t number = jsonl->line;
        enum status status = find_line(jsonl, &line, &taken, ret_refusal);

        if (status == STATUS_TOO_LARGE) {
            jsonl->line++;
            *ret_line = number;
            feed_reject_set(ret_reject, number, NULL, "longer than 64 KiB");
            return STATUS_BAD_FORMAT;
        }
        if (status != STATUS_OK)
            return status;
        jsonl->line++;
        if (is_blank(line)) {
            feed_input_take(jsonl->input, taken);
            continue;
        }
        *ret_line = number;
        status = parse(number, line, ret_object, ret_reject, ret_refusal);
        feed_input_take(jsonl->input, taken);
        return status;
    }
}

/* One step down: a key of an object, or the position in a list. NULL: nothing there. */
static const json_t *step(const json_t *value, const char *name, size_t size)
{
    char key[64];
    char *end = NULL;
    unsigned long index = 0;

    if (size == 0 || size >= sizeof key)
        return NULL;
    memcpy(key, name, size);
    key[size] = '\0';
    if (json_is_object(value))
        return json_object_get(value, key);
    if (!json_is_array(value) || strspn(key, "0123456789") != size || size > 4)
        return NULL;
    index = strtoul(key, &end, 10);
    return json_array_get(value, index);
}

static enum status append_value(const json_t *value, struct byte_buffer *storage)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        bytes_append(storage, json_string_value(value), json_string_length(value));
        return storage->status;
    case JSON_INTEGER:
        bytes_append_format(storage, "%lld", (long long)json_integer_value(value));
        return storage->status;
    case JSON_TRUE:
        bytes_append_string(storage, "true");
        return storage->status;
    case JSON_FALSE:
        bytes_append_string(storage, "false");
        return storage->status;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_REAL:
    default:
        return STATUS_BAD_FORMAT;
    }
}

enum status feed_jsonl_text(const json_t *object, const char *path, struct byte_buffer *storage,
                            bool *ret_present)
{
    const json_t *value = object;
    enum status status = STATUS_OK;

    for (const char *at = path; value != NULL;) {
        const size_t size = strcspn(at, ".");

        value = step(value, at, size);
        if (at[size] == '\0')
            break;
        at += size + 1;
    }
    if (value != NULL && !json_is_null(value))
        status = append_value(value, storage);
    if (status == STATUS_OK)
        *ret_present = value != NULL && !json_is_null(value);
    return status;
}
