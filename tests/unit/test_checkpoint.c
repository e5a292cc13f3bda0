#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/checkpoint.h"
#include "proto/tile_reader.h"

#define GROWING      TEST_VECTORS "/tlog/growing"
#define GROWING_VKEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define WITNESSED    TEST_VECTORS "/tlog/witnessed"
#define WITNESS_VKEY "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN"
#define MIRROR_VKEY  "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O"
#define SIZES        16

static struct byte_view view(const char *text)
{
    return bytes_of_string(text);
}

static struct note_key *parse_key(const char *vkey)
{
    struct note_key *key = NULL;

    assert_int_equal(note_key_parse(view(vkey), &key), STATUS_OK);
    return key;
}

/* Tiles in a folder; context is its name. The growing log's tile stands there at its widest. */
static enum status read_file_tile(void *context, const struct tile_id *id, struct digest *ret_hashes)
{
    struct tile_id stored = *id;
    char path[TILE_PATH_SIZE];
    char whole[512];

    if (strcmp(context, GROWING) == 0)
        stored.width = 15;
    tile_path(&stored, path);
    snprintf(whole, sizeof whole, "%s/%s", (const char *)context, path);
    struct byte_buffer tile = support_read_file(whole);
    assert_int_equal(tile.size, stored.width * DIGEST_SIZE);
    memcpy(ret_hashes, tile.data, id->width * sizeof *ret_hashes);
    bytes_buffer_free(&tile);
    return STATUS_OK;
}

static struct tile_reader *open_folder(const char *folder, uint64_t size)
{
    struct tile_source source = {read_file_tile, (void *)(uintptr_t)folder};
    struct tile_reader *reader = NULL;

    assert_int_equal(tile_reader_new(&source, size, &reader), STATUS_OK);
    return reader;
}

static void assert_same(const struct digest *a, const struct digest *b)
{
    assert_memory_equal(a->bytes, b->bytes, DIGEST_SIZE);
}

/* The growing log's root at a size, from its signed checkpoint. */
static struct digest signed_root(unsigned size, const struct note_key *log)
{
    char path[512];
    struct checkpoint checkpoint;

    snprintf(path, sizeof path, GROWING "/checkpoint.%u", size);
    struct byte_buffer file = support_read_file(path);
    assert_int_equal(checkpoint_open(bytes_buffer_view(&file), log, NULL, &checkpoint), STATUS_OK);
    assert_int_equal(checkpoint.size, size);
    assert_true(bytes_equal(checkpoint.origin, view("example.com/log/testdata")));
    assert_int_equal(checkpoint.extensions.size, 0);
    bytes_buffer_free(&file);
    return checkpoint.root;
}

static void a_growing_log_is_signed_and_consistent(void **state)
{
    (void)state;
    struct note_key *log = parse_key(GROWING_VKEY);
    struct byte_buffer bundle = support_read_file(GROWING "/tile/entries/000.p/15");
    struct byte_view entries[TILE_WIDTH];
    struct digest leaves[SIZES];
    struct digest roots[SIZES];

    assert_int_equal(tile_parse_bundle(bytes_buffer_view(&bundle), SIZES - 1, entries), STATUS_OK);
    for (unsigned i = 0; i < SIZES - 1; i++)
        leaves[i] = merkle_leaf(entries[i]);
    for (unsigned size = 0; size < SIZES; size++) {
        struct tile_reader *reader = open_folder(GROWING, size);
        struct digest from_tiles;
        roots[size] = signed_root(size, log);
        struct digest from_entries = merkle_root(leaves, size);
        assert_same(&from_entries, &roots[size]);
        assert_int_equal(tile_reader_root(reader, &from_tiles), STATUS_OK);
        assert_same(&from_tiles, &roots[size]);
        for (unsigned old = 0; old <= size; old++) {
            struct digest proof[MERKLE_CONSISTENCY_MAX];
            size_t length = 0;
            assert_int_equal(tile_reader_consistency(reader, old, proof, &length), STATUS_OK);
            assert_int_equal(merkle_verify_consistency(old, size, proof, length, &roots[old], &roots[size]),
                             STATUS_OK);
        }
        tile_reader_free(&reader);
    }
    bytes_buffer_free(&bundle);
    note_key_free(&log);
}

/* Opens a file of the witnessed log, whose cosigner must be key. The file is the caller's to free. */
static struct checkpoint cosigned(const char *path, const struct note_key *key, struct byte_buffer *ret_file)
{
    const struct note_key *const witnesses[] = {key};
    struct checkpoint checkpoint;
    struct note note;
    struct note_signed by;
    size_t count = 0;

