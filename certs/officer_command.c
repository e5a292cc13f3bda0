#include "certs/officer_command.h"

#include <inttypes.h>
#include <string.h>

#include "base/civil.h"
#include "base/passphrase.h"
#include "base/safefile.h"
#include "certs/authority_command.h"
#include "certs/authority_officers.h"

#define LIST_LARGEST ((size_t)4 << 20)

/* ---- add ---- */

static int get_passphrase(const struct options *options, char ret[static PASSPHRASE_SIZE])
{
    const char *path = options_text(options, "passphrase-file");
    enum status status = passphrase_get(path, "A passphrase for the officer's file: ", true, ret);

    if (status == STATUS_OK)
        return EXIT_DONE;
    if (path != NULL)
        return options_fail(options, authority_command_exit_code(status), "%s: %s", path,
                            status == STATUS_BAD_FORMAT ? "its first line is not a passphrase"
                                                        : status_text(status));
    if (status == STATUS_NOT_FOUND)
        return options_fail(options, EXIT_USAGE,
                            "there is no terminal to ask at: give --passphrase-file FILE");
    return options_fail(options, EXIT_REFUSED, "%s",
                        status == STATUS_MISMATCH ? "the two passphrases differ"
                                                  : "that is not a passphrase");
}

/* Empty for the whole scheme; NULL when neither or both are named. */
static const char *agency_of(const struct options *options)
{
    const char *agency = options_text(options, "agency");
    bool scheme = options_flag(options, "scheme");

    if (scheme == (agency != NULL)) {
        options_fail(options, EXIT_USAGE, "say whose officer: --agency ID, or --scheme");
        return NULL;
    }
    return scheme ? "" : agency;
}

/* Never over an existing file: the key in it would be lost. */
static int write_p12(const struct options *options, struct byte_view p12)
{
    const char *path = options_text(options, "out");
    enum status status = safefile_create(path, p12, 0600);

    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, EXIT_ENVIRONMENT, "%s: %s; the certificate was issued: revoke it", path,
                        status_text(status));
}

static int add(const struct options *options, struct authority *authority, const char *agency, uint32_t days,
               int64_t now)
{
    char passphrase[PASSPHRASE_SIZE] = "";
    char name[OFFICER_NAME_SIZE];
    struct bundle_reason reason = {{0}};
    struct byte_buffer p12 = bytes_buffer(0);
    int code = get_passphrase(options, passphrase);

    if (code == EXIT_DONE) {
        enum status status = authority_officers_add(authority, agency, options_text(options, "id"), days,
                                                    passphrase, now, &p12, name, &reason);
        if (status != STATUS_OK)
            code = options_fail(options, authority_command_exit_code(status), "%s", reason.text);
    }
    bytes_wipe(passphrase, sizeof passphrase);
    if (code == EXIT_DONE)
        code = write_p12(options, bytes_buffer_view(&p12));
    bytes_buffer_wipe(&p12);
    if (code == EXIT_DONE)
        fprintf(options_out(options), "officer: %s\nfile: %s\n", name, options_text(options, "out"));
    return code;
}

static int run_add(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    const char *agency = agency_of(options);
    uint64_t days = AUTHORITY_OFFICER_DAYS;
    int64_t now = 0;

    (void)context;
    if (agency == NULL || !options_uint(options, "days", 1, AUTHORITY_LONGEST_DAYS, &days))
        return EXIT_USAGE;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE)
        code = add(options, authority, agency, (uint32_t)days, now);
    authority_close(&authority);
    return code;
}

/* ---- intermediate ---- */

static int certify(const struct options *options, struct authority *authority, uint32_t days, int64_t now)
{
    const char *agency = options_text(options, "agency");
    const char *path = options_text(options, "csr");
    struct byte_buffer csr = bytes_buffer(0);
    struct byte_buffer pem = bytes_buffer(0);
    struct bundle_reason reason = {{0}};
    int code = authority_command_read(options, path, OFFICER_ISSUE_REQUEST_LARGEST, &csr);

    if (code == EXIT_DONE) {
        enum status status = authority_officers_intermediate(authority, agency, bytes_buffer_view(&csr), days,
                                                             now, &pem, &reason);
        if (status != STATUS_OK)
            code = options_fail(options, authority_command_exit_code(status), "%s", reason.text);
    }
    if (code == EXIT_DONE)
        code = authority_command_write(options, options_text(options, "out"), bytes_buffer_view(&pem));
    if (code == EXIT_DONE)
        fprintf(options_out(options), "intermediate: concordat://%s\n", agency);
    bytes_buffer_free(&csr);
    bytes_buffer_free(&pem);
    return code;
}

