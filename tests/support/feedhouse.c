#include "tests/support/feedhouse.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/feed_csv.h"
#include "agent/incidents.h"
#include "agent/outbox.h"
#include "agent/outbox_row.h"
#include "agent/store.h"
#include "base/yaml_errors.h"
#include "tests/support/support.h"

static const uint8_t vault_key[VAULT_KEY_SIZE] = {1, 2, 3};

static struct membership *make_membership(void)
{
    struct membership *membership = calloc(1, sizeof *membership);
    struct yaml_errors *errors = calloc(1, sizeof *errors);
    struct byte_buffer catalogue = support_read_file(PROJECT_ROOT "/policy/catalogue.yaml");
    struct byte_buffer protocol = support_read_file(PROJECT_ROOT "/policy/staffordshire-ppo.yaml");

    assert_non_null(membership);
    assert_non_null(errors);
    assert_int_equal(catalogue_load(bytes_buffer_view(&catalogue), errors, &membership->catalogue),
                     STATUS_OK);
    assert_int_equal(
        protocol_load(bytes_buffer_view(&protocol), membership->catalogue, errors, &membership->protocols[0]),
        STATUS_OK);
    membership->protocol_count = 1;
    membership->epochs = calloc(1, sizeof *membership->epochs);
    assert_non_null(membership->epochs);
    membership->epochs[0].epoch = 1;
    membership->epoch_count = 1;
    bytes_buffer_free(&catalogue);
    bytes_buffer_free(&protocol);
    free(errors);
    return membership;
}

static void open_store(struct feedhouse *house)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/agent.db", house->folder);
    assert_int_equal(store_open(house->on_disk ? path : NULL, &house->agent.db), STATUS_OK);
    assert_int_equal(people_new(house->agent.db, house->agent.vault, &house->agent.people), STATUS_OK);
}

static void open_feeds(struct feedhouse *house)
{
    struct feeds_reason reason = {{0}};

    assert_int_equal(feeds_open(&house->agent, &house->feeds, &reason), STATUS_OK);
}

static struct feedhouse *make(const char *member, const char *folder, bool on_disk)
{
    struct feedhouse *house = calloc(1, sizeof *house);

    assert_non_null(house);
    (void)snprintf(house->folder, sizeof house->folder, "%s", folder);
    house->now = FEEDHOUSE_NOW;
    house->on_disk = on_disk;
    house->agent.folder = house->folder;
    house->agent.settings = settings_default(member, "tcp://127.0.0.1:5570");
    house->agent.membership = make_membership();
    house->agent.random = random_system();
    house->agent.ids = uuid_source(random_system());
    assert_int_equal(vault_new(vault_key, random_system(), &house->agent.vault), STATUS_OK);
    open_store(house);
    assert_int_equal(feeds_init(house->folder, member), STATUS_OK);
    open_feeds(house);
    return house;
}

static struct feedhouse *make_folder(const char *member, bool on_disk)
{
    char folder[] = "/tmp/feedhouse-XXXXXX";

    assert_non_null(mkdtemp(folder));
    return make(member, folder, on_disk);
}

struct feedhouse *feedhouse_new(const char *member)
{
    return make_folder(member, false);
}

struct feedhouse *feedhouse_new_on_disk(const char *member)
{
    return make_folder(member, true);
}

struct feedhouse *feedhouse_at(const char *member, const char *folder)
{
    struct feedhouse *house = make(member, folder, true);

    house->again = true;
    return house;
}

static void remove_folder(const char *path)
{
    char command[PATH_MAX + 16];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

void feedhouse_free(struct feedhouse **house)
{
    feeds_close(&(*house)->feeds);
    people_free(&(*house)->agent.people);
    db_close(&(*house)->agent.db);
    vault_free(&(*house)->agent.vault);
    membership_free(&(*house)->agent.membership);
    if (!(*house)->again)
        remove_folder((*house)->folder);
    free(*house);
    *house = NULL;
}

void feedhouse_pause(struct feedhouse *house)
{
    feeds_close(&house->feeds);
    if (!house->on_disk)
        return;
    people_free(&house->agent.people);
    db_close(&house->agent.db);
}

void feedhouse_resume(struct feedhouse *house)
{
    if (house->on_disk)
        open_store(house);
    open_feeds(house);
}

void feedhouse_reopen(struct feedhouse *house)
{
    feedhouse_pause(house);
    feedhouse_resume(house);
}

const char *feedhouse_path(const struct feedhouse *house, const char *feed, const char *part,
                           const char *file)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/feeds/%s/%s/%s", house->folder, feed, part, file);
    return path;
}