    *ret_file = support_read_file(path);
    assert_int_equal(note_parse(bytes_buffer_view(ret_file), &note), STATUS_OK);
    assert_int_equal(checkpoint_parse(note.text, &checkpoint), STATUS_OK);
    assert_int_equal(checkpoint.size, 300);
    assert_int_equal(checkpoint_witnessed(&note, witnesses, 1, &by, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_true(by.by && by.time == (int64_t)1767139200 * 1000);
    ret_file->data[3] ^= 1; /* another origin */
    assert_int_equal(checkpoint_witnessed(&note, witnesses, 1, &by, &count), STATUS_BAD_SIGNATURE);
    ret_file->data[3] ^= 1;
    return checkpoint;
}

static void a_mirrored_checkpoint_matches_its_tiles(void **state)
{
    (void)state;
    struct note_key *mirror = parse_key(MIRROR_VKEY);
    struct note_key *witness = parse_key(WITNESS_VKEY);
    struct byte_buffer file;
    struct byte_buffer made_up_file;
    struct checkpoint checkpoint = cosigned(WITNESSED "/checkpoint.mirror", mirror, &file);
    struct checkpoint made_up = cosigned(WITNESSED "/checkpoint.witness", witness, &made_up_file);
    struct tile_reader *reader = open_folder(WITNESSED, 300);
    struct digest root;

    assert_int_equal(tile_reader_root(reader, &root), STATUS_OK);
    assert_same(&root, &checkpoint.root);
    /* well signed, but of no tree: a cosignature alone says nothing about the tiles at hand */
    assert_memory_not_equal(root.bytes, made_up.root.bytes, DIGEST_SIZE);
    tile_reader_free(&reader);
    bytes_buffer_free(&file);
    bytes_buffer_free(&made_up_file);
    note_key_free(&mirror);
    note_key_free(&witness);
}

static struct ed25519_key *pair_from(uint8_t first)
{
    struct ed25519_key *pair = NULL;
    uint8_t seed[ED25519_SEED_SIZE];

    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(first + i);
    assert_int_equal(ed25519_private(seed, &pair), STATUS_OK);
    return pair;
}

static void three_entries_give_the_golden_checkpoint(void **state)
{
    (void)state;
    struct ed25519_key *log_pair = pair_from(0x00);
    struct ed25519_key *witness_pair = pair_from(0x20);
    struct note_key *log = NULL;
    struct note_key *witness = NULL;
    struct byte_buffer golden = support_read_file(TEST_VECTORS "/tlog/three-entries.checkpoint");
    struct byte_buffer made = bytes_buffer(NOTE_SIZE_MAX);
    struct merkle_frontier frontier = {0};
    struct checkpoint checkpoint = {.origin = view("broker.example/log"), .size = 3};
    struct note note;
    struct note_signed by;
    size_t count = 77;

    assert_int_equal(note_key_new(checkpoint.origin, NOTE_KEY_ED25519, log_pair, &log), STATUS_OK);
    assert_int_equal(
        note_key_new(view("agency.example/witness"), NOTE_KEY_COSIGNATURE, witness_pair, &witness),
        STATUS_OK);
    for (const char *entry = "abc"; *entry != '\0'; entry++) {
        struct digest leaf = merkle_leaf(bytes_view(entry, 1));
        merkle_frontier_append(&frontier, &leaf);
    }
    checkpoint.root = merkle_frontier_root(&frontier);
    assert_int_equal(checkpoint_sign(&checkpoint, log, &made), STATUS_OK);
    assert_int_equal(checkpoint_open(bytes_buffer_view(&made), log, &note, &checkpoint), STATUS_OK);
    const struct note_key *const witnesses[] = {witness};
    assert_int_equal(checkpoint_witnessed(&note, witnesses, 1, &by, &count), STATUS_OK);
    assert_int_equal(count, 0);
    assert_false(by.by);

    struct byte_buffer text = bytes_buffer(1000);
    bytes_append_view(&text, note.text); /* the note moves as it grows */
    assert_int_equal(checkpoint_cosign(bytes_buffer_view(&text), witness, 1700000000999, &made), STATUS_OK);
    assert_true(bytes_equal(bytes_buffer_view(&made), bytes_buffer_view(&golden)));
    assert_int_equal(checkpoint_open(bytes_buffer_view(&made), log, &note, &checkpoint), STATUS_OK);
    assert_int_equal(checkpoint_witnessed(&note, witnesses, 1, &by, &count), STATUS_OK);
    assert_int_equal(count, 1);
    bytes_buffer_free(&text);
    bytes_buffer_free(&made);
    bytes_buffer_free(&golden);
    note_key_free(&log);
    note_key_free(&witness);
    ed25519_free(&log_pair);
    ed25519_free(&witness_pair);
}

#define ROOT       "NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"
#define EMPTY_ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static void checkpoints_are_written_as_they_were_read(void **state)
{
    (void)state;
    static const char *const good[] = {
        "o\n3\n" ROOT,
        "o\n0\n" EMPTY_ROOT,
        "a name + spaces\n9223372036854775807\n" ROOT,
        "o\n3\n" ROOT "extension\nanother one\n",
    };
    struct byte_buffer again = bytes_buffer(1000);
    struct checkpoint checkpoint;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        bytes_buffer_clear(&again);
        assert_int_equal(checkpoint_parse(view(good[i]), &checkpoint), STATUS_OK);
        assert_int_equal(checkpoint_format(&checkpoint, &again), STATUS_OK);
        assert_true(bytes_equal(bytes_buffer_view(&again), view(good[i])));
    }
    assert_true(bytes_equal(checkpoint.extensions, view("extension\nanother one\n")));
    bytes_buffer_free(&again);
}

static void malformed_checkpoints_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "o\n",
        "o\n3\n",
        "\n3\n" ROOT,
        "o\n\n" ROOT,
        "o\n03\n" ROOT,
        "o\n+3\n" ROOT,
        "o\n-3\n" ROOT,
        "o\n3 \n" ROOT,
        "o\n0x3\n" ROOT,
        "o\n9223372036854775808\n" ROOT,
        "o\n18446744073709551619\n" ROOT,
        "o\n99999999999999999999999\n" ROOT,
        "o\n0\n" ROOT,
        "o\n00\n" EMPTY_ROOT,
        "o\n3\n\n",
        "o\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=",
        "o\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE\n",
        "o\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsF=\n",
        "o\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHg==\n",
        "o\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsEA\n",
        "o\n3\n" ROOT "\n",
        "o\n3\n" ROOT "x",
        "o\n3\n" ROOT "x\n\ny\n",
    };
    struct checkpoint checkpoint = {.size = 77};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (checkpoint_parse(view(bad[i]), &checkpoint) != STATUS_BAD_FORMAT)
            fail_msg("accepted checkpoint %zu: %s", i, bad[i]);
        assert_int_equal(checkpoint.size, 77);
    }
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
    (void)state;
    const struct checkpoint bad[] = {
        {.origin = {NULL, 0}, .size = 1},
        {.origin = view("o\n1"), .size = 1},
        {.origin = view("o"), .size = (uint64_t)INT64_MAX + 1},
        {.origin = view("o"), .size = 0},
        {.origin = view("o"), .size = 1, .extensions = view("x")},
        {.origin = view("o"), .size = 1, .extensions = view("x\n\n")},
    };
    struct byte_buffer out = bytes_buffer(1000);
    struct ed25519_key *pair = pair_from(0);
    struct note_key *log = NULL;
    struct note_key *witness = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(checkpoint_format(&bad[i], &out), STATUS_BAD_ARGUMENT);
    assert_int_equal(out.size, 0);
    assert_int_equal(note_key_new(view("o"), NOTE_KEY_ED25519, pair, &log), STATUS_OK);
    assert_int_equal(note_key_new(view("w"), NOTE_KEY_COSIGNATURE, pair, &witness), STATUS_OK);
    const struct checkpoint other = {.origin = view("p"), .size = 1};
    assert_int_equal(checkpoint_sign(&other, log, &out), STATUS_MISMATCH);
    assert_int_equal(checkpoint_cosign(view("o\n1\n"), witness, 0, &out), STATUS_BAD_FORMAT);
    assert_int_equal(out.size, 0);
    note_key_free(&log);
    note_key_free(&witness);
    ed25519_free(&pair);
    bytes_buffer_free(&out);
}

