#include "agent/settings.h"

#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "proto/member.h"

#define SETTINGS_FILE_LIMIT ((size_t)64 << 10)

struct settings settings_default(const char *member, const char *broker)
{
    struct settings settings = {.window_days = 28,
                                .vanish_percent = 20,
                                .outbox_days = 30,
                                .proof_days = 400,
                                .proof_hours = 24,
                                .proof_seconds = 30,
                                .hook_seconds = 10,
                                .hook_mib = 256};

    (void)snprintf(settings.member, sizeof settings.member, "%s", member);
    (void)snprintf(settings.broker, sizeof settings.broker, "%s", broker);
    return settings;
}

enum status settings_check_endpoint(const char *endpoint)
{
    static const char scheme[] = "tcp://";
    const char *host = endpoint + sizeof scheme - 1;
    const char *colon = NULL;
    size_t digits = 0;

    if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0 || strlen(endpoint) >= SETTINGS_ENDPOINT_SIZE)
        return STATUS_BAD_FORMAT;
    colon = strrchr(host, ':');
    if (colon == NULL || colon == host ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]:") != strlen(host))
        return STATUS_BAD_FORMAT;
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || atoi(colon + 1) == 0 ||
        atoi(colon + 1) > UINT16_MAX)
        return STATUS_BAD_FORMAT;
    return STATUS_OK;
}

/* One setting that is a number. */
struct number_setting {
    const char *name;
    size_t offset;
    json_int_t least;
    json_int_t most;
};

static const struct number_setting number_settings[] = {
    {"window_days", offsetof(struct settings, window_days), 1, 366},
    {"vanish_percent", offsetof(struct settings, vanish_percent), 1, 100},
    {"outbox_days", offsetof(struct settings, outbox_days), 1, 3660},
    {"proof_days", offsetof(struct settings, proof_days), 1, 3660},
    {"proof_hours", offsetof(struct settings, proof_hours), 1, 720},
    {"proof_seconds", offsetof(struct settings, proof_seconds), 1, 3600},
    {"hook_seconds", offsetof(struct settings, hook_seconds), 1, 600},
    {"hook_mib", offsetof(struct settings, hook_mib), 16, 4096},
};
#define NUMBER_SETTINGS (sizeof number_settings / sizeof number_settings[0])

static enum status wrong(struct settings_reason *ret_reason, const char *what)
{
    (void)snprintf(ret_reason->text, sizeof ret_reason->text, "agent.json: %s", what);
    return STATUS_BAD_FORMAT;
}

static enum status read_text(const json_t *value, char *out, size_t size, const char *what,
                             struct settings_reason *ret_reason)
{
    const char *text = json_string_value(value);

    if (text == NULL || text[0] == '\0' || strlen(text) >= size)
        return wrong(ret_reason, what);
    memcpy(out, text, strlen(text) + 1);
    return STATUS_OK;
}

static bool read_uid(const char *text, uint32_t *ret_uid)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    if (strspn(text, "0123456789") == 0 || *end != '\0' || number > UINT32_MAX)
        return false;
    *ret_uid = (uint32_t)number;
    return true;
}

const struct settings_right_name settings_rights[SETTINGS_RIGHTS] = {{"read", SETTINGS_READ},
                                                                     {"publish", SETTINGS_PUBLISH},
                                                                     {"answer", SETTINGS_ANSWER},
                                                                     {"confirm", SETTINGS_CONFIRM}};

/* A user's number or name; after '@' a group's. */
static bool read_who(const char *text, struct settings_officer *row)
{
    row->group = text[0] == '@';
    if (row->group)
        text++;
    if (read_uid(text, &row->id))
        return true;
    if (row->group) {
        const struct group *group = getgrnam(text);
        row->id = group == NULL ? 0 : (uint32_t)group->gr_gid;
        return group != NULL;
    }
    const struct passwd *user = getpwnam(text);
    row->id = user == NULL ? 0 : (uint32_t)user->pw_uid;
    return user != NULL;
}

