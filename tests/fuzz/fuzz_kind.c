/*
 * The first byte picks the kind, the rest is what a person wrote. Whatever becomes canonical must pass the
 * check, and be its own canonical form whatever the year; whatever passes the check must be canonical
 * already.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/kind.h"

static const char *const codes[] = {"retain", "remove", "CRD"};
static const struct kind_limits limits = {.codes = codes, .code_count = 3};

static void require(int holds)
{
    if (!holds)
        abort();
}

static void verify_reason(const struct kind_reason *reason)
{
    require(reason->text[0] != '\0' && memchr(reason->text, '\0', sizeof reason->text) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char value[KIND_VALUE_SIZE], again[KIND_VALUE_SIZE];
    struct kind_reason reason = {""};

    if (size == 0)
        return 0;
    enum kind kind = (enum kind)(data[0] % KIND_COUNT);
    struct byte_view text = bytes_view(data + 1, size - 1);
    enum status checked = kind_check(kind, &limits, text, &reason);
    if (kind_canonical(kind, &limits, 2026, text, value, sizeof value, &reason) != STATUS_OK) {
        verify_reason(&reason);
        require(checked != STATUS_OK && checked != STATUS_NOT_CANONICAL);
        return 0;
    }
    struct byte_view canonical = bytes_of_string(value);
    require((checked == STATUS_OK) == bytes_equal(text, canonical));
    require(kind_check(kind, &limits, canonical, NULL) == STATUS_OK);
    require(kind_canonical(kind, &limits, 2099, canonical, again, sizeof again, NULL) == STATUS_OK);
    require(strcmp(value, again) == 0);
    return 0;
}
