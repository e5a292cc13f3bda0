#pragma once

#include "broker/frame.h"

/* Whether a member that says hello may stay, and what is to be said about it. Pure. */

struct hello_verdict {
    bool welcome;
    struct frame_error error;      /* unless welcome */
    enum bundle_relation relation; /* of the head that it shows; when it got that far */
    uint64_t serial;               /* of that head; 0 when it did not */
};

/*
 * hello_judge
 *
 * hello   bounds are checked here (wire_check_hello)
 * entry   the certificate by which the connection was let in, usable at now; its member is who ZAP said
 * bundle  in force here
 *
 * Refused: a hello in another's name or for another certificate, a member that speaks no version which the
 * bundle admits, a bundle head that is not this partnership's, or one that forks it (relation BUNDLE_FORK: an
 * incident). A member with an older bundle is welcome, for it gets the new one here; one with a newer bundle
 * too, and the broker needs that one.
 */
void hello_judge(const Wire__Hello *hello, const struct directory_entry *entry, const struct bundle *bundle,
                 int64_t now, struct hello_verdict *ret);
