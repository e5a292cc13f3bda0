#include "broker/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "proto/canonical.h"

#define VERSION     1
#define PAGES       8 /* held at once */
#define CELLS_MAX   65536
#define STATE_LIMIT ((size_t)16 << 20)
#define NAME_SIZE   (sizeof "tally//" + PROTOCOL_ID_LENGTH + TALLY_MONTH_SIZE)

struct page {
    char protocol[PROTOCOL_ID_LENGTH + 1]; /* empty: the place is free */
    char month[TALLY_MONTH_SIZE];
    struct tally_cell *cells;
    size_t count;
    size_t room;
    size_t last; /* where the last one was found */
    uint64_t used;
    bool dirty;
};

struct tally {
    struct store *store; /* borrowed */
    struct page pages[PAGES];
    uint64_t clock; /* counts uses */
};

enum status tally_new(struct store *store, struct tally **ret)
{
    struct tally *tally = calloc(1, sizeof *tally);

    if (tally == NULL)
        return STATUS_NO_MEMORY;
    tally->store = store;
    *ret = tally;
    return STATUS_OK;
}

void tally_forget(struct tally *tally)
{
    for (size_t i = 0; i < PAGES; i++) {
        free(tally->pages[i].cells);
        tally->pages[i] = (struct page){.cells = NULL};
    }
}

void tally_free(struct tally **tally)
{
    if (*tally == NULL)
        return;
    tally_forget(*tally);
    free(*tally);
    *tally = NULL;
}

void tally_month(int64_t now, char out[static TALLY_MONTH_SIZE])
{
    char text[CIVIL_TIME_SIZE];

    civil_format_time(now, text);
    memcpy(out, text, TALLY_MONTH_SIZE - 1);
    out[TALLY_MONTH_SIZE - 1] = '\0';
}

/* ---- the stored form: version ‖ uint32 count ‖ (measure ‖ canonical(area, strand) ‖ uint64 count)… ---- */

static void name_of(const struct page *page, char out[static NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "tally/%s/%s", page->protocol, page->month);
}

static enum status save(struct tally *tally, struct page *page)
{
    struct byte_buffer out = bytes_buffer(STATE_LIMIT);
    char name[NAME_SIZE];
    enum status status;

    bytes_append_u8(&out, VERSION);
    bytes_append_u32(&out, (uint32_t)page->count);
    for (size_t i = 0; i < page->count; i++) {
        bytes_append_u8(&out, (uint8_t)page->cells[i].measure);
        canonical_append(&out, bytes_of_string(page->cells[i].area));
        canonical_append(&out, bytes_of_string(page->cells[i].strand));
        bytes_append_u64(&out, page->cells[i].count);
    }
    name_of(page, name);
    status = out.status;
    if (status == STATUS_OK)
        status = store_put_state(tally->store, name, bytes_buffer_view(&out));
    if (status == STATUS_OK)
        page->dirty = false;
    bytes_buffer_free(&out);
    return status;
}

enum status tally_save(struct tally *tally)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < PAGES; i++) {
        if (tally->pages[i].dirty)
            status = save(tally, &tally->pages[i]);
    }
    return status;
}

static void read_text(struct byte_reader *reader, char out[static REGISTER_CODE_SIZE])
{
    struct byte_view text = {0};

    (void)canonical_read(reader, REGISTER_CODE_SIZE - 1, &text);
    if (!reader->failed && text.size > 0)
        memcpy(out, text.data, text.size);
}

static enum status read_cells(struct byte_view stored, struct page *page)
{
    struct byte_reader reader = bytes_reader(stored);
    uint8_t version = bytes_read_u8(&reader);
    uint32_t count = bytes_read_u32(&reader);

    if (reader.failed || version != VERSION || count > CELLS_MAX)
        return STATUS_CORRUPT;
    page->cells = calloc((size_t)count + 1, sizeof *page->cells);
    if (page->cells == NULL)
        return STATUS_NO_MEMORY;
    page->room = (size_t)count + 1;
    for (; page->count < count && !reader.failed; page->count++) {
        struct tally_cell *cell = &page->cells[page->count];
        uint8_t measure = bytes_read_u8(&reader);

        if (measure >= TALLY_MEASURES)
            return STATUS_CORRUPT;
        cell->measure = (enum tally_measure)measure;
        read_text(&reader, cell->area);
        read_text(&reader, cell->strand);
        cell->count = bytes_read_u64(&reader);
    }
    return bytes_read_done(&reader) ? STATUS_OK : STATUS_CORRUPT;
}

