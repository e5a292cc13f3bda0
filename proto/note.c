#include "proto/note.h"

#include <assert.h>
#include <string.h>

#include "proto/line.h"
#include "proto/text.h"

#define COSIGNATURE_SIZE   (8 + ED25519_SIGNATURE_SIZE)
#define MESSAGE_PREFIX_MAX 64 /* "cosignature/v1", "time" and twenty digits fit */

static const char line_start[] = "\xe2\x80\x94 "; /* em dash, space */

/* Whether a note may hold these bytes: UTF-8, and of the characters below U+0020 only newlines. */
static bool well_formed(struct byte_view bytes)
{
    uint32_t point = 0;

    while (text_next(&bytes, &point)) {
        if (point < 0x20 && point != '\n')
            return false;
    }
    return bytes.size == 0;
}

/* A line without its newline. */
static enum status parse_signature(struct byte_view line, struct note_signature *ret_signature)
{
    struct note_signature signature;
    uint8_t decoded[NOTE_SIGNATURE_SIZE_MAX];
    size_t size = 0;
    if (!line_after(line, line_start, &line))
        return STATUS_BAD_FORMAT;
    const uint8_t *space = line.size == 0 ? NULL : memchr(line.data, ' ', line.size);
    if (space == NULL)
        return STATUS_BAD_FORMAT;
    signature.name = bytes_view(line.data, (size_t)(space - line.data));
    signature.base64 = bytes_view(space + 1, line.size - signature.name.size - 1);
    if (!note_key_good_name(signature.name))
        return STATUS_BAD_FORMAT;
    if (bytes_from_base64((const char *)signature.base64.data, signature.base64.size, decoded, sizeof decoded,
                          &size) != STATUS_OK ||
        size <= NOTE_KEY_ID_SIZE)
        return STATUS_BAD_FORMAT;
    memcpy(signature.key_id, decoded, NOTE_KEY_ID_SIZE);
    *ret_signature = signature;
    return STATUS_OK;
}

/* Good names and base64 leave no room for what a note may not hold. The signatures may change on failure. */
static enum status parse_lines(struct byte_view lines, struct note *note)
{
    struct byte_view line;

    note->signature_count = 0;
    while (line_take(&lines, &line)) {
        if (note->signature_count == NOTE_SIGNATURES_MAX)
            return STATUS_BAD_FORMAT;
        enum status status = parse_signature(line, &note->signatures[note->signature_count]);
        if (status != STATUS_OK)
            return status;
        note->signature_count++;
    }
    return lines.size == 0 && note->signature_count > 0 ? STATUS_OK : STATUS_BAD_FORMAT;
}

static bool good_text(struct byte_view text)
{
    return text.size > 0 && text.size < NOTE_SIZE_MAX && text.data[text.size - 1] == '\n' &&
           well_formed(text);
}

enum status note_parse(struct byte_view bytes, struct note *ret_note)
{
    if (bytes.size > NOTE_SIZE_MAX)
        return STATUS_BAD_FORMAT;
    /* The text may hold blank lines; the last one ends it. */
    const uint8_t *blank = bytes.size < 2 ? NULL : memrchr(bytes.data, '\n', bytes.size - 1);
    while (blank != NULL && blank[1] != '\n')
        blank = memrchr(bytes.data, '\n', (size_t)(blank - bytes.data));
    if (blank == NULL)
        return STATUS_BAD_FORMAT;
    size_t text_size = (size_t)(blank - bytes.data) + 1;
    struct byte_view lines = bytes_view(bytes.data + text_size + 1, bytes.size - text_size - 1);
    return note_parse_signatures(bytes_view(bytes.data, text_size), lines, ret_note);
}

enum status note_parse_signatures(struct byte_view text, struct byte_view lines, struct note *ret_note)
{
    struct note note;

    if (!good_text(text) || lines.size > NOTE_SIZE_MAX)
        return STATUS_BAD_FORMAT;
    note.text = text;
    enum status status = parse_lines(lines, &note);
    if (status == STATUS_OK)
        *ret_note = note;
    return status;
}

/* What a key of that type signs: the text itself, or a cosignature's time and the text, put together in
 * prefixed. */
static enum status message_of(enum note_key_type type, uint64_t seconds, struct byte_view text,
                              struct byte_buffer *prefixed, struct byte_view *ret_message)
{
    if (type == NOTE_KEY_ED25519) {
        *ret_message = text;
        return STATUS_OK;
    }
    bytes_append_format(prefixed, "cosignature/v1\ntime %llu\n", (unsigned long long)seconds);
    bytes_append_view(prefixed, text);
    *ret_message = bytes_buffer_view(prefixed);
    return prefixed->status;
}

