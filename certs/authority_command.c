#include "certs/authority_command.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/safefile.h"

/* The exit code for a status: input is refused, everything else is the machine's. */
enum options_exit authority_command_exit_code(enum status status)
{
    static const enum status machine[] = {
        STATUS_NO_MEMORY, STATUS_IO,     STATUS_NO_SPACE,   STATUS_IN_USE,       STATUS_PERMISSION,
        STATUS_CORRUPT,   STATUS_CRYPTO, STATUS_NOT_A_FILE, STATUS_NOT_A_FOLDER,
    };

    for (size_t i = 0; i < sizeof machine / sizeof machine[0]; i++) {
        if (status == machine[i])
            return EXIT_ENVIRONMENT;
    }
    return status == STATUS_OK ? EXIT_DONE : EXIT_REFUSED;
}

int authority_command_fail(const struct options *options, enum status status, const char *subject,
                           const struct bundle_reason *reason)
{
    return options_fail(options, authority_command_exit_code(status), "%s: %s", subject, reason->text);
}

int authority_command_read(const struct options *options, const char *path, size_t limit,
                           struct byte_buffer *ret)
{
    enum status status = safefile_read(path, limit, ret);

    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", path, status_text(status));
}

int authority_command_write(const struct options *options, const char *path, struct byte_view content)
{
    enum status status = safefile_write(path, content, 0644);

    if (status == STATUS_OK)
        return EXIT_DONE;
    return options_fail(options, EXIT_ENVIRONMENT, "%s: cannot be written: %s", path, status_text(status));
}

/* Prints what was collected, and frees it. */
int authority_command_print(const struct options *options, struct byte_buffer *text)
{
    int code = EXIT_DONE;

    if (text->status != STATUS_OK)
        code = options_fail(options, EXIT_ENVIRONMENT, "%s", status_text(text->status));
    else
        fwrite(text->data, 1, text->size, options_out(options));
    bytes_buffer_free(text);
    return code;
}

/* The time to go by: the machine's, or for demonstrations the one given. */
int authority_command_now(const struct options *options, bool demo, int64_t *ret_now)
{
    struct clock clock = clock_real();

    *ret_now = clock_now(&clock);
    if (!options_time(options, "now", ret_now))
        return EXIT_USAGE;
    if (options_text(options, "now") != NULL && !demo)
        return options_fail(options, EXIT_REFUSED, "--now is for what was made with --demo; leave it out");
    return EXIT_DONE;
}

int authority_command_open(const struct options *options, struct authority **ret, int64_t *ret_now)
{
    const char *folder = options_text(options, "dir");
    struct bundle_reason reason = {{0}};
    enum status status = authority_open(folder, ret, &reason);

    if (status == STATUS_NOT_FOUND)
        return options_fail(options, EXIT_ENVIRONMENT, "%s: %s", folder, reason.text);
    if (status != STATUS_OK)
        return authority_command_fail(options, status, folder, &reason);
    return authority_command_now(options, authority_state(*ret)->demo, ret_now);
}
