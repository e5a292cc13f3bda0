#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * A document that people print: headings, paragraphs, tables and blanks to fill in, as plain text, as one
 * self-contained HTML page (no scripts, nothing fetched, everything escaped) or, tables only, as CSV
 * (RFC 4180). Zero-initialise by paper_start; nothing to free but the tables' memory, which paper_end frees.
 */
enum paper_form { PAPER_TEXT, PAPER_HTML, PAPER_CSV };

#define PAPER_COLUMNS_MAX 12

struct paper {
    enum paper_form form;
    struct byte_buffer *out;  /* borrowed; its status says at the end whether everything fitted */
    struct byte_buffer cells; /* of the table at hand: texts with their zeros */
    struct byte_buffer cell;  /* that is being written */
    size_t columns;
    const char *const *heads; /* borrowed while the table is open */
    size_t count;             /* cells */
};

void paper_start(struct paper *paper, enum paper_form form, const char *title, struct byte_buffer *out);
void paper_end(struct paper *paper);

void paper_heading(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_text(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_item(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* paper_blank - a place that a person fills in, with what belongs there. */
void paper_blank(struct paper *paper, const char *what);

/* paper_sign - a line to sign on, for somebody. */
void paper_sign(struct paper *paper, const char *who);

/* paper_table - starts one; heads end with NULL and live until paper_table_end. */
void paper_table(struct paper *paper, const char *const *heads);

/* paper_cell - the next cell, row by row; paper_add writes more into it. */
void paper_cell(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_add(struct paper *paper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_table_end(struct paper *paper);

/* paper_escape - text for HTML, between tags and in quoted attributes. Appends. */
void paper_escape(struct byte_buffer *out, const char *text);

/* paper_quote - text as one field of CSV; what a spreadsheet would take for a formula starts with an
 * apostrophe. Appends. */
void paper_quote(struct byte_buffer *out, const char *text);
