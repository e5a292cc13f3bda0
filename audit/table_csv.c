#include "audit/csv.h"
#include "audit/table_form.h"

/* Titles, facts and notes are for people: a table that is read on has its columns alone. */
static void nothing(struct table_page *page)
{
    (void)page;
}

static void fact(struct table_page *page, const char *key, const char *text)
{
    (void)page;
    (void)key;
    (void)text;
}

static void note(struct table_page *page, const char *text)
{
    (void)text;
    page->parts--; /* nothing was written */
}

static void open_table(struct table_page *page)
{
    if (page->parts > 0)
        csv_end(page->out);
    for (size_t i = 0; i < page->head->count; i++) {
        if (i > 0)
            fputc(',', page->out);
        csv_cell(page->out, page->head->columns[i].key);
    }
    csv_end(page->out);
}

static void row(struct table_page *page, const char *const *cells)
{
    for (size_t i = 0; i < page->head->count; i++) {
        if (i > 0)
            fputc(',', page->out);
        csv_cell(page->out, cells[i]);
    }
    csv_end(page->out);
}

const struct table_form_operations table_csv = {nothing,    fact, nothing, note,
                                                open_table, row,  nothing, nothing};
