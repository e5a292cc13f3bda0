#include "certs/claims.h"

#include <stdio.h>
#include <string.h>

#include "proto/note_key.h"

#define PREFIX      "urn:concordat:"
#define URI_LARGEST (sizeof PREFIX + 16 + 3 * CERTIFICATE_VKEY_LARGEST)

/* Everything that RFC 8141 §2 lets stand in the name of a URN as it is. */
static bool stands_for_itself(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

static bool add_uri(GENERAL_NAMES *names, const char *kind, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";
    char uri[URI_LARGEST];
    size_t size = (size_t)snprintf(uri, sizeof uri, PREFIX "%s:", kind);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    for (const uint8_t *c = (const uint8_t *)value; *c != 0; c++) {
        if (stands_for_itself(*c)) {
            uri[size++] = (char)*c;
            continue;
        }
        uri[size++] = '%';
        uri[size++] = digits[*c >> 4];
        uri[size++] = digits[*c & 15];
    }
    if (name == NULL || text == NULL || ASN1_STRING_set(text, uri, (int)size) != 1)
        goto fail;
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    text = NULL;
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
fail:
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(name);
    return false;
}

static bool add_hex(GENERAL_NAMES *names, const char *kind, const uint8_t *data, size_t size)
{
    char text[2 * ED25519_SIGNATURE_SIZE + 1];

    bytes_to_hex(data, size, text);
    return add_uri(names, kind, text);
}

bool claims_has_transport(enum role role)
{
    return role == ROLE_AGENT || role == ROLE_BROKER;
}

GENERAL_NAMES *claims_to_names(const struct certificate_claims *claims, const uint8_t *renewal)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

    if (names == NULL)
        return NULL;
    bool ok = add_uri(names, "member", claims->member) && add_uri(names, "role", role_text(claims->role));
    if (ok && claims_has_transport(claims->role))
        ok = add_hex(names, "curve", claims->transport, sizeof claims->transport) &&
             add_hex(names, "sealing", claims->sealing, sizeof claims->sealing);
    if (ok && claims->vkey[0] != 0)
        ok = add_uri(names, "log", claims->vkey);
    if (ok && renewal != NULL)
        ok = add_hex(names, "renews", renewal, ED25519_SIGNATURE_SIZE);
    if (!ok) {
        GENERAL_NAMES_free(names);
        return NULL;
    }
    return names;
}

/* What has been read so far of a list of names. */
struct reading {
    struct certificate_claims *claims;
    struct claims_extras extras;
    bool member, curve, sealing, log;
};

static bool take_hex(struct byte_view value, uint8_t *out, size_t size)
{
    char text[2 * ED25519_SIGNATURE_SIZE + 1];

    if (value.size != 2 * size)
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = 0;
    return bytes_from_hex(text, out, size) == STATUS_OK;
}

/* Percent-decoding into text of at most limit bytes and a zero; only printable ASCII may come out. */
static bool take_text(struct byte_view value, char *out, size_t limit)
{
    size_t used = 0;

    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c == '%') {
            if (value.size - i < 3 || !take_hex(bytes_view(value.data + i + 1, 2), &c, 1))
                return false;
            i += 2;
        }
        if (used == limit || c <= ' ' || c >= 0x7f)
            return false;
        out[used++] = (char)c;
    }
    out[used] = 0;
    return used > 0;
}

static bool take_member(struct byte_view value, struct certificate_claims *claims)
{
    if (member_check(value) != STATUS_OK)
        return false;
    memcpy(claims->member, value.data, value.size);
    claims->member[value.size] = 0;
    return true;
}

/* Whether a URI is PREFIX kind ":" and then something, which goes to ret_value. */
static bool is_kind(struct byte_view uri, const char *kind, struct byte_view *ret_value)
{
    char start[48];
    size_t size = (size_t)snprintf(start, sizeof start, PREFIX "%s:", kind);

    if (uri.size <= size || memcmp(uri.data, start, size) != 0)
        return false;
    *ret_value = bytes_view(uri.data + size, uri.size - size);
    return true;
}

/* Sets seen; false when it was set before. */
static bool first_time(bool *seen)
{
    bool first = !*seen;

    *seen = true;
    return first;
}

static const char *take_uri(struct byte_view uri, struct reading *reading)
{
    struct certificate_claims *claims = reading->claims;
    struct claims_extras *extras = &reading->extras;
    struct byte_view value = {0};

    if (is_kind(uri, "member", &value)) {
        if (!first_time(&reading->member) || !take_member(value, claims))
            return "urn:concordat:member must stand there once and hold a member id";
    } else if (is_kind(uri, "role", &value)) {
        if (!first_time(&extras->role_given) || role_parse(value, &claims->role) != STATUS_OK)
            return "urn:concordat:role must stand there once and be agent, broker, authority or log";
    } else if (is_kind(uri, "curve", &value)) {
        if (!first_time(&reading->curve) || !take_hex(value, claims->transport, sizeof claims->transport))
            return "urn:concordat:curve must stand there once and hold 64 hexadecimal digits";
    } else if (is_kind(uri, "sealing", &value)) {
        if (!first_time(&reading->sealing) || !take_hex(value, claims->sealing, sizeof claims->sealing))
            return "urn:concordat:sealing must stand there once and hold 64 hexadecimal digits";
    } else if (is_kind(uri, "log", &value)) {
        if (!first_time(&reading->log) || !take_text(value, claims->vkey, CERTIFICATE_VKEY_LARGEST))
            return "urn:concordat:log must stand there once and hold a verifier key";
    } else if (is_kind(uri, "renews", &value)) {
        if (!first_time(&extras->renews) || !take_hex(value, extras->renewal, sizeof extras->renewal))
            return "urn:concordat:renews must stand there once and hold 128 hexadecimal digits";
    } else {
        return "it holds a name that is none of Concordat's";
    }
    return NULL;
}

