#include "agent/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/incidents.h"
#include "agent/witnessed.h"
#include "base/civil.h"
#include "base/crash.h"
#include "proto/merkle.h"
#include "proto/wire_check.h"

/* ---- who we are ---- */

/* The verifier key that the bundle in force names us with as a witness; NULL when it does not. */
static const char *named_key(const struct agent *agent)
{
    const struct bundle *bundle = agent->membership->bundle;

    for (size_t i = 0; i < bundle_witness_count(bundle); i++) {
        if (strcmp(bundle_witness_member(bundle, i), agent->settings.member) == 0)
            return bundle_witness_vkey(bundle, i);
    }
    return NULL;
}

static bool is_our_key(const struct agent *agent, const char *named)
{
    const char *ours = keystore_witness_vkey(agent->keystore);

    return ours != NULL && strcmp(ours, named) == 0;
}

static const char *log_vkey(const struct agent *agent)
{
    return bundle_log_vkey(agent->membership->bundle);
}

/* STATUS_NOT_FOUND with an incident for a record that cannot be trusted. */
static enum status read_last(struct agent *agent, int64_t now, struct witnessed *ret)
{
    enum status status = witnessed_last(agent, log_vkey(agent), ret);

    if (status != STATUS_CORRUPT)
        return status;
    status =
        incidents_add(agent->db, now,
                      "our record of what we cosigned of the log is damaged (agent.db, witness/): nothing is "
                      "cosigned until a backup of it is put back");
    return status == STATUS_OK ? STATUS_CORRUPT : status;
}

/* ---- what does not continue ---- */

#define TELL "nothing is cosigned: tell the partnership's board"

static enum status keep_fork(struct agent *agent, int64_t now, const struct witnessed *last,
                             struct byte_view shown, const struct checkpoint *checkpoint)
{
    char text[512];
    enum status status;

    if (checkpoint->size < last->checkpoint.size)
        (void)snprintf(text, sizeof text,
                       "the log went back: it shows %" PRIu64 " entries, and we cosigned %" PRIu64
                       " (an older copy was put back, or two copies run)",
                       checkpoint->size, last->checkpoint.size);
    else
        (void)snprintf(text, sizeof text,
                       "the log was forked: its %" PRIu64 " entries do not continue the %" PRIu64
                       " that we cosigned",
                       checkpoint->size, last->checkpoint.size);
    status = witnessed_fork(agent, log_vkey(agent), now, text, bytes_buffer_view(&last->note), shown);
    return status == STATUS_OK ? incidents_add(agent->db, now, "the log was forked or went back; " TELL)
                               : status;
}

/* ---- answers ---- */

static enum status answer(struct byte_view line, uint64_t old_size, uint64_t size, struct byte_view held,
                          struct byte_buffer *ret)
{
    Wire__Cosignature message = WIRE__COSIGNATURE__INIT;

    message.line = wire_data(line);
    message.old_size = old_size;
    message.has_size = 1;
    message.size = size;
    message.has_held = held.size > 0;
    message.held = wire_data(held);
    *ret = bytes_buffer(WIRE_FRAME_LIMIT);
    wire_pack(&message.base, ret);
    return ret->status;
}

static enum status refuse(const struct witnessed *last, const struct checkpoint *checkpoint,
                          struct byte_buffer *ret)
{
    return answer(bytes_view(NULL, 0), last->checkpoint.size, checkpoint->size,
                  bytes_buffer_view(&last->note), ret);
}

static enum status cosign(struct agent *agent, struct byte_view text, uint64_t old_size,
                          const struct checkpoint *checkpoint, int64_t now, struct byte_buffer *ret)
{
    struct byte_buffer line = bytes_buffer(WIRE_NOTE_MAX);
    struct note_key *key = NULL;
    enum status status = note_key_new(bytes_of_string(agent->settings.member), NOTE_KEY_COSIGNATURE,
                                      keystore_witness(agent->keystore), &key);

    if (status == STATUS_OK)
        status = checkpoint_cosign(text, key, now, &line);
    if (status == STATUS_OK)
        status = answer(bytes_buffer_view(&line), old_size, checkpoint->size, bytes_view(NULL, 0), ret);
    note_key_free(&key);
    bytes_buffer_free(&line);
    return status;
}

