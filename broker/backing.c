#include "broker/backing.h"

#include <string.h>

#include "proto/wire_check.h"

static json_t *problem(const char *sentence)
{
    return json_pack("{s:s}", "error", sentence);
}

/* That a copy of everything was taken, by whom, and which key opens it. */
static enum status log_backup(struct engine *engine, const char *officer, const char *key)
{
    const struct byte_view detail = bytes_of_string(key);
    const struct record_account account = {
        .time = engine->now, .outcome = bytes_of_string("backup"), .details = &detail, .detail_count = 1};
    const struct record_personal personal = {.officer = bytes_of_string(officer)};
    enum status status = engine_write(engine);

    if (status != STATUS_OK)
        return status;
    (void)engine_records(engine, NULL, 0);
    (void)records_add(&engine->records, RECORD_AUDIT_QUERY, &account,
                      records_personal(&engine->records, &personal));
    return engine_append(engine);
}

static enum status end(struct engine *engine, uint64_t number, const char *officer, const char *key,
                       json_t **ret)
{
    enum status status = STATUS_OK;

    if (!holding_end(&engine->holding, number, engine->now)) {
        *ret = problem("the database was written to while it was copied: make the backup again");
        return STATUS_OK;
    }
    status = log_backup(engine, officer, key);
    if (status == STATUS_OK)
        *ret = json_pack("{s:b}", "held", 1);
    return status;
}

static json_t *renew(struct engine *engine, uint64_t number)
{
    const struct logbook_checkpoint checkpoint = logbook_checkpoint(engine->logbook);
    json_t *answer;

    if (!holding_renew(&engine->holding, number, engine->now))
        return problem("the database was written to while it was copied: make the backup again");
    answer = json_pack("{s:I, s:b}", "hold", (json_int_t)number, "ready", (int)engine->holding.still);
    if (engine->holding.still)
        (void)json_object_update_new(
            answer, json_pack("{s:I, s:s%}", "entries", (json_int_t)logbook_size(engine->logbook),
                              "checkpoint", (const char *)checkpoint.note.data, checkpoint.note.size));
    return answer;
}

enum status backing_control(struct engine *engine, const json_t *request, json_t **ret)
{
    const char *officer = json_string_value(json_object_get(request, "officer"));
    const char *key = json_string_value(json_object_get(request, "key"));
    const uint64_t number = (uint64_t)json_integer_value(json_object_get(request, "hold"));
    const bool drop = json_is_true(json_object_get(request, "drop"));

    if (officer == NULL || !wire_check_officer(bytes_of_string(officer)) ||
        (key != NULL && strlen(key) > RECORD_DETAIL_SIZE)) {
        *ret = problem("say who makes a backup");
    } else if (engine->folder == NULL) {
        *ret = problem("there is no file to copy");
    } else if (number == 0) {
        uint64_t begun = holding_begin(&engine->holding, engine->now);
        *ret = begun == 0 ? problem("another backup is being made; if it was given up, try again in a minute")
                          : json_pack("{s:I, s:b}", "hold", (json_int_t)begun, "ready", 0);
    } else if (key != NULL) {
        return end(engine, number, officer, key, ret);
    } else if (drop) {
        (void)holding_end(&engine->holding, number, engine->now);
        *ret = json_pack("{s:b}", "held", 0);
    } else {
        *ret = renew(engine, number);
    }
    return STATUS_OK;
}
