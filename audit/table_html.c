#include <string.h>

#include "audit/table_form.h"

static void escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void element(FILE *out, const char *name, const char *text)
{
    fprintf(out, "<%s>", name);
    escaped(out, text);
    fprintf(out, "</%s>\n", name);
}

static void begin(struct table_page *page)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'\">\n",
          page->out);
    element(page->out, "title", page->title);
    fputs("<style>\n"
          "body { font: 11pt/1.4 Helvetica, Arial, sans-serif; margin: 2em; color: #0b0c0c; }\n"
          "h1 { font-size: 18pt; } h2 { font-size: 13pt; margin-top: 1.5em; }\n"
          "dt { float: left; clear: left; width: 10em; font-weight: bold; } dd { margin-left: 11em; }\n"
          "table { border-collapse: collapse; } th, td { border-bottom: 1px solid #b1b4b6; padding: 3px 10px "
          "3px 0;\n  text-align: left; vertical-align: top; } td.number, th.number { text-align: right; }\n"
          "@media print { body { margin: 0; font-size: 9pt; } thead { display: table-header-group; }\n"
          "  tr { break-inside: avoid; } }\n"
          "@page { margin: 15mm; }\n</style>\n</head>\n<body>\n",
          page->out);
    element(page->out, "h1", page->title);
    fputs("<dl>\n", page->out);
}

static void fact(struct table_page *page, const char *key, const char *text)
{
    element(page->out, "dt", key);
    element(page->out, "dd", text);
}

static void facts_end(struct table_page *page)
{
    fputs("</dl>\n", page->out);
}

static void note(struct table_page *page, const char *text)
{
    element(page->out, "p", text);
}

static void open_table(struct table_page *page)
{
    element(page->out, "h2", page->head->heading);
}

static void cell(struct table_page *page, size_t column, const char *name, const char *text)
{
    bool number = page->head->columns[column].kind == TABLE_NUMBER;

    fprintf(page->out, "<%s%s%s>", name, name[1] == 'h' ? " scope=\"col\"" : "",
            number ? " class=\"number\"" : "");
    escaped(page->out, text == NULL ? "" : text);
    fprintf(page->out, "</%s>", name);
}

static void row(struct table_page *page, const char *const *cells)
{
    if (page->rows == 0) {
        fputs("<table>\n<thead><tr>", page->out);
        for (size_t i = 0; i < page->head->count; i++)
            cell(page, i, "th", page->head->columns[i].heading);
        fputs("</tr></thead>\n<tbody>\n", page->out);
    }
    fputs("<tr>", page->out);
    for (size_t i = 0; i < page->head->count; i++)
        cell(page, i, "td", cells[i]);
    fputs("</tr>\n", page->out);
}

static void close_table(struct table_page *page)
{
    if (page->rows == 0)
        element(page->out, "p", page->head->none);
    else
        fputs("</tbody>\n</table>\n", page->out);
}

static void end(struct table_page *page)
{
    fputs("</body>\n</html>\n", page->out);
}

const struct table_form_operations table_html = {begin,      fact, facts_end,   note,
                                                 open_table, row,  close_table, end};
