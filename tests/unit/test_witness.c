#include "tests/support/support.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/incidents.h"
#include "agent/witness.h"
#include "agent/witnessed.h"
#include "base/safefile.h"
#include "certs/archive.h"
#include "proto/merkle.h"
#include "proto/wire_check.h"
#include "tests/support/partnership.h"

/* An agent as a witness: what it cosigns, what it refuses, what it keeps. The log is played here, with the
 * broker's key, and sometimes lies. */

#define PRISON  "prison.dovegate"
#define POLICE  "police.staffordshire"
#define ENTRIES 40

struct house {
    struct partnership *partnership;
    struct keystore *broker;
    struct note_key *log;
    char folder[256];
    struct agent *agent;
    struct wire_arena arena;
};

/* ---- the log, and another with the same beginning ---- */

/* Entry i of a log; the other one differs from its fork on. */
static void grow(struct digest leaves[static ENTRIES], size_t forked_at)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        uint8_t entry[2] = {(uint8_t)i, i >= forked_at};
        leaves[i] = merkle_leaf(bytes_view(entry, sizeof entry));
    }
}

/* An offer of so many entries to somebody who is believed to hold old_size. */
struct offer {
    struct byte_buffer note;
    Wire__CheckpointOffer message;
    struct digest proof[MERKLE_CONSISTENCY_MAX];
    ProtobufCBinaryData hashes[MERKLE_CONSISTENCY_MAX];
    struct byte_buffer text;
};

static void sign_note(const struct note_key *key, const struct digest *leaves, size_t size,
                      struct byte_buffer *ret)
{
    const struct checkpoint checkpoint = {
        .origin = note_key_name(key), .size = size, .root = merkle_root(leaves, size)};

    *ret = bytes_buffer(WIRE_NOTE_MAX);
    assert_int_equal(checkpoint_sign(&checkpoint, key, ret), STATUS_OK);
}

static void make_offer(const struct house *house, size_t old_size, size_t size, size_t forked_at,
                       struct offer *ret)
{
    struct digest leaves[ENTRIES];
    size_t length = 0;

    memset(ret, 0, sizeof *ret);
    grow(leaves, forked_at);
    sign_note(house->log, leaves, size, &ret->note);
    if (old_size > 0 && old_size <= size)
        merkle_consistency(leaves, size, old_size, ret->proof, &length);
    for (size_t i = 0; i < length; i++)
        ret->hashes[i] = wire_data(bytes_view(ret->proof[i].bytes, DIGEST_SIZE));
    wire__checkpoint_offer__init(&ret->message);
    ret->message.note = wire_data(bytes_buffer_view(&ret->note));
    ret->message.old_size = old_size;
    ret->message.n_consistency = length;
    ret->message.consistency = ret->hashes;
}

static void free_offer(struct offer *offer)
{
    bytes_buffer_free(&offer->note);
}

/* ---- the house ---- */

static void open_agent(struct house *house)
{
    struct agent_reason why = {{0}};

    if (agent_open(house->folder, &house->agent, &why) != STATUS_OK)
        fail_msg("%s", why.text);
}

static void reopen(struct house *house)
{
    agent_close(&house->agent);
    open_agent(house);
}

