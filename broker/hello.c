#include "broker/hello.h"

#include <string.h>

#include "certs/head.h"
#include "proto/wire_check.h"

static void refuse(struct hello_verdict *verdict, Wire__ErrorCode code, const char *text)
{
    verdict->welcome = false;
    verdict->error = (struct frame_error){.code = code, .text = text};
}

static void judge_head(const Wire__Hello *hello, const struct bundle *bundle, int64_t now,
                       struct hello_verdict *verdict)
{
    struct head head;

    verdict->relation = bundle_compare_head(bundle, hello->head, now);
    if (head_decode(wire_view(hello->head->head), &head) == STATUS_OK)
        verdict->serial = head.serial;
    switch (verdict->relation) {
    case BUNDLE_SAME:
    case BUNDLE_OLDER:
    case BUNDLE_NEWER:
        verdict->welcome = true;
        break;
    case BUNDLE_FORK:
        refuse(
            verdict, WIRE__ERROR_CODE__NEED_BUNDLE,
            "your bundle and the broker's have one serial number and differ: this is an incident, tell the "
            "partnership's authority");
        break;
    case BUNDLE_INVALID:
        refuse(verdict, WIRE__ERROR_CODE__NEED_BUNDLE,
               "your bundle is not one of this partnership's: load the one that its authority gave out");
        break;
    }
}

void hello_judge(const Wire__Hello *hello, const struct directory_entry *entry, const struct bundle *bundle,
                 int64_t now, struct hello_verdict *ret)
{
    struct hello_verdict verdict = {.relation = BUNDLE_INVALID};
    const char *reason = NULL;

    if (wire_check_hello(hello, &reason) != STATUS_OK)
        refuse(&verdict, WIRE__ERROR_CODE__MALFORMED, reason);
    else if (strcmp(hello->member, entry->member) != 0)
        refuse(&verdict, WIRE__ERROR_CODE__NOT_ALLOWED, "the hello names another member than your key does");
    else if (!bytes_equal(wire_view(hello->certificate), bytes_view(entry->digest, DIGEST_SIZE)))
        refuse(&verdict, WIRE__ERROR_CODE__NOT_ALLOWED,
               "the hello names another certificate than the one of your transport key");
    else if (hello->highest_version < WIRE_VERSION || bundle_lowest_version(bundle) > WIRE_VERSION)
        refuse(&verdict, WIRE__ERROR_CODE__UNSUPPORTED,
               "this broker speaks wire version 1 only, which you or the bundle do not admit");
    else
        judge_head(hello, bundle, now, &verdict);
    *ret = verdict;
}
