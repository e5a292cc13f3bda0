#include "policy/paper.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CELLS_LARGEST ((size_t)8 << 20)
#define TEXT_LARGEST  4096
#define WIDEST        28 /* columns of text wrap here */
#define LINE          100

static const char style[] =
    "body{font:11pt/1.4 Georgia,serif;margin:2em auto;max-width:70em;padding:0 1em;color:#111}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.6em;border-bottom:1px solid #888}"
    "table{border-collapse:collapse;width:100%;font-size:.85em}"
    "th,td{border:1px solid #888;padding:.25em .4em;text-align:left;vertical-align:top}"
    "th{background:#eee}tr{page-break-inside:avoid}thead{display:table-header-group}"
    ".blank{border:1px dashed #888;padding:.5em;min-height:3em;color:#555}"
    ".sign{margin-top:2.5em;border-top:1px solid #111;width:32em;padding-top:.2em}"
    "@media print{body{margin:0;max-width:none}@page{size:A4 landscape;margin:15mm}}";

void paper_escape(struct byte_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            bytes_append_string(out, "&amp;");
            break;
        case '<':
            bytes_append_string(out, "&lt;");
            break;
        case '>':
            bytes_append_string(out, "&gt;");
            break;
        case '"':
            bytes_append_string(out, "&quot;");
            break;
        case '\'':
            bytes_append_string(out, "&#39;");
            break;
        default:
            bytes_append(out, text, 1);
            break;
        }
    }
}

void paper_quote(struct byte_buffer *out, const char *text)
{
    bytes_append_string(out, "\"");
    if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
        bytes_append_string(out, "'");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            bytes_append_string(out, "\"");
        bytes_append(out, text, 1);
    }
    bytes_append_string(out, "\"");
}

/* How many bytes of text, at most `size`, make up one line; *ret_skip also counts the space that ends it. A
 * word that is too long is cut, between characters. */
static size_t line_of(const char *text, size_t size, size_t *ret_skip)
{
    size_t length = strlen(text), at;

    if (length <= size) {
        *ret_skip = length;
        return length;
    }
    for (at = size; at > 0 && text[at] != ' '; at--)
        ;
    if (at > 0) {
        *ret_skip = at + 1;
        return at;
    }
    for (at = size; at > 1 && ((unsigned char)text[at] & 0xc0) == 0x80; at--)
        ;
    *ret_skip = at;
    return at;
}

static void wrap(struct byte_buffer *out, const char *first, const char *next, const char *text)
{
    const char *indent = first;
    size_t size, skip;

    do {
        size = line_of(text, LINE - strlen(next), &skip);
        bytes_append_format(out, "%s%.*s\n", indent, (int)size, text);
        text += skip;
        indent = next;
    } while (*text != '\0');
}

static void tag(struct paper *paper, const char *open, const char *text, const char *close)
{
    bytes_append_string(paper->out, open);
    paper_escape(paper->out, text);
    bytes_append_string(paper->out, close);
}