/* The next bundle, in which the prison is a witness with this key; NULL: no witness. */
static void take_bundle(struct house *house, const char *vkey)
{
    struct authority_bundle_options options = partnership_options();
    struct authority_bundle_setting witness = {PRISON, vkey == NULL ? "" : vkey};
    struct byte_buffer file = bytes_buffer(0);
    struct byte_buffer catalogue = bytes_buffer(0);
    struct byte_buffer protocol = bytes_buffer(0);
    struct agent_reason why = {{0}};
    struct authority_bundle_file shipped = {.name = "staffordshire-ppo.yaml"};

    assert_int_equal(safefile_read(PROJECT_ROOT "/policy/catalogue.yaml", 1 << 20, &catalogue), STATUS_OK);
    assert_int_equal(safefile_read(PROJECT_ROOT "/policy/staffordshire-ppo.yaml", 1 << 20, &protocol),
                     STATUS_OK);
    shipped.content = bytes_buffer_view(&protocol);
    options.protocols = &shipped;
    options.catalogue = (struct authority_bundle_file){"catalogue.yaml", bytes_buffer_view(&catalogue)};
    options.witnesses = &witness;
    options.n_witnesses = 1;
    assert_int_equal(
        authority_bundle_make(house->partnership->authority, &options, house->partnership->now, &file, NULL),
        STATUS_OK);
    if (agent_take_bundle(house->agent, bytes_buffer_view(&file),
                          authority_fingerprint(house->partnership->authority), house->partnership->now, NULL,
                          &why) != STATUS_OK)
        fail_msg("%s", why.text);
    bytes_buffer_free(&file);
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
}

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    struct settings settings = settings_default(PRISON, "tcp://127.0.0.1:1");
    struct keystore *keys = NULL;

    house->partnership = partnership_new();
    house->broker = partnership_member(house->partnership, PARTNERSHIP_BROKER, ROLE_BROKER);
    keys = partnership_member(house->partnership, PRISON, ROLE_AGENT);
    snprintf(house->folder, sizeof house->folder, "%s/%s", house->partnership->folder, PRISON);
    assert_int_equal(settings_create(house->folder, &settings), STATUS_OK);
    open_agent(house);
    take_bundle(house, keystore_witness_vkey(keys));
    keystore_free(&keys);
    assert_int_equal(note_key_new(bytes_of_string(keystore_log_name(house->broker)), NOTE_KEY_ED25519,
                                  keystore_log(house->broker), &house->log),
                     STATUS_OK);
    house->arena = wire_arena(WIRE_ARENA_FRAME);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    wire_arena_free(&house->arena);
    note_key_free(&house->log);
    agent_close(&house->agent);
    keystore_free(&house->broker);
    partnership_free(&house->partnership);
    free(house);
    return 0;
}

/* ---- what it answers ---- */

static enum status give(struct house *house, const struct offer *offer, const Wire__Cosignature **ret)
{
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const Wire__Frame *unpacked = NULL;
    const char *reason = NULL;
    enum status status = witness_offer(house->agent, &offer->message, 7, house->partnership->now, &frame);

    if (status == STATUS_OK) {
        wire_arena_reset(&house->arena);
        assert_int_equal(wire_frame_unpack(bytes_buffer_view(&frame), &house->arena, &unpacked), STATUS_OK);
        assert_int_equal(wire_check_frame(unpacked, &reason), STATUS_OK);
        assert_int_equal(unpacked->request, 7);
        *ret = unpacked->cosign;
    }
    bytes_buffer_free(&frame);
    return status;
}

static uint64_t held_size(struct house *house)
{
    struct witnessed last = {.time = 0};
    enum status status = witnessed_last(house->agent, keystore_log_vkey(house->broker), &last);
    const uint64_t size = status == STATUS_OK ? last.checkpoint.size : 0;

    assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
    witnessed_free(&last);
    return size;
}

/* The line verifies under the key that the bundle names. */
static void assert_cosigned(struct house *house, const struct offer *offer, const Wire__Cosignature *answer,
                            uint64_t before)
{
    struct note_key *key = NULL;
    struct note note;
    struct note lines;
    struct note_signed by;
    const struct note_key *keys[1];

    assert_int_equal(note_parse(bytes_buffer_view(&offer->note), &note), STATUS_OK);
    assert_int_equal(note_parse_signatures(note.text, wire_view(answer->line), &lines), STATUS_OK);
    assert_int_equal(
        note_key_parse(bytes_of_string(bundle_witness_vkey(house->agent->membership->bundle, 0)), &key),
        STATUS_OK);
    keys[0] = key;
    assert_int_equal(note_verify(&lines, keys, 1, &by), STATUS_OK);
    assert_int_equal(by.time, house->partnership->now / 1000 * 1000);
    assert_int_equal(answer->old_size, before);
    assert_false(answer->has_held);
    note_key_free(&key);
}

static void cosign(struct house *house, size_t old_size, size_t size)
{
    const Wire__Cosignature *answer = NULL;
    struct offer offer;

    make_offer(house, old_size, size, ENTRIES, &offer);
    assert_int_equal(give(house, &offer, &answer), STATUS_OK);
    assert_cosigned(house, &offer, answer, old_size);
    assert_int_equal(answer->size, size);
    assert_int_equal(held_size(house), size);
    free_offer(&offer);
}

