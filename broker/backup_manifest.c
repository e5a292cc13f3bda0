#include "broker/backup_manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

#define FORMAT     1
#define NOTE_LIMIT ((size_t)32 << 10)

struct backup_manifest backup_manifest_new(void)
{
    return (struct backup_manifest){.checkpoint = bytes_buffer(NOTE_LIMIT)};
}

enum status backup_manifest_format(const struct backup_manifest *manifest, struct byte_buffer *out)
{
    char made[CIVIL_TIME_SIZE];
    json_t *object;
    char *text;

    civil_format_time(manifest->made, made);
    object = json_pack("{s:i, s:s, s:s, s:I, s:s%}", "format", FORMAT, "member", manifest->member, "made",
                       made, "entries", (json_int_t)manifest->entries, "checkpoint",
                       manifest->checkpoint.size == 0 ? "" : (const char *)manifest->checkpoint.data,
                       manifest->checkpoint.size);
    text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    if (text != NULL)
        bytes_append_string(out, text);
    free(text);
    json_decref(object);
    return text == NULL ? STATUS_NO_MEMORY : out->status;
}

static enum status read_fields(const json_t *object, struct backup_manifest *manifest)
{
    const json_t *format = json_object_get(object, "format");
    const char *member = json_string_value(json_object_get(object, "member"));
    const char *made = json_string_value(json_object_get(object, "made"));
    const json_t *entries = json_object_get(object, "entries");
    const json_t *checkpoint = json_object_get(object, "checkpoint");

    if (json_integer_value(format) > FORMAT)
        return STATUS_NEWER;
    if (json_integer_value(format) != FORMAT || member == NULL || made == NULL || !json_is_integer(entries) ||
        json_integer_value(entries) < 0 || !json_is_string(checkpoint) ||
        member_check(bytes_of_string(member)) != STATUS_OK ||
        civil_parse_time(made, &manifest->made) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    memcpy(manifest->member, member, strlen(member));
    manifest->entries = (uint64_t)json_integer_value(entries);
    bytes_append(&manifest->checkpoint, json_string_value(checkpoint), json_string_length(checkpoint));
    return manifest->checkpoint.status == STATUS_OK ? STATUS_OK : STATUS_BAD_FORMAT;
}

enum status backup_manifest_parse(struct byte_view text, struct backup_manifest *ret)
{
    struct backup_manifest manifest = backup_manifest_new();
    json_t *object = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    enum status status = json_is_object(object) ? read_fields(object, &manifest) : STATUS_BAD_FORMAT;

    json_decref(object);
    if (status == STATUS_OK)
        *ret = manifest;
    else
        bytes_buffer_free(&manifest.checkpoint);
    return status;
}

bool backup_manifest_is_bundle(const char *name)
{
    size_t digits = strspn(name, "0123456789");

    return digits > 0 && digits <= 20 && strcmp(name + digits, ".bundle") == 0;
}
