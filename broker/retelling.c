#include "broker/retelling.h"

#include <stdlib.h>
#include <string.h>

#include "broker/batches.h"
#include "broker/logtiles.h"
#include "broker/outcome.h"
#include "broker/retelling_check.h"
#include "broker/retelling_line.h"
#include "broker/retelling_memory.h"
#include "broker/rulebooks.h"
#include "broker/store/store.h"
#include "proto/header.h"
#include "proto/logrow.h"
#include "proto/pseudonym.h"
#include "proto/uuid.h"

#define BATCH_LARGEST ((size_t)64 << 20)

struct retelling {
    const struct retelling_options *options;
    bool (*told)(void *context, json_t *line);
    void *context;
    struct rulebooks *rulebooks;
    struct db *store;
    struct db *memory;
    char (*members)[MEMBER_ID_LENGTH + 1]; /* by number */
    size_t member_count;
    bool over;
    uint64_t erased; /* events that were passed over because they are gone */
    /* the batch at hand */
    int64_t committed;
    uint32_t count;
    struct byte_buffer headers, openings, outcomes;
};

/* One event, taken apart; borrows from the batch. */
struct episode {
    struct core core;
    struct opening_attribute attributes[CORE_ATTRIBUTES_MAX];
    size_t attribute_count;
    struct outcome outcome;
    const struct rulebook *rulebook; /* that was in force */
    const struct protocol *protocol;
    const uint8_t *digest; /* of its file */
    struct policy_request request;
    struct register_state person; /* before it */
};

static const char *member_of(const struct retelling *it, uint32_t number)
{
    return number < it->member_count ? it->members[number] : "";
}

/* ---- the line ---- */

static struct byte_view value_of(const struct episode *episode, const char *label)
{
    for (size_t i = 0; i < episode->attribute_count; i++) {
        if (bytes_equal(episode->attributes[i].id, bytes_of_string(label)))
            return episode->attributes[i].value;
    }
    return bytes_view(NULL, 0);
}

struct looking_for {
    const char *member;
    bool found;
};

static bool look_for(void *context, const char *member)
{
    struct looking_for *looking = context;

    looking->found = strcmp(looking->member, member) == 0;
    return !looking->found;
}

static enum status add_answers(struct retelling *it, const struct episode *episode, json_t *line)
{
    struct retelling_event event;
    struct looking_for sender = {"", false};
    char id[UUID_TEXT_SIZE], from[MEMBER_ID_LENGTH + 1] = "";
    struct retelling_answered answered;
    enum status status = retelling_memory_event(it->memory, episode->core.correlation, &event);
    bool good;

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    uuid_format(episode->core.correlation, id);
    answered = (struct retelling_answered){
        .type = event.type,
        .from = event.from,
        .same_person = bytes_equal(event.subject, bytes_view(episode->core.subject, CORE_SUBJECT_SIZE)),
        .is_target = bytes_equal(value_of(episode, "target"), bytes_of_string(id)),
        .asks = event.asked[0] != '\0',
        .asked = event.asked};
    if (episode->core.from.size < sizeof from)
        memcpy(from, episode->core.from.data, episode->core.from.size);
    sender.member = from;
    status = retelling_memory_told(it->memory, episode->core.correlation, look_for, &sender);
    answered.sent_to_sender = sender.found;
    good = status == STATUS_OK && retelling_line_answers(line, &answered);
    return status != STATUS_OK || good ? status : STATUS_NO_MEMORY;
}

static bool add_repeat(void *context, const char *member)
{
    return retelling_line_add(context, "repeats", member);
}

static bool add_not_active(const struct retelling *it, const struct episode *episode, json_t *line)
{
    const struct rulebook_protocol *protocol = rulebook_find(episode->rulebook, episode->core.protocol);
    struct party_set active = rulebook_active(episode->rulebook, protocol, it->committed);
    bool good = true;

    for (uint16_t i = 0; i < episode->protocol->party_count && good; i++)
        good = party_set_has(&active, i) ||
               retelling_line_add(line, "not_active", episode->protocol->parties[i].id);
    return good;
}

/* What the log has of an accepted event: whom it went to with which labels. */
struct disclosing {
    uint64_t index; /* of `accepted` */
    json_t *disclosed;
    bool good;
};

