#pragma once

#include <stdbool.h>

#include "audit/table.h"

/* How a page is written in one form; for table.c and the forms alone. */
struct table_page {
    const struct table_form_operations *form;
    FILE *out;
    const char *name;
    const char *title;
    const struct table_head *head; /* of the open table */
    size_t rows;                   /* written of it */
    size_t facts;
    size_t parts; /* notes and tables so far */
};

struct table_form_operations {
    void (*begin)(struct table_page *page);
    void (*fact)(struct table_page *page, const char *key, const char *text);
    void (*facts_end)(struct table_page *page); /* before the first part, or the end */
    void (*note)(struct table_page *page, const char *text);
    void (*open)(struct table_page *page);
    void (*row)(struct table_page *page, const char *const *cells);
    void (*close)(struct table_page *page);
    void (*end)(struct table_page *page);
};

extern const struct table_form_operations table_text;
extern const struct table_form_operations table_json;
extern const struct table_form_operations table_csv;
extern const struct table_form_operations table_html;
