#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <string.h>

#include "proto/digest.h"
#include "proto/field.h"
#include "proto/hpke.h"

#define LIMIT ((size_t)1 << 20)

static const char *const values[SAMPLE_EVENTS] = {"2026-12-14", "2026-12-15", "2026-12-16", "2026-12-17",
                                                  "2026-12-18", "2026-12-21", "2026-12-22", "2026-12-23"};

static enum status fill_repeated(void *context, void *out, size_t size)
{
    uint8_t *next = context;

    memset(out, *next, size);
    (*next)++;
    return STATUS_OK;
}

struct random_source sample_random(uint8_t *next)
{
    *next = 0x21;
    return (struct random_source){fill_repeated, next};
}

const char *sample_member(enum sample_recipient recipient)
{
    return recipient == SAMPLE_TO_POLICE ? SAMPLE_POLICE : SAMPLE_PROBATION;
}

static struct ed25519_key *signing_key(uint8_t byte)
{
    uint8_t seed[ED25519_SEED_SIZE];
    struct ed25519_key *key = NULL;

    memset(seed, byte, sizeof seed);
    assert_int_equal(ed25519_private(seed, &key), STATUS_OK);
    return key;
}

static struct x25519_private *sealing_key(uint8_t byte)
{
    uint8_t raw[X25519_KEY_SIZE];
    struct x25519_private *key = NULL;

    memset(raw, byte, sizeof raw);
    assert_int_equal(x25519_private(raw, &key), STATUS_OK);
    return key;
}

static struct batch_signer signer_of(uint8_t byte)
{
    struct batch_signer signer;

    memset(signer.root.bytes, 0xa0, DIGEST_SIZE);
    memset(signer.certificate.bytes, byte, DIGEST_SIZE);
    return signer;
}

static void make_keys(struct sample *sample)
{
    sample->sender = signing_key(0x01);
    sample->signer = signer_of(0xc1);
    for (uint8_t i = 0; i < SAMPLE_RECIPIENTS; i++) {
        sample->signers[i] = signing_key((uint8_t)(0x02 + i));
        sample->keys[i] = sealing_key((uint8_t)(0x12 + i));
        sample->recipient_signers[i] = signer_of((uint8_t)(0xc2 + i));
    }
}

/* A UUIDv7 of SAMPLE_NOW and the number of the event. */
static void make_id(size_t i, uint8_t out[static 16])
{
    uint8_t time[8];

    memset(out, 0, 16);
    bytes_put_u64(time, (uint64_t)SAMPLE_NOW);
    memcpy(out, time + 2, 6);
    out[6] = 0x70;
    out[8] = 0x80;
    out[15] = (uint8_t)(i + 1);
}

static void make_core(struct sample_event *event, size_t i)
{
    struct core *core = &event->core;
    static const char *const ids[] = {"held", "home_force", "release_date"};
    const char *const opened[] = {"name,prison_no", "police.staffordshire", values[i]};

    memset(core, 0, sizeof *core);
    make_id(i, core->event);
    core->type = bytes_of_string("release.planned");
    core->protocol = bytes_of_string("staffordshire-ppo");
    memset(core->bundle, 0xb0, sizeof core->bundle);
    core->from = bytes_of_string(SAMPLE_FROM);
    core->purpose = bytes_of_string("release-planning");
    core->officer = bytes_of_string("automatic:release-extract");
    bytes_put_u32(core->subject, 1);
    memset(core->subject + 4, (int)(0x50 + i), 32);
    core->occurred = SAMPLE_NOW - 86400000;
    core->created = SAMPLE_NOW;
    core->effective = bytes_of_string(values[i]);
    for (size_t k = 0; k < 3; k++) {
        event->attributes[k].id = bytes_of_string(ids[k]);
        event->attributes[k].value = bytes_of_string(opened[k]);
        memset(event->attributes[k].salt, (int)(0x60 + k), OPENING_SALT_SIZE);
    }
    opening_commit(event->attributes, 3, core);
    event->core_bytes = bytes_buffer(LIMIT);
    assert_int_equal(core_encode(core, &event->core_bytes), STATUS_OK);
    event->opening = bytes_buffer(LIMIT);
    assert_int_equal(opening_encode(event->attributes, 3, &event->opening), STATUS_OK);
}

