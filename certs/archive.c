#include "certs/archive.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/safefile.h"

#define FLOOR_TITLE   "concordat bundle floor 1\n"
#define FLOOR_LARGEST ((size_t)1024)

static enum status make_path(char ret_path[static PATH_MAX], const char *folder, const char *rest)
{
    int size = snprintf(ret_path, PATH_MAX, "%s/%s", folder, rest);

    return size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;
}

static enum status bundle_path(char ret_path[static PATH_MAX], const char *folder, uint64_t serial)
{
    char rest[64];

    snprintf(rest, sizeof rest, "bundles/%" PRIu64 ".bundle", serial);
    return make_path(ret_path, folder, rest);
}

static void say(struct bundle_reason *reason, const char *text)
{
    if (reason != NULL)
        snprintf(reason->text, sizeof reason->text, "%s", text);
}

static void format_floor(const struct archive_floor *floor, struct byte_buffer *text)
{
    char head[2 * DIGEST_SIZE + 1];
    char root[2 * DIGEST_SIZE + 1];

    bytes_to_hex(floor->head, sizeof floor->head, head);
    bytes_to_hex(floor->root, sizeof floor->root, root);
    bytes_append_format(text, FLOOR_TITLE "serial %" PRIu64 "\nhead %s\nroot %s\n", floor->serial, head,
                        root);
}

/* There is one way to write a floor: what does not come out as it went in is damaged. */
static enum status parse_floor(struct byte_view text, struct archive_floor *ret)
{
    enum status status = STATUS_CORRUPT;
    struct archive_floor floor = {0};
    char copy[FLOOR_LARGEST + 1];
    char head[2 * DIGEST_SIZE + 1];
    char root[2 * DIGEST_SIZE + 1];
    struct byte_buffer again = bytes_buffer(FLOOR_LARGEST);

    if (text.size == 0 || text.size > FLOOR_LARGEST)
        return STATUS_CORRUPT;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    if (sscanf(copy, FLOOR_TITLE "serial %20" SCNu64 "\nhead %64[0-9a-f]\nroot %64[0-9a-f]\n", &floor.serial,
               head, root) != 3 ||
        bytes_from_hex(head, floor.head, sizeof floor.head) != STATUS_OK ||
        bytes_from_hex(root, floor.root, sizeof floor.root) != STATUS_OK)
        goto out;
    format_floor(&floor, &again);
    if (bytes_equal(text, bytes_buffer_view(&again))) {
        *ret = floor;
        status = STATUS_OK;
    }
out:
    bytes_buffer_free(&again);
    return status;
}

enum status archive_floor_read(const char *folder, struct archive_floor *ret)
{
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(0);
    enum status status = make_path(path, folder, "bundle.floor");

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, FLOOR_LARGEST, &text);
    if (status == STATUS_OK)
        status = parse_floor(bytes_buffer_view(&text), ret);
    bytes_buffer_free(&text);
    return status == STATUS_TOO_LARGE ? STATUS_CORRUPT : status;
}

static enum status write_floor(const char *folder, const struct archive_floor *floor)
{
    char path[PATH_MAX];
    struct byte_buffer text = bytes_buffer(FLOOR_LARGEST);
    enum status status = make_path(path, folder, "bundle.floor");

    format_floor(floor, &text);
    if (status == STATUS_OK)
        status = text.status;
    if (status == STATUS_OK)
        status = safefile_write(path, bytes_buffer_view(&text), 0600);
    bytes_buffer_free(&text);
    return status;
}

/* Whether a floor that stands already lets this bundle in. */
static enum status check_floor(const struct archive_floor *floor, const struct bundle *bundle,
                               struct bundle_reason *reason)
{
    if (memcmp(floor->root, bundle_root_digest(bundle), DIGEST_SIZE) != 0) {
        say(reason, "it belongs to another partnership: its root is not ours");
        return STATUS_BAD_CERTIFICATE;
    }
    if (bundle_serial(bundle) < floor->serial) {
        say(reason, "a newer bundle was accepted here before");
        return STATUS_ROLLBACK;
    }
    if (bundle_serial(bundle) == floor->serial &&
        memcmp(floor->head, bundle_head_digest(bundle), DIGEST_SIZE) != 0) {
        say(reason, "this serial was accepted here with another content: report an incident");
        return STATUS_FORKED;
    }
    return STATUS_OK;
}

