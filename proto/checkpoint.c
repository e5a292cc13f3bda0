#include "proto/checkpoint.h"

#include <assert.h>
#include <string.h>

#include "proto/line.h"
#include "proto/merkle.h"

/* Whether bytes are whole lines, none of them empty; no bytes are. */
static bool good_extensions(struct byte_view bytes)
{
    struct byte_view line;

    while (line_take(&bytes, &line)) {
        if (line.size == 0)
            return false;
    }
    return bytes.size == 0;
}

static bool good(const struct checkpoint *checkpoint)
{
    struct digest empty = merkle_empty_root();

    return checkpoint->origin.size > 0 &&
           memchr(checkpoint->origin.data, '\n', checkpoint->origin.size) == NULL &&
           checkpoint->size <= CHECKPOINT_SIZE_MAX && good_extensions(checkpoint->extensions) &&
           (checkpoint->size > 0 || memcmp(checkpoint->root.bytes, empty.bytes, DIGEST_SIZE) == 0);
}

enum status checkpoint_parse(struct byte_view text, struct checkpoint *ret_checkpoint)
{
    struct checkpoint checkpoint;
    struct byte_view size;
    struct byte_view root;

    if (!line_take(&text, &checkpoint.origin) || !line_take(&text, &size) || !line_take(&text, &root))
        return STATUS_BAD_FORMAT;
    if (!line_number(size, &checkpoint.size) || !line_hash(root, &checkpoint.root))
        return STATUS_BAD_FORMAT;
    checkpoint.extensions = text;
    if (!good(&checkpoint))
        return STATUS_BAD_FORMAT;
    *ret_checkpoint = checkpoint;
    return STATUS_OK;
}

enum status checkpoint_format(const struct checkpoint *checkpoint, struct byte_buffer *out)
{
    if (!good(checkpoint))
        return STATUS_BAD_ARGUMENT;
    bytes_append_view(out, checkpoint->origin);
    bytes_append_format(out, "\n%llu\n", (unsigned long long)checkpoint->size);
    line_append_hash(&checkpoint->root, out);
    bytes_append_view(out, checkpoint->extensions);
    return out->status;
}

enum status checkpoint_sign(const struct checkpoint *checkpoint, const struct note_key *key,
                            struct byte_buffer *out)
{
    struct byte_buffer text = bytes_buffer(NOTE_SIZE_MAX);
    enum status status = STATUS_MISMATCH;

    assert(note_key_type(key) == NOTE_KEY_ED25519);
    if (!bytes_equal(note_key_name(key), checkpoint->origin))
        goto out;
    status = checkpoint_format(checkpoint, &text);
    if (status == STATUS_OK)
        status = note_start(bytes_buffer_view(&text), out);
    if (status == STATUS_OK)
        status = note_sign(bytes_buffer_view(&text), key, 0, out);
out:
    bytes_buffer_free(&text);
    return status;
}

enum status checkpoint_cosign(struct byte_view text, const struct note_key *key, int64_t now,
                              struct byte_buffer *out)
{
    struct checkpoint checkpoint;
    enum status status = checkpoint_parse(text, &checkpoint);

    assert(note_key_type(key) == NOTE_KEY_COSIGNATURE);
    return status == STATUS_OK ? note_sign(text, key, now, out) : status;
}

enum status checkpoint_open(struct byte_view bytes, const struct note_key *log, struct note *ret_note,
                            struct checkpoint *ret_checkpoint)
{
    struct note note;
    struct checkpoint checkpoint;
    struct note_signed by_log;
    enum status status = note_parse(bytes, &note);

    assert(note_key_type(log) == NOTE_KEY_ED25519);
    if (status == STATUS_OK)
        status = checkpoint_parse(note.text, &checkpoint);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(checkpoint.origin, note_key_name(log)))
        return STATUS_MISMATCH;
    status = note_verify(&note, &log, 1, &by_log);
    if (status != STATUS_OK)
        return status;
    if (ret_note != NULL)
        *ret_note = note;
    *ret_checkpoint = checkpoint;
    return STATUS_OK;
}

enum status checkpoint_witnessed(const struct note *note, const struct note_key *const *witnesses, size_t n,
                                 struct note_signed *ret_signed, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        assert(note_key_type(witnesses[i]) == NOTE_KEY_COSIGNATURE);
    enum status status = note_verify(note, witnesses, n, ret_signed);
    if (status == STATUS_UNKNOWN_KEY) {
        for (size_t i = 0; i < n; i++)
            ret_signed[i] = (struct note_signed){0};
        status = STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        count += ret_signed[i].by;
    *ret_count = count;
    return STATUS_OK;
}