static bool add_disclosed(struct disclosing *disclosing, const struct record_account *account)
{
    char to[MEMBER_ID_LENGTH + 1] = "";
    json_t *labels = json_array();
    bool good = labels != NULL && account->to.size < sizeof to;

    for (size_t i = 0; good && i < account->label_count; i++)
        good = json_array_append_new(
                   labels, json_stringn((const char *)account->labels[i].data, account->labels[i].size)) == 0;
    if (good)
        memcpy(to, account->to.data, account->to.size);
    if (good)
        return json_object_set_new(disclosing->disclosed, to, labels) == 0;
    json_decref(labels);
    return false;
}

/* The entries of an event follow its `accepted` at once. */
static enum status read_row(void *context, uint64_t first, uint64_t n, struct byte_view records,
                            struct byte_view personal)
{
    struct disclosing *disclosing = context;
    struct logrow row = logrow_open(records, personal);
    struct logrow_record record;
    struct record_storage storage;
    struct record_account account;

    for (uint64_t i = first; i < first + n; i++) {
        if (logrow_next(&row, &record) != STATUS_OK)
            return STATUS_CORRUPT;
        if (i <= disclosing->index)
            continue;
        if (record.entry[1] != RECORD_DISCLOSED)
            break;
        if (record_decode_account(record.account, &storage, &account) != STATUS_OK)
            return STATUS_CORRUPT;
        if (!add_disclosed(disclosing, &account))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum status add_outcome(struct retelling *it, const struct episode *episode, json_t *line)
{
    struct disclosing disclosing = {
        .index = episode->outcome.log_index, .disclosed = json_object(), .good = true};
    enum status status = disclosing.disclosed == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    if (status == STATUS_OK && episode->outcome.recipient_count > 0)
        status = logtiles_rows(it->store, disclosing.index, disclosing.index + 1, read_row, &disclosing);
    if (status == STATUS_OK && json_object_set(line, "disclosed", disclosing.disclosed) != 0)
        status = STATUS_NO_MEMORY;
    json_decref(disclosing.disclosed);
    return status;
}

/* What was known and what came of it: a line of a replay. */
static enum status make_line(struct retelling *it, const struct episode *episode, json_t **ret)
{
    json_t *line =
        retelling_line_event(&episode->core, it->committed, episode->attributes, episode->attribute_count);
    enum status status = STATUS_OK;

    if (line == NULL || !retelling_line_person(line, &episode->person) || !add_not_active(it, episode, line))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK && episode->core.has_correlation)
        status = add_answers(it, episode, line);
    if (status == STATUS_OK && episode->core.has_repeats)
        status = retelling_memory_told(it->memory, episode->core.repeats, add_repeat, line);
    if (status == STATUS_OK)
        status = add_outcome(it, episode, line);
    if (status == STATUS_OK)
        *ret = line;
    else
        json_decref(line);
    return status;
}

static enum status check(struct retelling *it, const struct episode *episode, json_t **line)
{
    const struct retelling_check checked = {
        .protocol = episode->protocol,
        .digest = episode->digest,
        .serial = bundle_serial(episode->rulebook->bundle),
        .entry = episode->outcome.log_index,
        .erased = it->erased,
        .accepted = episode->outcome.verdict == WIRE__VERDICT__ACCEPTED,
        .sentences = it->options->what == RETELLING_EXPLANATION,
    };
    json_t *told = NULL;
    enum status status = retelling_check(&checked, *line, &told);

    json_decref(*line);
    *line = told;
    return status;
}

/* Of what is told before the event is folded. */
static enum status tell(struct retelling *it, const struct episode *episode)
{
    json_t *line = NULL;
    enum status status = make_line(it, episode, &line);

    if (status == STATUS_OK && it->options->what != RETELLING_DECISIONS)
        status = check(it, episode, &line);
    if (status != STATUS_OK) {
        json_decref(line);
        return status;
    }
    it->over = !it->told(it->context, line) || it->options->event != NULL;
    return STATUS_OK;
}

/* Of what is told after it: what it says, and what is known of the person now. */
static enum status tell_register(struct retelling *it, const struct episode *episode)
{
    json_t *line =
        retelling_line_event(&episode->core, it->committed, episode->attributes, episode->attribute_count);

