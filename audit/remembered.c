#include "audit/remembered.h"

#include <inttypes.h>
#include <string.h>

#include "proto/member.h"
#include "proto/note.h"

#define TITLE "concordat-audit/verified/v1"

enum status remembered_init(struct remembered *remembered)
{
    *remembered = (struct remembered){.note = bytes_buffer(NOTE_SIZE_MAX)};
    return counters_new(&remembered->counters);
}

void remembered_free(struct remembered *remembered)
{
    counters_free(&remembered->counters);
    bytes_buffer_free(&remembered->note);
    *remembered = (struct remembered){.size = 0};
}

/* ---- reading ---- */

/* The next line without its end; false when there is no whole one. */
static bool next_line(struct byte_view *text, struct byte_view *ret_line)
{
    const uint8_t *end = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);

    if (end == NULL)
        return false;
    *ret_line = bytes_view(text->data, (size_t)(end - text->data));
    *text = bytes_view(end + 1, text->size - ret_line->size - 1);
    return true;
}

/* Takes the word up to the next space, or to the end, off the line. */
static struct byte_view next_word(struct byte_view *line)
{
    const uint8_t *space = line->size == 0 ? NULL : memchr(line->data, ' ', line->size);
    size_t size = space == NULL ? line->size : (size_t)(space - line->data);
    struct byte_view word = bytes_view(line->data, size);

    *line = space == NULL ? bytes_view(NULL, 0) : bytes_view(space + 1, line->size - size - 1);
    return word;
}

/* Decimal, without leading zeros, up to INT64_MAX. */
static bool read_number(struct byte_view word, uint64_t *ret)
{
    uint64_t value = 0;

    if (word.size == 0 || word.size > 19 || (word.data[0] == '0' && word.size > 1))
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(word.data[i] - '0');
    }
    *ret = value;
    return value <= INT64_MAX;
}

static bool read_root(struct byte_view word, struct digest *ret)
{
    char text[2 * DIGEST_SIZE + 1] = "";

    if (word.size != sizeof text - 1)
        return false;
    memcpy(text, word.data, word.size);
    if (strspn(text, "0123456789abcdef") != sizeof text - 1)
        return false;
    return bytes_from_hex(text, ret->bytes, DIGEST_SIZE) == STATUS_OK;
}

/* "KEY VALUE", of which the value is given. */
static bool value_of(struct byte_view *text, const char *key, struct byte_view *ret_value)
{
    struct byte_view line;

    if (!next_line(text, &line) || !bytes_equal(next_word(&line), bytes_of_string(key)))
        return false;
    *ret_value = line;
    return true;
}

static enum status read_counter(struct byte_view line, struct byte_view *last, struct remembered *remembered)
{
    struct byte_view word = next_word(&line);
    struct byte_view member = next_word(&line);
    struct byte_view sent = next_word(&line);
    uint64_t numbers[2];

    if (!remembered->records || !bytes_equal(word, bytes_of_string("counter")) ||
        member_check(member) != STATUS_OK || bytes_compare(*last, member) >= 0 ||
        !read_number(sent, &numbers[0]) || !read_number(line, &numbers[1]))
        return STATUS_BAD_FORMAT;
    *last = member;
    return counters_set(remembered->counters, member, numbers[0], numbers[1]);
}

enum status remembered_parse(struct byte_view text, struct remembered *ret)
{
    struct byte_view line, value, last = bytes_view(NULL, 0);
    enum status status = STATUS_OK;

    if (text.size > REMEMBERED_MAX)
        return STATUS_TOO_LARGE;
    if (!next_line(&text, &line) || !bytes_equal(line, bytes_of_string(TITLE)) ||
        !value_of(&text, "size", &value) || !read_number(value, &ret->size) ||
        !value_of(&text, "root", &value) || !read_root(value, &ret->root) ||
        !value_of(&text, "checked", &value))
        return STATUS_BAD_FORMAT;
    ret->records = bytes_equal(value, bytes_of_string("records"));
    if (!ret->records && !bytes_equal(value, bytes_of_string("entries")))
        return STATUS_BAD_FORMAT;
    for (;;) {
        if (!next_line(&text, &line))
            return STATUS_BAD_FORMAT;
        if (line.size == 0)
            break;
        status = read_counter(line, &last, ret);
        if (status != STATUS_OK)
            return status;
    }
    bytes_append_view(&ret->note, text);
    return ret->note.status == STATUS_OK && text.size > 0 ? STATUS_OK : STATUS_BAD_FORMAT;
}

/* ---- writing ---- */

static void write_counter(void *context, struct byte_view member, uint64_t sent, uint64_t received)
{
    bytes_append_format(context, "counter %.*s %" PRIu64 " %" PRIu64 "\n", (int)member.size,
                        (const char *)member.data, sent, received);
}

enum status remembered_write(const struct remembered *remembered, struct byte_buffer *ret_text)
{
    char root[2 * DIGEST_SIZE + 1];
    enum status status = STATUS_OK;

    bytes_to_hex(remembered->root.bytes, DIGEST_SIZE, root);
    bytes_append_format(ret_text, TITLE "\nsize %" PRIu64 "\nroot %s\nchecked %s\n", remembered->size, root,
                        remembered->records ? "records" : "entries");
    if (remembered->records)
        status = counters_each(remembered->counters, write_counter, ret_text);
    bytes_append_string(ret_text, "\n");
    bytes_append_view(ret_text, bytes_buffer_view(&remembered->note));
    return status == STATUS_OK ? ret_text->status : status;
}
