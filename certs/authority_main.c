/* concordat-authority: the partnership board's certificate authority. docs/certificates.md is its manual. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/harden.h"
#include "base/options.h"
#include "base/safefile.h"
#include "certs/authority_bundle.h"
#include "certs/authority_command.h"
#include "certs/enrol.h"
#include "certs/head.h"
#include "certs/officer_command.h"
#include "certs/request.h"
#include "certs/show.h"
#include "certs/witnesses.h"

#define SHOW_LARGEST ((size_t)32 << 20)
#define FILE_LARGEST ((size_t)4 << 20) /* of a protocol or catalogue */

/* ---- init ---- */

static int run_init(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    const char *member = options_text(options, "member");
    uint64_t days = AUTHORITY_MEMBER_DAYS;
    int64_t now = 0;
    struct bundle_reason reason = {{0}};
    struct byte_buffer text = bytes_buffer(SHOW_LARGEST);
    struct authority *authority = NULL;

    (void)context;
    int code = authority_command_now(options, options_flag(options, "demo"), &now);
    if (code != EXIT_DONE)
        return code;
    if (!options_uint(options, "member-days", 1, AUTHORITY_LONGEST_DAYS, &days))
        return EXIT_USAGE;
    const struct authority_options wanted = {
        .name = options_text(options, "name"),
        .member = member == NULL ? "authority.board" : member,
        .demo = options_flag(options, "demo"),
        .member_days = (uint32_t)days,
    };
    enum status status = authority_create(folder, &wanted, now, &reason);
    if (status == STATUS_OK)
        status = authority_open(folder, &authority, &reason);
    if (status == STATUS_NOT_FOUND)
        return options_fail(options, EXIT_ENVIRONMENT,
                            "%s: its parent folder does not exist: make that first", folder);
    if (status != STATUS_OK)
        return authority_command_fail(options, status, folder, &reason);
    show_fingerprint(authority_fingerprint(authority), &text);
    authority_close(&authority);
    return authority_command_print(options, &text);
}

/* ---- enrol, revoke ---- */

static int enrol(const struct options *options, struct authority *authority, int64_t now, enum enrol_way way,
                 const enum role *role)
{
    const char *path = options_text(options, "csr");
    const struct certificate *certificate = NULL;
    struct bundle_reason reason = {{0}};
    struct byte_buffer csr = bytes_buffer(0);
    struct byte_buffer pem = bytes_buffer(0);
    struct byte_buffer text = bytes_buffer(SHOW_LARGEST);
    int code = authority_command_read(options, path, REQUEST_LARGEST, &csr);

    if (code != EXIT_DONE)
        return code;
    enum status status =
        enrol_member(authority, bytes_buffer_view(&csr), way, role, now, &certificate, &reason);
    bytes_buffer_free(&csr);
    if (status != STATUS_OK)
        return authority_command_fail(options, status, path, &reason);
    status = issuer_to_pem(bytes_buffer_view(&certificate->der), &pem);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(status));
    code = authority_command_write(options, options_text(options, "out"), bytes_buffer_view(&pem));
    bytes_buffer_free(&pem);
    if (code != EXIT_DONE)
        return code;
    show_certificate(certificate, &text);
    return authority_command_print(options, &text);
}

static int run_enrol(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    const char *role_text = options_text(options, "role");
    enum role role = ROLE_AGENT;
    enum enrol_way way = ENROL_FIRST;
    int64_t now = 0;

    (void)context;
    if (role_text != NULL && role_parse(bytes_of_string(role_text), &role) != STATUS_OK)
        return options_fail(options, EXIT_USAGE, "--role must be agent, broker, authority or log, not '%s'",
                            role_text);
    if (options_flag(options, "renew") && options_flag(options, "replace"))
        return options_fail(options, EXIT_USAGE, "--renew and --replace exclude each other");
    if (options_flag(options, "renew"))
        way = ENROL_RENEW;
    if (options_flag(options, "replace"))
        way = ENROL_REPLACE;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE)
        code = enrol(options, authority, now, way, role_text == NULL ? NULL : &role);
    authority_close(&authority);
    return code;
}

