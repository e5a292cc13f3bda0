#include <string.h>

#include "audit/table_form.h"

#define NOTE_WIDTH 100

static void begin(struct table_page *page)
{
    fprintf(page->out, "%s\n", page->title);
}

static void fact(struct table_page *page, const char *key, const char *text)
{
    fprintf(page->out, "%s: %s\n", key, text);
}

static void facts_end(struct table_page *page)
{
    (void)page;
}

/* Characters, not bytes, so that columns stand under each other. */
static int width_of(const char *text, size_t size)
{
    int width = 0;

    for (size_t i = 0; i < size; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static void note(struct table_page *page, const char *text)
{
    int column = 0;

    fputc('\n', page->out);
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        int width = width_of(text, size);

        if (column > 0 && column + 1 + width > NOTE_WIDTH) {
            fputc('\n', page->out);
            column = 0;
        }
        fprintf(page->out, "%s%.*s", column > 0 ? " " : "", (int)size, text);
        column += width + (column > 0);
        text += size + (text[size] == ' ');
    }
    fputc('\n', page->out);
}

static void cell(FILE *out, const struct table_column *column, const char *text, bool last)
{
    int room = column->width - width_of(text, strlen(text));

    if (room < 0)
        room = 0;
    if (column->kind == TABLE_NUMBER)
        fprintf(out, "%*s%s", room, "", text);
    else
        fprintf(out, "%s%*s", text, last ? 0 : room, "");
    if (!last)
        fputs("  ", out);
}

static void open_table(struct table_page *page)
{
    fprintf(page->out, "\n%s\n", page->head->heading);
}

static void line(struct table_page *page, const char *const *cells, bool heading)
{
    const struct table_head *head = page->head;

    fputs("  ", page->out);
    for (size_t i = 0; i < head->count; i++) {
        const struct table_column *column = &head->columns[i];
        const char *text = heading ? column->heading : cells[i] == NULL ? "-" : cells[i];

        cell(page->out, column, text, i + 1 == head->count);
    }
    fputc('\n', page->out);
}

static void row(struct table_page *page, const char *const *cells)
{
    if (page->rows == 0)
        line(page, NULL, true);
    line(page, cells, false);
}

static void close_table(struct table_page *page)
{
    if (page->rows == 0)
        fprintf(page->out, "  %s\n", page->head->none);
}

static void end(struct table_page *page)
{
    (void)page;
}

const struct table_form_operations table_text = {begin,      fact, facts_end,   note,
                                                 open_table, row,  close_table, end};