static enum status read_rights(const json_t *list, struct settings_officer *row, const char *what,
                               struct settings_reason *ret_reason)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned bit = 0;

        for (size_t k = 0; name != NULL && k < SETTINGS_RIGHTS; k++)
            bit |= strcmp(settings_rights[k].name, name) == 0 ? settings_rights[k].bit : 0;
        if (bit == 0)
            return wrong(ret_reason, what);
        row->rights |= bit;
    }
    return json_is_array(list) ? STATUS_OK : wrong(ret_reason, what);
}

/* "pc1234", which may do everything, or {"officer": "pc1234", "rights": ["read"]}. */
static enum status read_officer(json_t *value, struct settings_officer *row, const char *what,
                                struct settings_reason *ret_reason)
{
    const json_t *officer = json_is_object(value) ? json_object_get(value, "officer") : value;
    const json_t *rights = json_object_get(value, "rights");

    row->rights = SETTINGS_KNOWN;
    if (rights == NULL)
        row->rights |= SETTINGS_READ | SETTINGS_PUBLISH | SETTINGS_ANSWER | SETTINGS_CONFIRM;
    else if (read_rights(rights, row, what, ret_reason) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    if (json_is_object(value) && json_object_size(value) != (rights != NULL) + (size_t)(officer != NULL))
        return wrong(ret_reason, what);
    if (officer == NULL && (row->group || rights != NULL))
        return STATUS_OK;
    /* People of one group are not one officer. */
    return row->group ? wrong(ret_reason, what)
                      : read_text(officer, row->officer, sizeof row->officer, what, ret_reason);
}

static enum status read_officers(json_t *map, struct settings *settings, struct settings_reason *ret_reason)
{
    static const char what[] =
        "\"officers\" must map Unix users (number or name; @group) to officer ids or rights: {\"1000\": "
        "\"pc1234\", "
        "\"jsmith\": {\"officer\": \"pc77\", \"rights\": [\"read\", \"publish\", \"answer\", \"confirm\"]}}";
    const char *who = NULL;
    json_t *officer = NULL;

    if (!json_is_object(map) || json_object_size(map) > SETTINGS_OFFICERS_MAX)
        return wrong(ret_reason, what);
    json_object_foreach(map, who, officer)
    {
        struct settings_officer *row = &settings->officers[settings->officer_count];

        if (!read_who(who, row)) {
            (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                           "agent.json: \"officers\": \"%.60s\" is no Unix user or @group of this machine",
                           who);
            return STATUS_BAD_FORMAT;
        }
        if (read_officer(officer, row, what, ret_reason) != STATUS_OK)
            return STATUS_BAD_FORMAT;
        settings->officer_count++;
    }
    return STATUS_OK;
}

static enum status read_socket_group(const json_t *value, struct settings *settings,
                                     struct settings_reason *ret_reason)
{
    const char *name = json_string_value(value);
    const struct group *group = name == NULL ? NULL : getgrnam(name);

    if (name != NULL && read_uid(name, &settings->socket_group)) {
        settings->has_socket_group = true;
        return STATUS_OK;
    }
    if (group == NULL)
        return wrong(ret_reason, "\"socket_group\" must be a Unix group of this machine");
    settings->socket_group = (uint32_t)group->gr_gid;
    settings->has_socket_group = true;
    return STATUS_OK;
}

static enum status read_socket_folder(const json_t *value, struct settings *settings,
                                      struct settings_reason *ret_reason)
{
    static const char what[] = "\"socket_folder\" must be the whole path of a folder";
    enum status status =
        read_text(value, settings->socket_folder, sizeof settings->socket_folder, what, ret_reason);

    return status == STATUS_OK && settings->socket_folder[0] != '/' ? wrong(ret_reason, what) : status;
}

/* {"1000": ["duty_officer"]} */
static enum status read_duties(json_t *map, struct settings *settings, struct settings_reason *ret_reason)
{
    static const char what[] = "\"duty\" must map Unix user numbers to lists of duty roles: {\"1000\": "
                               "[\"duty_officer\"]}";
    const char *uid = NULL;
    json_t *roles = NULL;
    json_t *role = NULL;
    size_t i = 0;

