#include "broker/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* The exit code for a status: input is refused, everything else is the
 * machine's. */
static enum options_exit exit_code(enum status status)
{
    static const enum status machine[] = {
        STATUS_NO_MEMORY, STATUS_IO,         STATUS_NO_SPACE,   STATUS_IN_USE,       STATUS_TIMEOUT,
        STATUS_CLOSED,    STATUS_PERMISSION, STATUS_CORRUPT,    STATUS_CRYPTO,       STATUS_DATABASE,
        STATUS_NEWER,     STATUS_NOT_FOUND,  STATUS_NOT_A_FILE, STATUS_NOT_A_FOLDER,
    };

    for (size_t i = 0; i < sizeof machine / sizeof machine[0]; i++) {
        if (status == machine[i])
            return EXIT_ENVIRONMENT;
    }
    return status == STATUS_OK ? EXIT_DONE : EXIT_REFUSED;
}

int command_fail(const struct options *options, enum status status, const char *subject, const char *what)
{
    return options_fail(options, exit_code(status), "%s: %s", subject, what);
}

bool command_has(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat found;
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (size < 0 || size >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    return lstat(path, &found) == 0;
}

bool command_lacks(const char *folder, const char *name)
{
    return !command_has(folder, name) && (errno == ENOENT || errno == ENOTDIR);
}

int command_clock(const struct options *options, bool demo, struct clock *ret)
{
    int64_t start = 0;

    *ret = clock_real();
    if (!options_time(options, "now", &start))
        return EXIT_USAGE;
    if (options_text(options, "now") == NULL)
        return EXIT_DONE;
    if (!demo)
        return options_fail(options, EXIT_REFUSED,
                            "--now is for a partnership made with --demo; leave it out");
    *ret = clock_at(start);
    return EXIT_DONE;
}
