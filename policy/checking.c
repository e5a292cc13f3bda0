#include "policy/checking.h"

#include <stdlib.h>

#include "base/safefile.h"
#include "base/yaml_errors.h"
#include "policy/check.h"
#include "policy/overlay.h"
#include "policy/partners.h"

static enum status read_text(const char *path, struct byte_buffer *ret, struct byte_buffer *told)
{
    enum status status = safefile_read(path, FILES_LARGEST, ret);

    if (status != STATUS_OK)
        bytes_append_format(told, "%s: %s\n", path, status_text(status));
    return status;
}

static enum status failed(const char *path, enum status status, struct byte_buffer *told)
{
    bytes_append_format(told, "%s: %s\n", path, status_text(status));
    return status;
}

/* Warnings of one file, by one of the two checks. */
static enum status warn(const struct files *files, const char *path,
                        enum status (*check)(const struct protocol *, struct byte_view, struct yaml_errors *),
                        struct byte_buffer *told, size_t *count)
{
    struct yaml_errors *warnings = calloc(1, sizeof *warnings);
    struct byte_buffer text = bytes_buffer(0);
    enum status status = warnings == NULL ? failed(path, STATUS_NO_MEMORY, told) : STATUS_OK;

    if (status == STATUS_OK && (status = read_text(path, &text, told)) == STATUS_OK) {
        status = check(files->protocol, bytes_buffer_view(&text), warnings);
        if (status != STATUS_OK)
            failed(path, status, told);
        yaml_errors_write(warnings, path, told);
        *count += warnings->count + warnings->dropped;
    }
    bytes_buffer_free(&text);
    free(warnings);
    return status;
}

static enum status compare_partners(const struct files *files, const char *path, struct byte_buffer *told,
                                    size_t *count)
{
    struct yaml_errors *lists = calloc(2, sizeof *lists);
    struct byte_buffer text = bytes_buffer(0);
    enum status status = lists == NULL ? failed(path, STATUS_NO_MEMORY, told) : STATUS_OK;

    if (status == STATUS_OK && (status = read_text(path, &text, told)) == STATUS_OK) {
        status = partners_check(bytes_buffer_view(&text), files->protocol, &lists[0], &lists[1]);
        yaml_errors_write(&lists[0], path, told);
        yaml_errors_write(&lists[1], path, told);
        *count += lists[1].count + lists[1].dropped;
    }
    bytes_buffer_free(&text);
    free(lists);
    return status;
}

enum status checking_warnings(const struct files *files, const char *catalogue, const char *protocol,
                              const char *partners, struct byte_buffer *ret_told, size_t *ret_count)
{
    size_t count = 0;
    enum status status = warn(files, protocol, check_protocol, ret_told, &count);

    if (status == STATUS_OK)
        status = warn(files, catalogue, check_catalogue, ret_told, &count);
    if (status == STATUS_OK && partners != NULL)
        status = compare_partners(files, partners, ret_told, &count);
    if (status == STATUS_OK)
        *ret_count = count;
    return status;
}

/* Errors of the merged text, each where its line came from. */
static void tell_origins(const struct overlay_merged *merged, const struct yaml_errors *errors,
                         const char *base, const char *overlay, struct byte_buffer *told)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct yaml_problem *problem = &errors->list[i];
        struct overlay_line origin = overlay_origin(merged, problem->line);

        bytes_append_format(told, "%s:%u:%u: %s\n", origin.overlay ? overlay : base, origin.line,
                            problem->column, problem->text);
    }
    if (errors->dropped > 0)
        bytes_append_format(told, "%s: %zu more\n", overlay, errors->dropped);
}

static enum status load_merged(const char *catalogue_path, const struct overlay_merged *merged,
                               const char *base, const char *overlay, struct yaml_errors *errors,
                               struct byte_buffer *told)
{
    struct byte_buffer text = bytes_buffer(0);
    struct catalogue *catalogue = NULL;
    struct protocol *protocol = NULL;
    enum status status = read_text(catalogue_path, &text, told);

    if (status == STATUS_OK) {
        status = catalogue_load(bytes_buffer_view(&text), errors, &catalogue);
        if (status != STATUS_OK)
            yaml_errors_write(errors, catalogue_path, told);
    }
    if (status == STATUS_OK) {
        status = protocol_load(bytes_buffer_view(&merged->text), catalogue, errors, &protocol);
        if (status != STATUS_OK)
            tell_origins(merged, errors, base, overlay, told);
    }
    protocol_free(&protocol);
    catalogue_free(&catalogue);
    bytes_buffer_free(&text);
    return status;
}

enum status checking_merge(const char *catalogue, const char *base, const char *overlay,
                           struct byte_buffer *ret_text, struct byte_buffer *ret_told)
{
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    struct byte_buffer first = bytes_buffer(0), second = bytes_buffer(0);
    struct overlay_merged merged = {.lines = NULL};
    bool in_overlay = true;
    enum status status = errors == NULL ? failed(overlay, STATUS_NO_MEMORY, ret_told) : STATUS_OK;

    if (status != STATUS_OK || (status = read_text(base, &first, ret_told)) != STATUS_OK ||
        (status = read_text(overlay, &second, ret_told)) != STATUS_OK)
        goto out;
    status =
        overlay_merge(bytes_buffer_view(&first), bytes_buffer_view(&second), errors, &merged, &in_overlay);
    if (status != STATUS_OK) {
        yaml_errors_write(errors, in_overlay ? overlay : base, ret_told);
        goto out;
    }
    status = load_merged(catalogue, &merged, base, overlay, errors, ret_told);
    if (status == STATUS_OK)
        bytes_append_view(ret_text, bytes_buffer_view(&merged.text));
out:
    overlay_merged_free(&merged);
    bytes_buffer_free(&first);
    bytes_buffer_free(&second);
    free(errors);
    return status;
}
