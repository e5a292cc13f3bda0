#include "broker/explaining.h"

#include <stdlib.h>
#include <string.h>

#include "broker/retelling.h"
#include "broker/search_row.h"
#include "proto/member.h"
#include "proto/uuid.h"

#define OWN_MAX 256 /* entries of one event */

#define KIND(name) (UINT32_C(1) << RECORD_##name)

struct explaining {
    const struct explaining_options *options;
    bool (*told)(void *context, json_t *object);
    void *context;
    bool over; /* nobody wants more, or there is no memory */
    enum status status;
    /* the entry */
    bool found;
    bool known; /* its event is */
    enum record_kind kind;
    uint8_t event[UUID_SIZE];
    uint8_t subject[36];
    bool has_subject;
    bool mergers; /* there are any in the log */
    char from[MEMBER_ID_LENGTH + 1];
    char to[MEMBER_ID_LENGTH + 1];
    /* entries of its event */
    uint64_t own[OWN_MAX];
    size_t own_count;
    char sender[MEMBER_ID_LENGTH + 1]; /* of the event: from its `accepted` or `refused` */
};

static bool put(struct explaining *it, const char *key, json_t *value)
{
    json_t *object = value == NULL ? NULL : json_pack("{s:o}", key, value);

    if (object == NULL)
        it->status = STATUS_NO_MEMORY;
    it->over = object == NULL || !it->told(it->context, object);
    return !it->over;
}

static void copy(char out[static MEMBER_ID_LENGTH + 1], struct byte_view member)
{
    if (member.size == 0 || member.size > MEMBER_ID_LENGTH)
        return;
    memcpy(out, member.data, member.size);
    out[member.size] = '\0';
}

static void add_own(struct explaining *it, uint64_t index)
{
    if (it->own_count < OWN_MAX)
        it->own[it->own_count++] = index;
}

/* ---- the entry ---- */

static bool take_entry(void *context, const struct index_hit *hit)
{
    struct explaining *it = context;
    const struct record_personal *personal = hit->personal;

    it->found = true;
    it->kind = hit->kind;
    copy(it->from, hit->account->from);
    if (hit->kind == RECORD_ACCEPTED || hit->kind == RECORD_REFUSED || hit->kind == RECORD_DISCLOSED)
        copy(it->sender, hit->account->from);
    copy(it->to, hit->account->to);
    add_own(it, hit->index);
    if (personal != NULL && personal->event.size == sizeof it->event) {
        it->known = true;
        memcpy(it->event, personal->event.data, sizeof it->event);
    }
    if (personal != NULL && personal->subject.size == sizeof it->subject) {
        it->has_subject = true;
        memcpy(it->subject, personal->subject.data, sizeof it->subject);
    }
    (void)put(it, "entry", search_row_json(hit, 0));
    return false;
}

static enum status search(struct explaining *it, const struct index_query *query,
                          bool (*take)(void *context, const struct index_hit *hit))
{
    struct index_query bounded = *query;
    enum status status;

    bounded.stop = it->options->stop;
    status = index_search(&it->options->index, it->options->scope, &bounded, take, it);
    return status == STATUS_OK ? it->status : status;
}

static enum status find_entry(struct explaining *it)
{
    const struct index_query query = {.first = it->options->entry, .end = it->options->entry + 1, .limit = 1};
    enum status status = search(it, &query, take_entry);

    return status == STATUS_OK && !it->found ? STATUS_NOT_FOUND : status;
}

/* ---- the event's other entries ---- */

static bool take_own(void *context, const struct index_hit *hit)
{
    struct explaining *it = context;

    if (hit->kind == RECORD_ACCEPTED)
        copy(it->sender, hit->account->from);
    if (hit->index == it->options->entry)
        return true;
    add_own(it, hit->index);
    return put(it, "row", search_row_json(hit, 0));
}

static enum status tell_own(struct explaining *it)
{
    const struct index_query query = {.subject = bytes_view(it->subject, sizeof it->subject),
                                      .event = bytes_view(it->event, sizeof it->event)};

    return it->known && it->has_subject ? search(it, &query, take_own) : STATUS_OK;
}

/* ---- the decision ---- */

/* Takes out of a list what is not of that agency: objects by their "to", texts by how they begin. */
static void keep_own(json_t *list, const char *agency)
{
    size_t size = strlen(agency);

    for (size_t i = json_array_size(list); i > 0; i--) {
        const json_t *item = json_array_get(list, i - 1);
        const char *to =
            json_is_object(item) ? json_string_value(json_object_get(item, "to")) : json_string_value(item);
        bool own = to != NULL && strncmp(to, agency, size) == 0 && (to[size] == '\0' || to[size] == ' ');

        if (!own)
            (void)json_array_remove(list, i - 1);
    }
}

