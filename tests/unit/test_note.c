#include "tests/support/support.h"

#include <string.h>

#include "proto/note.h"

#define LOG_VKEY "broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define LOG_LINE                                                                                             \
    "\xe2\x80\x94 broker.example/log "                                                                       \
    "lVSOIg3VT2KbAjcpzG2bATzBN3d9ix2T805Py2LvG4qAd6M+RlNIJjdgxzeC3H3XSFOWwLozffvtGbc8XF9V7Xn/LwI=\n"
#define WITNESS_VKEY "agency.example/witness+b468b6b6+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
#define WITNESS_LINE                                                                                         \
    "\xe2\x80\x94 agency.example/witness "                                                                   \
    "tGi2tgAAAABlU/EALaKN0IoSrPlyZBFT1XWJJ1YSy/CbekH9qNDgfCehCIgzl+iicglqh/"                                 \
    "JNRL0cldbfo1nIrC1VN5ASruYa5CeIDA==\n"
#define TEXT         "broker.example/log\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"
#define UNKNOWN_LINE "\xe2\x80\x94 someone.example AAAAAAA=\n"

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

/* A key pair from a seed of 32 consecutive bytes. */
static struct note_key *make_signer(uint8_t first, const char *name, enum note_key_type type,
                                    struct ed25519_key **ret_ed25519)
{
    struct note_key *key = NULL;
    uint8_t seed[ED25519_SEED_SIZE];

    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(first + i);
    assert_int_equal(ed25519_private(seed, ret_ed25519), STATUS_OK);
    assert_int_equal(note_key_new(view(name), type, *ret_ed25519, &key), STATUS_OK);
    return key;
}

static enum status verify_text(const char *text, const struct note_key *const *keys, size_t n,
                               struct note_signed *ret_signed)
{
    struct note note;

    assert_int_equal(note_parse(view(text), &note), STATUS_OK);
    return note_verify(&note, keys, n, ret_signed);
}

static void known_signatures_verify(void **state)
{
    (void)state;
    struct note_key *log = parse_key(LOG_VKEY);
    struct note_key *witness = parse_key(WITNESS_VKEY);
    const struct note_key *const keys[] = {witness, log};
    struct note_signed by[2] = {{.time = 77}, {.time = 77}};

    assert_int_equal(verify_text(TEXT "\n" LOG_LINE WITNESS_LINE, keys, 2, by), STATUS_OK);
    assert_true(by[0].by && by[1].by);
    assert_true(by[0].time == 1700000000000);
    assert_true(by[1].time == 0);
    assert_int_equal(verify_text(TEXT "\n" UNKNOWN_LINE LOG_LINE UNKNOWN_LINE LOG_LINE, keys, 2, by),
                     STATUS_OK);
    assert_true(!by[0].by && by[1].by);
    note_key_free(&log);
    note_key_free(&witness);
    assert_null(log);
    note_key_free(&log);
}

static void a_bad_signature_of_a_known_key_refuses_the_note(void **state)
{
    (void)state;
    struct note_key *log = parse_key(LOG_VKEY);
    struct note_key *witness = parse_key(WITNESS_VKEY);
    const struct note_key *const keys[] = {log, witness};
    struct note_signed by[2] = {{.time = 77}, {.time = 77}};
    static const char *const bad[] = {
        "x" TEXT "\n" LOG_LINE,
        "\n" TEXT "\n" LOG_LINE WITNESS_LINE,
        /* the right log signature, and one of a changed time by the witness */
        TEXT "\n" LOG_LINE "\xe2\x80\x94 agency.example/witness "
             "tGi2tgAAAABlU/EBLaKN0IoSrPlyZBFT1XWJJ1YSy/CbekH9qNDgfCehCIgzl+iicglqh/"
             "JNRL0cldbfo1nIrC1VN5ASruYa5CeIDA"
             "==\n",
        /* a known key's id with a signature that is too short, or too long */
        TEXT "\n" LOG_LINE "\xe2\x80\x94 broker.example/log lVSOIg0=\n",
        TEXT "\n"
             "\xe2\x80\x94 broker.example/log "
             "lVSOIg3VT2KbAjcpzG2bATzBN3d9ix2T805Py2LvG4qAd6M+RlNIJjdgxzeC3H3XSFOWwLozffvtGbc8XF9V7Xn/LwIA\n",
        TEXT "\n" LOG_LINE "\xe2\x80\x94 agency.example/witness tGi2tv//////////AAAA\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (verify_text(bad[i], keys, 2, by) != STATUS_BAD_SIGNATURE)
            fail_msg("accepted note %zu", i);
        assert_true(!by[0].by && by[0].time == 77);
    }
    note_key_free(&log);
    note_key_free(&witness);
}

