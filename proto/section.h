#pragma once

#include "base/bytes.h"
#include "proto/items.h"

/*
 * A section: the items of an event for one recipient, sealed with HPKE (RFC 9180: base mode, DHKEM(X25519,
 * HKDF-SHA256), HKDF-SHA256, AES-256-GCM) under info "concordat/section/v1" and
 * aad = SHA-256(core) ‖ canonical(to, rule, key id, labels). Format: docs/wire-format.md, "Section".
 */

#define SECTION_INFO        "concordat/section/v1"
#define SECTION_KEY_ID_SIZE 16
#define SECTION_ENC_SIZE    32
#define SECTION_DIGEST_SIZE 32
#define SECTION_TAG_SIZE    16
#define SECTION_SIZE_MAX    (ITEMS_SIZE_MAX + 8192)

struct hpke_sender;
struct x25519_private;

/* A decoded section; borrowed from its bytes. */
struct section {
    struct byte_view to;
    struct byte_view rule;
    const uint8_t *key;      /* SECTION_KEY_ID_SIZE bytes */
    struct byte_view labels; /* label_count of them, encoded: see section_next_label() */
    size_t label_count;
    const uint8_t *enc; /* SECTION_ENC_SIZE bytes */
    uint64_t sequence;
    struct byte_view sealed;
};

/* For whom, under which rule and to which key a section is sealed, and for which event. */
struct section_target {
    struct byte_view to;
    struct byte_view rule;
    uint8_t key[SECTION_KEY_ID_SIZE];
    uint8_t core[SECTION_DIGEST_SIZE]; /* SHA-256 of the encoded core */
};

/* section_key_id - the name of a sealing key: the first 16 bytes of SHA-256 of the raw public key. */
void section_key_id(const uint8_t public_key[static 32], uint8_t out[static SECTION_KEY_ID_SIZE]);

/*
 * section_seal - seals items for target and appends the encoded section, whose labels are the items' labels.
 *
 * sender, enc  an HPKE context started with the recipient's key and SECTION_INFO, and what that gave to send
 *              along; the sequence number goes on by one, also when this fails after sealing
 *
 * Returns STATUS_BAD_ARGUMENT for items or a target that section_decode() or items_decode() would refuse,
 * STATUS_EXPIRED (the context has sealed its fill: start another), STATUS_NO_MEMORY, STATUS_CRYPTO,
 * STATUS_TOO_LARGE; ret is then as before.
 */
enum status section_seal(struct hpke_sender *sender, const uint8_t enc[static SECTION_ENC_SIZE],
                         const struct section_target *target, const struct item *items, size_t item_count,
                         struct byte_buffer *ret);

/* section_decode - from exactly these bytes. STATUS_BAD_FORMAT, STATUS_NOT_CANONICAL or STATUS_TOO_LARGE. */
enum status section_decode(struct byte_view bytes, struct section *ret_section);

/* section_encode - appends a section as it stands, sealed part included. Returns what appending returned. */
enum status section_encode(const struct section *section, struct byte_buffer *ret);

/* section_next_label - takes the next label off rest, which starts as a copy of section->labels; false at the
 * end. */
bool section_next_label(struct byte_view *rest, struct byte_view *ret_label);

/* section_append_label - adds a label to an encoded list, for section_encode(). */
void section_append_label(struct byte_buffer *labels, struct byte_view label);

/* section_aad - appends what the seal binds besides the items. */
void section_aad(const struct section *section, const uint8_t core[static SECTION_DIGEST_SIZE],
                 struct byte_buffer *ret);

/* section_digest - SHA-256 of the encoded section, as it stands in the header. */
void section_digest(struct byte_view bytes, uint8_t out[static SECTION_DIGEST_SIZE]);

/*
 * Opens sections sealed to one key. Remembers the receiving contexts that it used last, so that a sealing run
 * costs one X25519 and not one a section. Not thread-safe.
 */
struct section_opener;

/* section_opener_new - key is borrowed and must outlive the opener. STATUS_NO_MEMORY. */
enum status section_opener_new(const struct x25519_private *key, struct section_opener **ret_opener);
void section_opener_free(struct section_opener **opener); /* wipes */

/* section_opener_key_id - SECTION_KEY_ID_SIZE bytes, to find the opener for a section. */
const uint8_t *section_opener_key_id(const struct section_opener *opener);

/*
 * section_open - the items of a section that belongs to the event whose core has this digest.
 *
 * Returns STATUS_UNKNOWN_KEY (sealed to another key), STATUS_BAD_SEAL (altered, or not of this event,
 * recipient, rule or labels), STATUS_BAD_FORMAT or another status of items_decode() (the sender sealed
 * something malformed), STATUS_MISMATCH (the items' labels are not the section's: quarantine and report),
 * STATUS_NO_MEMORY or STATUS_CRYPTO. Whether values have their kind is for the caller, who has the catalogue.
 */
enum status section_open(struct section_opener *opener, const struct section *section,
                         const uint8_t core[static SECTION_DIGEST_SIZE], struct items **ret_items);
