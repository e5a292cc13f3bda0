#include "agent/feed_release.h"

#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/feed_hold.h"
#include "base/civil.h"

#define ROW_STORAGE ((size_t)1 << 20)

static enum feed_release_act decide_without_row(const struct feed_release_case *facts)
{
    if (!facts->told)
        return FEED_RELEASE_NOTHING;
    if (facts->told_date < facts->today - facts->window)
        return FEED_RELEASE_FORGET;
    if (!facts->stands || facts->told_date <= facts->today || !facts->covered)
        return FEED_RELEASE_NOTHING;
    return facts->rejected ? FEED_RELEASE_KEEP : FEED_RELEASE_CANCEL;
}

enum feed_release_act feed_release_decide(const struct feed_release_case *facts)
{
    /* A date long past belongs to an earlier release. */
    const bool recent = facts->told && facts->told_date >= facts->today - facts->window;
    const bool same = recent && facts->date == facts->told_date && strcmp(facts->type, facts->told_type) == 0;

    if (!facts->row)
        return decide_without_row(facts);
    if (facts->date < facts->today)
        return FEED_RELEASE_NOTHING;
    if (same)
        return FEED_RELEASE_SAME; /* also when it was refused: nothing has changed that could help */
    if (recent && facts->stands)
        return FEED_RELEASE_CHANGE;
    return facts->date <= facts->today + facts->window ? FEED_RELEASE_PLAN : FEED_RELEASE_AHEAD;
}

bool feed_release_check(const struct feed_job *job, const struct feed_row *row,
                        struct feed_reject *ret_reject)
{
    const struct feed_value *value = feed_mapping_value(&job->mapping->values, "release_date");
    const char *column = value != NULL && value->from_count > 0 ? job->mapping->fields[value->from[0]] : NULL;
    int32_t date = 0;

    if (!feed_job_date(row, "release_date", &date)) {
        feed_reject_set(ret_reject, row->line, column, "empty, and must not be");
        return false;
    }
    if (date < job->today) {
        feed_reject_set(ret_reject, row->line, column, "the date has passed");
        return false;
    }
    return true;
}

/* ---- one person --------------------------------------------------------------------------------------- */

struct look {
    struct feed_job *job;
    int64_t nameless; /* rejected rows of which nobody can say whose they are */
    struct person person;
    struct byte_buffer row_storage;
    struct byte_buffer told_storage;
    struct feed_row row;
    struct feed_told told;
    struct feed_release_case facts;
    char type[32];
    char told_type[32];
};

static struct byte_view identity(const struct look *look)
{
    return bytes_view(look->person.subject.bytes, PSEUDONYM_SIZE);
}

static enum status find_told(struct look *look)
{
    enum status status = feed_store_told(&look->job->store, identity(look), &look->told_storage, &look->told);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    look->facts.told = feed_job_date(&look->told.row, "release_date", &look->facts.told_date);
    feed_row_text(&look->told.row, "date_type", look->told_type, sizeof look->told_type);
    return feed_job_stands(look->job, look->told.event, &look->facts.stands);
}

/* By what the list knows of the person, and else by the prison number that was told before. */
static enum status find_row(struct look *look)
{
    const struct byte_view pnc_id = bytes_of_string(look->person.pnc_id);
    const struct byte_view numbers[] = {bytes_of_string(look->person.prison_no),
                                        look->facts.told ? feed_row_value(&look->told.row, "prison_no")
                                                         : bytes_view(NULL, 0)};
    enum status status = STATUS_NOT_FOUND;

    for (size_t i = 0; i < 2 && status == STATUS_NOT_FOUND; i++)
        status = feed_store_find(&look->job->store, pnc_id, numbers[i], &look->row_storage, &look->row);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    look->facts.row = feed_job_date(&look->row, "release_date", &look->facts.date);
    feed_row_text(&look->row, "date_type", look->type, sizeof look->type);
    return STATUS_OK;
}

static enum status is_covered(const struct look *look, bool *ret_covered)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_statement(
        look->job->store.db, "SELECT 1 FROM feed_cover WHERE run = ? AND establishment = ?", &statement);

    if (status != STATUS_OK)
        return status;
    db_bind_int64(statement, 1, look->job->run);
    db_bind_text(statement, 2, look->told.establishment);
    status = db_step(statement, &row);
    if (status == STATUS_OK && row)
        db_reset(statement);
    if (status == STATUS_OK)
        *ret_covered = row;
    return status;
}

/* Whether the file covers what was told, and whether a row of it that does not count could be the person's.
 */
static enum status look_for_rejects(struct look *look)
{
    struct feed_job *job = look->job;
    const struct feed_row *told = &look->told.row;
    enum status status = STATUS_OK;

    if (job->run == 0 || look->facts.row || !look->facts.told)
        return STATUS_OK;
    status = is_covered(look, &look->facts.covered);
    look->facts.rejected = look->nameless > 0;
    if (status == STATUS_OK && !look->facts.rejected)
        status = feed_store_has(&job->store, job->run, bytes_of_string(look->person.pnc_id),
                                bytes_of_string(look->person.prison_no), &look->facts.rejected);
    if (status == STATUS_OK && !look->facts.rejected)
        status = feed_store_has(&job->store, job->run, feed_row_value(told, "pnc_id"),
                                feed_row_value(told, "prison_no"), &look->facts.rejected);
    return status;
}

