#include "audit/proof_command.h"

#include <inttypes.h>
#include <stdlib.h>

#include "audit/disclosure.h"
#include "audit/opening.h"
#include "audit/proof_page.h"
#include "base/safefile.h"

#define TEXT_LIMIT ((size_t)1 << 18)

const struct option_spec proof_command_verify_options[] = {
    {"key", "VKEY", "the log's key, or a file that holds it", OPTION_TEXT, true},
    {"witness", "VKEY", "the key of a witness that must have cosigned; may be given more than once",
     OPTION_LIST, false},
    {"quorum", "K", "so many of the witnesses are enough (all of them if not given)", OPTION_TEXT, false},
    {"print", NULL, "the page with the commands to check it by hand, too", OPTION_FLAG, false},
    {"html", NULL, "that page as HTML", OPTION_FLAG, false},
    {.name = NULL},
};

const struct option_spec proof_command_print_options[] = {
    {"key", "VKEY", "the log's key, or a file that holds it", OPTION_TEXT, true},
    {"html", NULL, "as HTML", OPTION_FLAG, false},
    {.name = NULL},
};

/* One proof on its way through a command. */
struct work {
    const struct options *options;
    struct note_key *log_key;
    struct note_key *witnesses[OPTIONS_LIST_MAX];
    size_t witness_count;
    uint64_t quorum;
    struct byte_buffer file;
    struct log_proof log;
    struct entry_proof proof;
    struct entry_proof_told told;
    size_t cosigned;
};

static void work_free(struct work *work)
{
    note_key_free(&work->log_key);
    for (size_t i = 0; i < work->witness_count; i++)
        note_key_free(&work->witnesses[i]);
    bytes_buffer_wipe(&work->file);
    free(work);
}

static int read_witnesses(struct work *work)
{
    const struct options *options = work->options;

    for (size_t i = 0; i < options_count(options, "witness"); i++) {
        int code =
            opening_vkey(options, "witness", options_value(options, "witness", i), &work->witnesses[i]);
        if (code != EXIT_DONE)
            return code;
        work->witness_count++;
        if (note_key_type(work->witnesses[i]) != NOTE_KEY_COSIGNATURE)
            return options_fail(options, EXIT_USAGE, "--witness: %s is not the key of a witness",
                                options_value(options, "witness", i));
    }
    work->quorum = work->witness_count;
    if (!options_uint(options, "quorum", 0, OPTIONS_LIST_MAX, &work->quorum))
        return EXIT_USAGE;
    return work->quorum <= work->witness_count
               ? EXIT_DONE
               : options_fail(options, EXIT_USAGE, "--quorum asks for more witnesses than were named");
}

static int read_keys(struct work *work, bool witnesses)
{
    int code = opening_vkey(work->options, "key", options_text(work->options, "key"), &work->log_key);

    if (code == EXIT_DONE && note_key_type(work->log_key) != NOTE_KEY_ED25519)
        code = options_fail(work->options, EXIT_USAGE, "--key is not the key of a log");
    return code == EXIT_DONE && witnesses ? read_witnesses(work) : code;
}

/* What is wrong, for people. */
static const char *explain(enum status status)
{
    switch ((int)status) {
    case STATUS_BAD_COMMITMENT:
        return "the record is not the one that the entry commits to";
    case STATUS_BAD_PROOF:
        return "the entry does not stand at that place in the log whose root was signed";
    case STATUS_UNKNOWN_KEY:
        return "the key that was given did not sign the checkpoint";
    case STATUS_MISMATCH:
        return "the checkpoint is another log's";
    case STATUS_BAD_SIGNATURE:
        return "a signature of the checkpoint does not verify";
    case STATUS_BAD_FORMAT:
        return "this is no log proof with its entry and record";
    default:
        return status_text(status);
    }
}

