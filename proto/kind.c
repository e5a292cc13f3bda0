#include "proto/kind.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/asn.h"
#include "proto/chars.h"
#include "proto/codes.h"
#include "proto/cro.h"
#include "proto/date.h"
#include "proto/labels.h"
#include "proto/member.h"
#include "proto/nhs.h"
#include "proto/pnc.h"
#include "proto/pseudonym.h"
#include "proto/text.h"
#include "proto/uuid.h"

static_assert(KIND_VALUE_SIZE >= LABELS_SIZE, "the longest list of labels fits");

#define PSEUDONYM_DIGITS 72 /* uint32 epoch and 32 bytes, in hexadecimal */

/* Only short years depend on it, and no canonical PNC id has one. */
#define ANY_YEAR 2000

struct row {
    const char *name, *form, *description;
    size_t longest;
};

static const struct row rows[] = {
#define KIND_ROW(symbol, name, longest, form, description) {name, form, description, longest},
    KIND_TABLE(KIND_ROW)
#undef KIND_ROW
};

static const struct row *row_of(enum kind kind)
{
    assert((size_t)kind < KIND_COUNT);
    return &rows[kind];
}

const char *kind_name(enum kind kind)
{
    return row_of(kind)->name;
}

const char *kind_form(enum kind kind)
{
    return row_of(kind)->form;
}

const char *kind_description(enum kind kind)
{
    return row_of(kind)->description;
}

size_t kind_max_length(enum kind kind)
{
    return row_of(kind)->longest;
}

enum status kind_from_name(struct byte_view name, enum kind *ret_kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (bytes_equal(name, bytes_of_string(rows[i].name))) {
            *ret_kind = (enum kind)i;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

/* For kinds with one spelling: the text itself, once it was found to be right. */
static enum status keep(struct byte_view text, char *out)
{
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return STATUS_OK;
}

static enum status pattern(struct byte_view in, const char *shape, const char *complaint, char *out,
                           struct kind_reason *ret_reason)
{
    if (!chars_match(in, shape))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "%s", complaint);
    return keep(in, out);
}

static enum status nhs_no(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    enum status status = nhs_check(in, ret_reason);

    return status == STATUS_OK ? keep(in, out) : status;
}

/* The codes of a list as far as there is room for them. */
static enum status refuse_code(const struct kind_limits *limits, struct kind_reason *ret_reason)
{
    char list[KIND_REASON_SIZE - 40];
    size_t used = 0;

    for (size_t i = 0; i < limits->code_count; i++) {
        size_t room = sizeof list - used;
        int size = snprintf(list + used, room, "%s%s", i == 0 ? "" : ", ", limits->codes[i]);
        if (size < 0 || (size_t)size >= room)
            return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                                   "not one of the %zu codes that the catalogue lists for this item",
                                   limits->code_count);
        used += (size_t)size;
    }
    return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "not a known code: use one of %s", list);
}

static enum status code(const struct kind_limits *limits, struct byte_view in, char *out,
                        struct kind_reason *ret_reason)
{
    if (limits == NULL || limits->code_count == 0)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "the catalogue lists no codes for this item");
    for (size_t i = 0; i < limits->code_count; i++) {
        if (bytes_equal(in, bytes_of_string(limits->codes[i])))
            return keep(in, out);
    }
    return refuse_code(limits, ret_reason);
}

static enum status area(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    bool right = chars_is_lower(in.data[0]);

    for (size_t i = 1; right && i < in.size; i++) {
        uint8_t c = in.data[i];
        right = chars_is_lower(c) || chars_is_digit(c) || c == '-' || c == '_';
    }
    if (!right)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not an area: use its id in lower case, such as stoke");
    return keep(in, out);
}

static enum status member(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    if (member_check(in) != STATUS_OK)
        return kind_reason_set(
            ret_reason, STATUS_BAD_FORMAT,
            "not a member id: write class.place in lower case, such as police.staffordshire");
    return keep(in, out);
}

static enum status force(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    if (!chars_match(in, "99"))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not a police force code: write its two digits, such as 21");
    if (!codes_is_force(in))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "no police force has this code");
    return keep(in, out);
}

static enum status prison(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    if (!codes_is_prison(in))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "no prison has this code: write it in capitals, such as DGI");
    return keep(in, out);
}

static enum status number(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    while (in.size > 1 && in.data[0] == '0')
        in = chars_part(in, 1, in.size - 1);
    if (in.size > row_of(KIND_NUMBER)->longest || chars_digits(in, 0) != in.size)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not a whole number: write at most nine digits and nothing else");
    return keep(in, out);
}

static enum status event(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    uint8_t id[UUID_SIZE];

    if (uuid_parse(in, id) != STATUS_OK || !uuid_is_v7(id))
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not an event id: copy all 36 characters, in lower case, as they were shown");
    return keep(in, out);
}

