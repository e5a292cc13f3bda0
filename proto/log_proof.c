#include "proto/log_proof.h"

#include <string.h>

#include "proto/line.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

static enum status parse_extra(struct byte_view base64, struct log_proof *proof)
{
    enum status status = bytes_from_base64((const char *)base64.data, base64.size, proof->extra,
                                           sizeof proof->extra, &proof->extra_size);

    return status == STATUS_OK && proof->extra_size > 0 ? STATUS_OK : STATUS_BAD_FORMAT;
}

/* Hashes, one a line, and the empty line after them. */
static enum status parse_path(struct byte_view *rest, struct log_proof *proof)
{
    struct byte_view line;

    for (;;) {
        if (!line_take(rest, &line))
            return STATUS_BAD_FORMAT;
        if (line.size == 0)
            return STATUS_OK;
        if (proof->path_length == MERKLE_PATH_MAX || !line_hash(line, &proof->path[proof->path_length]))
            return STATUS_BAD_FORMAT;
        proof->path_length++;
    }
}

/* Whether a proof's checkpoint is one, and its index and path fit the checkpoint's size. */
static enum status check(const struct log_proof *proof)
{
    struct note note;
    struct checkpoint checkpoint;
    enum status status = note_parse(proof->checkpoint, &note);

    if (status == STATUS_OK)
        status = checkpoint_parse(note.text, &checkpoint);
    if (status != STATUS_OK)
        return status;
    if (proof->index >= checkpoint.size ||
        proof->path_length != merkle_path_length(proof->index, checkpoint.size))
        return STATUS_BAD_PROOF;
    return STATUS_OK;
}

enum status log_proof_parse(struct byte_view bytes, struct log_proof *ret_proof)
{
    struct log_proof proof = {0};
    struct byte_view line;
    struct byte_view value;
    enum status status;

    if (!line_take(&bytes, &line) || !bytes_equal(line, bytes_of_string(first_line)) ||
        !line_take(&bytes, &line))
        return STATUS_BAD_FORMAT;
    if (line_after(line, "extra ", &value)) {
        status = parse_extra(value, &proof);
        if (status != STATUS_OK || !line_take(&bytes, &line))
            return STATUS_BAD_FORMAT;
    }
    if (!line_after(line, "index ", &value) || !line_number(value, &proof.index))
        return STATUS_BAD_FORMAT;
    status = parse_path(&bytes, &proof);
    if (status != STATUS_OK)
        return status;
    proof.checkpoint = bytes;
    status = check(&proof);
    if (status == STATUS_OK)
        *ret_proof = proof;
    return status;
}

enum status log_proof_format(const struct log_proof *proof, struct byte_buffer *out)
{
    char base64[4 * ((LOG_PROOF_EXTRA_MAX + 2) / 3) + 1];

    if (proof->extra_size > LOG_PROOF_EXTRA_MAX || check(proof) != STATUS_OK)
        return STATUS_BAD_ARGUMENT;
    bytes_append_format(out, "%s\n", first_line);
    if (proof->extra_size > 0) {
        bytes_to_base64(proof->extra, proof->extra_size, base64);
        bytes_append_format(out, "extra %s\n", base64);
    }
    bytes_append_format(out, "index %llu\n", (unsigned long long)proof->index);
    for (size_t i = 0; i < proof->path_length; i++)
        line_append_hash(&proof->path[i], out);
    bytes_append_string(out, "\n");
    bytes_append_view(out, proof->checkpoint);
    return out->status;
}

enum status log_proof_verify(const struct log_proof *proof, const struct digest *leaf,
                             const struct note_key *log, struct note *ret_note,
                             struct checkpoint *ret_checkpoint)
{
    struct note note;
    struct checkpoint checkpoint;
    enum status status = checkpoint_open(proof->checkpoint, log, &note, &checkpoint);

    if (status == STATUS_OK)
        status = merkle_verify_path(leaf, proof->index, checkpoint.size, proof->path, proof->path_length,
                                    &checkpoint.root);
    if (status != STATUS_OK)
        return status;
    if (ret_note != NULL)
        *ret_note = note;
    *ret_checkpoint = checkpoint;
    return STATUS_OK;
}