static int refuse(const struct work *work, enum status status)
{
    const bool machine = status == STATUS_NO_MEMORY || status == STATUS_CRYPTO;

    fprintf(options_out(work->options), "proof NOT verified: %s\n", explain(status));
    return machine ? EXIT_ENVIRONMENT : EXIT_REFUSED;
}

static int read_proof(struct work *work)
{
    const char *path = options_argument(work->options, 0);
    enum status status = safefile_read(path, ENTRY_PROOF_SIZE_MAX, &work->file);

    if (status != STATUS_OK)
        return options_fail(work->options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
    status = entry_proof_read(bytes_buffer_view(&work->file), &work->log, &work->proof);
    if (status == STATUS_OK)
        status = entry_proof_verify(&work->proof, &work->log, work->log_key, &work->told);
    return status == STATUS_OK ? EXIT_DONE : refuse(work, status);
}

static int print_page(struct work *work)
{
    struct byte_buffer page = bytes_buffer(TEXT_LIMIT);
    const enum proof_page_form form = options_flag(work->options, "html") ? PROOF_PAGE_HTML : PROOF_PAGE_TEXT;
    enum status status = proof_page_write(&work->proof, &work->log, &work->told, work->log_key, form, &page);
    int code = EXIT_DONE;

    if (status == STATUS_OK)
        (void)fwrite(page.data, 1, page.size, options_out(work->options));
    else
        code = refuse(work, status);
    bytes_buffer_wipe(&page);
    return code;
}

/* Each by itself: a cosignature that does not verify is none, and takes nothing from the others. */
static enum status count_witnesses(struct work *work)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < work->witness_count; i++) {
        const struct note_key *const key = work->witnesses[i];
        struct note_signed cosigned = {.by = false};
        size_t count = 0;
        status = checkpoint_witnessed(&work->told.note, &key, 1, &cosigned, &count);
        if (status != STATUS_OK && status != STATUS_BAD_SIGNATURE)
            return status;
        if (status == STATUS_OK)
            work->cosigned += count;
    }
    return STATUS_OK;
}

static int tell(struct work *work)
{
    struct byte_buffer words = bytes_buffer(TEXT_LIMIT);
    FILE *out = options_out(work->options);
    int code = EXIT_DONE;
    enum status status = count_witnesses(work);

    if (status != STATUS_OK)
        return refuse(work, status);
    disclosure_text(&work->told, &words);
    if (words.status == STATUS_OK)
        (void)fwrite(words.data, 1, words.size, out);
    bytes_buffer_wipe(&words);
    if (work->cosigned < work->quorum) {
        fprintf(out, "proof NOT verified: %zu of %" PRIu64 " witnesses cosigned the checkpoint\n",
                work->cosigned, work->quorum);
        return EXIT_REFUSED;
    }
    fprintf(out, "proof verified: entry %" PRIu64 " of %" PRIu64 ", signed by %.*s", work->told.index,
            work->told.checkpoint.size, (int)work->told.checkpoint.origin.size,
            (const char *)work->told.checkpoint.origin.data);
    if (work->witness_count > 0)
        fprintf(out, " and cosigned by %zu of %zu witnesses", work->cosigned, work->witness_count);
    fprintf(out, "\n");
    if (options_flag(work->options, "print"))
        code = print_page(work);
    return code;
}

static int with_proof(const struct options *options, bool witnesses, int (*then)(struct work *work))
{
    struct work *work = calloc(1, sizeof *work);

    if (work == NULL)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    work->options = options;
    work->file = bytes_buffer(ENTRY_PROOF_SIZE_MAX);
    int code = read_keys(work, witnesses);
    if (code == EXIT_DONE)
        code = read_proof(work);
    if (code == EXIT_DONE)
        code = then(work);
    work_free(work);
    return code;
}

int proof_command_verify(const struct options *options, void *context)
{
    (void)context;
    return with_proof(options, true, tell);
}

int proof_command_print(const struct options *options, void *context)
{
    (void)context;
    return with_proof(options, false, print_page);
}
