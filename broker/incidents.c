#include "broker/incidents.h"

#include <stdio.h>
#include <string.h>

#include "broker/engine.h"
#include "proto/canonical.h"

#define KEY_LIMIT ((size_t)2048)

static bool seen_before(struct incidents *incidents, const struct incident *incident)
{
    struct byte_buffer key = bytes_buffer(KEY_LIMIT);
    uint8_t digest[DIGEST_SIZE];

    canonical_append(&key, bytes_of_string(incident->member));
    canonical_append(&key, bytes_of_string(incident->outcome));
    canonical_append(&key, bytes_of_string(incident->once == NULL ? "" : incident->once));
    digest_sha256(bytes_buffer_view(&key), digest);
    bytes_buffer_free(&key);
    for (size_t i = 0; i < incidents->count; i++) {
        if (memcmp(incidents->seen[i], digest, sizeof digest) == 0)
            return true;
    }
    memcpy(incidents->seen[incidents->next], digest, sizeof digest);
    incidents->next = (incidents->next + 1) % INCIDENTS_REMEMBERED;
    if (incidents->count < INCIDENTS_REMEMBERED)
        incidents->count++;
    return false;
}

/* After the commit. */
static enum status alert(struct engine *engine, const char *text)
{
    struct outgoing *alert = NULL;
    enum status status = outgoing_new(PIPELINE_ALERT, &alert);

    if (status != STATUS_OK)
        return status;
    bytes_append_format(&alert->bytes, "INCIDENT: %s", text);
    return engine_answer(engine, alert);
}

enum status incidents_log(struct engine *engine, const struct incident *incident)
{
    struct record_account account = {.time = engine->now,
                                     .from = bytes_of_string(incident->member),
                                     .outcome = bytes_of_string(incident->outcome),
                                     .reason = bytes_of_string(incident->text),
                                     .details = &incident->detail};
    enum status status;

    if (seen_before(&engine->incidents, incident))
        return STATUS_OK;
    account.detail_count = incident->detail.size > 0 && incident->detail.size <= RECORD_DETAIL_SIZE;
    status = engine_write(engine);
    if (status != STATUS_OK)
        return status;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_INCIDENT, &account, RECORDS_NO_PERSONAL);
    status = engine_append(engine);
    return status == STATUS_OK ? alert(engine, incident->text) : status;
}

enum status incidents_handle(struct engine *engine, const struct job *job)
{
    char text[512];
    const struct incident incident = {
        .member = job->member, .outcome = job->error, .text = text, .once = text};

    (void)snprintf(text, sizeof text, "%.*s", (int)job->bytes.size, (const char *)job->bytes.data);
    return incidents_log(engine, &incident);
}

void incidents_forget(struct incidents *incidents)
{
    incidents->count = 0;
    incidents->next = 0;
}
