#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/bytes.h"

/*
 * What a report says, whichever way it is written: a title, facts, notes and tables, in this order or mixed
 * after the facts. Rows go out as they come, so that a table may be of any length. One page has one of these
 * forms:
 *
 *   text  for a terminal; columns as wide as they say, wider where a cell is
 *   JSON  {"report":NAME,"title":T,"facts":{…},"content":[{"note":T} |
 * {"table":NAME,"heading":T,"rows":[{…}]}]} CSV   RFC 4180, the tables alone, an empty line between them; a
 * cell that a spreadsheet would take for a formula gets an apostrophe in front HTML  one page that prints,
 * without script or outside parts
 */

enum table_form { TABLE_AS_TEXT, TABLE_AS_JSON, TABLE_AS_CSV, TABLE_AS_HTML };

enum table_kind {
    TABLE_TEXT,
    TABLE_NUMBER, /* of decimal digits it is a number in JSON, and stands to the right */
};

struct table_column {
    const char *key;     /* in JSON, and the heading in CSV */
    const char *heading; /* for people */
    int width;           /* of the text */
    enum table_kind kind;
};

struct table_head {
    const char *name; /* in JSON */
    const char *heading;
    const char *none; /* what it means that there is no row */
    const struct table_column *columns;
    size_t count;
};

#define TABLE_COLUMNS_MAX 16

struct table_page; /* being written */

/* table_form_parse - "text", "json", "csv" or "html"; STATUS_NOT_FOUND. */
enum status table_form_parse(const char *text, enum table_form *ret_form);

/* table_begin - out is borrowed. ret is ended with table_end. STATUS_NO_MEMORY. */
enum status table_begin(enum table_form form, FILE *out, const char *name, const char *title,
                        struct table_page **ret);

/* table_fact - what was asked and when; before anything else. */
void table_fact(struct table_page *page, const char *key, const char *text);

/* table_note - a paragraph; never within a table. */
void table_note(struct table_page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* table_open, table_row, table_close - a table; the head must last until it is closed. A row has as many
 * cells as the head has columns; NULL is an empty one. */
void table_open(struct table_page *page, const struct table_head *head);
void table_row(struct table_page *page, const char *const *cells);
void table_close(struct table_page *page);

/* table_broken - says, whatever is open, that the page is not whole. */
void table_broken(struct table_page *page);

/* table_end - the rest of the page. Accepts NULL and leaves NULL. What could not be written shows in out. */
void table_end(struct table_page **page);
