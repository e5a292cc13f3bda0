#include "agent/trial.h"

#include <stdio.h>
#include <string.h>

#include "policy/decide.h"
#include "proto/core.h"
#include "proto/header.h"
#include "proto/hpke.h"
#include "proto/section.h"
#include "proto/x25519.h"

#define LABEL   "trial"
#define VALUE   "a trial: about nobody, for nobody"
#define OFFICER "automatic:doctor"

struct trial {
    const struct agent *agent;
    const struct directory_entry *us;
    struct byte_view member;
    const char *type;
    const char *purpose;
    struct byte_buffer core;
    struct byte_buffer section;
    struct byte_buffer header;
    struct section_target target;
};

static enum status fails(struct agent_reason *reason, enum status status, const char *step)
{
    if (status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_CRYPTO)
        return status;
    (void)snprintf(reason->text, sizeof reason->text, "%s: %s", step, status_text(status));
    return STATUS_REFUSED;
}

static bool find_type(struct trial *trial, const struct protocol *protocol)
{
    const struct catalogue *catalogue = protocol->catalogue;

    for (uint16_t event = 0; event < catalogue->event_count; event++) {
        if (!policy_may_send(protocol, trial->member, event))
            continue;
        trial->type = catalogue->events[event].type;
        trial->purpose = policy_purpose(protocol, trial->member, event);
        return trial->purpose != NULL;
    }
    return false;
}

static enum status compose(struct trial *trial, const struct protocol *protocol, int64_t now)
{
    struct core core = {.type = bytes_of_string(trial->type),
                        .protocol = bytes_of_string(protocol->id),
                        .from = trial->member,
                        .purpose = bytes_of_string(trial->purpose),
                        .officer = bytes_of_string(OFFICER),
                        .occurred = now,
                        .created = now};
    struct uuid_source ids = uuid_source(trial->agent->random);
    const enum status status = uuid_next(&ids, now, core.event);

    memcpy(core.bundle, bundle_head_digest(trial->agent->membership->bundle), CORE_DIGEST_SIZE);
    core.subject[3] = 1; /* an epoch; the rest stays zero, which is nobody's pseudonym */
    return status == STATUS_OK ? core_encode(&core, &trial->core) : status;
}

static enum status seal(struct trial *trial)
{
    const struct item item = {bytes_of_string(LABEL), bytes_of_string(VALUE)};
    struct x25519_public *key = NULL;
    struct hpke_sender *sender = NULL;
    uint8_t enc[HPKE_ENC_SIZE];
    enum status status = x25519_public(trial->us->sealing, &key);

    trial->target = (struct section_target){.to = trial->member, .rule = bytes_of_string(LABEL)};
    memcpy(trial->target.key, trial->us->sealing_id, SECTION_KEY_ID_SIZE);
    digest_sha256(bytes_buffer_view(&trial->core), trial->target.core);
    if (status == STATUS_OK)
        status = hpke_sender_start(key, bytes_of_string(SECTION_INFO), trial->agent->random, &sender, enc);
    if (status == STATUS_OK)
        status = section_seal(sender, enc, &trial->target, &item, 1, &trial->section);
    hpke_sender_free(&sender);
    x25519_public_free(&key);
    return status;
}

/* Signed with the key that we hold, verified with the one that the bundle names. */
static enum status sign(struct trial *trial)
{
    uint8_t digests[1][HEADER_DIGEST_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct batch_signer signer;
    struct byte_view header;
    enum status status = STATUS_OK;

    memcpy(signer.root.bytes, bundle_root_digest(trial->agent->membership->bundle), DIGEST_SIZE);
    memcpy(signer.certificate.bytes, trial->us->digest, DIGEST_SIZE);
    section_digest(bytes_buffer_view(&trial->section), digests[0]);
    status = header_build(bytes_buffer_view(&trial->core), (const uint8_t(*)[HEADER_DIGEST_SIZE])digests, 1,
                          &trial->header);
    header = bytes_buffer_view(&trial->header);
    if (status == STATUS_OK)
        status = batch_sign(BATCH_PURPOSE_EVENTS, keystore_signing(trial->agent->keystore), &signer, &header,
                            1, signature);
    if (status == STATUS_OK)
        status = batch_verify_all(BATCH_PURPOSE_EVENTS, trial->us->signing, &signer, &header, 1, signature);
    return status;
}

static enum status open_again(struct trial *trial)
{
    const struct x25519_private *key = keystore_opening(trial->agent->keystore, trial->target.key);
    struct section_opener *opener = NULL;
    struct section section;
    struct items *items = NULL;
    const struct byte_view *value = NULL;
    enum status status = key == NULL ? STATUS_UNKNOWN_KEY : section_opener_new(key, &opener);

    if (status == STATUS_OK)
        status = section_decode(bytes_buffer_view(&trial->section), &section);
    if (status == STATUS_OK)
        status = section_open(opener, &section, trial->target.core, &items);
    if (status == STATUS_OK) {
        value = items_find(items, LABEL);
        status = value != NULL && bytes_equal(*value, bytes_of_string(VALUE)) ? STATUS_OK : STATUS_MISMATCH;
    }
    items_free(&items);
    section_opener_free(&opener);
    return status;
}

enum status trial_run(const struct agent *agent, const struct protocol *protocol, int64_t now,
                      const char **ret_type, struct agent_reason *ret_reason)
{
    struct trial trial = {.agent = agent,
                          .us =
                              directory_by_member(agent->membership->directory, agent->settings.member, now),
                          .member = bytes_of_string(agent->settings.member),
                          .core = bytes_buffer(CORE_SIZE_MAX),
                          .section = bytes_buffer(SECTION_SIZE_MAX),
                          .header = bytes_buffer(HEADER_SIZE_MAX)};
    enum status status = STATUS_OK;

    if (trial.us == NULL || !find_type(&trial, protocol)) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                       trial.us == NULL ? "we have no certificate in force"
                                        : "the protocol %s lets us send nothing",
                       protocol->id);
        return STATUS_REFUSED;
    }
    status = fails(ret_reason, compose(&trial, protocol, now), "an event could not be composed");
    if (status == STATUS_OK)
        status = fails(ret_reason, seal(&trial), "it could not be sealed to our own key");
    if (status == STATUS_OK)
        status = fails(ret_reason, sign(&trial), "our signature does not verify under our certificate");
    if (status == STATUS_OK)
        status = fails(ret_reason, open_again(&trial), "what is sealed for us does not open here");
    if (status == STATUS_OK)
        *ret_type = trial.type;
    bytes_buffer_free(&trial.header);
    bytes_buffer_free(&trial.section);
    bytes_buffer_free(&trial.core);
    return status;
}
