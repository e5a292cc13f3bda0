#include "broker/witnessing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "broker/cosigned.h"
#include "broker/logproof.h"
#include "broker/witnessing_parts.h"
#include "proto/wire_check.h"

/* ---- notes with cosignatures ---- */

void witnessing_say(struct witnessing_word *word, enum witnessing_outcome outcome, const char *format, ...)
{
    va_list arguments;

    word->outcome = outcome;
    va_start(arguments, format);
    (void)vsnprintf(word->text, sizeof word->text, format, arguments);
    va_end(arguments);
}

/* The log's own note with the cosignatures that came, in the order of witnesses. */
static enum status assemble(struct witnessing *witnessing)
{
    struct byte_buffer *note = &witnessing->offered_note;

    bytes_buffer_clear(note);
    bytes_append_view(note, bytes_buffer_view(&witnessing->plain));
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++)
        bytes_append(note, witnessing->list[i].line, witnessing->list[i].line_size);
    return note->status;
}

static size_t cosigned_count(const struct witnessing *witnessing)
{
    size_t count = 0;

    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++)
        count += witnessing->list[i].line_size > 0;
    return count;
}

/* Keeps the line of a signature that verified. */
static void keep_line(struct witnessing_one *one, const struct note_signature *signature)
{
    struct byte_buffer line = bytes_buffer(sizeof one->line);

    note_append_signature(signature, &line);
    if (line.status == STATUS_OK) {
        memcpy(one->line, line.data, line.size);
        one->line_size = line.size;
    }
    bytes_buffer_free(&line);
}

/* The signature in a note that bears this key's name and id and verifies; NULL if none does. */
static enum status find_signature(const struct note *note, const struct note_key *key,
                                  const struct note_signature **ret)
{
    const struct note_signature *found = NULL;
    struct note alone = {.text = note->text, .signature_count = 1};
    struct note_signed by;

    for (size_t i = 0; found == NULL && i < note->signature_count; i++) {
        alone.signatures[0] = note->signatures[i];
        enum status status = note_verify(&alone, &key, 1, &by);
        if (status == STATUS_OK)
            found = &note->signatures[i];
        else if (status != STATUS_UNKNOWN_KEY && status != STATUS_BAD_SIGNATURE)
            return status;
    }
    *ret = found;
    return STATUS_OK;
}

/* Opens a note that checkpoint.db holds; one that our key did not sign is as if it were not there. */
static enum status open_stored(const struct witnessing *witnessing, enum cosigned_which which,
                               struct byte_buffer *bytes, struct checkpoints_entry *ret_entry,
                               struct note *ret_note)
{
    struct checkpoint checkpoint;
    enum status status = cosigned_read(logbook_checkpoints(witnessing->logbook), which, bytes, ret_entry);

    if (status == STATUS_OK)
        status = checkpoint_open(ret_entry->note, logbook_key(witnessing->logbook), ret_note, &checkpoint);
    if (status == STATUS_OK && checkpoint.size != ret_entry->size)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && checkpoint.size > logbook_checkpoint(witnessing->logbook).size)
        status = STATUS_NOT_FOUND; /* the log's own database is older: found when a witness says hello */
    if (status == STATUS_MISMATCH || status == STATUS_UNKNOWN_KEY || status == STATUS_BAD_SIGNATURE ||
        status == STATUS_BAD_FORMAT)
        status = STATUS_NOT_FOUND;
    return status;
}

/* The log's text and own signature of a note, into plain. */
static void keep_plain(struct witnessing *witnessing, const struct note *note)
{
    const struct note_key *key = logbook_key(witnessing->logbook);

    bytes_buffer_clear(&witnessing->plain);
    if (note_start(note->text, &witnessing->plain) != STATUS_OK)
        return; /* its status says so */
    for (size_t i = 0; i < note->signature_count; i++) {
        if (memcmp(note->signatures[i].key_id, note_key_id(key), NOTE_KEY_ID_SIZE) == 0 &&
            bytes_equal(note->signatures[i].name, note_key_name(key)))
            note_append_signature(&note->signatures[i], &witnessing->plain);
    }
}

/* ---- making, and other witnesses ---- */

static enum status load_offered(struct witnessing *witnessing)
{
    struct byte_buffer bytes = bytes_buffer(COSIGNED_NOTE_LIMIT);
    struct checkpoints_entry entry;
    struct note note;
    enum status status = open_stored(witnessing, COSIGNED_OFFERED, &bytes, &entry, &note);

