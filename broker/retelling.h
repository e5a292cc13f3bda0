#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/bytes.h"

/*
 * Past decisions told again, for replays under another version of the protocol: every accepted or refused
 * event with what was known when it was decided, folded anew from what the store keeps. One JSON object an
 * event, as docs/replay-format.md has it. Pseudonyms and attributes only: there are no sealed values here.
 */
struct retelling_options {
    const char *folder;     /* of the broker, for its newest bundle: people are folded under its protocols */
    const char *store_path; /* of the store's database */
    int64_t since;          /* first moment of what is told; 0: the beginning */
    int64_t until;          /* first moment after; 0: the end */
    const atomic_bool *stop;
};

/*
 * retelling_run - tell each event in the order of commits, from the beginning (what came before `since` is
 * folded and not told); `told` takes the object over and returns false to end. Opens its own connections: any
 * thread, while the broker runs; batch by batch, so that it holds no old pages. Memory: a few hundred bytes a
 * person.
 *
 * Returns STATUS_OK, STATUS_CORRUPT, STATUS_BAD_FORMAT (the bundle's protocols do not load), STATUS_NO_MEMORY
 * or what base/db.h and certs/archive.h return.
 */
enum status retelling_run(const struct retelling_options *options, bool (*told)(void *context, json_t *line),
                          void *context);
