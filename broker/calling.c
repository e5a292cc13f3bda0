#include "broker/calling.h"

#include <limits.h>
#include <stdio.h>

#include "base/local_client.h"
#include "broker/command.h"
#include "broker/operator.h"

#define CALL_MS 30000 /* how long a command waits for the running broker */

int calling_ask(const struct options *options, const char *subject, json_t *request, json_t **ret)
{
    const char *folder = options_text(options, "dir");
    char path[PATH_MAX];
    struct local_client *client = NULL;
    bool last = false;
    int size = snprintf(path, sizeof path, "%s/%s", folder, OPERATOR_SOCKET);
    enum status status = size > 0 && size < PATH_MAX ? STATUS_OK : STATUS_BAD_ARGUMENT;

    if (status == STATUS_OK && request == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = local_client_connect(path, CALL_MS, &client);
    if (status == STATUS_OK)
        status = local_client_call(client, request, CALL_MS, ret, &last);
    local_client_close(&client);
    json_decref(request);
    if (status == STATUS_NOT_FOUND || status == STATUS_CLOSED)
        return options_fail(options, EXIT_REFUSED, "%s: the broker is not running", folder);
    if (status != STATUS_OK)
        return command_fail(options, status, path, status_text(status));
    const char *error = json_string_value(json_object_get(*ret, "error"));
    if (error == NULL)
        return EXIT_DONE;
    int code = options_fail(options, EXIT_REFUSED, "%s: %s", subject, error);
    json_decref(*ret);
    *ret = NULL;
    return code;
}