    if (!json_is_object(map))
        return wrong(ret_reason, what);
    json_object_foreach(map, uid, roles)
    {
        if (!json_is_array(roles))
            return wrong(ret_reason, what);
        json_array_foreach(roles, i, role)
        {
            struct settings_duty *row = &settings->duties[settings->duty_count];

            if (settings->duty_count == SETTINGS_OFFICERS_MAX || !read_uid(uid, &row->uid))
                return wrong(ret_reason, what);
            if (read_text(role, row->role, sizeof row->role, what, ret_reason) != STATUS_OK)
                return STATUS_BAD_FORMAT;
            settings->duty_count++;
        }
    }
    return STATUS_OK;
}

/* {"case.queried": "/usr/local/bin/answer"} */
static enum status read_hooks(json_t *map, struct settings *settings, struct settings_reason *ret_reason)
{
    static const char what[] = "\"hooks\" must map event types to programs by their whole path: "
                               "{\"case.queried\": \"/usr/local/bin/answer\"}";
    const char *event = NULL;
    json_t *program = NULL;

    if (!json_is_object(map) || json_object_size(map) > SETTINGS_HOOKS_MAX)
        return wrong(ret_reason, what);
    json_object_foreach(map, event, program)
    {
        struct settings_hook *row = &settings->hooks[settings->hook_count];

        if (event[0] == '\0' || strlen(event) >= sizeof row->event)
            return wrong(ret_reason, what);
        memcpy(row->event, event, strlen(event) + 1);
        if (read_text(program, row->program, sizeof row->program, what, ret_reason) != STATUS_OK)
            return STATUS_BAD_FORMAT;
        if (row->program[0] != '/')
            return wrong(ret_reason, what);
        settings->hook_count++;
    }
    return STATUS_OK;
}

static enum status read_number(const char *name, const json_t *value, struct settings *settings,
                               struct settings_reason *ret_reason)
{
    for (size_t i = 0; i < NUMBER_SETTINGS; i++) {
        const struct number_setting *setting = &number_settings[i];
        uint32_t number = 0;

        if (strcmp(setting->name, name) != 0)
            continue;
        if (!json_is_integer(value) || json_integer_value(value) < setting->least ||
            json_integer_value(value) > setting->most) {
            (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                           "agent.json: \"%s\" must be a number from %lld to %lld", name,
                           (long long)setting->least, (long long)setting->most);
            return STATUS_BAD_FORMAT;
        }
        number = (uint32_t)json_integer_value(value);
        memcpy((char *)settings + setting->offset, &number, sizeof number);
        return STATUS_OK;
    }
    (void)snprintf(ret_reason->text, sizeof ret_reason->text,
                   "agent.json: unknown setting \"%.60s\": take it out", name);
    return STATUS_BAD_FORMAT;
}

static enum status read_setting(const char *name, json_t *value, struct settings *settings,
                                struct settings_reason *ret_reason)
{
    if (strcmp(name, "member") == 0)
        return read_text(value, settings->member, sizeof settings->member, "\"member\" must be a member id",
                         ret_reason);
    if (strcmp(name, "broker") == 0)
        return read_text(value, settings->broker, sizeof settings->broker,
                         "\"broker\" must be tcp://HOST:PORT", ret_reason);
    if (strcmp(name, "officers") == 0)
        return read_officers(value, settings, ret_reason);
    if (strcmp(name, "socket_group") == 0)
        return read_socket_group(value, settings, ret_reason);
    if (strcmp(name, "socket_folder") == 0)
        return read_socket_folder(value, settings, ret_reason);
    if (strcmp(name, "duty") == 0)
        return read_duties(value, settings, ret_reason);
    if (strcmp(name, "hooks") == 0)
        return read_hooks(value, settings, ret_reason);
    if (strcmp(name, "demo") == 0) {
        if (!json_is_boolean(value))
            return wrong(ret_reason, "\"demo\" must be true or false");
        settings->demo = json_is_true(value);
        return STATUS_OK;
    }
    return read_number(name, value, settings, ret_reason);
}

static enum status read_all(json_t *root, struct settings *settings, struct settings_reason *ret_reason)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(root))
        return wrong(ret_reason, "must hold one object");
    json_object_foreach(root, name, value) if (read_setting(name, value, settings, ret_reason) !=
                                               STATUS_OK) return STATUS_BAD_FORMAT;
    if (member_check(bytes_of_string(settings->member)) != STATUS_OK)
        return wrong(ret_reason, "\"member\" must be a member id such as prison.dovegate");
    if (settings_check_endpoint(settings->broker) != STATUS_OK)
        return wrong(ret_reason, "\"broker\" must be tcp://HOST:PORT");
    return STATUS_OK;
}

