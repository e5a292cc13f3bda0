#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "audit/table_form.h"

static void text_value(FILE *out, const char *text)
{
    json_t *value = text == NULL ? json_null() : json_string(text);

    /* What is no UTF-8 cannot be told; nothing here should hold it. */
    if (value == NULL || json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
        fputs("null", out);
    json_decref(value);
}

static bool is_number(const char *text)
{
    size_t size = strspn(text, "0123456789");

    return size > 0 && text[size] == '\0' && (size == 1 || text[0] != '0') && size <= 18;
}

static void begin(struct table_page *page)
{
    fputs("{\"report\":", page->out);
    text_value(page->out, page->name);
    fputs(",\"title\":", page->out);
    text_value(page->out, page->title);
    fputs(",\"facts\":{", page->out);
}

static void fact(struct table_page *page, const char *key, const char *text)
{
    if (page->facts > 0)
        fputc(',', page->out);
    text_value(page->out, key);
    fputc(':', page->out);
    text_value(page->out, text);
}

static void facts_end(struct table_page *page)
{
    fputs("},\"content\":[", page->out);
}

static void between(const struct table_page *page)
{
    fputs(page->parts > 0 ? ",\n" : "\n", page->out);
}

static void note(struct table_page *page, const char *text)
{
    between(page);
    fputs("{\"note\":", page->out);
    text_value(page->out, text);
    fputc('}', page->out);
}

static void open_table(struct table_page *page)
{
    between(page);
    fputs("{\"table\":", page->out);
    text_value(page->out, page->head->name);
    fputs(",\"heading\":", page->out);
    text_value(page->out, page->head->heading);
    fputs(",\"rows\":[", page->out);
}

static void row(struct table_page *page, const char *const *cells)
{
    fputs(page->rows > 0 ? ",\n{" : "\n{", page->out);
    for (size_t i = 0; i < page->head->count; i++) {
        const struct table_column *column = &page->head->columns[i];

        if (i > 0)
            fputc(',', page->out);
        text_value(page->out, column->key);
        fputc(':', page->out);
        if (column->kind == TABLE_NUMBER && cells[i] != NULL && is_number(cells[i]))
            fputs(cells[i], page->out);
        else
            text_value(page->out, cells[i]);
    }
    fputc('}', page->out);
}

static void close_table(struct table_page *page)
{
    fputs("]}", page->out);
}

static void end(struct table_page *page)
{
    fputs("]}\n", page->out);
}

const struct table_form_operations table_json = {begin,      fact, facts_end,   note,
                                                 open_table, row,  close_table, end};
