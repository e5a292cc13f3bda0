#include "base/yaml.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    CHUNK_SIZE = 64 * 1024,
};

struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

struct yaml {
    struct chunk *chunks; /* everything below lives in them */
    const struct yaml_node *root;
};

/* A node while its collection is still open. */
struct linked_node {
    struct yaml_node node;
    struct linked_node *next;
};

struct frame {
    struct linked_node *collection;
    struct linked_node *first;
    struct linked_node *last;
    size_t children;
};

struct builder {
    struct yaml *yaml;
    struct yaml_error error;
    struct frame frames[YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    bool has_document;
    bool finished;
};

/* Where something stands in the file, counted from 1. */
struct place {
    uint32_t line;
    uint32_t column;
};

static void *arena_take(struct yaml *yaml, size_t size)
{
    struct chunk *chunk = yaml->chunks;
    const size_t step = alignof(max_align_t);

    size = (size + step - 1) / step * step;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct chunk){.next = yaml->chunks, .size = room};
        yaml->chunks = chunk;
    }
    void *taken = chunk->data + chunk->used;
    chunk->used += size;
    return taken;
}

__attribute__((format(printf, 4, 5))) static enum status fail_at(struct builder *builder, enum status status,
                                                                 struct place place, const char *format, ...)
{
    va_list arguments;

    builder->error.line = place.line;
    builder->error.column = place.column;
    va_start(arguments, format);
    vsnprintf(builder->error.reason, sizeof builder->error.reason, format, arguments);
    va_end(arguments);
    return status;
}

static enum status fail_memory(struct builder *builder)
{
    return fail_at(builder, STATUS_NO_MEMORY, (struct place){1, 1}, "out of memory");
}

