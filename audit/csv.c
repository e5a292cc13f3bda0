#include "audit/csv.h"

#include <stdbool.h>
#include <string.h>

void csv_cell(FILE *out, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    bool formula = strchr("=+-@\t\r", text[0]) != NULL;
    bool quoted = strpbrk(text, "\",\r\n") != NULL;

    if (quoted)
        fputc('"', out);
    if (formula)
        fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    if (quoted)
        fputc('"', out);
}

void csv_end(FILE *out)
{
    fputs("\r\n", out);
}
