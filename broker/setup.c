#include "broker/setup.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"

#define FILE_LIMIT ((size_t)64 << 10)

/* One number among the limits; each is four or eight bytes wide. */
struct number_setting {
    const char *name;
    size_t offset;
    size_t size;
    json_int_t least;
    json_int_t most;
};

#define NUMBER(name, least, most)                                                                            \
    {                                                                                                        \
#name, offsetof(struct pipeline_limits, name), sizeof(((struct pipeline_limits *)0)->name), least,   \
            most                                                                                             \
    }

static const struct number_setting numbers[] = {
    NUMBER(verify_workers, 1, PIPELINE_WORKERS_MAX),
    NUMBER(intake_frames, 16, 1 << 20),
    NUMBER(intake_bytes, 1 << 20, INT64_C(1) << 32),
    NUMBER(group_frames, 1, 1 << 16),
    NUMBER(group_bytes, 1 << 18, INT64_C(1) << 30),
    NUMBER(outgoing_bytes, 1 << 20, INT64_C(1) << 32),
    NUMBER(credit, 1, 1 << 16),
    NUMBER(in_flight, 256, 1 << 24),
    NUMBER(frames_per_second, 1, 1000000),
    NUMBER(plans_per_minute, 1, 100000000),
    NUMBER(gaps_per_minute, 1, 100000000),
    NUMBER(refusals_per_minute, 1, 1000000),
    NUMBER(reports_per_minute, 1, 1000000),
    NUMBER(undelivered_sections, 1, INT64_C(1) << 40),
    NUMBER(disk_floor, 1 << 20, INT64_C(1) << 50),
    NUMBER(receipts_wait, 0, 10000),
    NUMBER(consulted_after, 1000, 86400000),
    NUMBER(refusal_repeats, 1000, 86400000),
    NUMBER(sign_every, 10, 3600000),
    NUMBER(cosign_every, 100, 86400000),
    NUMBER(look_every, 100, 86400000),
    NUMBER(retention_every, 1000, INT64_C(366) * 86400000),
    NUMBER(remind_every, 1000, INT64_C(366) * 86400000),
};

static enum status wrong(struct setup_reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum status wrong(struct setup_reason *reason, const char *format, ...)
{
    va_list arguments;
    size_t used = (size_t)snprintf(reason->text, sizeof reason->text, "%s: ", SETUP_FILE);

    va_start(arguments, format);
    (void)vsnprintf(reason->text + used, sizeof reason->text - used, format, arguments);
    va_end(arguments);
    return STATUS_BAD_FORMAT;
}

static bool host_good(const char *host, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

    if (size == 1 && host[0] == '*')
        return true;
    if (size > 2 && host[0] == '[' && host[size - 1] == ']')
        return strspn(host + 1, "0123456789abcdefABCDEF:.") == size - 2;
    return size > 0 && strspn(host, letters) == size;
}

enum status setup_check_endpoint(const char *endpoint)
{
    static const char scheme[] = "tcp://";
    const size_t skip = sizeof scheme - 1;

    if (strncmp(endpoint, scheme, skip) != 0 || strlen(endpoint) >= SETUP_ENDPOINT_SIZE)
        return STATUS_BAD_FORMAT;
    const char *colon = strrchr(endpoint + skip, ':');
    if (colon == NULL || !host_good(endpoint + skip, (size_t)(colon - endpoint) - skip))
        return STATUS_BAD_FORMAT;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0')
        return STATUS_BAD_FORMAT;
    unsigned long port = strtoul(colon + 1, NULL, 10);
    return port >= 1 && port <= UINT16_MAX ? STATUS_OK : STATUS_BAD_FORMAT;
}

static enum status path_of(const char *folder, char path[static PATH_MAX])
{
    int size = snprintf(path, PATH_MAX, "%s/%s", folder, SETUP_FILE);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

enum status setup_create(const char *folder, const char *member, const char *listen)
{
    char path[PATH_MAX];
    enum status status = path_of(folder, path);
    json_t *object = json_pack("{s:s, s:s}", "member", member, "listen", listen);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));

    if (status == STATUS_OK && text == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        struct byte_buffer file = bytes_buffer(FILE_LIMIT);
        bytes_append_format(&file, "%s\n", text);
        status = file.status;
        if (status == STATUS_OK)
            status = safefile_create(path, bytes_buffer_view(&file), 0600);
        bytes_buffer_free(&file);
    }
    free(text);
    json_decref(object);
    return status;
}