/* ---- judging ---- */

/* Whether the offer's checkpoint continues the last one by its own proof. */
static bool continues(const Wire__CheckpointOffer *offer, const struct checkpoint *last,
                      const struct checkpoint *checkpoint)
{
    struct digest proof[MERKLE_CONSISTENCY_MAX];

    for (size_t i = 0; i < offer->n_consistency; i++)
        memcpy(proof[i].bytes, offer->consistency[i].data, DIGEST_SIZE);
    return merkle_verify_consistency(last->size, checkpoint->size, proof, offer->n_consistency, &last->root,
                                     &checkpoint->root) == STATUS_OK;
}

/* What came of comparing, with last the empty log when nothing was cosigned yet. */
static enum status judge(struct agent *agent, const Wire__CheckpointOffer *offer, const struct note *note,
                         const struct checkpoint *checkpoint, const struct witnessed *last, int64_t now,
                         struct byte_buffer *ret)
{
    const struct checkpoint *before = &last->checkpoint;
    const bool again = before->size > 0 && checkpoint->size == before->size;
    enum status status;

    if (checkpoint->size >= before->size && offer->old_size != before->size)
        return refuse(last, checkpoint, ret); /* it believes something else of us, and asks again */
    if (checkpoint->size < before->size || !continues(offer, before, checkpoint)) {
        status = keep_fork(agent, now, last, wire_view(offer->note), checkpoint);
        return status == STATUS_OK ? refuse(last, checkpoint, ret) : status;
    }
    CRASH_POINT("witness.checked");
    status =
        again ? STATUS_OK : witnessed_keep(agent, log_vkey(agent), wire_view(offer->note), checkpoint, now);
    if (status == STATUS_PERMISSION || status == STATUS_NOT_A_FOLDER || status == STATUS_BAD_ARGUMENT) {
        status = incidents_add(
            agent->db, now, "what we cosign cannot be remembered, so nothing is cosigned: %.200s/witness: %s",
            agent->folder, status_text(status));
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    return status == STATUS_OK ? cosign(agent, note->text, before->size, checkpoint, now, ret) : status;
}

/* Opens a note by the log's key in the bundle; STATUS_NOT_FOUND with an incident when that key did not sign
 * it. */
static enum status open_note(struct agent *agent, struct byte_view bytes, int64_t now, struct note *ret_note,
                             struct checkpoint *ret_checkpoint)
{
    struct note_key *log = NULL;
    enum status status = note_key_parse(bytes_of_string(log_vkey(agent)), &log);

    if (status == STATUS_OK)
        status = checkpoint_open(bytes, log, ret_note, ret_checkpoint);
    note_key_free(&log);
    if (status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_CRYPTO)
        return status;
    if (status == STATUS_MISMATCH && !agent_sealing(agent))
        return STATUS_NOT_FOUND; /* a newer bundle, which is on its way, may name another log */
    status = incidents_add(agent->db, now,
                           "the broker shows a checkpoint that the log's key in our bundle did not sign: %s",
                           status_text(status));
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static void set_nothing(struct witnessed *last)
{
    last->checkpoint = (struct checkpoint){.size = 0, .root = merkle_empty_root()};
}

static enum status judge_offer(struct agent *agent, const Wire__CheckpointOffer *offer, int64_t now,
                               struct byte_buffer *ret)
{
    const char *named = named_key(agent);
    struct witnessed last = {.time = 0};
    struct checkpoint checkpoint;
    struct note note;
    enum status status;

