/*
 * A log proof file, as verify-proof and print-proof read it: refused, or written back byte for byte; told and
 * printed if it verifies. The log's key is that of the corpus (tests/fuzz/corpus/entry_proof).
 */
#include <stdlib.h>

#include "audit/disclosure.h"
#include "audit/proof_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VKEY "log.fuzz+34bea4e9+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"

/* The proof without its extra, as the broker would have given it. */
static void strip(const struct log_proof *log, struct byte_buffer *out)
{
    static struct log_proof bare;

    bare = *log;
    bare.extra_size = 0;
    if (log_proof_format(&bare, out) != STATUS_OK)
        abort();
}

static void write_again(const struct entry_proof *proof, const struct log_proof *log, struct byte_view bytes)
{
    struct byte_buffer bare = bytes_buffer(LOG_PROOF_SIZE_MAX);
    struct byte_buffer again = bytes_buffer(ENTRY_PROOF_SIZE_MAX);

    strip(log, &bare);
    if (entry_proof_write(proof, bytes_buffer_view(&bare), &again) != STATUS_OK ||
        !bytes_equal(bytes_buffer_view(&again), bytes))
        abort();
    bytes_buffer_free(&bare);
    bytes_buffer_free(&again);
}

static void show(const struct entry_proof *proof, const struct log_proof *log,
                 const struct entry_proof_told *told, const struct note_key *key)
{
    struct byte_buffer page = bytes_buffer((size_t)1 << 20);

    disclosure_text(told, &page);
    if (page.status != STATUS_OK ||
        proof_page_write(proof, log, told, key, PROOF_PAGE_TEXT, &page) != STATUS_OK ||
        proof_page_write(proof, log, told, key, PROOF_PAGE_HTML, &page) != STATUS_OK)
        abort();
    bytes_buffer_free(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct note_key *key;
    static struct entry_proof_told told;
    static struct log_proof log;
    struct entry_proof proof;

    if (key == NULL && note_key_parse(bytes_of_string(VKEY), &key) != STATUS_OK)
        abort();
    if (entry_proof_read(bytes_view(data, size), &log, &proof) != STATUS_OK)
        return 0;
    write_again(&proof, &log, bytes_view(data, size));
    if (entry_proof_verify(&proof, &log, key, &told) == STATUS_OK)
        show(&proof, &log, &told, key);
    return 0;
}
