#include "policy/replay.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/person.h"

struct replay {
    json_t *root;
    int64_t at;
    int64_t created;
};

#define BAD(...) kind_reason_set(reason, STATUS_BAD_FORMAT, __VA_ARGS__)

static bool is_known(const char *const *keys, const char *key)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0)
            return true;
    }
    return false;
}

/* An object with no keys but these. */
static enum status check_object(const json_t *object, const char *what, const char *const *keys,
                                struct kind_reason *reason)
{
    json_t *node = (json_t *)(uintptr_t)object; /* jansson iterates only over what is not const */
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return BAD("%s is no object", what);
    json_object_foreach(node, key, value)
    {
        if (!is_known(keys, key))
            return BAD("%s has a key that this version does not know", what);
    }
    return STATUS_OK;
}

static enum status check_text(const json_t *object, const char *key, bool required,
                              struct kind_reason *reason)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL)
        return required ? BAD("'%s' is missing", key) : STATUS_OK;
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        strlen(json_string_value(value)) != json_string_length(value))
        return BAD("'%s' is no text", key);
    return STATUS_OK;
}

static enum status read_time(const json_t *object, const char *key, bool required, int64_t *ret,
                             struct kind_reason *reason)
{
    enum status status = check_text(object, key, required, reason);
    const char *text = json_string_value(json_object_get(object, key));

    if (status != STATUS_OK || text == NULL)
        return status;
    return civil_parse_time(text, ret) == STATUS_OK ? STATUS_OK : BAD("'%s' is no time", key);
}

static enum status check_flag(const json_t *object, const char *key, struct kind_reason *reason)
{
    const json_t *value = json_object_get(object, key);

    return value == NULL || json_is_boolean(value) ? STATUS_OK : BAD("'%s' is neither true nor false", key);
}

/* A list of texts. */
static enum status check_list(const json_t *list, const char *what, struct kind_reason *reason)
{
    if (list == NULL)
        return STATUS_OK;
    if (!json_is_array(list) || json_array_size(list) > CATALOGUE_LABELS_MAX)
        return BAD("'%s' is no list of at most %d names", what, CATALOGUE_LABELS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_string(json_array_get(list, i)))
            return BAD("'%s' holds something that is no name", what);
    }
    return STATUS_OK;
}

/* An object whose values are texts. */
static enum status check_texts(const json_t *object, const char *what, struct kind_reason *reason)
{
    json_t *node = (json_t *)(uintptr_t)object;
    const char *key;
    json_t *value;

    if (object == NULL)
        return STATUS_OK;
    if (!json_is_object(object) || json_object_size(object) > CATALOGUE_ATTRIBUTES_MAX)
        return BAD("'%s' is no object of at most %d values", what, CATALOGUE_ATTRIBUTES_MAX);
    json_object_foreach(node, key, value)
    {
        if (!json_is_string(value))
            return BAD("'%s' holds something that is no text", what);
    }
    return STATUS_OK;
}

static enum status read_consent(const char *scope, const json_t *object, int64_t at,
                                struct register_state *state, struct kind_reason *reason)
{
    static const char *const keys[] = {"expires", "given", "withdrawn", NULL};
    struct person_consent consent = {.scope = scope, .given_at = at, .withdrawn_at = INT64_MIN};
    enum status status;

    if ((status = check_object(object, "a consent", keys, reason)) != STATUS_OK ||
        (status = check_text(object, "expires", true, reason)) != STATUS_OK ||
        (status = read_time(object, "given", false, &consent.given_at, reason)) != STATUS_OK ||
        (status = read_time(object, "withdrawn", false, &consent.withdrawn_at, reason)) != STATUS_OK)
        return status;
    if (civil_parse_date(json_string_value(json_object_get(object, "expires")), &consent.expires) !=
        STATUS_OK)
        return BAD("'expires' is no date");
    return person_consent(state, &consent, reason);
}

static enum status read_consents(const json_t *consents, int64_t at, struct register_state *state,
                                 struct kind_reason *reason)
{
    json_t *node = (json_t *)(uintptr_t)consents;
    const char *scope;
    json_t *value;