/* What a recipient may know of another's event. */
static bool narrow(const struct explaining *it, json_t *check)
{
    static const char *const sender_alone[] = {"attributes", "decision", "refused"};
    const struct byte_view agency = it->options->scope->agency;
    char name[MEMBER_ID_LENGTH + 1] = "";
    json_t *differences = json_object_get(check, "differences");

    if (it->options->scope->everything || bytes_equal(agency, bytes_of_string(it->sender)))
        return true;
    copy(name, agency);
    for (size_t i = 0; i < sizeof sender_alone / sizeof sender_alone[0]; i++)
        (void)json_object_del(check, sender_alone[i]);
    keep_own(json_object_get(check, "recipients"), name);
    keep_own(differences, name);
    return json_object_set_new(check, "agrees", json_boolean(json_array_size(differences) == 0)) == 0;
}

static bool take_check(void *context, json_t *line)
{
    struct explaining *it = context;

    if (!narrow(it, line)) {
        json_decref(line);
        it->status = STATUS_NO_MEMORY;
        return false;
    }
    return put(it, "check", line);
}

static bool take_merger(void *context, const struct index_hit *hit)
{
    struct explaining *it = context;

    (void)hit;
    it->mergers = true;
    return false;
}

static enum status tell_check(struct explaining *it)
{
    static const struct index_scope everything = {.everything = true};
    const struct index_query mergers = {.kinds = KIND(MERGED), .limit = 1, .stop = it->options->stop};
    struct retelling_options options = {.what = RETELLING_EXPLANATION,
                                        .folder = it->options->folder,
                                        .store_path = it->options->index.store_path,
                                        .event = it->event,
                                        .from = bytes_of_string(it->sender),
                                        .stop = it->options->stop};
    enum status status;

    if (!it->known || !it->has_subject || it->sender[0] == '\0')
        return STATUS_OK;
    status = index_search(&it->options->index, &everything, &mergers, take_merger, it);
    if (!it->mergers)
        options.subject = bytes_view(it->subject, sizeof it->subject);
    return status == STATUS_OK ? retelling_run(&options, take_check, it) : status;
}

/* ---- what happened to it ---- */

/* Does it name one of the event's entries? */
static bool names_own(const struct explaining *it, const struct record_account *account)
{
    for (size_t i = 0; i < account->detail_count; i++) {
        if (account->details[i].size != 8)
            continue;
        for (size_t k = 0; k < it->own_count; k++) {
            if (bytes_get_u64(account->details[i].data) == it->own[k])
                return true;
        }
    }
    return false;
}

static bool is_own(const struct explaining *it, uint64_t index)
{
    for (size_t k = 0; k < it->own_count; k++) {
        if (it->own[k] == index)
            return true;
    }
    return false;
}

/* Reports of recipients name the event and not the person; corrections of it, and erasures, its entries. */
static bool take_later(void *context, const struct index_hit *hit)
{
    struct explaining *it = context;
    bool about = hit->personal != NULL && it->known &&
                 bytes_equal(hit->personal->event, bytes_view(it->event, sizeof it->event));

    if (is_own(it, hit->index) || (!about && !names_own(it, hit->account)))
        return true;
    return put(it, "row", search_row_json(hit, 0));
}

static bool take_receipt(void *context, const struct index_hit *hit)
{
    struct explaining *it = context;

    if (!names_own(it, hit->account))
        return true;
    (void)put(it, "row", search_row_json(hit, 0));
    return false;
}

static enum status tell_later(struct explaining *it)
{
    const struct index_query later = {.kinds = KIND(OPENED) | KIND(QUARANTINED) | KIND(RECALLED) |
                                               KIND(EXPIRED) | KIND(CORRECTED) | KIND(RETRACTED) |
                                               KIND(ERASED) | KIND(ESCALATED) | KIND(COUNT),
                                      .first = it->options->entry};
    const struct index_query receipts = {
        .kinds = KIND(DELIVERED), .from = bytes_of_string(it->to), .first = it->options->entry};
    enum status status = STATUS_OK;

    if (it->kind == RECORD_DISCLOSED)
        status = search(it, &receipts, take_receipt);
    return status == STATUS_OK ? search(it, &later, take_later) : status;
}

enum status explaining_run(const struct explaining_options *options,
                           bool (*told)(void *context, json_t *object), void *context)
{
    struct explaining *it = calloc(1, sizeof *it);
    enum status status = STATUS_NO_MEMORY;

    if (it == NULL)
        return status;
    it->options = options;
    it->told = told;
    it->context = context;
    status = find_entry(it);
    if (status == STATUS_OK && !it->over)
        status = tell_own(it);
    if (status == STATUS_OK && !it->over)
        status = tell_check(it);
    if (status == STATUS_OK && !it->over)
        status = tell_later(it);
    free(it);
    return status;
}