static int run_revoke(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    const char *member = options_text(options, "member");
    const char *why = options_text(options, "reason");
    struct bundle_reason reason = {{0}};
    int64_t now = 0;
    size_t n = 0;

    (void)context;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE) {
        enum status status = enrol_revoke(authority, member, why == NULL ? "revoked" : why, now, &n, &reason);
        if (status != STATUS_OK)
            code = options_fail(options, authority_command_exit_code(status), "%s", reason.text);
        else
            fprintf(
                options_out(options),
                "revoked: %s, %zu certificate%s\nIt takes effect with the next bundle: make and hand out one "
                "now.\n",
                member, n, n == 1 ? "" : "s");
    }
    authority_close(&authority);
    return code;
}

/* ---- bundle ---- */

/* What the options of `bundle` hold, and the files that they name. */
struct bundle_input {
    struct byte_buffer files[OPTIONS_LIST_MAX + 1]; /* the catalogue last */
    struct authority_bundle_file protocols[OPTIONS_LIST_MAX];
    struct authority_bundle_setting contacts[OPTIONS_LIST_MAX];
    struct authority_bundle_setting witnesses[OPTIONS_LIST_MAX];
    char members[2 * OPTIONS_LIST_MAX][MEMBER_ID_LENGTH + 1];
    size_t n_members;
    uint32_t quorum;
    uint32_t witness_quorum;
    uint32_t witness_dishonest;
    struct authority_bundle_options options;
};

static int read_named(const struct options *options, const char *path, struct byte_buffer *file,
                      struct authority_bundle_file *ret)
{
    int code = authority_command_read(options, path, FILE_LARGEST, file);

    if (code == EXIT_DONE)
        *ret = (struct authority_bundle_file){.name = path, .content = bytes_buffer_view(file)};
    return code;
}

/* The values ID=TEXT of a repeated option. */
static int read_settings(const struct options *options, const char *name, struct bundle_input *input,
                         struct authority_bundle_setting *settings, size_t *ret_n)
{
    size_t n = options_count(options, name);

    for (size_t i = 0; i < n; i++) {
        const char *value = options_value(options, name, i);
        const char *equals = strchr(value, '=');
        char *member = input->members[input->n_members];
        size_t size = equals == NULL ? 0 : (size_t)(equals - value);
        if (size == 0 || member_check(bytes_view(value, size)) != STATUS_OK)
            return options_fail(options, EXIT_USAGE, "--%s must be a member id, '=' and its text, not '%s'",
                                name, value);
        memcpy(member, value, size);
        settings[i] = (struct authority_bundle_setting){.member = member, .text = equals + 1};
        input->n_members++;
    }
    *ret_n = n;
    return EXIT_DONE;
}

static bool read_numbers(const struct options *options, struct bundle_input *input)
{
    uint64_t days = BUNDLE_LONGEST_DAYS;
    uint64_t quorum = 0;
    uint64_t witness_quorum = 0;
    uint64_t dishonest = 0;

    if (!options_uint(options, "valid-days", 1, BUNDLE_LONGEST_DAYS, &days) ||
        !options_uint(options, "quorum", 1, HEAD_SIGNATURES_MAX, &quorum) ||
        !options_uint(options, "witness-quorum", 0, WITNESSES_MAX, &witness_quorum) ||
        !options_uint(options, "witness-dishonest", 0, WITNESSES_MAX, &dishonest))
        return false;
    input->options.valid_days = (uint32_t)days;
    input->quorum = (uint32_t)quorum;
    input->witness_quorum = (uint32_t)witness_quorum;
    input->witness_dishonest = (uint32_t)dishonest;
    if (options_text(options, "quorum") != NULL)
        input->options.quorum = &input->quorum;
    if (options_text(options, "witness-quorum") != NULL)
        input->options.witness_quorum = &input->witness_quorum;
    if (options_text(options, "witness-dishonest") != NULL)
        input->options.witness_dishonest = &input->witness_dishonest;
    return true;
}