/* Not cosigned, and shown what is held. */
static void refused(struct house *house, const struct offer *offer, uint64_t held)
{
    const Wire__Cosignature *answer = NULL;
    struct checkpoint checkpoint;

    assert_int_equal(give(house, offer, &answer), STATUS_OK);
    assert_int_equal(answer->line.len, 0);
    assert_int_equal(answer->old_size, held);
    assert_int_equal(answer->has_held, held > 0);
    if (held > 0) {
        assert_int_equal(checkpoint_open(wire_view(answer->held), house->log, NULL, &checkpoint), STATUS_OK);
        assert_int_equal(checkpoint.size, held);
    }
    assert_int_equal(held_size(house), held);
}

static json_t *status_of(struct house *house)
{
    json_t *status = NULL;

    assert_int_equal(witness_status(house->agent, &status), STATUS_OK);
    return status;
}

static size_t fork_count(struct house *house)
{
    json_t *status = status_of(house);
    const size_t count = json_array_size(json_object_get(status, "forks"));

    json_decref(status);
    return count;
}

static void assert_incident(struct house *house, const char *part)
{
    json_t *list = NULL;
    bool found = false;

    assert_int_equal(incidents_list(house->agent->db, &list), STATUS_OK);
    for (size_t i = 0; i < json_array_size(list); i++)
        found = found ||
                strstr(json_string_value(json_object_get(json_array_get(list, i), "text")), part) != NULL;
    json_decref(list);
    if (!found)
        fail_msg("no incident says: %s", part);
}

static void floor_file(const struct house *house, char ret[static 512])
{
    char command[400];
    FILE *pipe = NULL;

    snprintf(command, sizeof command, "ls %s/witness/*.floor", house->folder);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(ret, 512, pipe));
    ret[strcspn(ret, "\n")] = '\0';
    pclose(pipe);
}

/* ---- stories ---- */

static void what_continues_is_cosigned(void **state)
{
    struct house *house = *state;
    struct byte_buffer shown = {0};
    struct checkpoint checkpoint;

    assert_int_equal(witness_note(house->agent, house->partnership->now, &shown), STATUS_OK);
    assert_int_equal(shown.size, 0);
    cosign(house, 0, 1);
    cosign(house, 1, 7);
    cosign(house, 7, 7); /* again, for an answer that was lost */
    cosign(house, 7, 32);
    reopen(house);
    cosign(house, 32, 33);
    assert_int_equal(witness_note(house->agent, house->partnership->now, &shown), STATUS_OK);
    assert_int_equal(checkpoint_open(bytes_buffer_view(&shown), house->log, NULL, &checkpoint), STATUS_OK);
    assert_int_equal(checkpoint.size, 33);
    bytes_buffer_free(&shown);
    json_t *status = status_of(house);
    assert_int_equal(json_integer_value(json_object_get(status, "cosigned")), 33);
    assert_true(json_is_true(json_object_get(status, "named")));
    assert_false(json_is_true(json_object_get(status, "key_differs")));
    json_decref(status);
    assert_int_equal(fork_count(house), 0);
}

static void a_fork_is_refused_and_kept(void **state)
{
    struct house *house = *state;
    static const struct {
        size_t size;
        size_t forked_at;
    } cases[] = {{20, 0}, {20, 19}, {25, 3}, {40, 19}, {19, ENTRIES}, {1, ENTRIES}};
    struct offer offer;
    struct offer honest;
    int64_t cursor = 0;
    char text[512];

    cosign(house, 0, 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_offer(house, cases[i].size < 20 ? 0 : 20, cases[i].size, cases[i].forked_at, &offer);
        refused(house, &offer, 20);
        refused(house, &offer, 20);
        assert_int_equal(fork_count(house), i + 1);
        free_offer(&offer);
    }
    assert_incident(house, "forked or went back");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(witnessed_next_fork(house->agent, &cursor, text), STATUS_OK);
    assert_non_null(strstr(text, "the log went back: it shows 1 entries, and we cosigned 20"));
    assert_int_equal(witnessed_next_fork(house->agent, &cursor, text), STATUS_NOT_FOUND);

    /* The evidence is what was cosigned and what was shown, and outlives a restart; the log may mend itself.
     */
    reopen(house);
    make_offer(house, 20, 25, 3, &offer);
    make_offer(house, 0, 20, ENTRIES, &honest);
    json_t *status = status_of(house);
    json_t *fork = json_array_get(json_object_get(status, "forks"), 2);
    assert_true(bytes_equal(bytes_of_string(json_string_value(json_object_get(fork, "shown"))),
                            bytes_buffer_view(&offer.note)));
    assert_true(bytes_equal(bytes_of_string(json_string_value(json_object_get(fork, "held"))),
                            bytes_buffer_view(&honest.note)));
    json_decref(status);
    free_offer(&offer);
    free_offer(&honest);
    cosign(house, 20, 22);
}