static int run_intermediate(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    uint64_t days = AUTHORITY_INTERMEDIATE_DAYS;
    int64_t now = 0;

    (void)context;
    if (!options_uint(options, "days", 1, AUTHORITY_LONGEST_DAYS, &days))
        return EXIT_USAGE;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE)
        code = certify(options, authority, (uint32_t)days, now);
    authority_close(&authority);
    return code;
}

/* ---- revoke, list ---- */

static int run_revoke(const struct options *options, void *context)
{
    const char *why = options_text(options, "reason");
    struct authority *authority = NULL;
    struct bundle_reason reason = {{0}};
    int64_t now = 0;
    size_t n = 0;

    (void)context;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE) {
        enum status status = authority_officers_revoke(authority, options_text(options, "officer"),
                                                       why == NULL ? "revoked" : why, now, &n, &reason);
        if (status != STATUS_OK)
            code = options_fail(options, authority_command_exit_code(status), "%s", reason.text);
    }
    authority_close(&authority);
    if (code == EXIT_DONE)
        fprintf(options_out(options), "revoked: %zu; it takes effect with the next bundle\n", n);
    return code;
}

static void list_entry(const struct officer_entry *entry, int64_t now, struct byte_buffer *out)
{
    char name[OFFICER_NAME_SIZE];
    char until[CIVIL_TIME_SIZE];
    char digest[2 * DIGEST_SIZE + 1];

    officer_book_name(entry, name);
    civil_format_time(entry->certificate.not_after, until);
    bytes_to_hex(entry->certificate.digest, DIGEST_SIZE, digest);
    bytes_append_format(out, "%-56s %-8s until %.10s %.16s\n", name,
                        entry->revoked                       ? "revoked"
                        : now > entry->certificate.not_after ? "expired"
                                                             : "valid",
                        until, digest);
}

static int run_list(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    struct byte_buffer text = bytes_buffer(LIST_LARGEST);
    int64_t now = 0;

    (void)context;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE) {
        const struct officer_book *book = &authority_state(authority)->officers;
        for (size_t i = 0; i < book->n; i++)
            list_entry(&book->entries[i], now, &text);
        code = authority_command_print(options, &text);
    }
    authority_close(&authority);
    return code;
}

/* ---- the tables ---- */

#define COMMON                                                                                               \
    {"dir", "DIR", "the authority's folder", OPTION_TEXT, true},                                             \
    {                                                                                                        \
        "now", "TIME", "go by this time; only with what was made with --demo", OPTION_TEXT, false            \
    }

static const struct option_spec add_options[] = {
    COMMON,
    {"agency", "ID", "whose data protection officer", OPTION_TEXT, false},
    {"scheme", NULL, "or the whole scheme's", OPTION_FLAG, false},
    {"id", "ID", "the officer, such as jane.doe", OPTION_TEXT, true},
    {"out", "FILE", "where to write key and certificate (PKCS #12)", OPTION_TEXT, true},
    {"passphrase-file", "FILE", "its first line protects them (default: asked at the terminal)", OPTION_TEXT,
     false},
    {"days", "N", "validity (default 365)", OPTION_TEXT, false},
    {.name = NULL},
};

static const struct option_spec intermediate_options[] = {
    COMMON,
    {"agency", "ID", "the agency that asks", OPTION_TEXT, true},
    {"csr", "FILE", "its request", OPTION_TEXT, true},
    {"out", "FILE", "where to write the certificate", OPTION_TEXT, true},
    {"days", "N", "validity (default 730)", OPTION_TEXT, false},
    {.name = NULL},
};

static const struct option_spec revoke_options[] = {
    COMMON,
    {"officer", "NAME", "as list prints it", OPTION_TEXT, true},
    {"reason", "TEXT", "what stands in the bundle (default: revoked)", OPTION_TEXT, false},
    {.name = NULL},
};

static const struct option_spec list_options[] = {
    COMMON,
    {.name = NULL},
};

static const struct command commands[] = {
    {.name = "add",
     .help = "a data protection officer's key and certificate",
     .options = add_options,
     .run = run_add},
    {.name = "intermediate",
     .help = "let an agency issue its own desk officers",
     .options = intermediate_options,
     .run = run_intermediate},
    {.name = "revoke",
     .help = "put an officer or an intermediate out",
     .options = revoke_options,
     .run = run_revoke},
    {.name = "list", .help = "every certificate that was issued", .options = list_options, .run = run_list},
    {.name = NULL},
};

int officer_command_main(int argc, char **argv)
{
    static const struct program program = {.name = "concordat-authority officer",
                                           .help = "officers' certificates of a partnership",
                                           .commands = commands};

    return options_main(&program, argc, argv, NULL);
}