    witnessing->offered = 0;
    bytes_buffer_clear(&witnessing->plain);
    if (status == STATUS_OK) {
        keep_plain(witnessing, &note);
        status = witnessing->plain.status;
    }
    for (size_t i = 0; status == STATUS_OK && i < witnesses_count(witnessing->keys); i++) {
        const struct note_signature *signature = NULL;
        status = find_signature(&note, witnesses_key(witnessing->keys, i), &signature);
        if (signature != NULL)
            keep_line(&witnessing->list[i], signature);
    }
    if (status == STATUS_OK)
        status = assemble(witnessing);
    if (status == STATUS_OK) {
        witnessing->offered = entry.size;
        witnessing->offered_root = entry.root;
    }
    bytes_buffer_free(&bytes);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void set_final(struct witnessing *witnessing, uint64_t size, const struct digest *root,
                      struct byte_view note)
{
    bytes_buffer_clear(&witnessing->final_note);
    bytes_append_view(&witnessing->final_note, note);
    witnessing->final = witnessing->final_note.status == STATUS_OK ? size : 0;
    witnessing->final_root = *root;
}

/* What was final under an earlier bundle is final only with a quorum of the witnesses in force. */
static enum status load_final(struct witnessing *witnessing)
{
    struct byte_buffer bytes = bytes_buffer(COSIGNED_NOTE_LIMIT);
    struct note_signed by[WITNESSES_MAX];
    struct checkpoints_entry entry;
    struct note note;
    size_t count = 0;
    enum status status = open_stored(witnessing, COSIGNED_FINAL, &bytes, &entry, &note);

    witnessing->final = 0;
    if (status == STATUS_OK)
        status = witnesses_signed(witnessing->keys, &note, by, &count, NULL);
    if (status == STATUS_OK && count > 0 && witnesses_final(witnessing->keys, count))
        set_final(witnessing, entry.size, &entry.root, entry.note);
    if (witnessing->offered > witnessing->final && cosigned_count(witnessing) > 0 &&
        witnesses_final(witnessing->keys, cosigned_count(witnessing)))
        set_final(witnessing, witnessing->offered, &witnessing->offered_root,
                  bytes_buffer_view(&witnessing->offered_note));
    bytes_buffer_free(&bytes);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The place of each witness, keeping what is known of those who were one before. */
static void place_witnesses(struct witnessing *witnessing, const struct witnesses *before)
{
    struct witnessing_one old[WITNESSES_MAX];

    memcpy(old, witnessing->list, sizeof old);
    memset(witnessing->list, 0, sizeof witnessing->list);
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++) {
        const size_t was = before == NULL ? 0 : witnesses_find(before, witnesses_member(witnessing->keys, i));
        if (before != NULL && was < witnesses_count(before))
            witnessing->list[i] = old[was];
        witnessing->list[i].line_size = 0;
        witnessing->list[i].sent = 0;
    }
}

static enum status load_lasts(struct witnessing *witnessing)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < witnesses_count(witnessing->keys); i++) {
        struct cosigned_last last = {0};
        status = cosigned_last(logbook_checkpoints(witnessing->logbook),
                               witnesses_member(witnessing->keys, i), &last);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
        witnessing->list[i].cosigned = last.size;
        witnessing->list[i].time = last.time;
    }
    return status;
}

enum status witnessing_adopt(struct witnessing *witnessing, const struct bundle *bundle)
{
    struct witnesses *before = witnessing->keys;
    struct witnesses *keys = NULL;
    enum status status = witnesses_new(bundle, &keys);

    if (status != STATUS_OK)
        return status;
    witnessing->keys = keys;
    place_witnesses(witnessing, before);
    witnesses_free(&before);
    witnessing->offered_at = 0; /* at once: those who are new have cosigned nothing */
    status = load_lasts(witnessing);
    if (status == STATUS_OK)
        status = load_offered(witnessing);
    if (status == STATUS_OK)
        status = load_final(witnessing);
    return status;
}

enum status witnessing_new(struct logbook *logbook, const struct bundle *bundle, int64_t every,
                           struct witnessing **ret)
{
    struct witnessing *witnessing = calloc(1, sizeof *witnessing);

    if (witnessing == NULL)
        return STATUS_NO_MEMORY;
    witnessing->logbook = logbook;
    witnessing->every = every;
    witnessing->plain = bytes_buffer(COSIGNED_NOTE_LIMIT);
    witnessing->offered_note = bytes_buffer(COSIGNED_NOTE_LIMIT);
    witnessing->final_note = bytes_buffer(COSIGNED_NOTE_LIMIT);
    witnessing->body = bytes_buffer(WIRE_FRAME_LIMIT);
    enum status status = witnessing_adopt(witnessing, bundle);
    if (status == STATUS_OK)
        *ret = witnessing;
    else
        witnessing_free(&witnessing);
    return status;
}