static enum status write_bundle(const char *folder, const struct bundle *bundle)
{
    char path[PATH_MAX];
    enum status status = make_path(path, folder, "bundles");

    if (status == STATUS_OK)
        status = safefile_make_folder(path, 0700);
    if (status == STATUS_OK || status == STATUS_EXISTS)
        status = bundle_path(path, folder, bundle_serial(bundle));
    if (status == STATUS_OK)
        status = safefile_write(path, bundle_file(bundle), 0600);
    return status;
}

enum status archive_accept(const char *folder, const struct bundle *bundle, struct bundle_reason *ret_reason)
{
    struct archive_floor floor;
    enum status status = archive_floor_read(folder, &floor);

    if (status == STATUS_OK)
        status = check_floor(&floor, bundle, ret_reason);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    else
        say(ret_reason, "bundle.floor cannot be read");
    if (status != STATUS_OK)
        return status;
    status = write_bundle(folder, bundle);
    if (status == STATUS_OK) {
        floor.serial = bundle_serial(bundle);
        memcpy(floor.head, bundle_head_digest(bundle), sizeof floor.head);
        memcpy(floor.root, bundle_root_digest(bundle), sizeof floor.root);
        status = write_floor(folder, &floor);
    }
    if (status != STATUS_OK)
        say(ret_reason, status_text(status));
    return status;
}

/* The archived bundle of that serial, under the root of the floor. */
static enum status read_bundle(const char *folder, uint64_t serial, const struct archive_floor *floor,
                               struct bundle **ret, struct bundle_reason *ret_reason)
{
    char path[PATH_MAX];
    struct byte_buffer file = bytes_buffer(0);
    struct bundle *bundle = NULL;
    enum status status = bundle_path(path, folder, serial);

    if (status == STATUS_OK)
        status = safefile_read_nofollow(path, BUNDLE_LARGEST, &file);
    if (status != STATUS_OK) {
        say(ret_reason, status_text(status));
        goto out;
    }
    status = bundle_reopen(bytes_buffer_view(&file), floor->root, &bundle, ret_reason);
    if (status != STATUS_OK) {
        status = status == STATUS_NO_MEMORY || status == STATUS_CRYPTO ? status : STATUS_CORRUPT;
        goto out;
    }
    if (bundle_serial(bundle) != serial ||
        (serial == floor->serial &&
         memcmp(bundle_head_digest(bundle), floor->head, sizeof floor->head) != 0)) {
        say(ret_reason, "it is not the bundle that was accepted here");
        status = STATUS_CORRUPT;
        goto out;
    }
    *ret = bundle;
    bundle = NULL;
out:
    bundle_free(&bundle);
    bytes_buffer_free(&file);
    return status;
}

enum status archive_newest(const char *folder, struct bundle **ret, struct bundle_reason *ret_reason)
{
    struct archive_floor floor;
    enum status status = archive_floor_read(folder, &floor);

    if (status != STATUS_OK) {
        say(ret_reason, status == STATUS_NOT_FOUND ? "no bundle has been accepted here yet"
                                                   : "bundle.floor cannot be read");
        return status;
    }
    status = read_bundle(folder, floor.serial, &floor, ret, ret_reason);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

enum status archive_get(const char *folder, uint64_t serial, struct bundle **ret,
                        struct bundle_reason *ret_reason)
{
    struct archive_floor floor;
    enum status status = archive_floor_read(folder, &floor);

    if (status != STATUS_OK) {
        say(ret_reason, "bundle.floor cannot be read");
        return status;
    }
    return read_bundle(folder, serial, &floor, ret, ret_reason);
}
