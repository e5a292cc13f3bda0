#include "tests/support/partnership.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "certs/request.h"
#include "tests/support/support.h"

static const char protocol_text[] = "protocol: sample\nversion: 1\n";
static const char catalogue_text[] = "catalogue: 1\n";

struct partnership *partnership_new(void)
{
    struct partnership *partnership = calloc(1, sizeof *partnership);
    const struct authority_options options = {
        .name = "Test partnership",
        .member = "authority.board",
        .demo = true,
        .member_days = AUTHORITY_MEMBER_DAYS,
    };

    assert_non_null(partnership);
    strcpy(partnership->folder, "/tmp/concordat-test-XXXXXX");
    assert_non_null(mkdtemp(partnership->folder));
    snprintf(partnership->authority_folder, sizeof partnership->authority_folder, "%s/authority",
             partnership->folder);
    partnership->now = PARTNERSHIP_NOW;
    assert_int_equal(authority_create(partnership->authority_folder, &options, partnership->now, NULL),
                     STATUS_OK);
    partnership_reopen(partnership);
    return partnership;
}

void partnership_reopen(struct partnership *partnership)
{
    struct bundle_reason reason;

    authority_close(&partnership->authority);
    if (authority_open(partnership->authority_folder, &partnership->authority, &reason) != STATUS_OK)
        fail_msg("authority: %s", reason.text);
}

void partnership_free(struct partnership **partnership)
{
    char command[96];

    authority_close(&(*partnership)->authority);
    snprintf(command, sizeof command, "rm -rf %s", (*partnership)->folder);
    assert_int_equal(system(command), 0);
    free(*partnership);
    *partnership = NULL;
}

struct keystore *partnership_keys(const struct partnership *partnership, const char *member, enum role role)
{
    char folder[256];
    char log_name[128];
    bool log = role == ROLE_BROKER || role == ROLE_LOG;
    struct keystore *keystore = NULL;

    snprintf(folder, sizeof folder, "%s/%s", partnership->folder, member);
    snprintf(log_name, sizeof log_name, "log.example/%s", member);
    assert_int_equal(safefile_make_folder(folder, 0700), STATUS_OK);
    assert_int_equal(keystore_create(folder, member, role, log ? log_name : NULL), STATUS_OK);
    assert_int_equal(keystore_load(folder, &keystore), STATUS_OK);
    return keystore;
}

struct byte_buffer partnership_request(const struct partnership *partnership, const struct keystore *keystore,
                                       bool renewal)
{
    char path[PATH_MAX];
    struct byte_buffer csr = bytes_buffer(0);

    if (!renewal) {
        assert_int_equal(keystore_request(keystore, &csr), STATUS_OK);
        return csr;
    }
    snprintf(path, sizeof path, "%s/%s/%s.csr", partnership->folder, keystore_member(keystore),
             keystore_member(keystore));
    assert_int_equal(safefile_read(path, REQUEST_LARGEST, &csr), STATUS_OK);
    return csr;
}

enum status partnership_enrol(struct partnership *partnership, struct byte_buffer *csr, enum enrol_way way,
                              const enum role *role, struct bundle_reason *reason)
{
    const struct certificate *certificate = NULL;
    enum status status = enrol_member(partnership->authority, bytes_buffer_view(csr), way, role,
                                      partnership->now, &certificate, reason);

    bytes_buffer_free(csr);
    return status;
}

struct keystore *partnership_member(struct partnership *partnership, const char *member, enum role role)
{
    struct bundle_reason reason;
    struct keystore *keystore = partnership_keys(partnership, member, role);
    struct byte_buffer csr = partnership_request(partnership, keystore, false);

    if (partnership_enrol(partnership, &csr, ENROL_FIRST, &role, &reason) != STATUS_OK)
        fail_msg("%s: %s", member, reason.text);
    return keystore;
}

struct authority_bundle_options partnership_options(void)
{
    static const struct authority_bundle_file protocol = {
        .name = "sample.yaml",
        .content = {(const uint8_t *)protocol_text, sizeof protocol_text - 1},
    };

    return (struct authority_bundle_options){
        .protocols = &protocol,
        .n_protocols = 1,
        .catalogue = {.name = "catalogue.yaml", .content = bytes_of_string(catalogue_text)},
        .valid_days = BUNDLE_LONGEST_DAYS,
    };
}

struct byte_buffer partnership_bundle(struct partnership *partnership)
{
    struct bundle_reason reason;
    struct byte_buffer file = bytes_buffer(0);
    struct authority_bundle_options options = partnership_options();

    if (authority_bundle_make(partnership->authority, &options, partnership->now, &file, &reason) !=
        STATUS_OK)
        fail_msg("bundle: %s", reason.text);
    return file;
}

struct bundle *partnership_first(const struct partnership *partnership, const struct byte_buffer *file)
{
    struct bundle_reason reason;
    struct bundle *bundle = NULL;

    if (bundle_verify(bytes_buffer_view(file), NULL, authority_fingerprint(partnership->authority),
                      partnership->now, &bundle, &reason) != STATUS_OK)
        fail_msg("bundle: %s", reason.text);
    return bundle;
}