static void seal_for(struct sample_event *event, enum sample_recipient recipient,
                     const struct x25519_private *key, struct hpke_sender *sender, const uint8_t *enc)
{
    const struct item items[] = {
        {bytes_of_string("name"), bytes_of_string("Samuel Example")},
        {bytes_of_string("prison_no"), bytes_of_string("A1234BC")},
    };
    struct section_target target = {.to = bytes_of_string(sample_member(recipient)),
                                    .rule = bytes_of_string("release-notice")};
    struct byte_buffer *bytes = &event->sections[recipient];

    section_key_id(x25519_public_of(key), target.key);
    core_digest(bytes_buffer_view(&event->core_bytes), target.core);
    *bytes = bytes_buffer(LIMIT);
    assert_int_equal(section_seal(sender, enc, &target, items, 2, bytes), STATUS_OK);
    event->slots[event->slot_count++] = (struct envelope_slot){target.to, bytes_buffer_view(bytes)};
}

static bool goes_to(size_t i, enum sample_recipient recipient)
{
    return recipient == SAMPLE_TO_POLICE || i % 2 == 0;
}

/* One sealing run a recipient, as an agent does. */
static void seal_all(struct sample *sample)
{
    uint8_t next;
    struct random_source random = sample_random(&next);

    for (enum sample_recipient to = SAMPLE_TO_POLICE; to < SAMPLE_RECIPIENTS; to++) {
        struct x25519_public *public = NULL;
        struct hpke_sender *sender = NULL;
        uint8_t enc[HPKE_ENC_SIZE];
        assert_int_equal(x25519_public(x25519_public_of(sample->keys[to]), &public), STATUS_OK);
        assert_int_equal(hpke_sender_start(public, bytes_of_string(SECTION_INFO), &random, &sender, enc),
                         STATUS_OK);
        for (size_t i = 0; i < sample->count; i++) {
            if (goes_to(i, to))
                seal_for(&sample->events[i], to, sample->keys[to], sender, enc);
        }
        hpke_sender_free(&sender);
        x25519_public_free(&public);
    }
}

static void make_header(struct sample_event *event)
{
    uint8_t digests[SAMPLE_RECIPIENTS][DIGEST_SIZE];

    for (size_t i = 0; i < event->slot_count; i++)
        section_digest(event->slots[i].section, digests[i]);
    event->header = bytes_buffer(LIMIT);
    assert_int_equal(header_build(bytes_buffer_view(&event->core_bytes),
                                  (const uint8_t(*)[HEADER_DIGEST_SIZE])digests, event->slot_count,
                                  &event->header),
                     STATUS_OK);
}

void sample_make(struct sample *sample, size_t count)
{
    memset(sample, 0, sizeof *sample);
    assert_true(count <= SAMPLE_EVENTS);
    sample->count = count;
    make_keys(sample);
    for (size_t i = 0; i < count; i++)
        make_core(&sample->events[i], i);
    seal_all(sample);
    for (size_t i = 0; i < count; i++) {
        struct sample_event *event = &sample->events[i];
        make_header(event);
        sample->envelopes[i] = (struct envelope_event){
            .header = bytes_buffer_view(&event->header),
            .opening = bytes_buffer_view(&event->opening),
            .slots = event->slots,
            .slot_count = event->slot_count,
        };
    }
    sample->publish = bytes_buffer(LIMIT);
    assert_int_equal(envelope_publish_build(7, &sample->signer, sample->sender, sample->envelopes, count,
                                            &sample->publish),
                     STATUS_OK);
}