    if (consents == NULL)
        return STATUS_OK;
    if (!json_is_object(consents))
        return BAD("'consents' is no object");
    json_object_foreach(node, scope, value)
    {
        enum status status = read_consent(scope, value, at, state, reason);

        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What is known of the person; also checks it. */
static enum status read_person(const json_t *person, int64_t at, struct register_state *state,
                               struct kind_reason *reason)
{
    json_t *node = (json_t *)(uintptr_t)person;
    struct kind_reason why = {""};
    const char *key;
    json_t *value;

    register_init(state);
    if (person == NULL)
        return STATUS_OK;
    if (!json_is_object(person))
        return BAD("'person' is no object");
    state->entry.listed_at = at;
    json_object_foreach(node, key, value)
    {
        if (strcmp(key, "consents") == 0 || strcmp(key, "removed") == 0)
            continue;
        if (!is_known(person_fields(), key))
            return BAD("'person' has a key that this version does not know");
        if (!json_is_string(value))
            return BAD("'%s' is no text", key);
        if (person_set(state, key, json_string_value(value), &why) != STATUS_OK)
            return BAD("'%s': %s", key, why.text);
    }
    if (read_time(person, "removed", false, &state->entry.removed_at, reason) != STATUS_OK)
        return STATUS_BAD_FORMAT;
    return read_consents(json_object_get(person, "consents"), at, state, reason);
}

static enum status check_answers(const json_t *answers, struct kind_reason *reason)
{
    static const char *const keys[] = {"event", "from", "sent_to_sender", "same_person", "is_target",
                                       "asked", NULL};
    enum status status;

    if (answers == NULL)
        return STATUS_OK;
    if ((status = check_object(answers, "'answers'", keys, reason)) != STATUS_OK ||
        (status = check_text(answers, "event", true, reason)) != STATUS_OK ||
        (status = check_text(answers, "from", true, reason)) != STATUS_OK ||
        (status = check_flag(answers, "sent_to_sender", reason)) != STATUS_OK ||
        (status = check_flag(answers, "is_target", reason)) != STATUS_OK ||
        (status = check_flag(answers, "same_person", reason)) != STATUS_OK)
        return status;
    return check_list(json_object_get(answers, "asked"), "asked", reason);
}

static enum status check_disclosed(const json_t *disclosed, struct kind_reason *reason)
{
    json_t *node = (json_t *)(uintptr_t)disclosed;
    enum status status;
    const char *to;
    json_t *items;

    if (disclosed == NULL)
        return STATUS_OK;
    if (!json_is_object(disclosed) || json_object_size(disclosed) > POLICY_RECIPIENTS_MAX)
        return BAD("'disclosed' is no object of at most %d recipients", POLICY_RECIPIENTS_MAX);
    json_object_foreach(node, to, items)
    {
        if (member_check(bytes_of_string(to)) != STATUS_OK)
            return BAD("'disclosed' names somebody by what is no member id");
        if ((status = check_list(items, "disclosed", reason)) != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status check_juvenile(const json_t *root, struct kind_reason *reason)
{
    static const char *const values[] = {"yes", "no", "unknown", NULL};
    const char *value = json_string_value(json_object_get(root, "juvenile"));

    return value == NULL || is_known(values, value) ? STATUS_OK : BAD("'juvenile' is not yes, no or unknown");
}

static enum status check_line(struct replay *replay, struct kind_reason *reason)
{
    static const char *const keys[] = {"replay",    "at",       "id",         "subject",    "event",
                                       "from",      "created",  "attributes", "held",       "juvenile",
                                       "person",    "answers",  "repeats",    "supersedes", "not_active",
                                       "disclosed", "protocol", NULL};
    const json_t *root = replay->root;
    struct register_state state;
    enum status status;

    if ((status = check_object(root, "the line", keys, reason)) != STATUS_OK)
        return status;
    if (!json_is_integer(json_object_get(root, "replay")) ||
        json_integer_value(json_object_get(root, "replay")) != 1)
        return BAD("'replay' is not 1: another version of the format");
    if ((status = read_time(root, "at", true, &replay->at, reason)) != STATUS_OK)
        return status;
    replay->created = replay->at;
    if ((status = read_time(root, "created", false, &replay->created, reason)) != STATUS_OK ||
        (status = check_text(root, "id", false, reason)) != STATUS_OK ||
        (status = check_text(root, "protocol", false, reason)) != STATUS_OK ||
        (status = check_text(root, "subject", false, reason)) != STATUS_OK ||
        (status = check_text(root, "event", true, reason)) != STATUS_OK ||
        (status = check_text(root, "from", true, reason)) != STATUS_OK ||
        (status = check_text(root, "juvenile", false, reason)) != STATUS_OK ||
        (status = check_juvenile(root, reason)) != STATUS_OK ||
        (status = check_texts(json_object_get(root, "attributes"), "attributes", reason)) != STATUS_OK ||
        (status = check_list(json_object_get(root, "held"), "held", reason)) != STATUS_OK ||
        (status = check_list(json_object_get(root, "repeats"), "repeats", reason)) != STATUS_OK ||
        (status = check_list(json_object_get(root, "not_active"), "not_active", reason)) != STATUS_OK ||
        (status = check_flag(root, "supersedes", reason)) != STATUS_OK ||
        (status = check_answers(json_object_get(root, "answers"), reason)) != STATUS_OK ||
        (status = check_disclosed(json_object_get(root, "disclosed"), reason)) != STATUS_OK)
        return status;
    return read_person(json_object_get(root, "person"), replay->at, &state, reason);
}

enum status replay_read(struct byte_view line, struct replay **ret, struct kind_reason *ret_reason)
{
    struct replay *replay;
    json_error_t error;
    enum status status;

    if (line.size > REPLAY_LINE_MAX)
        return kind_reason_set(ret_reason, STATUS_TOO_LARGE, "the line is longer than %zu bytes",
                               REPLAY_LINE_MAX);
    if ((replay = calloc(1, sizeof *replay)) == NULL)
        return kind_reason_set(ret_reason, STATUS_NO_MEMORY, "out of memory");
    replay->root =
        json_loadb(line.size == 0 ? "" : (const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (replay->root == NULL)
        status =
            kind_reason_set(ret_reason, STATUS_BAD_FORMAT, "column %d: this is no JSON object", error.column);
    else
        status = check_line(replay, ret_reason);
    if (status == STATUS_OK)
        *ret = replay;
    else
        replay_free(&replay);
    return status;
}

void replay_free(struct replay **replay)
{
    if (*replay == NULL)
        return;
    json_decref((*replay)->root);
    free(*replay);
    *replay = NULL;
}

const char *replay_protocol(const struct replay *replay)
{
    return json_string_value(json_object_get(replay->root, "protocol"));
}

const char *replay_event(const struct replay *replay)
{
    return json_string_value(json_object_get(replay->root, "event"));
}

const char *replay_from(const struct replay *replay)
{
    return json_string_value(json_object_get(replay->root, "from"));
}

/* binding */

static struct byte_view text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? bytes_view(NULL, 0) : bytes_of_string(text);
}

static struct label_set labels_of(const struct catalogue *catalogue, const json_t *list)
{
    struct label_set labels = {{0}};

    for (size_t i = 0; i < json_array_size(list); i++) {
        uint16_t label =
            catalogue_find_label(catalogue, bytes_of_string(json_string_value(json_array_get(list, i))));

        if (label != CATALOGUE_NONE)
            label_set_add(&labels, label);
    }
    return labels;
}

static struct party_set parties_of(const struct protocol *protocol, const json_t *list)
{
    struct party_set parties = {{0}};

    for (size_t i = 0; i < json_array_size(list); i++) {
        uint16_t party =
            protocol_find_party(protocol, bytes_of_string(json_string_value(json_array_get(list, i))));

        if (party != PROTOCOL_NONE)
            party_set_add(&parties, party);
    }
    return parties;
}

/* A value that this catalogue would not take is left out. */
static void bind_attributes(const json_t *attributes, const struct catalogue *catalogue,
                            struct policy_request *request)
{
    json_t *node = (json_t *)(uintptr_t)attributes;
    const char *key;
    json_t *value;

    json_object_foreach(node, key, value)
    {
        uint16_t label = catalogue_find_label(catalogue, bytes_of_string(key));
        struct byte_view text = bytes_of_string(json_string_value(value));

        if (label != CATALOGUE_NONE &&
            catalogue_check_value(catalogue, request->event, label, text, NULL) == STATUS_OK)
            request_set(catalogue, request, key, text);
    }
}

static void bind_asked(const struct catalogue *catalogue, struct policy_request *request)
{
    uint16_t at = catalogue->events[request->event].asked;

    if (at != CATALOGUE_NONE && request->attributes[at].data != NULL)
        (void)catalogue_parse_labels(catalogue, CATALOGUE_NONE, request->attributes[at], &request->asked,
                                     NULL);
}

static bool flag_of(const json_t *object, const char *key, bool missing)
{
    const json_t *value = json_object_get(object, key);

    return value == NULL ? missing : json_is_true(value);
}

static void bind_answers(const json_t *answers, const struct catalogue *catalogue, struct replay_bound *ret)
{
    struct policy_facts *facts = &ret->facts;

    facts->correlated_event = CATALOGUE_NONE;
    if (answers == NULL)
        return;
    ret->request.correlated = true;
    facts->correlated_event = catalogue_find_event(catalogue, text_of(answers, "event"));
    facts->correlated_from = text_of(answers, "from");
    facts->correlated_same_subject = flag_of(answers, "same_person", true);
    facts->correlated_disclosed_to_sender = flag_of(answers, "sent_to_sender", true);
    facts->correlated_is_target = flag_of(answers, "is_target", false);
    facts->correlated_asks = json_object_get(answers, "asked") != NULL;
    facts->correlated_asked = labels_of(catalogue, json_object_get(answers, "asked"));
}

bool replay_bind(const struct replay *replay, const struct protocol *protocol, struct replay_bound *ret)
{
    const struct catalogue *catalogue = protocol->catalogue;
    const json_t *root = replay->root;
    struct party_set absent = parties_of(protocol, json_object_get(root, "not_active"));
    const char *juvenile = json_string_value(json_object_get(root, "juvenile"));
    const char *purpose;

    memset(ret, 0, sizeof *ret);
    ret->request.event = catalogue_find_event(catalogue, text_of(root, "event"));
    if (ret->request.event == CATALOGUE_NONE)
        return false;
    read_person(json_object_get(root, "person"), replay->at, &ret->person, NULL);
    ret->at = replay->at;
    ret->facts.person = &ret->person;
    for (unsigned i = 0; i < protocol->party_count; i++) {
        if (!party_set_has(&absent, i))
            party_set_add(&ret->facts.active, i);
    }
    ret->request.from = text_of(root, "from");
    purpose = policy_purpose(protocol, ret->request.from, ret->request.event);
    ret->request.purpose = bytes_of_string(purpose == NULL ? "" : purpose);
    ret->request.occurred = ret->request.created = replay->created;
    ret->request.effective = REQUEST_NO_DATE;
    bind_attributes(json_object_get(root, "attributes"), catalogue, &ret->request);
    ret->request.held = labels_of(catalogue, json_object_get(root, "held"));
    bind_asked(catalogue, &ret->request);
    ret->request.juvenile = juvenile == NULL || juvenile[0] == 'u' ? JUVENILE_UNKNOWN
                            : juvenile[0] == 'y'                   ? JUVENILE_YES
                                                                   : JUVENILE_NO;
    bind_answers(json_object_get(root, "answers"), catalogue, ret);
    ret->request.supersedes = flag_of(root, "supersedes", false);
    ret->request.repeats = json_object_get(root, "repeats") != NULL;
    ret->request.already = parties_of(protocol, json_object_get(root, "repeats"));
    return true;
}

/* what the log has */

size_t replay_disclosed(const struct replay *replay)
{
    return json_object_size(json_object_get(replay->root, "disclosed"));
}

static void *at(const struct replay *replay, size_t index)
{
    json_t *disclosed = json_object_get(replay->root, "disclosed");
    void *entry = json_object_iter(disclosed);

    for (; entry != NULL && index > 0; index--)
        entry = json_object_iter_next(disclosed, entry);
    return entry;
}

const char *replay_recipient(const struct replay *replay, size_t index)
{
    return json_object_iter_key(at(replay, index));
}

bool replay_received(const struct replay *replay, size_t index, const char *label)
{
    const json_t *items = json_object_iter_value(at(replay, index));

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (strcmp(json_string_value(json_array_get(items, i)), label) == 0)
            return true;
    }
    return false;
}