    if (line == NULL || !retelling_line_times(line, &episode->core) ||
        !retelling_line_person(line, &episode->person)) {
        json_decref(line);
        return STATUS_NO_MEMORY;
    }
    it->over = !it->told(it->context, line);
    return STATUS_OK;
}

/* Is this event told, and before it is folded or after? */
static bool is_told(const struct retelling *it, const struct episode *episode, bool before)
{
    const struct retelling_options *options = it->options;
    bool accepted = episode->outcome.verdict == WIRE__VERDICT__ACCEPTED;

    if (it->committed < options->since || before == (options->what == RETELLING_REGISTER))
        return false;
    if (options->event != NULL && (memcmp(options->event, episode->core.event, CORE_EVENT_SIZE) != 0 ||
                                   !bytes_equal(options->from, episode->core.from)))
        return false;
    return accepted || options->what == RETELLING_DECISIONS || options->what == RETELLING_EXPLANATION;
}

/* ---- what an accepted event leaves behind ---- */

/* As an attribute has it: 72 hexadecimal digits. */
static bool read_pseudonym(struct byte_view value, struct pseudonym *ret)
{
    char text[2 * CORE_SUBJECT_SIZE + 1] = "";
    uint8_t bytes[CORE_SUBJECT_SIZE];

    if (value.size != sizeof text - 1)
        return false;
    memcpy(text, value.data, value.size);
    return bytes_from_hex(text, bytes, sizeof bytes) == STATUS_OK &&
           pseudonym_from_bytes(bytes_view(bytes, sizeof bytes), ret) == STATUS_OK;
}

static enum status merge(struct retelling *it, const struct episode *episode)
{
    struct pseudonym pseudonyms[2];
    struct register_state states[2], merged;
    static const char *const labels[2] = {"merged_from", "merged_to"};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        if (!read_pseudonym(value_of(episode, labels[i]), &pseudonyms[i]))
            return STATUS_OK;
        status = retelling_memory_person(it->memory, episode->core.protocol,
                                         bytes_view(pseudonyms[i].bytes, CORE_SUBJECT_SIZE), &states[i]);
    }
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        register_merge(&states[i], &states[1 - i], &merged);
        status = retelling_memory_keep_person(it->memory, episode->core.protocol,
                                              bytes_view(pseudonyms[i].bytes, CORE_SUBJECT_SIZE), &merged);
    }
    return status;
}

static enum status fold(struct retelling *it, struct episode *episode)
{
    struct register_change change;
    struct byte_view subject = bytes_view(episode->core.subject, CORE_SUBJECT_SIZE);
    enum status status = STATUS_OK;

    if (episode->request.repeats || register_apply(episode->protocol, &episode->person, &episode->request,
                                                   it->committed, &change) != STATUS_OK)
        return STATUS_OK; /* as another version of the protocol allowed it */
    if (change.effect != EFFECT_NONE)
        status = retelling_memory_keep_person(it->memory, episode->core.protocol, subject, &episode->person);
    if (status == STATUS_OK && change.merged)
        status = merge(it, episode);
    return status;
}

/* For those that answer or repeat it. */
static enum status keep(struct retelling *it, const struct episode *episode)
{
    char type[PROTOCOL_ID_LENGTH + 1] = "", from[MEMBER_ID_LENGTH + 1] = "", asked[512] = "";
    struct byte_view value = value_of(episode, CATALOGUE_ASKED);
    struct retelling_event content = {.type = type,
                                      .from = from,
                                      .subject = bytes_view(episode->core.subject, CORE_SUBJECT_SIZE),
                                      .asked = asked};
    enum status status;

    if (episode->core.type.size >= sizeof type || episode->core.from.size >= sizeof from ||
        value.size >= sizeof asked)
        return STATUS_OK;
    memcpy(type, episode->core.type.data, episode->core.type.size);
    memcpy(from, episode->core.from.data, episode->core.from.size);
    if (value.size > 0)
        memcpy(asked, value.data, value.size);
    status = retelling_memory_keep_event(it->memory, episode->core.event, &content);
    for (size_t i = 0; i < episode->outcome.recipient_count && status == STATUS_OK; i++) {
        const char *member = member_of(it, episode->outcome.recipients[i].number);

        status = retelling_memory_tell(it->memory, episode->core.event, member);
        if (status == STATUS_OK && episode->core.has_repeats)
            status = retelling_memory_tell(it->memory, episode->core.repeats, member);
    }
    return status;
}