/* ---- pages ---- */

/* The place to use for a page that is not held: a free one, or the one used longest ago. */
static enum status free_place(struct tally *tally, struct page **ret)
{
    struct page *oldest = &tally->pages[0];
    enum status status = STATUS_OK;

    for (size_t i = 1; i < PAGES; i++) {
        if (tally->pages[i].used < oldest->used)
            oldest = &tally->pages[i];
    }
    if (oldest->dirty)
        status = save(tally, oldest);
    if (status != STATUS_OK)
        return status;
    free(oldest->cells);
    *oldest = (struct page){.cells = NULL};
    *ret = oldest;
    return STATUS_OK;
}

static enum status take_page(struct tally *tally, const char *protocol, const char *month, struct page **ret)
{
    struct page *page = NULL;
    struct byte_view stored;
    char name[NAME_SIZE];
    enum status status;

    for (size_t i = 0; i < PAGES && page == NULL; i++) {
        if (strcmp(tally->pages[i].protocol, protocol) == 0 && strcmp(tally->pages[i].month, month) == 0)
            page = &tally->pages[i];
    }
    if (page == NULL) {
        status = free_place(tally, &page);
        if (status != STATUS_OK)
            return status;
        (void)snprintf(page->protocol, sizeof page->protocol, "%s", protocol);
        (void)snprintf(page->month, sizeof page->month, "%s", month);
        name_of(page, name);
        status = store_get_state(tally->store, name, &stored);
        if (status == STATUS_OK)
            status = read_cells(stored, page);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            free(page->cells);
            *page = (struct page){.cells = NULL};
            return status;
        }
    }
    page->used = ++tally->clock;
    *ret = page;
    return STATUS_OK;
}

static bool is_cell(const struct tally_cell *cell, enum tally_measure measure, const char *area,
                    const char *strand)
{
    return cell->measure == measure && strcmp(cell->area, area) == 0 && strcmp(cell->strand, strand) == 0;
}

static enum status grow(struct page *page)
{
    size_t room = page->room == 0 ? 32 : 2 * page->room;
    struct tally_cell *grown;

    if (page->count < page->room)
        return STATUS_OK;
    if (page->count == CELLS_MAX)
        return STATUS_TOO_LARGE;
    grown = realloc(page->cells, room * sizeof *grown);
    if (grown == NULL)
        return STATUS_NO_MEMORY;
    page->cells = grown;
    page->room = room;
    return STATUS_OK;
}

enum status tally_add(struct tally *tally, const char *protocol, int64_t now, enum tally_measure measure,
                      const char *area, const char *strand)
{
    char month[TALLY_MONTH_SIZE];
    struct page *page = NULL;
    enum status status;

    tally_month(now, month);
    status = take_page(tally, protocol, month, &page);
    if (status != STATUS_OK)
        return status;
    page->dirty = true;
    for (size_t i = 0; i < page->count; i++) { /* from where the last one was on */
        size_t at = (page->last + i) % page->count;

        if (!is_cell(&page->cells[at], measure, area, strand))
            continue;
        page->cells[at].count++;
        page->last = at;
        return STATUS_OK;
    }
    status = grow(page);
    if (status != STATUS_OK)
        return status;
    page->cells[page->count] = (struct tally_cell){.measure = measure, .count = 1};
    (void)snprintf(page->cells[page->count].area, REGISTER_CODE_SIZE, "%s", area);
    (void)snprintf(page->cells[page->count].strand, REGISTER_CODE_SIZE, "%s", strand);
    page->last = page->count++;
    return STATUS_OK;
}

enum status tally_read(struct tally *tally, const char *protocol, const char month[static TALLY_MONTH_SIZE],
                       const struct tally_cell **ret_cells, size_t *ret_count)
{
    struct page *page = NULL;
    enum status status = take_page(tally, protocol, month, &page);

    if (status != STATUS_OK)
        return status;
    *ret_cells = page->cells;
    *ret_count = page->count;
    return STATUS_OK;
}
