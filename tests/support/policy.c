#include "tests/support/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "proto/labels.h"
#include "tests/support/support.h"

#define HOUR INT64_C(3600000)

struct byte_buffer policy_file(const char *name, const struct policy_edit *edits)
{
    char path[512];
    struct byte_buffer text;

    snprintf(path, sizeof path, "%s/policy/%s", PROJECT_ROOT, name);
    text = support_read_file(path);
    bytes_append_u8(&text, 0);
    for (; edits != NULL && edits->from != NULL; edits++) {
        struct byte_buffer next = bytes_buffer((size_t)1 << 20);
        const char *start = (const char *)text.data, *at = strstr(start, edits->from);

        if (at == NULL)
            fail_msg("'%s' is not in %s", edits->from, name);
        bytes_append(&next, start, (size_t)(at - start));
        bytes_append_string(&next, edits->to);
        bytes_append_string(&next, at + strlen(edits->from));
        bytes_append_u8(&next, 0);
        bytes_buffer_free(&text);
        text = next;
    }
    text.size--;
    return text;
}

static void fail_with(const struct yaml_errors *errors, const char *name)
{
    if (errors->count > 0)
        fail_msg("%s:%u:%u: %s", name, errors->list[0].line, errors->list[0].column, errors->list[0].text);
}

void policy_open(struct policy_world *world, const struct policy_edit *edits)
{
    static struct yaml_errors errors;
    struct byte_buffer catalogue = policy_file("catalogue.yaml", NULL);
    struct byte_buffer protocol = policy_file("staffordshire-ppo.yaml", edits);

    memset(world, 0, sizeof *world);
    memset(&errors, 0, sizeof errors);
    catalogue_load(bytes_buffer_view(&catalogue), &errors, &world->catalogue);
    fail_with(&errors, "catalogue.yaml");
    protocol_load(bytes_buffer_view(&protocol), world->catalogue, &errors, &world->protocol);
    fail_with(&errors, "staffordshire-ppo.yaml");
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
    assert_non_null(world->protocol);
    register_init(&world->person);
    world->now = POLICY_NOW;
    world->facts.person = &world->person;
    world->facts.correlated_event = CATALOGUE_NONE;
    for (unsigned i = 0; i < world->protocol->party_count; i++)
        party_set_add(&world->facts.active, i);
}

void policy_close(struct policy_world *world)
{
    protocol_free(&world->protocol);
    catalogue_free(&world->catalogue);
}

/* A value kept in the world's storage. */
static struct byte_view keep(struct policy_world *world, size_t *used, const char *text, size_t size)
{
    struct byte_view view = {(const uint8_t *)world->storage + *used, size};

    assert_true(*used + size <= sizeof world->storage);
    memcpy(world->storage + *used, text, size);
    *used += size;
    return view;
}

static void set_attributes(struct policy_world *world, size_t *used, const char *text)
{
    char label[64];

    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, " "), name = strcspn(text, "=");

        assert_true(name < length && name < sizeof label);
        memcpy(label, text, name);
        label[name] = '\0';
        if (request_set(world->catalogue, &world->request, label,
                        keep(world, used, text + name + 1, length - name - 1)) != STATUS_OK)
            fail_msg("no attribute %s", label);
        text += length + (text[length] == ' ');
    }
}

void policy_ask(struct policy_world *world, const char *from, const char *event, const char *attributes,
                const char *held)
{
    struct kind_reason reason = {""};
    char labels[LABELS_SIZE];
    const char *purpose;
    size_t used = 0;

    memset(&world->request, 0, sizeof world->request);
    world->request.event = catalogue_find_event(world->catalogue, bytes_of_string(event));
    assert_int_not_equal(world->request.event, CATALOGUE_NONE);
    world->request.from = bytes_of_string(from);
    purpose = policy_purpose(world->protocol, world->request.from, world->request.event);
    world->request.purpose = bytes_of_string(purpose == NULL ? "none" : purpose);
    world->request.occurred = world->request.created = world->now;
    world->request.effective = REQUEST_NO_DATE;
    set_attributes(world, &used, attributes);
    if (held != NULL) {
        assert_int_equal(labels_canonical(bytes_of_string(held), labels, &reason), STATUS_OK);
        request_set(world->catalogue, &world->request, "held", keep(world, &used, labels, strlen(labels)));
    }
    if (request_read(world->catalogue, &world->request, &reason) != STATUS_OK)
        fail_msg("%s: %s", event, reason.text);
}

static void write_recipient(struct policy_world *world, const struct policy_recipient *recipient,
                            struct byte_buffer *out)
{
    bytes_append_format(out, "%s %s %s:", recipient->to, recipient->rule, recipient->gateway);
    for (unsigned i = label_set_next(&recipient->labels, 0); i < SET256_END;
         i = label_set_next(&recipient->labels, i + 1))
        bytes_append_format(out, " %s", world->catalogue->labels[i].label);
    if (recipient->late)
        bytes_append_string(out, " (late)");
    if (recipient->urgent)
        bytes_append_string(out, " (urgent)");
    if (recipient->replaced_class != PROTOCOL_NONE)
        bytes_append_format(out, " (for %s)", world->protocol->classes[recipient->replaced_class].name);
    bytes_append_string(out, "\n");
}