static void set_number(struct pipeline_limits *limits, const struct number_setting *setting, json_int_t value)
{
    uint8_t *place = (uint8_t *)limits + setting->offset;
    const uint32_t narrow = (uint32_t)value;
    const uint64_t wide = (uint64_t)value;

    assert(setting->size == sizeof narrow || setting->size == sizeof wide);
    if (setting->size == sizeof narrow)
        memcpy(place, &narrow, sizeof narrow);
    else
        memcpy(place, &wide, sizeof wide);
}

static enum status read_number(const char *name, const json_t *value, struct pipeline_limits *limits,
                               struct setup_reason *reason)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct number_setting *setting = &numbers[i];
        if (strcmp(setting->name, name) != 0)
            continue;
        json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < setting->least || number > setting->most)
            return wrong(reason,
                         "\"%s\" must be a number from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
                         name, setting->least, setting->most);
        set_number(limits, setting, number);
        return STATUS_OK;
    }
    return wrong(reason, "\"%s\" is no setting; see docs/operations.md for those there are", name);
}

static enum status read_member(const json_t *value, struct setup *setup, struct setup_reason *reason)
{
    const char *text = json_string_value(value);

    if (text == NULL || member_check(bytes_of_string(text)) != STATUS_OK)
        return wrong(reason, "\"member\" must be a member id such as broker.staffordshire");
    (void)snprintf(setup->member, sizeof setup->member, "%s", text);
    return STATUS_OK;
}

static enum status read_listen(const json_t *value, struct setup *setup, struct setup_reason *reason)
{
    const char *text = json_string_value(value);

    if (text == NULL || setup_check_endpoint(text) != STATUS_OK)
        return wrong(reason, "\"listen\" must be tcp://HOST:PORT, such as " SETUP_LISTEN);
    (void)snprintf(setup->listen, sizeof setup->listen, "%s", text);
    return STATUS_OK;
}

static enum status read_settings(json_t *object, struct setup *setup, struct setup_reason *reason)
{
    const char *name = NULL;
    json_t *value = NULL;
    enum status status = STATUS_OK;

    json_object_foreach(object, name, value)
    {
        if (strcmp(name, "member") == 0)
            status = read_member(value, setup, reason);
        else if (strcmp(name, "listen") == 0)
            status = read_listen(value, setup, reason);
        else
            status = read_number(name, value, &setup->limits, reason);
        if (status != STATUS_OK)
            return status;
    }
    if (setup->member[0] == '\0' || setup->listen[0] == '\0')
        return wrong(reason, "\"member\" and \"listen\" are needed");
    return STATUS_OK;
}

enum status setup_parse(struct byte_view text, struct setup *ret, struct setup_reason *ret_reason)
{
    struct setup setup = {.limits = pipeline_limits()};
    json_error_t error;
    json_t *object = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    enum status status;

    if (object == NULL)
        status = wrong(ret_reason, "line %d, column %d: %s", error.line, error.column, error.text);
    else if (!json_is_object(object))
        status = wrong(ret_reason, "must hold one object: {\"member\": ..., \"listen\": ...}");
    else
        status = read_settings(object, &setup, ret_reason);
    json_decref(object);
    if (status == STATUS_OK)
        *ret = setup;
    return status;
}

enum status setup_read(const char *folder, struct setup *ret, struct setup_reason *ret_reason)
{
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = path_of(folder, path);

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, FILE_LIMIT, &text);
    if (status == STATUS_OK)
        status = setup_parse(bytes_buffer_view(&text), ret, ret_reason);
    else
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%s: %s", SETUP_FILE, status_text(status));
    bytes_buffer_free(&text);
    return status;
}