static void unknown_keys_are_no_signature(void **state)
{
    (void)state;
    struct note_key *witness = parse_key(WITNESS_VKEY);
    const struct note_key *const keys[] = {witness};
    struct note_signed by = {.time = 77};

    assert_int_equal(verify_text(TEXT "\n" LOG_LINE, keys, 1, &by), STATUS_UNKNOWN_KEY);
    /* the id of a known key with another name, and the other way round */
    assert_int_equal(verify_text(TEXT "\n\xe2\x80\x94 agency.example/other tGi2tgA=\n", keys, 1, &by),
                     STATUS_UNKNOWN_KEY);
    assert_int_equal(verify_text(TEXT "\n\xe2\x80\x94 agency.example/witness tGi2twA=\n", keys, 1, &by),
                     STATUS_UNKNOWN_KEY);
    assert_int_equal(verify_text(TEXT "\n" LOG_LINE, NULL, 0, NULL), STATUS_UNKNOWN_KEY);
    assert_int_equal(by.time, 77);
    note_key_free(&witness);
}

static void a_time_beyond_milliseconds_is_refused(void **state)
{
    (void)state;
    struct ed25519_key *pair = NULL;
    struct note_key *key = make_signer(0x20, "agency.example/witness", NOTE_KEY_COSIGNATURE, &pair);
    const struct note_key *const keys[] = {key};
    const uint64_t seconds[] = {INT64_MAX / 1000, INT64_MAX / 1000 + 1, UINT64_MAX};

    for (size_t i = 0; i < 3; i++) {
        struct byte_buffer message = bytes_buffer(200);
        struct byte_buffer note = bytes_buffer(400);
        uint8_t payload[NOTE_KEY_ID_SIZE + 8 + ED25519_SIGNATURE_SIZE];
        char base64[120];
        struct note_signed by = {0};
        bytes_append_format(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)seconds[i]);
        bytes_append_string(&message, "text\n");
        memcpy(payload, note_key_id(key), NOTE_KEY_ID_SIZE);
        bytes_put_u64(payload + NOTE_KEY_ID_SIZE, seconds[i]);
        assert_int_equal(ed25519_sign(pair, bytes_buffer_view(&message), payload + 12), STATUS_OK);
        bytes_to_base64(payload, sizeof payload, base64);
        bytes_append_format(&note, "text\n\n\xe2\x80\x94 agency.example/witness %s\n", base64);
        bytes_append_u8(&note, 0);
        assert_int_equal(verify_text((const char *)note.data, keys, 1, &by),
                         i == 0 ? STATUS_OK : STATUS_BAD_SIGNATURE);
        bytes_buffer_free(&message);
        bytes_buffer_free(&note);
    }
    note_key_free(&key);
    ed25519_free(&pair);
}

