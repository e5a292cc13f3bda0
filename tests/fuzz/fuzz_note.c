/* A note is refused, or its parts give it back byte for byte. Verifying it never accepts a changed one. */
#include <stdlib.h>

#include "proto/note.h"

#define LOG_VKEY     "broker.example/log+95548e22+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define WITNESS_VKEY "agency.example/witness+b468b6b6+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
#define SIGNED_TEXT  "broker.example/log\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct note_key *parse_key(struct byte_view vkey)
{
    struct note_key *key = NULL;

    if (note_key_parse(vkey, &key) == STATUS_OK) {
        char again[NOTE_KEY_VKEY_SIZE];
        note_key_vkey(key, again);
        if (!bytes_equal(bytes_of_string(again), vkey))
            abort();
    }
    return key;
}

static void verify(const struct note *note)
{
    struct note_key *log = parse_key(bytes_of_string(LOG_VKEY));
    struct note_key *witness = parse_key(bytes_of_string(WITNESS_VKEY));
    const struct note_key *const keys[] = {log, witness};
    struct note_signed by[2];

    if (log == NULL || witness == NULL)
        abort();
    if (note_verify(note, keys, 2, by) == STATUS_OK && !bytes_equal(note->text, bytes_of_string(SIGNED_TEXT)))
        abort();
    note_key_free(&log);
    note_key_free(&witness);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_view bytes = bytes_view(data, size);
    struct note_key *key = parse_key(bytes);
    struct note note;

    note_key_free(&key);
    if (note_parse(bytes, &note) != STATUS_OK)
        return 0;
    struct byte_buffer again = bytes_buffer(NOTE_SIZE_MAX);
    if (note_start(note.text, &again) != STATUS_OK)
        abort();
    for (size_t i = 0; i < note.signature_count; i++)
        note_append_signature(&note.signatures[i], &again);
    if (!bytes_equal(bytes_buffer_view(&again), bytes))
        abort();
    bytes_buffer_free(&again);
    verify(&note);
    return 0;
}