static void forks_do_not_fill_the_disk(void **state)
{
    struct house *house = *state;
    struct offer offer;

    cosign(house, 0, 10);
    for (size_t size = 10; size < ENTRIES; size++) {
        make_offer(house, 10, size, 2, &offer);
        refused(house, &offer, 10);
        free_offer(&offer);
    }
    assert_int_equal(fork_count(house), WITNESSED_FORKS_MAX);
}

static void a_proof_that_is_none_is_a_fork(void **state)
{
    struct house *house = *state;
    struct offer offer;

    cosign(house, 0, 11);
    make_offer(house, 11, 30, ENTRIES, &offer);
    offer.proof[1].bytes[5] ^= 1;
    refused(house, &offer, 11);
    offer.proof[1].bytes[5] ^= 1;
    offer.message.n_consistency--;
    refused(house, &offer, 11);
    offer.message.n_consistency = 0;
    refused(house, &offer, 11);
    free_offer(&offer);
    assert_int_equal(fork_count(house), 1);
}

static void another_belief_is_no_fork(void **state)
{
    struct house *house = *state;
    struct offer offer;

    make_offer(house, 5, 12, ENTRIES, &offer);
    refused(house, &offer, 0);
    free_offer(&offer);
    cosign(house, 0, 12);
    make_offer(house, 5, 30, ENTRIES, &offer);
    refused(house, &offer, 12);
    free_offer(&offer);
    make_offer(house, 0, 30, ENTRIES, &offer);
    refused(house, &offer, 12);
    free_offer(&offer);
    assert_int_equal(fork_count(house), 0);
    cosign(house, 12, 30);
}

static void what_another_key_signed_is_not_answered(void **state)
{
    struct house *house = *state;
    const Wire__Cosignature *answer = NULL;
    struct keystore *police = partnership_keys(house->partnership, POLICE, ROLE_AGENT);
    struct note_key *other = NULL;
    struct digest leaves[ENTRIES];
    struct offer offer;

    assert_int_equal(
        note_key_new(note_key_name(house->log), NOTE_KEY_ED25519, keystore_signing(police), &other),
        STATUS_OK);
    grow(leaves, ENTRIES);
    make_offer(house, 0, 8, ENTRIES, &offer);
    bytes_buffer_free(&offer.note);
    sign_note(other, leaves, 8, &offer.note);
    offer.message.note = wire_data(bytes_buffer_view(&offer.note));
    assert_int_equal(give(house, &offer, &answer), STATUS_NOT_FOUND);
    offer.note.data[offer.note.size - 5] ^= 1;
    assert_int_equal(give(house, &offer, &answer), STATUS_NOT_FOUND);
    offer.message.note = wire_data(bytes_of_string("no note"));
    assert_int_equal(give(house, &offer, &answer), STATUS_NOT_FOUND);
    assert_int_equal(held_size(house), 0);
    assert_incident(house, "did not sign");
    free_offer(&offer);
    note_key_free(&other);
    keystore_free(&police);
}

static void only_a_named_witness_cosigns(void **state)
{
    struct house *house = *state;
    const Wire__Cosignature *answer = NULL;
    struct note_key *foreign = NULL;
    char vkey[NOTE_KEY_VKEY_SIZE];
    struct offer offer;

    make_offer(house, 0, 8, ENTRIES, &offer);
    take_bundle(house, NULL);
    assert_int_equal(give(house, &offer, &answer), STATUS_NOT_FOUND);
    assert_int_equal(note_key_new(bytes_of_string(PRISON), NOTE_KEY_COSIGNATURE,
                                  keystore_signing(house->broker), &foreign),
                     STATUS_OK);
    note_key_vkey(foreign, vkey);
    take_bundle(house, vkey);
    assert_int_equal(give(house, &offer, &answer), STATUS_NOT_FOUND);
    assert_incident(house, "with a key that is not ours");
    json_t *status = status_of(house);
    assert_true(json_is_true(json_object_get(status, "key_differs")));
    json_decref(status);
    note_key_free(&foreign);
    free_offer(&offer);
}

