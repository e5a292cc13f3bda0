#include "policy/compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/compare_parts.h"

#define SENTENCE_SIZE 8192

void compare_under(struct comparison *comparison, const char *heading)
{
    comparison->heading = heading;
}

void compare_say(struct comparison *comparison, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (comparison->heading != NULL)
        bytes_append_format(comparison->out, "\n%s\n", comparison->heading);
    comparison->heading = NULL;
    bytes_append_string(comparison->out, "- ");
    bytes_append_string(comparison->out, sentence);
    bytes_append_string(comparison->out, "\n");
    comparison->changes++;
}

void compare_names_add(struct compare_names *names, const char *name)
{
    size_t at = names->count;

    if (names->count == COMPARE_NAMES_MAX)
        return;
    for (; at > 0 && strcmp(names->list[at - 1], name) > 0; at--)
        names->list[at] = names->list[at - 1];
    names->list[at] = name;
    names->count++;
}

void compare_names_write(const struct compare_names *names, struct byte_buffer *ret)
{
    for (size_t i = 0; i < names->count; i++)
        bytes_append_format(ret, "%s%s", i == 0 ? "" : ", ", names->list[i]);
    if (names->count == 0)
        bytes_append_string(ret, "none");
}

enum status compare_write(const struct protocol *before, const struct protocol *after,
                          struct byte_buffer *ret_text, size_t *ret_changes)
{
    struct comparison comparison = {.before = before, .after = after, .out = ret_text};

    bytes_append_format(ret_text, "%s, version %u, compared with %s, version %u.\n", after->id,
                        after->version, before->id, before->version);
    compare_flows_all(&comparison);
    compare_things_all(&comparison);
    if (comparison.changes == 0)
        bytes_append_string(ret_text, "Nothing changes.\n");
    *ret_changes = comparison.changes;
    return comparison.no_memory ? STATUS_NO_MEMORY : ret_text->status;
}