static void write_refusal(struct policy_world *world, const struct policy_refusal *refusal,
                          struct byte_buffer *out)
{
    char sentence[POLICY_TEXT_SIZE];

    policy_refusal_text(world->protocol, &world->decision, refusal, sentence);
    assert_true(strlen(sentence) > 20);
    bytes_append_format(out, "! %s", policy_code_name(refusal->code));
    if (refusal->party != PROTOCOL_NONE)
        bytes_append_format(out, " %s", world->protocol->parties[refusal->party].id);
    else if (refusal->class_index != PROTOCOL_NONE)
        bytes_append_format(out, " %s", world->protocol->classes[refusal->class_index].name);
    if (refusal->code == POLICY_CONSENT)
        bytes_append_format(out, ": %s", world->protocol->consents[refusal->consent].scope);
    else if (refusal->label != CATALOGUE_NONE)
        bytes_append_format(out, ": %s", world->catalogue->labels[refusal->label].label);
    else if (refusal->detail[0] != '\0')
        bytes_append_format(out, ": %s", refusal->detail);
    bytes_append_string(out, "\n");
}

const char *policy_answer(struct policy_world *world)
{
    struct byte_buffer out = bytes_buffer(sizeof world->text - 1);

    policy_decide(world->protocol, &world->facts, &world->request, world->now, &world->decision);
    for (uint16_t i = 0; i < world->decision.recipient_count; i++)
        write_recipient(world, &world->decision.recipients[i], &out);
    for (uint16_t i = 0; i < world->decision.refusal_count; i++)
        write_refusal(world, &world->decision.refusals[i], &out);
    assert_int_equal(out.status, STATUS_OK);
    if (out.size > 0)
        memcpy(world->text, out.data, out.size);
    world->text[out.size] = '\0';
    bytes_buffer_free(&out);
    return world->text;
}

void policy_apply(struct policy_world *world)
{
    struct register_change change;

    if (register_apply(world->protocol, &world->person, &world->request, world->now, &change) != STATUS_OK)
        fail_msg("%s", change.reason);
}

void policy_list(struct policy_world *world)
{
    policy_ask(world, "police.staffordshire", "ppo.added",
               "strand=catch_convict area=stoke authority=bcu_commander selector=core_nominal "
               "review_due=2026-12-15 home_force=21 juvenile=no",
               NULL);
    world->request.created -= 2 * HOUR;
    policy_apply(world);
}

void policy_consent(struct policy_world *world, const char *scope)
{
    char attributes[128];

    snprintf(attributes, sizeof attributes, "scope=%s form_version=2 expires=2027-03-31", scope);
    policy_ask(world, "probation.staffordshire", "consent.given", attributes, NULL);
    world->request.created -= HOUR;
    policy_apply(world);
}

/* Takes the marker out of the text; its line and column. */
static void find_marker(struct byte_buffer *text, uint32_t *ret_line, uint32_t *ret_column)
{
    char *start = (char *)text->data, *at;

    bytes_append_u8(text, 0);
    start = (char *)text->data;
    at = strstr(start, "@@");
    assert_non_null(at);
    *ret_line = *ret_column = 1;
    for (const char *c = start; c < at; c++) {
        *ret_line += *c == '\n';
        *ret_column = *c == '\n' ? 1 : *ret_column + 1;
    }
    memmove(at, at + 2, strlen(at + 2) + 1);
    text->size -= 3;
}

void policy_check_mistake(const char *name, const struct policy_mistake *mistake)
{
    static struct yaml_errors errors;
    bool is_catalogue = strcmp(name, "catalogue.yaml") == 0;
    struct policy_edit edits[] = {{mistake->from, mistake->to}, {NULL, NULL}};
    struct byte_buffer text = policy_file(name, edits);
    struct byte_buffer good = policy_file("catalogue.yaml", NULL);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;
    uint32_t line, column;
    enum status status;

    memset(&errors, 0, sizeof errors);
    find_marker(&text, &line, &column);
    status = catalogue_load(bytes_buffer_view(is_catalogue ? &text : &good), &errors, &catalogue);
    if (!is_catalogue)
        status = protocol_load(bytes_buffer_view(&text), catalogue, &errors, &protocol);
    for (size_t i = 0; i < errors.count; i++) {
        if (errors.count != 1 || errors.list[i].line != line || errors.list[i].column != column ||
            strstr(errors.list[i].text, mistake->says) == NULL)
            print_message("%s -> %s:\n  %u:%u: %s\n", mistake->from, mistake->to, errors.list[i].line,
                          errors.list[i].column, errors.list[i].text);
    }
    if (errors.count == 0)
        print_message("%s -> %s: no error\n", mistake->from, mistake->to);
    assert_int_not_equal(status, STATUS_OK);
    assert_null(protocol);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.list[0].line, line);
    assert_int_equal(errors.list[0].column, column);
    assert_non_null(strstr(errors.list[0].text, mistake->says));
    protocol_free(&protocol);
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    bytes_buffer_free(&good);
}
