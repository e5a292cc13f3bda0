/* A request is refused with a reason, or asks for what a certificate can hold. Seeds: requests of an agent,
 * of a broker, and for a renewal, and broken ones. */
#include <stdlib.h>
#include <string.h>

#include "certs/claims.h"
#include "certs/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    const char *reason = NULL;

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