    if (named == NULL)
        return STATUS_NOT_FOUND;
    if (!is_our_key(agent, named)) {
        status =
            incidents_add(agent->db, now,
                          "the bundle names us as a witness of the log with a key that is not ours: give the "
                          "authority what concordat-agent witness prints");
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    status = open_note(agent, wire_view(offer->note), now, &note, &checkpoint);
    if (status == STATUS_OK)
        status = read_last(agent, now, &last);
    else if (status == STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_NOT_FOUND) {
        set_nothing(&last);
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = judge(agent, offer, &note, &checkpoint, &last, now, ret);
    else if (status == STATUS_CORRUPT)
        status = STATUS_NOT_FOUND;
    witnessed_free(&last);
    return status;
}

enum status witness_offer(struct agent *agent, const Wire__CheckpointOffer *offer, uint64_t request,
                          int64_t now, struct byte_buffer *ret)
{
    struct byte_buffer body = {0};
    enum status status = judge_offer(agent, offer, now, &body);

    if (status == STATUS_OK)
        status = wire_frame_pack(request, WIRE__FRAME__VERB_COSIGN, bytes_buffer_view(&body), ret);
    CRASH_POINT("witness.answered");
    bytes_buffer_free(&body);
    return status;
}

enum status witness_seen(struct agent *agent, const Wire__Welcome *welcome, int64_t now)
{
    const struct byte_view bytes =
        welcome->has_checkpoint ? wire_view(welcome->checkpoint) : bytes_view(NULL, 0);
    struct witnessed last = {.time = 0};
    struct checkpoint checkpoint;
    struct note note;
    enum status status =
        bytes.size == 0 ? STATUS_NOT_FOUND : open_note(agent, bytes, now, &note, &checkpoint);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    agent->log_size = checkpoint.size;
    status = read_last(agent, now, &last);
    if (status == STATUS_OK &&
        (checkpoint.size < last.checkpoint.size ||
         (checkpoint.size == last.checkpoint.size &&
          memcmp(&checkpoint.root, &last.checkpoint.root, sizeof checkpoint.root) != 0)))
        status = keep_fork(agent, now, &last, bytes, &checkpoint);
    witnessed_free(&last);
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

enum status witness_note(struct agent *agent, int64_t now, struct byte_buffer *ret)
{
    struct witnessed last = {.time = 0};
    enum status status = read_last(agent, now, &last);

    if (status == STATUS_OK) {
        *ret = last.note;
        last.note = bytes_buffer(0);
    }
    witnessed_free(&last);
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

/* ---- status ---- */

enum status witness_status(struct agent *agent, json_t **ret)
{
    struct witnessed last = {.time = 0};
    const char *named = agent->membership == NULL ? NULL : named_key(agent);
    char since[CIVIL_TIME_SIZE] = "";
    json_t *forks = NULL;
    json_t *status_json = NULL;
    enum status status = witnessed_forks(agent, &forks);

    if (status != STATUS_OK)
        return status;
    if (agent->membership != NULL)
        status = witnessed_last(agent, log_vkey(agent), &last);
    const bool damaged = status == STATUS_CORRUPT;
    const bool any = agent->membership != NULL && status == STATUS_OK;
    if (status == STATUS_NOT_FOUND || damaged)
        status = STATUS_OK;
    if (any)
        civil_format_time(last.time, since);
    if (status == STATUS_OK)
        status_json =
            json_pack("{s:b, s:b, s:b, s:I, s:s?, s:I, s:O}", "named", (int)(named != NULL), "key_differs",
                      (int)(named != NULL && !is_our_key(agent, named)), "damaged", (int)damaged, "cosigned",
                      any ? (json_int_t)last.checkpoint.size : (json_int_t)0, "since", any ? since : NULL,
                      "newest", (json_int_t)agent->log_size, "forks", forks);
    if (status == STATUS_OK && status_json == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret = status_json;
    json_decref(forks);
    witnessed_free(&last);
    return status;
}
