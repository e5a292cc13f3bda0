#pragma once

#include "base/bytes.h"
#include "proto/kind_reason.h"

/*
 * The kinds of values that items and attributes may have, compiled in: a catalogue picks from them and cannot
 * add one. Both ends validate every value, the sender before sealing, the recipient after opening.
 *
 * Columns: symbol, name in catalogue.yaml, most characters, canonical form, what it is.
 */
#define KIND_TABLE(X)                                                                                        \
    X(DATE, "date", 10, "YYYY-MM-DD", "a day")                                                               \
    X(DATETIME, "datetime", 20, "YYYY-MM-DDTHH:MM:SSZ", "a moment, in UTC")                                  \
    X(PNC_ID, "pnc_id", 13, "YYYY/NNNNNNNL", "a Police National Computer id")                                \
    X(CRO, "cro", 12, "NNNNNN/YYL or SFYY/NNNNNNL", "a Criminal Records Office number")                      \
    X(ASN, "asn", 21, "YYFFUUSSNNNNNNNNNNNL without slashes", "an arrest/summons number")                    \
    X(PRISON_NO, "prison_no", 7, "A1234BC", "a prison (NOMIS) number")                                       \
    X(CRN, "crn", 7, "X123456", "a probation case reference number")                                         \
    X(NHS_NO, "nhs_no", 10, "ten digits", "an NHS number")                                                   \
    X(NAME, "name", 100, "visible characters", "a name of a person or place, as its owner writes it")        \
    X(CODE, "code", 64, "one of the codes that the catalogue lists", "a code from a list in the catalogue")  \
    X(AREA, "area", 64, "lower-case letters, digits, - and _", "an area of the partnership")                 \
    X(MEMBER, "member", 64, "class.place in lower case", "a member of the partnership")                      \
    X(FORCE, "force", 2, "two digits", "a police force, by its national code")                               \
    X(PRISON, "prison", 6, "three to six capitals or digits", "a prison, by its code")                       \
    X(CONTACT, "contact", 120, "visible characters", "how to reach a person: telephone, e-mail, address")    \
    X(TEXT, "text", 200, "visible characters", "short text; never a narrative")                              \
    X(NUMBER, "number", 9, "digits without leading zeros", "a whole number from 0 to 999999999")             \
    X(EVENT, "event", 36, "8-4-4-4-12 lower-case hexadecimal digits", "an event's id (UUID of version 7)")   \
    X(PSEUDONYM, "pseudonym", 72, "72 lower-case hexadecimal digits", "a subject's pseudonym")               \
    X(LABELS, "labels", 2111, "labels in ascending order, separated by commas", "a list of item labels")

enum kind {
#define KIND_ENUM(symbol, name, longest, form, description) KIND_##symbol,
    KIND_TABLE(KIND_ENUM)
#undef KIND_ENUM
};

#define KIND_ONE(symbol, name, longest, form, description) +1
enum { KIND_COUNT = 0 KIND_TABLE(KIND_ONE) };
#undef KIND_ONE

/* Room for any canonical value with its terminating zero. */
#define KIND_VALUE_SIZE 2112

/* What a catalogue says about one item beyond its kind. NULL limits, or zeros, leave the kind's own. */
struct kind_limits {
    size_t max_length;        /* characters; it can only lower the kind's own limit */
    const char *const *codes; /* for KIND_CODE: the list, borrowed */
    size_t code_count;
};

/* From the table; static storage, never NULL. kind_max_length is in characters. */
const char *kind_name(enum kind kind);
const char *kind_form(enum kind kind);
const char *kind_description(enum kind kind);
size_t kind_max_length(enum kind kind);

/* kind_from_name - the kind that a catalogue calls by this name; STATUS_NOT_FOUND if there is none. */
enum status kind_from_name(struct byte_view name, enum kind *ret_kind);

/*
 * kind_check - is this a value of the kind, in canonical form? Whatever passes has one spelling, so equal
 * values have equal bytes.
 *
 * Returns STATUS_OK; otherwise ret_reason (which may be NULL) says what is wrong and what to do:
 * STATUS_BAD_FORMAT, STATUS_TOO_LARGE (longer than the kind or the limits allow), STATUS_NOT_CANONICAL (an
 * acceptable value in another spelling: kind_canonical gives the right one).
 */
enum status kind_check(enum kind kind, const struct kind_limits *limits, struct byte_view text,
                       struct kind_reason *ret_reason);

/*
 * kind_canonical - turn what a person or another system wrote into canonical form. Spaces at both ends go;
 * the rest is as each kind's own function documents (pnc.h, cro.h, asn.h, date.h, text.h, labels.h). Letters
 * are made upper case only in PNC ids and arrest/summons numbers.
 *
 * year_now  the current year, for PNC ids with a short one
 * out       the value and a zero; KIND_VALUE_SIZE bytes are always enough. Untouched on failure.
 *
 * Returns STATUS_OK, STATUS_BAD_FORMAT or STATUS_TOO_LARGE with a reason, as kind_check.
 */
enum status kind_canonical(enum kind kind, const struct kind_limits *limits, unsigned year_now,
                           struct byte_view in, char *out, size_t out_size, struct kind_reason *ret_reason);