/* Does anything answer this type, or may it be repeated? */
static bool is_kept(const struct protocol *protocol, uint16_t event)
{
    const struct catalogue *catalogue = protocol->catalogue;

    if (catalogue->events[event].standing)
        return true;
    for (uint32_t i = 0; i < (uint32_t)catalogue->event_count * protocol->class_count; i++) {
        if ((protocol->pairs[i].answers[event / 64] >> (event % 64) & 1) != 0)
            return true;
    }
    return false;
}

/* ---- batches ---- */

/* STATUS_NOT_FOUND for what was erased or cannot be told. What no archive has is judged by the newest bundle.
 */
static enum status take_apart(struct retelling *it, struct byte_view header_bytes, struct byte_view opening,
                              struct episode *episode)
{
    const struct rulebook_protocol *protocol;
    struct header header;
    enum status status;

    if (header_parse(header_bytes, &header) != STATUS_OK) {
        it->erased++;
        return STATUS_NOT_FOUND;
    }
    if (core_decode(header.core, &episode->core) != STATUS_OK ||
        (it->options->subject.size > 0 &&
         !bytes_equal(it->options->subject, bytes_view(episode->core.subject, CORE_SUBJECT_SIZE))) ||
        opening_decode(opening, episode->attributes, &episode->attribute_count) != STATUS_OK)
        return STATUS_NOT_FOUND;
    status = rulebooks_of(it->rulebooks, episode->core.bundle, &episode->rulebook);
    if (status == STATUS_NOT_FOUND)
        episode->rulebook = rulebooks_newest(it->rulebooks);
    else if (status != STATUS_OK)
        return status;
    protocol = rulebook_find(episode->rulebook, episode->core.protocol);
    if (protocol == NULL)
        return STATUS_NOT_FOUND;
    episode->protocol = protocol->protocol;
    episode->digest = protocol->digest;
    return STATUS_OK;
}

static bool make_request(struct episode *episode)
{
    const struct catalogue *catalogue = episode->rulebook->catalogue;
    struct policy_request *request = &episode->request;

    *request = (struct policy_request){.event = catalogue_find_event(catalogue, episode->core.type),
                                       .from = episode->core.from,
                                       .purpose = episode->core.purpose,
                                       .occurred = episode->core.occurred,
                                       .created = episode->core.created,
                                       .effective = REQUEST_NO_DATE,
                                       .repeats = episode->core.has_repeats};
    if (request->event == CATALOGUE_NONE)
        return false;
    for (size_t i = 0; i < episode->attribute_count; i++) {
        char id[CATALOGUE_LABELS_MAX] = "";

        if (episode->attributes[i].id.size >= sizeof id)
            return false;
        memcpy(id, episode->attributes[i].id.data, episode->attributes[i].id.size);
        if (request_set(catalogue, request, id, episode->attributes[i].value) != STATUS_OK)
            return false;
    }
    return request_read(catalogue, request, NULL) == STATUS_OK;
}

static enum status retell(struct retelling *it, struct episode *episode)
{
    bool accepted = episode->outcome.verdict == WIRE__VERDICT__ACCEPTED;
    bool known = make_request(episode);
    enum status status =
        retelling_memory_person(it->memory, episode->core.protocol,
                                bytes_view(episode->core.subject, CORE_SUBJECT_SIZE), &episode->person);

    if (status == STATUS_OK && is_told(it, episode, true))
        status = tell(it, episode);
    if (status == STATUS_OK && accepted && known && is_kept(episode->protocol, episode->request.event))
        status = keep(it, episode);
    if (status == STATUS_OK && accepted && known)
        status = fold(it, episode);
    if (status == STATUS_OK && is_told(it, episode, false))
        status = tell_register(it, episode);
    return status;
}

/* uint32 length ‖ bytes */
static struct byte_view next_of(struct byte_reader *reader)
{
    return bytes_read_view(reader, bytes_read_u32(reader));
}

static enum status retell_batch(struct retelling *it, struct episode *episode)
{
    struct byte_reader headers = bytes_reader(bytes_buffer_view(&it->headers));
    struct byte_reader openings = bytes_reader(bytes_buffer_view(&it->openings));
    struct byte_reader outcomes = bytes_reader(bytes_buffer_view(&it->outcomes));
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < it->count && status == STATUS_OK && !it->over; i++) {
        struct byte_view header = batches_next_header(&headers), opening = next_of(&openings);

        if (headers.failed || openings.failed || outcome_read(&outcomes, &episode->outcome) != STATUS_OK)
            return STATUS_CORRUPT;
        if (episode->outcome.verdict != WIRE__VERDICT__ACCEPTED &&
            episode->outcome.verdict != WIRE__VERDICT__REFUSED)
            continue;
        status = take_apart(it, header, opening, episode);
        if (status == STATUS_OK)
            status = retell(it, episode);
        else if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status;
}

