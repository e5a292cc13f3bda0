#include <string.h>

#include "proto/hpke.h"
#include "proto/opening.h"
#include "tests/bench/load.h"

#define SECTION_LABELS 5

/* What the shipped protocol grants of release.cancelled, in catalogue order. */
static const struct {
    const char *member;
    const char *labels[SECTION_LABELS + 1];
} grants[LOAD_RECIPIENTS] = {
    {"drugs.stoke", {"name", "dob", "release_date"}},
    {"police.staffordshire", {"name", "dob", "pnc_id", "release_date", "cause"}},
    {"probation.staffordshire", {"name", "dob", "prison_no", "release_date", "cause"}},
};

static const struct {
    const char *label;
    const char *value;
} values[] = {
    {"name", "Liam Hughes-Parry"}, {"dob", "1971-09-16"},          {"pnc_id", "2003/9391423N"},
    {"prison_no", "A7629RT"},      {"release_date", "2026-12-21"}, {"cause", "further_sentence"},
};

static struct byte_view value_of(const char *label)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(values[i].label, label) == 0)
            return bytes_of_string(values[i].value);
    }
    return bytes_of_string("");
}

/* Event ids ascend per sender, also from run to run: time and version stand still, run and number count. */
static void make_id(uint64_t run, uint64_t number, uint8_t out[static 16])
{
    static const uint8_t prefix[8] = {0x01, 0x9a, 0xd6, 0x3f, 0x00, 0x00, 0x70, 0x00};

    memcpy(out, prefix, sizeof prefix);
    bytes_put_u64(out + 8, (run & UINT64_C(0x3ffffffff)) << 28 | number | UINT64_C(0x8000000000000000));
}

uint64_t load_number(const uint8_t event[static 16])
{
    return bytes_get_u64(event + 8) & UINT64_C(0xfffffff);
}

static enum status make_core(struct load *load, const struct load_party *sender, uint64_t number,
                             struct byte_buffer *core_bytes, struct byte_buffer *opening)
{
    struct opening_attribute attributes[] = {
        {.id = bytes_of_string("held"), .value = bytes_of_string("cause,dob,name,pnc_id,prison_no")},
        {.id = bytes_of_string("juvenile"), .value = bytes_of_string("no")},
        {.id = bytes_of_string("home_force"), .value = bytes_of_string("21")},
        {.id = bytes_of_string("release_date"), .value = bytes_of_string("2026-12-21")},
    };
    size_t count = sizeof attributes / sizeof attributes[0];
    struct core core = {
        .type = bytes_of_string("release.cancelled"),
        .protocol = bytes_of_string(bundle_protocol_id(load->bundle, 0)),
        .from = bytes_of_string(sender->member),
        .purpose = bytes_of_string("prepare for the release of a person on the scheme"),
        .officer = bytes_of_string("automatic:bench"),
        .occurred = bundle_not_before(load->bundle) + 600000,
        .created = bundle_not_before(load->bundle) + 600000,
    };

    for (size_t i = 0; i < count; i++)
        memset(attributes[i].salt, (int)(number + i) & 0xff, sizeof attributes[i].salt);
    make_id(load->run, number, core.event);
    memcpy(core.bundle, bundle_head_digest(load->bundle), sizeof core.bundle);
    memcpy(core.subject, load->subject, sizeof core.subject);
    opening_commit(attributes, count, &core);
    enum status status = core_encode(&core, core_bytes);
    return status == STATUS_OK ? opening_encode(attributes, count, opening) : status;
}

static enum status make_section(struct load *load, size_t recipient, const uint8_t core[static 32],
                                struct hpke_sender *context, const uint8_t enc[static 32],
                                struct byte_buffer *ret)
{
    struct section_target target = {.to = bytes_of_string(grants[recipient].member),
                                    .rule = bytes_of_string("release-notice")};
    struct item items[SECTION_LABELS];
    size_t count = 0;

    for (; count < SECTION_LABELS && grants[recipient].labels[count] != NULL; count++) {
        items[count].label = bytes_of_string(grants[recipient].labels[count]);
        items[count].value = value_of(grants[recipient].labels[count]);
    }
    memcpy(target.key, load->recipients[recipient].entry->sealing_id, sizeof target.key);
    memcpy(target.core, core, sizeof target.core);
    return section_seal(context, enc, &target, items, count, ret);
}

/* One event's pieces, kept until its frame is built. */
struct pieces {
    struct byte_buffer core, opening, header, sections[LOAD_RECIPIENTS];
    struct envelope_slot slots[LOAD_RECIPIENTS];
};

static enum status make_event(struct load *load, const struct load_party *sender, uint64_t number,
                              struct hpke_sender *const *contexts, uint8_t (*enc)[32], struct pieces *pieces,
                              struct envelope_event *ret_event)
{
    uint8_t digests[LOAD_RECIPIENTS][HEADER_DIGEST_SIZE];
    uint8_t core[32];
    enum status status = make_core(load, sender, number, &pieces->core, &pieces->opening);

    core_digest(bytes_buffer_view(&pieces->core), core);
    for (size_t i = 0; status == STATUS_OK && i < LOAD_RECIPIENTS; i++) {
        status = make_section(load, i, core, contexts[i], enc[i], &pieces->sections[i]);
        pieces->slots[i] = (struct envelope_slot){bytes_of_string(grants[i].member),
                                                  bytes_buffer_view(&pieces->sections[i])};
        section_digest(pieces->slots[i].section, digests[i]);
    }
    if (status == STATUS_OK)
        status = header_build(bytes_buffer_view(&pieces->core), (const uint8_t(*)[32])digests,
                              LOAD_RECIPIENTS, &pieces->header);
    *ret_event = (struct envelope_event){bytes_buffer_view(&pieces->header),
                                         bytes_buffer_view(&pieces->opening), pieces->slots, LOAD_RECIPIENTS};
    return status;
}

enum status load_events(struct load *load, const struct load_party *sender, uint64_t first, size_t n,
                        struct hpke_sender *const *contexts, uint8_t (*enc)[32], struct byte_buffer *ret)
{
    static struct pieces pieces[ENVELOPE_BATCH_MAX]; /* one thread builds events */
    struct envelope_event events[ENVELOPE_BATCH_MAX];
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        struct byte_buffer *all[] = {&pieces[i].core,        &pieces[i].opening,     &pieces[i].header,
                                     &pieces[i].sections[0], &pieces[i].sections[1], &pieces[i].sections[2]};
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++) {
            all[j]->limit = 16384;
            bytes_buffer_clear(all[j]);
        }
        status = make_event(load, sender, first + i, contexts, enc, &pieces[i], &events[i]);
    }
    if (status != STATUS_OK)
        return status;
    return envelope_publish_build(first + 1, &sender->signer, keystore_signing(sender->keystore), events, n,
                                  ret);
}
