#include "policy/cases_read.h"

#include <string.h>

/* What a case expects: recipients with exactly their items, refusals with their codes, a record. */

#define CODE_NAME(symbol, name) name,
static const char *const codes[] = {POLICY_CODES(CODE_NAME) NULL};
#undef CODE_NAME

static uint16_t find_party(struct cases_reader *reader, const struct yaml_node *key)
{
    uint16_t party = protocol_find_party(reader->protocol, bytes_of_string(key->text));
    char quoted[YAML_QUOTE_SIZE];

    if (party == PROTOCOL_NONE)
        yaml_errors_add(reader->errors, key, "the protocol has no party %s", yaml_quote(quoted, key->text));
    return party;
}

static const char *keep(struct cases_reader *reader, const struct yaml_node *node)
{
    const char *text;

    return yaml_read_string(reader->errors, node, &text) ? arena_text(reader->arena, text) : NULL;
}

static void read_place(struct cases_reader *reader, const struct yaml_node *node, uint16_t *ret_class)
{
    char quoted[YAML_QUOTE_SIZE];
    const char *name;

    if (!yaml_read_string(reader->errors, node, &name))
        return;
    *ret_class = protocol_find_class(reader->protocol, bytes_of_string(name));
    if (*ret_class == PROTOCOL_NONE)
        yaml_errors_add(reader->errors, node, "the protocol has no class %s", yaml_quote(quoted, name));
}

static void read_details(struct cases_reader *reader, const struct yaml_node *node, uint16_t event,
                         struct cases_recipient *recipient)
{
    static const char *const keys[] = {"items", "late",     "urgent",      "gateway",
                                       "rule",  "deadline", "in_place_of", NULL};

    if (!read_fields(reader->errors, node, keys))
        return;
    cases_read_labels(reader, yaml_read_required(reader->errors, node, "items"), event, &recipient->labels);
    yaml_read_bool(reader->errors, yaml_get(node, "late"), &recipient->late);
    recipient->has_urgent = yaml_read_bool(reader->errors, yaml_get(node, "urgent"), &recipient->urgent);
    recipient->gateway = keep(reader, yaml_get(node, "gateway"));
    recipient->rule = keep(reader, yaml_get(node, "rule"));
    cases_read_time(reader, yaml_get(node, "deadline"), &recipient->deadline);
    read_place(reader, yaml_get(node, "in_place_of"), &recipient->in_place_of);
}

static void read_recipient(struct cases_reader *reader, const struct yaml_node *node, uint16_t event,
                           struct cases_recipient *ret)
{
    *ret = (struct cases_recipient){
        .party = find_party(reader, node->key), .deadline = INT64_MIN, .in_place_of = PROTOCOL_NONE};
    if (node->kind == YAML_MAP)
        read_details(reader, node, event, ret);
    else
        cases_read_labels(reader, node, event, &ret->labels);
}

static void sort(struct cases_recipient *list, uint16_t count)
{
    for (uint16_t i = 1; i < count; i++) {
        struct cases_recipient recipient = list[i];
        uint16_t at = i;

        for (; at > 0 && list[at - 1].party > recipient.party; at--)
            list[at] = list[at - 1];
        list[at] = recipient;
    }
}

static void read_recipients(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    size_t count = yaml_count(node);

    if (node == NULL || !yaml_read_map(reader->errors, node))
        return;
    if (count > POLICY_RECIPIENTS_MAX) {
        yaml_errors_add(reader->errors, node, "no event has more than %d recipients", POLICY_RECIPIENTS_MAX);
        return;
    }
    ret->recipients = arena_array(reader->arena, count, sizeof *ret->recipients);
    if (ret->recipients == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        read_recipient(reader, yaml_value(node, i), ret->request.event, &ret->recipients[i]);
    ret->recipient_count = (uint16_t)count;
    sort(ret->recipients, ret->recipient_count);
}

/* "event", "class drugs" or a member id. */
static bool read_whom(struct cases_reader *reader, const struct yaml_node *key, struct cases_refusal *ret)
{
    static const char class[] = "class ";
    char quoted[YAML_QUOTE_SIZE];

    ret->party = ret->class_index = PROTOCOL_NONE;
    if (strcmp(key->text, "event") == 0)
        return true;
    if (strncmp(key->text, class, strlen(class)) != 0) {
        ret->party = find_party(reader, key);
        if (ret->party == PROTOCOL_NONE)
            return false;
        ret->class_index = reader->protocol->parties[ret->party].class_index;
        return true;
    }
    ret->class_index = protocol_find_class(reader->protocol, bytes_of_string(key->text + strlen(class)));
    if (ret->class_index != PROTOCOL_NONE)
        return true;
    yaml_errors_add(reader->errors, key, "the protocol has no class %s",
                    yaml_quote(quoted, key->text + strlen(class)));
    return false;
}

static void add_refusal(struct cases_reader *reader, const struct yaml_node *node,
                        struct cases_refusal refusal, struct cases_case *ret)
{
    size_t index;

    if (!yaml_read_enum(reader->errors, node, codes, &index))
        return;
    if (ret->refusal_count == CASES_REFUSALS_MAX) {
        yaml_errors_add(reader->errors, node, "write at most %d refusals", CASES_REFUSALS_MAX);
        return;
    }
    refusal.code = (enum policy_code)index;
    ret->refusals[ret->refusal_count++] = refusal;
}

static void read_refusals(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    struct cases_refusal refusal = {PROTOCOL_NONE, PROTOCOL_NONE, POLICY_NONE};

    if (node == NULL || !yaml_read_map(reader->errors, node))
        return;
    ret->refusals = arena_array(reader->arena, CASES_REFUSALS_MAX, sizeof *ret->refusals);
    if (ret->refusals == NULL)
        return;
    for (size_t i = 0; i < yaml_count(node); i++) {
        const struct yaml_node *value = yaml_value(node, i);

        if (!read_whom(reader, value->key, &refusal))
            continue;
        if (value->kind != YAML_LIST)
            add_refusal(reader, value, refusal, ret);
        for (size_t k = 0; k < yaml_count(value) && value->kind == YAML_LIST; k++)
            add_refusal(reader, yaml_at(value, k), refusal, ret);
    }
}

static void read_says(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    if (node == NULL)
        return;
    if (node->kind == YAML_SCALAR) {
        ret->says[ret->says_count++] = keep(reader, node);
        return;
    }
    if (!yaml_read_list(reader->errors, node, 1, CASES_SAYS_MAX))
        return;
    for (size_t i = 0; i < yaml_count(node); i++)
        ret->says[ret->says_count++] = keep(reader, yaml_at(node, i));
}

void cases_read_expected(struct cases_reader *reader, const struct yaml_node *node, struct cases_case *ret)
{
    static const char *const keys[] = {"recorded", "to", "refused", "says", NULL};

    size_t before = reader->errors->count;

    if (node == NULL || !read_fields(reader->errors, node, keys) || ret->request.event == CATALOGUE_NONE)
        return;
    yaml_read_bool(reader->errors, yaml_get(node, "recorded"), &ret->recorded);
    read_recipients(reader, yaml_get(node, "to"), ret);
    read_refusals(reader, yaml_get(node, "refused"), ret);
    read_says(reader, yaml_get(node, "says"), ret);
    if (reader->errors->count == before && !ret->recorded && ret->recipient_count == 0 &&
        ret->refusal_count == 0)
        yaml_errors_add(reader->errors, node,
                        "this expects nothing; say who receives what ('to'), what is refused ('refused') or "
                        "that it is 'recorded'");
}