/* Verifies a signature that bears a key's name and id; ret_time as in struct note_signed. */
static enum status verify_one(struct byte_view text, const struct note_signature *signature,
                              const struct note_key *key, int64_t *ret_time)
{
    uint8_t decoded[NOTE_KEY_ID_SIZE + COSIGNATURE_SIZE];
    struct byte_buffer prefixed = bytes_buffer(NOTE_SIZE_MAX + MESSAGE_PREFIX_MAX);
    struct byte_view message;
    enum note_key_type type = note_key_type(key);
    size_t before = NOTE_KEY_ID_SIZE + (type == NOTE_KEY_COSIGNATURE ? sizeof(uint64_t) : 0);
    size_t size = 0;
    uint64_t seconds = 0;
    enum status status = bytes_from_base64((const char *)signature->base64.data, signature->base64.size,
                                           decoded, sizeof decoded, &size);

    if (status != STATUS_OK || size != before + ED25519_SIGNATURE_SIZE) {
        status = STATUS_BAD_SIGNATURE;
        goto out;
    }
    if (type == NOTE_KEY_COSIGNATURE)
        seconds = bytes_get_u64(decoded + NOTE_KEY_ID_SIZE);
    if (seconds > INT64_MAX / 1000) { /* more than milliseconds express */
        status = STATUS_BAD_SIGNATURE;
        goto out;
    }
    status = message_of(type, seconds, text, &prefixed, &message);
    if (status == STATUS_OK)
        status = ed25519_verify(note_key_ed25519(key), message, decoded + before);
    if (status == STATUS_OK)
        *ret_time = (int64_t)seconds * 1000;
out:
    bytes_buffer_free(&prefixed);
    return status;
}

/* The key that a signature claims to be of, or n. */
static size_t find_key(const struct note_signature *signature, const struct note_key *const *keys, size_t n)
{
    size_t i = 0;

    while (i < n && (memcmp(signature->key_id, note_key_id(keys[i]), NOTE_KEY_ID_SIZE) != 0 ||
                     !bytes_equal(signature->name, note_key_name(keys[i]))))
        i++;
    return i;
}

enum status note_verify(const struct note *note, const struct note_key *const *keys, size_t n,
                        struct note_signed *ret_signed)
{
    size_t key_of[NOTE_SIGNATURES_MAX];
    int64_t times[NOTE_SIGNATURES_MAX];
    bool any = false;

    for (size_t i = 0; i < note->signature_count; i++) {
        key_of[i] = find_key(&note->signatures[i], keys, n);
        if (key_of[i] == n)
            continue;
        enum status status = verify_one(note->text, &note->signatures[i], keys[key_of[i]], &times[i]);
        if (status != STATUS_OK)
            return status;
        any = true;
    }
    if (!any)
        return STATUS_UNKNOWN_KEY;

    for (size_t i = 0; i < n; i++)
        ret_signed[i] = (struct note_signed){0};
    for (size_t i = 0; i < note->signature_count; i++) {
        if (key_of[i] == n)
            continue;
        struct note_signed *result = &ret_signed[key_of[i]];
        if (!result->by || times[i] > result->time)
            *result = (struct note_signed){.by = true, .time = times[i]};
    }
    return STATUS_OK;
}

enum status note_start(struct byte_view text, struct byte_buffer *out)
{
    if (!good_text(text))
        return STATUS_BAD_FORMAT;
    bytes_append_view(out, text);
    bytes_append_string(out, "\n");
    return out->status;
}

/* Appends a signature line for key id and signature as one. */
static void append_line(struct byte_view name, const uint8_t *payload, size_t size, struct byte_buffer *out)
{
    char base64[4 * (NOTE_KEY_ID_SIZE + COSIGNATURE_SIZE + 2) / 3 + 1];

    bytes_to_base64(payload, size, base64);
    bytes_append_string(out, line_start);
    bytes_append_view(out, name);
    bytes_append_format(out, " %s\n", base64);
}

enum status note_sign(struct byte_view text, const struct note_key *key, int64_t now, struct byte_buffer *out)
{
    uint8_t payload[NOTE_KEY_ID_SIZE + COSIGNATURE_SIZE];
    size_t before = NOTE_KEY_ID_SIZE;
    struct byte_buffer prefixed = bytes_buffer(NOTE_SIZE_MAX + MESSAGE_PREFIX_MAX);
    struct byte_view message;
    uint64_t seconds = (uint64_t)now / 1000;

    assert(now >= 0);
    memcpy(payload, note_key_id(key), NOTE_KEY_ID_SIZE);
    if (note_key_type(key) == NOTE_KEY_COSIGNATURE) {
        bytes_put_u64(payload + before, seconds);
        before += sizeof seconds;
    }
    enum status status = message_of(note_key_type(key), seconds, text, &prefixed, &message);
    if (status == STATUS_OK)
        status = ed25519_sign(note_key_ed25519(key), message, payload + before);
    if (status == STATUS_OK) {
        append_line(note_key_name(key), payload, before + ED25519_SIGNATURE_SIZE, out);
        status = out->status;
    }
    bytes_buffer_free(&prefixed);
    return status;
}

void note_append_signature(const struct note_signature *signature, struct byte_buffer *out)
{
    bytes_append_string(out, line_start);
    bytes_append_view(out, signature->name);
    bytes_append_string(out, " ");
    bytes_append_view(out, signature->base64);
    bytes_append_string(out, "\n");
}