static struct place place_of_mark(yaml_mark_t mark)
{
    return (struct place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct place place_of_node(const struct yaml_node *node)
{
    return (struct place){node->line, node->column};
}

static struct place place_of_offset(struct byte_view text, size_t offset)
{
    struct place place = {1, 1};

    for (size_t i = 0; i < offset && i < text.size; i++) {
        bool in_crlf = text.data[i] == '\r' && i + 1 < text.size && text.data[i + 1] == '\n';
        if (text.data[i] == '\n' || (text.data[i] == '\r' && !in_crlf))
            place = (struct place){place.line + 1, 1};
        else if (!in_crlf && (text.data[i] & 0xc0) != 0x80)
            place.column++;
    }
    return place;
}

/* The offset of a control character or of one that turns the direction of writing, so that a page shows other
 * text than the parser sees; text.size if there is none. */
static size_t find_unwanted(struct byte_view text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t *at = text.data + i;
        size_t left = text.size - i;
        if ((*at < 0x20 && *at != '\t' && *at != '\n' && *at != '\r') || *at == 0x7f)
            return i;
        if (left >= 2 && at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
            return i;
        if (left >= 3 && at[0] == 0xe2 &&
            ((at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
             (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9)))
            return i;
    }
    return text.size;
}

static enum status check_raw(struct builder *builder, struct byte_view text)
{
    static const struct place start = {1, 1};

    if (text.size > YAML_SIZE_MAX)
        return fail_at(builder, STATUS_TOO_LARGE, start, "larger than %zu MiB; split it",
                       YAML_SIZE_MAX >> 20);
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return fail_at(builder, STATUS_BAD_FORMAT, start,
                       "begins with a byte order mark; save it as UTF-8 without one");
    if (text.size >= 2 && (memcmp(text.data, "\xff\xfe", 2) == 0 || memcmp(text.data, "\xfe\xff", 2) == 0))
        return fail_at(builder, STATUS_BAD_FORMAT, start, "is UTF-16; save it as UTF-8");
    size_t unwanted = find_unwanted(text);
    if (unwanted < text.size)
        return fail_at(builder, STATUS_BAD_FORMAT, place_of_offset(text, unwanted),
                       "a control character that does not show on a page; remove it");
    return STATUS_OK;
}

/* Keys in order of text; the same text in the file's order. */
static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = strcmp(x->text, y->text);

    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static enum status refuse_duplicates(struct builder *builder, const struct yaml_node *map)
{
    enum status status = STATUS_OK;
    char quoted[YAML_QUOTE_SIZE];

    if (map->count < 2)
        return STATUS_OK;
    const struct yaml_node **keys = malloc(map->count * sizeof(struct yaml_node *));
    if (keys == NULL)
        return fail_memory(builder);
    for (size_t i = 0; i < map->count; i++)
        keys[i] = map->children[2 * i];
    qsort(keys, map->count, sizeof(struct yaml_node *), compare_keys);
    for (size_t i = 1; i < map->count && status == STATUS_OK; i++) {
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
            status = fail_at(builder, STATUS_BAD_FORMAT, place_of_node(keys[i]),
                             "%s stands here a second time, first on line %u; remove one",
                             yaml_quote(quoted, keys[i]->text), keys[i - 1]->line);
    }
    free(keys);
    return status;
}

/* Puts a complete or just opened node into the collection that is open, or makes it the root. */
static enum status attach(struct builder *builder, struct linked_node *linked)
{
    struct yaml_node *node = &linked->node;

    if (builder->depth == 0) {
        builder->yaml->root = node;
        return STATUS_OK;
    }
    struct frame *frame = &builder->frames[builder->depth - 1];
    if (frame->collection->node.kind == YAML_MAP) {
        bool is_key = frame->children % 2 == 0;
        if (is_key && node->kind != YAML_SCALAR)
            return fail_at(builder, STATUS_BAD_FORMAT, place_of_node(node),
                           "a key must be text, not a list or a mapping; put quotes around it if it is text");
        if (is_key && node->size == 0)
            return fail_at(builder, STATUS_BAD_FORMAT, place_of_node(node), "a key is empty; name it");
        if (!is_key)
            node->key = &frame->last->node;
    }
    if (frame->last == NULL)
        frame->first = linked;
    else
        frame->last->next = linked;
    frame->last = linked;
    frame->children++;
    return STATUS_OK;
}

static enum status add_node(struct builder *builder, const yaml_event_t *event, struct yaml_node node,
                            struct linked_node **ret_linked)
{
    struct place place = place_of_mark(event->start_mark);

    if (++builder->nodes > YAML_NODES_MAX)
        return fail_at(builder, STATUS_TOO_LARGE, place, "more than %zu values; split the file",
                       YAML_NODES_MAX);
    struct linked_node *linked = arena_take(builder->yaml, sizeof *linked);
    if (linked == NULL)
        return fail_memory(builder);
    node.line = place.line;
    node.column = place.column;
    *linked = (struct linked_node){.node = node};
    *ret_linked = linked;
    return attach(builder, linked);
}

static enum status refuse_properties(struct builder *builder, const yaml_event_t *event,
                                     const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct place place = place_of_mark(event->start_mark);

    if (anchor != NULL)
        return fail_at(builder, STATUS_BAD_FORMAT, place,
                       "anchors are not accepted; remove it, or put the value in quotes if & is text");
    if (tag != NULL)
        return fail_at(builder, STATUS_BAD_FORMAT, place,
                       "tags are not accepted; remove it, or put the value in quotes if ! is text");
    return STATUS_OK;
}

static enum status on_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct byte_view value = bytes_view(event->data.scalar.value, event->data.scalar.length);
    struct linked_node *linked;
    enum status status = refuse_properties(builder, event, event->data.scalar.anchor, event->data.scalar.tag);

    if (status != STATUS_OK)
        return status;
    if (find_unwanted(value) < value.size)
        return fail_at(builder, STATUS_BAD_FORMAT, place_of_mark(event->start_mark),
                       "an escape gives a control character; remove it");
    char *text = arena_take(builder->yaml, value.size + 1);
    if (text == NULL)
        return fail_memory(builder);
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return add_node(builder, event,
                    (struct yaml_node){.kind = YAML_SCALAR,
                                       .quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
                                       .text = text,
                                       .size = value.size},
                    &linked);
}

static enum status on_start(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind,
                            const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct linked_node *linked;
    enum status status = refuse_properties(builder, event, anchor, tag);

    if (status != STATUS_OK)
        return status;
    if (builder->depth == YAML_DEPTH_MAX)
        return fail_at(builder, STATUS_TOO_LARGE, place_of_mark(event->start_mark),
                       "more than %d levels inside one another; flatten it", YAML_DEPTH_MAX);
    status = add_node(builder, event, (struct yaml_node){.kind = kind}, &linked);
    if (status != STATUS_OK)
        return status;
    builder->frames[builder->depth++] = (struct frame){.collection = linked};
    return STATUS_OK;
}

static enum status on_end(struct builder *builder)
{
    assert(builder->depth > 0);
    struct frame *frame = &builder->frames[--builder->depth];
    struct yaml_node *node = &frame->collection->node;
    size_t i = 0;

    node->children = arena_take(builder->yaml, frame->children * sizeof(struct yaml_node *));
    if (node->children == NULL)
        return fail_memory(builder);
    for (struct linked_node *child = frame->first; child != NULL; child = child->next)
        node->children[i++] = &child->node;
    node->count = node->kind == YAML_MAP ? frame->children / 2 : frame->children;
    return node->kind == YAML_MAP ? refuse_duplicates(builder, node) : STATUS_OK;
}

static enum status on_document(struct builder *builder, const yaml_event_t *event)
{
    struct place place = place_of_mark(event->start_mark);

    if (builder->has_document)
        return fail_at(builder, STATUS_BAD_FORMAT, place,
                       "a second document begins here; keep one to a file");
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
        return fail_at(builder, STATUS_BAD_FORMAT, place, "directives are not accepted; remove the %% line");
    builder->has_document = true;
    return STATUS_OK;
}

static enum status on_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(builder, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(builder, event, YAML_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_start(builder, event, YAML_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(builder);
    case YAML_ALIAS_EVENT:
        return fail_at(builder, STATUS_BAD_FORMAT, place_of_mark(event->start_mark),
                       "aliases are not accepted; write the value out, or put it in quotes if * is text");
    case YAML_STREAM_END_EVENT:
        builder->finished = true;
        if (!builder->has_document)
            return fail_at(builder, STATUS_BAD_FORMAT, (struct place){1, 1}, "the file is empty");
        return STATUS_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return STATUS_OK;
}

static enum status explain(struct builder *builder, const yaml_parser_t *parser, struct byte_view text)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return fail_memory(builder);
    if (parser->error == YAML_READER_ERROR)
        return fail_at(builder, STATUS_BAD_FORMAT, place_of_offset(text, parser->problem_offset),
                       "not UTF-8 text (%s); save it as UTF-8", parser->problem);
    return fail_at(builder, STATUS_BAD_FORMAT, place_of_mark(parser->problem_mark), "not valid YAML: %s%s%s",
                   parser->problem, parser->context != NULL ? " " : "",
                   parser->context != NULL ? parser->context : "");
}

static enum status build(struct builder *builder, struct byte_view text)
{
    yaml_parser_t parser;
    enum status status = STATUS_OK;

    if (!yaml_parser_initialize(&parser))
        return fail_memory(builder);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.data, text.size);
    while (status == STATUS_OK && !builder->finished) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = explain(builder, &parser, text);
            break;
        }
        status = on_event(builder, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

enum status yaml_parse(struct byte_view text, struct yaml **ret, struct yaml_error *ret_error)
{
    struct builder builder = {.yaml = calloc(1, sizeof(struct yaml))};
    enum status status;

    if (text.data == NULL)
        text = bytes_of_string("");
    if (builder.yaml == NULL) {
        status = fail_memory(&builder);
        goto out;
    }
    status = check_raw(&builder, text);
    if (status == STATUS_OK)
        status = build(&builder, text);
    if (status == STATUS_OK) {
        assert(builder.yaml->root != NULL && builder.depth == 0);
        *ret = builder.yaml;
        builder.yaml = NULL;
    }
out:
    if (status != STATUS_OK)
        *ret_error = builder.error;
    yaml_destroy(&builder.yaml);
    return status;
}

void yaml_destroy(struct yaml **yaml)
{
    if (*yaml == NULL)
        return;
    for (struct chunk *chunk = (*yaml)->chunks; chunk != NULL;) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(*yaml);
    *yaml = NULL;
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
    return yaml->root;
}

static const struct yaml_node *child(const struct yaml_node *node, enum yaml_kind kind, size_t index,
                                     size_t step, size_t offset)
{
    if (node == NULL || node->kind != kind || index >= node->count)
        return NULL;
    return node->children[index * step + offset];
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->count; i++) {
        if (strcmp(map->children[2 * i]->text, key) == 0)
            return map->children[2 * i + 1];
    }
    return NULL;
}

size_t yaml_count(const struct yaml_node *node)
{
    return node == NULL ? 0 : node->count;
}

const struct yaml_node *yaml_at(const struct yaml_node *list, size_t index)
{
    return child(list, YAML_LIST, index, 1, 0);
}

const struct yaml_node *yaml_key(const struct yaml_node *map, size_t index)
{
    return child(map, YAML_MAP, index, 2, 0);
}

const struct yaml_node *yaml_value(const struct yaml_node *map, size_t index)
{
    return child(map, YAML_MAP, index, 2, 1);
}

bool yaml_is(const struct yaml_node *node, const char *text)
{
    return node != NULL && node->kind == YAML_SCALAR && strcmp(node->text, text) == 0;
}

const char *yaml_quote(char out[static YAML_QUOTE_SIZE], const char *text)
{
    const size_t room = YAML_QUOTE_SIZE - sizeof "'...'";
    size_t size = strlen(text);
    bool cut = size > room;

    if (cut)
        size = room;
    while (cut && size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
        size--;
    int length = snprintf(out, YAML_QUOTE_SIZE, "'%.*s%s'", (int)size, text, cut ? "..." : "");
    for (int i = 0; i < length; i++) {
        if (out[i] == '\n' || out[i] == '\r' || out[i] == '\t')
            out[i] = ' ';
    }
    return out;
}
