#include "agent/feed_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/feed_csv.h"
#include "agent/feed_jsonl.h"
#include "proto/chars.h"

#define NO_COLUMN SIZE_MAX

struct feed_source {
    const struct feed_mapping *mapping;
    struct feed_input *input;
    struct feed_csv *csv;
    struct feed_csv_row row;
    bool headed;
    size_t headings;
    size_t columns[FEED_FIELDS_MAX]; /* where each field stands */
    struct feed_jsonl *jsonl;
    struct byte_buffer text; /* of the JSON fields */
};

enum status feed_source_new(const struct feed_mapping *mapping, struct feed_input *input,
                            struct feed_source **ret_source)
{
    struct feed_source *source = calloc(1, sizeof *source);
    enum status status = STATUS_NO_MEMORY;

    if (source == NULL) {
        feed_input_free(&input);
        return STATUS_NO_MEMORY;
    }
    source->mapping = mapping;
    source->input = input;
    source->text = bytes_buffer(FEED_ROW_MAX * 4);
    status = mapping->format == FEED_FORMAT_CSV ? feed_csv_new(input, mapping->delimiter, &source->csv)
                                                : feed_jsonl_new(input, &source->jsonl);
    if (status == STATUS_OK)
        *ret_source = source;
    else
        feed_source_free(&source);
    return status;
}

void feed_source_free(struct feed_source **source)
{
    if (*source == NULL)
        return;
    feed_csv_free(&(*source)->csv);
    feed_jsonl_free(&(*source)->jsonl);
    feed_input_free(&(*source)->input);
    bytes_buffer_wipe(&(*source)->text);
    free(*source);
    *source = NULL;
}

const struct feed_input *feed_source_input(const struct feed_source *source)
{
    return source->input;
}

static enum status refuse(struct feed_refusal *ret_refusal, const char *problem, const char *heading)
{
    (void)snprintf(ret_refusal->text, sizeof ret_refusal->text,
                   "%s \"%.64s\": compare the first line of the file with feed.yaml", problem, heading);
    return STATUS_UNSUPPORTED;
}

/* Finds each field among the headings, which must name it once. */
static enum status read_headings(struct feed_source *source, struct feed_refusal *ret_refusal)
{
    const struct feed_mapping *mapping = source->mapping;

    for (size_t field = 0; field < mapping->field_count; field++) {
        source->columns[field] = NO_COLUMN;
        for (size_t i = 0; i < source->row.count; i++) {
            if (!bytes_equal(chars_trim(source->row.fields[i]), bytes_of_string(mapping->fields[field])))
                continue;
            if (source->columns[field] != NO_COLUMN)
                return refuse(ret_refusal, "the file has two columns", mapping->fields[field]);
            source->columns[field] = i;
        }
        if (source->columns[field] == NO_COLUMN)
            return refuse(ret_refusal, "the file has no column", mapping->fields[field]);
    }
    source->headings = source->row.count;
    source->headed = true;
    return STATUS_OK;
}

static void pick_fields(const struct feed_source *source, struct feed_record *ret_record)
{
    ret_record->line = source->row.line;
    ret_record->count = source->mapping->field_count;
    for (size_t i = 0; i < ret_record->count; i++)
        ret_record->fields[i] = source->columns[i] < source->row.count
                                    ? source->row.fields[source->columns[i]]
                                    : bytes_view(NULL, 0);
}

static enum status check_width(const struct feed_source *source, struct feed_reject *ret_reject)
{
    if (source->row.count == source->headings)
        return STATUS_OK;
    if (source->row.count < source->headings)
        feed_reject_set(ret_reject, source->row.line, NULL,
                        "cut short: %zu fields where the first line has %zu headings", source->row.count,
                        source->headings);
    else
        feed_reject_set(
            ret_reject, source->row.line, NULL,
            "%zu fields where the first line has %zu headings: a field with a comma in it must stand "
            "in quotes",
            source->row.count, source->headings);
    return STATUS_BAD_FORMAT;
}

static enum status next_csv(struct feed_source *source, struct feed_record *ret_record,
                            struct feed_reject *ret_reject, struct feed_refusal *ret_refusal)
{
    enum status status = STATUS_OK;

    if (!source->headed) {
        status = feed_csv_next(source->csv, &source->row, ret_reject, ret_refusal);
        if (status == STATUS_BAD_FORMAT) {
            (void)snprintf(ret_refusal->text, sizeof ret_refusal->text,
                           "the first line, which should hold the headings, is %s", ret_reject->reason);
            return STATUS_UNSUPPORTED;
        }
        if (status == STATUS_OK)
            status = read_headings(source, ret_refusal);
        if (status != STATUS_OK)
            return status;
    }
    status = feed_csv_next(source->csv, &source->row, ret_reject, ret_refusal);
    if (status != STATUS_OK && status != STATUS_BAD_FORMAT)
        return status;
    pick_fields(source, ret_record);
    return status == STATUS_OK ? check_width(source, ret_reject) : status;
}

static enum status read_paths(struct feed_source *source, const json_t *object,
                              struct feed_record *ret_record, struct feed_reject *ret_reject)
{
    size_t places[FEED_FIELDS_MAX + 1];
    bool present[FEED_FIELDS_MAX] = {false};
    enum status bad = STATUS_OK;

    bytes_buffer_clear(&source->text);
    bytes_append_u8(&source->text, 0); /* so that an empty text has an address too */
    for (size_t i = 0; i < ret_record->count; i++) {
        enum status status = STATUS_OK;

        places[i] = source->text.size;
        status = feed_jsonl_text(object, source->mapping->fields[i], &source->text, &present[i]);
        if (status == STATUS_BAD_FORMAT && bad == STATUS_OK) {
            feed_reject_set(ret_reject, ret_record->line, source->mapping->fields[i],
                            "neither text nor a whole number");
            bad = status;
        } else if (status != STATUS_OK && status != STATUS_BAD_FORMAT) {
            return status;
        }
    }
    places[ret_record->count] = source->text.size;
    for (size_t i = 0; i < ret_record->count; i++)
        if (present[i])
            ret_record->fields[i] = bytes_view(source->text.data + places[i], places[i + 1] - places[i]);
    return bad;
}

static enum status next_jsonl(struct feed_source *source, struct feed_record *ret_record,
                              struct feed_reject *ret_reject, struct feed_refusal *ret_refusal)
{
    json_t *object = NULL;
    enum status status = feed_jsonl_next(source->jsonl, &ret_record->line, &object, ret_reject, ret_refusal);

    ret_record->count = source->mapping->field_count;
    memset(ret_record->fields, 0, sizeof ret_record->fields);
    if (status == STATUS_OK)
        status = read_paths(source, object, ret_record, ret_reject);
    json_decref(object);
    return status;
}

enum status feed_source_next(struct feed_source *source, struct feed_record *ret_record,
                             struct feed_reject *ret_reject, struct feed_refusal *ret_refusal)
{
    if (source->csv != NULL)
        return next_csv(source, ret_record, ret_reject, ret_refusal);
    return next_jsonl(source, ret_record, ret_reject, ret_refusal);
}