static void the_newest_cosignature_counts(void **state)
{
    (void)state;
    struct ed25519_key *pair = NULL;
    struct note_key *key = make_signer(0x20, "w", NOTE_KEY_COSIGNATURE, &pair);
    const struct note_key *const keys[] = {key};
    struct byte_buffer buffer = bytes_buffer(NOTE_SIZE_MAX);
    struct note note;
    struct note_signed by;
    static const int64_t times[] = {5000, 9999, 3000};

    assert_int_equal(note_start(view(TEXT), &buffer), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(note_sign(view(TEXT), key, times[i], &buffer), STATUS_OK);
    assert_int_equal(note_parse(bytes_buffer_view(&buffer), &note), STATUS_OK);
    assert_int_equal(note_verify(&note, keys, 1, &by), STATUS_OK);
    assert_true(by.by && by.time == 9000);
    bytes_buffer_free(&buffer);
    note_key_free(&key);
    ed25519_free(&pair);
}

static void malformed_notes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n" LOG_LINE,
        "\n" LOG_LINE,
        "text\n\n" LOG_LINE "\n",
        "text\n\n" LOG_LINE "x",
        "text\n\n\n",
        "te\txt\n\n" LOG_LINE,
        "te\rxt\n\n" LOG_LINE,
        "te\x01xt\n\n" LOG_LINE,
        "te\xffxt\n\n" LOG_LINE,
        "te\xc0\xafxt\n\n" LOG_LINE,
        "te\xed\xa0\x80xt\n\n" LOG_LINE,
        "text\n\n- name AAAAAAA=\n",
        "text\n\n\xe2\x80\x93 name AAAAAAA=\n",
        "text\n\n\xe2\x80\x94name AAAAAAA=\n",
        "text\n\n\xe2\x80\x94  AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 name\n",
        "text\n\n\xe2\x80\x94 name \n",
        "text\n\n\xe2\x80\x94 name AAAAAA==\n", /* a key id without a signature */
        "text\n\n\xe2\x80\x94 name AAAAAAA\n",
        "text\n\n\xe2\x80\x94 name AAAAAAB=\n",
        "text\n\n\xe2\x80\x94 name  AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 name AAAAAAA= \n",
        "text\n\n\xe2\x80\x94 na+me AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 na\xc2\xa0me AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 na\xe2\x80\x83me AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 na\x02me AAAAAAA=\n",
        "text\n\n" LOG_LINE "text\n",
        "text\n\n" LOG_LINE "\xe2\x80\x94 name AAAAAAA=",
    };
    struct note note = {.signature_count = 77};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (note_parse(view(bad[i]), &note) != STATUS_BAD_FORMAT)
            fail_msg("accepted note %zu: %s", i, bad[i]);
        assert_int_equal(note.signature_count, 77);
    }
    assert_int_equal(note_parse(bytes_view("te\0xt\n\n\xe2\x80\x94 name AAAAAAA=\n", 27), &note),
                     STATUS_BAD_FORMAT);
}

static void a_text_may_hold_blank_lines(void **state)
{
    (void)state;
    struct note note;

    assert_int_equal(note_parse(view("a\n\nb\n\n\n" LOG_LINE), &note), STATUS_OK);
    assert_true(bytes_equal(note.text, view("a\n\nb\n\n")));
    assert_int_equal(note_parse(view("\n\n" LOG_LINE), &note), STATUS_OK);
    assert_true(bytes_equal(note.text, view("\n")));
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct byte_buffer buffer = bytes_buffer(2 * NOTE_SIZE_MAX);
    struct note note;

    bytes_append_string(&buffer, "text\n\n");
    for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
        bytes_append_string(&buffer, UNKNOWN_LINE);
    assert_int_equal(note_parse(bytes_buffer_view(&buffer), &note), STATUS_OK);
    assert_int_equal(note.signature_count, NOTE_SIGNATURES_MAX);
    bytes_append_string(&buffer, UNKNOWN_LINE);
    assert_int_equal(note_parse(bytes_buffer_view(&buffer), &note), STATUS_BAD_FORMAT);

    bytes_buffer_clear(&buffer);
    while (buffer.size < NOTE_SIZE_MAX - strlen("\n\n" UNKNOWN_LINE))
        bytes_append_u8(&buffer, 'x');
    bytes_append_string(&buffer, "\n\n" UNKNOWN_LINE);
    assert_int_equal(note_parse(bytes_buffer_view(&buffer), &note), STATUS_OK);
    bytes_buffer_clear(&buffer);
    while (buffer.size < NOTE_SIZE_MAX - strlen("\n\n" UNKNOWN_LINE) + 1)
        bytes_append_u8(&buffer, 'x');
    bytes_append_string(&buffer, "\n\n" UNKNOWN_LINE);
    assert_int_equal(note_parse(bytes_buffer_view(&buffer), &note), STATUS_BAD_FORMAT);
    bytes_buffer_free(&buffer);
}