void witnessing_free(struct witnessing **witnessing)
{
    if (*witnessing == NULL)
        return;
    witnesses_free(&(*witnessing)->keys);
    bytes_buffer_free(&(*witnessing)->plain);
    bytes_buffer_free(&(*witnessing)->offered_note);
    bytes_buffer_free(&(*witnessing)->final_note);
    bytes_buffer_free(&(*witnessing)->body);
    free(*witnessing);
    *witnessing = NULL;
}

/* ---- offering ---- */

static bool is_due(const struct witnessing *witnessing, uint64_t newest, int64_t now)
{
    if (newest == 0 || witnesses_count(witnessing->keys) == 0 || newest <= witnessing->offered)
        return false;
    return witnessing->offered_at == 0 || now - witnessing->offered_at >= witnessing->every ||
           now < witnessing->offered_at || witnessing->wanted > witnessing->offered;
}

/* Whoever has not answered meanwhile is asked again: an answer can be lost, a disk can have been full. */
static void ask_again(struct witnessing *witnessing, int64_t now)
{
    if (now - witnessing->asked_at < witnessing->every && now >= witnessing->asked_at)
        return;
    witnessing->asked_at = now;
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++)
        witnessing->list[i].sent = 0;
}

enum status witnessing_step(struct witnessing *witnessing, int64_t now)
{
    const struct logbook_checkpoint newest = logbook_checkpoint(witnessing->logbook);
    struct checkpoint checkpoint;
    struct note note;

    if (!is_due(witnessing, newest.size, now)) {
        ask_again(witnessing, now);
        return STATUS_OK;
    }
    enum status status = checkpoint_open(newest.note, logbook_key(witnessing->logbook), &note, &checkpoint);
    if (status == STATUS_OK) {
        keep_plain(witnessing, &note);
        status = witnessing->plain.status;
    }
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++) {
        witnessing->list[i].line_size = 0;
        witnessing->list[i].sent = 0;
        witnessing->list[i].resent = false;
    }
    witnessing->offered = newest.size;
    witnessing->offered_root = newest.root;
    witnessing->offered_at = now == 0 ? 1 : now;
    witnessing->asked_at = now;
    return assemble(witnessing);
}

static enum status write_offer(struct witnessing *witnessing, const struct witnessing_one *one)
{
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    ProtobufCBinaryData hashes[MERKLE_CONSISTENCY_MAX];
    Wire__CheckpointOffer offer = WIRE__CHECKPOINT_OFFER__INIT;
    size_t length = 0;
    enum status status = logproof_consistency(logbook_store(witnessing->logbook), one->known,
                                              witnessing->offered, proof, &length);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < length; i++)
        hashes[i] = wire_data(bytes_view(proof[i].bytes, DIGEST_SIZE));
    offer.note = wire_data(bytes_buffer_view(&witnessing->plain));
    offer.old_size = one->known;
    offer.n_consistency = length;
    offer.consistency = hashes;
    bytes_buffer_clear(&witnessing->body);
    wire_pack(&offer.base, &witnessing->body);
    return witnessing->body.status;
}

