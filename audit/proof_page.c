#include "audit/proof_page.h"

#include <inttypes.h>
#include <string.h>

#include "audit/disclosure.h"
#include "proto/checkpoint.h"

#define COMMANDS_LIMIT ((size_t)64 << 10)
#define BASE64_LINE    48 /* bytes that make a line of 64 characters */

/* ---- the commands ---- */

/* A file made of bytes: openssl reads base64 in lines. */
static void append_file(struct byte_buffer *out, const char *name, struct byte_view bytes)
{
    char line[4 * (BASE64_LINE / 3) + 1];

    bytes_append_format(out, "openssl base64 -d > %s <<.\n", name);
    for (size_t at = 0; at < bytes.size; at += BASE64_LINE) {
        const size_t rest = bytes.size - at;
        bytes_to_base64(bytes.data + at, rest < BASE64_LINE ? rest : BASE64_LINE, line);
        bytes_append_format(out, "%s\n", line);
    }
    bytes_append_string(out, ".\n");
}

static void append_hmac(struct byte_buffer *out, const uint8_t *salt, const char *file)
{
    char hex[2 * RECORD_SALT_SIZE + 1];

    bytes_to_hex(salt, RECORD_SALT_SIZE, hex);
    bytes_append_format(out, "  openssl dgst -sha256 -mac HMAC -macopt hexkey:%s \\\n    -binary %s\n", hex,
                        file);
}

static void append_entry(struct byte_buffer *out, const struct entry_proof *proof)
{
    char commitment[2 * DIGEST_SIZE];

    bytes_append_string(out, "# 1. The record, and the log entry that commits to it.\n");
    append_file(out, "account", proof->account);
    if (proof->personal_salt != NULL)
        append_file(out, "personal", proof->personal);
    bytes_append_format(out, "{ printf '\\%03o\\%03o'\n", proof->entry[0], proof->entry[1]);
    append_hmac(out, proof->account_salt, "account");
    if (proof->personal_salt != NULL) {
        append_hmac(out, proof->personal_salt, "personal");
    } else {
        bytes_to_base64(proof->entry + RECORD_ENTRY_SIZE - DIGEST_SIZE, DIGEST_SIZE, commitment);
        bytes_append_format(out, "  printf '%%s\\n' %s | openssl base64 -d\n", commitment);
    }
    bytes_append_string(out, "} > entry\n");
}

/* The path, the leaf's sibling first: at each level the sibling stands left or right (RFC 9162 §2.1.3.2). */
static void append_path(struct byte_buffer *out, const struct log_proof *log, uint64_t size)
{
    char sibling[2 * DIGEST_SIZE];
    uint64_t node = log->index;
    uint64_t last = size - 1;

    bytes_append_string(out, "# 2. From the entry up to the root of the log's tree.\n"
                             "left()  { printf '%s\\n' \"$1\" | openssl base64 -d > sibling\n"
                             "  { printf '\\001'; cat sibling node; } | openssl dgst -sha256 -binary > up\n"
                             "  mv up node; }\n"
                             "right() { printf '%s\\n' \"$1\" | openssl base64 -d > sibling\n"
                             "  { printf '\\001'; cat node sibling; } | openssl dgst -sha256 -binary > up\n"
                             "  mv up node; }\n"
                             "{ printf '\\000'; cat entry; } | openssl dgst -sha256 -binary > node\n");
    for (size_t i = 0; i < log->path_length; i++) {
        const bool is_left = (node & 1) != 0 || node == last;

        bytes_to_base64(log->path[i].bytes, DIGEST_SIZE, sibling);
        bytes_append_format(out, "%s %s\n", is_left ? "left " : "right", sibling);
        while (is_left && (node & 1) == 0 && node != 0) {
            node >>= 1;
            last >>= 1;
        }
        node >>= 1;
        last >>= 1;
    }
}

/* The signature of the log in the note: what follows the key id. */
static enum status find_signature(const struct note *note, const struct note_key *key,
                                  uint8_t out[static ED25519_SIGNATURE_SIZE])
{
    uint8_t decoded[NOTE_KEY_ID_SIZE + ED25519_SIGNATURE_SIZE];

    for (size_t i = 0; i < note->signature_count; i++) {
        const struct note_signature *line = &note->signatures[i];
        size_t size = 0;

        if (!bytes_equal(line->name, note_key_name(key)) ||
            memcmp(line->key_id, note_key_id(key), NOTE_KEY_ID_SIZE) != 0 ||
            bytes_from_base64((const char *)line->base64.data, line->base64.size, decoded, sizeof decoded,
                              &size) != STATUS_OK ||
            size != sizeof decoded)
            continue;
        memcpy(out, decoded + NOTE_KEY_ID_SIZE, ED25519_SIGNATURE_SIZE);
        return STATUS_OK;
    }
    return STATUS_BAD_FORMAT;
}

