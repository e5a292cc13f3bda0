#include "base/passphrase.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/safefile.h"
#include "base/utf8.h"

#define FILE_LARGEST ((size_t)4096)

static enum status take_line(struct byte_view text, char ret[static PASSPHRASE_SIZE])
{
    const uint8_t *end = text.size == 0 ? NULL : memchr(text.data, '\n', text.size);
    size_t size = end == NULL ? text.size : (size_t)(end - text.data);

    if (size > 0 && text.data[size - 1] == '\r')
        size--;
    if (size == 0 || size >= PASSPHRASE_SIZE || !utf8_printable(bytes_view(text.data, size)))
        return STATUS_BAD_FORMAT;
    memcpy(ret, text.data, size);
    ret[size] = 0;
    return STATUS_OK;
}

enum status passphrase_read_file(const char *path, char ret[static PASSPHRASE_SIZE])
{
    struct byte_buffer content = bytes_buffer(0);
    enum status status = safefile_read_secret(path, FILE_LARGEST, &content);

    if (status == STATUS_OK)
        status = take_line(bytes_buffer_view(&content), ret);
    bytes_buffer_wipe(&content);
    return status;
}

/* One line, byte by byte, so that nothing stays in a buffer of stdio's. */
static enum status read_line(int fd, char ret[static PASSPHRASE_SIZE])
{
    char line[PASSPHRASE_SIZE];
    size_t size = 0;
    bool whole = false;

    while (!whole && size < sizeof line) {
        if (read(fd, line + size, 1) != 1)
            break;
        whole = line[size++] == '\n';
    }
    enum status status = whole ? take_line(bytes_view(line, size), ret) : STATUS_BAD_FORMAT;
    bytes_wipe(line, sizeof line);
    return status;
}

static enum status ask_once(int fd, const char *prompt, char ret[static PASSPHRASE_SIZE])
{
    struct termios shown;
    struct termios hidden;

    if (tcgetattr(fd, &shown) != 0)
        return STATUS_IO;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL;
    if (write(fd, prompt, strlen(prompt)) < 0 || tcsetattr(fd, TCSAFLUSH, &hidden) != 0)
        return STATUS_IO;
    enum status status = read_line(fd, ret);
    (void)tcsetattr(fd, TCSAFLUSH, &shown);
    return status;
}

enum status passphrase_ask(const char *prompt, bool confirm, char ret[static PASSPHRASE_SIZE])
{
    char first[PASSPHRASE_SIZE] = "";
    char second[PASSPHRASE_SIZE] = "";
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return STATUS_NOT_FOUND;
    enum status status = ask_once(fd, prompt, first);
    if (status == STATUS_OK && confirm)
        status = ask_once(fd, "Once more: ", second);
    if (status == STATUS_OK && confirm && strcmp(first, second) != 0)
        status = STATUS_MISMATCH;
    if (status == STATUS_OK)
        memcpy(ret, first, sizeof first);
    bytes_wipe(first, sizeof first);
    bytes_wipe(second, sizeof second);
    (void)close(fd);
    return status;
}

enum status passphrase_get(const char *path, const char *prompt, bool confirm,
                           char ret[static PASSPHRASE_SIZE])
{
    return path != NULL ? passphrase_read_file(path, ret) : passphrase_ask(prompt, confirm, ret);
}