static void another_logs_checkpoint_does_not_open(void **state)
{
    (void)state;
    struct note_key *log = parse_key(GROWING_VKEY);
    struct byte_buffer file = support_read_file(GROWING "/checkpoint.5");
    struct byte_buffer golden = support_read_file(TEST_VECTORS "/tlog/three-entries.checkpoint");
    struct byte_buffer unsigned_note = bytes_buffer(1000);
    struct checkpoint checkpoint = {.size = 77};

    assert_int_equal(checkpoint_open(bytes_buffer_view(&golden), log, NULL, &checkpoint), STATUS_MISMATCH);
    bytes_append_string(&unsigned_note, "example.com/log/testdata\n3\n" ROOT "\n\xe2\x80\x94 w AAAAAAA=\n");
    assert_int_equal(checkpoint_open(bytes_buffer_view(&unsigned_note), log, NULL, &checkpoint),
                     STATUS_UNKNOWN_KEY);
    uint8_t *size = memchr(file.data, '5', file.size);
    *size = '6';
    assert_int_equal(checkpoint_open(bytes_buffer_view(&file), log, NULL, &checkpoint), STATUS_BAD_SIGNATURE);
    *size = 'x';
    assert_int_equal(checkpoint_open(bytes_buffer_view(&file), log, NULL, &checkpoint), STATUS_BAD_FORMAT);
    assert_int_equal(checkpoint.size, 77);
    bytes_buffer_free(&file);
    bytes_buffer_free(&golden);
    bytes_buffer_free(&unsigned_note);
    note_key_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_growing_log_is_signed_and_consistent),
        cmocka_unit_test(a_mirrored_checkpoint_matches_its_tiles),
        cmocka_unit_test(three_entries_give_the_golden_checkpoint),
        cmocka_unit_test(checkpoints_are_written_as_they_were_read),
        cmocka_unit_test(malformed_checkpoints_are_refused),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
        cmocka_unit_test(another_logs_checkpoint_does_not_open),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