static void put_file(const char *path, struct byte_view content)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    assert_int_equal(fclose(file), 0);
}

const char *feedhouse_write(struct feedhouse *house, const char *name, struct byte_view content)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", house->folder, name);
    put_file(path, content);
    return path;
}

void feedhouse_feed(struct feedhouse *house, const char *feed, const char *mapping)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s/feeds", house->folder);
    (void)mkdir(folder, 0700);
    (void)snprintf(folder, sizeof folder, "%s/feeds/%s", house->folder, feed);
    (void)mkdir(folder, 0700);
    put_file(feedhouse_path(house, feed, "", "feed.yaml"), bytes_of_string(mapping));
    feedhouse_reopen(house);
}

void feedhouse_mapping(struct feedhouse *house, const char *feed, const char *from, const char *to)
{
    struct byte_buffer text = support_read_file(feedhouse_path(house, feed, "", "feed.yaml"));
    struct byte_buffer changed = bytes_buffer(1 << 20);
    const char *at = NULL;

    bytes_append_u8(&text, 0);
    at = strstr((const char *)text.data, from);
    assert_non_null(at);
    bytes_append(&changed, text.data, (size_t)(at - (const char *)text.data));
    bytes_append_string(&changed, to);
    bytes_append_string(&changed, at + strlen(from));
    put_file(feedhouse_path(house, feed, "", "feed.yaml"), bytes_buffer_view(&changed));
    bytes_buffer_free(&text);
    bytes_buffer_free(&changed);
    feedhouse_reopen(house);
}

/* ---- people ------------------------------------------------------------------------------------------- */

static void put_person(struct feedhouse *house, const struct person *given)
{
    struct person person = *given;

    assert_int_equal(membership_pseudonym(house->agent.membership, 0, PSEUDONYM_KIND_PNC, bytes_view(NULL, 0),
                                          bytes_of_string(person.pnc_id), &person.subject),
                     STATUS_OK);
    (void)snprintf(person.by, sizeof person.by, "police.staffordshire");
    (void)snprintf(person.protocol, sizeof person.protocol, "staffordshire-ppo");
    assert_int_equal(db_begin(house->agent.db), STATUS_OK);
    assert_int_equal(people_put(house->agent.people, &person), STATUS_OK);
    assert_int_equal(db_commit(house->agent.db), STATUS_OK);
}

void feedhouse_person(struct feedhouse *house, const char *pnc_id, const char *prison_no, bool listed)
{
    struct person person = {.listed = listed, .listed_at = house->now, .removed_at = listed ? 0 : house->now};

    (void)snprintf(person.pnc_id, sizeof person.pnc_id, "%s", pnc_id);
    (void)snprintf(person.prison_no, sizeof person.prison_no, "%s", prison_no);
    (void)snprintf(person.name, sizeof person.name, "Somebody, Else");
    (void)snprintf(person.dob, sizeof person.dob, "1970-01-01");
    (void)snprintf(person.strand, sizeof person.strand, "catch_convict");
    put_person(house, &person);
}

static void copy_field(char *out, size_t size, struct byte_view field)
{
    (void)snprintf(out, size, "%.*s", (int)field.size, (const char *)field.data);
}

void feedhouse_list(struct feedhouse *house)
{
    struct byte_buffer file = support_read_file(TEST_DATA "/ppo-list.csv");
    struct feed_input *input = NULL;
    struct feed_csv *csv = NULL;
    struct feed_csv_row *row = calloc(1, sizeof *row);
    struct feed_reject reject;
    struct feed_refusal refusal;

    assert_non_null(row);
    assert_int_equal(feed_input_of_bytes(bytes_buffer_view(&file), FEED_UTF8, &input), STATUS_OK);
    assert_int_equal(feed_csv_new(input, ',', &csv), STATUS_OK);
    assert_int_equal(feed_csv_next(csv, row, &reject, &refusal), STATUS_OK);
    while (feed_csv_next(csv, row, &reject, &refusal) == STATUS_OK) {
        struct person person = {.listed = true, .listed_at = house->now};

        copy_field(person.pnc_id, sizeof person.pnc_id, row->fields[0]);
        copy_field(person.prison_no, sizeof person.prison_no, row->fields[4]);
        (void)snprintf(person.name, sizeof person.name, "%.*s, %.*s", (int)row->fields[1].size,
                       (const char *)row->fields[1].data, (int)row->fields[2].size,
                       (const char *)row->fields[2].data);
        copy_field(person.strand, sizeof person.strand, row->fields[5]);
        put_person(house, &person);
    }
    feed_csv_free(&csv);
    feed_input_free(&input);
    free(row);
    bytes_buffer_free(&file);
}