void sample_free(struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++) {
        bytes_buffer_free(&sample->events[i].core_bytes);
        bytes_buffer_free(&sample->events[i].opening);
        bytes_buffer_free(&sample->events[i].header);
        for (size_t j = 0; j < SAMPLE_RECIPIENTS; j++)
            bytes_buffer_free(&sample->events[i].sections[j]);
    }
    for (size_t i = 0; i < SAMPLE_RECIPIENTS; i++) {
        ed25519_free(&sample->signers[i]);
        x25519_private_free(&sample->keys[i]);
    }
    ed25519_free(&sample->sender);
    bytes_buffer_free(&sample->publish);
}

/* ---- what the broker makes of it ---- */

static void put_path(struct byte_buffer *ret, uint32_t number, const struct merkle_batch *tree, size_t index)
{
    struct digest path[MERKLE_PATH_MAX];
    size_t length;

    merkle_batch_path(tree, index, path, &length);
    for (size_t i = 0; i < length; i++)
        field_put_bytes(ret, number, bytes_view(path[i].bytes, DIGEST_SIZE));
}

void sample_deliver(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret)
{
    struct byte_view headers[SAMPLE_EVENTS];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct merkle_batch tree;
    struct byte_buffer body = bytes_buffer(LIMIT);
    struct byte_buffer event = bytes_buffer(LIMIT);

    for (size_t i = 0; i < sample->count; i++)
        headers[i] = sample->envelopes[i].header;
    assert_int_equal(batch_tree(headers, sample->count, &tree), STATUS_OK);
    assert_int_equal(
        batch_sign(BATCH_PURPOSE_EVENTS, sample->sender, &sample->signer, headers, sample->count, signature),
        STATUS_OK);
    field_put_bytes(&body, 1, bytes_of_string(SAMPLE_FROM));
    field_put_bytes(&body, 2, bytes_view(sample->signer.certificate.bytes, DIGEST_SIZE));
    field_put_bytes(&body, 3, bytes_view(signature, sizeof signature));
    field_put_varint(&body, 4, sample->count);
    for (size_t i = 0; i < sample->count; i++) {
        if (!goes_to(i, recipient))
            continue;
        bytes_buffer_clear(&event);
        field_put_varint(&event, 1, i);
        field_put_bytes(&event, 2, headers[i]);
        put_path(&event, 3, &tree, i);
        field_put_bytes(&event, 4, bytes_buffer_view(&sample->events[i].sections[recipient]));
        field_put_varint(&event, 5, i + 1);
        field_put_bytes(&body, 5, bytes_buffer_view(&event));
    }
    assert_int_equal(wire_frame_pack(0, WIRE__FRAME__VERB_DELIVER, bytes_buffer_view(&body), ret), STATUS_OK);
    bytes_buffer_free(&event);
    bytes_buffer_free(&body);
}

void sample_receipt(const struct sample *sample, enum sample_recipient recipient, size_t i,
                    struct byte_buffer *ret)
{
    const struct sample_event *event = &sample->events[i];
    struct receipt receipt = {.to = bytes_of_string(sample_member(recipient)),
                              .from = bytes_of_string(SAMPLE_FROM),
                              .outcome = RECEIPT_STORED,
                              .time = SAMPLE_NOW + 1000,
                              .counter = i + 1};

    memcpy(receipt.event, event->core.event, sizeof receipt.event);
    header_digest(bytes_buffer_view(&event->header), receipt.header);
    section_digest(bytes_buffer_view(&event->sections[recipient]), receipt.section);
    memset(receipt.bundle, 0xb0, sizeof receipt.bundle);
    assert_int_equal(receipt_encode(&receipt, ret), STATUS_OK);
}

