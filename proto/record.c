#include "proto/record.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/canonical.h"
#include "proto/core.h"
#include "proto/digest.h"
#include "proto/pseudonym.h"
#include "proto/wire_check.h"

#define REASON_MAX       512
#define OUTCOME_MAX      64
#define KEY_SIZE         16
#define ENTRY_C_ACCOUNT  2
#define ENTRY_C_PERSONAL (ENTRY_C_ACCOUNT + DIGEST_SIZE)

_Static_assert(ENTRY_C_PERSONAL + DIGEST_SIZE == RECORD_ENTRY_SIZE, "version, kind and two commitments");

/* ---- kinds ---- */

const char *record_kind_text(uint8_t kind)
{
    switch (kind) {
#define KIND_TEXT(symbol, number, word, text)                                                                \
    case number:                                                                                             \
        return word;
        RECORD_KINDS(KIND_TEXT)
#undef KIND_TEXT
    default:
        return NULL;
    }
}

enum status record_kind_parse(struct byte_view word, enum record_kind *ret_kind)
{
#define KIND_PARSE(symbol, number, text, explanation)                                                        \
    if (bytes_equal(word, bytes_of_string(text))) {                                                          \
        *ret_kind = RECORD_##symbol;                                                                         \
        return STATUS_OK;                                                                                    \
    }
    RECORD_KINDS(KIND_PARSE)
#undef KIND_PARSE
    return STATUS_NOT_FOUND;
}

/* ---- what a part may hold ---- */

static bool is_text(struct byte_view text, size_t longest)
{
    return text.size <= longest && utf8_printable(text);
}

static bool is_empty_or(struct byte_view view, size_t size)
{
    return view.size == 0 || view.size == size;
}

static bool labels_are_valid(const struct record_account *account)
{
    if (account->label_count > RECORD_LABELS_MAX || account->detail_count > RECORD_DETAILS_MAX)
        return false;
    for (size_t i = 0; i < account->label_count; i++) {
        if (!is_text(account->labels[i], WIRE_NAME_MAX) || account->labels[i].size == 0)
            return false;
    }
    for (size_t i = 0; i < account->detail_count; i++) {
        if (account->details[i].size > RECORD_DETAIL_SIZE)
            return false;
    }
    return true;
}

static bool account_is_valid(const struct record_account *account)
{
    return account->time >= 0 && account->time <= CORE_TIME_MAX && account->deadline >= 0 &&
           account->deadline <= CORE_TIME_MAX && is_text(account->from, WIRE_NAME_MAX) &&
           is_text(account->to, WIRE_NAME_MAX) && is_text(account->type, WIRE_NAME_MAX) &&
           is_text(account->purpose, WIRE_PURPOSE_MAX) && is_text(account->gateway, WIRE_NAME_MAX) &&
           is_text(account->rule, WIRE_NAME_MAX) && is_text(account->outcome, OUTCOME_MAX) &&
           is_text(account->reason, REASON_MAX) &&
           (account->flags & ~(RECORD_LATE | RECORD_JUVENILE | RECORD_BREAK_GLASS)) == 0 &&
           is_empty_or(account->key, KEY_SIZE) && is_empty_or(account->protocol, DIGEST_SIZE) &&
           labels_are_valid(account);
}

static bool personal_is_valid(const struct record_personal *personal)
{
    if (personal->ground_count > RECORD_GROUNDS_MAX)
        return false;
    for (size_t i = 1; i < personal->ground_count; i++) {
        if (personal->grounds[i] <= personal->grounds[i - 1])
            return false;
    }
    return is_empty_or(personal->subject, PSEUDONYM_SIZE) && is_text(personal->officer, WIRE_OFFICER_MAX) &&
           is_empty_or(personal->event, CORE_EVENT_SIZE) && is_empty_or(personal->header, DIGEST_SIZE);
}

/* ---- encoding ---- */

static void put_u64(struct byte_buffer *ret, uint64_t value)
{
    uint8_t out[8];

    bytes_put_u64(out, value);
    canonical_append(ret, bytes_view(out, sizeof out));
}