static int read_input(const struct options *options, struct bundle_input *input)
{
    size_t n = options_count(options, "protocol");
    int code = read_settings(options, "contact", input, input->contacts, &input->options.n_contacts);

    if (code == EXIT_DONE)
        code = read_settings(options, "witness", input, input->witnesses, &input->options.n_witnesses);
    if (code == EXIT_DONE && !read_numbers(options, input))
        code = EXIT_USAGE;
    for (size_t i = 0; code == EXIT_DONE && i < n; i++)
        code = read_named(options, options_value(options, "protocol", i), &input->files[i],
                          &input->protocols[i]);
    if (code == EXIT_DONE)
        code = read_named(options, options_text(options, "catalogue"), &input->files[OPTIONS_LIST_MAX],
                          &input->options.catalogue);
    input->options.protocols = input->protocols;
    input->options.n_protocols = n;
    input->options.contacts = input->contacts;
    input->options.witnesses = input->witnesses;
    return code;
}

/* What stands in the file just made, shortly. */
static int print_bundle(const struct options *options, const struct authority *authority)
{
    const struct authority_state *state = authority_state(authority);
    struct byte_buffer text = bytes_buffer(SHOW_LARGEST);

    bytes_append_format(&text, "serial: %llu\n", (unsigned long long)state->serial);
    show_fingerprint(authority_fingerprint(authority), &text);
    if (state->quorum > 1)
        bytes_append_format(&text,
                            "signatures: 1 of %u needed; the others sign with `concordat-authority sign`\n",
                            state->quorum);
    return authority_command_print(options, &text);
}

static int make_bundle(const struct options *options, struct authority *authority, int64_t now)
{
    struct bundle_reason reason = {{0}};
    struct byte_buffer file = bytes_buffer(0);
    struct bundle_input *input = calloc(1, sizeof *input);
    int code = EXIT_DONE;

    if (input == NULL)
        return options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(STATUS_NO_MEMORY));
    code = read_input(options, input);
    if (code == EXIT_DONE) {
        enum status status = authority_bundle_make(authority, &input->options, now, &file, &reason);
        if (status != STATUS_OK)
            code = options_fail(options, authority_command_exit_code(status), "%s", reason.text);
    }
    if (code == EXIT_DONE)
        code = authority_command_write(options, options_text(options, "out"), bytes_buffer_view(&file));
    if (code == EXIT_DONE)
        code = print_bundle(options, authority);
    for (size_t i = 0; i < sizeof input->files / sizeof input->files[0]; i++)
        bytes_buffer_free(&input->files[i]);
    bytes_buffer_free(&file);
    free(input);
    return code;
}

static int run_bundle(const struct options *options, void *context)
{
    struct authority *authority = NULL;
    int64_t now = 0;

    (void)context;
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE)
        code = make_bundle(options, authority, now);
    authority_close(&authority);
    return code;
}

/* ---- show ---- */

static int show_file(const struct options *options, const char *path)
{
    struct bundle *bundle = NULL;
    struct bundle_reason reason = {{0}};
    struct byte_buffer file = bytes_buffer(0);
    struct byte_buffer text = bytes_buffer(SHOW_LARGEST);
    int64_t now = 0;
    int code = authority_command_read(options, path, BUNDLE_LARGEST, &file);

    if (code != EXIT_DONE)
        return code;
    enum status status = bundle_inspect(bytes_buffer_view(&file), &bundle, &reason);
    bytes_buffer_free(&file);
    if (status != STATUS_OK)
        return authority_command_fail(options, status, path, &reason);
    code = authority_command_now(options, bundle_demo(bundle), &now);
    if (code == EXIT_DONE) {
        show_bundle(bundle, now, &text);
        code = authority_command_print(options, &text);
    }
    bundle_free(&bundle);
    return code;
}

static int run_show(const struct options *options, void *context)
{
    const char *path = options_text(options, "bundle");
    struct authority *authority = NULL;
    struct byte_buffer text = bytes_buffer(SHOW_LARGEST);
    int64_t now = 0;

    (void)context;
    if ((path == NULL) == (options_text(options, "dir") == NULL))
        return options_fail(options, EXIT_USAGE, "give either --dir DIR or --bundle FILE");
    if (path != NULL)
        return show_file(options, path);
    int code = authority_command_open(options, &authority, &now);
    if (code == EXIT_DONE) {
        show_authority(authority, now, &text);
        code = authority_command_print(options, &text);
    }
    authority_close(&authority);
    return code;
}

