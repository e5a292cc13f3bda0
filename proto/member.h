#pragma once

#include "base/bytes.h"

/*
 * Member ids: `class.place`, both lower case, such as police.staffordshire or prison.dovegate. The class is
 * what rules and gateways speak about; the place tells one member of a class from another.
 */
#define MEMBER_ID_LENGTH 64 /* the longest id, in bytes */

/*
 * member_check - is this a well-formed member id: [a-z][a-z0-9_]*\.[a-z0-9][a-z0-9-]*
 *
 * Returns STATUS_OK, STATUS_TOO_LARGE above MEMBER_ID_LENGTH, or STATUS_BAD_FORMAT.
 */
enum status member_check(struct byte_view id);

/* member_class, member_place - the part before and the part after the dot of an id that member_check passed;
 * borrowed from id. */
struct byte_view member_class(struct byte_view id);
struct byte_view member_place(struct byte_view id);
