#include "broker/load.h"

#include <string.h>

#include "base/safefile.h"
#include "broker/rulebook.h"
#include "certs/archive.h"

/* What a bundle must be for this broker, beyond being a good one. */
static enum status check(const struct load_request *request, struct bundle *bundle, struct loaded *loaded,
                         struct bundle_reason *reason)
{
    struct keystore *keystore = NULL;
    struct rulebook *rulebook = NULL;
    enum keystore_match match = KEYSTORE_NONE;
    enum status status = keystore_load(request->folder, &keystore);

    if (status != STATUS_OK) {
        reason_refuse(reason, status, "the broker's keys: %s", status_text(status));
        goto out;
    }
    if (request->held != NULL && bundle_demo(bundle) != bundle_demo(request->held)) {
        status = reason_refuse(reason, STATUS_REFUSED,
                               "a partnership cannot turn from demonstration to production or back");
        goto out;
    }
    status = bundle_own_keys(bundle, keystore, request->now, &match, reason);
    if (status != STATUS_OK)
        goto out;
    loaded->renewed = match == KEYSTORE_NEXT;
    status = rulebook_new(bundle, &rulebook, reason->text, sizeof reason->text);
out:
    rulebook_free(&rulebook);
    keystore_free(&keystore);
    return status;
}

static enum status verify(const struct load_request *request, struct byte_view file, struct loaded *loaded,
                          struct bundle_reason *reason)
{
    enum status status =
        bundle_verify(file, request->held, request->fingerprint, request->now, &loaded->bundle, reason);

    if (status == STATUS_OK)
        status = check(request, loaded->bundle, loaded, reason);
    if (status == STATUS_OK)
        status = archive_accept(request->folder, loaded->bundle, reason);
    return status;
}

enum status load_bundle(const struct load_request *request, struct loaded *ret,
                        struct bundle_reason *ret_reason)
{
    struct loaded loaded = {0};
    struct byte_buffer file = bytes_buffer(0);
    enum status status;

    if (request->held == NULL && request->fingerprint == NULL)
        return reason_refuse(ret_reason, STATUS_REFUSED,
                             "the first bundle needs --fingerprint, as the authority's board told it to you");
    status = safefile_read(request->path, BUNDLE_LARGEST, &file);
    if (status != STATUS_OK)
        (void)reason_refuse(ret_reason, status, "the file: %s", status_text(status));
    else
        status = verify(request, bytes_buffer_view(&file), &loaded, ret_reason);
    bytes_buffer_free(&file);
    if (status != STATUS_OK) {
        bundle_free(&loaded.bundle);
        return status;
    }
    loaded.fresh = request->held == NULL || memcmp(bundle_head_digest(request->held),
                                                   bundle_head_digest(loaded.bundle), DIGEST_SIZE) != 0;
    *ret = loaded;
    return STATUS_OK;
}
