#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/bytes.h"

/*
 * What the store keeps, folded anew from the first event on: pseudonyms and attributes only, there are no
 * sealed values here. Each event is judged under the bundle that its sender had, which was the one in force.
 */
enum retelling_what {
    /* every accepted or refused event with what was known when it was decided: docs/replay-format.md */
    RETELLING_DECISIONS,
    /* every accepted event, decided again by the protocol that was in force, and whether the log says that
     * the same was disclosed: broker/retelling_check.h */
    RETELLING_CHECKS,
    /* every accepted event as the register takes it: what it says, and what is known of the person after it
     */
    RETELLING_REGISTER,
    /* a check with sentences */
    RETELLING_EXPLANATION,
};

struct retelling_options {
    enum retelling_what what;
    const char *folder;     /* of the broker, for its archived bundles */
    const char *store_path; /* of the store's database */
    int64_t since;          /* first moment of what is told; 0: the beginning */
    int64_t until;          /* first moment after; 0: the end */
    const uint8_t *event;   /* CORE_EVENT_SIZE bytes: this event alone; NULL: all */
    struct byte_view from;  /* and its sender */
    /* of that event; what is about others is then passed over, which is right only if nobody was ever merged
     */
    struct byte_view subject;
    const atomic_bool *stop;
};

/*
 * retelling_run - tell each event in the order of commits, from the beginning (what came before `since` is
 * folded and not told); `told` takes the object over and returns false to end. Opens its own connections: any
 * thread, while the broker runs; batch by batch, so that it holds no old pages. Memory: a few hundred bytes a
 * person.
 *
 * Returns STATUS_OK, STATUS_CORRUPT, STATUS_BAD_FORMAT (a bundle's protocols do not load), STATUS_NO_MEMORY
 * or what base/db.h and certs/archive.h return.
 */
enum status retelling_run(const struct retelling_options *options, bool (*told)(void *context, json_t *line),
                          void *context);