enum status claims_from_names(const GENERAL_NAMES *names, struct certificate_claims *claims,
                              struct claims_extras *ret_extras, const char **ret_reason)
{
    struct certificate_claims read = {.role = ROLE_AGENT};
    struct reading reading = {.claims = &read};
    const char *reason = NULL;

    for (int i = 0; reason == NULL && i < sk_GENERAL_NAME_num(names); i++) {
        int type = GEN_OTHERNAME;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != GEN_URI)
            reason = "it holds a name that is not a URI";
        else
            reason =
                take_uri(bytes_view(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)), &reading);
    }
    if (reason == NULL && !reading.member)
        reason = "it names no member (urn:concordat:member)";
    if (reason == NULL && (reading.curve || reading.sealing) != claims_has_transport(read.role))
        reason = "agents and brokers need a transport and a sealing key, nobody else has them";
    if (reason == NULL && reading.curve != reading.sealing)
        reason = "a transport key and a sealing key go together";
    if (reason != NULL) {
        *ret_reason = reason;
        return STATUS_BAD_CERTIFICATE;
    }
    memcpy(read.signing, claims->signing, sizeof read.signing);
    *claims = read;
    *ret_extras = reading.extras;
    return STATUS_OK;
}

static bool same_key(const uint8_t a[static 32], const uint8_t b[static 32])
{
    return memcmp(a, b, 32) == 0;
}

enum status claims_check(const struct certificate_claims *claims, const char **ret_reason)
{
    static const uint8_t nothing[32];
    uint8_t log_key[ED25519_PUBLIC_SIZE] = {0};
    bool needs_log = claims->role == ROLE_LOG;
    bool may_log = needs_log || claims->role == ROLE_BROKER;
    const char *reason = NULL;

    if (same_key(claims->signing, nothing))
        reason = "the signing key is empty";
    else if (claims->vkey[0] != 0 && !may_log)
        reason = "only a broker or a log has a log key";
    else if (claims->vkey[0] == 0 && needs_log)
        reason = "a log needs its log key (urn:concordat:log)";
    else if (claims->vkey[0] != 0 && claims_log_key(claims, log_key) != STATUS_OK)
        reason = "urn:concordat:log is not an Ed25519 verifier key";
    else if (claims->vkey[0] != 0 &&
             (same_key(log_key, claims->signing) || same_key(log_key, claims->transport) ||
              same_key(log_key, claims->sealing)))
        reason = "the log key is one of the other keys";
    else if (same_key(claims->signing, claims->transport) || same_key(claims->signing, claims->sealing))
        reason = "one key serves two uses";
    else if (claims_has_transport(claims->role) &&
             (same_key(claims->transport, nothing) || same_key(claims->sealing, nothing)))
        reason = "a transport or sealing key is empty";
    else if (claims_has_transport(claims->role) && same_key(claims->transport, claims->sealing))
        reason = "the transport key and the sealing key are the same";
    if (reason != NULL) {
        *ret_reason = reason;
        return STATUS_BAD_CERTIFICATE;
    }
    return STATUS_OK;
}

bool claims_log_name_good(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        if (name[i] <= ' ' || name[i] >= 0x7f)
            return false;
    }
    return size <= CLAIMS_LOG_NAME_LONGEST && note_key_good_name(bytes_of_string(name));
}

enum status claims_format_vkey(const char *name, const struct ed25519_key *key,
                               char ret_vkey[static CERTIFICATE_VKEY_LARGEST + 1])
{
    char vkey[NOTE_KEY_VKEY_SIZE];
    struct note_key *note_key = NULL;
    enum status status = note_key_new(bytes_of_string(name), NOTE_KEY_ED25519, key, &note_key);

    if (status == STATUS_OK) {
        note_key_vkey(note_key, vkey);
        if (strlen(vkey) <= CERTIFICATE_VKEY_LARGEST)
            memcpy(ret_vkey, vkey, strlen(vkey) + 1);
        else
            status = STATUS_TOO_LARGE;
    }
    note_key_free(&note_key);
    return status;
}

/* Whether a parsed key is one for a log, under a name that we take, and written in the one way. */
static bool is_log_key(const struct note_key *key, const char *vkey)
{
    char again[NOTE_KEY_VKEY_SIZE];
    char name[CLAIMS_LOG_NAME_LONGEST + 1];
    struct byte_view view = note_key_name(key);

    if (note_key_type(key) != NOTE_KEY_ED25519 || view.size > CLAIMS_LOG_NAME_LONGEST)
        return false;
    memcpy(name, view.data, view.size);
    name[view.size] = 0;
    note_key_vkey(key, again);
    return claims_log_name_good(name) && strcmp(again, vkey) == 0;
}

enum status claims_log_key(const struct certificate_claims *claims,
                           uint8_t ret_public[static ED25519_PUBLIC_SIZE])
{
    struct note_key *key = NULL;
    enum status status = STATUS_OK;

    if (claims->vkey[0] == 0)
        return STATUS_NOT_FOUND;
    status = note_key_parse(bytes_of_string(claims->vkey), &key);
    if (status == STATUS_OK && !is_log_key(key, claims->vkey))
        status = STATUS_BAD_FORMAT;
    if (status == STATUS_OK)
        ed25519_public_bytes(note_key_ed25519(key), ret_public);
    note_key_free(&key);
    return status == STATUS_UNSUPPORTED ? STATUS_BAD_FORMAT : status;
}
