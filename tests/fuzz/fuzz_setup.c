/* Any bytes as broker.json: refused with a reason that names the file, or settings within their bounds. */
#include <stdlib.h>
#include <string.h>

#include "broker/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setup setup;
    struct setup_reason reason = {{0}};

    if (setup_parse(bytes_view(data, size), &setup, &reason) != STATUS_OK) {
        if (strncmp(reason.text, SETUP_FILE ": ", sizeof SETUP_FILE ": " - 1) != 0)
            abort();
        return 0;
    }
    if (member_check(bytes_of_string(setup.member)) != STATUS_OK ||
        setup_check_endpoint(setup.listen) != STATUS_OK || setup.limits.verify_workers < 1 ||
        setup.limits.verify_workers > PIPELINE_WORKERS_MAX || setup.limits.credit < 1)
        abort();
    return 0;
}
