#include "proto/labels.h"

#include <string.h>

#include "proto/chars.h"

enum status labels_label_check(struct byte_view label)
{
    if (label.size == 0 || label.size > LABELS_LABEL_LENGTH || !chars_is_lower(label.data[0]))
        return STATUS_BAD_FORMAT;
    for (size_t i = 1; i < label.size; i++) {
        uint8_t c = label.data[i];
        if (!chars_is_lower(c) && !chars_is_digit(c) && c != '_')
            return STATUS_BAD_FORMAT;
    }
    return STATUS_OK;
}

bool labels_next(struct byte_view *list, struct byte_view *ret_label)
{
    if (list->size == 0)
        return false;
    const uint8_t *comma = memchr(list->data, ',', list->size);
    size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
    size_t taken = comma == NULL ? size : size + 1;
    *ret_label = chars_part(*list, 0, size);
    *list = chars_part(*list, taken, list->size - taken);
    return true;
}

bool labels_contain(struct byte_view list, struct byte_view label)
{
    for (struct byte_view each; labels_next(&list, &each);) {
        if (bytes_equal(each, label))
            return true;
    }
    return false;
}

/* Inserts in order; STATUS_BAD_FORMAT if it stands there already. */
static enum status insert(struct byte_view *labels, size_t count, struct byte_view label)
{
    size_t at = count;

    while (at > 0 && bytes_compare(labels[at - 1], label) > 0)
        at--;
    if (at > 0 && bytes_equal(labels[at - 1], label))
        return STATUS_BAD_FORMAT;
    memmove(labels + at + 1, labels + at, (count - at) * sizeof *labels);
    labels[at] = label;
    return STATUS_OK;
}

static enum status collect(struct byte_view in, struct byte_view labels[static LABELS_MOST],
                           size_t *ret_count, struct kind_reason *ret_reason)
{
    size_t count = 0;

    if (in.size > 0 && in.data[in.size - 1] == ',')
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "the list ends in a comma: take it away");
    for (struct byte_view label; labels_next(&in, &label);) {
        label = chars_trim(label);
        if (count == LABELS_MOST)
            return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "more than %d labels: name fewer",
                                   LABELS_MOST);
        if (labels_label_check(label) != STATUS_OK)
            return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                                   "not a list of item labels: write lower-case labels separated by commas");
        if (insert(labels, count, label) != STATUS_OK)
            return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "a label stands twice: name each one once");
        count++;
    }
    *ret_count = count;
    return STATUS_OK;
}

enum status labels_canonical(struct byte_view in, char ret_list[static LABELS_SIZE],
                             struct kind_reason *ret_reason)
{
    struct byte_view labels[LABELS_MOST];
    size_t count = 0;
    char *at = ret_list;
    enum status status = collect(in, labels, &count, ret_reason);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = ',';
        memcpy(at, labels[i].data, labels[i].size);
        at += labels[i].size;
    }
    *at = '\0';
    return STATUS_OK;
}