/* ---- files -------------------------------------------------------------------------------------------- */

size_t feedhouse_count(const struct feedhouse *house, const char *feed, const char *part)
{
    DIR *folder = opendir(feedhouse_path(house, feed, part, ""));
    struct dirent *entry = NULL;
    size_t count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

json_t *feedhouse_import(struct feedhouse *house, const char *feed, const char *path)
{
    struct feeds_reason reason = {{0}};
    json_t *page = NULL;

    if (feeds_import(house->feeds, feed, path, "officer:7", house->now, &page, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    return page;
}

json_t *feedhouse_import_text(struct feedhouse *house, const char *feed, const char *text)
{
    return feedhouse_import(house, feed, feedhouse_write(house, "file.csv", bytes_of_string(text)));
}

void feedhouse_run(struct feedhouse *house)
{
    int64_t next = 0;

    do
        assert_int_equal(feeds_step(house->feeds, house->now, &next), STATUS_OK);
    while (next <= house->now);
}

void feedhouse_drop(struct feedhouse *house, const char *feed, const char *file, const char *text)
{
    put_file(feedhouse_path(house, feed, "in", file), bytes_of_string(text));
}

void feedhouse_pass(struct feedhouse *house, int64_t milliseconds)
{
    for (int64_t end = house->now + milliseconds; house->now < end;) {
        house->now += 1000;
        feedhouse_run(house);
    }
}

/* ---- pages -------------------------------------------------------------------------------------------- */

int64_t feedhouse_number(const json_t *page, const char *key)
{
    const json_t *value = json_object_get(page, key);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

int64_t feedhouse_in(const json_t *page, const char *object, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(page, object), key));
}

size_t feedhouse_rejected(const json_t *page, const char *reason)
{
    const json_t *list = json_object_get(page, "rejected");
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        count +=
            strstr(json_string_value(json_object_get(json_array_get(list, i), "reason")), reason) != NULL;
    return count;
}

/* ---- the outbox --------------------------------------------------------------------------------------- */

int64_t feedhouse_queued(struct feedhouse *house, const char *type)
{
    struct db_statement *statement = NULL;
    bool row = false;
    int64_t count = 0;

    assert_int_equal(db_statement(house->agent.db,
                                  "SELECT count(*) FROM outbox WHERE ?1 IS NULL OR type = ?1", &statement),
                     STATUS_OK);
    db_bind_text(statement, 1, type);
    assert_int_equal(db_step(statement, &row), STATUS_OK);
    count = db_column_int64(statement, 0);
    db_reset(statement);
    return count;
}

void feedhouse_event(struct feedhouse *house, const char *type, const char *pnc_id,
                     struct byte_buffer *storage, struct prepared *ret)
{
    struct db_statement *statement = NULL;
    struct pseudonym subject;
    bool row = false;
    uint8_t events[64][UUID_SIZE];
    size_t count = 0;

    assert_int_equal(membership_pseudonym(house->agent.membership, 0, PSEUDONYM_KIND_PNC, bytes_view(NULL, 0),
                                          bytes_of_string(pnc_id), &subject),
                     STATUS_OK);
    assert_int_equal(db_statement(house->agent.db,
                                  "SELECT event FROM outbox WHERE type = ? ORDER BY id DESC LIMIT 64",
                                  &statement),
                     STATUS_OK);
    db_bind_text(statement, 1, type);
    while (db_step(statement, &row) == STATUS_OK && row)
        memcpy(events[count++], db_column_blob(statement, 0).data, UUID_SIZE);
    for (size_t i = 0; i < count; i++) {
        bytes_buffer_clear(storage);
        assert_int_equal(outbox_row_content(&house->agent, events[i], storage), STATUS_OK);
        assert_int_equal(prepared_decode(bytes_buffer_view(storage), ret), STATUS_OK);
        if (memcmp(ret->subject, subject.bytes, PSEUDONYM_SIZE) == 0)
            return;
    }
    fail_msg("no %s about %s", type, pnc_id);
}

void feedhouse_value(const struct prepared *event, const char *label, const char *value)
{
    const struct byte_view *found = prepared_find(event, bytes_of_string(label));

    if (value == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    if (!bytes_equal(*found, bytes_of_string(value)))
        fail_msg("%s is '%.*s', not '%s'", label, (int)found->size, (const char *)found->data, value);
}

void feedhouse_refuse(struct feedhouse *house)
{
    struct db_statement *statement = NULL;

    assert_int_equal(db_statement(house->agent.db, "UPDATE outbox SET state = 4", &statement), STATUS_OK);
    assert_int_equal(db_run(statement), STATUS_OK);
}