static enum status tell(struct look *look, const uint8_t id[static UUID_SIZE])
{
    struct feed_told told = {.subject = look->person.subject, .row = look->row};
    enum status status = feed_store_digest(&look->job->store, &look->row, told.digest);

    memcpy(told.event, id, UUID_SIZE);
    feed_row_text(&look->row, "prison", told.establishment, sizeof told.establishment);
    return status == STATUS_OK ? feed_store_tell(&look->job->store, identity(look), &told) : status;
}

static enum status plan(struct look *look)
{
    const struct feed_event_of event = {
        .type = "release.planned", .row = &look->row, .person = &look->person};
    uint8_t id[UUID_SIZE];
    bool sent = false;
    enum status status = feed_job_send(look->job, &event, id, &sent);

    if (status != STATUS_OK || !sent)
        return status;
    look->job->page->notices++;
    return tell(look, id);
}

static enum status change(struct look *look)
{
    char old_date[CIVIL_DATE_SIZE];
    const struct feed_event_of event = {.type = "release.date_changed",
                                        .row = &look->row,
                                        .constants = &look->job->mapping->changed,
                                        .cause = "recalculated",
                                        .old_date = old_date,
                                        .person = &look->person,
                                        .supersedes = look->told.event};
    uint8_t id[UUID_SIZE];
    bool sent = false;
    enum status status = STATUS_OK;

    civil_format_date(look->facts.told_date, old_date);
    status = feed_job_send(look->job, &event, id, &sent);
    if (status != STATUS_OK || !sent)
        return status;
    look->job->page->changed++;
    return tell(look, id);
}

static enum status cancel(struct look *look)
{
    const struct feed_event_of event = {.type = "release.cancelled",
                                        .row = &look->told.row,
                                        .constants = &look->job->mapping->gone,
                                        .cause = "row_gone",
                                        .person = &look->person,
                                        .supersedes = look->told.event};
    uint8_t id[UUID_SIZE];
    bool sent = false;
    enum status status = feed_job_send(look->job, &event, id, &sent);

    if (status != STATUS_OK || !sent)
        return status;
    look->job->page->cancelled++;
    return feed_store_forget(&look->job->store, look->told.id);
}

static enum status act(struct look *look)
{
    struct feed_page *page = look->job->page;

    switch (feed_release_decide(&look->facts)) {
    case FEED_RELEASE_SAME:
        page->unchanged++;
        return STATUS_OK;
    case FEED_RELEASE_AHEAD:
        page->ahead++;
        return STATUS_OK;
    case FEED_RELEASE_KEEP:
        page->kept++;
        return STATUS_OK;
    case FEED_RELEASE_PLAN:
        return plan(look);
    case FEED_RELEASE_CHANGE:
        return change(look);
    case FEED_RELEASE_CANCEL:
        return cancel(look);
    case FEED_RELEASE_FORGET:
        return feed_store_forget(&look->job->store, look->told.id);
    case FEED_RELEASE_NOTHING:
    default:
        return STATUS_OK;
    }
}

static enum status look_at_person(struct look *look)
{
    enum status status = STATUS_OK;

    look->facts = (struct feed_release_case){.today = look->job->today,
                                             .window = (int32_t)look->job->agent->settings.window_days,
                                             .type = look->type,
                                             .told_type = look->told_type};
    status = find_told(look);
    if (status == STATUS_OK)
        status = find_row(look);
    if (status == STATUS_OK)
        status = look_for_rejects(look);
    if (status == STATUS_OK && look->facts.row)
        look->job->page->on_scheme++;
    return status == STATUS_OK ? act(look) : status;
}

enum status feed_release_look(struct feed_job *job)
{
    struct look look = {.job = job};
    struct feed_counts counts = {0};
    int64_t cursor = 0;
    enum status status = STATUS_OK;

    look.row_storage = bytes_buffer(ROW_STORAGE);
    look.told_storage = bytes_buffer(ROW_STORAGE);
    if (job->run != 0)
        status = feed_store_counts(&job->store, job->run, &counts);
    look.nameless = counts.nameless;
    while (status == STATUS_OK) {
        status = people_next(job->agent->people, job->protocol->id, &cursor, &look.person);
        if (status == STATUS_OK)
            status = look_at_person(&look);
    }
    bytes_buffer_wipe(&look.row_storage);
    bytes_buffer_wipe(&look.told_storage);
    bytes_wipe(&look, sizeof look);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status feed_release_hold(struct feed_job *job, bool *ret_hold)
{
    int64_t known = 0;
    int64_t gone = 0;
    enum status status = feed_store_vanished(&job->store, job->run, job->today, &known, &gone);

    if (status == STATUS_OK)
        *ret_hold = feed_hold_check(job, known, gone);
    return status;
}
