#include "base/yaml_errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where a problem belongs in the list: behind all that stand before it, or at its place, in the file. */
static size_t rank_of(const struct yaml_errors *errors, uint32_t line, uint32_t column)
{
    size_t at = errors->count;

    while (at > 0 && (errors->list[at - 1].line > line ||
                      (errors->list[at - 1].line == line && errors->list[at - 1].column > column)))
        at--;
    return at;
}

__attribute__((format(printf, 4, 0))) static void add(struct yaml_errors *errors, uint32_t line,
                                                      uint32_t column, const char *format, va_list arguments)
{
    if (errors->count == YAML_ERRORS_MAX) {
        errors->dropped++;
        return;
    }
    size_t at = rank_of(errors, line, column);
    struct yaml_problem *problem = &errors->list[at];
    memmove(problem + 1, problem, (errors->count - at) * sizeof *problem);
    errors->count++;
    problem->line = line;
    problem->column = column;
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
}

void yaml_errors_add(struct yaml_errors *errors, const struct yaml_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(errors, node->line, node->column, format, arguments);
    va_end(arguments);
}

void yaml_errors_add_at(struct yaml_errors *errors, uint32_t line, uint32_t column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(errors, line, column, format, arguments);
    va_end(arguments);
}

void yaml_errors_write(const struct yaml_errors *errors, const char *file, struct byte_buffer *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct yaml_problem *problem = &errors->list[i];
        bytes_append_format(out, "%s:%u:%u: %s\n", file, problem->line, problem->column, problem->text);
    }
    if (errors->dropped > 0)
        bytes_append_format(out, "%s: and %zu more; mend these first\n", file, errors->dropped);
}
