#include "audit/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "audit/table_form.h"

#define NOTE_SIZE 16384

enum status table_form_parse(const char *text, enum table_form *ret_form)
{
    static const char *const words[] = {"text", "json", "csv", "html"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_form = (enum table_form)i;
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

enum status table_begin(enum table_form form, FILE *out, const char *name, const char *title,
                        struct table_page **ret)
{
    static const struct table_form_operations *const forms[] = {&table_text, &table_json, &table_csv,
                                                                &table_html};
    struct table_page *page = calloc(1, sizeof *page);

    if (page == NULL)
        return STATUS_NO_MEMORY;
    *page = (struct table_page){.form = forms[form], .out = out, .name = name, .title = title};
    page->form->begin(page);
    *ret = page;
    return STATUS_OK;
}

void table_fact(struct table_page *page, const char *key, const char *text)
{
    assert(page->parts == 0);
    page->form->fact(page, key, text);
    page->facts++;
}

static void next_part(struct table_page *page)
{
    assert(page->head == NULL);
    if (page->parts == 0)
        page->form->facts_end(page);
}

void table_note(struct table_page *page, const char *format, ...)
{
    char text[NOTE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    next_part(page);
    page->form->note(page, text);
    page->parts++;
}

void table_open(struct table_page *page, const struct table_head *head)
{
    assert(head->count > 0 && head->count <= TABLE_COLUMNS_MAX);
    next_part(page);
    page->head = head;
    page->rows = 0;
    page->form->open(page);
}

void table_row(struct table_page *page, const char *const *cells)
{
    assert(page->head != NULL);
    page->form->row(page, cells);
    page->rows++;
}

void table_close(struct table_page *page)
{
    page->form->close(page);
    page->head = NULL;
    page->parts++;
}

void table_broken(struct table_page *page)
{
    if (page->head != NULL)
        table_close(page);
    table_note(page, "NOT COMPLETE: the answer broke off before its end.");
}

void table_end(struct table_page **page)
{
    if (*page == NULL)
        return;
    if ((*page)->head != NULL)
        table_close(*page);
    if ((*page)->parts == 0)
        (*page)->form->facts_end(*page);
    (*page)->form->end(*page);
    free(*page);
    *page = NULL;
}