/* ---- further authorities ---- */

static int run_request(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    char path[PATH_MAX];
    struct keystore *keystore = NULL;
    enum status status = safefile_make_folder(folder, 0700);

    (void)context;
    if (status == STATUS_EXISTS)
        status = STATUS_OK;
    if (status == STATUS_OK)
        status = keystore_create(folder, options_text(options, "member"), ROLE_AUTHORITY, NULL);
    if (status == STATUS_EXISTS)
        return options_fail(options, EXIT_REFUSED, "%s: there are keys already", folder);
    if (status == STATUS_OK)
        status = keystore_load(folder, &keystore);
    if (status == STATUS_OK)
        status = keystore_write_request(keystore, path);
    keystore_free(&keystore);
    if (status != STATUS_OK)
        return options_fail(options, authority_command_exit_code(status), "%s: %s", folder,
                            status_text(status));
    fprintf(options_out(options), "request: %s\n", path);
    return EXIT_DONE;
}

static int countersign(const struct options *options, const struct keystore *keystore)
{
    const char *path = options_text(options, "bundle");
    struct bundle *bundle = NULL;
    struct bundle_reason reason = {{0}};
    struct byte_buffer file = bytes_buffer(0);
    struct byte_buffer ours = bytes_buffer(0);
    int64_t now = 0;
    int code = authority_command_read(options, path, BUNDLE_LARGEST, &file);

    if (code != EXIT_DONE)
        return code;
    enum status status = bundle_inspect(bytes_buffer_view(&file), &bundle, &reason);
    if (status == STATUS_OK)
        code = authority_command_now(options, bundle_demo(bundle), &now);
    if (status == STATUS_OK && code == EXIT_DONE)
        status = authority_bundle_countersign(bytes_buffer_view(&file), keystore, now, &ours, &reason);
    if (status != STATUS_OK)
        code = authority_command_fail(options, status, path, &reason);
    else if (code == EXIT_DONE)
        code = authority_command_write(options, options_text(options, "out"), bytes_buffer_view(&ours));
    bundle_free(&bundle);
    bytes_buffer_free(&ours);
    bytes_buffer_free(&file);
    return code;
}

static int run_sign(const struct options *options, void *context)
{
    const char *folder = options_text(options, "dir");
    struct keystore *keystore = NULL;
    enum status status = keystore_load(folder, &keystore);

    (void)context;
    if (status != STATUS_OK)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: no keys can be loaded: %s", folder,
                            status_text(status));
    int code = countersign(options, keystore);
    keystore_free(&keystore);
    return code;
}

/* Only its line in the help: main() has seen to the command before. */
static int run_officer(const struct options *options, void *context)
{
    (void)context;
    return options_fail(options, EXIT_USAGE, "say officer add, revoke, intermediate or list");
}

/* ---- the tables ---- */

#define DIR_OPTION                                                                                           \
    {                                                                                                        \
        "dir", "DIR", "the authority's folder", OPTION_TEXT, true                                            \
    }
#define NOW_OPTION                                                                                           \
    {                                                                                                        \
        "now", "TIME", "go by this time; only with what was made with --demo", OPTION_TEXT, false            \
    }
#define END_OPTION                                                                                           \
    {                                                                                                        \
        NULL, NULL, NULL, OPTION_FLAG, false                                                                 \
    }

static const struct option_spec init_options[] = {
    DIR_OPTION,
    {"name", "NAME", "the partnership's name", OPTION_TEXT, true},
    {"demo", NULL, "for demonstrations: allows --now; refused in production", OPTION_FLAG, false},
    {"member", "ID", "id under which it signs (default authority.board)", OPTION_TEXT, false},
    {"member-days", "N", "validity of members' certificates (default 730)", OPTION_TEXT, false},
    NOW_OPTION,
    END_OPTION,
};

