#include "policy/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml_errors.h"
#include "base/yaml_read.h"

#define TEXT_LARGEST ((size_t)4 << 20)

/* Sections that are merged entry by entry; every other one is replaced as a whole. */
static const char *const record_sections[] = {
    "bodies",  "classes",    "parties", "gateways", "crossings", "conditions", "consents",
    "strands", "case_roles", "denials", "rules",    "records",   "corrections"};

/* One of the two texts, by lines. */
struct source {
    struct byte_view text;
    const uint8_t **starts; /* of each line, and the end */
    uint32_t lines;
    struct yaml *yaml;
    const struct yaml_node *root;
    bool overlay;
};

struct merger {
    struct source base, overlay;
    struct yaml_errors *errors;
    struct overlay_merged merged;
    size_t line_capacity;
    enum status status;
    bool blame_base;
};

static void blame(struct merger *merger, bool base, const struct yaml_node *node, const char *text)
{
    if (merger->status == STATUS_OK) { /* the errors are of one file */
        merger->blame_base = base;
        merger->status = STATUS_BAD_FORMAT;
    }
    if (merger->blame_base == base)
        yaml_errors_add(merger->errors, node, "%s", text);
}

static bool is_record_section(const char *name)
{
    for (size_t i = 0; i < sizeof record_sections / sizeof record_sections[0]; i++) {
        if (strcmp(record_sections[i], name) == 0)
            return true;
    }
    return false;
}

/* lines */

static enum status split(struct source *source)
{
    const uint8_t *at = source->text.data, *end = at + source->text.size;
    size_t count = 1;

    for (const uint8_t *c = at; c < end; c++)
        count += *c == '\n';
    source->starts = calloc(count + 1, sizeof *source->starts);
    if (source->starts == NULL)
        return STATUS_NO_MEMORY;
    while (at < end) {
        const uint8_t *next = memchr(at, '\n', (size_t)(end - at));

        source->starts[source->lines++] = at;
        at = next == NULL ? end : next + 1;
    }
    source->starts[source->lines] = end;
    return STATUS_OK;
}

static enum status open_source(struct source *source, struct yaml_errors *errors)
{
    struct yaml_error error;
    enum status status = yaml_parse(source->text, &source->yaml, &error);

    if (status != STATUS_OK) {
        yaml_errors_add_at(errors, error.line, error.column, "%s", error.reason);
        return status;
    }
    source->root = yaml_root(source->yaml);
    if (!yaml_read_map(errors, source->root))
        return STATUS_BAD_FORMAT;
    return split(source);
}

static bool is_comment(const struct source *source, uint32_t line)
{
    const uint8_t *at = source->starts[line - 1], *end = source->starts[line];

    while (at < end && *at == ' ')
        at++;
    return at < end && *at == '#';
}

/* The first line of an entry: its key's, or that of the comment right above it. */
static uint32_t start_of(const struct source *source, const struct yaml_node *key)
{
    uint32_t line = key->line;

    while (line > 1 && is_comment(source, line - 1))
        line--;
    return line;
}

static uint32_t end_of(const struct source *source, const struct yaml_node *map, size_t index, uint32_t end)
{
    const struct yaml_node *next = yaml_key(map, index + 1);

    return next == NULL ? end : start_of(source, next);
}

static void emit_line(struct merger *merger, const struct source *source, uint32_t line)
{
    struct overlay_merged *merged = &merger->merged;
    const uint8_t *start = source->starts[line - 1], *end = source->starts[line];

    if (merged->line_count == merger->line_capacity) {
        size_t capacity = merger->line_capacity == 0 ? 1024 : 2 * merger->line_capacity;
        struct overlay_line *lines = realloc(merged->lines, capacity * sizeof *lines);

        if (lines == NULL) {
            merger->status = STATUS_NO_MEMORY;
            return;
        }
        merged->lines = lines;
        merger->line_capacity = capacity;
    }
    merged->lines[merged->line_count++] = (struct overlay_line){source->overlay, line};
    bytes_append(&merged->text, start, (size_t)(end - start));
    if (end == start || end[-1] != '\n')
        bytes_append_string(&merged->text, "\n");
}