/* As people are shown it: the epoch, a dash, 64 digits. */
static bool pseudonym_shown(struct byte_view in, char *out)
{
    struct pseudonym subject;
    char text[PSEUDONYM_TEXT];

    if (in.size >= sizeof text)
        return false;
    memcpy(text, in.data, in.size);
    text[in.size] = '\0';
    if (pseudonym_parse(text, &subject) != STATUS_OK)
        return false;
    bytes_to_hex(subject.bytes, PSEUDONYM_SIZE, out);
    return true;
}

static enum status pseudonym(struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    bool right = in.size == PSEUDONYM_DIGITS;

    if (pseudonym_shown(in, out))
        return STATUS_OK;
    for (size_t i = 0; right && i < in.size; i++)
        right = chars_is_digit(in.data[i]) || (in.data[i] >= 'a' && in.data[i] <= 'f');
    if (!right)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT,
                               "not a pseudonym: copy all 72 characters, in lower case, as they were shown");
    return keep(in, out);
}

/* in is trimmed, of at least one byte unless the kind may be empty, and smaller than KIND_VALUE_SIZE; out
 * has KIND_VALUE_SIZE bytes. */
static enum status convert(enum kind kind, const struct kind_limits *limits, unsigned year_now,
                           struct byte_view in, char *out, struct kind_reason *ret_reason)
{
    switch (kind) {
    case KIND_DATE:
        return date_canonical(in, out, ret_reason);
    case KIND_DATETIME:
        return date_time_canonical(in, out, ret_reason);
    case KIND_PNC_ID:
        return pnc_canonical(in, year_now, out, ret_reason);
    case KIND_CRO:
        return cro_canonical(in, out, ret_reason);
    case KIND_ASN:
        return asn_canonical(in, out, ret_reason);
    case KIND_PRISON_NO:
        return pattern(in, "A9999AA", "not a prison number: write it as A1234BC, in capitals", out,
                       ret_reason);
    case KIND_CRN:
        return pattern(in, "A999999", "not a case reference: write it as X123456, in capitals", out,
                       ret_reason);
    case KIND_NHS_NO:
        return nhs_no(in, out, ret_reason);
    case KIND_CODE:
        return code(limits, in, out, ret_reason);
    case KIND_AREA:
        return area(in, out, ret_reason);
    case KIND_MEMBER:
        return member(in, out, ret_reason);
    case KIND_FORCE:
        return force(in, out, ret_reason);
    case KIND_PRISON:
        return prison(in, out, ret_reason);
    case KIND_NAME:
    case KIND_CONTACT:
    case KIND_TEXT:
        return text_canonical(in, out, KIND_VALUE_SIZE, ret_reason);
    case KIND_NUMBER:
        return number(in, out, ret_reason);
    case KIND_EVENT:
        return event(in, out, ret_reason);
    case KIND_PSEUDONYM:
        return pseudonym(in, out, ret_reason);
    case KIND_LABELS:
        return labels_canonical(in, out, ret_reason);
    }
    assert(false && "a kind that is not in the table");
    return STATUS_UNSUPPORTED;
}

static size_t longest_allowed(enum kind kind, const struct kind_limits *limits)
{
    size_t longest = row_of(kind)->longest;

    if (limits != NULL && limits->max_length > 0 && limits->max_length < longest)
        return limits->max_length;
    return longest;
}

/* A canonical value is neither empty, unless it is a list, nor longer than allowed. */
static enum status verify_length(enum kind kind, size_t longest, const char *value,
                                 struct kind_reason *ret_reason)
{
    size_t length = 0;

    if (text_length(bytes_of_string(value), &length) != STATUS_OK)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "not UTF-8 text: save the source as UTF-8");
    if (length == 0 && kind != KIND_LABELS)
        return kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "empty: give a value or leave the item out");
    if (length > longest)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "longer than %zu characters: shorten it",
                               longest);
    return STATUS_OK;
}

enum status kind_canonical(enum kind kind, const struct kind_limits *limits, unsigned year_now,
                           struct byte_view in, char *out, size_t out_size, struct kind_reason *ret_reason)
{
    char value[KIND_VALUE_SIZE];
    size_t longest = longest_allowed(kind, limits);
    enum status status = STATUS_OK;

    in = chars_trim(in);
    if (in.size >= KIND_VALUE_SIZE)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "longer than %zu characters: shorten it",
                               longest);
    value[0] = '\0';
    if (in.size > 0)
        status = convert(kind, limits, year_now, in, value, ret_reason);
    if (status == STATUS_OK)
        status = verify_length(kind, longest, value, ret_reason);
    if (status != STATUS_OK)
        return status;
    size_t size = strlen(value) + 1;
    if (size > out_size)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "no room for the value");
    memcpy(out, value, size);
    return STATUS_OK;
}

enum status kind_check(enum kind kind, const struct kind_limits *limits, struct byte_view text,
                       struct kind_reason *ret_reason)
{
    char value[KIND_VALUE_SIZE];
    enum status status = kind_canonical(kind, limits, ANY_YEAR, text, value, sizeof value, ret_reason);

    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(text, bytes_of_string(value)))
        return kind_reason_set(ret_reason, STATUS_NOT_CANONICAL, "not in canonical form: write it as %s",
                               kind_form(kind));
    return STATUS_OK;
}
