#include "base/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An absolute path, or @ for a name in the abstract namespace, which begins with a zero byte and ends
 * without. */
static enum status parse_address(const char *text, struct sockaddr_un *ret_address, socklen_t *ret_size)
{
    size_t length = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof ret_address->sun_path)
        return STATUS_BAD_ARGUMENT;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, text, length);
    if (text[0] == '@')
        ret_address->sun_path[0] = '\0';
    *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
    return STATUS_OK;
}

static enum status notify(const char *message)
{
    const char *text = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size;

    if (text == NULL)
        return STATUS_OK;
    enum status status = parse_address(text, &address, &size);
    if (status != STATUS_OK)
        return status;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return STATUS_IO;
    ssize_t sent =
        sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    close(fd);
    return sent == (ssize_t)strlen(message) ? STATUS_OK : STATUS_IO;
}

enum status notify_ready(void)
{
    return notify("READY=1");
}

enum status notify_stopping(void)
{
    return notify("STOPPING=1");
}

enum status notify_watchdog(void)
{
    return notify("WATCHDOG=1");
}

enum status notify_status(const char *text)
{
    char message[512];

    snprintf(message, sizeof message, "STATUS=%s", text);
    /* A line of its own would be another assignment. */
    for (char *at = message; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
    return notify(message);
}

static bool parse_number(const char *text, int64_t *ret_number)
{
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    long long number = strtoll(text, &end, 10); /* too large gives the largest, which is as good */
    if (*end != '\0')
        return false;
    *ret_number = number;
    return true;
}

int64_t notify_watchdog_interval(void)
{
    int64_t microseconds, pid;

    if (!parse_number(getenv("WATCHDOG_USEC"), &microseconds))
        return 0;
    if (getenv("WATCHDOG_PID") != NULL &&
        (!parse_number(getenv("WATCHDOG_PID"), &pid) || pid != (int64_t)getpid()))
        return 0;
    return microseconds / 1000;
}
