#include "policy/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "base/yaml_errors.h"
#include "policy/checking.h"

#define PATH_SIZE 4096

static enum status tell(struct byte_buffer *told, const char *path, enum status status)
{
    bytes_append_format(told, "%s: %s\n", path, status_text(status));
    return status;
}

static enum status read_text(const char *path, struct byte_buffer *ret, struct byte_buffer *told)
{
    enum status status = safefile_read(path, FILES_LARGEST, ret);

    return status == STATUS_OK ? status : tell(told, path, status);
}

static enum status finish(const char *path, enum status status, const struct yaml_errors *errors,
                          struct byte_buffer *told)
{
    if (status == STATUS_OK)
        return status;
    if (errors->count == 0)
        return tell(told, path, status);
    yaml_errors_write(errors, path, told);
    return status;
}

static enum status open_catalogue(const char *path, struct yaml_errors *errors, struct files *files,
                                  struct byte_buffer *told)
{
    struct byte_buffer text = bytes_buffer(0);
    enum status status = read_text(path, &text, told);

    if (status == STATUS_OK)
        status =
            finish(path, catalogue_load(bytes_buffer_view(&text), errors, &files->catalogue), errors, told);
    bytes_buffer_free(&text);
    return status;
}

static enum status load_protocol(const char *path, struct byte_view text, struct yaml_errors *errors,
                                 struct files *files, struct byte_buffer *told)
{
    enum status status =
        finish(path, protocol_load(text, files->catalogue, errors, &files->protocol), errors, told);

    if (status == STATUS_OK)
        digest_sha256(text, files->digest.bytes);
    return status;
}

/* The protocol of a path, or what an overlay (which may be NULL) makes of it. */
static enum status open_protocol(const char *catalogue, const char *path, const char *overlay,
                                 struct yaml_errors *errors, struct files *files, struct byte_buffer *told)
{
    struct byte_buffer text = bytes_buffer(overlay == NULL ? 0 : FILES_LARGEST);
    enum status status = overlay == NULL ? read_text(path, &text, told)
                                         : checking_merge(catalogue, path, overlay, &text, told);

    if (status == STATUS_OK)
        status =
            load_protocol(overlay == NULL ? path : overlay, bytes_buffer_view(&text), errors, files, told);
    bytes_buffer_free(&text);
    return status;
}

static enum status open_both(const char *catalogue, const char *protocol, const char *overlay,
                             struct yaml_errors *errors, struct files *ret, struct byte_buffer *told)
{
    struct files files = {.catalogue = NULL};
    enum status status = open_catalogue(catalogue, errors, &files, told);

    if (status == STATUS_OK)
        status = open_protocol(catalogue, protocol, overlay, errors, &files, told);
    if (status == STATUS_OK)
        *ret = files;
    else
        files_close(&files);
    return status;
}

enum status files_open(const char *catalogue, const char *protocol, struct files *ret,
                       struct byte_buffer *ret_told)
{
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    enum status status;

    if (errors == NULL)
        return tell(ret_told, protocol, STATUS_NO_MEMORY);
    status = open_both(catalogue, protocol, NULL, errors, ret, ret_told);
    free(errors);
    return status;
}

void files_close(struct files *files)
{
    protocol_free(&files->protocol);
    catalogue_free(&files->catalogue);
}

/* A path as a file names it: relative to that file. */
static bool beside(const char *path, const char *name, char out[static PATH_SIZE])
{
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash - path) + 1;
    int size = snprintf(out, PATH_SIZE, "%.*s%s", folder, path, name);

    return size > 0 && size < PATH_SIZE;
}

static enum status open_named(const char *path, struct byte_view text, struct yaml_errors *errors,
                              struct files *ret, struct byte_buffer *told)
{
    char catalogue[PATH_SIZE], protocol[PATH_SIZE], overlay[PATH_SIZE];
    struct cases_files names;
    enum status status = finish(path, cases_name_files(text, errors, &names), errors, told);

    if (status != STATUS_OK)
        return status;
    if (!beside(path, names.catalogue, catalogue) || !beside(path, names.protocol, protocol) ||
        !beside(path, names.overlay, overlay))
        return tell(told, path, STATUS_TOO_LARGE);
    return open_both(catalogue, protocol, names.overlay[0] == '\0' ? NULL : overlay, errors, ret, told);
}

enum status files_open_cases(const char *path, struct files *ret, struct cases **ret_cases,
                             struct byte_buffer *ret_told)
{
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    struct byte_buffer text = bytes_buffer(0);
    struct files files = {.catalogue = NULL};
    enum status status = STATUS_NO_MEMORY;

    if (errors == NULL) {
        tell(ret_told, path, status);
        goto out;
    }
    if ((status = read_text(path, &text, ret_told)) != STATUS_OK ||
        (status = open_named(path, bytes_buffer_view(&text), errors, &files, ret_told)) != STATUS_OK)
        goto out;
    status = finish(path, cases_load(bytes_buffer_view(&text), files.protocol, errors, ret_cases), errors,
                    ret_told);
    if (status == STATUS_OK)
        *ret = files;
    else
        files_close(&files);
out:
    bytes_buffer_free(&text);
    free(errors);
    return status;
}
