/*
 * A request is refused with a reason, or asks for what a certificate can hold. Input that begins with N is
 * the DER of subjectAltName instead, since no fuzzer signs requests: names that are taken come out the same
 * when written and read again. Seeds: requests of an agent, of a broker, and for a renewal, and broken ones;
 * the names of a broker.
 */
#include <stdlib.h>
#include <string.h>

#include "certs/claims.h"
#include "certs/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_names(const uint8_t *data, size_t size)
{
    struct certificate_claims claims = {0};
    struct certificate_claims again = {0};
    struct claims_extras extras;
    const char *reason = NULL;
    GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &data, (long)size);

    if (names != NULL && claims_from_names(names, &claims, &extras, &reason) == STATUS_OK) {
        GENERAL_NAMES *written = claims_to_names(&claims, extras.renews ? extras.renewal : NULL);
        if (written == NULL || claims_from_names(written, &again, &extras, &reason) != STATUS_OK ||
            memcmp(&claims, &again, sizeof claims) != 0)
            abort();
        GENERAL_NAMES_free(written);
        claims_check(&claims, &reason);
    }
    GENERAL_NAMES_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    const char *reason = NULL;

    if (size > 0 && data[0] == 'N') {
        read_names(data + 1, size - 1);
        return 0;
    }
    if (request_parse(bytes_view(data, size), &request, &reason) != STATUS_OK) {
        if (reason == NULL)
            abort();
        return 0;
    }
    if (member_check(bytes_of_string(request.claims.member)) != STATUS_OK ||
        claims_check(&request.claims, &reason) != STATUS_OK)
        abort();
    return 0;
}
