#include "proto/section.h"

#include <stdlib.h>
#include <string.h>

#include "proto/canonical.h"
#include "proto/digest.h"
#include "proto/field.h"
#include "proto/hpke.h"
#include "proto/member.h"
#include "proto/wire_check.h"

_Static_assert(SECTION_ENC_SIZE == HPKE_ENC_SIZE && SECTION_TAG_SIZE == HPKE_TAG_SIZE, "HPKE's sizes");

/* Field numbers of message Section in wire.proto. */
enum { TO = 1, RULE, KEY, LABELS, ENC, SEQUENCE, SEALED };

#define LABELS_SIZE_MAX (WIRE_LABELS_MAX * (WIRE_NAME_MAX + 2))
#define AAD_SIZE_MAX    8192
#define CONTEXTS        16 /* receiving contexts that an opener remembers */

void section_key_id(const uint8_t public_key[static 32], uint8_t out[static SECTION_KEY_ID_SIZE])
{
    uint8_t digest[DIGEST_SIZE];

    digest_sha256(bytes_view(public_key, 32), digest);
    memcpy(out, digest, SECTION_KEY_ID_SIZE);
}

/* ---- labels ---- */

bool section_next_label(struct byte_view *rest, struct byte_view *ret_label)
{
    struct field_reader reader = field_reader(*rest);

    if (!field_is_next(&reader, LABELS))
        return false;
    struct byte_view label = field_bytes(&reader, LABELS);
    if (reader.status != STATUS_OK)
        return false;
    *rest = reader.rest;
    *ret_label = label;
    return true;
}

void section_append_label(struct byte_buffer *labels, struct byte_view label)
{
    field_put_bytes(labels, LABELS, label);
}

/* Finds where the labels end and counts them; names, each once. */
static enum status read_labels(struct field_reader *reader, struct section *section)
{
    struct byte_view seen[WIRE_LABELS_MAX];
    const uint8_t *start = reader->rest.data;

    while (field_is_next(reader, LABELS)) {
        if (section->label_count == WIRE_LABELS_MAX)
            return STATUS_TOO_LARGE;
        struct byte_view label = field_bytes(reader, LABELS);
        if (reader->status != STATUS_OK)
            return reader->status;
        if (!wire_check_name(label))
            return STATUS_BAD_FORMAT;
        for (size_t i = 0; i < section->label_count; i++) {
            if (bytes_equal(seen[i], label))
                return STATUS_BAD_FORMAT;
        }
        seen[section->label_count++] = label;
    }
    section->labels = bytes_view(start, (size_t)(reader->rest.data - start));
    return STATUS_OK;
}

static bool labels_match(const struct section *section, const struct items *items)
{
    struct byte_view rest = section->labels;
    struct byte_view label;

    if (section->label_count != items->count)
        return false;
    for (size_t i = 0; i < items->count; i++) {
        if (!section_next_label(&rest, &label) || !bytes_equal(label, items->list[i].label))
            return false;
    }
    return true;
}

/* ---- coding ---- */

static bool is_sealed_size(size_t size)
{
    return size >= ITEMS_STEP + SECTION_TAG_SIZE && size <= ITEMS_SIZE_MAX + SECTION_TAG_SIZE &&
           (size - SECTION_TAG_SIZE) % ITEMS_STEP == 0;
}

enum status section_decode(struct byte_view bytes, struct section *ret_section)
{
    struct section section = {.label_count = 0};
    struct field_reader reader = field_reader(bytes);

