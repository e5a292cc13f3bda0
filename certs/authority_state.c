#include "certs/authority_state.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "proto/random.h"

#define FORMAT         1
#define STATE_LARGEST  ((size_t)64 << 20)
#define EPOCHS_LARGEST ((size_t)1 << 20)
#define EPOCHS_TITLE   "concordat pseudonym keys 1\n"
#define BASE64_LARGEST ((CERTIFICATE_LARGEST + 2) / 3 * 4 + 1)

static enum status make_path(char ret_path[static PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

/* Room for one more element; old and all that was in it are kept when it fails. */
static void *grow(void *old, size_t n, size_t size)
{
    return n > SIZE_MAX / size - 1 ? NULL : realloc(old, (n + 1) * size);
}

enum status authority_state_add(struct authority_state *state, struct certificate **certificate, int64_t now)
{
    struct authority_certificate *grown = grow(state->certificates, state->n_certificates, sizeof *grown);

    if (grown == NULL)
        return STATUS_NO_MEMORY;
    state->certificates = grown;
    grown[state->n_certificates++] =
        (struct authority_certificate){.certificate = *certificate, .enrolled = now};
    *certificate = NULL;
    return STATUS_OK;
}

static enum status append_epoch(struct authority_state *state, const struct authority_epoch *epoch)
{
    /* Not realloc: what it moves from would stay behind unwiped. */
    struct authority_epoch *grown = calloc(state->n_epochs + 1, sizeof *grown);

    if (grown == NULL)
        return STATUS_NO_MEMORY;
    if (state->n_epochs > 0) {
        memcpy(grown, state->epochs, state->n_epochs * sizeof *grown);
        bytes_wipe(state->epochs, state->n_epochs * sizeof *grown);
    }
    free(state->epochs);
    state->epochs = grown;
    grown[state->n_epochs++] = *epoch;
    return STATUS_OK;
}

enum status authority_state_add_epoch(struct authority_state *state)
{
    struct authority_epoch epoch = {
        .epoch = state->n_epochs == 0 ? 1 : state->epochs[state->n_epochs - 1].epoch + 1};
    enum status status = random_bytes(epoch.key, sizeof epoch.key);

    if (status == STATUS_OK)
        status = append_epoch(state, &epoch);
    bytes_wipe(&epoch, sizeof epoch);
    return status;
}

enum status authority_state_note(struct authority_notes *notes, const char *member, const char *text)
{
    size_t at = 0;

    while (at < notes->n && strcmp(notes->items[at].member, member) < 0)
        at++;
    bool there = at < notes->n && strcmp(notes->items[at].member, member) == 0;
    if (text[0] == 0) {
        if (there) {
            notes->n--;
            memmove(&notes->items[at], &notes->items[at + 1], (notes->n - at) * sizeof notes->items[0]);
        }
        return STATUS_OK;
    }
    if (!there) {
        struct authority_note *grown = grow(notes->items, notes->n, sizeof *grown);
        if (grown == NULL)
            return STATUS_NO_MEMORY;
        notes->items = grown;
        memmove(&grown[at + 1], &grown[at], (notes->n - at) * sizeof grown[0]);
        notes->n++;
    }
    snprintf(notes->items[at].member, sizeof notes->items[at].member, "%s", member);
    snprintf(notes->items[at].text, sizeof notes->items[at].text, "%s", text);
    return STATUS_OK;
}

bool authority_state_usable(const struct authority_certificate *entry, int64_t now)
{
    return !entry->revoked && now >= entry->certificate->not_before && now <= entry->certificate->not_after;
}

void authority_state_clear(struct authority_state *state)
{
    for (size_t i = 0; i < state->n_certificates; i++)
        certificate_free(&state->certificates[i].certificate);
    if (state->epochs != NULL)
        bytes_wipe(state->epochs, state->n_epochs * sizeof state->epochs[0]);
    free(state->epochs);
    officer_book_clear(&state->officers);
    free(state->certificates);
    free(state->contacts.items);
    free(state->witnesses.items);
    free(state->name);
    memset(state, 0, sizeof *state);
}

/* ---- writing ---- */

static json_t *certificate_json(const struct authority_certificate *entry)
{
    char der[BASE64_LARGEST];

    bytes_to_base64(entry->certificate->der.data, entry->certificate->der.size, der);
    json_t *json = json_pack("{s:s, s:s, s:I}", "member", entry->certificate->claims.member, "der", der,
                             "enrolled", (json_int_t)entry->enrolled);
    if (json != NULL && entry->revoked &&
        (json_object_set_new(json, "revoked", json_integer(entry->revoked_at)) != 0 ||
         json_object_set_new(json, "why", json_string(entry->why)) != 0)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *certificates_json(const struct authority_state *state)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < state->n_certificates; i++) {
        if (json_array_append_new(list, certificate_json(&state->certificates[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *notes_json(const struct authority_notes *notes)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < notes->n; i++) {
        if (json_object_set_new(object, notes->items[i].member, json_string(notes->items[i].text)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *state_json(const struct authority_state *state)
{
    char head[2 * DIGEST_SIZE + 1];

    bytes_to_hex(state->head, sizeof state->head, head);
    return json_pack("{s:i, s:s, s:b, s:I, s:I, s:I, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o}", "format",
                     FORMAT, "name", state->name, "demo", state->demo, "member_days",
                     (json_int_t)state->member_days, "quorum", (json_int_t)state->quorum, "serial",
                     (json_int_t)state->serial, "head", head, "epoch_due", state->epoch_due, "witness_quorum",
                     (json_int_t)state->witness_quorum, "witness_dishonest",
                     (json_int_t)state->witness_dishonest, "contacts", notes_json(&state->contacts),
                     "witnesses", notes_json(&state->witnesses), "certificates", certificates_json(state),
                     "officers", officer_book_json(&state->officers));
}

static enum status write_state(const char *folder, const struct authority_state *state)
{
    char path[PATH_MAX];
    json_t *json = state_json(state);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(2));
    enum status status = text == NULL ? STATUS_NO_MEMORY : make_path(path, folder, "state.json");

    if (status == STATUS_OK)
        status = safefile_write(path, bytes_of_string(text), 0600);
    free(text);
    json_decref(json);
    return status;
}

static enum status write_epochs(const char *folder, const struct authority_state *state)
{
    char path[PATH_MAX];
    char key[2 * PSEUDONYM_KEY_SIZE + 1];
    struct byte_buffer text = bytes_buffer(EPOCHS_LARGEST);
    enum status status = make_path(path, folder, "pseudonym.key");

    bytes_append_string(&text, EPOCHS_TITLE);
    for (size_t i = 0; i < state->n_epochs; i++) {
        bytes_to_hex(state->epochs[i].key, sizeof state->epochs[i].key, key);
        bytes_append_format(&text, "%" PRIu32 " ", state->epochs[i].epoch);
        bytes_append_string(&text, key);
        bytes_append_string(&text, "\n");
    }
    if (status == STATUS_OK)
        status = text.status;
    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(&text), 0600);
    bytes_wipe(key, sizeof key);
    bytes_buffer_wipe(&text);
    return status;
}

enum status authority_state_write(const char *folder, const struct authority_state *state)
{
    enum status status = write_epochs(folder, state);

    return status == STATUS_OK ? write_state(folder, state) : status;
}

/* ---- reading ---- */

static enum status read_certificate(json_t *json, const struct certificate_root *root,
                                    struct authority_state *state)
{
    static const json_int_t never = -1;
    uint8_t der[CERTIFICATE_LARGEST];
    size_t size = 0;
    const char *member = NULL;
    const char *base64 = NULL;
    const char *why = "";
    json_int_t enrolled = 0;
    json_int_t revoked = never;
    struct certificate *certificate = NULL;

    if (json_unpack(json, "{s:s, s:s, s:I, s?I, s?s !}", "member", &member, "der", &base64, "enrolled",
                    &enrolled, "revoked", &revoked, "why", &why) != 0 ||
        bytes_from_base64(base64, strlen(base64), der, sizeof der, &size) != STATUS_OK ||
        strlen(why) > AUTHORITY_STATE_TEXT)
        return STATUS_CORRUPT;
    enum status status = certificate_parse(bytes_view(der, size), root, &certificate);
    if (status == STATUS_OK && strcmp(certificate->claims.member, member) != 0)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = authority_state_add(state, &certificate, enrolled);
    if (status == STATUS_OK) {
        struct authority_certificate *entry = &state->certificates[state->n_certificates - 1];
        entry->revoked = revoked != never;
        entry->revoked_at = entry->revoked ? revoked : 0;
        snprintf(entry->why, sizeof entry->why, "%s", why);
    }
    certificate_free(&certificate);
    return status == STATUS_BAD_CERTIFICATE ? STATUS_CORRUPT : status;
}

static enum status read_notes(json_t *object, struct authority_notes *notes)
{
    const char *member = NULL;
    json_t *text = NULL;
    enum status status = STATUS_OK;

    json_object_foreach(object, member, text)
    {
        if (!json_is_string(text) || member_check(bytes_of_string(member)) != STATUS_OK ||
            json_string_length(text) > AUTHORITY_STATE_TEXT)
            return STATUS_CORRUPT;
        status = authority_state_note(notes, member, json_string_value(text));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool take_u32(json_int_t value, uint32_t *ret)
{
    if (value < 0 || value > UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static enum status read_json(json_t *json, const struct certificate_root *root, struct authority_state *state)
{
    int format = 0;
    int demo = 0;
    int epoch_due = 0;
    const char *name = NULL;
    const char *head = NULL;
    json_int_t member_days = 0, quorum = 0, serial = 0, witness_quorum = 0, witness_dishonest = 0;
    json_t *contacts = NULL, *witnesses = NULL, *certificates = NULL, *officers = NULL;

    if (json_unpack(json, "{s:i, s:s, s:b, s:I, s:I, s:I, s:s, s:b, s:I, s?I, s:o, s:o, s:o, s?o !}",
                    "format", &format, "name", &name, "demo", &demo, "member_days", &member_days, "quorum",
                    &quorum, "serial", &serial, "head", &head, "epoch_due", &epoch_due, "witness_quorum",
                    &witness_quorum, "witness_dishonest", &witness_dishonest, "contacts", &contacts,
                    "witnesses", &witnesses, "certificates", &certificates, "officers", &officers) != 0)
        return STATUS_CORRUPT;
    if (format != FORMAT || serial < 0 || !take_u32(member_days, &state->member_days) ||
        !take_u32(quorum, &state->quorum) || !take_u32(witness_quorum, &state->witness_quorum) ||
        !take_u32(witness_dishonest, &state->witness_dishonest) ||
        bytes_from_hex(head, state->head, sizeof state->head) != STATUS_OK || !json_is_array(certificates))
        return STATUS_CORRUPT;
    state->demo = demo != 0;
    state->epoch_due = epoch_due != 0;
    state->serial = (uint64_t)serial;
    state->name = strdup(name);
    enum status status = state->name == NULL ? STATUS_NO_MEMORY : read_notes(contacts, &state->contacts);
    if (status == STATUS_OK)
        status = read_notes(witnesses, &state->witnesses);
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(certificates); i++)
        status = read_certificate(json_array_get(certificates, i), root, state);
    if (status == STATUS_OK && officers != NULL)
        status = officer_book_read(officers, &state->officers);
    return status;
}

static enum status read_state(const char *folder, const struct certificate_root *root,
                              struct authority_state *state)
{
    char path[PATH_MAX];
    json_error_t error;
    json_t *json = NULL;
    struct byte_buffer text = bytes_buffer(0);
    enum status status = make_path(path, folder, "state.json");

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, STATE_LARGEST, &text);
    if (status == STATUS_OK) {
        json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
        status = json == NULL ? STATUS_CORRUPT : read_json(json, root, state);
    }
    json_decref(json);
    bytes_buffer_free(&text);
    return status;
}

/* One line "EPOCH HEX", of exactly the form in which it is written. */
static bool take_epoch(struct byte_reader *reader, struct authority_epoch *ret)
{
    char hex[2 * PSEUDONYM_KEY_SIZE + 1] = {0};
    uint64_t epoch = 0;
    uint8_t c = bytes_read_u8(reader);

    while (c >= '0' && c <= '9' && epoch <= UINT32_MAX) {
        epoch = epoch * 10 + (uint64_t)(c - '0');
        c = bytes_read_u8(reader);
    }
    bytes_read_into(reader, hex, sizeof hex - 1);
    bool good = c == ' ' && epoch > 0 && epoch <= UINT32_MAX && bytes_read_u8(reader) == '\n' &&
                bytes_from_hex(hex, ret->key, sizeof ret->key) == STATUS_OK;
    ret->epoch = (uint32_t)epoch;
    bytes_wipe(hex, sizeof hex);
    return good;
}

static enum status parse_epochs(struct byte_view text, struct authority_state *state)
{
    struct byte_reader reader = bytes_reader(text);
    struct byte_view title = bytes_of_string(EPOCHS_TITLE);
    enum status status =
        bytes_equal(bytes_read_view(&reader, title.size), title) ? STATUS_OK : STATUS_CORRUPT;

    while (status == STATUS_OK && reader.rest.size > 0) {
        struct authority_epoch epoch = {0};
        uint32_t last = state->n_epochs == 0 ? 0 : state->epochs[state->n_epochs - 1].epoch;
        if (take_epoch(&reader, &epoch) && epoch.epoch > last)
            status = append_epoch(state, &epoch);
        else
            status = STATUS_CORRUPT;
        bytes_wipe(&epoch, sizeof epoch);
    }
    return status == STATUS_OK && state->n_epochs == 0 ? STATUS_CORRUPT : status;
}

static enum status read_epochs(const char *folder, struct authority_state *state)
{
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = make_path(path, folder, "pseudonym.key");

    if (status == STATUS_OK)
        status = safefile_read_secret(path, EPOCHS_LARGEST, &text);
    if (status == STATUS_OK)
        status = parse_epochs(bytes_buffer_view(&text), state);
    bytes_buffer_wipe(&text);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

enum status authority_state_read(const char *folder, const struct certificate_root *root,
                                 struct authority_state *ret)
{
    struct authority_state state = {0};
    enum status status = read_state(folder, root, &state);

    if (status == STATUS_OK)
        status = read_epochs(folder, &state);
    if (status == STATUS_OK)
        *ret = state;
    else
        authority_state_clear(&state);
    return status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
}