static void neither_a_restored_database_nor_a_lost_floor_takes_it_back(void **state)
{
    struct house *house = *state;
    struct offer offer;
    char floor[512];

    cosign(house, 0, 9);
    cosign(house, 9, 18);
    assert_int_equal(db_exec(house->agent->db, "DELETE FROM witnessed"), STATUS_OK);
    assert_int_equal(held_size(house), 18);
    make_offer(house, 0, 9, ENTRIES, &offer);
    refused(house, &offer, 18);
    free_offer(&offer);
    cosign(house, 18, 20);
    floor_file(house, floor);
    assert_int_equal(unlink(floor), 0);
    assert_int_equal(held_size(house), 20);
    cosign(house, 20, 21);
}

static void a_damaged_record_cosigns_nothing(void **state)
{
    struct house *house = *state;
    const Wire__Cosignature *answer = NULL;
    struct byte_buffer text = bytes_buffer(0);
    struct byte_buffer shown = {0};
    struct offer offer;
    char floor[512];

    cosign(house, 0, 9);
    floor_file(house, floor);
    assert_int_equal(safefile_read(floor, 65536, &text), STATUS_OK);
    make_offer(house, 9, 18, ENTRIES, &offer);
    const uint8_t *time = memmem(text.data, text.size, "\ntime ", 6);
    assert_non_null(time);
    for (size_t i = 0; i < text.size; i += 7) {
        if (i > (size_t)(time - text.data) + 5 && i < (size_t)(time - text.data) + 24)
            continue; /* when it was: nothing rests on that */
        text.data[i] ^= 1;
        assert_int_equal(safefile_write(floor, bytes_buffer_view(&text), 0600), STATUS_OK);
        if (give(house, &offer, &answer) != STATUS_NOT_FOUND)
            fail_msg("byte %zu of the floor can be changed", i);
        text.data[i] ^= 1;
    }
    assert_incident(house, "is damaged");
    json_t *status = status_of(house);
    assert_true(json_is_true(json_object_get(status, "damaged")));
    json_decref(status);
    assert_int_equal(witness_note(house->agent, house->partnership->now, &shown), STATUS_OK);
    assert_int_equal(shown.size, 0);
    assert_int_equal(safefile_write(floor, bytes_buffer_view(&text), 0600), STATUS_OK);
    assert_int_equal(give(house, &offer, &answer), STATUS_OK);
    bytes_buffer_free(&text);
    free_offer(&offer);
}