    if (bytes.size > SECTION_SIZE_MAX)
        return STATUS_TOO_LARGE;
    section.to = field_bytes(&reader, TO);
    section.rule = field_bytes(&reader, RULE);
    section.key = field_fixed(&reader, KEY, SECTION_KEY_ID_SIZE);
    if (reader.status != STATUS_OK)
        return reader.status;
    enum status status = read_labels(&reader, &section);
    if (status != STATUS_OK)
        return status;
    section.enc = field_fixed(&reader, ENC, SECTION_ENC_SIZE);
    section.sequence = field_varint(&reader, SEQUENCE);
    section.sealed = field_bytes(&reader, SEALED);
    if (field_end(&reader) != STATUS_OK)
        return reader.status;
    if (member_check(section.to) != STATUS_OK || !wire_check_name(section.rule) ||
        !is_sealed_size(section.sealed.size))
        return STATUS_BAD_FORMAT;
    *ret_section = section;
    return STATUS_OK;
}

enum status section_encode(const struct section *section, struct byte_buffer *ret)
{
    size_t before = ret->size;

    field_put_bytes(ret, TO, section->to);
    field_put_bytes(ret, RULE, section->rule);
    field_put_bytes(ret, KEY, bytes_view(section->key, SECTION_KEY_ID_SIZE));
    bytes_append_view(ret, section->labels);
    field_put_bytes(ret, ENC, bytes_view(section->enc, SECTION_ENC_SIZE));
    field_put_varint(ret, SEQUENCE, section->sequence);
    field_put_bytes(ret, SEALED, section->sealed);
    if (ret->status != STATUS_OK)
        ret->size = before;
    return ret->status;
}

void section_aad(const struct section *section, const uint8_t core[static SECTION_DIGEST_SIZE],
                 struct byte_buffer *ret)
{
    struct byte_view rest = section->labels;
    struct byte_view label;

    bytes_append(ret, core, SECTION_DIGEST_SIZE);
    canonical_append(ret, section->to);
    canonical_append(ret, section->rule);
    canonical_append(ret, bytes_view(section->key, SECTION_KEY_ID_SIZE));
    canonical_append_list_start(ret, (uint32_t)section->label_count);
    while (section_next_label(&rest, &label))
        canonical_append(ret, label);
}

void section_digest(struct byte_view bytes, uint8_t out[static SECTION_DIGEST_SIZE])
{
    digest_sha256(bytes, out);
}

/* ---- sealing ---- */

static bool target_is_valid(const struct section_target *target)
{
    return member_check(target->to) == STATUS_OK && wire_check_name(target->rule);
}

enum status section_seal(struct hpke_sender *sender, const uint8_t enc[static SECTION_ENC_SIZE],
                         const struct section_target *target, const struct item *items, size_t item_count,
                         struct byte_buffer *ret)
{
    struct byte_buffer plaintext = bytes_buffer(ITEMS_SIZE_MAX);
    struct byte_buffer labels = bytes_buffer(LABELS_SIZE_MAX);
    struct byte_buffer aad = bytes_buffer(AAD_SIZE_MAX);
    struct byte_buffer sealed = bytes_buffer(ITEMS_SIZE_MAX + SECTION_TAG_SIZE);
    struct section section = {.to = target->to, .rule = target->rule, .key = target->key, .enc = enc};
    enum status status = STATUS_BAD_ARGUMENT;

    if (!target_is_valid(target))
        goto out;
    status = items_encode(items, item_count, &plaintext);
    if (status != STATUS_OK)
        goto out;
    for (size_t i = 0; i < item_count; i++)
        section_append_label(&labels, items[i].label);
    section.labels = bytes_buffer_view(&labels);
    section.label_count = item_count;
    section_aad(&section, target->core, &aad);
    status = labels.status != STATUS_OK ? labels.status : aad.status;
    if (status != STATUS_OK)
        goto out;
    status =
        hpke_seal(sender, bytes_buffer_view(&aad), bytes_buffer_view(&plaintext), &sealed, &section.sequence);
    if (status != STATUS_OK)
        goto out;
    section.sealed = bytes_buffer_view(&sealed);
    status = section_encode(&section, ret);
out:
    bytes_buffer_wipe(&plaintext);
    bytes_buffer_free(&labels);
    bytes_buffer_free(&aad);
    bytes_buffer_free(&sealed);
    return status;
}