static void emit(struct merger *merger, const struct source *source, uint32_t from, uint32_t to)
{
    for (uint32_t line = from; line < to && merger->status != STATUS_NO_MEMORY; line++)
        emit_line(merger, source, line);
}

/* entries */

static size_t index_of(const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; i < yaml_count(map); i++) {
        if (strcmp(yaml_key(map, i)->text, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool is_removed(const struct merger *merger, const char *section, const char *name)
{
    const struct yaml_node *list = yaml_get(yaml_get(merger->overlay.root, "remove"), section);

    for (size_t i = 0; i < yaml_count(list); i++) {
        if (yaml_is(yaml_at(list, i), name))
            return true;
    }
    return false;
}

/* Entries can be told apart by lines only if each begins one, all at the same column. */
static bool check_block(struct merger *merger, const struct source *source, const struct yaml_node *section,
                        uint32_t column)
{
    uint32_t last = section->key->line;

    for (size_t i = 0; i < yaml_count(section); i++) {
        const struct yaml_node *key = yaml_key(section, i);

        if (key->line <= last || key->column != column) {
            blame(merger, !source->overlay, key,
                  "write each entry of this section on a line of its own, indented as in the base");
            return false;
        }
        last = key->line;
    }
    return true;
}

static void merge_records(struct merger *merger, size_t at, uint32_t end)
{
    const struct yaml_node *base = yaml_value(merger->base.root, at);
    const char *name = yaml_key(merger->base.root, at)->text;
    size_t over_at = index_of(merger->overlay.root, name);
    const struct yaml_node *over = over_at == SIZE_MAX ? NULL : yaml_value(merger->overlay.root, over_at);
    uint32_t over_end =
        over == NULL ? 0 : end_of(&merger->overlay, merger->overlay.root, over_at, merger->overlay.lines + 1);

    if (base->kind != YAML_MAP || (over != NULL && over->kind != YAML_MAP)) {
        blame(merger, base->kind != YAML_MAP, base->kind != YAML_MAP ? base : over,
              "this section must be a mapping of named entries");
        return;
    }
    if (!check_block(merger, &merger->base, base, yaml_key(base, 0)->column) ||
        (over != NULL && !check_block(merger, &merger->overlay, over, yaml_key(base, 0)->column)))
        return;
    emit(merger, &merger->base, start_of(&merger->base, base->key),
         start_of(&merger->base, yaml_key(base, 0)));
    for (size_t i = 0; i < yaml_count(base); i++) {
        const char *entry = yaml_key(base, i)->text;
        size_t other = over == NULL ? SIZE_MAX : index_of(over, entry);

        if (other != SIZE_MAX)
            emit(merger, &merger->overlay, start_of(&merger->overlay, yaml_key(over, other)),
                 end_of(&merger->overlay, over, other, over_end));
        else if (!is_removed(merger, name, entry))
            emit(merger, &merger->base, start_of(&merger->base, yaml_key(base, i)),
                 end_of(&merger->base, base, i, end));
    }
    for (size_t i = 0; over != NULL && i < yaml_count(over); i++) {
        if (index_of(base, yaml_key(over, i)->text) == SIZE_MAX)
            emit(merger, &merger->overlay, start_of(&merger->overlay, yaml_key(over, i)),
                 end_of(&merger->overlay, over, i, over_end));
    }
}

static void merge_section(struct merger *merger, size_t at)
{
    const struct yaml_node *key = yaml_key(merger->base.root, at);
    uint32_t end = end_of(&merger->base, merger->base.root, at, merger->base.lines + 1);
    size_t other = index_of(merger->overlay.root, key->text);

    if (is_record_section(key->text))
        merge_records(merger, at, end);
    else if (other == SIZE_MAX)
        emit(merger, &merger->base, start_of(&merger->base, key), end);
    else
        emit(merger, &merger->overlay, start_of(&merger->overlay, yaml_key(merger->overlay.root, other)),
             end_of(&merger->overlay, merger->overlay.root, other, merger->overlay.lines + 1));
}

static bool is_own(const char *name)
{
    return strcmp(name, "overlay_of") == 0 || strcmp(name, "remove") == 0;
}

static void merge_sections(struct merger *merger)
{
    for (size_t i = 0; i < yaml_count(merger->base.root); i++)
        merge_section(merger, i);
    for (size_t i = 0; i < yaml_count(merger->overlay.root); i++) {
        const struct yaml_node *key = yaml_key(merger->overlay.root, i);

        if (!is_own(key->text) && index_of(merger->base.root, key->text) == SIZE_MAX)
            emit(merger, &merger->overlay, start_of(&merger->overlay, key),
                 end_of(&merger->overlay, merger->overlay.root, i, merger->overlay.lines + 1));
    }
}

/* what the overlay says of itself */

static void check_base(struct merger *merger)
{
    static const char *const keys[] = {"protocol", "version", NULL};
    const struct yaml_node *of = yaml_read_required(merger->errors, merger->overlay.root, "overlay_of");
    const struct yaml_node *of_protocol, *of_version, *id, *version;

    if (!yaml_read_map(merger->errors, of) || !yaml_read_known_keys(merger->errors, of, keys))
        return;
    of_protocol = yaml_read_required(merger->errors, of, "protocol");
    of_version = yaml_read_required(merger->errors, of, "version");
    (void)yaml_read_required(merger->errors, merger->overlay.root, "protocol");
    (void)yaml_read_required(merger->errors, merger->overlay.root, "version");
    id = yaml_get(merger->base.root, "protocol");
    version = yaml_get(merger->base.root, "version");
    if (of_protocol != NULL && (id == NULL || id->text == NULL || !yaml_is(of_protocol, id->text)))
        yaml_errors_add(merger->errors, of_protocol, "the base given is another protocol; give this one");
    if (of_version != NULL &&
        (version == NULL || version->text == NULL || !yaml_is(of_version, version->text)))
        yaml_errors_add(
            merger->errors, of_version,
            "the base given has another version; review the overlay against it, then name it here");
    if (yaml_get(merger->base.root, "overlay_of") != NULL)
        yaml_errors_add(merger->errors, of, "the base given is an overlay itself; merge that one first");
}

static void check_removal(struct merger *merger, const struct yaml_node *section,
                          const struct yaml_node *node)
{
    const struct yaml_node *base = yaml_get(merger->base.root, section->text);
    const char *name;

    if (!yaml_read_string(merger->errors, node, &name))
        return;
    if (yaml_get(base, name) == NULL)
        yaml_errors_add(merger->errors, node, "the base has no such entry in '%s'; leave it out",
                        section->text);
    else if (yaml_get(yaml_get(merger->overlay.root, section->text), name) != NULL)
        yaml_errors_add(
            merger->errors, node,
            "this is removed and written anew; the new one takes the place, so leave it out here");
}

static void check_removals(struct merger *merger)
{
    const struct yaml_node *remove = yaml_get(merger->overlay.root, "remove");

    if (remove == NULL || !yaml_read_map(merger->errors, remove))
        return;
    for (size_t i = 0; i < yaml_count(remove); i++) {
        const struct yaml_node *section = yaml_key(remove, i), *list = yaml_value(remove, i);

        if (!is_record_section(section->text)) {
            yaml_errors_add(merger->errors, section,
                            "entries of this section have no names; replace it whole");
            continue;
        }
        if (!yaml_read_list(merger->errors, list, 1, 256))
            continue;
        for (size_t k = 0; k < yaml_count(list); k++)
            check_removal(merger, section, yaml_at(list, k));
    }
}

/* what came out */

static bool same_tree(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t children = a == NULL ? 0 : a->kind == YAML_MAP ? 2 * a->count : a->count;

    if (a == NULL || b == NULL || a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == YAML_SCALAR)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < children; i++) {
        if (!same_tree(a->children[i], b->children[i]))
            return false;
    }
    return true;
}

static const struct yaml_node *expected(const struct merger *merger, const char *section, const char *entry)
{
    const struct yaml_node *over = yaml_get(merger->overlay.root, section);
    const struct yaml_node *base = yaml_get(merger->base.root, section);

    if (entry == NULL)
        return over != NULL ? over : base;
    return yaml_get(over, entry) != NULL ? yaml_get(over, entry) : yaml_get(base, entry);
}

/* Lines were moved, meaning is what counts: everything must read as it did where it came from. */
static bool reads_the_same(const struct merger *merger, const struct yaml_node *root)
{
    for (size_t i = 0; i < yaml_count(root); i++) {
        const struct yaml_node *value = yaml_value(root, i);
        const char *section = yaml_key(root, i)->text;

        if (!is_record_section(section)) {
            if (!same_tree(value, expected(merger, section, NULL)))
                return false;
            continue;
        }
        for (size_t k = 0; k < yaml_count(value); k++) {
            if (!same_tree(yaml_value(value, k), expected(merger, section, yaml_key(value, k)->text)))
                return false;
        }
    }
    return true;
}

static void check_result(struct merger *merger)
{
    struct yaml *yaml = NULL;
    struct yaml_error error;
    enum status status = yaml_parse(bytes_buffer_view(&merger->merged.text), &yaml, &error);

    if (status == STATUS_NO_MEMORY)
        merger->status = status;
    else if (status != STATUS_OK || !reads_the_same(merger, yaml_root(yaml)))
        blame(merger, false, merger->overlay.root,
              "the two files cannot be put together by lines; write them in the layout of the shipped ones");
    yaml_destroy(&yaml);
}

static void merge(struct merger *merger)
{
    size_t before = merger->errors->count;

    check_base(merger);
    check_removals(merger);
    if (merger->errors->count > before) {
        merger->status = STATUS_BAD_FORMAT;
        return;
    }
    merge_sections(merger);
    if (merger->status == STATUS_OK)
        merger->status = merger->merged.text.status;
    if (merger->status == STATUS_OK)
        check_result(merger);
}

static void close_source(struct source *source)
{
    free(source->starts);
    yaml_destroy(&source->yaml);
}

enum status overlay_merge(struct byte_view base, struct byte_view overlay, struct yaml_errors *errors,
                          struct overlay_merged *ret_merged, bool *ret_in_overlay)
{
    struct merger merger = {.base = {.text = base},
                            .overlay = {.text = overlay, .overlay = true},
                            .errors = errors,
                            .merged = {.text = bytes_buffer(TEXT_LARGEST)}};

    merger.status = open_source(&merger.base, errors);
    merger.blame_base = merger.status != STATUS_OK;
    if (merger.status == STATUS_OK)
        merger.status = open_source(&merger.overlay, errors);
    if (merger.status == STATUS_OK)
        merge(&merger);
    if (merger.status == STATUS_OK)
        *ret_merged = merger.merged;
    else
        overlay_merged_free(&merger.merged);
    *ret_in_overlay = !merger.blame_base;
    close_source(&merger.base);
    close_source(&merger.overlay);
    return merger.status;
}

void overlay_merged_free(struct overlay_merged *merged)
{
    bytes_buffer_free(&merged->text);
    free(merged->lines);
    merged->lines = NULL;
    merged->line_count = 0;
}

struct overlay_line overlay_origin(const struct overlay_merged *merged, uint32_t line)
{
    if (merged->line_count == 0)
        return (struct overlay_line){true, 1};
    if (line == 0 || line > merged->line_count)
        line = (uint32_t)merged->line_count;
    return merged->lines[line - 1];
}
