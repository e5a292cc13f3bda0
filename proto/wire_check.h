#pragma once

#include "proto/wire_codec.h"

/*
 * Bounds of every message, which protobuf cannot state: sizes of digests and keys, counts, lengths of text,
 * orders. To be asked once after wire_frame_unpack() and before any field is used. Nothing here looks inside
 * bytes that are encoded again (headers, sections, receipts); their own decoders do.
 */

#define WIRE_TO_MAX       64    /* sections of an event */
#define WIRE_BATCH_MAX    256   /* leaves of a signed batch; events of a plan, publish, deliver, recall */
#define WIRE_LABELS_MAX   64    /* labels of a section or grant */
#define WIRE_NAME_MAX     64    /* bytes of a type, rule, protocol, label or attribute id */
#define WIRE_PURPOSE_MAX  128   /* bytes of a purpose, which is a phrase for people */
#define WIRE_OFFICER_MAX  128   /* bytes of an acting officer */
#define WIRE_TEXT_MAX     512   /* bytes of a reason or refusal meant for people */
#define WIRE_VALUE_MAX    2112  /* bytes of an attribute's value: `held` names up to 64 labels */
#define WIRE_PATH_MAX     8     /* hashes of a path in a batch */
#define WIRE_GROUNDS_MAX  64    /* grounds of a plan */
#define WIRE_REFUSALS_MAX 256   /* refusals of a plan or outcome */
#define WIRE_NOTE_MAX     16384 /* bytes of a checkpoint note */

/*
 * wire_check_frame - the message in the frame and everything in it.
 *
 * ret_reason  on STATUS_BAD_FORMAT one sentence without a full stop for the peer's operator, static storage;
 *             otherwise untouched
 */
enum status wire_check_frame(const Wire__Frame *frame, const char **ret_reason);

/* wire_check_hello - the same for a Hello alone. */
enum status wire_check_hello(const Wire__Hello *hello, const char **ret_reason);

/* wire_check_name - a name of the protocol or catalogue: 1 to WIRE_NAME_MAX of a-z, 0-9, '.', '_' and '-',
 * the first a letter. */
bool wire_check_name(struct byte_view name);

/* wire_check_purpose - 1 to WIRE_PURPOSE_MAX bytes of printable UTF-8. */
bool wire_check_purpose(struct byte_view purpose);

/* wire_check_officer - 1 to WIRE_OFFICER_MAX bytes of printable UTF-8. */
bool wire_check_officer(struct byte_view officer);