void paper_start(struct paper *paper, enum paper_form form, const char *title, struct byte_buffer *out)
{
    *paper = (struct paper){
        .form = form, .out = out, .cells = bytes_buffer(CELLS_LARGEST), .cell = bytes_buffer(CELLS_LARGEST)};
    if (form == PAPER_HTML) {
        bytes_append_string(
            out, "<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
        paper_escape(out, title);
        bytes_append_format(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
        tag(paper, "<h1>", title, "</h1>\n");
    } else if (form == PAPER_TEXT) {
        bytes_append_format(out, "%s\n", title);
        for (size_t i = 0; i < strlen(title); i++)
            bytes_append_string(out, "=");
        bytes_append_string(out, "\n");
    }
}

void paper_end(struct paper *paper)
{
    if (paper->form == PAPER_HTML)
        bytes_append_string(paper->out, "</body>\n</html>\n");
    bytes_buffer_free(&paper->cells);
    bytes_buffer_free(&paper->cell);
}

#define FORMAT(text)                                                                                         \
    char text[TEXT_LARGEST];                                                                                 \
    va_list arguments;                                                                                       \
                                                                                                             \
    va_start(arguments, format);                                                                             \
    vsnprintf(text, sizeof text, format, arguments);                                                         \
    va_end(arguments)

void paper_heading(struct paper *paper, const char *format, ...)
{
    FORMAT(text);
    if (paper->form == PAPER_HTML) {
        tag(paper, "<h2>", text, "</h2>\n");
    } else if (paper->form == PAPER_TEXT) {
        bytes_append_format(paper->out, "\n%s\n", text);
        for (size_t i = 0; i < strlen(text); i++)
            bytes_append_string(paper->out, "-");
        bytes_append_string(paper->out, "\n");
    }
}

void paper_text(struct paper *paper, const char *format, ...)
{
    FORMAT(text);
    if (paper->form == PAPER_HTML)
        tag(paper, "<p>", text, "</p>\n");
    else if (paper->form == PAPER_TEXT)
        wrap(paper->out, "", "", text);
}

void paper_item(struct paper *paper, const char *format, ...)
{
    FORMAT(text);
    if (paper->form == PAPER_HTML)
        tag(paper, "<p>• ", text, "</p>\n");
    else if (paper->form == PAPER_TEXT)
        wrap(paper->out, "- ", "  ", text);
}

void paper_blank(struct paper *paper, const char *what)
{
    if (paper->form == PAPER_HTML)
        tag(paper, "<p class=\"blank\">To be filled in: ", what, "</p>\n");
    else if (paper->form == PAPER_TEXT) {
        wrap(paper->out, "[ To be filled in: ", "  ", what);
        bytes_append_string(paper->out, "  ........................................................ ]\n");
    }
}

void paper_sign(struct paper *paper, const char *who)
{
    if (paper->form == PAPER_HTML) {
        tag(paper, "<p class=\"sign\">For ", who, ": name, position, signature, date</p>\n");
    } else if (paper->form == PAPER_TEXT) {
        bytes_append_format(paper->out,
                            "\n____________________________________________________________\n"
                            "For %s: name, position, signature, date\n",
                            who);
    }
}

void paper_table(struct paper *paper, const char *const *heads)
{
    paper->heads = heads;
    paper->columns = paper->count = 0;
    while (heads[paper->columns] != NULL)
        paper->columns++;
    bytes_buffer_clear(&paper->cells);
    bytes_buffer_clear(&paper->cell);
}

static void finish_cell(struct paper *paper)
{
    if (paper->count == 0)
        return;
    bytes_append_view(&paper->cells, bytes_buffer_view(&paper->cell));
    bytes_append_u8(&paper->cells, 0);
    bytes_buffer_clear(&paper->cell);
}

void paper_cell(struct paper *paper, const char *format, ...)
{
    FORMAT(text);
    finish_cell(paper);
    paper->count++;
    bytes_append_string(&paper->cell, text);
}

void paper_add(struct paper *paper, const char *format, ...)
{
    FORMAT(text);
    bytes_append_string(&paper->cell, text);
}

/* The text after this one in `cells`. */
static const char *after(const char *text)
{
    return text + strlen(text) + 1;
}

static void measure(const struct paper *paper, size_t widths[static PAPER_COLUMNS_MAX])
{
    const char *text = (const char *)paper->cells.data;

    for (size_t i = 0; i < paper->columns; i++)
        widths[i] = strlen(paper->heads[i]);
    for (size_t i = 0; i < paper->count; i++, text = after(text)) {
        size_t size = strlen(text), *width = &widths[i % paper->columns];

        if (size > WIDEST)
            size = WIDEST;
        if (size > *width)
            *width = size;
    }
}

/* One row, on as many lines as its fullest cell takes. */
static void write_row(struct byte_buffer *out, const char *rest[], const size_t *widths, size_t columns)
{
    bool more = true;

    while (more) {
        size_t pending = 0; /* spaces before the next text, so that no line ends with some */

        more = false;
        for (size_t i = 0; i < columns; i++) {
            size_t skip, size = line_of(rest[i], widths[i], &skip);

            if (size > 0) {
                bytes_append_format(out, "%*s%.*s", (int)pending, "", (int)size, rest[i]);
                pending = 0;
            }
            pending += widths[i] - (size < widths[i] ? size : widths[i]) + 2;
            rest[i] += skip;
            more = more || *rest[i] != '\0';
        }
        bytes_append_string(out, "\n");
    }
}

static void write_text_table(struct paper *paper)
{
    size_t widths[PAPER_COLUMNS_MAX], total = 0;
    const char *row[PAPER_COLUMNS_MAX], *text = (const char *)paper->cells.data;

    measure(paper, widths);
    for (size_t i = 0; i < paper->columns; i++) {
        row[i] = paper->heads[i];
        total += widths[i] + 2;
    }
    bytes_append_string(paper->out, "\n");
    write_row(paper->out, row, widths, paper->columns);
    for (size_t i = 2; i < total; i++)
        bytes_append_string(paper->out, "-");
    bytes_append_string(paper->out, "\n");
    for (size_t i = 0; i < paper->count; i += paper->columns) {
        for (size_t k = 0; k < paper->columns; k++, text = after(text))
            row[k] = text;
        write_row(paper->out, row, widths, paper->columns);
    }
    bytes_append_string(paper->out, "\n");
}

static void write_html_table(struct paper *paper)
{
    const char *text = (const char *)paper->cells.data;

    bytes_append_string(paper->out, "<table>\n<thead><tr>");
    for (size_t i = 0; i < paper->columns; i++)
        tag(paper, "<th>", paper->heads[i], "</th>");
    bytes_append_string(paper->out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < paper->count; i++, text = after(text)) {
        if (i % paper->columns == 0)
            bytes_append_string(paper->out, "<tr>");
        tag(paper, "<td>", text, "</td>");
        if (i % paper->columns == paper->columns - 1)
            bytes_append_string(paper->out, "</tr>\n");
    }
    bytes_append_string(paper->out, "</tbody>\n</table>\n");
}

static void write_csv_table(struct paper *paper)
{
    const char *text = (const char *)paper->cells.data;

    for (size_t i = 0; i < paper->columns; i++) {
        bytes_append_string(paper->out, i == 0 ? "" : ",");
        paper_quote(paper->out, paper->heads[i]);
    }
    bytes_append_string(paper->out, "\r\n");
    for (size_t i = 0; i < paper->count; i++, text = after(text)) {
        paper_quote(paper->out, text);
        bytes_append_string(paper->out, i % paper->columns == paper->columns - 1 ? "\r\n" : ",");
    }
}

/* A row that was not finished is filled up, so that writing never runs past the cells. */
void paper_table_end(struct paper *paper)
{
    while (paper->count % paper->columns != 0)
        paper_cell(paper, "%s", "");
    finish_cell(paper);
    if (paper->cells.status != STATUS_OK || paper->cell.status != STATUS_OK) {
        paper->out->status = STATUS_TOO_LARGE;
        return;
    }
    if (paper->form == PAPER_TEXT)
        write_text_table(paper);
    else if (paper->form == PAPER_HTML)
        write_html_table(paper);
    else
        write_csv_table(paper);
}