/* ---- opening ---- */

struct context {
    uint8_t enc[SECTION_ENC_SIZE];
    struct hpke_receiver *receiver; /* NULL: free */
    uint64_t used;                  /* higher: later */
};

struct section_opener {
    const struct x25519_private *key;
    uint8_t key_id[SECTION_KEY_ID_SIZE];
    uint64_t uses;
    struct context contexts[CONTEXTS];
};

enum status section_opener_new(const struct x25519_private *key, struct section_opener **ret_opener)
{
    struct section_opener *opener = calloc(1, sizeof *opener);

    if (opener == NULL)
        return STATUS_NO_MEMORY;
    opener->key = key;
    section_key_id(x25519_public_of(key), opener->key_id);
    *ret_opener = opener;
    return STATUS_OK;
}

void section_opener_free(struct section_opener **opener)
{
    if (*opener == NULL)
        return;
    for (size_t i = 0; i < CONTEXTS; i++)
        hpke_receiver_free(&(*opener)->contexts[i].receiver);
    free(*opener);
    *opener = NULL;
}

const uint8_t *section_opener_key_id(const struct section_opener *opener)
{
    return opener->key_id;
}

/* The context of this enc, or the one to give up for it: a free one, else the one unused for longest. */
static struct context *find_context(struct section_opener *opener, const uint8_t *enc)
{
    struct context *oldest = &opener->contexts[0];

    for (size_t i = 0; i < CONTEXTS; i++) {
        struct context *context = &opener->contexts[i];
        if (context->receiver != NULL && memcmp(context->enc, enc, SECTION_ENC_SIZE) == 0)
            return context;
        if (context->used < oldest->used)
            oldest = context;
    }
    return oldest;
}

static enum status start_receiver(struct section_opener *opener, const uint8_t *enc,
                                  struct hpke_receiver **ret_receiver)
{
    struct context *context = find_context(opener, enc);

    if (context->receiver == NULL || memcmp(context->enc, enc, SECTION_ENC_SIZE) != 0) {
        struct hpke_receiver *receiver;
        enum status status = hpke_receiver_start(opener->key, enc, bytes_of_string(SECTION_INFO), &receiver);
        if (status != STATUS_OK)
            return status;
        hpke_receiver_free(&context->receiver);
        context->receiver = receiver;
        memcpy(context->enc, enc, SECTION_ENC_SIZE);
    }
    context->used = ++opener->uses;
    *ret_receiver = context->receiver;
    return STATUS_OK;
}

enum status section_open(struct section_opener *opener, const struct section *section,
                         const uint8_t core[static SECTION_DIGEST_SIZE], struct items **ret_items)
{
    struct byte_buffer aad = bytes_buffer(AAD_SIZE_MAX);
    struct byte_buffer plaintext = bytes_buffer(ITEMS_SIZE_MAX);
    struct hpke_receiver *receiver = NULL;
    struct items *items = NULL;
    enum status status = STATUS_UNKNOWN_KEY;

    if (memcmp(section->key, opener->key_id, SECTION_KEY_ID_SIZE) != 0)
        goto out;
    status = start_receiver(opener, section->enc, &receiver);
    if (status != STATUS_OK)
        goto out;
    section_aad(section, core, &aad);
    status = aad.status;
    if (status != STATUS_OK)
        goto out;
    status = hpke_open_at(receiver, section->sequence, bytes_buffer_view(&aad), section->sealed, &plaintext);
    if (status != STATUS_OK)
        goto out;
    status = items_decode(bytes_buffer_view(&plaintext), &items);
    if (status != STATUS_OK)
        goto out;
    if (!labels_match(section, items)) {
        status = STATUS_MISMATCH;
        goto out;
    }
    *ret_items = items;
    items = NULL;
out:
    items_free(&items);
    bytes_buffer_wipe(&plaintext);
    bytes_buffer_free(&aad);
    return status;
}