void sample_head(struct byte_buffer *ret)
{
    struct byte_buffer head = bytes_buffer(LIMIT);
    struct byte_buffer signature = bytes_buffer(LIMIT);
    uint8_t filler[64];

    memset(filler, 0xd0, sizeof filler);
    field_put_varint(&head, 1, 1);
    field_put_varint(&head, 2, (uint64_t)SAMPLE_NOW - 1000);
    field_put_varint(&head, 3, (uint64_t)SAMPLE_NOW + 1000);
    for (uint32_t number = 4; number <= 6; number++)
        field_put_bytes(&head, number, bytes_view(filler, 32));
    field_put_bytes(&signature, 1, bytes_view(filler, 32));
    field_put_bytes(&signature, 2, bytes_view(filler, 64));
    field_put_bytes(ret, 1, bytes_buffer_view(&head));
    field_put_bytes(ret, 2, bytes_buffer_view(&signature));
    bytes_buffer_free(&head);
    bytes_buffer_free(&signature);
}

/* A recipient's encoded receipts for all its events; the caller frees each. */
static size_t all_receipts(const struct sample *sample, enum sample_recipient recipient,
                           struct byte_buffer buffers[static SAMPLE_EVENTS],
                           struct byte_view views[static SAMPLE_EVENTS])
{
    size_t count = 0;

    for (size_t i = 0; i < sample->count; i++) {
        if (!goes_to(i, recipient))
            continue;
        buffers[count] = bytes_buffer(LIMIT);
        sample_receipt(sample, recipient, i, &buffers[count]);
        views[count] = bytes_buffer_view(&buffers[count]);
        count++;
    }
    return count;
}

void sample_receipts(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret)
{
    struct byte_buffer buffers[SAMPLE_EVENTS];
    struct byte_view views[SAMPLE_EVENTS];
    struct byte_buffer head = bytes_buffer(LIMIT);
    size_t count = all_receipts(sample, recipient, buffers, views);

    sample_head(&head);
    assert_int_equal(receipt_batch_build(9, &sample->recipient_signers[recipient], sample->signers[recipient],
                                         views, count, bytes_buffer_view(&head), ret),
                     STATUS_OK);
    for (size_t i = 0; i < count; i++)
        bytes_buffer_free(&buffers[i]);
    bytes_buffer_free(&head);
}

void sample_forward(const struct sample *sample, enum sample_recipient recipient, struct byte_buffer *ret)
{
    struct byte_buffer buffers[SAMPLE_EVENTS];
    struct byte_view views[SAMPLE_EVENTS];
    struct byte_buffer body = bytes_buffer(LIMIT);
    struct byte_buffer one = bytes_buffer(LIMIT);
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct merkle_batch tree;
    size_t count = all_receipts(sample, recipient, buffers, views);

    assert_int_equal(batch_tree(views, count, &tree), STATUS_OK);
    assert_int_equal(batch_sign(BATCH_PURPOSE_RECEIPTS, sample->signers[recipient],
                                &sample->recipient_signers[recipient], views, count, signature),
                     STATUS_OK);
    field_put_varint(&body, 1, 1);
    field_put_bytes(&body, 2,
                    bytes_view(sample->recipient_signers[recipient].certificate.bytes, DIGEST_SIZE));
    field_put_bytes(&body, 3, bytes_view(signature, sizeof signature));
    field_put_varint(&body, 4, count);
    for (size_t i = 0; i < count; i += 2) {
        bytes_buffer_clear(&one);
        field_put_varint(&one, 1, i);
        field_put_bytes(&one, 2, views[i]);
        put_path(&one, 3, &tree, i);
        field_put_bytes(&body, 5, bytes_buffer_view(&one));
    }
    bytes_buffer_clear(&one);
    sample_head(&one);
    field_put_bytes(&body, 6, bytes_buffer_view(&one));
    assert_int_equal(wire_frame_pack(0, WIRE__FRAME__VERB_FORWARDED_RECEIPTS, bytes_buffer_view(&body), ret),
                     STATUS_OK);
    for (size_t i = 0; i < count; i++)
        bytes_buffer_free(&buffers[i]);
    bytes_buffer_free(&one);
    bytes_buffer_free(&body);
}