static void what_cannot_be_remembered_is_not_cosigned(void **state)
{
    struct house *house = *state;
    const Wire__Cosignature *answer = NULL;
    struct offer offer;
    char path[320];

    snprintf(path, sizeof path, "%s/witness", house->folder);
    assert_int_equal(safefile_write(path, bytes_of_string("in the way"), 0600), STATUS_OK);
    make_offer(house, 0, 9, ENTRIES, &offer);
    assert_int_not_equal(give(house, &offer, &answer), STATUS_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(held_size(house), 0);
    free_offer(&offer);
    cosign(house, 0, 9);
}

static void a_welcome_shows_a_fork_as_well(void **state)
{
    struct house *house = *state;
    Wire__Welcome welcome = WIRE__WELCOME__INIT;
    struct offer offer;

    assert_int_equal(witness_seen(house->agent, &welcome, house->partnership->now), STATUS_OK);
    cosign(house, 0, 20);
    make_offer(house, 0, 21, ENTRIES, &offer);
    welcome.has_checkpoint = 1;
    welcome.checkpoint = wire_data(bytes_buffer_view(&offer.note));
    assert_int_equal(witness_seen(house->agent, &welcome, house->partnership->now), STATUS_OK);
    assert_int_equal(fork_count(house), 0);
    free_offer(&offer);
    make_offer(house, 0, 19, ENTRIES, &offer);
    welcome.checkpoint = wire_data(bytes_buffer_view(&offer.note));
    assert_int_equal(witness_seen(house->agent, &welcome, house->partnership->now), STATUS_OK);
    assert_int_equal(fork_count(house), 1);
    free_offer(&offer);
    make_offer(house, 0, 20, 7, &offer);
    welcome.checkpoint = wire_data(bytes_buffer_view(&offer.note));
    assert_int_equal(witness_seen(house->agent, &welcome, house->partnership->now), STATUS_OK);
    assert_int_equal(fork_count(house), 2);
    free_offer(&offer);
}

#ifdef CONCORDAT_CRASH_POINTS
/* Crash settings are read once a process, so the one that dies is this program anew: FOLDER FILE. */
static int cosign_and_die(const char *folder, const char *file)
{
    struct agent_reason why = {{0}};
    struct agent *agent = NULL;
    struct wire_arena arena = wire_arena(WIRE_ARENA_FRAME);
    struct byte_buffer bytes = bytes_buffer(0);
    struct byte_buffer frame = bytes_buffer(WIRE_FRAME_LIMIT);
    const ProtobufCMessage *message = NULL;

    if (agent_open(folder, &agent, &why) != STATUS_OK ||
        safefile_read(file, WIRE_FRAME_LIMIT, &bytes) != STATUS_OK ||
        wire_unpack(&wire__checkpoint_offer__descriptor, bytes_buffer_view(&bytes), bytes.size, &arena,
                    &message) != STATUS_OK)
        return 2;
    (void)witness_offer(agent, (const Wire__CheckpointOffer *)(const void *)message, 1, PARTNERSHIP_NOW,
                        &frame);
    return 0; /* it should have died */
}

static void die_at(struct house *house, const char *point, const struct offer *offer)
{
    struct byte_buffer bytes = bytes_buffer(WIRE_FRAME_LIMIT);
    char file[320];
    int result = 0;

    snprintf(file, sizeof file, "%s/offer", house->partnership->folder);
    wire_pack(&offer->message.base, &bytes);
    assert_int_equal(safefile_write(file, bytes_buffer_view(&bytes), 0600), STATUS_OK);
    bytes_buffer_free(&bytes);
    agent_close(&house->agent);
    const pid_t child = fork();
    if (child == 0) {
        setenv("CONCORDAT_CRASH", point, 1);
        execl("/proc/self/exe", "test_witness", house->folder, file, (char *)NULL);
        _exit(3);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
    open_agent(house);
}

/* It dies at each point while it cosigns: what left is held, and what is held is not taken back. */
static void killed_while_cosigning(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *point;
        bool held;
    } cases[] = {{"witness.checked:1", false},
                 {"witnessed.floor:1", true},
                 {"witnessed.kept:1", true},
                 {"witness.answered:1", true}};
    size_t held = 5;

    cosign(house, 0, held);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct offer offer;

        make_offer(house, held, held + 5, ENTRIES, &offer);
        die_at(house, cases[i].point, &offer);
        free_offer(&offer);
        held += cases[i].held ? 5 : 0;
        assert_int_equal(held_size(house), held);
        make_offer(house, held, held + 1, held - 1,
                   &offer); /* another history of what it may have cosigned */
        refused(house, &offer, held);
        free_offer(&offer);
    }
    cosign(house, held, held + 1);
}
#endif

#define STORY(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
#ifdef CONCORDAT_CRASH_POINTS
    if (argc == 3)
        return cosign_and_die(argv[1], argv[2]);
#endif
    (void)argc;
    (void)argv;
    const struct CMUnitTest tests[] = {
        STORY(what_continues_is_cosigned),
        STORY(a_fork_is_refused_and_kept),
        STORY(forks_do_not_fill_the_disk),
        STORY(a_proof_that_is_none_is_a_fork),
        STORY(another_belief_is_no_fork),
        STORY(what_another_key_signed_is_not_answered),
        STORY(only_a_named_witness_cosigns),
        STORY(neither_a_restored_database_nor_a_lost_floor_takes_it_back),
        STORY(a_damaged_record_cosigns_nothing),
        STORY(what_cannot_be_remembered_is_not_cosigned),
        STORY(a_welcome_shows_a_fork_as_well),
#ifdef CONCORDAT_CRASH_POINTS
        STORY(killed_while_cosigning),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
