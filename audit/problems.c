#include "audit/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_add(struct problems *problems, const char *format, ...)
{
    char text[PROBLEMS_TEXT_SIZE];
    va_list arguments;

    problems->count++;
    if (problems->count > PROBLEMS_TOLD)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problems->tell(problems->context, text);
}
