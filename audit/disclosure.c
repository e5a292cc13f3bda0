#include "audit/disclosure.h"

#include <inttypes.h>

#include "base/civil.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

static void append_view(struct byte_buffer *out, const char *before, struct byte_view text, const char *after)
{
    if (text.size == 0)
        return;
    bytes_append_string(out, before);
    bytes_append_view(out, text);
    bytes_append_string(out, after);
}

static void append_time(struct byte_buffer *out, const char *before, int64_t time, const char *after)
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(time, text);
    bytes_append_format(out, "%s%s%s", before, text, after);
}

/* Who did what to whom. */
static void append_deed(const struct entry_proof_told *told, struct byte_buffer *out)
{
    const struct record_account *account = &told->account;

    append_time(out, "On ", account->time, ", ");
    switch ((int)told->kind) {
    case RECORD_DISCLOSED:
        append_view(out, "", account->from, "");
        append_view(out, " disclosed ", account->type, "");
        append_view(out, " to ", account->to, ".\n");
        break;
    case RECORD_ACCEPTED:
        append_view(out, "the broker accepted ", account->type, "");
        append_view(out, " from ", account->from, ".\n");
        break;
    case RECORD_REFUSED:
        append_view(out, "the broker refused ", account->type, "");
        append_view(out, " of ", account->from, "");
        append_view(out, " for ", account->to, "");
        append_view(out, ": ", account->reason, "");
        bytes_append_string(out, ".\n");
        break;
    default:
        append_view(out, "", account->from, ": ");
        bytes_append_format(out, "%s", record_kind_text((uint8_t)told->kind));
        append_view(out, " (", account->outcome, ")");
        append_view(out, " to ", account->to, "");
        bytes_append_string(out, ".\n");
        break;
    }
}

static void append_flags(const struct record_account *account, struct byte_buffer *out)
{
    if ((account->flags & RECORD_LATE) != 0)
        bytes_append_string(out, "It came after its deadline.\n");
    if ((account->flags & RECORD_JUVENILE) != 0)
        bytes_append_string(out, "The person was, or may have been, under age.\n");
    if ((account->flags & RECORD_BREAK_GLASS) != 0)
        bytes_append_string(out, "It was disclosed by break-glass, outside the ordinary rules.\n");
}

static void append_why(const struct record_account *account, struct byte_buffer *out)
{
    if (account->label_count > 0)
        bytes_append_string(out, "Items: ");
    for (size_t i = 0; i < account->label_count; i++)
        append_view(out, i > 0 ? ", " : "", account->labels[i], "");
    if (account->label_count > 0)
        bytes_append_string(out, ".\n");
    append_view(out, "Purpose: ", account->purpose, ".\n");
    append_view(out, "Legal gateway: ", account->gateway, ".\n");
    append_view(out, "Rule of the protocol: ", account->rule, ".\n");
    if (account->deadline != 0)
        append_time(out, "Deadline: ", account->deadline, ".\n");
    append_flags(account, out);
}

static void append_person(const struct entry_proof_told *told, struct byte_buffer *out)
{
    const struct record_personal *personal = &told->personal;
    char id[UUID_TEXT_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    if (!told->has_personal) {
        bytes_append_string(out,
                            "Whom it is about is not shown: erased, or held back by whoever shows this.\n");
        return;
    }
    if (personal->subject.size > 4) {
        bytes_to_hex(personal->subject.data + 4, DIGEST_SIZE, hex);
        bytes_append_format(out, "Person (pseudonym): %" PRIu32 "-%s.\n",
                            bytes_get_u32(personal->subject.data), hex);
    }
    append_view(out, "Acting officer: ", personal->officer, ".\n");
    if (personal->event.size == UUID_SIZE) {
        uuid_format(personal->event.data, id);
        bytes_append_format(out, "Event: %s.\n", id);
    }
    if (personal->header.size == DIGEST_SIZE) {
        bytes_to_hex(personal->header.data, DIGEST_SIZE, hex);
        bytes_append_format(out, "Digest of its signed header: %s.\n", hex);
    }
}

void disclosure_text(const struct entry_proof_told *told, struct byte_buffer *out)
{
    const struct record_account *account = &told->account;

    append_deed(told, out);
    append_why(account, out);
    append_person(told, out);
    bytes_append_format(out, "Log entry %" PRIu64 " (%s) of ", told->index,
                        record_kind_text((uint8_t)told->kind));
    append_view(out, "", told->checkpoint.origin, "");
    if (account->from_counter != 0)
        bytes_append_format(out, "; the sender's number %" PRIu64, account->from_counter);
    if (account->to_counter != 0)
        bytes_append_format(out, "; the recipient's number %" PRIu64, account->to_counter);
    bytes_append_string(out, ".\n");
}