static void signature_lines_alone_are_read_and_appended(void **state)
{
    (void)state;
    struct note_key *witness = parse_key(WITNESS_VKEY);
    const struct note_key *const keys[] = {witness};
    struct byte_buffer buffer = bytes_buffer(1000);
    struct note_signed by;
    struct note note;

    assert_int_equal(note_parse_signatures(view(TEXT), view(WITNESS_LINE), &note), STATUS_OK);
    assert_int_equal(note_verify(&note, keys, 1, &by), STATUS_OK);
    bytes_append_string(&buffer, TEXT "\n" LOG_LINE);
    note_append_signature(&note.signatures[0], &buffer);
    assert_true(bytes_equal(bytes_buffer_view(&buffer), view(TEXT "\n" LOG_LINE WITNESS_LINE)));

    assert_int_equal(note_parse_signatures(view(TEXT), view(""), &note), STATUS_BAD_FORMAT);
    assert_int_equal(note_parse_signatures(view(TEXT), view("\n" WITNESS_LINE), &note), STATUS_BAD_FORMAT);
    assert_int_equal(note_parse_signatures(view("no newline"), view(WITNESS_LINE), &note), STATUS_BAD_FORMAT);
    bytes_buffer_clear(&buffer);
    assert_int_equal(note_start(view("no newline"), &buffer), STATUS_BAD_FORMAT);
    assert_int_equal(note_start(view(""), &buffer), STATUS_BAD_FORMAT);
    assert_int_equal(note_start(view("a\x1f\n"), &buffer), STATUS_BAD_FORMAT);
    bytes_buffer_free(&buffer);
    note_key_free(&witness);
}

static void verifier_keys_are_written_and_read(void **state)
{
    (void)state;
    static const char *const good[] = {
        LOG_VKEY,
        WITNESS_VKEY,
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN",
    };
    struct ed25519_key *pair = NULL;
    char vkey[NOTE_KEY_VKEY_SIZE];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct note_key *key = parse_key(good[i]);
        note_key_vkey(key, vkey);
        assert_string_equal(vkey, good[i]);
        assert_int_equal(note_key_type(key), i % 2 == 0 ? NOTE_KEY_ED25519 : NOTE_KEY_COSIGNATURE);
        note_key_free(&key);
    }
    struct note_key *signer = make_signer(0, "broker.example/log", NOTE_KEY_ED25519, &pair);
    note_key_vkey(signer, vkey);
    assert_string_equal(vkey, LOG_VKEY);
    note_key_free(&signer);

    char longest[NOTE_KEY_NAME_MAX + 2] = {0};
    memset(longest, 'n', NOTE_KEY_NAME_MAX);
    assert_int_equal(note_key_new(view(longest), NOTE_KEY_ED25519, pair, &signer), STATUS_OK);
    note_key_vkey(signer, vkey);
    assert_int_equal(strlen(vkey), NOTE_KEY_VKEY_SIZE - 1);
    note_key_free(&signer);
    longest[NOTE_KEY_NAME_MAX] = 'n';
    assert_int_equal(note_key_new(view(longest), NOTE_KEY_ED25519, pair, &signer), STATUS_BAD_ARGUMENT);
    assert_int_equal(note_key_new(view(""), NOTE_KEY_ED25519, pair, &signer), STATUS_BAD_ARGUMENT);
    assert_int_equal(note_key_new(view("a\nb"), NOTE_KEY_ED25519, pair, &signer), STATUS_BAD_ARGUMENT);
    ed25519_free(&pair);
}

static void bad_verifier_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *vkey;
        enum status status;
    } bad[] = {
        {"", STATUS_BAD_FORMAT},
        {"name", STATUS_BAD_FORMAT},
        {"name+95548e22", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e23+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", STATUS_BAD_FORMAT},
        {"broker.example/log+95548E22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", STATUS_BAD_FORMAT},
        {"broker.example/lag+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", STATUS_BAD_FORMAT},
        {"+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e22+", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e22+AQ==", STATUS_BAD_FORMAT},
        {"broker.example/log+95548e22+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", STATUS_UNSUPPORTED},
        {"broker.example/log+95548e22+BgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AAAA", STATUS_UNSUPPORTED},
        {"broker.example/log+95548e22+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STATUS_BAD_FORMAT},
    };
    struct note_key *key = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum status status = note_key_parse(view(bad[i].vkey), &key);
        if (status != bad[i].status)
            fail_msg("%s: %s", bad[i].vkey, status_text(status));
        assert_null(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_signatures_verify),
        cmocka_unit_test(a_bad_signature_of_a_known_key_refuses_the_note),
        cmocka_unit_test(unknown_keys_are_no_signature),
        cmocka_unit_test(a_time_beyond_milliseconds_is_refused),
        cmocka_unit_test(the_newest_cosignature_counts),
        cmocka_unit_test(malformed_notes_are_refused),
        cmocka_unit_test(a_text_may_hold_blank_lines),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(signature_lines_alone_are_read_and_appended),
        cmocka_unit_test(verifier_keys_are_written_and_read),
        cmocka_unit_test(bad_verifier_keys_are_refused),
    };
    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
