#pragma once

#include "certs/authority_bundle.h"
#include "certs/enrol.h"

/* A small partnership in a temporary folder, for tests of everything that needs certificates and bundles.
 * Every function fails the test when something does not work. */

#define PARTNERSHIP_NOW    INT64_C(1796115600000) /* 2026-12-01T09:00:00Z */
#define PARTNERSHIP_DAY    INT64_C(86400000)
#define PARTNERSHIP_BROKER "broker.staffordshire"

struct partnership {
    char folder[64]; /* temporary; the authority is in its folder "authority", members in folders of their id
                      */
    char authority_folder[96];
    struct authority *authority;
    int64_t now;
};

/* partnership_new - a demo authority, open, at PARTNERSHIP_NOW. */
struct partnership *partnership_new(void);
void partnership_free(struct partnership **partnership); /* closes and removes the folder */

/* partnership_reopen - close the authority and open it again, as the next command would. */
void partnership_reopen(struct partnership *partnership);

/* partnership_keys - keys of a new member, not enrolled; freed with keystore_free. */
struct keystore *partnership_keys(const struct partnership *partnership, const char *member, enum role role);

/* partnership_member - keys of a new member, enrolled. */
struct keystore *partnership_member(struct partnership *partnership, const char *member, enum role role);

/* partnership_enrol - whatever comes of it. csr is freed; reason may be NULL. */
enum status partnership_enrol(struct partnership *partnership, struct byte_buffer *csr, enum enrol_way way,
                              const enum role *role, struct bundle_reason *reason);

/* partnership_request - the request that a keystore makes, or wrote when it renewed (renewal). */
struct byte_buffer partnership_request(const struct partnership *partnership, const struct keystore *keystore,
                                       bool renewal);

/* partnership_options - a small protocol and catalogue, 90 days. */
struct authority_bundle_options partnership_options(void);

/* partnership_bundle - the next bundle, a file. */
struct byte_buffer partnership_bundle(struct partnership *partnership);

/* partnership_first - a file verified as the first bundle; freed with bundle_free. */
struct bundle *partnership_first(const struct partnership *partnership, const struct byte_buffer *file);
