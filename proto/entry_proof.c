#include "proto/entry_proof.h"

#include <string.h>

#include "proto/merkle.h"

#define VERSION      1
#define HAS_PERSONAL 1

static void append_part(const uint8_t *salt, struct byte_view part, struct byte_buffer *extra)
{
    bytes_append(extra, salt, RECORD_SALT_SIZE);
    bytes_append_u32(extra, (uint32_t)part.size);
    bytes_append_view(extra, part);
}

enum status entry_proof_write(const struct entry_proof *proof, struct byte_view log_proof,
                              struct byte_buffer *ret)
{
    struct byte_buffer extra = bytes_buffer(LOG_PROOF_EXTRA_MAX);
    struct log_proof log;
    enum status status = log_proof_parse(log_proof, &log);

    bytes_append_u8(&extra, VERSION);
    bytes_append_u8(&extra, proof->personal_salt != NULL ? HAS_PERSONAL : 0);
    bytes_append(&extra, proof->entry, RECORD_ENTRY_SIZE);
    append_part(proof->account_salt, proof->account, &extra);
    if (proof->personal_salt != NULL)
        append_part(proof->personal_salt, proof->personal, &extra);
    if (status == STATUS_OK)
        status = extra.status;
    if (status == STATUS_OK) {
        log.extra_size = extra.size;
        memcpy(log.extra, extra.data, extra.size);
        status = log_proof_format(&log, ret);
        bytes_wipe(log.extra, sizeof log.extra);
    }
    bytes_buffer_wipe(&extra);
    return status;
}

static const uint8_t *read_part(struct byte_reader *reader, struct byte_view *ret_part)
{
    const uint8_t *salt = bytes_read_view(reader, RECORD_SALT_SIZE).data;

    *ret_part = bytes_read_view(reader, bytes_read_u32(reader));
    return salt;
}

enum status entry_proof_read(struct byte_view bytes, struct log_proof *ret_log, struct entry_proof *ret_proof)
{
    struct entry_proof proof = {0};
    enum status status = log_proof_parse(bytes, ret_log);

    if (status != STATUS_OK)
        return status;
    struct byte_reader reader = bytes_reader(bytes_view(ret_log->extra, ret_log->extra_size));
    const uint8_t version = bytes_read_u8(&reader);
    const uint8_t flags = bytes_read_u8(&reader);
    proof.entry = bytes_read_view(&reader, RECORD_ENTRY_SIZE).data;
    proof.account_salt = read_part(&reader, &proof.account);
    if (flags == HAS_PERSONAL)
        proof.personal_salt = read_part(&reader, &proof.personal);
    if (version != VERSION || flags > HAS_PERSONAL || !bytes_read_done(&reader))
        return STATUS_BAD_FORMAT;
    *ret_proof = proof;
    return STATUS_OK;
}

static enum status decode(const struct entry_proof *proof, struct entry_proof_told *told)
{
    enum status status = record_decode_account(proof->account, &told->accounts, &told->account);

    told->kind = (enum record_kind)proof->entry[1];
    told->personal = (struct record_personal){0};
    told->has_personal = proof->personal_salt != NULL && proof->personal.size > 0;
    if (status == STATUS_OK && told->has_personal)
        status = record_decode_personal(proof->personal, &told->personals, &told->personal);
    return status == STATUS_OK || status == STATUS_NO_MEMORY ? status : STATUS_BAD_FORMAT;
}

enum status entry_proof_verify_under(const struct entry_proof *proof, const struct log_proof *log,
                                     const struct checkpoint *checkpoint, struct entry_proof_told *ret_told)
{
    const struct digest leaf = merkle_leaf(bytes_view(proof->entry, RECORD_ENTRY_SIZE));
    enum status status = record_verify(proof->entry, proof->account_salt, proof->account,
                                       proof->personal_salt, proof->personal);

    ret_told->index = log->index;
    ret_told->checkpoint = *checkpoint;
    if (status == STATUS_OK)
        status = decode(proof, ret_told);
    return status == STATUS_OK ? merkle_verify_path(&leaf, log->index, checkpoint->size, log->path,
                                                    log->path_length, &checkpoint->root)
                               : status;
}

enum status entry_proof_verify(const struct entry_proof *proof, const struct log_proof *log,
                               const struct note_key *key, struct entry_proof_told *ret_told)
{
    struct checkpoint checkpoint;
    enum status status = checkpoint_open(log->checkpoint, key, &ret_told->note, &checkpoint);

    return status == STATUS_OK ? entry_proof_verify_under(proof, log, &checkpoint, ret_told) : status;
}
