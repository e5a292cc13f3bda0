#include "audit/opening.h"

#include "base/safefile.h"

#define VKEY_LIMIT ((size_t)1024)

enum options_exit opening_exit(enum status status)
{
    switch ((int)status) {
    case STATUS_CORRUPT:
    case STATUS_MISMATCH:
    case STATUS_UNKNOWN_KEY:
    case STATUS_BAD_SIGNATURE:
    case STATUS_BAD_FORMAT:
    case STATUS_EXISTS:
        return EXIT_REFUSED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

int opening_vkey(const struct options *options, const char *option, const char *given, struct note_key **ret)
{
    struct byte_buffer content = bytes_buffer(VKEY_LIMIT);

    if (note_key_parse(bytes_of_string(given), ret) == STATUS_OK)
        return EXIT_DONE;
    enum status status = safefile_read(given, VKEY_LIMIT, &content);
    if (status != STATUS_OK)
        return options_fail(
            options, EXIT_USAGE,
            "--%s takes a verifier key, name+hash+base64, or a file that holds one, and not '%.100s'", option,
            given);
    struct byte_view vkey = bytes_buffer_view(&content);
    if (vkey.size > 0 && vkey.data[vkey.size - 1] == '\n')
        vkey.size--;
    status = note_key_parse(vkey, ret);
    bytes_buffer_free(&content);
    if (status != STATUS_OK)
        return options_fail(options, EXIT_REFUSED, "%s: holds no verifier key: %s", given,
                            status_text(status));
    return EXIT_DONE;
}

static int find_key(const struct options *options, const char *broker, struct note_key **ret)
{
    struct source_reason reason = {""};

    if (options_text(options, "key") != NULL)
        return opening_vkey(options, "key", options_text(options, "key"), ret);
    enum status status = source_log_key(broker, ret, &reason);
    return status == STATUS_OK ? EXIT_DONE : options_fail(options, opening_exit(status), "%s", reason.text);
}

int opening_broker(const struct options *options, struct source **ret_source, struct note_key **ret_key)
{
    const char *broker = options_text(options, "broker");
    struct source_reason reason = {""};
    enum status status = source_open(broker, ret_source, &reason);

    if (status != STATUS_OK)
        return options_fail(options, opening_exit(status), "%s", reason.text);
    int code = find_key(options, broker, ret_key);
    if (code != EXIT_DONE)
        source_close(ret_source);
    return code;
}
