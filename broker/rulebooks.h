#pragma once

#include "broker/rulebook.h"

/*
 * The rulebooks of all bundles that a broker ever had in force, from its archive: what an old event was
 * decided under. Each is read when it is first asked for, and a few are kept. One thread at a time.
 */
struct rulebooks;

/* rulebooks_open - of this broker's folder (borrowed). ret is freed with rulebooks_free. Reads the newest
 * bundle; errors as archive_newest and rulebook_new. */
enum status rulebooks_open(const char *folder, struct rulebooks **ret);
void rulebooks_free(struct rulebooks **rulebooks);

/*
 * rulebooks_of - of the bundle whose head has this digest (Core.bundle); borrowed until the next call.
 * STATUS_NOT_FOUND when the archive does not have it; otherwise errors as archive_get and rulebook_new.
 */
enum status rulebooks_of(struct rulebooks *rulebooks, const uint8_t head[static DIGEST_SIZE],
                         const struct rulebook **ret);

/* rulebooks_newest - lasts as long as they do. */
const struct rulebook *rulebooks_newest(const struct rulebooks *rulebooks);