enum status settings_read(const char *folder, struct settings *ret_settings,
                          struct settings_reason *ret_reason)
{
    struct byte_buffer file = {0};
    struct settings settings = settings_default("", "");
    json_error_t error = {0};
    json_t *root = NULL;
    char path[PATH_MAX];
    enum status status = STATUS_BAD_ARGUMENT;

    if (snprintf(path, sizeof path, "%s/agent.json", folder) >= (int)sizeof path)
        goto out;
    status = safefile_read(path, SETTINGS_FILE_LIMIT, &file);
    if (status != STATUS_OK) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "%.200s/agent.json: %s", folder,
                       status_text(status));
        goto out;
    }
    root = json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        (void)snprintf(ret_reason->text, sizeof ret_reason->text, "agent.json:%d:%d: %s", error.line,
                       error.column, error.text);
        status = STATUS_BAD_FORMAT;
        goto out;
    }
    status = read_all(root, &settings, ret_reason);
    if (status == STATUS_OK)
        *ret_settings = settings;
out:
    json_decref(root);
    bytes_buffer_free(&file);
    return status;
}

enum status settings_create(const char *folder, const struct settings *settings)
{
    char path[PATH_MAX];
    char *text = NULL;
    enum status status = STATUS_NO_MEMORY;
    json_t *root = json_pack("{s:s, s:s, s:b, s:i, s:i, s:i, s:{}}", "member", settings->member, "broker",
                             settings->broker, "demo", (int)settings->demo, "window_days",
                             (int)settings->window_days, "vanish_percent", (int)settings->vanish_percent,
                             "outbox_days", (int)settings->outbox_days, "officers");

    if (root != NULL)
        text = json_dumps(root, JSON_INDENT(2));
    if (text != NULL && snprintf(path, sizeof path, "%s/agent.json", folder) < (int)sizeof path) {
        struct byte_buffer file = bytes_buffer(SETTINGS_FILE_LIMIT);

        bytes_append_string(&file, text);
        bytes_append_string(&file, "\n");
        status = file.status;
        if (status == STATUS_OK)
            status = safefile_create(path, bytes_buffer_view(&file), 0600);
        bytes_buffer_free(&file);
    }
    free(text);
    json_decref(root);
    return status;
}

bool settings_on_duty(const struct settings *settings, uint32_t uid, struct byte_view role,
                      const char **ret_role)
{
    for (size_t i = 0; i < settings->duty_count; i++) {
        if (settings->duties[i].uid != uid ||
            (role.size > 0 && !bytes_equal(role, bytes_of_string(settings->duties[i].role))))
            continue;
        *ret_role = settings->duties[i].role;
        return true;
    }
    return false;
}

void settings_officer(const struct settings *settings, uint32_t uid, char out[static SETTINGS_OFFICER_SIZE])
{
    for (size_t i = 0; i < settings->officer_count; i++)
        if (!settings->officers[i].group && settings->officers[i].id == uid &&
            settings->officers[i].officer[0] != '\0') {
            memcpy(out, settings->officers[i].officer, SETTINGS_OFFICER_SIZE);
            return;
        }
    (void)snprintf(out, SETTINGS_OFFICER_SIZE, "unix:%lu", (unsigned long)uid);
}
