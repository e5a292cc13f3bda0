#include "policy/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cases_read.h"

static const char *const file_keys[] = {"cases", "protocol", "overlay", "catalogue", "clock", "people", NULL};

/* A path as it stands in the file: relative to the file. */
static void read_path(struct yaml_errors *errors, const struct yaml_node *node, char out[static 256])
{
    const char *text;

    if (!yaml_read_string(errors, node, &text))
        return;
    if (node->size >= 256)
        yaml_errors_add(errors, node, "'%s' is too long; write at most 255 characters", node->key->text);
    else
        snprintf(out, 256, "%s", text);
}

enum status cases_name_files(struct byte_view text, struct yaml_errors *errors, struct cases_files *ret_files)
{
    struct cases_files files = {"", "", ""};
    const struct yaml_node *root;
    struct yaml *yaml = NULL;
    enum status status = read_tree(text, errors, &yaml);

    if (status != STATUS_OK)
        return status;
    root = yaml_root(yaml);
    if (read_fields(errors, root, file_keys)) {
        read_path(errors, yaml_read_required(errors, root, "protocol"), files.protocol);
        read_path(errors, yaml_read_required(errors, root, "catalogue"), files.catalogue);
        read_path(errors, yaml_get(root, "overlay"), files.overlay);
    }
    if (errors->count == 0)
        *ret_files = files;
    yaml_destroy(&yaml);
    return errors->count == 0 ? STATUS_OK : STATUS_BAD_FORMAT;
}

static void read_case_name(struct cases_reader *reader, const struct yaml_node *node,
                           const struct cases *cases, struct cases_case *ret)
{
    char quoted[YAML_QUOTE_SIZE];

    if (!read_sentence(reader->errors, reader->arena, node, &ret->name))
        return;
    for (uint16_t i = 0; i < cases->count; i++) {
        if (cases->list[i].name != NULL && strcmp(cases->list[i].name, ret->name) == 0)
            yaml_errors_add(reader->errors, node, "%s is also the case of line %u; give each its own name",
                            yaml_quote(quoted, ret->name), cases->list[i].line);
    }
}

static void read_case(struct cases_reader *reader, const struct yaml_node *node, const struct cases *cases,
                      struct cases_case *ret)
{
    static const char *const keys[] = {"case", "given", "event", "expect", NULL};

    ret->line = node->line;
    ret->column = node->column;
    if (!read_fields(reader->errors, node, keys))
        return;
    read_case_name(reader, yaml_read_required(reader->errors, node, "case"), cases, ret);
    cases_read_given(reader, yaml_get(node, "given"), ret);
    if (ret->now == INT64_MIN) {
        yaml_errors_add(reader->errors, node, "no clock; give 'clock' here or for the whole file");
        return;
    }
    cases_read_event(reader, yaml_read_required(reader->errors, node, "event"), ret);
    cases_read_expected(reader, yaml_read_required(reader->errors, node, "expect"), ret);
}

static void read_file(struct cases_reader *reader, const struct yaml_node *root, struct cases *cases)
{
    const struct yaml_node *list;

    if (!read_fields(reader->errors, root, file_keys))
        return;
    list = yaml_read_required(reader->errors, root, "cases");
    cases_read_time(reader, yaml_get(root, "clock"), &reader->now);
    if (read_records(reader->errors, root, "people", false, CASES_PEOPLE_MAX, &reader->people) > 0)
        cases_read_people(reader);
    if (list == NULL || !yaml_read_list(reader->errors, list, 1, CASES_MAX))
        return;
    cases->list = arena_array(reader->arena, yaml_count(list), sizeof *cases->list);
    for (size_t i = 0; i < yaml_count(list) && cases->list != NULL; i++) {
        read_case(reader, yaml_at(list, i), cases, &cases->list[i]);
        cases->count++;
    }
}

enum status cases_load(struct byte_view text, const struct protocol *protocol, struct yaml_errors *errors,
                       struct cases **ret_cases)
{
    struct cases *cases = calloc(1, sizeof *cases);
    struct cases_reader reader = {
        .errors = errors, .protocol = protocol, .catalogue = protocol->catalogue, .now = INT64_MIN};
    struct yaml *yaml = NULL;
    enum status status = STATUS_NO_MEMORY;

    if (cases == NULL || (cases->arena = reader.arena = arena_new()) == NULL)
        goto out;
    cases->protocol = protocol;
    if ((status = read_tree(text, errors, &yaml)) != STATUS_OK)
        goto out;
    read_file(&reader, yaml_root(yaml), cases);
    status = read_finish(errors, reader.arena);
    if (status == STATUS_OK) {
        *ret_cases = cases;
        cases = NULL;
    }
out:
    yaml_destroy(&yaml);
    cases_free(&cases);
    return status;
}

void cases_free(struct cases **cases)
{
    if (*cases == NULL)
        return;
    arena_free(&(*cases)->arena);
    free(*cases);
    *cases = NULL;
}