enum status witnessing_next(struct witnessing *witnessing, struct witnessing_offer *ret)
{
    for (size_t i = 0; i < witnesses_count(witnessing->keys); i++) {
        struct witnessing_one *one = &witnessing->list[i];
        if (one->connection == 0 || witnessing->offered == 0 || one->sent == witnessing->offered ||
            one->line_size > 0 || one->known > witnessing->offered)
            continue;
        enum status status = write_offer(witnessing, one);
        if (status != STATUS_OK)
            return status;
        one->sent = witnessing->offered;
        *ret = (struct witnessing_offer){.connection = one->connection,
                                         .member = witnesses_member(witnessing->keys, i),
                                         .body = bytes_buffer_view(&witnessing->body)};
        CRASH_POINT("witnessing.offered");
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

void witnessing_want(struct witnessing *witnessing, uint64_t size)
{
    if (size > witnessing->wanted)
        witnessing->wanted = size;
}

/* ---- cosignatures ---- */

/* Takes the cosignature into the note and onto the disk. */
static enum status take_line(struct witnessing *witnessing, size_t index,
                             const struct note_signature *signature, int64_t now)
{
    struct witnessing_one *one = &witnessing->list[index];
    const size_t before = one->line_size;

    keep_line(one, signature);
    enum status status = assemble(witnessing);
    const bool final = witnesses_final(witnessing->keys, cosigned_count(witnessing));
    const struct checkpoints_entry entry = {.size = witnessing->offered,
                                            .root = witnessing->offered_root,
                                            .time = witnessing->offered_at,
                                            .note = bytes_buffer_view(&witnessing->offered_note)};
    CRASH_POINT("witnessing.taken");
    if (status == STATUS_OK)
        status = cosigned_put(logbook_checkpoints(witnessing->logbook), &entry, final,
                              witnesses_member(witnessing->keys, index), now);
    CRASH_POINT("witnessing.stored");
    if (status != STATUS_OK) {
        one->line_size = before;
        (void)assemble(witnessing);
        return status;
    }
    one->known = witnessing->offered;
    one->cosigned = witnessing->offered;
    one->time = now;
    if (final)
        set_final(witnessing, entry.size, &entry.root, entry.note);
    return STATUS_OK;
}

static enum status take_cosignature(struct witnessing *witnessing, size_t index,
                                    const Wire__Cosignature *cosignature, int64_t now,
                                    struct witnessing_word *word)
{
    struct checkpoint checkpoint;
    struct note offered;
    struct note lines;
    const struct note_signature *signature = NULL;
    enum status status = checkpoint_open(bytes_buffer_view(&witnessing->plain),
                                         logbook_key(witnessing->logbook), &offered, &checkpoint);

    if (status != STATUS_OK)
        return status;
    status = note_parse_signatures(offered.text, wire_view(cosignature->line), &lines);
    if (status == STATUS_OK && lines.signature_count == 1)
        status = find_signature(&lines, witnesses_key(witnessing->keys, index), &signature);
    if (status != STATUS_OK && status != STATUS_BAD_FORMAT)
        return status;
    if (signature != NULL)
        return take_line(witnessing, index, signature, now);
    witnessing->list[index].bad++;
    witnessing_say(word, WITNESSING_BAD_SIGNATURE,
                   "the cosignature by %s of the log's first %" PRIu64
                   " entries does not verify: it counts for nothing",
                   witnesses_member(witnessing->keys, index), witnessing->offered);
    return STATUS_OK;
}

/* It holds something else than we believed: it is offered the same once more, from there. */
static enum status take_refusal(struct witnessing *witnessing, size_t index,
                                const Wire__Cosignature *cosignature, struct witnessing_word *word)
{
    struct witnessing_one *one = &witnessing->list[index];
    const uint64_t believed = one->known;
    struct witnessing_shown shown;
    enum status status = STATUS_OK;

    one->refused++;
    if (cosignature->has_held) {
        status = witnessing_look(witnessing, witnesses_member(witnessing->keys, index),
                                 wire_view(cosignature->held), &shown, word);
        if (status != STATUS_OK || word->outcome != WITNESSING_FINE)
            return status;
        one->known = shown.size;
        if (shown.size != believed && !one->resent) {
            one->resent = true;
            one->sent = 0;
            return STATUS_OK;
        }
    }
    witnessing_say(word, WITNESSING_REFUSED, "%s does not cosign the log's first %" PRIu64 " entries",
                   witnesses_member(witnessing->keys, index), witnessing->offered);
    return STATUS_OK;
}

enum status witnessing_cosignature(struct witnessing *witnessing, const char *member,
                                   const Wire__Cosignature *cosignature, int64_t now,
                                   struct witnessing_word *ret_word)
{
    const size_t index = witnesses_find(witnessing->keys, member);
    struct witnessing_word word = {.outcome = WITNESSING_FINE};
    enum status status = STATUS_OK;

    /* What a witness has cosigned already it need not say again, nor can it make us write it again. */
    if (index < witnesses_count(witnessing->keys) && witnessing->offered > 0 &&
        (cosignature->line.len == 0 || witnessing->list[index].line_size == 0)) {
        if (cosignature->line.len == 0)
            status = take_refusal(witnessing, index, cosignature, &word);
        else if (!cosignature->has_size ||
                 cosignature->size == witnessing->offered) /* else it came too late */
            status = take_cosignature(witnessing, index, cosignature, now, &word);
    }
    if (status == STATUS_OK)
        *ret_word = word;
    return status;
}

/* ---- what is given out ---- */

enum status witnessing_final(const struct witnessing *witnessing, struct witnessing_note *ret)
{
    if (witnesses_count(witnessing->keys) == 0) {
        *ret = witnessing_newest(witnessing);
        return STATUS_OK;
    }
    if (witnessing->final == 0)
        return STATUS_NOT_FOUND;
    *ret = (struct witnessing_note){.size = witnessing->final,
                                    .root = witnessing->final_root,
                                    .note = bytes_buffer_view(&witnessing->final_note)};
    return STATUS_OK;
}

struct witnessing_note witnessing_newest(const struct witnessing *witnessing)
{
    const struct logbook_checkpoint newest = logbook_checkpoint(witnessing->logbook);
    struct witnessing_note note = {.size = newest.size, .root = newest.root, .note = newest.note};

    if (newest.size > 0 && newest.size == witnessing->offered)
        note.note = bytes_buffer_view(&witnessing->offered_note);
    return note;
}