static void copy(struct byte_buffer *buffer, struct byte_view bytes)
{
    bytes_buffer_clear(buffer);
    bytes_append_view(buffer, bytes);
}

/* The batch after that one, copied, so that no statement holds old pages. */
static enum status read_batch(struct retelling *it, int64_t after, int64_t *ret_id)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(it->store,
                                      "SELECT id, committed, count, headers, openings, outcomes FROM batch "
                                      "WHERE id > ?1 ORDER BY id LIMIT 1",
                                      &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, after);
    status = db_step(statement, &row);
    if (status == STATUS_OK && !row)
        return STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        *ret_id = db_column_int64(statement, 0);
        it->committed = db_column_int64(statement, 1);
        it->count = (uint32_t)db_column_int64(statement, 2);
        copy(&it->headers, db_column_blob(statement, 3));
        copy(&it->openings, db_column_blob(statement, 4));
        copy(&it->outcomes, db_column_blob(statement, 5));
        if (it->headers.status != STATUS_OK || it->openings.status != STATUS_OK ||
            it->outcomes.status != STATUS_OK)
            status = STATUS_NO_MEMORY;
    }
    db_reset(statement);
    return status;
}

static enum status retell_all(struct retelling *it)
{
    struct episode *episode = calloc(1, sizeof *episode);
    enum status status = episode == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    int64_t id = -1;

    while (status == STATUS_OK && !it->over) {
        if (it->options->stop != NULL && atomic_load(it->options->stop))
            break;
        status = read_batch(it, id, &id);
        if (status == STATUS_NOT_FOUND || (it->options->until != 0 && it->committed >= it->options->until))
            break;
        if (status == STATUS_OK)
            status = retell_batch(it, episode);
    }
    free(episode);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- what it needs ---- */

static enum status read_members(struct retelling *it)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(it->store, "SELECT COALESCE(MAX(number), 0) FROM member", &statement);

    if (status == STATUS_OK)
        status = db_step(statement, &row);
    if (status != STATUS_OK)
        return status;
    it->member_count = (size_t)db_column_int64(statement, 0) + 1;
    db_reset(statement);
    it->members = calloc(it->member_count, sizeof *it->members);
    if (it->members == NULL)
        return STATUS_NO_MEMORY;
    status = db_statement(it->store, "SELECT number, id FROM member", &statement);
    while (status == STATUS_OK && (status = db_step(statement, &row)) == STATUS_OK && row) {
        size_t number = (size_t)db_column_int64(statement, 0);
        const char *id = db_column_text(statement, 1);

        if (number < it->member_count && strlen(id) <= MEMBER_ID_LENGTH)
            strcpy(it->members[number], id);
    }
    return status;
}

static enum status open_all(struct retelling *it)
{
    const struct db_options store = {.application_id = LOGROW_STORE_APPLICATION,
                                     .user_version = LOGROW_STORE_VERSION,
                                     .oldest = LOGROW_STORE_OLDEST,
                                     .kind = DB_DURABLE,
                                     .schema_sql = "",
                                     .read_only = true};
    enum status status = rulebooks_open(it->options->folder, &it->rulebooks);

    if (status == STATUS_OK)
        status = db_open(it->options->store_path, &store, &it->store);
    if (status == STATUS_OK)
        status = retelling_memory_open(&it->memory);
    return status == STATUS_OK ? read_members(it) : status;
}

enum status retelling_run(const struct retelling_options *options, bool (*told)(void *context, json_t *line),
                          void *context)
{
    struct retelling it = {.options = options,
                           .told = told,
                           .context = context,
                           .headers = bytes_buffer(BATCH_LARGEST),
                           .openings = bytes_buffer(BATCH_LARGEST),
                           .outcomes = bytes_buffer(BATCH_LARGEST)};
    enum status status = open_all(&it);

    if (status == STATUS_OK)
        status = retell_all(&it);
    bytes_buffer_free(&it.headers);
    bytes_buffer_free(&it.openings);
    bytes_buffer_free(&it.outcomes);
    free(it.members);
    db_close(&it.memory);
    db_close(&it.store);
    rulebooks_free(&it.rulebooks);
    return status;
}