static void put_list(struct byte_buffer *ret, const struct byte_view *list, size_t count)
{
    canonical_append_list_start(ret, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        canonical_append(ret, list[i]);
}

/* Takes back what was appended unless all of it was, and fits. */
static enum status settle(struct byte_buffer *ret, size_t before)
{
    enum status status = ret->status;

    if (status == STATUS_OK && ret->size - before > RECORD_PART_MAX)
        status = STATUS_BAD_ARGUMENT;
    if (status != STATUS_OK)
        ret->size = before;
    return status;
}

enum status record_encode_account(const struct record_account *account, struct byte_buffer *ret)
{
    size_t before = ret->size;

    if (!account_is_valid(account))
        return STATUS_BAD_ARGUMENT;
    put_u64(ret, (uint64_t)account->time);
    canonical_append(ret, account->from);
    canonical_append(ret, account->to);
    canonical_append(ret, account->type);
    canonical_append(ret, account->purpose);
    canonical_append(ret, account->gateway);
    canonical_append(ret, account->rule);
    put_list(ret, account->labels, account->label_count);
    canonical_append(ret, account->outcome);
    canonical_append(ret, account->reason);
    put_u64(ret, (uint64_t)account->deadline);
    canonical_append(ret, bytes_view(&account->flags, 1));
    canonical_append(ret, account->key);
    canonical_append(ret, account->protocol);
    put_u64(ret, account->from_counter);
    put_u64(ret, account->to_counter);
    put_list(ret, account->details, account->detail_count);
    return settle(ret, before);
}

enum status record_encode_personal(const struct record_personal *personal, struct byte_buffer *ret)
{
    size_t before = ret->size;

    if (!personal_is_valid(personal))
        return STATUS_BAD_ARGUMENT;
    canonical_append(ret, personal->subject);
    canonical_append(ret, personal->officer);
    canonical_append(ret, personal->event);
    canonical_append(ret, personal->header);
    canonical_append_list_start(ret, (uint32_t)personal->ground_count);
    for (size_t i = 0; i < personal->ground_count; i++)
        put_u64(ret, personal->grounds[i]);
    return settle(ret, before);
}

/* ---- decoding ---- */

/* A part being read; the first error stays. */
struct part {
    struct byte_reader reader;
    enum status status;
};

static struct byte_view read_value(struct part *part)
{
    struct byte_view value = {NULL, 0};

    if (part->status == STATUS_OK)
        part->status = canonical_read(&part->reader, REASON_MAX, &value);
    return value;
}

static uint64_t read_u64(struct part *part)
{
    struct byte_view value = read_value(part);

    if (part->status == STATUS_OK && value.size != 8)
        part->status = STATUS_BAD_FORMAT;
    return part->status == STATUS_OK ? bytes_get_u64(value.data) : 0;
}

/* A time too large for one gives -1, which is none. */
static int64_t read_time(struct part *part)
{
    uint64_t time = read_u64(part);

    return time > (uint64_t)CORE_TIME_MAX ? -1 : (int64_t)time;
}

static uint8_t read_flags(struct part *part)
{
    struct byte_view value = read_value(part);

    if (part->status == STATUS_OK && value.size != 1)
        part->status = STATUS_BAD_FORMAT;
    return part->status == STATUS_OK ? value.data[0] : 0;
}

static size_t read_count(struct part *part, uint32_t limit)
{
    uint32_t count = 0;

    if (part->status == STATUS_OK)
        part->status = canonical_read_list_start(&part->reader, limit, &count);
    return part->status == STATUS_OK ? count : 0;
}

static size_t read_list(struct part *part, uint32_t limit, struct byte_view *out)
{
    size_t count = read_count(part, limit);

    for (size_t i = 0; i < count; i++)
        out[i] = read_value(part);
    return count;
}

static enum status finish(const struct part *part, bool valid)
{
    if (part->status != STATUS_OK)
        return part->status;
    return bytes_read_done(&part->reader) && valid ? STATUS_OK : STATUS_BAD_FORMAT;
}

enum status record_decode_account(struct byte_view bytes, struct record_storage *storage,
                                  struct record_account *ret_account)
{
    struct part part = {.reader = bytes_reader(bytes), .status = STATUS_OK};
    struct record_account account = {.labels = storage->labels, .details = storage->details};

    if (bytes.size > RECORD_PART_MAX)
        return STATUS_TOO_LARGE;
    account.time = read_time(&part);
    account.from = read_value(&part);
    account.to = read_value(&part);
    account.type = read_value(&part);
    account.purpose = read_value(&part);
    account.gateway = read_value(&part);
    account.rule = read_value(&part);
    account.label_count = read_list(&part, RECORD_LABELS_MAX, storage->labels);
    account.outcome = read_value(&part);
    account.reason = read_value(&part);
    account.deadline = read_time(&part);
    account.flags = read_flags(&part);
    account.key = read_value(&part);
    account.protocol = read_value(&part);
    account.from_counter = read_u64(&part);
    account.to_counter = read_u64(&part);
    account.detail_count = read_list(&part, RECORD_DETAILS_MAX, storage->details);
    enum status status = finish(&part, account_is_valid(&account));
    if (status == STATUS_OK)
        *ret_account = account;
    return status;
}

enum status record_decode_personal(struct byte_view bytes, struct record_storage *storage,
                                   struct record_personal *ret_personal)
{
    struct part part = {.reader = bytes_reader(bytes), .status = STATUS_OK};
    struct record_personal personal = {.grounds = storage->grounds};

    if (bytes.size > RECORD_PART_MAX)
        return STATUS_TOO_LARGE;
    personal.subject = read_value(&part);
    personal.officer = read_value(&part);
    personal.event = read_value(&part);
    personal.header = read_value(&part);
    personal.ground_count = read_count(&part, RECORD_GROUNDS_MAX);
    for (size_t i = 0; i < personal.ground_count; i++)
        storage->grounds[i] = read_u64(&part);
    enum status status = finish(&part, personal_is_valid(&personal));
    if (status == STATUS_OK)
        *ret_personal = personal;
    return status;
}

/* ---- outlines ---- */

/* The next value of a canonical sequence; the reader fails beyond its end. */
static struct byte_view skim(struct byte_reader *reader)
{
    return bytes_read_view(reader, bytes_read_u32(reader));
}

enum status record_outline(struct byte_view account, struct record_outline *ret_outline)
{
    struct byte_reader reader = bytes_reader(account);
    struct byte_view time = skim(&reader);
    struct record_outline outline = {.from = skim(&reader)};

    outline.to = skim(&reader);
    outline.type = skim(&reader);
    for (int i = 0; i < 3; i++)
        (void)skim(&reader); /* purpose, gateway, rule */
    uint32_t labels = bytes_read_u32(&reader);
    for (uint32_t i = 0; i < labels && !reader.failed; i++)
        (void)skim(&reader);
    outline.outcome = skim(&reader);
    if (reader.failed || time.size != 8 || bytes_get_u64(time.data) > (uint64_t)CORE_TIME_MAX)
        return STATUS_BAD_FORMAT;
    outline.time = (int64_t)bytes_get_u64(time.data);
    *ret_outline = outline;
    return STATUS_OK;
}

enum status record_subject(struct byte_view personal, struct byte_view *ret_subject)
{
    struct byte_reader reader = bytes_reader(personal);
    struct byte_view subject = skim(&reader);

    if (reader.failed)
        return STATUS_BAD_FORMAT;
    *ret_subject = subject;
    return STATUS_OK;
}

/* ---- entries ---- */

void record_commitment(const uint8_t salt[static RECORD_SALT_SIZE], struct byte_view part,
                       uint8_t out[static DIGEST_SIZE])
{
    digest_hmac(bytes_view(salt, RECORD_SALT_SIZE), &part, 1, out);
}

void record_entry_of(enum record_kind kind, const uint8_t account[static DIGEST_SIZE],
                     const uint8_t personal[static DIGEST_SIZE], uint8_t out[static RECORD_ENTRY_SIZE])
{
    out[0] = RECORD_VERSION;
    out[1] = (uint8_t)kind;
    memcpy(out + ENTRY_C_ACCOUNT, account, DIGEST_SIZE);
    memcpy(out + ENTRY_C_PERSONAL, personal, DIGEST_SIZE);
}

void record_entry(enum record_kind kind, const uint8_t account_salt[static RECORD_SALT_SIZE],
                  struct byte_view account, const uint8_t personal_salt[static RECORD_SALT_SIZE],
                  struct byte_view personal, uint8_t out[static RECORD_ENTRY_SIZE])
{
    uint8_t commitments[2][DIGEST_SIZE];

    record_commitment(account_salt, account, commitments[0]);
    record_commitment(personal_salt, personal, commitments[1]);
    record_entry_of(kind, commitments[0], commitments[1], out);
}

static bool commits_to(const uint8_t *commitment, const uint8_t *salt, struct byte_view part)
{
    uint8_t computed[DIGEST_SIZE];

    if (salt == NULL)
        return true;
    record_commitment(salt, part, computed);
    return memcmp(computed, commitment, DIGEST_SIZE) == 0;
}

enum status record_verify(const uint8_t entry[static RECORD_ENTRY_SIZE], const uint8_t *account_salt,
                          struct byte_view account, const uint8_t *personal_salt, struct byte_view personal)
{
    if (entry[0] != RECORD_VERSION || record_kind_text(entry[1]) == NULL)
        return STATUS_BAD_FORMAT;
    if (!commits_to(entry + ENTRY_C_ACCOUNT, account_salt, account) ||
        !commits_to(entry + ENTRY_C_PERSONAL, personal_salt, personal))
        return STATUS_BAD_COMMITMENT;
    return STATUS_OK;
}