static enum status append_signature(struct byte_buffer *out, const struct log_proof *log,
                                    const struct note_key *key)
{
    /* SubjectPublicKeyInfo of an Ed25519 key up to the key itself, RFC 8410 §4. */
    uint8_t spki[12 + ED25519_PUBLIC_SIZE] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                              0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct note note;
    enum status status = note_parse(log->checkpoint, &note);

    if (status == STATUS_OK)
        status = find_signature(&note, key, signature);
    if (status != STATUS_OK)
        return status;
    ed25519_public_bytes(note_key_ed25519(key), spki + 12);
    bytes_append_string(out, "# 3. The root is the one in the checkpoint, and the log's key signed that.\n");
    append_file(out, "checkpoint", note.text);
    bytes_append_string(out, "[ \"$(openssl base64 -A -in node)\" = \"$(sed -n 3p checkpoint)\" ]\n");
    append_file(out, "signature", bytes_view(signature, sizeof signature));
    append_file(out, "key", bytes_view(spki, sizeof spki));
    bytes_append_string(out, "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key \\\n"
                             "  -in checkpoint -sigfile signature\n");
    return STATUS_OK;
}

static enum status make_commands(const struct entry_proof *proof, const struct log_proof *log,
                                 const struct entry_proof_told *told, const struct note_key *key,
                                 struct byte_buffer *out)
{
    bytes_append_string(out, "set -e\n");
    append_entry(out, proof);
    append_path(out, log, told->checkpoint.size);
    const enum status status = append_signature(out, log, key);
    return status == STATUS_OK ? out->status : status;
}

/* ---- the page ---- */

static void append_escaped(struct byte_buffer *out, struct byte_view text)
{
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '&':
            bytes_append_string(out, "&amp;");
            break;
        case '<':
            bytes_append_string(out, "&lt;");
            break;
        case '>':
            bytes_append_string(out, "&gt;");
            break;
        default:
            bytes_append_u8(out, text.data[i]);
            break;
        }
    }
}

static const char how[] =
    "Run the commands below with a POSIX shell, in an empty folder. They need openssl (3.0 or later) and "
    "nothing of\n"
    "ours. If they end with \"Signature Verified Successfully\", the record above is the one that stands in "
    "the log,\n"
    "and the log's key signed it; with any other end it is not. Hold the key against one that you had from "
    "somebody\n"
    "you trust. The words above stand in the files `account` and `personal`: strings account personal\n";

static void append_key(struct byte_buffer *out, const struct note_key *key)
{
    char vkey[NOTE_KEY_VKEY_SIZE];

    note_key_vkey(key, vkey);
    bytes_append_format(out, "Key of the log: %s\n", vkey);
}

static void append_text_page(struct byte_buffer *out, struct byte_view words, struct byte_view commands,
                             const struct note_key *key)
{
    bytes_append_string(out, "PROOF OF AN ENTRY IN A DISCLOSURE LOG\n\n");
    bytes_append_view(out, words);
    bytes_append_string(out, "\n");
    append_key(out, key);
    bytes_append_string(out, "\n");
    bytes_append_string(out, how);
    bytes_append_string(out, "\n---- commands ----\n");
    bytes_append_view(out, commands);
    bytes_append_string(out, "---- end ----\n");
}

static void append_html_page(struct byte_buffer *out, struct byte_view words, struct byte_view commands,
                             const struct note_key *key)
{
    struct byte_buffer text = bytes_buffer(4096);

    append_key(&text, key);
    bytes_append_string(&text, "\n");
    bytes_append_string(&text, how);
    bytes_append_string(out, "<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\">\n"
                             "<title>Proof of an entry in a disclosure log</title>\n<style>\n"
                             "@page { size: A4; margin: 14mm } body { font: 10pt/1.35 Arial, sans-serif }\n"
                             "h1 { font-size: 14pt } pre { white-space: pre-wrap; overflow-wrap: anywhere }\n"
                             "pre.words { font: inherit } pre.commands { font: 6.5pt/1.2 monospace }\n"
                             "</style></head><body>\n<h1>Proof of an entry in a disclosure log</h1>\n"
                             "<pre class=\"words\">");
    append_escaped(out, words);
    bytes_append_string(out, "</pre>\n<h2>How to check it</h2>\n<pre class=\"words\">");
    append_escaped(out, bytes_buffer_view(&text));
    bytes_append_string(out, "</pre>\n<pre class=\"commands\">");
    append_escaped(out, commands);
    bytes_append_string(out, "</pre>\n</body></html>\n");
    if (text.status != STATUS_OK)
        out->status = text.status;
    bytes_buffer_free(&text);
}

enum status proof_page_write(const struct entry_proof *proof, const struct log_proof *log,
                             const struct entry_proof_told *told, const struct note_key *key,
                             enum proof_page_form form, struct byte_buffer *ret)
{
    struct byte_buffer words = bytes_buffer(COMMANDS_LIMIT);
    struct byte_buffer commands = bytes_buffer(COMMANDS_LIMIT);
    enum status status = make_commands(proof, log, told, key, &commands);

    disclosure_text(told, &words);
    if (status == STATUS_OK)
        status = words.status;
    if (status == STATUS_OK && form == PROOF_PAGE_HTML)
        append_html_page(ret, bytes_buffer_view(&words), bytes_buffer_view(&commands), key);
    else if (status == STATUS_OK)
        append_text_page(ret, bytes_buffer_view(&words), bytes_buffer_view(&commands), key);
    bytes_buffer_wipe(&words);
    bytes_buffer_wipe(&commands);
    return status == STATUS_OK ? ret->status : status;
}