static const struct option_spec enrol_options[] = {
    DIR_OPTION,
    {"csr", "FILE", "the member's certificate request", OPTION_TEXT, true},
    {"out", "FILE", "where to write the certificate", OPTION_TEXT, true},
    {"renew", NULL, "new keys for a member, signed with its old one", OPTION_FLAG, false},
    {"replace", NULL, "new keys for a member whose old ones are lost: revokes these", OPTION_FLAG, false},
    {"role", "ROLE", "needed for an authority, or a second broker or log", OPTION_TEXT, false},
    NOW_OPTION,
    END_OPTION,
};

static const struct option_spec revoke_options[] = {
    DIR_OPTION,
    {"member", "ID", "who is put out", OPTION_TEXT, true},
    {"reason", "TEXT", "what members read (default: revoked)", OPTION_TEXT, false},
    NOW_OPTION,
    END_OPTION,
};

static const struct option_spec bundle_options[] = {
    DIR_OPTION,
    {"protocol", "FILE", "information-sharing protocols", OPTION_WORDS, true},
    {"catalogue", "FILE", "the catalogue", OPTION_TEXT, true},
    {"out", "FILE", "where to write the bundle", OPTION_TEXT, true},
    {"valid-days", "N", "how long it is valid, 1 to 90 (default 90)", OPTION_TEXT, false},
    {"contact", "ID=TEXT", "a member's duty contact, kept for later bundles; ID= removes it", OPTION_LIST,
     false},
    {"witness", "ID=VKEY", "a witness of the log, kept for later bundles; ID= removes it", OPTION_LIST,
     false},
    {"witness-quorum", "N", "how many witnesses must cosign, kept (default: the least that will do)",
     OPTION_TEXT, false},
    {"witness-dishonest", "N", "how many of them may be dishonest, kept (default 0)", OPTION_TEXT, false},
    {"quorum", "N", "how many authorities must sign the bundles after this one, kept", OPTION_TEXT, false},
    NOW_OPTION,
    END_OPTION,
};

static const struct option_spec show_options[] = {
    {"dir", "DIR", "an authority's folder", OPTION_TEXT, false},
    {"bundle", "FILE", "or a bundle", OPTION_TEXT, false},
    NOW_OPTION,
    END_OPTION,
};

static const struct option_spec request_options[] = {
    {"dir", "DIR", "a folder for the new keys", OPTION_TEXT, true},
    {"member", "ID", "id of the second authority", OPTION_TEXT, true},
    END_OPTION,
};

static const struct option_spec sign_options[] = {
    {"dir", "DIR", "the folder with this authority's keys", OPTION_TEXT, true},
    {"bundle", "FILE", "the bundle to sign", OPTION_TEXT, true},
    {"out", "FILE", "where to write it with the signature added", OPTION_TEXT, true},
    NOW_OPTION,
    END_OPTION,
};

static const struct command commands[] = {
    {"init", "make the authority of a new partnership", init_options, NULL, 0, 0, NULL, run_init},
    {"enrol", "certify a member's keys", enrol_options, NULL, 0, 0, NULL, run_enrol},
    {"revoke", "put a member out", revoke_options, NULL, 0, 0, NULL, run_revoke},
    {"bundle", "make and sign the next partnership bundle", bundle_options, NULL, 0, 0, NULL, run_bundle},
    {"show", "what an authority or a bundle holds", show_options, NULL, 0, 0, NULL, run_show},
    {"request", "keys and request for a further authority", request_options, NULL, 0, 0, NULL, run_request},
    {"sign", "add a further authority's signature to a bundle", sign_options, NULL, 0, 0, NULL, run_sign},
    {"officer", "officers' certificates: see `concordat-authority officer help`", NULL, NULL, 0, 0, NULL,
     run_officer},
    {NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct program program = {"concordat-authority",
                                           "the certificate authority of a partnership", NULL, commands};
    enum status status = harden_process();

    if (status != STATUS_OK) {
        fprintf(stderr, "concordat-authority: the process cannot be protected: %s\n", status_text(status));
        return EXIT_ENVIRONMENT;
    }
    if (argc > 1 && strcmp(argv[1], "officer") == 0)
        return officer_command_main(argc - 1, argv + 1);
    return options_main(&program, argc, argv, NULL);
}
